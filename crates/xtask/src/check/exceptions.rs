//! Lists of what may be larger than the rule says. They only shrink.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail};
use xshell::cmd;

use super::house::House;

/// How many lines a thing has, or may have.
pub(super) type Lines = BTreeMap<String, usize>;

/// What breaks a limit, and every entry of the list that isn't needed as it is.
pub(super) fn check(house: &House, list: &str, limit: usize, measured: &Lines) -> Result<Vec<String>> {
    let path = format!("crates/xtask/exceptions/{list}");
    let excepted = parse(&house.text(&path)?).with_context(|| path.clone())?;
    let mut problems = judge(limit, measured, &excepted);
    if let Some(before) = on_main(house, &path)? {
        problems.extend(growth(&parse(&before)?, &excepted));
    }
    Ok(problems)
}

/// The list as it was where this branch left `main`. None in a clone that has no `main`, or before there was a list.
fn on_main(house: &House, path: &str) -> Result<Option<String>> {
    let sh = &house.sh;
    let base = |main| cmd!(sh, "git merge-base HEAD {main}").quiet().ignore_stderr().read().ok();
    let Some(base) = ["main", "origin/main"].into_iter().find_map(base) else { return Ok(None) };
    let was_there = !cmd!(sh, "git ls-tree --name-only {base} {path}").quiet().read()?.is_empty();
    Ok(if was_there { Some(cmd!(sh, "git show {base}:{path}").quiet().read()?) } else { None })
}

fn parse(list: &str) -> Result<Lines> {
    let mut excepted = Lines::new();
    for line in list.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let mut words = line.split_whitespace();
        let (Some(what), Some(lines), Some(_reason)) = (words.next(), words.next(), words.next()) else {
            bail!("`{line}`: an entry is a path, a number and a reason");
        };
        let lines = lines.parse().with_context(|| format!("`{line}`: the second word is a number of lines"))?;
        excepted.insert(what.to_owned(), lines);
    }
    Ok(excepted)
}

fn judge(limit: usize, measured: &Lines, excepted: &Lines) -> Vec<String> {
    let mut problems = Vec::new();
    for (what, &lines) in measured {
        let allowed = excepted.get(what).map_or(limit, |&it| it.max(limit));
        if lines > allowed {
            problems.push(format!("{what}: {lines} lines, at most {allowed}"));
        }
    }
    for (what, &allowed) in excepted {
        let lines = measured.get(what).copied().unwrap_or(0);
        if lines <= limit {
            problems.push(format!("{what}: needs no exception any more, take it off the list"));
        } else if lines < allowed {
            problems.push(format!("{what}: {lines} lines, the exception of {allowed} can be lowered"));
        }
    }
    problems
}

fn growth(before: &Lines, now: &Lines) -> Vec<String> {
    let grown = |(what, lines): (&String, &usize)| match before.get(what) {
        None => Some(format!("{what}: a new exception")),
        Some(before) if lines > before => Some(format!("{what}: its exception was raised from {before} to {lines}")),
        Some(_) => None,
    };
    now.iter().filter_map(grown).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines<const N: usize>(of: [(&str, usize); N]) -> Lines {
        of.map(|(what, lines)| (what.to_owned(), lines)).into()
    }

    #[test]
    fn what_keeps_the_limit_or_is_exactly_excepted_is_fine() {
        assert_eq!(judge(400, &lines([("a.rs", 400), ("b.rs", 412)]), &lines([("b.rs", 412)])), [""; 0]);
    }

    #[test]
    fn too_long_is_too_long_with_and_without_an_exception() {
        assert_eq!(
            judge(400, &lines([("a.rs", 401), ("b.rs", 413)]), &lines([("b.rs", 412)])),
            ["a.rs: 401 lines, at most 400", "b.rs: 413 lines, at most 412"]
        );
    }

    #[test]
    fn an_exception_ends_with_its_need() {
        assert_eq!(
            judge(
                400,
                &lines([("a.rs", 400), ("b.rs", 411)]),
                &lines([("a.rs", 405), ("b.rs", 412), ("gone.rs", 500)])
            ),
            [
                "a.rs: needs no exception any more, take it off the list",
                "b.rs: 411 lines, the exception of 412 can be lowered",
                "gone.rs: needs no exception any more, take it off the list",
            ]
        );
    }

    #[test]
    fn the_list_only_shrinks() {
        let before = lines([("a.rs", 450), ("b.rs", 412)]);
        assert_eq!(growth(&before, &lines([("a.rs", 449)])), [""; 0]);
        assert_eq!(
            growth(&before, &lines([("a.rs", 451), ("c.rs", 401)])),
            ["a.rs: its exception was raised from 450 to 451", "c.rs: a new exception"]
        );
    }

    #[test]
    fn every_entry_has_a_reason() {
        assert_eq!(parse("# a comment\n\na.rs 412 one table\n").unwrap(), lines([("a.rs", 412)]));
        assert!(parse("a.rs 412").is_err());
        assert!(parse("a.rs long because").is_err());
    }
}
