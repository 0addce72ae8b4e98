use axum::{extract::State, response::Response};
use countersign_crypto::secret::SecretText;
use countersign_domain::locale::Locale;
use countersign_service::{
    caller::Caller,
    mfa::change::{BegunChange, SetUp, WantedChange},
};
use countersign_wire::delegation::{
    envelope::Envelope,
    error::ErrorBody,
    mfa_change::{Begin, Begun, Method},
};

use crate::{
    app::App,
    error::delegation::Failure,
    extract::{caller::CallerOf, delegated::Delegated, locale::LocaleOf},
};

/// Begin to give a user another second factor
///
/// In the envelope: `userid`; `mfa_method`: `totp`, `sms` or `email`; for `sms` the number as `contact`. A code goes to that number or to the user's
/// address; for `totp` the answer has `totp_secret` and `otpauth_uri`, and an app counts the code. It waits for ten minutes. The answer's envelope has
/// `status`, `session_id`, `detail`, and in development `otp`.
#[utoipa::path(
    post, path = "/hc_auth/v5/update/initiate", operation_id = "initiateMfaChange", tag = "Delegation",
    security(("delegation" = [])),
    request_body = Envelope,
    responses(
        (status = 200, description = "It waits for the user's code; sealed and signed.", body = Envelope),
        (status = 400, description = "The envelope, or what is in it, isn't right. Sealed, but where `X-Enc-Alg` is another.", body = Envelope),
        (status = 401, description = "Nobody is proved to have called. Where the envelope was used before: sealed.", body = ErrorBody),
        (status = 403, description = "The user is locked out; sealed.", body = Envelope),
        (status = 404, description = "There is no such user; sealed.", body = Envelope),
        (status = 408, description = "The body took too long.", body = ErrorBody),
        (status = 409, description = "The name could mean two users, or the user has no address; sealed.", body = Envelope),
        (status = 413, description = "The body is longer than 64 KiB.", body = ErrorBody),
        (status = 429, description = "Too many messages: sealed. Too many failed calls from this network; `Retry-After`.", body = ErrorBody),
        (status = 500, description = "The server failed.", body = ErrorBody),
        (status = 503, description = "The server can't answer now; `Retry-After`.", body = ErrorBody),
    ),
)]
pub(crate) async fn handle(
    State(app): State<App>,
    CallerOf(caller): CallerOf,
    LocaleOf(locale): LocaleOf,
    call: Delegated,
) -> Response {
    let outcome = answered(&app, &caller, locale, &call).await;
    call.answer(&app, outcome)
}

async fn answered(app: &App, caller: &Caller, locale: Locale, Delegated(call): &Delegated) -> Result<Begun, Failure> {
    let Begin { userid, method } = Begin::parse(call.text())?;
    let to = match method {
        Method::Totp => SetUp::Totp,
        Method::Sms(number) => SetUp::Sms(number),
        Method::Email => SetUp::Email,
    };
    let wanted = WantedChange { userid, to };
    Ok(begun(app.service.begin_mfa_change(&call.provider, &wanted, locale, caller).await?))
}

fn begun(begun: BegunChange) -> Begun {
    let detail = match &begun.destination {
        Some(destination) => format!("A code was sent to {destination}. It is good for 10 minutes."),
        None => {
            "Add the account to an authenticator app, and show the code that it counts within 10 minutes.".to_owned()
        }
    };
    let (totp_secret, otpauth_uri) = begun.seed.unzip();
    let exposed = |text: SecretText| text.danger_expose().to_owned();
    Begun {
        status: "success",
        session_id: begun.id.to_string(),
        detail,
        totp_secret: totp_secret.map(exposed),
        otpauth_uri: otpauth_uri.map(exposed),
        otp: begun.code.map(exposed),
    }
}
