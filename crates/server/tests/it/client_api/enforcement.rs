//! Whether a project requires a proof, and what becomes of calls without one.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU8, AtomicU32, Ordering},
    },
    time::Duration,
};

use countersign_testkit::{client_app::hmac_of, database::Engine, house::House, on_both_engines, wait};
use serde_json::json;

use super::{SECOND, headers::call};

on_both_engines!(
    a_new_project_requires_a_proof,
    where_none_is_required_two_headers_are_enough_and_nothing_counts_as_proved,
    a_right_proof_counts_where_none_is_required,
    a_wrong_proof_is_accepted_and_counted_where_none_is_required,
    an_id_beyond_ascii_needs_a_proof_to_be_read,
    enforcement_toggled_under_load_makes_no_wrong_verdict_after_a_second,
    what_happened_is_told_by_the_report,
);

async fn a_new_project_requires_a_proof(engine: Engine) {
    let house = House::open(engine).await;
    let app = house.client_app("crm-7");
    app.unproved().verify().await.denied(401, "invalid_credentials");
    app.verify().await.is_ok();
}

async fn where_none_is_required_two_headers_are_enough_and_nothing_counts_as_proved(engine: Engine) {
    for mode in ["hmac=off", "hmac=observe"] {
        let house = House::open(engine).await;
        house.set(&[mode]).await;
        let app = house.client_app("crm-7").unproved();
        let me = app.me().await.ok().json();
        let uid = me["uid"].as_str().unwrap();
        let expected = json!({ "uid": uid, "project": "p1", "external_id": "crm-7", "amr": ["unproved"] });
        assert_eq!(me, expected, "{mode}");
        assert_eq!(app.verify().await.ok().header("x-countersign-amr"), "unproved");
    }
}

async fn a_right_proof_counts_where_none_is_required(engine: Engine) {
    let house = House::open(engine).await;
    house.set(&["hmac=off"]).await;
    assert_eq!(house.client_app("crm-7").me().await.ok().json()["amr"], json!(["hmac"]));
}

async fn a_wrong_proof_is_accepted_and_counted_where_none_is_required(engine: Engine) {
    let house = House::open(engine).await;
    house.set(&["hmac=observe"]).await;
    let app = house.client_app("crm-7");
    let wrong = app.showing(&hmac_of("hsec_other", "crm-7"));
    assert_eq!(wrong.me().await.ok().json()["amr"], json!(["unproved"]));
    house.node.service.write_down().await;
    let report = house.node.service.client_api_report(&"p1".parse().unwrap()).await.unwrap();
    assert_eq!(report.last_hour, counts(&[("unproved", 1), ("user_created_unproved", 1), ("wrong_proof", 1)]));
    house.set(&["hmac=required"]).await;
    wrong.me().await.denied(401, "invalid_credentials");
}

fn counts(counts: &[(&str, i64)]) -> Vec<(String, i64)> {
    counts.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect()
}

async fn an_id_beyond_ascii_needs_a_proof_to_be_read(engine: Engine) {
    let house = House::open(engine).await;
    house.set(&["hmac=off"]).await;
    let hmac = house.client_app("Zo\u{eb}").hmac.unwrap();
    let uid = call(&house, "Zo\u{eb}".as_bytes(), Some(&hmac)).await.ok().text("uid");
    let latin1 = call(&house, b"Zo\xeb", Some(&hmac)).await;
    assert_eq!(latin1.ok().text("uid"), uid, "what a JavaScript client sends names the same user");
    let before = house.books().await;
    for hmac in [None, Some(hmac_of("hsec_other", "Zo\u{eb}"))] {
        call(&house, b"Zo\xeb", hmac.as_deref()).await.denied(401, "invalid_credentials");
        call(&house, "Zo\u{eb}".as_bytes(), hmac.as_deref()).await.denied(401, "invalid_credentials");
    }
    assert_eq!(house.books().await, before);
}

/// Of each caller between two pairs of calls.
const PAUSE: Duration = Duration::from_millis(20);

/// What a call of somebody without a proof must be answered just now.
const EITHER: u8 = 0;
const ACCEPTED: u8 = 1;
const REFUSED: u8 = 2;

async fn enforcement_toggled_under_load_makes_no_wrong_verdict_after_a_second(engine: Engine) {
    let house = Arc::new(House::open(engine).await);
    house.set(&["limits.failures=100000000", "hmac=off"]).await;
    let other_node = Arc::new(house.another_node().await);
    let (expected, running) = (Arc::new(AtomicU8::new(ACCEPTED)), Arc::new(AtomicBool::new(true)));
    let judged = Arc::new(AtomicU32::new(0));
    let mut callers = Vec::new();
    for number in 0..64 {
        let (expected, running, judged) = (Arc::clone(&expected), Arc::clone(&running), Arc::clone(&judged));
        let proved = house.client_app(&format!("crm-{}", number % 8));
        let mut app = proved.unproved();
        if number % 2 == 1 {
            app.http = other_node.client();
        }
        callers.push(tokio::spawn(async move {
            while running.load(Ordering::SeqCst) {
                let before = expected.load(Ordering::SeqCst);
                let status = app.verify().await.status();
                let after = expected.load(Ordering::SeqCst);
                if before == after && before != EITHER {
                    assert_eq!(status, if before == ACCEPTED { 200 } else { 401 });
                    judged.fetch_add(1, Ordering::SeqCst);
                }
                proved.verify().await.is_ok();
                // Load, but no standstill: both nodes share the machine with all of these callers.
                tokio::time::sleep(PAUSE).await;
            }
        }));
    }
    for round in 0..4 {
        let (setting, then) = if round % 2 == 0 { ("hmac=required", REFUSED) } else { ("hmac=off", ACCEPTED) };
        expected.store(EITHER, Ordering::SeqCst);
        house.set(&[setting]).await;
        tokio::time::sleep(SECOND).await;
        let so_far = judged.load(Ordering::SeqCst);
        expected.store(then, Ordering::SeqCst);
        wait::until("every caller is judged some times", SECOND * 20, || {
            let judged = judged.load(Ordering::SeqCst);
            async move { judged > so_far + 200 }
        })
        .await;
    }
    running.store(false, Ordering::SeqCst);
    for caller in callers {
        caller.await.expect("no verdict was wrong");
    }
}

async fn what_happened_is_told_by_the_report(engine: Engine) {
    let house = House::open(engine).await;
    house.set(&["hmac=off"]).await;
    let app = house.client_app("crm-7");
    for _ in 0..3 {
        app.verify().await.is_ok();
    }
    app.unproved().verify().await.is_ok();
    app.with_key("pk_0").verify().await.denied(401, "invalid_credentials");
    house.node.service.write_down().await;
    let project = "p1".parse().unwrap();
    let report = house.node.service.client_api_report(&project).await.unwrap();
    assert_eq!(report.last_day, counts(&[("proved_v1", 3), ("unproved", 1), ("user_created", 1)]));
    assert_eq!(report.unproved_share, Some(0.25));
    assert_eq!((report.users_made_unproved, report.old_secret_last_used_at), (0, None));
}
