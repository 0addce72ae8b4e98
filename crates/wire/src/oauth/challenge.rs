//! `POST /oauth2/authorize-challenge`: signing a user in on an app's own screens (OAuth 2.0 for First-Party Applications).

use serde::Serialize;
use utoipa::ToSchema;

/// One step. The first is an authorization request; the next send `auth_session` and what was asked for.
#[derive(ToSchema)]
#[schema(as = AuthorizeChallengeRequest, example = json!({
    "response_type": "code", "client_id": "my-app", "scope": "openid email", "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
    "code_challenge_method": "S256", "login_hint": "alice@example.com"
}))]
pub struct ChallengeSchema {
    /// The client.
    pub client_id: Option<String>,
    /// At first: `code`.
    pub response_type: Option<String>,
    /// At first: what is asked for, with spaces between.
    pub scope: Option<String>,
    /// At first: the hash of the verifier (RFC 7636).
    pub code_challenge: Option<String>,
    /// At first: `S256`.
    pub code_challenge_method: Option<String>,
    /// At first: the user's e-mail address. Without one the user is known by a passkey alone, where there are passkeys.
    pub login_hint: Option<String>,
    /// At first: for the id_token.
    pub nonce: Option<String>,
    /// At first: one that is registered; the token request must name it too, then.
    pub redirect_uri: Option<String>,
    /// Then: from the last answer.
    pub auth_session: Option<String>,
    /// Then: `email_code`; again, for another code. Or `passkey`. As a second factor: `totp`, `sms_code`, `email_code`; beside `code`: `recovery_code`.
    pub method: Option<String>,
    /// Then: what the user typed.
    pub code: Option<String>,
    /// Or: the telephone, in E.164 form, to which codes are to go as a second factor.
    pub phone: Option<String>,
    /// Or: the passkey's answer, `PublicKeyCredential.toJSON()` as text.
    pub passkey: Option<String>,
}

/// More is needed.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "error": "insufficient_authorization", "error_description": "More is needed to sign the user in: see prompt.", "auth_session": "as_…",
    "prompt": {"type": "enter_code", "destination": "a…@example.com", "code_length": 6, "expires_at": 1_700_000_600, "resend_at": 1_700_000_030, "tries_left": 5}
}))]
pub struct InsufficientAuthorization {
    /// `insufficient_authorization`.
    pub error: &'static str,
    /// In English. For people: it may change.
    pub error_description: &'static str,
    /// What the next call sends back. It changes with each answer, and works once.
    pub auth_session: String,
    /// What is asked.
    pub prompt: PromptBody,
}

/// What is asked. `hint` says what to do after a mistake: `retry_input`, `resend_code`, `retry_passkey` (send `method` again), `restart_flow`, or
/// `wait` for `retry_after` seconds.
#[derive(Debug, Serialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum PromptBody {
    /// How the user wants to be proved: send `method`.
    SelectMethod {
        /// The ways that there are.
        methods: Vec<MethodBody>,
        /// What to do after a mistake.
        #[serde(skip_serializing_if = "Option::is_none")]
        hint: Option<&'static str>,
        /// In seconds.
        #[serde(skip_serializing_if = "Option::is_none")]
        retry_after: Option<u64>,
        /// What speaks against the sign-in.
        #[serde(skip_serializing_if = "Option::is_none")]
        risk: Option<RiskBody>,
    },
    /// Which code was sent: send `code`, or `method` again for another.
    EnterCode {
        /// Where it went, as far as the user needs it to recognise the address.
        destination: String,
        /// How many digits it has.
        code_length: usize,
        /// From when on it is worthless, in seconds since 1970.
        expires_at: i64,
        /// When another may be asked for, in seconds since 1970.
        resend_at: i64,
        /// How often it may still be tried.
        tries_left: u32,
        /// What else would do: send `method`, and for a recovery code both `method` and `code`.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        methods: Vec<MethodBody>,
        /// What to do after a mistake.
        #[serde(skip_serializing_if = "Option::is_none")]
        hint: Option<&'static str>,
        /// In seconds.
        #[serde(skip_serializing_if = "Option::is_none")]
        retry_after: Option<u64>,
        /// What speaks against the sign-in.
        #[serde(skip_serializing_if = "Option::is_none")]
        risk: Option<RiskBody>,
    },
    /// What the user's authenticator app shows, as a second factor: send `code`.
    EnterTotp {
        /// How many digits that has.
        code_length: usize,
        /// How often something may still be shown.
        tries_left: u32,
        /// What else would do: send `method`, and for a recovery code both `method` and `code`.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        methods: Vec<MethodBody>,
        /// What to do after a mistake.
        #[serde(skip_serializing_if = "Option::is_none")]
        hint: Option<&'static str>,
        /// In seconds.
        #[serde(skip_serializing_if = "Option::is_none")]
        retry_after: Option<u64>,
        /// What speaks against the sign-in.
        #[serde(skip_serializing_if = "Option::is_none")]
        risk: Option<RiskBody>,
    },
    /// A second factor is needed, and the user has none. What an authenticator app shows that was given this: send `code`.
    SetupTotp {
        /// To be typed into the app: base32.
        secret: String,
        /// The same for a QR code.
        otpauth_uri: String,
        /// How often something may still be shown.
        tries_left: u32,
        /// What else could be set up: send `method`.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        methods: Vec<MethodBody>,
        /// What to do after a mistake.
        #[serde(skip_serializing_if = "Option::is_none")]
        hint: Option<&'static str>,
        /// In seconds.
        #[serde(skip_serializing_if = "Option::is_none")]
        retry_after: Option<u64>,
        /// What speaks against the sign-in.
        #[serde(skip_serializing_if = "Option::is_none")]
        risk: Option<RiskBody>,
    },
    /// A second factor is needed, and the user has none. Which telephone codes are to go to: send `phone`; `enter_code` follows.
    SetupSms {
        /// What else could be set up: send `method`.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        methods: Vec<MethodBody>,
        /// What to do after a mistake.
        #[serde(skip_serializing_if = "Option::is_none")]
        hint: Option<&'static str>,
        /// In seconds.
        #[serde(skip_serializing_if = "Option::is_none")]
        retry_after: Option<u64>,
        /// What speaks against the sign-in.
        #[serde(skip_serializing_if = "Option::is_none")]
        risk: Option<RiskBody>,
    },
    /// Which passkey the user has: send `passkey`. What is wrong with one isn't said.
    Passkey {
        /// What `PublicKeyCredential.parseRequestOptionsFromJSON` takes; its result goes to `navigator.credentials.get` as `publicKey`.
        #[serde(rename = "publicKey")]
        #[schema(value_type = Object)]
        public_key: serde_json::Value,
        /// From when on its challenge is worthless, in seconds since 1970. It is good for one answer.
        expires_at: i64,
        /// What speaks against the sign-in.
        #[serde(skip_serializing_if = "Option::is_none")]
        risk: Option<RiskBody>,
    },
}

/// What speaks against a sign-in. It isn't there where nothing does. An app tells its user: somebody else may be trying.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SignInRisk, example = json!({"detected": true, "reasons": ["many_failures"]}))]
pub struct RiskBody {
    /// `true`.
    pub detected: bool,
    /// `many_failures`: wrong codes were shown lately for this address, by whomever, and whether or not anybody has it. There may be others one day.
    #[schema(value_type = Vec<String>)]
    pub reasons: Vec<&'static str>,
}

/// A way to be proved.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SignInMethod)]
pub struct MethodBody {
    /// As `method` has it.
    pub id: &'static str,
    /// For people.
    pub label: &'static str,
}

/// The user is known.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"authorization_code": "EBVgrZDJsuZGCWUo…"}))]
pub struct AuthorizationCodeBody {
    /// For `/oauth2/token`, within a minute, once.
    pub authorization_code: String,
}
