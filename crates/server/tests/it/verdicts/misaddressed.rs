//! Calls that name no project, or none that there is.

use countersign_testkit::{database::Engine, house::House, on_both_engines};

on_both_engines!(a_path_that_is_no_text_names_no_project, a_user_id_that_is_no_text_names_nobody);

async fn a_path_that_is_no_text_names_no_project(engine: Engine) {
    let house = House::open(engine).await;
    let app = house.backend().new_app("ada@example.com").await;
    let bearer = app.http.with("authorization", &format!("Bearer {}", app.access));
    bearer.get("/p/p1/v1/me").await.is_ok();
    assert_eq!(bearer.get("/p/%FF/v1/me").await.status(), 401);
    assert_eq!(bearer.get("/p/p1/.well-known/jwks.json").await.status(), 200);
    assert_eq!(bearer.get("/p/%FF/.well-known/jwks.json").await.status(), 404);
    let vouch = house.backend().at("/p/%FF/auth/v1").sign_in("ada@example.com").await;
    vouch.refused(400, 100_001);
}

async fn a_user_id_that_is_no_text_names_nobody(engine: Engine) {
    let house = House::open(engine).await;
    for id in ["%FF", "u_1", "%00", "u_01HZZZZZZZZZZZZZZZZZZZZZZZ"] {
        let refused = house.backend().http().get(&format!("/auth/v1/user/{id}/sessions")).await;
        refused.refused(404, 100_012);
    }
}
