//! What proves one thing proves no other: everything that is shown here is genuine, and alive.

use countersign_crypto::jose::public_key::Kind;
use countersign_service::projects::state::StateChange;
use countersign_testkit::{
    answer::Answer,
    bound::{BoundApp, a_key},
    database::Engine,
    house::{House, Node, p1},
    on_both_engines,
    provider::{ASSERTION_TYPE, form, redemption},
};
use serde_json::json;

use super::{signed_in, with_web_app};

on_both_engines!(
    no_kind_of_token_passes_for_another,
    what_was_revoked_is_worthless_to_the_provider_when_its_owner_is_let_in_again,
);

/// Where something is shown, and how.
#[derive(Debug, Clone, Copy)]
enum Place {
    Bearer,
    UserInfo,
    Introspection,
    Hint,
    Code,
    RefreshToken,
    ClientAssertion,
    DpopProof,
    AuthSession,
    Ticket,
    SecretKey,
}

/// Which of all kinds are taken there.
const TAKEN: [(Place, &[&str]); 11] = [
    (Place::Bearer, &["access token"]),
    (Place::UserInfo, &["access token"]),
    (Place::Introspection, &["access token", "bound access token", "token of a client"]),
    (Place::Hint, &["id_token"]),
    (Place::Code, &["code"]),
    (Place::RefreshToken, &["refresh token"]),
    (Place::ClientAssertion, &["client assertion"]),
    (Place::DpopProof, &["proof of a key"]),
    (Place::AuthSession, &["auth_session"]),
    (Place::Ticket, &["ticket"]),
    (Place::SecretKey, &["secret key"]),
];

struct Stage {
    house: House,
    uid: String,
    key: std::sync::Arc<countersign_crypto::jose::client_key::ClientKey>,
    /// An app whose user signs in with a key that it holds.
    app: BoundApp,
}

const CHALLENGE: &str = "/oauth2/authorize-challenge";

impl Stage {
    async fn open(engine: Engine) -> Self {
        let (house, uid) = with_web_app(engine).await;
        house.set(&["limits.failures=100000"]).await;
        house.set_client("c3", &["dpop.nonce=off"]).await;
        let key = house.with_key(Kind::Es256).await;
        let app = house.app_with_key(&a_key(Kind::Es256));
        Self { house, uid, key, app }
    }

    fn assertion(&self) -> String {
        self.house.assertion(&self.key, &json!({}))
    }

    async fn as_c4(&self, path: &str, more: &[(&str, &str)]) -> Answer {
        let assertion = self.assertion();
        let proof = [("client_assertion", assertion.as_str()), ("client_assertion_type", ASSERTION_TYPE)];
        self.house.node.client().post_form(path, &[more, &proof].concat()).await
    }

    /// One of each kind.
    async fn all(&self) -> Vec<(&'static str, String)> {
        let house = &self.house;
        let plain = signed_in(house, &self.uid).await;
        let code = house.code(&self.uid, &[]).await;
        let with_key = house.node.client().with("dpop", &self.app.proof("POST", "/oauth2/token").text());
        let bound = with_key.post_form("/oauth2/token", &redemption(&code)).await.ok();
        let own = self.as_c4("/oauth2/token", &[("grant_type", "client_credentials"), ("scope", "read")]).await.ok();
        let app = house.client_app("crm-7");
        let ours = app.http().get("/verify").await.ok().header("x-countersign-assertion").to_owned();
        let ticket = app.http().post("/v1/tickets", &json!({})).await.ok().text("ticket");
        let asked = house.authorization(&[("state", ""), ("login_hint", "ada@example.com")]);
        let begun = house.node.client().post_form(CHALLENGE, &asked).await;
        vec![
            ("access token", plain.text("access_token")),
            ("id_token", plain.text("id_token")),
            ("refresh token", plain.text("refresh_token")),
            ("bound access token", bound.text("access_token")),
            ("bound refresh token", bound.text("refresh_token")),
            ("token of a client", own.text("access_token")),
            ("assertion of ours", ours),
            ("ticket", ticket),
            ("code", house.code(&self.uid, &[]).await),
            ("auth_session", begun.text("auth_session")),
            ("client assertion", self.assertion()),
            ("proof of a key", self.app.proof("POST", "/oauth2/token").text()),
            ("secret key", house.key.secret.danger_expose().to_owned()),
            ("publishable key", house.publishable.text.danger_expose().to_owned()),
            ("HMAC secret", house.hmac.text.danger_expose().to_owned()),
        ]
    }

    /// Is it taken there? Where it isn't, that is the caller's mistake and nobody else's.
    async fn takes(&self, place: Place, text: &str) -> bool {
        let http = self.house.node.client();
        let bearer = http.with("authorization", &format!("Bearer {text}"));
        let answer = match place {
            Place::Bearer => bearer.get("/v1/me").await,
            Place::UserInfo => bearer.get("/oauth2/userinfo").await,
            Place::Introspection => {
                let told = self.as_c4("/oauth2/introspect", &[("token", text)]).await.ok().json();
                return told["active"] == true;
            }
            Place::Hint => {
                let asked = form(&self.house.authorization(&[("id_token_hint", text)]));
                return self.house.check_authorization(&asked).is_ok();
            }
            Place::Code => self.house.node.token(&redemption(text)).await,
            Place::RefreshToken => {
                let asked = [("grant_type", "refresh_token"), ("refresh_token", text), ("client_id", "c3")];
                self.house.node.token(&asked).await
            }
            Place::ClientAssertion => {
                let proof = [("client_assertion", text), ("client_assertion_type", ASSERTION_TYPE)];
                let asked = [("grant_type", "client_credentials"), ("scope", "read")];
                self.house.node.token(&[asked, proof].concat()).await
            }
            Place::DpopProof => {
                let code = self.house.code(&self.uid, &[]).await;
                http.with("dpop", text).post_form("/oauth2/token", &redemption(&code)).await
            }
            Place::AuthSession => {
                let said = [("client_id", "c3"), ("auth_session", text), ("method", "email_code")];
                let answer = http.post_form(CHALLENGE, &said).await;
                // No mail leaves here, which is found out after it was taken.
                if answer.status() == 503 {
                    return true;
                }
                answer
            }
            Place::Ticket => http.get(&format!("/verify?countersign_ticket={text}")).await,
            Place::SecretKey => self.house.backend_with(text).sign_in("ada@example.com").await,
        };
        assert!(matches!(answer.status(), 200 | 400 | 401 | 403), "{place:?}: {answer}");
        answer.status() == 200
    }
}

async fn no_kind_of_token_passes_for_another(engine: Engine) {
    let stage = Stage::open(engine).await;
    for (place, expected) in TAKEN {
        let mut all = stage.all().await;
        // What is taken is used up in some places: first what isn't.
        all.sort_by_key(|(kind, _)| expected.contains(kind));
        let mut taken = Vec::new();
        for (kind, text) in &all {
            if stage.takes(place, text).await {
                taken.push(*kind);
            }
        }
        taken.sort_unstable();
        assert_eq!(taken, *expected, "{place:?}");
    }
}

async fn what_was_revoked_is_worthless_to_the_provider_when_its_owner_is_let_in_again(engine: Engine) {
    let stage = Stage::open(engine).await;
    let (house, user) = (&stage.house, stage.uid.parse().unwrap());
    let second = house.another_node().await;
    let before = signed_in(house, &stage.uid).await;
    let code = house.code(&stage.uid, &[]).await;
    for change in [StateChange::Disable, StateChange::Enable] {
        house.node.service.change_user_state(&p1(), user, change).await.unwrap();
    }
    house.advance(std::time::Duration::from_secs(1)).await;
    second.service.tick().await;
    let just_started = house.another_node().await;
    for node in [&house.node, &second, &just_started] {
        assert_eq!(worth(&stage, node, &before).await, [false; 3]);
        node.token(&redemption(&code)).await.oauth_error(400, "invalid_grant");
    }
    let after = signed_in(house, &stage.uid).await;
    for node in [&house.node, &second, &just_started] {
        assert_eq!(worth(&stage, node, &after).await, [true, true, true]);
    }
}

/// What the tokens of an answer are worth on a node: for userinfo, for introspection, for a refresh.
async fn worth(stage: &Stage, node: &Node, tokens: &Answer) -> [bool; 3] {
    let (access, refresh) = (tokens.text("access_token"), tokens.text("refresh_token"));
    let http = node.client();
    let userinfo = http.with("authorization", &format!("Bearer {access}")).get("/oauth2/userinfo").await;
    let assertion = stage.assertion();
    let asked = [
        ("token", access.as_str()),
        ("client_assertion", assertion.as_str()),
        ("client_assertion_type", ASSERTION_TYPE),
    ];
    let told = http.post_form("/oauth2/introspect", &asked).await.ok().json();
    let asked = [("grant_type", "refresh_token"), ("refresh_token", refresh.as_str()), ("client_id", "c3")];
    let refreshed = node.token(&asked).await;
    if refreshed.status() != 200 {
        refreshed.oauth_error(400, "invalid_grant");
        userinfo.oauth_error(401, "invalid_token");
    }
    [userinfo.status() == 200, told["active"] == true, refreshed.status() == 200]
}
