//! The rule against a world of honest apps, thieves, lost answers, restored backups and leaping clocks.
//!
//! What an honest app is, exactly: it keeps its newest token in a storage that its tabs share, and reads it again on `replaced`. It loses
//! answers in fewer than three generations running, and fewer than three times within one; it comes back within `retry` of the server's
//! clock, or within the overlap after that clock leapt. A change of network ends the requests in flight on the old one.

use proptest::prelude::*;

use super::*;

struct World {
    row: Rotation,
    ended: Option<EndReason>,
    commits: Vec<Rotation>,
    now: Timestamp,
    leapt_at: Option<Timestamp>,
    mac_key: u32,
}

impl World {
    fn new() -> Self {
        let row = Rotation::first(START, MacKeyId(1));
        Self { commits: vec![row.clone()], row, ended: None, now: START, leapt_at: None, mac_key: 1 }
    }

    fn refresh(&mut self, generation: u32, caller: CallerMarks) -> Outcome {
        if let Some(reason) = self.ended {
            return Outcome::Ends(reason);
        }
        let mac_key = MacKeyId(self.mac_key);
        let attempt = Attempt { generation, caller, mac_key, now: self.now, clock: self.clock() };
        let judged = self.row.judge(&attempt, &RULE);
        if let Some(next) = judged.next {
            self.row = next;
            self.commits.push(self.row.clone());
        }
        if let Outcome::Ends(reason) = judged.outcome {
            self.ended = Some(reason);
        }
        judged.outcome
    }

    fn clock(&self) -> ClockState {
        let settles = self.leapt_at.map(|at| at.plus(RULE.overlap));
        if settles.is_some_and(|at| self.now < at) { ClockState::Leapt } else { ClockState::Settled }
    }

    fn wait(&mut self, span: Duration) {
        self.now = self.now.plus(span);
    }

    fn leap(&mut self, seconds: i64) {
        self.now = Timestamp::from_seconds(self.now.seconds() + seconds);
        self.leapt_at = Some(self.now);
    }

    fn lose_commits(&mut self, count: usize) {
        let keep = self.commits.len().saturating_sub(count).max(1);
        self.commits.truncate(keep);
        self.row = self.commits[keep - 1].clone();
    }
}

/// What befalls an honest app and the server that it talks to.
#[derive(Debug, Clone)]
enum Fate {
    Refresh,
    /// The server rotates, and the answer never arrives; tried again at once, or after the next event.
    LoseAnswer,
    /// Two tabs read the storage at once and both refresh.
    TwoTabs,
    /// A tab reads the storage, and sends what it read only after the other tab has refreshed this often.
    SlowTab(u8),
    Wait(Duration),
    ChangeNetwork(u8),
    /// A backup is restored, or a replica takes over that lacks the last commits.
    LoseCommits(usize),
    Leap(i64),
    RotateMacKey,
}

fn fate() -> impl Strategy<Value = Fate> {
    prop_oneof![
        4 => Just(Fate::Refresh),
        4 => Just(Fate::LoseAnswer),
        2 => Just(Fate::TwoTabs),
        1 => (1..4_u8).prop_map(Fate::SlowTab),
        4 => (0..10 * 3600_u64).prop_map(|s| Fate::Wait(Duration::from_secs(s))),
        3 => (1..4_u8).prop_map(Fate::ChangeNetwork),
        1 => (1..6_usize).prop_map(Fate::LoseCommits),
        1 => (-400 * 86_400..400 * 86_400_i64).prop_map(Fate::Leap),
        1 => Just(Fate::RotateMacKey),
    ]
}

struct App {
    stored: u32,
    marks: CallerMarks,
    lost_in_this_generation: u8,
    generations_with_losses: u8,
}

impl App {
    /// Refreshes until the storage holds a token that the app could go on with.
    fn refresh(&mut self, world: &mut World) -> Result<(), TestCaseError> {
        match world.refresh(self.stored, self.marks) {
            Outcome::Token { generation, .. } => {
                if self.lost_in_this_generation == 0 {
                    self.generations_with_losses = 0;
                }
                self.lost_in_this_generation = 0;
                self.stored = generation;
                Ok(())
            }
            other => Err(TestCaseError::fail(format!("an honest app was refused: {other:?}; row {:?}", world.row))),
        }
    }

    fn lose_answer(&mut self, world: &mut World) -> Result<(), TestCaseError> {
        let first_of_generation = self.lost_in_this_generation == 0;
        if self.lost_in_this_generation == 2 || (first_of_generation && self.generations_with_losses == 2) {
            return self.refresh(world);
        }
        self.generations_with_losses += u8::from(first_of_generation);
        self.lost_in_this_generation += 1;
        let outcome = world.refresh(self.stored, self.marks);
        prop_assert!(matches!(outcome, Outcome::Token { .. }), "an honest app was refused: {outcome:?}");
        Ok(())
    }

    /// A tab that sends what it read earlier: whatever it is told, the app must be able to go on.
    fn send_stale(&mut self, read: u32, world: &mut World) -> Result<(), TestCaseError> {
        match world.refresh(read, self.marks) {
            Outcome::Token { generation, .. } => self.stored = self.stored.max(generation),
            Outcome::Replaced => {}
            Outcome::Ends(reason) => {
                return Err(TestCaseError::fail(format!("a slow tab ended the session: {reason:?}")));
            }
        }
        self.refresh(world)
    }

    fn meets(&mut self, fate: &Fate, world: &mut World) -> Result<(), TestCaseError> {
        match *fate {
            Fate::Refresh => self.refresh(world),
            Fate::LoseAnswer => self.lose_answer(world),
            Fate::TwoTabs => {
                let read = self.stored;
                self.refresh(world)?;
                self.send_stale(read, world)
            }
            Fate::SlowTab(rotations) => {
                let read = self.stored;
                for _ in 0..rotations {
                    self.refresh(world)?;
                }
                self.send_stale(read, world)
            }
            Fate::Wait(span) => {
                let offline = world.now.plus(span).since(world.row.rotated_at);
                if offline < RULE.retry {
                    world.wait(span);
                    return Ok(());
                }
                self.refresh(world)?;
                world.wait(span);
                Ok(())
            }
            Fate::ChangeNetwork(to) => {
                self.marks.network = Mark([to; 16]);
                Ok(())
            }
            Fate::LoseCommits(count) => {
                world.lose_commits(count);
                Ok(())
            }
            Fate::Leap(seconds) => {
                world.leap(seconds);
                self.refresh(world)
            }
            Fate::RotateMacKey => {
                world.mac_key += 1;
                Ok(())
            }
        }
    }
}

/// One generation's worth of turns: who refreshes (`true`: the app), and how long after the last. Both do, some more than once.
fn round() -> impl Strategy<Value = Vec<(bool, Duration)>> {
    let pause = (RULE.overlap.as_secs() + 1..RULE.retry.as_secs()).prop_map(Duration::from_secs);
    let turns = prop::sample::select(vec![vec![true, false], vec![true, true, false], vec![true, false, false]]);
    (turns.prop_shuffle(), prop::collection::vec(pause, 3))
        .prop_map(|(turns, pauses)| turns.into_iter().zip(pauses).collect())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn an_honest_app_is_never_logged_out(fates in prop::collection::vec(fate(), 1..80)) {
        let mut world = World::new();
        let mut app = App { stored: 1, marks: HOME, lost_in_this_generation: 0, generations_with_losses: 0 };
        for fate in &fates {
            app.meets(fate, &mut world)?;
        }
        app.refresh(&mut world)?;
    }

    #[test]
    fn a_thief_and_an_app_that_both_go_on_refreshing_are_told_apart_within_three_generations(
        before in 0..5_u32,
        thief_marks in prop_oneof![Just(ELSEWHERE), Just(OTHER_AGENT)],
        rounds in prop::collection::vec(round(), 3),
    ) {
        let mut world = World::new();
        let mut app = 1;
        for _ in 0..before {
            world.wait(HOUR);
            let Outcome::Token { generation, .. } = world.refresh(app, HOME) else { panic!("refused") };
            app = generation;
        }
        let mut thief = app;
        for (is_app, pause) in rounds.into_iter().flatten() {
            world.wait(pause);
            let (token, marks) = if is_app { (&mut app, HOME) } else { (&mut thief, thief_marks) };
            if let Outcome::Token { generation, .. } = world.refresh(*token, marks) {
                *token = generation;
            }
        }
        prop_assert_eq!(world.ended, Some(EndReason::Theft), "{:?}", world.row);
    }

    #[test]
    fn no_token_of_an_ended_session_ever_works_again(
        reason in prop_oneof![Just(EndReason::Theft), Just(EndReason::SignedOut), Just(EndReason::StaleToken)],
        uses in prop::collection::vec((0..20_u32, any::<bool>(), 0..1_000_000_u64), 1..40),
    ) {
        let mut world = World::new();
        for generation in 1..10 {
            world.refresh(generation, HOME);
        }
        world.ended = Some(reason);
        for (generation, home, seconds) in uses {
            world.wait(Duration::from_secs(seconds));
            let outcome = world.refresh(generation, if home { HOME } else { ELSEWHERE });
            prop_assert_eq!(outcome, Outcome::Ends(reason));
        }
    }
}
