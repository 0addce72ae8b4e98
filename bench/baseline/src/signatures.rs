//! What a signature costs, made and checked as `countersign-crypto` does it, over as many bytes as an access token has.

use anyhow::{Context, Result};
use aws_lc_rs::{
    hmac,
    rand::SystemRandom,
    signature::{
        ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, ED25519, EcdsaKeyPair, Ed25519KeyPair, KeyPair,
        ParsedPublicKey,
    },
};

const TOKEN: [u8; 540] = [b'a'; 540];
/// A refresh token before its MAC.
const REFRESH_TOKEN: [u8; 45] = [b'a'; 45];

pub(crate) struct Keys {
    pair: EcdsaKeyPair,
    public: ParsedPublicKey,
    signature: Vec<u8>,
    edwards: Ed25519KeyPair,
    edwards_public: ParsedPublicKey,
    edwards_signature: Vec<u8>,
    mac_key: hmac::Key,
}

impl Keys {
    pub(crate) fn generate() -> Result<Self> {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING)?;
        let public = ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, pair.public_key().as_ref())?;
        let signature = sign(&pair).context("a key that doesn't sign")?;
        let mac_key = hmac::Key::new(hmac::HMAC_SHA256, &[7; 32]);
        public.verify_sig(&TOKEN, &signature).context("a signature that doesn't verify")?;
        let edwards = Ed25519KeyPair::generate()?;
        let edwards_public = ParsedPublicKey::new(&ED25519, edwards.public_key().as_ref())?;
        let edwards_signature = edwards.sign(&TOKEN).as_ref().to_vec();
        Ok(Self { pair, public, signature, edwards, edwards_public, edwards_signature, mac_key })
    }

    pub(crate) fn sign(&self) -> Option<Vec<u8>> {
        sign(&self.pair)
    }

    pub(crate) fn verify(&self) -> bool {
        self.public.verify_sig(&TOKEN, &self.signature).is_ok()
    }

    pub(crate) fn sign_eddsa(&self) -> Vec<u8> {
        self.edwards.sign(&TOKEN).as_ref().to_vec()
    }

    pub(crate) fn verify_eddsa(&self) -> bool {
        self.edwards_public.verify_sig(&TOKEN, &self.edwards_signature).is_ok()
    }

    pub(crate) fn mac(&self) -> hmac::Tag {
        hmac::sign(&self.mac_key, &REFRESH_TOKEN)
    }
}

fn sign(pair: &EcdsaKeyPair) -> Option<Vec<u8>> {
    #[expect(clippy::disallowed_methods, reason = "as the server does it")]
    let nonces = SystemRandom::new();
    pair.sign(&nonces, &TOKEN).ok().map(|signature| signature.as_ref().to_vec())
}
