//! What a client gets for a user who is known: a code, or a question first.

use countersign_crypto::secret::SecretText;
use countersign_domain::{
    clock::Timestamp,
    id::{BrowserSessionId, PasskeyId, ProjectId, UserId},
    identity::IdentityKind,
    oauth::scope::Scopes,
    proof::Proof,
    sign_in::Purpose,
    thumbprint::Thumbprint,
};
use countersign_storage::{
    Conn, authorization_codes, browser_sessions, consents, device_sessions, error::Result, identities, passkeys,
};

use crate::{
    Service,
    browser::session::LiveBrowser,
    directory::ProjectView,
    error::Outage,
    oauth::{
        authorization::{AuthorizationRequest, Prompt},
        code::CodeDraft,
    },
};

/// A code, drawn up for whoever it will be.
pub(crate) struct Issue {
    draft: CodeDraft,
    scope: Scopes,
    consent: Consent,
    hinted_user: Option<UserId>,
    is_email_promised: bool,
    passkey: Option<PasskeyId>,
    browser: Option<BrowserSessionId>,
    /// When the session is over at the latest that the code opens.
    session_ends_at: Timestamp,
    now: Timestamp,
}

/// Whether the user is asked first.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Consent {
    /// The client is the project's own.
    Never,
    /// Unless they have been.
    Once,
    /// Whatever they said before.
    Again,
}

/// What comes of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Issued {
    /// The code is written.
    Code,
    /// The user must be asked.
    Consent,
    /// The client expects somebody else.
    OtherUser,
    /// The client expects an e-mail address, and the user has none.
    NoEmail,
    /// Nobody may be signed in as this user any more.
    NoUser,
}

impl Issue {
    /// The code itself.
    pub(crate) fn code(&self) -> SecretText {
        self.draft.code.clone()
    }

    /// For somebody who was proved before, in this browser: who was revoked since gets nothing by it.
    #[must_use]
    pub(crate) fn to(mut self, live: &LiveBrowser) -> Self {
        self.draft.row.as_of = Some(live.session.generations.user);
        self.browser = Some(live.session.id);
        self.by(live.session.passkey)
    }

    /// For somebody who was proved by this passkey, if by any: what comes of it ends with the passkey.
    #[must_use]
    pub(crate) const fn by(mut self, passkey: Option<PasskeyId>) -> Self {
        self.passkey = passkey;
        self
    }

    /// In the transaction of whoever knows the user.
    pub(crate) async fn run(&self, conn: &mut Conn<'_>, user: UserId, has_consented: bool) -> Result<Issued> {
        let (project, client) = (&self.draft.row.project, &self.draft.row.code.client);
        if self.hinted_user.is_some_and(|hinted| hinted != user) {
            return Ok(Issued::OtherUser);
        }
        if self.is_email_promised && !has_email(conn, project, user).await? {
            return Ok(Issued::NoEmail);
        }
        if has_consented {
            let before = consents::find(conn, project, user, client).await?.unwrap_or_default();
            consents::put(conn, project, user, client, &before.and(&self.scope), self.now).await?;
        } else if self.asks(conn, user).await? {
            return Ok(Issued::Consent);
        }
        let mut row = self.draft.row.clone();
        row.code.user = user;
        if !self.note_passkey(conn, user).await? || !authorization_codes::insert(conn, &row).await? {
            return Ok(Issued::NoUser);
        }
        Ok(Issued::Code)
    }

    /// Whoever revokes the passkey finds the session that is to be. `false`: somebody has revoked it just now, and may have let it in again since;
    /// but what was opened before stays over.
    async fn note_passkey(&self, conn: &mut Conn<'_>, user: UserId) -> Result<bool> {
        let Some(passkey) = self.passkey else { return Ok(true) };
        let (project, session) = (&self.draft.row.project, self.draft.row.code.session);
        if !passkeys::hold_live(conn, project, user, passkey).await? {
            return Ok(false);
        }
        if let Some(browser) = self.browser
            && browser_sessions::hold(conn, project, browser).await?.is_none()
        {
            return Ok(false);
        }
        device_sessions::insert(conn, project, passkey, session, self.session_ends_at).await?;
        Ok(true)
    }

    async fn asks(&self, conn: &mut Conn<'_>, user: UserId) -> Result<bool> {
        let (project, client) = (&self.draft.row.project, &self.draft.row.code.client);
        Ok(match self.consent {
            Consent::Never => false,
            Consent::Again => true,
            Consent::Once => {
                let given = consents::find(conn, project, user, client).await?;
                !given.is_some_and(|given| self.scope.is_within(&given))
            }
        })
    }
}

async fn has_email(conn: &mut Conn<'_>, project: &ProjectId, user: UserId) -> Result<bool> {
    let all = identities::list(conn, project, user).await?;
    Ok(all.iter().any(|record| record.identity.kind() == IdentityKind::Email))
}

impl Service {
    /// Draws a code up for a request. `proof` is of whoever it turns out to be.
    pub(crate) fn draw_up_code(
        &self,
        project: &ProjectView,
        request: &AuthorizationRequest,
        proof: Proof,
        dpop_jkt: Option<Thumbprint>,
    ) -> Result<Issue, Outage> {
        let now = self.now();
        let client = project.client(&request.client).filter(|view| view.client.disabled_at.is_none());
        let client = client.ok_or_else(|| Outage::Unavailable("the client was closed meanwhile".to_owned()))?;
        let is_own = client.settings.oauth_first_party;
        let mut draft = self.draft_code(project, request, UserId::from_bytes([0; 16]), proof, now);
        draft.row.code.dpop_jkt = dpop_jkt.or(draft.row.code.dpop_jkt);
        let session_ends_at = draft.row.code.expires_at.plus(client.settings.refresh_lifetime);
        Ok(Issue {
            draft,
            scope: request.scope.clone(),
            consent: match (is_own, request.prompt.contains(&Prompt::Consent)) {
                (true, _) => Consent::Never,
                (false, true) => Consent::Again,
                (false, false) => Consent::Once,
            },
            hinted_user: request.hinted_user,
            is_email_promised: request.scope.has("openid") && (is_own || request.scope.has("email")),
            passkey: None,
            browser: None,
            session_ends_at,
            now,
        })
    }
}

/// What the client asked for, as it was kept.
pub(crate) fn kept_request(purpose: &Purpose) -> Result<Option<AuthorizationRequest>, Outage> {
    match purpose {
        Purpose::Account | Purpose::StepUp { .. } => Ok(None),
        Purpose::Client { request, .. } => match AuthorizationRequest::from_json(request) {
            Some(request) => Ok(Some(request)),
            None => Err(Outage::Fault("a kept authorization request can't be read".to_owned())),
        },
    }
}
