//! The client in JavaScript calls the endpoint in Python.

use super::*;
use crate::guides::in_python;

#[tokio::test(flavor = "multi_thread")]
async fn the_client_gets_tokens_from_the_endpoint() {
    let dev = Dev::start().await;
    let (url, key) = (dev.fact("/url"), dev.fact("/secret_key"));
    let endpoint = in_python::endpoint(&[Mend::Url(url), Mend::Key(key)]).await;
    let printed = client(&[Mend::Url(&endpoint.url()), Mend::Key(key)]).await.ok();
    let told = as_json(&printed).await;

    // The listing itself says for whom it asks.
    let users = dev.users().await;
    assert_eq!(users.len(), 1);
    assert_eq!(users[0]["id"], told["uid"]);
    let email = users[0]["identities"][0]["value"].as_str().unwrap();
    let (verifier, _home) = verifier();
    tokens::are_real(&dev, &verifier, dev.app(&told), email).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_client_says_when_the_endpoint_refuses() {
    let dev = Dev::start().await;
    let endpoint = in_python::endpoint(&[Mend::Url(dev.fact("/url"))]).await;
    let done = client(&[Mend::Url(&endpoint.url())]).await;
    assert!(done.stdout.is_empty() && done.stderr.starts_with("Error: "), "{done:?}");
    assert!(dev.users().await.is_empty());
}
