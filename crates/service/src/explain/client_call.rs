//! A call of the client API.

use countersign_crypto::user_mac::UnverifiedUserMac;
use countersign_domain::{
    clock::Timestamp,
    policy::HmacEnforcement,
    text::{ExternalId, LONGEST_EXTERNAL_ID},
};

use super::{Case, Code, Findings, Header, Reason, hmac, repeated};
use crate::{
    Service,
    error::Outage,
    proof::client_call::{Flaw, Shown, UserProof, Weighed, check_origin, is_replaced},
};

impl Service {
    /// Whom the call names, and whether that is proved as well as the project requires.
    pub(super) async fn explain_client_call(&self, case: &Case<'_>, findings: &mut Findings) -> Result<(), Outage> {
        self.explain_publishable_key(case, findings);
        if check_origin(&case.project, &case.caller()).is_err() {
            findings.refuse(Code::ForeignOrigin);
        }
        match self.weigh(&case.project, &case.call.client) {
            // What it would be accepted by matters only if it is.
            Ok(_) if findings.is_refused() => Ok(()),
            Ok(weighed) => self.explain_weighed(case, &weighed, findings).await,
            Err(flaw) => {
                let reason = self.explain_flaw(case, flaw, findings).await?;
                findings.refuse(reason);
                Ok(())
            }
        }
    }

    /// A call that names its user well enough.
    async fn explain_weighed(&self, case: &Case<'_>, weighed: &Weighed, findings: &mut Findings) -> Result<(), Outage> {
        findings.note_all(self.proved_by(case, &weighed.proof));
        self.explain_user(case, weighed, findings).await?;
        if let Some(flaw) = weighed.overlooked {
            findings.note(Code::WouldBeRefused);
            let reason = self.explain_flaw(case, flaw, findings).await?;
            findings.note(reason);
        }
        Ok(())
    }

    fn proved_by(&self, case: &Case<'_>, proof: &UserProof) -> Vec<Reason> {
        let UserProof::Mac { key, mac } = proof else {
            let hmac = case.project.settings.hmac;
            return vec![Code::Unproved.adding(format!("It is `{}`.", hmac.as_str()))];
        };
        let mut reasons = match mac {
            UnverifiedUserMac::V1(_) => vec![Code::ProvedV1.into()],
            UnverifiedUserMac::V2 { expires, .. } => {
                let left = seconds_between(self.now(), Timestamp::from_seconds(*expires));
                vec![Code::ProvedV2.adding(format!("It has {left} s left."))]
            }
        };
        if is_replaced(case.project.user_keys(), *key) {
            reasons.push(Code::OldSecret.adding(format!("The old one is {key}.")));
        }
        if hmac::is_bound_to_another_key(mac, case.call.dpop) {
            reasons.push(Code::V2kOtherKey.into());
        }
        reasons
    }

    async fn explain_user(&self, case: &Case<'_>, weighed: &Weighed, findings: &mut Findings) -> Result<(), Outage> {
        let settings = &case.project.settings;
        match self.look_for_user(&case.project.project.id, &weighed.external_id).await? {
            Some(user) if user.is_disabled => findings.refuse(Flaw::UserDisabled),
            Some(_) => {}
            None if !settings.users_create => findings.refuse(Flaw::NoSuchUser),
            None if self.may_make_user(&case.project, &weighed.proof).await? => findings.note(Code::UserNew),
            None => findings.refuse(Flaw::TooManyUsers),
        }
        Ok(())
    }

    /// Notes the mistakes that explain a flaw, and gives the flaw with what there is to say about it.
    async fn explain_flaw(&self, case: &Case<'_>, flaw: Flaw, findings: &mut Findings) -> Result<Reason, Outage> {
        let call = &case.call.client;
        Ok(match flaw {
            Flaw::HeaderRepeated if call.external_id == Shown::Repeated => repeated(Header::ExternalId),
            Flaw::HeaderRepeated => repeated(Header::Hmac),
            Flaw::IdMissing => {
                findings.note_all(without_id(case, call.external_id));
                flaw.into()
            }
            Flaw::IdUnreadable => {
                findings.note_all(unreadable_id(call.external_id));
                // With a right HMAC it could be read.
                self.explain_mac(case, findings).await?;
                flaw.into()
            }
            Flaw::HmacMissing => {
                findings.note_all(case.is_misspelt(Header::Hmac).then_some(Code::HeaderMisspelt));
                let required = case.project.settings.hmac == HmacEnforcement::Required;
                if required { Code::HmacMissing.adding("The project requires it.") } else { flaw.into() }
            }
            Flaw::HmacMalformed | Flaw::HmacWrong => {
                self.explain_mac(case, findings).await?;
                let length = if let Shown::Once(bytes) = call.hmac { bytes.len() } else { 0 };
                Code::from(flaw).adding(format!("{length} characters were sent."))
            }
            Flaw::HmacExpired | Flaw::HmacTooFarAhead => {
                let end = shown_end(call.hmac);
                findings.note_all(end.filter(|end| hmac::is_span(*end)).map(|_| Code::V2ExpiresSpan));
                self.with_distance(flaw, end)
            }
            other => other.into(),
        })
    }

    /// How far off the end of a proof is: perhaps a clock is wrong.
    fn with_distance(&self, flaw: Flaw, end: Option<Timestamp>) -> Reason {
        let Some(end) = end else { return flaw.into() };
        let now = self.now();
        Code::from(flaw).adding(if end.is_past(now) {
            format!("It ended {} s ago.", seconds_between(end, now))
        } else {
            format!("It ends in {} s.", seconds_between(now, end))
        })
    }
}

fn shown_end(hmac: Shown<'_>) -> Option<Timestamp> {
    let Shown::Once(bytes) = hmac else { return None };
    UnverifiedUserMac::parse(bytes)?.expires_at()
}

fn seconds_between(earlier: Timestamp, later: Timestamp) -> i64 {
    later.seconds().saturating_sub(earlier.seconds())
}

fn without_id(case: &Case<'_>, shown: Shown<'_>) -> Option<Code> {
    match shown {
        Shown::Once(_) => Some(Code::IdBeyondLatin1),
        _ => case.is_misspelt(Header::ExternalId).then_some(Code::HeaderMisspelt),
    }
}

/// Why an id can't be read. In Latin-1, any bytes are text.
fn unreadable_id(shown: Shown<'_>) -> Vec<Reason> {
    let Shown::Once(bytes) = shown else { return Vec::new() };
    let text =
        std::str::from_utf8(bytes).map_or_else(|_| bytes.iter().copied().map(char::from).collect(), str::to_owned);
    let mut reasons = Vec::new();
    if text.len() > LONGEST_EXTERNAL_ID {
        reasons.push(Code::IdTooLong.adding(format!("It is {} bytes long.", text.len())));
    }
    if text.chars().any(char::is_control) {
        reasons.push(Code::IdControlCharacters.into());
    }
    if reasons.is_empty() && text.parse::<ExternalId>().is_ok() && !text.is_ascii() {
        reasons.push(Code::IdNotAscii.into());
    }
    reasons
}
