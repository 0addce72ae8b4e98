//! Issuing a code to a client whose user has been proved. Whoever proved the user writes it, in the transaction of that proof.

use std::time::Duration;

use countersign_crypto::{
    authorization_code::{CodeHash, generate},
    secret::SecretText,
};
use countersign_domain::{
    clock::Timestamp,
    id::{SessionId, UserId},
    oauth::code::AuthorizationCode,
    proof::Proof,
};
use countersign_storage::authorization_codes::NewAuthorizationCode;

use super::authorization::AuthorizationRequest;
use crate::{Service, directory::ProjectView};

/// How long a code is good: long enough for a redirect and a call.
pub const CODE_LIFETIME: Duration = Duration::from_mins(1);

/// A code that is to be issued.
pub struct CodeDraft {
    /// The code itself, for the client's eyes only.
    pub code: SecretText,
    /// What `authorization_codes::insert` writes.
    pub row: NewAuthorizationCode,
}

impl Service {
    /// Draws up a code for a request whose user was proved.
    pub fn draft_code(
        &self,
        project: &ProjectView,
        request: &AuthorizationRequest,
        user: UserId,
        proof: Proof,
        now: Timestamp,
    ) -> CodeDraft {
        let text = generate(&self.entropy);
        let code = AuthorizationCode {
            client: request.client.clone(),
            user,
            session: SessionId::new(now, self.entropy.bytes()),
            redirect_uri: request.redirect_uri.clone(),
            has_redirect_uri_param: request.has_redirect_uri_param,
            scope: request.scope.to_string(),
            nonce: request.nonce.clone(),
            code_challenge: request.code_challenge.clone(),
            dpop_jkt: request.dpop_jkt,
            proof,
            // The user's counter is read in the transaction.
            generations: project.generations(0, &request.client, None),
            created_at: now,
            expires_at: now.plus(CODE_LIFETIME),
        };
        #[expect(clippy::expect_used, reason = "a code that was just made is one")]
        let hash = CodeHash::of(text.danger_expose()).expect("a code of ours has a hash");
        CodeDraft {
            code: text,
            row: NewAuthorizationCode { project: project.project.id.clone(), hash, code, as_of: None },
        }
    }
}
