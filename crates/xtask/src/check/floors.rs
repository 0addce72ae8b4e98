//! A floor imports floors below it, never beside or above.

use cargo_metadata::{DependencyKind, Metadata};

use super::{Rule, house::House};

pub(super) const RULE: Rule = Rule {
    name: "floors",
    remedy: "move the code to the floor where it belongs, or change the table in check/floors.rs and say why",
    check: |house| Ok(check(house)),
};

/// Each crate of the house, and which others it may import.
const FLOORS: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("crypto", &["domain"]),
    ("wire", &["domain"]),
    ("storage", &["domain", "crypto"]),
    ("service", &["domain", "crypto", "wire", "storage"]),
    // `crypto` only for `Entropy`, since request ids are random, and `SecretText`.
    ("http", &["domain", "crypto", "wire", "service"]),
    ("server", &["domain", "crypto", "wire", "storage", "service", "http"]),
    ("testkit", &["domain", "crypto", "wire", "storage", "service", "http", "server"]),
    ("xtask", &[]),
    // What the house is measured against.
    ("baseline", &[]),
];

/// It runs the whole house, for tests; nothing that ships may contain it.
const ONLY_FOR_TESTS: &str = "testkit";

const PREFIX: &str = "countersign-";

/// A crate of the house and everything that its manifest names.
pub(super) struct Crate {
    pub(super) floor: String,
    pub(super) imports: Vec<Import>,
}

pub(super) struct Import {
    pub(super) package: String,
    pub(super) kind: DependencyKind,
}

fn check(house: &House) -> Vec<String> {
    crates(&house.metadata).iter().flat_map(misplaced_imports).collect()
}

pub(super) fn crates(metadata: &Metadata) -> Vec<Crate> {
    let of = |package: &&cargo_metadata::Package| Crate {
        floor: floor_of(&package.name).unwrap_or(&package.name).to_owned(),
        imports: package.dependencies.iter().map(|it| Import { package: it.name.clone(), kind: it.kind }).collect(),
    };
    metadata.workspace_packages().iter().map(of).collect()
}

fn floor_of(package: &str) -> Option<&str> {
    package.strip_prefix(PREFIX)
}

fn misplaced_imports(krate: &Crate) -> Vec<String> {
    let floor = krate.floor.as_str();
    let Some((_, below)) = FLOORS.iter().find(|(name, _)| *name == floor) else {
        return vec![format!("`{floor}` has no floor")];
    };
    let imports = krate.imports.iter().filter_map(|it| floor_of(&it.package).map(|imported| (imported, it.kind)));
    let mut problems = Vec::new();
    for (imported, kind) in imports {
        if imported == ONLY_FOR_TESTS {
            if kind != DependencyKind::Development {
                problems.push(format!("`{floor}` imports `{imported}` outside its tests"));
            }
        } else if !below.contains(&imported) {
            problems.push(format!("`{floor}` imports `{imported}`, and may import only {}", named(below)));
        }
    }
    problems
}

fn named(floors: &[&str]) -> String {
    if floors.is_empty() { "nothing of the house".to_owned() } else { floors.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use DependencyKind::{Build, Development, Normal};

    fn problems(floor: &str, imports: &[(&str, DependencyKind)]) -> Vec<String> {
        let imports = imports.iter().map(|(package, kind)| Import { package: (*package).to_owned(), kind: *kind });
        misplaced_imports(&Crate { floor: floor.to_owned(), imports: imports.collect() })
    }

    #[test]
    fn floors_below_other_peoples_crates_and_the_testkit_in_tests_are_fine() {
        let imports = [
            ("countersign-domain", Normal),
            ("countersign-crypto", Normal),
            ("sqlx", Normal),
            ("countersign-testkit", Development),
        ];
        assert_eq!(problems("storage", &imports), [""; 0]);
    }

    #[test]
    fn above_and_beside_are_named_in_every_kind_of_dependency() {
        for kind in [Normal, Build, Development] {
            assert_eq!(
                problems("storage", &[("countersign-domain", Normal), ("countersign-service", kind)]),
                ["`storage` imports `service`, and may import only domain, crypto"]
            );
        }
        assert_eq!(
            problems("crypto", &[("countersign-wire", Normal)]),
            ["`crypto` imports `wire`, and may import only domain"]
        );
        assert_eq!(
            problems("xtask", &[("countersign-domain", Normal)]),
            ["`xtask` imports `domain`, and may import only nothing of the house"]
        );
    }

    #[test]
    fn the_testkit_stays_in_tests() {
        for kind in [Normal, Build] {
            assert_eq!(
                problems("server", &[("countersign-testkit", kind)]),
                ["`server` imports `testkit` outside its tests"]
            );
        }
    }

    #[test]
    fn a_new_crate_needs_a_floor() {
        assert_eq!(problems("attic", &[]), ["`attic` has no floor"]);
        let floors: Vec<&str> = FLOORS.iter().map(|(floor, _)| *floor).collect();
        for (place, (floor, below)) in FLOORS.iter().enumerate() {
            assert!(below.iter().all(|it| floors[..place].contains(it)), "{floor} imports what isn't below it");
        }
    }
}
