//! How a project's client API is used: what an operator looks at before requiring a proof, or before letting an old secret go.

use std::time::Duration;

use countersign_domain::{client_api_key::ClientApiKeyKind, clock::Timestamp, id::ProjectId};
use countersign_storage::{client_api_keys, counters};

use crate::{Service, admin::Refused, project_counts::Event, users::first_sight::MADE_UNPROVED};

/// Counts of whole hours, written down a few seconds behind.
pub struct ClientApiReport {
    /// What happened since an hour ago, rounded to hours.
    pub last_hour: Vec<(String, i64)>,
    /// The same since a day ago.
    pub last_day: Vec<(String, i64)>,
    /// How much of what was accepted in the last day was not proved, from 0 to 1; none: nothing was accepted.
    pub unproved_share: Option<f64>,
    /// How many users calls without proof have made, ever.
    pub users_made_unproved: i64,
    /// When a secret was last used that has a successor.
    pub old_secret_last_used_at: Option<Timestamp>,
}

impl Service {
    /// The report of a project.
    pub async fn client_api_report(&self, project: &ProjectId) -> Result<ClientApiReport, Refused> {
        let hour_ago = |hours: u64| counters::hour_of(self.now().minus(Duration::from_hours(hours)));
        let mut reader = self.db.reader().await?;
        let last_hour = counters::totals(&mut reader.conn(), project, hour_ago(1)).await?;
        let last_day = counters::totals(&mut reader.conn(), project, hour_ago(24)).await?;
        let users_made_unproved = counters::find(&mut reader.conn(), project, MADE_UNPROVED, counters::EVER).await?;
        let keys = client_api_keys::list(&mut reader.conn(), project).await?;
        let old =
            keys.iter().map(|it| &it.key).filter(|it| it.kind == ClientApiKeyKind::Hmac && it.replaced_by.is_some());
        Ok(ClientApiReport {
            unproved_share: unproved_share(&last_day),
            old_secret_last_used_at: old.filter_map(|key| key.last_used_at).max(),
            last_hour,
            last_day,
            users_made_unproved,
        })
    }
}

#[expect(clippy::cast_precision_loss, reason = "a share")]
fn unproved_share(counts: &[(String, i64)]) -> Option<f64> {
    let count = |event: Event| counts.iter().find(|(name, _)| name == event.as_str()).map_or(0, |(_, count)| *count);
    let unproved = count(Event::Unproved);
    let all = unproved + count(Event::ProvedV1) + count(Event::ProvedV2);
    (all > 0).then(|| unproved as f64 / all as f64)
}
