//! An HMAC that was kept when the user changed: it is right, for somebody else. Whose it is isn't told.

use countersign_crypto::user_mac::UnverifiedUserMac;
use tokio::task::yield_now;

use super::{
    spelling::{Frame, Spelling},
    suspect::Suspect,
};
use crate::{Service, directory::UserKey};

/// How many HMACs one explanation makes at most to find one of another user: a tenth of a second of one processor.
const MOST_TRIED: usize = 200_000;
/// After so much work others may run.
const SLICE: usize = 2_000;

impl Service {
    /// Is it the HMAC of another user of the project, one who was seen lately? One explanation at a time looks through them.
    pub(super) async fn is_of_another_user(&self, suspects: &[Suspect<'_>]) -> bool {
        let Some(suspect) = suspects.first() else { return false };
        let shown: Vec<UnverifiedUserMac> = suspects.iter().filter_map(|it| proof(it.spelling)).collect();
        let secrets: Vec<&UserKey> = suspect.secrets().collect();
        let project = &suspect.project.project.id;
        let work = shown.len() * secrets.len();
        if work == 0 {
            return false;
        }
        let _turn = self.explaining.lock().await;
        let (mut tried, mut since_pause) = (0, 0);
        for (of, id) in self.known_users.names() {
            since_pause += 1;
            if of == *project {
                let is_it = |key: &&UserKey| shown.iter().any(|mac| key.secret.proves(project, id.as_str(), mac));
                if secrets.iter().any(is_it) {
                    return true;
                }
                tried += work;
                since_pause += work;
            }
            if tried >= MOST_TRIED {
                return false;
            }
            if since_pause >= SLICE {
                since_pause = 0;
                yield_now().await;
            }
        }
        false
    }
}

/// What was shown, as the door would take it apart.
fn proof(spelling: &Spelling) -> Option<UnverifiedUserMac> {
    let mac = <[u8; 32]>::try_from(spelling.mac.as_slice()).ok()?;
    Some(match &spelling.frame {
        Frame::V1 => UnverifiedUserMac::V1(mac),
        Frame::V2 { expires, jkt } => UnverifiedUserMac::V2 { expires: expires.parse().ok()?, jkt: jkt.clone(), mac },
    })
}
