//! Authorization codes: what one was issued for, and the rule by which it is redeemed.

use crate::{
    clock::Timestamp,
    generations::Generations,
    id::{ClientId, SessionId, UserId},
    proof::Proof,
    thumbprint::Thumbprint,
};

/// A code as its row holds it. It never changes: that it was used stands where everything stands that works once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthorizationCode {
    /// The client that it was issued to.
    pub client: ClientId,
    /// Who signed in.
    pub user: UserId,
    /// The session that it opens: known beforehand, so that a second use can end what the first one began.
    pub session: SessionId,
    /// Where the user was sent with it.
    pub redirect_uri: String,
    /// Whether the authorization request named that, so that the token request must too (RFC 6749 §4.1.3).
    pub has_redirect_uri_param: bool,
    /// What was granted.
    pub scope: String,
    /// What the id_token must repeat.
    pub nonce: Option<String>,
    /// The SHA-256 of the verifier (RFC 7636), in base64url; none: the client is one that needs no PKCE.
    pub code_challenge: Option<String>,
    /// The key to which the code is bound (RFC 9449 §10).
    pub dpop_jkt: Option<Thumbprint>,
    /// How the user was proved.
    pub proof: Proof,
    /// The revocation counters of the moment.
    pub generations: Generations,
    /// When it was issued.
    pub created_at: Timestamp,
    /// From when on it is worthless.
    pub expires_at: Timestamp,
}

/// Somebody who redeems a code.
#[derive(Debug, Clone, Copy)]
pub struct Redeemer<'a> {
    /// The client that it proved to be, or says it is.
    pub client: &'a ClientId,
    /// The redirect URI that it names.
    pub redirect_uri: Option<&'a str>,
    /// The key that it shows.
    pub key: Option<Thumbprint>,
}

/// Why a code buys nothing. One `invalid_grant` to the caller, who may be a thief; the reason is for metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CodeRefused {
    /// There is none like it.
    Unknown,
    /// It is another client's.
    OtherClient,
    /// Its time is over.
    Expired,
    /// The redirect URI isn't the one it was issued for.
    OtherRedirectUri,
    /// It is bound to another key, or to one that wasn't shown.
    OtherKey,
    /// The verifier isn't the one that its challenge was made of, or is missing, or there was no challenge.
    OtherVerifier,
    /// It was used before; what came of that is revoked.
    Used,
    /// The user, client or project was revoked since.
    Revoked,
}

impl CodeRefused {
    /// As metrics have it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown_code",
            Self::OtherClient => "other_client",
            Self::Expired => "expired_code",
            Self::OtherRedirectUri => "other_redirect_uri",
            Self::OtherKey => "other_key",
            Self::OtherVerifier => "other_verifier",
            Self::Used => "used_code",
            Self::Revoked => "revoked",
        }
    }
}

impl AuthorizationCode {
    /// Is it this client's? Asked before all else: who isn't the client learns nothing, and can do nothing to what the code began.
    pub fn is_for(&self, client: &ClientId) -> Result<(), CodeRefused> {
        if self.client == *client { Ok(()) } else { Err(CodeRefused::OtherClient) }
    }

    /// The visible list of what the client must have right. The verifier is for whoever can hash.
    pub fn check(&self, redeemer: &Redeemer<'_>, now: Timestamp) -> Result<(), CodeRefused> {
        self.is_for(redeemer.client)?;
        if self.expires_at.is_past(now) {
            return Err(CodeRefused::Expired);
        }
        let is_same = match redeemer.redirect_uri {
            Some(uri) => uri == self.redirect_uri,
            None => !self.has_redirect_uri_param,
        };
        if !is_same {
            return Err(CodeRefused::OtherRedirectUri);
        }
        match self.dpop_jkt {
            Some(key) if redeemer.key != Some(key) => Err(CodeRefused::OtherKey),
            Some(_) | None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proof::Level;

    const NOW: Timestamp = Timestamp::from_seconds(1_000);

    fn code() -> AuthorizationCode {
        AuthorizationCode {
            client: "c1".parse().unwrap(),
            user: UserId::from_bytes([1; 16]),
            session: SessionId::from_bytes([2; 16]),
            redirect_uri: "https://app.example.com/callback".to_owned(),
            has_redirect_uri_param: true,
            scope: "openid".to_owned(),
            nonce: None,
            code_challenge: None,
            dpop_jkt: None,
            proof: Proof { methods: Vec::new(), level: Level::OneFactor, at: NOW },
            generations: Generations::default(),
            created_at: NOW,
            expires_at: Timestamp::from_seconds(1_060),
        }
    }

    fn check(
        code: &AuthorizationCode,
        client: &str,
        uri: Option<&str>,
        key: Option<u8>,
        at: i64,
    ) -> Result<(), CodeRefused> {
        let client = client.parse().unwrap();
        let redeemer = Redeemer { client: &client, redirect_uri: uri, key: key.map(|b| Thumbprint([b; 32])) };
        code.check(&redeemer, Timestamp::from_seconds(at))
    }

    #[test]
    fn a_code_is_good_for_its_client_its_redirect_uri_its_key_and_a_minute() {
        let uri = Some("https://app.example.com/callback");
        assert_eq!(check(&code(), "c1", uri, None, 1_059), Ok(()));
        assert_eq!(check(&code(), "c1", uri, None, 1_060), Err(CodeRefused::Expired));
        assert_eq!(check(&code(), "c2", uri, None, 1_000), Err(CodeRefused::OtherClient));
        assert_eq!(check(&code(), "c1", None, None, 1_000), Err(CodeRefused::OtherRedirectUri));
        let slash = Some("https://app.example.com/callback/");
        assert_eq!(check(&code(), "c1", slash, None, 1_000), Err(CodeRefused::OtherRedirectUri));
        let bound = AuthorizationCode { dpop_jkt: Some(Thumbprint([7; 32])), ..code() };
        assert_eq!(check(&bound, "c1", uri, Some(7), 1_000), Ok(()));
        assert_eq!(check(&bound, "c1", uri, Some(8), 1_000), Err(CodeRefused::OtherKey));
        assert_eq!(check(&bound, "c1", uri, None, 1_000), Err(CodeRefused::OtherKey));
        // A client may bind its tokens though it didn't announce the key.
        assert_eq!(check(&code(), "c1", uri, Some(7), 1_000), Ok(()));
    }

    #[test]
    fn a_redirect_uri_that_was_not_asked_for_need_not_be_named_but_must_be_right() {
        let silent = AuthorizationCode { has_redirect_uri_param: false, ..code() };
        assert_eq!(check(&silent, "c1", None, None, 1_000), Ok(()));
        assert_eq!(check(&silent, "c1", Some("https://app.example.com/callback"), None, 1_000), Ok(()));
        assert_eq!(check(&silent, "c1", Some("https://evil.example"), None, 1_000), Err(CodeRefused::OtherRedirectUri));
    }
}
