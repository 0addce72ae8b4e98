//! Settings of projects and clients: what each is called, what it means, what it may be.
//!
//! A project holds only what it sets itself; a client, what it sets differently. Everything else is the default here, so that a better
//! default reaches everyone who didn't choose.

mod value;

use std::{collections::BTreeMap, num::NonZeroU32, time::Duration};

pub use value::{HmacEnforcement, PINNED, ProofVersions, SignupExisting, VouchEmail};
use value::{
    audience, choice, grants, host_name, host_names, json_or_nothing, optional, origins, parsed, patience, pinned_key,
    redirect_uris, rotation, scopes, span, stay, switch,
};

use crate::{
    gateway::{routes::Routes, upstream::Upstream},
    id::SigningKeyId,
    mfa::MfaPolicy,
    oauth::{
        redirect_uri::RedirectUri,
        registration::{AuthMethod, GrantType, PkcePolicy},
        scope::Scopes,
    },
    page_look::{PageColor, PageLogo},
    refresh::RefreshRule,
    signing_algorithm::SigningAlgorithm,
};

/// The setting that names a client's signing key.
pub const SIGNING_KEY: &str = "oauth.signing_key";

/// Settings that somebody made, by name.
pub type Overrides = BTreeMap<String, String>;

/// Where a setting may be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// On the project only.
    Project,
    /// On the project, and differently on a client.
    Client,
    /// On a client only: it says what that one client is.
    OnlyClient,
}

impl Scope {
    /// May a client set it?
    pub const fn has_clients(self) -> bool {
        matches!(self, Self::Client | Self::OnlyClient)
    }

    /// May a project set it?
    pub const fn has_projects(self) -> bool {
        matches!(self, Self::Project | Self::Client)
    }
}

/// What there is to know about a setting.
#[derive(Debug)]
pub struct Definition {
    /// Its name, as in `project set p1 NAME=VALUE`.
    pub name: &'static str,
    /// What it does, in a sentence or two.
    pub meaning: &'static str,
    /// Its value where nobody set one.
    pub default: &'static str,
    /// Where it may be made.
    pub scope: Scope,
    check: fn(&str) -> Result<(), String>,
}

/// Why a setting can't be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSetting {
    /// There is none of that name.
    #[error("there is no setting `{0}`; `project show` lists them all")]
    Unknown(String),
    /// It is the project's alone.
    #[error("`{0}` is a setting of the project, not of a client")]
    NotForClients(&'static str),
    /// It is a client's alone.
    #[error("`{0}` is a setting of a client, not of the project")]
    NotForProjects(&'static str),
    /// It can't have that value.
    #[error("`{name}` {problem}")]
    Value {
        /// The setting.
        name: &'static str,
        /// What a value must be.
        problem: String,
    },
}

/// One way to call every reader.
fn read<T>(text: &str, reader: fn(&str) -> Result<T, String>) -> Result<T, String> {
    reader(text)
}

macro_rules! settings {
    ($($(#[doc = $meaning:literal])+ $field:ident: $type:ty = $name:literal, $scope:ident, $default:literal, $parse:expr;)+) => {
        /// All settings that hold for a client of a project, or for the project itself.
        #[derive(Debug, Clone)]
        pub struct Settings {
            $($(#[doc = $meaning])+ pub $field: $type,)+
        }

        /// Every setting there is.
        pub const DEFINITIONS: &[Definition] = &[$(Definition {
            name: $name,
            meaning: concat!($($meaning),+).trim_ascii_start(),
            default: $default,
            scope: Scope::$scope,
            check: |text| read(text, $parse).map(drop),
        }),+];

        impl Settings {
            /// The values that hold where `layers` were set, the most specific first.
            pub fn resolve(layers: &[&Overrides]) -> Result<Self, InvalidSetting> {
                let value = |name: &str, default: &'static str| {
                    layers.iter().find_map(|layer| layer.get(name)).map_or(default, String::as_str).to_owned()
                };
                Ok(Self {
                    $($field: read(&value($name, $default), $parse).map_err(|problem| InvalidSetting::Value { name: $name, problem })?,)+
                })
            }
        }
    };
}

settings! {
    /// Whether an e-mail address or telephone number in a vouch counts as proved: `trusted`, or `unverified`.
    vouch_email: VouchEmail = "vouch.email", Project, "trusted", choice::<VouchEmail>;
    /// What a sign-up gets that names a user who exists: `accept`, tokens for that user, or `reject`, an error.
    signup_existing: SignupExisting = "signup_existing", Project, "accept", choice::<SignupExisting>;
    /// Whether whoever proves an address here may become a user: `on`, or `off`, where only backends and operators make users.
    signup: bool = "signup", Project, "off", switch;
    /// Whether newcomers need an activation code (`countersign activation-code create`), vouched-for ones too: `on`, or `off`.
    signup_activation: bool = "signup.activation", Project, "off", switch;
    /// The host name at which this project is served, beside its path; empty: none.
    host: Option<String> = "host", Project, "", host_name;
    /// The `aud` of access tokens, an absolute URI or a name; empty: the project's issuer.
    audience: Option<String> = "audience", Project, "", audience;
    /// Calls per second that one secret key may make.
    limit_key_rate: NonZeroU32 = "limits.key.rate", Project, "1000", choice::<NonZeroU32>;
    /// Calls that one secret key may make at once before the rate counts.
    limit_key_burst: NonZeroU32 = "limits.key.burst", Project, "2000", choice::<NonZeroU32>;
    /// Vouches per minute for one e-mail address.
    limit_email: NonZeroU32 = "limits.email", Project, "60", choice::<NonZeroU32>;
    /// Failed calls per minute from one network (/24 or /56). Authentic tokens are served even then.
    limit_failures: NonZeroU32 = "limits.failures", Project, "60", choice::<NonZeroU32>;
    /// Sign-ins per minute that one network (/24 or /56) may begin.
    limit_sign_ins: NonZeroU32 = "limits.sign_ins", Project, "300", choice::<NonZeroU32>;
    /// How long somebody who signed in here stays signed in, in that browser, for all apps of the project; `0s`: each app asks again.
    browser_lifetime: Duration = "browser.lifetime", Project, "14days", stay;
    /// Which users are asked for a second factor here: `off`, none, unless an app asks for the level; `suggested`, those who have one, as they wish; `required`, everybody, and who has none sets one up.
    mfa_policy: MfaPolicy = "mfa.policy", Project, "suggested", choice::<MfaPolicy>;
    /// Where the logo on the project's own pages is fetched from, an `https` address; empty: there is none.
    page_logo: Option<PageLogo> = "page.logo", Project, "", optional::<PageLogo>;
    /// The colour of the buttons on the project's own pages, like `#0b57b5`.
    page_color: PageColor = "page.color", Project, "#0b57b5", parsed::<PageColor>;
    /// Messages an hour that may be sent because of one network (/24 or /56). One address gets five in ten minutes, whoever asks.
    limit_messages_network: NonZeroU32 = "limits.messages.network", Project, "60", choice::<NonZeroU32>;
    /// Text messages an hour that may be sent to the telephones of one country.
    limit_messages_country: NonZeroU32 = "limits.messages.country", Project, "300", choice::<NonZeroU32>;
    /// What an app must show beside a user's id: `required`, an HMAC; `observe`, nothing, but what would fail is counted; `off`, nothing.
    hmac: HmacEnforcement = "hmac", Project, "required", choice::<HmacEnforcement>;
    /// Which user proofs are taken: `v1`, good for ever; `v2`, which expires; `both`.
    hmac_versions: ProofVersions = "hmac.versions", Project, "both", choice::<ProofVersions>;
    /// How far ahead a v2 proof may end.
    hmac_lifetime: Duration = "hmac.lifetime", Project, "5m", |text| span(text, "10s", "24h");
    /// Whether the first proved call of a user makes the user: `on`, or `off`.
    users_create: bool = "users.create", Project, "on", switch;
    /// How many users first calls may make in an hour.
    users_per_hour: NonZeroU32 = "users.per_hour", Project, "100000", choice::<NonZeroU32>;
    /// How many users calls without proof may make in all, while `hmac` doesn't require any.
    users_unproved: u32 = "users.unproved", Project, "1000", choice::<u32>;
    /// From which origins pages may call with a user's id, with spaces between; empty: from any.
    origins: Vec<String> = "origins", Project, "", origins;
    /// How long a signing key is used before the next takes its place; `0s`: until it is rotated by hand.
    signing_rotation: Duration = "signing.rotation", Project, "90days", rotation;
    /// The API behind the gateway, like `http://127.0.0.1:9000`: what is none of our own paths goes there once the caller is proved; empty: none.
    gateway_upstream: Option<Upstream> = "gateway.upstream", Project, "", optional::<Upstream>;
    /// Where a host or a part of the paths has an upstream of its own: a JSON list of `host`, `prefix`, `upstream`, `accepts` (`hmac`, `access_token`, `secret_key`) and `strip_prefix`; empty: none.
    gateway_routes: Option<Routes> = "gateway.routes", Project, "", optional::<Routes>;
    /// How long an upstream may take until its answer begins, counted from the last of the request.
    gateway_timeout: Duration = "gateway.timeout", Project, "60s", |text| span(text, "100ms", "24h");
    /// How long connecting to an upstream may take, TLS included.
    gateway_connect_timeout: Duration = "gateway.connect_timeout", Project, "5s", |text| span(text, "100ms", "10m");
    /// How long a body or a WebSocket may stand still before it is broken off; `0s`: for ever, so that events may be an hour apart.
    gateway_idle_timeout: Option<Duration> = "gateway.idle_timeout", Project, "0s", patience;
    /// Whether `%2F` may stand in a path: `on`, or `off`.
    gateway_encoded_slashes: bool = "gateway.encoded_slashes", Project, "off", switch;
    /// Whether `http` upstreams speak HTTP/2 from the first byte, as gRPC wants it: `on`, or `off`.
    gateway_h2c: bool = "gateway.h2c", Project, "off", switch;
    /// The `aud` of the assertion that goes to an upstream; empty: the upstream's origin.
    gateway_audience: Option<String> = "gateway.audience", Project, "", audience;
    /// Host names of APIs whose proxy asks `/verify` about their calls, with spaces between: apps make their proofs of possession for these; empty: none.
    verify_hosts: Vec<String> = "verify.hosts", Project, "", host_names;
    /// Whether `/verify` signs what it says of a caller (`X-Countersign-Assertion`): `on`, or `off`, where the API trusts its proxy.
    verify_assertion: bool = "verify.assertion", Project, "on", switch;
    /// How long an access token lives.
    access_lifetime: Duration = "access.lifetime", Client, "15m", |text| span(text, "10s", "24h");
    /// How long a session lives at most, however often it is refreshed.
    refresh_lifetime: Duration = "refresh.lifetime", Client, "45days", |text| span(text, "1m", "10years");
    /// How long after a rotation the token before is still answered, for apps that lost the answer.
    refresh_retry: Duration = "refresh.retry", Client, "24h", |text| span(text, "0s", "30days");
    /// How long after a rotation two tokens may simply be in flight.
    refresh_overlap: Duration = "refresh.overlap", Client, "60s", |text| span(text, "0s", "10m");
    /// Whether a refresh makes a new refresh token: `on`, or `off`, for confidential clients only (RFC 9700 §2.2.2).
    refresh_rotation: bool = "refresh.rotation", Client, "on", switch;
    /// Whether a proof of possession must carry a nonce of the server's: `on`, or `off`, for clients that can't (RFC 9449 §8).
    dpop_nonce: bool = "dpop.nonce", Client, "on", switch;
    /// How long a session lives without being refreshed.
    session_idle: Duration = "session.idle", Client, "30days", |text| span(text, "1m", "10years");
    /// How many sessions one user may have in one client; the oldest goes.
    session_cap: NonZeroU32 = "session.cap", Client, "100", choice::<NonZeroU32>;
    /// Where users may be sent back to with a code, with spaces between: compared byte for byte, but for the port of `127.0.0.1` and `[::1]`; empty: nowhere.
    oauth_redirect_uris: Vec<RedirectUri> = "oauth.redirect_uris", OnlyClient, "", redirect_uris;
    /// How the client authenticates itself: `none`, `client_secret_basic`, `client_secret_post` or `private_key_jwt`. It uses this method and no other.
    oauth_auth_method: AuthMethod = "oauth.auth_method", OnlyClient, "none", choice::<AuthMethod>;
    /// The public keys of a client that signs assertions: a JWK Set of EC P-256, Ed25519 or RSA keys; empty: none.
    oauth_jwks: Option<String> = "oauth.jwks", OnlyClient, "", json_or_nothing;
    /// Whether the client is the project's own (`on`), so that its users aren't asked for consent and it may show its own screens; else `off`.
    oauth_first_party: bool = "oauth.first_party", OnlyClient, "off", switch;
    /// Which grants the client uses, with spaces between: `authorization_code`, `refresh_token`, `client_credentials`.
    oauth_grants: Vec<GrantType> = "oauth.grants", OnlyClient, "authorization_code refresh_token", grants;
    /// Which scopes the client may ask for, with spaces between.
    oauth_scopes: Scopes = "oauth.scopes", OnlyClient, "openid profile email phone offline_access", scopes;
    /// By which algorithm its id_tokens are signed: `ES256`, `EdDSA` or `RS256`.
    oauth_id_token_alg: SigningAlgorithm = "oauth.id_token_alg", OnlyClient, "ES256", parsed::<SigningAlgorithm>;
    /// Which key signs its id_tokens; empty: the one whose turn it is. `pinned`: the one that does now, through all rotations, for a client that knows one key and never looks for others. Beware: it isn't rotated but by setting `pinned` again.
    oauth_signing_key: Option<SigningKeyId> = "oauth.signing_key", OnlyClient, "", pinned_key;
    /// What protects its codes: `required`, PKCE; `nonce_or_pkce`, one of both, for confidential clients that are older than PKCE.
    oauth_pkce: PkcePolicy = "oauth.pkce", OnlyClient, "required", choice::<PkcePolicy>;
    /// Whether its assertions may name the token endpoint as their audience (`on`), as old clients do; else `off`, the issuer alone.
    oauth_legacy: bool = "oauth.legacy", OnlyClient, "off", switch;
}

impl Settings {
    /// The settings of the refresh rule.
    pub const fn refresh_rule(&self) -> RefreshRule {
        RefreshRule { retry: self.refresh_retry, overlap: self.refresh_overlap, rotates: self.refresh_rotation }
    }
}

/// Finds a setting by its name.
pub fn definition(name: &str) -> Result<&'static Definition, InvalidSetting> {
    DEFINITIONS.iter().find(|it| it.name == name).ok_or_else(|| InvalidSetting::Unknown(name.to_owned()))
}

impl Definition {
    /// May this be its value?
    pub fn check(&self, value: &str) -> Result<(), InvalidSetting> {
        (self.check)(value).map_err(|problem| InvalidSetting::Value { name: self.name, problem })
    }

    /// The value that holds where `layers` were set, the most specific first.
    pub fn value<'a>(&'a self, layers: &[&'a Overrides]) -> &'a str {
        layers.iter().find_map(|layer| layer.get(self.name)).map_or(self.default, String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(name: &str, value: &str) -> Overrides {
        Overrides::from([(name.to_owned(), value.to_owned())])
    }

    #[test]
    fn the_defaults_are_valid_and_every_setting_has_a_meaning() {
        Settings::resolve(&[]).unwrap();
        for definition in DEFINITIONS {
            assert_eq!(definition.check(definition.default), Ok(()), "{}", definition.name);
            assert!(definition.meaning.ends_with('.'), "{}: {}", definition.name, definition.meaning);
        }
    }

    #[test]
    fn a_client_differs_from_its_project_and_the_project_from_the_default() {
        let (project, client) = (set("refresh.overlap", "2m"), set("refresh.overlap", "1s"));
        let of = |layers: &[&Overrides]| Settings::resolve(layers).unwrap().refresh_overlap;
        assert_eq!(of(&[]), Duration::from_mins(1));
        assert_eq!(of(&[&project]), Duration::from_mins(2));
        assert_eq!(of(&[&client, &project]), Duration::from_secs(1));
    }

    #[test]
    fn a_value_that_makes_no_sense_is_refused_with_what_would() {
        let check = |name: &str, value: &str| definition(name).unwrap().check(value).unwrap_err().to_string();
        insta(&check("access.lifetime", "soon"), "`access.lifetime` must be a time like `15m` or `45days`");
        insta(&check("access.lifetime", "1s"), "`access.lifetime` must be between 10s and 24h");
        insta(&check("session.cap", "0"), "`session.cap` must be a whole number from 1");
        insta(&check("vouch.email", "yes"), "`vouch.email` must be `trusted` or `unverified`");
        insta(&check("host", "http://x"), "`host` must be a host name like `auth.example.com`");
        let hosts = check("verify.hosts", "api.example.com https://x");
        insta(&hosts, "`verify.hosts` must be host names like `api.example.com`, with spaces between");
        insta(&check("refresh.rotation", "1"), "`refresh.rotation` must be `on` or `off`");
        insta(&check("gateway.upstream", "127.0.0.1:9000"), "`gateway.upstream` must begin with http:// or https://");
        let idle = check("gateway.idle_timeout", "1ms");
        insta(&idle, "`gateway.idle_timeout` must be 0s (never), or between 100ms and 30days");
        let unknown = definition("acces.lifetime").unwrap_err().to_string();
        insta(&unknown, "there is no setting `acces.lifetime`; `project show` lists them all");
    }

    fn insta(actual: &str, expected: &str) {
        assert_eq!(actual, expected);
    }
}
