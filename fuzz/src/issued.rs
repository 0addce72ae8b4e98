//! Keys that open nothing outside this folder, and everything that was ever issued under them.

use std::sync::LazyLock;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use countersign_crypto::{
    entropy::Entropy,
    jose::{
        access_token::AccessToken,
        client_jwks::ClientJwks,
        client_key::ClientKey,
        signing_key::{SigningKey, VerifyingKey},
    },
    master_key::MasterKey,
    refresh_token::{RefreshSecret, RefreshToken},
    seal::Place,
};
use countersign_domain::{
    clock::Timestamp,
    generations::Generations,
    id::{KeyId, MacKeyId, SessionId, SigningKeyId, UserId},
    proof::{Level, Method, Proof},
    thumbprint::Thumbprint,
};

/// P-256, PKCS#8.
const SIGNING_KEY: &str = "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgR397TXO1zvk0uTCWwJov8k1peYHIEVBx7cFoXbWqhHmhRANCAASAxQwl8tOch5K-nQMJt0luakufUu-sWzr-2261W2paeH2y0d6XfXF2sw361LgC6bhw28j691dDfs9-UGKe6fA3";

/// A proof for a token request, and one for a call with a token.
const FOR_TOKEN: &str = "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0RscEJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6IlAtMjU2In19.eyJqdGkiOiItQndDM0VTYzZhY2MybFRjIiwiaHRtIjoiUE9TVCIsImh0dSI6Imh0dHBzOi8vc2VydmVyLmV4YW1wbGUuY29tL3Rva2VuIiwiaWF0IjoxNTYyMjYyNjE2fQ.2-GxA6T8lP4vfrg8v-FdWP0A0zdrj8igiMLvqRMUvwnQg4PtFLbdLXiOSsX0x7NVY-FNyJK70nfbV37xRZT3Lg";
const FOR_RESOURCE: &str = "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0RscEJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6IlAtMjU2In19.eyJqdGkiOiJlMWozVl9iS2ljOC1MQUVCIiwiaHRtIjoiR0VUIiwiaHR1IjoiaHR0cHM6Ly9yZXNvdXJjZS5leGFtcGxlLm9yZy9wcm90ZWN0ZWRyZXNvdXJjZSIsImlhdCI6MTU2MjI2MjYxOCwiYXRoIjoiZlVIeU8ycjJaM0RaNTNFc05yV0JiMHhXWG9hTnk1OUlpS0NBcWtzbVFFbyJ9.2oW9RP35yRqzhrtNP86L-Ey71EOptxRimPPToA1plemAgR6pxHF8y6-yqyVnmcw6Fy1dqd-jfxSYoMxhAJpLjA";

/// The master key.
pub static MASTER_KEY: LazyLock<MasterKey> =
    LazyLock::new(|| MasterKey::generate(&Entropy::new(|bytes| bytes.fill(7))));

/// The signing key, as PKCS#8.
pub static PKCS8: LazyLock<Vec<u8>> = LazyLock::new(|| URL_SAFE_NO_PAD.decode(SIGNING_KEY).unwrap());

/// Signs access tokens.
pub static SIGNER: LazyLock<SigningKey> =
    LazyLock::new(|| SigningKey::from_pkcs8(SigningKeyId::from_bytes([5; 16]), &PKCS8).unwrap());

/// Checks access tokens.
pub static VERIFIER: LazyLock<VerifyingKey> = LazyLock::new(|| SIGNER.verifying_key().unwrap());

/// Where the sealed secrets stand.
pub const PLACE: Place<'static> = Place { table: "signing_keys", column: "sealed", row: &["p1", "sig_1"] };

/// Every secret that was sealed there.
pub const SEALED: [&str; 4] = ["", "s", "a secret of some length", "CANARY"];

/// A session's secret that is the same byte 16 times.
pub fn refresh_secret(byte: u8) -> RefreshSecret {
    RefreshSecret::generate(&Entropy::new(move |bytes| bytes.fill(byte)))
}

/// Every refresh token, with its text.
pub static REFRESH_TOKENS: LazyLock<Vec<(RefreshToken, String)>> = LazyLock::new(|| {
    let longest = "p".repeat(63);
    let made = [("p1", 0, 1), ("p1", 41, 1), ("p1", u32::MAX, u32::MAX), ("0", 1, 2), (longest.as_str(), 7, 3)];
    let issue = |(project, generation, mac_key): (&str, u32, u32)| {
        let token = RefreshToken {
            project: project.parse().unwrap(),
            session: SessionId::new(Timestamp::from_seconds(1_700_000_000), [3; 10]),
            generation,
            secret: refresh_secret(9),
            mac_key: MacKeyId(mac_key),
        };
        let key = MASTER_KEY.refresh_token_key(&token.project, token.mac_key);
        let text = token.sign(&key).danger_expose().to_owned();
        (token, text)
    };
    made.into_iter().map(issue).collect()
});

/// Every access token. A signature is new each time, what it says is not.
pub static ACCESS_TOKENS: LazyLock<Vec<AccessToken>> = LazyLock::new(|| {
    let plain = AccessToken {
        issuer: "https://auth.example.com".to_owned(),
        audience: "https://api.example.com".to_owned(),
        user: UserId::from_bytes([1; 16]),
        client: "c1".parse().unwrap(),
        session: SessionId::from_bytes([2; 16]),
        scope: String::new(),
        issued_at: Timestamp::from_seconds(1_700_000_000),
        expires_at: Timestamp::from_seconds(1_700_000_900),
        proof: Proof {
            methods: vec![Method::vouch()],
            level: Level::Vouched,
            at: Timestamp::from_seconds(1_700_000_000),
        },
        vouched_by: Some(KeyId::from_bytes([3; 16])),
        generations: Generations { user: 1, client: 0, key: 2, project: 0 },
        bound_to: None,
    };
    let scoped = AccessToken {
        scope: "openid profile".to_owned(),
        vouched_by: None,
        proof: Proof {
            methods: vec!["otp".parse().unwrap(), "hwk".parse().unwrap()],
            level: Level::TwoFactors,
            at: Timestamp::EPOCH,
        },
        ..plain.clone()
    };
    let bound = AccessToken { bound_to: Some(Thumbprint([0xd1; 32])), ..plain.clone() };
    vec![plain, scoped, bound]
});

/// A client's key, which makes proofs.
pub static CLIENT_KEY: LazyLock<ClientKey> = LazyLock::new(|| ClientKey::from_pkcs8(&PKCS8).unwrap());

/// The same as a client registers it.
pub static CLIENT_KEYS: LazyLock<ClientJwks> = LazyLock::new(|| {
    let set = serde_json::json!({"keys": [CLIENT_KEY.jwk()]});
    ClientJwks::parse(set.to_string().as_bytes()).unwrap()
});

/// Every proof that stands among the seeds: those of RFC 9449 §4.2 and §7.1, and ours.
pub static PROOFS: LazyLock<Vec<String>> = LazyLock::new(|| {
    let head = serde_json::json!({"typ": "dpop+jwt", "alg": "ES256", "jwk": CLIENT_KEY.jwk()});
    let claims = serde_json::json!({
        "jti": "CANARY", "htm": "GET", "htu": "https://auth.example.com/v1/me", "iat": 1_700_000_000, "nonce": "n",
    });
    let ours = CLIENT_KEY.sign(head.to_string().as_bytes(), claims.to_string().as_bytes());
    vec![FOR_TOKEN.to_owned(), FOR_RESOURCE.to_owned(), ours]
});

/// What was sealed and signed for delegation, and under which keys: the vectors that others test against.
pub static DELEGATION: LazyLock<serde_json::Value> =
    LazyLock::new(|| serde_json::from_str(include_str!("../../sdk/vectors/delegation.json")).unwrap());
