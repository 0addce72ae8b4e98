//! What goes over the wire: a sealed text. The schema alone; it is read where keys are.

use serde::Serialize;
use utoipa::ToSchema;

/// A sealed text: `docs/reference/delegation-envelope.md` says every byte of it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DelegationEnvelope, example = json!({
    "enc": "x25519-aesgcm",
    "epk": "rZCKinCKygdYjNp8TtPkTUlmqAqauy8eS7rFPGdBTjQ",
    "iv": "UlJSUlJSUlJSUlJS",
    "ct": "ITJFFkHxpH5SvUaoUecmpWd8qByH1B5v7OeDMuPmTRFJbo1QNPygiyz0vI-dCzjFQp2tPlNwj6gp8bUzUiK8psk"
}))]
pub struct Envelope {
    /// `x25519-aesgcm`.
    pub enc: String,
    /// The public half of a pair that was drawn for this text: 32 bytes in base64url.
    pub epk: String,
    /// 12 random bytes in base64url.
    pub iv: String,
    /// The text, sealed, with its tag; in base64url.
    pub ct: String,
}
