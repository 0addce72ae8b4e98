//! Forgetting a user.

use countersign_domain::{audit::Actor as Doer, id::UserId};

use super::{UserRefused, check_scope};
use crate::{Service, caller::Caller, proof::secret_key::Backend};

impl Service {
    /// Forgets a user. The next call with the same external id makes another.
    pub async fn delete_client_user(
        &self,
        backend: &Backend,
        id: &str,
        caller: &Caller,
    ) -> Result<UserId, UserRefused> {
        check_scope(backend)?;
        let id: UserId = id.parse().map_err(|_| UserRefused::NoSuchUser)?;
        let project = &backend.project.project.id;
        Ok(self.forget_user(project, id, Doer::SecretKey(backend.key), Some(caller), Vec::new()).await?)
    }
}
