//! A server that says everything says no address, no code and no password.

use std::{sync::Arc, time::Duration};

use countersign_crypto::{entropy::Entropy, master_key::MasterKey};
use countersign_server::{clock::SystemClock, config::mail::Security};
use countersign_service::{Service, config::Config};
use countersign_testkit::{database::Engine, http::Client, on_both_engines, wait};

use super::server::{MailServer, PASSWORD};
use crate::{
    delivery::{CODE, PATIENCE, ends, queue, sign_in_code},
    operation::deployment::Deployment,
};

on_both_engines!(what_is_sent_and_to_whom_is_in_no_log);

const TO: [&str; 7] = [
    "ada.whole@example.com",
    "gone.whole@example.com",
    "busy.whole@example.com",
    "spam.whole@example.com",
    "stall.whole@example.com",
    "leaving.whole@example.com",
    "lost.whole@example.com",
];

async fn what_is_sent_and_to_whom_is_in_no_log(engine: Engine) {
    let server = MailServer::start(Security::Tls).await;
    let deployment = Deployment::furnished(engine).await;
    let program = server
        .configure(deployment.program.clone())
        .environment("COUNTERSIGN_LOG__LEVEL", "trace")
        .environment("COUNTERSIGN_METRICS__LISTEN", "127.0.0.1:0");
    let running = program.serve().await;
    let key = std::fs::read_to_string(deployment.program.data().join("master.key")).unwrap();
    let (db, clock) = (deployment.database.open().await, Arc::new(SystemClock::start()));
    let (key, config) = (MasterKey::from_text(&key).unwrap(), Config::at("http://localhost:7420"));
    let writer = Service::open(db.clone(), key, Entropy::system(), clock, config).await.unwrap();
    let mut ids = Vec::new();
    for to in TO {
        ids.push(queue(&writer, &db, to, &sign_in_code()).await);
    }
    ends(&db, ids[0], "sent").await;
    ends(&db, ids[1], "refused").await;
    ends(&db, ids[3], "refused").await;
    wait::until("the channel is spoken of", PATIENCE, || async {
        running.log().contains("messages don't leave by email")
    })
    .await;
    wait::until("the channel recovers", PATIENCE, || async { running.log().contains("messages leave by email again") })
        .await;
    let log = running.log();
    let (_, after) = log.split_once("metrics at ").unwrap();
    let metrics = Client::of(after.split("/metrics").next().unwrap());
    wait::until("what waits is counted", Duration::from_secs(30), || async {
        let page = metrics.get("/metrics").await.ok();
        String::from_utf8_lossy(&page.body).contains("countersign_messages_waiting{channel=\"email\"} ")
    })
    .await;
    let page = String::from_utf8(metrics.get("/metrics").await.ok().body.to_vec()).unwrap();
    for line in [
        "countersign_messages_total{channel=\"email\",outcome=\"sent\"} ",
        "countersign_messages_total{channel=\"email\",outcome=\"refused\"} 2",
        "countersign_messages_total{channel=\"email\",outcome=\"retried\"} ",
        "countersign_channel_failing{channel=\"email\"} ",
    ] {
        assert!(page.contains(line), "{line}: {page}");
    }
    let (status, log) = running.stop().await;
    assert_eq!(status, 0);
    assert!(log.contains("a message was refused by email: the mail server doesn't take "), "{log}");
    let secrets = TO.iter().map(|to| to.split_once('@').unwrap().0).chain([CODE, "hFv8", PASSWORD]);
    for secret in secrets {
        for (place, text) in [("the log", &log), ("the metrics", &page)] {
            assert!(!text.contains(secret), "{place} has {secret}");
        }
    }
    let waiting = deployment.database.dump().await;
    assert!(!waiting.contains("whole@example.com") && !waiting.contains(CODE), "what waits is sealed");
}
