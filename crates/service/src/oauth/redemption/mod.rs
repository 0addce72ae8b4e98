//! Redeeming a code: once, by its client, for what it was issued for. The session that it opens, and that it was used, are one transaction.
//!
//! A code that comes twice was seen by somebody who shouldn't have seen it. Nobody can tell which of the two is the thief, so what the first
//! one got is taken back (RFC 6749 §4.1.2). That goes for two who come at the same moment, too: whoever loses the race ends the winner's session.

mod short_way;

use std::{sync::Arc, time::Duration};

use countersign_crypto::authorization_code::CodeHash;
use countersign_domain::{
    audit::{Act, Actor},
    oauth::{
        code::{AuthorizationCode, CodeRefused},
        form::Form,
        registration::GrantType,
        scope::Scopes,
    },
    session::EndReason,
    thumbprint::Thumbprint,
};
use countersign_storage::{
    authorization_codes::{self, FoundCode, SPENT_AS},
    hot::Written,
    sessions,
    spent::{self, Spend},
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
        open::{OpenRefused, Opening},
    },
    token::{IdTokenOf, TokenPair},
};

/// How often somebody else may come first before we give up: the second time, a code is used.
const ATTEMPTS: usize = 16;

impl From<CodeRefused> for GrantRefused {
    fn from(refused: CodeRefused) -> Self {
        Self::Invalid(refused.as_str())
    }
}

/// A client that shows a code.
struct Shown<'a> {
    client: &'a ClientView,
    hash: CodeHash,
    /// The key to which it wants its tokens bound, where its assertion named one.
    confirmed: Option<Thumbprint>,
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
        let shown = form.required("code")?;
        let hash = CodeHash::of(shown).ok_or_else(|| self.unknown_code(&client.project, caller))?;
        let shown = Shown { client: client.view()?, hash, confirmed: client.confirmed_key };
        self.redeem_shown(&client.project, &shown, form, call, caller).await
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
        let shown = form.required("code")?;
        let hash = CodeHash::of(shown).ok_or_else(|| self.unknown_code(project, caller))?;
        let mut reader = self.db.reader().await.map_err(Outage::from)?;
        let found = authorization_codes::find(&mut reader.conn(), &project.project.id, hash).await;
        drop(reader);
        let found = found.map_err(Outage::from)?.ok_or_else(|| self.unknown_code(project, caller))?;
        let client = project.client(&found.code.client).filter(|view| view.client.disabled_at.is_none());
        let client = client.ok_or(CodeRefused::Unknown)?;
        let settings = &client.settings;
        if settings.oauth_auth_method.proves() || !settings.oauth_grants.contains(&GrantType::AuthorizationCode) {
            return Err(InvalidClient::Missing.into());
        }
        self.redeem_shown(project, &Shown { client, hash, confirmed: None }, form, call, caller).await
    }

    /// Only what is no code of ours counts against its network.
    fn unknown_code(&self, project: &ProjectView, caller: &Caller) -> GrantRefused {
        match self.take_failure(Some(project), caller.address) {
            Ok(()) => CodeRefused::Unknown.into(),
            Err(too_many) => GrantRefused::TooMany(too_many),
        }
    }

    async fn redeem_shown(
        &self,
        project: &Arc<ProjectView>,
        shown: &Shown<'_>,
        form: &Form,
        call: &TokenCall<'_>,
        caller: &Caller,
    ) -> Result<TokenAnswer, GrantRefused> {
        let client = shown.client;
        let key = self.token_key(project, client, call.possession, shown.confirmed)?;
        if project.signing_key_for(client.settings.oauth_id_token_alg).is_none() {
            return Err(Outage::Fault("the project has no key of the client's id_token algorithm".to_owned()).into());
        }
        let redeeming = Arc::new(self.redeeming(project, shown, form, key, caller));
        for _ in 0..ATTEMPTS {
            let deciding = Arc::clone(&redeeming);
            let id = &project.project.id;
            let redeemed = self.db.redeem_code(id, shown.hash, move |found| deciding.decide(found)).await;
            let (found, written) = redeemed.map_err(Outage::from)?;
            let found = found.ok_or_else(|| self.unknown_code(project, caller))?;
            let pair = match (redeeming.weigh(&found), written) {
                (_, Written::Lost) => continue,
                // Whoever shows a used code knows it, whatever else is right or wrong.
                (Err(CodeRefused::Used), _) => return Err(self.used(project, &found.code, caller).await?),
                (Err(refused), _) => return Err(refused.into()),
                (Ok(session), Written::Done) => self.first_pair(project, &redeeming.writing.draft, &session)?,
                (Ok(_), Written::Nothing) => self.redeem_the_long_way(project, shown, &found.code, key, caller).await?,
            };
            return Ok(self.answer(project, client, *found, pair));
        }
        Err(Outage::Unavailable("the code changes faster than it can be read".to_owned()).into())
    }

    /// In a transaction of its own: where a proof of a key is used up, too, or where other sessions may have to make room.
    async fn redeem_the_long_way(
        &self,
        project: &ProjectView,
        shown: &Shown<'_>,
        code: &AuthorizationCode,
        key: Option<Possession>,
        caller: &Caller,
    ) -> Result<TokenPair, GrantRefused> {
        let opening = opening(shown, code, key);
        match self.open_session(project, opening, caller).await {
            Ok(pair) => Ok(pair),
            Err(refused) => Err(self.not_opened(project, shown.hash, code, refused, caller).await?),
        }
    }

    fn answer(&self, project: &ProjectView, client: &ClientView, found: FoundCode, pair: TokenPair) -> TokenAnswer {
        let code = &found.code;
        let scopes = Scopes::parse(&code.scope).unwrap_or_default();
        let email = found.email.map(Email::from);
        let email = email.as_ref().filter(|_| client.settings.oauth_first_party || scopes.has("email"));
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
fn opening(shown: &Shown<'_>, code: &AuthorizationCode, key: Option<Possession>) -> Opening {
    Opening {
        client: shown.client.client.id.clone(),
        user: code.user,
        proof: code.proof.clone(),
        vouched_by: None,
        dpop_jkt: key.map(|possession| possession.key),
        longest: longest(shown.client),
        scope: code.scope.clone(),
        session: Some(code.session),
        as_of: Some(code.generations),
        spends: key.iter().map(Possession::spend).chain([spend(shown.hash, code)]).collect(),
    }
}

/// That the code is used.
fn spend(hash: CodeHash, code: &AuthorizationCode) -> Spend {
    Spend { purpose: SPENT_AS, hash: hash.to_text(), expires_at: code.expires_at }
}

/// A session that nobody can refresh is over with its one access token.
fn longest(client: &ClientView) -> Option<Duration> {
    let has_refresh = client.settings.oauth_grants.contains(&GrantType::RefreshToken);
    (!has_refresh).then_some(client.settings.access_lifetime)
}
