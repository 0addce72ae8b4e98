//! Signing a user in here, for a client that will get an authorization code. One state machine ([`countersign_domain::sign_in`]); an app's own
//! screens drive it as JSON (OAuth 2.0 for First-Party Applications).

mod action;
mod begin;
mod go_on;
pub(crate) mod issue;
mod passkey;
pub(crate) mod prompt;
mod risk;
mod second;
pub(crate) mod step;
pub(crate) mod transaction;

use countersign_crypto::secret::SecretText;
use countersign_domain::{locale::Locale, oauth::form::Form, risk::Assessment, thumbprint::Thumbprint};

pub use self::prompt::{Hint, MethodChoice, Prompt};
use crate::{
    Service,
    address::Address,
    caller::Caller,
    client_auth::{AuthenticatedClient, ClientCredentials, Endpoint, InvalidClient},
    error::Outage,
    limits::TooMany,
    oauth::{authorization::AuthorizationRefused, token::GrantRefused},
    proof::possession::{PossessionRefused, UnverifiedPossession},
    verdicts::{ACCEPTED, Proof as Verdict},
};

/// What an app sends from its own screens.
pub struct ChallengeCall<'a> {
    /// The parameters.
    pub form: &'a Form,
    /// What it shows of itself.
    pub credentials: &'a ClientCredentials,
    /// What it shows of a key.
    pub possession: Option<&'a UnverifiedPossession>,
    /// In which language its user reads.
    pub locale: Locale,
}

/// What a call comes to.
pub enum Outcome {
    /// More is needed.
    Asked {
        /// By what the sign-in is known from now on.
        handle: SecretText,
        /// What is asked.
        prompt: Prompt,
        /// What speaks against it, as far as it may be told to whoever asks.
        risk: Assessment,
    },
    /// The user is known: this buys tokens.
    Code(SecretText),
}

/// Why a call comes to nothing.
#[derive(Debug, thiserror::Error)]
pub enum ChallengeRefused {
    /// The caller isn't the client that it says it is.
    #[error(transparent)]
    Client(#[from] InvalidClient),
    /// Only an app of the project's own may ask its users for codes.
    #[error("the client is not a first-party one")]
    NotFirstParty,
    /// The request won't do.
    #[error(transparent)]
    Request(#[from] AuthorizationRefused),
    /// It must say whom it is about, where no passkey can.
    #[error("login_hint is no e-mail address")]
    NoHint,
    /// Nobody knows the sign-in by this handle, or it is over.
    #[error("there is no such sign-in")]
    InvalidSession,
    /// The server has no way to send messages.
    #[error("this server sends no mail: see its configuration")]
    NoChannel,
    /// Possession of the key isn't proved.
    #[error(transparent)]
    Possession(#[from] PossessionRefused),
    /// The key that is shown isn't the one that the request, or the client's assertion, names.
    #[error("another key is shown than is named")]
    OtherKey,
    /// One network begins too many.
    #[error("too many sign-ins begun by this network")]
    TooMany(TooMany),
    /// The person holds the address, and may not come in.
    #[error("{}", .0.as_str())]
    Denied(Denial),
    /// Nothing can be done.
    #[error(transparent)]
    Outage(#[from] Outage),
}

/// Why somebody who proved an address may not come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Denial {
    /// There is no account, and people can't make one.
    NoAccount,
    /// The account is closed.
    Disabled,
    /// The client expects somebody else, whom an id_token of ours names.
    OtherUser,
    /// The client expects an e-mail address, and there is none.
    NoEmail,
}

impl Denial {
    /// As metrics have it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NoAccount => "no_account",
            Self::Disabled => "user_disabled",
            Self::OtherUser => "other_user",
            Self::NoEmail => "no_email",
        }
    }
}

impl ChallengeRefused {
    /// The reason as metrics have it.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Client(_) => "invalid_client",
            Self::NotFirstParty => "not_first_party",
            Self::Request(_) => "invalid_request",
            Self::NoHint => "no_hint",
            Self::InvalidSession => "invalid_session",
            Self::NoChannel => "no_channel",
            Self::Possession(_) => "possession",
            Self::OtherKey => "other_key",
            Self::TooMany(_) => "too_many",
            Self::Denied(denial) => denial.as_str(),
            Self::Outage(_) => "outage",
        }
    }
}

impl Service {
    /// One step of a sign-in on an app's own screens: the first, or the next.
    pub async fn authorize_challenge(
        &self,
        address: &Address,
        call: &ChallengeCall<'_>,
        caller: &Caller,
    ) -> Result<Outcome, ChallengeRefused> {
        let outcome = self.challenge_step(address, call, caller).await;
        let reason = match &outcome {
            Ok(Outcome::Code(_)) => ACCEPTED,
            Ok(Outcome::Asked { prompt, .. }) => prompt.reason(),
            Err(refused) => refused.reason(),
        };
        Verdict::SignIn.count(reason);
        outcome
    }

    async fn challenge_step(
        &self,
        address: &Address,
        call: &ChallengeCall<'_>,
        caller: &Caller,
    ) -> Result<Outcome, ChallengeRefused> {
        self.fresh()?;
        let client = self.authenticate_client(address, call.credentials, Endpoint::AuthorizeChallenge, caller).await?;
        if !client.view()?.settings.oauth_first_party {
            return Err(ChallengeRefused::NotFirstParty);
        }
        match call.form.text("auth_session") {
            None => self.begin_sign_in(address, &client, call, caller).await,
            Some(handle) => self.go_on_with_sign_in(&client, handle, call, caller).await,
        }
    }

    /// The key that the app shows, if it shows one.
    fn challenge_key(
        &self,
        client: &AuthenticatedClient,
        call: &ChallengeCall<'_>,
    ) -> Result<Option<Thumbprint>, ChallengeRefused> {
        let key = self.token_key(&client.project, client.view()?, call.possession, client.confirmed_key);
        match key {
            Ok(possession) => Ok(possession.map(|possession| possession.key)),
            Err(GrantRefused::Possession(refused)) => Err(refused.into()),
            Err(GrantRefused::Outage(outage)) => Err(outage.into()),
            Err(_) => Err(ChallengeRefused::OtherKey),
        }
    }
}
