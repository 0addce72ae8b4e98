//! Strangers who guess.

use countersign_testkit::{database::Engine, house::House, on_both_engines};

use super::{another, is_wrong, with_email};

on_both_engines!(
    a_stranger_who_guesses_burns_their_own_tries_and_not_the_code,
    strangers_on_many_networks_get_twenty_guesses_together,
    a_new_code_gives_a_guesser_no_new_tries,
);

async fn a_stranger_who_guesses_burns_their_own_tries_and_not_the_code(engine: Engine) {
    let house = House::in_development(engine).await;
    house.backend().sign_up("ada@example.com").await.is_ok();
    let ada = with_email(&house, "ada@example.com");
    let code = ada.code(&house).await;
    let stranger = ada.at("203.0.113.9");
    for _ in 0..5 {
        is_wrong(&stranger.sign_in(&another(&code)).await);
    }
    let refused = stranger.sign_in(&code).await;
    refused.refused(429, 100_009);
    assert!(refused.header("retry-after").parse::<u64>().unwrap() > 60, "{refused}");
    let books = house.books().await;
    assert_eq!(books.live_sessions, 1, "only the one that was vouched for");
    ada.sign_in(&code).await.is_ok();
}

async fn strangers_on_many_networks_get_twenty_guesses_together(engine: Engine) {
    let house = House::in_development(engine).await;
    house.backend().sign_up("ada@example.com").await.is_ok();
    let ada = with_email(&house, "ada@example.com");
    let code = ada.code(&house).await;
    for network in 0..4 {
        let stranger = ada.at(&format!("203.0.{network}.9"));
        for _ in 0..5 {
            is_wrong(&stranger.sign_in(&another(&code)).await);
        }
    }
    let books = house.books().await;
    is_wrong(&ada.at("203.0.9.9").sign_in(&code).await);
    assert_eq!(house.books().await, books);
    ada.sign_in(&ada.code(&house).await).await.is_ok();
}

async fn a_new_code_gives_a_guesser_no_new_tries(engine: Engine) {
    let house = House::in_development(engine).await;
    house.backend().sign_up("ada@example.com").await.is_ok();
    let stranger = with_email(&house, "ada@example.com").at("203.0.113.9");
    let code = stranger.code(&house).await;
    for _ in 0..5 {
        is_wrong(&stranger.sign_in(&another(&code)).await);
    }
    let next = stranger.code(&house).await;
    stranger.sign_in(&another(&next)).await.refused(429, 100_009);
    stranger.sign_in(&next).await.refused(429, 100_009);
    stranger.at("198.51.100.1").sign_in(&next).await.is_ok();
}
