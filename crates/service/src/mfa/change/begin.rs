//! Beginning: a code goes to where the factor is to be, or an app is given what it counts codes from.

use std::sync::Arc;

use countersign_crypto::{one_time_code::OneTimeCode, secret::SecretText, totp::TotpSeed};
use countersign_domain::{
    id::ChallengeId, identity::Identity, locale::Locale, message::Destination, mfa::FactorKind, text::PhoneNumber,
};
use countersign_storage::{
    messages::{self, OutgoingMessage},
    mfa_changes::{self, AwaitedCode, StoredMfaChange},
};

use super::{ChangeRefused, LIFETIME};
use crate::{
    Service,
    caller::Caller,
    code_sign_in::destination_of,
    delegation::subject::{NamedSubject, Subject},
    deliver::{health::ChannelState, letter::Letter},
    error::Outage,
    proof::delegation::ServiceProvider,
};

/// What a backend wants.
#[derive(Debug)]
pub struct WantedChange {
    /// Whose factor.
    pub userid: String,
    /// What it is to be.
    pub to: SetUp,
}

/// A factor that is to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SetUp {
    /// Codes that an app counts.
    Totp,
    /// Codes to this number.
    Sms(PhoneNumber),
    /// Codes to the user's address.
    Email,
}

/// What waits for a code.
pub struct BegunChange {
    /// What the code is bound to.
    pub id: ChallengeId,
    /// Where the code went, so that people recognise it.
    pub destination: Option<String>,
    /// What an app counts codes from: as text, and as what it reads off a QR code.
    pub seed: Option<(SecretText, SecretText)>,
    /// The code itself, in development alone.
    pub code: Option<SecretText>,
}

struct Drawn {
    change: StoredMfaChange,
    message: Option<OutgoingMessage>,
}

impl Service {
    /// Begins.
    pub async fn begin_mfa_change(
        &self,
        provider: &ServiceProvider,
        wanted: &WantedChange,
        locale: Locale,
        caller: &Caller,
    ) -> Result<BegunChange, ChangeRefused> {
        let subject = self.subject(provider, &wanted.userid).await?;
        if subject.user.disabled_at.is_some() {
            return Err(ChangeRefused::UserDisabled);
        }
        let (drawn, begun) = match contact(&subject, &wanted.to)? {
            Some(contact) => self.draw_sent(provider, &subject, contact, locale, caller)?,
            None => self.draw_counted(provider, &subject),
        };
        let drawn = Arc::new(drawn);
        let written = self.db.write(move |mut conn| {
            let drawn = Arc::clone(&drawn);
            Box::pin(async move {
                mfa_changes::insert(&mut conn, &drawn.change).await?;
                match &drawn.message {
                    Some(message) => messages::insert(&mut conn, message).await,
                    None => Ok(()),
                }
            })
        });
        written.await.map_err(Outage::from)?;
        Ok(begun)
    }

    /// Whom a backend means.
    pub(super) async fn subject(&self, provider: &ServiceProvider, userid: &str) -> Result<Subject, ChangeRefused> {
        let mut reader = self.db.reader().await.map_err(Outage::from)?;
        let named = NamedSubject::read(userid);
        let found = named.find(&mut reader.conn(), &provider.project.project.id).await.map_err(Outage::from)?;
        Ok(found?)
    }

    fn draw_sent(
        &self,
        provider: &ServiceProvider,
        subject: &Subject,
        contact: Identity,
        locale: Locale,
        caller: &Caller,
    ) -> Result<(Drawn, BegunChange), ChangeRefused> {
        let to = destination_of(&contact).ok_or(ChangeRefused::NoAddress)?;
        if self.channel_state(to.channel()) == ChannelState::Absent {
            return Err(ChangeRefused::NoChannel(to.channel()));
        }
        let project = &provider.project;
        self.take_sending_budget(project, &to, caller.address).map_err(ChangeRefused::TooMany)?;
        let code = OneTimeCode::generate(&self.entropy);
        let id = ChallengeId::new(self.now(), self.entropy.bytes());
        let hash = self.master_key.one_time_code_key(&project.project.id).hash(id, &code);
        let method = if matches!(to, Destination::Phone(_)) { FactorKind::Sms } else { FactorKind::Email };
        let change = self.change(provider, subject, id, method, Some(contact), AwaitedCode::Sent(hash));
        let code = code.into_secret();
        let shown = self.config.delivery.is_outbox().then(|| code.clone());
        let letter = Letter::FactorCode { code, valid_for: LIFETIME };
        let message = self.draft_code_message(id, project, &to, locale, &letter, change.created_at);
        let begun = BegunChange { id, destination: Some(to.masked()), seed: None, code: shown };
        Ok((Drawn { change, message: Some(message) }, begun))
    }

    fn draw_counted(&self, provider: &ServiceProvider, subject: &Subject) -> (Drawn, BegunChange) {
        let project = &provider.project.project;
        let seed = TotpSeed::generate(&self.entropy);
        let id = ChallengeId::new(self.now(), self.entropy.bytes());
        let sealed = self.seal_seed(&project.id, subject.user.id, &seed);
        let issuer = if project.name.as_str().is_empty() { project.id.as_str() } else { project.name.as_str() };
        let user = subject.user.id.to_string();
        let uri = seed.uri(issuer, subject.email().map_or(&user, |(address, _)| address));
        let change = self.change(provider, subject, id, FactorKind::Totp, None, AwaitedCode::Counted(sealed));
        let begun = BegunChange { id, destination: None, seed: Some((seed.to_text(), uri)), code: None };
        (Drawn { change, message: None }, begun)
    }

    fn change(
        &self,
        provider: &ServiceProvider,
        subject: &Subject,
        id: ChallengeId,
        method: FactorKind,
        contact: Option<Identity>,
        proof: AwaitedCode,
    ) -> StoredMfaChange {
        let now = self.now();
        StoredMfaChange {
            project: provider.project.project.id.clone(),
            id,
            user: subject.user.id,
            client: provider.client.clone(),
            method,
            contact,
            proof,
            created_at: now,
            expires_at: now.plus(LIFETIME),
        }
    }
}

/// Where codes are to go; none: an app counts them.
fn contact(subject: &Subject, to: &SetUp) -> Result<Option<Identity>, ChangeRefused> {
    match to {
        SetUp::Totp => Ok(None),
        SetUp::Sms(number) => Ok(Some(Identity::Phone(number.clone()))),
        SetUp::Email => {
            let (address, _) = subject.email().ok_or(ChangeRefused::NoAddress)?;
            let address = address.parse().map_err(|_| ChangeRefused::NoAddress)?;
            Ok(Some(Identity::Email(address)))
        }
    }
}
