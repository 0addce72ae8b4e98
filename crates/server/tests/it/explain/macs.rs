//! MACs as other people's programs make them: another implementation than the server's.

use base64::{Engine, engine::general_purpose};
use hmac::{EagerHash, Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

pub(super) fn hmac<D: EagerHash>(key: impl AsRef<[u8]>, message: impl AsRef<[u8]>) -> Vec<u8> {
    let mac = <Hmac<D> as KeyInit>::new_from_slice(key.as_ref()).unwrap();
    mac.chain_update(message.as_ref()).finalize().into_bytes().to_vec()
}

pub(super) fn sha256(message: impl AsRef<[u8]>) -> Vec<u8> {
    Sha256::digest(message.as_ref()).to_vec()
}

/// As the guide has it.
pub(super) fn v1(secret: impl AsRef<[u8]>, id: impl AsRef<[u8]>) -> String {
    base64(hmac::<Sha256>(secret, id))
}

/// The key of proofs that expire.
pub(super) fn k2(secret: impl AsRef<[u8]>) -> Vec<u8> {
    hmac::<Sha256>("countersign user proof v2", secret)
}

/// As the specification of v2 has it, of project `p1`.
#[expect(clippy::needless_pass_by_value, reason = "numbers and texts alike")]
pub(super) fn v2(secret: impl AsRef<[u8]>, expires: impl ToString, id: &str) -> String {
    let expires = expires.to_string();
    format!("v2.{expires}.{}", base64url(hmac::<Sha256>(k2(secret), format!("v2.{expires}.p1.{id}"))))
}

pub(super) fn v2k(secret: impl AsRef<[u8]>, expires: i64, jkt: &str, id: &str) -> String {
    format!("v2k.{expires}.{jkt}.{}", base64url(hmac::<Sha256>(k2(secret), format!("v2k.{expires}.{jkt}.p1.{id}"))))
}

pub(super) fn base64(bytes: impl AsRef<[u8]>) -> String {
    general_purpose::STANDARD.encode(bytes)
}

pub(super) fn base64url(bytes: impl AsRef<[u8]>) -> String {
    general_purpose::URL_SAFE_NO_PAD.encode(bytes)
}

/// What `Buffer.from(text, 'base64')` gives: letters that are in neither alphabet are read over, a bit too few is dropped.
pub(super) fn decoded(text: &str) -> Vec<u8> {
    let text: String = text.replace('_', "/").chars().take(text.len() / 4 * 4).collect();
    general_purpose::STANDARD_NO_PAD.decode(text).unwrap()
}

pub(super) fn hex(bytes: impl AsRef<[u8]>) -> String {
    bytes.as_ref().iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"))
}
