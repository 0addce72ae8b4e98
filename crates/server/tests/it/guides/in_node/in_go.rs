//! The client in JavaScript calls the endpoint in Go.

use super::*;
use crate::guides::in_go;

#[tokio::test(flavor = "multi_thread")]
async fn the_client_sends_less_than_the_endpoint_wants() {
    let dev = Dev::start().await;
    let (url, key) = (dev.fact("/url"), dev.fact("/secret_key"));
    let endpoint = in_go::endpoint(&[Mend::Url(url), Mend::Key(key)]).await;
    let done = client(&[Mend::Url(&endpoint.url()), Mend::Key(key)]).await;
    assert!(done.stdout.is_empty() && done.stderr.starts_with("Error: "), "{done:?}");
    assert!(endpoint.log().contains("interface conversion: interface {} is nil, not string"), "{}", endpoint.log());
    assert!(dev.users().await.is_empty());
}
