//! Many at once, and answers that never arrive.

use std::time::Duration;

use countersign_domain::id::UserId;
use countersign_service::projects::state::StateChange;
use countersign_testkit::{
    actors::App,
    answer::Answer,
    database::Engine,
    house::{House, p1},
    on_both_engines,
    raw::RawConnection,
    token::generation,
};
use serde_json::json;
use tokio::task::JoinSet;

use super::move_on;

on_both_engines!(
    twenty_refreshes_of_one_token_at_once_get_one_successor,
    twenty_answers_that_are_lost_cost_the_app_nothing,
    sessions_that_refresh_at_once_do_not_disturb_each_other,
    no_token_works_after_a_sign_out_that_raced_with_refreshes,
    no_token_works_after_a_revocation_that_raced_with_refreshes,
    no_token_works_after_a_theft_that_raced_with_refreshes,
);

/// Sends the same refresh token so often at once.
async fn at_once(app: &App, times: usize) -> Vec<Answer> {
    let mut calls = JoinSet::new();
    for _ in 0..times {
        let app = app.clone();
        calls.spawn(async move { app.try_refresh().await });
    }
    calls.join_all().await
}

async fn twenty_refreshes_of_one_token_at_once_get_one_successor(engine: Engine) {
    let house = House::open(engine).await;
    let mut app = house.backend().new_app("ada@example.com").await;
    for _ in 0..3 {
        let answers = at_once(&app, 20).await;
        let successor = answers[0].text("refreshToken");
        assert_eq!(generation(&successor), generation(&app.refresh) + 1);
        for answer in answers {
            assert_eq!(answer.ok().text("refreshToken"), successor);
        }
        app.refresh = successor;
    }
    move_on(&mut app).await;
    app.me().await.is_ok();
    assert_eq!(house.entries("session.refreshed").await.len(), 4, "each generation was written once");
}

/// Asks for the successor and goes away: at once, or in the middle of the answer.
async fn ask_and_go(app: &App, patience: Duration) {
    let body = json!({ "refreshToken": app.refresh }).to_string();
    let request = format!(
        "POST /auth/v1/refreshtoken HTTP/1.1\r\nhost: localhost\r\nuser-agent: app/1\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    let mut connection = RawConnection::to(app.http.base()).await;
    connection.say(request).await;
    connection.hear(patience).await;
}

async fn twenty_answers_that_are_lost_cost_the_app_nothing(engine: Engine) {
    let house = House::open(engine).await;
    let mut app = house.backend().new_app("ada@example.com").await;
    for _ in 0..3 {
        let mut calls = JoinSet::new();
        for call in 0..20 {
            let app = app.clone();
            calls.spawn(async move { ask_and_go(&app, Duration::from_millis(call % 5)).await });
        }
        let answered = at_once(&app, 2).await.pop().unwrap().ok().text("refreshToken");
        calls.join_all().await;
        let before = move_on(&mut app).await;
        assert_eq!((answered, generation(&before.refresh) + 1), (app.refresh.clone(), generation(&app.refresh)));
    }
    app.me().await.is_ok();
}

async fn sessions_that_refresh_at_once_do_not_disturb_each_other(engine: Engine) {
    let house = House::open(engine).await;
    let one = house.backend().new_app("ada@example.com").await;
    let two = house.backend().app("ada@example.com").await;
    let other = house.backend().new_app("bob@example.com").await;
    let (of_one, of_two, of_other) = tokio::join!(at_once(&one, 8), at_once(&two, 8), at_once(&other, 8));
    for (app, answers) in [(one, of_one), (two, of_two), (other, of_other)] {
        let refreshed = App::told(app.http.clone(), &with_uid(&app, &answers[0]));
        assert_eq!(refreshed.session(), app.session());
        assert!(answers.iter().all(|answer| answer.clone().ok().text("refreshToken") == refreshed.refresh));
        refreshed.try_refresh().await.is_ok();
    }
}

/// A refresh doesn't say whose it is; the app knows.
fn with_uid(app: &App, answer: &Answer) -> Answer {
    let mut body = answer.clone().ok().json();
    body["uid"] = app.uid.as_str().into();
    Answer { body: body.to_string().into(), ..answer.clone() }
}

/// Neither what the app held, nor what any of the answers gave it, works.
async fn nothing_works(app: &App, answers: &[Answer]) {
    let mut held = vec![app.clone()];
    for answer in answers.iter().filter(|answer| answer.status() == 200) {
        held.push(App::told(app.http.clone(), &with_uid(app, answer)));
    }
    for app in held {
        app.try_refresh().await.gone("ended");
        app.profile().await.refused(401, 100_049);
        assert_eq!(app.me().await.status(), 401);
    }
    let refused = answers.iter().filter(|answer| answer.status() != 200);
    refused.for_each(|answer| answer.gone("ended"));
}

const ROUNDS: usize = 6;

async fn no_token_works_after_a_sign_out_that_raced_with_refreshes(engine: Engine) {
    let house = House::open(engine).await;
    for _ in 0..ROUNDS {
        let app = house.backend().new_app("ada@example.com").await;
        let (answers, signed_out) = tokio::join!(at_once(&app, 6), app.sign_out());
        signed_out.is_ok();
        nothing_works(&app, &answers).await;
    }
}

async fn no_token_works_after_a_revocation_that_raced_with_refreshes(engine: Engine) {
    let house = House::open(engine).await;
    let (service, project) = (&house.node.service, p1());
    for round in 0..ROUNDS {
        let app = house.backend().new_app("ada@example.com").await;
        let user: UserId = app.uid.parse().unwrap();
        let revoke = async {
            match round % 3 {
                0 => service.change_user_state(&project, user, StateChange::Revoke).await.map(drop),
                1 => service.revoke_session(&project, user, app.session().parse().unwrap()).await,
                _ => service.change_client_state(&project, &"c1".parse().unwrap(), StateChange::Revoke).await.map(drop),
            }
        };
        let (answers, revoked) = tokio::join!(at_once(&app, 6), revoke);
        revoked.unwrap();
        nothing_works(&app, &answers).await;
    }
}

async fn no_token_works_after_a_theft_that_raced_with_refreshes(engine: Engine) {
    let house = House::open(engine).await;
    house.set(&["refresh.overlap=0s"]).await;
    for _ in 0..ROUNDS {
        let mut app = house.backend().new_app("ada@example.com").await;
        let stolen = move_on(&mut app).await.at("203.0.113.7");
        move_on(&mut app).await;
        let (answers, theft) = tokio::join!(at_once(&app, 6), stolen.try_refresh());
        theft.gone("ended");
        nothing_works(&app, &answers).await;
    }
    assert_eq!(house.entries("session.theft").await.len(), ROUNDS);
}
