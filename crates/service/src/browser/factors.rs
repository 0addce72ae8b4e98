//! Second factors on a user's own page.

use std::time::Duration;

use countersign_crypto::{one_time_code::OneTimeCode, seal::Place, secret::SecretText, totp::TotpSeed};
use countersign_domain::{
    clock::Timestamp,
    locale::Locale,
    mfa::{Factor, FactorKind, MfaPolicy, Preference},
    proof::Level,
};
use countersign_storage::second_factors::StoredFactor;

use super::{
    Browser, Look, PageRefused, account::Owner, authorize::Authorized, locale_of, look, session::LiveBrowser,
    shown_name,
};
use crate::{
    Service, address::Address, admin::Refused, caller::Caller, directory::ProjectView, error::Outage,
    mfa::manage::MfaState, passkeys::By,
};

/// How long an app may take to be set up.
const SET_UP: Duration = Duration::from_mins(10);

/// A user's second factors, as their own page has them.
pub struct OwnFactors {
    /// What they have, and wish.
    pub state: MfaState,
    /// What they may set up.
    pub addable: Vec<FactorKind>,
}

/// What a user does with their second factors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FactorChange<'a> {
    /// Begins to set an authenticator app up.
    NewTotp,
    /// Shows what the app shows that was given this seed.
    AddTotp {
        /// As the form had it.
        sealed: &'a str,
        /// What was typed.
        code: &'a str,
    },
    /// Takes one away.
    Remove {
        /// Which.
        kind: &'a str,
    },
    /// Says when to be asked.
    Prefer {
        /// When.
        preference: &'a str,
    },
    /// Asks for new recovery codes.
    MakeCodes,
}

/// What comes of it.
pub enum FactorChanged {
    /// It is done.
    Done,
    /// It won't do.
    Failed,
    /// An app is to be given this.
    SetUp(Box<SetUpView>),
    /// These are shown, once.
    Codes(Box<CodesView>),
    /// They must prove again who they are.
    SignIn(Authorized),
}

/// The page on which an app is set up.
pub struct SetUpView {
    /// How it looks.
    pub look: Look,
    /// In which language it speaks.
    pub locale: Locale,
    /// What its form must carry.
    pub form_token: String,
    /// The seed, sealed for this browser.
    pub sealed: String,
    /// To be typed into the app.
    pub secret: SecretText,
    /// For a QR code.
    pub otpauth_uri: SecretText,
    /// Was something wrong typed?
    pub is_mistaken: bool,
}

/// The page that shows recovery codes.
pub struct CodesView {
    /// How it looks.
    pub look: Look,
    /// In which language it speaks.
    pub locale: Locale,
    /// The codes.
    pub codes: Vec<SecretText>,
}

impl Service {
    /// A user changes their second factors.
    pub async fn change_factors(
        &self,
        address: &Address,
        change: FactorChange<'_>,
        unverified_form_token: &str,
        browser: Browser<'_>,
        caller: &Caller,
    ) -> Result<FactorChanged, PageRefused> {
        let owner = self.owner_of_form(address, unverified_form_token, browser).await?;
        let (project, user) = (&owner.project.project.id, owner.live.session.user);
        if let Some(begun) = self.sign_in_if_stale(&owner, browser, caller).await? {
            return Ok(FactorChanged::SignIn(begun));
        }
        let by = By::User { caller, locale: locale_of(&[], browser) };
        let done = match change {
            FactorChange::NewTotp => return self.new_totp_page(&owner, browser, None).await,
            FactorChange::AddTotp { sealed, code } => return self.add_totp(&owner, sealed, code, browser, by).await,
            FactorChange::MakeCodes => return self.codes_page(&owner, browser, by).await,
            FactorChange::Remove { kind } => match kind.parse::<FactorKind>() {
                Ok(kind) => self.remove_factor(project, user, kind, by).await,
                Err(_) => return Ok(FactorChanged::Failed),
            },
            FactorChange::Prefer { preference } => match preference.parse::<Preference>() {
                Ok(preference) => self.set_mfa_preference(project, user, preference, by).await,
                Err(_) => return Ok(FactorChanged::Failed),
            },
        };
        done_or_failed(done)
    }

    /// May whoever is signed in change how they are proved? They were proved lately, and by whatever second factor they have.
    pub(super) fn may_change_account(&self, project: &ProjectView, live: &LiveBrowser, factors: &[Factor]) -> bool {
        let is_whole = live.session.proof.level >= Level::TwoFactors
            || factors.is_empty()
            || project.settings.mfa_policy == MfaPolicy::Off;
        is_whole && self.was_proved_lately(live)
    }

    pub(super) async fn own_factors(&self, project: &ProjectView, live: &LiveBrowser) -> Result<OwnFactors, Outage> {
        let state = self.mfa_state(&project.project.id, live.session.user).await?;
        let has_totp = state.factors.iter().any(|factor| factor.kind == FactorKind::Totp);
        Ok(OwnFactors { addable: if has_totp { Vec::new() } else { vec![FactorKind::Totp] }, state })
    }

    async fn new_totp_page(
        &self,
        owner: &Owner,
        browser: Browser<'_>,
        mistaken: Option<TotpSeed>,
    ) -> Result<FactorChanged, PageRefused> {
        let is_mistaken = mistaken.is_some();
        let seed = mistaken.unwrap_or_else(|| TotpSeed::generate(&self.entropy));
        let account = self.known_as(&owner.project, owner.live.session.user).await?;
        Ok(FactorChanged::SetUp(Box::new(SetUpView {
            look: look(&owner.project),
            locale: locale_of(&[], browser),
            form_token: owner.live.cookie.form_token(),
            sealed: self.seal_new_seed(owner, &seed),
            secret: seed.to_text(),
            otpauth_uri: seed.uri(&shown_name(&owner.project), &account),
            is_mistaken,
        })))
    }

    async fn add_totp(
        &self,
        owner: &Owner,
        sealed: &str,
        unverified: &str,
        browser: Browser<'_>,
        by: By<'_>,
    ) -> Result<FactorChanged, PageRefused> {
        let now = self.now();
        let Some(seed) = self.open_new_seed(owner, sealed) else { return Ok(FactorChanged::Failed) };
        let step = OneTimeCode::unverified(unverified).and_then(|code| seed.step_of(&code, now));
        let Some(used_step) = step else { return self.new_totp_page(owner, browser, Some(seed)).await };
        let (project, user) = (&owner.project.project.id, owner.live.session.user);
        let factor = Factor { kind: FactorKind::Totp, contact: None, created_at: now, last_used_at: Some(now) };
        let sealed_seed = Some(self.seal_seed(project, user, &seed));
        done_or_failed(self.add_factor(project, user, StoredFactor { factor, sealed_seed, used_step }, by).await)
    }

    async fn codes_page(&self, owner: &Owner, browser: Browser<'_>, by: By<'_>) -> Result<FactorChanged, PageRefused> {
        let made = self.make_recovery_codes(&owner.project.project.id, owner.live.session.user, by).await;
        match made {
            Ok(codes) => {
                let (look, locale) = (look(&owner.project), locale_of(&[], browser));
                Ok(FactorChanged::Codes(Box::new(CodesView { look, locale, codes })))
            }
            Err(Refused::Outage(outage)) => Err(outage.into()),
            Err(_) => Ok(FactorChanged::Failed),
        }
    }

    /// For the form that sets it up: good for this browser, and not for long.
    fn seal_new_seed(&self, owner: &Owner, seed: &TotpSeed) -> String {
        let until = self.now().plus(SET_UP).micros();
        let text = [&until.to_be_bytes(), seed.danger_bytes()].concat();
        self.master_key.seal(new_seed_place(&new_seed_row(owner).each_ref().map(String::as_str)), &text)
    }

    fn open_new_seed(&self, owner: &Owner, sealed: &str) -> Option<TotpSeed> {
        let row = new_seed_row(owner);
        let opened = self.master_key.open(new_seed_place(&row.each_ref().map(String::as_str)), sealed).ok()?;
        let (until, seed) = opened.split_first_chunk::<8>()?;
        let until = Timestamp::from_micros(i64::from_be_bytes(*until));
        TotpSeed::from_bytes(seed).filter(|_| !until.is_past(self.now()))
    }
}

fn new_seed_row(owner: &Owner) -> [String; 2] {
    [owner.project.project.id.to_string(), owner.live.session.id.to_string()]
}

/// It stands in a form and in no table.
fn new_seed_place<'a>(row: &'a [&'a str; 2]) -> Place<'a> {
    Place { table: "browser_sessions", column: "new_seed", row }
}

fn done_or_failed(done: Result<(), Refused>) -> Result<FactorChanged, PageRefused> {
    match done {
        Ok(()) => Ok(FactorChanged::Done),
        Err(Refused::Outage(outage)) => Err(outage.into()),
        Err(_) => Ok(FactorChanged::Failed),
    }
}
