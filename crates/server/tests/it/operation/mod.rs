//! The binary as its operators know it: command line, processes, signals, disks, databases.

mod changes;
mod cli;
mod deployment;
mod dev;
mod nodes;
mod serve;
