//! Sessions drawn up before the transaction that opens them, which may run twice.

use std::time::Duration;

use countersign_crypto::refresh_token::RefreshSecret;
use countersign_domain::{
    clock::Timestamp,
    id::{KeyId, SessionId, UserId},
    proof::Proof,
    refresh::Rotation,
    session::Session,
    text::DeviceId,
    thumbprint::Thumbprint,
};

use crate::{
    Service,
    directory::{ClientView, ProjectView},
    error::Outage,
    token::{Generation, TokenPair, access_expiry},
};

/// On what terms a session is opened.
pub(crate) struct Terms {
    /// The key that vouched for the user.
    pub(crate) vouched_by: Option<KeyId>,
    /// The installation it is for.
    pub(crate) device: Option<DeviceId>,
    /// The key of the client's without which its tokens are worthless.
    pub(crate) dpop_jkt: Option<Thumbprint>,
    /// How the user was proven.
    pub(crate) proof: Proof,
    /// How long it may live, where that is shorter than the client's setting.
    pub(crate) longest: Option<Duration>,
}

/// A session that is to be, for a user who may not be known yet.
#[derive(Clone)]
pub(crate) struct Draft {
    pub(crate) session: Session,
    pub(crate) secret: RefreshSecret,
}

impl Draft {
    /// The session, for this user.
    pub(crate) fn of(&self, user: UserId, generation: u32) -> Session {
        let mut session = self.session.clone();
        session.user = user;
        session.generations.user = generation;
        session
    }
}

impl Service {
    pub(crate) fn draft(&self, project: &ProjectView, client: &ClientView, terms: Terms, now: Timestamp) -> Draft {
        let settings = &client.settings;
        let lifetime = terms.longest.map_or(settings.refresh_lifetime, |most| most.min(settings.refresh_lifetime));
        let expires_at = now.plus(lifetime);
        let nobody_yet = UserId::from_bytes([0; 16]);
        let session = Session {
            project: project.project.id.clone(),
            id: SessionId::new(now, self.entropy.bytes()),
            user: nobody_yet,
            client: client.client.id.clone(),
            vouched_by: terms.vouched_by,
            device: terms.device,
            dpop_jkt: terms.dpop_jkt,
            proof: terms.proof,
            scope: String::new(),
            generations: project.generations(0, &client.client.id, terms.vouched_by),
            rotation: Rotation::first(now, project.mac_key()),
            created_at: now,
            idle_expires_at: now.plus(settings.session_idle),
            expires_at,
            access_expires_at: access_expiry(settings.access_lifetime, expires_at, now),
            ended: None,
        };
        Draft { session, secret: RefreshSecret::generate(&self.entropy) }
    }

    /// The tokens with which a session begins.
    pub(crate) fn first_pair(
        &self,
        project: &ProjectView,
        draft: &Draft,
        session: &Session,
    ) -> Result<TokenPair, Outage> {
        let Rotation { generation: number, mac_key, .. } = session.rotation;
        let generation = Generation { secret: &draft.secret, number, mac_key };
        let (ends, now) = (session.access_expires_at, session.created_at);
        let pair = self.issue(project, session, &generation, ends, now);
        pair.ok_or_else(|| Outage::Fault("the newest MAC key is missing".to_owned()))
    }
}
