//! Tokens that this server didn't make.

use countersign_crypto::{
    entropy::Entropy,
    refresh_token::{RefreshSecret, RefreshToken},
};
use countersign_domain::id::MacKeyId;
use countersign_testkit::{
    actors::{App, Backend},
    house::{House, p1},
    program::Program,
    token::{mac_key, refresh_bytes, refresh_text},
};
use serde_json::{Value, json};

use super::{HOUR, SECOND, app_at_home, move_on};

/// A forged token is refused as one that nobody knows, and the session, if there is one, goes on as if it had never come.
async fn is_refused(house: &House, app: &mut App, forged: &str) {
    let refreshed = house.entries("session.refreshed").await.len();
    let refused = app.holding(forged).try_refresh().await;
    refused.gone("ended");
    assert!(!refused.text("message").contains(forged));
    assert_eq!(house.entries("session.refreshed").await.len(), refreshed);
    for act in ["session.theft", "session.ended", "session.commit_lost", "session.foreign_replay"] {
        assert!(house.entries(act).await.is_empty(), "{act}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_part_of_a_token_can_be_changed() {
    let (house, mut app) = app_at_home().await;
    house.set(&["limits.failures=100000"]).await;
    let genuine = refresh_bytes(&app.refresh);
    for at in 0..genuine.len() {
        for bit in [0x01, 0x80] {
            let mut bytes = genuine.clone();
            bytes[at] ^= bit;
            app.holding(&refresh_text(&bytes)).try_refresh().await.gone("ended");
        }
    }
    let mut next_generation = genuine.clone();
    next_generation[8] += 1;
    is_refused(&house, &mut app, &refresh_text(&next_generation)).await;
    move_on(&mut app).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_token_is_refused() {
    let (house, mut app) = app_at_home().await;
    house.set(&["limits.failures=100000"]).await;
    let genuine = app.refresh.clone();
    let garbage = [
        "rt_".to_owned(),
        genuine.replacen("rt_", "", 1),
        genuine.replacen("rt_", "RT_", 1),
        format!("{genuine}A"),
        format!("{genuine}="),
        format!(" {genuine}"),
        genuine[..genuine.len() - 1].to_owned(),
        genuine.replace('_', "/"),
        app.access.clone(),
        house.key.secret.danger_expose().to_owned(),
        "rt_\u{0}\u{fffd}".to_owned(),
        format!("rt_{}", "A".repeat(60_000)),
    ];
    for garbage in garbage {
        is_refused(&house, &mut app, &garbage).await;
    }
    move_on(&mut app).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_of_one_mac_key_is_none_of_another() {
    let (house, mut app) = app_at_home().await;
    house.node.service.rotate_mac_key(&p1()).await.unwrap();
    let mut bytes = refresh_bytes(&app.refresh);
    // Both keys are alive, and the third is as good as forgotten.
    for number in [2, 3] {
        bytes[4] = number;
        is_refused(&house, &mut app, &refresh_text(&bytes)).await;
    }
    move_on(&mut app).await;
    assert_eq!(mac_key(&app.refresh), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_of_another_project_is_refused_where_the_path_names_this_one() {
    let (house, mut app) = app_at_home().await;
    let key = house.another_project("p2").await;
    let foreign = house.backend_with(key.secret.danger_expose()).of_project("p2").new_app("eve@example.com").await;
    let body = json!({ "refreshToken": foreign.refresh });
    foreign.http.post("/p/p1/auth/v1/refreshtoken", &body).await.gone("ended");
    let mut renamed = refresh_bytes(&foreign.refresh);
    let at = renamed.len() - 16 - 1;
    assert_eq!(std::mem::replace(&mut renamed[at], b'1'), b'2');
    is_refused(&house, &mut app, &refresh_text(&renamed)).await;
    foreign.http.post("/p/p2/auth/v1/refreshtoken", &body).await.is_ok();
    foreign.try_refresh().await.is_ok();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_mac_key_takes_its_tokens_along_and_no_others() {
    let (house, mut early) = app_at_home().await;
    let service = &house.node.service;
    service.rotate_mac_key(&p1()).await.unwrap();
    let mut late = house.backend().app("ada@example.com").await;
    let mut moved = house.backend().app("ada@example.com").await;
    move_on(&mut moved).await;
    service.revoke_mac_key(&p1(), MacKeyId(1)).await.unwrap();
    early.refresh().await.gone("ended");
    move_on(&mut late).await;
    move_on(&mut moved).await;
    // Whoever vouched goes on vouching, and the newest key has a successor when it goes.
    service.revoke_mac_key(&p1(), MacKeyId(2)).await.unwrap();
    late.try_refresh().await.gone("ended");
    let mut next = house.backend().app("ada@example.com").await;
    assert_eq!(mac_key(&next.refresh), 3);
    move_on(&mut next).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_was_lost_is_given_again_under_a_live_key() {
    let (house, mut app) = app_at_home().await;
    let service = &house.node.service;
    service.rotate_mac_key(&p1()).await.unwrap();
    // Made under the first key, answered under the second, which then goes.
    let before = move_on(&mut app).await;
    service.rotate_mac_key(&p1()).await.unwrap();
    service.revoke_mac_key(&p1(), MacKeyId(2)).await.unwrap();
    app.try_refresh().await.gone("ended");
    let mut retried = before.clone();
    retried.refresh().await.is_ok();
    assert_eq!(mac_key(&retried.refresh), 3);
    move_on(&mut retried).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_authentic_token_whose_session_is_gone_is_refused() {
    let (house, app) = app_at_home().await;
    let mut other = house.backend().app("ada@example.com").await;
    house.database.execute(&format!("delete from sessions where session_id = '{}'", app.session())).await;
    app.try_refresh().await.gone("ended");
    move_on(&mut other).await;
}

/// What the thief of database and master key may try as the secret of a session, of which the row keeps only a hash.
fn guesses(hash: [u8; 32]) -> [[u8; 16]; 4] {
    let (first, last) = hash.split_at(16);
    [[0; 16], [0xff; 16], first.try_into().unwrap(), last.try_into().unwrap()]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stolen_database_with_its_master_key_mints_nothing() {
    let (house, mut app) = app_at_home().await;
    let key = house.master_key().refresh_token_key(&p1(), MacKeyId(1));
    let genuine = refresh_bytes(&app.refresh);
    let hash = countersign_crypto::digest::sha256(&genuine[25..41]);
    let mint = |secret: [u8; 16]| RefreshToken {
        project: p1(),
        session: app.session().parse().unwrap(),
        generation: 2,
        secret: RefreshSecret::generate(&Entropy::new(move |buffer| buffer.copy_from_slice(&secret))),
        mac_key: MacKeyId(1),
    };
    let minted: Vec<String> =
        guesses(hash).map(|guess| mint(guess).sign(&key).danger_expose().to_owned()).into_iter().collect();
    let twin = mint(genuine[25..41].try_into().unwrap()).sign(&key);
    assert_eq!(twin.danger_expose(), app.refresh, "with the secret it would be the genuine one");
    for forged in minted {
        is_refused(&house, &mut app, &forged).await;
    }
    move_on(&mut app).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_network_that_sends_garbage_must_wait_and_its_authentic_tokens_need_not() {
    let (house, mut app) = app_at_home().await;
    let garbage = app.holding("rt_garbage");
    for _ in 0..60 {
        garbage.try_refresh().await.gone("ended");
    }
    let refused = garbage.try_refresh().await;
    refused.refused(429, 100_009);
    assert_eq!(refused.header("retry-after"), "1");
    garbage.at("198.51.100.99").try_refresh().await.refused(429, 100_009);
    garbage.at("198.51.101.7").try_refresh().await.gone("ended");
    move_on(&mut app).await;
    house.advance(SECOND).await;
    garbage.try_refresh().await.gone("ended");
    house.advance(HOUR).await;
    house.node.service.maintain().await;
    let counted = house.entries("refresh.refused").await;
    let sum: u32 = counted.iter().map(|entry| entry.detail["count"].parse::<u32>().unwrap()).sum();
    assert_eq!(sum, 64, "failures are counted together");
    assert!(counted.len() <= 3);
}

/// So many calls that what the server does by itself meanwhile doesn't matter.
const CALLS: u64 = 400;

#[tokio::test(flavor = "multi_thread")]
async fn garbage_costs_no_database_statement() {
    let data = tempfile::tempdir().unwrap();
    let program = Program::new(env!("CARGO_BIN_EXE_countersign"), data.path());
    program.dev().await.stop().await;
    program.run(&["project", "set", "p1", "limits.failures=1000000"]).await.ok();
    let server = program.dev().await;
    let http = server.client();
    let statements = async || {
        let page = String::from_utf8(http.get("/metrics").await.ok().body.to_vec()).unwrap();
        let line = page.lines().find(|line| line.starts_with("countersign_sql_statements_total ")).unwrap();
        line.rsplit(' ').next().unwrap().parse::<u64>().unwrap()
    };
    let written: Value = serde_json::from_slice(&std::fs::read(data.path().join("dev.json")).unwrap()).unwrap();
    let app = Backend::new(&http, written["secret_key"].as_str().unwrap()).new_app("ada@example.com").await;
    let spent = async |app: &App, status: u16| {
        let before = statements().await;
        for _ in 0..CALLS {
            assert_eq!(app.try_refresh().await.status(), status);
        }
        statements().await - before
    };
    let mut bytes = refresh_bytes(&app.refresh);
    *bytes.last_mut().unwrap() ^= 1;
    let forged = spent(&app.holding(&refresh_text(&bytes)), 400).await;
    assert!(forged < CALLS / 2, "{CALLS} forged tokens cost {forged} statements");
    let authentic = spent(&app, 200).await;
    assert!(authentic >= CALLS, "{CALLS} authentic tokens cost {authentic} statements");
    server.stop().await;
}
