//! Keys of delegated calls in development: the web app's and the backend's, with which nobody's calls but those to this machine are signed.

use countersign_crypto::delegation::credential::Credential;
use countersign_domain::id::{ClientId, ProjectId};
use countersign_service::{Service, keys::delegation::DelegationPem};
use serde_json::{Value, json};

use super::oauth::WEB;
use crate::error::Failure;

const BACKEND: &str = "c4";
/// What clients of the guide call every key: it names none.
const KID: &str = "hawcx";

/// What an earlier start made, or this one.
pub(super) struct DelegationSecrets {
    /// The web app's.
    web: String,
    web_pem: DelegationPem,
    /// The backend's.
    backend: String,
}

/// Those that an earlier start wrote down, where they still work; else new ones.
pub(super) async fn prepare(
    service: &Service,
    project: &ProjectId,
    known: Option<&DelegationSecrets>,
) -> Result<DelegationSecrets, Failure> {
    let web = credential(service, project, WEB, known.map(|it| it.web.as_str())).await?;
    let backend = credential(service, project, BACKEND, known.map(|it| it.backend.as_str())).await?;
    DelegationSecrets::of(web, backend).ok_or_else(|| Failure::Failed("a new credential can't be read".to_owned()))
}

async fn credential(
    service: &Service,
    project: &ProjectId,
    client: &str,
    known: Option<&str>,
) -> Result<String, Failure> {
    let client: ClientId = client.parse().map_err(|problem| Failure::failed("client", problem))?;
    let is_live = |text: &&str| {
        Credential::parse(text).is_ok_and(|credential| service.knows_live_credential(project, &client, &credential))
    };
    if let Some(text) = known.filter(is_live) {
        return Ok(text.to_owned());
    }
    let made = service.create_delegation_key(project, &client, None).await?;
    Ok(made.credential.danger_expose().to_owned())
}

impl DelegationSecrets {
    fn of(web: String, backend: String) -> Option<Self> {
        let web_pem = DelegationPem::of(&Credential::parse(&web).ok()?).ok()?;
        Some(Self { web, web_pem, backend })
    }

    /// As [`json`](Self::json) wrote it.
    pub(super) fn read(json: &Value) -> Option<Self> {
        let member = |name: &str| json[name].as_str().map(str::to_owned);
        Self::of(member("credential")?, member("backend_credential")?)
    }

    pub(super) fn json(&self) -> Value {
        let pem = &self.web_pem;
        json!({
            "sp_id": WEB,
            "kid": KID,
            "sp_signing_key_pem": pem.sp_signing_key.danger_expose(),
            "sp_encryption_key_pem": pem.sp_encryption_key.danger_expose(),
            "idp_verify_key_pem": pem.idp_verify_key,
            "idp_encryption_key_pem": pem.idp_encryption_key,
            "credential": self.web,
            "backend_credential": self.backend,
        })
    }

    /// Under the names that the guides use.
    pub(super) fn env(&self) -> [(&'static str, &str); 5] {
        let pem = &self.web_pem;
        [
            ("SP_ED25519_PRIVATE_KEY_PEM", pem.sp_signing_key.danger_expose()),
            ("SP_X25519_PRIVATE_KEY_PEM", pem.sp_encryption_key.danger_expose()),
            ("IDP_ED25519_PUBLIC_KEY_PEM", &pem.idp_verify_key),
            ("IDP_X25519_PUBLIC_KEY_PEM", &pem.idp_encryption_key),
            ("HAWCX_SECRET_KEY", &self.web),
        ]
    }
}
