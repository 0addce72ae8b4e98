//! The texts of the guides, which aren't ours to publish, and their listings.

use std::path::{Path, PathBuf};

use super::mend::Mend;

/// The variable that names the folder of the guides.
const GUIDES: &str = "COUNTERSIGN_GUIDES";

const HUMA: &str = "huma-client-integration-guide.md";
const PROFICIENT: &str = "proficient-authentication.md";

/// A guide.
pub(super) struct Guide(String);

/// A listing that a test runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// The customer's endpoint, with Flask.
    PythonEndpoint,
    /// The customer's endpoint, with Gin.
    GoEndpoint,
    /// What calls the endpoint, in Python.
    PythonClient,
    /// What calls the endpoint, in JavaScript.
    JavaScriptClient,
    /// A call of the client API, by cURL.
    CurlCall,
    /// The customer's backend that proves users, with Express.
    ExpressServer,
}

impl Place {
    const ALL: [Self; 6] = [
        Self::PythonEndpoint,
        Self::GoEndpoint,
        Self::PythonClient,
        Self::JavaScriptClient,
        Self::CurlCall,
        Self::ExpressServer,
    ];

    /// In which guide it stands, how its fence is marked there, and how many of that mark stand before it.
    fn mark(self) -> (&'static str, &'static str, usize) {
        match self {
            Self::PythonEndpoint => (HUMA, "py", 0),
            Self::PythonClient => (HUMA, "py", 1),
            Self::GoEndpoint => (HUMA, "go", 0),
            Self::JavaScriptClient => (HUMA, "js", 0),
            Self::CurlCall => (PROFICIENT, "bash cURL theme={null}", 0),
            Self::ExpressServer => (PROFICIENT, "ts server.ts theme={null}", 0),
        }
    }
}

/// A listing with its mends: a program that runs.
pub(super) fn listing(place: Place, mends: &[Mend<'_>]) -> String {
    let guide = Guide::in_folder(&folder(), place.mark().0);
    mends.iter().fold(guide.listing(place), |text, mend| mend.apply(&text))
}

/// Where the guides are.
fn folder() -> PathBuf {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    #[expect(clippy::disallowed_methods, reason = "the contract says that the environment names the guides")]
    let named = std::env::var(GUIDES).unwrap_or_else(|_| "../shared/seeds".to_owned());
    top.join(named)
}

impl Guide {
    #[track_caller]
    fn in_folder(folder: &Path, name: &str) -> Self {
        let file = folder.join(name);
        let text = std::fs::read_to_string(&file).unwrap_or_else(|problem| {
            let file = file.display();
            panic!(
                "can't read {file}: {problem}. {GUIDES} names the folder of the guides; --without guides does without"
            )
        });
        Self(text)
    }

    #[track_caller]
    fn listing(&self, place: Place) -> String {
        let (_, mark, before) = place.mark();
        let mut marked = self.listings().filter(|(its, _)| *its == mark);
        let (_, text) = marked.nth(before).unwrap_or_else(|| panic!("the guide has no such listing: {place:?}"));
        text.to_owned()
    }

    /// Each fenced block: how it is marked, and its text.
    fn listings(&self) -> impl Iterator<Item = (&str, &str)> {
        // Outside, inside, outside, …
        let inside = self.0.split("```").skip(1).step_by(2);
        inside.map(|block| block.split_once('\n').expect("a fence ends its line"))
    }
}

/// The listings of a guide that aren't run are these.
#[track_caller]
fn all_others_are_run(guide: &Guide, name: &str, not_run: &[&'static str]) {
    let run = Place::ALL.map(Place::mark).into_iter().filter(|(of, ..)| *of == name).map(|(_, mark, _)| mark);
    let mut known: Vec<&str> = run.chain(not_run.iter().copied()).collect();
    let mut found: Vec<&str> = guide.listings().map(|(mark, _)| mark).collect();
    known.sort_unstable();
    found.sort_unstable();
    assert_eq!(found, known, "the guide has other listings than we know");
}

#[test]
fn every_listing_of_the_first_guide_is_run_but_for_one_call_into_each_sdk() {
    let guide = Guide::in_folder(&folder(), HUMA);
    let not_run = ["java", "swift"];
    all_others_are_run(&guide, HUMA, &not_run);
    for (mark, text) in guide.listings().filter(|(mark, _)| not_run.contains(mark)) {
        let code = text.lines().filter(|line| !line.trim_start().starts_with("//")).count();
        assert_eq!(code, 1, "the guide's {mark} does more than hand over the tokens");
    }
}

#[test]
fn every_listing_of_the_second_guide_is_run_but_for_a_component_that_is_no_longer_published() {
    all_others_are_run(&Guide::in_folder(&folder(), PROFICIENT), PROFICIENT, &["tsx App.tsx theme={null}"]);
}

#[test]
#[should_panic(expected = "COUNTERSIGN_GUIDES names the folder of the guides")]
fn a_missing_guide_is_a_failure_that_names_the_variable() {
    Guide::in_folder(Path::new("no/such/folder"), HUMA);
}

#[test]
#[should_panic(expected = "this mend no longer applies: the secret key")]
fn a_mend_that_no_longer_applies_is_a_failure() {
    listing(Place::GoEndpoint, &[Mend::Key("sk_1"), Mend::Key("sk_2")]);
}
