//! Development mode: a project that is ready to use, and files that say how.

mod backend;
mod client_api;
mod delegation;
mod files;
mod oauth;

use countersign_crypto::{api_key::SecretKeyHash, entropy::Entropy};
use countersign_domain::{
    client::ClientKind,
    id::{ClientId, ProjectId},
    key::KeyScope,
    text::Name,
};
use countersign_service::{Service, admin::Refused, projects::set::SettingChanges};

use crate::{data_dir::DataDir, error::Failure};
use backend::BackendSecrets;
use files::DevFiles;

const CLIENTS: [(&str, &str, ClientKind); 4] = [
    ("c1", "iOS app", ClientKind::Ios),
    ("c2", "Android app", ClientKind::Android),
    ("c3", "Web app", ClientKind::Web),
    ("c4", "Backend", ClientKind::Backend),
];

/// The project that the root serves.
pub fn default_project() -> Option<ProjectId> {
    "p1".parse().ok()
}

/// Was development mode ever started here?
pub fn is_development(data: &DataDir) -> bool {
    data.file(files::JSON).exists()
}

/// Where the server was last reached.
pub fn public_url(data: &DataDir) -> Option<String> {
    DevFiles::read(data).map(|files| files.url)
}

/// Makes what is missing, and writes down what is new. Gives the secret key.
pub async fn prepare(service: &Service, data: &DataDir) -> Result<String, Failure> {
    let project = default_project().ok_or_else(|| Failure::Failed("p1 is no project id".to_owned()))?;
    let missing = matches!(service.show_project(&project).await, Err(Refused::NotFound { .. }));
    if missing {
        service.create_project(project.clone(), name("Development")?).await?;
        // So that a first call needs no backend, and a first user no operator. Said on the terminal, and production begins with `required` and
        // `off`.
        let open = [("hmac", "off"), ("signup", "on")].map(|(name, value)| (name.to_owned(), value.to_owned()));
        service.set_project(&project, SettingChanges { name: None, settings: open.to_vec() }).await?;
    }
    for (id, label, kind) in CLIENTS {
        let id: ClientId = id.parse().map_err(|problem| Failure::failed("client", problem))?;
        if matches!(service.show_client(&project, &id).await, Err(Refused::NotFound { .. })) {
            service.create_client(&project, id, name(label)?, kind).await?;
        }
    }
    let known = DevFiles::read(data);
    let live = known.as_ref().map(|files| files.secret_key.clone()).filter(|secret| is_live(service, secret));
    let secret = match live {
        Some(secret) => secret,
        None => new_secret(service, &project).await?,
    };
    let client_api = client_api::prepare(service, &project, known.as_ref()).await?;
    let url = service.public_url().to_owned();
    let issuer = service.issuer(&project).unwrap_or_else(|| url.clone());
    oauth::prepare(service, &project).await?;
    let delegation = known.as_ref().and_then(|files| files.delegation.as_ref());
    let delegation = Some(delegation::prepare(service, &project, delegation).await?);
    let public_key = service.public_key_pem(&project).unwrap_or_default();
    let backend = known.and_then(|files| files.backend);
    let backend = Some(backend.unwrap_or_else(|| BackendSecrets::generate(&Entropy::system())));
    let client_api = Some(client_api);
    let secret_key = secret.clone();
    DevFiles { url, secret_key, client_api, delegation, backend, issuer, public_key }.write(data)?;
    Ok(secret)
}

/// Would a backend with this secret still get in?
fn is_live(service: &Service, secret: &str) -> bool {
    SecretKeyHash::of_unverified(secret).is_some_and(|hash| service.knows_live_key(&hash))
}

async fn new_secret(service: &Service, project: &ProjectId) -> Result<String, Failure> {
    let made = service.create_secret_key(project, name("Development")?, KeyScope::default(), None).await?;
    Ok(made.secret.danger_expose().to_owned())
}

fn name(text: &str) -> Result<Name, Failure> {
    text.parse().map_err(|problem| Failure::failed(text, problem))
}
