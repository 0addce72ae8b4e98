//! What a client registers: how it authenticates itself, which grants it uses, how it protects its codes.

use crate::oauth::redirect_uri::{RedirectKind, RedirectUri};
use crate::{client::ClientKind, policy::Settings};

/// How a client authenticates itself at the endpoints of the provider (OpenID Connect Core §9). It uses this method and no other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuthMethod {
    /// It can't: it only says who it is, and proves its codes by PKCE.
    None,
    /// By a secret in `Authorization: Basic`.
    SecretBasic,
    /// By a secret in the form.
    SecretPost,
    /// By an assertion that it signs (RFC 7523).
    PrivateKeyJwt,
}

impl AuthMethod {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::None, Self::SecretBasic, Self::SecretPost, Self::PrivateKeyJwt];

    /// As `token_endpoint_auth_method` has it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::SecretBasic => "client_secret_basic",
            Self::SecretPost => "client_secret_post",
            Self::PrivateKeyJwt => "private_key_jwt",
        }
    }

    /// Does it prove anything?
    pub const fn proves(self) -> bool {
        !matches!(self, Self::None)
    }
}

/// A grant of the token endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GrantType {
    /// A code for tokens (RFC 6749 §4.1).
    AuthorizationCode,
    /// A refresh token for the next (RFC 6749 §6).
    RefreshToken,
    /// A token for the client itself (RFC 6749 §4.4).
    ClientCredentials,
}

impl GrantType {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::AuthorizationCode, Self::RefreshToken, Self::ClientCredentials];

    /// As `grant_type` has it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AuthorizationCode => "authorization_code",
            Self::RefreshToken => "refresh_token",
            Self::ClientCredentials => "client_credentials",
        }
    }
}

/// What a code must be protected by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PkcePolicy {
    /// PKCE (RFC 7636).
    Required,
    /// PKCE, or the nonce of an id_token: for confidential clients that are older than PKCE (RFC 9700 §2.1.1).
    NonceOrPkce,
}

/// What stands against a registration that is fine setting by setting.
pub fn contradiction(kind: ClientKind, settings: &Settings) -> Option<&'static str> {
    let proves = settings.oauth_auth_method.proves();
    if proves && !kind.is_confidential() {
        return Some(
            "`oauth.auth_method` must be `none` for an app: whatever it holds, its users can read (RFC 6749 §2.1)",
        );
    }
    if settings.oauth_pkce == PkcePolicy::NonceOrPkce && !proves {
        return Some("`oauth.pkce=nonce_or_pkce` is for clients that authenticate themselves (RFC 9700 §2.1.1)");
    }
    if settings.oauth_grants.contains(&GrantType::ClientCredentials) && !proves {
        return Some("the grant `client_credentials` is for clients that authenticate themselves (RFC 6749 §4.4)");
    }
    let is_native = matches!(kind, ClientKind::Ios | ClientKind::Android);
    let is_private = |uri: &RedirectUri| uri.kind() == RedirectKind::PrivateScheme;
    if !is_native && settings.oauth_redirect_uris.iter().any(is_private) {
        return Some("a redirect URI with a scheme of its own is for apps on a device (RFC 8252 §7.1)");
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::Overrides;

    fn settings(pairs: &[(&str, &str)]) -> Settings {
        let set: Overrides = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Settings::resolve(&[&set]).unwrap()
    }

    #[test]
    fn who_cannot_keep_a_secret_registers_none() {
        let secret = settings(&[("oauth.auth_method", "client_secret_basic")]);
        for kind in [ClientKind::Ios, ClientKind::Android, ClientKind::Web] {
            assert!(contradiction(kind, &secret).is_some_and(|it| it.contains("oauth.auth_method")), "{kind}");
            assert_eq!(contradiction(kind, &settings(&[])), None);
        }
        assert_eq!(contradiction(ClientKind::Backend, &secret), None);
    }

    #[test]
    fn what_is_for_clients_that_authenticate_is_for_no_others() {
        for (name, value) in [("oauth.pkce", "nonce_or_pkce"), ("oauth.grants", "client_credentials")] {
            let with = |method: &str| settings(&[(name, value), ("oauth.auth_method", method)]);
            assert!(contradiction(ClientKind::Backend, &with("none")).is_some(), "{name}");
            assert_eq!(contradiction(ClientKind::Backend, &with("private_key_jwt")), None, "{name}");
        }
    }

    #[test]
    fn a_scheme_of_its_own_is_for_an_app_on_a_device() {
        let own = settings(&[("oauth.redirect_uris", "com.example.app:/callback")]);
        assert_eq!(contradiction(ClientKind::Ios, &own), None);
        assert!(contradiction(ClientKind::Web, &own).is_some());
    }
}
