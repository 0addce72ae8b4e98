//! The keys of both sides: Ed25519 to sign, X25519 to seal. Each side holds the private halves of its own pairs and the public halves of the other's.

use aws_lc_rs::{
    agreement::{self, PrivateKey, UnparsedPublicKey, X25519},
    encoding::{AsBigEndian, Curve25519SeedBin},
    signature::{ED25519, Ed25519KeyPair, KeyPair, ParsedPublicKey},
};
use zeroize::Zeroizing;

use super::pem::{ED25519_PRIVATE, ED25519_PUBLIC, X25519_PRIVATE, X25519_PUBLIC};
use crate::{
    entropy::Entropy,
    jose::public_key::{has_small_order, is_canonical},
    secret::SecretText,
};

/// What a service provider registers: the public halves of one of its pairs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpKeys {
    /// Checks what it signs.
    pub verifier: Verifier,
    /// What is sealed for it is sealed to this.
    pub recipient: Recipient,
}

/// Our own pairs, in a project.
pub struct IdpKeys {
    /// Signs our answers.
    pub signer: Signer,
    /// Opens what is sealed for us.
    pub opener: Opener,
}

/// Bytes or a text that are no such key, or one under which nothing would be proved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a key of this kind")]
pub struct InvalidKey;

/// A private Ed25519 key.
pub struct Signer(Ed25519KeyPair);

/// A public Ed25519 key.
#[derive(Debug, Clone)]
pub struct Verifier {
    bytes: [u8; 32],
    key: ParsedPublicKey,
}

/// A private X25519 key.
pub struct Opener {
    key: PrivateKey,
    public: [u8; 32],
}

/// A public X25519 key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recipient([u8; 32]);

impl IdpKeys {
    /// New ones.
    pub fn generate(entropy: &Entropy) -> Result<Self, InvalidKey> {
        Ok(Self { signer: Signer::generate(entropy)?, opener: Opener::generate(entropy)? })
    }
}

impl Signer {
    /// A new one.
    pub fn generate(entropy: &Entropy) -> Result<Self, InvalidKey> {
        Self::from_bytes(&Zeroizing::new(entropy.bytes()))
    }

    /// From the seed (RFC 8032 §5.1.5).
    pub fn from_bytes(seed: &[u8; 32]) -> Result<Self, InvalidKey> {
        Ed25519KeyPair::from_seed_unchecked(seed).map(Self).map_err(|_| InvalidKey)
    }

    /// The seed, to be sealed or handed to its owner.
    pub fn danger_to_bytes(&self) -> Result<Zeroizing<[u8; 32]>, InvalidKey> {
        let seed = self.0.seed().map_err(|_| InvalidKey)?;
        array(AsBigEndian::<Curve25519SeedBin<'_>>::as_be_bytes(&seed).map_err(|_| InvalidKey)?.as_ref())
    }

    /// From PKCS#8 in PEM.
    pub fn from_pem(pem: &str) -> Result<Self, InvalidKey> {
        Self::from_bytes(&*ED25519_PRIVATE.read(pem).ok_or(InvalidKey)?)
    }

    /// As PKCS#8 in PEM.
    pub fn danger_to_pem(&self) -> Result<SecretText, InvalidKey> {
        Ok(SecretText::new((*ED25519_PRIVATE.write(&*self.danger_to_bytes()?)).clone()))
    }

    /// Its public half.
    pub fn verifier(&self) -> Result<Verifier, InvalidKey> {
        Verifier::from_bytes(self.0.public_key().as_ref().try_into().map_err(|_| InvalidKey)?)
    }

    pub(super) fn sign(&self, message: &[u8]) -> [u8; 64] {
        let mut signature = [0; 64];
        signature.copy_from_slice(self.0.sign(message).as_ref());
        signature
    }
}

impl Verifier {
    /// From its 32 bytes. A key with another spelling, and one of small order, is none: under the latter one signature fits many messages.
    pub fn from_bytes(bytes: [u8; 32]) -> Result<Self, InvalidKey> {
        if !is_canonical(&bytes) || has_small_order(&bytes) {
            return Err(InvalidKey);
        }
        let key = ParsedPublicKey::new(&ED25519, bytes).map_err(|_| InvalidKey)?;
        Ok(Self { bytes, key })
    }

    /// Its 32 bytes.
    pub fn to_bytes(&self) -> [u8; 32] {
        self.bytes
    }

    /// From `SubjectPublicKeyInfo` in PEM.
    pub fn from_pem(pem: &str) -> Result<Self, InvalidKey> {
        Self::from_bytes(*ED25519_PUBLIC.read(pem).ok_or(InvalidKey)?)
    }

    /// As `SubjectPublicKeyInfo` in PEM.
    pub fn to_pem(&self) -> String {
        (*ED25519_PUBLIC.write(&self.bytes)).clone()
    }

    pub(super) fn has_signed(&self, message: &[u8], signature: &[u8; 64]) -> bool {
        self.key.verify_sig(message, signature).is_ok()
    }
}

impl PartialEq for Verifier {
    fn eq(&self, other: &Self) -> bool {
        self.bytes == other.bytes
    }
}

impl Eq for Verifier {}

impl Opener {
    /// A new one.
    pub fn generate(entropy: &Entropy) -> Result<Self, InvalidKey> {
        Self::from_bytes(&Zeroizing::new(entropy.bytes()))
    }

    /// From its 32 bytes (RFC 7748 §5).
    pub fn from_bytes(bytes: &[u8; 32]) -> Result<Self, InvalidKey> {
        let key = PrivateKey::from_private_key(&X25519, bytes).map_err(|_| InvalidKey)?;
        let public = key.compute_public_key().map_err(|_| InvalidKey)?;
        let public = public.as_ref().try_into().map_err(|_| InvalidKey)?;
        Ok(Self { key, public })
    }

    /// Its 32 bytes, to be sealed or handed to their owner.
    pub fn danger_to_bytes(&self) -> Result<Zeroizing<[u8; 32]>, InvalidKey> {
        array(AsBigEndian::<Curve25519SeedBin<'_>>::as_be_bytes(&self.key).map_err(|_| InvalidKey)?.as_ref())
    }

    /// From PKCS#8 in PEM.
    pub fn from_pem(pem: &str) -> Result<Self, InvalidKey> {
        Self::from_bytes(&*X25519_PRIVATE.read(pem).ok_or(InvalidKey)?)
    }

    /// As PKCS#8 in PEM.
    pub fn danger_to_pem(&self) -> Result<SecretText, InvalidKey> {
        Ok(SecretText::new((*X25519_PRIVATE.write(&*self.danger_to_bytes()?)).clone()))
    }

    /// Its public half.
    pub fn recipient(&self) -> Recipient {
        Recipient(self.public)
    }

    /// What both sides know and nobody else. None: it is all zeros, which everybody knows (RFC 7748 §6.1).
    pub(super) fn agree(&self, with: &Recipient) -> Option<Zeroizing<[u8; 32]>> {
        let with = UnparsedPublicKey::new(&X25519, with.0);
        let secret = agreement::agree(&self.key, with, InvalidKey, array).ok()?;
        // The library refuses it, too; this one stands here for whoever changes the library.
        let any = secret.iter().fold(0, |any, byte| any | byte);
        (any != 0).then_some(secret)
    }
}

impl Recipient {
    /// From its 32 bytes. A key with another spelling is none (a changed bit would change nothing), and neither is one of small order, with which
    /// everybody agrees on zeros.
    pub fn from_bytes(bytes: [u8; 32]) -> Result<Self, InvalidKey> {
        let key = Self(bytes);
        let is_canonical = bytes[31] & 0x80 == 0 && is_canonical(&bytes);
        let agrees = Opener::from_bytes(&ANY)?.agree(&key).is_some();
        if is_canonical && agrees { Ok(key) } else { Err(InvalidKey) }
    }

    /// Its 32 bytes.
    pub fn to_bytes(&self) -> [u8; 32] {
        self.0
    }

    /// From `SubjectPublicKeyInfo` in PEM.
    pub fn from_pem(pem: &str) -> Result<Self, InvalidKey> {
        Self::from_bytes(*X25519_PUBLIC.read(pem).ok_or(InvalidKey)?)
    }

    /// As `SubjectPublicKeyInfo` in PEM.
    pub fn to_pem(&self) -> String {
        (*X25519_PUBLIC.write(&self.0)).clone()
    }
}

/// Every private key is a multiple of eight (RFC 7748 §5), so with a key of small order any of them comes to zeros.
const ANY: [u8; 32] = [8; 32];

fn array(bytes: &[u8]) -> Result<Zeroizing<[u8; 32]>, InvalidKey> {
    let mut array = Zeroizing::new([0; 32]);
    if bytes.len() != array.len() {
        return Err(InvalidKey);
    }
    array.copy_from_slice(bytes);
    Ok(array)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys() -> IdpKeys {
        IdpKeys::generate(&Entropy::system()).unwrap()
    }

    #[test]
    fn keys_come_back_from_their_bytes_and_from_pem() {
        let IdpKeys { signer, opener } = keys();
        let verifier = signer.verifier().unwrap();
        let again = Signer::from_bytes(&signer.danger_to_bytes().unwrap()).unwrap();
        assert_eq!(again.verifier().unwrap(), verifier);
        let again = Signer::from_pem(signer.danger_to_pem().unwrap().danger_expose()).unwrap();
        assert_eq!(again.verifier().unwrap(), verifier);
        assert_eq!(Verifier::from_pem(&verifier.to_pem()), Ok(verifier.clone()));
        assert_eq!(Verifier::from_bytes(verifier.to_bytes()), Ok(verifier));
        let recipient = opener.recipient();
        let again = Opener::from_bytes(&opener.danger_to_bytes().unwrap()).unwrap();
        assert_eq!(again.recipient(), recipient);
        let again = Opener::from_pem(opener.danger_to_pem().unwrap().danger_expose()).unwrap();
        assert_eq!(again.recipient(), recipient);
        assert_eq!(Recipient::from_pem(&recipient.to_pem()), Ok(recipient));
        assert_eq!(Recipient::from_bytes(recipient.to_bytes()), Ok(recipient));
    }

    fn hex(text: &str) -> [u8; 32] {
        std::array::from_fn(|at| u8::from_str_radix(&text[at * 2..at * 2 + 2], 16).unwrap())
    }

    #[test]
    fn public_halves_are_those_of_the_rfcs() {
        // RFC 7748 §6.1.
        let alice =
            Opener::from_bytes(&hex("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a")).unwrap();
        let public = "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a";
        assert_eq!(alice.recipient().to_bytes(), hex(public));
        // RFC 8032 §7.1.
        let one = Signer::from_bytes(&hex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")).unwrap();
        let public = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
        assert_eq!(one.verifier().unwrap().to_bytes(), hex(public));
    }

    #[test]
    fn a_key_of_one_kind_is_none_of_another() {
        let IdpKeys { signer, opener } = keys();
        let (ed, x) = (signer.verifier().unwrap().to_pem(), opener.recipient().to_pem());
        assert_eq!(
            (Verifier::from_pem(&x).err(), Recipient::from_pem(&ed).err()),
            (Some(InvalidKey), Some(InvalidKey))
        );
        let (ed, x) = (signer.danger_to_pem().unwrap(), opener.danger_to_pem().unwrap());
        assert!(Signer::from_pem(x.danger_expose()).is_err() && Opener::from_pem(ed.danger_expose()).is_err());
        assert!(Verifier::from_pem(ed.danger_expose()).is_err() && Recipient::from_pem(x.danger_expose()).is_err());
    }

    #[test]
    fn pem_that_is_anything_else_is_no_key() {
        let good = keys().opener.recipient().to_pem();
        let body = good.lines().nth(1).unwrap().to_owned();
        for bad in [
            String::new(),
            body.clone(),
            good.replace("PUBLIC", "PRIVATE"),
            good.replace("-----END PUBLIC KEY-----", ""),
            good.replace(&body, ""),
            good.replace(&body, &body[..body.len() - 4]),
            good.replace(&body, &format!("{body}AAAA")),
            good.replace(&body, &format!("AAAA{body}")),
            good.replace(&body, body.trim_end_matches('=')),
            format!("{good}{good}"),
            format!("Comment: mine\n{good}"),
        ] {
            assert!(Recipient::from_pem(&bad).is_err(), "{bad}");
        }
        // What editors and mail do to it does no harm.
        for same in [
            good.replace('\n', "\r\n"),
            format!("\n {}\n\n", good.replace(&body, &format!("{}\n{}", &body[..20], &body[20..]))),
        ] {
            assert!(Recipient::from_pem(&same).is_ok(), "{same}");
        }
    }

    /// The orders 1, 2, 4 and 8 (RFC 7748 §7), and what is the same with another spelling.
    const WORTHLESS: [&str; 7] = [
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
        "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    ];

    #[test]
    fn nothing_is_sealed_to_a_key_with_which_everybody_agrees() {
        for text in WORTHLESS {
            let bytes = hex(text);
            assert_eq!(Recipient::from_bytes(bytes), Err(InvalidKey), "{text}");
            let mut other_spelling = bytes;
            other_spelling[31] |= 0x80;
            assert_eq!(Recipient::from_bytes(other_spelling), Err(InvalidKey), "{text}");
            assert!(keys().opener.agree(&Recipient(bytes)).is_none(), "{text}");
        }
        // The base point is an honest key: the twin.
        let mut nine = [0; 32];
        nine[0] = 9;
        assert!(Recipient::from_bytes(nine).is_ok());
        nine[31] = 0x80;
        assert_eq!(Recipient::from_bytes(nine), Err(InvalidKey), "the same key with another spelling");
    }

    #[test]
    fn no_signature_is_checked_by_a_key_that_any_signature_fits() {
        for text in &WORTHLESS[..3] {
            assert_eq!(Verifier::from_bytes(hex(text)), Err(InvalidKey), "{text}");
        }
    }
}
