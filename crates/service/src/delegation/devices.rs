//! What a customer's backend does about its users' devices.

use countersign_domain::{
    id::{PasskeyId, UserId},
    locale::Locale,
    passkey::Passkey,
};

use super::subject::{NamedSubject, SubjectRefused};
use crate::{
    Service,
    caller::Caller,
    devices::{Changed, DeviceRefused},
    error::Outage,
    passkeys::{By, Said},
    proof::delegation::ServiceProvider,
};

/// What is to become of a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeviceChange {
    /// What it opened ends, and it is kept out.
    Revoke,
    /// It is let in again.
    Unrevoke,
    /// What it opened ends, and it is forgotten.
    Delete,
}

/// What a backend wants.
#[derive(Debug, Clone, Copy)]
pub struct DeviceWish<'a> {
    /// Of which user's.
    pub userid: &'a str,
    /// Of which device.
    pub device: &'a str,
    /// What.
    pub change: DeviceChange,
    /// Why, where that was said.
    pub said: Option<Said<'a>>,
}

/// Why nothing becomes of it.
#[derive(Debug, thiserror::Error)]
pub enum DelegatedDeviceRefused {
    /// Nobody is meant.
    #[error(transparent)]
    Subject(#[from] SubjectRefused),
    /// The user has no such device.
    #[error("the user has no such device")]
    NoSuchDevice,
}

impl From<Outage> for DelegatedDeviceRefused {
    fn from(outage: Outage) -> Self {
        Self::Subject(outage.into())
    }
}

impl From<DeviceRefused> for DelegatedDeviceRefused {
    fn from(refused: DeviceRefused) -> Self {
        match refused {
            DeviceRefused::NotFound => Self::NoSuchDevice,
            DeviceRefused::Outage(outage) => outage.into(),
        }
    }
}

impl Service {
    /// What a user signs in from, the oldest first.
    pub async fn delegated_devices(
        &self,
        provider: &ServiceProvider,
        userid: &str,
    ) -> Result<Vec<Passkey>, DelegatedDeviceRefused> {
        let user = self.delegated_subject(provider, userid).await?;
        Ok(self.list_devices(&provider.project.project.id, user).await?)
    }

    /// Changes a user's device. The user is told, in this language.
    pub async fn change_delegated_device(
        &self,
        provider: &ServiceProvider,
        wish: &DeviceWish<'_>,
        locale: Locale,
        caller: &Caller,
    ) -> Result<Changed, DelegatedDeviceRefused> {
        let user = self.delegated_subject(provider, wish.userid).await?;
        let id: PasskeyId = wish.device.parse().map_err(|_| DelegatedDeviceRefused::NoSuchDevice)?;
        let by = By::Backend { provider, caller, locale, said: wish.said };
        let project = &provider.project.project.id;
        Ok(match wish.change {
            DeviceChange::Revoke => self.revoke_device(project, user, id, by).await,
            DeviceChange::Unrevoke => self.unrevoke_device(project, user, id, by).await,
            DeviceChange::Delete => self.delete_device(project, user, id, by).await,
        }?)
    }

    async fn delegated_subject(&self, provider: &ServiceProvider, userid: &str) -> Result<UserId, SubjectRefused> {
        let mut reader = self.db.reader().await.map_err(Outage::from)?;
        let project = &provider.project.project.id;
        let found = NamedSubject::read(userid).find(&mut reader.conn(), project).await.map_err(Outage::from)?;
        Ok(found?.user.id)
    }
}
