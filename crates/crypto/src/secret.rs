//! Texts that must not be seen: no `Debug`, no `Display`, wiped when dropped.

use zeroize::Zeroizing;

/// A secret as text.
#[derive(Clone)]
pub struct SecretText(Zeroizing<String>);

impl SecretText {
    /// Takes a text in.
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// The secret itself, for its holder's eyes only: an answer that shows it once, or the input of a hash. Never a log.
    pub fn danger_expose(&self) -> &str {
        &self.0
    }
}
