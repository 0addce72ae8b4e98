//! An app sends a user here (RFC 6749 §4.1.1): who is signed in already goes straight back, everybody else signs in.

use std::sync::Arc;

use countersign_crypto::browser_cookie::Visit;
use countersign_domain::{
    browser_session::Freshness,
    clock::Timestamp,
    id::SignInId,
    identity::Identity,
    mfa::MfaPolicy,
    oauth::form::Form,
    proof::Level,
    risk::Assessment,
    sign_in::{LIFETIME, Purpose, SignIn},
    text::EmailAddress,
};
use countersign_storage::{error::Result as StorageResult, identities};

use super::{Browser, NewCookie, PageRefused, session::LiveBrowser, visit_of};
use crate::{
    Service,
    address::Address,
    caller::Caller,
    directory::ProjectView,
    error::Outage,
    oauth::{
        authorization::{AuthorizationRefused, AuthorizationRequest, CheckedRequest, Prompt},
        response::{AuthorizationError, ErrorCode, Redirect, authorization_response},
    },
    sign_in::issue::{Issue, Issued},
};

/// Where a browser goes from here.
pub enum Authorized {
    /// Back to the app.
    Back(Redirect),
    /// To a sign-in.
    SignIn {
        /// Which.
        id: SignInId,
        /// By what this browser is known there.
        visit: NewCookie,
    },
}

/// Why somebody who may be signed in must be asked all the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ask {
    /// To prove who they are.
    SignIn,
    /// Which account.
    Account,
}

impl Service {
    /// An authorization request, by query or by form.
    pub async fn authorize(
        &self,
        address: &Address,
        parameters: &Form,
        browser: Browser<'_>,
        caller: &Caller,
    ) -> Result<Authorized, PageRefused> {
        let CheckedRequest { project, request } = self.check_authorization_request(address, parameters)?;
        let live = self.live_browser(&project, browser).await?;
        let is_silent = request.prompt.contains(&Prompt::None);
        let unasked = match &live {
            Some(live) if !is_asked_anew(&project, &request) => self.will_do(&project, &request, live, None).await?,
            _ => Err(Ask::SignIn),
        };
        let refused = |code, description| Ok(back(&request, code, description));
        match (unasked, &live) {
            (Ok(()), Some(live)) => {
                let issue = self.draw_up_code(&project, &request, live.session.proof.clone(), None)?.to(live);
                let issue = Arc::new(issue);
                match self.issue_to(&issue, live).await? {
                    Issued::Code => Ok(Authorized::Back(authorization_response(&request, &issue.code()))),
                    Issued::Consent if is_silent => {
                        refused(ErrorCode::ConsentRequired, "the user has not consented to this yet")
                    }
                    Issued::Consent => {
                        let new = self.new_client_sign_in(&project, &request);
                        // How the user was proved in this browser was judged then.
                        let known = new.proved(live.session.user, Assessment::default());
                        self.begin_in_browser(&project, known, browser, caller).await
                    }
                    Issued::NoEmail => Ok(Authorized::Back(no_email(&request).redirect())),
                    Issued::OtherUser | Issued::NoUser => refused(ErrorCode::LoginRequired, "somebody must sign in"),
                }
            }
            (Err(Ask::Account), _) if is_silent => {
                refused(ErrorCode::AccountSelectionRequired, "the user must choose an account")
            }
            _ if is_silent => refused(ErrorCode::LoginRequired, "somebody must sign in"),
            _ => {
                let new = self.new_client_sign_in(&project, &request);
                self.begin_in_browser(&project, new, browser, caller).await
            }
        }
    }

    fn new_client_sign_in(&self, project: &ProjectView, request: &AuthorizationRequest) -> SignIn {
        let purpose = Purpose::Client { client: request.client.clone(), request: request.to_json() };
        self.new_sign_in(project, purpose)
    }

    pub(super) async fn begin_in_browser(
        &self,
        project: &ProjectView,
        sign_in: SignIn,
        browser: Browser<'_>,
        caller: &Caller,
    ) -> Result<Authorized, PageRefused> {
        self.take_sign_in(project, caller).map_err(PageRefused::TooMany)?;
        let visit: Visit = visit_of(self, browser);
        let (id, handle) = (sign_in.id, visit.handle(sign_in.id));
        self.keep_sign_in(sign_in, handle).await?;
        Ok(Authorized::SignIn { id, visit: NewCookie { value: visit.to_cookie(), max_age: LIFETIME } })
    }

    /// A code for whoever is signed in.
    async fn issue_to(&self, issue: &Arc<Issue>, live: &LiveBrowser) -> Result<Issued, Outage> {
        let (working, user) = (Arc::clone(issue), live.session.user);
        let issued: StorageResult<Issued> = self
            .db
            .write(move |mut conn| {
                let issue = Arc::clone(&working);
                Box::pin(async move { issue.run(&mut conn, user, false).await })
            })
            .await;
        Ok(issued?)
    }

    /// Will whoever is signed in do, for this request? `begun`: when its sign-in began; a proof since then is as new as can be asked for.
    pub(super) async fn will_do(
        &self,
        project: &ProjectView,
        request: &AuthorizationRequest,
        live: &LiveBrowser,
        begun: Option<Timestamp>,
    ) -> Result<Result<(), Ask>, Outage> {
        let session = &live.session;
        let is_new = begun.is_some_and(|begun| session.proof.at >= begun);
        let not_before = if is_asked_anew(project, request) { begun } else { None };
        let freshness = Freshness { max_age: request.max_age.filter(|_| !is_new), not_before };
        if !session.is_fresh(freshness, self.now())
            || request.hinted_user.is_some_and(|hinted| hinted != session.user)
            || !is_strong_enough(project, request, session.proof.level)
            || !self.is_hinted_at(project, request, live).await?
        {
            return Ok(Err(Ask::SignIn));
        }
        let is_chosen = !request.prompt.contains(&Prompt::SelectAccount);
        Ok(if is_chosen { Ok(()) } else { Err(Ask::Account) })
    }

    /// Where the app says by address who is about to sign in, is it this user?
    async fn is_hinted_at(
        &self,
        project: &ProjectView,
        request: &AuthorizationRequest,
        live: &LiveBrowser,
    ) -> Result<bool, Outage> {
        let hint = request.login_hint.as_deref().and_then(|hint| hint.parse::<EmailAddress>().ok());
        let Some(hint) = hint else { return Ok(true) };
        let mut reader = self.db.reader().await?;
        let found = identities::find(&mut reader.conn(), &project.project.id, &Identity::Email(hint)).await?;
        Ok(found.is_some_and(|record| record.user == live.session.user))
    }
}

/// Must the user prove who they are, whatever they proved before?
fn is_asked_anew(project: &ProjectView, request: &AuthorizationRequest) -> bool {
    request.prompt.contains(&Prompt::Login) || project.settings.browser_lifetime.is_zero()
}

/// A client that names levels gets a new proof rather than one below all of them, and so does a project that requires two factors.
fn is_strong_enough(project: &ProjectView, request: &AuthorizationRequest, level: Level) -> bool {
    let known = || request.acr_values.iter().filter_map(|value| value.parse::<Level>().ok());
    let is_allowed = level >= Level::TwoFactors || project.settings.mfa_policy != MfaPolicy::Required;
    is_allowed && (known().next().is_none() || known().any(|wanted| wanted <= level))
}

fn back(request: &AuthorizationRequest, code: ErrorCode, description: &'static str) -> Authorized {
    Authorized::Back(AuthorizationError::of(request, code, description).redirect())
}

/// What a client is told that was promised an address.
pub(super) fn no_email(request: &AuthorizationRequest) -> AuthorizationError {
    AuthorizationError::of(request, ErrorCode::AccessDenied, "the user has no e-mail address")
}

/// A request that can't be read is the app's mistake, and one that can is answered to the app.
impl PageRefused {
    /// The way back to the app, where it is known.
    pub fn redirect(&self) -> Option<Redirect> {
        match self {
            Self::Request(AuthorizationRefused::Client(error)) => Some(error.redirect()),
            _ => None,
        }
    }
}
