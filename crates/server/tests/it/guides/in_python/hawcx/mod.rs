//! The third guide's backends: each exchanges a code, keeps the user, and lets in who has its session token.

mod mfa;

use std::{path::Path, process::Command};

use countersign_testkit::{
    answer::Answer,
    http::Client,
    program::Done,
    provider::{VERIFIER, redemption},
    sign_in::sign_in,
};
use serde_json::{Value, json};

use super::python;
use crate::guides::{
    dev::Dev,
    endpoint::Endpoint,
    guide::{Place, listing},
    mend::Mend,
    tools::run,
};

/// One of the guide's backends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Backend {
    Flask,
    Django,
    FastApi,
    /// The guide's example in one file, with Flask, which keeps no users.
    FlaskInOne,
}

impl Backend {
    /// Which mends its listing of the callback needs, and which that of the guard.
    fn mends(self) -> (Vec<Mend<'static>>, Vec<Mend<'static>>) {
        match self {
            Self::Flask => (vec![Mend::Verifier], vec![Mend::OwnSessionTokens]),
            Self::Django | Self::FlaskInOne => (vec![Mend::Verifier], Vec::new()),
            Self::FastApi => (vec![Mend::FastApiVerifier, Mend::FastApiBody], vec![Mend::FastApiImport]),
        }
    }

    /// Writes it into a folder, with what the guide takes for granted.
    fn write(self, dev: &Dev, home: &Path, port: u16, (callback, guard): (&[Mend<'_>], &[Mend<'_>])) {
        const OURS: &str = "from services.user_service import find_or_create_user, verify_session_token\n\
                            from sessions import generate_session_token\n";
        let environment = listing(Place::Environment, &[]);
        let (file, text) = match self {
            Self::Flask => ("main.py", [listing(Place::FlaskCallback, callback), listing(Place::FlaskGuard, guard)]),
            Self::Django => {
                ("views.py", [listing(Place::DjangoCallback, callback), listing(Place::DjangoGuard, guard)])
            }
            Self::FastApi => {
                ("main.py", [listing(Place::FastApiCallback, callback), listing(Place::FastApiGuard, guard)])
            }
            Self::FlaskInOne => {
                let mends = [callback, &[Mend::FlaskAppPort(port)]].concat();
                ("main.py", [listing(Place::FlaskApp, &mends), String::new()])
            }
        };
        let users = format!("from app.db import User\n{}", listing(Place::UserService, &[]));
        let ours = if self == Self::FlaskInOne { String::new() } else { format!("{environment}\n{OURS}") };
        for (file, text) in [
            (file, format!("{ours}\n{}", text.concat())),
            ("services/user_service.py", users),
            ("errors.py", listing(Place::ErrorHandler, &[])),
            ("app/db.py", include_str!("database.py").to_owned()),
            ("sessions.py", include_str!("sessions.py").to_owned()),
            ("settings.py", include_str!("settings.py").to_owned()),
            ("urls.py", include_str!("urls.py").to_owned()),
            ("bad_tokens.py", include_str!("bad_tokens.py").to_owned()),
            ("failures.py", include_str!("failures.py").to_owned()),
            (".env", std::fs::read_to_string(dev.program.data().join("dev.env")).unwrap()),
        ] {
            let file = home.join(file);
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(file, text).unwrap();
        }
    }

    /// What serves it, as its framework is run by hand.
    fn command(self, home: &Path, port: u16) -> Command {
        let port = port.to_string();
        let mut command = python();
        command.current_dir(home);
        match self {
            Self::Flask => command.args(["-m", "flask", "--app", "main", "run", "--port", &port]),
            Self::Django => {
                command.env("DJANGO_SETTINGS_MODULE", "settings");
                command.args(["-m", "django", "runserver", "--noreload", &format!("127.0.0.1:{port}")])
            }
            Self::FastApi => command.args(["-m", "uvicorn", "main:app", "--port", &port]),
            Self::FlaskInOne => command.arg("main.py"),
        };
        command
    }

    async fn start(self, dev: &Dev) -> Endpoint {
        let (callback, guard) = self.mends();
        self.start_with(dev, (&callback, &guard), &[]).await
    }

    async fn start_with(self, dev: &Dev, mends: (&[Mend<'_>], &[Mend<'_>]), more: &[(&str, &str)]) -> Endpoint {
        Endpoint::start(async |home, port| {
            self.write(dev, home, port, mends);
            let mut command = self.command(home, port);
            command.envs(more.iter().copied());
            command
        })
        .await
    }

    /// How it says what is wrong.
    #[track_caller]
    fn refuses(self, answer: &Answer, status: u16, why: &str) {
        let member = if self == Self::FastApi { "detail" } else { "error" };
        assert_eq!((answer.status(), answer.json()), (status, json!({ member: why })), "{self:?}");
    }

    fn says_missing(self) -> &'static str {
        match self {
            Self::Flask | Self::Django => "Missing authorization token",
            // The framework's own words.
            Self::FastApi => "Not authenticated",
            Self::FlaskInOne => "Unauthorized",
        }
    }

    fn says_bad(self) -> &'static str {
        if self == Self::FlaskInOne { "Unauthorized" } else { "Invalid or expired token" }
    }
}

const ALL: [Backend; 4] = [Backend::Flask, Backend::Django, Backend::FastApi, Backend::FlaskInOne];

/// Somebody signs in at Countersign, on the app's own screens. Gives the code that the app gets.
async fn code(dev: &Dev, email: &str) -> String {
    let asked = [
        ("response_type", "code"),
        ("scope", "openid email"),
        ("code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"),
        ("code_challenge_method", "S256"),
    ];
    let client = dev.fact("/oauth/client_id");
    sign_in(&dev.client(), email, &asked, &|| vec![("client_id", client.to_owned())]).await
}

/// The app hands the code to its backend.
async fn hand_over(backend: &Endpoint, code: &str) -> Answer {
    backend.post("/api/auth/hawcx/callback", &json!({ "code": code, "code_verifier": VERIFIER })).await
}

/// A call of what only those see who have a session token.
async fn me(http: &Client, token: &str) -> Answer {
    http.with("authorization", &format!("Bearer {token}")).get("/api/me").await
}

/// Runs a script of ours beside a backend's files.
async fn script(dev: &Dev, name: &str, facts: &Value) -> Done {
    let home = tempfile::tempdir().unwrap();
    let (callback, guard) = Backend::Flask.mends();
    Backend::Flask.write(dev, home.path(), 0, (&callback, &guard));
    let mut python = python();
    python.current_dir(&home).arg(name).arg(facts.to_string());
    run(python.into()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn who_signed_in_gets_a_session_of_the_backend_and_is_let_in_with_it() {
    let dev = Dev::start().await;
    for kind in ALL {
        let backend = kind.start(&dev).await;
        let mut users = Vec::new();
        for email in ["ada@example.com", "zoe@example.com", "ada@example.com"] {
            let got = hand_over(&backend, &code(&dev, email).await).await.ok().json();
            let uid = dev.user(email).await["id"].clone();
            let token = got["sessionToken"].as_str().expect("a session token");
            let session = me(&backend.client(), token).await.ok().json();
            assert_eq!(session["email"], email, "{kind:?}");
            if kind == Backend::FlaskInOne {
                assert_eq!((&session["userId"], got.as_object().unwrap().len()), (&uid, 1), "{got}");
            } else {
                assert_eq!((&got["success"], &got["user"]["email"]), (&true.into(), &email.into()), "{kind:?}");
                assert_eq!((&session["hawcxId"], &session["userId"]), (&uid, &got["user"]["id"].to_string().into()));
            }
            users.push(session["userId"].clone());
        }
        assert_eq!(users[0], users[2], "{kind:?}: who comes again is the same");
        assert_ne!(users[0], users[1], "{kind:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_that_is_used_twice_or_made_up_gets_nobody_in() {
    let dev = Dev::start().await;
    for kind in ALL {
        let backend = kind.start(&dev).await;
        let used = code(&dev, "ada@example.com").await;
        hand_over(&backend, &used).await.is_ok();
        let fresh = code(&dev, "ada@example.com").await;
        let path = "/api/auth/hawcx/callback";
        let other_verifier = json!({ "code": fresh, "code_verifier": "a".repeat(43) });
        for body in [
            json!({ "code": used, "code_verifier": VERIFIER }),
            json!({ "code": "A".repeat(43), "code_verifier": VERIFIER }),
            other_verifier,
        ] {
            kind.refuses(&backend.post(path, &body).await, 401, "Authentication failed");
        }
        let none = backend.post(path, &json!({ "code": "", "code_verifier": VERIFIER })).await;
        if kind == Backend::FlaskInOne {
            kind.refuses(&none, 401, "Authentication failed");
        } else {
            kind.refuses(&none, 400, "Missing authorization code");
        }
        hand_over(&backend, &fresh).await.is_ok();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_good_session_token_nobody_is_let_in() {
    let dev = Dev::start().await;
    let made = script(&dev, "bad_tokens.py", &json!({})).await.json();
    let tokens = dev.client().post_form("/oauth2/token", &redemption_here(&code(&dev, "ada@example.com").await)).await;
    let tokens = tokens.ok();
    let of_ours = [tokens.text("id_token"), tokens.text("access_token")];
    let bad: Vec<&str> = made["bad"].as_array().unwrap().iter().map(|token| token.as_str().unwrap()).collect();
    for kind in ALL {
        let backend = kind.start(&dev).await;
        kind.refuses(&backend.client().get("/api/me").await, 401, kind.says_missing());
        for token in bad.iter().copied().chain(of_ours.iter().map(String::as_str)) {
            kind.refuses(&me(&backend.client(), token).await, 401, kind.says_bad());
        }
        me(&backend.client(), made["good"].as_str().unwrap()).await.is_ok();
    }
}

/// A code for which no redirect URI was named.
fn redemption_here(code: &str) -> Vec<(&str, &str)> {
    redemption(code).into_iter().filter(|(name, _)| *name != "redirect_uri").collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backend_that_holds_another_key_or_none_lets_nobody_in() {
    let (dev, other) = (Dev::start().await, Dev::start().await);
    let (callback, guard) = Backend::Flask.mends();
    for (name, value, status, why) in [
        ("OAUTH_PUBLIC_KEY", other.fact("/oauth/public_key_pem"), 401, "Authentication failed"),
        ("OAUTH_ISSUER", other.fact("/oauth/issuer"), 401, "Authentication failed"),
        ("OAUTH_AUDIENCE", "c1", 401, "Authentication failed"),
        ("OAUTH_CLIENT_ID", "c1", 401, "Authentication failed"),
        ("OAUTH_PUBLIC_KEY", "no key", 500, "Internal server error"),
    ] {
        let backend = Backend::Flask.start_with(&dev, (&callback, &guard), &[(name, value)]).await;
        let refused = hand_over(&backend, &code(&dev, "ada@example.com").await).await;
        Backend::Flask.refuses(&refused, status, why);
    }
    let backend = Backend::Flask.start(&dev).await;
    hand_over(&backend, &code(&dev, "ada@example.com").await).await.is_ok();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_guides_error_handler_tells_the_three_failures_apart() {
    let (dev, other) = (Dev::start().await, Dev::start().await);
    let mut codes = Vec::new();
    for _ in 0..3 {
        codes.push(code(&dev, "ada@example.com").await);
    }
    let facts = json!({
        "token_endpoint": dev.fact("/oauth/token_endpoint"), "client_id": dev.fact("/oauth/client_id"),
        "verifier": VERIFIER, "codes": codes,
        "pem": dev.fact("/oauth/public_key_pem"), "other_pem": other.fact("/oauth/public_key_pem"),
    });
    let done = script(&dev, "failures.py", &facts).await.json();
    assert_eq!(done["good"]["error"], Value::Null, "{done}");
    for (name, error, status) in [
        ("replayed", "OAuthExchangeError", 401),
        ("of another key", "JWTVerificationError", 401),
        ("no key", "InvalidPublicKeyError", 500),
    ] {
        assert_eq!((&done[name]["error"], &done[name]["status"]), (&error.into(), &status.into()), "{done}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_their_mends_the_listings_let_nobody_in() {
    let dev = Dev::start().await;
    // Without the verifier the code is worthless.
    let backend = Backend::Django.start_with(&dev, (&[], &[]), &[]).await;
    Backend::Django.refuses(
        &hand_over(&backend, &code(&dev, "ada@example.com").await).await,
        401,
        "Authentication failed",
    );
    // The client refuses session tokens that it didn't get from an identity provider.
    let backend = Backend::Flask.start_with(&dev, (&[Mend::Verifier], &[]), &[]).await;
    let got = hand_over(&backend, &code(&dev, "ada@example.com").await).await.ok().text("sessionToken");
    Backend::Flask.refuses(&me(&backend.client(), &got).await, 401, "Invalid or expired token");
    // FastAPI has no such class.
    let home = tempfile::tempdir().unwrap();
    Backend::FastApi.write(&dev, home.path(), 0, (&[], &[]));
    let import = async |what: &str| {
        let mut python = python();
        python.current_dir(&home).args(["-c", what]);
        run(python.into()).await
    };
    let done = import("import main").await;
    assert!(done.status != 0 && done.stderr.contains("cannot import name 'HTTPAuthCredentials'"), "{done:?}");
    // What makes the session token lacks an import, so that ours stands in for it.
    let user = "{'id': 1, 'email': 'ada@example.com', 'hawcx_id': 'u_1'}";
    let done = import(&format!("from services import user_service as it; it.generate_session_token({user})")).await;
    assert!(done.status != 0 && done.stderr.contains("name 'timedelta' is not defined"), "{done:?}");
}
