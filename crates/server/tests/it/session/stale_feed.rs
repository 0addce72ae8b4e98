//! A node that can't hear of revocations doesn't say who anybody is.

use countersign_testkit::{
    answer::Answer,
    database::Engine,
    house::{House, p1},
    on_both_engines,
};

use super::SECOND;

on_both_engines!(
    a_node_that_hears_nothing_for_five_seconds_answers_no_verdicts_and_recovers,
    a_node_that_hears_nothing_for_four_seconds_goes_on,
    a_node_that_was_deaf_knows_at_once_what_it_missed,
);

/// The feed's table goes out of sight, and the rest of the database stays.
async fn deafen(house: &House) {
    house.database.execute("alter table changes rename to changes_out_of_sight").await;
}

async fn hear_again(house: &House) {
    house.database.execute("alter table changes_out_of_sight rename to changes").await;
}

fn says_come_again(answer: &Answer) {
    assert_eq!(answer.status(), 503, "{answer}");
    assert!(answer.header("retry-after").parse::<u64>().unwrap() >= 1);
}

async fn a_node_that_hears_nothing_for_five_seconds_answers_no_verdicts_and_recovers(engine: Engine) {
    let house = House::open(engine).await;
    let mut app = house.backend().new_app("ada@example.com").await;
    app.me().await.is_ok();
    let rotations = async || house.database.number("select max(generation) from sessions").await;
    let before = rotations().await;
    deafen(&house).await;
    house.advance(SECOND * 6).await;
    let http = house.node.client();
    let ready = http.get("/health/ready").await;
    assert_eq!((ready.status(), ready.text("status").as_str()), (503, "stale"));
    http.get("/health/live").await.is_ok();
    http.get("/.well-known/jwks.json").await.is_ok();
    let door_one = [
        app.try_refresh().await,
        app.sign_out().await,
        app.profile().await,
        app.sessions().await,
        house.backend().sign_in("ada@example.com").await,
        house.backend().sign_up("bob@example.com").await,
        app.holding("rt_garbage").try_refresh().await,
    ];
    for answer in door_one {
        says_come_again(&answer);
        answer.refused(503, 13_001);
    }
    let me = app.me().await;
    says_come_again(&me);
    me.denied(503, "unavailable");
    assert_eq!(rotations().await, before, "nothing was changed");
    hear_again(&house).await;
    house.node.service.tick().await;
    assert_eq!(http.get("/health/ready").await.ok().text("status"), "ready");
    app.refresh().await.is_ok();
    app.me().await.is_ok();
    house.backend().sign_in("ada@example.com").await.is_ok();
}

async fn a_node_that_hears_nothing_for_four_seconds_goes_on(engine: Engine) {
    let house = House::open(engine).await;
    let mut app = house.backend().new_app("ada@example.com").await;
    deafen(&house).await;
    house.advance(SECOND * 4).await;
    house.node.client().get("/health/ready").await.is_ok();
    app.refresh().await.is_ok();
    app.me().await.is_ok();
    house.advance(SECOND * 2).await;
    says_come_again(&app.me().await);
}

async fn a_node_that_was_deaf_knows_at_once_what_it_missed(engine: Engine) {
    let house = House::open(engine).await;
    let second = house.another_node().await;
    let app = house.backend().new_app("ada@example.com").await;
    let bystander = house.backend().app("ada@example.com").await;
    for app in [&app, &bystander] {
        app.through(second.client()).me().await.is_ok();
    }
    deafen(&house).await;
    house.advance(SECOND * 6).await;
    second.service.tick().await;
    says_come_again(&app.through(second.client()).me().await);
    hear_again(&house).await;
    let user = app.uid.parse().unwrap();
    house.node.service.revoke_session(&p1(), user, app.session().parse().unwrap()).await.unwrap();
    second.service.tick().await;
    app.through(second.client()).profile().await.refused(401, 100_049);
    bystander.through(second.client()).profile().await.is_ok();
}
