//! `examples/vouch-backend`, a customer's backend of our own.

mod in_python {
    use std::path::Path;

    use countersign_testkit::{answer::Answer, http::Client};
    use hyper::Method;
    use serde_json::{Value, json};

    use crate::guides::{
        dev::Dev,
        endpoint::Endpoint,
        in_python::{python, verifier},
        tokens,
    };

    /// The backend reads `dev.env`, and `more` from its environment.
    async fn backend(dev: &Dev, more: &[(&str, &str)]) -> Endpoint {
        Endpoint::start(async |_, port| {
            let mut command = python();
            command.current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/vouch-backend"));
            command.args(["-m", "flask", "--app", "backend", "run", "--port", &port.to_string()]);
            command.env("COUNTERSIGN_ENV", dev.program.data().join("dev.env")).envs(more.iter().copied());
            command
        })
        .await
    }

    /// The app of a demo user who has logged in.
    async fn app_of(user: &str, backend: &Endpoint) -> Client {
        let answer = backend.post("/login", &json!({ "user": user })).await.ok();
        let cookie = answer.header("set-cookie").split(';').next().unwrap();
        backend.client().with("cookie", cookie)
    }

    async fn token(app: &Client) -> Answer {
        app.post("/token", &json!({})).await
    }

    fn identity<'a>(user: &'a Value, kind: &str) -> &'a Value {
        let identities = user["identities"].as_array().unwrap();
        identities.iter().find(|identity| identity["kind"] == kind).unwrap()
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn who_is_logged_in_gets_tokens() {
        let dev = Dev::start().await;
        let backend = backend(&dev, &[]).await;
        let app = app_of("alice", &backend).await;

        let new = token(&app).await.ok();
        assert_eq!(new.header("cache-control"), "no-store");
        let user = dev.user("customer-1").await;
        assert_eq!(user["id"], new.text("uid"));
        let email = identity(&user, "email");
        assert_eq!((&email["value"], &email["verified_at"]), (&json!("alice@example.com"), &Value::Null));

        let known = token(&app).await.ok();
        assert_eq!(known.text("uid"), new.text("uid"));
        assert_eq!(dev.users().await.len(), 1);
        for given in [new, known] {
            tokens::are_real(&dev, &verifier(), dev.app(&given.json()), "alice@example.com").await;
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn nobody_gets_tokens_of_somebody_else() {
        let dev = Dev::start().await;
        let backend = backend(&dev, &[]).await;
        let alices = json!({ "user": "alice", "email": "alice@example.com", "externalId": "customer-1" });

        assert_eq!(backend.post("/token", &alices).await.status(), 401);
        for nobody in [json!({ "user": "mallory" }), json!({ "user": ["alice"] }), json!(["alice"]), json!({})] {
            assert_eq!(backend.post("/login", &nobody).await.status(), 401, "{nobody}");
        }
        assert!(dev.users().await.is_empty());

        let given = app_of("bob", &backend).await.post("/token", &alices).await.ok().json();
        assert_eq!(dev.app(&given).me().await.ok().text("email"), "bob@example.com");
        assert_eq!(dev.users().await.len(), 1);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn who_has_logged_out_gets_none() {
        let dev = Dev::start().await;
        let backend = backend(&dev, &[]).await;
        let app = app_of("alice", &backend).await;
        let gone = app.send(Method::POST, "/logout", "".into()).await;
        assert_eq!(gone.status(), 204);
        let app = app.with("cookie", gone.header("set-cookie").split(';').next().unwrap());
        assert_eq!(token(&app).await.status(), 401);
        assert!(dev.users().await.is_empty());
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_wrong_key_lets_nobody_in_and_is_not_told() {
        let dev = Dev::start().await;
        let wrong = "sk_this-is-not-the-key";
        let backend = backend(&dev, &[("VERIFICATION_TOKEN", wrong)]).await;
        let answer = token(&app_of("alice", &backend).await).await;
        assert_eq!(answer.status(), 502, "{answer}");
        assert!(!answer.to_string().contains(wrong) && !backend.log().contains(wrong), "{}", backend.log());
        assert!(backend.log().contains("100006"), "the log doesn't say why: {}", backend.log());
        assert!(dev.users().await.is_empty());
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_server_that_is_away_is_no_fault_of_the_users() {
        let dev = Dev::start().await;
        // Nothing listens on the port of discarded bytes.
        let backend = backend(&dev, &[("HUMA_URL", "http://127.0.0.1:9")]).await;
        let answer = token(&app_of("alice", &backend).await).await;
        assert_eq!(answer.status(), 503, "{answer}");
        assert!(!backend.log().contains(dev.fact("/secret_key")));
    }
}
