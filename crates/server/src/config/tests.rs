use std::time::Duration;

use super::*;

fn environment(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn read(file: &str, pairs: &[(&str, &str)]) -> Result<Config, String> {
    let mut table: Table = file.parse().map_err(|problem: toml::de::Error| problem.to_string())?;
    secrets::refuse_in_file(&table).map_err(|problem| problem.to_string())?;
    environment::apply(&mut table, &environment(pairs)).map_err(|problem| problem.to_string())?;
    table.try_into().map_err(|problem: toml::de::Error| problem.to_string())
}

fn check(file: &str) -> Result<(), String> {
    read(file, &[])?.check().map_err(|problem| problem.to_string())
}

#[test]
fn the_environment_goes_over_the_file() {
    let file = "[http]\npublic_url = \"https://a.example\"\nbody_time = \"3s\"";
    let over = [
        ("COUNTERSIGN_HTTP__PUBLIC_URL", "https://b.example"),
        ("COUNTERSIGN_HTTP__LISTEN", "[\"0.0.0.0:80\", \"[::]:80\"]"),
        ("COUNTERSIGN_MEMORY__KNOWN_USERS", "5"),
        ("COUNTERSIGN_GUIDES", "not a setting"),
        ("PATH", "/bin"),
    ];
    let config = read(file, &over).unwrap();
    assert_eq!(config.http.public_url, "https://b.example");
    assert_eq!(config.http.listen.len(), 2);
    assert_eq!(config.http.body_time, Duration::from_secs(3));
    assert_eq!(config.memory.known_users, 5);
}

#[test]
fn a_list_of_one_may_be_written_as_the_one() {
    let over = [("COUNTERSIGN_HTTP__LISTEN", "0.0.0.0:80"), ("COUNTERSIGN_HTTP__TRUSTED_PROXIES", "10.0.0.0/8")];
    let config = read("", &over).unwrap();
    assert_eq!(config.http.listen, ["0.0.0.0:80".parse().unwrap()]);
    assert_eq!(config.http.trusted_proxies, ["10.0.0.0/8".parse().unwrap()]);
    for wrong in ["[http]\nlisten = \"here\"", "[http]\nlisten = [\"0.0.0.0:80\", \"here\"]"] {
        assert!(read(wrong, &[]).unwrap_err().contains("`here`"), "{wrong}");
    }
}

#[test]
fn an_unknown_setting_is_refused_by_name() {
    assert!(read("[http]\ntrusted_proxy = []", &[]).unwrap_err().contains("trusted_proxy"));
    assert!(read("[htttp]\nlisten = []", &[]).unwrap_err().contains("htttp"));
    assert!(read("", &[("COUNTERSIGN_HTTP__LISTN", "[]")]).unwrap_err().contains("listn"));
}

#[test]
fn an_unsafe_setting_is_refused_by_name() {
    let refused = [
        ("", "http.public_url is missing"),
        ("[http]\npublic_url = \"http://auth.example.com\"", "must be https"),
        ("[http]\npublic_url = \"https://auth.example.com/\"", "without a path"),
        ("[http]\npublic_url = \"https://a.example\"\ntrusted_proxies = [\"0.0.0.0/0\"]", "http.trusted_proxies"),
        ("[http]\npublic_url = \"https://a.example\"\ntls_key = \"k.pem\"", "go together"),
        ("[http]\npublic_url = \"https://a.example\"\n[metrics]\nlisten = \"127.0.0.1:7420\"", "metrics.listen"),
        ("[secrets]\nmaster_key = \"x\"", "secrets.master_key stands in the configuration file"),
    ];
    for (file, expected) in refused {
        let problem = check(file).unwrap_err();
        assert!(problem.contains(expected), "{file:?}: {problem}");
    }
    assert_eq!(check("[http]\npublic_url = \"https://auth.example.com\""), Ok(()));
    assert_eq!(check("[http]\npublic_url = \"http://localhost:7420\""), Ok(()));
}

#[test]
fn the_master_key_may_come_from_the_environment_and_is_never_shown() {
    let config = read("", &[("COUNTERSIGN_SECRETS__MASTER_KEY", "c2VjcmV0")]).unwrap();
    assert_eq!(config.secrets.master_key.as_deref(), Some("c2VjcmV0"));
    assert!(!format!("{config:?}").contains("c2VjcmV0"));
}
