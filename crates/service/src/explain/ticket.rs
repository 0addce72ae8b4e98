//! A ticket: what it was made of is judged, as it is when the ticket is redeemed.

use countersign_domain::clock::Timestamp;

use super::{Case, Code, Findings, WrittenCall};
use crate::{
    Service,
    error::Outage,
    proof::{
        client_call::Flaw,
        ticket::{OpenTicket, SealedCredentials},
    },
};

impl Service {
    /// Whether whoever shows the ticket is let in. It isn't used up.
    pub(super) async fn explain_ticket(
        &self,
        case: &Case<'_>,
        shown: &str,
        findings: &mut Findings,
    ) -> Result<(), Outage> {
        let Some(ticket) = self.open_ticket(shown) else {
            findings.refuse(Flaw::TicketUnknown);
            return Ok(());
        };
        if Timestamp::from_seconds(ticket.expires).is_past(self.now()) {
            findings.refuse(Flaw::TicketExpired);
            return Ok(());
        }
        findings.note(Code::Ticket);
        self.explain_made_of(case, &ticket, findings).await?;
        if self.is_spent(&case.project.project.id, &ticket).await? {
            findings.refuse(Flaw::TicketSpent);
        }
        Ok(())
    }

    async fn explain_made_of(
        &self,
        case: &Case<'_>,
        ticket: &OpenTicket,
        findings: &mut Findings,
    ) -> Result<(), Outage> {
        match &ticket.credentials {
            // The key to which it may be bound was shown when the ticket was asked for.
            SealedCredentials::Token(token) => {
                if self.explain_token(case, token, findings)?.is_some() {
                    self.explain_agreement(case, findings);
                }
                Ok(())
            }
            SealedCredentials::Client(sealed) => {
                let headers = sealed.open();
                let call = WrittenCall { client: headers.call(), ticket: None, ..case.call.clone() };
                self.explain_client_call(&Case { call: &call, ..case.clone() }, findings).await
            }
        }
    }
}
