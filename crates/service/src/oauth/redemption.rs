//! Redeeming a code: once, by its client, for what it was issued for. The session that it opens, and that it was used, are one transaction.
//!
//! A code that comes twice was seen by somebody who shouldn't have seen it. Nobody can tell which of the two is the thief, so what the first
//! one got is taken back (RFC 6749 §4.1.2). That goes for two who come at the same moment, too: whoever loses the race ends the winner's session.

use std::sync::Arc;

use countersign_crypto::{authorization_code::CodeHash, pkce::CodeChallenge};
use countersign_domain::{
    audit::{Act, Actor},
    oauth::{
        code::{AuthorizationCode, CodeRefused, Redeemer},
        form::Form,
        registration::{GrantType, PkcePolicy},
        scope::Scopes,
    },
    session::EndReason,
    thumbprint::Thumbprint,
};
use countersign_storage::{
    authorization_codes::{self, SPENT_AS, StoredCode},
    sessions, spent,
};

use super::{
    token::{GrantRefused, TokenAnswer, TokenCall},
    userinfo::Email,
};
use crate::{
    Service,
    address::Address,
    caller::Caller,
    client_auth::{AuthenticatedClient, InvalidClient},
    directory::{ClientView, ProjectView},
    error::Outage,
    proof::possession::{Possession, PossessionRefused},
    session::{
        end::Ending,
        open::{OpenRefused, Opening, Spend},
    },
    token::{IdTokenOf, TokenPair},
};

impl From<CodeRefused> for GrantRefused {
    fn from(refused: CodeRefused) -> Self {
        Self::Invalid(refused.as_str())
    }
}

/// A code that its own client shows.
struct Shown<'a> {
    client: &'a ClientView,
    hash: CodeHash,
    stored: StoredCode,
}

impl Service {
    /// For a client that says who it is.
    pub(super) async fn redeem(
        &self,
        client: &AuthenticatedClient,
        form: &Form,
        call: &TokenCall<'_>,
        caller: &Caller,
    ) -> Result<TokenAnswer, GrantRefused> {
        let (hash, stored) = self.find_code(&client.project, form, caller).await?;
        stored.code.is_for(&client.id)?;
        let shown = Shown { client: client.view()?, hash, stored };
        self.redeem_shown(&client.project, shown, form, call, client.confirmed_key, caller).await
    }

    /// For a client that names only its project: it is the one to which the code was issued, if that one has nothing to prove but its verifier.
    pub(super) async fn redeem_unnamed(
        &self,
        address: &Address,
        form: &Form,
        call: &TokenCall<'_>,
        caller: &Caller,
    ) -> Result<TokenAnswer, GrantRefused> {
        let project = self.project_of_call(address, call.credentials).ok_or(InvalidClient::Unknown)?;
        let redeemed = self.redeem_unnamed_in(&project, form, call, caller).await;
        redeemed.inspect_err(|refused| self.count_refused_grant(&project, refused))
    }

    async fn redeem_unnamed_in(
        &self,
        project: &Arc<ProjectView>,
        form: &Form,
        call: &TokenCall<'_>,
        caller: &Caller,
    ) -> Result<TokenAnswer, GrantRefused> {
        let (hash, stored) = self.find_code(project, form, caller).await?;
        let client = project.client(&stored.code.client).filter(|view| view.client.disabled_at.is_none());
        let client = client.ok_or(CodeRefused::Unknown)?;
        let settings = &client.settings;
        if settings.oauth_auth_method.proves() || !settings.oauth_grants.contains(&GrantType::AuthorizationCode) {
            return Err(InvalidClient::Missing.into());
        }
        self.redeem_shown(project, Shown { client, hash, stored }, form, call, None, caller).await
    }

    /// Only what is no code of ours counts against its network.
    async fn find_code(
        &self,
        project: &ProjectView,
        form: &Form,
        caller: &Caller,
    ) -> Result<(CodeHash, StoredCode), GrantRefused> {
        let shown = form.required("code")?;
        if let Some(hash) = CodeHash::of(shown) {
            let mut reader = self.db.reader().await.map_err(Outage::from)?;
            let found = authorization_codes::find(&mut reader.conn(), &project.project.id, hash).await;
            if let Some(stored) = found.map_err(Outage::from)? {
                return Ok((hash, stored));
            }
        }
        match self.take_failure(Some(project), caller.address) {
            Ok(()) => Err(CodeRefused::Unknown.into()),
            Err(too_many) => Err(GrantRefused::TooMany(too_many)),
        }
    }

    async fn redeem_shown(
        &self,
        project: &Arc<ProjectView>,
        shown: Shown<'_>,
        form: &Form,
        call: &TokenCall<'_>,
        confirmed: Option<Thumbprint>,
        caller: &Caller,
    ) -> Result<TokenAnswer, GrantRefused> {
        let Shown { client, hash, stored: StoredCode { code, is_used } } = shown;
        let key = self.token_key(project, client, call.possession, confirmed)?;
        // Before anything else is asked of the call: whoever shows a used code knows it.
        if is_used {
            return Err(self.used(project, &code, caller).await?);
        }
        let redeemer = Redeemer {
            client: &client.client.id,
            redirect_uri: form.text("redirect_uri"),
            key: key.map(|possession| possession.key),
        };
        code.check(&redeemer, self.now())?;
        check_verifier(&code, client, form.text("code_verifier"))?;
        if project.signing_key_for(client.settings.oauth_id_token_alg).is_none() {
            return Err(Outage::Fault("the project has no key of the client's id_token algorithm".to_owned()).into());
        }
        let email = self.email_of(project, code.user).await?;
        let opening = opening(client, hash, &code, key);
        let pair = match self.open_session(project, opening, caller).await {
            Ok(pair) => pair,
            Err(refused) => return Err(self.not_opened(project, hash, &code, refused, caller).await?),
        };
        Ok(self.answer(project, client, &code, pair, email.as_ref()))
    }

    fn answer(
        &self,
        project: &ProjectView,
        client: &ClientView,
        code: &AuthorizationCode,
        pair: TokenPair,
        email: Option<&Email>,
    ) -> TokenAnswer {
        let scopes = Scopes::parse(&code.scope).unwrap_or_default();
        let email = email.filter(|_| client.settings.oauth_first_party || scopes.has("email"));
        let said = IdTokenOf {
            user: code.user,
            session: code.session,
            email: email.map(|email| (email.address.as_str(), email.is_verified)),
            nonce: code.nonce.as_deref(),
            proof: &code.proof,
        };
        let id_token = scopes.has("openid").then(|| self.issue_id_token(project, client, &said));
        let has_refresh = client.settings.oauth_grants.contains(&GrantType::RefreshToken);
        let answer = TokenAnswer::of(pair);
        TokenAnswer {
            id_token: id_token.flatten(),
            refresh_token: answer.refresh_token.filter(|_| has_refresh),
            ..answer
        }
    }

    /// What began with a code that came twice is taken back.
    async fn used(
        &self,
        project: &ProjectView,
        code: &AuthorizationCode,
        caller: &Caller,
    ) -> Result<GrantRefused, Outage> {
        self.take_back(project, code, caller).await?;
        Ok(CodeRefused::Used.into())
    }

    /// Ends what a code began.
    async fn take_back(&self, project: &ProjectView, code: &AuthorizationCode, caller: &Caller) -> Result<(), Outage> {
        let mut reader = self.db.reader().await?;
        let found = sessions::find(&mut reader.conn(), &project.project.id, code.session).await?;
        drop(reader);
        let Some(stored) = found.filter(|stored| stored.session.ended.is_none()) else {
            return Ok(());
        };
        let ending = Ending {
            reason: EndReason::CodeReplay,
            actor: Actor::System,
            act: Act::CodeReplayed,
            request: Some(caller.request_id.clone()),
        };
        self.end_session(&stored.session, ending).await
    }

    async fn not_opened(
        &self,
        project: &ProjectView,
        hash: CodeHash,
        code: &AuthorizationCode,
        refused: OpenRefused,
        caller: &Caller,
    ) -> Result<GrantRefused, GrantRefused> {
        Ok(match refused {
            OpenRefused::Outage(outage) => outage.into(),
            OpenRefused::Revoked | OpenRefused::NoSuchUser | OpenRefused::UserDisabled | OpenRefused::UnknownClient => {
                CodeRefused::Revoked.into()
            }
            // Somebody was faster, with the code or with the proof of a key.
            OpenRefused::Spent => {
                let mut reader = self.db.reader().await.map_err(Outage::from)?;
                let id = &project.project.id;
                let is_used = spent::is_spent(&mut reader.conn(), id, SPENT_AS, &hash.to_text()).await;
                drop(reader);
                if is_used.map_err(Outage::from)? {
                    self.used(project, code, caller).await?
                } else {
                    PossessionRefused::Replayed.into()
                }
            }
        })
    }
}

/// The proof first: one that was used before must not use the code up.
fn opening(client: &ClientView, hash: CodeHash, code: &AuthorizationCode, key: Option<Possession>) -> Opening {
    let of_code = Spend { purpose: SPENT_AS, hash: hash.to_text(), expires_at: code.expires_at };
    let settings = &client.settings;
    let has_refresh = settings.oauth_grants.contains(&GrantType::RefreshToken);
    Opening {
        client: client.client.id.clone(),
        user: code.user,
        proof: code.proof.clone(),
        vouched_by: None,
        dpop_jkt: key.map(|possession| possession.key),
        // A session that nobody can refresh is over with its one access token.
        longest: (!has_refresh).then_some(settings.access_lifetime),
        scope: code.scope.clone(),
        session: Some(code.session),
        as_of: Some(code.generations),
        spends: key.iter().map(Possession::spend).chain([of_code]).collect(),
    }
}

/// A verifier for a code that was issued without a challenge is refused, too: somebody took the challenge out of the request (RFC 9700 §2.1.1).
fn check_verifier(code: &AuthorizationCode, client: &ClientView, verifier: Option<&str>) -> Result<(), CodeRefused> {
    let is_right = match (&code.code_challenge, verifier) {
        (Some(challenge), Some(verifier)) => {
            CodeChallenge::parse(challenge).is_some_and(|challenge| challenge.matches(verifier))
        }
        (None, None) => client.settings.oauth_pkce == PkcePolicy::NonceOrPkce,
        (Some(_), None) | (None, Some(_)) => false,
    };
    if is_right { Ok(()) } else { Err(CodeRefused::OtherVerifier) }
}
