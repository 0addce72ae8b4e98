//! What the provider says of itself.

use countersign_testkit::{database::Engine, house::House, on_both_engines};
use serde_json::json;

on_both_engines!(
    the_document_says_what_is_there,
    a_project_with_a_path_is_described_after_it_and_before_it,
    a_project_that_is_not_there_is_not_described,
);

const PLACES: [&str; 2] = ["/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"];

async fn the_document_says_what_is_there(engine: Engine) {
    let house = House::open(engine).await;
    let issuer = house.public_url();
    let http = house.node.client();
    let answer = http.get(PLACES[0]).await.ok();
    assert_eq!(answer.header("content-type"), "application/json");
    assert_eq!(answer.header("cache-control"), "public, max-age=3600");
    assert_eq!(answer.header("access-control-allow-origin"), "*");
    let document = answer.json();
    assert_eq!(http.get(PLACES[1]).await.ok().json(), document);
    assert_eq!(document["issuer"], issuer);
    for (name, path) in [
        ("authorization_endpoint", "/oauth2/authorize"),
        ("authorization_challenge_endpoint", "/oauth2/authorize-challenge"),
        ("token_endpoint", "/oauth2/token"),
        ("userinfo_endpoint", "/oauth2/userinfo"),
        ("introspection_endpoint", "/oauth2/introspect"),
        ("revocation_endpoint", "/oauth2/revoke"),
        ("jwks_uri", "/.well-known/jwks.json"),
    ] {
        assert_eq!(document[name], format!("{issuer}{path}"), "{name}");
    }
    for (name, value) in [
        ("response_types_supported", json!(["code"])),
        ("response_modes_supported", json!(["query", "form_post"])),
        ("grant_types_supported", json!(["authorization_code", "refresh_token", "client_credentials"])),
        ("code_challenge_methods_supported", json!(["S256"])),
        ("id_token_signing_alg_values_supported", json!(["ES256"])),
        ("subject_types_supported", json!(["public"])),
        ("authorization_response_iss_parameter_supported", json!(true)),
        ("request_parameter_supported", json!(false)),
        ("request_uri_parameter_supported", json!(false)),
    ] {
        assert_eq!(document[name], value, "{name}");
    }
    let methods = &document["token_endpoint_auth_methods_supported"];
    assert_eq!(*methods, json!(["none", "client_secret_basic", "client_secret_post", "private_key_jwt"]));
    // What a client registers is seen at once.
    house.set_client("c3", &["oauth.id_token_alg=EdDSA", "oauth.scopes=openid orders"]).await;
    let document = http.get(PLACES[0]).await.ok().json();
    assert_eq!(document["id_token_signing_alg_values_supported"], json!(["ES256", "EdDSA"]));
    assert!(document["scopes_supported"].as_array().unwrap().contains(&json!("orders")));
}

async fn a_project_with_a_path_is_described_after_it_and_before_it(engine: Engine) {
    let house = House::open(engine).await;
    house.another_project("p2").await;
    let http = house.node.client();
    for place in PLACES {
        let appended = http.get(&format!("/p/p2{place}")).await.ok().json();
        let inserted = http.get(&format!("{place}/p/p2")).await.ok().json();
        assert_eq!(appended["issuer"], format!("{}/p/p2", house.public_url()));
        assert_eq!(appended, inserted);
        assert_eq!(appended["token_endpoint"], format!("{}/p/p2/oauth2/token", house.public_url()));
    }
}

async fn a_project_that_is_not_there_is_not_described(engine: Engine) {
    let house = House::open(engine).await;
    for place in PLACES {
        house.node.client().get(&format!("/p/p9{place}")).await.denied(404, "resource_not_found");
        house.node.client().get(&format!("{place}/p/p9")).await.denied(404, "resource_not_found");
        house.node.client().get(place).await.is_ok();
    }
}
