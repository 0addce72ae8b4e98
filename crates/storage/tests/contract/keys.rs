//! Secret keys, signing keys, keys of refresh tokens.

use countersign_crypto::api_key::SecretKeyHash;
use countersign_domain::{
    id::{KeyId, MacKeyId, ProjectId, SigningKeyId},
    key::{ClientScope, KeyScope, SecretKey},
    proof::Level,
    signing_algorithm::SigningAlgorithm,
};
use countersign_storage::{
    error::Error,
    mac_keys,
    secret_keys::{self, StoredKey},
    signing_keys::{self, StoredSigningKey},
};
use countersign_testkit::{database::Engine, on_both_engines};

use crate::given::{at, p1, read, schema, write};

on_both_engines!(
    a_secret_key_reads_back_with_its_scope,
    a_secret_key_can_be_changed_and_revoked,
    the_last_use_of_a_secret_key_only_goes_forward,
    one_secret_is_one_key,
    a_signing_key_goes_from_next_to_active_to_retired_and_never_back,
    expired_signing_keys_go_and_others_stay,
    refresh_token_keys_are_numbered_and_revoked_once,
);

fn key(number: u8) -> StoredKey {
    let key = SecretKey {
        project: p1(),
        id: KeyId::new(at(i64::from(number)), [number; 10]),
        name: "A backend".parse().unwrap(),
        prefix: "sk_abc".to_owned(),
        scope: KeyScope::default(),
        generation: 0,
        created_at: at(0),
        expires_at: None,
        revoked_at: None,
        last_used_at: None,
        replaced_by: None,
    };
    let hash = SecretKeyHash::of_unverified(&format!("sk_{}", char::from(b'a' + number).to_string().repeat(72)));
    StoredKey { key, hash: hash.unwrap() }
}

async fn a_secret_key_reads_back_with_its_scope(engine: Engine) {
    let given = schema(engine).await;
    let mut written = key(1);
    written.key.scope = KeyScope {
        clients: ClientScope::Only(["c1", "c2"].map(|id| id.parse().unwrap()).into()),
        may_create_users: false,
        networks: vec!["10.0.0.0/8".parse().unwrap(), "2001:db8::/32".parse().unwrap()],
        rate: 50.try_into().ok(),
        max_level: Level::Vouched,
    };
    written.key.expires_at = Some(at(10));
    write!(given, [written], secret_keys::insert, &written).unwrap();
    let found = read!(given, secret_keys::find, &p1(), written.key.id).unwrap().unwrap();
    assert_eq!(format!("{:?}", found.key), format!("{:?}", written.key));
    assert!(found.hash.matches(&written.hash));
    assert!(!found.hash.matches(&key(2).hash));
}

async fn a_secret_key_can_be_changed_and_revoked(engine: Engine) {
    let given = schema(engine).await;
    for written in [key(1), key(2)] {
        write!(given, [written], secret_keys::insert, &written).unwrap();
    }
    let mut changed = key(1).key;
    changed.scope.may_create_users = false;
    changed.expires_at = Some(at(5));
    changed.revoked_at = Some(at(6));
    changed.replaced_by = Some(key(2).key.id);
    write!(given, [changed], secret_keys::update, &changed).unwrap();
    write!(given, [changed], secret_keys::raise_generation, &p1(), changed.id).unwrap();
    let all = read!(given, secret_keys::list, &p1()).unwrap();
    changed.generation = 1;
    assert_eq!(format!("{:?}", all[0].key), format!("{changed:?}"));
    assert_eq!(format!("{:?}", all[1].key), format!("{:?}", key(2).key));
}

async fn the_last_use_of_a_secret_key_only_goes_forward(engine: Engine) {
    let given = schema(engine).await;
    let written = key(1);
    write!(given, [written], secret_keys::insert, &written).unwrap();
    for (used, last) in [(5, 5), (3, 5), (9, 9)] {
        write!(given, [written], secret_keys::touch, &p1(), written.key.id, at(used)).unwrap();
        let found = read!(given, secret_keys::find, &p1(), written.key.id).unwrap().unwrap();
        assert_eq!(found.key.last_used_at, Some(at(last)));
    }
}

async fn one_secret_is_one_key(engine: Engine) {
    let given = schema(engine).await;
    let (first, mut second) = (key(1), key(2));
    second.hash = first.hash;
    write!(given, [first], secret_keys::insert, &first).unwrap();
    let refused = write!(given, [second], secret_keys::insert, &second);
    assert!(matches!(refused, Err(Error::Taken(_))), "{refused:?}");
    assert_eq!(read!(given, secret_keys::list, &p1()).unwrap().len(), 1);
}

fn signing_key(number: u8) -> StoredSigningKey {
    StoredSigningKey {
        project: p1(),
        id: SigningKeyId::new(at(i64::from(number)), [number; 10]),
        algorithm: SigningAlgorithm::Es256,
        public_key: "public".to_owned(),
        sealed_private_key: "sealed".to_owned(),
        created_at: at(0),
        activated_at: None,
        retired_at: None,
        expires_at: None,
    }
}

async fn a_signing_key_goes_from_next_to_active_to_retired_and_never_back(engine: Engine) {
    let given = schema(engine).await;
    let written = signing_key(1);
    write!(given, [written], signing_keys::insert, &written).unwrap();
    let id = written.id;
    assert!(read!(given, signing_keys::list, &p1()).unwrap()[0].is_next());
    assert!(!write!(given, [], signing_keys::retire, &p1(), id, at(1), at(2)).unwrap(), "it was never active");
    assert!(write!(given, [], signing_keys::activate, &p1(), id, at(1)).unwrap());
    assert!(!write!(given, [], signing_keys::activate, &p1(), id, at(2)).unwrap(), "another node did it");
    assert!(read!(given, signing_keys::list, &p1()).unwrap()[0].is_active());
    assert!(write!(given, [], signing_keys::retire, &p1(), id, at(3), at(4)).unwrap());
    assert!(!write!(given, [], signing_keys::retire, &p1(), id, at(5), at(6)).unwrap());
    assert!(!write!(given, [], signing_keys::activate, &p1(), id, at(5)).unwrap());
    let retired = &read!(given, signing_keys::list, &p1()).unwrap()[0];
    assert_eq!((retired.activated_at, retired.retired_at, retired.expires_at), (Some(at(1)), Some(at(3)), Some(at(4))));
    assert_eq!((retired.public_key.as_str(), retired.sealed_private_key.as_str()), ("public", "sealed"));
}

async fn expired_signing_keys_go_and_others_stay(engine: Engine) {
    let given = schema(engine).await;
    for (number, expires_at) in [(1, None), (2, Some(at(10))), (3, Some(at(11)))] {
        let written = StoredSigningKey { expires_at, ..signing_key(number) };
        write!(given, [written], signing_keys::insert, &written).unwrap();
    }
    assert_eq!(write!(given, [], signing_keys::delete_expired, &p1(), at(10)).unwrap(), 1);
    let left: Vec<SigningKeyId> =
        read!(given, signing_keys::list, &p1()).unwrap().iter().map(|found| found.id).collect();
    assert_eq!(left, [signing_key(1).id, signing_key(3).id]);
    assert_eq!(write!(given, [], signing_keys::delete, &p1(), signing_key(1).id).unwrap(), 1);
    assert_eq!(write!(given, [], signing_keys::delete, &p1(), signing_key(1).id).unwrap(), 0);
}

async fn refresh_token_keys_are_numbered_and_revoked_once(engine: Engine) {
    let given = schema(engine).await;
    for number in 1..=3 {
        assert_eq!(write!(given, [], mac_keys::insert_next, &p1(), at(0)).unwrap(), MacKeyId(number));
    }
    let other: ProjectId = "p2".parse().unwrap();
    let first = write!(given, [other], mac_keys::insert_next, &other, at(0)).unwrap();
    assert_eq!(first, MacKeyId(1), "each project counts by itself");
    assert!(write!(given, [], mac_keys::revoke, &p1(), MacKeyId(2), at(5)).unwrap());
    assert!(!write!(given, [], mac_keys::revoke, &p1(), MacKeyId(2), at(6)).unwrap());
    let revoked: Vec<_> = read!(given, mac_keys::list, &p1()).unwrap().iter().map(|found| found.revoked_at).collect();
    assert_eq!(revoked, [None, Some(at(5)), None]);
}
