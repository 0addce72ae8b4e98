//! Secret keys.

use countersign_domain::key::{ClientScope, KeyScope};
use countersign_testkit::{database::Engine, house::House, on_both_engines};

on_both_engines!(a_key_for_some_clients_is_told_of_their_sessions_only);

async fn a_key_for_some_clients_is_told_of_their_sessions_only(engine: Engine) {
    let house = House::open(engine).await;
    let ios = house.backend().new_app("ada@example.com").await;
    house.backend().for_client("c2").app("ada@example.com").await;
    let scope = KeyScope { clients: ClientScope::Only(["c2".parse().unwrap()].into()), ..KeyScope::default() };
    let narrow = house.backend_with(house.another_key(scope).await.secret.danger_expose());
    let path = format!("/auth/v1/user/{}/sessions", ios.uid);
    let clients = async |backend: &countersign_testkit::actors::Backend| {
        let sessions = backend.http().get(&path).await.ok().json();
        let mut ids: Vec<String> =
            sessions["sessions"].as_array().unwrap().iter().map(|it| it["clientId"].to_string()).collect();
        ids.sort();
        ids
    };
    assert_eq!(clients(&house.backend()).await, [r#""c1""#, r#""c2""#]);
    assert_eq!(clients(&narrow).await, [r#""c2""#]);
}
