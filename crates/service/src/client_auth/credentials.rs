//! What a call shows of its client, wherever it stands: `Authorization: Basic` or the form (RFC 6749 §2.3.1, RFC 7521 §4.2).

use countersign_crypto::{encoding, secret::SecretText};
use countersign_domain::oauth::{
    form::{self, Form},
    registration::AuthMethod,
};
use zeroize::Zeroizing;

use super::InvalidClient;

/// The one kind of assertion that is taken (RFC 7523 §2.2).
const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// Everything that a call says of its client. Nothing of it is proved.
#[derive(Clone, Default)]
pub struct ClientCredentials {
    basic: Option<Basic>,
    id: Option<String>,
    secret: Option<SecretText>,
    assertion: Option<String>,
    assertion_type: Option<String>,
    config_id: Option<String>,
}

#[derive(Clone)]
enum Basic {
    Read { id: String, secret: SecretText },
    Malformed,
}

/// One way to say it.
pub(super) enum Shown<'a> {
    Nothing { client: &'a str },
    Secret { method: AuthMethod, client: &'a str, beside: Option<&'a str>, secret: &'a SecretText },
    Assertion { assertion: &'a str, beside: Option<&'a str> },
}

impl ClientCredentials {
    /// Reads `Authorization` and the form. Anything but `Basic` in the header says nothing of the client: some send a token of another kind.
    /// `config_id` is what the call says of its project beside (`X-Config-Id`).
    pub fn read(authorization: Option<&str>, form: &Form, config_id: Option<&str>) -> Self {
        Self {
            basic: authorization.and_then(Basic::read),
            id: form.text("client_id").map(str::to_owned),
            secret: form.text("client_secret").map(|text| SecretText::new(text.to_owned())),
            assertion: form.text("client_assertion").map(str::to_owned),
            assertion_type: form.text("client_assertion_type").map(str::to_owned),
            config_id: config_id.filter(|id| !id.is_empty()).map(str::to_owned),
        }
    }

    /// Was the secret shown in `Authorization`? Then a refusal names the scheme (RFC 6749 §5.2).
    pub fn is_basic(&self) -> bool {
        self.basic.is_some()
    }

    /// Does the call say nothing of its client at all?
    pub(crate) fn is_silent(&self) -> bool {
        self.basic.is_none()
            && self.id.is_none()
            && self.secret.is_none()
            && self.assertion.is_none()
            && self.assertion_type.is_none()
    }

    pub(crate) fn config_id(&self) -> Option<&str> {
        self.config_id.as_deref()
    }

    /// The one way in which the call authenticates.
    pub(super) fn shown(&self) -> Result<Shown<'_>, InvalidClient> {
        let ways =
            [self.basic.is_some(), self.secret.is_some(), self.assertion.is_some() || self.assertion_type.is_some()];
        if ways.into_iter().filter(|way| *way).count() > 1 {
            return Err(InvalidClient::TwoMethods);
        }
        let beside = self.id.as_deref();
        match (&self.basic, &self.secret, &self.assertion, &self.assertion_type) {
            (Some(Basic::Read { id, secret }), ..) => {
                Ok(Shown::Secret { method: AuthMethod::SecretBasic, client: id, beside, secret })
            }
            (None, Some(secret), ..) => {
                let client = beside.ok_or(InvalidClient::Missing)?;
                Ok(Shown::Secret { method: AuthMethod::SecretPost, client, beside, secret })
            }
            (None, None, Some(assertion), Some(kind)) if kind == ASSERTION_TYPE => {
                Ok(Shown::Assertion { assertion, beside })
            }
            (None, None, None, None) => Ok(Shown::Nothing { client: beside.ok_or(InvalidClient::Missing)? }),
            _ => Err(InvalidClient::Malformed),
        }
    }
}

impl Shown<'_> {
    pub(super) fn method(&self) -> AuthMethod {
        match self {
            Self::Nothing { .. } => AuthMethod::None,
            Self::Secret { method, .. } => *method,
            Self::Assertion { .. } => AuthMethod::PrivateKeyJwt,
        }
    }

    /// Which client it claims to be. Those who say it twice must say the same.
    pub(super) fn client(&self) -> Result<String, InvalidClient> {
        let (client, beside) = match self {
            Self::Nothing { client } => ((*client).to_owned(), None),
            Self::Secret { client, beside, .. } => ((*client).to_owned(), *beside),
            Self::Assertion { assertion, beside } => (super::assertion::claimed_client(assertion)?, *beside),
        };
        if beside.is_none_or(|beside| beside == client) { Ok(client) } else { Err(InvalidClient::TwoMethods) }
    }
}

impl Basic {
    /// `Basic` and the base64 of `id:secret`, each form-encoded before (RFC 6749 §2.3.1). None: another scheme.
    fn read(authorization: &str) -> Option<Self> {
        let (scheme, text) = authorization.split_once(' ').unwrap_or((authorization, ""));
        if !scheme.eq_ignore_ascii_case("basic") {
            return None;
        }
        Some(Self::decode(text.trim_start()).unwrap_or(Self::Malformed))
    }

    fn decode(text: &str) -> Option<Self> {
        let bytes = Zeroizing::new(encoding::decode_standard(text)?);
        let at = bytes.iter().position(|b| *b == b':')?;
        let id = form::decode(&bytes[..at]).ok()?;
        let secret = SecretText::new(form::decode(&bytes[at + 1..]).ok()?);
        Some(Self::Read { id, secret })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(authorization: Option<&str>, form: &str) -> ClientCredentials {
        ClientCredentials::read(authorization, &Form::parse(form.as_bytes()).unwrap(), None)
    }

    fn client(authorization: Option<&str>, form: &str) -> Result<(AuthMethod, String), &'static str> {
        let credentials = read(authorization, form);
        let shown = credentials.shown().map_err(|refused| refused.reason())?;
        Ok((shown.method(), shown.client().map_err(|refused| refused.reason())?))
    }

    #[test]
    fn a_client_says_who_it_is_in_one_way() {
        // `c4:a b` as a form: `c4:a+b`.
        assert_eq!(client(Some("Basic YzQ6YSti"), ""), Ok((AuthMethod::SecretBasic, "c4".to_owned())));
        assert_eq!(client(Some("basic YzQ6YSti"), "client_id=c4"), Ok((AuthMethod::SecretBasic, "c4".to_owned())));
        assert_eq!(client(None, "client_id=c4&client_secret=x"), Ok((AuthMethod::SecretPost, "c4".to_owned())));
        assert_eq!(client(None, "client_id=c3"), Ok((AuthMethod::None, "c3".to_owned())));
        assert_eq!(client(Some("Bearer x"), "client_id=c3"), Ok((AuthMethod::None, "c3".to_owned())));
    }

    #[test]
    fn two_ways_at_once_and_two_clients_at_once_are_refused() {
        let assertion = "client_assertion=a.b.c&client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer";
        for (authorization, form) in [
            (Some("Basic YzQ6YSti"), "client_secret=x".to_owned()),
            (Some("Basic YzQ6YSti"), assertion.to_owned()),
            (Some("Basic !"), "client_secret=x".to_owned()),
            (None, format!("client_id=c4&client_secret=x&{assertion}")),
            (Some("Basic YzQ6YSti"), "client_id=c3".to_owned()),
        ] {
            assert_eq!(client(authorization, &form), Err("two_methods"), "{authorization:?} {form}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_no_client() {
        for header in ["Basic", "Basic ", "Basic !", "Basic YzQ", "Basic YzQ=", "Basic JTp4"] {
            assert_eq!(client(Some(header), ""), Err("malformed"), "{header}");
        }
        assert_eq!(client(None, ""), Err("missing"));
        assert_eq!(client(None, "client_secret=x"), Err("missing"));
        assert_eq!(client(None, "client_id=c4&client_assertion=a.b.c"), Err("malformed"));
        assert_eq!(client(None, "client_id=c4&client_assertion=a.b.c&client_assertion_type=x"), Err("malformed"));
        assert!(read(None, "").is_silent() && read(Some("Bearer x"), "code=1").is_silent());
        assert!(!read(None, "client_id=c3").is_silent() && !read(Some("Basic !"), "").is_silent());
    }
}
