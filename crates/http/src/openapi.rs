//! The OpenAPI document.

use utoipa::{
    Modify, OpenApi,
    openapi::{
        self,
        security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme},
    },
};

use crate::{bootstrap, client_api, delegation, management, oauth, ops, pages, vouch};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Countersign",
        description = "A self-hosted authentication server. Every path stands at the root for the default project, under `/p/{project}` for \
            any, and at a project's own host name. Those under `/auth` stand under `/api/auth` too.",
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
    ),
    servers(
        (url = "/", description = "The default project, or the one that the call names itself"),
        (url = "/p/{project}", description = "A project", variables(("project" = (default = "p1", description = "The project")))),
    ),
    tags(
        (name = "Vouch", description = "Door 1: a backend vouches for its users, and their app goes on alone"),
        (name = "Client API", description = "Door 2, and what all doors share"),
        (name = "OpenID provider", description = "Door 3: clients send users here, exchange codes for tokens, and ask who signed in"),
        (name = "Management", description = "Door 3: a backend manages users by a key of its own"),
        (name = "Delegation", description = "Door 3: what a customer's backend does for its users, by calls that are sealed and signed"),
        (name = "Tokens", description = "What APIs need to check tokens"),
        (name = "Operation", description = "For machines that look after this one"),
    ),
    paths(
        vouch::sign_in::handle,
        vouch::sign_up::handle,
        vouch::send_code::handle,
        vouch::code_sign_in::handle,
        vouch::code_sign_up::handle,
        vouch::attributes::handle,
        vouch::refresh::handle,
        vouch::refresh::v1beta,
        vouch::sign_out::handle,
        vouch::profile::handle,
        vouch::sessions::handle,
        client_api::me::handle,
        client_api::verify::handle,
        client_api::explain::handle,
        client_api::sessions::handle,
        client_api::tickets::handle,
        client_api::users::list::handle,
        client_api::users::create::handle,
        client_api::users::show::handle,
        client_api::users::set::handle,
        client_api::users::delete::handle,
        pages::authorize::get,
        pages::authorize::post,
        oauth::authorize_challenge::handle,
        oauth::token::handle,
        oauth::userinfo::handle,
        oauth::userinfo::by_post,
        oauth::introspect::handle,
        oauth::revoke::handle,
        oauth::discovery::handle,
        oauth::discovery::authorization_server,
        bootstrap::challenge::handle,
        bootstrap::exchange::handle,
        bootstrap::token::handle,
        bootstrap::revoke::handle,
        management::policy::handle,
        management::step_up::start::handle,
        management::step_up::consume::handle,
        management::users::mfa_enforcement::handle,
        management::users::phone::handle,
        delegation::initiate::handle,
        delegation::verify::handle,
        delegation::get_creds::handle,
        delegation::set_suggest_mfa::handle,
        delegation::get_suggested_mfa::handle,
        delegation::mfa_update::handle,
        delegation::mfa_get::handle,
        delegation::devices::handle,
        delegation::revoke_device::handle,
        delegation::unrevoke_device::handle,
        delegation::delete_device::handle,
        delegation::device_revoke::handle,
        ops::jwks::handle,
        ops::health::live,
        ops::health::ready,
        ops::metrics::handle,
        ops::document::handle,
    ),
    modifiers(&Proofs),
)]
struct Document;

/// The proofs that calls carry.
struct Proofs;

impl Modify for Proofs {
    fn modify(&self, document: &mut openapi::OpenApi) {
        let components = document.components.get_or_insert_default();
        let secret_key = ApiKey::Header(ApiKeyValue::with_description(
            "verification-token",
            "A secret key of the project (`sk_…`). Backends only: a call with an `Origin` header is refused.",
        ));
        components.add_security_scheme("secret_key", SecurityScheme::ApiKey(secret_key));
        let header = |name: &str, meaning: &str| {
            SecurityScheme::ApiKey(ApiKey::Header(ApiKeyValue::with_description(name, meaning)))
        };
        let publishable = "The publishable key of the project (`pk_…`). Also as `X-COUNTERSIGN-API-KEY`.";
        components.add_security_scheme("publishable_key", header("X-PROFICIENT-API-KEY", publishable));
        let external_id = "The customer's own id of the user. Also as `X-COUNTERSIGN-USER-EXTERNAL-ID`.";
        components.add_security_scheme("client_call", header("X-PROFICIENT-USER-EXTERNAL-ID", external_id));
        let hmac = "The user's HMAC-SHA256 in base64, or a v2 proof; where the project doesn't require it, it may be left out. Also as \
                    `X-COUNTERSIGN-USER-HMAC`.";
        components.add_security_scheme("user_hmac", header("X-PROFICIENT-USER-HMAC", hmac));
        let secret_bearer = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some(
                "A secret key of the project (`sk_…`). Backends only: a call with an `Origin` header is refused.",
            ))
            .build();
        components.add_security_scheme("secret_bearer", SecurityScheme::Http(secret_bearer));
        let client_secret = HttpBuilder::new()
            .scheme(HttpAuthScheme::Basic)
            .description(Some(
                "A client's id and secret, for clients that registered `client_secret_basic` (RFC 6749 §2.3.1).",
            ))
            .build();
        components.add_security_scheme("client_secret_basic", SecurityScheme::Http(client_secret));
        let in_form =
            "In the form: `client_id`, with `client_secret` or `client_assertion` where the client registered that.";
        let client = ApiKey::Query(ApiKeyValue::with_description("client_id", in_form));
        components.add_security_scheme("client", SecurityScheme::ApiKey(client));
        let management = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .bearer_format("JWT")
            .description(Some(
                "An assertion that a client signs for this call by EdDSA, by a key of its `oauth.jwks` that it names: `iss` and `sub` the client, `aud` \
                 the address of the call, `iat`, `exp` at most 120 seconds later, `jti`, and `body_sha256`, the base64url of the SHA-256 of the body as it \
                 is sent. The client's setting `management` must be `on`. `X-Config-Id` names the project, `X-Hawcx-Protocol-Version` is 2. Backends \
                 only: a call with an `Origin` header is refused.",
            ))
            .build();
        components.add_security_scheme("management", SecurityScheme::Http(management));
        let delegation = "An Ed25519 signature over body and time by a delegation key of a client, with `X-Timestamp`, `X-Signature-Alg`, \
                          `X-Enc-Alg`, and `X-SP-Id` or `X-Key-Id`: docs/reference/delegation-envelope.md.";
        components.add_security_scheme("delegation", header("X-Signature", delegation));
        let access_token = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .bearer_format("JWT")
            .description(Some(
                "An access token of the project (RFC 6750, RFC 9068). One that is bound to a key goes after `DPoP` instead of `Bearer`, with a \
                 proof of that key in the `DPoP` header (RFC 9449).",
            ))
            .build();
        components.add_security_scheme("access_token", SecurityScheme::Http(access_token));
    }
}

/// The document.
pub fn document() -> openapi::OpenApi {
    Document::openapi()
}
