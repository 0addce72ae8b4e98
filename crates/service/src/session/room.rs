//! Making room: a new session may end others of its user.

use std::num::NonZeroU32;

use countersign_domain::{
    clock::Timestamp,
    id::SessionId,
    session::{EndReason, Session},
};
use countersign_storage::{Conn, error::Result, sessions, users};

/// A session that made room.
pub(crate) struct MadeRoom {
    pub(crate) session: SessionId,
    pub(crate) reason: EndReason,
    /// Until when its access tokens could live.
    pub(crate) until: Timestamp,
}

/// So many sessions of one user may be under way at once before the cap is counted exactly.
const MARGIN: u32 = 16;

/// Is there room for one more, without anybody counting exactly?
pub(crate) fn has_room(sessions: u32, cap: NonZeroU32) -> bool {
    sessions.saturating_add(MARGIN) < cap.get()
}

/// Ends those sessions of a user in a client that must go before `session` may be opened: the one on the same device, and those beyond the
/// cap. Nobody else counts this user's sessions until the transaction ends.
pub(crate) async fn make_room(conn: &mut Conn<'_>, session: &Session, cap: NonZeroU32) -> Result<Vec<MadeRoom>> {
    let (project, user, client) = (&session.project, session.user, &session.client);
    users::lock(conn, project, user).await?;
    let mut gone = Vec::new();
    if let Some(device) = &session.device {
        let same = sessions::find_live_of_device(conn, project, user, client, device).await?;
        end(conn, session, same, EndReason::Replaced, &mut gone).await?;
    }
    let beyond = sessions::list_beyond(conn, project, user, client, cap.get() - 1).await?;
    end(conn, session, beyond, EndReason::Cap, &mut gone).await?;
    Ok(gone)
}

async fn end(
    conn: &mut Conn<'_>,
    for_session: &Session,
    ended: Vec<SessionId>,
    reason: EndReason,
    gone: &mut Vec<MadeRoom>,
) -> Result<()> {
    for session in ended {
        if let Some(until) = sessions::end(conn, &for_session.project, session, reason, for_session.created_at).await? {
            gone.push(MadeRoom { session, reason, until });
        }
    }
    Ok(())
}
