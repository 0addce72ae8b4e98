//! `dev.json` for scripts, `dev.env` for shells and dotenv readers: the same facts under the names that the published guides use.

use std::fmt::Write;

use serde_json::{Value, json};

use super::{
    backend::BackendSecrets,
    delegation::DelegationSecrets,
    oauth::{REDIRECT_URI, WEB},
};
use crate::{
    data_dir::{DataDir, write_private},
    error::Failure,
};

pub(super) const JSON: &str = "dev.json";
const ENV: &str = "dev.env";

/// What the files say.
pub(super) struct DevFiles {
    pub(super) url: String,
    pub(super) secret_key: String,
    /// None where a version wrote it that had no client API.
    pub(super) client_api: Option<ClientApi>,
    /// None where a version wrote it that had no delegated calls.
    pub(super) delegation: Option<DelegationSecrets>,
    /// None where an earlier version wrote it.
    pub(super) backend: Option<BackendSecrets>,
    /// Of the tokens: the URL, unless the project was given a host of its own.
    pub(super) issuer: String,
    /// The key that signs, as of this start.
    pub(super) public_key: String,
}

/// The keys of the client API.
pub(super) struct ClientApi {
    pub(super) publishable_key: String,
    pub(super) hmac_secret: String,
}

impl DevFiles {
    /// What an earlier start wrote.
    pub(super) fn read(data: &DataDir) -> Option<Self> {
        let text = std::fs::read_to_string(data.file(JSON)).ok()?;
        let json: Value = serde_json::from_str(&text).ok()?;
        let member = |name: &str| json[name].as_str().map(str::to_owned);
        let issuer = json["oauth"]["issuer"].as_str()?.to_owned();
        let client_api = member("publishable_key").zip(member("hmac_secret"));
        let client_api = client_api.map(|(publishable_key, hmac_secret)| ClientApi { publishable_key, hmac_secret });
        let delegation = DelegationSecrets::read(&json["delegation"]);
        let of_backend = |name: &str| json["backend"][name].as_str().map(str::to_owned);
        let backend = of_backend("session_secret").zip(of_backend("flask_secret_key"));
        let backend = backend.map(|(session, flask)| BackendSecrets { session, flask });
        let public_key = json["oauth"]["public_key_pem"].as_str().unwrap_or_default().to_owned();
        let (url, secret_key) = (member("url")?, member("secret_key")?);
        Some(Self { url, secret_key, client_api, delegation, backend, issuer, public_key })
    }

    pub(super) fn write(&self, data: &DataDir) -> Result<(), Failure> {
        write_private(&data.file(JSON), format!("{:#}\n", self.json()).as_bytes())?;
        write_private(&data.file(ENV), self.env().as_bytes())
    }

    fn publishable_key(&self) -> &str {
        self.client_api.as_ref().map_or("", |keys| &keys.publishable_key)
    }

    fn hmac_secret(&self) -> &str {
        self.client_api.as_ref().map_or("", |keys| &keys.hmac_secret)
    }

    fn backend(&self) -> (&str, &str) {
        self.backend.as_ref().map_or(("", ""), |secrets| (&secrets.session, &secrets.flask))
    }

    fn jwks_uri(&self) -> String {
        format!("{}/.well-known/jwks.json", self.issuer)
    }

    fn token_endpoint(&self) -> String {
        format!("{}/oauth2/token", self.issuer)
    }

    fn json(&self) -> Value {
        let (session_secret, flask_secret_key) = self.backend();
        json!({
            "url": self.url,
            "project_id": "p1",
            "clients": { "ios": "c1", "android": "c2", "web": "c3", "backend": "c4" },
            "secret_key": self.secret_key,
            "publishable_key": self.publishable_key(),
            "hmac_secret": self.hmac_secret(),
            "oauth": {
                "issuer": self.issuer,
                "authorization_endpoint": format!("{}/oauth2/authorize", self.issuer),
                "token_endpoint": self.token_endpoint(),
                "jwks_uri": self.jwks_uri(),
                "client_id": WEB,
                "redirect_uri": REDIRECT_URI,
                "public_key_pem": self.public_key,
            },
            "delegation": self.delegation.as_ref().map(DelegationSecrets::json),
            "backend": { "session_secret": session_secret, "flask_secret_key": flask_secret_key },
            "outbox_url": format!("{}/dev/outbox", self.url),
        })
    }

    /// `NAME='value'`, as a shell and python-dotenv read it alike: no value has a quote in it.
    fn env(&self) -> String {
        let (jwks_uri, token_endpoint) = (self.jwks_uri(), self.token_endpoint());
        let (session_secret, flask_secret_key) = self.backend();
        let facts = [
            ("HUMA_URL", self.url.as_str()),
            ("VERIFICATION_TOKEN", &self.secret_key),
            ("PROFICIENT_API_KEY", self.publishable_key()),
            ("HMAC_SECRET", self.hmac_secret()),
            ("OAUTH_TOKEN_ENDPOINT", &token_endpoint),
            ("OAUTH_CLIENT_ID", WEB),
            ("JWKS_URL", &jwks_uri),
            ("OAUTH_ISSUER", &self.issuer),
            // Whom an id_token is for: the client.
            ("OAUTH_AUDIENCE", WEB),
            ("OAUTH_PUBLIC_KEY", &self.public_key),
            ("SESSION_SECRET", session_secret),
            ("FLASK_SECRET_KEY", flask_secret_key),
        ];
        let of_delegation = self.delegation.as_ref().map(DelegationSecrets::env);
        let facts = facts.into_iter().chain(of_delegation.into_iter().flatten());
        let mut text = String::new();
        for (name, value) in facts {
            debug_assert!(!value.contains('\''), "a quote would end the value");
            let _ = writeln!(text, "{name}='{value}'");
        }
        text
    }
}
