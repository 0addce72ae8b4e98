//! Keys of delegated calls.

use countersign_domain::{
    delegation_key::DelegationKey,
    id::{KeyId, ProjectId},
};
use countersign_storage::{
    delegation_keys::{self, StoredDelegationKey},
    idp_keys::{self, StoredIdpKey},
};
use countersign_testkit::{database::Engine, on_both_engines};

use crate::given::{at, p1, read, schema, write};

on_both_engines!(keys_of_providers_are_found_by_project_and_id, our_own_pairs_are_listed_and_revoked_once);

fn stored(project: &str, number: u8) -> StoredDelegationKey {
    let key = DelegationKey {
        project: project.parse().unwrap(),
        id: KeyId::new(at(1), [number; 10]),
        client: "c3".parse().unwrap(),
        idp_key: KeyId::new(at(1), [9; 10]),
        created_at: at(1),
        expires_at: None,
        revoked_at: None,
        replaced_by: None,
    };
    StoredDelegationKey { key, verifying_key: "AA".to_owned(), sealing_key: "BB".to_owned() }
}

async fn keys_of_providers_are_found_by_project_and_id(engine: Engine) {
    let given = schema(engine).await;
    let (first, second) = (stored("p1", 1), stored("p1", 2));
    for key in [&second, &first] {
        let key = key.clone();
        write!(given, [key], delegation_keys::insert, &key).unwrap();
    }
    let (id, elsewhere): (KeyId, ProjectId) = (first.key.id, "p2".parse().unwrap());
    assert_eq!(read!(given, delegation_keys::find, &p1(), id).unwrap(), Some(first.clone()));
    assert_eq!(read!(given, delegation_keys::find, &elsewhere, id).unwrap(), None);
    assert_eq!(read!(given, delegation_keys::list, &p1()).unwrap(), [first.clone(), second.clone()]);
    assert!(read!(given, delegation_keys::list, &elsewhere).unwrap().is_empty());
    let ended = DelegationKey {
        expires_at: Some(at(5)),
        revoked_at: Some(at(4)),
        replaced_by: Some(second.key.id),
        ..first.key.clone()
    };
    let changed = ended.clone();
    write!(given, [changed], delegation_keys::update, &changed).unwrap();
    assert_eq!(
        read!(given, delegation_keys::list, &p1()).unwrap(),
        [StoredDelegationKey { key: ended, ..first }, second]
    );
}

async fn our_own_pairs_are_listed_and_revoked_once(engine: Engine) {
    let given = schema(engine).await;
    let pair = |number: u8| StoredIdpKey {
        project: p1(),
        id: KeyId::new(at(1), [number; 10]),
        sealed_signing_key: "sealed 1".to_owned(),
        sealed_opening_key: "sealed 2".to_owned(),
        created_at: at(1),
        revoked_at: None,
    };
    for number in [2, 1] {
        let pair = pair(number);
        write!(given, [pair], idp_keys::insert, &pair).unwrap();
    }
    assert_eq!(read!(given, idp_keys::list, &p1()).unwrap(), [pair(1), pair(2)]);
    let (id, elsewhere): (KeyId, ProjectId) = (pair(1).id, "p2".parse().unwrap());
    assert!(!write!(given, [elsewhere], idp_keys::revoke, &elsewhere, id, at(5)).unwrap());
    assert!(write!(given, [], idp_keys::revoke, &p1(), id, at(5)).unwrap());
    assert!(!write!(given, [], idp_keys::revoke, &p1(), id, at(6)).unwrap());
    let revoked = StoredIdpKey { revoked_at: Some(at(5)), ..pair(1) };
    assert_eq!(read!(given, idp_keys::list, &p1()).unwrap(), [revoked, pair(2)]);
}
