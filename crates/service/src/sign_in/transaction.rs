//! What one transaction does with a step.

use std::sync::Arc;

use countersign_crypto::sign_in_handle::HandleHash;
use countersign_domain::{
    audit::{Act, Actor, AuditEntry, Subject},
    clock::Timestamp,
    id::{SignInId, UserId},
    risk::Assessment,
    sign_in::SignIn,
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
    action::{Action, Claim, Sending, Showing, Who},
    issue::Issued,
    prompt::Hint,
};
use crate::{
    directory::ProjectView,
    passkeys::{PasskeyChallenge, PasskeyProof, Recorded},
    users::arrival::{Arrived, ArrivedUser},
};

/// Everything the transaction needs, drawn up before: it may run several times and must come to the same.
pub(super) struct Plan {
    pub(super) id: SignInId,
    pub(super) shown: HandleHash,
    pub(super) next: HandleHash,
    pub(super) project: Arc<ProjectView>,
    pub(super) action: Action,
    pub(super) now: Timestamp,
}

/// What comes of it.
pub(super) enum Done {
    /// Nobody knows it by this handle any more.
    Gone,
    Asked {
        kept: Box<KeptSignIn>,
        hint: Option<Hint>,
        was_guess: bool,
    },
    Denied(Denial),
    /// A first factor is proved; another is asked for.
    Second {
        kept: Box<KeptSignIn>,
        news: Vec<Change>,
    },
    Passed {
        user: UserId,
        news: Vec<Change>,
        /// Otherwise they are asked for consent, or there is no client.
        is_issued: bool,
        /// What speaks against it.
        risk: Assessment,
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
            Action::Ask(challenge) => self.ask(conn, kept, challenge).await,
            Action::Fail(hint) => forget_challenge(conn, kept, *hint).await,
            Action::Show(showing) => match &showing.who {
                Who::Address(claim) => self.show_code(conn, kept, showing, claim).await,
                Who::Passkey { proof, state } => self.show_passkey(conn, kept, showing, proof, state).await,
                Who::Second(shown) => self.show_second(conn, kept, showing, shown).await,
            },
            Action::AskSecond(wanted) => self.ask_second(conn, kept, wanted).await,
            Action::SendSecond(sending) => self.send_second(conn, kept, sending).await,
            Action::Mistake => self.mistake_second(conn, kept).await,
        }
    }

    async fn send(&self, conn: &mut Conn<'_>, kept: KeptSignIn, sending: &Sending) -> Result<Done> {
        let named = kept.sign_in.clone().named(sending.identity.clone(), self.now);
        let sign_in = match named.and_then(|sign_in| sign_in.send(sending.challenge, self.now)) {
            Ok(sign_in) => sign_in,
            Err(reason) => return Ok(asked(kept, Some(reason.into()))),
        };
        withdraw_code(conn, &kept.sign_in, self.now).await?;
        let (code_hash, link_hash) = (Some(sending.code_hash.clone()), sending.link_hash);
        let kept = KeptSignIn { sign_in, code_hash, link_hash, ..kept };
        sign_ins::update(conn, &kept).await?;
        messages::insert(conn, &sending.message).await?;
        Ok(asked(kept, None))
    }

    async fn ask(&self, conn: &mut Conn<'_>, kept: KeptSignIn, challenge: &PasskeyChallenge) -> Result<Done> {
        if let Err(reason) = kept.sign_in.awaits_proof(self.now) {
            return Ok(asked(kept, Some(reason.into())));
        }
        let kept = KeptSignIn { passkey_state: Some(challenge.state.clone()), ..kept };
        sign_ins::update(conn, &kept).await?;
        Ok(asked(kept, None))
    }

    async fn show_code(&self, conn: &mut Conn<'_>, kept: KeptSignIn, showing: &Showing, claim: &Claim) -> Result<Done> {
        let sent = match kept.sign_in.judge(self.now) {
            Ok(sent) => sent,
            Err(reason) => return Ok(asked(kept, Some(reason.into()))),
        };
        // Somebody may have become somebody else in another tab since the code was drawn up.
        let is_same_person = kept.sign_in.identity.as_ref() == Some(&claim.arrival.identity);
        if !is_same_person || !claim.shown.is_right(sent.challenge, &kept) {
            let mistaken = KeptSignIn { sign_in: kept.sign_in.mistaken(), ..kept };
            sign_ins::update(conn, &mistaken).await?;
            let judged = mistaken.sign_in.judge(self.now);
            if judged.is_err() {
                withdraw_code(conn, &mistaken.sign_in, self.now).await?;
            }
            let hint = judged.map_or_else(Hint::from, |_| Hint::RetryInput);
            return Ok(Done::Asked { kept: Box::new(mistaken), hint: Some(hint), was_guess: true });
        }
        let who = match (claim.arrival.find(conn).await?, &claim.create) {
            (Arrived::Disabled, _) => Err(Denial::Disabled),
            (Arrived::User(user), _) => Ok(*user),
            (Arrived::Nobody, None) => Err(Denial::NoAccount),
            (Arrived::Nobody, Some(names)) => Ok(claim.arrival.create(conn, names).await?),
        };
        self.pass(conn, kept, showing, who).await
    }

    async fn show_passkey(
        &self,
        conn: &mut Conn<'_>,
        kept: KeptSignIn,
        showing: &Showing,
        proof: &PasskeyProof,
        state: &str,
    ) -> Result<Done> {
        if let Err(reason) = kept.sign_in.awaits_proof(self.now) {
            return Ok(asked(kept, Some(reason.into())));
        }
        // Another challenge may have taken the place of the one that was answered.
        if kept.passkey_state.as_deref() != Some(state) {
            return Ok(asked(kept, Some(Hint::RetryPasskey)));
        }
        let who = match proof.record(conn).await? {
            Recorded::Late => return forget_challenge(conn, kept, Hint::RetryPasskey).await,
            Recorded::Disabled => Err(Denial::Disabled),
            Recorded::User { generation } => {
                Ok(ArrivedUser { id: proof.user, generation, entries: Vec::new(), news: Vec::new() })
            }
        };
        self.pass(conn, kept, showing, who).await
    }

    /// Somebody is proved. Whatever comes of that, they can't be proved by the same again.
    pub(super) async fn pass(
        &self,
        conn: &mut Conn<'_>,
        kept: KeptSignIn,
        showing: &Showing,
        who: std::result::Result<ArrivedUser, Denial>,
    ) -> Result<Done> {
        let done = match who {
            Ok(user) => self.arrive(conn, &kept, showing, user).await?,
            Err(denial) => Done::Denied(denial),
        };
        match &done {
            // It goes on.
            Done::Second { .. } => {}
            Done::Passed { user, is_issued: false, risk, .. } if showing.issue.is_some() => {
                withdraw_code(conn, &kept.sign_in, self.now).await?;
                sign_ins::update(conn, &KeptSignIn::of(kept.sign_in.proved(*user, risk.clone()))).await?;
            }
            _ => sign_ins::end(conn, &self.project.project.id, self.id, self.now).await?,
        }
        Ok(done)
    }

    /// What does the client get?
    async fn arrive(
        &self,
        conn: &mut Conn<'_>,
        kept: &KeptSignIn,
        showing: &Showing,
        user: ArrivedUser,
    ) -> Result<Done> {
        audit::insert_many(conn, &user.entries.iter().collect::<Vec<_>>()).await?;
        for change in &user.news {
            changes::insert(conn, change).await?;
        }
        let risk = match &showing.first {
            Some(_) => showing.attempt.judge(conn, &self.project.project.id, user.id).await?,
            // Judged when the first factor was proved.
            None => kept.sign_in.risk.clone(),
        };
        if let Some(first) = &showing.first
            && let Some(second) = first.second(conn, &self.project.project.id, &user, &risk).await?
        {
            withdraw_code(conn, &kept.sign_in, self.now).await?;
            let kept = Box::new(KeptSignIn::of(kept.sign_in.clone().first_proved(second, risk)));
            sign_ins::update(conn, &kept).await?;
            return Ok(Done::Second { kept, news: user.news });
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
        showing.attempt.remember(conn, &self.project.project.id, user.id, self.now).await?;
        audit::insert_many(conn, &[&self.entry(kept, showing, user.id, &risk)]).await?;
        Ok(Done::Passed { user: user.id, news: user.news, is_issued, risk })
    }

    fn entry(&self, kept: &KeptSignIn, showing: &Showing, user: UserId, risk: &Assessment) -> AuditEntry {
        let risk = risk.to_text().map(|reasons| ("risk", reasons));
        AuditEntry {
            project: self.project.project.id.clone(),
            id: showing.passed,
            at: self.now,
            act: Act::SignInPassed,
            actor: Actor::User(user),
            subject: Subject {
                user: Some(user),
                client: kept.sign_in.purpose.client().cloned(),
                key: showing.who.key(),
                ..Subject::default()
            },
            request: Some(showing.request.clone()),
            detail: [("method", showing.who.method().to_owned())].into_iter().chain(risk).collect(),
        }
    }
}

/// The code that was sent is worth nothing from now on: no message need tell it.
pub(crate) async fn withdraw_code(conn: &mut Conn<'_>, sign_in: &SignIn, now: Timestamp) -> Result<()> {
    let sent = sign_ins::sent_code(sign_in).map(|sent| sent.challenge);
    messages::withdraw_codes(conn, &sign_in.project, sent.as_slice(), now).await
}

/// A challenge is answered once, well or badly.
async fn forget_challenge(conn: &mut Conn<'_>, kept: KeptSignIn, hint: Hint) -> Result<Done> {
    let kept = KeptSignIn { passkey_state: None, ..kept };
    sign_ins::update(conn, &kept).await?;
    Ok(asked(kept, Some(hint)))
}

pub(super) fn asked(kept: KeptSignIn, hint: Option<Hint>) -> Done {
    Done::Asked { kept: Box::new(kept), hint, was_guess: false }
}
