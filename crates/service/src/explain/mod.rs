//! Why a call is refused, or by what it is accepted. Whoever calls learns nothing of it; the customer, who shows a secret key or sits at the
//! database, learns everything.
//!
//! The verdict is that of the door's own functions on the project as it is now. Nothing comes of asking: no user is made, no failure is
//! counted, no last use is noted, no ticket is used up. What isn't in the headers isn't judged: limits on the caller's network, the networks
//! of a secret key and its rate, and whether a proof of possession was made for the call that it came with.
//!
//! Why an HMAC is wrong is found by making people's mistakes with the right secret (`hmac`) and comparing, in constant time. Only the kind
//! of mistake is told: never what would be right, never whose HMAC it is, and of other projects nothing but that it is one of them. The work
//! is bounded: by the length of the input, by the number of mistakes, of keys, and of other users tried, one explanation at a time.

mod access_token;
mod client_call;
mod code;
mod findings;
mod hmac;
mod publishable_key;
mod secret_key;
mod ticket;

use std::{net::Ipv4Addr, sync::Arc};

use countersign_crypto::secret::SecretText;
use countersign_domain::id::ProjectId;

pub use code::{Code, Reason};
use findings::Findings;

use crate::{
    Service,
    address::Address,
    admin::Refused,
    caller::Caller,
    directory::ProjectView,
    error::Outage,
    proof::{
        access_token::ShownToken,
        actor::token,
        client_call::{ClientCall, Flaw, Shown},
        secret_key::Backend,
    },
};

/// A call as somebody has written it down: its headers, and what struck the one who read them.
#[derive(Debug, Clone)]
pub struct WrittenCall<'a> {
    /// The client API's own headers.
    pub client: ClientCall<'a>,
    /// The `Authorization` header.
    pub authorization: Shown<'a>,
    /// The ticket in the query string, as a proxy passes that on.
    pub ticket: Option<&'a str>,
    /// The host that it was made to.
    pub host: Option<String>,
    /// The origin of the page that made it.
    pub origin: Option<&'a [u8]>,
    /// What it shows of a key that the app holds (RFC 9449 §4.1).
    pub dpop: Option<&'a [u8]>,
    /// Headers that are there under a name that looks like theirs.
    pub misspelt: Vec<Header>,
    /// Headers whose value no request can carry as it was written.
    pub unsendable: Vec<Header>,
}

/// The headers that name a caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Header {
    /// The publishable key.
    ApiKey,
    /// The customer's id of the user.
    ExternalId,
    /// The proof.
    Hmac,
    /// A bearer token.
    Authorization,
}

impl Header {
    /// Its published name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ApiKey => "X-PROFICIENT-API-KEY",
            Self::ExternalId => "X-PROFICIENT-USER-EXTERNAL-ID",
            Self::Hmac => "X-PROFICIENT-USER-HMAC",
            Self::Authorization => "Authorization",
        }
    }
}

/// What would come of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It would be accepted.
    Accepted,
    /// It would be refused.
    Refused,
}

impl Verdict {
    /// As a word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Refused => "refused",
        }
    }
}

/// What would come of a call, and why: of each thing that is wrong, first the mistake that explains it, then what the door calls it.
#[derive(Debug, Clone)]
pub struct Explanation {
    /// What would come of it.
    pub verdict: Verdict,
    /// Why. Never empty.
    pub reasons: Vec<Reason>,
}

/// A call, and from where it is looked at.
#[derive(Clone)]
struct Case<'a> {
    project: Arc<ProjectView>,
    /// The project's own address, and the host that the call was made to.
    address: Address,
    call: &'a WrittenCall<'a>,
    /// The secret key of the backend that asks: only its hash is on record.
    asked_with: Option<&'a SecretText>,
    seen_from: SeenFrom,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum SeenFrom {
    /// A server, which remembers who was seen.
    Server,
    /// A command.
    Desk,
}

impl Service {
    /// Explains a call to the backend of the project that it was meant for, which shows this secret key.
    pub async fn explain(
        &self,
        backend: &Backend,
        shown: &SecretText,
        call: &WrittenCall<'_>,
    ) -> Result<Explanation, Outage> {
        self.explained(&Case::new(&backend.project, call, Some(shown), SeenFrom::Server)).await
    }

    /// Explains a call to an operator.
    pub async fn explain_by_hand(&self, project: &ProjectId, call: &WrittenCall<'_>) -> Result<Explanation, Refused> {
        let directory = self.directory.load_full();
        let view = directory.project(project.as_str()).ok_or_else(|| Refused::not_found("project", project))?;
        Ok(self.explained(&Case::new(view, call, None, SeenFrom::Desk)).await?)
    }

    /// The door's own way, with everything said that there is to say.
    async fn explained(&self, case: &Case<'_>) -> Result<Explanation, Outage> {
        let mut findings = Findings::default();
        if case.project.is_disabled() {
            findings.refuse(Code::ProjectClosed);
            return Ok(findings.into());
        }
        for header in &case.call.unsendable {
            findings.refuse(Code::HeaderUnsendable.adding(format!("It is {}.", header.name())));
        }
        let call = case.call;
        let token = match call.authorization {
            Shown::Absent => None,
            // What is shown of a key is judged apart.
            Shown::Once(value) => token(value, None),
            Shown::Repeated => {
                findings.refuse(repeated(Header::Authorization));
                return Ok(findings.into());
            }
        };
        match (call.ticket, token) {
            (Some(ticket), None) if call.client.is_empty() => self.explain_ticket(case, ticket, &mut findings).await?,
            (Some(_), _) => findings.refuse(Flaw::MixedCredentials),
            (None, Some(_)) if call.client.names_a_user() => findings.refuse(Flaw::MixedCredentials),
            (None, Some(ShownToken::Bearer(key))) if key.starts_with("sk_") => {
                self.explain_secret_key(case, key, &mut findings);
            }
            (None, Some(token)) => self.explain_access_token(case, token, &mut findings)?,
            (None, None) => {
                findings.note_all((call.authorization != Shown::Absent).then_some(Code::AuthorizationIgnored));
                self.explain_client_call(case, &mut findings).await?;
            }
        }
        Ok(findings.into())
    }
}

fn repeated(header: Header) -> Reason {
    Code::HeaderRepeated.adding(format!("It is {}.", header.name()))
}

impl<'a> Case<'a> {
    fn new(
        project: &Arc<ProjectView>,
        call: &'a WrittenCall<'a>,
        asked_with: Option<&'a SecretText>,
        seen_from: SeenFrom,
    ) -> Self {
        let address = Address { path: Some(project.project.id.to_string()), host: call.host.clone() };
        Self { project: Arc::clone(project), address, call, asked_with, seen_from }
    }

    fn is_misspelt(&self, header: Header) -> bool {
        self.call.misspelt.contains(&header)
    }

    /// Whoever called, as far as the headers say.
    fn caller(&self) -> Caller {
        Caller {
            address: Ipv4Addr::UNSPECIFIED.into(),
            user_agent: String::new(),
            origin: self.call.origin.map(|origin| String::from_utf8_lossy(origin).into()),
            request_id: String::new(),
        }
    }
}
