//! The files as they are, TLS and all: each proxy takes its own.

use std::{path::Path, process::Command};

use countersign_testkit::program::Done;

use super::proxy::{Deployed, caddy_with, envoy_with, nginx_with};
use crate::guides::tools::run;

mod in_nginx {
    #[tokio::test(flavor = "multi_thread")]
    async fn the_file_is_good() {
        super::is_good(|home| {
            let api = super::Deployed::read("nginx/api.conf")
                .with("/etc/ssl/certs/api.example.com.pem", "certificate.pem")
                .with("/etc/ssl/private/api.example.com.key", "key.pem");
            let mut command = super::nginx_with(home, api);
            command.arg("-t");
            command
        })
        .await;
    }
}

mod in_caddy {
    #[tokio::test(flavor = "multi_thread")]
    async fn the_file_is_good() {
        super::is_good(|home| super::caddy_with(home, "validate", "", super::Deployed::read("caddy/Caddyfile"))).await;
    }
}

mod in_envoy {
    #[tokio::test(flavor = "multi_thread")]
    async fn the_file_is_good() {
        super::is_good(|home| {
            let made = |name: &str| home.join(name).display().to_string();
            let api = super::Deployed::read("envoy/envoy.yaml")
                .with("/etc/envoy/api.example.com.pem", &made("certificate.pem"))
                .with("/etc/envoy/api.example.com.key", &made("key.pem"));
            let mut command = super::envoy_with(home, api);
            command.args(["--mode", "validate"]);
            command
        })
        .await;
    }
}

async fn is_good(command: impl Fn(&Path) -> Command) {
    let home = tempfile::tempdir().unwrap();
    let request = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=api.example.com";
    let mut openssl = Command::new("openssl");
    openssl.args(request.split_whitespace()).args(["-out", "certificate.pem", "-keyout", "key.pem"]);
    openssl.current_dir(home.path());
    assert_eq!(run(openssl.into()).await.status, 0);
    let Done { status, stdout, stderr } = run(command(home.path()).into()).await;
    assert_eq!(status, 0, "{stdout}{stderr}");
}
