//! The answer to an authorization request, on its way back to the client through the user's browser (RFC 6749 §4.1.2). It says who answers, so
//! that a client with several servers can't be made to take one's code to another (RFC 9207).

use countersign_crypto::secret::SecretText;
use countersign_domain::oauth::form::encode;

use super::authorization::{AuthorizationRequest, ResponseMode};

/// Where the browser goes, and with what.
#[derive(Clone, PartialEq, Eq)]
pub enum Redirect {
    /// There, by 303.
    Uri(String),
    /// There, with a form that it posts. Names and values are not yet escaped for a page.
    FormPost {
        /// Where to.
        action: String,
        /// With what.
        fields: Vec<(&'static str, String)>,
    },
}

/// What goes wrong with a request, as clients are told (RFC 6749 §4.1.2.1, OpenID Connect Core §3.1.2.6, RFC 8707 §2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorCode {
    /// The request isn't one.
    InvalidRequest,
    /// The client doesn't use this.
    UnauthorizedClient,
    /// The user, or a rule, said no.
    AccessDenied,
    /// There is no such response type.
    UnsupportedResponseType,
    /// The client may not have this scope.
    InvalidScope,
    /// The server failed.
    ServerError,
    /// The server can't answer now.
    TemporarilyUnavailable,
    /// Somebody would have to sign in.
    LoginRequired,
    /// Somebody would have to consent.
    ConsentRequired,
    /// Somebody would have to do something else.
    InteractionRequired,
    /// Somebody would have to say which account.
    AccountSelectionRequired,
    /// Request objects aren't taken.
    RequestNotSupported,
    /// Nor where they stand.
    RequestUriNotSupported,
    /// Nor clients that register on the way.
    RegistrationNotSupported,
    /// Another API than this project's.
    InvalidTarget,
    /// The level that was asked for can't be had (OpenID Connect Core Unmet Authentication Requirements).
    UnmetAuthenticationRequirements,
}

impl ErrorCode {
    /// As `error` has it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid_request",
            Self::UnauthorizedClient => "unauthorized_client",
            Self::AccessDenied => "access_denied",
            Self::UnsupportedResponseType => "unsupported_response_type",
            Self::InvalidScope => "invalid_scope",
            Self::ServerError => "server_error",
            Self::TemporarilyUnavailable => "temporarily_unavailable",
            Self::LoginRequired => "login_required",
            Self::ConsentRequired => "consent_required",
            Self::InteractionRequired => "interaction_required",
            Self::AccountSelectionRequired => "account_selection_required",
            Self::RequestNotSupported => "request_not_supported",
            Self::RequestUriNotSupported => "request_uri_not_supported",
            Self::RegistrationNotSupported => "registration_not_supported",
            Self::InvalidTarget => "invalid_target",
            Self::UnmetAuthenticationRequirements => "unmet_authentication_requirements",
        }
    }
}

/// A refusal that goes back to the client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthorizationError {
    /// What went wrong.
    pub code: ErrorCode,
    /// For whoever writes the client.
    pub description: &'static str,
    redirect_uri: String,
    response_mode: ResponseMode,
    state: Option<String>,
    issuer: String,
}

impl AuthorizationError {
    /// The refusal of a request whose client and redirect URI are right.
    pub fn of(request: &AuthorizationRequest, code: ErrorCode, description: &'static str) -> Self {
        Self {
            code,
            description,
            redirect_uri: request.redirect_uri.clone(),
            response_mode: request.response_mode,
            state: request.state.clone(),
            issuer: request.issuer.clone(),
        }
    }

    /// The way back.
    pub fn redirect(&self) -> Redirect {
        let said = vec![("error", self.code.as_str().to_owned()), ("error_description", self.description.to_owned())];
        way_back(&self.redirect_uri, self.response_mode, said, self.state.as_deref(), &self.issuer)
    }
}

/// The way back with a code.
pub fn authorization_response(request: &AuthorizationRequest, code: &SecretText) -> Redirect {
    let said = vec![("code", code.danger_expose().to_owned())];
    way_back(&request.redirect_uri, request.response_mode, said, request.state.as_deref(), &request.issuer)
}

pub(crate) fn way_back(
    redirect_uri: &str,
    mode: ResponseMode,
    mut fields: Vec<(&'static str, String)>,
    state: Option<&str>,
    issuer: &str,
) -> Redirect {
    fields.extend(state.map(|state| ("state", state.to_owned())));
    fields.push(("iss", issuer.to_owned()));
    if mode == ResponseMode::FormPost {
        return Redirect::FormPost { action: redirect_uri.to_owned(), fields };
    }
    let query: Vec<String> = fields.iter().map(|(name, value)| format!("{name}={}", encode(value))).collect();
    let between = match redirect_uri.split_once('?') {
        None => "?",
        Some((_, query)) if query.is_empty() || query.ends_with('&') => "",
        Some(_) => "&",
    };
    Redirect::Uri(format!("{redirect_uri}{between}{}", query.join("&")))
}

#[cfg(test)]
mod tests {
    use countersign_domain::oauth::scope::Scopes;

    use super::*;

    fn request(redirect_uri: &str, response_mode: ResponseMode, state: Option<&str>) -> AuthorizationRequest {
        AuthorizationRequest {
            issuer: "https://auth.example.com/p/p1".to_owned(),
            client: "c3".parse().unwrap(),
            redirect_uri: redirect_uri.to_owned(),
            has_redirect_uri_param: true,
            response_mode,
            scope: Scopes::default(),
            state: state.map(str::to_owned),
            nonce: None,
            prompt: Vec::new(),
            max_age: None,
            login_hint: None,
            hinted_user: None,
            acr_values: Vec::new(),
            ui_locales: Vec::new(),
            code_challenge: None,
            dpop_jkt: None,
        }
    }

    fn uri(redirect: Redirect) -> String {
        match redirect {
            Redirect::Uri(uri) => uri,
            Redirect::FormPost { .. } => panic!("this should have been a URI"),
        }
    }

    #[test]
    fn the_way_back_has_the_code_the_state_and_who_answers() {
        let code = SecretText::new("abc".to_owned());
        let iss = "iss=https%3A%2F%2Fauth.example.com%2Fp%2Fp1";
        for (registered, begin) in [
            ("https://app.example.com/callback", "https://app.example.com/callback?"),
            ("https://app.example.com/callback?a=b", "https://app.example.com/callback?a=b&"),
            ("https://app.example.com/callback?", "https://app.example.com/callback?"),
            ("com.example.app:/callback", "com.example.app:/callback?"),
        ] {
            let with = request(registered, ResponseMode::Query, Some("a b&c=\r\n#ü"));
            let state = "state=a%20b%26c%3D%0D%0A%23%C3%BC";
            assert_eq!(uri(authorization_response(&with, &code)), format!("{begin}code=abc&{state}&{iss}"));
            let without = request(registered, ResponseMode::Query, None);
            assert_eq!(uri(authorization_response(&without, &code)), format!("{begin}code=abc&{iss}"));
        }
    }

    #[test]
    fn an_error_goes_the_same_way() {
        let request = request("https://app.example.com/callback", ResponseMode::Query, Some("s"));
        let error = AuthorizationError::of(&request, ErrorCode::LoginRequired, "somebody must sign in");
        let expected = "https://app.example.com/callback?error=login_required&error_description=somebody%20must%20sign%20in\
                        &state=s&iss=https%3A%2F%2Fauth.example.com%2Fp%2Fp1";
        assert_eq!(uri(error.redirect()), expected);
    }

    #[test]
    fn by_form_nothing_stands_in_the_address() {
        let request = request("https://app.example.com/callback", ResponseMode::FormPost, Some("<s>"));
        let expected = Redirect::FormPost {
            action: "https://app.example.com/callback".to_owned(),
            fields: vec![
                ("code", "abc".to_owned()),
                ("state", "<s>".to_owned()),
                ("iss", "https://auth.example.com/p/p1".to_owned()),
            ],
        };
        assert!(authorization_response(&request, &SecretText::new("abc".to_owned())) == expected);
    }
}
