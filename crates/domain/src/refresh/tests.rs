//! The rule, row by row. What the rows add up to is tested in [`model`].

mod model;

use super::*;

const RULE: RefreshRule =
    RefreshRule { retry: Duration::from_hours(24), overlap: Duration::from_mins(1), rotates: true };
const HOME: CallerMarks = CallerMarks { network: Mark([1; 16]), agent: Mark([1; 16]) };
const ELSEWHERE: CallerMarks = CallerMarks { network: Mark([2; 16]), agent: Mark([1; 16]) };
const OTHER_AGENT: CallerMarks = CallerMarks { network: Mark([1; 16]), agent: Mark([2; 16]) };
const START: Timestamp = Timestamp::from_seconds(1_000_000);

/// A session at generation 10, rotated from home at [`START`].
fn at_ten() -> Rotation {
    Rotation { generation: 10, rotated_by: Some(HOME), ..Rotation::first(START, MacKeyId(1)) }
}

fn attempt(generation: u32, caller: CallerMarks, age: Duration) -> Attempt {
    Attempt { generation, caller, mac_key: MacKeyId(1), now: START.plus(age), clock: ClockState::Settled }
}

fn token(generation: u32) -> Outcome {
    Outcome::Token { generation, mac_key: MacKeyId(1) }
}

const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_hours(1);
const THEFT: Outcome = Outcome::Ends(EndReason::Theft);

#[test]
fn the_newest_token_gets_its_successor_and_moves_the_row() {
    let judged = at_ten().judge(&attempt(10, ELSEWHERE, HOUR), &RULE);
    let next = judged.next.unwrap();
    assert_eq!(judged.outcome, token(11));
    assert_eq!((next.generation, next.rotated_at, next.rotated_by), (11, START.plus(HOUR), Some(ELSEWHERE)));
    assert_eq!(judged.event, None);
}

#[test]
fn without_rotation_the_same_token_is_given_again_and_the_use_is_noted() {
    let rule = RefreshRule { rotates: false, ..RULE };
    let judged = at_ten().judge(&attempt(10, HOME, HOUR), &rule);
    assert_eq!(judged.outcome, token(10));
    assert_eq!(judged.next.unwrap().rotated_at, START.plus(HOUR));
}

#[test]
fn a_new_token_is_made_under_the_newest_key_and_a_repeated_one_under_its_own() {
    let under_new_key = Attempt { mac_key: MacKeyId(2), ..attempt(10, HOME, HOUR) };
    let judged = at_ten().judge(&under_new_key, &RULE);
    assert_eq!(judged.outcome, Outcome::Token { generation: 11, mac_key: MacKeyId(2) });
    let repeated = Attempt { mac_key: MacKeyId(2), ..attempt(9, HOME, SECOND) };
    assert_eq!(at_ten().judge(&repeated, &RULE).outcome, token(10));
}

#[test]
fn within_the_overlap_the_token_before_gets_the_same_successor_and_nothing_is_stored() {
    let judged = at_ten().judge(&attempt(9, HOME, RULE.overlap), &RULE);
    assert_eq!(judged, Judgement { outcome: token(10), next: None, event: None });
}

#[test]
fn after_the_overlap_the_token_before_is_answered_five_times_and_then_replaced() {
    let mut row = at_ten();
    for replays in 1..=MAX_REPLAYS {
        let judged = row.judge(&attempt(9, HOME, HOUR), &RULE);
        assert_eq!((judged.outcome, judged.event), (token(10), None));
        row = judged.next.unwrap();
        assert_eq!(row.replays, replays);
        assert_eq!(row.rotated_at, START, "a replay is no rotation");
    }
    let judged = row.judge(&attempt(9, HOME, HOUR), &RULE);
    assert_eq!(judged, Judgement { outcome: Outcome::Replaced, next: None, event: None });
}

#[test]
fn a_foreign_replay_gets_the_same_successor_five_times_each_an_event() {
    for elsewhere in [ELSEWHERE, OTHER_AGENT] {
        let mut row = at_ten();
        for _ in 0..MAX_REPLAYS {
            let judged = row.judge(&attempt(9, elsewhere, SECOND), &RULE);
            assert_eq!((judged.outcome, judged.event), (token(10), Some(Event::ForeignReplay)));
            row = judged.next.unwrap();
            assert_eq!((row.foreign_run, row.foreign_generation), (1, 10));
        }
        assert_eq!(row.judge(&attempt(9, elsewhere, SECOND), &RULE).outcome, Outcome::Replaced);
    }
}

#[test]
fn foreign_replays_in_three_generations_running_are_theft() {
    let before = Rotation { foreign_run: 2, foreign_generation: 9, ..at_ten() };
    let judged = before.judge(&attempt(9, ELSEWHERE, SECOND), &RULE);
    assert_eq!((judged.outcome, judged.event), (THEFT, Some(Event::Theft)));
}

#[test]
fn a_generation_without_a_foreign_replay_ends_the_run() {
    let before = Rotation { foreign_run: 2, foreign_generation: 8, ..at_ten() };
    let judged = before.judge(&attempt(9, ELSEWHERE, SECOND), &RULE);
    assert_eq!(judged.outcome, token(10));
    assert_eq!(judged.next.unwrap().foreign_run, 1);
}

#[test]
fn the_token_before_ends_the_session_when_it_comes_back_too_late() {
    for caller in [HOME, ELSEWHERE] {
        let in_time = at_ten().judge(&attempt(9, caller, RULE.retry), &RULE);
        assert_eq!(in_time.outcome, token(10));
        let late = at_ten().judge(&attempt(9, caller, RULE.retry + SECOND), &RULE);
        assert_eq!(late.outcome, Outcome::Ends(EndReason::StaleToken));
    }
}

#[test]
fn an_older_token_from_home_is_a_tab_that_slept() {
    for generation in [0, 1, 8] {
        let judged = at_ten().judge(&attempt(generation, HOME, HOUR), &RULE);
        assert_eq!(judged, Judgement { outcome: Outcome::Replaced, next: None, event: None });
    }
}

#[test]
fn an_older_token_from_elsewhere_is_theft_unless_a_rotation_has_just_been() {
    let judged = at_ten().judge(&attempt(8, ELSEWHERE, RULE.overlap), &RULE);
    assert_eq!((judged.outcome, judged.event), (THEFT, Some(Event::Theft)));

    let just_rotated = at_ten().judge(&attempt(8, ELSEWHERE, SECOND), &RULE);
    assert_eq!((just_rotated.outcome, just_rotated.event), (Outcome::Replaced, Some(Event::ForeignStraggler)));
    assert_eq!(just_rotated.next.unwrap().behind_since, Some(START.plus(SECOND)));
}

#[test]
fn a_straggler_from_elsewhere_is_theft_when_it_comes_again_after_the_overlap() {
    let since = |ago: Duration| Rotation { behind_since: Some(START.minus(ago)), ..at_ten() };
    let again = |ago| since(ago).judge(&attempt(8, ELSEWHERE, Duration::ZERO), &RULE).outcome;
    assert_eq!(again(RULE.overlap), Outcome::Replaced);
    assert_eq!(again(RULE.overlap + SECOND), THEFT);
    assert_eq!(again(STRAGGLER_IS_FORGOTTEN + SECOND), Outcome::Replaced);
}

#[test]
fn a_token_newer_than_the_row_moves_the_row_past_it() {
    let judged = at_ten().judge(&attempt(14, HOME, HOUR), &RULE);
    assert_eq!((judged.outcome, judged.event), (token(15), Some(Event::LostCommit)));
    assert_eq!(judged.next.unwrap().generation, 15);
}

#[test]
fn after_a_leap_of_the_clock_nothing_ends() {
    let leapt = |generation, caller, age| Attempt { clock: ClockState::Leapt, ..attempt(generation, caller, age) };
    let outcome = |row: Rotation, it| row.judge(&it, &RULE).outcome;
    let year = Duration::from_hours(24 * 365);
    assert_eq!(outcome(at_ten(), leapt(9, HOME, year)), token(10));
    assert_eq!(outcome(at_ten(), leapt(9, ELSEWHERE, year)), token(10));
    assert_eq!(outcome(at_ten(), leapt(8, ELSEWHERE, year)), Outcome::Replaced);
    let run = Rotation { foreign_run: 2, foreign_generation: 9, ..at_ten() };
    assert_eq!(outcome(run, leapt(9, ELSEWHERE, SECOND)), Outcome::Replaced);
}

#[test]
fn a_clock_that_stepped_back_makes_ages_zero_not_huge() {
    let row = Rotation { rotated_at: START.plus(HOUR), ..at_ten() };
    assert_eq!(row.judge(&attempt(9, HOME, SECOND), &RULE).outcome, token(10));
}

#[test]
fn the_last_generation_doesnt_overflow() {
    let row = Rotation { generation: u32::MAX, ..at_ten() };
    assert_eq!(row.judge(&attempt(u32::MAX, HOME, HOUR), &RULE).outcome, token(u32::MAX));
}
