//! Where nobody can say who calls, nobody is let through.

use std::time::Duration;

use countersign_testkit::answer::Answer;

use super::{proxy::Kind, stage::Stage, through_each_proxy};

through_each_proxy!(
    a_server_that_is_down_lets_nobody_through,
    a_server_that_can_say_nothing_lets_nobody_through,
    an_api_that_is_down_is_not_the_callers_fault,
);

async fn a_server_that_is_down_lets_nobody_through(mut stage: Stage) {
    let app = stage.app("crm-7");
    app.get("/interactions").await.is_ok();
    stage.tap.cut().await;
    for _ in 0..3 {
        let answer = app.get("/interactions").await;
        // Traefik says so in its own way.
        if stage.proxy.kind == Kind::Traefik { assert_eq!(answer.status(), 500) } else { is_unavailable(&answer) }
    }
    assert_eq!(stage.api.asked(), 1);
}

async fn a_server_that_can_say_nothing_lets_nobody_through(stage: Stage) {
    let app = stage.app("crm-7");
    app.get("/interactions").await.is_ok();
    // It can't hear of revocations any more.
    stage.house.database.execute("alter table changes rename to changes_out_of_sight").await;
    stage.house.advance(Duration::from_secs(6)).await;
    is_unavailable(&app.get("/interactions").await);
    assert_eq!(stage.api.asked(), 1);
    stage.house.database.execute("alter table changes_out_of_sight rename to changes").await;
    stage.house.advance(Duration::from_secs(1)).await;
    app.get("/interactions").await.is_ok();
}

async fn an_api_that_is_down_is_not_the_callers_fault(mut stage: Stage) {
    let app = stage.app("crm-7");
    app.get("/interactions").await.is_ok();
    stage.api_line.cut().await;
    let answer = app.get("/interactions").await;
    if stage.proxy.kind == Kind::Traefik {
        assert_eq!(answer.status(), 502);
    } else {
        is_unavailable(&answer);
    }
    app.unproved().get("/interactions").await.denied(401, "invalid_credentials");
}

#[track_caller]
fn is_unavailable(answer: &Answer) {
    answer.denied(503, "unavailable");
}
