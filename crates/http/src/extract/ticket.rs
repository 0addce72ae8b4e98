//! The ticket in a query string.

use std::borrow::Cow;

/// The parameter that it stands in.
pub(crate) const PARAMETER: &str = "countersign_ticket";

/// The ticket in a query; none where there is none. Two are as good as a wrong one: who knows which was meant?
pub fn ticket_in(query: &str) -> Option<&str> {
    let mut found = query.split('&').filter_map(|pair| pair.strip_prefix(PARAMETER)?.strip_prefix('='));
    match (found.next(), found.next()) {
        (None, _) => None,
        (Some(ticket), None) => Some(ticket),
        (Some(_), Some(_)) => Some(""),
    }
}

/// The query without it, for who comes after us.
pub fn without_ticket(query: &str) -> Option<Cow<'_, str>> {
    let is_other =
        |pair: &&str| *pair != PARAMETER && !pair.strip_prefix(PARAMETER).is_some_and(|rest| rest.starts_with('='));
    if query.split('&').all(|pair| is_other(&pair)) {
        return Some(Cow::Borrowed(query));
    }
    let others: Vec<&str> = query.split('&').filter(is_other).collect();
    (!others.is_empty()).then(|| Cow::Owned(others.join("&")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ticket_is_found_among_others() {
        assert_eq!(ticket_in("a=b&countersign_ticket=tkt_1&c"), Some("tkt_1"));
        assert_eq!(ticket_in("countersign_ticket="), Some(""));
        for query in
            ["", "a=countersign_ticket", "countersign_tickets=1", "countersign_ticket", "x_countersign_ticket=1"]
        {
            assert_eq!(ticket_in(query), None, "{query}");
        }
        assert_eq!(ticket_in("countersign_ticket=a&countersign_ticket=b"), Some(""));
    }

    #[test]
    fn nobody_after_us_sees_it() {
        let without = |query: &str| without_ticket(query).map(Cow::into_owned);
        assert_eq!(without("a=b&countersign_ticket=tkt_1&c"), Some("a=b&c".to_owned()));
        assert_eq!(without("countersign_ticket=1&countersign_ticket=2"), None);
        assert_eq!(without("countersign_ticket"), None);
        assert_eq!(without("countersign_tickets=1"), Some("countersign_tickets=1".to_owned()));
        assert_eq!(without(""), Some(String::new()));
    }
}
