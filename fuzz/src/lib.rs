//! What the targets share: keys that never leave this folder, what they issued, and readers to compare ours with.

pub mod deployment;
pub mod issued;
pub mod json;
pub mod vouch;

/// Stands in seeds wherever a caller would write a secret. No message and no `{:?}` may repeat it.
pub const SECRET: &str = "CANARY";

/// A message must not repeat a secret. What stands between backticks is a name, and names are repeated on purpose.
pub fn assert_tells_no_secret(message: &str) {
    let told: String = message.split('`').step_by(2).collect();
    assert!(!told.contains(SECRET), "a secret stands in {message:?}");
}
