//! A file fits in a reader's head. Clippy counts the lines of functions.

use anyhow::Result;

use super::{
    Rule,
    exceptions::{self, Lines},
    house::House,
};

pub(super) const RULE: Rule =
    Rule { name: "file sizes", remedy: "split the file where it turns to another matter", check };

const LIMIT: usize = 400;

fn check(house: &House) -> Result<Vec<String>> {
    let mut measured = Lines::new();
    for file in house.rust_files() {
        measured.insert(file.to_owned(), lines_without_tests(&house.text(file)?));
    }
    exceptions::check(house, "file-sizes.txt", LIMIT, &measured)
}

/// `rustfmt` closes a module of the file with a brace at the line's begin, and nothing before it.
fn lines_without_tests(text: &str) -> usize {
    let mut lines = text.lines().peekable();
    let mut count = 0;
    while let Some(line) = lines.next() {
        let opens_tests =
            line == "#[cfg(test)]" && lines.peek().is_some_and(|next| next.starts_with("mod ") && next.ends_with('{'));
        if opens_tests {
            lines.by_ref().find(|line| *line == "}");
        } else {
            count += 1;
        }
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tests_are_not_counted_and_what_follows_them_is() {
        let text = "one\n\n#[cfg(test)]\nmod tests {\n    fn two() {\n    }\n}\nfour\n";
        assert_eq!(lines_without_tests(text), 3);
        assert_eq!(lines_without_tests("one\n#[cfg(test)]\nmod tests;\n"), 3);
        assert_eq!(lines_without_tests("#[cfg(test)]\nuse a::b;\nthree\n"), 3);
    }
}
