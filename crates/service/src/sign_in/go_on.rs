//! The next step: a method is chosen, or a code shown. One transaction takes the sign-in up, moves it on, and writes what comes of it.

use std::sync::Arc;

use countersign_crypto::{
    one_time_code::{OneTimeCode, OneTimeCodeHash, OneTimeCodeKey},
    secret::SecretText,
    sign_in_handle::{HandleHash, UnverifiedHandle, generate},
};
use countersign_domain::{
    audit::{Act, Actor, AuditEntry, Subject},
    clock::Timestamp,
    id::{AuditId, ChallengeId, SignInId, UserId},
    locale::Locale,
    proof::{Level, Method, Proof},
    sign_in::CODE_LIFETIME,
    text::Name,
};
use countersign_storage::{
    Conn, audit, authorization_codes,
    changes::{self, Change},
    error::{Error as StorageError, Result as StorageResult},
    messages::{self, OutgoingMessage},
    sign_ins::{self, KeptSignIn},
};

use super::{
    ChallengeCall, ChallengeRefused, Denial, Outcome,
    prompt::{EMAIL_CODE, Hint, Prompt},
};
use crate::{
    Service,
    caller::Caller,
    client_auth::AuthenticatedClient,
    code_sign_in::destination_of,
    deliver::{health::ChannelState, letter::Letter},
    directory::ProjectView,
    error::Outage,
    oauth::{authorization::AuthorizationRequest, code::CodeDraft},
    users::arrival::{Arrival, Arrived},
    vouch::Names,
};

impl Service {
    pub(super) async fn go_on_with_sign_in(
        &self,
        client: &AuthenticatedClient,
        unverified_handle: &str,
        call: &ChallengeCall<'_>,
        caller: &Caller,
    ) -> Result<Outcome, ChallengeRefused> {
        let project = &client.project;
        let shown = UnverifiedHandle::read(unverified_handle).ok_or(ChallengeRefused::InvalidSession)?;
        let kept = self.look_at_sign_in(project, &shown).await?;
        let is_theirs =
            kept.sign_in.client == client.id && kept.sign_in.dpop_jkt == self.challenge_key(client, call)?;
        if !is_theirs {
            return Err(ChallengeRefused::InvalidSession);
        }
        let identity = kept.sign_in.identity.clone();
        let action = self.action(project, &kept, call, caller).await?;
        let next = generate(kept.sign_in.id, &self.entropy);
        let plan = Arc::new(Plan {
            id: kept.sign_in.id,
            shown: shown.hash,
            next: HandleHash::of(&next),
            project: Arc::clone(project),
            action,
            now: self.now(),
        });
        // On PostgreSQL somebody else may have become the user in the same moment: then that is who it is.
        for _ in 0..2 {
            let working = Arc::clone(&plan);
            let done = self.db.write(move |mut conn| {
                let plan = Arc::clone(&working);
                Box::pin(async move { plan.run(&mut conn).await })
            });
            return match done.await {
                Ok(Done::Gone) => Err(ChallengeRefused::InvalidSession),
                Ok(Done::Denied(denial)) => Err(ChallengeRefused::Denied(denial)),
                Ok(Done::Asked { prompt, was_guess }) => {
                    if was_guess {
                        self.count_guess(project, &identity);
                    }
                    Ok(Outcome::Asked { handle: next, prompt })
                }
                Ok(Done::Passed(news)) => {
                    for change in &news {
                        self.apply(change).await;
                    }
                    plan.action.code().map(Outcome::Code).ok_or_else(|| {
                        Outage::Fault("a sign-in was passed by something other than a code".to_owned()).into()
                    })
                }
                Err(StorageError::Taken(_)) => continue,
                Err(problem) => Err(Outage::from(problem).into()),
            };
        }
        Err(Outage::Unavailable("the user changes faster than it can be read".to_owned()).into())
    }

    async fn look_at_sign_in(
        &self,
        project: &ProjectView,
        shown: &UnverifiedHandle,
    ) -> Result<KeptSignIn, ChallengeRefused> {
        let mut reader = self.db.reader().await.map_err(Outage::from)?;
        let found = sign_ins::find(&mut reader.conn(), &project.project.id, shown.unverified_id, &shown.hash).await;
        let kept = found.map_err(Outage::from)?.ok_or(ChallengeRefused::InvalidSession)?;
        if kept.sign_in.expires_at.is_past(self.now()) { Err(ChallengeRefused::InvalidSession) } else { Ok(kept) }
    }

    /// What the call wants, with everything drawn up that it may need.
    async fn action(
        &self,
        project: &Arc<ProjectView>,
        kept: &KeptSignIn,
        call: &ChallengeCall<'_>,
        caller: &Caller,
    ) -> Result<Action, ChallengeRefused> {
        match (call.form.text("code"), call.form.text("method")) {
            (Some(code), _) => {
                let room = self.room_for_guess(project, &kept.sign_in.identity);
                match (room, OneTimeCode::unverified(code)) {
                    (Err(too_many), _) => Ok(Action::Nothing(Some(Hint::Wait(too_many.retry_after)))),
                    (Ok(()), None) => Ok(Action::Nothing(Some(Hint::RetryInput))),
                    (Ok(()), Some(code)) => Ok(Action::Show(Box::new(self.showing(project, kept, code, caller)?))),
                }
            }
            (None, Some(EMAIL_CODE)) => self.sending(project, kept, call.locale, caller).await,
            (None, Some(_)) => Ok(Action::Nothing(Some(Hint::RetryInput))),
            (None, None) => Ok(Action::Nothing(None)),
        }
    }

    async fn sending(
        &self,
        project: &ProjectView,
        kept: &KeptSignIn,
        locale: Locale,
        caller: &Caller,
    ) -> Result<Action, ChallengeRefused> {
        let now = self.now();
        let challenge = ChallengeId::new(now, self.entropy.bytes());
        if let Err(reason) = kept.sign_in.clone().send(challenge, now) {
            return Ok(Action::Nothing(Some(reason.into())));
        }
        let identity = &kept.sign_in.identity;
        let Some(to) = destination_of(identity) else {
            return Err(Outage::Fault("a sign-in is about something that takes no messages".to_owned()).into());
        };
        if self.channel_state(to.channel()) == ChannelState::Absent {
            return Err(ChallengeRefused::NoChannel);
        }
        if let Err(too_many) = self.take_sending_budget(project, &to, caller.address) {
            return Ok(Action::Nothing(Some(Hint::Wait(too_many.retry_after))));
        }
        let is_known = self.is_known(project, identity).await?;
        let code = OneTimeCode::generate(&self.entropy);
        let hash = self.master_key.one_time_code_key(&project.project.id).hash(challenge, &code);
        let letter = Letter::with_code(code.into_secret(), is_known, may_sign_up(project), CODE_LIFETIME);
        let message = self.draft_message(project, &to, locale, &letter, now);
        Ok(Action::Send(Box::new(Sending { challenge, hash, message })))
    }

    fn showing(
        &self,
        project: &ProjectView,
        kept: &KeptSignIn,
        code: OneTimeCode,
        caller: &Caller,
    ) -> Result<Showing, ChallengeRefused> {
        let now = self.now();
        let request = AuthorizationRequest::from_json(&kept.sign_in.request)
            .ok_or_else(|| Outage::Fault("a kept authorization request can't be read".to_owned()))?;
        let new_user = UserId::new(now, self.entropy.bytes());
        let proof = Proof { methods: "otp".parse::<Method>().into_iter().collect(), level: Level::OneFactor, at: now };
        let mut draft = self.draft_code(project, &request, new_user, proof, now);
        if kept.sign_in.dpop_jkt.is_some() {
            draft.row.code.dpop_jkt = kept.sign_in.dpop_jkt;
        }
        Ok(Showing {
            code,
            key: self.master_key.one_time_code_key(&project.project.id),
            create: may_sign_up(project).then(|| Names { given: Name::empty(), family: Name::empty() }),
            passed: AuditId::new(now, self.entropy.bytes()),
            arrival: Arrival {
                project: project.project.id.clone(),
                identity: kept.sign_in.identity.clone(),
                new_user,
                now,
                told_until: self.last_possible_access_token(&project.project.id, now),
                entropy: self.entropy.clone(),
                request: caller.request_id.clone(),
            },
            draft,
        })
    }
}

/// Here nobody is asked for an activation code.
fn may_sign_up(project: &ProjectView) -> bool {
    project.settings.signup && !project.settings.signup_activation
}

/// Everything the transaction needs, drawn up before: it may run several times and must come to the same.
struct Plan {
    id: SignInId,
    shown: HandleHash,
    next: HandleHash,
    project: Arc<ProjectView>,
    action: Action,
    now: Timestamp,
}

enum Action {
    /// The question is asked again.
    Nothing(Option<Hint>),
    Send(Box<Sending>),
    Show(Box<Showing>),
}

struct Sending {
    challenge: ChallengeId,
    hash: OneTimeCodeHash,
    message: OutgoingMessage,
}

struct Showing {
    code: OneTimeCode,
    key: OneTimeCodeKey,
    arrival: Arrival,
    create: Option<Names>,
    draft: CodeDraft,
    passed: AuditId,
}

impl Action {
    fn code(&self) -> Option<SecretText> {
        match self {
            Self::Show(showing) => Some(showing.draft.code.clone()),
            Self::Nothing(_) | Self::Send(_) => None,
        }
    }
}

enum Done {
    /// Nobody knows it by this handle any more.
    Gone,
    Asked {
        prompt: Prompt,
        was_guess: bool,
    },
    Denied(Denial),
    Passed(Vec<Change>),
}

impl Plan {
    async fn run(&self, conn: &mut Conn<'_>) -> StorageResult<Done> {
        let project = &self.project.project.id;
        let Some(kept) = sign_ins::take_up(conn, project, self.id, &self.shown, &self.next).await? else {
            return Ok(Done::Gone);
        };
        match &self.action {
            Action::Nothing(hint) => Ok(asked(&kept, *hint)),
            Action::Send(sending) => self.send(conn, kept, sending).await,
            Action::Show(showing) => self.show(conn, kept, showing).await,
        }
    }

    async fn send(&self, conn: &mut Conn<'_>, kept: KeptSignIn, sending: &Sending) -> StorageResult<Done> {
        let sign_in = match kept.sign_in.clone().send(sending.challenge, self.now) {
            Ok(sign_in) => sign_in,
            Err(reason) => return Ok(asked(&kept, Some(reason.into()))),
        };
        let kept = KeptSignIn { sign_in, code_hash: Some(sending.hash.clone()) };
        sign_ins::update(conn, &kept).await?;
        messages::insert(conn, &sending.message).await?;
        Ok(asked(&kept, None))
    }

    async fn show(&self, conn: &mut Conn<'_>, kept: KeptSignIn, showing: &Showing) -> StorageResult<Done> {
        let sent = match kept.sign_in.judge(self.now) {
            Ok(sent) => sent,
            Err(reason) => return Ok(asked(&kept, Some(reason.into()))),
        };
        let is_right = |hash| showing.key.matches(sent.challenge, &showing.code, hash);
        if !kept.code_hash.as_ref().is_some_and(is_right) {
            let mistaken = KeptSignIn { sign_in: kept.sign_in.mistaken(), code_hash: kept.code_hash };
            sign_ins::update(conn, &mistaken).await?;
            let hint = mistaken.sign_in.judge(self.now).map_or_else(Hint::from, |_| Hint::RetryInput);
            return Ok(Done::Asked { prompt: Prompt::of(&mistaken.sign_in, Some(hint)), was_guess: true });
        }
        self.pass(conn, &kept, showing).await
    }

    /// The address is proved: whose is it? Whatever comes of that, the sign-in is at its end.
    async fn pass(&self, conn: &mut Conn<'_>, kept: &KeptSignIn, showing: &Showing) -> StorageResult<Done> {
        let project = &self.project.project.id;
        sign_ins::end(conn, project, self.id, self.now).await?;
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
        let mut code = showing.draft.row.clone();
        code.code.user = user.id;
        if !authorization_codes::insert(conn, &code).await? {
            return Ok(Done::Denied(Denial::Disabled));
        }
        let passed = AuditEntry {
            project: project.clone(),
            id: showing.passed,
            at: self.now,
            act: Act::SignInPassed,
            actor: Actor::User(user.id),
            subject: Subject { user: Some(user.id), client: Some(kept.sign_in.client.clone()), ..Subject::default() },
            request: Some(showing.arrival.request.clone()),
            detail: vec![("method", EMAIL_CODE.to_owned())],
        };
        audit::insert_many(conn, &[&passed]).await?;
        Ok(Done::Passed(user.news))
    }
}

fn asked(kept: &KeptSignIn, hint: Option<Hint>) -> Done {
    Done::Asked { prompt: Prompt::of(&kept.sign_in, hint), was_guess: false }
}
