//! Keys that sign our tokens: ES256 (RFC 7518 §3.4).

use aws_lc_rs::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair, ParsedPublicKey},
};
use countersign_domain::id::SigningKeyId;
use serde::Serialize;
use zeroize::Zeroizing;

use super::{
    jwk::PublicJwk,
    jws::{NotOurs, UnverifiedJws},
};
use crate::encoding;

const ALGORITHM: &str = "ES256";

/// A private key, read once and kept: reading it anew for each signature costs more than half a signature.
pub struct SigningKey {
    id: SigningKeyId,
    pair: EcdsaKeyPair,
}

/// The public half: checks what the private half signed.
pub struct VerifyingKey {
    id: SigningKeyId,
    /// Uncompressed point: `04`, x, y.
    point: [u8; 65],
    key: ParsedPublicKey,
}

/// Bytes that are no key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a P-256 key")]
pub struct InvalidKey;

impl SigningKey {
    /// A new key, drawn by aws-lc's own generator.
    pub fn generate(id: SigningKeyId) -> Result<Self, InvalidKey> {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).map_err(|_| InvalidKey)?;
        Ok(Self { id, pair })
    }

    /// From PKCS#8.
    pub fn from_pkcs8(id: SigningKeyId, bytes: &[u8]) -> Result<Self, InvalidKey> {
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, bytes).map_err(|_| InvalidKey)?;
        Ok(Self { id, pair })
    }

    /// As PKCS#8, to be sealed.
    pub fn danger_to_pkcs8(&self) -> Result<Zeroizing<Vec<u8>>, InvalidKey> {
        let document = self.pair.to_pkcs8v1().map_err(|_| InvalidKey)?;
        Ok(Zeroizing::new(document.as_ref().to_vec()))
    }

    /// Its name.
    pub fn id(&self) -> SigningKeyId {
        self.id
    }

    /// Its public half.
    pub fn verifying_key(&self) -> Result<VerifyingKey, InvalidKey> {
        VerifyingKey::from_point(self.id, self.pair.public_key().as_ref())
    }

    /// A token of kind `typ` that says `claims`.
    pub(super) fn sign(&self, typ: &str, claims: &impl Serialize) -> String {
        let header = format!(r#"{{"alg":"{ALGORITHM}","typ":"{typ}","kid":"{}"}}"#, self.id);
        #[expect(clippy::expect_used, reason = "claims are plain structs of texts and numbers")]
        let payload = serde_json::to_vec(claims).expect("claims are JSON");
        self.sign_parts(header.as_bytes(), &payload)
    }

    /// Signs whatever stands in the header; apart so that tests can forge one.
    pub(super) fn sign_parts(&self, header: &[u8], payload: &[u8]) -> String {
        let mut token = encoding::encode(header);
        token.push('.');
        token.push_str(&encoding::encode(payload));
        #[expect(clippy::disallowed_methods, reason = "ECDSA's nonce is no business of the caller's")]
        let nonces = SystemRandom::new();
        #[expect(clippy::expect_used, reason = "a valid key signs any message")]
        let signature = self.pair.sign(&nonces, token.as_bytes()).expect("a valid key signs");
        token.push('.');
        token.push_str(&encoding::encode(signature));
        token
    }
}

impl VerifyingKey {
    /// From an uncompressed point.
    pub fn from_point(id: SigningKeyId, point: &[u8]) -> Result<Self, InvalidKey> {
        let key = ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).map_err(|_| InvalidKey)?;
        Ok(Self { id, point: point.try_into().map_err(|_| InvalidKey)?, key })
    }

    /// The key as others read it.
    pub fn to_jwk(&self) -> PublicJwk {
        PublicJwk {
            kty: "EC",
            crv: "P-256",
            x: encoding::encode(&self.point[1..33]),
            y: encoding::encode(&self.point[33..]),
            kid: self.id.to_string(),
            alg: ALGORITHM,
            usage: "sig",
        }
    }

    /// The uncompressed point.
    pub fn point(&self) -> &[u8] {
        &self.point
    }

    /// The payload of a token of kind `typ`, if this key signed it.
    pub(super) fn verify(&self, typ: &str, token: &UnverifiedJws<'_>) -> Result<Vec<u8>, NotOurs> {
        let header = &token.unverified_header;
        if header.alg != ALGORITHM || header.typ != typ || header.kid != self.id.to_string() {
            return Err(NotOurs);
        }
        self.key.verify_sig(token.signed.as_bytes(), &token.signature).map_err(|_| NotOurs)?;
        token.payload()
    }
}
