//! `dev.env` says the same to a shell, to python-dotenv, and to who reads `dev.json`.

use std::os::unix::fs::PermissionsExt;

use super::dev::Dev;

#[tokio::test(flavor = "multi_thread")]
async fn only_the_owner_reads_it() {
    let dev = Dev::start().await;
    for file in ["dev.env", "dev.json"] {
        let mode = std::fs::metadata(dev.program.data().join(file)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{file}");
    }
}

mod in_python {
    use std::collections::BTreeMap;

    use tokio::process::Command;

    use crate::guides::{dev::Dev, in_python::interpreter, tools::run};

    type Variables = BTreeMap<String, String>;

    #[tokio::test(flavor = "multi_thread")]
    async fn a_shell_and_dotenv_read_what_dev_json_says() {
        let dev = Dev::start().await;
        let fact = |place| dev.fact(place).to_owned();
        let expected = [
            ("HUMA_URL", fact("/url")),
            ("VERIFICATION_TOKEN", fact("/secret_key")),
            ("JWKS_URL", fact("/oauth/jwks_uri")),
            ("OAUTH_ISSUER", fact("/oauth/issuer")),
        ];
        let expected: Variables = expected.map(|(name, value)| (name.to_owned(), value)).into();
        assert_eq!(by_the_shell(&dev).await, expected);
        assert_eq!(by_dotenv(&dev).await, expected);
    }

    /// What `. dev.env` sets in an empty environment, beside what a shell sets itself.
    async fn by_the_shell(dev: &Dev) -> Variables {
        let before = environment_after(dev, "true").await;
        let mut after = environment_after(dev, ". ./dev.env").await;
        after.retain(|name, value| before.get(name) != Some(value));
        after
    }

    async fn environment_after(dev: &Dev, line: &str) -> Variables {
        let mut shell = Command::new("sh");
        // The file exports nothing itself: `set -a` does, so that `env` sees it.
        shell.current_dir(dev.program.data()).env_clear().args(["-c", &format!("set -a; {line}; env -0")]);
        let text = run(shell).await.ok();
        let pairs = text.split_terminator('\0').map(|pair| pair.split_once('=').expect("a variable has a value"));
        pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    }

    async fn by_dotenv(dev: &Dev) -> Variables {
        let read = "import json, dotenv; print(json.dumps(dotenv.dotenv_values('dev.env')))";
        let mut python = Command::new(interpreter());
        python.current_dir(dev.program.data()).args(["-c", read]);
        let pairs = run(python).await.json();
        serde_json::from_value(pairs).expect("names and values")
    }
}
