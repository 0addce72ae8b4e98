//! The command line: nouns, verbs, exit statuses, and what is printed.

use std::{fs, path::PathBuf};

use countersign_testkit::{database::Engine, on_both_engines, program::Program};
use rustix::fs::{Gid, Uid, chown};
use serde_json::Value;

use super::deployment::Deployment;

on_both_engines!(every_noun_has_its_verbs, a_secret_is_printed_once_and_never_again);

/// What a command prints as JSON must have this at this place.
async fn expect(program: &Program, line: &str, pointer: &str, expected: impl Into<Value>) -> Value {
    let printed = program.json(&line.split(' ').collect::<Vec<_>>()).await;
    assert_eq!(printed.pointer(pointer), Some(&expected.into()), "{line}: {printed}");
    printed
}

/// Disabling, enabling and revoking are three verbs of four nouns.
async fn has_states(program: &Program, noun_and_id: (&str, &str)) {
    let (noun, id) = noun_and_id;
    expect(program, &format!("{noun} revoke {id}"), "/disabled_at", Value::Null).await;
    let disabled = program.json(&[noun, "disable", id]).await;
    assert!(disabled["disabled_at"].is_string(), "{disabled}");
    expect(program, &format!("{noun} enable {id}"), "/disabled_at", Value::Null).await;
}

async fn every_noun_has_its_verbs(engine: Engine) {
    let deployment = Deployment::empty(engine).await;
    let program = &deployment.program;

    expect(program, "project create p1 --name Shop", "/name", "Shop").await;
    expect(program, "project list", "/0/id", "p1").await;
    expect(program, "project show", "/settings/access.lifetime/value", "15m").await;
    expect(program, "project set p1 access.lifetime=5m", "/settings/access.lifetime/set_by", "project").await;
    expect(program, "project set p1 access.lifetime= name=Store", "/settings/access.lifetime/set_by", "default").await;
    expect(program, "project show p1", "/name", "Store").await;
    has_states(program, ("project", "p1")).await;

    expect(program, "client create c1 --kind ios", "/kind", "ios").await;
    expect(program, "client list", "/0/id", "c1").await;
    expect(program, "client set c1 refresh.overlap=1s", "/settings/refresh.overlap/value", "1s").await;
    expect(program, "client show c1", "/settings/refresh.overlap/set_by", "client").await;
    has_states(program, ("client", "c1")).await;

    let key = expect(program, "key create --kind secret --name till --client c1 --rate 5", "/clients/0", "c1").await;
    let key = key["id"].as_str().unwrap().to_owned();
    expect(program, "key list", "/secret/0/id", key.as_str()).await;
    expect(program, &format!("key show {key}"), "/rate", 5).await;
    expect(program, &format!("key set {key} --name desk"), "/name", "desk").await;
    let next = expect(program, &format!("key rotate {key} --overlap 1h"), "/name", "desk").await;
    expect(program, &format!("key show {key}"), "/replaced_by", next["id"].clone()).await;
    let revoked = program.json(&["key", "revoke", &key, "--cascade"]).await;
    assert!(revoked["revoked_at"].is_string(), "{revoked}");
    for kind in ["signing", "mac"] {
        let rotated = program.json(&["key", "rotate", "--kind", kind, "--now"]).await;
        let keys = program.json(&["key", "list"]).await;
        let ids = keys[kind].as_array().unwrap().iter().map(|key| &key["id"]).collect::<Vec<_>>();
        assert!(ids.contains(&&rotated["id"]), "{keys}");
    }
    keys_of_delegated_calls_take_turns(program).await;
    let mac = program.json(&["key", "list"]).await["mac"][0]["id"].as_str().unwrap().to_owned();
    expect(program, &format!("key revoke {mac}"), "/revoked", true).await;

    let uid = a_user_with_all_verbs(program).await;
    let other = program.json(&["user", "create", "--phone", "+4915112345678"]).await;
    let other = other["id"].as_str().unwrap();
    expect(program, &format!("user merge {other} --into {uid}"), "/id", uid.as_str()).await;
    expect(program, &format!("user list --after {uid}"), "/0/merged_into", uid.as_str()).await;

    assert_eq!(program.json(&["session", "list", &uid]).await, Value::Array(Vec::new()));
    are_forgotten_for_good(program, [other, uid.as_str()]).await;
    let trail = program.run(&["audit", "tail", "--limit", "1000"]).await.ok();
    let acts: Vec<Value> = trail.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(acts.iter().any(|entry| entry["act"] == "user.merged" && entry["user"].is_string()), "{trail}");
    let deleted = acts.iter().filter(|entry| entry["act"] == "user.deleted");
    assert_eq!(deleted.map(|entry| &entry["user"]).collect::<Vec<_>>(), [other, uid.as_str()], "{trail}");
}

async fn keys_of_delegated_calls_take_turns(program: &Program) {
    let made = expect(program, "key create --kind delegation --client c1 --expires 90days", "/client", "c1").await;
    let id = made["id"].as_str().unwrap().to_owned();
    assert!(made["credential"].as_str().unwrap().starts_with("hwx_sk_v1_") && made["expires_at"].is_string(), "{made}");
    expect(program, "key list", "/delegation/0/id", id.as_str()).await;
    let own = expect(program, &format!("key show {id}"), "/kind", "delegation").await["idp_key"].clone();
    let next = expect(program, &format!("key rotate {id} --overlap 1h"), "/client", "c1").await;
    expect(program, &format!("key show {id}"), "/replaced_by", next["id"].clone()).await;
    assert!(program.json(&["key", "revoke", &id]).await["revoked_at"].is_string());
    let newer = program.json(&["key", "rotate", "--kind", "delegation"]).await["id"].clone();
    let after = expect(program, "key create --kind delegation --client c1", "/idp_key", newer.clone()).await;
    assert_eq!(
        after["idp_verify_key_pem"],
        program.json(&["key", "show", newer.as_str().unwrap()]).await["verify_key_pem"]
    );
    expect(program, &format!("key revoke {}", own.as_str().unwrap()), "/revoked", true).await;
    let nobodys = program.run(&["key", "create", "--kind", "delegation"]).await.refused(2);
    assert!(nobodys.contains("--client ID"), "{nobodys}");
    let foreign = program.run(&["key", "create", "--kind", "delegation", "--client", "c9"]).await.refused(1);
    assert!(foreign.contains("there is no client `c9`"), "{foreign}");
}

/// Makes a user, shows and changes it in every way; gives its id.
async fn a_user_with_all_verbs(program: &Program) -> String {
    let user =
        expect(program, "user create --email Ada@Example.com --verified", "/identities/0/value", "ada@example.com")
            .await;
    let uid = user["id"].as_str().unwrap().to_owned();
    expect(program, "user list", "/0/id", uid.as_str()).await;
    expect(program, &format!("user set {uid} --given-name Ada --external-id 7"), "/given_name", "Ada").await;
    for name in [uid.as_str(), "ADA@example.com", "7"] {
        expect(program, &format!("user show {name}"), "/id", uid.as_str()).await;
    }
    let left = program.json(&["user", "set", &uid, "--remove-external-id", "7"]).await;
    assert_eq!(left["identities"].as_array().unwrap().len(), 1, "{left}");
    has_states(program, ("user", "ada@example.com")).await;
    assert_eq!(program.json(&["user", "passkeys", &uid]).await, serde_json::json!([]));
    let unknown = ["user", "passkeys", &uid, "--remove", "pas_01M7ZXN1RA8P0SKJFC1Q5MJ89J"];
    assert!(program.run(&unknown).await.refused(1).contains("there is no device `pas_01M7ZXN1"), "nothing to remove");
    assert_eq!(program.json(&["user", "consents", &uid]).await, serde_json::json!([]));
    let unknown = ["user", "consents", &uid, "--revoke", "c9"];
    let refused = program.run(&unknown).await.refused(1);
    assert!(refused.contains("there is no consent of this user for client `c9`"), "{refused}");
    uid
}

async fn are_forgotten_for_good(program: &Program, users: [&str; 2]) {
    let unsure = program.run(&["user", "delete", users[0]]).await.refused(2);
    assert!(unsure.contains("--yes"), "{unsure}");
    for id in users {
        expect(program, &format!("user show {id}"), "/id", id).await;
        expect(program, &format!("user delete {id} --yes"), "/id", id).await;
        let gone = program.run(&["user", "delete", id, "--yes"]).await.refused(1);
        assert!(gone.contains(&format!("there is no user `{id}`")), "{gone}");
    }
    assert_eq!(program.json(&["user", "list"]).await, Value::Array(Vec::new()));
}

async fn a_secret_is_printed_once_and_never_again(engine: Engine) {
    let deployment = Deployment::furnished(engine).await;
    let program = &deployment.program;
    let made = program.run(&["key", "create", "--json"]).await;
    assert_eq!(made.stderr, "");
    let made = made.json();
    let (id, secret) = (made["id"].as_str().unwrap(), made["secret"].as_str().unwrap());
    let rotated = program.run(&["key", "rotate", id]).await.ok();
    assert!(rotated.contains("sk_") && !rotated.contains(secret), "{rotated}");
    for line in [
        &["key", "list"][..],
        &["key", "show", id],
        &["key", "set", id, "--name", "x"],
        &["key", "revoke", id],
        &["audit", "tail", "--limit", "1000"],
    ] {
        let done = program.run(line).await;
        assert!(!done.stdout.contains(secret) && !done.stderr.contains(secret), "{line:?} shows the secret");
        assert!(!done.ok().contains("\"secret\":\"sk_"));
    }
    assert!(!deployment.database.dump().await.contains(secret));
    let made = program.run(&["key", "create", "--kind", "delegation", "--client", "c1", "--json"]).await.json();
    for line in [&["key", "list"][..], &["key", "show", made["id"].as_str().unwrap()], &["audit", "tail"]] {
        let shown = program.run(line).await.ok();
        assert!(!shown.contains("hwx_sk_") && !shown.contains("PRIVATE KEY"), "{line:?}: {shown}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_exit_status_says_whose_fault_it_is() {
    let deployment = Deployment::furnished(Engine::Sqlite).await;
    let program = &deployment.program;
    let refused = [
        ("project create p1", 1, "there is a project `p1` already"),
        ("project show p2", 1, "there is no project `p2`"),
        ("client show c7", 1, "there is no client `c7`"),
        ("user show nobody@example.com", 1, "there is no user `nobody@example.com`"),
        ("key show key_01ARZ3NDEKTSV4RRFFQ69G5FAV", 1, "there is no"),
        ("key revoke mac_7", 1, "there is no live MAC key"),
        ("session revoke u_01ARZ3NDEKTSV4RRFFQ69G5FAV ses_01ARZ3NDEKTSV4RRFFQ69G5FAV", 1, "there is no user"),
        ("project set p1 acces.lifetime=5m", 2, "there is no setting `acces.lifetime`"),
        ("project set p1 access.lifetime=soon", 2, "`access.lifetime` must be"),
        ("client set c1 host=a.example", 2, "is a setting of the project"),
        ("project create Not!Good", 2, "invalid value"),
        ("client create c2 --kind toaster", 2, "invalid value"),
        ("key revoke x", 2, "is no key id"),
        ("key rotate", 2, "say which"),
        ("user create --email not-an-address", 2, "invalid value"),
        ("user list --limit 0", 2, "invalid value"),
        ("project list --nonsense", 2, "--nonsense"),
        ("nonsense", 2, "nonsense"),
        ("project list --database mysql://x", 1, "sqlite:PATH"),
    ];
    for (line, status, expected) in refused {
        let words: Vec<&str> = line.split(' ').collect();
        let program = if line.contains("--database") {
            Program::new(env!("CARGO_BIN_EXE_countersign"), program.data())
        } else {
            program.clone()
        };
        let said = program.run(&words).await.refused(status);
        assert!(said.contains(expected), "{line}: {said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn options_may_stand_anywhere_on_the_line() {
    let deployment = Deployment::furnished(Engine::Sqlite).await;
    let expected = deployment.program.json(&["client", "show", "c1"]).await;
    let (exe, url) = (env!("CARGO_BIN_EXE_countersign"), deployment.database.url());
    let data = deployment.program.data().to_str().unwrap();
    for line in [
        format!("--json --data {data} --database {url} --project p1 client show c1"),
        format!("client --database {url} --json show --project p1 --data {data} c1"),
        format!("client show c1 --data={data} --database={url} --project=p1 --json"),
    ] {
        let output = tokio::process::Command::new(exe).args(line.split(' ')).output().await.unwrap();
        let printed: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{line}: {output:?}"));
        assert_eq!(printed, expected, "{line}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_only_project_needs_no_naming_and_one_of_several_does() {
    let deployment = Deployment::furnished(Engine::Sqlite).await;
    let program = &deployment.program;
    assert_eq!(program.json(&["client", "list"]).await[0]["id"], "c1");
    program.run(&["project", "create", "p2"]).await.ok();
    let said = program.run(&["client", "list"]).await.refused(2);
    assert!(said.contains("say which with --project"), "{said}");
    assert_eq!(program.json(&["client", "list", "--project", "p1"]).await[0]["id"], "c1");
    assert_eq!(program.run(&["client", "list", "--project", "p2"]).await.ok(), "none\n");
    // In development it is the first, however many there are.
    fs::write(program.data().join("dev.json"), "{}").unwrap();
    assert_eq!(program.json(&["client", "list"]).await[0]["id"], "c1");
}

#[tokio::test(flavor = "multi_thread")]
async fn people_get_columns() {
    let deployment = Deployment::furnished(Engine::Sqlite).await;
    let program = &deployment.program;
    for line in
        ["--email ada@example.com --email a@example.com --phone +4915112345678", "--external-id 7 --given-name Bo"]
    {
        program.run(&[&["user", "create"][..], &line.split(' ').collect::<Vec<_>>()].concat()).await.ok();
    }
    let printed = program.run(&["user", "list"]).await.ok();
    let lines: Vec<Vec<&str>> = printed.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(lines[0][..6], ["id", "emails", "phones", "external_ids", "given_name", "family_name"]);
    let emails: Vec<&str> = lines[1][1].split(',').collect();
    assert!(emails.contains(&"ada@example.com") && emails.contains(&"a@example.com"), "{printed}");
    assert_eq!(lines[1][2..6], ["+4915112345678", "-", "-", "-"]);
    assert_eq!(lines[2][1..6], ["-", "-", "7", "Bo", "-"]);
    assert!(!printed.contains('{'), "{printed}");
    let column = |line: &str, name: &str| line.find(name).unwrap();
    let rows: Vec<&str> = printed.lines().collect();
    assert_eq!(column(rows[0], "phones"), column(rows[1], "+49"));
}

/// A directory of somebody else: root can give one away, others know of one.
fn of_somebody_else(deployment: &Deployment) -> PathBuf {
    if !rustix::process::geteuid().is_root() {
        return "/usr/share".into();
    }
    let given_away = deployment.database.directory().join("given away");
    fs::create_dir(&given_away).unwrap();
    chown(&given_away, Some(Uid::from_raw(65_534)), Some(Gid::from_raw(65_534))).unwrap();
    given_away
}

#[tokio::test(flavor = "multi_thread")]
async fn files_that_the_server_could_not_open_are_not_made() {
    let deployment = Deployment::furnished(Engine::Sqlite).await;
    let theirs = of_somebody_else(&deployment);
    let before = fs::read_dir(&theirs).unwrap().count();
    let in_their_data = Program::new(env!("CARGO_BIN_EXE_countersign"), &theirs);
    let url = format!("sqlite:{}", theirs.join("other.db").display());
    let their_database =
        Program::new(env!("CARGO_BIN_EXE_countersign"), deployment.program.data()).always(&["--database", &url]);
    for program in [in_their_data, their_database] {
        for line in [&["project", "list"][..], &["key", "create"], &["migrate"], &["dev", "--port", "0"]] {
            let said = program.run(line).await.refused(1);
            assert!(said.contains("belongs to user") && said.contains("as the user who runs the server"), "{said}");
        }
    }
    assert_eq!(fs::read_dir(&theirs).unwrap().count(), before, "something was left there");
    assert_eq!(deployment.program.json(&["project", "list"]).await[0]["id"], "p1");
}
