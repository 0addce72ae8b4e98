//! The mail server, and a house that sends by it.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use countersign_server::{
    config::mail::{MailConfig, Security},
    mail::Mailer,
};
use countersign_service::deliver::carrier::Delivery;
use countersign_testkit::{database::Engine, house::House, program::Program, wait};
use serde_json::Value;
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
};

use crate::{delivery::PATIENCE, guides::tools::told};

pub(super) const USER: &str = "countersign";
pub(super) const PASSWORD: &str = "p4ssw0rd-of-mail";

/// A certificate for one name, by nobody but itself.
pub(super) struct Certificate {
    directory: TempDir,
}

impl Certificate {
    pub(super) async fn of(name: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let mut openssl = Command::new("openssl");
        openssl.args("req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2".split(' '));
        openssl.args(["-subj", &format!("/CN={name}"), "-addext", &format!("subjectAltName=DNS:{name}")]);
        openssl.args(["-addext", "basicConstraints=critical,CA:FALSE"]);
        openssl.arg("-out").arg(directory.path().join("cert.pem")).arg("-keyout").arg(directory.path().join("key.pem"));
        let made = openssl.output().await.expect("openssl is installed");
        assert!(made.status.success(), "{made:?}");
        Self { directory }
    }

    pub(super) fn path(&self) -> PathBuf {
        self.directory.path().join("cert.pem")
    }
}

/// A mail server that runs. It is killed when this is dropped.
pub(super) struct MailServer {
    _child: Child,
    port: u16,
    security: Security,
    certificate: Certificate,
    folder: TempDir,
}

impl MailServer {
    pub(super) async fn start(security: Security) -> Self {
        Self::start_as("localhost", security).await
    }

    /// With a certificate for this name.
    pub(super) async fn start_as(name: &str, security: Security) -> Self {
        let (certificate, folder) = (Certificate::of(name).await, tempfile::tempdir().unwrap());
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/delivery/in_python/smtp_server.py");
        let mut python = Command::new(told("COUNTERSIGN_TEST_PYTHON"));
        python.env("PYTHONDONTWRITEBYTECODE", "1").arg(script).arg("--folder").arg(folder.path());
        python.args(["--security", word(security)]);
        if security != Security::None {
            python
                .arg("--certificate")
                .arg(certificate.path())
                .arg("--key")
                .arg(certificate.path().with_file_name("key.pem"));
            python.args(["--user", USER, "--password", PASSWORD]);
        }
        let mut child = python.stdout(Stdio::piped()).kill_on_drop(true).spawn().expect("Python starts");
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let port = lines.next_line().await.unwrap().expect("the mail server says its port").parse().unwrap();
        Self { _child: child, port, security, certificate, folder }
    }

    /// What whoever runs the server was told.
    pub(super) fn config(&self) -> MailConfig {
        let is_open = self.security == Security::None;
        MailConfig {
            host: Some("localhost".to_owned()),
            port: Some(self.port),
            security: self.security,
            ca_file: (!is_open).then(|| self.certificate.path()),
            user: (!is_open).then(|| USER.to_owned()),
            password: (!is_open).then(|| PASSWORD.to_owned()),
            from: Some("no-reply@auth.example.com".parse().unwrap()),
            reply_to: Some("help@example.com".parse().unwrap()),
            timeout: Duration::from_secs(2),
            ..MailConfig::default()
        }
    }

    /// The same as variables of the environment.
    pub(super) fn configure(&self, program: Program) -> Program {
        let config = self.config();
        let with = program
            .environment("COUNTERSIGN_MAIL__HOST", "localhost")
            .environment("COUNTERSIGN_MAIL__PORT", &self.port.to_string())
            .environment("COUNTERSIGN_MAIL__SECURITY", word(self.security))
            .environment("COUNTERSIGN_MAIL__FROM", "no-reply@auth.example.com")
            .environment("COUNTERSIGN_MAIL__TIMEOUT", "2s");
        match config.ca_file {
            None => with,
            Some(file) => with
                .environment("COUNTERSIGN_MAIL__CA_FILE", file.to_str().unwrap())
                .environment("COUNTERSIGN_MAIL__USER", USER)
                .environment("COUNTERSIGN_MAIL__PASSWORD", PASSWORD),
        }
    }

    /// What it has taken, in the order in which it came.
    pub(super) fn taken(&self) -> Vec<Value> {
        self.kept("taken")
    }

    /// For whom it was asked to take something, each time.
    pub(super) fn asked(&self) -> Vec<String> {
        self.kept("asked").iter().map(|it| it.as_str().unwrap().to_owned()).collect()
    }

    /// Waits until it has taken so many.
    pub(super) async fn takes(&self, count: usize) -> Vec<Value> {
        wait::until(&format!("{count} messages arrive"), PATIENCE, || async { self.taken().len() >= count }).await;
        self.taken()
    }

    /// Waits until it was asked so often.
    pub(super) async fn is_asked(&self, count: usize) {
        wait::until(&format!("it is asked {count} times"), PATIENCE, || async { self.asked().len() >= count }).await;
    }

    fn kept(&self, kind: &str) -> Vec<Value> {
        let paths = fs::read_dir(self.folder.path()).unwrap().map(|entry| entry.unwrap().path());
        let mut paths: Vec<PathBuf> = paths.filter(|path| path.extension().is_some_and(|it| it == kind)).collect();
        paths.sort();
        paths.iter().map(|path| serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()).collect()
    }
}

const fn word(security: Security) -> &'static str {
    match security {
        Security::Tls => "tls",
        Security::StartTls => "starttls",
        Security::None => "none",
    }
}

/// The one header of this name.
#[track_caller]
pub(super) fn header<'m>(message: &'m Value, name: &str) -> &'m str {
    let headers = message["headers"].as_array().unwrap();
    let mut found = headers.iter().filter(|header| header[0].as_str().unwrap().eq_ignore_ascii_case(name));
    match (found.next(), found.next()) {
        (Some(header), None) => header[1].as_str().unwrap(),
        _ => panic!("{name} doesn't stand there once: {message:#}"),
    }
}

/// A house whose mail leaves as configured.
pub(super) async fn house(engine: Engine, config: &MailConfig) -> House {
    let carrier = Mailer::new(config).unwrap().expect("it names a server").carrier();
    House::with_delivery(engine, Delivery::Channels { email: Some(carrier), sms: None }).await
}
