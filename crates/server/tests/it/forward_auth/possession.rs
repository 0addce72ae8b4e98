//! Tokens that are bound to a key (DPoP): their proofs are for the caller's own call, and not for the question about it.

use countersign_testkit::{bound::BoundApp, token};
use hyper::Method;

use super::{
    proxy::Kind,
    stage::{Stage, seen},
    through_each_proxy,
};
use crate::dpop::challenged;

through_each_proxy!(
    a_bound_token_passes_with_a_proof_for_this_call,
    a_proof_for_another_call_is_refused,
    a_caller_cant_say_that_the_call_was_another,
);

const OTHER_ADDRESS: &str = "htu of the proof is not the address of this call";
const OTHER_METHOD: &str = "htm of the proof is not the method of this call";

/// Such an app, which has learnt the nonce as apps do.
async fn informed(stage: &Stage) -> BoundApp {
    let mut app = stage.bound_app().await;
    let answer = app.call(&Method::GET, "/interactions", &app.proof_with_token("GET", "/interactions")).await;
    challenged(&answer, "use_dpop_nonce", "the proof has no nonce, or an old one");
    app.nonce = Some(answer.header("dpop-nonce").to_owned());
    app
}

async fn a_bound_token_passes_with_a_proof_for_this_call(stage: Stage) {
    let app = informed(&stage).await;
    for method in [Method::GET, Method::POST, Method::DELETE] {
        let proof = app.proof_with_token(method.as_str(), "/interactions/7");
        let answer = app.call(&method, "/interactions/7?a=b", &proof).await.ok();
        let told = answer.json();
        assert_eq!(seen(&told, "x-countersign-user"), app.app.uid);
        assert_eq!(token::claims(seen(&told, "x-countersign-assertion"))["sub"], app.app.uid.as_str());
        for credential in [&app.app.access, &proof.text()] {
            assert!(!told.to_string().contains(credential), "the API saw a credential: {told}");
        }
        // The nonce for the next proof. Traefik can't pass it on.
        assert_eq!(answer.headers.contains_key("dpop-nonce"), stage.proxy.kind != Kind::Traefik);
        let again = app.call(&method, "/interactions/7?a=b", &proof).await;
        challenged(&again, "invalid_dpop_proof", "the proof was used before");
    }
    assert_eq!(stage.api.asked(), 3);
}

async fn a_proof_for_another_call_is_refused(stage: Stage) {
    let app = informed(&stage).await;
    let bearer = stage.client().with("authorization", &format!("Bearer {}", app.app.access));
    let answer = bearer.get("/interactions").await;
    challenged(&answer, "invalid_token", "the access token is bound to a key");
    let good = || app.proof_with_token("GET", "/interactions");
    let server = stage.house.public_url();
    let refused = [
        (app.proof_with_token("POST", "/interactions"), OTHER_METHOD),
        (app.proof_with_token("GET", "/agents"), OTHER_ADDRESS),
        (app.proof_with_token("GET", "/p/p1/verify"), OTHER_ADDRESS),
        (good().saying("htu", format!("{server}/p/p1/verify")), OTHER_ADDRESS),
        (good().saying("htu", format!("{server}/interactions")), OTHER_ADDRESS),
        (good().saying("htu", "https://evil.example/interactions"), OTHER_ADDRESS),
    ];
    for (proof, description) in refused {
        challenged(&app.call(&Method::GET, "/interactions", &proof).await, "invalid_dpop_proof", description);
    }
    assert_eq!(stage.api.asked(), 0);
    app.call(&Method::GET, "/interactions", &good()).await.is_ok();
}

/// Somebody has overheard a call and its proof, and makes another call with them.
async fn a_caller_cant_say_that_the_call_was_another(stage: Stage) {
    let app = informed(&stage).await;
    let thief = app.through(stage.client().with("x-forwarded-uri", "/interactions").with("x-forwarded-method", "GET"));
    let overheard = app.proof_with_token("GET", "/interactions");
    let answer = thief.call(&Method::GET, "/agents", &overheard).await;
    challenged(&answer, "invalid_dpop_proof", OTHER_ADDRESS);
    let answer = thief.call(&Method::DELETE, "/interactions", &overheard).await;
    challenged(&answer, "invalid_dpop_proof", OTHER_METHOD);
    assert_eq!(stage.api.asked(), 0);
    app.call(&Method::GET, "/interactions", &overheard).await.is_ok();
}
