//! The pages of the second half of a sign-in: another factor is shown, or set up.

use askama::Template;
use axum::{
    http::StatusCode,
    response::{IntoResponse, Response},
};
use countersign_domain::locale::Locale;
use countersign_service::{browser::page::Stage, sign_in::MethodChoice};
use qrcodegen::{QrCode, QrCodeEcc};

use super::{Frame, protection::Needs, response::page, sign_in::Common, words::factors::FactorWords};

/// What these pages have in common.
pub(super) struct Parts {
    pub(super) frame: Frame,
    pub(super) common: Common,
    pub(super) problem: Option<String>,
    /// Mail is slow.
    pub(super) is_late: bool,
}

/// What a page is called.
pub(super) fn title(locale: Locale, stage: &Stage) -> String {
    let words = FactorWords(locale);
    match stage {
        Stage::Choose { is_set_up: true, .. } | Stage::SetUpTotp { .. } | Stage::SetUpPhone { .. } => {
            words.set_up_title()
        }
        _ => words.second_title(),
    }
}

pub(super) fn show(parts: Parts, stage: Stage, needs: &Needs<'_>) -> Response {
    let words = FactorWords(parts.frame.lang);
    let Parts { frame, common, problem, is_late } = parts;
    match stage {
        Stage::Choose { is_set_up, methods } => {
            let lead = if is_set_up { words.set_up_lead() } else { words.choose_lead() };
            let others = Others::of(words, methods, false);
            page(StatusCode::OK, &Choose { frame, common, words, lead, problem, others }, needs)
        }
        Stage::Second { destination, length, resend_in, tries, tries_left, is_over, others } => {
            let lead = destination.as_ref().map_or_else(|| words.totp_lead(), |to| words.sent_lead(to));
            let template = Second {
                lead,
                length,
                is_sent: destination.is_some(),
                resend_in: resend_in.as_secs() + u64::from(resend_in.subsec_nanos() > 0),
                problem: told(words, problem, tries, tries_left).or_else(|| is_over.then(|| frame.words.code_over())),
                is_tried_out: tries_left == 0,
                is_over,
                is_late: is_late && destination.is_some_and(|to| to.contains('@')),
                others: Others::of(words, others, true),
                frame,
                common,
                words,
            };
            page(StatusCode::OK, &template, needs)
        }
        Stage::SetUpTotp { secret, otpauth_uri, length, tries, tries_left, others } => {
            let template = SetUpTotp {
                problem: told(words, problem, tries, tries_left),
                is_tried_out: tries_left == 0,
                new: NewTotp::of(&secret, otpauth_uri),
                length,
                others: Others::of(words, others, true),
                frame,
                common,
                words,
            };
            page(StatusCode::OK, &template, needs)
        }
        Stage::SetUpPhone { others } => {
            let others = Others::of(words, others, true);
            page(StatusCode::OK, &SetUpPhone { frame, common, words, problem, others }, needs)
        }
        // Shown by their own pages.
        Stage::Who { .. } | Stage::Code { .. } | Stage::Consent { .. } => StatusCode::NOT_FOUND.into_response(),
    }
}

fn told(words: FactorWords, problem: Option<String>, tries: u32, tries_left: u32) -> Option<String> {
    if tries_left == 0 {
        return Some(words.tried_out());
    }
    problem.or_else(|| (tries > 0).then(|| words.wrong_code(&tries_left.to_string())))
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
                let path = fields.map(|(x, y)| format!("M{} {}h1v1h-1z", x + MARGIN, y + MARGIN)).collect();
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
    others: Others,
}

#[derive(Template)]
#[template(path = "pages/second.html")]
struct Second {
    frame: Frame,
    common: Common,
    words: FactorWords,
    lead: String,
    length: usize,
    is_sent: bool,
    resend_in: u64,
    problem: Option<String>,
    is_tried_out: bool,
    is_over: bool,
    is_late: bool,
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
