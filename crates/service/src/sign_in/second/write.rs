//! What one transaction does with a step of the second half.

use countersign_domain::{
    audit::{Act, Actor, AuditEntry, Subject},
    mfa::FactorKind,
    sign_in::{Asked, Second},
};
use countersign_storage::{
    Conn,
    error::Result,
    messages, recovery_codes, second_factors,
    sign_ins::{self, KeptSignIn},
    users,
};

use super::{
    super::{
        Denial,
        action::{SendingSecond, Showing},
        prompt::Hint,
        transaction::{Done, Plan, asked, withdraw_code},
    },
    show::{SecondShown, ShownBy},
};
use crate::users::arrival::ArrivedUser;

impl Plan {
    pub(in super::super) async fn ask_second(
        &self,
        conn: &mut Conn<'_>,
        kept: KeptSignIn,
        wanted: &Asked,
    ) -> Result<Done> {
        let sign_in = match kept.sign_in.clone().ask_second(wanted.clone(), self.now) {
            Ok(sign_in) => sign_in,
            Err(reason) => return Ok(asked(kept, Some(reason.into()))),
        };
        withdraw_code(conn, &kept.sign_in, self.now).await?;
        let kept = KeptSignIn::of(sign_in);
        sign_ins::update(conn, &kept).await?;
        Ok(asked(kept, None))
    }

    pub(in super::super) async fn send_second(
        &self,
        conn: &mut Conn<'_>,
        kept: KeptSignIn,
        sending: &SendingSecond,
    ) -> Result<Done> {
        let sent = kept.sign_in.clone().send_second(sending.kind, sending.to.clone(), sending.challenge, self.now);
        let sign_in = match sent {
            Ok(sign_in) => sign_in,
            Err(reason) => return Ok(asked(kept, Some(reason.into()))),
        };
        withdraw_code(conn, &kept.sign_in, self.now).await?;
        let kept = KeptSignIn { code_hash: Some(sending.code_hash.clone()), ..KeptSignIn::of(sign_in) };
        sign_ins::update(conn, &kept).await?;
        messages::insert(conn, &sending.message).await?;
        Ok(asked(kept, None))
    }

    /// Something was shown that wasn't right.
    pub(in super::super) async fn mistake_second(&self, conn: &mut Conn<'_>, kept: KeptSignIn) -> Result<Done> {
        if let Err(reason) = kept.sign_in.judge_second(self.now) {
            return Ok(asked(kept, Some(reason.into())));
        }
        let kept = KeptSignIn { sign_in: kept.sign_in.mistaken(), ..kept };
        sign_ins::update(conn, &kept).await?;
        let hint = match kept.sign_in.judge_second(self.now) {
            Ok(_) => Hint::RetryInput,
            Err(reason) => {
                withdraw_code(conn, &kept.sign_in, self.now).await?;
                reason.into()
            }
        };
        Ok(Done::Asked { kept: Box::new(kept), hint: Some(hint), was_guess: true })
    }

    pub(in super::super) async fn show_second(
        &self,
        conn: &mut Conn<'_>,
        kept: KeptSignIn,
        showing: &Showing,
        shown: &SecondShown,
    ) -> Result<Done> {
        let judged = match &shown.by {
            ShownBy::Sent { .. } | ShownBy::NewPhone { .. } => kept.sign_in.judge_second_code(self.now).map(drop),
            _ => Ok(()),
        };
        let second = match judged.and_then(|()| kept.sign_in.judge_second(self.now).cloned()) {
            Ok(second) => second,
            Err(reason) => return Ok(asked(kept, Some(reason.into()))),
        };
        let project = &self.project.project.id;
        // Whoever revokes a user means those, too, who are half in.
        let user = users::find(conn, project, second.user).await?;
        let Some(user) = user.filter(|user| user.generation == second.generation) else {
            sign_ins::end(conn, project, self.id, self.now).await?;
            return Ok(Done::Gone);
        };
        if user.disabled_at.is_some() {
            return self.pass(conn, kept, showing, Err(Denial::Disabled)).await;
        }
        if second.user != shown.user || !self.is_right(conn, &kept, &second, shown).await? {
            return self.mistake_second(conn, kept).await;
        }
        for notice in &shown.notices {
            messages::insert(conn, notice).await?;
        }
        let entries = self.entry_of(showing, shown).into_iter().collect();
        let user = ArrivedUser { id: second.user, generation: second.generation, entries, news: Vec::new() };
        self.pass(conn, kept, showing, Ok(user)).await
    }

    /// Is it what was asked for, now? What is good once is used by that.
    async fn is_right(
        &self,
        conn: &mut Conn<'_>,
        kept: &KeptSignIn,
        second: &Second,
        shown: &SecondShown,
    ) -> Result<bool> {
        let (project, user, now) = (&self.project.project.id, second.user, self.now);
        let is_code = |code, key: &countersign_crypto::one_time_code::OneTimeCodeKey| {
            let (sent, hash) = (second.asked.sent(), kept.code_hash.as_ref());
            sent.zip(hash).is_some_and(|(sent, hash)| key.matches(sent.challenge, code, hash))
        };
        match (&shown.by, &second.asked) {
            (ShownBy::Totp { sealed_seed, step }, Asked::Totp) => {
                second_factors::use_step(conn, project, user, sealed_seed, *step, now).await
            }
            (ShownBy::Sent { kind, to, code, key }, Asked::Sent { kind: asked, to: sent_to, .. }) => {
                let is_right = kind == asked && to == sent_to && is_code(code, key);
                Ok(is_right && second_factors::record_use(conn, project, user, *kind, to, now).await?)
            }
            (ShownBy::Recovery(hash), _) if second.has_recovery_codes => {
                recovery_codes::spend(conn, project, user, *hash, now).await
            }
            (ShownBy::NewTotp { pending, factor }, Asked::NewTotp { sealed_seed }) if pending == sealed_seed => {
                second_factors::put(conn, project, user, factor).await?;
                Ok(true)
            }
            (ShownBy::NewPhone { to, code, key, factor }, Asked::NewPhone { to: sent_to, .. }) => {
                let is_right = to == sent_to && is_code(code, key);
                if is_right {
                    second_factors::put(conn, project, user, factor).await?;
                }
                Ok(is_right)
            }
            _ => Ok(false),
        }
    }

    /// What the trail has of it, beside that somebody signed in.
    fn entry_of(&self, showing: &Showing, shown: &SecondShown) -> Option<AuditEntry> {
        let (act, kind) = match &shown.by {
            ShownBy::NewTotp { .. } => (Act::FactorAdded, Some(FactorKind::Totp)),
            ShownBy::NewPhone { .. } => (Act::FactorAdded, Some(FactorKind::Sms)),
            ShownBy::Recovery(_) => (Act::RecoveryCodeUsed, None),
            ShownBy::Totp { .. } | ShownBy::Sent { .. } => return None,
        };
        Some(AuditEntry {
            project: self.project.project.id.clone(),
            id: shown.entry,
            at: self.now,
            act,
            actor: Actor::User(shown.user),
            subject: Subject { user: Some(shown.user), ..Subject::default() },
            request: Some(showing.request.clone()),
            detail: kind.map(|kind| ("factor", kind.as_str().to_owned())).into_iter().collect(),
        })
    }
}
