//! What a secret key may do, from where, and for how long.

use std::time::Duration;

use countersign_domain::{
    audit::Act,
    key::{ClientScope, KeyScope, ScopeChanges},
    proof::Level,
};
use countersign_service::keys::create::NewKey;
use countersign_testkit::{
    actors::Backend,
    database::Engine,
    house::{House, p1},
    on_both_engines,
    raw::RawConnection,
};
use serde_json::json;

on_both_engines!(
    a_key_for_some_clients_vouches_for_no_others,
    a_key_that_may_not_create_users_signs_in_those_there_are,
    a_key_works_from_its_networks_alone,
    a_forged_address_opens_no_network,
    a_key_passes_on_no_higher_level_than_it_may,
    a_scope_that_is_changed_holds_for_the_next_call,
    a_key_in_a_browser_is_refused_and_an_event_says_so,
    a_preflight_never_allows_the_header_of_a_key,
    a_key_that_is_shown_twice_is_not_shown,
    a_revoked_key_opens_nothing_and_ends_nothing,
    a_cascade_ends_what_the_key_vouched_for_and_nothing_else,
);

async fn scoped(house: &House, scope: KeyScope) -> (NewKey, Backend) {
    let key = house.another_key(scope).await;
    let backend = house.backend_with(key.secret.danger_expose());
    (key, backend)
}

async fn a_key_for_some_clients_vouches_for_no_others(engine: Engine) {
    let house = House::open(engine).await;
    let clients = ClientScope::Only(["c1", "c3"].map(|id| id.parse().unwrap()).into());
    let (_, backend) = scoped(&house, KeyScope { clients, ..KeyScope::default() }).await;
    backend.sign_up("ada@example.com").await.is_ok();
    let before = house.books().await;
    for client in ["c2", "c4"] {
        for answer in [
            backend.for_client(client).sign_in("ada@example.com").await,
            backend.for_client(client).sign_up("bob@example.com").await,
        ] {
            assert!(answer.refused(401, 100_006).contains("client"), "{answer}");
        }
    }
    backend.for_client("c5").sign_in("ada@example.com").await.refused(400, 100_002);
    assert_eq!(house.books().await, before);
    backend.for_client("c3").sign_in("ada@example.com").await.is_ok();
    house.backend().for_client("c2").sign_in("ada@example.com").await.is_ok();
}

async fn a_key_that_may_not_create_users_signs_in_those_there_are(engine: Engine) {
    let house = House::open(engine).await;
    let (_, backend) = scoped(&house, KeyScope { may_create_users: false, ..KeyScope::default() }).await;
    let before = house.books().await;
    for answer in [
        backend.sign_up("ada@example.com").await,
        backend.sign_in_with("ada@example.com", json!({ "createIfMissing": true })).await,
    ] {
        assert!(answer.refused(401, 100_006).contains("create users"), "{answer}");
    }
    backend.sign_in("ada@example.com").await.refused(403, 100_012);
    assert_eq!(house.books().await, before);
    house.backend().sign_up("ada@example.com").await.is_ok();
    backend.sign_in("ada@example.com").await.is_ok();
    backend.sign_in_with("ada@example.com", json!({ "createIfMissing": true })).await.is_ok();
}

async fn a_key_works_from_its_networks_alone(engine: Engine) {
    let house = House::open(engine).await;
    let networks = ["198.51.100.0/24", "203.0.113.7/32", "2001:db8:1::/48"].map(|it| it.parse().unwrap()).to_vec();
    let (_, backend) = scoped(&house, KeyScope { networks, ..KeyScope::default() }).await;
    let from = |address: &str| backend.through(house.node.client().from_address(address));
    from("198.51.100.9").sign_up("ada@example.com").await.is_ok();
    for address in [
        "198.51.100.0",
        "198.51.100.255",
        "203.0.113.7",
        "2001:db8:1:ffff::1",
        "::ffff:198.51.100.9",
        "198.51.100.9:4711",
    ] {
        from(address).sign_in("ada@example.com").await.is_ok();
    }
    let before = house.books().await;
    for address in ["198.51.101.1", "203.0.113.8", "2001:db8:2::1", "::1", "10.0.0.1"] {
        let message = from(address).sign_in("ada@example.com").await.refused(401, 100_006);
        assert!(message.contains("network") && !message.contains("198.51"), "{message}");
    }
    backend.sign_in("ada@example.com").await.refused(401, 100_006);
    assert_eq!(house.books().await, before);
    assert_eq!(house.counted(Act::VouchRefused, "foreign_network").await, 6);
    house.backend().sign_in("ada@example.com").await.is_ok();
}

async fn a_forged_address_opens_no_network(engine: Engine) {
    let house = House::open(engine).await;
    let networks = vec!["198.51.100.0/24".parse().unwrap()];
    let (_, backend) = scoped(&house, KeyScope { networks, ..KeyScope::default() }).await;
    house.backend().sign_up("ada@example.com").await.is_ok();
    let from = |header: &str, value: &str| backend.through(house.node.client().with(header, value));
    // The proxy adds whom it saw at the end; what stands before it, the caller wrote.
    for (header, value) in [
        ("x-forwarded-for", "198.51.100.9, 203.0.113.1"),
        ("x-forwarded-for", "198.51.100.9, unknown"),
        ("x-forwarded-for", ""),
        ("x-real-ip", "198.51.100.9"),
        ("forwarded", "for=198.51.100.9"),
        ("x-client-ip", "198.51.100.9"),
    ] {
        from(header, value).sign_in("ada@example.com").await.refused(401, 100_006);
    }
    from("x-forwarded-for", "203.0.113.1, 198.51.100.9").sign_in("ada@example.com").await.is_ok();
}

async fn a_key_passes_on_no_higher_level_than_it_may(engine: Engine) {
    let house = House::open(engine).await;
    house.backend().sign_up("ada@example.com").await.is_ok();
    for most in [Level::Vouched, Level::OneFactor, Level::TwoFactors] {
        let (key, backend) = scoped(&house, KeyScope { max_level: most, ..KeyScope::default() }).await;
        for asked in [Level::Vouched, Level::OneFactor, Level::TwoFactors] {
            let more = json!({ "authentication": { "acr": asked.as_str(), "amr": ["pwd"] } });
            let access = backend.sign_in_with("ada@example.com", more).await.ok().text("authToken");
            let me = house.node.client().with("authorization", &format!("Bearer {access}")).get("/v1/me").await.ok();
            assert_eq!(me.text("acr"), asked.min(most).as_str());
            assert_eq!(me.text("vouched_by"), key.key.id.to_string());
        }
    }
}

async fn a_scope_that_is_changed_holds_for_the_next_call(engine: Engine) {
    let house = House::open(engine).await;
    let (key, backend) = scoped(&house, KeyScope::default()).await;
    backend.sign_up("ada@example.com").await.is_ok();
    let to = |clients| ScopeChanges { clients: Some(clients), ..ScopeChanges::default() };
    let only_c2 = ClientScope::Only(["c2".parse().unwrap()].into());
    house.node.service.set_secret_key(&p1(), key.key.id, None, to(only_c2)).await.unwrap();
    backend.sign_in("ada@example.com").await.refused(401, 100_006);
    house.node.service.set_secret_key(&p1(), key.key.id, None, to(ClientScope::Every)).await.unwrap();
    backend.sign_in("ada@example.com").await.is_ok();
}

async fn a_key_in_a_browser_is_refused_and_an_event_says_so(engine: Engine) {
    let house = House::open(engine).await;
    house.backend().sign_up("ada@example.com").await.is_ok();
    let networks = vec!["198.51.100.0/24".parse().unwrap()];
    let (key, elsewhere) = scoped(&house, KeyScope { networks, ..KeyScope::default() }).await;
    let before = house.books().await;
    for (backend, origin) in [
        (house.backend(), "https://app.example"),
        (house.backend(), "null"),
        (house.backend(), house.node.base()),
        // A key that is bound to a network is seen from every other, once it is in an app.
        (elsewhere, "https://app.example"),
    ] {
        let browser = backend.through(house.node.client().with("origin", origin));
        for answer in [browser.sign_in("ada@example.com").await, browser.sign_up("bob@example.com").await] {
            let message = answer.refused(401, 100_006);
            assert!(message.contains("browser") && message.contains("rotate"), "{message}");
        }
    }
    assert_eq!(house.books().await, before);
    assert_eq!(house.counted(Act::SecretInBrowser, "from_browser").await, 8);
    let trail = house.trail().await;
    let named: Vec<_> =
        trail.iter().filter(|it| it.act == "key.seen_in_browser").filter_map(|it| it.key_id.clone()).collect();
    assert!(named.contains(&key.key.id.to_string()) && named.contains(&house.key.key.id.to_string()), "{named:?}");
    // Who holds no key leaves no event.
    let nobody = house.backend_with("sk_wrong").through(house.node.client().with("origin", "https://app.example"));
    nobody.sign_in("ada@example.com").await.refused(401, 100_006);
    assert_eq!(house.counted(Act::SecretInBrowser, "from_browser").await, 8);
    house.backend().sign_in("ada@example.com").await.is_ok();
}

async fn a_preflight_never_allows_the_header_of_a_key(engine: Engine) {
    let house = House::open(engine).await;
    let browser = house
        .node
        .client()
        .with("origin", "https://app.example")
        .with("access-control-request-method", "POST")
        .with("access-control-request-headers", "verification-token");
    let allowed = browser.send(hyper::Method::OPTIONS, "/auth/v1/private/signin", "".into()).await;
    let headers = allowed.headers.get("access-control-allow-headers").map_or("", |value| value.to_str().unwrap());
    assert!(!headers.contains("verification-token") && !headers.contains('*'), "{headers}");
    assert!(allowed.headers.get("access-control-allow-credentials").is_none());
}

async fn a_key_that_is_shown_twice_is_not_shown(engine: Engine) {
    let house = House::open(engine).await;
    let body = house.backend().vouch("ada@example.com", json!({})).to_string();
    let secret = house.key.secret.danger_expose();
    let before = house.books().await;
    for (shown, status) in [
        (format!("verification-token: {secret}\r\nverification-token: {secret}\r\n"), 401),
        (format!("verification-token: {secret}\r\nVerification-Token: sk_wrong\r\n"), 401),
        (format!("verification-token: sk_wrong\r\nVERIFICATION-TOKEN: {secret}\r\n"), 401),
        (format!("verification-token: {secret}, {secret}\r\n"), 401),
        (format!("verification-token: \r\nverification-token: {secret}\r\n"), 401),
        (format!("Verification-Token:   {secret}  \r\n"), 200),
    ] {
        let mut connection = RawConnection::to(house.node.base()).await;
        let head = format!(
            "POST /auth/v1/private/signup HTTP/1.1\r\nhost: localhost\r\n{shown}content-length: {}\r\n\r\n",
            body.len()
        );
        let answer = connection.say(head).await.say(&body).await.answer().await.unwrap();
        if status == 200 {
            answer.is_ok();
        } else {
            let message = answer.refused(401, 100_006);
            assert!(message.contains("verification-token") && !message.contains("sk_"), "{message}");
            assert_eq!(house.books().await, before);
        }
    }
}

async fn a_revoked_key_opens_nothing_and_ends_nothing(engine: Engine) {
    let house = House::open(engine).await;
    let (key, backend) = scoped(&house, KeyScope::default()).await;
    let mut app = backend.new_app("ada@example.com").await;
    house.node.service.revoke_secret_key(&p1(), key.key.id, false).await.unwrap();
    let before = house.books().await;
    for answer in [backend.sign_in("ada@example.com").await, backend.sign_up("bob@example.com").await] {
        assert!(answer.refused(401, 100_006).contains("revoked"), "{answer}");
    }
    let path = format!("/auth/v1/user/{}/sessions", app.uid);
    backend.http().get(&path).await.refused(401, 100_006);
    assert_eq!(house.books().await, before);
    app.me().await.is_ok();
    app.refresh().await.is_ok();
    house.backend().sign_in("ada@example.com").await.is_ok();
}

async fn a_cascade_ends_what_the_key_vouched_for_and_nothing_else(engine: Engine) {
    let house = House::open(engine).await;
    let (key, backend) = scoped(&house, KeyScope::default()).await;
    let mut others =
        vec![house.backend().new_app("ada@example.com").await, house.backend().new_app("bob@example.com").await];
    let ended = [
        backend.app("ada@example.com").await,
        backend.for_client("c2").app("ada@example.com").await,
        backend.new_app("carl@example.com").await,
    ];
    for app in &ended {
        app.me().await.is_ok();
    }
    house.node.service.revoke_secret_key(&p1(), key.key.id, true).await.unwrap();
    for app in &ended {
        assert_eq!(app.me().await.status(), 401);
        app.sessions().await.refused(401, 100_049);
        let profile = json!({ "authToken": app.access });
        app.http.post("/auth/v1beta/authprofile", &profile).await.refused(401, 100_049);
        app.try_refresh().await.gone("ended");
    }
    for app in &mut others {
        app.me().await.is_ok();
        app.refresh().await.is_ok();
        assert_eq!(app.sessions().await.ok().json()["sessions"].as_array().unwrap().len(), 1);
    }
    // Users outlive the key that made them.
    house.backend().app("carl@example.com").await.me().await.is_ok();
    // What was revoked without a cascade can be cascaded later.
    let (second, backend) = scoped(&house, KeyScope::default()).await;
    let app = backend.app("ada@example.com").await;
    house.node.service.revoke_secret_key(&p1(), second.key.id, false).await.unwrap();
    app.me().await.is_ok();
    house.node.service.revoke_secret_key(&p1(), second.key.id, true).await.unwrap();
    assert_eq!(app.me().await.status(), 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_works_until_it_expires() {
    let house = House::open(Engine::Sqlite).await;
    let hour = Duration::from_hours(1);
    let (project, name) = (p1(), "short".parse().unwrap());
    let made = house.node.service.create_secret_key(&project, name, KeyScope::default(), Some(hour)).await;
    let backend = house.backend_with(made.unwrap().secret.danger_expose());
    let mut app = backend.new_app("ada@example.com").await;
    house.advance(Duration::from_secs(3_599)).await;
    backend.sign_in("ada@example.com").await.is_ok();
    house.advance(Duration::from_secs(1)).await;
    let before = house.books().await;
    let message = backend.sign_in("ada@example.com").await.refused(401, 100_006);
    assert!(message.contains("expired"), "{message}");
    assert_eq!(house.books().await, before);
    app.refresh().await.is_ok();
    app.me().await.is_ok();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rotated_key_works_during_the_overlap_and_not_after() {
    let house = House::open(Engine::Sqlite).await;
    let networks = vec!["127.0.0.0/8".parse().unwrap()];
    let scope = KeyScope { may_create_users: false, networks, ..KeyScope::default() };
    let (old, backend) = scoped(&house, scope.clone()).await;
    house.backend().sign_up("ada@example.com").await.is_ok();
    let app = backend.app("ada@example.com").await;
    let new = house.node.service.rotate_secret_key(&p1(), old.key.id, Duration::from_hours(24)).await.unwrap();
    assert_eq!(new.key.scope, scope, "the successor may do what the key could");
    let successor = house.backend_with(new.secret.danger_expose());
    successor.sign_in("ada@example.com").await.is_ok();
    successor.sign_up("bob@example.com").await.refused(401, 100_006);
    house.advance(Duration::from_secs(24 * 3_600 - 1)).await;
    backend.sign_in("ada@example.com").await.is_ok();
    house.advance(Duration::from_secs(1)).await;
    assert!(backend.sign_in("ada@example.com").await.refused(401, 100_006).contains("successor"));
    successor.sign_in("ada@example.com").await.is_ok();
    app.try_refresh().await.is_ok();
    assert!(house.node.service.rotate_secret_key(&p1(), old.key.id, Duration::ZERO).await.is_err());

    let last = house.node.service.rotate_secret_key(&p1(), new.key.id, Duration::ZERO).await.unwrap();
    successor.sign_in("ada@example.com").await.refused(401, 100_006);
    house.backend_with(last.secret.danger_expose()).sign_in("ada@example.com").await.is_ok();
}
