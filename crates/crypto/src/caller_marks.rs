//! From where somebody calls, as marks that tell same from other and nothing else.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use aws_lc_rs::hmac;
use countersign_domain::{
    refresh::{CallerMarks, Mark},
    risk::Place,
};

/// The key of a project's marks: those of one project say nothing about those of another.
pub struct CallerMarksKey(pub(crate) hmac::Key);

/// The marks of a caller. An address counts by its network, since providers hand out others of the same.
pub fn caller_marks(key: &CallerMarksKey, address: IpAddr, user_agent: &str) -> CallerMarks {
    let network = network_of(address);
    CallerMarks { network: mark(key, b"network", &network), agent: mark(key, b"agent", user_agent.as_bytes()) }
}

/// The same of somebody who signs in, for longer: a browser calls itself otherwise with each of its updates, and is the same.
pub fn place(key: &CallerMarksKey, address: IpAddr, user_agent: &str) -> Place {
    let CallerMarks { network, agent } = caller_marks(key, address, user_agent);
    Place { network, agent, device: mark(key, b"device", without_versions(user_agent).as_bytes()) }
}

/// Numbers after `/` or `:`, and such with dots or underlines in them, are versions. Others are names, as in `Pixel 8`.
fn without_versions(user_agent: &str) -> String {
    let mut kept = String::with_capacity(user_agent.len());
    let mut rest = user_agent;
    while let Some(from) = rest.find(|c: char| c.is_ascii_digit()) {
        let (before, number) = rest.split_at(from);
        let to = number.find(|c: char| !c.is_ascii_digit() && c != '.' && c != '_').unwrap_or(number.len());
        let (number, after) = number.split_at(to);
        kept.push_str(before);
        if !before.ends_with(['/', ':']) && !number.contains(['.', '_']) {
            kept.push_str(number);
        }
        rest = after;
    }
    kept + rest
}

/// The /24 of an IPv4 address, the /56 of an IPv6 address, as bytes.
pub fn network_of(address: IpAddr) -> [u8; 16] {
    match address.to_canonical() {
        IpAddr::V4(v4) => {
            let [a, b, c, _] = v4.octets();
            Ipv4Addr::new(a, b, c, 0).to_ipv6_mapped().octets()
        }
        IpAddr::V6(v6) => Ipv6Addr::from(u128::from(v6) >> 72 << 72).octets(),
    }
}

fn mark(key: &CallerMarksKey, what: &[u8], value: &[u8]) -> Mark {
    let mut context = hmac::Context::with_key(&key.0);
    context.update(what);
    context.update(&[0]);
    context.update(value);
    let mut mark = [0; 16];
    mark.copy_from_slice(&context.sign().as_ref()[..16]);
    Mark(mark)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marks(address: &str, agent: &str) -> CallerMarks {
        let key = CallerMarksKey(hmac::Key::new(hmac::HMAC_SHA256, &[1; 32]));
        caller_marks(&key, address.parse().unwrap(), agent)
    }

    #[test]
    fn addresses_of_one_network_have_one_mark() {
        assert_eq!(marks("203.0.113.7", "app"), marks("203.0.113.250", "app"));
        assert_eq!(marks("203.0.113.7", "app"), marks("::ffff:203.0.113.9", "app"));
        assert_eq!(marks("2001:db8:1:200::1", "app"), marks("2001:db8:1:2ff:ffff::2", "app"));
    }

    #[test]
    fn other_networks_and_other_agents_have_other_marks() {
        assert_ne!(marks("203.0.113.7", "app").network, marks("203.0.114.7", "app").network);
        assert_ne!(marks("2001:db8:1:200::1", "app").network, marks("2001:db8:1:300::1", "app").network);
        assert_ne!(marks("203.0.113.7", "app").agent, marks("203.0.113.7", "app/2").agent);
        let swapped = marks("203.0.113.7", "app");
        assert_ne!(swapped.network, swapped.agent);
    }

    fn device(agent: &str) -> Mark {
        let key = CallerMarksKey(hmac::Key::new(hmac::HMAC_SHA256, &[1; 32]));
        place(&key, "203.0.113.7".parse().unwrap(), agent).device
    }

    #[test]
    fn a_browser_is_the_same_after_an_update_and_another_one_is_another() {
        let safari = |os: &str, version: &str| {
            format!(
                "Mozilla/5.0 (iPhone; CPU iPhone OS {os} like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) \
                 Version/{version} Mobile/15E148 Safari/604.1"
            )
        };
        assert_eq!(device(&safari("18_1", "18.1")), device(&safari("18_2_1", "18.2")));
        let firefox =
            |version: &str| format!("Mozilla/5.0 (X11; Linux x86_64; rv:{version}) Gecko/20100101 Firefox/{version}");
        assert_eq!(device(&firefox("132.0")), device(&firefox("133.0.1")));
        assert_ne!(device(&firefox("132.0")), device(&safari("18_1", "18.1")));
        assert_eq!(device("Shop/2 (Pixel 8; Android)"), device("Shop/3 (Pixel 8; Android)"));
        assert_ne!(device("Shop/2 (Pixel 8; Android)"), device("Shop/2 (Pixel 9; Android)"));
        assert_ne!(device("App"), device(""));
    }

    #[test]
    fn no_mark_of_one_kind_is_one_of_another() {
        let key = CallerMarksKey(hmac::Key::new(hmac::HMAC_SHA256, &[1; 32]));
        let place = place(&key, "203.0.113.7".parse().unwrap(), "app");
        assert!(place.network != place.agent && place.agent != place.device && place.device != place.network);
    }

    proptest::proptest! {
        #[test]
        fn whatever_an_agent_calls_itself_has_a_mark_and_is_the_same_without_its_versions(agent: String) {
            let bare = without_versions(&agent);
            proptest::prop_assert!(bare.len() <= agent.len());
            proptest::prop_assert!(bare.chars().all(|c| agent.contains(c)));
        }
    }
}
