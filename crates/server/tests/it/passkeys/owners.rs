//! What becomes of passkeys when users are forgotten, merged, or turn out to be somebody else's.

use countersign_domain::{id::UserId, identity::Identity, message::Destination, text::Name};
use countersign_service::{passkeys::Flaw, vouch::Names};
use countersign_testkit::{database::Engine, house::p1, on_both_engines};
use serde_json::json;

use super::{IN, Stage, is_flawed};

on_both_engines!(
    a_passkey_that_was_left_before_the_owner_came_is_worthless,
    a_merged_users_passkeys_go,
    a_forgotten_users_passkeys_go,
);

/// Proves to hold an address at the app's own screens; says as whom.
async fn arrives(stage: &Stage, email: &str) -> UserId {
    let (http, app) =
        (stage.house.node.client(), json!({ "clientId": "c1", "projectId": "p1", "method": 0, "email": email }));
    http.post("/auth/v1/sendverificationtoken", &app).await.is_ok();
    let letters = stage.service().outbox(Some(&Destination::Email(email.parse().unwrap()))).await.unwrap();
    let mut shown = app;
    shown["confirmationCode"] = letters.iter().find_map(|it| it.content.code.clone()).unwrap().into();
    http.post("/auth/v1/signin", &shown).await.ok().text("uid").parse().unwrap()
}

async fn a_passkey_that_was_left_before_the_owner_came_is_worthless(engine: Engine) {
    let stage = Stage::open(engine).await;
    let names = || Names { given: Name::empty(), family: Name::empty() };
    let identity = |email: &str| vec![Identity::Email(email.parse().unwrap())];
    let service = stage.service();
    let said = service.create_user(&p1(), names(), identity("bob@example.com"), false).await.unwrap();
    let proved = service.create_user(&p1(), names(), identity("cem@example.com"), true).await.unwrap();
    let (mut squatters, mut owners) = (stage.phone(), stage.phone());
    stage.register(said.id, &mut squatters).await.unwrap();
    stage.register(proved.id, &mut owners).await.unwrap();
    assert_eq!(stage.sign_in(&squatters).await, IN);

    assert_eq!(arrives(&stage, "bob@example.com").await, said.id);
    is_flawed(&stage.show(&squatters).await, Flaw::UnknownCredential);
    assert_eq!(stage.passkeys(said.id).await, []);
    // Whoever had proved the address keeps what they made.
    assert_eq!(arrives(&stage, "cem@example.com").await, proved.id);
    assert_eq!(stage.sign_in(&owners).await, IN);
}

async fn a_merged_users_passkeys_go(engine: Engine) {
    let stage = Stage::open(engine).await;
    let bob = stage.another_user("bob@example.com").await;
    let (mut adas, mut bobs) = (stage.phone(), stage.phone());
    stage.register(stage.ada, &mut adas).await.unwrap();
    stage.register(bob, &mut bobs).await.unwrap();
    stage.service().merge_users(&p1(), bob, stage.ada).await.unwrap();
    is_flawed(&stage.show(&bobs).await, Flaw::UnknownCredential);
    assert_eq!(stage.sign_in(&adas).await, IN);
    assert_eq!(stage.house.books().await.passkeys, 1);
}

async fn a_forgotten_users_passkeys_go(engine: Engine) {
    let stage = Stage::open(engine).await;
    let bob = stage.another_user("bob@example.com").await;
    let (mut adas, mut bobs) = (stage.phone(), stage.phone());
    stage.register(stage.ada, &mut adas).await.unwrap();
    stage.register(bob, &mut bobs).await.unwrap();
    stage
        .house
        .secret_bearer()
        .send(hyper::Method::DELETE, &format!("/users/{bob}"), String::new().into())
        .await
        .is_ok();
    is_flawed(&stage.show(&bobs).await, Flaw::UnknownCredential);
    assert_eq!(stage.sign_in(&adas).await, IN);
    assert_eq!(stage.house.books().await.passkeys, 1);
}
