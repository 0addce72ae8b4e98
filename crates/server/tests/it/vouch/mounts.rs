//! Where the door stands, and what must agree: path, host, body and key.

use countersign_testkit::{
    actors::{App, Backend},
    database::Engine,
    house::{House, changes},
    http::Client,
    on_both_engines,
};
use hyper::Method;
use serde_json::json;

on_both_engines!(
    the_door_stands_at_four_places,
    v1beta_is_where_it_was_noted_and_nowhere_else,
    path_host_body_and_key_must_agree,
    tokens_are_of_one_project_wherever_they_are_shown,
    a_host_name_says_the_project_as_a_path_does,
    metadata_of_a_project_is_at_its_path_and_host,
);

const PLACES: [&str; 4] = ["/auth", "/api/auth", "/p/p1/auth", "/p/p1/api/auth"];

async fn the_door_stands_at_four_places(engine: Engine) {
    let house = House::open(engine).await;
    for (n, place) in PLACES.into_iter().enumerate() {
        let backend = house.backend().at(&format!("{place}/v1"));
        let email = format!("user{n}@example.com");
        backend.sign_up(&email).await.is_ok();
        let app = backend.app(&email).await;
        let path = |rest: &str| format!("{place}{rest}");
        let client = house.node.client().with("authorization", &format!("Bearer {}", app.access));
        client.get(&path(&format!("/v1/user/{}/sessions", app.uid))).await.is_ok();
        let profile = client.post(&path("/v1beta/authprofile"), &json!({ "authToken": app.access })).await;
        assert_eq!(profile.ok().text("uid"), app.uid);
        for version in ["v1", "v1beta"] {
            let body = json!({ "refreshToken": app.refresh });
            client.post(&path(&format!("/{version}/refreshtoken")), &body).await.is_ok();
        }
        let body = json!({ "userId": app.uid, "refreshToken": app.refresh });
        client.post(&path("/v1/signout"), &body).await.is_ok();
    }
}

async fn v1beta_is_where_it_was_noted_and_nowhere_else(engine: Engine) {
    let house = House::open(engine).await;
    let client = house.backend().http();
    for place in PLACES {
        for path in
            ["v1beta/private/signin", "v1beta/private/signup", "v1beta/signout", "v1/authprofile", "v2/refreshtoken"]
        {
            client.post(&format!("{place}/{path}"), &json!({})).await.refused(404, 100_003);
        }
        let refused = client.send(Method::GET, &format!("{place}/v1beta/refreshtoken"), "".into()).await;
        refused.refused(405, 100_003);
    }
}

/// Two projects, each with a host name, and a third party who knows both their keys.
struct Two {
    house: House,
    first: Backend,
    second: Backend,
}

impl Two {
    async fn open(engine: Engine) -> Self {
        let house = House::open(engine).await;
        let key = house.another_project("p2").await;
        house.set(&["host=one.example"]).await;
        let p2 = "p2".parse().unwrap();
        house.node.service.set_project(&p2, changes(&["host=two.example"])).await.unwrap();
        let first = house.backend();
        let second = house.backend_with(key.secret.danger_expose()).of_project("p2");
        first.sign_up("ada@example.com").await.is_ok();
        second.sign_up("ada@example.com").await.is_ok();
        Self { house, first, second }
    }

    /// Somebody who asks at a host.
    fn at_host(&self, host: &str) -> Client {
        self.house.node.client().with("x-forwarded-host", host)
    }
}

async fn path_host_body_and_key_must_agree(engine: Engine) {
    let two = Two::open(engine).await;
    let (p1, p2) = (&two.first, &two.second);
    let before = two.house.books().await;
    let disagree = [
        p1.of_project("p2"),
        p2.of_project("p1"),
        p1.at("/p/p2/auth/v1"),
        p1.at("/p/p2/api/auth/v1"),
        p1.at("/p/p2/auth/v1").of_project("p2"),
        p1.at("/p/nowhere/auth/v1"),
        p1.at("/p/p1%20/auth/v1"),
        p2.at("/p/p1/auth/v1"),
        p1.through(two.at_host("two.example")),
        p1.through(two.at_host("two.example")).of_project("p2"),
        p1.through(two.at_host("TWO.example:8443")),
        p1.through(two.at_host("two.example")).at("/p/p1/auth/v1"),
        p1.through(two.at_host("one.example")).at("/p/p2/auth/v1"),
        p2.through(two.at_host("one.example")),
    ];
    for backend in disagree {
        for answer in [backend.sign_in("ada@example.com").await, backend.sign_up("bob@example.com").await] {
            let told = answer.refused(400, 100_001);
            assert!(told.starts_with("`projectId` "), "{told}");
        }
    }
    assert_eq!(two.house.books().await, before);
    let uid = p1.sign_in("ada@example.com").await.ok().text("uid");
    let sessions = |at: &str| format!("{at}/auth/v1/user/{uid}/sessions");
    p1.http().get(&sessions("/p/p2")).await.refused(404, 100_012);
    p1.through(two.at_host("two.example")).http().get(&sessions("")).await.refused(404, 100_012);
    p1.http().get(&sessions("/p/p1")).await.is_ok();

    let agree = [
        p1.clone(),
        p2.clone(),
        p1.at("/p/p1/auth/v1"),
        p2.at("/p/p2/api/auth/v1"),
        p1.through(two.at_host("one.example")),
        p2.through(two.at_host("two.example:443")).at("/p/p2/auth/v1"),
        p1.through(two.at_host("elsewhere.example")),
    ];
    for backend in agree {
        backend.sign_in("ada@example.com").await.is_ok();
    }
}

async fn tokens_are_of_one_project_wherever_they_are_shown(engine: Engine) {
    let two = Two::open(engine).await;
    let mut app = two.second.app("ada@example.com").await;
    let before = two.house.books().await;
    for (client, at) in
        [(two.house.node.client(), "/p/p1"), (two.at_host("one.example"), ""), (two.at_host("one.example"), "/p/p2")]
    {
        let bearer = client.with("authorization", &format!("Bearer {}", app.access));
        client.post(&format!("{at}/auth/v1/refreshtoken"), &json!({ "refreshToken": app.refresh })).await.gone("ended");
        let sign_out = json!({ "userId": app.uid, "refreshToken": app.refresh });
        client.post(&format!("{at}/auth/v1/signout"), &sign_out).await.gone("ended");
        let profile = json!({ "authToken": app.access });
        client.post(&format!("{at}/auth/v1beta/authprofile"), &profile).await.refused(401, 10_002);
        bearer.get(&format!("{at}/auth/v1/user/{}/sessions", app.uid)).await.refused(401, 10_002);
        assert_eq!(bearer.get(&format!("{at}/v1/me")).await.status(), 401);
    }
    assert_eq!(two.house.books().await, before);
    // At the root, the tokens say themselves whose they are.
    app.me().await.is_ok();
    app.sessions().await.is_ok();
    app.refresh().await.is_ok();
    app.sign_out().await.is_ok();
}

async fn a_host_name_says_the_project_as_a_path_does(engine: Engine) {
    let two = Two::open(engine).await;
    let vouched = two.second.through(two.at_host("Two.Example")).sign_in("ada@example.com").await.ok();
    let mut app = App::told(two.at_host("two.example"), &vouched);
    app.me().await.is_ok();
    app.refresh().await.is_ok();
    app.sign_out().await.is_ok();
    app.me().await.json()["error"]["code"].as_str().filter(|code| *code == "invalid_credentials").unwrap();
}

async fn metadata_of_a_project_is_at_its_path_and_host(engine: Engine) {
    let two = Two::open(engine).await;
    let client = two.house.node.client();
    let path = "/.well-known/jwks.json";
    let first = client.get(path).await.ok().body;
    let second = client.get(&format!("/p/p2{path}")).await.ok().body;
    assert_ne!(first, second);
    assert_eq!(client.get(&format!("/p/p1{path}")).await.ok().body, first);
    assert_eq!(two.at_host("one.example").get(path).await.ok().body, first);
    assert_eq!(two.at_host("two.example").get(path).await.ok().body, second);
    for answer in [
        client.get(&format!("/p/p3{path}")).await,
        two.at_host("two.example").get(&format!("/p/p1{path}")).await,
        two.at_host("one.example").get(&format!("/p/p2{path}")).await,
    ] {
        assert_eq!((answer.status(), answer.json()["error"]["code"].as_str()), (404, Some("resource_not_found")));
    }
}
