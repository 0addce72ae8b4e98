//! The token endpoint (RFC 6749 §3.2): a grant comes in, tokens go out.

use std::time::Duration;

use countersign_crypto::{dpop::SignedProof, secret::SecretText};
use countersign_domain::{
    audit::Act,
    oauth::{
        form::{Form, FormError},
        registration::GrantType,
        scope::Scopes,
    },
    thumbprint::Thumbprint,
};

use crate::{
    Service,
    address::Address,
    caller::Caller,
    client_auth::{AuthenticatedClient, ClientCredentials, Endpoint, InvalidClient},
    directory::{ClientView, ProjectView},
    error::Outage,
    limits::TooMany,
    proof::possession::{Possession, PossessionRefused, UnverifiedPossession},
    session::refresh::{ByClient, RefreshCall, RefreshRefused},
    tally::Refusal,
    token::{ClientGrant, TokenForClient, TokenPair, TokenType},
    verdicts::{ACCEPTED, Proof},
};

/// What a client shows beside the parameters.
pub struct TokenCall<'a> {
    /// Of itself.
    pub credentials: &'a ClientCredentials,
    /// Of a key.
    pub possession: Option<&'a UnverifiedPossession>,
}

/// What a client gets (RFC 6749 §5.1).
pub struct TokenAnswer {
    /// A JWT.
    pub access_token: String,
    /// How it is to be shown.
    pub token_type: TokenType,
    /// How long it lives.
    pub expires_in: Duration,
    /// What it is good for, separated by spaces; none: empty.
    pub scope: String,
    /// For the next, where the client uses them.
    pub refresh_token: Option<SecretText>,
    /// Who signed in, where the client asked.
    pub id_token: Option<String>,
    /// The nonce for the next proof, where the tokens are bound to a key.
    pub dpop_nonce: Option<String>,
}

/// Why there are no tokens.
#[derive(Debug, thiserror::Error)]
pub enum GrantRefused {
    /// The parameters won't do.
    #[error(transparent)]
    Form(#[from] FormError),
    /// The caller isn't the client that it says it is.
    #[error(transparent)]
    Client(#[from] InvalidClient),
    /// What was shown buys nothing. The reason is for metrics; a thief learns none.
    #[error("the grant is invalid: {0}")]
    Invalid(&'static str),
    /// The client didn't register this grant.
    #[error("the client does not use this grant")]
    NotForClient,
    /// There is no such grant.
    #[error("there is no such grant")]
    Unsupported,
    /// More was asked for than the client may have.
    #[error("more was asked for than the client may have")]
    Scope,
    /// Possession of a key isn't proved.
    #[error(transparent)]
    Possession(#[from] PossessionRefused),
    /// The key that was shown isn't the one that the client's assertion names.
    #[error("the proof is of another key than the assertion names")]
    OtherKey,
    /// It belongs to no session, so there is nothing to end: it goes by its own time.
    #[error("the token can't be given back")]
    NotRevocable,
    /// Too many failed calls from this network.
    #[error("too many failed calls from this network")]
    TooMany(TooMany),
    /// Nothing can be done.
    #[error(transparent)]
    Outage(#[from] Outage),
}

/// Scopes that say something of a user: a client that acts for itself has none of them.
pub(super) const OF_USERS: [&str; 6] = ["openid", "profile", "email", "phone", "address", "offline_access"];

impl Service {
    /// Answers a token request.
    pub async fn token(
        &self,
        address: &Address,
        form: &Form,
        call: TokenCall<'_>,
        caller: &Caller,
    ) -> Result<TokenAnswer, GrantRefused> {
        let answer = self.token_uncounted(address, form, &call, caller).await;
        let reason = answer.as_ref().map_or_else(GrantRefused::reason, |_| ACCEPTED);
        Proof::Grant.count(reason);
        answer
    }

    async fn token_uncounted(
        &self,
        address: &Address,
        form: &Form,
        call: &TokenCall<'_>,
        caller: &Caller,
    ) -> Result<TokenAnswer, GrantRefused> {
        self.fresh()?;
        let grant = form.required("grant_type")?;
        let grant = GrantType::ALL.into_iter().find(|it| it.as_str() == grant).ok_or(GrantRefused::Unsupported)?;
        let is_unnamed = grant == GrantType::AuthorizationCode
            && call.credentials.is_silent()
            && call.credentials.config_id().is_some();
        if is_unnamed {
            return self.redeem_unnamed(address, form, call, caller).await;
        }
        let client = self.authenticate_client(address, call.credentials, Endpoint::Token, caller).await?;
        let granted = match grant {
            _ if !client.view()?.settings.oauth_grants.contains(&grant) => Err(GrantRefused::NotForClient),
            GrantType::AuthorizationCode => self.redeem(&client, form, call, caller).await,
            GrantType::RefreshToken => self.refresh_grant(address, &client, form, call, caller).await,
            GrantType::ClientCredentials => self.client_grant(&client, form, call),
        };
        granted.inspect_err(|refused| self.count_refused_grant(&client.project, refused))
    }

    pub(super) fn count_refused_grant(&self, project: &ProjectView, refused: &GrantRefused) {
        if let GrantRefused::Invalid(reason) = refused {
            let project = project.project.id.clone();
            self.tally.refused(Refusal { project, act: Act::GrantRefused, reason, key: None });
        }
    }

    /// The key that a call shows; where an assertion named one, the same.
    pub(crate) fn token_key(
        &self,
        project: &ProjectView,
        client: &ClientView,
        shown: Option<&UnverifiedPossession>,
        confirmed: Option<Thumbprint>,
    ) -> Result<Option<Possession>, GrantRefused> {
        let Some(shown) = shown else {
            return Ok(None);
        };
        let possession = self.prove_possession(project, shown, client.nonce_policy(), None)?;
        let is_same = confirmed.is_none_or(|key| key == possession.key);
        if is_same { Ok(Some(possession)) } else { Err(GrantRefused::OtherKey) }
    }

    async fn refresh_grant(
        &self,
        address: &Address,
        client: &AuthenticatedClient,
        form: &Form,
        call: &TokenCall<'_>,
        caller: &Caller,
    ) -> Result<TokenAnswer, GrantRefused> {
        let unverified = form.required("refresh_token")?;
        let scope = form.text("scope").map(Scopes::parse).transpose().map_err(|_| GrantRefused::Scope)?;
        let by = ByClient { client: client.id.clone(), scope };
        check_confirmed(client, call.possession)?;
        // The client proved itself in this project: a token of another is none here.
        let address = Address { path: Some(client.project.project.id.to_string()), ..address.clone() };
        let refresh = RefreshCall { unverified, possession: call.possession, by: Some(&by) };
        Ok(TokenAnswer::of(self.refresh_by(&address, &refresh, caller).await?))
    }

    /// A client that acts for itself. A proof of possession is remembered by this node as any other: what it buys is nobody's session.
    fn client_grant(
        &self,
        client: &AuthenticatedClient,
        form: &Form,
        call: &TokenCall<'_>,
    ) -> Result<TokenAnswer, GrantRefused> {
        let view = client.view()?;
        let may = OF_USERS.iter().fold(view.settings.oauth_scopes.clone(), |left, scope| left.without(scope));
        let scope = match form.text("scope") {
            Some(asked) => {
                Scopes::parse(asked).ok().filter(|asked| asked.is_within(&may)).ok_or(GrantRefused::Scope)?
            }
            None => may,
        };
        let key = self.token_key(&client.project, view, call.possession, client.confirmed_key)?;
        let grant = ClientGrant { scope: scope.to_string(), bound_to: key.map(|possession| possession.key) };
        let issued: TokenForClient = self.issue_to_client(&client.project, view, grant);
        Ok(TokenAnswer {
            dpop_nonce: key.map(|_| self.dpop_nonce(&client.project)),
            access_token: issued.access_token,
            token_type: issued.token_type,
            expires_in: issued.expires_in,
            scope: issued.scope,
            refresh_token: None,
            id_token: None,
        })
    }
}

/// Where the client's assertion names a key, a proof of another is refused; what else it is worth is for the session to say.
fn check_confirmed(client: &AuthenticatedClient, shown: Option<&UnverifiedPossession>) -> Result<(), GrantRefused> {
    let (Some(confirmed), Some(shown)) = (client.confirmed_key, shown) else {
        return Ok(());
    };
    let signed = SignedProof::read(shown.unverified.as_bytes()).map_err(PossessionRefused::from)?;
    if signed.thumbprint() == confirmed { Ok(()) } else { Err(GrantRefused::OtherKey) }
}

impl TokenAnswer {
    pub(super) fn of(pair: TokenPair) -> Self {
        Self {
            access_token: pair.access_token,
            token_type: pair.token_type,
            expires_in: pair.access_expires_in,
            scope: pair.scope,
            refresh_token: Some(pair.refresh_token),
            id_token: None,
            dpop_nonce: pair.dpop_nonce,
        }
    }
}

impl From<RefreshRefused> for GrantRefused {
    fn from(refused: RefreshRefused) -> Self {
        match refused {
            RefreshRefused::Possession(refused) => Self::Possession(refused),
            RefreshRefused::Scope => Self::Scope,
            RefreshRefused::TooMany(too_many) => Self::TooMany(too_many),
            RefreshRefused::Outage(outage) => Self::Outage(outage),
            other => Self::Invalid(other.reason()),
        }
    }
}

impl GrantRefused {
    /// The reason as metrics have it.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Form(_) => "form",
            Self::Client(refused) => refused.reason(),
            Self::Invalid(reason) => reason,
            Self::NotForClient => "not_for_client",
            Self::Unsupported => "unsupported",
            Self::Scope => "scope",
            Self::Possession(refused) => refused.reason(),
            Self::OtherKey => "other_key",
            Self::NotRevocable => "not_revocable",
            Self::TooMany(_) => "too_many",
            Self::Outage(_) => "outage",
        }
    }
}
