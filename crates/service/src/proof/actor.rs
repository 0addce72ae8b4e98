//! Whoever calls, by whichever credential: what the gateway, forward-auth and the client API take.

use std::{borrow::Cow, sync::Arc};

use countersign_domain::{
    client_api_key::ClientApiKey,
    gateway::credential::Credential,
    id::{KeyId, ProjectId, SessionId, UserId},
    policy::HmacEnforcement,
    proof::Method,
};

use super::{
    access_token::{Bearer, ShownToken, TokenRefused},
    client_call::{CallRefused, ClientCall, ClientUser, Flaw, Shown, UserProof, check_origin},
    possession::UnverifiedPossession,
    secret_key::{Backend, NotABackend},
};
use crate::{
    Service, address::Address, caller::Caller, directory::ProjectView, error::Outage, verdicts::Proof as Verdict,
};

/// What a call shows.
#[derive(Debug, Clone, Copy)]
pub struct Credentials<'a> {
    /// The client API's own headers.
    pub client: ClientCall<'a>,
    /// The `Authorization` header.
    pub authorization: Shown<'a>,
    /// The ticket in the query string.
    pub ticket: Option<&'a str>,
    /// What is shown of a key.
    pub possession: Option<&'a UnverifiedPossession>,
}

/// A proved caller.
pub enum Actor {
    /// A user whom an app names.
    Client(ClientUser),
    /// A user, or an app in the user's name, with an access token.
    Bearer(Bearer),
    /// The customer's backend.
    Backend(Backend),
}

/// An actor whose stream goes on after the verdict.
pub struct Standing {
    actor: Actor,
    /// How often this node had read everything anew: news that came between are known only by what they changed.
    resyncs: u64,
}

/// Why a caller isn't one.
#[derive(Debug, thiserror::Error)]
pub enum NotAnActor {
    /// The call of an app isn't proved.
    #[error(transparent)]
    Call(#[from] CallRefused),
    /// The access token isn't one.
    #[error("{refused}")]
    Token {
        /// Why.
        refused: TokenRefused,
        /// Was it shown as one that is bound to a key?
        is_dpop: bool,
    },
    /// The secret key isn't one.
    #[error(transparent)]
    Backend(#[from] NotABackend),
}

/// What is said of an actor to the API behind the gateway.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Identification {
    /// The project.
    pub project: ProjectId,
    /// The user; none: a backend.
    pub user: Option<UserId>,
    /// The customer's own id of the user, if it is known.
    pub external_id: Option<String>,
    /// How the caller was proved: methods, with spaces between.
    pub methods: Cow<'static, str>,
    /// The session.
    pub session: Option<SessionId>,
    /// The key that a backend showed.
    pub key: Option<KeyId>,
}

impl Service {
    /// Who calls. One credential, never two: else what one proves could be done in the name of the other.
    pub async fn prove(
        &self,
        address: &Address,
        shown: &Credentials<'_>,
        caller: &Caller,
    ) -> Result<Actor, NotAnActor> {
        let token = match shown.authorization {
            Shown::Absent => None,
            Shown::Once(value) => token(value, shown.possession),
            Shown::Repeated => return Err(self.refuse(address, Flaw::HeaderRepeated, caller)),
        };
        if let Some(ticket) = shown.ticket {
            let is_alone = token.is_none() && shown.client.is_empty();
            return if is_alone {
                self.redeem_ticket(address, ticket, caller).await
            } else {
                Err(self.refuse(address, Flaw::MixedCredentials, caller))
            };
        }
        let Some(token) = token else {
            return Ok(Actor::Client(self.prove_client_call(address, &shown.client, caller).await?));
        };
        if shown.client.names_a_user() {
            return Err(self.refuse(address, Flaw::MixedCredentials, caller));
        }
        let actor = self.prove_token(address, token, caller)?;
        self.check_agreement(address, &actor, shown.client.publishable_key, caller)?;
        Ok(actor)
    }

    fn prove_token(&self, address: &Address, shown: ShownToken<'_>, caller: &Caller) -> Result<Actor, NotAnActor> {
        if let ShownToken::Bearer(secret) = shown
            && secret.starts_with("sk_")
        {
            return Ok(Actor::Backend(self.prove_secret_key(Some(secret), caller)?));
        }
        let proved = self.prove_access_token(address, shown, caller.address);
        proved.map(Actor::Bearer).map_err(|refused| NotAnActor::Token { refused, is_dpop: shown.is_dpop() })
    }

    /// The bearer of a token that was sealed when its holder was proved.
    pub(crate) fn prove_sealed_token(
        &self,
        address: &Address,
        token: &str,
        caller: &Caller,
    ) -> Result<Actor, NotAnActor> {
        let proved = self.prove_token_without_key(address, token);
        let actor = proved.map(Actor::Bearer).map_err(|refused| NotAnActor::Token { refused, is_dpop: false })?;
        self.check_agreement(address, &actor, Shown::Absent, caller)?;
        Ok(actor)
    }

    /// Path, host, publishable key and credential must name one project, and the page must be one that may call.
    fn check_agreement(
        &self,
        address: &Address,
        actor: &Actor,
        publishable_key: Shown<'_>,
        caller: &Caller,
    ) -> Result<(), NotAnActor> {
        if !self.agree(address, actor.project(), publishable_key) {
            return Err(self.refuse(address, Flaw::OtherProject, caller));
        }
        Ok(check_origin(actor.project(), caller)?)
    }

    /// Do path, host and publishable key name the project of the credential, as far as they speak?
    pub(crate) fn agree(&self, address: &Address, project: &ProjectView, publishable_key: Shown<'_>) -> bool {
        let project = &project.project.id;
        let is_keys = match publishable_key {
            Shown::Absent => true,
            shown => self.client_project(address, shown).is_ok_and(|(named, _)| named.project.id == *project),
        };
        is_keys && self.addressed(address, Some(project.as_str())).is_ok()
    }

    pub(crate) fn refuse(&self, address: &Address, flaw: Flaw, caller: &Caller) -> NotAnActor {
        Verdict::ClientCall.count(flaw.as_str());
        self.count_unproved(address, flaw, caller).into()
    }

    /// What there is to say about an actor.
    pub async fn identify(&self, actor: &Actor) -> Result<Identification, Outage> {
        let project = actor.project().project.id.clone();
        Ok(match actor {
            Actor::Client(client) => Identification {
                project,
                user: Some(client.user()),
                external_id: Some(client.external_id.as_str().to_owned()),
                methods: Cow::Borrowed(client.method()),
                session: None,
                key: None,
            },
            Actor::Bearer(bearer) => Identification {
                project,
                user: Some(bearer.user()),
                external_id: self.profile(&bearer.project, bearer.user()).await?.external_id.clone(),
                methods: Cow::Owned(joined(&bearer.token.proof.methods)),
                session: Some(bearer.session()),
                key: None,
            },
            Actor::Backend(backend) => Identification {
                project,
                user: None,
                external_id: None,
                methods: Cow::Borrowed("secret_key"),
                session: None,
                key: Some(backend.key),
            },
        })
    }

    /// Where an actor stands now, for who will ask later.
    pub fn standing(&self, actor: Actor) -> Standing {
        Standing { actor, resyncs: self.feed.resyncs() }
    }

    /// Would the actor still be let in? Asked of open streams whenever something has changed. That a token or a proof has expired meanwhile ends
    /// no stream; that somebody revoked it does, and so does every moment in which news of a revocation may have been missed.
    pub fn still_stands(&self, standing: &Standing) -> bool {
        standing.resyncs == self.feed.resyncs() && self.actor_stands(&standing.actor)
    }

    fn actor_stands(&self, actor: &Actor) -> bool {
        let directory = self.directory.load();
        let now = self.now();
        let Some(project) = directory.project(actor.project().project.id.as_str()).filter(|it| !it.is_disabled())
        else {
            return false;
        };
        match actor {
            Actor::Client(client) => self.client_stands(project, client),
            Actor::Bearer(bearer) => self.is_unrevoked(project, &bearer.token),
            Actor::Backend(backend) => project.secret_key(backend.key).is_some_and(|key| key.is_live(now)),
        }
    }

    fn client_stands(&self, project: &ProjectView, client: &ClientUser) -> bool {
        let is_live = |key: &ClientApiKey| key.is_live(self.now());
        let generation = self.revocations.generation_of(client.user());
        let is_unrevoked = generation.is_none_or(|raised| raised <= client.known.generation);
        let is_proved = match &client.proof {
            UserProof::Unproved => project.settings.hmac != HmacEnforcement::Required,
            UserProof::Mac { key, .. } => project.user_keys().iter().any(|it| it.key.id == *key && is_live(&it.key)),
        };
        is_unrevoked && is_proved && project.publishable_key(client.publishable_key).is_some_and(is_live)
    }
}

impl Actor {
    /// What kind of credential was shown.
    pub fn credential(&self) -> Credential {
        match self {
            Self::Client(_) => Credential::Hmac,
            Self::Bearer(_) => Credential::AccessToken,
            Self::Backend(_) => Credential::SecretKey,
        }
    }

    /// The nonce for the next proof, for who proved possession of a key.
    pub fn dpop_nonce(&self) -> Option<&str> {
        match self {
            Self::Bearer(bearer) => bearer.dpop_nonce(),
            Self::Client(_) | Self::Backend(_) => None,
        }
    }

    /// The project in which the actor was proved.
    pub fn project(&self) -> &Arc<ProjectView> {
        match self {
            Self::Client(client) => &client.project,
            Self::Bearer(bearer) => &bearer.project,
            Self::Backend(backend) => &backend.project,
        }
    }
}

/// What stands after `Bearer` (RFC 6750 §2.1) or `DPoP` (RFC 9449 §7.1). Another scheme is not for us.
pub(crate) fn token<'a>(value: &'a [u8], possession: Option<&'a UnverifiedPossession>) -> Option<ShownToken<'a>> {
    let (scheme, token) = std::str::from_utf8(value).ok()?.split_once(' ')?;
    let token = token.trim_start();
    if scheme.eq_ignore_ascii_case("bearer") {
        Some(ShownToken::Bearer(token))
    } else {
        scheme.eq_ignore_ascii_case("dpop").then_some(ShownToken::Dpop(token, possession))
    }
}

/// As one text, which is also how a header has them.
fn joined(methods: &[Method]) -> String {
    methods.iter().map(Method::as_str).collect::<Vec<_>>().join(" ")
}
