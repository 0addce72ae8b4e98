//! What is known of a sign-in whose first factor is proved, as one text. The code that was sent has columns of its own, as that of the first has.

use countersign_domain::{
    clock::Timestamp,
    identity::{Identity, IdentityKind},
    proof::{Method, Proof},
    sign_in::{Asked, Second, SentCode},
};
use serde::{Deserialize, Serialize};

use crate::row::to_json;

#[derive(Serialize, Deserialize)]
struct Kept {
    user: String,
    generation: u32,
    amr: Vec<String>,
    acr: String,
    auth_time: i64,
    by: Option<String>,
    method: String,
    choices: Vec<String>,
    has_recovery_codes: bool,
    asked: KeptAsked,
    tries: u32,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum KeptAsked {
    Which,
    Totp,
    Sent { kind: String, to_kind: String, to: String },
    NewTotp { sealed_seed: String },
    WhichPhone,
    NewPhone { to: String },
}

pub(super) fn to_text(second: &Second) -> String {
    let asked = match &second.asked {
        Asked::Which => KeptAsked::Which,
        Asked::Totp => KeptAsked::Totp,
        Asked::Sent { kind, to, .. } => KeptAsked::Sent {
            kind: kind.as_str().to_owned(),
            to_kind: to.kind().as_str().to_owned(),
            to: to.value().to_owned(),
        },
        Asked::NewTotp { sealed_seed } => KeptAsked::NewTotp { sealed_seed: sealed_seed.clone() },
        Asked::WhichPhone => KeptAsked::WhichPhone,
        Asked::NewPhone { to, .. } => KeptAsked::NewPhone { to: to.value().to_owned() },
    };
    to_json(&Kept {
        user: second.user.to_string(),
        generation: second.generation,
        amr: second.first.methods.iter().map(|method| method.as_str().to_owned()).collect(),
        acr: second.first.level.as_str().to_owned(),
        auth_time: second.first.at.micros(),
        by: second.first_by.map(|kind| kind.as_str().to_owned()),
        method: second.first_method.clone(),
        choices: second.choices.iter().map(|kind| kind.as_str().to_owned()).collect(),
        has_recovery_codes: second.has_recovery_codes,
        asked,
        tries: second.tries,
    })
}

pub(super) fn from_text(text: &str, sent: Option<SentCode>) -> Option<Second> {
    let kept: Kept = serde_json::from_str(text).ok()?;
    let asked = match kept.asked {
        KeptAsked::Which => Asked::Which,
        KeptAsked::Totp => Asked::Totp,
        KeptAsked::Sent { kind, to_kind, to } => {
            let to = Identity::parse(to_kind.parse().ok()?, &to).ok()?;
            Asked::Sent { kind: kind.parse().ok()?, to, code: sent? }
        }
        KeptAsked::NewTotp { sealed_seed } => Asked::NewTotp { sealed_seed },
        KeptAsked::WhichPhone => Asked::WhichPhone,
        KeptAsked::NewPhone { to } => {
            Asked::NewPhone { to: Identity::parse(IdentityKind::Phone, &to).ok()?, code: sent? }
        }
    };
    Some(Second {
        user: kept.user.parse().ok()?,
        generation: kept.generation,
        first: Proof {
            methods: kept.amr.iter().map(|method| method.parse::<Method>()).collect::<Result<_, _>>().ok()?,
            level: kept.acr.parse().ok()?,
            at: Timestamp::from_micros(kept.auth_time),
        },
        first_by: kept.by.map(|kind| kind.parse()).transpose().ok()?,
        first_method: kept.method,
        choices: kept.choices.iter().map(|kind| kind.parse()).collect::<Result<_, _>>().ok()?,
        has_recovery_codes: kept.has_recovery_codes,
        asked,
        tries: kept.tries,
    })
}
