//! The binary as its operators know it: command line, processes, signals, disks, databases.

mod cli;
mod deployment;
mod dev;
