//! The pages of the second half of a sign-in: another factor is shown, or set up.

use std::fmt::Write as _;

use askama::Template;
use axum::{
    http::StatusCode,
    response::{IntoResponse, Response},
};
use countersign_domain::{
    locale::Locale,
    risk::{Assessment, Reason},
};
use countersign_service::{
    browser::{
        mistake::Mistake,
        page::{SecondCode, Stage, TotpSetUp},
    },
    sign_in::MethodChoice,
};
use qrcodegen::{QrCode, QrCodeEcc};

use super::{
    Frame,
    protection::Needs,
    response::page,
    sign_in::{Common, of_mistake},
    words::factors::FactorWords,
};

/// What these pages have in common.
pub(super) struct Parts {
    pub(super) frame: Frame,
    pub(super) common: Common,
    pub(super) mistake: Option<Mistake>,
    /// What speaks against the sign-in.
    pub(super) risk: Assessment,
    /// Mail is slow.
    pub(super) is_late: bool,
}

/// What a page is called.
pub(super) fn title(locale: Locale, stage: &Stage) -> String {
    let words = FactorWords(locale);
    match stage {
        Stage::Choose { is_set_up: true, .. } | Stage::SetUpTotp(_) | Stage::SetUpPhone { .. } => words.set_up_title(),
        _ => words.second_title(),
    }
}

pub(super) fn show(parts: Parts, stage: Stage, needs: &Needs<'_>) -> Response {
    match stage {
        Stage::Choose { is_set_up, methods } => page(StatusCode::OK, &Choose::of(parts, is_set_up, methods), needs),
        Stage::Second(asked) => page(StatusCode::OK, &Second::of(parts, asked), needs),
        Stage::SetUpTotp(new) => page(StatusCode::OK, &SetUpTotp::of(parts, new), needs),
        Stage::SetUpPhone { others } => page(StatusCode::OK, &SetUpPhone::of(parts, others), needs),
        // Shown by their own pages.
        Stage::Who { .. } | Stage::Code { .. } | Stage::Consent { .. } => StatusCode::NOT_FOUND.into_response(),
    }
}

impl Parts {
    fn words(&self) -> FactorWords {
        FactorWords(self.frame.lang)
    }

    fn problem(&self) -> Option<String> {
        self.mistake.map(|mistake| of_mistake(self.frame.words, mistake))
    }

    fn told(&self, tries: u32, tries_left: u32) -> Option<String> {
        let words = self.words();
        match self.mistake {
            _ if tries_left == 0 => Some(words.tried_out()),
            Some(Mistake::WrongCode) | None if tries > 0 => Some(words.wrong_code(&tries_left.to_string())),
            _ => self.problem(),
        }
    }
}

impl Choose {
    fn of(parts: Parts, is_set_up: bool, methods: Vec<MethodChoice>) -> Self {
        let words = parts.words();
        Self {
            lead: if is_set_up { words.set_up_lead() } else { words.choose_lead() },
            problem: parts.problem(),
            risks: of_risk(words, &parts.risk),
            others: Others::of(words, methods, false),
            words,
            frame: parts.frame,
            common: parts.common,
        }
    }
}

impl Second {
    fn of(parts: Parts, asked: SecondCode) -> Self {
        let words = parts.words();
        let SecondCode { destination, length, resend_in, tries, tries_left, is_over, others } = asked;
        let over = is_over.then(|| parts.frame.words.code_over());
        let resend = if destination.is_some() {
            Resend::In(resend_in.as_secs() + u64::from(resend_in.subsec_nanos() > 0))
        } else {
            Resend::Never
        };
        Self {
            lead: destination.as_ref().map_or_else(|| words.totp_lead(), |to| words.sent_lead(to)),
            length,
            resend,
            problem: parts.told(tries, tries_left).or(over),
            is_tried_out: tries_left == 0,
            is_over,
            is_late: parts.is_late && destination.is_some_and(|to| to.contains('@')),
            risks: of_risk(words, &parts.risk),
            others: Others::of(words, others, true),
            words,
            frame: parts.frame,
            common: parts.common,
        }
    }
}

impl SetUpTotp {
    fn of(parts: Parts, new: TotpSetUp) -> Self {
        let words = parts.words();
        let TotpSetUp { secret, otpauth_uri, length, tries, tries_left, others } = new;
        Self {
            problem: parts.told(tries, tries_left),
            is_tried_out: tries_left == 0,
            new: NewTotp::of(&secret, otpauth_uri),
            length,
            others: Others::of(words, others, true),
            words,
            frame: parts.frame,
            common: parts.common,
        }
    }
}

impl SetUpPhone {
    fn of(parts: Parts, others: Vec<MethodChoice>) -> Self {
        let words = parts.words();
        let (problem, others) = (parts.problem(), Others::of(words, others, true));
        Self { problem, others, words, frame: parts.frame, common: parts.common }
    }
}

/// Why more is asked than usual.
fn of_risk(words: FactorWords, risk: &Assessment) -> Vec<String> {
    let said = |reason: &Reason| match reason {
        Reason::NewDevice => words.risk_new_device(),
        Reason::NewNetwork => words.risk_new_network(),
        Reason::ManyFailures => words.risk_many_failures(),
    };
    risk.reasons().iter().map(said).collect()
}

/// What goes into an authenticator app, as a page shows it.
pub(super) struct NewTotp {
    /// In groups of four.
    pub(super) key: String,
    pub(super) uri: String,
    /// The path of a QR code's dark fields, and how many fields it is wide with its margin.
    pub(super) path: String,
    pub(super) width: i32,
}

/// The light fields around a code (ISO/IEC 18004).
const MARGIN: i32 = 4;

impl NewTotp {
    pub(super) fn of(secret: &str, uri: String) -> Self {
        let letters: Vec<char> = secret.chars().collect();
        let key = letters.chunks(4).map(|group| group.iter().collect::<String>()).collect::<Vec<_>>().join(" ");
        let (path, width) = match QrCode::encode_text(&uri, QrCodeEcc::Medium) {
            Ok(code) => {
                let dark = (0..code.size()).flat_map(|y| (0..code.size()).map(move |x| (x, y)));
                let fields = dark.filter(|(x, y)| code.get_module(*x, *y));
                let path = fields.fold(String::new(), |mut path, (x, y)| {
                    let _ = write!(path, "M{} {}h1v1h-1z", x + MARGIN, y + MARGIN);
                    path
                });
                (path, code.size() + 2 * MARGIN)
            }
            // Too long a name for a code: the key is there all the same.
            Err(_) => (String::new(), 0),
        };
        Self { key, uri, path, width }
    }
}

/// What else would do.
struct Others {
    /// What a button sends, and says.
    buttons: Vec<(&'static str, String)>,
    has_recovery_code: bool,
    /// Are they out of sight at first?
    is_aside: bool,
}

impl Others {
    fn of(words: FactorWords, methods: Vec<MethodChoice>, is_aside: bool) -> Self {
        let has_recovery_code = methods.iter().any(|method| method.id == "recovery_code");
        let named = |method: MethodChoice| match method.id {
            "totp" => Some(("totp", words.by_totp())),
            "sms_code" => Some(("sms_code", words.by_sms())),
            "email_code" => Some(("email_code", words.by_email())),
            _ => None,
        };
        Self { buttons: methods.into_iter().filter_map(named).collect(), has_recovery_code, is_aside }
    }

    fn is_empty(&self) -> bool {
        self.buttons.is_empty() && !self.has_recovery_code
    }
}

#[derive(Template)]
#[template(path = "pages/second_choose.html")]
struct Choose {
    frame: Frame,
    common: Common,
    words: FactorWords,
    lead: String,
    problem: Option<String>,
    risks: Vec<String>,
    others: Others,
}

/// When another code may be asked for, in seconds.
#[derive(Clone, Copy)]
enum Resend {
    Never,
    In(u64),
}

#[derive(Template)]
#[template(path = "pages/second.html")]
struct Second {
    frame: Frame,
    common: Common,
    words: FactorWords,
    lead: String,
    length: usize,
    resend: Resend,
    problem: Option<String>,
    is_tried_out: bool,
    is_over: bool,
    is_late: bool,
    risks: Vec<String>,
    others: Others,
}

#[derive(Template)]
#[template(path = "pages/second_totp.html")]
struct SetUpTotp {
    frame: Frame,
    common: Common,
    words: FactorWords,
    problem: Option<String>,
    is_tried_out: bool,
    new: NewTotp,
    length: usize,
    others: Others,
}

#[derive(Template)]
#[template(path = "pages/second_phone.html")]
struct SetUpPhone {
    frame: Frame,
    common: Common,
    words: FactorWords,
    problem: Option<String>,
    others: Others,
}
