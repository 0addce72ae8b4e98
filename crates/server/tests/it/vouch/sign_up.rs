//! `private/signup`, row by row.

use std::collections::BTreeSet;

use countersign_testkit::{
    actors::{App, Backend},
    answer::Answer,
    database::Engine,
    house::{House, p1},
    on_both_engines,
};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::sign_in::has_exactly_the_tokens;

on_both_engines!(
    a_sign_up_makes_a_user_and_says_so_in_the_trail,
    names_are_kept_as_they_are_sent,
    names_and_activation_code_may_be_empty_null_or_missing,
    a_user_who_exists_gets_tokens_and_stays_as_before,
    a_user_who_exists_is_refused_where_the_project_says_so,
    twenty_sign_ups_at_once_make_one_user_and_all_win,
    twenty_sign_ups_at_once_have_one_winner_where_existing_users_are_refused,
    twenty_sign_ins_that_create_what_is_missing_make_one_user,
    twenty_users_at_once_are_twenty_users,
);

async fn a_sign_up_makes_a_user_and_says_so_in_the_trail(engine: Engine) {
    let house = House::open(engine).await;
    let before = house.books().await;
    let answer = house.backend().sign_up("ada@example.com").await;
    has_exactly_the_tokens(&answer, 900, 45 * 86_400);
    let after = house.books().await;
    assert_eq!((after.users, after.identities, after.sessions), (1, 1, 1));
    assert_eq!(after.deeds, before.deeds + 2);
    let trail = house.trail().await;
    let uid = answer.text("uid");
    for act in ["user.created", "session.vouched"] {
        let entry = trail.iter().find(|entry| entry.act == act).unwrap();
        assert_eq!(entry.user_id.as_deref(), Some(&*uid), "{act}");
        assert_eq!(entry.actor_id.as_deref(), Some(&*house.key.key.id.to_string()), "{act}");
        assert_eq!(entry.request_id.as_deref(), Some(answer.header("x-request-id")), "{act}");
        assert!(!format!("{entry:?}").contains("ada@"), "an entry has personal data: {entry:?}");
    }
}

async fn names_of(house: &House, email: &str) -> (String, String) {
    let user = house.node.service.show_user(&p1(), email).await.unwrap().user;
    (user.family_name.as_str().to_owned(), user.given_name.as_str().to_owned())
}

async fn names_are_kept_as_they_are_sent(engine: Engine) {
    let house = House::open(engine).await;
    let longest = "é".repeat(127);
    for (n, (family, given)) in
        [("Ada", ""), ("", " Ada  B "), ("محمد", "🙂"), ("O'Neil; drop table users", "\\\"<b>"), (&longest, "x")]
            .into_iter()
            .enumerate()
    {
        let email = format!("user{n}@example.com");
        let attributes = json!({ "userAttributes": { "familyName": family, "givenName": given, "locale": "de" } });
        house.backend().sign_up_with(&email, attributes).await.is_ok();
        assert_eq!(names_of(&house, &email).await, (family.to_owned(), given.to_owned()));
    }
}

async fn names_and_activation_code_may_be_empty_null_or_missing(engine: Engine) {
    let house = House::open(engine).await;
    let nothing: [Value; 7] = [
        json!({ "userAttributes": null, "validationData": null }),
        json!({ "userAttributes": {}, "validationData": {} }),
        json!({ "userAttributes": { "familyName": "", "givenName": "" }, "validationData": { "activationCode": "" } }),
        json!({ "userAttributes": { "familyName": null }, "validationData": { "activationCode": null } }),
        json!({ "userAttributes": { "givenName": "" } }),
        json!({ "validationData": { "activationCode": "any" } }),
        json!({}),
    ];
    for (n, more) in nothing.into_iter().enumerate() {
        let email = format!("user{n}@example.com");
        let body = countersign_testkit::actors::merged(house.backend().vouch(&email, json!({})), more);
        house.backend().post("/private/signup", &body).await.is_ok();
        assert_eq!(names_of(&house, &email).await, (String::new(), String::new()));
    }
}

async fn a_user_who_exists_gets_tokens_and_stays_as_before(engine: Engine) {
    let house = House::open(engine).await;
    let first = json!({ "userAttributes": { "familyName": "Lovelace", "givenName": "Ada" } });
    let uid = house.backend().sign_up_with("ada@example.com", first).await.ok().text("uid");
    let again = house.backend().sign_up("ADA@example.com").await;
    has_exactly_the_tokens(&again, 900, 45 * 86_400);
    assert_eq!(again.text("uid"), uid);
    assert_eq!(house.books().await.users, 1);
    assert_eq!(names_of(&house, "ada@example.com").await, ("Lovelace".to_owned(), "Ada".to_owned()));
}

async fn a_user_who_exists_is_refused_where_the_project_says_so(engine: Engine) {
    let house = House::open(engine).await;
    house.set(&["signup_existing=reject"]).await;
    house.backend().sign_up("ada@example.com").await.is_ok();
    let before = house.books().await;
    for more in [json!({}), json!({ "deviceId": "phone" }), json!({ "externalId": "7" })] {
        let message = house.backend().sign_up_with("ada@example.com", more).await.refused(400, 100_010);
        assert!(message.contains("private/signin"), "{message}");
    }
    assert_eq!(house.books().await, before);
    house.backend().sign_in("ada@example.com").await.is_ok();
    house.set(&["signup_existing=accept"]).await;
    house.backend().sign_up("ada@example.com").await.is_ok();
}

/// So many at once, each over a connection of its own.
async fn twenty(house: &House, path: &'static str, body: impl Fn(&Backend, usize) -> Value) -> Vec<Answer> {
    let mut calls = JoinSet::new();
    for n in 0..20 {
        let backend = house.backend();
        let body = body(&backend, n);
        calls.spawn(async move { backend.post(path, &body).await });
    }
    calls.join_all().await
}

/// Each answer is a session of its own that works.
async fn all_work(house: &House, answers: &[Answer]) -> BTreeSet<String> {
    let mut users = BTreeSet::new();
    let mut tokens = BTreeSet::new();
    for answer in answers {
        answer.is_ok();
        let mut app = App::told(house.node.client().user_agent("app/1"), answer);
        app.me().await.is_ok();
        app.refresh().await.is_ok();
        app.me().await.is_ok();
        users.insert(app.uid);
        tokens.insert(app.refresh);
    }
    assert_eq!(tokens.len(), answers.len());
    users
}

async fn twenty_sign_ups_at_once_make_one_user_and_all_win(engine: Engine) {
    let house = House::open(engine).await;
    let more = json!({ "externalId": "7", "phoneNumber": "+15551234567" });
    let answers = twenty(&house, "/private/signup", |backend, n| {
        backend.vouch(if n % 2 == 0 { "ada@example.com" } else { "Ada@Example.com" }, more.clone())
    });
    assert_eq!(all_work(&house, &answers.await).await.len(), 1);
    let books = house.books().await;
    assert_eq!((books.users, books.identities, books.live_sessions), (1, 3, 20));
    let created = house.trail().await.iter().filter(|entry| entry.act == "user.created").count();
    assert_eq!(created, 1);
}

async fn twenty_sign_ups_at_once_have_one_winner_where_existing_users_are_refused(engine: Engine) {
    let house = House::open(engine).await;
    house.set(&["signup_existing=reject"]).await;
    let answers = twenty(&house, "/private/signup", |backend, _| backend.vouch("ada@example.com", json!({}))).await;
    let (winners, losers): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status() == 200);
    for loser in losers {
        loser.refused(400, 100_010);
    }
    assert_eq!(all_work(&house, &winners).await.len(), 1);
    assert_eq!(winners.len(), 1);
    assert_eq!(house.books().await.sessions, 1);
}

async fn twenty_sign_ins_that_create_what_is_missing_make_one_user(engine: Engine) {
    let house = House::open(engine).await;
    let create = json!({ "createIfMissing": true });
    let answers = twenty(&house, "/private/signin", |backend, _| backend.vouch("ada@example.com", create.clone()));
    assert_eq!(all_work(&house, &answers.await).await.len(), 1);
    let books = house.books().await;
    assert_eq!((books.users, books.identities, books.live_sessions), (1, 1, 20));
}

async fn twenty_users_at_once_are_twenty_users(engine: Engine) {
    let house = House::open(engine).await;
    let answers =
        twenty(&house, "/private/signup", |backend, n| backend.vouch(&format!("user{n}@example.com"), json!({})));
    assert_eq!(all_work(&house, &answers.await).await.len(), 20);
    assert_eq!(house.books().await.users, 20);
}
