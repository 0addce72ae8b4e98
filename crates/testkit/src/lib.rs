//! What tests stand on: real servers, real databases, a clock to turn by hand, and actors that read as sentences.
//!
//! A [`house::House`] is a server within the test's process, reached over TCP like any other, whose clock the test turns. A
//! [`program::Program`] is the binary, run as users run it. Both stand on a [`database::TestDatabase`] of their own, on either engine;
//! [`on_both_engines!`] makes two tests of one function.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "what goes wrong here is a failed test")]

pub mod actors;
pub mod answer;
pub mod authenticator;
pub mod books;
pub mod bound;
pub mod browser;
pub mod client_app;
pub mod clock;
pub mod database;
pub mod forger;
pub mod house;
pub mod http;
pub mod program;
pub mod provider;
pub mod raw;
pub mod service_provider;
pub mod sign_in;
pub mod token;
pub mod wait;

/// Makes of each function two tests, `sqlite::name` and `postgres::name`. A function takes the [`Engine`](database::Engine).
#[macro_export]
macro_rules! on_both_engines {
    ($($name:ident),* $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                super::$name($crate::database::Engine::Sqlite).await;
            })*
        }
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                super::$name($crate::database::Engine::Postgres).await;
            })*
        }
    };
}
