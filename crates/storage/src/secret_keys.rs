//! Secret keys: their hashes and what they may do.

use std::{collections::BTreeSet, num::NonZeroU32};

use countersign_crypto::api_key::SecretKeyHash;
use countersign_domain::{
    clock::Timestamp,
    id::{KeyId, ProjectId},
    key::{ClientScope, KeyScope, SecretKey},
};
use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use sqlx::any::AnyRow;

use crate::{
    Conn,
    conn::statement,
    error::Result,
    row::{Reader, to_json},
};

/// A key with the hash by which it is found.
#[derive(Debug, Clone)]
pub struct StoredKey {
    /// The key.
    pub key: SecretKey,
    /// The hash of its secret.
    pub hash: SecretKeyHash,
}

/// What a key may do, as the `scope` column has it. What is missing is as the default has it.
#[derive(Serialize, Deserialize)]
struct ScopeJson {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    clients: Option<BTreeSet<String>>,
    #[serde(default)]
    may_create_users: bool,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    networks: Vec<IpNet>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    rate: Option<NonZeroU32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    max_acr: Option<String>,
}

/// Writes a new key.
pub async fn insert(conn: &mut Conn<'_>, stored: &StoredKey) -> Result<()> {
    let sql = "insert into secret_keys (project_id, key_id, name, prefix, secret_hash, scope, generation, created_at, \
               expires_at, revoked_at, last_used_at, replaced_by) \
               values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";
    let key = &stored.key;
    let insert = statement(sql)
        .bind(key.project.as_str())
        .bind(key.id.to_string())
        .bind(key.name.as_str())
        .bind(key.prefix.as_str())
        .bind(stored.hash.to_text())
        .bind(to_json(&ScopeJson::from(&key.scope)))
        .bind(i64::from(key.generation))
        .bind(key.created_at.micros())
        .bind(key.expires_at.map(Timestamp::micros))
        .bind(key.revoked_at.map(Timestamp::micros))
        .bind(key.last_used_at.map(Timestamp::micros))
        .bind(key.replaced_by.map(|id| id.to_string()));
    conn.execute(insert).await?;
    Ok(())
}

/// A key, by its id.
pub async fn find(conn: &mut Conn<'_>, project: &ProjectId, id: KeyId) -> Result<Option<StoredKey>> {
    let sql = "select * from secret_keys where project_id = $1 and key_id = $2";
    let row = conn.fetch_optional(statement(sql).bind(project.as_str()).bind(id.to_string())).await?;
    row.as_ref().map(read).transpose()
}

/// All keys of a project, the oldest first.
pub async fn list(conn: &mut Conn<'_>, project: &ProjectId) -> Result<Vec<StoredKey>> {
    let sql = "select * from secret_keys where project_id = $1 order by key_id";
    let rows = conn.fetch_all(statement(sql).bind(project.as_str())).await?;
    rows.iter().map(read).collect()
}

/// Writes a key's name, scope and state; the generation only moves by [`raise_generation`], the last use by [`touch`].
pub async fn update(conn: &mut Conn<'_>, key: &SecretKey) -> Result<()> {
    let sql = "update secret_keys set name = $3, scope = $4, expires_at = $5, revoked_at = $6, replaced_by = $7 \
               where project_id = $1 and key_id = $2";
    let update = statement(sql)
        .bind(key.project.as_str())
        .bind(key.id.to_string())
        .bind(key.name.as_str())
        .bind(to_json(&ScopeJson::from(&key.scope)))
        .bind(key.expires_at.map(Timestamp::micros))
        .bind(key.revoked_at.map(Timestamp::micros))
        .bind(key.replaced_by.map(|id| id.to_string()));
    conn.execute(update).await?;
    Ok(())
}

/// Revokes everything that a key vouched for.
pub async fn raise_generation(conn: &mut Conn<'_>, project: &ProjectId, id: KeyId) -> Result<()> {
    let sql = "update secret_keys set generation = generation + 1 where project_id = $1 and key_id = $2";
    conn.execute(statement(sql).bind(project.as_str()).bind(id.to_string())).await?;
    Ok(())
}

/// Notes that a key was used. Never moves back: two nodes note at different times.
pub async fn touch(conn: &mut Conn<'_>, project: &ProjectId, id: KeyId, at: Timestamp) -> Result<()> {
    let sql = "update secret_keys set last_used_at = $3 \
               where project_id = $1 and key_id = $2 and (last_used_at is null or last_used_at < $3)";
    conn.execute(statement(sql).bind(project.as_str()).bind(id.to_string()).bind(at.micros())).await?;
    Ok(())
}

fn read(row: &AnyRow) -> Result<StoredKey> {
    let row = Reader::new(row, "secret_keys", &["key_id"]);
    let scope = row.json::<ScopeJson>("scope")?;
    let key = SecretKey {
        project: row.parsed("project_id")?,
        id: row.parsed("key_id")?,
        name: row.parsed("name")?,
        prefix: row.text("prefix")?,
        scope: scope.into_scope().ok_or_else(|| row.corrupt("scope"))?,
        generation: row.integer("generation")?,
        created_at: row.time("created_at")?,
        expires_at: row.optional_time("expires_at")?,
        revoked_at: row.optional_time("revoked_at")?,
        last_used_at: row.optional_time("last_used_at")?,
        replaced_by: row.optional_parsed("replaced_by")?,
    };
    Ok(StoredKey { key, hash: row.read("secret_hash", SecretKeyHash::from_text)? })
}

impl From<&KeyScope> for ScopeJson {
    fn from(scope: &KeyScope) -> Self {
        Self {
            clients: match &scope.clients {
                ClientScope::Every => None,
                ClientScope::Only(ids) => Some(ids.iter().map(ToString::to_string).collect()),
            },
            may_create_users: scope.may_create_users,
            networks: scope.networks.clone(),
            rate: scope.rate,
            max_acr: Some(scope.max_level.to_string()),
        }
    }
}

impl ScopeJson {
    fn into_scope(self) -> Option<KeyScope> {
        let only = |ids: BTreeSet<String>| ids.iter().map(|id| id.parse().ok()).collect::<Option<BTreeSet<_>>>();
        Some(KeyScope {
            clients: match self.clients {
                None => ClientScope::Every,
                Some(ids) => ClientScope::Only(only(ids)?),
            },
            may_create_users: self.may_create_users,
            networks: self.networks,
            rate: self.rate,
            max_level: match self.max_acr {
                None => KeyScope::default().max_level,
                Some(level) => level.parse().ok()?,
            },
        })
    }
}
