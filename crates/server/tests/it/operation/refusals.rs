//! What the program must not work with, and leaves as it is.

use std::{fs, os::unix::fs::PermissionsExt};

use countersign_testkit::{
    database::Engine,
    on_both_engines,
    program::{Done, Program},
};

use super::deployment::Deployment;

on_both_engines!(
    a_schema_of_a_newer_program_is_left_alone,
    another_master_key_is_refused_and_changes_nothing,
    without_its_master_key_nothing_is_done,
    a_master_key_comes_from_a_file_a_command_or_the_environment,
);

/// Everything that would open the database.
const COMMANDS: [&[&str]; 8] = [
    &["serve"],
    &["dev", "--port", "0"],
    &["project", "list"],
    &["project", "set", "p1", "access.lifetime=1m"],
    &["key", "create"],
    &["key", "rotate", "--kind", "signing", "--now"],
    &["user", "disable", "ada@example.com"],
    &["audit", "tail"],
];

/// A deployment with a user, at rest.
async fn at_rest(engine: Engine) -> Deployment {
    let deployment = Deployment::furnished(engine).await;
    deployment.program.run(&["user", "create", "--email", "ada@example.com"]).await.ok();
    deployment
}

/// No command does anything with this deployment as it is now. Gives what each said.
async fn refuses_everything(deployment: &Deployment, program: &Program, also: &[&[&str]]) -> Vec<String> {
    let before = deployment.database.dump().await;
    let mut said = Vec::new();
    for command in COMMANDS.iter().chain(also) {
        said.push(run(program, command).await.refused(1));
        assert_eq!(deployment.database.dump().await, before, "{command:?} changed something");
    }
    assert!(!deployment.program.data().join("dev.json").exists());
    said
}

async fn run(program: &Program, command: &[&str]) -> Done {
    let url = "http://localhost:7420";
    let program = program.clone().environment("COUNTERSIGN_HTTP__PUBLIC_URL", url);
    program.environment("COUNTERSIGN_HTTP__LISTEN", "127.0.0.1:0").run(command).await
}

async fn works(deployment: &Deployment) {
    let server = deployment.program.serve().await;
    deployment.backend(&server).sign_in("ada@example.com").await.is_ok();
    assert_eq!(server.stop().await.0, 0);
}

async fn a_schema_of_a_newer_program_is_left_alone(engine: Engine) {
    let deployment = at_rest(engine).await;
    let known = deployment.database.number("select version from schema_version").await;
    deployment.database.execute("update schema_version set version = 99").await;
    for said in refuses_everything(&deployment, &deployment.program, &[&["migrate"]]).await {
        let versions = format!("the database has schema 99, and this program knows up to {known}");
        assert!(said.contains(&versions), "{said}");
        assert!(said.contains("Nothing was changed"), "{said}");
    }
    deployment.database.execute(&format!("update schema_version set version = {known}")).await;
    works(&deployment).await;
}

async fn another_master_key_is_refused_and_changes_nothing(engine: Engine) {
    let deployment = at_rest(engine).await;
    let file = deployment.program.data().join("master.key");
    let right = fs::read(&file).unwrap();
    let other = Deployment::furnished(Engine::Sqlite).await;
    let wrong = fs::read_to_string(other.program.data().join("master.key")).unwrap();
    fs::write(&file, &wrong).unwrap();
    for said in refuses_everything(&deployment, &deployment.program, &[]).await {
        assert!(said.contains("sealed under the master key") && said.contains("Nothing was changed"), "{said}");
        assert!(!said.contains(wrong.trim()), "the key is shown");
    }
    assert_eq!(fs::read_to_string(&file).unwrap(), wrong, "the file was replaced");
    fs::write(&file, "no key at all").unwrap();
    for said in refuses_everything(&deployment, &deployment.program, &[]).await {
        assert!(said.contains("master.key") && !said.contains("no key at all"), "{said}");
    }
    fs::write(&file, &right).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
    for said in refuses_everything(&deployment, &deployment.program, &[]).await {
        assert!(said.contains("can be read by others (mode 640): chmod 600 it"), "{said}");
    }
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    works(&deployment).await;
}

async fn without_its_master_key_nothing_is_done(engine: Engine) {
    let deployment = at_rest(engine).await;
    let (file, aside) = (deployment.program.data().join("master.key"), deployment.database.directory().join("aside"));
    fs::rename(&file, &aside).unwrap();
    for said in refuses_everything(&deployment, &deployment.program, &[]).await {
        assert!(said.contains("there is no master key at") && said.contains("Nothing was changed"), "{said}");
    }
    assert!(!file.exists(), "a new key was made for secrets that it doesn't open");
    fs::rename(&aside, &file).unwrap();
    works(&deployment).await;
}

async fn a_master_key_comes_from_a_file_a_command_or_the_environment(engine: Engine) {
    let deployment = at_rest(engine).await;
    let (file, aside) = (deployment.program.data().join("master.key"), deployment.database.directory().join("aside"));
    fs::rename(&file, &aside).unwrap();
    let key = fs::read_to_string(&aside).unwrap();
    let path = aside.to_str().unwrap();
    for (name, value) in [
        ("COUNTERSIGN_SECRETS__MASTER_KEY_FILE", path),
        ("COUNTERSIGN_SECRETS__MASTER_KEY_COMMAND", &format!("cat {path}")),
        ("COUNTERSIGN_SECRETS__MASTER_KEY", key.trim()),
    ] {
        let program = deployment.program.clone().environment(name, value);
        assert_eq!(program.json(&["project", "list"]).await[0]["id"], "p1", "{name}");
        let server = program.serve().await;
        deployment.backend(&server).sign_in("ada@example.com").await.is_ok();
        assert!(!server.stop().await.1.contains(key.trim()));
    }
    let failing = deployment.program.clone().environment("COUNTERSIGN_SECRETS__MASTER_KEY_COMMAND", "exit 3");
    for said in refuses_everything(&deployment, &failing, &[]).await {
        assert!(said.contains("secrets.master_key_command") && said.contains('3'), "{said}");
    }
    assert!(!file.exists());
}

/// A program that may not do what only root may: files are read-only for it, too.
fn without_privileges(program: &Program) -> Program {
    if rustix::process::geteuid().is_root() {
        program.clone().under(&["setpriv", "--bounding-set=-all", "--inh-caps=-all"])
    } else {
        program.clone()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_file_that_may_only_be_read_is_named_and_left_alone() {
    let deployment = at_rest(Engine::Sqlite).await;
    let program = without_privileges(&deployment.program);
    let directory = deployment.database.directory();
    let files: Vec<_> = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    let set_mode = |files: u32, directories: u32| {
        for path in files_of(&deployment) {
            fs::set_permissions(path, fs::Permissions::from_mode(files)).unwrap();
        }
        fs::set_permissions(directory, fs::Permissions::from_mode(directories)).unwrap();
    };
    set_mode(0o400, 0o500);
    let before: Vec<_> = files_of(&deployment).iter().map(|path| fs::read(path).unwrap()).collect();
    for command in [&["serve"][..], &["key", "create"], &["user", "disable", "ada@example.com"]] {
        let said = run(&program, command).await.refused(1);
        // Where a log was left beside the file it opens, and the first write fails; where none was, none can be made.
        let file = deployment.database.url().trim_start_matches("sqlite:");
        let cannot_open = said.contains("unable to open database file") && said.contains(file);
        assert!(cannot_open || said.contains("readonly database"), "{command:?}: {said}");
    }
    set_mode(0o600, 0o700);
    let after: Vec<_> = files_of(&deployment).iter().map(|path| fs::read(path).unwrap()).collect();
    assert_eq!(before, after);
    assert_eq!(files.len(), fs::read_dir(directory).unwrap().count(), "something was left there");
    works(&deployment).await;
}

fn files_of(deployment: &Deployment) -> Vec<std::path::PathBuf> {
    let entries = fs::read_dir(deployment.database.directory()).unwrap();
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).filter(|path| path.is_file()).collect();
    files.sort();
    files
}
