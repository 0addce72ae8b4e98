//! The binary as its operators know it: command line, processes, signals, disks, databases.

mod audit;
mod changes;
mod cli;
mod crash;
pub(crate) mod deployment;
mod dev;
mod disk;
mod durability;
mod load;
mod metrics;
mod nodes;
mod outage;
mod refusals;
mod secrets_in_logs;
mod serve;
mod traced;
