//! The roof: command line, configuration, wiring. Time, randomness, the environment and the file system come in here and nowhere else.

pub mod cli;
pub mod clock;
pub mod config;
pub mod data_dir;
pub mod delivery;
pub mod dev;
pub mod error;
pub mod listen;
pub mod mail;
pub mod serve;
pub mod shutdown;
pub mod sms;
pub mod tasks;
pub mod telemetry;
pub mod tls;
pub mod wire_up;
