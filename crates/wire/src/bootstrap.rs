//! Bootstrap: the old way in of customers' backends.

use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::object::{BodyError, Object};

/// The one kind of assertion that is taken (RFC 7523 §2.2).
const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// Who asks for a challenge, as it was read. Nothing comes of it: whether there is such a client isn't said.
pub fn parse_challenge(body: &[u8]) -> Result<(), BodyError> {
    let body = Object::parse(body)?;
    body.text("client_id")?;
    body.optional_text("origin")?;
    Ok(())
}

/// An assertion, as it was read.
#[derive(Debug, PartialEq, Eq)]
pub struct Exchange {
    /// Which client it says to be; none: only the assertion says it.
    pub client_id: Option<String>,
    /// The assertion.
    pub client_assertion: String,
    /// The page that the token is for.
    pub origin: Option<String>,
    /// The key that the token is to be bound to, as JSON.
    pub dpop_jwk: Option<String>,
    /// What is asked for beside the assertion.
    pub scope: Option<String>,
}

impl Exchange {
    /// Reads what answers a challenge.
    pub fn parse(body: &[u8]) -> Result<Self, BodyError> {
        let body = Object::parse(body)?;
        Ok(Self {
            client_id: Some(body.text("client_id")?.to_owned()),
            client_assertion: body.text("client_assertion")?.to_owned(),
            origin: body.optional_text("origin")?.map(str::to_owned),
            dpop_jwk: jwk(&body)?,
            scope: None,
        })
    }

    /// Reads what is sent at once.
    pub fn parse_direct(body: &[u8]) -> Result<Self, BodyError> {
        let body = Object::parse(body)?;
        for (name, only) in [("grant_type", "client_credentials"), ("client_assertion_type", ASSERTION_TYPE)] {
            if body.text(name)? != only {
                return Err(body.error(name, format_args!("must be `{only}`")));
            }
        }
        Ok(Self {
            client_id: None,
            client_assertion: body.text("client_assertion")?.to_owned(),
            origin: None,
            dpop_jwk: jwk(&body)?,
            scope: body.optional_text("scope")?.map(str::to_owned),
        })
    }
}

fn jwk(body: &Object) -> Result<Option<String>, BodyError> {
    if !body.names("dpop_jwk") {
        return Ok(None);
    }
    let members = body.texts_by_name("dpop_jwk")?;
    let members: Map<String, Value> = members.into_iter().map(|(name, text)| (name, Value::from(text))).collect();
    Ok(Some(Value::Object(members).to_string()))
}

/// The token that is given back, as it was read.
pub fn parse_revocation(body: &[u8]) -> Result<String, BodyError> {
    Ok(Object::parse(body)?.text("token")?.to_owned())
}

/// Who asks.
#[derive(ToSchema)]
#[schema(as = BootstrapChallengeRequest, example = json!({"client_id": "c4", "origin": "https://app.example.com"}))]
pub struct ChallengeSchema {
    /// The client.
    pub client_id: String,
    /// The page that the token is for.
    pub origin: Option<String>,
}

/// What is to be signed.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = BootstrapChallenge, example = json!({
    "nonce": "Wm9vbmVzIGFyZSByYW5kb20", "aud": "https://auth.example.com/bootstrap/exchange", "scope": "bootstrap"
}))]
pub struct ChallengeBody {
    /// Goes into the assertion.
    pub nonce: String,
    /// Whom the assertion is for.
    pub aud: String,
    /// What it may ask for.
    pub scope: &'static str,
}

/// The answer to a challenge.
#[derive(ToSchema)]
#[schema(as = BootstrapExchange, example = json!({"client_id": "c4", "client_assertion": "eyJhbGciOiJFUzI1NiIs…"}))]
pub struct ExchangeSchema {
    /// The client.
    pub client_id: String,
    /// Signed by ES256, with `kid`, `nonce`, `scope`, and where they are sent `origin` and `cnf`.
    pub client_assertion: String,
    /// The page that the token is for.
    pub origin: Option<String>,
    /// The key that the token is to be bound to (RFC 7517).
    #[schema(value_type = Option<Object>)]
    pub dpop_jwk: Option<Value>,
}

/// A token for the front end.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = BootstrapToken, example = json!({
    "frontend_access_token": "eyJhbGciOiJFUzI1NiIs…", "token_type": "Bearer", "expires_in": 120, "scope": "bootstrap"
}))]
pub struct ExchangedBody {
    /// A JWT.
    pub frontend_access_token: String,
    /// `Bearer`, or `DPoP` where it is bound to a key.
    pub token_type: &'static str,
    /// For how many seconds it is good.
    pub expires_in: u64,
    /// What it was asked for.
    pub scope: String,
}

/// All at once.
#[derive(ToSchema)]
#[schema(as = BootstrapTokenRequest, example = json!({
    "grant_type": "client_credentials", "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
    "client_assertion": "eyJhbGciOiJFUzI1NiIs…"
}))]
pub struct DirectSchema {
    /// `client_credentials`.
    pub grant_type: String,
    /// `urn:ietf:params:oauth:client-assertion-type:jwt-bearer`.
    pub client_assertion_type: String,
    /// For the address of this call, signed by ES256, with `kid`.
    pub client_assertion: String,
    /// What the assertion says, too.
    pub scope: Option<String>,
    /// The key that the token is to be bound to (RFC 7517).
    #[schema(value_type = Option<Object>)]
    pub dpop_jwk: Option<Value>,
}

/// A token.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = BootstrapAccessToken, example = json!({
    "access_token": "eyJhbGciOiJFUzI1NiIs…", "token_type": "Bearer", "expires_in": 120, "scope": ""
}))]
pub struct DirectBody {
    /// A JWT.
    pub access_token: String,
    /// `Bearer`, or `DPoP` where it is bound to a key.
    pub token_type: &'static str,
    /// For how many seconds it is good.
    pub expires_in: u64,
    /// What it was asked for.
    pub scope: String,
}

/// A token that is given back.
#[derive(ToSchema)]
#[schema(as = HeldToken, example = json!({"token": "eyJhbGciOiJFUzI1NiIs…", "token_type_hint": "access_token"}))]
pub struct RevocationSchema {
    /// A bootstrap token, an access token or a refresh token.
    pub token: String,
    /// Not needed: tokens say themselves what they are.
    pub token_type_hint: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exchange_is_read_with_its_key() {
        let body = r#"{"client_id": "c4", "client_assertion": "a.b.c", "dpop_jwk": {"kty": "EC", "x": "1"}}"#;
        let read = Exchange::parse(body.as_bytes()).unwrap();
        assert_eq!(read.dpop_jwk.as_deref(), Some(r#"{"kty":"EC","x":"1"}"#));
        assert_eq!((read.client_id.as_deref(), read.origin, read.scope), (Some("c4"), None, None));
        let wrong = Exchange::parse(br#"{"client_id": "c4", "client_assertion": "a.b.c", "dpop_jwk": "x"}"#);
        assert!(wrong.is_err());
        assert_eq!(Exchange::parse(b"{}").unwrap_err().to_string(), "`client_id` is missing");
    }

    #[test]
    fn what_is_sent_at_once_says_what_it_is() {
        let body = |grant: &str| {
            format!(
                r#"{{"grant_type": "{grant}", "client_assertion_type": "{ASSERTION_TYPE}", "client_assertion": "a.b.c"}}"#
            )
        };
        let read = Exchange::parse_direct(body("client_credentials").as_bytes()).unwrap();
        assert_eq!((read.client_id, read.client_assertion.as_str(), read.dpop_jwk), (None, "a.b.c", None));
        let wrong = Exchange::parse_direct(body("password").as_bytes()).unwrap_err();
        assert_eq!(wrong.to_string(), "`grant_type` must be `client_credentials`");
        assert_eq!(parse_revocation(br#"{"token": "t"}"#).unwrap(), "t");
        assert!(parse_challenge(b"{}").is_err() && parse_challenge(br#"{"client_id": "c4"}"#).is_ok());
    }
}
