use axum::{
    Json,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use countersign_domain::risk::Assessment;
use countersign_service::sign_in::{ChallengeCall, Hint, MethodChoice, Outcome, Prompt};
use countersign_wire::oauth::{
    challenge::{AuthorizationCodeBody, ChallengeSchema, InsufficientAuthorization, MethodBody, PromptBody, RiskBody},
    error::ErrorBody,
};

use crate::{
    app::App,
    error::oauth::Failure,
    extract::{
        address::AddressOf,
        caller::CallerOf,
        client::{ClientCall, ClientForm},
        locale::LocaleOf,
        possession::PossessionOf,
    },
};

/// Sign a user in on an app's own screens
///
/// For clients marked first-party (`oauth.first_party`), in the manner of OAuth 2.0 for First-Party Applications. The first call is an authorization
/// request with the user's e-mail address in `login_hint`. As long as more is needed the answer is 403 `insufficient_authorization` with a `prompt`
/// and an `auth_session`, which changes with each answer: the next call sends it back with what was asked for, `method`, `code` or `passkey`. In the end comes
/// an `authorization_code` for `/oauth2/token`. In a browser the hosted page is the right way.
#[utoipa::path(
    post, path = "/oauth2/authorize-challenge", operation_id = "authorizeChallenge", tag = "OpenID provider",
    security(("client_secret_basic" = []), ("client" = [])),
    params(
        ("DPoP" = Option<String>, Header, description = "A proof of the key to which the sign-in, and its code, are to be bound (RFC 9449)."),
        ("Accept-Language" = Option<String>, Header, description = "In which language the user is written to."),
    ),
    request_body(content = ChallengeSchema, content_type = "application/x-www-form-urlencoded"),
    responses(
        (status = 200, description = "The user is known.", body = AuthorizationCodeBody),
        (status = 400, description = "`invalid_request`, `invalid_scope` and the like: the request won't do. `invalid_session`: the sign-in is over, or \
            `auth_session` isn't its newest. `access_denied`: the user is proved, and may not come in: there is no open account. `unauthorized_client`: the \
            client isn't first-party. `invalid_dpop_proof`, `use_dpop_nonce`.", body = ErrorBody),
        (status = 401, description = "`invalid_client`: the client didn't prove that it is one.", body = ErrorBody),
        (status = 403, description = "`insufficient_authorization`: more is needed, as `prompt` says.", body = InsufficientAuthorization),
        (status = 408, description = "`invalid_request`: the body took too long.", body = ErrorBody),
        (status = 413, description = "`invalid_request`: the body is longer than 64 KiB.", body = ErrorBody),
        (status = 429, description = "`temporarily_unavailable`: too many failed calls from this network; `Retry-After`.", body = ErrorBody),
        (status = 500, description = "`server_error`: the server failed.", body = ErrorBody),
        (status = 503, description = "`temporarily_unavailable`: the server can't answer now; `Retry-After`.", body = ErrorBody),
    ),
)]
pub(crate) async fn handle(
    State(app): State<App>,
    CallerOf(caller): CallerOf,
    AddressOf(address): AddressOf,
    LocaleOf(locale): LocaleOf,
    PossessionOf(possession): PossessionOf,
    ClientForm(ClientCall { form, credentials }): ClientForm,
) -> Result<Response, Failure> {
    let call = ChallengeCall { form: &form, credentials: &credentials, possession: possession.as_ref(), locale };
    let outcome = app.service.authorize_challenge(&address, &call, &caller).await;
    match outcome.map_err(|refused| Failure::of_challenge(refused, &credentials))? {
        Outcome::Code(code) => {
            let body = AuthorizationCodeBody { authorization_code: code.danger_expose().to_owned() };
            Ok(Json(body).into_response())
        }
        Outcome::Asked { handle, prompt, risk } => {
            let body = InsufficientAuthorization {
                error: "insufficient_authorization",
                error_description: "More is needed to sign the user in: see prompt.",
                auth_session: handle.danger_expose().to_owned(),
                prompt: prompt_body(prompt, risk_body(&risk)),
            };
            Ok((StatusCode::FORBIDDEN, Json(body)).into_response())
        }
    }
}

fn risk_body(risk: &Assessment) -> Option<RiskBody> {
    let reasons = risk.reasons().iter().map(|reason| reason.as_str()).collect();
    risk.is_detected().then_some(RiskBody { detected: true, reasons })
}

fn prompt_body(prompt: Prompt, risk: Option<RiskBody>) -> PromptBody {
    let said = |hint: Option<Hint>| hint.map(Hint::as_str);
    let wait = |hint: Option<Hint>| match hint {
        Some(Hint::Wait(span)) => Some(span.as_secs().max(1)),
        _ => None,
    };
    let ways = |methods: Vec<MethodChoice>| {
        methods.iter().map(|method| MethodBody { id: method.id, label: method.label }).collect::<Vec<_>>()
    };
    match prompt {
        Prompt::SelectMethod { methods, hint } => {
            PromptBody::SelectMethod { methods: ways(methods), hint: said(hint), retry_after: wait(hint), risk }
        }
        // The service says what `get()` takes, whose one member this is.
        Prompt::ShowPasskey { mut options, expires_at } => {
            PromptBody::Passkey { public_key: options["publicKey"].take(), expires_at: expires_at.seconds(), risk }
        }
        Prompt::EnterTotp { length, tries_left, others, hint } => PromptBody::EnterTotp {
            code_length: length,
            tries_left,
            methods: ways(others),
            hint: said(hint),
            retry_after: wait(hint),
            risk,
        },
        Prompt::SetUpTotp { secret, otpauth_uri, tries_left, others, hint } => PromptBody::SetupTotp {
            secret: secret.danger_expose().to_owned(),
            otpauth_uri: otpauth_uri.danger_expose().to_owned(),
            tries_left,
            methods: ways(others),
            hint: said(hint),
            retry_after: wait(hint),
            risk,
        },
        Prompt::SetUpSms { others, hint } => {
            PromptBody::SetupSms { methods: ways(others), hint: said(hint), retry_after: wait(hint), risk }
        }
        Prompt::EnterCode { destination, length, expires_at, resend_at, tries_left, others, hint } => {
            PromptBody::EnterCode {
                destination,
                code_length: length,
                expires_at: expires_at.seconds(),
                resend_at: resend_at.seconds(),
                tries_left,
                methods: ways(others),
                hint: said(hint),
                retry_after: wait(hint),
                risk,
            }
        }
    }
}
