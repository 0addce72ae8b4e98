//! The user begins: a sign-in is kept that is for the step-up, and for nobody but that user.

use std::sync::Arc;

use countersign_crypto::{
    browser_cookie::Visit,
    jose::step_up_token::StepUpTokenKind,
    sign_in_handle::{HandleHash, generate},
};
use countersign_domain::{
    id::ClientId,
    identity::Identity,
    oauth::form::Form,
    sign_in::{LIFETIME, Purpose, SignIn},
    step_up::StepUp,
};
use countersign_storage::{identities, sign_ins, step_ups};

use super::{back::Back, token_of};
use crate::{
    Service,
    address::Address,
    browser::{Browser, NewCookie, PageRefused, authorize::Authorized, visit_of},
    caller::Caller,
    client_auth::AuthenticatedClient,
    directory::ProjectView,
    error::Outage,
    oauth::authorization::PageProblem,
    sign_in::{ChallengeCall, ChallengeRefused, Outcome},
};

/// A step-up that its user may begin.
struct Startable {
    step_up: StepUp,
    /// Where the user gets codes.
    identity: Option<Identity>,
}

impl Service {
    /// The step-up that a start token is for. None: it isn't one, its minute is over, or it was used before.
    async fn startable(&self, project: &ProjectView, start_token: &str) -> Result<Option<Startable>, Outage> {
        let Some(token) = token_of(project, StepUpTokenKind::Start, start_token, self.now()) else {
            return Ok(None);
        };
        let id = &project.project.id;
        let mut reader = self.db.reader().await?;
        let stored = step_ups::find(&mut reader.conn(), id, token.id).await?;
        let known_as = identities::list(&mut reader.conn(), id, token.user).await?;
        drop(reader);
        let Some(stored) = stored.filter(|it| it.step_up.user == token.user && it.begun_at.is_none()) else {
            return Ok(None);
        };
        // An address that is proved is likelier to be read than one that was only said.
        let email = |is_wanted: &dyn Fn(bool) -> bool| {
            known_as.iter().find_map(|record| match &record.identity {
                Identity::Email(_) if is_wanted(record.verified_at.is_some()) => Some(record.identity.clone()),
                _ => None,
            })
        };
        let identity = email(&|is_verified| is_verified).or_else(|| email(&|_| true));
        Ok(Some(Startable { step_up: stored.step_up, identity }))
    }

    /// Draws up the sign-in.
    fn step_up_sign_in(
        &self,
        project: &ProjectView,
        startable: Startable,
        client: ClientId,
        back: Option<String>,
    ) -> SignIn {
        let Startable { step_up, identity } = startable;
        let purpose = Purpose::StepUp { client, step_up: step_up.id, user: step_up.user, back };
        SignIn { identity, ..self.new_sign_in(project, purpose) }
    }

    /// Uses the start token up, and keeps the sign-in. `false`: somebody else began in the same moment.
    async fn keep_step_up_sign_in(&self, sign_in: SignIn, handle: HandleHash) -> Result<bool, Outage> {
        let Purpose::StepUp { step_up, .. } = sign_in.purpose else {
            return Err(Outage::Fault("a sign-in for a step-up is for something else".to_owned()));
        };
        let (row, now) = (Arc::new((sign_in, handle)), self.now());
        let written = self.db.write(move |mut conn| {
            let row = Arc::clone(&row);
            Box::pin(async move {
                let (sign_in, handle) = &*row;
                let is_first = step_ups::begin(&mut conn, &sign_in.project, step_up, now).await?;
                if is_first {
                    sign_ins::insert(&mut conn, sign_in, handle).await?;
                }
                Ok(is_first)
            })
        });
        Ok(written.await?)
    }

    /// An app sends its user here with a start token. They come back with a receipt, to an address that a client of the project's own has registered.
    pub async fn begin_step_up_in_browser(
        &self,
        address: &Address,
        parameters: &Form,
        browser: Browser<'_>,
        caller: &Caller,
    ) -> Result<Authorized, PageRefused> {
        let project = self.page_project(address)?;
        let start_token = parameters.text("start_token").unwrap_or_default();
        let startable = self.startable(&project, start_token).await?.ok_or(PageRefused::Over)?;
        let client = match parameters.text("client_id") {
            None => startable.step_up.client.clone(),
            Some(id) => id.parse().map_err(|_| refused(PageProblem::UnknownClient))?,
        };
        let view = project.client(&client).filter(|view| {
            let is_own = view.settings.oauth_first_party || client == startable.step_up.client;
            is_own && view.client.disabled_at.is_none()
        });
        let view = view.ok_or(refused(PageProblem::UnknownClient))?;
        let back = Back::of(&project, view, parameters).ok_or(refused(PageProblem::BadRedirectUri))?;
        self.take_sign_in(&project, caller).map_err(PageRefused::TooMany)?;
        let visit: Visit = visit_of(self, browser);
        let sign_in = self.step_up_sign_in(&project, startable, client, Some(back.to_json()));
        let (id, handle) = (sign_in.id, visit.handle(sign_in.id));
        if !self.keep_step_up_sign_in(sign_in, handle).await? {
            return Err(PageRefused::Over);
        }
        Ok(Authorized::SignIn { id, visit: NewCookie { value: visit.to_cookie(), max_age: LIFETIME } })
    }

    /// The same on an app's own screens.
    pub(crate) async fn begin_step_up_on_screen(
        &self,
        client: &AuthenticatedClient,
        start_token: &str,
        call: &ChallengeCall<'_>,
        caller: &Caller,
    ) -> Result<Outcome, ChallengeRefused> {
        let project = &client.project;
        let startable = self.startable(project, start_token).await?.ok_or(ChallengeRefused::InvalidSession)?;
        let dpop_jkt = self.challenge_key(client, call)?;
        self.take_sign_in(project, caller).map_err(ChallengeRefused::TooMany)?;
        let sign_in = self.step_up_sign_in(project, startable, client.id.clone(), None);
        let sign_in = SignIn { dpop_jkt, ..sign_in };
        let handle = generate(sign_in.id, &self.entropy);
        let prompt = self.prompt(project, &sign_in, None);
        let risk = self.told_risk(project, sign_in.identity.as_ref());
        if !self.keep_step_up_sign_in(sign_in, HandleHash::of(&handle)).await? {
            return Err(ChallengeRefused::InvalidSession);
        }
        Ok(Outcome::Asked { handle, prompt, risk })
    }
}

fn refused(problem: PageProblem) -> PageRefused {
    PageRefused::Request(problem.into())
}
