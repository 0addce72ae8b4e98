//! One step of a sign-in, whoever drives it: a code is sent, or a code, link or passkey shown. One transaction takes the sign-in up, moves it on, and
//! writes what comes of it.

use std::sync::Arc;

use countersign_crypto::{
    browser_cookie::SessionCookie,
    one_time_code::OneTimeCode,
    secret::SecretText,
    sign_in_handle::HandleHash,
    sign_in_link::{self, LinkHash},
};
use countersign_domain::{
    id::{AuditId, ChallengeId, UserId},
    identity::Identity,
    locale::Locale,
    mfa::FactorKind,
    proof::{Level, Method, Proof},
    sign_in::CODE_LIFETIME,
    text::Name,
};
use countersign_storage::{error::Error as StorageError, sign_ins::KeptSignIn};

use super::{
    Denial,
    action::{Action, Claim, Sending, Showing, Shown, Who},
    issue::{Issue, kept_request},
    prompt::Hint,
    risk,
    transaction::{Done, Plan},
};
use crate::{
    Service,
    caller::Caller,
    code_sign_in::destination_of,
    deliver::{health::ChannelState, letter::Letter},
    directory::ProjectView,
    error::Outage,
    guesses::Guessed,
    passkeys::PasskeyChallenge,
    users::arrival::{ATTEMPTS, Arrival},
    vouch::Names,
};

/// What somebody does next.
#[derive(Clone, Copy)]
pub(crate) enum Move<'a> {
    /// Nothing.
    Look,
    /// Nothing that there is.
    Mistake,
    /// Asks for a code to be sent there.
    Send(&'a Identity),
    /// Shows a code.
    Code(&'a str),
    /// Shows what a link carries.
    Link(&'a str),
    /// Asks what a passkey is to answer.
    AskPasskey,
    /// Shows a passkey.
    Passkey(&'a str),
    /// Asks for another of the codes that were sent as a second factor.
    Resend,
    /// Wants to show, or to set up, this second factor.
    Second(FactorKind),
    /// Says which telephone is to be one.
    Phone(&'a str),
    /// Shows a recovery code.
    RecoveryCode(&'a str),
}

/// Who takes a step, and where.
pub(crate) struct Stepping<'a> {
    pub(crate) project: &'a Arc<ProjectView>,
    pub(crate) kept: &'a KeptSignIn,
    /// By what the sign-in is known, and will be.
    pub(crate) shown: HandleHash,
    pub(crate) next: HandleHash,
    pub(crate) front: Front<'a>,
    pub(crate) locale: Locale,
    pub(crate) caller: &'a Caller,
}

/// On whose screens.
#[derive(Clone, Copy)]
pub(crate) enum Front<'a> {
    /// The app's own.
    App,
    /// Ours, in a browser that stays signed in.
    Browser {
        /// Who was signed in there before.
        before: Option<&'a SessionCookie>,
    },
}

/// What a step comes to.
pub(crate) enum Stepped {
    /// More is needed. `passkey`: what a passkey is to answer, for whoever asked for that.
    Asked { kept: Box<KeptSignIn>, hint: Option<Hint>, passkey: Option<PasskeyChallenge> },
    /// It is known who it is. None: they are asked for consent.
    Passed { code: Option<SecretText>, cookie: Option<SessionCookie> },
}

/// Why a step can't be taken.
pub(crate) enum StepRefused {
    /// Nobody knows the sign-in by this handle any more.
    Gone,
    /// There is no way to send messages.
    NoChannel,
    /// Whoever it is may not come in.
    Denied(Denial),
    Outage(Outage),
}

impl From<Outage> for StepRefused {
    fn from(outage: Outage) -> Self {
        Self::Outage(outage)
    }
}

impl From<StorageError> for StepRefused {
    fn from(problem: StorageError) -> Self {
        Self::Outage(problem.into())
    }
}

impl Service {
    pub(crate) async fn step(&self, stepping: &Stepping<'_>, wanted: Move<'_>) -> Result<Stepped, StepRefused> {
        let project = stepping.project;
        let action = self.action(stepping, wanted).await?;
        let plan = Arc::new(Plan {
            id: stepping.kept.sign_in.id,
            shown: stepping.shown,
            next: stepping.next,
            project: Arc::clone(project),
            action,
            now: self.now(),
        });
        // On PostgreSQL somebody else may have become the user in the same moment: then that is who it is.
        for _ in 0..ATTEMPTS {
            let working = Arc::clone(&plan);
            let done = self.db.write(move |mut conn| {
                let plan = Arc::clone(&working);
                Box::pin(async move { plan.run(&mut conn).await })
            });
            return match done.await {
                Ok(Done::Gone) => Err(StepRefused::Gone),
                Ok(Done::Denied(denial)) => Err(StepRefused::Denied(denial)),
                Ok(Done::Asked { kept, hint, was_guess }) => {
                    if was_guess {
                        self.count_guess_in(project, &kept);
                    }
                    let passkey = plan.passkey_asked().filter(|_| hint.is_none());
                    Ok(Stepped::Asked { kept, hint, passkey })
                }
                Ok(Done::Second { kept, news }) => {
                    for change in &news {
                        self.apply(change).await;
                    }
                    self.put_second(stepping, kept).await
                }
                Ok(Done::Passed { news, is_issued, risk, .. }) => {
                    risk::count(&risk);
                    for change in &news {
                        self.apply(change).await;
                    }
                    Ok(plan.passed(is_issued))
                }
                Err(StorageError::Taken(_)) => continue,
                Err(problem) => Err(problem.into()),
            };
        }
        Err(Outage::Unavailable("the user changes faster than it can be read".to_owned()).into())
    }

    fn count_guess_in(&self, project: &ProjectView, kept: &KeptSignIn) {
        match (kept.sign_in.second(), &kept.sign_in.identity) {
            (Some(second), _) => self.count_guess(project, Guessed::SecondFactor(second.user)),
            (None, Some(identity)) => self.count_guess(project, Guessed::Address(identity)),
            (None, None) => {}
        }
    }

    /// What the user used last, or has newest, is asked for at once. Where that can't be, they choose.
    async fn put_second(&self, stepping: &Stepping<'_>, kept: Box<KeptSignIn>) -> Result<Stepped, StepRefused> {
        let preferred = kept.sign_in.second().and_then(|second| second.choices.first().copied());
        if let Some(kind) = preferred {
            let again = Stepping { kept: &kept, shown: stepping.next, ..*stepping };
            match Box::pin(self.step(&again, Move::Second(kind))).await {
                Err(StepRefused::NoChannel) => {}
                stepped => return stepped,
            }
        }
        Ok(Stepped::Asked { kept, hint: None, passkey: None })
    }

    async fn action(&self, stepping: &Stepping<'_>, wanted: Move<'_>) -> Result<Action, StepRefused> {
        if let Some(second) = stepping.kept.sign_in.second() {
            return self.second_action(stepping, second, wanted).await;
        }
        match wanted {
            Move::Look => Ok(Action::Nothing(None)),
            Move::Mistake | Move::Resend | Move::Second(_) | Move::Phone(_) | Move::RecoveryCode(_) => {
                Ok(Action::Nothing(Some(Hint::RetryInput)))
            }
            Move::Send(to) => self.sending(stepping, to).await,
            Move::Code(code) => {
                let Some(identity) = &stepping.kept.sign_in.identity else {
                    return Ok(Action::Nothing(Some(Hint::RetryInput)));
                };
                let room = self.room_for_guess(stepping.project, Guessed::Address(identity));
                match (room, OneTimeCode::unverified(code)) {
                    (Err(too_many), _) => Ok(Action::Nothing(Some(Hint::Wait(too_many.retry_after)))),
                    (Ok(()), None) => Ok(Action::Nothing(Some(Hint::RetryInput))),
                    (Ok(()), Some(code)) => {
                        let key = self.master_key.one_time_code_key(&stepping.project.project.id);
                        self.claiming(stepping, identity, Shown::Code(code, Box::new(key)))
                    }
                }
            }
            Move::Link(secret) => match (&stepping.kept.sign_in.identity, LinkHash::of(secret)) {
                (Some(identity), Some(hash)) => self.claiming(stepping, identity, Shown::Link(hash)),
                _ => Ok(Action::Nothing(Some(Hint::ResendCode))),
            },
            Move::AskPasskey => self.asking_passkey(stepping),
            Move::Passkey(response) => self.showing_passkey(stepping, response).await,
        }
    }

    async fn sending(&self, stepping: &Stepping<'_>, to: &Identity) -> Result<Action, StepRefused> {
        let (project, now) = (stepping.project, self.now());
        let sign_in = &stepping.kept.sign_in;
        let challenge = ChallengeId::new(now, self.entropy.bytes());
        let begun = sign_in.clone().named(to.clone(), now).and_then(|sign_in| sign_in.send(challenge, now));
        if let Err(reason) = begun {
            return Ok(Action::Nothing(Some(reason.into())));
        }
        let Some(destination) = destination_of(to) else {
            return Err(Outage::Fault("a sign-in is about something that takes no messages".to_owned()).into());
        };
        if self.channel_state(destination.channel()) == ChannelState::Absent {
            return Err(StepRefused::NoChannel);
        }
        if let Err(too_many) = self.take_sending_budget(project, &destination, stepping.caller.address) {
            return Ok(Action::Nothing(Some(Hint::Wait(too_many.retry_after))));
        }
        let is_known = self.is_known(project, to).await?;
        let code = OneTimeCode::generate(&self.entropy);
        let code_hash = self.master_key.one_time_code_key(&project.project.id).hash(challenge, &code);
        // A link leads to a page of ours, which an app's own screens are not.
        let secret = match stepping.front {
            Front::App => None,
            Front::Browser { .. } => Some(sign_in_link::generate(&self.entropy)),
        };
        let link = |secret: &SecretText| {
            format!("{}/sign-in/{}/link?k={}", project.issuer, sign_in.id, secret.danger_expose())
        };
        let letter = Letter::with_code(
            code.into_secret(),
            secret.as_ref().map(link),
            is_known,
            may_sign_up(project),
            CODE_LIFETIME,
        );
        let message = self.draft_code_message(challenge, project, &destination, stepping.locale, &letter, now);
        let link_hash = secret.and_then(|secret| LinkHash::of(secret.danger_expose()));
        Ok(Action::Send(Box::new(Sending { identity: to.clone(), challenge, code_hash, link_hash, message })))
    }

    fn claiming(&self, stepping: &Stepping<'_>, identity: &Identity, shown: Shown) -> Result<Action, StepRefused> {
        let (project, now) = (stepping.project, self.now());
        let proof = Proof { methods: "otp".parse::<Method>().into_iter().collect(), level: Level::OneFactor, at: now };
        let claim = Claim {
            shown,
            arrival: Arrival {
                project: project.project.id.clone(),
                identity: identity.clone(),
                new_user: UserId::new(now, self.entropy.bytes()),
                now,
                told_until: self.last_possible_access_token(&project.project.id, now),
                entropy: self.entropy.clone(),
                request: stepping.caller.request_id.clone(),
            },
            create: (may_sign_up(project) && stepping.kept.sign_in.purpose.only_user().is_none())
                .then(|| Names { given: Name::empty(), family: Name::empty() }),
        };
        self.showing(stepping, Who::Address(claim), proof)
    }

    pub(super) fn showing(&self, stepping: &Stepping<'_>, who: Who, proof: Proof) -> Result<Action, StepRefused> {
        let (project, now) = (stepping.project, self.now());
        let sign_in = &stepping.kept.sign_in;
        let request = kept_request(&sign_in.purpose)?;
        let only_user = sign_in.purpose.only_user();
        let passkey = who.passkey();
        let first = who.as_first(&proof, project, request.as_ref(), only_user.is_some());
        let draw_up = |request| self.draw_up_code(project, &request, proof.clone(), sign_in.dpop_jkt);
        let issue = request.map(draw_up).transpose()?.map(|issue| issue.by(passkey));
        let browser = match stepping.front {
            Front::Browser { before } if only_user.is_none() => {
                Some(self.draw_up_browser(project, proof, before, stepping.caller).by(passkey))
            }
            // Nobody stays signed in who only proves a change.
            Front::App | Front::Browser { .. } => None,
        };
        Ok(Action::Show(Box::new(Showing {
            attempt: self.draw_up_attempt(stepping, &who),
            who,
            first,
            issue,
            only_user,
            browser,
            passed: AuditId::new(now, self.entropy.bytes()),
            request: stepping.caller.request_id.clone(),
        })))
    }
}

impl Plan {
    /// After the commit.
    fn passed(&self, is_issued: bool) -> Stepped {
        let Action::Show(showing) = &self.action else {
            return Stepped::Passed { code: None, cookie: None };
        };
        Stepped::Passed {
            code: showing.issue.as_ref().filter(|_| is_issued).map(Issue::code),
            cookie: showing.browser.as_ref().map(|browser| browser.cookie.clone()),
        }
    }

    /// What a passkey is to answer, where that was asked for.
    fn passkey_asked(&self) -> Option<PasskeyChallenge> {
        match &self.action {
            Action::Ask(challenge) => Some(PasskeyChallenge::clone(challenge)),
            _ => None,
        }
    }
}

/// Here nobody is asked for an activation code.
fn may_sign_up(project: &ProjectView) -> bool {
    project.settings.signup && !project.settings.signup_activation
}
