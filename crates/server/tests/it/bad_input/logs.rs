//! What the log tells: never a secret, never a person, never a line that somebody else wrote.

use countersign_testkit::{
    actors::{App, Backend},
    database::{Engine, TestDatabase},
    on_both_engines,
    program::{Program, Running},
    raw::RawConnection,
};
use serde_json::{Value, json};

on_both_engines!(no_line_of_the_log_has_a_secret_or_an_address);

/// A project with a client, made by the command line; gives its secret key.
async fn furnished(program: &Program) -> String {
    program.json(&["project", "create", "p1"]).await;
    program.json(&["client", "create", "c1", "--kind", "ios"]).await;
    let key = program.json(&["key", "create", "--kind", "secret"]).await;
    key["secret"].as_str().expect("the secret is printed once").to_owned()
}

async fn no_line_of_the_log_has_a_secret_or_an_address(engine: Engine) {
    let database = TestDatabase::create(engine).await;
    let program = Program::new(env!("CARGO_BIN_EXE_countersign"), database.directory())
        .always(&["--database", database.url()])
        .environment("COUNTERSIGN_LOG__LEVEL", "trace");
    let secret = furnished(&program).await;
    let server = program.serve().await;
    let backend = Backend::new(&server.client(), &secret);

    let mut app = backend.new_app("ada.secret@example.com").await;
    let (first_access, first_refresh) = (app.access.clone(), app.refresh.clone());
    app.refresh().await.is_ok();
    app.me().await.is_ok();
    app.sessions().await.is_ok();
    refusals(&server, &backend, &app).await;
    app.sign_out().await.is_ok();

    let (status, log) = server.stop().await;
    assert_eq!(status, 0, "{log}");
    assert!(log.contains("/auth/v1/private/signin answered 403"), "requests leave lines at this level: {log}");
    let secrets = [&secret, &first_access, &first_refresh, &app.access, &app.refresh];
    for secret in secrets {
        // A part is as bad as the whole.
        let part = &secret[secret.len() - 30..];
        assert!(!log.contains(part), "a secret is in the log");
    }
    for told in
        ["ada.secret", "eve.secret", "Lovelace-secret", "phone-secret", "seven-secret", "+15551239999", "forged"]
    {
        assert!(!log.contains(told), "{told} is in the log");
    }
    for line in log.lines() {
        let is_json = serde_json::from_str::<Value>(line).is_ok();
        assert!(is_json, "a line isn't one of ours: {line}");
    }
}

/// Calls that go wrong, with secrets where they shouldn't be.
async fn refusals(server: &Running, backend: &Backend, app: &App) {
    let personal = json!({
        "externalId": "seven-secret", "phoneNumber": "+15551239999", "deviceId": "phone-secret",
        "userAttributes": { "familyName": "Lovelace-secret" }, "x": app.refresh,
    });
    backend.sign_in("eve.secret@example.com").await.refused(403, 100_012);
    backend.sign_up_with("eve.secret@example.com", personal).await.is_ok();
    backend.sign_up_with("eve.secret@example.com", json!({ "externalId": "eve.secret\n" })).await.refused(400, 100_050);
    backend.of_project(backend.secret()).sign_in("ada.secret@example.com").await.refused(400, 100_001);
    backend.for_client(&app.access).sign_in("ada.secret@example.com").await.refused(400, 100_002);
    let browser = backend.through(server.client().with("origin", "https://forged.example"));
    browser.sign_in("ada.secret@example.com").await.refused(401, 100_006);
    let client = server.client().with("x-request-id", "forged").user_agent("forged");
    client.post("/auth/v1/refreshtoken", &json!({ "refreshToken": app.access })).await.gone("ended");
    client.post("/auth/v1beta/authprofile", &json!({ "authToken": app.refresh })).await.refused(401, 10_002);
    client.post_bytes("/auth/v1/signout", format!("{{\"userId\":\"{}", app.refresh)).await.refused(400, 100_003);
    client.get(&format!("/auth/v1/private/{}?token={}", app.refresh, app.access)).await.refused(404, 100_003);
    client.get(&format!("/p/{}/v1/me", backend.secret())).await;
    client.with("authorization", &format!("Bearer {}", backend.secret())).get("/v1/me").await;
    for bytes in [
        format!("GET /{} HTTP/1.1\r\nx : {}\r\n\r\n", app.refresh, backend.secret()),
        format!("{} {} HTTP/9\r\n\r\n", app.refresh, app.access),
        format!("GET /%0a%7b%22forged%22:1%7d HTTP/1.1\r\nhost: a\r\nx: {}\0\r\n\r\n", app.access),
        format!("POST /auth/v1/signout HTTP/1.1\r\nhost: a\r\ncontent-length: 9999\r\n\r\n{}", app.refresh),
    ] {
        RawConnection::to(server.base()).await.say(bytes).await.half_close().await.answer().await;
    }
}
