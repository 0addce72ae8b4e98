//! Proving a user by a passkey.

use countersign_domain::proof::{Level, Method};
use countersign_service::passkeys::Recorded;
use countersign_testkit::{authenticator::BACKED_UP, database::Engine, on_both_engines};
use serde_json::json;

use super::{IN, Stage};

on_both_engines!(
    nobody_is_named_in_the_question,
    a_passkey_proves_its_user_by_two_factors,
    a_synced_key_is_no_hardware,
    a_use_moves_the_count_and_the_time,
    a_key_that_loses_its_copy_is_still_good,
    of_twenty_who_show_one_answer_at_once_one_is_let_in,
    who_was_locked_out_or_forgotten_isnt_let_in,
);

async fn nobody_is_named_in_the_question(engine: Engine) {
    let stage = Stage::open(engine).await;
    stage.register(stage.ada, &mut stage.phone()).await.unwrap();
    let options = stage.ask().options;
    let asked = &options["publicKey"];
    assert_eq!(asked["allowCredentials"], json!([]));
    assert_eq!((asked["rpId"].as_str(), asked["userVerification"].as_str()), (Some("localhost"), Some("required")));
    assert_eq!((asked["timeout"].as_u64(), options.get("mediation")), (Some(300_000), None));
    assert_ne!(stage.ask().options["publicKey"]["challenge"], asked["challenge"]);
}

async fn a_passkey_proves_its_user_by_two_factors(engine: Engine) {
    let stage = Stage::open(engine).await;
    let mut key = stage.security_key(7);
    let passkey = stage.register(stage.ada, &mut key).await.unwrap();
    key.sign_count += 1;
    let proof = stage.show(&key).await.unwrap();
    assert_eq!((proof.user, proof.passkey.id, proof.proof.level), (stage.ada, passkey.id, Level::TwoFactors));
    let methods: Vec<_> = proof.proof.methods.iter().map(Method::as_str).collect();
    assert_eq!(methods, ["hwk", "user", "mfa"]);
    assert_eq!(stage.record(&proof).await, IN);
}

async fn a_synced_key_is_no_hardware(engine: Engine) {
    let stage = Stage::open(engine).await;
    let mut phone = stage.phone();
    stage.register(stage.ada, &mut phone).await.unwrap();
    assert_eq!(stage.show(&phone).await.unwrap().proof.methods[0].as_str(), "swk");
}

async fn a_use_moves_the_count_and_the_time(engine: Engine) {
    let stage = Stage::open(engine).await;
    let mut key = stage.security_key(7);
    stage.register(stage.ada, &mut key).await.unwrap();
    stage.house.advance(std::time::Duration::from_mins(1)).await;
    key.sign_count = 9;
    let proof = stage.show(&key).await.unwrap();
    assert_eq!(stage.record(&proof).await, IN);
    let passkey = stage.passkeys(stage.ada).await.remove(0);
    assert_eq!((passkey.sign_count, passkey.last_used_at), (9, Some(proof.proof.at)));
}

async fn a_key_that_loses_its_copy_is_still_good(engine: Engine) {
    let stage = Stage::open(engine).await;
    let mut phone = stage.phone();
    stage.register(stage.ada, &mut phone).await.unwrap();
    phone.flags ^= BACKED_UP;
    assert_eq!(stage.sign_in(&phone).await, IN);
    assert_eq!(stage.passkeys(stage.ada).await[0].backed_up_at, None);
    phone.flags ^= BACKED_UP;
    assert_eq!(stage.sign_in(&phone).await, IN);
    assert!(stage.passkeys(stage.ada).await[0].backed_up_at.is_some());
}

async fn of_twenty_who_show_one_answer_at_once_one_is_let_in(engine: Engine) {
    let stage = Stage::open(engine).await;
    let mut phone = stage.phone();
    stage.register(stage.ada, &mut phone).await.unwrap();
    let challenge = stage.ask();
    let response = phone.get(&challenge.options);
    let recorded = futures_util::future::join_all((0..20).map(async |_| {
        let proof = stage.prove(&challenge.state, &response).await.unwrap();
        stage.record(&proof).await
    }));
    let recorded = recorded.await;
    assert_eq!(recorded.iter().filter(|it| **it == IN).count(), 1, "{recorded:?}");
    assert_eq!(recorded.iter().filter(|it| **it == Recorded::Late).count(), 19, "{recorded:?}");
}

async fn who_was_locked_out_or_forgotten_isnt_let_in(engine: Engine) {
    use countersign_service::projects::state::StateChange::{Disable, Enable};
    let stage = Stage::open(engine).await;
    let (mut phone, p1) = (stage.phone(), stage.project().project.id.clone());
    let passkey = stage.register(stage.ada, &mut phone).await.unwrap();
    stage.service().change_user_state(&p1, stage.ada, Disable).await.unwrap();
    assert_eq!(stage.sign_in(&phone).await, Recorded::Disabled);
    stage.service().change_user_state(&p1, stage.ada, Enable).await.unwrap();
    assert_eq!(stage.sign_in(&phone).await, Recorded::User { generation: 1 });
    let proof = stage.show(&phone).await.unwrap();
    let by = countersign_service::passkeys::By::Operator;
    stage.service().delete_device(&p1, stage.ada, passkey.id, by).await.unwrap();
    assert_eq!(stage.record(&proof).await, Recorded::Late, "it was taken away in the meantime");
}
