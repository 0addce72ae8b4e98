//! What somebody does on a page of a sign-in.

use std::sync::Arc;

use countersign_crypto::sign_in_handle::HandleHash;
use countersign_domain::{
    audit::{Act as AuditAct, Actor, AuditEntry, Subject},
    id::UserId,
    identity::Identity,
    locale::Locale,
    mfa::FactorKind,
    sign_in::Step,
};
use countersign_storage::{
    Conn, audit,
    error::Result as StorageResult,
    sign_ins::{self, KeptSignIn},
};

use super::{
    Browser, NewCookie, PageRefused,
    authorize::no_email,
    mistake::{Mistake, said},
    page::Own,
    session::{LiveBrowser, new_cookie},
};
use crate::{
    Service,
    address::Address,
    caller::Caller,
    error::Outage,
    oauth::response::{AuthorizationError, ErrorCode, Redirect, authorization_response},
    sign_in::{
        Denial,
        issue::{Issue, Issued},
        step::{Front, Move, StepRefused, Stepped, Stepping},
        transaction::withdraw_code,
    },
    verdicts::{ACCEPTED, Proof as Verdict},
};

/// What somebody does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act<'a> {
    /// Says which address is theirs.
    Email(&'a str),
    /// Asks for another code.
    Resend,
    /// Shows the code.
    Code(&'a str),
    /// Opens the link.
    Link(&'a str),
    /// Shows a passkey.
    Passkey(&'a str),
    /// Wants to show, or to set up, this as a second factor.
    Second(FactorKind),
    /// Says which telephone is to be one.
    Phone(&'a str),
    /// Shows a recovery code.
    RecoveryCode(&'a str),
    /// Goes on as whoever is signed in.
    Continue,
    /// Lets the app know what it asks for.
    Allow,
    /// Doesn't.
    Deny,
    /// Goes back to the app.
    Cancel,
}

/// What comes of it.
pub enum Acted {
    /// Something is asked: the page again, or the next one.
    Asked(Option<Mistake>),
    /// It is done.
    Done {
        /// Somebody is signed in from now on.
        cookie: Option<NewCookie>,
        /// Where they go.
        to: To,
    },
    /// They may not come in.
    Denied {
        /// Why.
        denial: Denial,
        /// The way back to the app, that tells it so.
        back: Option<Redirect>,
        /// In which language they are told.
        locale: Locale,
    },
}

/// Where somebody goes who is done.
pub enum To {
    /// Back to the app.
    Client(Redirect),
    /// To the page that asks for consent.
    Consent,
    /// To their own account.
    Account,
}

impl Service {
    /// Somebody sends a form of a sign-in's page.
    pub async fn act_on_sign_in(
        &self,
        address: &Address,
        id: &str,
        unverified_form_token: &str,
        act: Act<'_>,
        browser: Browser<'_>,
        caller: &Caller,
    ) -> Result<Acted, PageRefused> {
        let acted = self.act(address, id, unverified_form_token, act, browser, caller).await;
        Verdict::SignIn.count(match &acted {
            Ok(Acted::Done { to: To::Consent, .. }) => "consent_asked",
            Ok(Acted::Done { .. }) => ACCEPTED,
            Ok(Acted::Asked(Some(mistake))) => mistake.reason(),
            Ok(Acted::Asked(None)) => "code_asked",
            Ok(Acted::Denied { denial, .. }) => denial.as_str(),
            Err(refused) => refused.reason(),
        });
        acted
    }

    async fn act(
        &self,
        address: &Address,
        id: &str,
        unverified_form_token: &str,
        act: Act<'_>,
        browser: Browser<'_>,
        caller: &Caller,
    ) -> Result<Acted, PageRefused> {
        let own = self.own_sign_in(address, id, browser).await?;
        if !own.visit.is_form_token(own.kept.sign_in.id, unverified_form_token) {
            return Err(PageRefused::Forged);
        }
        match act {
            Act::Email(typed) => match typed.trim().parse() {
                Ok(address) => self.step_in_browser(&own, Move::Send(&Identity::Email(address)), browser, caller).await,
                Err(_) => Ok(Acted::Asked(Some(Mistake::NoAddress))),
            },
            Act::Resend if own.kept.sign_in.second().is_some() => {
                self.step_in_browser(&own, Move::Resend, browser, caller).await
            }
            Act::Resend => match &own.kept.sign_in.identity {
                Some(identity) => self.step_in_browser(&own, Move::Send(identity), browser, caller).await,
                None => Ok(Acted::Asked(None)),
            },
            Act::Code(code) => self.step_in_browser(&own, Move::Code(code), browser, caller).await,
            Act::Link(secret) => self.step_in_browser(&own, Move::Link(secret), browser, caller).await,
            Act::Passkey(response) => self.step_in_browser(&own, Move::Passkey(response), browser, caller).await,
            Act::Second(kind) => self.step_in_browser(&own, Move::Second(kind), browser, caller).await,
            Act::Phone(typed) => self.step_in_browser(&own, Move::Phone(typed), browser, caller).await,
            Act::RecoveryCode(code) => self.step_in_browser(&own, Move::RecoveryCode(code), browser, caller).await,
            Act::Continue => self.go_on_as_known(&own, browser, caller).await,
            Act::Allow => self.consent(&own, browser, caller).await,
            Act::Deny if matches!(own.kept.sign_in.step, Step::Proved(_)) => {
                self.turn_back(&own, Some(AuditAct::ConsentRefused), caller).await
            }
            Act::Deny | Act::Cancel => self.turn_back(&own, None, caller).await,
        }
    }

    async fn step_in_browser(
        &self,
        own: &Own,
        wanted: Move<'_>,
        browser: Browser<'_>,
        caller: &Caller,
    ) -> Result<Acted, PageRefused> {
        match self.stepped_in_browser(own, wanted, browser, caller).await {
            Ok(Stepped::Asked { hint, .. }) => Ok(Acted::Asked(hint.and_then(|hint| said(wanted, hint)))),
            Ok(Stepped::Passed { code, cookie }) => Ok(Acted::Done {
                cookie: cookie.map(|cookie| new_cookie(&own.project, &cookie)),
                to: match (&own.request, code) {
                    (Some(request), Some(code)) => To::Client(authorization_response(request, &code)),
                    (Some(_), None) => To::Consent,
                    (None, _) => To::Account,
                },
            }),
            Err(StepRefused::Gone) => Err(PageRefused::Over),
            Err(StepRefused::NoChannel) => Ok(Acted::Asked(Some(Mistake::NoMail))),
            Err(StepRefused::Denied(denial)) => Ok(denied(own, denial, browser)),
            Err(StepRefused::Outage(outage)) => Err(outage.into()),
        }
    }

    pub(super) async fn stepped_in_browser(
        &self,
        own: &Own,
        wanted: Move<'_>,
        browser: Browser<'_>,
        caller: &Caller,
    ) -> Result<Stepped, StepRefused> {
        let handle = own.visit.handle(own.kept.sign_in.id);
        let stepping = Stepping {
            project: &own.project,
            kept: &own.kept,
            shown: handle,
            next: handle,
            front: Front::Browser { before: own.live.as_ref().map(|live| &live.cookie) },
            locale: own.locale(browser),
            caller,
        };
        self.step(&stepping, wanted).await
    }

    /// Goes on as whoever is signed in, without another proof.
    async fn go_on_as_known(&self, own: &Own, browser: Browser<'_>, caller: &Caller) -> Result<Acted, PageRefused> {
        let (Some(live), true) = (&own.live, self.may_go_on(own).await?) else {
            return Ok(Acted::Asked(None));
        };
        self.finish(own, live, Answer::Continues, browser, caller).await
    }

    /// Says yes. Only who was asked can: somebody else may be signed in by now.
    async fn consent(&self, own: &Own, browser: Browser<'_>, caller: &Caller) -> Result<Acted, PageRefused> {
        match (&own.live, &own.kept.sign_in.step) {
            (Some(live), Step::Proved(user)) if live.session.user == *user => {
                self.finish(own, live, Answer::Consents, browser, caller).await
            }
            _ => Err(PageRefused::Over),
        }
    }

    async fn finish(
        &self,
        own: &Own,
        live: &LiveBrowser,
        answer: Answer,
        browser: Browser<'_>,
        caller: &Caller,
    ) -> Result<Acted, PageRefused> {
        let proof = live.session.proof.clone();
        let issue = match &own.request {
            Some(request) => Some(self.draw_up_code(&own.project, request, proof, None)?.to(live)),
            None => None,
        };
        let act = if answer == Answer::Consents { AuditAct::ConsentGiven } else { AuditAct::SignInPassed };
        let ending = Arc::new(Ending {
            entry: self.ending_entry(own, act, Some(live.session.user), caller),
            kept: own.kept.clone(),
            handle: own.visit.handle(own.kept.sign_in.id),
            user: live.session.user,
            issue,
            answer,
        });
        let working = Arc::clone(&ending);
        let done = self.db.write(move |mut conn| {
            let ending = Arc::clone(&working);
            Box::pin(async move { ending.run(&mut conn).await })
        });
        let Some(issued) = done.await.map_err(Outage::from)? else {
            return Err(PageRefused::Over);
        };
        let denied = |denial| denied(own, denial, browser);
        Ok(match (issued, &own.request, &ending.issue) {
            (Some(Issued::Code), Some(request), Some(issue)) => {
                Acted::Done { cookie: None, to: To::Client(authorization_response(request, &issue.code())) }
            }
            (Some(Issued::Consent), ..) => Acted::Done { cookie: None, to: To::Consent },
            (Some(Issued::OtherUser), ..) => denied(Denial::OtherUser),
            (Some(Issued::NoEmail), ..) => denied(Denial::NoEmail),
            (Some(Issued::NoUser), ..) => denied(Denial::Disabled),
            _ => Acted::Done { cookie: None, to: To::Account },
        })
    }

    /// Back to the app, which is told that the user said no.
    async fn turn_back(&self, own: &Own, act: Option<AuditAct>, caller: &Caller) -> Result<Acted, PageRefused> {
        let user = own.live.as_ref().map(|live| live.session.user);
        let entry = act.map(|act| self.ending_entry(own, act, user, caller));
        let (project, id) = (own.project.project.id.clone(), own.kept.sign_in.id);
        let now = self.now();
        let work = Arc::new((project, entry));
        let written = self.db.write(move |mut conn| {
            let work = Arc::clone(&work);
            Box::pin(async move {
                sign_ins::end(&mut conn, &work.0, id, now).await?;
                audit::insert_many(&mut conn, &work.1.iter().collect::<Vec<_>>()).await
            })
        });
        written.await.map_err(Outage::from)?;
        let to = match &own.request {
            Some(request) => {
                let error = AuthorizationError::of(request, ErrorCode::AccessDenied, "the user said no");
                To::Client(error.redirect())
            }
            None => To::Account,
        };
        Ok(Acted::Done { cookie: None, to })
    }

    fn ending_entry(&self, own: &Own, act: AuditAct, user: Option<UserId>, caller: &Caller) -> AuditEntry {
        let now = self.now();
        let client = own.kept.sign_in.purpose.client().cloned();
        let scope = own.request.as_ref().map(|request| ("scope", request.scope.to_string()));
        AuditEntry {
            project: own.project.project.id.clone(),
            id: self.audit_id(now),
            at: now,
            act,
            actor: user.map_or(Actor::Anonymous, Actor::User),
            subject: Subject { user, client, ..Subject::default() },
            request: Some(caller.request_id.clone()),
            detail: match act {
                AuditAct::SignInPassed => vec![("method", "browser_session".to_owned())],
                _ => scope.into_iter().collect(),
            },
        }
    }
}

/// What somebody says who is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answer {
    Continues,
    Consents,
}

/// The last step, of whoever is known. Drawn up before: it may run several times and must come to the same.
struct Ending {
    kept: KeptSignIn,
    handle: HandleHash,
    user: UserId,
    issue: Option<Issue>,
    answer: Answer,
    entry: AuditEntry,
}

impl Ending {
    /// None: the sign-in is over by now.
    async fn run(&self, conn: &mut Conn<'_>) -> StorageResult<Option<Option<Issued>>> {
        let sign_in = &self.kept.sign_in;
        let taken_up = sign_ins::take_up(conn, &sign_in.project, sign_in.id, &self.handle, &self.handle).await?;
        if taken_up.is_none_or(|now| now.sign_in.step != sign_in.step) {
            return Ok(None);
        }
        let issued = match &self.issue {
            Some(issue) => Some(issue.run(conn, self.user, self.answer == Answer::Consents).await?),
            None => None,
        };
        if issued == Some(Issued::Consent) {
            withdraw_code(conn, sign_in, self.entry.at).await?;
            sign_ins::update(conn, &KeptSignIn::of(sign_in.clone().proved(self.user, sign_in.risk.clone()))).await?;
        } else {
            sign_ins::end(conn, &sign_in.project, sign_in.id, self.entry.at).await?;
            audit::insert_many(conn, &[&self.entry]).await?;
        }
        Ok(Some(issued))
    }
}

fn denied(own: &Own, denial: Denial, browser: Browser<'_>) -> Acted {
    Acted::Denied { denial, back: way_back(own, denial), locale: own.locale(browser) }
}

/// How an app is told that its user may not come in.
fn way_back(own: &Own, denial: Denial) -> Option<Redirect> {
    let request = own.request.as_ref()?;
    let error = match denial {
        Denial::NoAccount | Denial::Disabled => {
            AuthorizationError::of(request, ErrorCode::AccessDenied, "the user may not sign in")
        }
        Denial::OtherUser => {
            AuthorizationError::of(request, ErrorCode::LoginRequired, "another user signed in than id_token_hint names")
        }
        Denial::NoEmail => no_email(request),
    };
    Some(error.redirect())
}
