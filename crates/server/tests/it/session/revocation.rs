//! Revocation in five dimensions: at once on the node that is told, and on every other as soon as it hears of it.

use std::time::Duration;

use countersign_domain::id::UserId;
use countersign_service::projects::state::StateChange::{self, Disable, Enable, Revoke};
use countersign_testkit::{
    actors::{App, Backend},
    database::Engine,
    house::{House, Node, p1},
    on_both_engines,
    token::claims,
    wait,
};

use super::HOUR;

on_both_engines!(
    a_revocation_holds_at_once_on_its_node_and_on_others_once_they_hear,
    a_node_hears_by_itself,
    a_node_that_starts_later_knows_what_was_revoked,
    what_was_revoked_stays_so_when_its_owner_is_let_in_again,
    a_key_that_is_revoked_or_rotated_without_cascade_ends_no_session,
    the_news_of_a_revocation_outlives_every_token_that_it_concerns,
);

/// What an operator can take back.
#[derive(Debug, Clone, Copy)]
enum Cut {
    Session,
    User(StateChange),
    Client(StateChange),
    Key,
    Project(StateChange),
}

const CUTS: [Cut; 8] = [
    Cut::Session,
    Cut::User(Revoke),
    Cut::User(Disable),
    Cut::Client(Revoke),
    Cut::Client(Disable),
    Cut::Key,
    Cut::Project(Revoke),
    Cut::Project(Disable),
];

impl Cut {
    async fn cut(self, house: &House, app: &App) {
        let (service, user): (_, UserId) = (&house.node.service, app.uid.parse().unwrap());
        let done = match self {
            Self::Session => service.revoke_session(&p1(), user, app.session().parse().unwrap()).await,
            Self::User(change) => service.change_user_state(&p1(), user, change).await.map(drop),
            Self::Client(change) => service.change_client_state(&p1(), &c1(), change).await.map(drop),
            Self::Key => service.revoke_secret_key(&p1(), house.key.key.id, true).await.map(drop),
            Self::Project(change) => service.change_project_state(&p1(), change).await.map(drop),
        };
        done.unwrap();
    }

    /// Those whom it must leave alone.
    async fn bystanders(self, house: &House) -> Vec<App> {
        let (backend, other_key) =
            (house.backend(), house.another_key(countersign_domain::key::KeyScope::default()).await);
        let same_user = backend.app("ada@example.com").await;
        let other_user = backend.new_app("bob@example.com").await;
        let other_client = backend.for_client("c2").app("bob@example.com").await;
        let other_key = house.backend_with(other_key.secret.danger_expose()).app("bob@example.com").await;
        match self {
            Self::Session => vec![same_user, other_user, other_client, other_key],
            Self::User(_) => vec![other_user, other_client, other_key],
            Self::Client(_) => vec![other_client],
            Self::Key => vec![other_key],
            Self::Project(_) => vec![],
        }
    }
}

fn c1() -> countersign_domain::id::ClientId {
    "c1".parse().unwrap()
}

fn on(app: &App, node: &Node) -> App {
    app.through(node.client().user_agent("app/1"))
}

async fn is_cut_off(app: &App, cut: Cut) {
    assert_eq!(app.me().await.status(), 401, "{cut:?}");
    let profile = app.profile().await;
    let is_closed = matches!(cut, Cut::Project(Disable));
    assert_eq!((profile.status(), profile.code()), (401, if is_closed { 10_002 } else { 100_049 }), "{cut:?}");
    app.try_refresh().await.gone("ended");
}

async fn a_revocation_holds_at_once_on_its_node_and_on_others_once_they_hear(engine: Engine) {
    for cut in CUTS {
        let house = House::open(engine).await;
        let second = house.another_node().await;
        let seen = house.backend().new_app("ada@example.com").await;
        let bystanders = cut.bystanders(&house).await;
        second.service.tick().await;
        for app in [std::slice::from_ref(&seen), &*bystanders].concat() {
            app.me().await.is_ok();
            on(&app, &second).me().await.is_ok();
        }
        // Of the same session, but no node has seen this access token yet.
        let mut unseen = seen.clone();
        unseen.refresh().await.is_ok();
        cut.cut(&house, &seen).await;
        is_cut_off(&seen, cut).await;
        is_cut_off(&unseen, cut).await;
        second.service.tick().await;
        is_cut_off(&on(&seen, &second), cut).await;
        is_cut_off(&on(&unseen, &second), cut).await;
        for app in bystanders {
            app.me().await.is_ok();
            on(&app, &second).me().await.is_ok();
            on(&app, &second).try_refresh().await.is_ok();
        }
    }
}

async fn a_node_hears_by_itself(engine: Engine) {
    let house = House::open(engine).await;
    let second = house.another_node().await;
    for cut in [Cut::Session, Cut::User(Revoke), Cut::Client(Revoke), Cut::Project(Revoke)] {
        let app = house.backend().through(second.client()).new_app("ada@example.com").await;
        app.me().await.is_ok();
        cut.cut(&house, &app).await;
        wait::until("the second node hears of it", Duration::from_secs(30), || {
            let app = app.clone();
            async move { app.me().await.status() == 401 }
        })
        .await;
    }
}

async fn a_node_that_starts_later_knows_what_was_revoked(engine: Engine) {
    for cut in CUTS {
        let house = House::open(engine).await;
        let app = house.backend().new_app("ada@example.com").await;
        cut.cut(&house, &app).await;
        let late = house.another_node().await;
        is_cut_off(&on(&app, &late), cut).await;
    }
}

async fn what_was_revoked_stays_so_when_its_owner_is_let_in_again(engine: Engine) {
    let house = House::open(engine).await;
    let pairs = [
        (Cut::User(Disable), Cut::User(Enable)),
        (Cut::Client(Disable), Cut::Client(Enable)),
        (Cut::Project(Disable), Cut::Project(Enable)),
    ];
    for (closing, opening) in pairs {
        let app = house.backend().new_app("ada@example.com").await;
        closing.cut(&house, &app).await;
        let refused = house.backend().sign_in("ada@example.com").await;
        assert!([400, 401].contains(&refused.status()), "{closing:?}: {refused}");
        opening.cut(&house, &app).await;
        assert_eq!(app.me().await.status(), 401);
        app.profile().await.refused(401, 100_049);
        app.try_refresh().await.gone("ended");
        let anew = house.backend().app("ada@example.com").await;
        anew.me().await.is_ok();
        anew.try_refresh().await.is_ok();
    }
}

async fn a_key_that_is_revoked_or_rotated_without_cascade_ends_no_session(engine: Engine) {
    let house = House::open(engine).await;
    let service = &house.node.service;
    let mut app = house.backend().new_app("ada@example.com").await;
    let new = service.rotate_secret_key(&p1(), house.key.key.id, HOUR).await.unwrap();
    app.refresh().await.is_ok();
    service.revoke_secret_key(&p1(), house.key.key.id, false).await.unwrap();
    house.backend().sign_in("ada@example.com").await.refused(401, 100_006);
    app.me().await.is_ok();
    app.refresh().await.is_ok();
    // The second thought.
    service.revoke_secret_key(&p1(), house.key.key.id, true).await.unwrap();
    is_cut_off(&app, Cut::Key).await;
    let backend: Backend = house.backend_with(new.secret.danger_expose());
    backend.app("ada@example.com").await.me().await.is_ok();
}

async fn the_news_of_a_revocation_outlives_every_token_that_it_concerns(engine: Engine) {
    let house = House::open(engine).await;
    let news = async |kind: &str| {
        house.database.number(&format!("select max(expires_at) / 1000000 from changes where kind = '{kind}'")).await
    };
    let app = house.backend().new_app("ada@example.com").await;
    Cut::Session.cut(&house, &app).await;
    assert!(news("session_ended").await >= claims(&app.access)["exp"].as_i64().unwrap());
    // A vouch or a refresh that began before this, and that this can't see, issues a token that lives as long as any client's may.
    house.set_client("c2", &["access.lifetime=2h"]).await;
    let now = house.node.service.now().seconds();
    Cut::User(Revoke).cut(&house, &app).await;
    assert!(news("user_revoked").await >= now + 2 * 3_600);
}
