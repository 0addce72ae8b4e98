//! Passkeys that must not come to be. Each attack has a twin without it, which succeeds.

use std::time::Duration;

use countersign_domain::id::UserId;
use countersign_service::passkeys::{Flaw, PasskeyRefused};
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
    a_challenge_of_another_user_or_project,
    a_duplicate_credential_id,
    a_credential_id_too_long_for_the_books,
    a_copy_of_what_cant_be_copied,
    what_cant_be_read,
);

/// With this done to the authenticator, nothing comes to be; without it, a passkey does.
async fn fails(stage: &Stage, attack: impl Fn(&mut Authenticator), flaw: Flaw) {
    let before = stage.house.books().await;
    let mut authenticator = stage.phone();
    attack(&mut authenticator);
    is_flawed(&stage.register(stage.ada, &mut authenticator).await, flaw);
    assert_eq!(stage.house.books().await, before);
    stage.register(stage.ada, &mut stage.phone()).await.unwrap();
}

#[track_caller]
fn is_over<T: std::fmt::Debug>(result: &Result<T, PasskeyRefused>) {
    assert!(matches!(result, Err(PasskeyRefused::ChallengeOver)), "{result:?}");
}

async fn a_page_of_another_origin(engine: Engine) {
    let stage = Stage::open(engine).await;
    let ours = stage.house.public_url().to_owned();
    let others = [
        "https://evil.example".to_owned(),
        "http://localhost:1".to_owned(),
        "http://localhost".to_owned(),
        ours.replace("http:", "https:"),
        ours.replace("localhost", "evil.localhost"),
        ours.replace("localhost", "localhost.evil.example"),
        ours.replace("localhost", "127.0.0.1"),
        ours.replace("localhost", "LOCALHOST"),
        ours.replace("localhost", "evil@localhost"),
        format!("{ours}/"),
        format!("{ours}/p/p1"),
        "null".to_owned(),
        String::new(),
    ];
    for origin in others {
        fails(&stage, |it| it.origin.clone_from(&origin), Flaw::OtherOrigin).await;
    }
}

async fn a_page_within_another(engine: Engine) {
    let stage = Stage::open(engine).await;
    for said in [json!({ "crossOrigin": true }), json!({ "topOrigin": "https://evil.example" })] {
        fails(&stage, |it| it.client_data = said.clone(), Flaw::CrossOrigin).await;
    }
    // Older browsers don't say.
    let mut older = stage.phone();
    older.client_data = json!({});
    stage.register(stage.ada, &mut older).await.unwrap();
}

async fn another_relying_party(engine: Engine) {
    let stage = Stage::open(engine).await;
    for other in ["evil.example", "evil.localhost", "LOCALHOST", ""] {
        fails(&stage, |it| it.rp_id = Some(other.to_owned()), Flaw::OtherRelyingParty).await;
    }
}

async fn an_answer_to_another_kind_of_question(engine: Engine) {
    let stage = Stage::open(engine).await;
    for other in ["webauthn.get", "payment.get", "Webauthn.Create"] {
        fails(&stage, |it| it.client_data = json!({ "type": other }), Flaw::OtherCeremony).await;
    }
}

async fn nobody_there_or_nobody_verified(engine: Engine) {
    let stage = Stage::open(engine).await;
    fails(&stage, |it| it.flags &= !USER_VERIFIED, Flaw::UserNotVerified).await;
    fails(&stage, |it| it.flags &= !USER_PRESENT, Flaw::UserNotPresent).await;
}

async fn a_challenge_of_another_session(engine: Engine) {
    let stage = Stage::open(engine).await;
    let (mine, others) = (stage.begin(stage.ada).await, stage.begin(stage.ada).await);
    let mut phone = stage.phone();
    let response = phone.create(&others.options);
    is_flawed(&stage.finish(stage.ada, &mine.state, &response).await, Flaw::OtherChallenge);
    assert_eq!(stage.house.books().await.passkeys, 0);
    stage.finish(stage.ada, &others.state, &response).await.unwrap();
}

/// On SQLite alone: PostgreSQL has a clock of its own.
#[tokio::test(flavor = "multi_thread")]
async fn a_challenge_that_is_over() {
    let stage = Stage::open(Engine::Sqlite).await;
    let (first, mut phone) = (stage.begin(stage.ada).await, stage.phone());
    stage.house.advance(Duration::from_mins(5)).await;
    is_over(&stage.finish(stage.ada, &first.state, &phone.create(&first.options)).await);
    assert_eq!(stage.house.books().await.passkeys, 0);
    let second = stage.begin(stage.ada).await;
    stage.house.advance(Duration::from_secs(299)).await;
    stage.finish(stage.ada, &second.state, &phone.create(&second.options)).await.unwrap();
}

async fn a_challenge_replayed(engine: Engine) {
    let stage = Stage::open(engine).await;
    let (challenge, mut phone) = (stage.begin(stage.ada).await, stage.phone());
    let response = phone.create(&challenge.options);
    let passkey = stage.finish(stage.ada, &challenge.state, &response).await.unwrap();
    let p1 = stage.project().project.id.clone();
    let by = countersign_service::passkeys::By::Operator;
    stage.service().delete_device(&p1, stage.ada, passkey.id, by).await.unwrap();
    is_over(&stage.finish(stage.ada, &challenge.state, &response).await);
    is_over(&stage.finish(stage.ada, &challenge.state, &stage.phone().create(&challenge.options)).await);
    assert_eq!(stage.house.books().await.passkeys, 0);
    stage.register(stage.ada, &mut phone).await.unwrap();
}

async fn a_challenge_of_another_user_or_project(engine: Engine) {
    let stage = Stage::open(engine).await;
    stage.house.another_project("p2").await;
    let eve = stage.another_user("eve@example.com").await;
    let (challenge, mut phone) = (stage.begin(stage.ada).await, stage.phone());
    let response = phone.create(&challenge.options);
    is_over(&stage.finish(eve, &challenge.state, &response).await);
    is_over(&stage.finish_in(&stage.project_called("p2"), stage.ada, &challenge.state, &response).await);
    let asked = stage.ask();
    is_over(&stage.finish(stage.ada, &asked.state, &response).await);
    is_over(&stage.prove(&challenge.state, &phone.get(&asked.options)).await);
    assert_eq!(stage.house.books().await.passkeys, 0);
    stage.finish(stage.ada, &challenge.state, &response).await.unwrap();
}

async fn a_duplicate_credential_id(engine: Engine) {
    let stage = Stage::open(engine).await;
    let eve = stage.another_user("eve@example.com").await;
    let mut phone = stage.phone();
    stage.register(stage.ada, &mut phone).await.unwrap();
    let before = stage.house.books().await;
    let mut false_phone = Authenticator { credential_id: phone.credential_id.clone(), ..stage.phone() };
    for user in [eve, stage.ada] {
        let refused = stage.register(user, &mut false_phone).await;
        assert!(matches!(refused, Err(PasskeyRefused::Duplicate)), "{refused:?}");
    }
    assert_eq!(stage.house.books().await, before);
    assert_eq!(stage.sign_in(&phone).await, IN, "its owner keeps it");
    false_phone.credential_id.push(0);
    stage.register(eve, &mut false_phone).await.unwrap();
}

async fn a_credential_id_too_long_for_the_books(engine: Engine) {
    let stage = Stage::open(engine).await;
    fails(&stage, |it| it.credential_id = vec![7; 1024], Flaw::LongCredentialId).await;
    let mut longest = stage.phone();
    longest.credential_id = vec![7; 1023];
    stage.register(stage.ada, &mut longest).await.unwrap();
    assert_eq!(stage.sign_in(&longest).await, IN);
}

async fn a_copy_of_what_cant_be_copied(engine: Engine) {
    let stage = Stage::open(engine).await;
    fails(&stage, |it| it.flags = USER_PRESENT | USER_VERIFIED | BACKED_UP, Flaw::BackupChanged).await;
    let mut uncopied = stage.phone();
    uncopied.flags = USER_PRESENT | USER_VERIFIED | BACKUP_ELIGIBLE;
    stage.register(stage.ada, &mut uncopied).await.unwrap();
}

async fn what_cant_be_read(engine: Engine) {
    let stage = Stage::open(engine).await;
    let challenge = stage.begin(stage.ada).await;
    let good = stage.phone().create(&challenge.options);
    let of = |change: &dyn Fn(&mut serde_json::Value)| {
        let mut answer = serde_json::from_str(&good).unwrap();
        change(&mut answer);
        answer.to_string()
    };
    let padded = format!("{good}{}", " ".repeat(64 * 1024));
    let bad = [
        String::new(),
        "null".to_owned(),
        "[]".to_owned(),
        "[".repeat(10_000),
        padded,
        good[..good.len() / 2].to_owned(),
        of(&|it| it["rawId"] = "not base64url!".into()),
        of(&|it| it["response"]["attestationObject"] = "".into()),
        of(&|it| it["response"]["attestationObject"] = countersign_crypto::encoding::encode([0x81; 5_000]).into()),
        of(&|it| it["response"]["clientDataJSON"] = countersign_crypto::encoding::encode("{}").into()),
        of(&|it| it["response"] = serde_json::Value::Null),
    ];
    for answer in bad {
        is_flawed(&stage.finish(stage.ada, &challenge.state, &answer).await, Flaw::Unreadable);
    }
    assert_eq!(stage.house.books().await.passkeys, 0);
    stage.finish(stage.ada, &challenge.state, &good).await.unwrap();
    assert_eq!(stage.passkeys(UserId::from_bytes([7; 16])).await, []);
}
