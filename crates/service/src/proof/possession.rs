//! Possession of a key, proved for one call: DPoP (RFC 9449). A proof says nothing of who its owner is; it says that whoever calls holds the
//! key to which a session is bound, or is to be bound.
//!
//! Each node remembers the proofs that it has seen and takes none of them twice. What a proof buys for good is spent in the database, in the
//! transaction of the purchase: [`Possession::spend`].

use countersign_crypto::{
    dpop::{Call, InvalidProof, SignedProof},
    encoding,
};
use countersign_domain::{clock::Timestamp, http_uri::HttpUri, thumbprint::Thumbprint};
use countersign_storage::spent::Spend;

use crate::{Service, directory::ProjectView};

/// A `DPoP` header, and the call that it came with.
#[derive(Debug, Clone)]
pub struct UnverifiedPossession {
    /// The header.
    pub unverified: String,
    /// The method of the call.
    pub method: String,
    /// Its path, as it was sent.
    pub path: String,
    /// Scheme and host that the caller asked for, where a trusted proxy says so: `https://auth.example.com`.
    pub forwarded: Option<String>,
    /// Was the call made to a proxy, which asks about it (forward-auth)? Then method and path are what the proxy says they were, and they
    /// were asked of the place that it says, and of no other.
    pub is_asked_about: bool,
}

/// Whether a proof must carry a nonce of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoncePolicy {
    /// It must: one that was made ahead of time is worthless.
    Required,
    /// It needn't: its client is an old one that knows none.
    Optional,
}

/// Somebody holds a key, and showed it for this call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Possession {
    /// The key.
    pub key: Thumbprint,
    /// What tells the proof from every other.
    pub proof: [u8; 32],
    /// From when on the proof can't come again.
    pub expires_at: Timestamp,
}

/// Why possession isn't proved. All of it may be told to whoever made the proof.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PossessionRefused {
    /// The proof is none, or not for this call.
    #[error(transparent)]
    Invalid(#[from] InvalidProof),
    /// It is a good one, but was used before.
    #[error("the proof was used before")]
    Replayed,
    /// It is a good one but for the nonce, and this is the one to use.
    #[error("the proof has no nonce, or an old one")]
    UseNonce(String),
}

/// A proof that some key signed, judged but for two questions: whose key it must be, and whether its client must use nonces.
pub(crate) struct ShownKey {
    possession: Possession,
    /// Whether it is for this call, and new.
    verdict: Result<(), PossessionRefused>,
    /// The nonce to use, where it has none that is good.
    missing_nonce: Option<String>,
}

impl Possession {
    /// So that what it buys is bought once, in however many nodes it is shown.
    pub fn spend(&self) -> Spend {
        Spend { purpose: "dpop", hash: encoding::encode(self.proof), expires_at: self.expires_at }
    }
}

impl PossessionRefused {
    /// The reason as metrics have it.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Invalid(_) => "invalid_dpop_proof",
            Self::Replayed => "replayed_dpop_proof",
            Self::UseNonce(_) => "use_dpop_nonce",
        }
    }
}

impl ShownKey {
    pub(crate) fn key(&self) -> Thumbprint {
        self.possession.key
    }

    /// The visible list of what is left to ask. Who lacks a nonce is told so first: a proof with it is a new one.
    pub(crate) fn require(&self, nonces: NoncePolicy) -> Result<Possession, PossessionRefused> {
        if let Err(PossessionRefused::Invalid(flaw)) = self.verdict {
            return Err(flaw.into());
        }
        match &self.missing_nonce {
            Some(nonce) if nonces == NoncePolicy::Required => Err(PossessionRefused::UseNonce(nonce.clone())),
            _ => self.verdict.clone().map(|()| self.possession),
        }
    }
}

impl Service {
    /// Whoever shows a proof that was made with a key, for this call, now, and by our nonce, holds the key. With an access token, the proof
    /// must name it.
    pub fn prove_possession(
        &self,
        project: &ProjectView,
        shown: &UnverifiedPossession,
        nonces: NoncePolicy,
        access_token: Option<&str>,
    ) -> Result<Possession, PossessionRefused> {
        self.shown_key(project, shown, access_token)?.require(nonces)
    }

    /// The key that a header shows; remembers a proof that is good for this call.
    pub(crate) fn shown_key(
        &self,
        project: &ProjectView,
        shown: &UnverifiedPossession,
        access_token: Option<&str>,
    ) -> Result<ShownKey, InvalidProof> {
        let signed = SignedProof::read(shown.unverified.as_bytes())?;
        let now = self.now();
        let uris = self.uris_of(project, shown);
        let call = Call { method: &shown.method, uris: &uris, access_token };
        let possession = Possession { key: signed.thumbprint(), proof: signed.hash(), expires_at: signed.expires_at() };
        let verdict = match signed.check(&call, now) {
            Err(flaw) => Err(flaw.into()),
            Ok(()) if self.proofs.is_new(possession.proof, self.monotonic()) => Ok(()),
            Ok(()) => Err(PossessionRefused::Replayed),
        };
        let is_good = |nonce| project.dpop_nonce_key().is_good(nonce, now);
        let missing_nonce = (!signed.nonce().is_some_and(is_good)).then(|| self.dpop_nonce(project));
        Ok(ShownKey { possession, verdict, missing_nonce })
    }

    /// The nonce for a client's next proof.
    pub fn dpop_nonce(&self, project: &ProjectView) -> String {
        project.dpop_nonce_key().nonce(self.now())
    }

    /// Where the caller may have seen this call go: at the address of the deployment or of the project, by the path as it came, or, where a
    /// proxy adds the project to it or takes it off, by the other.
    ///
    /// What a proxy says of the host counts only for a host that is ours, or of an API whose proxy asks us. It repeats what it was asked for, and anybody can ask it for any:
    /// whoever talks a client into calling `evil.example` must not be able to bring the proof here.
    fn uris_of(&self, project: &ProjectView, shown: &UnverifiedPossession) -> Vec<HttpUri> {
        let own = [self.config.public_url.as_str(), &project.issuer];
        let own: Vec<HttpUri> = own.into_iter().filter_map(HttpUri::parse).collect();
        let forwarded = shown.forwarded.as_deref().and_then(HttpUri::parse);
        let is_own = |asked: &HttpUri| own.iter().any(|own| own.host() == asked.host());
        if shown.is_asked_about {
            let is_apis = |asked: &HttpUri| project.settings.verify_hosts.iter().any(|host| host == asked.host());
            let asked = forwarded.filter(|asked| is_own(asked) || is_apis(asked));
            return asked.and_then(|place| place.at(&shown.path)).into_iter().collect();
        }
        let forwarded = forwarded.filter(is_own);
        let paths = paths_of(&shown.path, project.project.id.as_str());
        let at = |place: &HttpUri| paths.iter().filter_map(|path| place.at(path)).collect::<Vec<_>>();
        // At a host that is the gateway's alone the path is the caller's own.
        let routes = project.gateway_hosts().filter_map(|host| HttpUri::parse(&self.config.url_at(host)));
        let routes: Vec<HttpUri> = routes.filter_map(|place| place.at(&shown.path)).collect();
        own.iter().chain(&forwarded).flat_map(at).chain(routes).collect()
    }
}

/// A path with the project in it, and without.
fn paths_of(path: &str, project: &str) -> [String; 2] {
    let prefix = format!("/p/{project}");
    match path.strip_prefix(&prefix).filter(|rest| rest.is_empty() || rest.starts_with('/')) {
        Some(rest) => [path.to_owned(), rest.to_owned()],
        None => [path.to_owned(), format!("{prefix}{path}")],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_known_with_and_without_its_project() {
        assert_eq!(paths_of("/v1/me", "p1"), ["/v1/me", "/p/p1/v1/me"]);
        assert_eq!(paths_of("/p/p1/v1/me", "p1"), ["/p/p1/v1/me", "/v1/me"]);
        assert_eq!(paths_of("/p/p10/v1/me", "p1"), ["/p/p10/v1/me", "/p/p1/p/p10/v1/me"]);
        assert_eq!(paths_of("/p/p1", "p1"), ["/p/p1", ""]);
    }
}
