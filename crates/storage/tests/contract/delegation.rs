//! Keys of delegated calls, and what waits for a code.

use countersign_crypto::one_time_code::OneTimeCodeHash;
use countersign_domain::{
    delegation_key::DelegationKey,
    id::{ChallengeId, KeyId, ProjectId, UserId},
    identity::Identity,
    mfa::FactorKind,
    user::User,
};
use countersign_storage::{
    delegation_keys::{self, StoredDelegationKey},
    idp_keys::{self, StoredIdpKey},
    mfa_changes::{self, AwaitedCode, SoughtChange, StoredMfaChange},
};
use countersign_testkit::{database::Engine, on_both_engines};

use crate::given::{a_user, at, p1, read, schema, write};

on_both_engines!(
    keys_of_providers_are_found_by_project_and_id,
    our_own_pairs_are_listed_and_revoked_once,
    a_change_reads_back_for_its_own_user_and_client_alone,
    a_change_takes_so_many_tries_until_its_end,
    a_new_change_takes_the_place_of_those_of_the_same_client,
);

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

fn change(number: u8, user: &User, client: &str, proof: AwaitedCode) -> StoredMfaChange {
    let is_sent = matches!(proof, AwaitedCode::Sent(_));
    StoredMfaChange {
        project: p1(),
        id: ChallengeId::new(at(1), [number; 10]),
        user: user.id,
        client: client.parse().unwrap(),
        method: if is_sent { FactorKind::Sms } else { FactorKind::Totp },
        contact: is_sent.then(|| Identity::Phone("+15551234567".parse().unwrap())),
        proof,
        created_at: at(1),
        expires_at: at(600),
    }
}

fn sent() -> AwaitedCode {
    AwaitedCode::Sent(OneTimeCodeHash::from_text("hash".to_owned()))
}

fn sought(change: &StoredMfaChange) -> SoughtChange {
    SoughtChange { project: change.project.clone(), id: change.id, user: change.user, client: change.client.clone() }
}

async fn a_change_reads_back_for_its_own_user_and_client_alone(engine: Engine) {
    let (given, user) = a_user(engine).await;
    for proof in [sent(), AwaitedCode::Counted("sealed".to_owned())] {
        let change = change(1, &user, "c3", proof);
        let (written, own) = (change.clone(), sought(&change));
        write!(given, [written], mfa_changes::insert, &written).unwrap();
        assert_eq!(read!(given, mfa_changes::find, &own).unwrap(), Some(change.clone()));
        for other in [
            SoughtChange { project: "p2".parse().unwrap(), ..own.clone() },
            SoughtChange { id: ChallengeId::new(at(1), [9; 10]), ..own.clone() },
            SoughtChange { user: UserId::from_bytes([9; 16]), ..own.clone() },
            SoughtChange { client: "c4".parse().unwrap(), ..own.clone() },
        ] {
            assert_eq!(read!(given, mfa_changes::find, &other).unwrap(), None);
            assert_eq!(write!(given, [other], mfa_changes::count_try, &other, 5, at(2)).unwrap(), None);
        }
        write!(given, [own], mfa_changes::delete, &own, at(2)).unwrap();
        assert_eq!(read!(given, mfa_changes::find, &own).unwrap(), None);
    }
}

async fn a_change_takes_so_many_tries_until_its_end(engine: Engine) {
    let (given, user) = a_user(engine).await;
    let change = change(1, &user, "c3", sent());
    let (written, own) = (change.clone(), sought(&change));
    write!(given, [written], mfa_changes::insert, &written).unwrap();
    assert_eq!(write!(given, [own], mfa_changes::count_try, &own, 5, at(600)).unwrap(), None, "it is over");
    for _ in 0..5 {
        assert_eq!(write!(given, [own], mfa_changes::count_try, &own, 5, at(599)).unwrap(), Some(change.clone()));
    }
    assert_eq!(write!(given, [own], mfa_changes::count_try, &own, 5, at(2)).unwrap(), None);
    assert_eq!(write!(given, [], mfa_changes::delete_expired, at(599), 9).unwrap(), 0);
    assert_eq!(write!(given, [], mfa_changes::delete_expired, at(600), 9).unwrap(), 1);
}

async fn a_new_change_takes_the_place_of_those_of_the_same_client(engine: Engine) {
    let (given, user) = a_user(engine).await;
    let changes = [change(1, &user, "c3", sent()), change(2, &user, "c4", sent()), change(3, &user, "c3", sent())];
    for change in &changes {
        let change = change.clone();
        write!(given, [change], mfa_changes::insert, &change).unwrap();
    }
    let [first, others, second] = changes.map(|change| (sought(&change), change));
    assert_eq!(read!(given, mfa_changes::find, &first.0).unwrap(), None);
    for (sought, change) in [others, second] {
        assert_eq!(read!(given, mfa_changes::find, &sought).unwrap(), Some(change));
    }
}
