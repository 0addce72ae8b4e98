//! The short way: what a redemption decides within the transaction that it shares with others.

use std::sync::Arc;

use countersign_crypto::{authorization_code::CodeHash, pkce::CodeChallenge};
use countersign_domain::{
    clock::Timestamp,
    id::ClientId,
    oauth::{
        code::{AuthorizationCode, CodeRefused, Redeemer},
        form::Form,
        registration::PkcePolicy,
    },
    proof::{Level, Proof},
    session::Session,
    thumbprint::Thumbprint,
};
use countersign_storage::{authorization_codes::FoundCode, hot::Redemption, sessions::NewSession};

use super::{Shown, longest, spend};
use crate::{
    Service,
    caller::Caller,
    directory::ProjectView,
    proof::possession::Possession,
    session::{draft::Terms, room::has_room, write::Writing},
};

/// One use of a code: all that is needed to judge it, whatever the row turns out to say.
pub(super) struct Redeeming {
    pub(super) writing: Writing,
    client: ClientId,
    hash: CodeHash,
    redirect_uri: Option<String>,
    verifier: Option<String>,
    pkce: PkcePolicy,
    key: Option<Thumbprint>,
    now: Timestamp,
}

impl Service {
    pub(super) fn redeeming(
        &self,
        project: &Arc<ProjectView>,
        shown: &Shown<'_>,
        form: &Form,
        key: Option<Possession>,
        caller: &Caller,
    ) -> Redeeming {
        let now = self.now();
        let key = key.map(|possession| possession.key);
        // How the user was proved the code will say.
        let proof = Proof { methods: Vec::new(), level: Level::OneFactor, at: now };
        let terms = Terms { vouched_by: None, device: None, dpop_jkt: key, proof, longest: longest(shown.client) };
        let text = |name| form.text(name).map(str::to_owned);
        Redeeming {
            writing: self.writing(project, shown.client, terms, caller, now),
            client: shown.client.client.id.clone(),
            hash: shown.hash,
            redirect_uri: text("redirect_uri"),
            verifier: text("code_verifier"),
            pkce: shown.client.settings.oauth_pkce,
            key,
            now,
        }
    }
}

impl Redeeming {
    /// The visible list of what a code must pass, and the session that it opens.
    pub(super) fn weigh(&self, found: &FoundCode) -> Result<Session, CodeRefused> {
        let code = &found.code;
        code.is_for(&self.client)?;
        if found.is_used {
            return Err(CodeRefused::Used);
        }
        let redeemer = Redeemer { client: &self.client, redirect_uri: self.redirect_uri.as_deref(), key: self.key };
        code.check(&redeemer, self.now)?;
        self.check_verifier(code)?;
        let generation = found.user_generation.ok_or(CodeRefused::Revoked)?;
        let mut session = self.writing.draft.of(code.user, generation);
        if code.generations.overtaken_by(session.generations).is_some() {
            return Err(CodeRefused::Revoked);
        }
        session.id = code.session;
        session.scope.clone_from(&code.scope);
        session.proof = code.proof.clone();
        Ok(session)
    }

    /// Is a new row all there is to do?
    pub(super) fn decide(&self, found: &FoundCode) -> Option<Redemption> {
        let session = self.weigh(found).ok()?;
        if self.key.is_some() || !has_room(found.sessions, self.writing.cap) {
            return None;
        }
        let spend = spend(self.hash, &found.code);
        let audit = self.writing.opened(&session);
        let session = NewSession { session, secret_hash: self.writing.draft.secret.hash() };
        Some(Redemption { spend, session, audit })
    }

    /// A verifier for a code that was issued without a challenge is refused, too: somebody took the challenge out of the request (RFC 9700
    /// §2.1.1).
    fn check_verifier(&self, code: &AuthorizationCode) -> Result<(), CodeRefused> {
        let is_right = match (&code.code_challenge, self.verifier.as_deref()) {
            (Some(challenge), Some(verifier)) => {
                CodeChallenge::parse(challenge).is_some_and(|challenge| challenge.matches(verifier))
            }
            (None, None) => self.pkce == PkcePolicy::NonceOrPkce,
            (Some(_), None) | (None, Some(_)) => false,
        };
        if is_right { Ok(()) } else { Err(CodeRefused::OtherVerifier) }
    }
}
