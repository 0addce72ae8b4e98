//! The rule as a whole, through HTTP: whatever befalls them, honest apps stay signed in, thieves don't, and what has ended stays ended.

use std::time::Duration;

use countersign_domain::id::UserId;
use countersign_service::projects::state::StateChange;
use countersign_testkit::{
    actors::App,
    answer::Answer,
    database::{Backup, Engine},
    house::{House, p1},
    token::{generation, mac_key},
};
use proptest::{prelude::*, test_runner::RngSeed};
use tokio::runtime::Runtime;

use super::{ELSEWHERE, HOME, HOUR, OVERLAP, RETRY, SECOND};

fn few(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, rng_seed: RngSeed::Fixed(7_420), ..ProptestConfig::default() }
}

/// Tests run one after another here, so each has a runtime to itself.
fn run(test: impl Future<Output = ()>) {
    Runtime::new().unwrap().block_on(test);
}

/// What befalls an app, its other tab, and the server.
#[derive(Debug, Clone)]
enum Fate {
    Refresh,
    /// The server answers, and nobody hears it.
    LoseAnswer,
    /// The other tab reads the storage, sleeps while this one refreshes so often, and then sends what it read.
    TabSleepsOver(u8),
    Offline(Duration),
    Network(u8),
    BackUp,
    /// The backup takes the place of the database; so does a replica that lagged, at a failover.
    Restore,
    /// The wall clock is set, by so many hours.
    Leap(i64),
    RotateMacKey,
    /// All MAC keys go that the app no longer needs.
    RevokeOldMacKeys,
    Restart,
}

fn fate() -> impl Strategy<Value = Fate> {
    prop_oneof![
        5 => Just(Fate::Refresh),
        5 => Just(Fate::LoseAnswer),
        3 => (1..4_u8).prop_map(Fate::TabSleepsOver),
        5 => (0..20 * 3_600_u64).prop_map(|seconds| Fate::Offline(Duration::from_secs(seconds))),
        4 => (0..3_u8).prop_map(Fate::Network),
        1 => Just(Fate::BackUp),
        2 => Just(Fate::Restore),
        1 => (-30 * 24..30 * 24_i64).prop_map(Fate::Leap),
        2 => Just(Fate::RotateMacKey),
        1 => Just(Fate::RevokeOldMacKeys),
        1 => Just(Fate::Restart),
    ]
}

/// An honest app: its tabs share a storage, it is offline for less than a day, and of three answers running it hears one.
struct Honest {
    house: House,
    /// What the storage holds.
    app: App,
    network: u8,
    backup: Option<Backup>,
    /// Answers lost since the last that was heard.
    lost: u32,
    /// Generations running in which an answer was lost, this one included.
    generations_with_losses: u32,
    /// Since the server last gave out a new generation.
    since_rotation: Duration,
}

impl Honest {
    async fn new() -> Self {
        let house = House::open(Engine::Sqlite).await;
        house.set(&["refresh.lifetime=10years", "session.idle=10years"]).await;
        let app = house.backend().new_app("ada@example.com").await;
        let (network, since_rotation) = (0, Duration::ZERO);
        Self { house, app, network, backup: None, lost: 0, generations_with_losses: 0, since_rotation }.reconnected()
    }

    fn reconnected(mut self) -> Self {
        self.reconnect();
        self
    }

    fn reconnect(&mut self) {
        let address = format!("198.51.{}.7", self.network);
        self.app.http = self.house.node.client().user_agent("app/1").from_address(&address);
    }

    /// The app refreshes and hears the answer: it must be a token to go on with.
    async fn refresh(&mut self) {
        if self.lost == 0 {
            self.generations_with_losses = 0;
            self.since_rotation = Duration::ZERO;
        }
        self.lost = 0;
        let held = generation(&self.app.refresh);
        self.app.refresh().await.is_ok();
        assert!(generation(&self.app.refresh) > held);
        self.app.me().await.is_ok();
    }

    async fn lose_answer(&mut self) {
        let is_first = self.lost == 0;
        if self.lost == 2 || (is_first && self.generations_with_losses == 2) {
            return self.refresh().await;
        }
        if is_first {
            self.generations_with_losses += 1;
            self.since_rotation = Duration::ZERO;
        }
        self.lost += 1;
        self.app.try_refresh().await.is_ok();
    }

    async fn tab_sleeps_over(&mut self, rotations: u8) {
        let read = self.app.clone();
        for _ in 0..rotations {
            self.refresh().await;
        }
        let told = read.try_refresh().await;
        if told.status() == 200 {
            assert_eq!(told.text("refreshToken"), self.app.refresh);
        } else {
            told.gone("replaced");
            self.refresh().await;
        }
    }

    async fn stay_offline(&mut self, span: Duration) {
        if self.since_rotation + span >= RETRY {
            self.refresh().await;
        }
        self.since_rotation += span;
        self.house.advance(span).await;
    }

    async fn meet(&mut self, fate: &Fate) {
        match *fate {
            Fate::Refresh => self.refresh().await,
            Fate::LoseAnswer => self.lose_answer().await,
            Fate::TabSleepsOver(rotations) => self.tab_sleeps_over(rotations).await,
            Fate::Offline(span) => self.stay_offline(span).await,
            Fate::Network(network) => self.network = network,
            Fate::BackUp => self.backup = Some(self.house.back_up().await),
            Fate::Restore => {
                if let Some(backup) = &self.backup {
                    self.house.restore(backup).await;
                }
            }
            Fate::Leap(hours) => {
                let wall = self.house.node.service.now().seconds() + hours * 3_600;
                self.house.clock.leap_to(countersign_domain::clock::Timestamp::from_seconds(wall));
                self.house.node.service.tick().await;
                self.refresh().await;
            }
            Fate::RotateMacKey => {
                self.house.node.service.rotate_mac_key(&p1()).await.unwrap();
            }
            Fate::RevokeOldMacKeys => self.revoke_old_mac_keys().await,
            Fate::Restart => self.house.restart().await,
        }
        self.reconnect();
    }

    async fn revoke_old_mac_keys(&mut self) {
        let service = &self.house.node.service;
        let keys = service.list_keys(&p1()).await.unwrap().mac;
        let (needed, newest) = (mac_key(&self.app.refresh), keys.last().unwrap().id);
        for key in keys.iter().filter(|key| key.revoked_at.is_none() && key.id != newest && key.id.0 != needed) {
            service.revoke_mac_key(&p1(), key.id).await.unwrap();
        }
    }
}

/// What a thief doesn't share with the app.
#[derive(Debug, Clone, Copy)]
enum Foreign {
    Network,
    Agent,
}

/// One generation's turns: who refreshes (`true`: the app), and how long after the last. Both do at least once.
fn turns() -> impl Strategy<Value = Vec<(bool, Duration)>> {
    let pause = (OVERLAP.as_secs() + 1..7 * 3_600).prop_map(Duration::from_secs);
    let parties = prop::sample::select(vec![vec![true, false], vec![true, true, false], vec![true, false, false]]);
    (parties.prop_shuffle(), prop::collection::vec(pause, 3))
        .prop_map(|(parties, pauses)| parties.into_iter().zip(pauses).collect())
}

#[derive(Debug, Clone, Copy)]
enum End {
    SignOut,
    SessionRevoked,
    UserRevoked,
    Theft,
    Stale,
}

/// What somebody does with tokens of a session that is over.
#[derive(Debug, Clone)]
enum Try {
    /// The token of this generation, from home or not.
    Refresh(usize, bool),
    Wait(Duration),
    Leap(i64),
    RotateMacKey,
    Maintain,
    Restart,
}

fn attempt() -> impl Strategy<Value = Try> {
    prop_oneof![
        6 => (0..GENERATIONS, any::<bool>()).prop_map(|(which, at_home)| Try::Refresh(which, at_home)),
        2 => (0..30 * 3_600_u64).prop_map(|seconds| Try::Wait(Duration::from_secs(seconds))),
        1 => (-24..24_i64).prop_map(Try::Leap),
        1 => Just(Try::RotateMacKey),
        3 => Just(Try::Maintain),
        1 => Just(Try::Restart),
    ]
}

const GENERATIONS: usize = 6;

/// A session that is over, and the tokens of all its generations.
async fn ended(end: End) -> (House, Vec<App>) {
    let house = House::open(Engine::Sqlite).await;
    let mut app = house.backend().new_app("ada@example.com").await.at(HOME);
    let mut held = vec![app.clone()];
    while held.len() < GENERATIONS {
        app.refresh().await.is_ok();
        held.push(app.clone());
    }
    let (service, user): (_, UserId) = (&house.node.service, app.uid.parse().unwrap());
    match end {
        End::SignOut => app.sign_out().await.is_ok(),
        End::SessionRevoked => service.revoke_session(&p1(), user, app.session().parse().unwrap()).await.unwrap(),
        End::UserRevoked => drop(service.change_user_state(&p1(), user, StateChange::Revoke).await.unwrap()),
        End::Theft => {
            house.advance(HOUR).await;
            held[0].at(ELSEWHERE).try_refresh().await.gone("ended");
        }
        End::Stale => {
            house.advance(RETRY + SECOND).await;
            held[GENERATIONS - 2].try_refresh().await.gone("ended");
        }
    }
    (house, held)
}

async fn is_over(house: &House, held: &App, at_home: bool) {
    let http = house.node.client().user_agent("app/1").from_address(if at_home { HOME } else { ELSEWHERE });
    let app = held.through(http);
    let refused: Answer = app.try_refresh().await;
    refused.gone("ended");
    assert_eq!(app.me().await.status(), 401);
}

proptest! {
    #![proptest_config(few(24))]

    #[test]
    fn an_honest_app_is_never_logged_out(fates in prop::collection::vec(fate(), 10..60)) {
        run(async {
            let mut honest = Honest::new().await;
            for fate in &fates {
                honest.meet(fate).await;
            }
            honest.refresh().await;
        });
    }
}

proptest! {
    #![proptest_config(few(16))]

    #[test]
    fn a_thief_and_an_app_that_both_go_on_refreshing_are_told_apart_within_three_generations(
        before in 0..4_u32,
        foreign in prop::sample::select(vec![Foreign::Network, Foreign::Agent]),
        rounds in prop::collection::vec(turns(), 3),
    ) {
        run(async {
            let house = House::open(Engine::Sqlite).await;
            let mut app = house.backend().new_app("ada@example.com").await.at(HOME);
            for _ in 0..before {
                app.refresh().await.is_ok();
            }
            let mut thief = match foreign {
                Foreign::Network => app.at(ELSEWHERE),
                Foreign::Agent => app.through(app.http.user_agent("thief/1")),
            };
            for (is_app, pause) in rounds.into_iter().flatten() {
                house.advance(pause).await;
                if is_app { app.refresh().await } else { thief.refresh().await };
            }
            for party in [app, thief] {
                party.try_refresh().await.gone("ended");
                assert_eq!(party.me().await.status(), 401);
            }
            assert_eq!(house.entries("session.theft").await.len(), 1);
        });
    }

    #[test]
    fn no_token_of_an_ended_session_ever_works_again(
        end in prop::sample::select(vec![End::SignOut, End::SessionRevoked, End::UserRevoked, End::Theft, End::Stale]),
        tries in prop::collection::vec(attempt(), 8..24),
    ) {
        run(async {
            let (mut house, held) = ended(end).await;
            for attempt in tries {
                match attempt {
                    Try::Refresh(which, at_home) => is_over(&house, &held[which], at_home).await,
                    Try::Wait(span) => house.advance(span).await,
                    Try::Leap(hours) => {
                        let wall = house.node.service.now().seconds() + hours * 3_600;
                        house.clock.leap_to(countersign_domain::clock::Timestamp::from_seconds(wall));
                        house.node.service.tick().await;
                    }
                    Try::RotateMacKey => drop(house.node.service.rotate_mac_key(&p1()).await.unwrap()),
                    Try::Maintain => house.node.service.maintain().await,
                    Try::Restart => house.restart().await,
                }
            }
            is_over(&house, &held[GENERATIONS - 1], true).await;
        });
    }
}
