//! `countersign dev`: what a newcomer runs first.

use std::{fs, os::unix::fs::PermissionsExt, path::Path};

use countersign_testkit::{
    actors::Backend,
    program::{Program, Running},
};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::process::Command;

struct Newcomer {
    program: Program,
    _directory: TempDir,
}

impl Newcomer {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let data = directory.path().join("data");
        Self { program: Program::new(env!("CARGO_BIN_EXE_countersign"), &data), _directory: directory }
    }

    fn file(&self, name: &str) -> String {
        fs::read_to_string(self.program.data().join(name)).unwrap()
    }

    fn dev_json(&self) -> Value {
        serde_json::from_str(&self.file("dev.json")).unwrap()
    }
}

fn port(server: &Running) -> &str {
    server.base().rsplit_once(':').unwrap().1
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_start_makes_a_project_that_is_ready_to_use() {
    let newcomer = Newcomer::new();
    let server = newcomer.program.dev().await;
    let url = format!("http://localhost:{}", port(&server));
    let dev = newcomer.dev_json();
    let secret = dev["secret_key"].as_str().unwrap();
    assert!(secret.starts_with("sk_"), "{dev}");
    let (publishable, hmac) = (dev["publishable_key"].as_str().unwrap(), dev["hmac_secret"].as_str().unwrap());
    assert!(publishable.starts_with("pk_") && hmac.starts_with("hsec_"), "{dev}");
    let expected = json!({
        "url": url,
        "project_id": "p1",
        "clients": { "ios": "c1", "android": "c2", "web": "c3", "backend": "c4" },
        "secret_key": secret,
        "publishable_key": publishable,
        "hmac_secret": hmac,
        "oauth": {
            "issuer": url,
            "authorization_endpoint": format!("{url}/oauth2/authorize"),
            "token_endpoint": format!("{url}/oauth2/token"),
            "jwks_uri": format!("{url}/.well-known/jwks.json"),
            "client_id": "c3",
            "redirect_uri": "http://localhost:5000/callback",
            "public_key_pem": dev["oauth"]["public_key_pem"],
        },
        "delegation": dev["delegation"],
        "management": dev["management"],
        "backend": dev["backend"],
        "outbox_url": format!("{url}/dev/outbox"),
    });
    assert_eq!(dev, expected);
    let own = [&dev["backend"]["session_secret"], &dev["backend"]["flask_secret_key"]];
    assert!(own[0] != own[1] && own.iter().all(|secret| secret.as_str().unwrap().len() == 43), "{dev}");
    let pem = dev["oauth"]["public_key_pem"].as_str().unwrap();
    assert!(pem.starts_with("-----BEGIN PUBLIC KEY-----\n") && pem.ends_with("-----END PUBLIC KEY-----\n"), "{pem}");
    let delegation = &dev["delegation"];
    assert_eq!((&delegation["sp_id"], &delegation["kid"]), (&json!("c3"), &json!("hawcx")));
    for (name, begins) in [
        ("sp_signing_key_pem", "-----BEGIN PRIVATE KEY-----\n"),
        ("sp_encryption_key_pem", "-----BEGIN PRIVATE KEY-----\n"),
        ("idp_verify_key_pem", "-----BEGIN PUBLIC KEY-----\n"),
        ("idp_encryption_key_pem", "-----BEGIN PUBLIC KEY-----\n"),
        ("credential", "hwx_sk_v1_"),
        ("backend_credential", "hwx_sk_v1_"),
    ] {
        assert!(delegation[name].as_str().unwrap().starts_with(begins), "{name}: {delegation}");
    }
    assert_ne!(delegation["credential"], delegation["backend_credential"]);
    let clients = newcomer.program.json(&["client", "list"]).await;
    let kinds: Vec<(&str, &str)> = clients
        .as_array()
        .unwrap()
        .iter()
        .map(|client| (client["id"].as_str().unwrap(), client["kind"].as_str().unwrap()))
        .collect();
    assert_eq!(kinds, [("c1", "ios"), ("c2", "android"), ("c3", "web"), ("c4", "backend")]);
    for client in ["c1", "c2", "c3", "c4"] {
        Backend::new(&server.client(), secret).for_client(client).sign_up("ada@example.com").await.is_ok();
    }
    assert_eq!(server.stop().await.0, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_it_prints_works_when_it_is_pasted_into_a_shell() {
    let newcomer = Newcomer::new();
    let server = newcomer.program.dev().await;
    let log = server.log();
    let line = log.lines().find(|line| line.starts_with("curl ")).expect("it prints a call to try");
    let output = Command::new("sh").args(["-c", line]).output().await.unwrap();
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"));
    assert!(answer["uid"].as_str().is_some_and(|uid| uid.starts_with("u_")), "{answer}");
    let shown = newcomer.program.json(&["user", "show", "alice@example.com"]).await;
    assert_eq!(shown["id"], answer["uid"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shell_reads_in_dev_env_what_scripts_read_in_dev_json() {
    let newcomer = Newcomer::new();
    let _server = newcomer.program.dev().await;
    let script = r#". "$1" && printf '%s\n' "$HUMA_URL" "$VERIFICATION_TOKEN" "$JWKS_URL" "$OAUTH_ISSUER""#;
    let env = newcomer.program.data().join("dev.env");
    let output = Command::new("sh").args(["-euc", script, "sh"]).arg(env).output().await.unwrap();
    let dev = newcomer.dev_json();
    let expected = [&dev["url"], &dev["secret_key"], &dev["oauth"]["jwks_uri"], &dev["oauth"]["issuer"]];
    let read = String::from_utf8(output.stdout).unwrap();
    assert_eq!(read.lines().collect::<Vec<_>>(), expected.map(|value| value.as_str().unwrap()));
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_else_can_read_what_it_leaves() {
    let newcomer = Newcomer::new();
    // Whoever starts it may have the most open-handed of masks.
    let program = newcomer.program.clone().under(&["sh", "-c", r#"umask 000; exec "$0" "$@""#]);
    let server = program.dev().await;
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(program.data()), 0o700);
    let mut names = Vec::new();
    for entry in fs::read_dir(program.data()).unwrap() {
        let path = entry.unwrap().path();
        assert_eq!(mode(&path), 0o600, "{}", path.display());
        names.push(path.file_name().unwrap().to_str().unwrap().to_owned());
    }
    for name in ["dev.env", "dev.json", "master.key", "countersign.sqlite", "countersign.sqlite-wal"] {
        assert!(names.iter().any(|other| other == name), "{name} isn't among {names:?}");
    }
    drop(server);
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_reached_from_this_machine_alone_by_both_its_names() {
    let newcomer = Newcomer::new();
    let server = newcomer.program.dev().await;
    let port: u16 = port(&server).parse().unwrap();
    let listening = |table: &str| -> Vec<String> {
        let lines = fs::read_to_string(table).unwrap();
        let sockets = lines.lines().skip(1).filter_map(|line| {
            let mut words = line.split_whitespace().skip(1);
            let (local, state) = (words.next()?, words.nth(1)?);
            let (address, at) = local.split_once(':')?;
            (state == "0A" && at == format!("{port:04X}")).then(|| address.to_owned())
        });
        sockets.collect()
    };
    assert_eq!(listening("/proc/net/tcp"), ["0100007F"]);
    let over_six = listening("/proc/net/tcp6");
    assert!(over_six.iter().all(|address| address == "00000000000000000000000001000000"), "{over_six:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn later_starts_use_what_the_first_one_made() {
    let newcomer = Newcomer::new();
    let first = newcomer.program.dev().await;
    let (before, master_key) = (newcomer.dev_json(), newcomer.file("master.key"));
    let secret = before["secret_key"].as_str().unwrap().to_owned();
    let uid = Backend::new(&first.client(), &secret).sign_up("ada@example.com").await.ok().text("uid");
    assert_eq!(first.stop().await.0, 0);

    let second = newcomer.program.dev().await;
    let after = newcomer.dev_json();
    for key in ["secret_key", "publishable_key", "hmac_secret", "delegation", "backend"] {
        assert_eq!(after[key], before[key], "{key}");
    }
    assert_eq!(after["url"], format!("http://localhost:{}", port(&second)));
    assert_eq!(after["oauth"]["issuer"], after["url"]);
    assert_eq!(newcomer.file("master.key"), master_key);
    assert_eq!(Backend::new(&second.client(), &secret).sign_in("ada@example.com").await.ok().text("uid"), uid);
    assert_eq!(newcomer.program.json(&["key", "list"]).await["secret"].as_array().unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_was_revoked_has_a_successor_at_the_next_start() {
    let newcomer = Newcomer::new();
    let first = newcomer.program.dev().await;
    let before = newcomer.dev_json();
    assert_eq!(first.stop().await.0, 0);
    let keys = newcomer.program.json(&["key", "list"]).await;
    newcomer.program.run(&["key", "revoke", keys["secret"][0]["id"].as_str().unwrap()]).await.ok();
    let of_web = keys["delegation"].as_array().unwrap().iter().find(|key| key["client"] == "c3").unwrap();
    newcomer.program.run(&["key", "revoke", of_web["id"].as_str().unwrap()]).await.ok();

    let second = newcomer.program.dev().await;
    let after = newcomer.dev_json();
    assert_ne!(after["secret_key"], before["secret_key"]);
    assert_ne!(after["delegation"]["credential"], before["delegation"]["credential"]);
    assert_eq!(after["delegation"]["backend_credential"], before["delegation"]["backend_credential"]);
    Backend::new(&second.client(), after["secret_key"].as_str().unwrap()).sign_up("ada@example.com").await.is_ok();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_one_at_the_same_port_is_refused_and_changes_nothing() {
    let newcomer = Newcomer::new();
    let server = newcomer.program.dev().await;
    let before = [newcomer.file("dev.json"), newcomer.file("dev.env"), newcomer.file("master.key")];
    let said = newcomer.program.run(&["dev", "--port", port(&server)]).await.refused(1);
    assert!(said.contains(&format!("can't listen on 127.0.0.1:{}", port(&server))), "{said}");
    assert_eq!([newcomer.file("dev.json"), newcomer.file("dev.env"), newcomer.file("master.key")], before);
    let secret = newcomer.dev_json()["secret_key"].as_str().unwrap().to_owned();
    Backend::new(&server.client(), &secret).sign_up("ada@example.com").await.is_ok();
}
