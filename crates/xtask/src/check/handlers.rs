//! A handler extracts, calls one use case and shapes the answer: that is short.

use anyhow::Result;

use super::{
    Rule,
    exceptions::{self, Lines},
    house::House,
};

pub(super) const RULE: Rule = Rule {
    name: "handler sizes",
    remedy: "leave to the handler the translation, and move the act to `service`",
    check,
};

const LIMIT: usize = 30;

const DOORS: &str = "crates/http/src/";

/// What serves all doors. Every other folder is a door, and what a door's file offers is a handler.
const NO_DOORS: &[&str] = &["error", "extract", "layer"];

fn check(house: &House) -> Result<Vec<String>> {
    let mut measured = Lines::new();
    for file in house.rust_files().filter(|file| is_of_a_door(file)) {
        for (name, lines) in functions_offered(&house.text(file)?) {
            measured.insert(format!("{file}::{name}"), lines);
        }
    }
    exceptions::check(house, "handler-sizes.txt", LIMIT, &measured)
}

fn is_of_a_door(file: &str) -> bool {
    let folder = file.strip_prefix(DOORS).and_then(|rest| rest.split_once('/'));
    folder.is_some_and(|(folder, _)| !NO_DOORS.contains(&folder))
}

/// Functions that other files can call, and the lines of their bodies that hold code. It leans on `rustfmt`: an item starts at the line's
/// begin, the body opens with the first line that ends in a brace, and closes with a brace at the line's begin.
fn functions_offered(text: &str) -> Vec<(String, usize)> {
    let lines: Vec<&str> = text.lines().collect();
    let offered = lines.iter().enumerate().filter_map(|(at, line)| Some((at, name_of_offered(line)?)));
    offered.map(|(at, name)| (name.to_owned(), body_lines(&lines[at..]))).collect()
}

fn name_of_offered(line: &str) -> Option<&str> {
    let (visibility, rest) = line.split_once(' ')?;
    let rest = rest.strip_prefix("async ").unwrap_or(rest).strip_prefix("fn ")?;
    visibility.starts_with("pub").then(|| rest.split(['(', '<']).next())?
}

fn body_lines(item: &[&str]) -> usize {
    if item[0].ends_with('}') {
        return 0;
    }
    let body = item.iter().skip_while(|line| !line.ends_with('{')).skip(1).take_while(|line| **line != "}");
    body.filter(|line| !line.trim().is_empty() && !line.trim_start().starts_with("//")).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_doors_are_all_folders_but_those_that_serve_them() {
        assert!(is_of_a_door("crates/http/src/vouch/sign_in.rs"));
        assert!(is_of_a_door("crates/http/src/admin/users/lock.rs"));
        assert!(!is_of_a_door("crates/http/src/extract/body.rs"));
        assert!(!is_of_a_door("crates/http/src/router.rs"));
        assert!(!is_of_a_door("crates/service/src/session/end.rs"));
    }

    #[test]
    fn code_lines_of_the_body_are_counted() {
        let text = "\
#[utoipa::path(post)]
pub(crate) async fn handle(
    State(app): State<App>,
    Named { uid }: Named,
) -> Result<Json<A>, Failure> {
    let a = app.b();

    // RFC 1
    match a {
        C => {
            d();
        }
    }
}

pub(crate) fn generic<T>(a: T) -> B
where
    T: C,
{
    a.b()
}

pub async fn one_line(State(app): State<App>) -> A {
    app.a()
}

pub(crate) fn empty() {}

fn private() {
    a();
}
";
        let counted = functions_offered(text);
        let expected = [("handle", 6), ("generic", 1), ("one_line", 1), ("empty", 0)];
        assert_eq!(counted, expected.map(|(name, lines)| (name.to_owned(), lines)));
    }
}
