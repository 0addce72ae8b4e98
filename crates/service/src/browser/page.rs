//! What a page of a sign-in shows: where it has got to, as somebody sees it.

use std::{sync::Arc, time::Duration};

use countersign_crypto::{browser_cookie::Visit, one_time_code::DIGITS};
use countersign_domain::{
    id::{ClientId, SignInId},
    identity::Identity,
    locale::Locale,
    message::Channel,
    risk::Assessment,
    sign_in::{Asked, Purpose, Second, SentCode, Step, TRIES},
};
use countersign_storage::sign_ins::KeptSignIn;

use super::{Browser, Look, PageRefused, locale_of, look, session::LiveBrowser};
use crate::{
    Service,
    address::Address,
    code_sign_in::destination_of,
    deliver::health::ChannelState,
    directory::ProjectView,
    error::Outage,
    oauth::authorization::AuthorizationRequest,
    sign_in::{
        MethodChoice,
        issue::kept_request,
        prompt::{other_methods, second_methods},
    },
    step_up::{back::Back, confirm::Left},
};

/// A page.
pub struct View {
    /// The sign-in.
    pub id: SignInId,
    /// How it looks.
    pub look: Look,
    /// In which language it speaks.
    pub locale: Locale,
    /// The app that asks; none: it is for the user's own account.
    pub client: Option<String>,
    /// Where a form may lead in the end.
    pub returns_to: Option<String>,
    /// What its forms must carry.
    pub form_token: String,
    /// Who is signed in already, and may go on as that.
    pub known_as: Option<String>,
    /// Whether mail gets through.
    pub mail: ChannelState,
    /// Whether browsers have passkeys here.
    pub has_passkeys: bool,
    /// What speaks against the sign-in, as far as it may be told.
    pub risk: Assessment,
    /// What is asked.
    pub stage: Stage,
}

/// What a page asks.
pub enum Stage {
    /// Who are you?
    Who {
        /// As the app believes, or as was typed before.
        prefilled: String,
    },
    /// Which code was sent to you?
    Code {
        /// Where it went.
        destination: String,
        /// How many digits it has.
        length: usize,
        /// How long until another may be asked for.
        resend_in: Duration,
        /// How often another was shown.
        tries: u32,
        /// How often it may still be tried; zero too when its time is over.
        tries_left: u32,
    },
    /// Which second factor is it to be? Or, where there is none: which is to be set up?
    Choose {
        /// Is one set up?
        is_set_up: bool,
        /// What may be chosen, as `method` has it.
        methods: Vec<MethodChoice>,
    },
    /// Which code does the app show, or was sent as a second factor?
    Second(SecondCode),
    /// What does an app show that was given this?
    SetUpTotp(TotpSetUp),
    /// Which telephone is to get codes?
    SetUpPhone {
        /// What else could be set up.
        others: Vec<MethodChoice>,
    },
    /// May the app know, and do, this?
    Consent {
        /// Who is asked.
        known_as: String,
        /// What.
        scopes: Vec<String>,
    },
}

/// A code that is a second factor.
pub struct SecondCode {
    /// Where it went, as far as it may be shown; none: an app shows it.
    pub destination: Option<String>,
    /// How many digits it has.
    pub length: usize,
    /// How long until another may be asked for.
    pub resend_in: Duration,
    /// How often something wrong was shown.
    pub tries: u32,
    /// How often something may still be shown.
    pub tries_left: u32,
    /// Is the code's time over?
    pub is_over: bool,
    /// What else would do.
    pub others: Vec<MethodChoice>,
}

/// An authenticator app that is being set up.
pub struct TotpSetUp {
    /// To be typed.
    pub secret: String,
    /// For a QR code.
    pub otpauth_uri: String,
    /// How many digits it shows.
    pub length: usize,
    /// How often something wrong was shown.
    pub tries: u32,
    /// How often something may still be shown.
    pub tries_left: u32,
    /// What else could be set up.
    pub others: Vec<MethodChoice>,
}

/// A sign-in of this browser's.
pub(super) struct Own {
    pub(super) project: Arc<ProjectView>,
    pub(super) visit: Visit,
    pub(super) kept: KeptSignIn,
    pub(super) request: Option<AuthorizationRequest>,
    pub(super) live: Option<LiveBrowser>,
}

impl Own {
    /// Where somebody goes back to who was to prove a change.
    pub(super) fn back(&self) -> Option<Back> {
        match &self.kept.sign_in.purpose {
            Purpose::StepUp { back, .. } => Back::from_json(back.as_deref()?),
            Purpose::Client { .. } | Purpose::Account => None,
        }
    }

    /// In which language this browser is spoken to.
    pub(super) fn locale(&self, browser: Browser<'_>) -> Locale {
        locale_of(self.request.as_ref().map_or(&[][..], |request| &request.ui_locales), browser)
    }
}

impl Service {
    /// In which language a page speaks that says why a sign-in's page isn't there. None: it isn't this browser's, or is over.
    pub async fn locale_of_sign_in(&self, address: &Address, id: &str, browser: Browser<'_>) -> Option<Locale> {
        Some(self.own_sign_in(address, id, browser).await.ok()?.locale(browser))
    }

    /// The page of a sign-in, in the browser that began it. `is_other`: the person has another address than the one that a code went to.
    pub async fn sign_in_page(
        &self,
        address: &Address,
        id: &str,
        is_other: bool,
        browser: Browser<'_>,
    ) -> Result<View, PageRefused> {
        let own = self.own_sign_in(address, id, browser).await?;
        let view = self.view(&own, browser).await?;
        match view.stage {
            Stage::Code { destination, .. } if is_other => {
                Ok(View { stage: Stage::Who { prefilled: destination }, ..view })
            }
            _ => Ok(view),
        }
    }

    /// The sign-in that this browser began.
    pub(super) async fn own_sign_in(
        &self,
        address: &Address,
        id: &str,
        browser: Browser<'_>,
    ) -> Result<Own, PageRefused> {
        let project = self.page_project(address)?;
        let id: SignInId = id.parse().map_err(|_| PageRefused::Over)?;
        let visit = browser.visit.and_then(Visit::read).ok_or(PageRefused::Over)?;
        let kept = self.find_sign_in(&project, id, &visit.handle(id)).await?.ok_or(PageRefused::Over)?;
        let request = kept_request(&kept.sign_in.purpose)?;
        let live = self.live_browser(&project, browser).await?;
        Ok(Own { project, visit, kept, request, live })
    }

    async fn view(&self, own: &Own, browser: Browser<'_>) -> Result<View, PageRefused> {
        let sign_in = &own.kept.sign_in;
        Ok(View {
            id: sign_in.id,
            look: look(&own.project),
            locale: own.locale(browser),
            client: sign_in.purpose.client().map(|client| client_name(&own.project, client)),
            returns_to: match &own.request {
                Some(request) => Some(request.redirect_uri.clone()),
                None => own.back().map(|back| back.address().to_owned()),
            },
            form_token: own.visit.form_token(sign_in.id),
            known_as: self.may_go_on_as(own).await?,
            mail: self.channel_state(Channel::Email),
            has_passkeys: self.has_passkeys(&own.project),
            risk: self.risk_of(&own.project, sign_in),
            stage: self.stage(own).await?,
        })
    }

    async fn stage(&self, own: &Own) -> Result<Stage, PageRefused> {
        let (sign_in, now) = (&own.kept.sign_in, self.now());
        let typed = sign_in.identity.as_ref().map(|identity| identity.value().to_owned());
        match &sign_in.step {
            Step::Choosing => {
                let hint = || own.request.as_ref().and_then(|request| request.login_hint.clone());
                Ok(Stage::Who { prefilled: typed.or_else(hint).unwrap_or_default() })
            }
            Step::Sent(sent) => {
                let is_over = sent.expires_at().is_past(now);
                Ok(Stage::Code {
                    destination: typed.unwrap_or_default(),
                    length: DIGITS,
                    resend_in: sent.resend_at().since(now),
                    tries: sent.tries,
                    tries_left: if is_over { 0 } else { sent.tries_left() },
                })
            }
            Step::Second(second) => Ok(self.second_stage(own, second)),
            Step::Proved(_) if sign_in.is_proved_step_up() => {
                let left = self.left_of_step_up(&own.project, &own.kept).await?;
                Ok(self.step_up_stage(left.ok_or(PageRefused::Over)?))
            }
            Step::Proved(user) => {
                let user = *user;
                // Who has signed out meanwhile, or is somebody else by now, can't say yes for this user.
                let is_here = own.live.as_ref().is_some_and(|live| live.session.user == user);
                let (true, Some(request)) = (is_here, &own.request) else {
                    return Err(PageRefused::Over);
                };
                let scopes = request.scope.iter().map(str::to_owned).collect();
                Ok(Stage::Consent { known_as: self.known_as(&own.project, user).await?, scopes })
            }
        }
    }

    fn step_up_stage(&self, left: Left) -> Stage {
        let now = self.now();
        match left {
            Left::Choose(method) => Stage::Choose { is_set_up: true, methods: vec![method] },
            Left::Code { to, sent } => Stage::Second(SecondCode {
                destination: destination_of(&to).map(|to| to.masked()),
                length: DIGITS,
                resend_in: sent.resend_at().since(now),
                tries: sent.tries,
                // Another code may be asked for.
                tries_left: sent.tries_left().max(1),
                is_over: sent.expires_at().is_past(now) || sent.tries_left() == 0,
                others: Vec::new(),
            }),
            Left::Totp(new) => Stage::SetUpTotp(TotpSetUp {
                secret: new.secret.danger_expose().to_owned(),
                otpauth_uri: new.otpauth_uri.danger_expose().to_owned(),
                length: DIGITS,
                tries: 0,
                tries_left: TRIES,
                others: Vec::new(),
            }),
        }
    }

    fn second_stage(&self, own: &Own, second: &Second) -> Stage {
        let (now, others, tries_left) = (self.now(), other_methods(second), second.tries_left());
        let choose = || Stage::Choose { is_set_up: second.is_set_up(), methods: second_methods(second) };
        let of_code = |sent: Option<(&SentCode, &Identity)>, others| {
            Stage::Second(SecondCode {
                destination: sent.and_then(|(_, to)| destination_of(to)).map(|to| to.masked()),
                length: DIGITS,
                resend_in: sent.map_or(Duration::ZERO, |(code, _)| code.resend_at().since(now)),
                tries: second.tries,
                tries_left,
                is_over: sent.is_some_and(|(code, _)| code.expires_at().is_past(now)),
                others,
            })
        };
        match &second.asked {
            Asked::Which => choose(),
            Asked::Totp => of_code(None, others),
            Asked::Sent { to, code, .. } | Asked::NewPhone { to, code } => of_code(Some((code, to)), others),
            Asked::WhichPhone => Stage::SetUpPhone { others },
            Asked::NewTotp { sealed_seed } => match self.new_totp(&own.project, &own.kept.sign_in, sealed_seed) {
                Some(new) => Stage::SetUpTotp(TotpSetUp {
                    secret: new.secret.danger_expose().to_owned(),
                    otpauth_uri: new.otpauth_uri.danger_expose().to_owned(),
                    length: DIGITS,
                    tries: second.tries,
                    tries_left,
                    others,
                }),
                None => choose(),
            },
        }
    }

    /// Whoever is signed in may go on as that, where the app takes them as they are.
    async fn may_go_on_as(&self, own: &Own) -> Result<Option<String>, Outage> {
        let is_half_in = matches!(own.kept.sign_in.step, Step::Second(_) | Step::Proved(_));
        let (Some(live), false) = (&own.live, is_half_in) else {
            return Ok(None);
        };
        if self.may_go_on(own).await? {
            self.known_as(&own.project, live.session.user).await.map(Some)
        } else {
            Ok(None)
        }
    }

    pub(super) async fn may_go_on(&self, own: &Own) -> Result<bool, Outage> {
        let sign_in = &own.kept.sign_in;
        let Some(live) = &own.live else { return Ok(false) };
        match (&sign_in.purpose, &own.request) {
            (Purpose::Client { .. }, Some(request)) => {
                use super::authorize::Ask;
                let standing = self.will_do(&own.project, request, live, Some(sign_in.created_at)).await?;
                Ok(!matches!(standing, Err(Ask::SignIn)))
            }
            // A step-up takes a proof of its own.
            (Purpose::StepUp { .. }, _) => Ok(false),
            _ => Ok(live.session.proof.at >= sign_in.created_at),
        }
    }
}

/// What people call an app.
pub(super) fn client_name(project: &ProjectView, client: &ClientId) -> String {
    let name = project.client(client).map(|view| view.client.name.as_str().trim().to_owned());
    name.filter(|name| !name.is_empty()).unwrap_or_else(|| client.to_string())
}
