//! An app that holds a key, to which its session is bound (RFC 9449), and the proofs that it makes with it.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use countersign_crypto::{
    digest::sha256,
    encoding,
    jose::{client_key::ClientKey, public_key::Kind},
};
use countersign_domain::{
    id::UserId,
    proof::{Level, Method, Proof as UserProof},
};
use countersign_service::{
    Service,
    address::Address,
    caller::Caller,
    session::open::{OpenRefused, Opening},
    token::TokenPair,
};
use hyper::Method as Verb;
use serde_json::{Value, json};

use crate::{
    actors::App,
    answer::Answer,
    house::{House, p1},
    http::Client,
};

/// An app whose session is bound to its key. It makes its proofs anew for each call, and keeps the nonce that the server told last.
#[derive(Clone)]
pub struct BoundApp {
    /// Its tokens, and how it calls.
    pub app: App,
    /// Its key.
    pub key: Arc<ClientKey>,
    /// The nonce that it uses; none: it hasn't been told any.
    pub nonce: Option<String>,
    /// Whose clock it goes by.
    service: Arc<Service>,
    /// The address of the server, as it knows it.
    pub url: String,
}

/// What a proof is made of. A test may make it say something else.
#[derive(Clone)]
pub struct Proof {
    /// Signs it.
    pub key: Arc<ClientKey>,
    /// Its header.
    pub head: Value,
    /// Its claims.
    pub claims: Value,
}

impl Proof {
    /// The header's text.
    pub fn text(&self) -> String {
        self.key.sign(self.head.to_string().as_bytes(), self.claims.to_string().as_bytes())
    }

    /// The same, saying something else.
    #[must_use]
    pub fn saying(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.claims[name] = value.into();
        self
    }

    /// The same, not saying something.
    #[must_use]
    pub fn silent_of(mut self, name: &str) -> Self {
        self.claims.as_object_mut().expect("claims are an object").remove(name);
        self
    }

    /// The same, with another header.
    #[must_use]
    pub fn heading(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.head[name] = value.into();
        self
    }

    /// The same, made by somebody with another key.
    #[must_use]
    pub fn by(mut self, key: &Arc<ClientKey>) -> Self {
        self.head["jwk"] = key.jwk();
        self.head["alg"] = key.algorithm().into();
        self.key = Arc::clone(key);
        self
    }
}

/// A new key of a client's.
pub fn a_key(kind: Kind) -> Arc<ClientKey> {
    Arc::new(ClientKey::generate(kind).expect("a key is made"))
}

impl House {
    /// An app of a new user, whose session is bound to a new key.
    pub async fn bound_app(&self, email: &str) -> BoundApp {
        self.app_bound_to(&a_key(Kind::Es256), email, "c1").await
    }

    /// An app of a new user, whose session in a client is bound to this key.
    pub async fn app_bound_to(&self, key: &Arc<ClientKey>, email: &str, client: &str) -> BoundApp {
        let uid = self.backend().sign_up(email).await.ok().text("uid");
        let opening = Opening { dpop_jkt: Some(key.thumbprint()), ..opening(&uid, client) };
        let pair = self.open_session(opening).await.expect("a session is opened");
        BoundApp {
            app: App {
                http: self.node.client().user_agent("app/1"),
                uid,
                access: pair.access_token,
                refresh: pair.refresh_token.danger_expose().to_owned(),
            },
            key: Arc::clone(key),
            nonce: None,
            service: Arc::clone(&self.node.service),
            url: self.public_url().to_owned(),
        }
    }

    /// An app that has a key, and no session yet.
    pub fn app_with_key(&self, key: &Arc<ClientKey>) -> BoundApp {
        let none = String::new;
        BoundApp {
            app: App { http: self.node.client().user_agent("app/1"), uid: none(), access: none(), refresh: none() },
            key: Arc::clone(key),
            nonce: None,
            service: Arc::clone(&self.node.service),
            url: self.public_url().to_owned(),
        }
    }

    /// Opens a session of `p1`, as a door does that has proved its caller.
    pub async fn open_session(&self, opening: Opening) -> Result<TokenPair, OpenRefused> {
        let address = Address { path: Some(p1().to_string()), host: None };
        let project = self.node.service.project(&address).expect("there is a project");
        let caller = Caller {
            address: [127, 0, 0, 1].into(),
            user_agent: "app/1".to_owned(),
            origin: None,
            request_id: "a-test".to_owned(),
        };
        self.node.service.open_session(&project, opening, &caller).await
    }
}

/// A session of a user in a client, bound to nothing.
pub fn opening(uid: &str, client: &str) -> Opening {
    Opening {
        client: client.parse().expect("a client's id"),
        user: uid.parse::<UserId>().expect("a user's id"),
        proof: UserProof {
            methods: vec![Method::vouch()],
            level: Level::Vouched,
            at: countersign_domain::clock::Timestamp::from_seconds(1_800_000_000),
        },
        vouched_by: None,
        dpop_jkt: None,
        longest: None,
        scope: String::new(),
        session: None,
        as_of: None,
        spends: Vec::new(),
    }
}

impl BoundApp {
    /// The same key, with the tokens of another app.
    #[must_use]
    pub fn holding(&self, app: &App) -> Self {
        Self { app: app.clone(), ..self.clone() }
    }

    /// The same, calling in another way.
    #[must_use]
    pub fn through(&self, http: Client) -> Self {
        Self { app: self.app.through(http), ..self.clone() }
    }

    /// A good proof for a call of this path, with the nonce it knows.
    pub fn proof(&self, method: &str, path: &str) -> Proof {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let id = format!("proof {}", NUMBER.fetch_add(1, Ordering::Relaxed));
        let claims = json!({
            "jti": id, "htm": method, "htu": format!("{}{path}", self.url), "iat": self.service.now().seconds(),
        });
        let head = json!({ "typ": "dpop+jwt", "alg": self.key.algorithm(), "jwk": self.key.jwk() });
        let proof = Proof { key: Arc::clone(&self.key), head, claims };
        match &self.nonce {
            Some(nonce) => proof.saying("nonce", nonce.as_str()),
            None => proof,
        }
    }

    /// The same, for a call with the access token it holds.
    pub fn proof_with_token(&self, method: &str, path: &str) -> Proof {
        self.proof(method, path).saying("ath", encoding::encode(sha256(&self.app.access)))
    }

    /// A good proof for `GET /v1/me`.
    pub fn proof_for_me(&self) -> Proof {
        self.proof_with_token("GET", "/v1/me")
    }

    /// Learns the nonce, as a client does that has none.
    #[must_use]
    pub async fn informed(mut self) -> Self {
        self.nonce = None;
        let answer = self.me_with(&self.proof_for_me()).await;
        assert_eq!(answer.status(), 401, "{answer}");
        self.nonce = Some(answer.header("dpop-nonce").to_owned());
        self
    }

    /// Knows this nonce.
    #[must_use]
    pub fn knowing(&self, nonce: &str) -> Self {
        Self { nonce: Some(nonce.to_owned()), ..self.clone() }
    }

    /// Calls a path with its access token and this proof.
    pub async fn call(&self, method: &Verb, path: &str, proof: &Proof) -> Answer {
        let http = self.app.http.with("authorization", &format!("DPoP {}", self.app.access));
        http.with("dpop", &proof.text()).send(method.clone(), path, String::new().into()).await
    }

    /// Asks who it is, with this proof.
    pub async fn me_with(&self, proof: &Proof) -> Answer {
        self.call(&Verb::GET, "/v1/me", proof).await
    }

    /// Asks who it is.
    pub async fn me(&self) -> Answer {
        self.me_with(&self.proof_for_me()).await
    }

    /// Refreshes, with this proof, and keeps what it holds.
    pub async fn refresh_with(&self, proof: &Proof) -> Answer {
        self.app.through(self.app.http.with("dpop", &proof.text())).try_refresh().await
    }

    /// Refreshes, and keeps the new tokens if there are any.
    pub async fn refresh(&mut self) -> Answer {
        let answer = self.refresh_with(&self.proof("POST", "/auth/v1/refreshtoken")).await;
        if answer.status() == 200 {
            self.app.access = answer.text("authToken");
            self.app.refresh = answer.text("refreshToken");
        }
        answer
    }

    /// Signs out, with this proof.
    pub async fn sign_out_with(&self, proof: &Proof) -> Answer {
        self.app.through(self.app.http.with("dpop", &proof.text())).sign_out().await
    }

    /// Signs out.
    pub async fn sign_out(&self) -> Answer {
        self.sign_out_with(&self.proof("POST", "/auth/v1/signout")).await
    }
}
