//! Each proxy, with its file from `deploy/`. Only addresses are changed in it, and TLS is left out.

use std::{fs, net::SocketAddr, path::Path, process::Command};

use crate::guides::{endpoint::Endpoint, tools::told};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Nginx,
    Caddy,
    Traefik,
    Envoy,
}

/// Where a proxy finds the others.
#[derive(Clone, Copy)]
pub(super) struct Places {
    pub(super) countersign: SocketAddr,
    pub(super) api: SocketAddr,
}

/// A proxy that runs. It is killed when this is dropped.
pub(super) struct Proxy {
    pub(super) kind: Kind,
    endpoint: Endpoint,
}

impl Proxy {
    pub(super) async fn start(kind: Kind, places: Places) -> Self {
        let endpoint = Endpoint::start(async |home: &Path, port| kind.command(home, port, places)).await;
        Self { kind, endpoint }
    }

    /// Where it listens.
    pub(super) fn url(&self) -> String {
        self.endpoint.url()
    }
}

impl Kind {
    fn command(self, home: &Path, port: u16, places: Places) -> Command {
        match self {
            Self::Nginx => nginx(home, port, places),
            Self::Caddy => caddy(home, port, places),
            Self::Traefik => traefik(home, port, places),
            Self::Envoy => envoy(home, port, places),
        }
    }
}

/// A file from `deploy/`.
pub(super) struct Deployed(String);

impl Deployed {
    pub(super) fn read(file: &str) -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy").join(file);
        Self(fs::read_to_string(path).unwrap())
    }

    /// Changes each place where it says `old`. There must be one, or the test isn't of this file.
    #[track_caller]
    pub(super) fn with(self, old: &str, new: &str) -> Self {
        assert!(self.0.contains(old), "the file doesn't say {old} any more");
        Self(self.0.replace(old, new))
    }

    /// Leaves out what stands from `first` up to `last`.
    #[track_caller]
    fn without(self, first: &str, last: &str) -> Self {
        let from = self.0.find(first).unwrap_or_else(|| panic!("the file doesn't say {first} any more"));
        let to = from + self.0[from..].find(last).unwrap_or_else(|| panic!("the file doesn't say {last} any more"));
        Self(format!("{}{}", &self.0[..from], &self.0[to..]))
    }

    fn at(self, places: Places) -> Self {
        let countersign = |at: &str| at.replace("PLACE", &places.countersign.to_string());
        let api = |at: &str| at.replace("PLACE", &places.api.to_string());
        self.with("127.0.0.1:7420", &countersign("PLACE")).with("127.0.0.1:9000", &api("PLACE"))
    }

    pub(super) fn write(self, to: &Path) {
        fs::write(to, self.0).unwrap();
    }
}

pub(super) fn nginx_with(home: &Path, api: Deployed) -> Command {
    api.write(&home.join("api.conf"));
    let kinds = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
    let temporary = kinds.map(|kind| format!("{kind}_temp_path {kind};")).join(" ");
    let main = format!(
        "daemon off; user root; worker_processes 1; pid nginx.pid; error_log stderr info;\n\
         events {{}}\nhttp {{ access_log off; {temporary} include api.conf; }}\n"
    );
    fs::write(home.join("nginx.conf"), main).unwrap();
    let mut command = Command::new("nginx");
    command.arg("-p").arg(home).arg("-c").arg(home.join("nginx.conf")).args(["-e", "stderr"]);
    command
}

fn nginx(home: &Path, port: u16, places: Places) -> Command {
    let api = Deployed::read("nginx/api.conf")
        .with("listen 443 ssl http2;", &format!("listen 127.0.0.1:{port};"))
        .without("    ssl_certificate ", "    # Both are so by default")
        .at(places);
    nginx_with(home, api)
}

pub(super) fn caddy_with(home: &Path, verb: &str, options: &str, api: Deployed) -> Command {
    api.write(&home.join("api"));
    fs::write(home.join("Caddyfile"), format!("{{\n\tadmin off\n{options}}}\nimport api\n")).unwrap();
    let mut command = Command::new("caddy");
    command.arg(verb).args(["--adapter", "caddyfile", "--config"]).arg(home.join("Caddyfile"));
    command.envs([("HOME", home), ("XDG_DATA_HOME", home), ("XDG_CONFIG_HOME", home)]);
    command
}

fn caddy(home: &Path, port: u16, places: Places) -> Command {
    let site = format!("http://api.example.com:{port} {{\n\tbind 127.0.0.1\n");
    let api = Deployed::read("caddy/Caddyfile").with("api.example.com {\n", &site).at(places);
    caddy_with(home, "run", "\tauto_https off\n", api)
}

fn traefik(home: &Path, port: u16, places: Places) -> Command {
    let api = Deployed::read("traefik/api.yaml").with("      tls: {}\n", "").at(places);
    api.write(&home.join("api.yaml"));
    let main = format!(
        "global: {{ checkNewVersion: false, sendAnonymousUsage: false }}\n\
         entryPoints: {{ websecure: {{ address: \"127.0.0.1:{port}\" }} }}\n\
         providers: {{ file: {{ filename: {} }} }}\n",
        home.join("api.yaml").display()
    );
    fs::write(home.join("traefik.yaml"), main).unwrap();
    let mut command = Command::new(told("COUNTERSIGN_TEST_TRAEFIK"));
    command.arg("--configFile").arg(home.join("traefik.yaml"));
    command
}

pub(super) fn envoy_with(home: &Path, api: Deployed) -> Command {
    api.write(&home.join("envoy.yaml"));
    let mut command = Command::new(told("COUNTERSIGN_TEST_ENVOY"));
    command.arg("-c").arg(home.join("envoy.yaml")).args(["--concurrency", "1", "--disable-hot-restart"]);
    command
}

fn envoy(home: &Path, port: u16, places: Places) -> Command {
    let place = |at: SocketAddr| format!("address: {}, port_value: {}", at.ip(), at.port());
    let api = Deployed::read("envoy/envoy.yaml")
        .with("address: 0.0.0.0, port_value: 443", &format!("address: 127.0.0.1, port_value: {port}"))
        .without("transport_socket:", "filters:")
        .with("address: 127.0.0.1, port_value: 7420", &place(places.countersign))
        .with("address: 127.0.0.1, port_value: 9000", &place(places.api));
    envoy_with(home, api)
}
