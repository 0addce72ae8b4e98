//! A request as text, for as long as its user signs in.

use countersign_crypto::encoding;
use countersign_domain::{oauth::scope::Scopes, thumbprint::Thumbprint};
use serde::{Deserialize, Serialize};

use super::{AuthorizationRequest, Prompt, ResponseMode};

#[derive(Serialize, Deserialize)]
struct Kept {
    issuer: String,
    client_id: String,
    redirect_uri: String,
    has_redirect_uri_param: bool,
    form_post: bool,
    scope: String,
    state: Option<String>,
    nonce: Option<String>,
    prompt: Vec<String>,
    max_age: Option<u32>,
    login_hint: Option<String>,
    hinted_user: Option<String>,
    acr_values: Vec<String>,
    ui_locales: Vec<String>,
    code_challenge: Option<String>,
    dpop_jkt: Option<String>,
}

impl Prompt {
    const ALL: [Self; 4] = [Self::None, Self::Login, Self::Consent, Self::SelectAccount];

    /// As `prompt` has it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Login => "login",
            Self::Consent => "consent",
            Self::SelectAccount => "select_account",
        }
    }
}

impl AuthorizationRequest {
    /// As JSON.
    pub fn to_json(&self) -> String {
        let kept = Kept {
            issuer: self.issuer.clone(),
            client_id: self.client.to_string(),
            redirect_uri: self.redirect_uri.clone(),
            has_redirect_uri_param: self.has_redirect_uri_param,
            form_post: self.response_mode == ResponseMode::FormPost,
            scope: self.scope.to_string(),
            state: self.state.clone(),
            nonce: self.nonce.clone(),
            prompt: self.prompt.iter().map(|prompt| prompt.as_str().to_owned()).collect(),
            max_age: self.max_age,
            login_hint: self.login_hint.clone(),
            hinted_user: self.hinted_user.map(|user| user.to_string()),
            acr_values: self.acr_values.clone(),
            ui_locales: self.ui_locales.clone(),
            code_challenge: self.code_challenge.clone(),
            dpop_jkt: self.dpop_jkt.map(|key| encoding::encode(key.0)),
        };
        #[expect(clippy::expect_used, reason = "a plain struct of texts and numbers")]
        serde_json::to_string(&kept).expect("a request is JSON")
    }

    /// From what [`to_json`](Self::to_json) gave. None: it is something else.
    pub fn from_json(json: &str) -> Option<Self> {
        let kept: Kept = serde_json::from_str(json).ok()?;
        let prompt = |word: &String| Prompt::ALL.into_iter().find(|prompt| prompt.as_str() == *word);
        let key = |text: String| encoding::decode_array(text).map(Thumbprint);
        Some(Self {
            client: kept.client_id.parse().ok()?,
            scope: Scopes::parse(&kept.scope).ok()?,
            prompt: kept.prompt.iter().map(prompt).collect::<Option<_>>()?,
            hinted_user: kept.hinted_user.map(|user| user.parse().ok()).map_or(Some(None), |user| user.map(Some))?,
            dpop_jkt: kept.dpop_jkt.map(key).map_or(Some(None), |key| key.map(Some))?,
            response_mode: if kept.form_post { ResponseMode::FormPost } else { ResponseMode::Query },
            issuer: kept.issuer,
            redirect_uri: kept.redirect_uri,
            has_redirect_uri_param: kept.has_redirect_uri_param,
            state: kept.state,
            nonce: kept.nonce,
            max_age: kept.max_age,
            login_hint: kept.login_hint,
            acr_values: kept.acr_values,
            ui_locales: kept.ui_locales,
            code_challenge: kept.code_challenge,
        })
    }
}

#[cfg(test)]
mod tests {
    use countersign_domain::id::UserId;

    use super::*;

    #[test]
    fn a_request_reads_back_as_it_was_kept() {
        let full = AuthorizationRequest {
            issuer: "https://auth.example.com".to_owned(),
            client: "c3".parse().unwrap(),
            redirect_uri: "https://app.example.com/callback?a=\"b\"".to_owned(),
            has_redirect_uri_param: true,
            response_mode: ResponseMode::FormPost,
            scope: Scopes::parse("openid email").unwrap(),
            state: Some("ü \"'".to_owned()),
            nonce: Some("n".to_owned()),
            prompt: vec![Prompt::Login, Prompt::SelectAccount],
            max_age: Some(0),
            login_hint: Some("ada@example.com".to_owned()),
            hinted_user: Some(UserId::from_bytes([1; 16])),
            acr_values: vec!["a".to_owned(), "b".to_owned()],
            ui_locales: vec!["de".to_owned()],
            code_challenge: Some("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM".to_owned()),
            dpop_jkt: Some(Thumbprint([7; 32])),
        };
        let bare = AuthorizationRequest {
            state: None,
            nonce: None,
            prompt: Vec::new(),
            max_age: None,
            login_hint: None,
            hinted_user: None,
            code_challenge: None,
            dpop_jkt: None,
            ..full.clone()
        };
        for request in [full, bare] {
            assert_eq!(AuthorizationRequest::from_json(&request.to_json()), Some(request));
        }
        assert_eq!(AuthorizationRequest::from_json("{}"), None);
    }
}
