//! What speaks against a sign-in. Rules look at what is known of the attempt, each for itself, and say what they see; what comes of that is
//! decided elsewhere. A rule is added by a [`Reason`], a line in `RULES`, and a signal if it needs one.

use std::{fmt, str::FromStr, time::Duration};

use crate::{refresh::Mark, text::InvalidText};

/// So many wrong codes for one address are many. Who mistypes does it once or twice.
pub const MANY_FAILURES: u32 = 5;
/// How long a wrong code is remembered.
pub const FAILURES_KEPT: Duration = Duration::from_hours(24);
/// So many places of a user are remembered: those that were seen last.
pub const PLACES: u32 = 32;
/// How long a place is remembered after it was last seen.
pub const PLACE_LIFETIME: Duration = Duration::from_hours(24 * 400);

/// From where somebody signs in, as marks that tell same from other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Of the network, as [`crate::refresh::CallerMarks`] has it.
    pub network: Mark,
    /// Of the user agent, as [`crate::refresh::CallerMarks`] has it.
    pub agent: Mark,
    /// Of the user agent without its versions, which change with each update.
    pub device: Mark,
}

/// From where a user was seen before. Empty: never, from anywhere.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Seen {
    /// Marks of networks.
    pub networks: Vec<Mark>,
    /// Marks of devices, and of agents where nothing better is known. No mark of one kind is ever one of the other.
    pub devices: Vec<Mark>,
}

impl Seen {
    fn is_never(&self) -> bool {
        self.networks.is_empty() && self.devices.is_empty()
    }

    fn has_device(&self, place: &Place) -> bool {
        self.devices.contains(&place.device) || self.devices.contains(&place.agent)
    }
}

/// What is known of an attempt.
#[derive(Debug, Clone, Copy)]
pub struct Signals<'a> {
    /// Wrong codes lately for the address that was named, whoever has it, if anybody.
    pub failures: u32,
    /// Nothing, as long as nobody is proved: until then nothing may be told, or done, that depends on whose the address is.
    pub proved: Option<Proved<'a>>,
}

/// What is known once somebody is proved.
#[derive(Debug, Clone, Copy)]
pub struct Proved<'a> {
    /// From where.
    pub place: &'a Place,
    /// From where they came before.
    pub seen: &'a Seen,
}

/// What a rule sees. The names are published: in the audit trail, in metrics, and to apps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// The user was seen before, never with such a device.
    NewDevice,
    /// The user was seen before, never in such a network.
    NewNetwork,
    /// Somebody has shown many wrong codes.
    ManyFailures,
}

/// Does a rule speak?
type Rule = fn(&Signals<'_>) -> bool;

/// The rules. Whoever comes for the first time is new everywhere, which says nothing.
const RULES: [(Reason, Rule); 3] = [
    (Reason::NewDevice, |signals| {
        signals.proved.is_some_and(|proved| !proved.seen.is_never() && !proved.seen.has_device(proved.place))
    }),
    (Reason::NewNetwork, |signals| {
        signals
            .proved
            .is_some_and(|proved| !proved.seen.is_never() && !proved.seen.networks.contains(&proved.place.network))
    }),
    (Reason::ManyFailures, |signals| signals.failures >= MANY_FAILURES),
];

/// What all rules see in an attempt.
pub fn assess(signals: &Signals<'_>) -> Assessment {
    let speaking = RULES.iter().filter(|(_, speaks)| speaks(signals));
    Assessment { reasons: speaking.map(|(reason, _)| *reason).collect() }
}

/// What the rules said.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Assessment {
    reasons: Vec<Reason>,
}

impl Assessment {
    /// Did any rule speak?
    pub const fn is_detected(&self) -> bool {
        !self.reasons.is_empty()
    }

    /// What they see, in the order of the rules.
    pub fn reasons(&self) -> &[Reason] {
        &self.reasons
    }

    /// As the trail and the database have it; nothing, where no rule spoke.
    pub fn to_text(&self) -> Option<String> {
        self.is_detected().then(|| self.to_string())
    }
}

impl fmt::Display for Assessment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, reason) in self.reasons.iter().enumerate() {
            write!(f, "{}{}", if number == 0 { "" } else { "," }, reason.as_str())?;
        }
        Ok(())
    }
}

impl FromStr for Assessment {
    type Err = InvalidText;

    fn from_str(text: &str) -> Result<Self, InvalidText> {
        Ok(Self { reasons: text.split(',').map(str::parse).collect::<Result<_, _>>()? })
    }
}

impl Reason {
    /// Its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NewDevice => "new_device",
            Self::NewNetwork => "new_network",
            Self::ManyFailures => "many_failures",
        }
    }
}

impl FromStr for Reason {
    type Err = InvalidText;

    fn from_str(text: &str) -> Result<Self, InvalidText> {
        let named = RULES.iter().map(|(reason, _)| *reason).find(|reason| reason.as_str() == text);
        named.ok_or(InvalidText("must be `new_device`, `new_network` or `many_failures`"))
    }
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;

    const fn mark(n: u8) -> Mark {
        Mark([n; 16])
    }

    const HOME: Place = Place { network: mark(1), agent: mark(2), device: mark(3) };

    fn seen(networks: &[u8], devices: &[u8]) -> Seen {
        let marks = |of: &[u8]| of.iter().map(|n| mark(*n)).collect();
        Seen { networks: marks(networks), devices: marks(devices) }
    }

    fn reasons(failures: u32, seen: &Seen) -> Vec<Reason> {
        assess(&Signals { failures, proved: Some(Proved { place: &HOME, seen }) }).reasons
    }

    #[test]
    fn whoever_comes_for_the_first_time_is_no_risk() {
        assert_eq!(reasons(0, &Seen::default()), []);
    }

    #[test]
    fn a_place_is_known_by_network_and_by_device_each_for_itself() {
        assert_eq!(reasons(0, &seen(&[9, 1], &[3])), []);
        assert_eq!(reasons(0, &seen(&[1], &[2])), [], "a session knows the agent as it called itself");
        assert_eq!(reasons(0, &seen(&[9], &[3])), [Reason::NewNetwork]);
        assert_eq!(reasons(0, &seen(&[1], &[9])), [Reason::NewDevice]);
        assert_eq!(reasons(0, &seen(&[8], &[9])), [Reason::NewDevice, Reason::NewNetwork]);
    }

    #[test]
    fn a_few_wrong_codes_are_a_slip_and_more_are_many() {
        assert_eq!(reasons(MANY_FAILURES - 1, &Seen::default()), []);
        assert_eq!(reasons(MANY_FAILURES, &Seen::default()), [Reason::ManyFailures]);
    }

    #[test]
    fn a_name_that_no_rule_has_is_not_read() {
        for text in ["", ",", "new_device,", "new_device, new_network", "NEW_DEVICE", "improbable"] {
            assert!(text.parse::<Assessment>().is_err(), "{text}");
        }
    }

    fn marks() -> impl Strategy<Value = Vec<Mark>> {
        vec((0..6_u8).prop_map(mark), 0..6)
    }

    fn place() -> impl Strategy<Value = Place> {
        let one = || (0..6_u8).prop_map(mark);
        (one(), one(), one()).prop_map(|(network, agent, device)| Place { network, agent, device })
    }

    proptest! {
        #[test]
        fn before_anybody_is_proved_the_wrong_codes_alone_speak(failures: u32) {
            let said = assess(&Signals { failures, proved: None });
            let many: &[Reason] = if failures >= MANY_FAILURES { &[Reason::ManyFailures] } else { &[] };
            prop_assert_eq!(said.reasons(), many);
        }

        #[test]
        fn what_was_said_is_read_back(failures: u32, place in place(), networks in marks(), devices in marks()) {
            let seen = Seen { networks, devices };
            let said = assess(&Signals { failures, proved: Some(Proved { place: &place, seen: &seen }) });
            match said.to_text() {
                None => prop_assert!(!said.is_detected() && said.reasons().is_empty()),
                Some(text) => prop_assert_eq!(text.parse::<Assessment>(), Ok(said)),
            }
        }

        #[test]
        fn who_was_seen_here_is_new_nowhere(place in place(), networks in marks(), devices in marks()) {
            let mut seen = Seen { networks, devices };
            seen.networks.push(place.network);
            seen.devices.push(place.device);
            let said = assess(&Signals { failures: 0, proved: Some(Proved { place: &place, seen: &seen }) });
            prop_assert!(!said.is_detected());
        }

        #[test]
        fn having_been_in_more_places_never_makes_anybody_newer(
            place in place(), networks in vec((0..6_u8).prop_map(mark), 1..6), more in marks(),
        ) {
            let before = Seen { networks: networks.clone(), devices: vec![place.device] };
            let after = Seen { networks: [networks, more].concat(), devices: before.devices.clone() };
            let said = |seen: &Seen| assess(&Signals { failures: 0, proved: Some(Proved { place: &place, seen }) });
            prop_assert!(said(&after).reasons().len() <= said(&before).reasons().len());
        }
    }
}
