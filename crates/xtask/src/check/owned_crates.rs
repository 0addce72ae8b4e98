//! What only one floor may use stays there: another SQL library, another web framework, is one floor's work.

use super::{
    Rule,
    floors::{Crate, crates},
    house::House,
};

pub(super) const RULE: Rule = Rule {
    name: "owned crates",
    remedy: "ask the floor that owns the crate, or change the table in check/owned_crates.rs and say why",
    check: |house| Ok(check(house)),
};

/// A crate, with all whose names go on with `-` or `_`, and the floors that may use it.
const OWNED: &[(&str, &[&str])] = &[
    ("aws-lc", &["crypto"]),
    ("jsonwebtoken", &["crypto"]),
    // Testkit makes databases, and spoils them behind the server's back.
    ("sqlx", &["storage", "testkit"]),
    ("webauthn", &["service"]),
    // The roof listens: it hands connections to the router, and serves metrics at an address of their own.
    ("axum", &["http", "server"]),
    // Requests are accepted by one, forwarded by the other, and made by tests.
    ("hyper", &["http", "server", "testkit"]),
    ("tokio-rustls", &["http", "server"]),
    ("askama", &["http"]),
    // The wire describes its nouns, the doors their operations.
    ("utoipa", &["wire", "http"]),
    // `xtask` has a command line too.
    ("clap", &["server", "xtask"]),
    ("lettre", &["server"]),
    ("opentelemetry", &["server"]),
];

fn check(house: &House) -> Vec<String> {
    crates(&house.metadata).iter().flat_map(borrowed).collect()
}

/// It measures what the others use, bare.
const MEASURES_ALL: &str = "baseline";

fn borrowed(krate: &Crate) -> Vec<String> {
    if krate.floor == MEASURES_ALL {
        return Vec::new();
    }
    let borrowed = |package: &str| {
        let (_, owners) = OWNED.iter().find(|(family, _)| is_of(package, family))?;
        let is_owner = owners.contains(&krate.floor.as_str());
        (!is_owner).then(|| format!("`{}` uses `{package}`, which only {} may", krate.floor, owners.join(" and ")))
    };
    krate.imports.iter().filter_map(|it| borrowed(&it.package)).collect()
}

fn is_of(package: &str, family: &str) -> bool {
    package.strip_prefix(family).is_some_and(|rest| rest.is_empty() || rest.starts_with(['-', '_']))
}

#[cfg(test)]
mod tests {
    use cargo_metadata::DependencyKind;

    use super::*;
    use crate::check::floors::Import;

    fn problems(floor: &str, imports: &[&str]) -> Vec<String> {
        let import = |package: &&str| Import { package: (*package).to_owned(), kind: DependencyKind::Normal };
        borrowed(&Crate { floor: floor.to_owned(), imports: imports.iter().map(import).collect() })
    }

    #[test]
    fn owners_and_what_nobody_owns_are_fine() {
        assert_eq!(problems("storage", &["sqlx", "serde", "countersign-domain"]), [""; 0]);
        assert_eq!(problems("server", &["axum", "clap"]), [""; 0]);
        assert_eq!(problems("service", &["clapper"]), [""; 0]);
    }

    #[test]
    fn a_borrowed_crate_and_its_relatives_are_named() {
        assert_eq!(
            problems("service", &["serde", "sqlx", "aws-lc-rs"]),
            [
                "`service` uses `sqlx`, which only storage and testkit may",
                "`service` uses `aws-lc-rs`, which only crypto may"
            ]
        );
        assert_eq!(problems("wire", &["axum-extra"]), ["`wire` uses `axum-extra`, which only http and server may"]);
        assert_eq!(
            problems("http", &["opentelemetry_sdk"]),
            ["`http` uses `opentelemetry_sdk`, which only server may"]
        );
    }
}
