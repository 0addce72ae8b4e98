//! Revocation without clocks: counters that revoking raises and that are copied into what was handed out before.

/// How often everything of a user, a client, a vouching key and a project has been revoked. A session and a token carry the counts of
/// the moment they were made; they are dead once any of them has been raised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Generations {
    /// Of the user.
    pub user: u32,
    /// Of the client.
    pub client: u32,
    /// Of the key that vouched; 0 where none did.
    pub key: u32,
    /// Of the project.
    pub project: u32,
}

/// Whose revocation ended a session or token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dimension {
    /// The user's sessions were ended, or the user disabled.
    User,
    /// The client's sessions were ended, or the client disabled.
    Client,
    /// The key was revoked together with what it vouched for.
    Key,
    /// The project's sessions were ended, or the project disabled.
    Project,
}

impl Generations {
    /// Which revocation has come since these counts were taken, if any. A count *ahead* of today's comes from a database that forgot a
    /// revocation (a restored backup): what carries it was made later than anything this database knows, and is let live.
    pub fn overtaken_by(self, current: Self) -> Option<Dimension> {
        if self.user < current.user {
            Some(Dimension::User)
        } else if self.client < current.client {
            Some(Dimension::Client)
        } else if self.key < current.key {
            Some(Dimension::Key)
        } else if self.project < current.project {
            Some(Dimension::Project)
        } else {
            None
        }
    }
}

impl From<[u32; 4]> for Generations {
    fn from([user, client, key, project]: [u32; 4]) -> Self {
        Self { user, client, key, project }
    }
}

impl From<Generations> for [u32; 4] {
    fn from(it: Generations) -> Self {
        [it.user, it.client, it.key, it.project]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_dimension_ends_what_was_made_before_and_nothing_made_after() {
        let made = Generations { user: 1, client: 2, key: 3, project: 4 };
        assert_eq!(made.overtaken_by(made), None);
        let raised = [
            (Generations { user: 2, ..made }, Dimension::User),
            (Generations { client: 3, ..made }, Dimension::Client),
            (Generations { key: 4, ..made }, Dimension::Key),
            (Generations { project: 5, ..made }, Dimension::Project),
        ];
        for (current, dimension) in raised {
            assert_eq!(made.overtaken_by(current), Some(dimension));
            assert_eq!(current.overtaken_by(current), None);
        }
    }
}
