use axum::{Json, extract::State, http::HeaderMap};
use countersign_crypto::secret::SecretText;
use countersign_service::explain::Explanation;
use countersign_wire::client_api::{
    error::ErrorEnvelope,
    explain::{Explain, ExplainSchema, ExplanationBody, ReasonBody},
};

use crate::{
    app::App,
    error::client_api::Failure,
    extract::{actor::ProvedBackend, bearer::bearer_token, body::ShortClientBody, written::WrittenHeaders},
};

/// Why a call fails
///
/// Whoever calls learns nothing of why a proof fails; the customer's backend learns everything. It sends the headers that an app sent, and is
/// told what would come of them in its project as it is now, and which mistake gives such an HMAC. Nothing comes of asking: no user is made
/// and nothing is counted. No answer holds a secret or an HMAC.
#[utoipa::path(
    post, path = "/v1/explain", operation_id = "explain", tag = "Client API",
    security(("secret_bearer" = [])),
    request_body = ExplainSchema,
    responses(
        (status = 200, description = "What would come of the call, and why.", body = ExplanationBody),
        (status = 400, description = "`invalid_request`: no JSON object, or `headers` isn't what it must be.", body = ErrorEnvelope),
        (status = 401, description = "`invalid_credentials`: the caller proved nothing.", body = ErrorEnvelope),
        (status = 403, description = "`forbidden`: this is for the customer's backend, or a browser sent the secret key.", body = ErrorEnvelope),
        (status = 408, description = "`invalid_request`: the body took too long.", body = ErrorEnvelope),
        (status = 413, description = "`invalid_request`: the body is longer than 64 KiB.", body = ErrorEnvelope),
        (status = 429, description = "`rate_limited`: over a limit; `Retry-After`.", body = ErrorEnvelope),
        (status = 500, description = "`unknown`: the server failed.", body = ErrorEnvelope),
        (status = 503, description = "`unavailable`: the server can't answer now; `Retry-After`.", body = ErrorEnvelope),
    ),
)]
pub(crate) async fn handle(
    State(app): State<App>,
    ProvedBackend(backend): ProvedBackend,
    own: HeaderMap,
    ShortClientBody(body): ShortClientBody,
) -> Result<Json<ExplanationBody>, Failure> {
    // Only its hash is on record, and people take it for the HMAC secret.
    let key = SecretText::new(bearer_token(&own).unwrap_or_default().to_owned());
    let written = WrittenHeaders::new(Explain::parse(&body)?.headers);
    let Explanation { verdict, reasons } = app.service.explain(&backend, &key, &written.call()).await?;
    let reasons = reasons.into_iter().map(|it| ReasonBody { code: it.code.as_str(), message: it.message.into_owned() });
    Ok(Json(ExplanationBody { verdict: verdict.as_str(), reasons: reasons.collect() }))
}
