//! Who makes tokens that the server didn't: without its key, and, for what must be refused all the same, with it.

use countersign_crypto::{
    encoding,
    jose::{client_key::ClientKey, signing_key::VerifyingKey},
    seal::Place,
};
use countersign_domain::{id::ProjectId, signing_algorithm::SigningAlgorithm};
use countersign_storage::signing_keys;
use serde_json::{Value, json};

use crate::{
    actors::merged,
    house::House,
    token::{claims, header},
};

/// The key that signs the tokens of a project. Nobody should have it.
pub struct StolenKey {
    /// By what it is known.
    pub kid: String,
    /// Its public half, as it is kept.
    pub public: Vec<u8>,
    /// Its public half, as PEM.
    pub pem: String,
    key: ClientKey,
}

impl House {
    /// Takes the key from the database, with the master key.
    pub async fn stolen_key(&self, project: &str) -> StolenKey {
        let project: ProjectId = project.parse().expect("a project's id");
        let db = self.database.open().await;
        let mut reader = db.reader().await.expect("the database is read");
        let stored = signing_keys::list(&mut reader.conn(), &project).await.expect("the keys are read");
        drop(reader);
        db.close().await;
        let signs = stored.into_iter().find(|key| key.is_active() && key.algorithm == SigningAlgorithm::Es256);
        let signs = signs.expect("a key signs");
        let kid = signs.id.to_string();
        let row = [project.as_str(), kid.as_str()];
        let place = Place { table: "signing_keys", column: "sealed_private_key", row: &row };
        let private = self.master_key().open(place, &signs.sealed_private_key).expect("it was sealed here");
        let public = encoding::decode(&signs.public_key).expect("base64url");
        let pem = VerifyingKey::from_point(signs.id, &public).and_then(|key| key.to_pem()).expect("a key");
        StolenKey { kid, public, pem, key: ClientKey::from_pkcs8(&private).expect("a key") }
    }
}

impl StolenKey {
    /// Whatever stands in header and payload, under a good signature.
    pub fn sign(&self, head: &str, payload: &str) -> String {
        self.key.sign(head.as_bytes(), payload.as_bytes())
    }

    /// A token like another, that says these things otherwise and not at all what is null, under a good signature.
    pub fn resign(&self, token: &str, head: &Value, said: &Value) -> String {
        self.sign(&merged(header(token), head.clone()).to_string(), &merged(claims(token), said.clone()).to_string())
    }
}

/// A token like another under an HMAC (RFC 2104) with this secret, for who takes a public key for one.
pub fn by_hmac(token: &str, secret: &[u8]) -> String {
    let head = merged(header(token), json!({ "alg": "HS256" }));
    let signed = format!("{}.{}", encoding::encode(head.to_string()), token.split('.').nth(1).expect("three parts"));
    format!("{signed}.{}", encoding::encode(hmac(secret, signed.as_bytes())))
}

fn hmac(secret: &[u8], message: &[u8]) -> [u8; 32] {
    use countersign_crypto::digest::sha256;
    let mut block = [0; 64];
    if secret.len() > block.len() {
        block[..32].copy_from_slice(&sha256(secret));
    } else {
        block[..secret.len()].copy_from_slice(secret);
    }
    let inner = sha256([&block.map(|byte| byte ^ 0x36)[..], message].concat());
    sha256([&block.map(|byte| byte ^ 0x5c)[..], &inner].concat())
}

#[cfg(test)]
mod tests {
    use super::hmac;

    #[test]
    fn the_forger_knows_how_to_make_an_hmac() {
        let made = hmac(b"Jefe", b"what do ya want for nothing?");
        assert_eq!(made[..4], [0x5b, 0xdc, 0xc1, 0x46], "RFC 4231 §4.3");
    }
}
