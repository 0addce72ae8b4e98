use std::time::Duration;

use super::*;

fn environment(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn read(file: &str, pairs: &[(&str, &str)]) -> Result<Config, String> {
    Config::parse(file, &environment(pairs)).map_err(|problem| problem.to_string())
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
        let problem = read(wrong, &[]).unwrap_err();
        assert!(problem.contains("`http.listen`") && problem.contains("socket address"), "{problem}");
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
        ("[http]\npublic_url = \"https://a example\"", "must be a URL"),
        ("[http]\npublic_url = \"https://a.example\\nb\"", "must be a URL"),
        ("[http]\npublic_url = \"https://a.example:99999\"", "scheme, host and port alone"),
        ("[http]\npublic_url = \"https://a.example:port\"", "scheme, host and port alone"),
        ("[http]\npublic_url = \"https://:443\"", "must name a host"),
        ("[http]\npublic_url = \"https://Auth.example.com\"", "in lower case"),
        ("[http]\npublic_url = \"http://localhost:1@evil.example\"", "scheme, host and port alone"),
        ("[http]\npublic_url = \"https://a.example\"\ntrusted_proxies = [\"0.0.0.0/0\"]", "http.trusted_proxies"),
        ("[http]\npublic_url = \"https://a.example\"\ntls_key = \"k.pem\"", "go together"),
        ("[http]\npublic_url = \"https://a.example\"\n[metrics]\nlisten = \"127.0.0.1:7420\"", "metrics.listen"),
        ("[http]\npublic_url = \"https://a.example\"\nheader_time = \"584000000000years\"", "http.header_time"),
        ("[http]\npublic_url = \"https://a.example\"\nbody_time = \"0s\"", "http.body_time"),
        ("[http]\npublic_url = \"https://a.example\"\nmax_connections = 0", "http.max_connections"),
        ("[http]\npublic_url = \"https://a.example\"\nmax_connections = 9223372036854775807", "http.max_connections"),
        ("[secrets]\nmaster_key = \"x\"", "secrets.master_key stands in the configuration file"),
        ("secrets = {master_key = \"x\"}", "secrets.master_key stands in the configuration file"),
        ("secrets = [\"file\", \"command\", \"x\"]", "`secrets` must be a section"),
        ("[[secrets]]\nmaster_key = \"x\"", "`secrets` must be a section"),
    ];
    for (file, expected) in refused {
        let problem = check(file).unwrap_err();
        assert!(problem.contains(expected), "{file:?}: {problem}");
    }
    assert_eq!(check("[http]\npublic_url = \"https://auth.example.com\""), Ok(()));
    for here in ["http://localhost:7420", "http://127.0.0.1", "http://[::1]", "http://[::1]:7420"] {
        assert_eq!(check(&format!("[http]\npublic_url = \"{here}\"")), Ok(()));
    }
}

#[test]
fn the_master_key_may_come_from_the_environment_and_is_never_shown() {
    let config = read("", &[("COUNTERSIGN_SECRETS__MASTER_KEY", "c2VjcmV0")]).unwrap();
    assert_eq!(config.secrets.master_key.as_deref(), Some("c2VjcmV0"));
    assert!(!format!("{config:?}").contains("c2VjcmV0"));
}

#[test]
fn a_message_never_repeats_what_may_be_a_password() {
    let files = [
        ("[secrets]\nmaster_key = \"c2VjcmV0\n", "line 2"),
        ("[database]\nurl = \"postgres://u:c2VjcmV0@h/d\"\nurl = \"c2VjcmV0\"", "line 3"),
        ("[database]\nmax_connections = \"c2VjcmV0\"", "configuration, `database.max_connections`: must be u32"),
        ("[http]\nlisten = \"c2VjcmV0, expected\"", "`http.listen`"),
        ("database = \"postgres://u:c2VjcmV0@h/d\"", "`database` must be a section"),
    ];
    for (file, expected) in files {
        let problem = read(file, &[]).unwrap_err();
        assert!(problem.contains(expected) && !problem.contains("c2VjcmV0"), "{problem}");
    }
    let problem = read("", &[("COUNTERSIGN_DATABASE__MAX_CONNECTIONS", "c2VjcmV0")]).unwrap_err();
    assert!(!problem.contains("c2VjcmV0"), "{problem}");
    let config = read("[database]\nurl = \"postgres://u:c2VjcmV0@h/d\"", &[]).unwrap();
    assert!(!format!("{config:?}").contains("c2VjcmV0"));
}

#[test]
fn an_unsafe_way_for_mail_is_refused_by_name() {
    let check = |lines: &str| {
        let config = read(&format!("[mail]\n{lines}"), &[])?;
        config.check_channels().map_err(|problem| problem.to_string())
    };
    let refused = [
        ("from = \"a@example.com\"", "mail.host is missing"),
        ("host = \"mail.example.com\"", "mail.from is missing"),
        ("host = \"Mail example\"\nfrom = \"a@example.com\"", "mail.host must be a host name"),
        ("host = \"mail.example.com\"\nfrom = \"a\"", "must be an e-mail address"),
        ("host = \"mail.example.com\"\nfrom = \"a@example.com\\r\\nBcc: b@example.com\"", "must be an e-mail address"),
        ("host = \"mail.example.com\"\nfrom = \"a@example.com\"\nfrom_name = \"A\\nB\"", "without control characters"),
        (
            "host = \"mail.example.com\"\nfrom = \"a@example.com\"\nsecurity = \"none\"",
            "mail.security = \"none\" is for",
        ),
        ("host = \"10.0.0.1\"\nfrom = \"a@example.com\"\nsecurity = \"none\"", "mail.security = \"none\" is for"),
        ("host = \"mail.example.com\"\nfrom = \"a@example.com\"\nsecurity = \"opportunistic\"", "`mail.security`"),
        ("host = \"mail.example.com\"\nfrom = \"a@example.com\"\nuser = \"a\"", "mail.user goes together"),
        ("host = \"mail.example.com\"\nfrom = \"a@example.com\"\ntimeout = \"0s\"", "mail.timeout must be"),
        ("password = \"c2VjcmV0\"", "mail.password stands in the configuration file"),
    ];
    for (lines, expected) in refused {
        let problem = check(lines).unwrap_err();
        assert!(problem.contains(expected) && !problem.contains("c2VjcmV0"), "{lines}: {problem}");
    }
    for here in ["localhost", "127.0.0.1", "::1"] {
        assert_eq!(check(&format!("host = \"{here}\"\nfrom = \"a@example.com\"\nsecurity = \"none\"")), Ok(()));
    }
    assert_eq!(check("host = \"mail.example.com\"\nfrom = \"a@example.com\""), Ok(()));
    let config =
        read("", &[("COUNTERSIGN_MAIL__PASSWORD", "c2VjcmV0"), ("COUNTERSIGN_SMS__SECRET", "c2VjcmV0")]).unwrap();
    assert!(!format!("{config:?}").contains("c2VjcmV0"));
}

#[test]
fn a_text_from_the_environment_is_a_text_though_it_looks_like_a_number() {
    let over = [
        ("COUNTERSIGN_HTTP__DEFAULT_PROJECT", "42"),
        ("COUNTERSIGN_SECRETS__MASTER_KEY_COMMAND", "true"),
        ("COUNTERSIGN_HTTP__TLS_KEY", "[]"),
        ("COUNTERSIGN_HTTP__MAX_CONNECTIONS", "42"),
    ];
    let config = read("", &over).unwrap();
    assert_eq!(config.http.default_project.unwrap().as_str(), "42");
    assert_eq!(config.secrets.master_key_command.as_deref(), Some("true"));
    assert_eq!(config.http.tls_key.as_deref(), Some(Path::new("[]")));
    assert_eq!(config.http.max_connections, 42);
}
