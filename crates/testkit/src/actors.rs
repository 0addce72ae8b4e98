//! Who calls the server, as in life: a backend that vouches, and an app that goes on alone.

use serde_json::{Map, Value, json};

use crate::{answer::Answer, http::Client, token::claims};

/// A customer's backend, which holds a secret key.
#[derive(Clone)]
pub struct Backend {
    http: Client,
    secret: String,
    base: String,
    project: String,
    client: String,
}

impl Backend {
    /// Speaks for project `p1` and its app `c1`.
    pub fn new(http: &Client, secret: &str) -> Self {
        Self {
            http: http.user_agent("backend/1"),
            secret: secret.to_owned(),
            base: "/auth/v1".to_owned(),
            project: "p1".to_owned(),
            client: "c1".to_owned(),
        }
    }

    /// Speaks for another project.
    #[must_use]
    pub fn of_project(&self, project: &str) -> Self {
        Self { project: project.to_owned(), ..self.clone() }
    }

    /// Speaks for another app.
    #[must_use]
    pub fn for_client(&self, client: &str) -> Self {
        Self { client: client.to_owned(), ..self.clone() }
    }

    /// Calls another mount of the door, as `/p/p1/auth/v1`.
    #[must_use]
    pub fn at(&self, base: &str) -> Self {
        Self { base: base.to_owned(), ..self.clone() }
    }

    /// Calls another server, or in another way.
    #[must_use]
    pub fn through(&self, http: Client) -> Self {
        Self { http, ..self.clone() }
    }

    /// Holds another secret.
    #[must_use]
    pub fn with_secret(&self, secret: &str) -> Self {
        Self { secret: secret.to_owned(), ..self.clone() }
    }

    /// The secret it holds.
    pub fn secret(&self) -> &str {
        &self.secret
    }

    /// The client it calls with, secret and all.
    pub fn http(&self) -> Client {
        self.http.with("verification-token", &self.secret)
    }

    /// What it sends for a user, and beside it.
    pub fn vouch(&self, email: &str, more: Value) -> Value {
        let vouch = json!({ "method": 4, "email": email, "clientId": self.client, "projectId": self.project });
        merged(vouch, more)
    }

    /// Signs a user in.
    pub async fn sign_in(&self, email: &str) -> Answer {
        self.sign_in_with(email, json!({})).await
    }

    /// Signs a user in, and says more than the address.
    pub async fn sign_in_with(&self, email: &str, more: Value) -> Answer {
        self.post("/private/signin", &self.vouch(email, more)).await
    }

    /// Signs a user up.
    pub async fn sign_up(&self, email: &str) -> Answer {
        self.sign_up_with(email, json!({})).await
    }

    /// Signs a user up, and says more than the address.
    pub async fn sign_up_with(&self, email: &str, more: Value) -> Answer {
        let attributes = json!({
            "userAttributes": { "familyName": "", "givenName": "" },
            "validationData": { "activationCode": "" },
        });
        self.post("/private/signup", &merged(self.vouch(email, attributes), more)).await
    }

    /// Calls a path of the door with the secret.
    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        self.http().post(&format!("{}{path}", self.base), body).await
    }

    /// The app of a user that it signs up: it is told the tokens.
    pub async fn new_app(&self, email: &str) -> App {
        App::told(self.http.user_agent("app/1"), &self.sign_up(email).await.ok())
    }

    /// An app of a user who exists.
    pub async fn app(&self, email: &str) -> App {
        App::told(self.http.user_agent("app/1"), &self.sign_in(email).await.ok())
    }
}

/// A customer's app, which holds the tokens of one session.
#[derive(Clone)]
pub struct App {
    /// How it calls: from which network, under which name.
    pub http: Client,
    /// Its user.
    pub uid: String,
    /// The access token it holds.
    pub access: String,
    /// The refresh token it holds.
    pub refresh: String,
}

impl App {
    /// Holds what a vouch gave.
    pub fn told(http: Client, vouched: &Answer) -> Self {
        Self {
            http,
            uid: vouched.text("uid"),
            access: vouched.text("authToken"),
            refresh: vouched.text("refreshToken"),
        }
    }

    /// The same tokens, calling in another way: a thief, or the same phone on another network.
    #[must_use]
    pub fn through(&self, http: Client) -> Self {
        Self { http, ..self.clone() }
    }

    /// The same app in the network of this address.
    #[must_use]
    pub fn at(&self, address: &str) -> Self {
        self.through(self.http.from_address(address))
    }

    /// The same app, holding another refresh token.
    #[must_use]
    pub fn holding(&self, refresh: &str) -> Self {
        Self { refresh: refresh.to_owned(), ..self.clone() }
    }

    /// Its session, as its access token names it.
    pub fn session(&self) -> String {
        claims(&self.access)["sid"].as_str().expect("`sid` is a text").to_owned()
    }

    /// Sends its refresh token, and keeps what it holds: the answer may be lost.
    pub async fn try_refresh(&self) -> Answer {
        self.http.post("/auth/v1/refreshtoken", &json!({ "refreshToken": self.refresh })).await
    }

    /// Refreshes, and keeps the new tokens if there are any.
    pub async fn refresh(&mut self) -> Answer {
        let answer = self.try_refresh().await;
        if answer.status() == 200 {
            self.access = answer.text("authToken");
            self.refresh = answer.text("refreshToken");
        }
        answer
    }

    /// Asks who it is.
    pub async fn me(&self) -> Answer {
        self.http.with("authorization", &format!("Bearer {}", self.access)).get("/v1/me").await
    }

    /// Asks whose access token it holds.
    pub async fn profile(&self) -> Answer {
        self.http.post("/auth/v1beta/authprofile", &json!({ "authToken": self.access })).await
    }

    /// Signs out.
    pub async fn sign_out(&self) -> Answer {
        self.http.post("/auth/v1/signout", &json!({ "userId": self.uid, "refreshToken": self.refresh })).await
    }

    /// The sessions of its user.
    pub async fn sessions(&self) -> Answer {
        let path = format!("/auth/v1/user/{}/sessions", self.uid);
        self.http.with("authorization", &format!("Bearer {}", self.access)).get(&path).await
    }
}

/// `base` with the members of `more` over it; a member that is null goes.
pub fn merged(base: Value, more: Value) -> Value {
    let (Value::Object(mut base), Value::Object(more)) = (base, more) else { panic!("both must be objects") };
    for (name, value) in more {
        if value.is_null() {
            base.remove(&name);
        } else {
            base.insert(name, value);
        }
    }
    Value::Object(Map::from_iter(base))
}
