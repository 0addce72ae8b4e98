//! A secret key.

use countersign_domain::key::KeyRefusal;

use super::{Case, Code, Findings, publishable_key::bare};
use crate::{
    Service,
    proof::{client_call::Flaw, secret_key::NotABackend},
};

impl Service {
    /// Whether the holder of a secret key is let in. How often the key may be used isn't asked.
    pub(super) fn explain_secret_key(&self, case: &Case<'_>, shown: &str, findings: &mut Findings) {
        let Some((project, id)) = self.find_secret_key(shown) else {
            let is_wrapped = bare(shown) != shown && self.find_secret_key(bare(shown)).is_some();
            findings.note_all(is_wrapped.then_some(Code::SecretKeySpelling));
            return findings.refuse(Code::SecretKeyUnknown);
        };
        if project.project.id != case.project.project.id {
            findings.note(Code::SecretKeyOtherProject);
            return findings.refuse(Flaw::OtherProject);
        }
        let Some(key) = project.secret_key(id) else { return findings.refuse(Code::SecretKeyUnknown) };
        let refusal = match self.check_standing(key, &project, &case.caller()) {
            // From where the call came isn't known here.
            Ok(()) | Err(NotABackend::Unusable(KeyRefusal::ForeignNetwork)) => None,
            Err(NotABackend::FromBrowser) => Some(Code::SecretKeyFromBrowser),
            Err(NotABackend::Unusable(KeyRefusal::Revoked)) => Some(Code::SecretKeyRevoked),
            Err(NotABackend::Unusable(KeyRefusal::Expired)) => Some(Code::SecretKeyExpired),
            Err(NotABackend::ProjectClosed) => Some(Code::ProjectClosed),
            Err(_) => Some(Code::SecretKeyUnknown),
        };
        match refusal {
            Some(code) => findings.refuse(code.adding(format!("It is {id}."))),
            None => findings.note(Code::SecretKey.adding(format!("It is {id}."))),
        }
        findings.note_all((!key.scope.networks.is_empty()).then_some(Code::SecretKeyNetworks));
        self.explain_agreement(case, findings);
    }
}
