//! What an app asks for when it sends a user here (RFC 6749 §4.1.1, OpenID Connect Core §3.1.2.1): read, judged, and kept until the user has
//! been proved.
//!
//! Until client and redirect URI are right, nothing goes back to whoever the request names: it would be an open redirect.

mod kept;
mod rules;

use std::sync::Arc;

use countersign_domain::{
    id::{ClientId, UserId},
    oauth::{form::Form, scope::Scopes},
    thumbprint::Thumbprint,
};

use super::response::AuthorizationError;
use crate::{
    Service,
    address::Address,
    directory::{ClientView, ProjectView},
    error::Outage,
};

/// A request that was found good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthorizationRequest {
    /// The issuer that answers, for `iss` (RFC 9207).
    pub issuer: String,
    /// The client.
    pub client: ClientId,
    /// Where the user is sent back to: as the request named it, or the one that is registered.
    pub redirect_uri: String,
    /// Whether the request named it.
    pub has_redirect_uri_param: bool,
    /// How the answer goes there.
    pub response_mode: ResponseMode,
    /// What is asked for.
    pub scope: Scopes,
    /// What the client wants to see again in the answer.
    pub state: Option<String>,
    /// What the client wants to see again in the id_token.
    pub nonce: Option<String>,
    /// What the user must, or must not, be asked; `none` stands alone.
    pub prompt: Vec<Prompt>,
    /// How many seconds ago the user may have been proved at most.
    pub max_age: Option<u32>,
    /// Who may be about to sign in, as the client believes.
    pub login_hint: Option<String>,
    /// Whom an id_token of ours names that the client showed.
    pub hinted_user: Option<UserId>,
    /// Which levels the client wants, the best first.
    pub acr_values: Vec<String>,
    /// Which languages the user reads, the best first.
    pub ui_locales: Vec<String>,
    /// The hash of the verifier (RFC 7636), in base64url.
    pub code_challenge: Option<String>,
    /// The key to which the code is to be bound (RFC 9449 §10).
    pub dpop_jkt: Option<Thumbprint>,
}

/// How an answer goes back to the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResponseMode {
    /// In the query of a redirect.
    Query,
    /// In a form that the browser sends (OAuth 2.0 Form Post Response Mode).
    FormPost,
}

/// What the user must, or must not, be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Prompt {
    /// Nothing: whoever isn't signed in gets an error.
    None,
    /// To prove who they are, again.
    Login,
    /// For consent.
    Consent,
    /// Which account.
    SelectAccount,
}

/// A good request, and the project in which it was made.
pub struct CheckedRequest {
    /// The project.
    pub project: Arc<ProjectView>,
    /// The request.
    pub request: AuthorizationRequest,
}

/// Why a request isn't answered with a sign-in.
#[derive(Debug, thiserror::Error)]
pub enum AuthorizationRefused {
    /// For the person in front of the page: nobody knows where to send them.
    #[error("{0}")]
    Page(PageProblem),
    /// For the client.
    #[error("{}", .0.description)]
    Client(Box<AuthorizationError>),
    /// Nothing can be said.
    #[error(transparent)]
    Outage(#[from] Outage),
}

/// What a person is told whose app made a mistake.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PageProblem {
    /// No such project.
    #[error("there is no such project")]
    NoSuchProject,
    /// The client isn't named, is named twice, isn't there or is closed.
    #[error("the app that sent you here is not known")]
    UnknownClient,
    /// The redirect URI isn't one that the client registered.
    #[error("the app that sent you here gave an address to return to that is not registered")]
    BadRedirectUri,
}

impl From<PageProblem> for AuthorizationRefused {
    fn from(problem: PageProblem) -> Self {
        Self::Page(problem)
    }
}

impl Service {
    /// Judges an authorization request, whether it came by query or by form.
    pub fn check_authorization_request(
        &self,
        address: &Address,
        parameters: &Form,
    ) -> Result<CheckedRequest, AuthorizationRefused> {
        self.fresh()?;
        let project = self.addressed(address, None).map_err(|_| PageProblem::NoSuchProject)?;
        let client = client_of(&project, parameters).ok_or(PageProblem::UnknownClient)?;
        let redirect_uri = redirect_uri_of(client, parameters).ok_or(PageProblem::BadRedirectUri)?;
        let request = rules::judge(&project, client, redirect_uri, parameters)?;
        Ok(CheckedRequest { project: Arc::clone(&project), request })
    }
}

fn client_of<'p>(project: &'p ProjectView, parameters: &Form) -> Option<&'p ClientView> {
    let id: ClientId = parameters.text("client_id")?.parse().ok()?;
    project.client(&id).filter(|view| view.client.disabled_at.is_none())
}

/// One that is named must be registered; one that isn't named must be the only one that is.
fn redirect_uri_of(client: &ClientView, parameters: &Form) -> Option<String> {
    let registered = &client.settings.oauth_redirect_uris;
    if parameters.names("redirect_uri") {
        let named = parameters.text("redirect_uri")?;
        return registered.iter().any(|uri| uri.matches(named)).then(|| named.to_owned());
    }
    match registered.as_slice() {
        [only] => Some(only.to_string()),
        _ => None,
    }
}
