//! The first step: the request is judged, and kept until somebody is known.

use std::sync::Arc;

use countersign_crypto::sign_in_handle::{HandleHash, generate};
use countersign_domain::{
    id::SignInId,
    identity::Identity,
    sign_in::{LIFETIME, SignIn, Step},
};
use countersign_storage::sign_ins;

use super::{ChallengeCall, ChallengeRefused, Outcome, prompt::Prompt};
use crate::{
    Service,
    address::Address,
    client_auth::AuthenticatedClient,
    error::Outage,
    oauth::authorization::{CheckedRequest, PageProblem},
};

impl Service {
    pub(super) async fn begin_sign_in(
        &self,
        address: &Address,
        client: &AuthenticatedClient,
        call: &ChallengeCall<'_>,
    ) -> Result<Outcome, ChallengeRefused> {
        let CheckedRequest { project, request } = self.check_authorization_request(address, call.form)?;
        if request.client != client.id || project.project.id != client.project.project.id {
            return Err(ChallengeRefused::Request(PageProblem::UnknownClient.into()));
        }
        let hint = request.login_hint.as_deref().and_then(|hint| hint.parse().ok());
        let identity = Identity::Email(hint.ok_or(ChallengeRefused::NoHint)?);
        let now = self.now();
        let sign_in = SignIn {
            project: project.project.id.clone(),
            id: SignInId::new(now, self.entropy.bytes()),
            client: client.id.clone(),
            request: request.to_json(),
            identity,
            dpop_jkt: self.challenge_key(client, call)?,
            step: Step::Choosing,
            sends: 0,
            created_at: now,
            expires_at: now.plus(LIFETIME),
        };
        let handle = generate(sign_in.id, &self.entropy);
        let prompt = Prompt::of(&sign_in, None);
        let row = Arc::new((sign_in, HandleHash::of(&handle)));
        let written = self.db.write(move |mut conn| {
            let row = Arc::clone(&row);
            Box::pin(async move { sign_ins::insert(&mut conn, &row.0, &row.1).await })
        });
        written.await.map_err(Outage::from)?;
        Ok(Outcome::Asked { handle, prompt })
    }
}
