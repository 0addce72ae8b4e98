//! What speaks against a sign-in. Before anybody is proved it is judged, and told, by what doesn't depend on whose the address is; after that also by
//! where the user was seen before, and kept.

use countersign_crypto::caller_marks;
use countersign_domain::{
    clock::Timestamp,
    id::{ProjectId, UserId},
    identity::Identity,
    risk::{Assessment, PLACES, Place, Proved, Signals, assess},
};
use countersign_storage::{Conn, error::Result, sign_in_places};
use metrics::counter;

use super::{
    action::{Claim, Who},
    step::Stepping,
};
use crate::{Service, directory::ProjectView};

/// What is known of an attempt before its transaction, which knows who it is.
pub(super) struct Attempt {
    failures: u32,
    place: Place,
}

impl Attempt {
    /// In the transaction that proves the user's first factor: what speaks against it.
    pub(super) async fn judge(&self, conn: &mut Conn<'_>, project: &ProjectId, user: UserId) -> Result<Assessment> {
        let seen = sign_in_places::seen(conn, project, user).await?;
        let proved = Some(Proved { place: &self.place, seen: &seen });
        Ok(assess(&Signals { failures: self.failures, proved }))
    }

    /// In the transaction that lets the user in: from now on they were seen here. Who has but a first factor was seen nowhere yet.
    pub(super) async fn remember(
        &self,
        conn: &mut Conn<'_>,
        project: &ProjectId,
        user: UserId,
        now: Timestamp,
    ) -> Result<()> {
        let were = sign_in_places::count(conn, project, user).await?;
        sign_in_places::remember(conn, project, user, &self.place, now).await?;
        if were >= PLACES {
            sign_in_places::forget_oldest(conn, project, user).await?;
        }
        Ok(())
    }
}

/// Counts what spoke against a sign-in that passed.
pub(super) fn count(risk: &Assessment) {
    for reason in risk.reasons() {
        counter!("countersign_sign_in_risks_total", "reason" => reason.as_str()).increment(1);
    }
}

impl Service {
    /// What may be told to whoever names this address.
    pub(crate) fn told_risk(&self, project: &ProjectView, identity: Option<&Identity>) -> Assessment {
        let failures = identity.map_or(0, |identity| self.wrong_codes_lately(project, identity));
        assess(&Signals { failures, proved: None })
    }

    pub(super) fn draw_up_attempt(&self, stepping: &Stepping<'_>, who: &Who) -> Attempt {
        let (project, caller) = (stepping.project, stepping.caller);
        Attempt {
            failures: match who {
                Who::Address(Claim { arrival, .. }) => self.wrong_codes_lately(project, &arrival.identity),
                // Whatever was typed, the passkey's owner need not have the address.
                Who::Passkey { .. } => 0,
                // It was judged before.
                Who::Second(_) => 0,
            },
            place: caller_marks::place(project.caller_marks_key(), caller.address, &caller.user_agent),
        }
    }
}
