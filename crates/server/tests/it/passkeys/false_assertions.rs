//! Passkeys that must prove nobody. Each attack has a twin without it, which succeeds.

use std::time::Duration;

use countersign_crypto::encoding;
use countersign_service::passkeys::{Flaw, PasskeyRefused, Recorded};
use countersign_testkit::{
    authenticator::{Authenticator, BACKED_UP, BACKUP_ELIGIBLE, USER_PRESENT, USER_VERIFIED},
    database::Engine,
    on_both_engines,
};
use serde_json::json;

use super::{IN, Stage, is_flawed};

on_both_engines!(
    a_page_of_another_origin,
    a_page_within_another,
    another_relying_party,
    an_answer_to_another_kind_of_question,
    nobody_there_or_nobody_verified,
    a_challenge_of_another_session,
    a_challenge_replayed,
    a_credential_of_another_user,
    a_credential_of_another_project,
    a_credential_that_nobody_has,
    a_signature_by_another_key,
    a_count_that_goes_back,
    a_key_that_has_come_to_be_copied,
);

/// With this done to Ada's phone, nobody is proved and nothing is written; without it, she is.
async fn fails(stage: &Stage, phone: &Authenticator, attack: impl Fn(&mut Authenticator), flaw: Flaw) {
    let before = (stage.house.books().await, stage.passkeys(stage.ada).await);
    let mut attacker = phone.clone();
    attack(&mut attacker);
    is_flawed(&stage.show(&attacker).await, flaw);
    assert_eq!((stage.house.books().await, stage.passkeys(stage.ada).await), before);
    assert_eq!(stage.sign_in(phone).await, IN);
}

async fn with_phone(engine: Engine) -> (Stage, Authenticator) {
    let stage = Stage::open(engine).await;
    let mut phone = stage.phone();
    stage.register(stage.ada, &mut phone).await.unwrap();
    (stage, phone)
}

#[track_caller]
fn is_over<T: std::fmt::Debug>(result: &Result<T, PasskeyRefused>) {
    assert!(matches!(result, Err(PasskeyRefused::ChallengeOver)), "{result:?}");
}

async fn a_page_of_another_origin(engine: Engine) {
    let (stage, phone) = with_phone(engine).await;
    let ours = stage.house.public_url().to_owned();
    let others = [
        "https://evil.example".to_owned(),
        "http://localhost:1".to_owned(),
        ours.replace("http:", "https:"),
        ours.replace("localhost", "evil.localhost"),
        ours.replace("localhost", "localhost.evil.example"),
        ours.replace("localhost", "evil@localhost"),
        format!("{ours}/"),
        String::new(),
    ];
    for origin in others {
        fails(&stage, &phone, |it| it.origin.clone_from(&origin), Flaw::OtherOrigin).await;
    }
}

async fn a_page_within_another(engine: Engine) {
    let (stage, phone) = with_phone(engine).await;
    for said in [json!({ "crossOrigin": true }), json!({ "topOrigin": "https://evil.example" })] {
        fails(&stage, &phone, |it| it.client_data = said.clone(), Flaw::CrossOrigin).await;
    }
}

async fn another_relying_party(engine: Engine) {
    let (stage, phone) = with_phone(engine).await;
    for other in ["evil.example", "evil.localhost", ""] {
        fails(&stage, &phone, |it| it.rp_id = Some(other.to_owned()), Flaw::OtherRelyingParty).await;
    }
}

async fn an_answer_to_another_kind_of_question(engine: Engine) {
    let (stage, phone) = with_phone(engine).await;
    for other in ["webauthn.create", "payment.get"] {
        fails(&stage, &phone, |it| it.client_data = json!({ "type": other }), Flaw::OtherCeremony).await;
    }
}

async fn nobody_there_or_nobody_verified(engine: Engine) {
    let (stage, phone) = with_phone(engine).await;
    fails(&stage, &phone, |it| it.flags &= !USER_VERIFIED, Flaw::UserNotVerified).await;
    fails(&stage, &phone, |it| it.flags &= !USER_PRESENT, Flaw::UserNotPresent).await;
}

async fn a_challenge_of_another_session(engine: Engine) {
    let (stage, phone) = with_phone(engine).await;
    let (mine, others) = (stage.ask(), stage.ask());
    let response = phone.get(&others.options);
    is_flawed(&stage.prove(&mine.state, &response).await, Flaw::OtherChallenge);
    let proof = stage.prove(&others.state, &response).await.unwrap();
    assert_eq!(stage.record(&proof).await, IN);
}

/// On SQLite alone: PostgreSQL has a clock of its own.
#[tokio::test(flavor = "multi_thread")]
async fn a_challenge_that_is_over() {
    let (stage, phone) = with_phone(Engine::Sqlite).await;
    let first = stage.ask();
    stage.house.advance(Duration::from_mins(5)).await;
    is_over(&stage.prove(&first.state, &phone.get(&first.options)).await);
    let second = stage.ask();
    stage.house.advance(Duration::from_secs(299)).await;
    let proof = stage.prove(&second.state, &phone.get(&second.options)).await.unwrap();
    assert_eq!(stage.record(&proof).await, IN);
}

async fn a_challenge_replayed(engine: Engine) {
    let (stage, phone) = with_phone(engine).await;
    let challenge = stage.ask();
    let response = phone.get(&challenge.options);
    let proof = stage.prove(&challenge.state, &response).await.unwrap();
    assert_eq!(stage.record(&proof).await, IN);
    assert_eq!(stage.record(&proof).await, Recorded::Late);
    for again in [response, phone.get(&challenge.options)] {
        let proof = stage.prove(&challenge.state, &again).await.unwrap();
        assert_eq!(stage.record(&proof).await, Recorded::Late);
    }
    assert_eq!(stage.sign_in(&phone).await, IN);
}

async fn a_credential_of_another_user(engine: Engine) {
    let (stage, phone) = with_phone(engine).await;
    let eve = stage.another_user("eve@example.com").await;
    let mut eves = stage.phone();
    stage.register(eve, &mut eves).await.unwrap();
    // Eve's passkey in Ada's name, Ada's passkey in Eve's, and in nobody's.
    let ada = phone.user_handle.clone();
    is_flawed(&stage.show(&Authenticator { user_handle: ada, ..eves.clone() }).await, Flaw::OtherUser);
    for handle in [eves.user_handle.clone(), None, Some(String::new()), Some(encoding::encode([7; 17]))] {
        fails(&stage, &phone, |it| it.user_handle.clone_from(&handle), Flaw::OtherUser).await;
    }
    // Eve's key, which says that it is the one that is known as Ada's.
    let (id, handle) = (phone.credential_id.clone(), phone.user_handle.clone());
    let liar = Authenticator { credential_id: id, user_handle: handle, ..eves.clone() };
    is_flawed(&stage.show(&liar).await, Flaw::BadSignature);
    assert_eq!(stage.show(&eves).await.unwrap().user, eve);
}

async fn a_credential_of_another_project(engine: Engine) {
    let (stage, phone) = with_phone(engine).await;
    stage.house.another_project("p2").await;
    let p2 = stage.project_called("p2");
    let there = stage.service().begin_assertion(&p2).unwrap();
    assert_eq!(there.options["publicKey"]["rpId"], "localhost", "browsers offer the same passkeys");
    let response = phone.get(&there.options);
    let refused = stage.service().prove_passkey(&p2, &there.state, &response, &super::caller()).await;
    is_flawed(&refused, Flaw::UnknownCredential);
    is_over(&stage.prove(&there.state, &response).await);
    assert_eq!(stage.sign_in(&phone).await, IN);
}

async fn a_credential_that_nobody_has(engine: Engine) {
    let (stage, phone) = with_phone(engine).await;
    for id in [b"another".to_vec(), Vec::new(), vec![7; 5_000]] {
        fails(&stage, &phone, |it| it.credential_id.clone_from(&id), Flaw::UnknownCredential).await;
    }
}

async fn a_signature_by_another_key(engine: Engine) {
    let (stage, phone) = with_phone(engine).await;
    let other = stage.phone().key;
    fails(&stage, &phone, |it| it.key = other.clone(), Flaw::BadSignature).await;
    // What was signed is altered afterwards.
    let challenge = stage.ask();
    let good = phone.get(&challenge.options);
    for (member, position) in [("authenticatorData", 36), ("authenticatorData", 32), ("signature", 40)] {
        let mut answer: serde_json::Value = serde_json::from_str(&good).unwrap();
        let mut bytes = encoding::decode(answer["response"][member].as_str().unwrap()).unwrap();
        bytes[position] ^= 0x02;
        answer["response"][member] = encoding::encode(bytes).into();
        is_flawed(&stage.prove(&challenge.state, &answer.to_string()).await, Flaw::BadSignature);
    }
    let proof = stage.prove(&challenge.state, &good).await.unwrap();
    assert_eq!(stage.record(&proof).await, IN);
}

async fn a_count_that_goes_back(engine: Engine) {
    let stage = Stage::open(engine).await;
    let mut key = stage.security_key(7);
    let passkey = stage.register(stage.ada, &mut key).await.unwrap();
    for (shown, count) in [7, 6, 0].into_iter().zip(1..) {
        key.sign_count = shown;
        is_flawed(&stage.show(&key).await, Flaw::Cloned);
        let noted = stage.house.entries("passkey.cloned").await;
        assert_eq!((noted.len(), noted[0].key_id.as_deref()), (count, Some(passkey.id.to_string().as_str())));
    }
    // Two that count alike were proved before either was recorded.
    key.sign_count = 8;
    let (first, second) = (stage.show(&key).await.unwrap(), stage.show(&key).await.unwrap());
    assert_eq!(stage.record(&first).await, IN);
    assert_eq!(stage.record(&second).await, Recorded::Late);
    key.sign_count = 9;
    assert_eq!(stage.sign_in(&key).await, IN);
    assert_eq!(stage.passkeys(stage.ada).await[0].sign_count, 9);
}

async fn a_key_that_has_come_to_be_copied(engine: Engine) {
    let stage = Stage::open(engine).await;
    let (mut key, mut phone) = (stage.security_key(0), stage.phone());
    stage.register(stage.ada, &mut key).await.unwrap();
    stage.register(stage.ada, &mut phone).await.unwrap();
    for flags in [BACKUP_ELIGIBLE, BACKUP_ELIGIBLE | BACKED_UP, BACKED_UP] {
        fails(&stage, &key, |it| it.flags |= flags, Flaw::BackupChanged).await;
    }
    fails(&stage, &phone, |it| it.flags &= !(BACKUP_ELIGIBLE | BACKED_UP), Flaw::BackupChanged).await;
}
