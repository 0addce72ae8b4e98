//! Keys as a client holds them: they sign what proves that it does. The server has none of these; tests, fuzz targets and clients do.

use aws_lc_rs::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair},
};
use countersign_domain::thumbprint::Thumbprint;
use serde_json::{Value, json};

use super::{
    public_key::{Kind, PublicKey},
    signing_key::InvalidKey,
};
use crate::encoding;

/// A client's key, both halves.
pub struct ClientKey {
    pair: Pair,
    jwk: Value,
    thumbprint: Thumbprint,
}

enum Pair {
    Es256(EcdsaKeyPair),
    EdDsa(Ed25519KeyPair),
}

impl ClientKey {
    /// A new key, drawn by aws-lc's own generator.
    pub fn generate(kind: Kind) -> Result<Self, InvalidKey> {
        Self::of(match kind {
            Kind::Es256 => {
                Pair::Es256(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).map_err(|_| InvalidKey)?)
            }
            Kind::EdDsa => Pair::EdDsa(Ed25519KeyPair::generate().map_err(|_| InvalidKey)?),
        })
    }

    /// A P-256 key from PKCS#8.
    pub fn from_pkcs8(bytes: &[u8]) -> Result<Self, InvalidKey> {
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, bytes).map_err(|_| InvalidKey)?;
        Self::of(Pair::Es256(pair))
    }

    fn of(pair: Pair) -> Result<Self, InvalidKey> {
        let jwk = match &pair {
            Pair::Es256(pair) => {
                let point = pair.public_key().as_ref();
                let (x, y) = (encoding::encode(&point[1..33]), encoding::encode(&point[33..]));
                json!({"kty": "EC", "crv": "P-256", "x": x, "y": y})
            }
            Pair::EdDsa(pair) => json!({"kty": "OKP", "crv": "Ed25519", "x": encoding::encode(pair.public_key())}),
        };
        let public = PublicKey::from_jwk(jwk.to_string().as_bytes()).map_err(|_| InvalidKey)?;
        Ok(Self { pair, jwk, thumbprint: public.thumbprint() })
    }

    /// The name of its algorithm.
    pub fn algorithm(&self) -> &'static str {
        match self.pair {
            Pair::Es256(_) => "ES256",
            Pair::EdDsa(_) => "EdDSA",
        }
    }

    /// Its public half.
    pub fn jwk(&self) -> Value {
        self.jwk.clone()
    }

    /// By what its public half is known.
    pub fn thumbprint(&self) -> Thumbprint {
        self.thumbprint
    }

    /// A compact JWS (RFC 7515 §7.1) of whatever stands in header and payload.
    pub fn sign(&self, header: &[u8], payload: &[u8]) -> String {
        let signed = format!("{}.{}", encoding::encode(header), encoding::encode(payload));
        let signature = self.sign_bytes(signed.as_bytes());
        format!("{signed}.{}", encoding::encode(signature))
    }

    /// A bare signature. One of ES256 is two numbers of 32 bytes.
    pub fn sign_bytes(&self, message: &[u8]) -> Vec<u8> {
        match &self.pair {
            Pair::Es256(pair) => {
                #[expect(clippy::disallowed_methods, reason = "ECDSA's nonce is no business of the caller's")]
                let nonces = SystemRandom::new();
                #[expect(clippy::expect_used, reason = "a valid key signs any message")]
                let signature = pair.sign(&nonces, message).expect("a valid key signs");
                signature.as_ref().to_vec()
            }
            Pair::EdDsa(pair) => pair.sign(message).as_ref().to_vec(),
        }
    }
}
