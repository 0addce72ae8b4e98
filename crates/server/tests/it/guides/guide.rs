//! The texts of the guides, which aren't ours to publish, and their listings.

use std::path::{Path, PathBuf};

use super::mend::Mend;

/// The variable that names the folder of the guides.
const GUIDES: &str = "COUNTERSIGN_GUIDES";

const HUMA: &str = "huma-client-integration-guide.md";
const PROFICIENT: &str = "proficient-authentication.md";
const HAWCX: &str = "hawcx-python-integration.md";

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
    /// Any backend in Python reads its environment.
    Environment,
    /// The endpoint that takes a code, with Flask.
    FlaskCallback,
    /// The same, with Django.
    DjangoCallback,
    /// The same, with `FastAPI`.
    FastApiCallback,
    /// Any backend in Python keeps its users.
    UserService,
    /// What lets only those in who have a session token, with Flask.
    FlaskGuard,
    /// The same, with `FastAPI`.
    FastApiGuard,
    /// The same, with Django.
    DjangoGuard,
    /// What changes second factors by the published client.
    MfaService,
    /// The endpoints that stand on it, with Flask.
    MfaEndpoints,
    /// What the client's errors come to.
    ErrorHandler,
    /// All of it in one file, with Flask.
    FlaskApp,
}

impl Place {
    const ALL: [Self; 18] = [
        Self::PythonEndpoint,
        Self::GoEndpoint,
        Self::PythonClient,
        Self::JavaScriptClient,
        Self::CurlCall,
        Self::ExpressServer,
        Self::Environment,
        Self::FlaskCallback,
        Self::DjangoCallback,
        Self::FastApiCallback,
        Self::UserService,
        Self::FlaskGuard,
        Self::FastApiGuard,
        Self::DjangoGuard,
        Self::MfaService,
        Self::MfaEndpoints,
        Self::ErrorHandler,
        Self::FlaskApp,
    ];

    /// In which guide it stands, how it is marked there, and how many of that mark stand before it.
    fn mark(self) -> (&'static str, &'static str, usize) {
        match self {
            Self::PythonEndpoint => (HUMA, "py", 0),
            Self::PythonClient => (HUMA, "py", 1),
            Self::GoEndpoint => (HUMA, "go", 0),
            Self::JavaScriptClient => (HUMA, "js", 0),
            Self::CurlCall => (PROFICIENT, "bash cURL theme={null}", 0),
            Self::ExpressServer => (PROFICIENT, "ts server.ts theme={null}", 0),
            Self::Environment => (HAWCX, "Step 2.2", 0),
            Self::FlaskCallback => (HAWCX, "Step 3.1", 0),
            Self::DjangoCallback => (HAWCX, "Step 3.2", 0),
            Self::FastApiCallback => (HAWCX, "Step 3.3", 0),
            Self::UserService => (HAWCX, "Step 4.1", 0),
            Self::FlaskGuard => (HAWCX, "Step 5.1", 0),
            Self::FastApiGuard => (HAWCX, "Step 5.2", 0),
            Self::DjangoGuard => (HAWCX, "Step 5.3", 0),
            Self::MfaService => (HAWCX, "Step 6.1", 0),
            Self::MfaEndpoints => (HAWCX, "Step 6.2", 0),
            Self::ErrorHandler => (HAWCX, "Step 7.1", 0),
            Self::FlaskApp => (HAWCX, "Complete Example.1", 0),
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
        let mut marked = self.listings().into_iter().filter(|(its, _)| its == mark);
        let (_, text) = marked.nth(before).unwrap_or_else(|| panic!("the guide has no such listing: {place:?}"));
        text
    }

    /// Each listing: how it is marked, and its text.
    fn listings(&self) -> Vec<(String, String)> {
        if self.0.contains("```") { self.fenced() } else { self.unfenced() }
    }

    /// Each fenced block.
    fn fenced(&self) -> Vec<(String, String)> {
        // Outside, inside, outside, …
        let inside = self.0.split("```").skip(1).step_by(2);
        let halves = inside.map(|block| block.split_once('\n').expect("a fence ends its line"));
        halves.map(|(mark, text)| (mark.to_owned(), text.to_owned())).collect()
    }

    /// Of a guide whose fences were lost: what follows the name of a framework, or a line of prose that announces it. Marked by its chapter, and
    /// which listing of that it is.
    fn unfenced(&self) -> Vec<(String, String)> {
        let (mut chapter, mut number, mut found) = ("", 0, Vec::new());
        let mut inside = false;
        for line in self.0.lines() {
            let step = line.strip_prefix("Step ").and_then(|_| line.split(':').next());
            let heading = step.or_else(|| ["Complete Example", "Next Steps"].into_iter().find(|it| *it == line));
            let announces = line.ends_with(':') && line.contains(' ') && line.starts_with(|c: char| c.is_uppercase());
            if let Some(heading) = heading {
                (chapter, number, inside) = (heading, 0, false);
            } else if !chapter.is_empty() && (announces || ["Flask", "Django", "FastAPI"].contains(&line)) {
                (number, inside) = (number + 1, true);
                found.push((format!("{chapter}.{number}"), String::new()));
            } else if let Some((_, text)) = found.last_mut().filter(|_| inside) {
                text.push_str(line);
                text.push('\n');
            }
        }
        found
    }
}

/// The listings of a guide that aren't run are these.
#[track_caller]
fn all_others_are_run(guide: &Guide, name: &str, not_run: &[&'static str]) {
    let run = Place::ALL.map(Place::mark).into_iter().filter(|(of, ..)| *of == name).map(|(_, mark, _)| mark);
    let mut known: Vec<String> = run.chain(not_run.iter().copied()).map(str::to_owned).collect();
    let mut found: Vec<String> = guide.listings().into_iter().map(|(mark, _)| mark).collect();
    known.sort_unstable();
    found.sort_unstable();
    assert_eq!(found, known, "the guide has other listings than we know");
}

#[test]
fn every_listing_of_the_first_guide_is_run_but_for_one_call_into_each_sdk() {
    let guide = Guide::in_folder(&folder(), HUMA);
    let not_run = ["java", "swift"];
    all_others_are_run(&guide, HUMA, &not_run);
    for (mark, text) in guide.listings().into_iter().filter(|(mark, _)| not_run.contains(&&**mark)) {
        let code = text.lines().filter(|line| !line.trim_start().starts_with("//")).count();
        assert_eq!(code, 1, "the guide's {mark} does more than hand over the tokens");
    }
}

#[test]
fn every_listing_of_the_second_guide_is_run_but_for_a_component_that_is_no_longer_published() {
    all_others_are_run(&Guide::in_folder(&folder(), PROFICIENT), PROFICIENT, &["tsx App.tsx theme={null}"]);
}

#[test]
fn every_listing_of_the_third_guide_is_run_but_for_the_names_of_variables() {
    // `dev.env` has those.
    all_others_are_run(&Guide::in_folder(&folder(), HAWCX), HAWCX, &["Step 2.1"]);
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
