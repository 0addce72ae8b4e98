use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::jose::{client_key::ClientKey, public_key::Kind};

/// RFC 9449 §4.2, figure 2: a proof for a token request.
const FOR_TOKEN: &str = "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0RscEJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6IlAtMjU2In19.eyJqdGkiOiItQndDM0VTYzZhY2MybFRjIiwiaHRtIjoiUE9TVCIsImh0dSI6Imh0dHBzOi8vc2VydmVyLmV4YW1wbGUuY29tL3Rva2VuIiwiaWF0IjoxNTYyMjYyNjE2fQ.2-GxA6T8lP4vfrg8v-FdWP0A0zdrj8igiMLvqRMUvwnQg4PtFLbdLXiOSsX0x7NVY-FNyJK70nfbV37xRZT3Lg";

/// RFC 9449 §7.1, figure 12: a proof for a call with an access token.
const FOR_RESOURCE: &str = "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0RscEJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6IlAtMjU2In19.eyJqdGkiOiJlMWozVl9iS2ljOC1MQUVCIiwiaHRtIjoiR0VUIiwiaHR1IjoiaHR0cHM6Ly9yZXNvdXJjZS5leGFtcGxlLm9yZy9wcm90ZWN0ZWRyZXNvdXJjZSIsImlhdCI6MTU2MjI2MjYxOCwiYXRoIjoiZlVIeU8ycjJaM0RaNTNFc05yV0JiMHhXWG9hTnk1OUlpS0NBcWtzbVFFbyJ9.2oW9RP35yRqzhrtNP86L-Ey71EOptxRimPPToA1plemAgR6pxHF8y6-yqyVnmcw6Fy1dqd-jfxSYoMxhAJpLjA";
const ACCESS_TOKEN: &str = "Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU";
/// RFC 9449 §6.1.
const THUMBPRINT: &str = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I";

const NOW: i64 = 1_800_000_000;
const HERE: &str = "https://auth.example.com/v1/me";

fn uri(text: &str) -> HttpUri {
    HttpUri::parse(text).unwrap()
}

/// A key, and what it would say of a call now.
struct Client {
    key: ClientKey,
    head: Value,
    claims: Value,
}

impl Client {
    fn new(kind: Kind) -> Self {
        let key = ClientKey::generate(kind).unwrap();
        let head = json!({"typ": "dpop+jwt", "alg": key.algorithm(), "jwk": key.jwk()});
        let claims =
            json!({"jti": "1", "htm": "GET", "htu": HERE, "iat": NOW, "ath": encoding::encode(sha256("token"))});
        Self { key, head, claims }
    }

    fn proof(&self) -> String {
        self.key.sign(self.head.to_string().as_bytes(), self.claims.to_string().as_bytes())
    }

    fn heading(&self, name: &str, value: impl Into<Value>) -> String {
        let mut head = self.head.clone();
        head[name] = value.into();
        self.key.sign(head.to_string().as_bytes(), self.claims.to_string().as_bytes())
    }

    fn saying(&self, name: &str, value: impl Into<Value>) -> String {
        let mut claims = self.claims.clone();
        claims[name] = value.into();
        self.key.sign(self.head.to_string().as_bytes(), claims.to_string().as_bytes())
    }

    fn silent_of(&self, name: &str) -> String {
        let mut claims = self.claims.clone();
        claims.as_object_mut().unwrap().remove(name);
        self.key.sign(self.head.to_string().as_bytes(), claims.to_string().as_bytes())
    }
}

fn refusal(proof: &str) -> Option<InvalidProof> {
    check_at(proof, NOW * 1_000_000).err()
}

fn check_at(proof: &str, micros: i64) -> Result<(), InvalidProof> {
    let uris = [uri("https://other.example.com/v1/me"), uri(HERE)];
    let call = Call { method: "GET", uris: &uris, access_token: Some("token") };
    SignedProof::read(proof.as_bytes())?.check(&call, Timestamp::from_micros(micros))
}

fn refused_reading(proof: &str) -> Option<InvalidProof> {
    SignedProof::read(proof.as_bytes()).err()
}

#[test]
fn the_proofs_of_the_rfc_are_good_for_what_they_were_made_for() {
    let for_token = SignedProof::read(FOR_TOKEN.as_bytes()).unwrap();
    assert_eq!(encoding::encode(for_token.thumbprint().0), THUMBPRINT);
    let call = Call { method: "POST", uris: &[uri("https://server.example.com/token")], access_token: None };
    let at = Timestamp::from_seconds;
    assert_eq!(for_token.check(&call, at(1_562_262_616)), Ok(()));
    assert_eq!(for_token.check(&call, at(1_562_262_616 + 61)), Err(InvalidProof::Stale));

    let for_resource = SignedProof::read(FOR_RESOURCE.as_bytes()).unwrap();
    assert_eq!(encoding::encode(for_resource.thumbprint().0), THUMBPRINT);
    let uris = [uri("https://resource.example.org/protectedresource")];
    let call = Call { method: "GET", uris: &uris, access_token: Some(ACCESS_TOKEN) };
    assert_eq!(for_resource.check(&call, at(1_562_262_618)), Ok(()));
    let other_token = Call { access_token: Some("Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxV"), ..call };
    assert_eq!(for_resource.check(&other_token, at(1_562_262_618)), Err(InvalidProof::AccessToken));
    assert_ne!(for_token.hash(), for_resource.hash());
}

#[test]
fn a_proof_of_either_kind_of_key_is_good() {
    for kind in [Kind::Es256, Kind::EdDsa] {
        let client = Client::new(kind);
        assert_eq!(refusal(&client.proof()), None);
        let read = SignedProof::read(client.proof().as_bytes()).unwrap();
        assert_eq!((read.thumbprint(), read.nonce()), (client.key.thumbprint(), None));
        assert_eq!(SignedProof::read(client.saying("nonce", "n").as_bytes()).unwrap().nonce(), Some("n"));
    }
    assert_eq!(refusal(&Client::new(Kind::EdDsa).heading("alg", "Ed25519")), None, "RFC 9864");
}

#[test]
fn what_a_header_says_beside_leads_nowhere() {
    let client = Client::new(Kind::Es256);
    for (name, value) in [("kid", json!("../../x")), ("jku", json!("https://evil.example")), ("x5c", json!(["AA"]))] {
        let read = SignedProof::read(client.heading(name, value).as_bytes()).unwrap();
        assert_eq!(read.thumbprint(), client.key.thumbprint(), "{name}");
    }
    assert_eq!(refusal(&client.heading("crit", json!(["b64"]))), Some(InvalidProof::Critical));
    assert_eq!(refusal(&client.heading("crit", json!([]))), Some(InvalidProof::Critical));
}

#[test]
fn another_type_is_no_proof() {
    let client = Client::new(Kind::Es256);
    for typ in [
        json!("JWT"),
        json!("at+jwt"),
        json!("DPoP+JWT"),
        json!("application/dpop+jwt"),
        json!(["dpop+jwt"]),
        Value::Null,
    ] {
        assert_eq!(refused_reading(&client.heading("typ", typ)), Some(InvalidProof::Type));
    }
}

#[test]
fn an_algorithm_that_is_not_the_keys_is_refused() {
    let (p256, ed25519) = (Client::new(Kind::Es256), Client::new(Kind::EdDsa));
    for algorithm in ["none", "None", "", "HS256", "RS256", "ES384", "EdDSA", "es256"] {
        assert_eq!(refused_reading(&p256.heading("alg", algorithm)), Some(InvalidProof::Algorithm), "{algorithm}");
    }
    for algorithm in ["none", "HS256", "ES256", "eddsa"] {
        assert_eq!(refused_reading(&ed25519.heading("alg", algorithm)), Some(InvalidProof::Algorithm), "{algorithm}");
    }
    assert_eq!(refused_reading(&p256.heading("alg", Value::Null)), Some(InvalidProof::Algorithm));
}

#[test]
fn a_key_that_will_not_do_is_refused() {
    let client = Client::new(Kind::Es256);
    let mut private = client.key.jwk();
    private["d"] = json!("AA");
    for (jwk, expected) in [
        (private, InvalidJwk::Private),
        (json!({"kty": "oct", "k": "AA"}), InvalidJwk::Private),
        (json!({"kty": "RSA", "n": "AQAB", "e": "AQAB"}), InvalidJwk::Kind),
        (json!([client.key.jwk()]), InvalidJwk::NotAnObject),
        (json!("key"), InvalidJwk::NotAnObject),
        (Value::Null, InvalidJwk::NotAnObject),
    ] {
        assert_eq!(refused_reading(&client.heading("jwk", jwk)), Some(InvalidProof::Key(expected)));
    }
}

#[test]
fn a_proof_that_says_something_twice_is_refused() {
    let client = Client::new(Kind::Es256);
    let (head, claims) = (client.head.to_string(), client.claims.to_string());
    let other = Client::new(Kind::Es256).key.jwk();
    for (head, claims) in [
        (head.replacen('{', &format!("{{\"jwk\":{other},"), 1), claims.clone()),
        (head.replacen('{', r#"{"alg":"none","#, 1), claims.clone()),
        (head.clone(), claims.replacen('{', r#"{"htu":"https://evil.example/","#, 1)),
        (head.clone(), claims.replacen('{', r#"{"ht\u0075":"https://evil.example/","#, 1)),
        (format!("[{head}]"), claims.clone()),
        (head.clone(), format!("[{claims}]")),
    ] {
        let proof = client.key.sign(head.as_bytes(), claims.as_bytes());
        assert_eq!(refused_reading(&proof), Some(InvalidProof::Malformed), "{head} {claims}");
    }
}

#[test]
fn another_keys_signature_is_refused() {
    let (one, other) = (Client::new(Kind::Es256), Client::new(Kind::Es256));
    assert_eq!(refused_reading(&other.heading("jwk", one.key.jwk())), Some(InvalidProof::Signature));
    let proof = one.proof();
    let (signed, _) = proof.rsplit_once('.').unwrap();
    for signature in ["", "AA", &encoding::encode([0; 64])] {
        assert_eq!(refused_reading(&format!("{signed}.{signature}")), Some(InvalidProof::Signature));
    }
}

#[test]
fn no_byte_of_a_proof_can_be_changed() {
    for kind in [Kind::Es256, Kind::EdDsa] {
        let proof = Client::new(kind).proof();
        for position in 0..proof.len() {
            let mut bytes = proof.clone().into_bytes();
            bytes[position] = if bytes[position] == b'A' { b'B' } else { b'A' };
            assert!(SignedProof::read(&bytes).is_err(), "changed at {position}");
            assert!(SignedProof::read(&proof.as_bytes()[..position]).is_err(), "cut to {position}");
        }
        for more in ["=", "A", ".", ".A", " ", ","] {
            assert!(refused_reading(&format!("{proof}{more}")).is_some(), "{more}");
        }
    }
}

#[test]
fn what_is_no_jwt_is_refused() {
    let long = "a".repeat(LONGEST + 1);
    for text in ["", ".", "..", "...", "a.b.c", "a.b.c.d", "e30.e30.", "e30.e30.AA", &long] {
        assert!(refused_reading(text).is_some(), "{text}");
    }
    assert_eq!(SignedProof::read(b"\xff.\xff.\xff").err(), Some(InvalidProof::Malformed));
}

#[test]
fn an_id_has_1_to_128_bytes() {
    let client = Client::new(Kind::Es256);
    assert_eq!(refusal(&client.saying("jti", "x".repeat(128))), None);
    for id in [json!(""), json!("x".repeat(129)), json!("ü".repeat(65)), json!(1), Value::Null] {
        assert_eq!(refusal(&client.saying("jti", id)), Some(InvalidProof::Id));
    }
    assert_eq!(refusal(&client.silent_of("jti")), Some(InvalidProof::Id));
}

#[test]
fn a_proof_for_another_call_is_refused() {
    let client = Client::new(Kind::Es256);
    for method in ["POST", "get", "GET ", ""] {
        assert_eq!(refusal(&client.saying("htm", method)), Some(InvalidProof::Method), "{method}");
    }
    assert_eq!(refusal(&client.silent_of("htm")), Some(InvalidProof::Method));
    for address in
        ["https://auth.example.com/v1/you", "http://auth.example.com/v1/me", "https://evil.example/v1/me", "/v1/me", ""]
    {
        assert_eq!(refusal(&client.saying("htu", address)), Some(InvalidProof::Uri), "{address}");
    }
    assert_eq!(refusal(&client.silent_of("htu")), Some(InvalidProof::Uri));
    for address in ["HTTPS://AUTH.example.com:443/v1/%6De?a=b#c", "https://other.example.com/v1/./me"] {
        assert_eq!(refusal(&client.saying("htu", address)), None, "{address}");
    }
}

#[test]
fn a_proof_is_good_for_a_minute_and_five_seconds_before_its_time() {
    let client = Client::new(Kind::Es256);
    let proof = client.proof();
    let (made, second) = (NOW * 1_000_000, 1_000_000);
    for (at, expected) in [
        (made - 5 * second - 1, Err(InvalidProof::Early)),
        (made - 5 * second, Ok(())),
        (made, Ok(())),
        (made + 60 * second, Ok(())),
        (made + 60 * second + 1, Err(InvalidProof::Stale)),
    ] {
        assert_eq!(check_at(&proof, at), expected, "{}", at - made);
    }
    assert_eq!(SignedProof::read(proof.as_bytes()).unwrap().expires_at(), Timestamp::from_seconds(NOW + 60));
}

#[test]
fn a_time_is_a_number_with_or_without_fractions() {
    let client = Client::new(Kind::Es256);
    for time in [json!(NOW), json!(1_799_999_999.75), json!(1.8e9)] {
        assert_eq!(refusal(&client.saying("iat", time)), None);
    }
    for (time, expected) in [
        (json!(0), InvalidProof::Stale),
        (json!(-1), InvalidProof::Stale),
        (json!(i64::MIN), InvalidProof::Stale),
        (json!(-1e300), InvalidProof::Stale),
        (json!(u64::MAX), InvalidProof::Early),
        (json!(i64::MAX), InvalidProof::Early),
        (json!(1e300), InvalidProof::Early),
        (json!("1800000000"), InvalidProof::NoTime),
        (Value::Null, InvalidProof::NoTime),
    ] {
        assert_eq!(refusal(&client.saying("iat", time.clone())), Some(expected), "{time}");
    }
    assert_eq!(refusal(&client.silent_of("iat")), Some(InvalidProof::NoTime));
}

#[test]
fn with_an_access_token_a_proof_must_be_for_it() {
    let client = Client::new(Kind::Es256);
    for hash in [json!(encoding::encode(sha256("other"))), json!(""), json!("token"), json!(1), Value::Null] {
        assert_eq!(refusal(&client.saying("ath", hash)), Some(InvalidProof::AccessToken));
    }
    let without = client.silent_of("ath");
    assert_eq!(refusal(&without), Some(InvalidProof::AccessToken));
    let call = Call { method: "GET", uris: &[uri(HERE)], access_token: None };
    let read = SignedProof::read(without.as_bytes()).unwrap();
    assert_eq!(read.check(&call, Timestamp::from_seconds(NOW)), Ok(()));
}

#[test]
fn proofs_are_told_apart_by_key_and_id() {
    let (one, other) = (Client::new(Kind::Es256), Client::new(Kind::Es256));
    let hash = |proof: &str| SignedProof::read(proof.as_bytes()).unwrap().hash();
    assert_eq!(hash(&one.proof()), hash(&one.saying("iat", NOW + 1)), "the same id again");
    assert_ne!(hash(&one.proof()), hash(&one.saying("jti", "2")));
    assert_ne!(hash(&one.proof()), hash(&other.proof()));
}

proptest! {
    #[test]
    fn no_header_makes_the_reader_panic(
        text in ".{0,300}",
        bytes in prop::collection::vec(any::<u8>(), 0..300),
        head in "\\{.{0,100}\\}",
        claims in "\\{.{0,100}\\}",
    ) {
        let _ = SignedProof::read(text.as_bytes());
        let _ = SignedProof::read(&bytes);
        let client = Client::new(Kind::EdDsa);
        let _ = SignedProof::read(client.key.sign(head.as_bytes(), client.claims.to_string().as_bytes()).as_bytes());
        let _ = SignedProof::read(client.key.sign(client.head.to_string().as_bytes(), claims.as_bytes()).as_bytes());
    }

    #[test]
    fn a_proof_is_good_at_any_moment_of_its_life_and_at_no_other(iat in 0_i64..4_000_000_000, offset in -200_000_000_i64..200_000_000) {
        let client = Client::new(Kind::EdDsa);
        let good = check_at(&client.saying("iat", iat), iat * 1_000_000 + offset).is_ok();
        prop_assert_eq!(good, (-5_000_000..=60_000_000).contains(&offset));
    }
}
