//! The key that names the project.

use countersign_domain::client_api_key::ClientApiKey;

use super::{Case, Code, Findings, Header, Reason, repeated};
use crate::{
    Service,
    directory::Directory,
    proof::client_call::{Flaw, Shown},
};

/// A text that names no project of this server.
struct Unknown<'a> {
    case: &'a Case<'a>,
    directory: &'a Directory,
    text: &'a str,
}

type Test = fn(&Unknown<'_>) -> bool;

/// What people send for a publishable key. The first that is so is told.
const MISTAKES: &[(Code, Test)] = &[
    (Code::KeyIsSecretKey, |it| it.bare().starts_with("sk_")),
    (Code::KeyIsHmacSecret, |it| it.bare().starts_with("hsec_")),
    (Code::KeyWhitespace, |it| it.bare() != it.text && it.is_key(it.bare())),
    (Code::HeaderJoined, |it| it.text.contains(',') && it.text.split(',').any(|part| it.is_key(part.trim()))),
    (Code::KeyOtherCase, |it| it.has_own_key(|key| key.eq_ignore_ascii_case(it.bare()))),
    (Code::KeyCutOff, |it| it.has_own_key(|key| is_part(it.bare(), key) || is_part(key, it.bare()))),
];

/// Fewer characters than these say nothing: all keys begin with `pk_`.
const TELLING: usize = 8;

fn is_part(part: &str, whole: &str) -> bool {
    part.len() >= TELLING && part.len() < whole.len() && (whole.starts_with(part) || whole.ends_with(part))
}

impl Unknown<'_> {
    fn bare(&self) -> &str {
        bare(self.text)
    }

    fn is_key(&self, text: &str) -> bool {
        self.directory.publishable_key(text).is_some()
    }

    fn has_own_key(&self, is_it: impl Fn(&str) -> bool) -> bool {
        self.case.project.publishable_keys().any(|(key, _)| is_it(&key))
    }
}

/// A text without the white space and quotes that stand around it.
pub(super) fn bare(text: &str) -> &str {
    text.trim_matches(|c: char| c.is_whitespace() || c.is_control() || matches!(c, '"' | '\'' | '`'))
}

impl Service {
    /// Why the call doesn't name the project, if it doesn't.
    pub(super) fn explain_publishable_key(&self, case: &Case<'_>, findings: &mut Findings) {
        let shown = case.call.client.publishable_key;
        let Err(flaw) = self.client_project(&case.address, shown) else { return };
        match shown {
            Shown::Repeated => return findings.refuse(repeated(Header::ApiKey)),
            Shown::Absent if case.is_misspelt(Header::ApiKey) => findings.note(Code::HeaderMisspelt),
            Shown::Absent => {}
            Shown::Once(bytes) => {
                let text = std::str::from_utf8(bytes).unwrap_or_default();
                return self.about_key(case, flaw, text, findings);
            }
        }
        findings.refuse(flaw);
    }

    fn about_key(&self, case: &Case<'_>, flaw: Flaw, text: &str, findings: &mut Findings) {
        let directory = self.directory.load();
        let Some((project, id)) = directory.publishable_key(text) else {
            let unknown = Unknown { case, directory: &directory, text };
            findings.note_all(MISTAKES.iter().find(|(_, is_it)| is_it(&unknown)).map(|(code, _)| *code));
            return findings.refuse(flaw);
        };
        if project.project.id != case.project.project.id {
            findings.note(Code::KeyOtherProject);
            return findings.refuse(Flaw::OtherProject);
        }
        match project.publishable_key(id) {
            Some(key) if flaw == Flaw::KeyEnded => findings.refuse(ended(key)),
            _ => {
                findings.note(Code::HostOtherProject);
                findings.refuse(flaw);
            }
        }
    }
}

fn ended(key: &ClientApiKey) -> Reason {
    let how = if key.revoked_at.is_some() { "was revoked" } else { "is past its time" };
    Code::KeyEnded.adding(format!("It is {}, which {how}.", key.id))
}
