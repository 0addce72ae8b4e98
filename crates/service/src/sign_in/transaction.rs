//! What one transaction does with a step.

use std::sync::Arc;

use countersign_crypto::sign_in_handle::HandleHash;
use countersign_domain::{
    audit::{Act, Actor, AuditEntry, Subject},
    clock::Timestamp,
    id::{SignInId, UserId},
};
use countersign_storage::{
    Conn, audit,
    changes::{self, Change},
    error::Result,
    messages,
    sign_ins::{self, KeptSignIn},
};

use super::{
    Denial,
    issue::Issued,
    prompt::Hint,
    step::{Action, Sending, Showing},
};
use crate::{directory::ProjectView, users::arrival::Arrived};

/// Everything the transaction needs, drawn up before: it may run several times and must come to the same.
pub(super) struct Plan {
    pub(super) id: SignInId,
    pub(super) shown: HandleHash,
    pub(super) next: HandleHash,
    pub(super) project: Arc<ProjectView>,
    pub(super) action: Action,
    pub(super) now: Timestamp,
}

pub(super) enum Done {
    /// Nobody knows it by this handle any more.
    Gone,
    Asked {
        kept: Box<KeptSignIn>,
        hint: Option<Hint>,
        was_guess: bool,
    },
    Denied(Denial),
    Passed {
        user: UserId,
        news: Vec<Change>,
        /// Otherwise they are asked for consent, or there is no client.
        is_issued: bool,
    },
}

impl Plan {
    pub(super) async fn run(&self, conn: &mut Conn<'_>) -> Result<Done> {
        let project = &self.project.project.id;
        let Some(kept) = sign_ins::take_up(conn, project, self.id, &self.shown, &self.next).await? else {
            return Ok(Done::Gone);
        };
        match &self.action {
            Action::Nothing(hint) => Ok(asked(kept, *hint)),
            Action::Send(sending) => self.send(conn, kept, sending).await,
            Action::Show(showing) => self.show(conn, kept, showing).await,
        }
    }

    async fn send(&self, conn: &mut Conn<'_>, kept: KeptSignIn, sending: &Sending) -> Result<Done> {
        let named = kept.sign_in.clone().named(sending.identity.clone(), self.now);
        let sign_in = match named.and_then(|sign_in| sign_in.send(sending.challenge, self.now)) {
            Ok(sign_in) => sign_in,
            Err(reason) => return Ok(asked(kept, Some(reason.into()))),
        };
        let kept = KeptSignIn { sign_in, code_hash: Some(sending.code_hash.clone()), link_hash: sending.link_hash };
        sign_ins::update(conn, &kept).await?;
        messages::insert(conn, &sending.message).await?;
        Ok(asked(kept, None))
    }

    async fn show(&self, conn: &mut Conn<'_>, kept: KeptSignIn, showing: &Showing) -> Result<Done> {
        let sent = match kept.sign_in.judge(self.now) {
            Ok(sent) => sent,
            Err(reason) => return Ok(asked(kept, Some(reason.into()))),
        };
        // Somebody may have become somebody else in another tab since the code was drawn up.
        let is_same_person = kept.sign_in.identity.as_ref() == Some(&showing.arrival.identity);
        if !is_same_person || !showing.shown.is_right(sent.challenge, &kept) {
            let mistaken = KeptSignIn { sign_in: kept.sign_in.mistaken(), ..kept };
            sign_ins::update(conn, &mistaken).await?;
            let hint = mistaken.sign_in.judge(self.now).map_or_else(Hint::from, |_| Hint::RetryInput);
            return Ok(Done::Asked { kept: Box::new(mistaken), hint: Some(hint), was_guess: true });
        }
        self.pass(conn, kept, showing).await
    }

    /// The address is proved. Whatever comes of that, it can't be proved by this code again.
    async fn pass(&self, conn: &mut Conn<'_>, kept: KeptSignIn, showing: &Showing) -> Result<Done> {
        let done = self.arrive(conn, &kept, showing).await?;
        match done {
            Done::Passed { user, is_issued: false, .. } if showing.issue.is_some() => {
                let known = kept.sign_in.proved(user);
                sign_ins::update(conn, &KeptSignIn { sign_in: known, code_hash: None, link_hash: None }).await?;
            }
            _ => sign_ins::end(conn, &self.project.project.id, self.id, self.now).await?,
        }
        Ok(done)
    }

    /// Whose address is it, and what does the client get?
    async fn arrive(&self, conn: &mut Conn<'_>, kept: &KeptSignIn, showing: &Showing) -> Result<Done> {
        let user = match (showing.arrival.find(conn).await?, &showing.create) {
            (Arrived::Disabled, _) => return Ok(Done::Denied(Denial::Disabled)),
            (Arrived::User(user), _) => user,
            (Arrived::Nobody, None) => return Ok(Done::Denied(Denial::NoAccount)),
            (Arrived::Nobody, Some(names)) => Box::new(showing.arrival.create(conn, names).await?),
        };
        audit::insert_many(conn, &user.entries.iter().collect::<Vec<_>>()).await?;
        for change in &user.news {
            changes::insert(conn, change).await?;
        }
        let is_issued = match &showing.issue {
            None => false,
            Some(issue) => match issue.run(conn, user.id, false).await? {
                Issued::Code => true,
                Issued::Consent => false,
                Issued::OtherUser => return Ok(Done::Denied(Denial::OtherUser)),
                Issued::NoEmail => return Ok(Done::Denied(Denial::NoEmail)),
                Issued::NoUser => return Ok(Done::Denied(Denial::Disabled)),
            },
        };
        if let Some(browser) = &showing.browser
            && !browser.open(conn, user.id).await?
        {
            return Ok(Done::Denied(Denial::Disabled));
        }
        audit::insert_many(conn, &[&self.entry(kept, showing, user.id)]).await?;
        Ok(Done::Passed { user: user.id, news: user.news, is_issued })
    }

    fn entry(&self, kept: &KeptSignIn, showing: &Showing, user: UserId) -> AuditEntry {
        AuditEntry {
            project: self.project.project.id.clone(),
            id: showing.passed,
            at: self.now,
            act: Act::SignInPassed,
            actor: Actor::User(user),
            subject: Subject { user: Some(user), client: kept.sign_in.purpose.client().cloned(), ..Subject::default() },
            request: Some(showing.arrival.request.clone()),
            detail: vec![("method", showing.shown.method().to_owned())],
        }
    }
}

fn asked(kept: KeptSignIn, hint: Option<Hint>) -> Done {
    Done::Asked { kept: Box::new(kept), hint, was_guess: false }
}
