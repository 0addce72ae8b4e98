//! Publishable keys and HMAC secrets: rotated, revoked, sealed.

use countersign_domain::client_api_key::ClientApiKeyKind;
use countersign_testkit::{client_app::hmac_of, database::Engine, house::House, on_both_engines};

use super::{MINUTE, SECOND};

on_both_engines!(
    two_secrets_prove_while_one_takes_over_from_the_other,
    a_revoked_secret_proves_nobody_within_a_second_anywhere,
    a_revoked_publishable_key_opens_nothing_within_a_second_anywhere,
    a_publishable_key_is_rotated_with_an_overlap,
    secrets_are_sealed_in_the_database,
    use_of_the_old_secret_is_told,
);

async fn two_secrets_prove_while_one_takes_over_from_the_other(engine: Engine) {
    let house = House::open(engine).await;
    let old = house.client_app("crm-7");
    let service = &house.node.service;
    let made = service.rotate_client_api_key(&"p1".parse().unwrap(), house.hmac.key.id, MINUTE).await.unwrap();
    let new = old.showing(&hmac_of(made.text.danger_expose(), "crm-7"));
    for (app, key) in [(&old, &house.hmac.key), (&new, &made.key)] {
        assert_eq!(app.me().await.ok().text("vouched_by"), key.id.to_string());
    }
    // Time by hand is SQLite's alone.
    if engine == Engine::Sqlite {
        house.advance(MINUTE).await;
        old.verify().await.denied(401, "invalid_credentials");
        new.verify().await.is_ok();
    }
}

async fn a_revoked_secret_proves_nobody_within_a_second_anywhere(engine: Engine) {
    let house = House::open(engine).await;
    let other = house.another_node().await;
    let here = house.client_app("crm-7");
    let mut there = here.clone();
    there.http = other.client();
    there.verify().await.is_ok();
    house.node.service.revoke_client_api_key(&"p1".parse().unwrap(), house.hmac.key.id, false).await.unwrap();
    here.verify().await.denied(401, "invalid_credentials");
    tokio::time::sleep(SECOND).await;
    there.verify().await.denied(401, "invalid_credentials");
}

async fn a_revoked_publishable_key_opens_nothing_within_a_second_anywhere(engine: Engine) {
    let house = House::open(engine).await;
    let other = house.another_node().await;
    let here = house.client_app("crm-7");
    let mut there = here.clone();
    there.http = other.client();
    there.verify().await.is_ok();
    let another = house.node.new_client_api_key("p1", ClientApiKeyKind::Publishable).await;
    house.node.service.revoke_client_api_key(&"p1".parse().unwrap(), house.publishable.key.id, false).await.unwrap();
    here.verify().await.denied(401, "invalid_credentials");
    tokio::time::sleep(SECOND).await;
    there.verify().await.denied(401, "invalid_credentials");
    there.with_key(another.text.danger_expose()).verify().await.is_ok();
}

async fn a_publishable_key_is_rotated_with_an_overlap(engine: Engine) {
    let house = House::open(engine).await;
    let old = house.client_app("crm-7");
    let service = &house.node.service;
    let made = service.rotate_client_api_key(&"p1".parse().unwrap(), house.publishable.key.id, MINUTE).await.unwrap();
    let new = old.with_key(made.text.danger_expose());
    old.verify().await.is_ok();
    new.verify().await.is_ok();
    // Time by hand is SQLite's alone.
    if engine == Engine::Sqlite {
        house.advance(MINUTE).await;
        old.verify().await.denied(401, "invalid_credentials");
        new.verify().await.is_ok();
    }
}

async fn secrets_are_sealed_in_the_database(engine: Engine) {
    let house = House::open(engine).await;
    house.client_app("crm-7").verify().await.is_ok();
    let kept = house.database.dump().await;
    assert!(kept.contains(house.publishable.text.danger_expose()), "a publishable key can be looked up again");
    let secret = house.hmac.text.danger_expose();
    assert!(!kept.contains(&secret[secret.len() - 40..]), "the secret can be read in the database");
}

async fn use_of_the_old_secret_is_told(engine: Engine) {
    let house = House::open(engine).await;
    let old = house.client_app("crm-7");
    let (service, project) = (&house.node.service, "p1".parse().unwrap());
    service.rotate_client_api_key(&project, house.hmac.key.id, MINUTE).await.unwrap();
    assert_eq!(service.client_api_report(&project).await.unwrap().old_secret_last_used_at, None);
    old.verify().await.is_ok();
    service.write_down().await;
    let report = service.client_api_report(&project).await.unwrap();
    assert_eq!(report.old_secret_last_used_at, Some(service.now()));
    assert!(report.last_hour.contains(&("old_secret".to_owned(), 1)));
}
