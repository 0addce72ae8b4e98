//! The page, in a real Chromium, against the example as its one command starts it.
//!
//! Each test is a visitor: a program of Node that does what a person would, and fails where the page does.

use tokio::sync::Mutex;

use super::{copy::Copy, started::Assistant};
use crate::guides::tools::{run, told};

/// One at a time: several browsers and servers at once would make a small machine slow, and what is late would look broken.
static TURN: Mutex<()> = Mutex::const_new(());

/// A visitor comes to a project that demands so much of a proof.
async fn visit(visitor: &str, hmac: &str) {
    let _turn = TURN.lock().await;
    let assistant = Assistant::start(hmac).await;
    let visitors = Copy::of_the_visitors();
    let mut command = visitors.node(visitor);
    command.env("BROWSER", told("COUNTERSIGN_TEST_BROWSER"));
    command.env("COUNTERSIGN", env!("CARGO_BIN_EXE_countersign")).env("DATA", assistant.data());
    command.env("PAGE", assistant.url());
    command.env("UPSTREAM", format!("http://127.0.0.1:{}", assistant.port("UPSTREAM_PORT")));
    command.env("PICTURES", concat!(env!("CARGO_TARGET_TMPDIR"), "/assistant"));
    let done = run(command.into()).await;
    assert_eq!(done.status, 0, "{}{}\nMeanwhile:\n{}", done.stdout, done.stderr, assistant.log());
}

macro_rules! visitors {
    ($($(#[doc = $doc:literal])* $name:ident($visitor:literal, $hmac:literal);)+) => {
        $(
            $(#[doc = $doc])*
            #[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                visit($visitor, $hmac).await;
            }
        )+
    };
}

visitors! {
    a_user_who_is_proved_talks("talks.mjs", "required");
    a_wrong_proof_and_none_are_explained_to_a_person("is_refused.mjs", "required");
    a_project_that_demands_no_proof_lets_users_in_and_says_so("is_unproved.mjs", "off");
    every_call_is_preflighted_and_a_preflight_carries_no_key("preflights.mjs", "required");
    who_switches_users_takes_nothing_along("switches.mjs", "required");
    a_reply_is_cut_when_its_user_is_disabled("is_cut.mjs", "required");
    an_assistant_that_is_away_is_explained_to_a_person("is_left_alone.mjs", "required");
    what_others_write_is_text_and_never_runs("writes_html.mjs", "required");
    all_is_done_by_keyboard("has_no_mouse.mjs", "required");
    it_can_be_seen_on_a_phone_and_on_a_desk_by_everybody("looks.mjs", "required");
}
