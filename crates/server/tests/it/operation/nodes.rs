//! Several servers of one deployment.

use std::fs;

use countersign_testkit::{actors::App, database::Engine, on_both_engines, program::Running, wait};

use super::deployment::Deployment;

on_both_engines!(
    a_user_made_at_one_is_known_at_the_other_at_once,
    a_session_is_refreshed_wherever_its_app_asks,
    a_session_signed_out_at_one_is_dead_at_the_other,
    four_started_at_once_on_an_empty_database_all_come_up,
);

async fn two(engine: Engine) -> (Deployment, Running, Running) {
    let deployment = Deployment::furnished(engine).await;
    let servers = (deployment.program.serve().await, deployment.program.serve().await);
    (deployment, servers.0, servers.1)
}

fn at(server: &Running, app: &App) -> App {
    app.through(server.client().user_agent("app/1"))
}

async fn a_user_made_at_one_is_known_at_the_other_at_once(engine: Engine) {
    let (deployment, one, other) = two(engine).await;
    for number in 0..10 {
        let email = format!("u{number}@example.com");
        let uid = deployment.backend(&one).sign_up(&email).await.ok().text("uid");
        assert_eq!(deployment.backend(&other).sign_in(&email).await.ok().text("uid"), uid);
    }
}

async fn a_session_is_refreshed_wherever_its_app_asks(engine: Engine) {
    let (deployment, one, other) = two(engine).await;
    let mut app = deployment.backend(&one).new_app("ada@example.com").await;
    for round in 0..10 {
        app = at(if round % 2 == 0 { &other } else { &one }, &app);
        app.refresh().await.is_ok();
        app.me().await.is_ok();
    }
    // Both answer the same lost answer with the same successor.
    let (first, second) =
        tokio::join!(async { at(&one, &app).try_refresh().await }, async { at(&other, &app).try_refresh().await });
    assert_eq!(first.ok().text("refreshToken"), second.ok().text("refreshToken"));
}

async fn a_session_signed_out_at_one_is_dead_at_the_other(engine: Engine) {
    let (deployment, one, other) = two(engine).await;
    let app = deployment.backend(&one).new_app("ada@example.com").await;
    let there = at(&other, &app);
    there.me().await.is_ok();
    app.sign_out().await.is_ok();
    assert_eq!(app.me().await.status(), 401);
    there.try_refresh().await.gone("ended");
    // How soon is the subject of `changes`.
    wait::until("the access token is dead at the other", std::time::Duration::from_secs(3), || {
        let there = there.clone();
        async move { there.me().await.status() == 401 }
    })
    .await;
}

async fn four_started_at_once_on_an_empty_database_all_come_up(engine: Engine) {
    let deployment = Deployment::empty(engine).await;
    let program = &deployment.program;
    let (a, b, c, d) = tokio::join!(program.serve(), program.serve(), program.serve(), program.serve());
    let servers = [a, b, c, d];
    let deployment = Deployment { secret: String::new(), ..deployment }.furnish().await;
    let email = "ada@example.com";
    wait::until("all have heard of the project", std::time::Duration::from_secs(5), || async {
        let mut known = 0;
        for server in &servers {
            known += usize::from(deployment.backend(server).sign_up(email).await.status() == 200);
        }
        known == servers.len()
    })
    .await;
    // One master key, which a server that starts later finds good.
    let later = deployment.program.serve().await;
    deployment.backend(&later).sign_in(email).await.is_ok();
    let versions = deployment.database.dump().await;
    assert_eq!(versions.lines().filter(|line| line.starts_with("schema_version: ")).count(), 1);
    let left: Vec<String> = fs::read_dir(deployment.program.data())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(left, ["master.key"], "a half-made file was left behind");
}
