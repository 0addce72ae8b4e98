//! From which pages an app may call.

use countersign_testkit::{database::Engine, house::House, on_both_engines};

on_both_engines!(any_page_may_call_until_the_project_says_which, a_page_never_shows_a_secret_key);

async fn any_page_may_call_until_the_project_says_which(engine: Engine) {
    let house = House::open(engine).await;
    let app = house.client_app("crm-7");
    let from = |origin: &str| app.http().with("origin", origin);
    from("https://anywhere.example").get("/verify").await.is_ok();
    house.set(&["origins=https://app.example.com http://localhost:5173"]).await;
    for allowed in ["https://app.example.com", "http://localhost:5173"] {
        from(allowed).get("/verify").await.is_ok();
    }
    let foreign = [
        "https://anywhere.example",
        "http://app.example.com",
        "https://app.example.com:8443",
        "https://app.example.com.evil.example",
        "https://evil.example/https://app.example.com",
        "null",
        "",
    ];
    for origin in foreign {
        from(origin).get("/verify").await.denied(403, "forbidden");
    }
    let token = house.backend().new_app("ada@example.com").await.access;
    let bearer = house.node.client().with("authorization", &format!("Bearer {token}"));
    bearer.with("origin", "https://anywhere.example").get("/v1/me").await.denied(403, "forbidden");
    bearer.with("origin", "https://app.example.com").get("/v1/me").await.is_ok();
    app.verify().await.is_ok();
}

async fn a_page_never_shows_a_secret_key(engine: Engine) {
    let house = House::open(engine).await;
    let in_a_page = house.secret_bearer().with("origin", "https://app.example.com");
    in_a_page.get("/users").await.denied(403, "forbidden");
    assert_eq!(house.entries("key.seen_in_browser").await.len(), 1);
    house.secret_bearer().get("/users").await.is_ok();
}
