//! From configuration to a service that works.

use std::{path::Path, process::Command, sync::Arc};

use countersign_crypto::{entropy::Entropy, master_key::MasterKey};
use countersign_service::{
    Service,
    config::Config as ServiceConfig,
    context::{check_master_key, needs_master_key},
    deliver::carrier::Delivery,
};
use countersign_storage::{
    db::{Db, Options},
    engine::Engine,
    error::Error as StorageError,
    migrate,
};

use crate::{
    clock::SystemClock,
    config::Config,
    data_dir::{self, DataDir, check_owner},
    error::Failure,
};

/// What may be made that isn't there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Schema {
    /// Bring the schema up to date, from nothing if need be.
    Migrate,
    /// A new database is made; an old one must be up to date.
    AsIs,
}

/// Opens the database and begins to work with it. The master key is tried before anything is changed.
pub async fn open_service(
    config: &Config,
    data: &DataDir,
    schema: Schema,
    delivery: Delivery,
) -> Result<Arc<Service>, Failure> {
    let db = open_db(config, data).await?;
    let version = migrate::version(&db).await?;
    let entropy = Entropy::system();
    let master_key = master_key(config, data, !needs_master_key(&db).await?, &entropy)?;
    check_master_key(&db, &master_key).await?;
    if version == 0 || schema == Schema::Migrate {
        migrate::migrate(&db).await?;
    } else if !migrate::is_current(&db).await? {
        let stale = "the database has an older schema than this program: run `countersign migrate`";
        return Err(Failure::Failed(stale.to_owned()));
    }
    let service_config = ServiceConfig { delivery, ..service_config(config) };
    let service = Service::open(db, master_key, entropy, Arc::new(SystemClock::start()), service_config);
    Ok(Arc::new(service.await?))
}

/// Opens the database, and looks no further.
pub async fn open_db(config: &Config, data: &DataDir) -> Result<Db, Failure> {
    let url = config.database.url.clone().unwrap_or_else(|| data.sqlite_url());
    let engine = Engine::of_url(&url)?;
    if engine == Engine::Sqlite {
        data.prepare()?;
        check_sqlite_owner(&url)?;
    }
    let max_connections = config.database.max_connections.unwrap_or(match engine {
        Engine::Sqlite => 4,
        Engine::Postgres => 16,
    });
    let opened = Db::open(&Options { url: url.clone(), max_connections, create: true }).await;
    opened.map_err(|error| match (error, engine) {
        (StorageError::Unavailable(problem), Engine::Sqlite) => Failure::Failed(format!(
            "can't open the database {url}: {problem}. It must be a database of SQLite's, and the server must be able to write to it and to its directory"
        )),
        // The URL may hold a password.
        (StorageError::Unavailable(problem), Engine::Postgres) => {
            Failure::Failed(format!("can't open the database: {problem}"))
        }
        (other, _) => other.into(),
    })
}

/// A database that was named by its URL may be in somebody else's directory.
fn check_sqlite_owner(url: &str) -> Result<(), Failure> {
    let path = url.trim_start_matches("sqlite:").trim_start_matches("//");
    let path = Path::new(path.split('?').next().unwrap_or(path));
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    check_owner(if path.exists() { path } else { directory })
}

/// From the environment, from a command's output, or from a file. Where nothing was sealed yet, the file is made.
fn master_key(config: &Config, data: &DataDir, may_make: bool, entropy: &Entropy) -> Result<MasterKey, Failure> {
    let secrets = &config.secrets;
    if let Some(text) = &secrets.master_key {
        return MasterKey::from_text(text).map_err(|problem| Failure::failed("secrets.master_key", problem));
    }
    if let Some(command) = &secrets.master_key_command {
        return MasterKey::from_text(&output_of(command)?).map_err(|problem| Failure::failed(command, problem));
    }
    if let Some(file) = &secrets.master_key_file {
        return data_dir::master_key(file, may_make, entropy);
    }
    data.prepare()?;
    data_dir::master_key(&data.file("master.key"), may_make, entropy)
}

fn output_of(command: &str) -> Result<String, Failure> {
    let failed = |problem: &dyn std::fmt::Display| Failure::failed("secrets.master_key_command", problem);
    let output = Command::new("sh").args(["-c", command]).output().map_err(|problem| failed(&problem))?;
    if !output.status.success() {
        return Err(failed(&output.status));
    }
    String::from_utf8(output.stdout).map_err(|_| failed(&"its output is no text"))
}

fn service_config(config: &Config) -> ServiceConfig {
    let base = ServiceConfig::at(&config.http.public_url);
    ServiceConfig {
        default_project: config.http.default_project.clone(),
        verified_tokens: config.memory.verified_tokens,
        known_users: config.memory.known_users,
        assertions: config.memory.assertions,
        counted_callers: config.memory.counted_callers,
        seen_proofs: config.memory.seen_proofs,
        ..base
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(flavor = "multi_thread")]
    async fn a_deployment_whose_schema_came_first_gets_its_master_key_once() {
        let home = std::env::temp_dir().join(format!("countersign-schema-first-{}", std::process::id()));
        let (config, data) = (Config::default(), DataDir::new(&home));
        let db = open_db(&config, &data).await.unwrap();
        migrate::migrate(&db).await.unwrap();
        db.close().await;

        drop(open_service(&config, &data, Schema::AsIs, Delivery::NOWHERE).await.unwrap());

        std::fs::remove_file(data.file("master.key")).unwrap();
        let refused = open_service(&config, &data, Schema::AsIs, Delivery::NOWHERE).await;
        let Err(refused) = refused else { panic!("opened without its key") };
        assert!(refused.to_string().starts_with("there is no master key at "), "{refused}");
        std::fs::remove_dir_all(&home).unwrap();
    }
}
