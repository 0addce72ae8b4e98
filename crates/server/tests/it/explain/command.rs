//! `countersign explain`.

use countersign_testkit::{
    database::{Engine, TestDatabase},
    on_both_engines,
    program::Program,
};
use serde_json::Value;

use super::{Explained, macs::v1};

on_both_engines!(
    the_command_says_why_and_its_exit_status_says_whether,
    headers_are_read_from_a_copied_request,
    what_only_a_server_knows_is_said,
);

/// A deployment of which no server has been started.
struct Desk {
    program: Program,
    database: TestDatabase,
    publishable: String,
    secret: String,
    backend_key: String,
}

impl Desk {
    async fn open(engine: Engine) -> Self {
        let database = TestDatabase::create(engine).await;
        let program = Program::new(env!("CARGO_BIN_EXE_countersign"), &database.directory().join("data"))
            .always(&["--database", database.url()]);
        program.run(&["project", "create", "p1"]).await.ok();
        program.run(&["client", "create", "c1", "--kind", "ios"]).await.ok();
        let text = |made: Value, member: &str| made[member].as_str().unwrap_or_else(|| panic!("{made}")).to_owned();
        let publishable = text(program.json(&["key", "create", "--kind", "publishable"]).await, "key");
        let secret = text(program.json(&["key", "create", "--kind", "hmac"]).await, "secret");
        let backend_key = text(program.json(&["key", "create"]).await, "secret");
        Self { program, database, publishable, secret, backend_key }
    }

    fn call(&self, id: &str, hmac: &str) -> Vec<String> {
        vec![
            format!("X-PROFICIENT-API-KEY: {}", self.publishable),
            format!("X-PROFICIENT-USER-EXTERNAL-ID: {id}"),
            format!("x-proficient-user-hmac:{hmac}"),
        ]
    }

    /// The exit status, and what was printed as JSON.
    async fn explain(&self, headers: &[String]) -> (i32, Explained) {
        let mut line = vec!["explain", "--json"];
        line.extend(headers.iter().flat_map(|header| ["--header", header]));
        let done = self.program.run(&line).await;
        let told = format!("{}{}", done.stdout, done.stderr);
        for secret in [&self.secret, &self.backend_key] {
            assert!(!told.contains(&secret[5..20]), "{told}");
        }
        let json: Value = serde_json::from_str(&done.stdout).unwrap_or_else(|_| panic!("{told}"));
        (done.status, Explained::read(&json))
    }
}

fn expected(status: i32, codes: &[&str]) -> (i32, Explained) {
    let verdict = if status == 0 { "accepted" } else { "refused" };
    (status, Explained::expected(verdict, codes))
}

async fn the_command_says_why_and_its_exit_status_says_whether(engine: Engine) {
    let desk = Desk::open(engine).await;
    let before = desk.database.dump().await;
    let right = desk.call("ada", &v1(&desk.secret, "ada"));
    assert_eq!(desk.explain(&right).await, expected(0, &["proved_v1", "user_new"]));
    let upper_case = desk.call("ada", &v1(&desk.secret, "ADA"));
    assert_eq!(desk.explain(&upper_case).await, expected(1, &["id_other_case", "hmac_wrong"]));
    let backend = [format!("Authorization: Bearer {}", desk.backend_key)];
    assert_eq!(desk.explain(&backend).await, expected(0, &["secret_key"]));
    assert_eq!(desk.explain(&right[1..]).await, expected(1, &["key_missing"]));
    assert_eq!(desk.database.dump().await, before, "asking changes nothing");

    let for_people = desk.program.run(&["explain", "-H", &upper_case[0], "-H", &upper_case[1]]).await;
    assert_eq!(for_people.status, 1);
    assert!(for_people.stdout.contains("hmac_missing") && !for_people.stdout.contains('{'), "{for_people:?}");
    assert_eq!(for_people.stderr, "countersign: the call would be refused\n");

    let said = desk.program.run(&["explain"]).await.refused(2);
    assert!(said.contains("--stdin") || said.contains("--header"), "{said}");
    let wrong = desk.program.run(&["explain", "--header", &desk.secret]).await.refused(2);
    assert!(wrong.contains("NAME: VALUE") && !wrong.contains("hsec_"), "{wrong}");
    let said = desk.program.run(&["explain", "--project", "p9", "--header", "a: b"]).await.refused(1);
    assert!(said.contains("no project `p9`"), "{said}");

    desk.program.run(&["project", "disable", "p1"]).await.ok();
    assert_eq!(desk.explain(&right).await, expected(1, &["project_closed"]));
}

async fn headers_are_read_from_a_copied_request(engine: Engine) {
    let desk = Desk::open(engine).await;
    let mac = v1(&desk.secret, "Zo\u{eb}");
    // As a JavaScript client sends it: a letter is a byte.
    let mut copied = b"> GET /interactions HTTP/1.1\r\n> Host: localhost:7420\r\n> Accept: */*\r\n".to_vec();
    for header in desk.call("Zo\u{eb}", &mac) {
        copied.extend_from_slice(b"> ");
        copied.extend(header.chars().map(|letter| u8::try_from(u32::from(letter)).unwrap()));
        copied.extend_from_slice(b"\r\n");
    }
    copied.extend_from_slice(b"> \r\n{\"a\": 1}\r\n");
    let done = desk.program.run_with_input(&["explain", "--stdin", "--json"], &copied).await;
    assert_eq!(Explained::read(&done.json()), Explained::expected("accepted", &["proved_v1", "user_new"]));
    let done = desk.program.run_with_input(&["explain", "--stdin"], &vec![b'a'; 65 * 1024]).await;
    assert!(done.refused(2).contains("longer than 64 KiB"));
}

async fn what_only_a_server_knows_is_said(engine: Engine) {
    let desk = Desk::open(engine).await;
    let kept = desk.call("bob", &v1(&desk.secret, "ada"));
    let unknown = expected(1, &["hmac_unexplained", "other_users_unknown", "hmac_wrong"]);
    assert_eq!(desk.explain(&kept).await, unknown);

    let server = desk.program.serve().await;
    let backend = countersign_testkit::actors::Backend::new(&server.client(), &desk.backend_key);
    let token = backend.new_app("ada@example.com").await.access;
    assert_eq!(server.stop().await.0, 0);
    let bearer = [format!("authorization: Bearer {token}")];
    let blind = expected(1, &["token_other_address", "public_url_unknown", "token_not_ours"]);
    assert_eq!(desk.explain(&bearer).await, blind);
    let url = ("COUNTERSIGN_HTTP__PUBLIC_URL", "http://localhost:7420");
    let configured = desk.program.clone().environment(url.0, url.1);
    let configured = configured.environment("COUNTERSIGN_HTTP__DEFAULT_PROJECT", "p1");
    let done = configured.run(&["explain", "--json", "--header", &bearer[0]]).await;
    assert_eq!(Explained::read(&done.json()), Explained::expected("accepted", &["access_token"]));
}
