//! `/oauth2/authorize`: what an app asks for when it sends a user here (RFC 6749 §4.1.1, OpenID Connect Core §3.1.2.1).

use utoipa::{IntoParams, ToSchema};

/// What an app asks for. Nothing may stand twice; what isn't known is ignored.
#[derive(ToSchema, IntoParams)]
#[schema(as = AuthorizationRequest, example = json!({
    "response_type": "code", "client_id": "my-app", "redirect_uri": "https://app.example.com/callback", "scope": "openid email",
    "state": "af0ifjsldkj", "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", "code_challenge_method": "S256"
}))]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes a form that is read parameter by parameter")]
pub struct AuthorizationSchema {
    /// `code`.
    response_type: String,
    /// The client.
    client_id: String,
    /// One that the client registered, letter by letter; on a loopback address any port (RFC 8252). May be left out where the client registered
    /// only one.
    redirect_uri: Option<String>,
    /// `query` or `form_post`: how the answer goes back.
    response_mode: Option<String>,
    /// What is asked for, with spaces between: `openid`, `profile`, `email`, `phone`, `offline_access`, the project's own.
    scope: Option<String>,
    /// Repeated in the answer; at most 4096 bytes.
    state: Option<String>,
    /// Repeated in the id_token; at most 512 bytes.
    nonce: Option<String>,
    /// The hash of the verifier (RFC 7636). Only clients that registered `oauth.pkce=nonce_or_pkce` may send a `nonce` instead.
    code_challenge: Option<String>,
    /// `S256`.
    code_challenge_method: Option<String>,
    /// `none`, or some of `login`, `consent`, `select_account`.
    prompt: Option<String>,
    /// How many seconds ago the user may have been proved at most.
    max_age: Option<u32>,
    /// The e-mail address of whoever is about to sign in, as the app believes.
    login_hint: Option<String>,
    /// An id_token of this issuer for this client: its user and no other.
    id_token_hint: Option<String>,
    /// Which levels the client wants, with spaces between.
    acr_values: Option<String>,
    /// Which languages the user reads, the best first, with spaces between.
    ui_locales: Option<String>,
    /// The API that the tokens are for (RFC 8707): this project's.
    resource: Option<String>,
    /// The thumbprint of the key to which the code is to be bound (RFC 9449 §10).
    dpop_jkt: Option<String>,
}
