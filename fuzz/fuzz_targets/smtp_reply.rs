//! What a mail server, or somebody in between, says before the way is secured.
#![no_main]

use countersign_server::mail::reply::{LONGEST, Reply, read};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|heard: &[u8]| {
    let Ok(Some(Reply { code, lines })) = read(heard) else {
        assert!(heard.len() <= LONGEST || read(heard) != Ok(None), "it is listened to for ever");
        return;
    };
    // It is all that was heard, and to the last byte.
    let count = heard.iter().filter(|b| **b == b'\n').count();
    assert_eq!((lines.len(), heard.last()), (count, Some(&b'\n')));
    let parts = heard.split_inclusive(|b| *b == b'\n');
    for (number, (line, said)) in lines.iter().zip(parts).enumerate() {
        assert!(said.starts_with(format!("{code:03}").as_bytes()));
        assert_eq!(said.get(3) == Some(&b'-'), number + 1 < count, "only the last line is the last");
        assert!(!line.contains('\n'));
    }
    // Nothing less was a reply, and nothing more is one.
    for length in 0..heard.len() {
        assert_eq!(read(&heard[..length]), Ok(None));
    }
    assert!(read(&[heard, b"2"].concat()).is_err());
});
