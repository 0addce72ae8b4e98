//! The second guide's backend: Express, which computes a user's HMAC.

use std::{os::unix::fs::symlink, path::Path, process::Command};

use countersign_testkit::client_app::ClientApp;
use serde_json::json;

use super::node;
use crate::guides::{
    dev::Dev,
    endpoint::Endpoint,
    guide::{Place, listing},
    mend::Mend,
    tools::told,
};

/// The backend, built for `CommonJS` as the guide's import asks for, and started.
async fn backend(mends: &[Mend<'_>]) -> Endpoint {
    Endpoint::start(async |home: &Path, port| {
        symlink(told("COUNTERSIGN_TEST_NODE_MODULES"), home.join("node_modules")).unwrap();
        let source = listing(Place::ExpressServer, &[mends, &[Mend::ExpressPort(port)]].concat());
        std::fs::write(home.join("server.ts"), source).unwrap();
        std::fs::write(home.join("build.cjs"), include_str!("build.cjs")).unwrap();
        let built = node().arg("build.cjs").current_dir(home).output().unwrap();
        assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
        let mut server: Command = node();
        server.arg("server.cjs").current_dir(home);
        server
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_whom_the_guides_backend_proved_is_let_in() {
    let dev = Dev::start().await;
    dev.program.run(&["project", "set", "p1", "hmac=required"]).await.ok();
    let backend = backend(&[Mend::HmacSecret(dev.fact("/hmac_secret"))]).await;
    let proved = backend.post("/hmac", &json!({ "userExternalId": "crm-7" })).await.ok();
    let app = ClientApp {
        http: dev.client(),
        key: dev.fact("/publishable_key").to_owned(),
        id: "crm-7".to_owned(),
        hmac: Some(proved.text("hmac")),
    };
    assert_eq!(app.me().await.ok().json()["amr"], json!(["hmac"]));
    app.naming("crm-8").me().await.denied(401, "invalid_credentials");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_guides_backend_gives_the_known_answer() {
    let backend = backend(&[]).await;
    let answer = backend.post("/hmac", &json!({ "userExternalId": "gtLIK8ELsHTr0Fajg28Ud9eFpJJ3" })).await.ok();
    assert_eq!(answer.text("hmac"), "nyrKK9qcWqgPSdky2VE+arkyJjMFt9FD1Fxl/iNOD5U=");
}
