//! Proofs on bytes.
//!
//! Everything secret has a type of its own without `Debug`; what may touch the disk is a hash or a sealed text, again of its own type. Names
//! say how far a value can be trusted: `unverified_` until proven, `danger_` for what can be misused.

pub mod api_key;
pub mod authorization_code;
pub mod browser_cookie;
pub mod caller_marks;
pub mod client_secret;
pub mod delegation;
pub mod digest;
pub mod dpop;
pub mod dpop_nonce;
pub mod encoding;
pub mod entropy;
pub mod jose;
pub mod mac_recipe;
pub mod master_key;
pub mod one_time_code;
pub mod pkce;
pub mod refresh_token;
pub mod seal;
pub mod secret;
pub mod sign_in_handle;
pub mod sign_in_link;
pub mod totp;
pub mod typed_code;
pub mod user_mac;
