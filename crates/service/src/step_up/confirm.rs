//! The user is known, and proves what is new: that the authenticator app counts out the right codes, or that codes to the new number arrive. Then there
//! is a receipt.

use std::sync::Arc;

use countersign_crypto::{
    jose::step_up_token::{StepUpToken, StepUpTokenKind},
    one_time_code::{OneTimeCode, OneTimeCodeHash, OneTimeCodeKey},
    sign_in_handle::HandleHash,
    totp::TotpSeed,
};
use countersign_domain::{
    audit::{Act, Actor, AuditEntry},
    clock::Timestamp,
    id::{ChallengeId, SignInId, StepUpId},
    identity::Identity,
    locale::Locale,
    message::Destination,
    sign_in::{CODE_LIFETIME, Purpose, SentCode, Step},
    step_up::{Confirmation, RECEIPT_LIFETIME, may_judge, may_send},
};
use countersign_storage::{
    Conn, audit,
    error::Result as StorageResult,
    messages::{self, OutgoingMessage},
    sign_ins::{self, KeptSignIn},
    step_ups::{self, StoredStepUp},
};

use super::start::deed;
use crate::{
    Service,
    browser::shown_name,
    caller::Caller,
    deliver::letter::Letter,
    directory::ProjectView,
    error::Outage,
    sign_in::{Hint, MethodChoice, prompt::NewTotp},
};

/// What is left to prove.
pub(crate) enum Left {
    /// An app is set up, and shows a code.
    Totp(NewTotp),
    /// A code was sent to the new number.
    Code {
        /// Where it went.
        to: Identity,
        /// The code.
        sent: SentCode,
    },
    /// Nothing was sent or made yet: this is to be asked for.
    Choose(MethodChoice),
}

/// What somebody shows or asks for.
#[derive(Clone, Copy)]
pub(crate) enum Confirming<'a> {
    /// Whatever is to be shown or sent first.
    Begin,
    /// A code, or another.
    Send,
    /// The code.
    Code(&'a str),
}

/// What that comes to.
pub(crate) enum Confirmed {
    /// More is left.
    Left(Left, Option<Hint>),
    /// All is proved.
    Receipt(String),
}

/// Who confirms, and where.
pub(crate) struct ConfirmCall<'a> {
    pub(crate) project: &'a Arc<ProjectView>,
    pub(crate) kept: &'a KeptSignIn,
    pub(crate) shown: HandleHash,
    pub(crate) next: HandleHash,
    pub(crate) locale: Locale,
    pub(crate) caller: &'a Caller,
}

/// Everything the transaction needs, drawn up before.
struct Plan {
    project: Arc<ProjectView>,
    sign_in: SignInId,
    step_up: StepUpId,
    shown: HandleHash,
    next: HandleHash,
    act: Drawn,
    entry: AuditEntry,
    now: Timestamp,
}

enum Drawn {
    Look,
    Seed(String),
    Send {
        challenge: ChallengeId,
        code_hash: OneTimeCodeHash,
        message: OutgoingMessage,
    },
    /// The step whose code the app showed.
    Step(i64),
    Code(OneTimeCode, Box<OneTimeCodeKey>),
    Mistake(Hint),
}

enum Done {
    Gone,
    Left(Box<StoredStepUp>, Option<Hint>),
    Passed,
}

impl Service {
    /// One step of it. None: nobody knows the sign-in by this handle any more, or the step-up is over.
    pub(crate) async fn confirm_step_up(
        &self,
        call: &ConfirmCall<'_>,
        confirming: Confirming<'_>,
    ) -> Result<Option<Confirmed>, Outage> {
        let Some(stored) = self.open_step_up(call.project, call.kept).await? else {
            return Ok(None);
        };
        let now = self.now();
        let step_up = &stored.step_up;
        let deed = deed(step_up, Act::StepUpPassed);
        let plan = Arc::new(Plan {
            project: Arc::clone(call.project),
            sign_in: call.kept.sign_in.id,
            step_up: step_up.id,
            shown: call.shown,
            next: call.next,
            act: self.draw_confirmation(call, &stored, confirming, now)?,
            entry: AuditEntry {
                project: deed.project,
                id: self.audit_id(now),
                at: now,
                act: deed.act,
                actor: Actor::User(step_up.user),
                subject: deed.subject,
                request: Some(call.caller.request_id.clone()),
                detail: deed.detail,
            },
            now,
        });
        let done = self.db.write(move |mut conn| {
            let plan = Arc::clone(&plan);
            Box::pin(async move { plan.run(&mut conn).await })
        });
        match done.await? {
            Done::Gone => Ok(None),
            Done::Left(stored, hint) => Ok(Some(Confirmed::Left(self.left(call.project, call.kept, &stored)?, hint))),
            Done::Passed => {
                let token = StepUpToken {
                    id: step_up.id,
                    user: step_up.user,
                    issued_at: now,
                    expires_at: now.plus(RECEIPT_LIFETIME),
                };
                let key = call.project.signing_key();
                Ok(Some(Confirmed::Receipt(token.sign(StepUpTokenKind::Receipt, &call.project.issuer, key))))
            }
        }
    }

    /// The step-up that a sign-in is for, if the user has proved to be the right one, and it isn't passed.
    pub(crate) async fn open_step_up(
        &self,
        project: &ProjectView,
        kept: &KeptSignIn,
    ) -> Result<Option<StoredStepUp>, Outage> {
        let (Purpose::StepUp { step_up, .. }, Step::Proved(user)) = (&kept.sign_in.purpose, &kept.sign_in.step) else {
            return Ok(None);
        };
        let mut reader = self.db.reader().await?;
        let stored = step_ups::find(&mut reader.conn(), &project.project.id, *step_up).await?;
        Ok(stored.filter(|stored| stored.step_up.user == *user && stored.passed_at.is_none()))
    }

    fn draw_confirmation(
        &self,
        call: &ConfirmCall<'_>,
        stored: &StoredStepUp,
        confirming: Confirming<'_>,
        now: Timestamp,
    ) -> Result<Drawn, Outage> {
        let project = call.project;
        match (stored.step_up.confirmation(), confirming) {
            (Confirmation::Nothing, _) => Ok(Drawn::Look),
            (Confirmation::Number(_), Confirming::Begin) if stored.sent.is_some() => Ok(Drawn::Look),
            (Confirmation::App, Confirming::Begin | Confirming::Send) => {
                if stored.sealed_seed.is_some() {
                    return Ok(Drawn::Look);
                }
                let seed = TotpSeed::generate(&self.entropy);
                let sealed = self.seal_seed(&stored.step_up.project, stored.step_up.user, &seed);
                Ok(Drawn::Seed(sealed))
            }
            (Confirmation::App, Confirming::Code(text)) => {
                let step = match (OneTimeCode::unverified(text), self.seed_of(stored)?) {
                    (Some(code), Some(seed)) => seed.step_of(&code, now),
                    _ => None,
                };
                Ok(step.map_or(Drawn::Mistake(Hint::RetryInput), Drawn::Step))
            }
            (Confirmation::Number(number), Confirming::Begin | Confirming::Send) => {
                if let Err(reason) = may_send(stored.sent, stored.sends, now) {
                    return Ok(Drawn::Mistake(reason.into()));
                }
                let to = Destination::Phone(number.clone());
                if let Err(too_many) = self.take_sending_budget(project, &to, call.caller.address) {
                    return Ok(Drawn::Mistake(Hint::Wait(too_many.retry_after)));
                }
                let (challenge, code) =
                    (ChallengeId::new(now, self.entropy.bytes()), OneTimeCode::generate(&self.entropy));
                let code_hash = self.master_key.one_time_code_key(&project.project.id).hash(challenge, &code);
                let letter = Letter::SignInCode { code: code.into_secret(), link: None, valid_for: CODE_LIFETIME };
                let message = self.draft_code_message(challenge, project, &to, call.locale, &letter, now);
                Ok(Drawn::Send { challenge, code_hash, message })
            }
            (Confirmation::Number(_), Confirming::Code(text)) => {
                let key = self.master_key.one_time_code_key(&project.project.id);
                let code = OneTimeCode::unverified(text);
                Ok(code.map_or(Drawn::Mistake(Hint::RetryInput), |code| Drawn::Code(code, Box::new(key))))
            }
        }
    }

    /// It is sealed for the user from the beginning, and only moves from one table into another.
    fn seed_of(&self, stored: &StoredStepUp) -> Result<Option<TotpSeed>, Outage> {
        let step_up = &stored.step_up;
        let sealed = stored.sealed_seed.as_deref();
        sealed.map(|sealed| self.open_seed(&step_up.project, step_up.user, sealed)).transpose()
    }

    /// What is left to prove in a sign-in whose user is known.
    pub(crate) async fn left_of_step_up(
        &self,
        project: &ProjectView,
        kept: &KeptSignIn,
    ) -> Result<Option<Left>, Outage> {
        let open = self.open_step_up(project, kept).await?;
        open.map(|stored| self.left(project, kept, &stored)).transpose()
    }

    fn left(&self, project: &ProjectView, kept: &KeptSignIn, stored: &StoredStepUp) -> Result<Left, Outage> {
        Ok(match (stored.step_up.confirmation(), self.seed_of(stored)?, stored.sent) {
            (Confirmation::App, Some(seed), _) => {
                let account = kept.sign_in.identity.as_ref().map(Identity::value).unwrap_or_default();
                Left::Totp(NewTotp { secret: seed.to_text(), otpauth_uri: seed.uri(&shown_name(project), account) })
            }
            (Confirmation::Number(number), _, Some(sent)) => Left::Code { to: Identity::Phone(number.clone()), sent },
            (Confirmation::Number(_), _, None) => Left::Choose(SMS),
            (Confirmation::App | Confirmation::Nothing, ..) => Left::Choose(APP),
        })
    }
}

const APP: MethodChoice = MethodChoice { id: "totp", label: "Set up an authenticator app" };
const SMS: MethodChoice = MethodChoice { id: "sms_code", label: "A code by text message" };

impl Plan {
    async fn run(&self, conn: &mut Conn<'_>) -> StorageResult<Done> {
        let project = &self.project.project.id;
        let Some(kept) = sign_ins::take_up(conn, project, self.sign_in, &self.shown, &self.next).await? else {
            return Ok(Done::Gone);
        };
        let stored = step_ups::find(conn, project, self.step_up).await?;
        let is_open = |stored: &StoredStepUp| {
            stored.passed_at.is_none() && kept.sign_in.step == Step::Proved(stored.step_up.user)
        };
        let Some(stored) = stored.filter(is_open) else { return Ok(Done::Gone) };
        match &self.act {
            Drawn::Look if stored.step_up.confirmation() == Confirmation::Nothing => self.pass(conn, &stored).await,
            // A code may have been sent, or a seed made, in the same moment.
            Drawn::Look => Ok(Done::Left(Box::new(stored), None)),
            Drawn::Mistake(hint) => Ok(Done::Left(Box::new(stored), Some(*hint))),
            Drawn::Seed(sealed) => {
                let sealed_seed = stored.sealed_seed.clone().or_else(|| Some(sealed.clone()));
                self.keep(conn, StoredStepUp { sealed_seed, ..stored }, None).await
            }
            Drawn::Step(step) => {
                let stored = StoredStepUp { used_step: *step, ..stored };
                step_ups::update(conn, &stored).await?;
                self.pass(conn, &stored).await
            }
            Drawn::Send { challenge, code_hash, message } => {
                if let Err(reason) = may_send(stored.sent, stored.sends, self.now) {
                    return Ok(Done::Left(Box::new(stored), Some(reason.into())));
                }
                let before: Vec<ChallengeId> = stored.sent.iter().map(|sent| sent.challenge).collect();
                messages::withdraw_codes(conn, project, &before, self.now).await?;
                messages::insert(conn, message).await?;
                let sent = Some(SentCode { challenge: *challenge, tries: 0, sent_at: self.now });
                let (code_hash, sends) = (Some(code_hash.clone()), stored.sends + 1);
                self.keep(conn, StoredStepUp { sent, code_hash, sends, ..stored }, None).await
            }
            Drawn::Code(code, key) => {
                let sent = match may_judge(stored.sent, self.now) {
                    Ok(sent) => sent,
                    Err(reason) => return Ok(Done::Left(Box::new(stored), Some(reason.into()))),
                };
                if stored.code_hash.as_ref().is_some_and(|hash| key.matches(sent.challenge, code, hash)) {
                    messages::withdraw_codes(conn, project, &[sent.challenge], self.now).await?;
                    return self.pass(conn, &stored).await;
                }
                let sent = SentCode { tries: sent.tries + 1, ..sent };
                let hint = if sent.tries_left() == 0 { Hint::ResendCode } else { Hint::RetryInput };
                self.keep(conn, StoredStepUp { sent: Some(sent), ..stored }, Some(hint)).await
            }
        }
    }

    async fn keep(&self, conn: &mut Conn<'_>, stored: StoredStepUp, hint: Option<Hint>) -> StorageResult<Done> {
        step_ups::update(conn, &stored).await?;
        Ok(Done::Left(Box::new(stored), hint))
    }

    async fn pass(&self, conn: &mut Conn<'_>, stored: &StoredStepUp) -> StorageResult<Done> {
        let project = &self.project.project.id;
        if !step_ups::pass(conn, project, stored.step_up.id, self.now).await? {
            return Ok(Done::Gone);
        }
        sign_ins::end(conn, project, self.sign_in, self.now).await?;
        audit::insert_many(conn, &[&self.entry]).await?;
        Ok(Done::Passed)
    }
}
