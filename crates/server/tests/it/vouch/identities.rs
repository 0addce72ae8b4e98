//! Whom a vouch means: by e-mail address, telephone number, and the customer's own identifier.

use countersign_domain::{identity::Identity, text::Name};
use countersign_service::vouch::Names;
use countersign_testkit::{
    answer::Answer,
    database::Engine,
    house::{House, p1},
    on_both_engines,
};
use serde_json::{Value, json};

on_both_engines!(
    an_address_is_one_in_whatever_case,
    a_user_is_found_by_each_identity_and_gains_those_that_are_missing,
    a_gained_identity_is_in_the_trail_and_in_the_profile_at_once,
    two_users_are_never_made_one,
    a_user_with_another_external_id_is_another_person,
    an_address_that_nobody_proved_never_finds_who_proved_it,
    an_address_that_nobody_proved_finds_who_was_vouched_for_by_it,
    a_number_that_nobody_proved_never_finds_who_proved_it,
    addresses_that_look_alike_are_refused,
    addresses_that_are_different_are_different_users,
    twenty_vouches_that_add_the_same_identity_add_it_once,
    two_users_who_race_for_one_identity_dont_share_it,
);

async fn uid(house: &House, email: &str, more: Value) -> String {
    house.backend().sign_in_with(email, more).await.ok().text("uid")
}

async fn new_uid(house: &House, email: &str, more: Value) -> String {
    house.backend().sign_up_with(email, more).await.ok().text("uid")
}

/// What is on record of a user: kind, value, and whether it counts as proved.
async fn identities(house: &House, uid: &str) -> Vec<(String, String, bool)> {
    let known = house.node.service.show_user(&p1(), uid).await.unwrap();
    let mut identities: Vec<_> = known
        .identities
        .iter()
        .map(|it| (it.identity.kind().to_string(), it.identity.value().to_owned(), it.verified_at.is_some()))
        .collect();
    identities.sort();
    identities
}

fn identity(kind: &str, value: &str, verified: bool) -> (String, String, bool) {
    (kind.to_owned(), value.to_owned(), verified)
}

async fn an_address_is_one_in_whatever_case(engine: Engine) {
    let house = House::open(engine).await;
    let ada = new_uid(&house, "Ada.Lovelace@Example.COM", json!({})).await;
    for spelling in ["ada.lovelace@example.com", "ADA.LOVELACE@EXAMPLE.COM", "adA.loveLace@example.Com"] {
        assert_eq!(uid(&house, spelling, json!({})).await, ada);
        assert_eq!(new_uid(&house, spelling, json!({})).await, ada);
    }
    assert_eq!(identities(&house, &ada).await, [identity("email", "ada.lovelace@example.com", true)]);
}

async fn a_user_is_found_by_each_identity_and_gains_those_that_are_missing(engine: Engine) {
    let house = House::open(engine).await;
    let ada = new_uid(&house, "ada@example.com", json!({})).await;
    let (number, seven) = (json!({ "phoneNumber": "+15551234567" }), json!({ "externalId": "7" }));
    assert_eq!(uid(&house, "ada@example.com", number.clone()).await, ada, "found by address, gains the number");
    assert_eq!(uid(&house, "ada@work.example", number).await, ada, "found by number, gains an address");
    assert_eq!(uid(&house, "ada@work.example", seven.clone()).await, ada, "found by address, gains the external id");
    assert_eq!(uid(&house, "ada@home.example", seven).await, ada, "found by external id, gains an address");
    let all = [
        identity("email", "ada@example.com", true),
        identity("email", "ada@home.example", true),
        identity("email", "ada@work.example", true),
        identity("external_id", "7", true),
        identity("phone", "+15551234567", true),
    ];
    assert_eq!(identities(&house, &ada).await, all);
    assert_eq!(house.books().await.users, 1);
}

async fn a_gained_identity_is_in_the_trail_and_in_the_profile_at_once(engine: Engine) {
    let house = House::open(engine).await;
    let app = house.backend().new_app("ada@example.com").await;
    assert!(app.me().await.ok().json().get("external_id").is_none());
    house.backend().sign_in_with("ada@example.com", json!({ "externalId": "7" })).await.is_ok();
    assert_eq!(app.me().await.ok().text("external_id"), "7");
    let trail = house.trail().await;
    let added: Vec<_> = trail.iter().filter(|entry| entry.act == "identity.added").collect();
    assert_eq!(added.len(), 1);
    assert_eq!(added[0].user_id.as_deref(), Some(&*app.uid));
    assert_eq!(added[0].detail["kind"], "external_id");
}

/// A conflict, after which everything is as before.
async fn conflicts(house: &House, email: &str, more: Value) -> String {
    let before = house.books().await;
    let mut messages = Vec::new();
    for answer in [
        house.backend().sign_in_with(email, more.clone()).await,
        house.backend().sign_up_with(email, more.clone()).await,
        house
            .backend()
            .sign_in_with(email, countersign_testkit::actors::merged(more, json!({ "deviceId": "d" })))
            .await,
    ] {
        messages.push(answer.refused(409, 100_010));
        assert!(!answer.to_string().contains('@'), "an address is told: {answer}");
    }
    assert_eq!(house.books().await, before);
    messages.remove(0)
}

async fn two_users_are_never_made_one(engine: Engine) {
    let house = House::open(engine).await;
    let ada = new_uid(&house, "ada@example.com", json!({ "externalId": "7", "phoneNumber": "+15551234567" })).await;
    let bob = new_uid(&house, "bob@example.com", json!({ "externalId": "8" })).await;
    for (email, more) in [
        ("ada@example.com", json!({ "externalId": "8" })),
        ("bob@example.com", json!({ "externalId": "7" })),
        ("bob@example.com", json!({ "phoneNumber": "+15551234567" })),
        ("new@example.com", json!({ "phoneNumber": "+15551234567", "externalId": "8" })),
        ("ada@example.com", json!({ "externalId": "8", "createIfMissing": true })),
    ] {
        let message = conflicts(&house, email, more).await;
        assert!(message.contains("different users"), "{message}");
    }
    assert_eq!(uid(&house, "ada@example.com", json!({ "externalId": "7" })).await, ada);
    assert_eq!(uid(&house, "bob@example.com", json!({ "externalId": "8" })).await, bob);
}

async fn a_user_with_another_external_id_is_another_person(engine: Engine) {
    let house = House::open(engine).await;
    let ada = new_uid(&house, "ada@example.com", json!({ "externalId": "7" })).await;
    let message = conflicts(&house, "ada@example.com", json!({ "externalId": "70" })).await;
    assert!(message.contains("externalId"), "{message}");
    let message = conflicts(&house, "ada@example.com", json!({ "externalId": "7 " })).await;
    assert!(message.contains("externalId"), "external ids are compared byte for byte: {message}");
    assert_eq!(uid(&house, "ada@example.com", json!({ "externalId": "7" })).await, ada);
    assert_eq!(uid(&house, "ada@example.com", json!({})).await, ada);
}

/// A user whose identities were proved here.
async fn proved_user(house: &House, identities: &[Identity]) -> String {
    let nameless = Names { given: Name::empty(), family: Name::empty() };
    let made = house.node.service.create_user(&p1(), nameless, identities.to_vec(), true).await;
    made.unwrap().id.to_string()
}

async fn an_address_that_nobody_proved_never_finds_who_proved_it(engine: Engine) {
    let house = House::open(engine).await;
    let ada = proved_user(&house, &[Identity::Email("ada@example.com".parse().unwrap())]).await;
    let said_by_the_vouch = json!({ "emailVerified": false });
    let message = conflicts(&house, "Ada@example.com", said_by_the_vouch.clone()).await;
    assert!(message.contains("e-mail address proved it"), "{message}");

    house.set(&["vouch.email=unverified"]).await;
    for more in [json!({}), said_by_the_vouch, json!({ "emailVerified": true }), json!({ "externalId": "7" })] {
        let message = conflicts(&house, "ada@example.com", more).await;
        assert!(message.contains("e-mail address proved it"), "{message}");
    }

    house.set(&["vouch.email=trusted"]).await;
    for more in [json!({}), json!({ "emailVerified": true })] {
        assert_eq!(uid(&house, "ada@example.com", more).await, ada);
    }
}

async fn an_address_that_nobody_proved_finds_who_was_vouched_for_by_it(engine: Engine) {
    let house = House::open(engine).await;
    house.set(&["vouch.email=unverified"]).await;
    let ada = new_uid(&house, "ada@example.com", json!({ "phoneNumber": "+15551234567" })).await;
    assert_eq!(uid(&house, "ada@example.com", json!({})).await, ada);
    let unproved = [identity("email", "ada@example.com", false), identity("phone", "+15551234567", false)];
    assert_eq!(identities(&house, &ada).await, unproved);

    house.set(&["vouch.email=trusted"]).await;
    let bob = new_uid(&house, "bob@example.com", json!({ "emailVerified": false })).await;
    assert_eq!(identities(&house, &bob).await, [identity("email", "bob@example.com", false)]);
    assert_eq!(uid(&house, "bob@example.com", json!({})).await, bob);
}

async fn a_number_that_nobody_proved_never_finds_who_proved_it(engine: Engine) {
    let house = House::open(engine).await;
    let number = Identity::Phone("+15551234567".parse().unwrap());
    let ada = proved_user(&house, &[number]).await;
    let more = json!({ "phoneNumber": "+15551234567" });
    house.set(&["vouch.email=unverified"]).await;
    let message = conflicts(&house, "ada@example.com", more.clone()).await;
    assert!(message.contains("telephone number proved it"), "{message}");
    house.set(&["vouch.email=trusted"]).await;
    assert_eq!(uid(&house, "ada@example.com", more).await, ada);
}

async fn addresses_that_look_alike_are_refused(engine: Engine) {
    let house = House::open(engine).await;
    new_uid(&house, "kim@example.com", json!({})).await;
    let before = house.books().await;
    let spellings = [
        "\u{212A}im@example.com",
        "k\u{131}m@example.com",
        "k\u{456}m@example.com",
        "\u{FF4B}im@example.com",
        "kim@ex\u{430}mple.com",
        "kim@example\u{3002}com",
        "kim\u{200B}@example.com",
        "kim\u{AD}@example.com",
        "\u{202E}kim@example.com",
        "kim@b\u{FC}cher.example",
        "\"kim\"@example.com",
        "\"k\\im\"@example.com",
        "kim@example.com.",
        "kim.@example.com",
        ".kim@example.com",
        "k..im@example.com",
        "kim@.example.com",
        "kim@example..com",
        "kim@@example.com",
        "kim(work)@example.com",
        "kim@(work)example.com",
        "Kim <kim@example.com>",
        "<kim@example.com>",
        "mailto:kim@example.com ",
        "kim@[192.0.2.1]",
        "kim@[IPv6:2001:db8::1]",
        " kim@example.com",
        "kim@example.com ",
        "kim @example.com",
        "kim@example.com,eve@example.com",
        "kim@example.com;eve@example.com",
        "kim@example.com\r\nBcc: eve@example.com",
        "kim@exam_ple.com",
        "kim@-example.com",
        "kim@example-.com",
        "kim@example.com/",
        "kim@example.com:25",
        "kim@example.com?x",
        "kim@example.com%00",
    ];
    for spelling in spellings {
        for answer in [house.backend().sign_in(spelling).await, house.backend().sign_up(spelling).await] {
            let told = answer.refused(400, 100_050);
            assert!(told.starts_with("`email` must be "), "{spelling:?}: {told}");
            assert!(!told.contains("kim"), "{told}");
        }
    }
    assert_eq!(house.books().await, before);
}

async fn addresses_that_are_different_are_different_users(engine: Engine) {
    let house = House::open(engine).await;
    let different = [
        "kim@example.com",
        "kim+tag@example.com",
        "kim+other@example.com",
        "k.im@example.com",
        "ki-m@example.com",
        "kim_@example.com",
        "kim%@example.com",
        "'kim'@example.com",
        "kim@xn--exmple-4nf.com",
        "kim@xn--bcher-kva.example",
        "kim@bcher.example",
        "kim@mail.example.com",
        "kim@example.org",
        "k1m@example.com",
    ];
    let mut users = std::collections::BTreeSet::new();
    for email in different {
        users.insert(new_uid(&house, email, json!({})).await);
    }
    assert_eq!(users.len(), different.len());
    for email in different {
        assert!(users.remove(&uid(&house, &email.to_ascii_uppercase(), json!({})).await), "{email}");
    }
}

async fn twenty_at_once(house: &House, vouch: impl Fn(usize) -> (String, Value)) -> Vec<Answer> {
    let mut calls = tokio::task::JoinSet::new();
    for n in 0..20 {
        let (backend, (email, more)) = (house.backend(), vouch(n));
        calls.spawn(async move { backend.sign_in_with(&email, more).await });
    }
    calls.join_all().await
}

async fn twenty_vouches_that_add_the_same_identity_add_it_once(engine: Engine) {
    let house = House::open(engine).await;
    let ada = new_uid(&house, "ada@example.com", json!({})).await;
    let answers = twenty_at_once(&house, |_| ("ada@example.com".to_owned(), json!({ "externalId": "7" }))).await;
    for answer in answers {
        assert_eq!(answer.ok().text("uid"), ada);
    }
    let both = [identity("email", "ada@example.com", true), identity("external_id", "7", true)];
    assert_eq!(identities(&house, &ada).await, both);
    let added = house.trail().await.iter().filter(|entry| entry.act == "identity.added").count();
    assert_eq!(added, 1);
}

async fn two_users_who_race_for_one_identity_dont_share_it(engine: Engine) {
    let house = House::open(engine).await;
    let ada = new_uid(&house, "ada@example.com", json!({})).await;
    let bob = new_uid(&house, "bob@example.com", json!({})).await;
    let name = |n| if n % 2 == 0 { "ada@example.com" } else { "bob@example.com" };
    let answers = twenty_at_once(&house, |n| (name(n).to_owned(), json!({ "phoneNumber": "+15551234567" }))).await;
    let mut winners = std::collections::BTreeSet::new();
    for answer in answers {
        match answer.status() {
            200 => drop(winners.insert(answer.text("uid"))),
            _ => drop(answer.refused(409, 100_010)),
        }
    }
    assert_eq!(winners.len(), 1, "both users got the number");
    let has_number = |all: Vec<(String, String, bool)>| all.iter().any(|(kind, ..)| kind == "phone");
    let (ada_has, bob_has) = (has_number(identities(&house, &ada).await), has_number(identities(&house, &bob).await));
    assert!(ada_has != bob_has);
}
