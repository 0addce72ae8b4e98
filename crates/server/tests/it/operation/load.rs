//! Callers who note what was acknowledged to them, and check later that it is so.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use countersign_testkit::{
    actors::{App, Backend},
    http::Client,
};
use serde_json::json;
use tokio::{task::JoinSet, time::sleep};

/// Callers at work: each signs a user up, refreshes a few times, and goes on with the next user.
pub(super) struct Load {
    workers: JoinSet<Vec<Acknowledged>>,
    stop: Arc<AtomicBool>,
    acknowledged: Arc<AtomicUsize>,
    refused: Arc<AtomicUsize>,
}

/// What one app was told last.
pub(super) struct Acknowledged {
    email: String,
    app: App,
}

const WORKERS: usize = 16;
const REFRESHES: usize = 3;

impl Load {
    pub(super) fn start(backend: &Backend, name: &str) -> Self {
        let (stop, acknowledged, refused) = (Arc::default(), Arc::default(), Arc::default());
        let mut workers = JoinSet::new();
        for number in 0..WORKERS {
            let worker = Worker {
                backend: backend.clone(),
                name: format!("{name}-{number}"),
                stop: Arc::clone(&stop),
                acknowledged: Arc::clone(&acknowledged),
                refused: Arc::clone(&refused),
            };
            workers.spawn(worker.work());
        }
        Self { workers, stop, acknowledged, refused }
    }

    /// How many answers were 200.
    pub(super) fn acknowledged(&self) -> usize {
        self.acknowledged.load(Ordering::Relaxed)
    }

    /// How many answers were the refusal of an outage.
    pub(super) fn refused(&self) -> usize {
        self.refused.load(Ordering::Relaxed)
    }

    /// Sends everybody home, and gives what they were told.
    pub(super) async fn stop(self) -> Vec<Acknowledged> {
        self.stop.store(true, Ordering::Relaxed);
        self.workers.join_all().await.into_iter().flatten().collect()
    }
}

struct Worker {
    backend: Backend,
    name: String,
    stop: Arc<AtomicBool>,
    acknowledged: Arc<AtomicUsize>,
    refused: Arc<AtomicUsize>,
}

impl Worker {
    async fn work(self) -> Vec<Acknowledged> {
        let mut told = Vec::new();
        for user in 0.. {
            let email = format!("{}-{user}@example.com", self.name);
            let vouch = self.backend.vouch(&email, json!({ "createIfMissing": true }));
            let Some(vouched) = self.ask(&self.backend.http(), "/auth/v1/private/signin", &vouch).await else {
                return told;
            };
            let mut app = App::told(Client::of(self.backend.http().base()).user_agent("app/1"), &vouched);
            for _ in 0..REFRESHES {
                let body = json!({ "refreshToken": app.refresh });
                let Some(refreshed) = self.ask(&app.http, "/auth/v1/refreshtoken", &body).await else {
                    told.push(Acknowledged { email, app });
                    return told;
                };
                app.access = refreshed.text("authToken");
                app.refresh = refreshed.text("refreshToken");
            }
            told.push(Acknowledged { email, app });
        }
        told
    }

    /// Asks until it is answered, as an honest client does after 503; none: it is time to go home.
    async fn ask(
        &self,
        http: &Client,
        path: &str,
        body: &serde_json::Value,
    ) -> Option<countersign_testkit::answer::Answer> {
        while !self.stop.load(Ordering::Relaxed) {
            match http.try_post(path, body).await {
                Ok(answer) if answer.status() == 200 => {
                    self.acknowledged.fetch_add(1, Ordering::Relaxed);
                    return Some(answer);
                }
                Ok(answer) => {
                    answer.refused(503, 13_001);
                    assert_eq!(answer.header("retry-after"), "1");
                    self.refused.fetch_add(1, Ordering::Relaxed);
                    sleep(Duration::from_millis(100)).await;
                }
                // The server is dead. Whoever killed it will say stop.
                Err(_) => sleep(Duration::from_millis(20)).await,
            }
        }
        None
    }
}

impl Acknowledged {
    /// Its user is known, and its session goes on with the last token that was acknowledged.
    pub(super) async fn still_holds(&self, backend: &Backend) {
        let again = backend.sign_in(&self.email).await.ok();
        assert_eq!(again.text("uid"), self.app.uid, "{} is somebody else now", self.email);
        let mut app = self.app.through(Client::of(backend.http().base()).user_agent("app/1"));
        app.refresh().await.is_ok();
        app.refresh().await.is_ok();
    }
}
