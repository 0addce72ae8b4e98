//! A server that is killed while it sends.

use std::{collections::HashSet, sync::Arc, time::Duration};

use countersign_crypto::{entropy::Entropy, master_key::MasterKey};
use countersign_domain::id::MessageId;
use countersign_server::{clock::SystemClock, config::mail::Security};
use countersign_service::{
    Service,
    config::Config,
    deliver::{
        carrier::{Carrier, Delivery},
        letter::Letter,
    },
};
use countersign_testkit::{database::Engine, on_both_engines, wait};

use super::server::{MailServer, header};
use crate::{
    delivery::{ends, queue},
    operation::deployment::Deployment,
};

on_both_engines!(every_message_that_was_written_down_is_sent_though_the_server_is_killed);

const MESSAGES: usize = 60;
const ROUNDS: usize = 3;

/// The use cases in this process, on the database of the deployment: it only writes messages down.
async fn writer(deployment: &Deployment) -> Service {
    let key = std::fs::read_to_string(deployment.program.data().join("master.key")).unwrap();
    let nobody = Carrier::new(Duration::from_secs(1), |_| Box::pin(async { Ok(()) }));
    let config = Config {
        delivery: Delivery::Channels { email: Some(nobody), sms: None },
        ..Config::at("http://localhost:7420")
    };
    let (db, clock) = (deployment.database.open().await, Arc::new(SystemClock::start()));
    Service::open(db, MasterKey::from_text(&key).unwrap(), Entropy::system(), clock, config).await.unwrap()
}

async fn every_message_that_was_written_down_is_sent_though_the_server_is_killed(engine: Engine) {
    let server = MailServer::start(Security::Tls).await;
    let deployment = Deployment::furnished(engine).await;
    let program = server.configure(deployment.program.clone());
    let (writer, db) = (writer(&deployment).await, deployment.database.open().await);
    let mut ids: Vec<MessageId> = Vec::new();
    for round in 0..ROUNDS {
        let running = program.serve().await;
        let before = server.taken().len();
        for number in 0..MESSAGES {
            let to = format!("user{number}-{round}@example.com");
            ids.push(queue(&writer, &db, &to, &Letter::Test).await);
        }
        // In the midst of it.
        wait::until("it sends", Duration::from_secs(30), || async { server.taken().len() > before + 5 }).await;
        running.kill().await;
    }
    let running = program.serve().await;
    for id in &ids {
        ends(&db, *id, "sent").await;
    }
    let taken = server.taken();
    let names: HashSet<&str> = taken.iter().map(|it| header(it, "Message-ID")).collect();
    let expected: HashSet<String> = ids.iter().map(|id| format!("<{id}@auth.example.com>")).collect();
    assert_eq!(names, expected.iter().map(String::as_str).collect());
    let twice = taken.len() - names.len();
    assert!(twice <= ROUNDS * 8, "only what was just leaving may come twice, and {twice} did");
    assert_eq!(running.stop().await.0, 0);
}
