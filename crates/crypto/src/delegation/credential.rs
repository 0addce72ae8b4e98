//! What a service provider is handed, once: `hwx_sk_v1_` and JSON in base64url, with the private halves of its pair and the public halves of ours. We
//! keep only the public halves of its pair.

use serde_json::{Map, Value};
use zeroize::Zeroizing;

use super::keys::{IdpKeys, InvalidKey, Opener, Recipient, Signer, SpKeys, Verifier};
use crate::{encoding, entropy::Entropy, jose::unambiguous::members, secret::SecretText};

/// By what it is recognised.
pub const PREFIX: &str = "hwx_sk_v1_";
const ALGORITHM: &str = "ed25519+x25519";
/// Longer than any that is made.
const LONGEST: usize = 4096;
/// What clients without a name for their key send as one. It names none.
const NO_KEY: &str = "hawcx";
const MEMBERS: [&str; 8] = ["v", "alg", "kid", "ed_priv", "x_priv", "h_ed_pub", "h_x_pub", "hkid"];

/// The name of a key pair, unique in the deployment: letters, digits, `.`, `_` and `-`, 1 to 64 of them.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct KeyName(String);

/// A credential, taken apart.
pub struct Credential {
    /// The name of the provider's pair: `X-Key-Id` of its calls.
    pub name: KeyName,
    /// Signs its calls.
    pub signer: Signer,
    /// Opens our answers.
    pub opener: Opener,
    /// The name of our pair: `X-Key-Id` of our answers.
    pub idp_name: KeyName,
    /// Checks our answers.
    pub idp_verifier: Verifier,
    /// Its calls are sealed to this.
    pub idp_recipient: Recipient,
}

/// A text that is no credential. It isn't said why: the text is a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a credential that begins with `hwx_sk_v1_`")]
pub struct InvalidCredential;

/// A text that can't name a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the name of a key is 1 to 64 letters, digits, `.`, `_` and `-`, and not `hawcx`")]
pub struct InvalidKeyName;

impl KeyName {
    /// Reads one.
    pub fn parse(text: &str) -> Result<Self, InvalidKeyName> {
        let is_plain = |b: u8| b.is_ascii_alphanumeric() || b".-_".contains(&b);
        let is_name = (1..=64).contains(&text.len()) && text.bytes().all(is_plain) && text != NO_KEY;
        if is_name { Ok(Self(text.to_owned())) } else { Err(InvalidKeyName) }
    }

    /// As text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Credential {
    /// A new one, for calls to whoever holds `idp`.
    pub fn generate(name: KeyName, idp: &IdpKeys, idp_name: KeyName, entropy: &Entropy) -> Result<Self, InvalidKey> {
        Ok(Self {
            name,
            signer: Signer::generate(entropy)?,
            opener: Opener::generate(entropy)?,
            idp_name,
            idp_verifier: idp.signer.verifier()?,
            idp_recipient: idp.opener.recipient(),
        })
    }

    /// What is kept of it here.
    pub fn public(&self) -> Result<SpKeys, InvalidKey> {
        Ok(SpKeys { verifier: self.signer.verifier()?, recipient: self.opener.recipient() })
    }

    /// As it is handed over.
    pub fn danger_to_text(&self) -> Result<SecretText, InvalidKey> {
        let (signs, opens) = (self.signer.danger_to_bytes()?, self.opener.danger_to_bytes()?);
        let [signs, opens] = [signs, opens].map(|key| Zeroizing::new(encoding::encode(*key)));
        let verifies = encoding::encode(self.idp_verifier.to_bytes());
        let seals = encoding::encode(self.idp_recipient.to_bytes());
        let json = Zeroizing::new(format!(
            r#"{{"v":1,"alg":"{ALGORITHM}","kid":"{}","ed_priv":"{}","x_priv":"{}","h_ed_pub":"{verifies}","h_x_pub":"{seals}","hkid":"{}"}}"#,
            self.name.0, *signs, *opens, self.idp_name.0
        ));
        let text = Zeroizing::new(encoding::encode(&*json));
        Ok(SecretText::new(format!("{PREFIX}{}", *text)))
    }

    /// Takes one apart. It has these members and no other, each once.
    pub fn parse(text: &str) -> Result<Self, InvalidCredential> {
        Self::read(text).ok_or(InvalidCredential)
    }

    fn read(text: &str) -> Option<Self> {
        let json = text.strip_prefix(PREFIX).filter(|text| text.len() <= LONGEST)?;
        let json = Zeroizing::new(encoding::decode(json)?);
        let mut members = members(&json)?;
        // First, so that they are wiped whatever else is wrong.
        let [signs, opens] = ["ed_priv", "x_priv"].map(|name| secret(&mut members, name));
        let is_whole = members.len() + 2 == MEMBERS.len() && members.keys().all(|name| MEMBERS.contains(&&**name));
        let said = |name: &str| members.get(name).and_then(Value::as_str);
        let public = |name: &str| said(name).and_then(encoding::decode_array::<32>);
        if !is_whole || members.get("v") != Some(&Value::from(1)) || said("alg") != Some(ALGORITHM) {
            return None;
        }
        Some(Self {
            name: KeyName::parse(said("kid")?).ok()?,
            signer: Signer::from_bytes(&*signs?).ok()?,
            opener: Opener::from_bytes(&*opens?).ok()?,
            idp_name: KeyName::parse(said("hkid")?).ok()?,
            idp_verifier: Verifier::from_bytes(public("h_ed_pub")?).ok()?,
            idp_recipient: Recipient::from_bytes(public("h_x_pub")?).ok()?,
        })
    }
}

fn secret(members: &mut Map<String, Value>, name: &str) -> Option<Zeroizing<[u8; 32]>> {
    let Some(Value::String(text)) = members.remove(name) else { return None };
    let text = Zeroizing::new(text);
    encoding::decode_array(text.as_bytes()).map(Zeroizing::new)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn name(text: &str) -> KeyName {
        KeyName::parse(text).unwrap()
    }

    fn credential() -> (Credential, String) {
        let idp = IdpKeys::generate(&Entropy::system()).unwrap();
        let made = Credential::generate(name("spk_1"), &idp, name("idp_1"), &Entropy::system()).unwrap();
        let text = made.danger_to_text().unwrap().danger_expose().to_owned();
        (made, text)
    }

    fn json_of(text: &str) -> Value {
        serde_json::from_slice(&encoding::decode(text.strip_prefix(PREFIX).unwrap()).unwrap()).unwrap()
    }

    fn text_of(json: &str) -> String {
        format!("{PREFIX}{}", encoding::encode(json))
    }

    #[test]
    fn a_credential_comes_back_as_it_was_made() {
        let (made, text) = credential();
        let read = Credential::parse(&text).unwrap();
        assert_eq!((&read.name, &read.idp_name), (&made.name, &made.idp_name));
        assert_eq!(read.public(), made.public());
        assert_eq!((read.idp_verifier.clone(), read.idp_recipient), (made.idp_verifier.clone(), made.idp_recipient));
        assert_eq!(read.danger_to_text().unwrap().danger_expose(), text);
    }

    #[test]
    fn what_says_more_less_or_something_else_is_no_credential() {
        let (_, text) = credential();
        let good = json_of(&text);
        let with = |name: &str, value: Value| {
            let mut other = good.clone();
            other[name] = value;
            text_of(&other.to_string())
        };
        let mut bad: Vec<String> = MEMBERS
            .iter()
            .map(|name| {
                let mut less = good.clone();
                less.as_object_mut().unwrap().remove(*name);
                text_of(&less.to_string())
            })
            .collect();
        bad.extend([
            with("more", json!(1)),
            with("v", json!(2)),
            with("v", json!("1")),
            with("v", json!(1.0)),
            with("alg", json!("ed25519")),
            with("kid", json!("")),
            with("kid", json!("hawcx")),
            with("kid", json!("a b")),
            with("kid", json!("k\r\nX-SP-Id: c9")),
            with("hkid", json!("hawcx")),
            with("ed_priv", json!("AA")),
            with("ed_priv", json!(format!("{}=", good["ed_priv"].as_str().unwrap()))),
            with("x_priv", json!(null)),
            with("x_priv", json!(encoding::encode([7; 33]))),
            with("h_ed_pub", json!(encoding::encode([0; 32]))),
            with("h_x_pub", json!(encoding::encode([0; 32]))),
            text_of(&good.to_string().replacen('{', r#"{"v":1,"#, 1)),
            text_of("[]"),
            text_of(""),
            text[PREFIX.len()..].to_owned(),
            text.replace("_v1_", "_v2_"),
            format!("{text}="),
            format!(" {text}"),
            format!("{text}{}", "A".repeat(5000)),
            String::new(),
        ]);
        for bad in bad {
            assert_eq!(Credential::parse(&bad).err(), Some(InvalidCredential), "{bad}");
        }
        assert!(Credential::parse(&with("v", json!(1))).is_ok());
    }

    #[test]
    fn a_name_that_could_break_a_header_or_names_no_key_is_none() {
        for text in ["", "hawcx", "a b", "ü", "a\n", "a/b", &"a".repeat(65)] {
            assert_eq!(KeyName::parse(text), Err(InvalidKeyName), "{text:?}");
        }
        for text in ["a", "hawcx-2", "spk_01J", &"a".repeat(64)] {
            assert_eq!(KeyName::parse(text).unwrap().as_str(), text);
        }
    }
}
