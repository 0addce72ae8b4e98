//! Randomness, as an argument.

use std::{fmt, sync::Arc};

/// A source of random bytes. The server passes the operating system's; a test may pass one that it can foresee.
#[derive(Clone)]
pub struct Entropy(Arc<Fill>);

type Fill = dyn Fn(&mut [u8]) + Send + Sync;

impl Entropy {
    /// A source that fills buffers by `fill`.
    pub fn new(fill: impl Fn(&mut [u8]) + Send + Sync + 'static) -> Self {
        Self(Arc::new(fill))
    }

    /// The operating system's generator, through aws-lc's.
    pub fn system() -> Self {
        #[expect(clippy::disallowed_methods, reason = "this is where randomness comes in")]
        #[expect(clippy::expect_used, reason = "a machine without randomness can't run an authentication server")]
        Self::new(|buffer| aws_lc_rs::rand::fill(buffer).expect("the operating system gives random bytes"))
    }

    /// `N` random bytes.
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut buffer = [0; N];
        (self.0)(&mut buffer);
        buffer
    }
}

impl fmt::Debug for Entropy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Entropy")
    }
}
