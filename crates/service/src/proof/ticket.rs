//! Tickets: browsers can't set headers on `WebSocket` and `EventSource`, so a proved call gets something for the query string that works once, and
//! soon no more: addresses end up in logs.
//!
//! A ticket is the call's own credentials, sealed. Whoever redeems it is proved by them again, so nothing that was revoked meanwhile passes.

use std::time::Duration;

use countersign_crypto::{digest::sha256, encoding, seal::Place};
use countersign_domain::{clock::Timestamp, id::ProjectId};
use countersign_storage::spent::{self, Spend};
use serde::{Deserialize, Serialize};

use super::{
    actor::{Actor, NotAnActor},
    client_call::{CallRefused, ClientCall, Flaw, Shown},
};
use crate::{Service, address::Address, caller::Caller, error::Outage};

/// How long a ticket is good.
pub const LIFETIME: Duration = Duration::from_secs(30);

const PREFIX: &str = "tkt_";
const PLACE: Place<'static> = Place { table: "tickets", column: "credentials", row: &[] };
const PURPOSE: &str = "ticket";

/// What is sealed.
#[derive(Serialize, Deserialize)]
pub(crate) struct OpenTicket {
    /// What tells it from every other.
    id: String,
    /// In seconds since 1970.
    pub(crate) expires: i64,
    pub(crate) credentials: SealedCredentials,
}

#[derive(Serialize, Deserialize)]
pub(crate) enum SealedCredentials {
    /// What an app said of itself and its user.
    Client(SealedCall),
    /// An access token. That its holder has the key to which it is bound was shown when the ticket was asked for.
    Token(String),
}

/// Header values, in base64url: they may be any bytes.
#[derive(Serialize, Deserialize)]
pub(crate) struct SealedCall {
    publishable_key: String,
    external_id: String,
    hmac: Option<String>,
}

/// The same, as bytes.
pub(crate) struct OpenCall {
    publishable_key: Vec<u8>,
    external_id: Vec<u8>,
    hmac: Option<Vec<u8>>,
}

impl SealedCall {
    pub(crate) fn open(&self) -> OpenCall {
        let bytes = |text: &String| encoding::decode(text).unwrap_or_default();
        OpenCall {
            publishable_key: bytes(&self.publishable_key),
            external_id: bytes(&self.external_id),
            hmac: self.hmac.as_ref().map(bytes),
        }
    }
}

impl OpenCall {
    pub(crate) fn call(&self) -> ClientCall<'_> {
        ClientCall {
            publishable_key: Shown::Once(&self.publishable_key),
            external_id: Shown::Once(&self.external_id),
            hmac: self.hmac.as_deref().map_or(Shown::Absent, Shown::Once),
        }
    }
}

/// What a ticket is made of.
pub enum TicketFor<'a> {
    /// A call of an app.
    Client(ClientCall<'a>),
    /// An access token.
    Token(&'a str),
}

impl Service {
    /// A ticket for a call that was just proved by these credentials.
    pub fn make_ticket(&self, credentials: &TicketFor<'_>) -> String {
        let text = |shown: Shown<'_>| match shown {
            Shown::Once(bytes) => Some(encoding::encode(bytes)),
            Shown::Absent | Shown::Repeated => None,
        };
        let credentials = match credentials {
            TicketFor::Token(token) => SealedCredentials::Token((*token).to_owned()),
            TicketFor::Client(call) => SealedCredentials::Client(SealedCall {
                publishable_key: text(call.publishable_key).unwrap_or_default(),
                external_id: text(call.external_id).unwrap_or_default(),
                hmac: text(call.hmac),
            }),
        };
        let id = encoding::encode(self.entropy.bytes::<16>());
        let sealed = OpenTicket { id, expires: self.now().plus(LIFETIME).seconds(), credentials };
        let bytes = serde_json::to_vec(&sealed).unwrap_or_default();
        format!("{PREFIX}{}", self.master_key.seal(PLACE, &bytes))
    }

    /// Whoever shows a ticket is whoever asked for it. Once.
    pub(crate) async fn redeem_ticket(
        &self,
        address: &Address,
        unverified: &str,
        caller: &Caller,
    ) -> Result<Actor, NotAnActor> {
        let refuse = |flaw: Flaw| self.refuse(address, flaw, caller);
        let ticket = self.open_ticket(unverified).ok_or_else(|| refuse(Flaw::TicketUnknown))?;
        let expires_at = Timestamp::from_seconds(ticket.expires);
        if expires_at.is_past(self.now()) {
            return Err(refuse(Flaw::TicketExpired));
        }
        let actor = match &ticket.credentials {
            SealedCredentials::Token(token) => self.prove_sealed_token(address, token, caller)?,
            SealedCredentials::Client(sealed) => {
                Actor::Client(self.prove_client_call(address, &sealed.open().call(), caller).await?)
            }
        };
        // Last: what comes from another project must not be spent here.
        if self.spend_ticket(&actor, &ticket.id, expires_at).await? {
            Ok(actor)
        } else {
            Err(refuse(Flaw::TicketSpent))
        }
    }

    /// What a ticket was made of, if it is one of ours.
    pub(crate) fn open_ticket(&self, unverified: &str) -> Option<OpenTicket> {
        let opened = self.master_key.open(PLACE, unverified.strip_prefix(PREFIX)?).ok()?;
        serde_json::from_slice(&opened).ok()
    }

    /// Was it used before?
    pub(crate) async fn is_spent(&self, project: &ProjectId, ticket: &OpenTicket) -> Result<bool, Outage> {
        let mut reader = self.db.reader().await?;
        Ok(spent::is_spent(&mut reader.conn(), project, PURPOSE, &hash_of(&ticket.id)).await?)
    }

    async fn spend_ticket(&self, actor: &Actor, id: &str, expires_at: Timestamp) -> Result<bool, CallRefused> {
        let spend = Spend { purpose: PURPOSE, hash: hash_of(id), expires_at };
        Ok(self.db.spend(&actor.project().project.id, spend).await.map_err(Outage::from)?)
    }
}

fn hash_of(id: &str) -> String {
    encoding::encode(sha256(id))
}
