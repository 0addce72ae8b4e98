//! Looking at passkeys, calling them something else, taking them away.

use countersign_domain::{id::PasskeyId, locale::Locale};
use countersign_service::{
    admin::Refused,
    devices::DeviceRefused,
    passkeys::{By, Flaw},
};
use countersign_testkit::{database::Engine, on_both_engines};

use super::{IN, Stage, caller, is_flawed};

on_both_engines!(
    a_passkey_that_was_taken_away_proves_nobody,
    what_an_operator_takes_away_is_in_the_trail,
    a_passkey_gets_another_name,
    nobody_touches_the_passkeys_of_others,
);

async fn a_passkey_that_was_taken_away_proves_nobody(engine: Engine) {
    let stage = Stage::open(engine).await;
    let (mut lost, mut kept) = (stage.phone(), stage.phone());
    let passkey = stage.register(stage.ada, &mut lost).await.unwrap();
    stage.register(stage.ada, &mut kept).await.unwrap();
    let (p1, caller) = (stage.project().project.id.clone(), caller());
    let by = By::User { caller: &caller, locale: Locale::En };
    stage.service().delete_device(&p1, stage.ada, passkey.id, by).await.unwrap();
    is_flawed(&stage.show(&lost).await, Flaw::UnknownCredential);
    assert_eq!(stage.sign_in(&kept).await, IN);
    let entry = stage.house.only_entry("passkey.removed").await;
    assert_eq!((entry.actor_kind.as_str(), entry.request_id.as_deref()), ("user", Some("request-1")));
    assert_eq!(entry.key_id.as_deref(), Some(passkey.id.to_string().as_str()));
    let subjects: Vec<String> =
        stage.service().outbox(None).await.unwrap().into_iter().map(|it| it.content.subject).collect();
    let removed = "A passkey was removed from your account with A project";
    assert_eq!(subjects.iter().filter(|subject| *subject == removed).count(), 1, "{subjects:?}");
    let refused = stage.service().delete_device(&p1, stage.ada, passkey.id, by).await;
    assert!(matches!(refused, Err(DeviceRefused::NotFound)), "{refused:?}");
}

async fn what_an_operator_takes_away_is_in_the_trail(engine: Engine) {
    let stage = Stage::open(engine).await;
    let passkey = stage.register(stage.ada, &mut stage.phone()).await.unwrap();
    let p1 = stage.project().project.id.clone();
    stage.service().delete_device(&p1, stage.ada, passkey.id, By::Operator).await.unwrap();
    assert_eq!(stage.passkeys(stage.ada).await, []);
    assert_eq!(stage.house.only_entry("passkey.removed").await.actor_kind, "operator");
    assert_eq!(stage.service().outbox(None).await.unwrap().len(), 1, "the user is told of what the user did");
}

async fn a_passkey_gets_another_name(engine: Engine) {
    let stage = Stage::open(engine).await;
    let passkey = stage.register(stage.ada, &mut stage.phone()).await.unwrap();
    let (p1, caller) = (stage.project().project.id.clone(), caller());
    let by = By::User { caller: &caller, locale: Locale::En };
    let name = "Telephone".parse().unwrap();
    stage.service().rename_passkey(&p1, stage.ada, passkey.id, name, by).await.unwrap();
    assert_eq!(stage.passkeys(stage.ada).await[0].name.as_str(), "Telephone");
    assert_eq!(stage.house.only_entry("passkey.renamed").await.actor_kind, "user");
}

async fn nobody_touches_the_passkeys_of_others(engine: Engine) {
    let stage = Stage::open(engine).await;
    let eve = stage.another_user("eve@example.com").await;
    let passkey = stage.register(stage.ada, &mut stage.phone()).await.unwrap();
    let (p1, caller, before) = (stage.project().project.id.clone(), caller(), stage.house.books().await);
    let by = By::User { caller: &caller, locale: Locale::En };
    for id in [passkey.id, PasskeyId::from_bytes([7; 16])] {
        let renamed = stage.service().rename_passkey(&p1, eve, id, "Mine".parse().unwrap(), by).await;
        let removed = stage.service().delete_device(&p1, eve, id, by).await;
        assert!(matches!(renamed, Err(Refused::NotFound { noun: "passkey", .. })), "{renamed:?}");
        let revoked = stage.service().revoke_device(&p1, eve, id, by).await;
        let restored = stage.service().unrevoke_device(&p1, eve, id, by).await;
        for refused in [removed, revoked, restored] {
            assert!(matches!(refused, Err(DeviceRefused::NotFound)), "{refused:?}");
        }
    }
    assert_eq!(stage.house.books().await, before);
    assert_eq!(stage.passkeys(stage.ada).await, [passkey]);
}
