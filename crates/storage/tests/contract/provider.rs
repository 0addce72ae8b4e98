//! What the OpenID provider keeps: secrets of clients, and codes.

use countersign_crypto::{authorization_code::CodeHash, client_secret::ClientSecretHash, encoding};
use countersign_domain::{
    generations::Generations,
    id::{ClientId, KeyId, ProjectId, SessionId},
    oauth::code::AuthorizationCode,
    proof::{Level, Method, Proof},
    thumbprint::Thumbprint,
    user::User,
};
use countersign_storage::{
    authorization_codes::{self, NewAuthorizationCode, SPENT_AS},
    client_secrets::{self, StoredClientSecret},
    spent::spend,
    users,
};
use countersign_testkit::{database::Engine, on_both_engines};

use crate::given::{a_user, at, p1, read, schema, user, write};

on_both_engines!(
    a_clients_secret_reads_back_and_is_revoked_once,
    a_code_reads_back_with_the_counter_of_its_user,
    a_code_for_whoever_was_proved_a_while_ago_has_the_counter_of_then,
    a_code_that_was_spent_is_read_as_used,
    all_live_codes_of_a_user_in_a_client_are_spent_at_once,
    a_code_for_nobody_or_for_who_is_locked_out_is_not_written,
    a_code_is_found_in_its_project_by_its_hash_alone,
    codes_that_are_long_over_go_a_little_at_a_time,
);

fn secret(number: u8) -> StoredClientSecret {
    StoredClientSecret {
        project: p1(),
        id: KeyId::new(at(i64::from(number)), [number; 10]),
        client: "c4".parse().unwrap(),
        prefix: "cs_abcdef".to_owned(),
        hash: ClientSecretHash::of("cs_abcdefgh"),
        created_at: at(0),
        expires_at: Some(at(100)),
        revoked_at: None,
    }
}

async fn a_clients_secret_reads_back_and_is_revoked_once(engine: Engine) {
    let given = schema(engine).await;
    let (first, second) = (secret(1), StoredClientSecret { expires_at: None, ..secret(2) });
    write!(given, [first], client_secrets::insert, &first).unwrap();
    write!(given, [second], client_secrets::insert, &second).unwrap();
    assert_eq!(read!(given, client_secrets::list, &p1()).unwrap(), [first.clone(), second]);
    let (id, of) = (first.id, first.client.clone());
    let other: ClientId = "c3".parse().unwrap();
    assert!(!write!(given, [other], client_secrets::revoke, &p1(), &other, id, at(5)).unwrap(), "another client's");
    assert!(write!(given, [of], client_secrets::revoke, &p1(), &of, id, at(5)).unwrap());
    assert!(!write!(given, [of], client_secrets::revoke, &p1(), &of, id, at(6)).unwrap());
    let listed = read!(given, client_secrets::list, &p1()).unwrap();
    assert_eq!(listed[0].revoked_at, Some(at(5)));
    assert!(!listed[0].is_live(at(4)) && listed[1].is_live(at(1_000)));
    assert!(first.is_live(at(99)) && !first.is_live(at(100)));
    assert!(read!(given, client_secrets::list, &"p2".parse().unwrap()).unwrap().is_empty());
}

pub(crate) fn hash(byte: u8) -> CodeHash {
    CodeHash::of(&encoding::encode([byte; 32])).unwrap()
}

pub(crate) fn code(of: &User, byte: u8) -> NewAuthorizationCode {
    let code = AuthorizationCode {
        client: "c1".parse().unwrap(),
        user: of.id,
        session: SessionId::new(at(1), [byte; 10]),
        redirect_uri: "https://app.example.com/callback?a='b'".to_owned(),
        has_redirect_uri_param: true,
        scope: "openid email".to_owned(),
        nonce: Some("n \"1\"".to_owned()),
        code_challenge: Some("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM".to_owned()),
        dpop_jkt: Some(Thumbprint([7; 32])),
        proof: Proof { methods: vec![Method::vouch()], level: Level::OneFactor, at: at(-5) },
        generations: Generations { user: 0, client: 2, key: 0, project: 4 },
        created_at: at(0),
        expires_at: at(60),
    };
    NewAuthorizationCode { project: p1(), hash: hash(byte), code, as_of: None }
}

async fn a_code_reads_back_with_the_counter_of_its_user(engine: Engine) {
    let (given, ada) = a_user(engine).await;
    let id = ada.id;
    write!(given, [], users::raise_generation, &p1(), id).unwrap();
    let full = code(&ada, 1);
    assert!(write!(given, [full], authorization_codes::insert, &full).unwrap());
    let expected = AuthorizationCode { generations: Generations { user: 1, ..full.code.generations }, ..full.code };
    let found = read!(given, authorization_codes::find, &p1(), hash(1)).unwrap().unwrap();
    assert_eq!((found.code, found.is_used), (expected, false));
    assert_eq!((found.user_generation, found.sessions, found.email), (Some(1), 0, None));
    let mut bare = code(&ada, 2);
    (bare.code.nonce, bare.code.code_challenge, bare.code.dpop_jkt) = (None, None, None);
    (bare.code.has_redirect_uri_param, bare.code.generations.user) = (false, 1);
    assert!(write!(given, [bare], authorization_codes::insert, &bare).unwrap());
    let found = read!(given, authorization_codes::find, &p1(), hash(2)).unwrap().unwrap();
    assert_eq!(found.code, bare.code);
}

async fn a_code_for_whoever_was_proved_a_while_ago_has_the_counter_of_then(engine: Engine) {
    let (given, ada) = a_user(engine).await;
    let id = ada.id;
    write!(given, [], users::raise_generation, &p1(), id).unwrap();
    for (byte, as_of, expected) in [(1, 0, 0), (2, 1, 1), (3, 2, 1)] {
        let code = NewAuthorizationCode { as_of: Some(as_of), ..code(&ada, byte) };
        assert!(write!(given, [code], authorization_codes::insert, &code).unwrap());
        let found = read!(given, authorization_codes::find, &p1(), hash(byte)).unwrap().unwrap();
        assert_eq!(found.code.generations.user, expected);
    }
}

async fn a_code_that_was_spent_is_read_as_used(engine: Engine) {
    let (given, ada) = a_user(engine).await;
    for byte in [1, 2] {
        let written = code(&ada, byte);
        assert!(write!(given, [written], authorization_codes::insert, &written).unwrap());
    }
    let (used, elsewhere) = (hash(1).to_text(), hash(2).to_text());
    let p2: ProjectId = "p2".parse().unwrap();
    assert!(write!(given, [used], spend, &p1(), SPENT_AS, &used, at(60)).unwrap());
    assert!(write!(given, [elsewhere], spend, &p1(), "dpop", &elsewhere, at(60)).unwrap());
    assert!(write!(given, [p2, elsewhere], spend, &p2, SPENT_AS, &elsewhere, at(60)).unwrap());
    let is_used = async |byte| read!(given, authorization_codes::find, &p1(), hash(byte)).unwrap().unwrap().is_used;
    assert_eq!((is_used(1).await, is_used(2).await), (true, false));
}

async fn all_live_codes_of_a_user_in_a_client_are_spent_at_once(engine: Engine) {
    let (given, ada) = a_user(engine).await;
    for byte in 1..=4 {
        let mut written = code(&ada, byte);
        match byte {
            3 => written.code.client = "c2".parse().unwrap(),
            4 => written.code.expires_at = at(1),
            _ => {}
        }
        assert!(write!(given, [written], authorization_codes::insert, &written).unwrap());
    }
    let client = code(&ada, 1).code.client;
    let used = hash(1).to_text();
    assert!(write!(given, [used], spend, &p1(), SPENT_AS, &used, at(60)).unwrap());
    let (ada, p2) = (ada.id, "p2".parse::<ProjectId>().unwrap());
    let nobody = user(9).id;
    assert_eq!(write!(given, [client], authorization_codes::spend_all, &p1(), nobody, &client, at(2)).unwrap(), 0);
    assert_eq!(write!(given, [client, p2], authorization_codes::spend_all, &p2, ada, &client, at(2)).unwrap(), 0);
    assert_eq!(write!(given, [client], authorization_codes::spend_all, &p1(), ada, &client, at(2)).unwrap(), 1);
    assert_eq!(write!(given, [client], authorization_codes::spend_all, &p1(), ada, &client, at(2)).unwrap(), 0);
    let is_used = async |byte| read!(given, authorization_codes::find, &p1(), hash(byte)).unwrap().unwrap().is_used;
    assert_eq!([is_used(1).await, is_used(2).await, is_used(3).await, is_used(4).await], [true, true, false, false]);
}

async fn a_code_for_nobody_or_for_who_is_locked_out_is_not_written(engine: Engine) {
    let (given, ada) = a_user(engine).await;
    let of_nobody = code(&user(9), 1);
    assert!(!write!(given, [of_nobody], authorization_codes::insert, &of_nobody).unwrap());
    let locked = User { disabled_at: Some(at(1)), ..ada.clone() };
    write!(given, [locked], users::update, &locked).unwrap();
    let of_ada = code(&ada, 1);
    assert!(!write!(given, [of_ada], authorization_codes::insert, &of_ada).unwrap());
    assert_eq!(read!(given, authorization_codes::find, &p1(), hash(1)).unwrap(), None);
    write!(given, [ada], users::update, &ada).unwrap();
    assert!(write!(given, [of_ada], authorization_codes::insert, &of_ada).unwrap());
}

async fn a_code_is_found_in_its_project_by_its_hash_alone(engine: Engine) {
    let (given, ada) = a_user(engine).await;
    let written = code(&ada, 1);
    assert!(write!(given, [written], authorization_codes::insert, &written).unwrap());
    let p2: ProjectId = "p2".parse().unwrap();
    assert!(read!(given, authorization_codes::find, &p1(), hash(1)).unwrap().is_some());
    assert_eq!(read!(given, authorization_codes::find, &p2, hash(1)).unwrap(), None);
    assert_eq!(read!(given, authorization_codes::find, &p1(), hash(2)).unwrap(), None);
}

async fn codes_that_are_long_over_go_a_little_at_a_time(engine: Engine) {
    let (given, ada) = a_user(engine).await;
    for byte in 1..=4 {
        let mut written = code(&ada, byte);
        written.code.expires_at = at(i64::from(byte));
        assert!(write!(given, [written], authorization_codes::insert, &written).unwrap());
    }
    assert_eq!(write!(given, [], authorization_codes::delete_expired, at(3), 2).unwrap(), 2);
    assert_eq!(write!(given, [], authorization_codes::delete_expired, at(3), 2).unwrap(), 1);
    assert_eq!(write!(given, [], authorization_codes::delete_expired, at(3), 2).unwrap(), 0);
    assert!(read!(given, authorization_codes::find, &p1(), hash(4)).unwrap().is_some());
}
