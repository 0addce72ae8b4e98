//! `GET .well-known/jwks.json`.

use countersign_service::projects::state::StateChange;
use countersign_testkit::{
    database::Engine,
    house::{House, p1},
    on_both_engines,
    token::header,
};

use super::members;

on_both_engines!(
    the_jwk_set_may_be_kept_for_an_hour_and_holds_nothing_private,
    each_project_has_keys_of_its_own,
    a_project_that_is_closed_or_unknown_has_none,
);

const PATH: &str = "/.well-known/jwks.json";

async fn the_jwk_set_may_be_kept_for_an_hour_and_holds_nothing_private(engine: Engine) {
    let house = House::open(engine).await;
    let app = house.backend().new_app("ada@example.com").await;
    let answer = app.http.get(PATH).await.ok();
    assert_eq!(answer.header("content-type"), "application/jwk-set+json");
    assert_eq!(answer.header("cache-control"), "public, max-age=3600");
    let set = answer.json();
    assert_eq!(members(&set), ["keys"]);
    let keys = set["keys"].as_array().unwrap();
    assert_eq!(keys.len(), 2, "the active key and the next");
    for key in keys {
        assert_eq!(members(key), ["alg", "crv", "kid", "kty", "use", "x", "y"]);
        assert_eq!((&key["alg"], &key["crv"]), (&"ES256".into(), &"P-256".into()));
        assert_eq!((&key["kty"], &key["use"]), (&"EC".into(), &"sig".into()));
    }
    assert!(keys.iter().any(|key| key["kid"] == header(&app.access)["kid"]));
    assert_eq!(app.http.get(&format!("/p/p1{PATH}")).await.ok().json(), set);
}

async fn each_project_has_keys_of_its_own(engine: Engine) {
    let house = House::open(engine).await;
    house.another_project("p2").await;
    let http = house.node.client();
    let kids = async |path: &str| {
        let set = http.get(path).await.ok().json();
        set["keys"].as_array().unwrap().iter().map(|key| key["kid"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let (first, second) = (kids("/p/p1/.well-known/jwks.json").await, kids("/p/p2/.well-known/jwks.json").await);
    assert!(first.iter().all(|kid| !second.contains(kid)), "{first:?} {second:?}");
}

async fn a_project_that_is_closed_or_unknown_has_none(engine: Engine) {
    let house = House::open(engine).await;
    let http = house.node.client();
    http.get("/p/p9/.well-known/jwks.json").await.denied(404, "resource_not_found");
    http.get(PATH).await.is_ok();
    house.node.service.change_project_state(&p1(), StateChange::Disable).await.unwrap();
    http.get(PATH).await.denied(404, "resource_not_found");
}
