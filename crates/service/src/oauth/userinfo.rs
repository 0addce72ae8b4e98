//! What a client may learn of the user whose access token it holds (OpenID Connect Core §5.3).

use countersign_domain::{
    id::UserId,
    identity::{Identity, IdentityRecord},
    oauth::scope::Scopes,
};
use countersign_storage::{identities, users};

use crate::{Service, directory::ProjectView, error::Outage, proof::access_token::Bearer};

/// An e-mail address of a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Email {
    /// The address.
    pub address: String,
    /// Was it proved?
    pub is_verified: bool,
}

/// A user, as far as the token's scope goes.
#[derive(Debug, Default)]
pub struct UserInfo {
    /// The user.
    pub sub: String,
    /// With `profile`: given and family name, either of which may be empty, and when the user last changed, in seconds since 1970.
    pub profile: Option<(String, String, i64)>,
    /// With `email`.
    pub email: Option<Email>,
    /// With `phone`: the number, and whether it was proved.
    pub phone: Option<(String, bool)>,
}

/// Why nothing is told.
#[derive(Debug, thiserror::Error)]
pub enum UserInfoRefused {
    /// The token isn't good for this.
    #[error("the access token lacks the scope openid")]
    Scope,
    /// The user is there no more.
    #[error("there is no such user")]
    NoSuchUser,
    /// Nothing can be said.
    #[error(transparent)]
    Outage(#[from] Outage),
}

impl Service {
    /// Says who the user of a token is.
    pub async fn userinfo(&self, bearer: &Bearer) -> Result<UserInfo, UserInfoRefused> {
        let scopes = Scopes::parse(&bearer.token.scope).unwrap_or_default();
        if !scopes.has("openid") {
            return Err(UserInfoRefused::Scope);
        }
        let project = &bearer.project.project.id;
        let mut reader = self.db.reader().await.map_err(Outage::from)?;
        let user = users::find(&mut reader.conn(), project, bearer.token.user).await.map_err(Outage::from)?;
        let user = user.ok_or(UserInfoRefused::NoSuchUser)?;
        let records = identities::list(&mut reader.conn(), project, user.id).await.map_err(Outage::from)?;
        let names =
            || (user.given_name.as_str().to_owned(), user.family_name.as_str().to_owned(), user.updated_at.seconds());
        let is_own = bearer.project.client(&bearer.token.client).is_some_and(|view| view.settings.oauth_first_party);
        Ok(UserInfo {
            sub: user.id.to_string(),
            profile: scopes.has("profile").then(names),
            email: if is_own || scopes.has("email") { email_among(&records) } else { None },
            phone: if scopes.has("phone") { best(&records, |it| matches!(it, Identity::Phone(_))) } else { None },
        })
    }

    /// The e-mail address of a user.
    pub(crate) async fn email_of(&self, project: &ProjectView, user: UserId) -> Result<Option<Email>, Outage> {
        let mut reader = self.db.reader().await?;
        Ok(email_among(&identities::list(&mut reader.conn(), &project.project.id, user).await?))
    }
}

fn email_among(records: &[IdentityRecord]) -> Option<Email> {
    let found = best(records, |identity| matches!(identity, Identity::Email(_)));
    found.map(|(address, is_verified)| Email { address, is_verified })
}

/// The newest that was proved; where none was, the newest. One that somebody only added must not stand in for one that was proved.
fn best(records: &[IdentityRecord], is_kind: fn(&Identity) -> bool) -> Option<(String, bool)> {
    let of_kind = || records.iter().filter(|record| is_kind(&record.identity));
    let record = of_kind().find(|record| record.verified_at.is_some()).or_else(|| of_kind().next())?;
    Some((record.identity.value().to_owned(), record.verified_at.is_some()))
}
