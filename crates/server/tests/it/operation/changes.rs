//! What an operator changes is seen by every running server within a second.

use std::time::{Duration, Instant};

use countersign_domain::{
    clock::Timestamp,
    id::{ClientId, ProjectId, UserId},
    oauth::scope::Scopes,
};
use countersign_storage::consents;
use countersign_testkit::{actors::App, answer::Answer, database::Engine, on_both_engines, program::Running};
use serde_json::json;

use super::deployment::Deployment;

on_both_engines!(
    settings_reach_running_servers,
    keys_and_clients_reach_running_servers,
    what_is_disabled_is_shut_at_once_and_opens_again,
    what_is_revoked_is_dead_at_once,
    what_is_taken_back_from_an_app_is_dead_at_once,
);

/// What is promised, from the end of the command on.
const PROMISED: Duration = Duration::from_secs(1);
/// How much later it may be on a machine that runs everything else at the same time. A server that heard nothing would take 5 s to refuse, and
/// for ever to change.
const NOISE: Duration = Duration::from_secs(2);

/// Two servers of one deployment: a change is made at neither.
struct Two {
    deployment: Deployment,
    servers: [Running; 2],
}

impl Two {
    async fn on(engine: Engine) -> Self {
        let deployment = Deployment::furnished(engine).await;
        let servers = [deployment.program.serve().await, deployment.program.serve().await];
        Self { deployment, servers }
    }

    /// Runs a command, and waits until both servers answer as they should.
    async fn change<F>(&self, line: &str, is_seen: impl Fn(usize) -> F)
    where
        F: Future<Output = Result<(), String>>,
    {
        self.deployment.program.run(&line.split(' ').collect::<Vec<_>>()).await.ok();
        self.see(line, is_seen).await;
    }

    /// Waits until both servers answer as they should after a command.
    async fn see<F>(&self, line: &str, is_seen: impl Fn(usize) -> F)
    where
        F: Future<Output = Result<(), String>>,
    {
        #[expect(clippy::disallowed_methods, reason = "real time is the subject")]
        let began = Instant::now();
        for server in 0..self.servers.len() {
            while let Err(answer) = is_seen(server).await {
                let late = began.elapsed() > PROMISED + NOISE;
                assert!(!late, "`{line}` wasn't seen at server {server} within {PROMISED:?}: {answer}");
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        }
    }

    /// What a vouch for `ada` answers at a server.
    async fn vouch(&self, server: usize) -> Answer {
        self.deployment.backend(&self.servers[server]).sign_in("ada@example.com").await
    }

    /// An app of `ada` that talks to that server.
    async fn app(&self, server: usize) -> App {
        self.deployment.backend(&self.servers[server]).new_app("ada@example.com").await
    }

    async fn apps(&self) -> [App; 2] {
        [self.app(0).await, self.app(1).await]
    }
}

fn is(should: bool, answer: &Answer) -> Result<(), String> {
    if should { Ok(()) } else { Err(answer.to_string()) }
}

/// This must be a refusal with that status and code.
fn refused(status: u16, code: i64, answer: &Answer) -> Result<(), String> {
    is(answer.status() == status && answer.code() == code, answer)
}

fn welcome(answer: &Answer) -> Result<(), String> {
    is(answer.status() == 200, answer)
}

async fn settings_reach_running_servers(engine: Engine) {
    let two = &Two::on(engine).await;
    two.app(0).await;
    let lifetime = |seconds: i64| {
        move |server| async move {
            let answer = two.vouch(server).await.ok();
            is(answer.json()["authTokenExpiresIn"] == seconds, &answer)
        }
    };
    two.change("project set p1 access.lifetime=2m", lifetime(120)).await;
    two.change("client set c1 access.lifetime=1m", lifetime(60)).await;
    two.change("client set c1 access.lifetime=", lifetime(120)).await;
    two.change("project set p1 signup_existing=reject", |server| {
        let backend = two.deployment.backend(&two.servers[server]);
        async move { refused(400, 100_010, &backend.sign_up("ada@example.com").await) }
    })
    .await;
    two.change(
        "project set p1 limits.email=1",
        |server| async move { refused(429, 100_009, &two.vouch(server).await) },
    )
    .await;
}

async fn keys_and_clients_reach_running_servers(engine: Engine) {
    let two = &Two::on(engine).await;
    two.app(0).await;
    two.change("client create c2 --kind android", |server| {
        let backend = two.deployment.backend(&two.servers[server]).for_client("c2");
        async move { welcome(&backend.sign_in("ada@example.com").await) }
    })
    .await;
    let keys = two.deployment.program.json(&["key", "list"]).await;
    let id = keys["secret"][0]["id"].as_str().unwrap();
    two.change(&format!("key set {id} --client c2"), |server| async move {
        refused(401, 100_006, &two.vouch(server).await)
    })
    .await;
    let made = two.deployment.program.json(&["key", "create"]).await;
    let other = made["secret"].as_str().unwrap();
    two.see("key create", |server| {
        let backend = two.deployment.backend(&two.servers[server]).with_secret(other);
        async move { welcome(&backend.sign_in("ada@example.com").await) }
    })
    .await;
    two.change("user set ada@example.com --given-name Ada --email lovelace@example.com", |server| {
        let backend = two.deployment.backend(&two.servers[server]).with_secret(other);
        async move { welcome(&backend.sign_in("lovelace@example.com").await) }
    })
    .await;
    let app = two.deployment.backend(&two.servers[0]).with_secret(other).app("ada@example.com").await;
    two.change(&format!("key revoke {}", made["id"].as_str().unwrap()), |server| {
        let backend = two.deployment.backend(&two.servers[server]).with_secret(other);
        async move { refused(401, 100_006, &backend.sign_in("ada@example.com").await) }
    })
    .await;
    app.me().await.is_ok();
    app.try_refresh().await.is_ok();
}

async fn what_is_disabled_is_shut_at_once_and_opens_again(engine: Engine) {
    let two = &Two::on(engine).await;
    two.app(0).await;
    for (what, status, code) in
        [("user {} ada@example.com", 401, 100_006), ("client {} c1", 400, 100_002), ("project {} p1", 401, 100_006)]
    {
        let apps = two.apps().await;
        two.change(&what.replace("{}", "disable"), |server| {
            let app = &apps[server];
            async move {
                refused(status, code, &two.vouch(server).await)?;
                let me = app.me().await;
                is(me.status() == 401, &me)
            }
        })
        .await;
        for app in &apps {
            app.try_refresh().await.gone("ended");
        }
        two.change(&what.replace("{}", "enable"), |server| async move { welcome(&two.vouch(server).await) }).await;
        for app in &apps {
            app.try_refresh().await.gone("ended");
        }
    }
}

async fn what_is_revoked_is_dead_at_once(engine: Engine) {
    let two = &Two::on(engine).await;
    two.app(0).await;
    let keys = two.deployment.program.json(&["key", "list"]).await;
    let key = keys["secret"][0]["id"].as_str().unwrap();
    let revoke_key = format!("key revoke {key} --cascade");
    for line in ["session", "user revoke ada@example.com", "client revoke c1", "project revoke p1", &revoke_key] {
        // Each server has seen its app's token, and has nothing left to check in it but whether it was revoked.
        let apps = two.apps().await;
        for app in &apps {
            app.me().await.is_ok();
        }
        let mut lines = vec![line.to_owned()];
        if line == "session" {
            let sessions = two.deployment.program.json(&["session", "list", "ada@example.com"]).await;
            let ids = sessions.as_array().unwrap().iter().map(|session| session["id"].as_str().unwrap());
            lines = ids.map(|id| format!("session revoke ada@example.com {id}")).collect();
        }
        let last = lines.pop().unwrap();
        for line in lines {
            two.deployment.program.run(&line.split(' ').collect::<Vec<_>>()).await.ok();
        }
        two.change(&last, |server| {
            let app = &apps[server];
            async move {
                let me = app.me().await;
                is(me.status() == 401, &me)
            }
        })
        .await;
        for app in &apps {
            assert_eq!(app.me().await.json()["error"]["code"], "invalid_credentials");
            app.try_refresh().await.gone("ended");
        }
    }
    for server in 0..2 {
        two.vouch(server).await.refused(401, 100_006);
    }
}

async fn what_is_taken_back_from_an_app_is_dead_at_once(engine: Engine) {
    let two = &Two::on(engine).await;
    let apps = two.apps().await;
    for app in &apps {
        app.me().await.is_ok();
    }
    // As if the user had said yes to it on a page.
    let (p1, ada): (ProjectId, UserId) = ("p1".parse().unwrap(), apps[0].uid.parse().unwrap());
    let (c1, scope): (ClientId, _) = ("c1".parse().unwrap(), Scopes::parse("openid email").unwrap());
    let db = two.deployment.database.open().await;
    let put = db.write(move |mut conn| {
        let (p1, c1, scope) = (p1.clone(), c1.clone(), scope.clone());
        Box::pin(async move { consents::put(&mut conn, &p1, ada, &c1, &scope, Timestamp::from_seconds(1)).await })
    });
    put.await.unwrap();
    let shown = two.deployment.program.json(&["user", "consents", "ada@example.com"]).await;
    assert_eq!(shown, json!([{ "client": "c1", "scope": "openid email", "given_at": "1970-01-01T00:00:01Z" }]));
    two.change("user consents ada@example.com --revoke c1", |server| {
        let app = &apps[server];
        async move {
            let me = app.me().await;
            is(me.status() == 401, &me)
        }
    })
    .await;
    for app in &apps {
        app.try_refresh().await.gone("ended");
    }
    assert_eq!(two.deployment.program.json(&["user", "consents", "ada@example.com"]).await, json!([]));
    let again = ["user", "consents", "ada@example.com", "--revoke", "c1"];
    let said = two.deployment.program.run(&again).await.refused(1);
    assert!(said.contains("there is no consent of this user for client `c1`"), "{said}");
    two.app(0).await.me().await.is_ok();
}
