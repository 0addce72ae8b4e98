//! The guide's service for second factors, and its endpoints, with the published client.

use countersign_domain::oauth::form::encode;

use super::*;

/// Writes the service and its endpoints into a folder, with what the guide takes for granted.
fn write(dev: &Dev, home: &Path, mends: &[Mend<'_>]) {
    let environment = listing(Place::Environment, &[]);
    let ours = "from application import app, cache\nfrom flask import request\n";
    let guard = "from application import app\nfrom services.user_service import verify_session_token\n";
    let guards = format!("{guard}\n{}", listing(Place::FlaskGuard, &[Mend::OwnSessionTokens]));
    for (file, text) in [
        ("main.py", format!("{environment}\n{ours}\n{}", listing(Place::MfaEndpoints, &[]))),
        ("services/mfa_service.py", listing(Place::MfaService, mends)),
        ("services/user_service.py", listing(Place::UserService, &[])),
        ("middleware/auth.py", guards),
        ("application.py", include_str!("application.py").to_owned()),
        (".env", std::fs::read_to_string(dev.program.data().join("dev.env")).unwrap()),
    ] {
        let file = home.join(file);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, text).unwrap();
    }
}

async fn started(dev: &Dev, mends: &[Mend<'_>]) -> Endpoint {
    Endpoint::start(async |home, port| {
        write(dev, home, mends);
        let mut command = python();
        command.current_dir(home).args(["-m", "flask", "--app", "main:app", "run", "--port", &port.to_string()]);
        command
    })
    .await
}

/// Ada's session token of the application.
async fn token(dev: &Dev) -> String {
    let made = script(dev, "bad_tokens.py", &json!({})).await.json();
    made["good"].as_str().unwrap().to_owned()
}

/// The newest code that came to somebody.
async fn came(dev: &Dev, to: &str) -> String {
    let outbox = dev.client().get(&format!("/dev/outbox?to={}", encode(to))).await.ok().json();
    let messages = outbox["messages"].as_array().unwrap();
    messages.iter().find_map(|message| message["code"].as_str()).expect("a code came").to_owned()
}

async fn status(backend: &Client) -> Value {
    backend.get("/api/mfa/status").await.ok().json()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_guides_endpoints_set_up_a_second_factor_and_say_what_it_is() {
    let dev = Dev::start().await;
    code(&dev, "ada@example.com").await;
    let backend = started(&dev, &[Mend::DelegationUrl]).await;
    let ada = backend.client().with("authorization", &format!("Bearer {}", token(&dev).await));
    // The code by which Ada came to be was hers, and is no second factor.
    assert_eq!(status(&ada).await, json!({ "mfaEnabled": false, "mfaMethod": "none" }));
    for (method, number, to) in [("sms", Some("+15551234567"), "+15551234567"), ("email", None, "ada@example.com")] {
        let wanted = json!({ "mfaMethod": method, "phoneNumber": number });
        let begun = ada.post("/api/mfa/initiate", &wanted).await.ok().json();
        assert_eq!(begun["success"], true, "{begun}");
        let otp = came(&dev, to).await;
        let wrong = if otp == "000000" { "000001" } else { "000000" };
        let refused = ada.post("/api/mfa/verify", &json!({ "otp": wrong })).await;
        assert_eq!(refused.status(), 400, "{refused}");
        assert!(
            refused.text("error").starts_with("Failed to verify MFA: IDP returned 400: The code isn't right"),
            "{refused}"
        );
        let done = ada.post("/api/mfa/verify", &json!({ "otp": otp })).await.ok().json();
        assert_eq!(done, json!({ "success": true, "message": "MFA setup completed successfully" }));
        assert_eq!(status(&ada).await, json!({ "mfaEnabled": true, "mfaMethod": method }));
        // The change is over.
        let again = ada.post("/api/mfa/verify", &json!({ "otp": otp })).await;
        assert_eq!((again.status(), again.text("error")), (400, "MFA session expired. Please try again.".to_owned()));
    }
    let impossible = json!({ "mfaMethod": "sms", "phoneNumber": "+1555123" });
    let refused = ada.post("/api/mfa/initiate", &impossible).await;
    assert_eq!(refused.status(), 400, "{refused}");
    assert_eq!(status(&ada).await["mfaMethod"], "email");
    assert_eq!(backend.client().get("/api/mfa/status").await.status(), 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_servers_address_the_guides_service_does_not_begin() {
    let dev = Dev::start().await;
    let home = tempfile::tempdir().unwrap();
    write(&dev, home.path(), &[]);
    let mut python = python();
    python.current_dir(&home).args(["-c", "from services.mfa_service import MFAService; MFAService()"]);
    let done = run(python.into()).await;
    assert!(done.status != 0 && done.stderr.contains("base_url"), "{done:?}");
}
