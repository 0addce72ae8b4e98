//! An access token.

use countersign_crypto::{
    dpop::SignedProof,
    jose::{access_token::AccessToken, jws::UnverifiedJws},
};
use countersign_domain::generations::Dimension;

use super::{Case, Code, Findings, SeenFrom, publishable_key::bare};
use crate::{
    Service,
    error::Outage,
    proof::{
        access_token::{Bearer, Ended, ShownToken, TokenRefused},
        client_call::{Flaw, Shown, check_origin},
    },
};

impl Service {
    /// Whether the bearer of a token is let in.
    pub(super) fn explain_access_token(
        &self,
        case: &Case<'_>,
        shown: ShownToken<'_>,
        findings: &mut Findings,
    ) -> Result<(), Outage> {
        let bearer = self.explain_token(case, shown.unverified(), findings)?;
        if let Some(bearer) = bearer {
            explain_binding(case, &bearer, shown, findings);
            self.explain_agreement(case, findings);
        }
        Ok(())
    }

    /// Whom a token names, whoever shows it.
    pub(super) fn explain_token(
        &self,
        case: &Case<'_>,
        token: &str,
        findings: &mut Findings,
    ) -> Result<Option<Bearer>, Outage> {
        match self.prove_token_without_key(&case.address, token) {
            Ok(bearer) => {
                findings.note(Code::AccessToken);
                return Ok(Some(bearer));
            }
            Err(TokenRefused::Outage(outage)) => return Err(outage),
            Err(TokenRefused::Expired) => findings.refuse(Code::TokenExpired),
            Err(TokenRefused::Revoked) => {
                findings.note_all(self.revocation(case, token));
                findings.refuse(Code::TokenRevoked);
            }
            Err(_) => {
                findings.note(self.foreign(case, token));
                let is_blind = case.seen_from == SeenFrom::Desk && self.config.public_url.is_empty();
                findings.note_all(is_blind.then_some(Code::PublicUrlUnknown));
                findings.refuse(Code::TokenNotOurs);
            }
        }
        Ok(None)
    }

    /// What stands beside a bearer token must name its project, and the page must be one that may call.
    pub(super) fn explain_agreement(&self, case: &Case<'_>, findings: &mut Findings) {
        let publishable_key = case.call.client.publishable_key;
        if !self.agree(&case.address, &case.project, publishable_key) {
            match publishable_key {
                Shown::Absent => findings.note(Code::HostOtherProject),
                _ => self.explain_publishable_key(case, findings),
            }
            findings.refuse(Flaw::OtherProject);
        }
        if check_origin(&case.project, &case.caller()).is_err() {
            findings.refuse(Code::ForeignOrigin);
        }
    }

    fn revocation(&self, case: &Case<'_>, token: &str) -> Option<Code> {
        let token = self.verify(token).ok()?;
        Some(match self.ended(&case.project, &token)? {
            Ended::Session => Code::TokenSessionEnded,
            Ended::By(Dimension::User) => Code::TokenUserRevoked,
            Ended::Client | Ended::By(Dimension::Client) => Code::TokenClientRevoked,
            Ended::By(Dimension::Key) => Code::TokenKeyRevoked,
            Ended::By(Dimension::Project) => Code::TokenProjectRevoked,
        })
    }

    /// What a text is that isn't a token of this project.
    fn foreign(&self, case: &Case<'_>, token: &str) -> Code {
        let bare = bare(token);
        let by_prefix = [
            ("pk_", Code::TokenIsPublishableKey),
            ("hsec_", Code::TokenIsHmacSecret),
            ("rt_", Code::TokenIsRefreshToken),
            ("sk_", Code::SecretKeySpelling),
        ];
        if let Some((_, code)) = by_prefix.into_iter().find(|(prefix, _)| bare.starts_with(prefix)) {
            return code;
        }
        if bare != token || token.contains(char::is_whitespace) {
            return Code::TokenWhitespace;
        }
        let Ok(jws) = UnverifiedJws::parse(token) else { return Code::TokenUnreadable };
        let kid = &jws.unverified_header.kid;
        let directory = self.directory.load();
        let Some(signer) = directory.signer(kid) else { return Code::TokenUnknownSigner };
        if signer.project.id != case.project.project.id {
            return Code::TokenOtherProject;
        }
        let verified = signer.verifying_key(kid).map(|key| AccessToken::verify(&jws, key));
        match verified {
            Some(Ok(token)) if token.issuer == *signer.issuer && token.audience == *signer.audience => {
                Code::HostOtherProject
            }
            Some(Ok(_)) => Code::TokenOtherAddress,
            _ => Code::TokenBadSignature,
        }
    }
}

/// A token must be shown as what it is. Whether a proof of its key is for the call that it came with, and new, isn't asked: the call isn't here.
fn explain_binding(case: &Case<'_>, bearer: &Bearer, shown: ShownToken<'_>, findings: &mut Findings) {
    let bound_to = match (bearer.token.bound_to, shown.is_dpop()) {
        (None, false) => return,
        (None, true) => return findings.refuse(Code::TokenNotBound),
        (Some(_), false) => return findings.refuse(Code::TokenBound),
        (Some(bound_to), true) => bound_to,
    };
    let Some(proof) = case.call.dpop else { return findings.refuse(Code::DpopMissing) };
    match SignedProof::read(proof) {
        Err(flaw) => findings.refuse(Code::DpopInvalid.adding(format!("It says: {flaw}."))),
        Ok(proof) if proof.thumbprint() != bound_to => findings.refuse(Code::DpopOtherKey),
        Ok(_) => findings.note(Code::DpopNotJudged),
    }
}
