//! A server, an API, and a proxy before the API that asks the server.

use std::time::Duration;

use countersign_testkit::{
    bound::BoundApp, client_app::ClientApp, database::Engine, house::House, http::Client, raw::RawConnection, wait,
};
use serde_json::Value;

use super::{
    proxy::{Kind, Places, Proxy},
    tap::Tap,
};
use crate::gateway::upstream::Upstream;

/// Everything that takes part.
pub(super) struct Stage {
    pub(super) house: House,
    /// Between the proxy and the house.
    pub(super) tap: Tap,
    pub(super) api: Upstream,
    /// Between the proxy and the API.
    pub(super) api_line: Tap,
    pub(super) proxy: Proxy,
}

/// The API's name, as the files of `deploy/` have it.
const NAME: &str = "api.example.com";

const PATIENCE: Duration = Duration::from_secs(30);

impl Stage {
    pub(super) async fn open(kind: Kind) -> Self {
        let (house, api) = (House::open(Engine::Sqlite).await, Upstream::start().await);
        house.set(&[&format!("verify.hosts={NAME}"), "gateway.audience=https://api.example.com"]).await;
        let (tap, api_line) = (Tap::before(house.node.base()).await, Tap::before(&api.url()).await);
        let places = Places { countersign: tap.address(), api: api_line.address() };
        let stage = Self { house, tap, api, api_line, proxy: Proxy::start(kind, places).await };
        stage.is_ready().await;
        stage
    }

    /// A proxy may listen before it has read its file.
    async fn is_ready(&self) {
        wait::until("the proxy asks", PATIENCE, || {
            let client = self.client();
            async move { client.get("/").await.status() == 401 }
        })
        .await;
    }

    /// Host and port as callers have them.
    pub(super) fn host(&self) -> String {
        let url = self.proxy.url();
        format!("{NAME}:{}", url.rsplit_once(':').unwrap().1)
    }

    /// Somebody who calls the API.
    pub(super) fn client(&self) -> Client {
        Client::of(self.proxy.url()).with("host", &self.host())
    }

    /// An app whose user the backend has proved, and which calls the API.
    pub(super) fn app(&self, id: &str) -> ClientApp {
        ClientApp { http: self.client(), ..self.house.client_app(id) }
    }

    /// The uid of such an app's user.
    pub(super) async fn uid(&self, id: &str) -> String {
        self.house.client_app(id).uid().await
    }

    /// An app whose session is bound to its key, and which calls the API. It knows no nonce.
    pub(super) async fn bound_app(&self) -> BoundApp {
        let mut app = self.house.bound_app("ada@example.com").await.through(self.client());
        app.url = format!("http://{}", self.host());
        app
    }

    /// A connection on which anything can be said.
    pub(super) async fn connection(&self) -> RawConnection {
        RawConnection::to(&self.proxy.url()).await
    }

    /// The head of such an app's call, but for its end.
    pub(super) fn head(&self, method: &str, path: &str, app: &ClientApp) -> String {
        let hmac = app.hmac.as_ref().map(|hmac| format!("x-proficient-user-hmac: {hmac}\r\n")).unwrap_or_default();
        format!(
            "{method} {path} HTTP/1.1\r\nhost: {}\r\nx-proficient-api-key: {}\r\nx-proficient-user-external-id: {}\r\n{hmac}",
            self.host(),
            app.key,
            app.id
        )
    }
}

/// A header that the API saw, once; one that it didn't see is like an empty one.
#[track_caller]
pub(super) fn seen<'a>(told: &'a Value, name: &str) -> &'a str {
    let values = told["headers"].get(name).map(|values| values.as_array().unwrap().as_slice()).unwrap_or_default();
    assert!(values.len() <= 1, "{name} reached the API {} times", values.len());
    values.first().map_or("", |value| value.as_str().unwrap())
}
