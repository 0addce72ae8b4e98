//! The query string in which a ticket may stand.
#![no_main]

use countersign_http::extract::ticket::{ticket_in, without_ticket};
use libfuzzer_sys::fuzz_target;

// Nobody after us sees a ticket that we saw, and what we don't take out stays as it is.
fuzz_target!(|query: &str| {
    let rest = without_ticket(query);
    match ticket_in(query) {
        Some(_) => assert!(rest.as_deref().is_none_or(|rest| ticket_in(rest).is_none())),
        None if !query.contains("countersign_ticket") => assert_eq!(rest.as_deref(), Some(query)),
        None => {}
    }
});
