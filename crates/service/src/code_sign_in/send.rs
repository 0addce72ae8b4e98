//! Sending a code. Whether anybody has the address shows neither in the answer nor in the time that it takes.

use std::sync::Arc;

use countersign_crypto::one_time_code::{OneTimeCode, OneTimeCodeHash};
use countersign_domain::{
    challenge::{Challenge, LIFETIME, LIVE, Purpose},
    id::ChallengeId,
    identity::Identity,
    locale::Locale,
};
use countersign_storage::{
    Conn, challenges,
    error::Result as StorageResult,
    identities,
    messages::{self, OutgoingMessage},
};

use super::{CodeFor, CodeRefused, client_of_code, identity_of};
use crate::{
    Service,
    address::Address,
    caller::Caller,
    deliver::{health::ChannelState, letter::Letter},
    directory::ProjectView,
    error::Outage,
    verdicts::{ACCEPTED, Proof as Verdict},
};

/// What the transaction writes, drawn up before.
struct Sending {
    challenge: Challenge,
    hash: OneTimeCodeHash,
    message: OutgoingMessage,
}

impl Service {
    /// Sends a code to an address. Who has no account, and can't make one, is told so by the message: only who holds the address reads it.
    pub async fn send_code(
        &self,
        address: &Address,
        wanted: &CodeFor,
        locale: Locale,
        caller: &Caller,
    ) -> Result<(), CodeRefused> {
        let sent = self.sent_code(address, wanted, locale, caller).await;
        Verdict::CodeRequest.count(sent.as_ref().map_or_else(CodeRefused::reason, |()| ACCEPTED));
        sent
    }

    async fn sent_code(
        &self,
        address: &Address,
        wanted: &CodeFor,
        locale: Locale,
        caller: &Caller,
    ) -> Result<(), CodeRefused> {
        let project = self.project_of_code(address, &wanted.project)?;
        client_of_code(&project, &wanted.client)?;
        if self.channel_state(wanted.destination.channel()) == ChannelState::Absent {
            return Err(CodeRefused::NoChannel);
        }
        let budget = self.take_sending_budget(&project, &wanted.destination, caller.address);
        budget.map_err(CodeRefused::TooMany)?;
        let identity = identity_of(&wanted.destination);
        let is_known = self.is_known(&project, &identity).await?;
        let sending = Arc::new(self.draw_up(&project, wanted, identity, locale, is_known));
        let written = self.db.write(move |mut conn| {
            let sending = Arc::clone(&sending);
            Box::pin(async move { write(&mut conn, &sending).await })
        });
        written.await.map_err(Outage::from)?;
        Ok(())
    }

    pub(crate) async fn is_known(&self, project: &ProjectView, identity: &Identity) -> Result<bool, Outage> {
        let mut reader = self.db.reader().await?;
        Ok(identities::find(&mut reader.conn(), &project.project.id, identity).await?.is_some())
    }

    fn draw_up(
        &self,
        project: &ProjectView,
        wanted: &CodeFor,
        identity: Identity,
        locale: Locale,
        is_known: bool,
    ) -> Sending {
        let now = self.now();
        let code = OneTimeCode::generate(&self.entropy);
        let challenge = Challenge {
            project: project.project.id.clone(),
            id: ChallengeId::new(now, self.entropy.bytes()),
            purpose: Purpose::AppSignIn,
            destination: identity,
            created_at: now,
            expires_at: now.plus(LIFETIME),
        };
        let hash = self.master_key.one_time_code_key(&project.project.id).hash(challenge.id, &code);
        // A code that nobody is told is as much work as one that somebody is.
        let letter = Letter::with_code(code.into_secret(), None, is_known, project.settings.signup, LIFETIME);
        let message = self.draft_code_message(challenge.id, project, &wanted.destination, locale, &letter, now);
        Sending { challenge, hash, message }
    }
}

async fn write(conn: &mut Conn<'_>, sending: &Sending) -> StorageResult<()> {
    challenges::insert(conn, &sending.challenge, &sending.hash, LIVE - 1).await?;
    messages::insert(conn, &sending.message).await
}
