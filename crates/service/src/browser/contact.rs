//! A user wants to be known by another address, or another telephone number: whoever shows the code that went there holds it.

use std::sync::Arc;

use countersign_crypto::one_time_code::OneTimeCode;
use countersign_domain::{
    id::{ChallengeId, UserId},
    identity::{Identity, IdentityKind, IdentityRecord},
    message::{Channel, Destination},
    sign_in::{CODE_LIFETIME, TRIES},
};
use countersign_storage::{
    contact_changes::{self, ContactChange, Tried},
    error::Error as StorageError,
    identities,
    messages::{self, OutgoingMessage},
};

use super::{
    Browser, PageRefused,
    account::Owner,
    account_mistake::AccountMistake,
    authorize::Authorized,
    contact_proof::{Done, Proving, is_still_signed_in},
    locale_of,
    session::LiveBrowser,
};
use crate::{
    Service,
    address::Address,
    caller::Caller,
    code_sign_in::destination_of,
    deliver::{
        health::ChannelState,
        letter::{AccountNews, Letter},
    },
    directory::ProjectView,
    error::Outage,
    guesses::Guessed,
};

/// How often somebody else may come first before we give up.
const ATTEMPTS: usize = 4;

/// What a user is known by, as their own page has it.
pub struct OwnContacts {
    /// Addresses and numbers, the newest first.
    pub all: Vec<IdentityRecord>,
    /// What they asked for in this browser, and have yet to prove.
    pub pending: Vec<PendingContact>,
    /// May there be a code for an address, or for a number?
    pub channels: Vec<Channel>,
}

/// What somebody has yet to prove.
pub struct PendingContact {
    /// What it is.
    pub kind: IdentityKind,
    /// Where the code went.
    pub destination: String,
}

/// What comes of it.
pub enum Contact {
    /// It is done.
    Done,
    /// It won't do.
    Failed(AccountMistake),
    /// They must prove again who they are.
    SignIn(Authorized),
}

/// What a user wants to be known by.
#[derive(Debug, Clone, Copy)]
pub struct Wish<'a> {
    /// What it is: `email` or `phone`.
    pub kind: &'a str,
    /// As it was typed.
    pub to: &'a str,
    /// In the place of what; empty: beside what there is.
    pub replaces: &'a str,
}

impl Service {
    pub(super) async fn own_contacts(&self, project: &ProjectView, live: &LiveBrowser) -> Result<OwnContacts, Outage> {
        let (id, user, now) = (&project.project.id, live.session.user, self.now());
        let mut reader = self.db.reader().await?;
        let all = identities::list(&mut reader.conn(), id, user).await?;
        let pending = contact_changes::list(&mut reader.conn(), id, user).await?;
        drop(reader);
        let is_good_here = |change: &ContactChange| {
            change.browser == live.session.id && !change.expires_at.is_past(now) && change.tries < TRIES
        };
        let shown = pending.into_iter().filter(is_good_here).map(|change| PendingContact {
            kind: change.to.kind(),
            destination: destination_of(&change.to).map(|to| to.masked()).unwrap_or_default(),
        });
        Ok(OwnContacts {
            all: all.into_iter().filter(|record| destination_of(&record.identity).is_some()).collect(),
            pending: shown.collect(),
            channels: Channel::ALL.into_iter().filter(|it| self.channel_state(*it) != ChannelState::Absent).collect(),
        })
    }

    /// Sends a code to what somebody wants to be known by. Whoever has it already, nobody is told before the code is shown.
    pub async fn ask_contact(
        &self,
        address: &Address,
        wish: Wish<'_>,
        unverified_form_token: &str,
        browser: Browser<'_>,
        caller: &Caller,
    ) -> Result<Contact, PageRefused> {
        let owner = self.owner_of_form(address, unverified_form_token, browser).await?;
        if let Some(authorized) = self.sign_in_if_stale(&owner, browser, caller).await? {
            return Ok(Contact::SignIn(authorized));
        }
        let project = &owner.project;
        let to = match read_wish(wish) {
            Ok(to) => to,
            Err(mistake) => return Ok(Contact::Failed(mistake)),
        };
        let Some(destination) = destination_of(&to) else { return Ok(Contact::Failed(AccountMistake::NoAddress)) };
        let having = self.identities_of(project, owner.live.session.user).await?;
        if having.iter().any(|record| record.identity == to && record.is_proved_here()) {
            return Ok(Contact::Failed(AccountMistake::Yours));
        }
        let named = Identity::parse(to.kind(), wish.replaces).ok();
        let replaces = having.into_iter().map(|record| record.identity).find(|it| Some(it) == named.as_ref());
        if !wish.replaces.is_empty() && replaces.is_none() {
            return Ok(Contact::Failed(AccountMistake::Gone));
        }
        if self.channel_state(destination.channel()) == ChannelState::Absent {
            return Ok(Contact::Failed(AccountMistake::no_channel(destination.channel())));
        }
        let room = self.room_for_guess(project, Guessed::Address(&to));
        if room.and_then(|()| self.take_sending_budget(project, &destination, caller.address)).is_err() {
            return Ok(Contact::Failed(AccountMistake::Wait));
        }
        self.send_contact_code(&owner, to, replaces, &destination, browser).await
    }

    async fn send_contact_code(
        &self,
        owner: &Owner,
        to: Identity,
        replaces: Option<Identity>,
        destination: &Destination,
        browser: Browser<'_>,
    ) -> Result<Contact, PageRefused> {
        let (project, now) = (&owner.project, self.now());
        let challenge = ChallengeId::new(now, self.entropy.bytes());
        let code = OneTimeCode::generate(&self.entropy);
        let change = ContactChange {
            project: project.project.id.clone(),
            user: owner.live.session.user,
            browser: owner.live.session.id,
            challenge,
            to,
            replaces,
            code_hash: self.master_key.one_time_code_key(&project.project.id).hash(challenge, &code),
            tries: 0,
            created_at: now,
            expires_at: now.plus(CODE_LIFETIME),
        };
        let letter = Letter::ContactCode { code: code.into_secret(), valid_for: CODE_LIFETIME };
        let locale = locale_of(&[], browser);
        let message = self.draft_code_message(challenge, project, destination, locale, &letter, now);
        let plan = Arc::new((change, message, project.project.generation));
        let written = self.db.write(move |mut conn| {
            let plan = Arc::clone(&plan);
            Box::pin(async move {
                let (change, message, generation) = &*plan;
                let (project, user) = (&change.project, change.user);
                if !is_still_signed_in(&mut conn, project, user, change.browser, *generation, now).await? {
                    return Ok(false);
                }
                contact_changes::put(&mut conn, change).await?;
                messages::insert(&mut conn, message).await?;
                Ok(true)
            })
        });
        if written.await.map_err(Outage::from)? { Ok(Contact::Done) } else { Err(PageRefused::Over) }
    }

    /// The code is shown: from now on the user is known by that.
    pub async fn prove_contact(
        &self,
        address: &Address,
        kind: &str,
        code: &str,
        unverified_form_token: &str,
        browser: Browser<'_>,
        caller: &Caller,
    ) -> Result<Contact, PageRefused> {
        let Owner { project, live } = self.owner_of_form(address, unverified_form_token, browser).await?;
        let (id, user) = (&project.project.id, live.session.user);
        let Ok(kind) = kind.parse::<IdentityKind>() else { return Ok(Contact::Failed(AccountMistake::CodeOver)) };
        let mut reader = self.db.reader().await.map_err(Outage::from)?;
        let pending = contact_changes::find(&mut reader.conn(), id, user, kind).await.map_err(Outage::from)?;
        drop(reader);
        let Some(pending) = pending else { return Ok(Contact::Failed(AccountMistake::CodeOver)) };
        let Some(code) = OneTimeCode::unverified(code) else {
            return Ok(Contact::Failed(AccountMistake::WrongCode));
        };
        if self.room_for_guess(&project, Guessed::Address(&pending.to)).is_err() {
            return Ok(Contact::Failed(AccountMistake::Wait));
        }
        let proving = Arc::new(Proving {
            tried: Tried { project: id.clone(), user, kind, browser: live.session.id },
            code,
            key: self.master_key.one_time_code_key(id),
            generation: project.project.generation,
            notices: self.contact_notices(&project, user, &pending, browser).await?,
            pending,
            entropy: self.entropy.clone(),
            request: caller.request_id.clone(),
            now: self.now(),
        });
        self.prove_wish(&project, &proving).await
    }

    async fn prove_wish(&self, project: &ProjectView, proving: &Arc<Proving>) -> Result<Contact, PageRefused> {
        // On PostgreSQL somebody else may have come to have the address in the same moment.
        for _ in 0..ATTEMPTS {
            let working = Arc::clone(proving);
            let done = self.db.write(move |mut conn| {
                let proving = Arc::clone(&working);
                Box::pin(async move { proving.run(&mut conn).await })
            });
            return match done.await {
                Ok(Done::Known(news)) => {
                    for change in &news {
                        self.apply(change).await;
                    }
                    Ok(Contact::Done)
                }
                Ok(Done::SignedOut) => Err(PageRefused::Over),
                Ok(Done::Wrong) => {
                    self.count_guess(project, Guessed::Address(&proving.pending.to));
                    Ok(Contact::Failed(AccountMistake::WrongCode))
                }
                Ok(Done::Over) => Ok(Contact::Failed(AccountMistake::CodeOver)),
                Ok(Done::Taken) => Ok(Contact::Failed(AccountMistake::Taken)),
                Err(StorageError::Taken(_)) => continue,
                Err(problem) => Err(Outage::from(problem).into()),
            };
        }
        Err(Outage::Unavailable("the address changes hands faster than it can be read".to_owned()).into())
    }

    pub(super) async fn identities_of(
        &self,
        project: &ProjectView,
        user: UserId,
    ) -> Result<Vec<IdentityRecord>, Outage> {
        Ok(identities::list(&mut self.db.reader().await?.conn(), &project.project.id, user).await?)
    }

    /// To whatever the user was known by before: by mail to every address, and, where a number goes, to that number.
    async fn contact_notices(
        &self,
        project: &ProjectView,
        user: UserId,
        change: &ContactChange,
        browser: Browser<'_>,
    ) -> Result<Vec<OutgoingMessage>, Outage> {
        let masked = destination_of(&change.to).map(|to| to.masked()).unwrap_or_default();
        let letter = Letter::Account(AccountNews::ContactChanged { to: masked });
        let locale = locale_of(&[], browser);
        let before = self.identities_of(project, user).await?;
        let before: Vec<IdentityRecord> = before.into_iter().filter(|record| record.identity != change.to).collect();
        let mut notices = self.account_notices(project, &before, locale, &letter);
        if let Some(Identity::Phone(number)) = &change.replaces
            && self.channel_state(Channel::Sms) != ChannelState::Absent
        {
            let to = Destination::Phone(number.clone());
            notices.push(self.draft_message(project, &to, locale, &letter, self.now()));
        }
        Ok(notices)
    }
}

fn read_wish(wish: Wish<'_>) -> Result<Identity, AccountMistake> {
    match wish.kind {
        "email" => wish.to.trim().parse().map(Identity::Email).map_err(|_| AccountMistake::NoAddress),
        "phone" => {
            // As people write them; what is no digit isn't meant.
            let number: String = wish.to.chars().filter(|c| !matches!(c, ' ' | '-' | '(' | ')' | '.' | '/')).collect();
            number.parse().map(Identity::Phone).map_err(|_| AccountMistake::NoNumber)
        }
        _ => Err(AccountMistake::NoAddress),
    }
}
