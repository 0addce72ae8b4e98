//! `POST /v1/management/policy`: how users sign in.

use serde::Serialize;
use utoipa::ToSchema;

/// How users of the project sign in.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SignInPolicy, example = json!({"sign_in_methods": ["email_code", "email_link", "passkey"], "mfa_policy": "suggested", "signup": false}))]
pub struct PolicyBody {
    /// The ways that there are: `email_code`, `email_link`, `passkey`.
    #[schema(value_type = Vec<String>)]
    pub sign_in_methods: Vec<&'static str>,
    /// Whether they are asked for a second factor: `off`, `suggested` (as each user wishes) or `required`.
    #[schema(value_type = String)]
    pub mfa_policy: &'static str,
    /// May whoever proves an address become a user?
    pub signup: bool,
}

/// Nothing is asked.
#[derive(ToSchema)]
#[schema(as = PolicyRequest, example = json!({}))]
pub struct PolicySchema {}
