//! From where a refresh token was used, as a mark that tells same from other and nothing else.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use aws_lc_rs::hmac;
use countersign_domain::refresh::{CallerMarks, Mark};

/// The key of a project's marks: those of one project say nothing about those of another.
pub struct CallerMarksKey(pub(crate) hmac::Key);

/// The marks of a caller. An address counts by its network, since providers hand out others of the same.
pub fn caller_marks(key: &CallerMarksKey, address: IpAddr, user_agent: &str) -> CallerMarks {
    let network = network_of(address);
    CallerMarks { network: mark(key, b"network", &network), agent: mark(key, b"agent", user_agent.as_bytes()) }
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
}
