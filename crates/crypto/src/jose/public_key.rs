//! Public keys that a caller sends along: JWK (RFC 7517) of the two kinds that we take, P-256 for ES256 (RFC 7518 §6.2) and Ed25519 for
//! EdDSA (RFC 8037). What such a key is worth is for whoever knows its thumbprint to say.

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, ED25519, ParsedPublicKey};
use countersign_domain::thumbprint::Thumbprint;
use serde_json::{Map, Value};

use super::unambiguous::members;
use crate::{digest::sha256, encoding};

/// A public key of a caller's.
#[derive(Debug)]
pub struct PublicKey {
    kind: Kind,
    key: ParsedPublicKey,
    thumbprint: Thumbprint,
}

/// What kind of key, and so by which algorithm it signs: a token doesn't choose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// ECDSA on P-256 with SHA-256.
    Es256,
    /// EdDSA on Ed25519.
    EdDsa,
}

/// Why a JWK isn't taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidJwk {
    /// No JSON object, or one that says something twice.
    #[error("the key is no JSON object")]
    NotAnObject,
    /// It holds the private half, which its owner has now told.
    #[error("the key holds its private half")]
    Private,
    /// Another kind of key, a symmetric one among them.
    #[error("the key is neither P-256 nor Ed25519")]
    Kind,
    /// It says itself that it is for something else.
    #[error("the key is for another use")]
    OtherUse,
    /// A coordinate is missing, no canonical base64url, or of another length.
    #[error("a coordinate of the key is not 32 bytes in base64url")]
    Coordinate,
    /// No point of the curve, or one that makes signatures worthless.
    #[error("the key is no point of its curve")]
    Point,
}

/// A signature that isn't this key's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the signature is not this key's")]
pub struct NotSigned;

/// What only private and symmetric keys have (RFC 7518 §6).
const PRIVATE: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

impl Kind {
    /// The names under which RFC 7518, RFC 8037 and RFC 9864 know the algorithm.
    pub const fn algorithms(self) -> &'static [&'static str] {
        match self {
            Self::Es256 => &["ES256"],
            Self::EdDsa => &["EdDSA", "Ed25519"],
        }
    }
}

impl PublicKey {
    /// Reads a JWK.
    pub fn from_jwk(json: &[u8]) -> Result<Self, InvalidJwk> {
        Self::from_members(&members(json).ok_or(InvalidJwk::NotAnObject)?)
    }

    /// Reads a JWK whose JSON has been read. Members that say nothing of the key itself (`kid`, `ext`, `key_ops`, …) are let pass.
    pub(crate) fn from_members(jwk: &Map<String, Value>) -> Result<Self, InvalidJwk> {
        if PRIVATE.iter().any(|member| jwk.contains_key(*member)) {
            return Err(InvalidJwk::Private);
        }
        let says = |member: &str| jwk.get(member).and_then(Value::as_str);
        let kind = match (says("kty"), says("crv")) {
            (Some("EC"), Some("P-256")) => Kind::Es256,
            (Some("OKP"), Some("Ed25519")) => Kind::EdDsa,
            _ => return Err(InvalidJwk::Kind),
        };
        check_use(jwk, kind)?;
        let coordinate = |name| says(name).and_then(encoding::decode_array::<32>).ok_or(InvalidJwk::Coordinate);
        let x = coordinate("x")?;
        match kind {
            Kind::Es256 => Self::on_p256(x, coordinate("y")?),
            Kind::EdDsa => Self::on_ed25519(x),
        }
    }

    fn on_p256(x: [u8; 32], y: [u8; 32]) -> Result<Self, InvalidJwk> {
        let point = [&[4][..], &x, &y].concat();
        let key = ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).map_err(|_| InvalidJwk::Point)?;
        let (x, y) = (encoding::encode(x), encoding::encode(y));
        let canonical = format!(r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#);
        Ok(Self { kind: Kind::Es256, key, thumbprint: Thumbprint(sha256(canonical)) })
    }

    fn on_ed25519(x: [u8; 32]) -> Result<Self, InvalidJwk> {
        if !is_canonical(&x) || has_small_order(&x) {
            return Err(InvalidJwk::Point);
        }
        let key = ParsedPublicKey::new(&ED25519, x).map_err(|_| InvalidJwk::Point)?;
        let canonical = format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{}"}}"#, encoding::encode(x));
        Ok(Self { kind: Kind::EdDsa, key, thumbprint: Thumbprint(sha256(canonical)) })
    }

    /// What kind of key it is.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// By what it is known: RFC 7638, and RFC 8037 §2 for Ed25519.
    pub fn thumbprint(&self) -> Thumbprint {
        self.thumbprint
    }

    /// Did this key sign the message?
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), NotSigned> {
        self.key.verify_sig(message, signature).map_err(|_| NotSigned)
    }
}

/// Where a key says what it is for (RFC 7517 §4.2, §4.4), it must be for signatures of its kind.
fn check_use(jwk: &Map<String, Value>, kind: Kind) -> Result<(), InvalidJwk> {
    let is_signing = jwk.get("use").is_none_or(|usage| usage == "sig");
    let names = |algorithm: &Value| algorithm.as_str().is_some_and(|name| kind.algorithms().contains(&name));
    if is_signing && jwk.get("alg").is_none_or(names) { Ok(()) } else { Err(InvalidJwk::OtherUse) }
}

/// Is the second coordinate below 2^255 − 19? Otherwise the same point has another spelling, and so another thumbprint.
pub(crate) fn is_canonical(point: &[u8; 32]) -> bool {
    let is_above = point[31] & 0x7f == 0x7f && point[1..31].iter().all(|b| *b == 0xff) && point[0] >= 0xed;
    !is_above
}

/// The second coordinates of the eight points whose order divides the cofactor (RFC 7748 §7 names the danger). Under such a key one signature
/// fits many messages, so it proves nothing.
const SMALL_ORDER: [[u8; 32]; 5] = {
    let mut one = [0; 32];
    one[0] = 1;
    let mut minus_one = [0xff; 32];
    minus_one[0] = 0xec;
    minus_one[31] = 0x7f;
    [
        [0; 32],
        one,
        minus_one,
        [
            0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98, 0xf0, 0xd5, 0xdf,
            0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05,
        ],
        [
            0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67, 0x0f, 0x2a, 0x20,
            0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a,
        ],
    ]
};

pub(crate) fn has_small_order(point: &[u8; 32]) -> bool {
    let mut unsigned = *point;
    unsigned[31] &= 0x7f;
    SMALL_ORDER.contains(&unsigned)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::jose::client_key::ClientKey;

    /// Of RFC 9449 §4.1.
    fn p256() -> Value {
        json!({"kty": "EC", "crv": "P-256", "x": "l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs", "y": "9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA"})
    }

    /// Of RFC 8037 appendix A.2.
    fn ed25519() -> Value {
        json!({"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"})
    }

    fn with(mut jwk: Value, name: &str, value: impl Into<Value>) -> Value {
        jwk[name] = value.into();
        jwk
    }

    fn without(mut jwk: Value, name: &str) -> Value {
        jwk.as_object_mut().unwrap().remove(name);
        jwk
    }

    fn read(jwk: &Value) -> Result<PublicKey, InvalidJwk> {
        PublicKey::from_jwk(jwk.to_string().as_bytes())
    }

    fn refusal(jwk: &Value) -> Option<InvalidJwk> {
        read(jwk).err()
    }

    #[test]
    fn the_thumbprints_are_those_of_the_rfcs() {
        let text = |jwk: &Value| encoding::encode(read(jwk).unwrap().thumbprint().0);
        // RFC 9449 §6.1, RFC 8037 appendix A.3.
        assert_eq!(text(&p256()), "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I");
        assert_eq!(text(&ed25519()), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    }

    #[test]
    fn the_thumbprint_depends_on_the_key_alone() {
        let plain = read(&p256()).unwrap().thumbprint();
        for (name, value) in [("kid", json!("a")), ("use", json!("sig")), ("alg", json!("ES256")), ("ext", json!(true))]
        {
            assert_eq!(read(&with(p256(), name, value)).unwrap().thumbprint(), plain, "{name}");
        }
        let reordered = r#"{"y":"9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA","crv":"P-256","x":"l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs","kty":"\u0045C"}"#;
        assert_eq!(PublicKey::from_jwk(reordered.as_bytes()).unwrap().thumbprint(), plain);
        assert_ne!(read(&ed25519()).unwrap().thumbprint(), plain);
    }

    #[test]
    fn a_key_that_tells_its_private_half_is_refused() {
        for member in PRIVATE {
            assert_eq!(refusal(&with(p256(), member, "AA")), Some(InvalidJwk::Private), "{member}");
            assert_eq!(refusal(&with(ed25519(), member, Value::Null)), Some(InvalidJwk::Private), "{member}");
        }
        assert!(read(&p256()).is_ok() && read(&ed25519()).is_ok());
    }

    #[test]
    fn keys_of_other_kinds_are_refused() {
        let x = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
        for jwk in [
            json!({"kty": "RSA", "n": "AQAB", "e": "AQAB"}),
            json!({"kty": "EC", "crv": "P-384", "x": x, "y": x}),
            json!({"kty": "EC", "crv": "secp256k1", "x": x, "y": x}),
            json!({"kty": "OKP", "crv": "X25519", "x": x}),
            json!({"kty": "OKP", "crv": "P-256", "x": x}),
            json!({"kty": "EC", "crv": "Ed25519", "x": x}),
            json!({"kty": "ec", "crv": "P-256", "x": x, "y": x}),
            json!({"kty": ["EC"], "crv": "P-256"}),
            json!({}),
        ] {
            assert_eq!(refusal(&jwk), Some(InvalidJwk::Kind), "{jwk}");
        }
        assert_eq!(refusal(&json!({"kty": "oct", "k": "AA"})), Some(InvalidJwk::Private));
        assert_eq!(refusal(&json!([p256()])), Some(InvalidJwk::NotAnObject));
        let twice = p256().to_string().replacen("\"kty\"", "\"kty\":\"OKP\",\"kty\"", 1);
        assert_eq!(PublicKey::from_jwk(twice.as_bytes()).err(), Some(InvalidJwk::NotAnObject));
    }

    #[test]
    fn a_key_for_another_use_is_refused() {
        for (name, value) in
            [("use", json!("enc")), ("use", json!(1)), ("alg", json!("ES384")), ("alg", json!("HS256"))]
        {
            assert_eq!(refusal(&with(p256(), name, value)), Some(InvalidJwk::OtherUse), "{name}");
        }
        assert_eq!(refusal(&with(ed25519(), "alg", "ES256")), Some(InvalidJwk::OtherUse));
        assert!(read(&with(ed25519(), "alg", "Ed25519")).is_ok());
    }

    #[test]
    fn a_coordinate_has_one_spelling_and_one_length() {
        let good = "l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs";
        let short = encoding::encode([1; 31]);
        let long = encoding::encode([1; 33]);
        let bad = [
            format!("{good}="),
            format!(" {good}"),
            good.replace('-', "+"),
            // The same 32 bytes, with loose bits at the end.
            format!("{}t", &good[..42]),
            short,
            long,
            String::new(),
        ];
        for x in bad {
            assert_eq!(refusal(&with(p256(), "x", x.clone())), Some(InvalidJwk::Coordinate), "{x}");
            assert_eq!(refusal(&with(ed25519(), "x", x.clone())), Some(InvalidJwk::Coordinate), "{x}");
        }
        assert_eq!(refusal(&without(p256(), "y")), Some(InvalidJwk::Coordinate));
        assert_eq!(refusal(&without(ed25519(), "x")), Some(InvalidJwk::Coordinate));
        assert_eq!(refusal(&with(p256(), "x", 1)), Some(InvalidJwk::Coordinate));
    }

    #[test]
    fn a_point_off_the_curve_is_refused() {
        let swapped = json!({"kty": "EC", "crv": "P-256", "x": p256()["y"], "y": p256()["x"]});
        assert_eq!(refusal(&swapped), Some(InvalidJwk::Point));
        for x in [[0; 32], [0xff; 32]] {
            let jwk = with(with(p256(), "x", encoding::encode(x)), "y", encoding::encode(x));
            assert_eq!(refusal(&jwk), Some(InvalidJwk::Point));
        }
    }

    #[test]
    fn a_point_under_which_one_signature_fits_all_messages_is_refused() {
        let mut points = SMALL_ORDER.to_vec();
        points.extend(SMALL_ORDER.map(|mut point| {
            point[31] |= 0x80;
            point
        }));
        // The same with p added, where that fits: 0 and 1.
        for first in [0xed, 0xee, 0xff] {
            let mut point = [0xff; 32];
            (point[0], point[31]) = (first, 0x7f);
            points.push(point);
        }
        for point in points {
            let x = encoding::encode(point);
            assert_eq!(refusal(&with(ed25519(), "x", x.clone())), Some(InvalidJwk::Point), "{x}");
        }
    }

    #[test]
    fn a_key_knows_its_own_signatures_and_no_others() {
        for kind in [Kind::Es256, Kind::EdDsa] {
            let (one, other) = (ClientKey::generate(kind).unwrap(), ClientKey::generate(kind).unwrap());
            let public = read(&one.jwk()).unwrap();
            assert_eq!((public.kind(), public.thumbprint()), (kind, one.thumbprint()));
            let signature = one.sign_bytes(b"message");
            assert_eq!(public.verify(b"message", &signature), Ok(()));
            assert_eq!(public.verify(b"messages", &signature), Err(NotSigned));
            assert_eq!(public.verify(b"message", &other.sign_bytes(b"message")), Err(NotSigned));
            for wrong in [&signature[..63], &[&signature[..], &[0]].concat(), &[0; 64], &[]] {
                assert_eq!(public.verify(b"message", wrong), Err(NotSigned));
            }
        }
    }

    proptest! {
        #[test]
        fn no_json_makes_the_reader_panic(text in ".{0,200}", x in ".{0,50}", y in ".{0,50}") {
            let _ = PublicKey::from_jwk(text.as_bytes());
            let _ = read(&json!({"kty": "EC", "crv": "P-256", "x": x, "y": y}));
            let _ = read(&json!({"kty": "OKP", "crv": "Ed25519", "x": x}));
        }
    }
}
