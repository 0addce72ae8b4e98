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
        if shown.is_empty() {
            return false;
        }
        let project = &suspect.project.project.id;
        let mut work = Work { each: shown.len() * secrets.len(), ..Work::default() };
        let _turn = self.explaining.lock().await;
        for (of, id) in self.known_users.names() {
            let is_of = |key: &&UserKey| shown.iter().any(|mac| key.secret.proves(project, id.as_str(), mac));
            if of == *project && secrets.iter().any(is_of) {
                return true;
            }
            match work.looked(of == *project) {
                Step::On => {}
                Step::Pause => yield_now().await,
                Step::Enough => return false,
            }
        }
        false
    }
}

/// What was done until now.
#[derive(Default)]
struct Work {
    /// HMACs that are made for one user.
    each: usize,
    tried: usize,
    since_pause: usize,
}

#[derive(Debug, PartialEq, Eq)]
enum Step {
    On,
    Pause,
    Enough,
}

impl Work {
    /// One more name was looked at; was it one to try?
    fn looked(&mut self, is_tried: bool) -> Step {
        let done = if is_tried { self.each } else { 0 };
        self.tried += done;
        self.since_pause += done + 1;
        if self.tried + self.each > MOST_TRIED {
            return Step::Enough;
        }
        if self.since_pause < SLICE {
            return Step::On;
        }
        self.since_pause = 0;
        Step::Pause
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

#[cfg(test)]
mod tests {
    use super::*;

    /// How many names are tried, and how often others may run meanwhile.
    fn looked(each: usize, is_tried: impl Fn(usize) -> bool) -> (usize, usize) {
        let mut work = Work { each, ..Work::default() };
        let (mut tried, mut pauses) = (0, 0);
        for name in 0..1_000_000 {
            tried += usize::from(is_tried(name));
            match work.looked(is_tried(name)) {
                Step::On => {}
                Step::Pause => pauses += 1,
                Step::Enough => break,
            }
        }
        (tried, pauses)
    }

    #[test]
    fn no_explanation_makes_more_hmacs_than_that() {
        for each in [1, 2, 3, 48] {
            let (tried, _) = looked(each, |_| true);
            assert!(tried * each <= MOST_TRIED && (tried + 1) * each > MOST_TRIED, "{each}: {tried}");
        }
    }

    #[test]
    fn others_may_run_meanwhile_whatever_names_there_are() {
        assert_eq!(looked(1, |_| true), (200_000, 199));
        let (tried, pauses) = looked(1, |name| name % 100 == 0);
        // A slice may end on a name that counts twice.
        assert!(tried == 10_000 && (500..=505).contains(&pauses), "{tried} {pauses}");
        assert_eq!(looked(1, |_| false), (0, 500));
    }
}
