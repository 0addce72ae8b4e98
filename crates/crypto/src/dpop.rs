//! Proofs that a caller holds a key: DPoP (RFC 9449). A proof is a JWT that carries its public key and is signed by it, so anybody can make
//! one; what it is worth hangs on the key's thumbprint, and on the call that it names.
//!
//! [`SignedProof::read`] says by which key a header was signed; [`SignedProof::check`] whether it was made for this call, now. Nonces and
//! replay are for the caller to judge: both need to know what came before.

use std::time::Duration;

use aws_lc_rs::constant_time;
use countersign_domain::{clock::Timestamp, http_uri::HttpUri, thumbprint::Thumbprint};
use serde_json::{Map, Value};

use crate::{
    digest::sha256,
    encoding,
    jose::{
        public_key::{InvalidJwk, PublicKey},
        unambiguous::members,
    },
};

/// The kind of these tokens (RFC 9449 §4.2).
const TYPE: &str = "dpop+jwt";

/// Longer than any proof of one key for one call.
const LONGEST: usize = 4 * 1024;

/// The longest `jti`: room for any random text, and none for a caller to fill our memory with.
const LONGEST_ID: usize = 128;

/// For how long after its making a proof is taken: a slow network and a clock that is late, no more, because so long each `jti` is remembered.
pub const LIFETIME: Duration = Duration::from_mins(1);

/// How far a client's clock may be ahead: clocks that are set by the network differ by less. Ahead, a proof would live for longer.
pub const AHEAD: Duration = Duration::from_secs(5);

/// The algorithms that are taken, as `algs` has them (RFC 9449 §7.1).
pub const ALGORITHMS: &str = "ES256 EdDSA Ed25519";

/// A proof that some key signed, for some call.
#[derive(Debug)]
pub struct SignedProof {
    thumbprint: Thumbprint,
    claims: Claims,
}

/// The call that a proof must have been made for.
#[derive(Debug, Clone, Copy)]
pub struct Call<'a> {
    /// Its method.
    pub method: &'a str,
    /// Where it went, in each way in which the caller may have seen that.
    pub uris: &'a [HttpUri],
    /// The access token that is shown with it.
    pub access_token: Option<&'a str>,
}

#[derive(Debug)]
struct Claims {
    id: String,
    method: String,
    uri: HttpUri,
    issued_at: Timestamp,
    access_token_hash: Option<[u8; 32]>,
    nonce: Option<String>,
}

/// Why a header proves nothing. It came from whoever is told, so it may be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidProof {
    /// No JWS in its compact form, or its JSON isn't unambiguous.
    #[error("the proof is no JWT")]
    Malformed,
    /// Another kind of token.
    #[error("the proof is of another type than dpop+jwt")]
    Type,
    /// An extension that must be understood, and isn't.
    #[error("the proof has a critical extension")]
    Critical,
    /// The key won't do.
    #[error(transparent)]
    Key(#[from] InvalidJwk),
    /// An algorithm that isn't the key's: none, a symmetric one, another.
    #[error("the algorithm of the proof is not its key's")]
    Algorithm,
    /// The key didn't sign it.
    #[error("the proof is not signed by its key")]
    Signature,
    /// `jti` is missing, empty or too long.
    #[error("jti of the proof must be 1 to 128 bytes")]
    Id,
    /// `htm` isn't the call's method.
    #[error("htm of the proof is not the method of this call")]
    Method,
    /// `htu` isn't where the call went.
    #[error("htu of the proof is not the address of this call")]
    Uri,
    /// `iat` is missing, or no time.
    #[error("iat of the proof is no time")]
    NoTime,
    /// Made too long ago.
    #[error("the proof is older than a minute")]
    Stale,
    /// Made in the future.
    #[error("the proof is from the future")]
    Early,
    /// `ath` isn't the hash of the access token.
    #[error("ath of the proof is not the hash of this access token")]
    AccessToken,
}

impl SignedProof {
    /// Reads a `DPoP` header and checks its signature by the key that it carries. Whose key that is, and for what, is yet to be seen.
    pub fn read(header: &[u8]) -> Result<Self, InvalidProof> {
        let text = str::from_utf8(header).ok().filter(|text| text.len() <= LONGEST).ok_or(InvalidProof::Malformed)?;
        let (signed, signature) = text.rsplit_once('.').ok_or(InvalidProof::Malformed)?;
        let (head, payload) = signed.split_once('.').ok_or(InvalidProof::Malformed)?;
        let part = |part: &str| encoding::decode(part).ok_or(InvalidProof::Malformed);
        let head = members(&part(head)?).ok_or(InvalidProof::Malformed)?;
        let key = key_of(&head)?;
        key.verify(signed.as_bytes(), &part(signature)?).map_err(|_| InvalidProof::Signature)?;
        let claims = members(&part(payload)?).ok_or(InvalidProof::Malformed)?;
        Ok(Self { thumbprint: key.thumbprint(), claims: Claims::read(&claims)? })
    }

    /// The key that signed it.
    pub fn thumbprint(&self) -> Thumbprint {
        self.thumbprint
    }

    /// The nonce that it was made with.
    pub fn nonce(&self) -> Option<&str> {
        self.claims.nonce.as_deref()
    }

    /// Was it made for this call, and lately? RFC 9449 §4.3, but for nonce and replay.
    pub fn check(&self, call: &Call<'_>, now: Timestamp) -> Result<(), InvalidProof> {
        let claims = &self.claims;
        if claims.method != call.method {
            return Err(InvalidProof::Method);
        }
        if !call.uris.contains(&claims.uri) {
            return Err(InvalidProof::Uri);
        }
        if claims.issued_at > now.plus(AHEAD) {
            return Err(InvalidProof::Early);
        }
        if self.expires_at() < now {
            return Err(InvalidProof::Stale);
        }
        match call.access_token {
            Some(token) if !claims.is_for(token) => Err(InvalidProof::AccessToken),
            Some(_) | None => Ok(()),
        }
    }

    /// From when on it is stale, and needn't be remembered.
    pub fn expires_at(&self) -> Timestamp {
        self.claims.issued_at.plus(LIFETIME)
    }

    /// What tells it from every other proof: the hash of key and `jti`. Clients choose a `jti`, so those of two keys are told apart.
    pub fn hash(&self) -> [u8; 32] {
        sha256([&self.thumbprint.0[..], self.claims.id.as_bytes()].concat())
    }
}

/// The key in a proof's header, which must be all that the signature hangs on. Other members lead nowhere.
fn key_of(head: &Map<String, Value>) -> Result<PublicKey, InvalidProof> {
    let says = |member: &str| head.get(member).and_then(Value::as_str);
    if says("typ") != Some(TYPE) {
        return Err(InvalidProof::Type);
    }
    if head.contains_key("crit") {
        return Err(InvalidProof::Critical);
    }
    let jwk = head.get("jwk").and_then(Value::as_object).ok_or(InvalidJwk::NotAnObject)?;
    let key = PublicKey::from_members(jwk)?;
    let is_its_own = says("alg").is_some_and(|algorithm| key.kind().algorithms().contains(&algorithm));
    if is_its_own { Ok(key) } else { Err(InvalidProof::Algorithm) }
}

impl Claims {
    fn read(claims: &Map<String, Value>) -> Result<Self, InvalidProof> {
        let says = |member: &str| claims.get(member).and_then(Value::as_str);
        let id = says("jti").filter(|id| (1..=LONGEST_ID).contains(&id.len())).ok_or(InvalidProof::Id)?;
        let hash = match claims.get("ath") {
            Some(hash) => Some(hash.as_str().and_then(encoding::decode_array).ok_or(InvalidProof::AccessToken)?),
            None => None,
        };
        Ok(Self {
            id: id.to_owned(),
            method: says("htm").ok_or(InvalidProof::Method)?.to_owned(),
            uri: says("htu").and_then(HttpUri::parse).ok_or(InvalidProof::Uri)?,
            issued_at: claims.get("iat").and_then(time).ok_or(InvalidProof::NoTime)?,
            access_token_hash: hash,
            nonce: says("nonce").map(str::to_owned),
        })
    }

    fn is_for(&self, access_token: &str) -> bool {
        let expected = sha256(access_token);
        self.access_token_hash.is_some_and(|hash| constant_time::verify_slices_are_equal(&hash, &expected).is_ok())
    }
}

/// Seconds since 1970, of which there may be fractions (RFC 7519 §2).
fn time(value: &Value) -> Option<Timestamp> {
    if let Some(seconds) = value.as_i64() {
        return Some(Timestamp::from_seconds(seconds));
    }
    #[expect(clippy::cast_possible_truncation, reason = "a cast of floats stops at the ends")]
    value.as_f64().map(|seconds| Timestamp::from_seconds(seconds.floor() as i64))
}

#[cfg(test)]
mod tests;
