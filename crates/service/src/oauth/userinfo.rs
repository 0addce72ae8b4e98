//! What a client may learn of the user whose access token it holds (OpenID Connect Core §5.3).

use countersign_domain::{id::UserId, identity::IdentityKind, oauth::scope::Scopes};
use countersign_storage::{
    identities::{self, Best},
    users,
};

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
        let is_own = bearer.project.client(&bearer.token.client).is_some_and(|view| view.settings.oauth_first_party);
        let (mut email, mut phone) = (None, None);
        if is_own || scopes.has("email") {
            email = identities::best(&mut reader.conn(), project, user.id, IdentityKind::Email)
                .await
                .map_err(Outage::from)?;
        }
        if scopes.has("phone") {
            phone = identities::best(&mut reader.conn(), project, user.id, IdentityKind::Phone)
                .await
                .map_err(Outage::from)?;
        }
        let names =
            || (user.given_name.as_str().to_owned(), user.family_name.as_str().to_owned(), user.updated_at.seconds());
        Ok(UserInfo {
            sub: user.id.to_string(),
            profile: scopes.has("profile").then(names),
            email: email.map(Email::from),
            phone: phone.map(|phone| (phone.value, phone.is_verified)),
        })
    }

    /// The e-mail address of a user.
    pub(crate) async fn email_of(&self, project: &ProjectView, user: UserId) -> Result<Option<Email>, Outage> {
        let mut reader = self.db.reader().await?;
        let best = identities::best(&mut reader.conn(), &project.project.id, user, IdentityKind::Email).await?;
        Ok(best.map(Email::from))
    }
}

impl From<Best> for Email {
    fn from(best: Best) -> Self {
        Self { address: best.value, is_verified: best.is_verified }
    }
}
