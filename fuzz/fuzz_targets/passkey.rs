//! Answers of authenticators, whatever is in them, to challenges of ours: nothing is registered and nobody proved by one that an honest
//! browser wouldn't give.
#![no_main]

use std::{net::Ipv4Addr, sync::LazyLock};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use countersign_crypto::digest::sha256;
use countersign_domain::{id::UserId, locale::Locale, text::Name};
use countersign_fuzz::{
    deployment::{Deployment, USER},
    issued::CLIENT_KEY,
    json::{self, Json},
};
use countersign_service::{
    address::Address,
    caller::Caller,
    directory::ProjectView,
    passkeys::{By, PasskeyChallenge, PasskeyRefused, Registration},
};
use libfuzzer_sys::fuzz_target;
use serde_json::{Value, json};
use std::sync::Arc;

/// What the authenticator of the user who has a passkey knows it by.
const CREDENTIAL: &[u8] = b"credential";
const ORIGIN: &str = "http://localhost:7420";

struct Stage {
    deployment: Deployment,
    project: Arc<ProjectView>,
    user: UserId,
    caller: Caller,
}

static STAGE: LazyLock<Stage> = LazyLock::new(|| {
    let deployment = Deployment::open();
    let address = Address { path: Some("p1".to_owned()), host: None };
    let project = deployment.service.project(&address).unwrap();
    let user = deployment.run(deployment.service.show_user(&project.project.id, USER)).unwrap().user.id;
    let caller =
        Caller { address: Ipv4Addr::LOCALHOST.into(), user_agent: String::new(), origin: None, request_id: String::new() };
    let stage = Stage { deployment, project, user, caller };
    let said = r#"{"type":"webauthn.create","challenge":"{challenge}","origin":"http://localhost:7420"}"#;
    let made = stage.register(&stage.begin(), said, &attestation(CREDENTIAL));
    made.expect("an honest browser's answer is taken");
    stage
});

// The ceremony, what the browser says (with the challenge where `{challenge}` stands), and what the authenticator does, in base64url: an
// attestation object, or the data that it signs.
fuzz_target!(|lines: &str| {
    let lines: Vec<&str> = lines.splitn(3, '\n').collect();
    let [ceremony, client_data, bytes] = lines[..] else { return };
    let stage = &*STAGE;
    match ceremony {
        "create" => {
            let challenge = stage.begin();
            let Ok(bytes) = URL_SAFE_NO_PAD.decode(bytes) else { return };
            match stage.register(&challenge, client_data, &bytes) {
                Ok(id) => {
                    is_honest(&challenge, client_data, "webauthn.create");
                    let removed = stage.deployment.service.delete_device(
                        &stage.project.project.id,
                        stage.user,
                        id,
                        By::Operator,
                    );
                    stage.deployment.run(removed).unwrap();
                }
                Err(PasskeyRefused::Flawed(_) | PasskeyRefused::Duplicate) => {}
                Err(other) => panic!("{other}"),
            }
        }
        "get" => {
            let challenge = stage.deployment.service.begin_assertion(&stage.project).unwrap();
            let Ok(bytes) = URL_SAFE_NO_PAD.decode(bytes) else { return };
            let said = filled_in(client_data, &challenge);
            let signature = der(&CLIENT_KEY.sign_bytes(&[&bytes[..], &sha256(&said)].concat()));
            let answer = answer(CREDENTIAL, &json!({
                "authenticatorData": URL_SAFE_NO_PAD.encode(&bytes),
                "clientDataJSON": URL_SAFE_NO_PAD.encode(&said),
                "signature": URL_SAFE_NO_PAD.encode(signature),
                "userHandle": URL_SAFE_NO_PAD.encode(stage.user.to_bytes()),
            }));
            match stage.prove(&challenge, &answer) {
                Ok(user) => {
                    assert_eq!(user, stage.user);
                    is_honest(&challenge, client_data, "webauthn.get");
                    assert!(bytes[..32] == sha256("localhost"), "another relying party");
                    assert!(bytes[32] & 0x05 == 0x05, "nobody there, or nobody verified");
                }
                Err(PasskeyRefused::Flawed(_)) => {}
                Err(other) => panic!("{other}"),
            }
        }
        // A whole answer, to either.
        _ => {
            let answer = [client_data, bytes].concat();
            let asked = stage.deployment.service.begin_assertion(&stage.project).unwrap();
            assert!(matches!(stage.prove(&asked, &answer), Err(PasskeyRefused::Flawed(_))));
            let asked = stage.begin();
            assert!(matches!(stage.finish(&asked, &answer), Err(PasskeyRefused::Flawed(_))));
        }
    }
});

impl Stage {
    fn begin(&self) -> PasskeyChallenge {
        self.deployment.run(self.deployment.service.begin_registration(&self.project, self.user)).unwrap()
    }

    fn register(
        &self,
        challenge: &PasskeyChallenge,
        client_data: &str,
        attestation: &[u8],
    ) -> Result<countersign_domain::id::PasskeyId, PasskeyRefused> {
        let answer = answer(b"whatever", &json!({
            "attestationObject": URL_SAFE_NO_PAD.encode(attestation),
            "clientDataJSON": URL_SAFE_NO_PAD.encode(filled_in(client_data, challenge)),
        }));
        self.finish(challenge, &answer)
    }

    fn finish(
        &self,
        challenge: &PasskeyChallenge,
        answer: &str,
    ) -> Result<countersign_domain::id::PasskeyId, PasskeyRefused> {
        let registration = Registration {
            user: self.user,
            state: &challenge.state,
            response: answer,
            name: Name::empty(),
            browser: None,
            locale: Locale::En,
        };
        let made = self.deployment.service.finish_registration(&self.project, registration, &self.caller);
        self.deployment.run(made).map(|passkey| passkey.id)
    }

    fn prove(&self, challenge: &PasskeyChallenge, answer: &str) -> Result<UserId, PasskeyRefused> {
        let proved = self.deployment.service.prove_passkey(&self.project, &challenge.state, answer, &self.caller);
        self.deployment.run(proved).map(|proof| proof.user)
    }
}

fn challenge_of(challenge: &PasskeyChallenge) -> &str {
    challenge.options["publicKey"]["challenge"].as_str().unwrap()
}

fn filled_in(client_data: &str, challenge: &PasskeyChallenge) -> String {
    client_data.replace("{challenge}", challenge_of(challenge))
}

/// A second reader of what browsers say.
fn is_honest(challenge: &PasskeyChallenge, client_data: &str, ceremony: &str) {
    let said = filled_in(client_data, challenge);
    let Some(Json::Object(said)) = json::read(said.as_bytes()) else { panic!("what is no JSON object was taken") };
    assert_eq!(json::text(&said, "type"), Some(ceremony));
    assert_eq!(json::text(&said, "challenge"), Some(challenge_of(challenge)));
    assert_eq!(json::text(&said, "origin"), Some(ORIGIN));
    assert!(!matches!(json::single(&said, "crossOrigin"), Some(Json::Boolean(true))), "within another page");
}

fn answer(id: &[u8], response: &Value) -> String {
    let id = URL_SAFE_NO_PAD.encode(id);
    json!({ "id": id, "rawId": id, "type": "public-key", "response": response }).to_string()
}

/// An attestation object without an attestation, of the fixed key.
fn attestation(credential: &[u8]) -> Vec<u8> {
    let jwk = CLIENT_KEY.jwk();
    let coordinate = |name: &str| URL_SAFE_NO_PAD.decode(jwk[name].as_str().unwrap()).unwrap();
    let (x, y) = (coordinate("x"), coordinate("y"));
    let length = u8::try_from(credential.len()).unwrap();
    let key = [&[0xa5, 1, 2, 3, 0x26, 0x20, 1, 0x21, 0x58, 32], &x[..], &[0x22, 0x58, 32], &y].concat();
    let data = [&sha256("localhost")[..], &[0x45, 0, 0, 0, 0], &[0; 16], &[0, length], credential, &key].concat();
    let data_length = u8::try_from(data.len()).unwrap();
    [b"\xa3\x63fmt\x64none\x67attStmt\xa0\x68authData\x58", &[data_length][..], &data].concat()
}

/// An ECDSA signature of two numbers as DER has it (RFC 3279 §2.2.3).
fn der(fixed: &[u8]) -> Vec<u8> {
    let integer = |number: &[u8]| {
        let digits: Vec<u8> = number.iter().copied().skip_while(|byte| *byte == 0).collect();
        let sign = digits.first().is_none_or(|byte| *byte >= 0x80).then_some(0);
        let content: Vec<u8> = sign.into_iter().chain(digits).collect();
        [&[0x02, u8::try_from(content.len()).unwrap()], &content[..]].concat()
    };
    let (r, s) = fixed.split_at(32);
    let both = [integer(r), integer(s)].concat();
    [&[0x30, u8::try_from(both.len()).unwrap()], &both[..]].concat()
}
