//! A relative link in a document points at a file that is there.

use std::collections::BTreeSet;

use anyhow::Result;
use pulldown_cmark::{Event, Parser, Tag};

use super::{
    Rule,
    house::{House, has_extension},
};

pub(super) const RULE: Rule =
    Rule { name: "links", remedy: "point the link at a file that is in Git, from the document's own folder", check };

fn check(house: &House) -> Result<Vec<String>> {
    let mut problems = Vec::new();
    for document in house.files.iter().filter(|file| has_extension(file, "md")) {
        let text = house.text(document)?;
        for (line, link) in relative_links(&text) {
            if !target(document, &link).is_some_and(|target| is_there(&house.files, &target)) {
                problems.push(format!("{document}:{line}: there is no {link}"));
            }
        }
    }
    Ok(problems)
}

/// Links and images without a scheme, and the lines on which they stand. Those within the document are left out.
fn relative_links(text: &str) -> Vec<(usize, String)> {
    let mut links = Vec::new();
    for (event, range) in Parser::new(text).into_offset_iter() {
        let Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) = event else {
            continue;
        };
        if !has_scheme(&dest_url) && !dest_url.starts_with('#') {
            let line = text[..range.start].matches('\n').count() + 1;
            links.push((line, dest_url.into_string()));
        }
    }
    links
}

fn has_scheme(link: &str) -> bool {
    let scheme = link.split_once(':').map(|(scheme, _)| scheme);
    scheme.is_some_and(|it| it.chars().all(|it| it.is_ascii_alphanumeric() || "+-.".contains(it)))
}

/// Where a link leads, from the project's folder. None: out of it.
fn target(document: &str, link: &str) -> Option<String> {
    let path = link.split(['#', '?']).next().unwrap_or_default();
    let (mut parts, path): (Vec<&str>, &str) = match path.strip_prefix('/') {
        Some(from_root) => (Vec::new(), from_root),
        None => (document.split('/').collect(), path),
    };
    parts.pop();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            name => parts.push(name),
        }
    }
    Some(parts.join("/"))
}

/// A file, or a folder that holds one.
fn is_there(files: &BTreeSet<String>, target: &str) -> bool {
    let folder = if target.is_empty() { String::new() } else { format!("{target}/") };
    files.contains(target) || files.range(folder.clone()..).next().is_some_and(|file| file.starts_with(&folder))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_links_that_stay_in_the_project_are_followed() {
        let text = "# Title\n\n[a](b.md) and ![c](d.png \"e\"), [f][g]\n[h](https://i.example/j) [k](mailto:l@m.example)\n\
                    [n](#title) `[o](p.md)`\n\n```\n[q](r.md)\n```\n\n[g]: ../s.md#t\n";
        let expected = [(3, "b.md"), (3, "d.png"), (3, "../s.md#t")];
        assert_eq!(relative_links(text), expected.map(|(line, link)| (line, link.to_owned())));
    }

    #[test]
    fn a_link_leads_from_its_documents_folder() {
        assert_eq!(target("docs/adr/1.md", "../how-to/./a.md#b").as_deref(), Some("docs/how-to/a.md"));
        assert_eq!(target("docs/adr/1.md", "/README.md").as_deref(), Some("README.md"));
        assert_eq!(target("README.md", "docs/").as_deref(), Some("docs"));
        assert_eq!(target("README.md", "../elsewhere.md"), None);
    }

    #[test]
    fn files_and_folders_are_there() {
        let files = BTreeSet::from(["docs-old.md", "docs/a.md", "z.md"].map(str::to_owned));
        for there in ["docs", "docs/a.md", "z.md", ""] {
            assert!(is_there(&files, there), "{there}");
        }
        for missing in ["doc", "docs/b.md", "docs/a", "zz"] {
            assert!(!is_there(&files, missing), "{missing}");
        }
    }
}
