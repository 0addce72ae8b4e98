//! `dev.env` says the same to a shell, to python-dotenv, and to who reads `dev.json`.

use std::{collections::BTreeMap, os::unix::fs::PermissionsExt};

use tokio::process::Command;

use super::{dev::Dev, tools::run};

type Variables = BTreeMap<String, String>;

#[tokio::test(flavor = "multi_thread")]
async fn only_the_owner_reads_it() {
    let dev = Dev::start().await;
    for file in ["dev.env", "dev.json"] {
        let mode = std::fs::metadata(dev.program.data().join(file)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{file}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shell_reads_what_dev_json_says() {
    let dev = Dev::start().await;
    // The file exports nothing itself: `set -a` does, so that `env` sees it.
    let before = environment_after(&dev, "set -a").await;
    let mut read = environment_after(&dev, "set -a; . ./dev.env").await;
    read.retain(|name, value| before.get(name) != Some(value));
    assert_eq!(read, facts(&dev));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shell_that_reads_it_hands_nothing_on_by_itself() {
    let dev = Dev::start().await;
    assert_eq!(environment_after(&dev, ". ./dev.env").await, environment_after(&dev, "true").await);
}

/// The facts of `dev.json` that `dev.env` has too, under the names that it gives them.
fn facts(dev: &Dev) -> Variables {
    let names = [
        ("HUMA_URL", "/url"),
        ("VERIFICATION_TOKEN", "/secret_key"),
        ("PROFICIENT_API_KEY", "/publishable_key"),
        ("HMAC_SECRET", "/hmac_secret"),
        ("OAUTH_TOKEN_ENDPOINT", "/oauth/token_endpoint"),
        ("OAUTH_CLIENT_ID", "/oauth/client_id"),
        ("JWKS_URL", "/oauth/jwks_uri"),
        ("OAUTH_ISSUER", "/oauth/issuer"),
        ("OAUTH_AUDIENCE", "/oauth/client_id"),
        ("OAUTH_PUBLIC_KEY", "/oauth/public_key_pem"),
        ("SP_ED25519_PRIVATE_KEY_PEM", "/delegation/sp_signing_key_pem"),
        ("SP_X25519_PRIVATE_KEY_PEM", "/delegation/sp_encryption_key_pem"),
        ("IDP_ED25519_PUBLIC_KEY_PEM", "/delegation/idp_verify_key_pem"),
        ("IDP_X25519_PUBLIC_KEY_PEM", "/delegation/idp_encryption_key_pem"),
        ("HAWCX_SECRET_KEY", "/delegation/credential"),
        ("SESSION_SECRET", "/backend/session_secret"),
        ("FLASK_SECRET_KEY", "/backend/flask_secret_key"),
        ("HAWCX_BASE_URL", "/url"),
        ("HAWCX_CONFIG_ID", "/management/config_id"),
        ("HAWCX_CLIENT_ID", "/management/client_id"),
        ("HAWCX_KEY_ID", "/management/es256_kid"),
        ("HAWCX_PRIVATE_KEY_PEM", "/management/es256_key_pem"),
    ];
    names.map(|(name, place)| (name.to_owned(), dev.fact(place).to_owned())).into()
}

/// What a program is handed that a shell starts after a line, in the data directory and an empty environment.
async fn environment_after(dev: &Dev, line: &str) -> Variables {
    let mut shell = Command::new("sh");
    shell.current_dir(dev.program.data()).env_clear().args(["-c", &format!("{line}; env -0")]);
    let text = run(shell).await.ok();
    let pairs = text.split_terminator('\0').map(|pair| pair.split_once('=').expect("a variable has a value"));
    pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

mod in_python {
    use super::*;
    use crate::guides::in_python::interpreter;

    #[tokio::test(flavor = "multi_thread")]
    async fn dotenv_reads_what_dev_json_says() {
        let dev = Dev::start().await;
        let read = "import json, dotenv; print(json.dumps(dotenv.dotenv_values('dev.env')))";
        let mut python = Command::new(interpreter());
        python.current_dir(dev.program.data()).args(["-c", read]);
        let read: Variables = serde_json::from_value(run(python).await.json()).expect("names and values");
        assert_eq!(read, facts(&dev));
    }
}
