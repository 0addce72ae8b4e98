//! Another second factor for a user, by the backend's word and the user's code.

use std::time::Duration;

use countersign_domain::message::Destination;
use countersign_service::{deliver::carrier::Delivery, users::state::StateChange};
use countersign_testkit::{
    database::Engine,
    house::{House, p1},
    on_both_engines,
    service_provider::{Opened, ServiceProvider},
};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha1::Sha1;
use tokio::task::JoinSet;

use super::CREDS;

on_both_engines!(
    a_code_by_text_message_makes_the_telephone_the_factor,
    a_code_by_mail_makes_the_address_the_factor,
    an_app_that_counts_codes_becomes_the_factor,
    a_new_factor_takes_the_place_of_every_other_and_the_user_is_told,
    a_wrong_code_is_refused_and_five_of_them_end_it,
    a_code_that_comes_after_ten_minutes_is_refused,
    a_code_works_once,
    of_many_who_show_the_code_at_once_one_changes_the_factor,
    a_code_of_another_change_user_or_client_is_refused,
    a_new_change_ends_the_last_one,
    numbers_that_there_cannot_be_are_refused,
    what_is_asked_must_be_whole,
    whoever_is_locked_out_gets_no_factor,
    who_has_no_address_gets_no_code_by_mail,
    without_a_way_for_the_message_nothing_begins,
    a_budget_that_is_used_up_is_said_so_in_the_envelope,
    whoever_is_forgotten_leaves_no_change_behind,
    changes_that_are_over_are_thrown_away,
);

pub(super) const INITIATE: &str = "/hc_auth/v5/update/initiate";
pub(super) const VERIFY: &str = "/hc_auth/v5/update/verify";
const WRONG: &str = "The code isn't right, or the change is over: look at the code, or begin again.";
const NUMBER: &str = "+15551234567";

async fn staged(engine: Engine) -> (House, ServiceProvider) {
    let house = House::in_development(engine).await;
    house.backend().new_app("ada@example.com").await;
    let provider = house.service_provider("c3").await;
    (house, provider)
}

fn sms(number: &str) -> Value {
    json!({ "userid": "ada@example.com", "mfa_method": "sms", "contact": number })
}

fn of_ada(method: &str) -> Value {
    json!({ "userid": "ada@example.com", "mfa_method": method })
}

fn typed(session: &Value, otp: &str) -> Value {
    json!({ "userid": "ada@example.com", "session_id": session, "otp": otp })
}

/// Another code than this.
fn not(otp: &str) -> String {
    format!("{:06}", (otp.parse::<u32>().unwrap() + 1) % 1_000_000)
}

async fn begun(provider: &ServiceProvider, text: &Value) -> Value {
    let begun = provider.call(INITIATE, text).await.ok();
    assert_eq!(begun["status"], "success");
    begun
}

async fn shown(provider: &ServiceProvider, session: &Value, otp: &str) -> Opened {
    provider.call(VERIFY, &typed(session, otp)).await
}

#[track_caller]
fn is_wrong(answer: &Opened) {
    assert_eq!((answer.status, &answer.json), (400, &json!({ "status": "error", "detail": WRONG })));
}

/// What came to somebody, the newest first.
async fn messages(house: &House, to: &str) -> Vec<(Option<String>, String, String)> {
    let to: Destination = to.parse().unwrap();
    let caught = house.node.service.outbox(Some(&to)).await.unwrap();
    caught.into_iter().map(|it| (it.content.code.clone(), it.content.subject.clone(), it.content.text.clone())).collect()
}

async fn factors(house: &House) -> i64 {
    house.database.number("select count(*) from second_factors").await
}

/// What an app counts (RFC 6238), by a library that isn't ours.
fn counted(secret: &str, seconds: i64) -> String {
    let mut bits = 0_u64;
    let (mut held, mut key) = (0, Vec::new());
    for char in secret.bytes() {
        let value = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".iter().position(|it| *it == char).unwrap();
        (bits, held) = (bits << 5 | value as u64, held + 5);
        if held >= 8 {
            held -= 8;
            key.push(u8::try_from(bits >> held & 0xff).unwrap());
        }
    }
    let mut mac = Hmac::<Sha1>::new_from_slice(&key).unwrap();
    mac.update(&(seconds / 30).to_be_bytes());
    let tag = mac.finalize().into_bytes();
    let offset = usize::from(tag[19] & 15);
    let number = u32::from_be_bytes(tag[offset..offset + 4].try_into().unwrap()) & 0x7fff_ffff;
    format!("{:06}", number % 1_000_000)
}

async fn a_code_by_text_message_makes_the_telephone_the_factor(engine: Engine) {
    let (house, provider) = staged(engine).await;
    let begun = begun(&provider, &sms(NUMBER)).await;
    assert_eq!(begun["detail"], "A code was sent to +1…67. It is good for 10 minutes.");
    let [(code, _, text)] = &messages(&house, NUMBER).await[..] else { panic!("one message") };
    let otp = begun["otp"].as_str().unwrap();
    assert_eq!((code.as_deref(), text.contains(otp)), (Some(otp), true));
    assert_eq!(factors(&house).await, 0);
    let done = shown(&provider, &begun["session_id"], otp).await.ok();
    assert_eq!(
        done,
        json!({ "status": "success", "detail": "The second factor was changed.", "mfa_changed_to": "sms" })
    );
    let creds = provider.call(CREDS, &json!({ "userid": "ada@example.com" })).await.ok();
    assert_eq!((&creds["mfa_method"], &creds["contact"]), (&json!("sms"), &json!(NUMBER)));
    let entry = house.only_entry("factor.added").await;
    assert_eq!((entry.actor_kind.as_str(), &*entry.detail["factor"]), ("delegation_key", "sms"));
    assert_eq!(entry.client_id.as_deref(), Some("c3"));
    let told = messages(&house, "ada@example.com").await;
    assert_eq!(told.len(), 1, "{told:?}");
}

async fn a_code_by_mail_makes_the_address_the_factor(engine: Engine) {
    let (house, provider) = staged(engine).await;
    let begun = begun(&provider, &of_ada("email")).await;
    assert_eq!(begun["detail"], "A code was sent to a…@example.com. It is good for 10 minutes.");
    let otp = begun["otp"].as_str().unwrap();
    assert_eq!(messages(&house, "ada@example.com").await[0].0.as_deref(), Some(otp));
    let done = shown(&provider, &begun["session_id"], otp).await.ok();
    assert_eq!(done["mfa_changed_to"], "email");
    let creds = provider.call(CREDS, &json!({ "userid": "ada@example.com" })).await.ok();
    assert_eq!((&creds["mfa_method"], &creds["contact"]), (&json!("email"), &json!("ada@example.com")));
}

async fn an_app_that_counts_codes_becomes_the_factor(engine: Engine) {
    let (house, provider) = staged(engine).await;
    let begun = begun(&provider, &of_ada("totp")).await;
    assert_eq!(begun.get("otp"), None);
    let secret = begun["totp_secret"].as_str().unwrap();
    let uri = begun["otpauth_uri"].as_str().unwrap();
    assert!(uri.starts_with("otpauth://totp/A%20project:ada%40example.com?"), "{uri}");
    assert!(uri.contains(&format!("secret={secret}&")), "{uri}");
    assert!(!house.database.dump().await.contains(secret));
    let now = house.node.service.now().seconds();
    is_wrong(&shown(&provider, &begun["session_id"], &counted(secret, now - 90)).await);
    let done = shown(&provider, &begun["session_id"], &counted(secret, now)).await.ok();
    assert_eq!(done["mfa_changed_to"], "totp");
    let creds = provider.call(CREDS, &json!({ "userid": "ada@example.com" })).await.ok();
    assert_eq!((&creds["mfa_method"], &creds["contact"]), (&json!("totp"), &Value::Null));
    // The step whose code was shown is used up: no sign-in takes it.
    let used = house.database.number("select used_step from second_factors").await;
    assert_eq!(used, now / 30);
}

async fn a_new_factor_takes_the_place_of_every_other_and_the_user_is_told(engine: Engine) {
    let (house, provider) = staged(engine).await;
    let first = begun(&provider, &sms(NUMBER)).await;
    shown(&provider, &first["session_id"], first["otp"].as_str().unwrap()).await.ok();
    let before = (messages(&house, NUMBER).await.len(), messages(&house, "ada@example.com").await.len());
    let second = begun(&provider, &of_ada("totp")).await;
    let now = house.node.service.now().seconds();
    let code = counted(second["totp_secret"].as_str().unwrap(), now);
    shown(&provider, &second["session_id"], &code).await.ok();
    assert_eq!(factors(&house).await, 1);
    let removed = house.only_entry("factor.removed").await;
    assert_eq!(removed.detail["factor"], "sms");
    // At the address, and where the codes went until now.
    let after = (messages(&house, NUMBER).await.len(), messages(&house, "ada@example.com").await.len());
    assert_eq!(after, (before.0 + 1, before.1 + 1));
}

async fn a_wrong_code_is_refused_and_five_of_them_end_it(engine: Engine) {
    let (house, provider) = staged(engine).await;
    let twin = begun(&provider, &sms(NUMBER)).await;
    let otp = twin["otp"].as_str().unwrap();
    for _ in 0..4 {
        is_wrong(&shown(&provider, &twin["session_id"], &not(otp)).await);
    }
    shown(&provider, &twin["session_id"], otp).await.ok();
    let change = begun(&provider, &sms("+15557654321")).await;
    let otp = change["otp"].as_str().unwrap();
    for _ in 0..5 {
        is_wrong(&shown(&provider, &change["session_id"], &not(otp)).await);
    }
    let before = house.books().await;
    is_wrong(&shown(&provider, &change["session_id"], otp).await);
    assert_eq!(house.books().await, before);
    let creds = provider.call(CREDS, &json!({ "userid": "ada@example.com" })).await.ok();
    assert_eq!(creds["contact"], NUMBER);
}

async fn a_code_that_comes_after_ten_minutes_is_refused(engine: Engine) {
    let (house, provider) = staged(engine).await;
    let late = begun(&provider, &sms(NUMBER)).await;
    house.advance(Duration::from_mins(10)).await;
    is_wrong(&shown(&provider, &late["session_id"], late["otp"].as_str().unwrap()).await);
    assert_eq!(factors(&house).await, 0);
    let in_time = begun(&provider, &sms(NUMBER)).await;
    house.advance(Duration::from_secs(599)).await;
    shown(&provider, &in_time["session_id"], in_time["otp"].as_str().unwrap()).await.ok();
}

async fn a_code_works_once(engine: Engine) {
    let (house, provider) = staged(engine).await;
    let change = begun(&provider, &sms(NUMBER)).await;
    let otp = change["otp"].as_str().unwrap();
    shown(&provider, &change["session_id"], otp).await.ok();
    let before = house.books().await;
    is_wrong(&shown(&provider, &change["session_id"], otp).await);
    assert_eq!(house.books().await, before);
}

async fn of_many_who_show_the_code_at_once_one_changes_the_factor(engine: Engine) {
    let (house, provider) = staged(engine).await;
    let change = begun(&provider, &sms(NUMBER)).await;
    let mut calls = JoinSet::new();
    for _ in 0..5 {
        let (provider, change) = (provider.clone(), change.clone());
        calls.spawn(async move {
            shown(&provider, &change["session_id"], change["otp"].as_str().unwrap()).await.status
        });
    }
    let mut statuses = calls.join_all().await;
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 400, 400, 400, 400]);
    assert_eq!(house.entries("factor.added").await.len(), 1);
}

async fn a_code_of_another_change_user_or_client_is_refused(engine: Engine) {
    let (house, provider) = staged(engine).await;
    house.backend().new_app("bob@example.com").await;
    let other = house.service_provider("c4").await;
    let of_ada = begun(&provider, &sms(NUMBER)).await;
    let bobs = json!({ "userid": "bob@example.com", "mfa_method": "sms", "contact": "+15557654321" });
    let of_bob = begun(&provider, &bobs).await;
    let otp = of_ada["otp"].as_str().unwrap();
    let before = house.books().await;
    // Ada's change for Bob, Bob's code for Ada's change, Ada's change through another client, one that there isn't.
    let for_bob = json!({ "userid": "bob@example.com", "session_id": of_ada["session_id"], "otp": otp });
    is_wrong(&provider.call(VERIFY, &for_bob).await);
    is_wrong(&shown(&provider, &of_bob["session_id"], otp).await);
    is_wrong(&shown(&other, &of_ada["session_id"], otp).await);
    let nobody = json!({ "userid": "eve@example.com", "session_id": of_ada["session_id"], "otp": otp });
    is_wrong(&provider.call(VERIFY, &nobody).await);
    for session in ["", "chl_", "chl_01ARZ3NDEKTSV4RRFFQ69G5FAV", "x\u{0}"] {
        is_wrong(&shown(&provider, &json!(session), otp).await);
    }
    assert_eq!((house.books().await, factors(&house).await), (before, 0));
    // None of them has used up a try of Ada's.
    for _ in 0..4 {
        is_wrong(&shown(&provider, &of_ada["session_id"], &not(otp)).await);
    }
    shown(&provider, &of_ada["session_id"], otp).await.ok();
}

async fn a_new_change_ends_the_last_one(engine: Engine) {
    let (house, provider) = staged(engine).await;
    let first = begun(&provider, &sms(NUMBER)).await;
    let second = begun(&provider, &sms(NUMBER)).await;
    is_wrong(&shown(&provider, &first["session_id"], first["otp"].as_str().unwrap()).await);
    // Another client's is another matter.
    let other = house.service_provider("c4").await;
    let third = begun(&other, &sms(NUMBER)).await;
    shown(&provider, &second["session_id"], second["otp"].as_str().unwrap()).await.ok();
    shown(&other, &third["session_id"], third["otp"].as_str().unwrap()).await.ok();
}

async fn numbers_that_there_cannot_be_are_refused(engine: Engine) {
    let (house, provider) = staged(engine).await;
    let before = house.books().await;
    let spelt = "`contact` must be a telephone number in E.164 form like `+15551234567`.";
    for number in ["", "15551234567", "+1 555 123 4567", "+0155512345", "+1-555-123-4567", "tel:+15551234567"] {
        provider.call(INITIATE, &sms(number)).await.refused(400, spelt);
    }
    for number in ["+1555123456", "+155512345678", "+999123456789", "+4402079460958"] {
        provider.call(INITIATE, &sms(number)).await.refused(400, "`contact` is no number that there could be.");
    }
    assert_eq!(house.books().await, before);
    assert_eq!(house.database.number("select count(*) from mfa_changes").await, 0);
    assert_eq!(house.database.number("select count(*) from messages").await, 0);
    begun(&provider, &sms(NUMBER)).await;
}

async fn what_is_asked_must_be_whole(engine: Engine) {
    let (house, provider) = staged(engine).await;
    for (text, detail) in [
        (json!({ "userid": "ada@example.com" }), "`mfa_method` is missing."),
        (of_ada("none"), "`mfa_method` must be `totp`, `sms` or `email`."),
        (of_ada("sms"), "`contact` is missing."),
        (json!({ "mfa_method": "totp" }), "`userid` is missing."),
        (
            json!({ "userid": "ada@example.com", "mfa_method": "email", "mfa_change_to": "totp" }),
            "`mfa_change_to` must be what `mfa_method` is, or left out.",
        ),
    ] {
        provider.call(INITIATE, &text).await.refused(400, detail);
    }
    for otp in ["", "12345", "1234567", "12345a", "１２３４５６", "123 456"] {
        shown(&provider, &json!("chl_01ARZ3NDEKTSV4RRFFQ69G5FAV"), otp).await.refused(400, "`otp` must be six digits.");
    }
    provider.call(INITIATE, &json!({ "userid": "eve@example.com", "mfa_method": "totp" })).await.refused(404, "There is no such user.");
    assert_eq!(house.database.number("select count(*) from mfa_changes").await, 0);
    let same = json!({ "userid": "ada@example.com", "mfa_method": "totp", "mfa_change_to": "totp" });
    begun(&provider, &same).await;
}

async fn whoever_is_locked_out_gets_no_factor(engine: Engine) {
    let (house, provider) = staged(engine).await;
    let app = house.backend().new_app("ada@example.com").await;
    let change = begun(&provider, &sms(NUMBER)).await;
    let user = app.uid.parse().unwrap();
    house.node.service.change_user_state(&p1(), user, StateChange::Disable).await.unwrap();
    shown(&provider, &change["session_id"], change["otp"].as_str().unwrap()).await.refused(403, "The user is locked out.");
    provider.call(INITIATE, &sms(NUMBER)).await.refused(403, "The user is locked out.");
    assert_eq!(factors(&house).await, 0);
    house.node.service.change_user_state(&p1(), user, StateChange::Enable).await.unwrap();
    shown(&provider, &change["session_id"], change["otp"].as_str().unwrap()).await.ok();
}

async fn who_has_no_address_gets_no_code_by_mail(engine: Engine) {
    let (house, provider) = staged(engine).await;
    house.client_app("user-7").get("/v1/me").await.is_ok();
    let wanted = json!({ "userid": "user-7", "mfa_method": "email" });
    let detail = "The user has no e-mail address to which a code could go.";
    provider.call(INITIATE, &wanted).await.refused(409, detail);
    begun(&provider, &json!({ "userid": "user-7", "mfa_method": "totp" })).await;
}

async fn without_a_way_for_the_message_nothing_begins(engine: Engine) {
    let house = House::with_delivery(engine, Delivery::NOWHERE).await;
    house.backend().new_app("ada@example.com").await;
    let provider = house.service_provider("c3").await;
    let detail = |channel: &str| format!("This server sends nothing by {channel}: see its configuration.");
    provider.call(INITIATE, &sms(NUMBER)).await.refused(409, &detail("sms"));
    provider.call(INITIATE, &of_ada("email")).await.refused(409, &detail("email"));
    assert_eq!(house.database.number("select count(*) from mfa_changes").await, 0);
    // What needs none goes on, and no code is told to the backend.
    let change = begun(&provider, &of_ada("totp")).await;
    let now = house.node.service.now().seconds();
    shown(&provider, &change["session_id"], &counted(change["totp_secret"].as_str().unwrap(), now)).await.ok();
}

async fn a_budget_that_is_used_up_is_said_so_in_the_envelope(engine: Engine) {
    let (house, provider) = staged(engine).await;
    for _ in 0..60 {
        begun(&provider, &sms(NUMBER)).await;
    }
    let refused = provider.call(INITIATE, &sms(NUMBER)).await;
    refused.refused(429, "Too many messages: `Retry-After` says when to come again.");
    assert!(refused.answer.header("retry-after").parse::<u64>().unwrap() >= 1);
    assert_eq!(messages(&house, NUMBER).await.len(), 60);
    begun(&provider, &sms("+15557654321")).await;
}

async fn whoever_is_forgotten_leaves_no_change_behind(engine: Engine) {
    let (house, provider) = staged(engine).await;
    let app = house.backend().new_app("ada@example.com").await;
    let change = begun(&provider, &sms(NUMBER)).await;
    house.node.service.delete_user(&p1(), app.uid.parse().unwrap()).await.unwrap();
    is_wrong(&shown(&provider, &change["session_id"], change["otp"].as_str().unwrap()).await);
    assert_eq!(house.database.number("select count(*) from mfa_changes").await, 0);
    assert_eq!(factors(&house).await, 0);
}

async fn changes_that_are_over_are_thrown_away(engine: Engine) {
    let (house, provider) = staged(engine).await;
    begun(&provider, &sms(NUMBER)).await;
    let kept = async || house.database.number("select count(*) from mfa_changes").await;
    house.node.service.maintain().await;
    assert_eq!(kept().await, 1);
    house.advance(Duration::from_mins(71)).await;
    house.advance(Duration::from_mins(11)).await;
    house.node.service.maintain().await;
    assert_eq!(kept().await, 0);
}
