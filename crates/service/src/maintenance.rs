//! What the server does by itself, now and then: write down what it counted, throw away what is over, let signing keys take turns.

use std::{sync::Arc, time::Duration};

use countersign_domain::{
    audit::{Actor, AuditEntry, Subject},
    clock::{ClockState, Timestamp},
    id::ProjectId,
    risk::PLACE_LIFETIME,
};
use countersign_storage::{
    authorization_codes, browser_sessions, challenges, changes, client_api_keys, contact_changes, counters,
    device_sessions, error::Result as StorageResult, maintenance, mfa_changes, secret_keys, sign_in_places, sign_ins,
    signing_keys, spent, step_ups,
};
use tracing::{info, warn};

use crate::{Service, admin::Refused};

/// How long the row of a session that was ended is kept, so that its tokens are told so; and how long the news of a revocation after the last
/// access token that it concerns: a clock that is set back by less revives no token whose revocation is forgotten.
const ENDED_KEPT: Duration = Duration::from_hours(25);
/// Rows that one transaction throws away at most: callers wait for it.
const BATCH: u32 = 200;
/// For how many hours counts are kept: five weeks, so that a month can be compared.
const HOURS_KEPT: i64 = 24 * 35;
/// How long what was spent is kept beyond its time: a clock that is set back by less makes none of it good again. Codes are kept for as long, so
/// that a second use is known for one.
const SPENT_KEPT: Duration = Duration::from_hours(1);
/// How long a clock must have been steady before anything is thrown away.
const STEADY: Duration = Duration::from_mins(10);

impl Service {
    /// Everything that is due. Meant to be called every few seconds; a failure is logged and made up for the next time.
    pub async fn maintain(&self) {
        self.write_down().await;
        if ClockState::after_leap(self.time.since_leap(), STEADY) == ClockState::Leapt {
            return;
        }
        let now = self.now();
        self.revocations.forget_expired(now.minus(STEADY));
        if let Err(problem) = self.tidy_messages(now).await {
            warn!(%problem, "can't end messages that are over: {problem}");
        }
        let projects: Vec<ProjectId> = self.directory.load().projects().map(|view| view.project.id.clone()).collect();
        for project in projects {
            if let Err(problem) = self.throw_away(&project, now).await {
                warn!(%problem, "can't throw away what is over: {problem}");
            }
            if let Err(problem) = self.rotate_if_due(&project, now).await {
                warn!(%problem, "can't rotate the signing key of project {project}: {problem}");
            }
        }
    }

    /// Writes down what was counted in memory. Also the last thing done before the end.
    pub async fn write_down(&self) {
        let now = self.now();
        let entries: Vec<AuditEntry> = self
            .tally
            .take_refusals()
            .into_iter()
            .map(|(refusal, count)| AuditEntry {
                project: refusal.project,
                id: self.audit_id(now),
                at: now,
                act: refusal.act,
                actor: refusal.key.map_or(Actor::Anonymous, Actor::SecretKey),
                subject: Subject { key: refusal.key.map(|key| key.to_string()), ..Subject::default() },
                request: None,
                detail: vec![("reason", refusal.reason.to_owned()), ("count", count.to_string())],
            })
            .collect();
        if !entries.is_empty()
            && let Err(problem) = self.db.say(entries).await
        {
            warn!(%problem, "can't write down what was refused: {problem}");
        }
        self.write_down_counts().await;
        for (key, (project, at)) in self.tally.take_client_api_uses() {
            let touched = self.db.write(move |mut conn| {
                let project = project.clone();
                Box::pin(async move { client_api_keys::touch(&mut conn, &project, key, at).await })
            });
            if let Err(problem) = touched.await {
                warn!(%problem, "can't write down when a key was used: {problem}");
            }
        }
        for (key, (project, at)) in self.tally.take_uses() {
            let touched = self.db.write(move |mut conn| {
                let project = project.clone();
                Box::pin(async move { secret_keys::touch(&mut conn, &project, key, at).await })
            });
            if let Err(problem) = touched.await {
                warn!(%problem, "can't write down when a key was used: {problem}");
            }
        }
    }

    /// Adds what was counted in each project to its hours.
    async fn write_down_counts(&self) {
        let counts = Arc::new(self.counts.take());
        if counts.is_empty() {
            return;
        }
        let hour = counters::hour_of(self.now());
        let written = self.db.write(move |mut conn| {
            let counts = Arc::clone(&counts);
            Box::pin(async move {
                for (project, event, count) in &*counts {
                    let by = i64::try_from(*count).unwrap_or(i64::MAX);
                    counters::add(&mut conn, project, event.as_str(), hour, by).await?;
                }
                Ok(())
            })
        });
        if let Err(problem) = written.await {
            warn!(%problem, "can't write down what was counted: {problem}");
        }
    }

    /// In small transactions, until nothing is left that is over.
    async fn throw_away(&self, project: &ProjectId, now: Timestamp) -> StorageResult<()> {
        loop {
            let id = project.clone();
            let gone = self.db.write(move |mut conn| {
                let id = id.clone();
                Box::pin(async move {
                    let expired =
                        maintenance::delete_expired_sessions(&mut conn, &id, now.minus(ENDED_KEPT), BATCH).await?;
                    let ended =
                        maintenance::delete_ended_sessions(&mut conn, &id, now.minus(ENDED_KEPT), BATCH).await?;
                    let news = changes::delete_expired(&mut conn, now.minus(ENDED_KEPT), BATCH).await?;
                    counters::delete_before(&mut conn, &id, counters::hour_of(now) - HOURS_KEPT).await?;
                    let codes = authorization_codes::delete_expired(&mut conn, now.minus(SPENT_KEPT), BATCH).await?;
                    let spent = spent::delete_expired(&mut conn, now.minus(SPENT_KEPT), BATCH).await?;
                    let challenges = challenges::delete_expired(&mut conn, now.minus(SPENT_KEPT), BATCH).await?;
                    let mfa = mfa_changes::delete_expired(&mut conn, now.minus(SPENT_KEPT), BATCH).await?;
                    let sign_ins = sign_ins::delete_expired(&mut conn, now.minus(SPENT_KEPT), BATCH).await?;
                    let step_ups = step_ups::delete_expired(&mut conn, now.minus(SPENT_KEPT), BATCH).await?;
                    let browsers = browser_sessions::delete_expired(&mut conn, now.minus(SPENT_KEPT), BATCH).await?;
                    let places = sign_in_places::delete_unseen(&mut conn, now.minus(PLACE_LIFETIME), BATCH).await?;
                    let of_devices = device_sessions::delete_expired(&mut conn, now.minus(ENDED_KEPT), BATCH).await?;
                    let contacts = contact_changes::delete_expired(&mut conn, now.minus(SPENT_KEPT), BATCH).await?;
                    let keys = signing_keys::delete_expired(&mut conn, &id, now).await?;
                    Ok(expired
                        .max(ended)
                        .max(news)
                        .max(codes)
                        .max(spent)
                        .max(challenges)
                        .max(mfa)
                        .max(sign_ins)
                        .max(step_ups)
                        .max(browsers)
                        .max(places)
                        .max(of_devices)
                        .max(contacts)
                        .max(keys))
                })
            });
            if gone.await? < u64::from(BATCH) {
                return Ok(());
            }
        }
    }

    /// A signing key that has signed long enough makes room for the next. Of several nodes that see it at once, one does it: the others
    /// find a next key that hasn't been published for a day.
    async fn rotate_if_due(&self, project: &ProjectId, now: Timestamp) -> Result<(), Refused> {
        let directory = self.directory.load_full();
        let Some(view) = directory.project(project.as_str()) else {
            return Ok(());
        };
        let every = view.settings.signing_rotation;
        for (algorithm, signs_since) in view.signing_algorithms() {
            if every.is_zero() || now.since(signs_since) < every {
                continue;
            }
            let kid = self.rotate_signing_key_for(project, algorithm, false).await?;
            info!(project.id = %project, signing_key.id = %kid, "project {project} signs {algorithm} with the key {kid} now");
        }
        Ok(())
    }
}
