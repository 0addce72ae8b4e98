//! At its most talkative the server says what was asked and what came of it, and never with what.

use std::fs;

use countersign_testkit::{
    actors::{App, Backend},
    answer::Answer,
    database::Engine,
    http::Client,
    on_both_engines,
    program::{Program, Running},
    raw::RawConnection,
};
use serde_json::{Value, json};

use super::deployment::Deployment;

on_both_engines!(nothing_that_callers_show_or_are_given_is_logged);

const EMAILS: [&str; 3] = ["ada.whole@example.com", "Bob.Whole@example.com", "nobody.whole@example.com"];
const PHONE: &str = "+4915112345678";
const WRONG: [&str; 4] = [
    "sk_wrongwrongwrongwrongwrong",
    "rt_wrongwrongwrongwrong",
    "eyJwrong.eyJwrong.wrongwrong",
    "wrong%20path%20secret",
];

/// What must be nowhere, and the names of the requests that must be there.
#[derive(Default)]
struct Shown {
    secrets: Vec<String>,
    requests: Vec<String>,
}

impl Shown {
    /// Notes the tokens of an answer, and its request.
    fn note(&mut self, answer: &Answer) {
        self.requests.push(answer.header("x-request-id").to_owned());
        let Ok(json) = serde_json::from_slice::<Value>(&answer.body) else { return };
        for member in ["authToken", "refreshToken"] {
            let Some(token) = json[member].as_str() else { continue };
            self.secrets.push(token.to_owned());
            // Half a token is too much, too.
            let halves = token.trim_start_matches("rt_").split('.').skip(usize::from(member == "authToken"));
            self.secrets.extend(halves.map(str::to_owned));
        }
    }

    fn hide(&mut self, secrets: &[&str]) {
        for secret in secrets {
            self.secrets.extend([(*secret).to_owned(), secret.to_lowercase()]);
        }
    }

    #[track_caller]
    fn is_nowhere_in(&self, place: &str, text: &str) {
        assert!(self.secrets.len() > 20, "too little was shown");
        for secret in &self.secrets {
            assert!(!text.contains(secret.as_str()), "{place} has {secret}");
        }
    }
}

/// Does all that an app and a backend can do, and all that they can do wrong.
async fn everything(http: &Client, secret: &str) -> Shown {
    let mut shown = Shown::default();
    shown.hide(&EMAILS);
    shown.hide(&[PHONE, secret]);
    shown.hide(&WRONG);
    let backend = Backend::new(http, secret);
    let mut app = backends_calls(&backend, &mut shown).await;
    apps_calls(&mut app, &mut shown).await;
    for answer in nonsense(http, secret).await {
        shown.note(&answer);
    }
    shown
}

async fn backends_calls(backend: &Backend, shown: &mut Shown) -> App {
    let signed_up = backend.sign_up_with(EMAILS[0], json!({ "phoneNumber": PHONE, "externalId": "x-7" })).await.ok();
    let answers = [
        backend.sign_in(EMAILS[0]).await.ok(),
        backend.sign_in_with(EMAILS[1], json!({ "createIfMissing": true, "deviceId": "d1" })).await.ok(),
        backend.sign_in(EMAILS[2]).await,
        backend.sign_in_with(EMAILS[0], json!({ "phoneNumber": "0151", "method": "x" })).await,
        backend.sign_in_with(EMAILS[0], json!({ "externalId": "x-8", "email": format!("{}@@", EMAILS[0]) })).await,
        backend.sign_in_with(EMAILS[1], json!({ "phoneNumber": PHONE })).await,
        backend.with_secret(WRONG[0]).sign_in(EMAILS[0]).await,
        backend.for_client("c9").sign_in(EMAILS[0]).await,
        backend.of_project("p9").sign_in(EMAILS[0]).await,
        backend.through(backend.http().with("origin", "https://app.example")).sign_in(EMAILS[0]).await,
        backend.http().get(&format!("/auth/v1/user/{}/sessions", signed_up.text("uid"))).await,
    ];
    for answer in &answers {
        shown.note(answer);
    }
    shown.note(&signed_up);
    App::told(Client::of(backend.http().base()).user_agent("app/1"), &signed_up)
}

async fn apps_calls(app: &mut App, shown: &mut Shown) {
    let first = app.clone();
    for _ in 0..3 {
        shown.note(&app.refresh().await.ok());
    }
    let profile = json!({ "authToken": app.access });
    let answers = [
        app.me().await.ok(),
        app.sessions().await.ok(),
        app.http.post("/auth/v1beta/authprofile", &profile).await.ok(),
        app.http.post("/auth/v1beta/authprofile", &json!({ "authToken": WRONG[2] })).await,
        app.http.post("/auth/v1/refreshtoken", &json!({ "refreshToken": WRONG[1] })).await,
        app.http.post("/auth/v1/refreshtoken", &json!({ "refreshToken": [app.refresh] })).await,
        app.http.with("authorization", &format!("Bearer {}", WRONG[2])).get("/v1/me").await,
        app.http.with("authorization", &format!("Basic {}", app.access)).get("/v1/me").await,
        first.through(app.http.user_agent("thief/1")).try_refresh().await,
        app.sign_out().await.ok(),
        app.me().await,
        app.try_refresh().await,
    ];
    for answer in &answers {
        shown.note(answer);
    }
}

/// Secrets where they don't belong.
async fn nonsense(http: &Client, secret: &str) -> Vec<Answer> {
    let broken = format!("GET /v1/me HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {secret}\r\n{secret}\r\n\r\n");
    let _ = RawConnection::to(http.base()).await.say(broken).await.hear(std::time::Duration::from_secs(2)).await;
    let broken_off = format!("POST /auth/v1/private/signin HTTP/1.1\r\nhost: x\r\ncontent-length: 999\r\n\r\n{secret}");
    RawConnection::to(http.base()).await.say(broken_off).await.half_close().await;
    vec![
        http.get(&format!("/v1/me?access_token={secret}")).await,
        http.post_form("/oauth2/token", &[("grant_type", "authorization_code"), ("code", secret), ("client_id", "c1")])
            .await,
        http.post_form("/oauth2/token", &[("grant_type", "client_credentials"), ("client_secret", secret)]).await,
        http.post_form("/oauth2/token", &[("grant_type", WRONG[0]), ("client_assertion", WRONG[2])]).await,
        http.post_form("/oauth2/token?code=wrongwrongwrong", &[(WRONG[1], WRONG[1]), (WRONG[1], WRONG[1])]).await,
        http.with("authorization", &format!("Basic {}", WRONG[0]))
            .post_form("/oauth2/introspect", &[("token", WRONG[2])])
            .await,
        http.post_form("/oauth2/revoke", &[("token", WRONG[1]), ("client_id", "c1")]).await,
        http.with("authorization", &format!("Bearer {}", WRONG[2])).get("/oauth2/userinfo").await,
        http.get(&format!("/{}/{secret}", WRONG[3])).await,
        http.get(&format!("/p/{secret}/v1/me")).await,
        http.post_bytes("/auth/v1/private/signin", format!("{{\"{secret}\"")).await,
        http.post_bytes("/auth/v1/refreshtoken", format!("[\"{secret}\"]")).await,
        http.with("x-request-id", secret).get("/v1/me").await,
        http.with("authorization", &format!("Bearer {secret}"))
            .post(
                "/v1/explain",
                &json!({ "headers": { "x-proficient-api-key": WRONG[0], "authorization": WRONG, secret: "" } }),
            )
            .await,
        http.with("verification-token", secret)
            .with("verification-token-2", secret)
            .get("/auth/v1/private/signin")
            .await,
    ]
}

/// What lets somebody in who signs in by code. In quotes and behind names: six digits alone are in every log.
async fn codes_and_handles(http: &Client, shown: &mut Shown) {
    let email = ("email", "dora.whole@example.com");
    shown.hide(&[email.1]);
    let codes = async || {
        let caught = http.get(&format!("/dev/outbox?to={}", email.1)).await.ok().json();
        let codes =
            caught["messages"].as_array().unwrap().iter().filter_map(|it| it["code"].as_str().map(str::to_owned));
        codes.collect::<Vec<_>>()
    };
    let person = json!({ "method": 0, "email": email.1, "clientId": "c1", "projectId": "p1" });
    shown.note(&http.post("/auth/v1/sendverificationtoken", &person).await.ok());
    let code = codes().await[0].clone();
    let mut signing_up = person.clone();
    signing_up["confirmationCode"] = json!(code);
    shown.note(&http.post("/auth/v1/signup", &signing_up).await.ok());
    let asked = [
        ("response_type", "code"),
        ("client_id", "c3"),
        ("scope", "openid"),
        ("code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"),
        ("code_challenge_method", "S256"),
        ("login_hint", email.1),
    ];
    let mut handle = String::new();
    for step in ["", "email_code", "000000"] {
        let said = match step {
            "" => asked.to_vec(),
            "email_code" => vec![("client_id", "c3"), ("auth_session", &*handle), ("method", step)],
            code => vec![("client_id", "c3"), ("auth_session", &*handle), ("code", code)],
        };
        let answer = http.post_form("/oauth2/authorize-challenge", &said).await;
        assert_eq!(answer.status(), 403, "{answer}");
        shown.requests.push(answer.header("x-request-id").to_owned());
        handle = answer.text("auth_session");
        shown.hide(&[handle.trim_start_matches("as_")]);
    }
    for code in codes().await {
        shown.hide(&[&format!("\"{code}\""), &format!("code={code}")]);
    }
}

/// What operators do; what they are told on standard error is no secret.
async fn operators_acts(program: &Program) -> String {
    let mut said = String::new();
    for line in [
        "user create --email carol.whole@example.com --phone +4915187654321",
        "user set carol.whole@example.com --given-name Carol",
        "user disable carol.whole@example.com",
        "user list",
        "session list ada.whole@example.com",
        "key rotate --kind signing --now",
        "key rotate --kind mac",
        "audit tail --limit 100",
    ] {
        let done = program.run(&line.split(' ').collect::<Vec<_>>()).await;
        said.push_str(&done.stderr);
        done.ok();
    }
    said
}

fn talkative(program: &Program) -> Program {
    program.clone().environment("COUNTERSIGN_LOG__LEVEL", "trace")
}

async fn nothing_that_callers_show_or_are_given_is_logged(engine: Engine) {
    let deployment = Deployment::furnished(engine).await;
    let server = talkative(&deployment.program).environment("COUNTERSIGN_METRICS__LISTEN", "127.0.0.1:0").serve().await;
    let mut shown = everything(&server.client(), &deployment.secret).await;
    let by_operators = operators_acts(&deployment.program).await;
    shown.hide(&["carol.whole@example.com", "+4915187654321"]);
    shown.hide(&[fs::read_to_string(deployment.program.data().join("master.key")).unwrap().trim()]);
    let page = page_of(&server).await;
    // A fault of ours has a cause in the log, and the cause must say no more.
    deployment.database.execute("alter table identities rename to away").await;
    let fault = deployment.backend(&server).sign_in(EMAILS[0]).await;
    assert_eq!(fault.status(), 500, "{fault}");
    let failed = fault.header("x-request-id").to_owned();
    deployment.database.execute("alter table away rename to identities").await;
    let dump = deployment.database.dump().await;
    let (status, log) = server.stop().await;
    assert_eq!(status, 0);

    for (place, text) in [("the log", &log), ("the command line", &by_operators), ("the metrics", &page)] {
        shown.is_nowhere_in(place, text);
    }
    let (trail, rest): (Vec<&str>, Vec<&str>) = dump.lines().partition(|line| line.starts_with("audit_entries: "));
    shown.is_nowhere_in("the audit trail", &trail.join("\n"));
    assert!(trail.len() > 10, "{trail:?}");
    shown.secrets.retain(|secret| !secret.contains('@') && !secret.starts_with('+'));
    shown.is_nowhere_in("the database", &rest.join("\n"));
    tells_what_happened(&log, &shown.requests);
    let line = log.lines().find(|line| line.contains(&failed)).unwrap();
    assert!(line.contains("\"level\":\"ERROR\"") && line.contains("identities"), "{line}");
}

async fn page_of(server: &Running) -> String {
    let log = server.log();
    let (_, after) = log.split_once("metrics at ").unwrap();
    let page = Client::of(after.split("/metrics").next().unwrap()).get("/metrics").await.ok();
    String::from_utf8(page.body.to_vec()).unwrap()
}

/// An empty log has no secrets either.
#[track_caller]
fn tells_what_happened(log: &str, requests: &[String]) {
    assert!(requests.len() > 25, "{requests:?}");
    for request in requests {
        assert!(log.contains(request.as_str()), "request {request} left no line");
    }
    for line in [
        "POST /auth/v1/private/signin answered 200",
        "POST /auth/v1/private/signin answered 401",
        "POST /auth/v1/refreshtoken answered 400",
        "GET /v1/me answered 200",
        "GET unmatched answered 404",
        "stopping: finishing what runs",
    ] {
        assert!(log.contains(line), "`{line}` is missing");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn in_development_the_key_is_on_the_terminal_and_in_no_log() {
    let directory = tempfile::tempdir().unwrap();
    let program = talkative(&Program::new(env!("CARGO_BIN_EXE_countersign"), &directory.path().join("data")));
    let server = program.dev().await;
    let dev: Value = serde_json::from_str(&fs::read_to_string(program.data().join("dev.json")).unwrap()).unwrap();
    let secret = dev["secret_key"].as_str().unwrap();
    let mut shown = everything(&server.client(), secret).await;
    codes_and_handles(&server.client(), &mut shown).await;
    let page = server.client().get("/metrics").await.ok();
    assert!(server.log().contains(secret), "it is shown on the terminal");
    shown.is_nowhere_in("the metrics", &String::from_utf8_lossy(&page.body));
    let heard = server.errors();
    assert_eq!(server.stop().await.0, 0);
    let errors = heard.text();
    shown.is_nowhere_in("the log", &errors);
    tells_what_happened(&errors, &shown.requests);
}
