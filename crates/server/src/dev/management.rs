//! The keys by which the backend of development, `c4`, signs its calls. The server knows the public halves alone.

use base64::{Engine, engine::general_purpose::STANDARD};
use countersign_crypto::{
    delegation::keys::Signer,
    encoding,
    entropy::Entropy,
    jose::{client_key::ClientKey, signing_key::SigningKey},
};
use countersign_domain::id::{ClientId, ProjectId, SigningKeyId};
use countersign_service::{Service, projects::set::SettingChanges};
use serde_json::{Value, json};

use super::files::DevFiles;
use crate::error::Failure;

/// The backend.
pub(super) const BACKEND: &str = "c4";
const KID: &str = "c4-ed25519";
const ES256_KID: &str = "c4-es256";

/// Its keys, as `dev.json` has them.
#[derive(Clone)]
pub(super) struct ManagementKeys {
    pub(super) kid: String,
    pub(super) signing_key_pem: String,
    /// The same key as a JWK, its private half included.
    pub(super) signing_jwk: Value,
    pub(super) es256_kid: String,
    pub(super) es256_key_pem: String,
}

impl ManagementKeys {
    /// As an earlier start wrote them.
    pub(super) fn read(json: &Value) -> Option<Self> {
        let text = |name: &str| json[name].as_str().map(str::to_owned);
        Some(Self {
            kid: text("kid")?,
            signing_key_pem: text("signing_key_pem")?,
            signing_jwk: json.get("signing_jwk").filter(|jwk| jwk.is_object())?.clone(),
            es256_kid: text("es256_kid")?,
            es256_key_pem: text("es256_key_pem")?,
        })
    }

    pub(super) fn json(&self) -> Value {
        json!({
            "client_id": BACKEND, "config_id": "p1", "kid": self.kid, "signing_key_pem": self.signing_key_pem,
            "signing_jwk": self.signing_jwk, "es256_kid": self.es256_kid, "es256_key_pem": self.es256_key_pem,
        })
    }
}

/// Gives the backend keys where it has none. What was registered otherwise since stays as it is.
pub(super) async fn prepare(
    service: &Service,
    project: &ProjectId,
    known: Option<&DevFiles>,
) -> Result<Option<ManagementKeys>, Failure> {
    let id: ClientId = BACKEND.parse().map_err(|problem| Failure::failed("client", problem))?;
    let client = service.show_client(project, &id).await?;
    if client.overrides.contains_key("oauth.jwks") {
        return Ok(known.and_then(|files| files.management.clone()));
    }
    let (keys, jwks) = generate(&Entropy::system())?;
    let settings = [("oauth.jwks", jwks.to_string()), ("management", "on".to_owned())];
    let settings = settings.map(|(name, value)| (name.to_owned(), value)).to_vec();
    service.set_client(project, &id, SettingChanges { name: None, settings }).await?;
    Ok(Some(keys))
}

fn generate(entropy: &Entropy) -> Result<(ManagementKeys, Value), Failure> {
    let broken = |_| Failure::Failed("no key could be made for the backend".to_owned());
    let signer = Signer::generate(entropy).map_err(|_| Failure::Failed("no key could be made".to_owned()))?;
    let unreadable = |_| Failure::Failed("a key that was made can't be written down".to_owned());
    let seed = signer.danger_to_bytes().map_err(unreadable)?;
    let x = encoding::encode(signer.verifier().map_err(unreadable)?.to_bytes());
    let public = json!({ "kty": "OKP", "crv": "Ed25519", "x": x, "kid": KID, "alg": "EdDSA", "use": "sig" });
    let mut private = public.clone();
    private["d"] = encoding::encode(*seed).into();
    let es256 = SigningKey::generate(SigningKeyId::from_bytes(entropy.bytes())).map_err(broken)?;
    let es256 = es256.danger_to_pkcs8().map_err(broken)?;
    let mut es256_public = ClientKey::from_pkcs8(&es256).map_err(broken)?.jwk();
    (es256_public["kid"], es256_public["alg"], es256_public["use"]) = (ES256_KID.into(), "ES256".into(), "sig".into());
    let keys = ManagementKeys {
        kid: KID.to_owned(),
        signing_key_pem: signer.danger_to_pem().map_err(unreadable)?.danger_expose().to_owned(),
        signing_jwk: private,
        es256_kid: ES256_KID.to_owned(),
        es256_key_pem: pem(&es256),
    };
    Ok((keys, json!({ "keys": [public, es256_public] })))
}

/// RFC 7468 §10.
fn pem(pkcs8: &[u8]) -> String {
    let text = STANDARD.encode(pkcs8);
    let lines: Vec<&str> = text.as_bytes().chunks(64).filter_map(|line| str::from_utf8(line).ok()).collect();
    format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", lines.join("\n"))
}
