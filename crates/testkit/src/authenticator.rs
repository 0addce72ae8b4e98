//! An authenticator and the browser before it, in software: they answer passkey ceremonies as WebAuthn Level 3 says, and, where a test wants
//! it, say what no honest ones would.

use std::sync::Arc;

use countersign_crypto::{
    digest::sha256,
    encoding,
    entropy::Entropy,
    jose::{client_key::ClientKey, public_key::Kind},
};
use serde_json::{Value, json};

use crate::bound::a_key;

/// The user was there.
pub const USER_PRESENT: u8 = 0x01;
/// The authenticator made sure who it was.
pub const USER_VERIFIED: u8 = 0x04;
/// The key may be copied to others.
pub const BACKUP_ELIGIBLE: u8 = 0x08;
/// There is a copy.
pub const BACKED_UP: u8 = 0x10;
const ATTESTED_CREDENTIAL: u8 = 0x40;

/// One that holds a passkey, and the browser in which it is used. Everything may be changed by a test that plays somebody dishonest.
#[derive(Clone)]
pub struct Authenticator {
    /// The private key.
    pub key: Arc<ClientKey>,
    /// What it knows the passkey by.
    pub credential_id: Vec<u8>,
    /// The user, as it was told at registration, in base64url.
    pub user_handle: Option<String>,
    /// The page's origin, as the browser says.
    pub origin: String,
    /// What the relying party is called, where it isn't what it was asked for.
    pub rp_id: Option<String>,
    /// Flags of its data.
    pub flags: u8,
    /// How often it has signed. It counts no further by itself.
    pub sign_count: u32,
    /// What else the browser says: members of the client data.
    pub client_data: Value,
}

impl Authenticator {
    /// A phone whose passkeys are synced, and which doesn't count.
    pub fn synced(origin: &str) -> Self {
        let flags = USER_PRESENT | USER_VERIFIED | BACKUP_ELIGIBLE | BACKED_UP;
        Self { flags, ..Self::security_key(origin, 0) }
    }

    /// A security key, which gives its key to nobody, and has counted so far.
    pub fn security_key(origin: &str, sign_count: u32) -> Self {
        Self {
            key: a_key(Kind::Es256),
            credential_id: Entropy::system().bytes::<16>().to_vec(),
            user_handle: None,
            origin: origin.to_owned(),
            rp_id: None,
            flags: USER_PRESENT | USER_VERIFIED,
            sign_count,
            client_data: json!({ "crossOrigin": false }),
        }
    }

    /// Makes a passkey as the options of `navigator.credentials.create` say; what `toJSON()` gives of it.
    pub fn create(&mut self, options: &Value) -> String {
        let asked = &options["publicKey"];
        self.user_handle = Some(asked["user"]["id"].as_str().expect("a user handle").to_owned());
        let client_data = self.client_data(asked, "webauthn.create");
        let mut data = self.data(asked["rp"]["id"].as_str().expect("an RP id"), ATTESTED_CREDENTIAL);
        data.extend([0; 16]);
        data.extend(u16::try_from(self.credential_id.len()).expect("a short id").to_be_bytes());
        data.extend(&self.credential_id);
        data.extend(cose_key(&self.key));
        // {"fmt": "none", "attStmt": {}, "authData": …} (WebAuthn §8.7).
        let mut attestation = vec![0xa3];
        attestation.extend(text("fmt").into_iter().chain(text("none")));
        attestation.extend(text("attStmt").into_iter().chain([0xa0]));
        attestation.extend(text("authData").into_iter().chain(bytes(&data)));
        self.answer(&json!({
            "attestationObject": encoding::encode(attestation),
            "clientDataJSON": encoding::encode(client_data),
            "transports": ["internal"],
        }))
    }

    /// Shows the passkey as the options of `navigator.credentials.get` say.
    pub fn get(&self, options: &Value) -> String {
        let asked = &options["publicKey"];
        let client_data = self.client_data(asked, "webauthn.get");
        let data = self.data(asked["rpId"].as_str().expect("an RP id"), 0);
        let signed = [&data[..], &sha256(&client_data)].concat();
        self.answer(&json!({
            "authenticatorData": encoding::encode(data),
            "clientDataJSON": encoding::encode(client_data),
            "signature": encoding::encode(der(&self.key.sign_bytes(&signed))),
            "userHandle": self.user_handle,
        }))
    }

    fn client_data(&self, asked: &Value, ceremony: &str) -> String {
        let mut said = json!({ "type": ceremony, "challenge": asked["challenge"], "origin": self.origin });
        for (name, value) in self.client_data.as_object().expect("members") {
            said[name] = value.clone();
        }
        said.to_string()
    }

    /// Authenticator data (§6.1) up to the counter.
    fn data(&self, rp_id: &str, more_flags: u8) -> Vec<u8> {
        let rp_id = self.rp_id.as_deref().unwrap_or(rp_id);
        let mut data = sha256(rp_id).to_vec();
        data.push(self.flags | more_flags);
        data.extend(self.sign_count.to_be_bytes());
        data
    }

    fn answer(&self, response: &Value) -> String {
        let id = encoding::encode(&self.credential_id);
        let answer = json!({
            "id": id,
            "rawId": id,
            "type": "public-key",
            "authenticatorAttachment": "platform",
            "clientExtensionResults": {},
            "response": response,
        });
        answer.to_string()
    }
}

/// `{1: 2, 3: -7, -1: 1, -2: x, -3: y}` (RFC 9053 §7.1.1).
fn cose_key(key: &ClientKey) -> Vec<u8> {
    let jwk = key.jwk();
    let coordinate = |name: &str| encoding::decode(jwk[name].as_str().expect("a coordinate")).expect("base64url");
    let mut cose = vec![0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21];
    cose.extend(bytes(&coordinate("x")));
    cose.push(0x22);
    cose.extend(bytes(&coordinate("y")));
    cose
}

/// A CBOR byte string of less than 2¹⁶ bytes (RFC 8949 §3.1).
fn bytes(content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len()).expect("a short string").to_be_bytes();
    [&[0x59], &length[..], content].concat()
}

/// A CBOR text string of less than 24 bytes.
fn text(content: &str) -> Vec<u8> {
    let head = 0x60 | u8::try_from(content.len()).expect("a short text");
    [&[head], content.as_bytes()].concat()
}

/// An ECDSA signature of two numbers as DER has it (RFC 3279 §2.2.3).
fn der(fixed: &[u8]) -> Vec<u8> {
    let integer = |number: &[u8]| {
        let digits: Vec<u8> = number.iter().copied().skip_while(|byte| *byte == 0).collect();
        let sign = digits.first().is_none_or(|byte| *byte >= 0x80).then_some(0);
        let content: Vec<u8> = sign.into_iter().chain(digits).collect();
        [&[0x02, u8::try_from(content.len()).expect("a short number")], &content[..]].concat()
    };
    let (r, s) = fixed.split_at(32);
    let both = [integer(r), integer(s)].concat();
    [&[0x30, u8::try_from(both.len()).expect("two short numbers")], &both[..]].concat()
}
