//! What stands against a request whose client and redirect URI are right: told to the client, one mistake at a time.

use countersign_crypto::{
    encoding,
    jose::{id_token::Hint, jws::UnverifiedJws},
    pkce::CodeChallenge,
};
use countersign_domain::{
    id::UserId,
    oauth::{
        form::Form,
        registration::{GrantType, PkcePolicy},
        scope::Scopes,
    },
    thumbprint::Thumbprint,
};

use super::{
    super::response::{AuthorizationError, ErrorCode},
    AuthorizationRefused, AuthorizationRequest, Prompt, ResponseMode,
};
use crate::directory::{ClientView, ProjectView};

/// Kept with the code, and repeated in the id_token.
const LONGEST_NONCE: usize = 512;
/// Kept with the request, and repeated in the answer.
const LONGEST_STATE: usize = 4096;
/// Of what is only for our own screens.
const LONGEST_HINT: usize = 512;

/// A mistake, before it is known where to tell it.
type Mistake = (ErrorCode, &'static str);

pub(super) fn judge(
    project: &ProjectView,
    client: &ClientView,
    redirect_uri: String,
    parameters: &Form,
) -> Result<AuthorizationRequest, AuthorizationRefused> {
    let response_mode = response_mode(parameters);
    let state = parameters.text("state").filter(|state| state.len() <= LONGEST_STATE);
    let request = AuthorizationRequest {
        issuer: project.issuer.to_string(),
        client: client.client.id.clone(),
        redirect_uri,
        has_redirect_uri_param: parameters.names("redirect_uri"),
        response_mode: response_mode.unwrap_or(ResponseMode::Query),
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
    };
    let told = |(code, description): Mistake| told(&request, code, description);
    check_form(client, parameters).map_err(told)?;
    response_mode.map_err(told)?;
    let scope = scope(client, parameters).map_err(told)?;
    check_protection(client, &scope, parameters).map_err(told)?;
    let said = Said::read(project, client, parameters).map_err(told)?;
    Ok(AuthorizationRequest {
        scope,
        nonce: said.nonce,
        prompt: said.prompt,
        max_age: said.max_age,
        hinted_user: said.hinted_user,
        dpop_jkt: said.dpop_jkt,
        login_hint: parameters.text("login_hint").map(str::to_owned),
        acr_values: words(parameters, "acr_values"),
        ui_locales: words(parameters, "ui_locales"),
        code_challenge: parameters.text("code_challenge").map(str::to_owned),
        ..request
    })
}

fn told(request: &AuthorizationRequest, code: ErrorCode, description: &'static str) -> AuthorizationRefused {
    AuthorizationRefused::Client(Box::new(AuthorizationError::of(request, code, description)))
}

const fn invalid(description: &'static str) -> Mistake {
    (ErrorCode::InvalidRequest, description)
}

fn response_mode(parameters: &Form) -> Result<ResponseMode, Mistake> {
    match parameters.text("response_mode") {
        None | Some("query") => Ok(ResponseMode::Query),
        Some("form_post") => Ok(ResponseMode::FormPost),
        Some(_) => Err(invalid("response_mode must be query or form_post")),
    }
}

/// What kind of request it is, and that it says each thing once.
fn check_form(client: &ClientView, parameters: &Form) -> Result<(), Mistake> {
    if parameters.has_twice() {
        return Err(invalid("a parameter stands twice"));
    }
    if parameters.text("state").is_some_and(|state| state.len() > LONGEST_STATE) {
        return Err(invalid("state must be at most 4096 bytes"));
    }
    if parameters.names("request") {
        return Err((ErrorCode::RequestNotSupported, "request objects are not taken"));
    }
    if parameters.names("request_uri") {
        return Err((ErrorCode::RequestUriNotSupported, "request_uri is not taken"));
    }
    if parameters.names("registration") {
        return Err((ErrorCode::RegistrationNotSupported, "registration is not taken"));
    }
    match parameters.text("response_type") {
        Some("code") => {}
        Some(_) => return Err((ErrorCode::UnsupportedResponseType, "response_type must be code")),
        None => return Err(invalid("response_type is missing: it must be code")),
    }
    if client.settings.oauth_grants.contains(&GrantType::AuthorizationCode) {
        Ok(())
    } else {
        Err((ErrorCode::UnauthorizedClient, "this client does not use authorization codes"))
    }
}

fn scope(client: &ClientView, parameters: &Form) -> Result<Scopes, Mistake> {
    let asked = Scopes::parse(parameters.text("scope").unwrap_or_default());
    let asked = asked.map_err(|_| (ErrorCode::InvalidScope, "scope must be words with single spaces between"))?;
    if asked.is_within(&client.settings.oauth_scopes) {
        Ok(asked)
    } else {
        Err((ErrorCode::InvalidScope, "the client may not ask for this scope"))
    }
}

/// The code must be worthless to who only sees it (RFC 9700 §2.1.1).
fn check_protection(client: &ClientView, scope: &Scopes, parameters: &Form) -> Result<(), Mistake> {
    let challenge = parameters.text("code_challenge");
    match (challenge, parameters.text("code_challenge_method")) {
        (Some(_), None) => return Err(invalid("code_challenge_method must be S256; it is plain where it is missing")),
        (Some(challenge), Some("S256")) if CodeChallenge::parse(challenge).is_some() => {}
        (Some(_), Some("S256")) => return Err(invalid("code_challenge must be 32 bytes in base64url")),
        (Some(_), Some(_)) => return Err(invalid("code_challenge_method must be S256")),
        (None, Some(_)) => return Err(invalid("code_challenge is missing")),
        (None, None) => {}
    }
    let has_nonce = scope.has("openid") && parameters.text("nonce").is_some();
    let is_protected = match client.settings.oauth_pkce {
        PkcePolicy::Required => challenge.is_some(),
        PkcePolicy::NonceOrPkce => challenge.is_some() || has_nonce,
    };
    match client.settings.oauth_pkce {
        _ if is_protected => Ok(()),
        PkcePolicy::Required => Err(invalid("code_challenge is missing: this client must use PKCE")),
        PkcePolicy::NonceOrPkce => {
            Err(invalid("code_challenge and nonce are missing: this client must use one of them"))
        }
    }
}

/// What a request says beside.
struct Said {
    nonce: Option<String>,
    prompt: Vec<Prompt>,
    max_age: Option<u32>,
    hinted_user: Option<UserId>,
    dpop_jkt: Option<Thumbprint>,
}

impl Said {
    fn read(project: &ProjectView, client: &ClientView, parameters: &Form) -> Result<Self, Mistake> {
        let nonce = parameters.text("nonce");
        if nonce.is_some_and(|nonce| nonce.len() > LONGEST_NONCE) {
            return Err(invalid("nonce must be at most 512 bytes"));
        }
        if ["login_hint", "acr_values", "ui_locales"]
            .iter()
            .any(|name| parameters.text(name).is_some_and(|text| text.len() > LONGEST_HINT))
        {
            return Err(invalid("login_hint, acr_values and ui_locales must be at most 512 bytes"));
        }
        if parameters.text("resource").is_some_and(|resource| *resource != *project.audience) {
            return Err((ErrorCode::InvalidTarget, "resource must be the API of this project"));
        }
        Ok(Self {
            nonce: nonce.map(str::to_owned),
            prompt: prompt(parameters)?,
            max_age: max_age(parameters)?,
            hinted_user: hinted_user(project, client, parameters)?,
            dpop_jkt: dpop_jkt(parameters)?,
        })
    }
}

fn prompt(parameters: &Form) -> Result<Vec<Prompt>, Mistake> {
    let read = |word: &str| match word {
        "none" => Ok(Prompt::None),
        "login" => Ok(Prompt::Login),
        "consent" => Ok(Prompt::Consent),
        "select_account" => Ok(Prompt::SelectAccount),
        _ => Err(invalid("prompt must be none, or some of login, consent, select_account")),
    };
    let words = parameters.text("prompt").unwrap_or_default().split(' ').filter(|word| !word.is_empty());
    let prompt: Vec<Prompt> = words.map(read).collect::<Result<_, _>>()?;
    let is_silent = prompt.contains(&Prompt::None);
    if is_silent && prompt.len() > 1 { Err(invalid("prompt=none stands alone")) } else { Ok(prompt) }
}

fn max_age(parameters: &Form) -> Result<Option<u32>, Mistake> {
    let read = |text: &str| text.parse::<u32>().ok().filter(|seconds| seconds.to_string() == text);
    parameters.text("max_age").map(|text| read(text).ok_or(invalid("max_age must be a number of seconds"))).transpose()
}

/// An id_token of ours for this client, however old.
fn hinted_user(project: &ProjectView, client: &ClientView, parameters: &Form) -> Result<Option<UserId>, Mistake> {
    let Some(text) = parameters.text("id_token_hint") else {
        return Ok(None);
    };
    let read = || {
        let jws = UnverifiedJws::parse(text).ok()?;
        let hint = Hint::verify(&jws, project.verifying_key(&jws.unverified_header.kid)?).ok()?;
        let is_ours = *hint.issuer == *project.issuer && hint.client == client.client.id;
        is_ours.then_some(hint.user)
    };
    read().map(Some).ok_or(invalid("id_token_hint must be an id_token of this issuer for this client"))
}

fn dpop_jkt(parameters: &Form) -> Result<Option<Thumbprint>, Mistake> {
    let read = |text: &str| encoding::decode_array(text).map(Thumbprint);
    parameters
        .text("dpop_jkt")
        .map(|text| read(text).ok_or(invalid("dpop_jkt must be the thumbprint of a key")))
        .transpose()
}

fn words(parameters: &Form, name: &str) -> Vec<String> {
    parameters.text(name).unwrap_or_default().split(' ').filter(|word| !word.is_empty()).map(str::to_owned).collect()
}
