//! Mail, with a mail server that isn't ours: `aiosmtpd`, in a process of its own.

mod command;
mod crash;
mod logs;
mod mail;
mod retries;
mod security;
mod server;
