//! Assertions of a client (RFC 7523), as it would make them: each is good once, so that many are needed.

use std::{
    fs,
    io::Write,
    path::PathBuf,
    time::{SystemTime, UNIX_EPOCH},
};

use anyhow::{Context, Result};
use aws_lc_rs::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use clap::ValueEnum;
use serde_json::json;

#[derive(clap::Args)]
pub(crate) struct Args {
    #[arg(long)]
    alg: Algorithm,
    /// The client's key; it is made where there is none
    #[arg(long)]
    key: PathBuf,
    /// The client
    #[arg(long)]
    client: String,
    /// The server's issuer
    #[arg(long)]
    audience: String,
    /// How many; 0: prints the keys that the client registers
    #[arg(long)]
    count: u32,
}

#[derive(Clone, Copy, ValueEnum)]
enum Algorithm {
    Es256,
    Eddsa,
}

enum Key {
    Es256(EcdsaKeyPair),
    EdDsa(Ed25519KeyPair),
}

impl Args {
    pub(crate) fn print(&self) -> Result<()> {
        let key = self.read_or_make()?;
        let mut out = std::io::stdout().lock();
        if self.count == 0 {
            writeln!(out, "{}", json!({ "keys": [key.jwk()] }))?;
            return Ok(());
        }
        let now = seconds()?;
        for number in 0..self.count {
            let claims = json!({
                "iss": self.client, "sub": self.client, "aud": self.audience, "iat": now, "exp": now + 120,
                "jti": format!("{:020}-{number:07}", micros()?),
            });
            writeln!(out, "{}", key.sign(&claims.to_string()))?;
        }
        Ok(())
    }

    fn read_or_make(&self) -> Result<Key> {
        #[expect(clippy::disallowed_methods, reason = "keys of a benchmark are random as any others")]
        let random = SystemRandom::new();
        if !self.key.exists() {
            let made = match self.alg {
                Algorithm::Es256 => EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random)?,
                Algorithm::Eddsa => Ed25519KeyPair::generate_pkcs8(&random)?,
            };
            fs::write(&self.key, made.as_ref())?;
        }
        let bytes = fs::read(&self.key)?;
        Ok(match self.alg {
            Algorithm::Es256 => Key::Es256(EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &bytes)?),
            Algorithm::Eddsa => Key::EdDsa(Ed25519KeyPair::from_pkcs8(&bytes)?),
        })
    }
}

impl Key {
    fn jwk(&self) -> serde_json::Value {
        match self {
            Self::Es256(pair) => {
                let (x, y) = pair.public_key().as_ref()[1..].split_at(32);
                json!({ "kty": "EC", "crv": "P-256", "x": encode(x), "y": encode(y) })
            }
            Self::EdDsa(pair) => json!({ "kty": "OKP", "crv": "Ed25519", "x": encode(pair.public_key().as_ref()) }),
        }
    }

    fn sign(&self, claims: &str) -> String {
        let alg = match self {
            Self::Es256(_) => "ES256",
            Self::EdDsa(_) => "EdDSA",
        };
        let signed = format!("{}.{}", encode(json!({ "alg": alg }).to_string()), encode(claims));
        let signature = match self {
            Self::Es256(pair) => {
                #[expect(clippy::disallowed_methods, reason = "as the server does it")]
                let nonces = SystemRandom::new();
                pair.sign(&nonces, signed.as_bytes()).map(|signature| signature.as_ref().to_vec()).unwrap_or_default()
            }
            Self::EdDsa(pair) => pair.sign(signed.as_bytes()).as_ref().to_vec(),
        };
        format!("{signed}.{}", encode(signature))
    }
}

fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

#[expect(clippy::disallowed_methods, reason = "assertions are good at their real time")]
fn since() -> Result<std::time::Duration> {
    SystemTime::now().duration_since(UNIX_EPOCH).context("it is later than 1970")
}

fn seconds() -> Result<u64> {
    Ok(since()?.as_secs())
}

fn micros() -> Result<u128> {
    Ok(since()?.as_micros())
}
