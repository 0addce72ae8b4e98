//! Signing out of a bound session.

use countersign_crypto::jose::public_key::Kind;
use countersign_testkit::{bound::a_key, database::Engine, house::House, on_both_engines};

use super::{bound_app, is_challenge, rows};

on_both_engines!(
    who_holds_the_key_signs_out,
    a_stolen_refresh_token_signs_nobody_out,
    a_proof_that_will_not_do_signs_nobody_out,
);

const PATH: &str = "/auth/v1/signout";

async fn who_holds_the_key_signs_out(engine: Engine) {
    let house = House::open(engine).await;
    let mut app = bound_app(&house).await;
    app.sign_out().await.is_ok();
    assert_eq!(app.me().await.status(), 401);
    app.refresh().await.gone("ended");
    app.sign_out().await.is_ok();
}

async fn a_stolen_refresh_token_signs_nobody_out(engine: Engine) {
    let house = House::open(engine).await;
    let app = bound_app(&house).await;
    let unusable = app.app.holding("rt_x").sign_out().await;
    let before = rows(&house).await;
    let thief = app.sign_out_with(&app.proof("POST", PATH).by(&a_key(Kind::Es256))).await;
    for refused in [app.app.sign_out().await, thief] {
        refused.gone("ended");
        assert_eq!(refused.json(), unusable.json());
    }
    assert_eq!(rows(&house).await, before);
    app.me().await.is_ok();
    app.sign_out().await.is_ok();
}

async fn a_proof_that_will_not_do_signs_nobody_out(engine: Engine) {
    let house = House::open(engine).await;
    let app = bound_app(&house).await;
    let before = rows(&house).await;
    let used = app.proof("POST", PATH);
    let cases = [
        (app.proof("POST", PATH).silent_of("nonce"), "use_dpop_nonce", "the proof has no nonce, or an old one"),
        (
            app.proof("POST", "/auth/v1/refreshtoken"),
            "invalid_dpop_proof",
            "htu of the proof is not the address of this call",
        ),
        (app.proof("GET", PATH), "invalid_dpop_proof", "htm of the proof is not the method of this call"),
    ];
    for (proof, error, description) in cases {
        let refused = app.sign_out_with(&proof).await;
        refused.refused(401, 10_002);
        is_challenge(&refused, error, description);
    }
    assert_eq!(rows(&house).await, before);
    app.sign_out_with(&used).await.is_ok();
}
