//! The first step: the request is judged, and kept until somebody is known.

use std::sync::Arc;

use countersign_crypto::{
    caller_marks::network_of,
    sign_in_handle::{HandleHash, generate},
};
use countersign_domain::{
    id::SignInId,
    identity::Identity,
    risk::Assessment,
    sign_in::{LIFETIME, Purpose, SignIn, Step},
};
use countersign_storage::sign_ins;

use super::{ChallengeCall, ChallengeRefused, Outcome};
use crate::{
    Service,
    address::Address,
    caller::Caller,
    client_auth::AuthenticatedClient,
    directory::ProjectView,
    error::Outage,
    limits::{Rate, TooMany},
    oauth::authorization::{CheckedRequest, PageProblem},
};

impl Service {
    pub(super) async fn begin_sign_in(
        &self,
        address: &Address,
        client: &AuthenticatedClient,
        call: &ChallengeCall<'_>,
        caller: &Caller,
    ) -> Result<Outcome, ChallengeRefused> {
        let CheckedRequest { project, request } = self.check_authorization_request(address, call.form)?;
        if request.client != client.id || project.project.id != client.project.project.id {
            return Err(ChallengeRefused::Request(PageProblem::UnknownClient.into()));
        }
        let has_passkeys = self.has_passkeys(&project);
        let identity = match request.login_hint.as_deref().map(str::parse) {
            Some(Ok(address)) => Some(Identity::Email(address)),
            // A passkey says whose it is.
            None if has_passkeys => None,
            None | Some(Err(_)) => return Err(ChallengeRefused::NoHint),
        };
        let dpop_jkt = self.challenge_key(client, call)?;
        if dpop_jkt.is_some() && request.dpop_jkt.is_some_and(|named| Some(named) != dpop_jkt) {
            // RFC 9449 §10: a parameter and a proof that disagree.
            return Err(ChallengeRefused::OtherKey);
        }
        self.take_sign_in(&project, caller).map_err(ChallengeRefused::TooMany)?;
        let purpose = Purpose::Client { client: client.id.clone(), request: request.to_json() };
        let sign_in = SignIn { identity, dpop_jkt, ..self.new_sign_in(&project, purpose) };
        let handle = generate(sign_in.id, &self.entropy);
        let prompt = self.prompt(&project, &sign_in, None);
        let risk = self.told_risk(&project, sign_in.identity.as_ref());
        self.keep_sign_in(sign_in, HandleHash::of(&handle)).await?;
        Ok(Outcome::Asked { handle, prompt, risk })
    }

    /// One that begins now, with nobody known.
    pub(crate) fn new_sign_in(&self, project: &ProjectView, purpose: Purpose) -> SignIn {
        let now = self.now();
        SignIn {
            project: project.project.id.clone(),
            id: SignInId::new(now, self.entropy.bytes()),
            purpose,
            identity: None,
            dpop_jkt: None,
            step: Step::Choosing,
            sends: 0,
            risk: Assessment::default(),
            created_at: now,
            expires_at: now.plus(LIFETIME),
        }
    }

    pub(crate) async fn keep_sign_in(&self, sign_in: SignIn, handle: HandleHash) -> Result<(), Outage> {
        let row = Arc::new((sign_in, handle));
        let written = self.db.write(move |mut conn| {
            let row = Arc::clone(&row);
            Box::pin(async move { sign_ins::insert(&mut conn, &row.0, &row.1).await })
        });
        Ok(written.await?)
    }

    /// Each one that is begun is kept for a while, and whoever begins has proved nothing yet.
    pub(crate) fn take_sign_in(&self, project: &ProjectView, caller: &Caller) -> Result<(), TooMany> {
        let who = ("sign-ins", project.project.id.as_str(), network_of(caller.address));
        let rate = Rate::per_minute(project.settings.limit_sign_ins);
        self.limits.take(&who, rate, self.monotonic())
    }
}
