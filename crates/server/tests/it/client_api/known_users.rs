//! Users whom a node remembers: right away it hears of whatever changes about them.

use countersign_service::{projects::state::StateChange, users::set::UserChanges};
use countersign_testkit::{database::Engine, house::House, on_both_engines, wait};
use serde_json::json;

use super::SECOND;

on_both_engines!(
    a_disabled_user_is_refused_within_a_second_anywhere,
    a_user_who_is_let_in_again_is_let_in,
    an_id_given_to_another_user_names_the_other,
    the_id_of_a_merged_user_names_the_one_who_is_left,
    a_deleted_user_comes_to_be_anew,
);

async fn a_disabled_user_is_refused_within_a_second_anywhere(engine: Engine) {
    let house = House::open(engine).await;
    let other = house.another_node().await;
    let here = house.client_app("crm-7");
    let mut there = here.clone();
    there.http = other.client();
    let user = there.uid().await.parse().unwrap();
    house.node.service.change_user_state(&"p1".parse().unwrap(), user, StateChange::Disable).await.unwrap();
    here.verify().await.denied(401, "invalid_credentials");
    tokio::time::sleep(SECOND).await;
    there.verify().await.denied(401, "invalid_credentials");
    house.client_app("crm-8").verify().await.is_ok();
}

async fn a_user_who_is_let_in_again_is_let_in(engine: Engine) {
    let house = House::open(engine).await;
    let app = house.client_app("crm-7");
    let user = app.uid().await.parse().unwrap();
    let project = "p1".parse().unwrap();
    for (change, status) in [(StateChange::Disable, 401), (StateChange::Enable, 200), (StateChange::Revoke, 200)] {
        house.node.service.change_user_state(&project, user, change).await.unwrap();
        assert_eq!(app.verify().await.status(), status, "{change:?}");
    }
}

async fn an_id_given_to_another_user_names_the_other(engine: Engine) {
    let house = House::open(engine).await;
    let app = house.client_app("crm-7");
    let first = app.uid().await;
    let other = house.client_app("crm-8").uid().await;
    let (service, project) = (&house.node.service, "p1".parse().unwrap());
    let id = countersign_domain::identity::Identity::ExternalId("crm-7".parse().unwrap());
    let taken = UserChanges { remove: vec![id.clone()], ..UserChanges::default() };
    service.set_user(&project, first.parse().unwrap(), taken).await.unwrap();
    let given = UserChanges { add: vec![id], ..UserChanges::default() };
    service.set_user(&project, other.parse().unwrap(), given).await.unwrap();
    assert_eq!(app.uid().await, other);
}

async fn the_id_of_a_merged_user_names_the_one_who_is_left(engine: Engine) {
    let house = House::open(engine).await;
    let other_node = house.another_node().await;
    let app = house.client_app("crm-7");
    let mut there = app.clone();
    there.http = other_node.client();
    let (gone, left) = (there.uid().await, house.client_app("crm-8").uid().await);
    let (gone_id, left_id) = (gone.parse().unwrap(), left.parse().unwrap());
    house.node.service.merge_users(&"p1".parse().unwrap(), gone_id, left_id).await.unwrap();
    assert_eq!(app.uid().await, left);
    wait::until("the other node knows", SECOND * 3, || {
        let (there, left) = (there.clone(), left.clone());
        async move { there.uid().await == left }
    })
    .await;
}

async fn a_deleted_user_comes_to_be_anew(engine: Engine) {
    let house = House::open(engine).await;
    let app = house.client_app("crm-7");
    app.post(&format!("/users/{}", app.uid().await), &json!({ "first_name": "Ada" })).await.is_ok();
    let first = app.uid().await;
    let backend = house.secret_bearer();
    backend.send(hyper::Method::DELETE, &format!("/users/{first}"), String::new().into()).await.is_ok();
    let second = app.uid().await;
    assert_ne!(first, second);
    assert_eq!(app.get(&format!("/users/{second}")).await.ok().text("first_name"), "");
}
