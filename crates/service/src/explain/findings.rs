//! What was found so far.

use super::{Explanation, Reason, Verdict};

#[derive(Default)]
pub(super) struct Findings {
    is_refused: bool,
    reasons: Vec<Reason>,
}

impl Findings {
    /// The call can't be accepted, for this reason.
    pub(super) fn refuse(&mut self, reason: impl Into<Reason>) {
        self.is_refused = true;
        self.note(reason);
    }

    pub(super) fn is_refused(&self) -> bool {
        self.is_refused
    }

    /// Something to know, which by itself refuses nothing. Said once.
    pub(super) fn note(&mut self, reason: impl Into<Reason>) {
        let reason = reason.into();
        if !self.reasons.contains(&reason) {
            self.reasons.push(reason);
        }
    }

    /// The same, of several things.
    pub(super) fn note_all(&mut self, reasons: impl IntoIterator<Item: Into<Reason>>) {
        for reason in reasons {
            self.note(reason);
        }
    }
}

impl From<Findings> for Explanation {
    fn from(findings: Findings) -> Self {
        let verdict = if findings.is_refused { Verdict::Refused } else { Verdict::Accepted };
        Self { verdict, reasons: findings.reasons }
    }
}
