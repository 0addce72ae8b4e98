use axum::{extract::State, response::Response};
use countersign_wire::delegation::{
    envelope::Envelope,
    error::ErrorBody,
    status::{Suggestion, SuggestionSet},
};

use crate::{
    app::App,
    error::delegation::Failure,
    extract::{caller::CallerOf, delegated::Delegated},
};

/// Say when a user wants to be asked for a second factor
///
/// In the envelope: `userid`, and `suggested_mfa`: `none`, `always` or `risk_only`. In the answer's: `success`, `detail`. It counts where the
/// project's `mfa.policy` is `suggested`.
#[utoipa::path(
    post, path = "/hc_auth/v5/update/set-suggest-mfa", operation_id = "setSuggestedMfa", tag = "Delegation",
    security(("delegation" = [])),
    request_body = Envelope,
    responses(
        (status = 200, description = "It is written down; sealed and signed.", body = Envelope),
        (status = 400, description = "The envelope, or what is in it, isn't right. Sealed, but where `X-Enc-Alg` is another.", body = Envelope),
        (status = 401, description = "Nobody is proved to have called. Where the envelope was used before: sealed.", body = ErrorBody),
        (status = 404, description = "There is no such user; sealed.", body = Envelope),
        (status = 408, description = "The body took too long.", body = ErrorBody),
        (status = 409, description = "The name could mean two users; sealed.", body = Envelope),
        (status = 413, description = "The body is longer than 64 KiB.", body = ErrorBody),
        (status = 429, description = "Too many failed calls from this network; `Retry-After`.", body = ErrorBody),
        (status = 500, description = "The server failed.", body = ErrorBody),
        (status = 503, description = "The server can't answer now; `Retry-After`.", body = ErrorBody),
    ),
)]
pub(crate) async fn handle(State(app): State<App>, CallerOf(caller): CallerOf, call: Delegated) -> Response {
    let outcome = match Suggestion::parse(call.0.text()) {
        Ok(wish) => {
            let set = app.service.set_suggested_mfa(&call.0.provider, &wish.userid, wish.suggested_mfa, &caller).await;
            set.map_err(Failure::from)
        }
        Err(problem) => Err(problem.into()),
    };
    let detail = "The preference was set.";
    call.answer(&app, outcome.map(|()| SuggestionSet { success: true, detail }))
}
