//! Codes with which people may sign up, as operators see to them.

use std::{num::NonZeroU32, sync::Arc, time::Duration};

use countersign_crypto::{
    secret::SecretText,
    typed_code::{TypedCodeHash, generate, shown_prefix},
};
use countersign_domain::{
    activation::ActivationCode,
    audit::{Act, Subject},
    id::{ActivationCodeId, ProjectId},
    text::Name,
};
use countersign_storage::{activation_codes, projects};

use crate::{
    Service,
    admin::{Deed, Refused},
};

/// A code with its text, which is never shown again.
pub struct NewActivationCode {
    /// The code.
    pub code: ActivationCode,
    /// Its text.
    pub text: SecretText,
}

impl Service {
    /// Makes a code with which so many people may sign up.
    pub async fn create_activation_code(
        &self,
        project: &ProjectId,
        name: Name,
        uses: NonZeroU32,
        lives_for: Option<Duration>,
    ) -> Result<NewActivationCode, Refused> {
        let now = self.now();
        let text = generate(&self.entropy);
        let hash = TypedCodeHash::of_unverified(text.danger_expose());
        let hash = hash.ok_or_else(|| Refused::Invalid("a code that can't be read was made".to_owned()))?;
        let code = ActivationCode {
            project: project.clone(),
            id: ActivationCodeId::new(now, self.entropy.bytes()),
            name,
            prefix: shown_prefix(&text),
            uses: uses.get(),
            used: 0,
            created_at: now,
            expires_at: lives_for.map(|span| now.plus(span)),
            revoked_at: None,
        };
        let deed = deed(project, Act::ActivationCodeCreated, code.id);
        let made = Arc::new(code.clone());
        self.administer(deed, move |conn| {
            let made = Arc::clone(&made);
            Box::pin(async move {
                if projects::find(conn, &made.project).await?.is_none() {
                    return Ok(Err(Refused::not_found("project", &made.project)));
                }
                activation_codes::insert(conn, &made, &hash).await?;
                Ok(Ok(((), Vec::new())))
            })
        })
        .await?;
        Ok(NewActivationCode { code, text })
    }

    /// All codes of a project, the oldest first.
    pub async fn list_activation_codes(&self, project: &ProjectId) -> Result<Vec<ActivationCode>, Refused> {
        let mut reader = self.db.reader().await?;
        let mut conn = reader.conn();
        if projects::find(&mut conn, project).await?.is_none() {
            return Err(Refused::not_found("project", project));
        }
        Ok(activation_codes::list(&mut conn, project).await?)
    }

    /// Ends a code. Who signed up with it stays.
    pub async fn revoke_activation_code(&self, project: &ProjectId, id: ActivationCodeId) -> Result<(), Refused> {
        let now = self.now();
        let whose = Arc::new(project.clone());
        self.administer(deed(project, Act::ActivationCodeRevoked, id), move |conn| {
            let project = Arc::clone(&whose);
            Box::pin(async move {
                if activation_codes::revoke(conn, &project, id, now).await? {
                    Ok(Ok(((), Vec::new())))
                } else {
                    Ok(Err(Refused::not_found("live activation code", id)))
                }
            })
        })
        .await
    }
}

fn deed(project: &ProjectId, act: Act, id: ActivationCodeId) -> Deed {
    let detail = vec![("code", id.to_string())];
    Deed { project: project.clone(), act, subject: Subject::default(), detail }
}
