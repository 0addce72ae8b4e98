//! `countersign mail test`, and what the configuration is told.

use std::{fs, os::unix::fs::PermissionsExt};

use countersign_server::config::mail::Security;
use countersign_testkit::program::Program;
use serde_json::json;
use tempfile::TempDir;

use super::server::{Certificate, MailServer, PASSWORD, header};

struct Operator {
    program: Program,
    directory: TempDir,
}

impl Operator {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let program = Program::new(env!("CARGO_BIN_EXE_countersign"), &directory.path().join("data"))
            .environment("COUNTERSIGN_HTTP__PUBLIC_URL", "https://auth.example.com");
        Self { program, directory }
    }

    fn file(&self, name: &str, content: &str) -> String {
        let path = self.directory.path().join(name);
        fs::write(&path, content).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        path.to_str().unwrap().to_owned()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_test_arrives_and_the_command_says_so() {
    for security in [Security::Tls, Security::StartTls, Security::None] {
        let (server, operator) = (MailServer::start(security).await, Operator::new());
        let program = server.configure(operator.program.clone());
        assert_eq!(program.run(&["check-config"]).await.ok(), "The configuration is fine.\n");
        let printed = program.json(&["mail", "test", "--to", "ada@example.com", "--locale", "de"]).await;
        assert_eq!((&printed["sent"], &printed["channel"]), (&json!(true), &json!("email")));
        let taken = server.takes(1).await.remove(0);
        assert_eq!(header(&taken, "Subject"), "Ein Test von auth.example.com");
        assert_eq!(header(&taken, "Message-ID"), format!("<{}@auth.example.com>", printed["id"].as_str().unwrap()));
        assert!(!operator.directory.path().join("data").exists(), "it needs no database");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_went_wrong_is_said_plainly() {
    let (server, other, operator) =
        (MailServer::start(Security::Tls).await, Certificate::of("localhost").await, Operator::new());
    let program = server.configure(operator.program.clone());
    let refused = [
        (
            program.clone(),
            "gone@example.com",
            "doesn't take mail for this address: 550 5.1.1. It says: 5.1.1 <gone@example.com> is nobody. It is this message or this address",
        ),
        (program.clone(), "busy@example.com", "doesn't take mail for this address: 451 4.7.1"),
        (program.clone(), "spam@example.com", "doesn't take the message: 554 5.7.1"),
        (program.clone(), "leaving@example.com", "421 4.3.2"),
        (program.clone(), "stall@example.com", "no answer within 2s. Look at the settings mail.*"),
        (
            program.clone().environment("COUNTERSIGN_MAIL__PASSWORD", "wrong"),
            "ada@example.com",
            "doesn't take user and password: 535",
        ),
        (
            program.clone().environment("COUNTERSIGN_MAIL__FROM", "forged@example.com"),
            "ada@example.com",
            "doesn't take mail from mail.from: 553 5.7.1",
        ),
        (
            program.clone().environment("COUNTERSIGN_MAIL__PORT", "1"),
            "ada@example.com",
            "can't be reached: Connection refused",
        ),
        (
            program.clone().environment("COUNTERSIGN_MAIL__CA_FILE", other.path().to_str().unwrap()),
            "ada@example.com",
            "the way to the mail server can't be secured: invalid peer certificate: ",
        ),
        (
            program.clone().environment("COUNTERSIGN_MAIL__SECURITY", "starttls"),
            "ada@example.com",
            "no answer within 2s",
        ),
        (operator.program.clone(), "ada@example.com", "mail.host isn't configured"),
    ];
    for (program, to, expected) in refused {
        let said = program.run(&["mail", "test", "--to", to]).await.refused(1);
        assert!(said.contains(expected), "{expected}: {said}");
        assert!(!said.contains(PASSWORD) && said.lines().count() == 1, "{said}");
    }
    for line in ["mail test --to ada", "mail test", "mail test --to ada@example.com --locale fr", "sms test --to 0151"]
    {
        operator.program.run(&line.split(' ').collect::<Vec<_>>()).await.refused(2);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_may_stand_in_a_file_that_nobody_else_reads_and_nowhere_else() {
    let (server, operator) = (MailServer::start(Security::Tls).await, Operator::new());
    let ca = server.config().ca_file.unwrap();
    let password = operator.file("password", &format!("{PASSWORD}\n"));
    let mail = |more: &str| {
        let mail = format!(
            "[mail]\nhost = \"localhost\"\nport = {}\nca_file = \"{}\"\nuser = \"countersign\"\nfrom = \"no-reply@example.com\"\n{more}\n",
            server.config().port.unwrap(),
            ca.display()
        );
        operator.file("countersign.toml", &mail)
    };
    let good = mail(&format!("password_file = \"{password}\""));
    operator.program.run(&["mail", "test", "--to", "ada@example.com", "--config", &good]).await.ok();
    assert_eq!(server.takes(1).await.len(), 1);

    let in_the_file = mail(&format!("password = \"{PASSWORD}\""));
    let said = operator.program.run(&["check-config", "--config", &in_the_file]).await.refused(2);
    assert!(said.contains("mail.password stands in the configuration file") && !said.contains(PASSWORD), "{said}");
    let good = mail(&format!("password_file = \"{password}\""));
    fs::set_permissions(&password, fs::Permissions::from_mode(0o644)).unwrap();
    for command in ["check-config", "serve"] {
        let said = operator.program.run(&[command, "--config", &good]).await.refused(1);
        assert!(said.contains("can be read by others (mode 644)"), "{said}");
    }
    let said =
        operator.program.run(&["check-config", "--config", &mail("password_file = \"/nowhere\"")]).await.refused(1);
    assert!(said.contains("can't read mail.password_file, /nowhere"), "{said}");
}
