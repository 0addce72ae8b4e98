//! Taking a code: the tries are counted, the user found or made, and the session opened, in one transaction.

use std::{num::NonZeroU32, sync::Arc};

use countersign_crypto::one_time_code::{OneTimeCode, OneTimeCodeKey};
use countersign_domain::{
    challenge::{LIFETIME, TRIES, TRIES_OF_ALL},
    clock::Timestamp,
    id::UserId,
    identity::IdentityKind,
    policy::SignupExisting,
    proof::{Level, Method, Proof},
};
use countersign_storage::{
    Conn, audit,
    challenges::{self, Sought},
    changes::{self, Change},
    error::{Error as StorageError, Result as StorageResult},
};

use super::{CodeFor, CodeRefused, client_of_code, sought};
use crate::{
    Service,
    address::Address,
    caller::Caller,
    directory::{ClientView, ProjectView},
    error::Outage,
    guesses::Guessed,
    limits::Rate,
    session::{
        draft::Terms,
        write::{Writing, WrittenSession},
    },
    token::TokenPair,
    users::arrival::{ATTEMPTS, Arrival, Arrived},
    verdicts::{ACCEPTED, Proof as Verdict},
    vouch::{Activation, Names, Newcomer},
};

impl Service {
    /// Opens a session for whoever shows the code that was sent to the address; for a newcomer, also where nobody has it.
    pub async fn sign_in_by_code(
        &self,
        address: &Address,
        wanted: &CodeFor,
        unverified_code: &str,
        newcomer: Option<Newcomer>,
        caller: &Caller,
    ) -> Result<TokenPair, CodeRefused> {
        let opened = self.opened_by_code(address, wanted, unverified_code, newcomer, caller).await;
        Verdict::Code.count(opened.as_ref().map_or_else(CodeRefused::reason, |_| ACCEPTED));
        opened
    }

    async fn opened_by_code(
        &self,
        address: &Address,
        wanted: &CodeFor,
        unverified_code: &str,
        newcomer: Option<Newcomer>,
        caller: &Caller,
    ) -> Result<TokenPair, CodeRefused> {
        self.fresh()?;
        let project = self.project_of_code(address, &wanted.project)?;
        let client = client_of_code(&project, &wanted.client)?;
        if newcomer.is_some() && !project.settings.signup {
            return Err(CodeRefused::Closed);
        }
        let code = OneTimeCode::unverified(unverified_code).ok_or(CodeRefused::WrongCode)?;
        self.take_try(&project, wanted, caller)?;
        let identity = super::identity_of(&wanted.destination);
        self.room_for_guess(&project, Guessed::Address(&identity)).map_err(CodeRefused::TooMany)?;
        let plan = Arc::new(self.plan(&project, client, wanted, code, newcomer, caller));
        // On PostgreSQL somebody else may have become the user in the same moment: then that is who it is.
        for _ in 0..ATTEMPTS {
            let working = Arc::clone(&plan);
            let done = self.db.write(move |mut conn| {
                let plan = Arc::clone(&working);
                Box::pin(async move { plan.run(&mut conn).await })
            });
            match done.await {
                Ok(Done::Opened { written, news }) => {
                    for change in &news {
                        self.apply(change).await;
                    }
                    return Ok(self.written(&project, &plan.writing, &written).await?);
                }
                Ok(Done::Refused(Refused::WrongCode)) => {
                    self.count_guess(&project, Guessed::Address(&identity));
                    return Err(CodeRefused::WrongCode);
                }
                Ok(Done::Refused(refused)) => return Err(refused.into()),
                Err(StorageError::Taken(_)) => {}
                Err(problem) => return Err(Outage::from(problem).into()),
            }
        }
        Err(Outage::Unavailable("the user changes faster than it can be read".to_owned()).into())
    }

    /// A stranger who guesses at somebody's code uses up their own network's tries, and not yet the code.
    fn take_try(&self, project: &ProjectView, wanted: &CodeFor, caller: &Caller) -> Result<(), CodeRefused> {
        let network = countersign_crypto::caller_marks::network_of(caller.address);
        let who = ("code", &project.project.id, super::identity_of(&wanted.destination), network);
        let rate = Rate::within(NonZeroU32::MIN.saturating_add(TRIES - 1), LIFETIME);
        self.limits.take(&who, rate, self.time.monotonic()).map_err(CodeRefused::TooMany)
    }

    fn plan(
        &self,
        project: &ProjectView,
        client: &ClientView,
        wanted: &CodeFor,
        code: OneTimeCode,
        newcomer: Option<Newcomer>,
        caller: &Caller,
    ) -> Plan {
        let now = self.now();
        let sought = sought(project, &wanted.destination);
        let proof = Proof { methods: methods(sought.destination.kind()), level: Level::OneFactor, at: now };
        let terms = Terms { vouched_by: None, device: None, dpop_jkt: None, proof, longest: None };
        let reject_existing = newcomer.is_some() && project.settings.signup_existing == SignupExisting::Reject;
        let shown = newcomer.as_ref().and_then(|newcomer| newcomer.activation_code.as_deref());
        let activation = Activation::asked_by(&project.settings, shown);
        Plan {
            code,
            key: self.master_key.one_time_code_key(&project.project.id),
            arrival: Arrival {
                project: project.project.id.clone(),
                identity: sought.destination.clone(),
                new_user: UserId::new(now, self.entropy.bytes()),
                now,
                told_until: self.last_possible_access_token(&project.project.id, now),
                entropy: self.entropy.clone(),
                request: caller.request_id.clone(),
            },
            sought,
            create: newcomer.map(|newcomer| newcomer.names),
            reject_existing,
            activation,
            writing: self.writing(project, client, terms, caller, now),
            now,
        }
    }
}

/// RFC 8176 §2.
fn methods(kind: IdentityKind) -> Vec<Method> {
    let names: &[&str] = if kind == IdentityKind::Phone { &["otp", "sms"] } else { &["otp"] };
    names.iter().filter_map(|name| name.parse().ok()).collect()
}

/// Everything the transaction needs, drawn up before: it may run several times and must come to the same.
struct Plan {
    sought: Sought,
    code: OneTimeCode,
    key: OneTimeCodeKey,
    arrival: Arrival,
    /// The names of one who comes to be; none: nobody does.
    create: Option<Names>,
    reject_existing: bool,
    activation: Activation,
    writing: Writing,
    now: Timestamp,
}

enum Done {
    Opened { written: Box<WrittenSession>, news: Vec<Change> },
    Refused(Refused),
}

/// What only the transaction could know. What it has counted stays counted.
#[derive(Clone, Copy)]
enum Refused {
    WrongCode,
    NoSuchUser,
    UserExists,
    UserDisabled,
    ActivationCode,
}

impl From<Refused> for CodeRefused {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::WrongCode => Self::WrongCode,
            Refused::NoSuchUser => Self::NoSuchUser,
            Refused::UserExists => Self::UserExists,
            Refused::UserDisabled => Self::UserDisabled,
            Refused::ActivationCode => Self::ActivationCode,
        }
    }
}

impl Plan {
    async fn run(&self, conn: &mut Conn<'_>) -> StorageResult<Done> {
        let live = challenges::count_try(conn, &self.sought, TRIES_OF_ALL, self.now).await?;
        // Every code that is live is looked at, whichever is right: how long it takes says nothing.
        let right = live.iter().filter(|(id, hash)| self.key.matches(*id, &self.code, hash)).count();
        if right == 0 {
            return Ok(Done::Refused(Refused::WrongCode));
        }
        if self.reject_existing && self.arrival.is_known(conn).await? {
            return Ok(Done::Refused(Refused::UserExists));
        }
        let user = match (self.arrival.find(conn).await?, &self.create) {
            (Arrived::Disabled, _) => return Ok(Done::Refused(Refused::UserDisabled)),
            (Arrived::User(user), _) => user,
            // The code stays good, for the sign-up that the app tries next.
            (Arrived::Nobody, None) => return Ok(Done::Refused(Refused::NoSuchUser)),
            (Arrived::Nobody, Some(_)) if !self.activation.spend(conn, &self.sought.project, self.now).await? => {
                return Ok(Done::Refused(Refused::ActivationCode));
            }
            (Arrived::Nobody, Some(names)) => Box::new(self.arrival.create(conn, names).await?),
        };
        challenges::spend(conn, &self.sought, self.now).await?;
        audit::insert_many(conn, &user.entries.iter().collect::<Vec<_>>()).await?;
        for change in &user.news {
            changes::insert(conn, change).await?;
        }
        let written = Box::new(self.writing.run(conn, user.id, user.generation).await?);
        Ok(Done::Opened { written, news: user.news })
    }
}
