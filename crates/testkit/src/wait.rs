//! Waiting for what must come to be.

use std::time::Duration;

use tokio::time::{sleep, timeout};

/// Waits until `is_so`, for at most `patience`, and says what didn't come to be.
#[track_caller]
pub fn until<F: Future<Output = bool>>(
    what: &str,
    patience: Duration,
    mut is_so: impl FnMut() -> F,
) -> impl Future<Output = ()> {
    let what = what.to_owned();
    async move {
        let looking = async {
            while !is_so().await {
                sleep(Duration::from_millis(20)).await;
            }
        };
        assert!(timeout(patience, looking).await.is_ok(), "within {patience:?} this didn't come to be: {what}");
    }
}
