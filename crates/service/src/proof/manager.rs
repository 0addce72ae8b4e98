//! A client that manages the users of its project, by its own key: each call carries an assertion that names its address and its body, or is sealed.

use std::sync::Arc;

use countersign_crypto::jose::response_signature::{self, body_sha256};
use countersign_domain::{audit::Actor, id::ClientId};

use super::{delegation::ServiceProvider, possession::UnverifiedPossession};
use crate::{
    Service,
    client_auth::call::{CallAt, CallNotSigned, CallingClient, Form},
    directory::ProjectView,
    verdicts::{ACCEPTED, Proof},
};

/// What it signs by, as published clients do.
const BEARER: Form = Form { algorithm: "EdDSA", names_key: true, about_another: false };
/// What the first of them signed by.
const HEADER: Form = Form { algorithm: "ES256", names_key: false, about_another: true };
/// The one version of the protocol that is spoken.
const VERSION: &str = "2";

/// Whoever may manage the users of a project.
pub struct Manager {
    /// The project.
    pub(crate) project: Arc<ProjectView>,
    /// The client.
    pub(crate) client: ClientId,
    /// As the trail has it.
    pub(crate) actor: Actor,
}

impl From<&ServiceProvider> for Manager {
    /// Whoever seals its calls was given its key for just that.
    fn from(provider: &ServiceProvider) -> Self {
        Self { project: Arc::clone(&provider.project), client: provider.client.clone(), actor: provider.actor() }
    }
}

/// A call of a manager, as it came.
#[derive(Debug, Clone, Copy)]
pub struct ManagementCall<'a> {
    /// Where it was made.
    pub at: CallAt<'a>,
    /// What stands after `Bearer`.
    pub assertion: Option<&'a str>,
    /// Which version of the protocol it says to speak.
    pub version: Option<&'a str>,
    /// Its body, byte for byte.
    pub body: &'a [u8],
}

/// What the first clients ask in the assertion itself.
pub struct AskedInAssertion {
    /// Who asks.
    pub manager: Manager,
    /// For which user.
    pub user: String,
    /// What for.
    pub purpose: Option<String>,
    /// The second factor that they want.
    pub new_mfa_method: Option<String>,
    /// The telephone number that they want.
    pub new_phone_number: Option<String>,
    /// What they got for passing.
    pub receipt: Option<String>,
}

impl Manager {
    /// Which client it is.
    pub fn client(&self) -> &ClientId {
        &self.client
    }
}

impl Service {
    /// Who signed this call by a key of a client that may manage users, for this address and this body, is that client.
    pub async fn prove_manager(&self, call: ManagementCall<'_>) -> Result<Manager, CallNotSigned> {
        let proved = self.manager(call).await;
        self.counted_manager(call.at, proved)
    }

    async fn manager(&self, call: ManagementCall<'_>) -> Result<Manager, CallNotSigned> {
        let assertion = call.assertion.ok_or(CallNotSigned::Missing)?;
        let client = self.client_that_signed(call.at, assertion, BEARER)?;
        if client.assertion.text("body_sha256") != Some(&body_sha256(call.body)) {
            return Err(CallNotSigned::OtherBody);
        }
        if call.version.is_some_and(|version| version != VERSION) {
            return Err(CallNotSigned::Version);
        }
        self.admit(client).await
    }

    /// The same for the first clients: they say everything in the assertion, and show the key that it names.
    pub async fn prove_manager_by_header(
        &self,
        at: CallAt<'_>,
        assertion: &str,
        possession: Option<&UnverifiedPossession>,
    ) -> Result<AskedInAssertion, CallNotSigned> {
        let proved = self.manager_by_header(at, assertion, possession).await;
        self.counted_manager(at, proved)
    }

    async fn manager_by_header(
        &self,
        at: CallAt<'_>,
        assertion: &str,
        possession: Option<&UnverifiedPossession>,
    ) -> Result<AskedInAssertion, CallNotSigned> {
        let client = self.client_that_signed(at, assertion, HEADER)?;
        let possession = possession.ok_or(CallNotSigned::OtherKey)?;
        let nonces = client.view()?.nonce_policy();
        let shown = self.prove_possession(&client.project, possession, nonces, None)?;
        if client.assertion.confirmed_key != Some(shown.key) {
            return Err(CallNotSigned::OtherKey);
        }
        let text = |name: &str| client.assertion.text(name).map(str::to_owned);
        let asked = (text("purpose"), text("new_mfa_method"), text("new_phone_number"), text("receipt"));
        let user = client.assertion.subject.clone();
        let manager = self.admit(client).await?;
        let (purpose, new_mfa_method, new_phone_number, receipt) = asked;
        Ok(AskedInAssertion { manager, user, purpose, new_mfa_method, new_phone_number, receipt })
    }

    async fn admit(&self, client: CallingClient) -> Result<Manager, CallNotSigned> {
        if !client.view()?.settings.management {
            return Err(CallNotSigned::NotAllowed);
        }
        self.spend_assertion(&client).await?;
        Ok(Manager { project: client.project, client: client.id, actor: Actor::Client })
    }

    fn counted_manager<T>(&self, at: CallAt<'_>, proved: Result<T, CallNotSigned>) -> Result<T, CallNotSigned> {
        let reason = proved.as_ref().map_or_else(CallNotSigned::reason, |_| ACCEPTED);
        Proof::Management.count(reason);
        proved.map_err(|refused| self.count_unsigned_call(at, refused))
    }

    /// Says of an answer that it is ours: of just these bytes. By ES256, whatever the client's id_tokens are signed by: it knows our keys.
    pub fn sign_response(&self, manager: &Manager, body: &[u8]) -> String {
        response_signature::sign(manager.project.signing_key(), body, self.now())
    }
}
