//! What the provider says of itself (OpenID Connect Discovery §3, RFC 8414 §2): generated from what is switched on, so that it can't promise
//! what isn't there.

use std::collections::BTreeSet;

use bytes::Bytes;
use countersign_crypto::{dpop, jose::client_jwks};
use countersign_domain::{
    oauth::registration::{AuthMethod, GrantType},
    proof::Level,
};
use serde::Serialize;

use super::token::OF_USERS;
use crate::{
    Service,
    address::{Address, Misaddressed},
    client_auth::Endpoint,
    directory::ProjectView,
};

/// The document.
#[derive(Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "members of a published document")]
struct ProviderMetadata {
    /// The `iss` of all tokens.
    issuer: String,
    /// Where users are sent.
    authorization_endpoint: String,
    /// Where apps of the project's own sign users in on their own screens (OAuth 2.0 for First-Party Applications).
    authorization_challenge_endpoint: String,
    /// Where codes become tokens.
    token_endpoint: String,
    /// What a client may learn of a user.
    userinfo_endpoint: String,
    /// What a token is worth.
    introspection_endpoint: String,
    /// Where tokens are given back.
    revocation_endpoint: String,
    /// The keys.
    jwks_uri: String,
    /// Of all clients together.
    scopes_supported: BTreeSet<String>,
    /// `code`.
    response_types_supported: [&'static str; 1],
    /// How answers come back.
    response_modes_supported: [&'static str; 2],
    /// What the token endpoint takes.
    grant_types_supported: [&'static str; 3],
    /// The levels.
    acr_values_supported: [&'static str; 3],
    /// One `sub` for all clients.
    subject_types_supported: [&'static str; 1],
    /// By what id_tokens are signed.
    id_token_signing_alg_values_supported: Vec<&'static str>,
    /// How clients authenticate.
    token_endpoint_auth_methods_supported: [&'static str; 4],
    /// By what their assertions are signed.
    token_endpoint_auth_signing_alg_values_supported: [&'static str; 4],
    /// Those of them that prove something.
    introspection_endpoint_auth_methods_supported: Vec<&'static str>,
    /// By what their assertions are signed.
    introspection_endpoint_auth_signing_alg_values_supported: [&'static str; 4],
    /// As at the token endpoint.
    revocation_endpoint_auth_methods_supported: [&'static str; 4],
    /// By what their assertions are signed.
    revocation_endpoint_auth_signing_alg_values_supported: [&'static str; 4],
    /// What tokens and userinfo may say.
    claims_supported: Vec<&'static str>,
    /// PKCE.
    code_challenge_methods_supported: [&'static str; 1],
    /// RFC 9207.
    authorization_response_iss_parameter_supported: bool,
    /// RFC 9449.
    dpop_signing_alg_values_supported: Vec<&'static str>,
    /// No.
    request_parameter_supported: bool,
    /// No; where it is missing it means yes.
    request_uri_parameter_supported: bool,
    /// No.
    claims_parameter_supported: bool,
}

impl Service {
    /// What the project that is addressed says of its provider, as JSON.
    pub fn provider_metadata(&self, address: &Address) -> Result<Bytes, Misaddressed> {
        let project = self.project(address)?;
        let document =
            project.metadata.get_or_init(|| serde_json::to_vec(&metadata(&project)).unwrap_or_default().into());
        Ok(document.clone())
    }
}

fn metadata(project: &ProjectView) -> ProviderMetadata {
    let at = |path: &str| format!("{}{path}", project.issuer);
    let scopes = project.clients().flat_map(|client| client.settings.oauth_scopes.iter().map(str::to_owned));
    ProviderMetadata {
        issuer: project.issuer.to_string(),
        authorization_endpoint: at("/oauth2/authorize"),
        authorization_challenge_endpoint: at(Endpoint::AuthorizeChallenge.path()),
        token_endpoint: at(Endpoint::Token.path()),
        userinfo_endpoint: at("/oauth2/userinfo"),
        introspection_endpoint: at(Endpoint::Introspection.path()),
        revocation_endpoint: at(Endpoint::Revocation.path()),
        jwks_uri: at("/.well-known/jwks.json"),
        scopes_supported: scopes.chain([OF_USERS[0].to_owned()]).collect(),
        response_types_supported: ["code"],
        response_modes_supported: ["query", "form_post"],
        grant_types_supported: GrantType::ALL.map(GrantType::as_str),
        acr_values_supported: [Level::TwoFactors, Level::OneFactor, Level::Vouched].map(Level::as_str),
        subject_types_supported: ["public"],
        id_token_signing_alg_values_supported: project.signing_algorithms().map(|(it, _)| it.as_str()).collect(),
        token_endpoint_auth_methods_supported: AuthMethod::ALL.map(AuthMethod::as_str),
        token_endpoint_auth_signing_alg_values_supported: client_jwks::ALGORITHMS,
        introspection_endpoint_auth_methods_supported: proving(),
        introspection_endpoint_auth_signing_alg_values_supported: client_jwks::ALGORITHMS,
        revocation_endpoint_auth_methods_supported: AuthMethod::ALL.map(AuthMethod::as_str),
        revocation_endpoint_auth_signing_alg_values_supported: client_jwks::ALGORITHMS,
        claims_supported: CLAIMS.to_vec(),
        code_challenge_methods_supported: ["S256"],
        authorization_response_iss_parameter_supported: true,
        dpop_signing_alg_values_supported: dpop::ALGORITHMS.split(' ').collect(),
        request_parameter_supported: false,
        request_uri_parameter_supported: false,
        claims_parameter_supported: false,
    }
}

fn proving() -> Vec<&'static str> {
    AuthMethod::ALL.into_iter().filter(|method| method.proves()).map(AuthMethod::as_str).collect()
}

const CLAIMS: [&str; 18] = [
    "iss",
    "sub",
    "aud",
    "exp",
    "iat",
    "auth_time",
    "nonce",
    "acr",
    "amr",
    "sid",
    "email",
    "email_verified",
    "name",
    "given_name",
    "family_name",
    "updated_at",
    "phone_number",
    "phone_number_verified",
];
