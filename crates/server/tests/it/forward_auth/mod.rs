//! Proxies that ask `/verify` about every call, each run with its file from `deploy/`: the real proxy, the real server, and an API behind it
//! that tells what reached it.

mod answers;
mod bodies;
mod credentials;
mod files;
mod identity;
mod outage;
mod possession;
mod proxy;
mod stage;
mod streams;
mod tap;

/// Makes of each function a test through each proxy, `in_nginx::name` and so on. A function takes the [`Stage`](stage::Stage).
macro_rules! through_each_proxy {
    ($($name:ident),* $(,)?) => {
        $crate::forward_auth::through_each_proxy!(@ in_nginx, Nginx, $($name)*);
        $crate::forward_auth::through_each_proxy!(@ in_caddy, Caddy, $($name)*);
        $crate::forward_auth::through_each_proxy!(@ in_traefik, Traefik, $($name)*);
        $crate::forward_auth::through_each_proxy!(@ in_envoy, Envoy, $($name)*);
    };
    (@ $proxy:ident, $kind:ident, $($name:ident)*) => {
        mod $proxy {
            use crate::forward_auth::{proxy::Kind, stage::Stage};
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                super::$name(Stage::open(Kind::$kind).await).await;
            })*
        }
    };
}

pub(crate) use through_each_proxy;
