//! What the real server answers, so that the bare one can answer alike.

use anyhow::Result;
use serde_json::json;

use super::{Bench, door_two, http, process::Server, stock};

/// Has the real server answer each kind of request once, and keeps what it sent.
pub(super) fn record(bench: &Bench, server: &Server) -> Result<()> {
    let port = server.process.port;
    let vouch = stock::sign_up(server)?;
    let shown = json!({ "refreshToken": vouch.member("refreshToken")? });
    let refresh = http::post(port, "/auth/v1/refreshtoken", ("accept", "*/*"), &shown)?;
    let bearer = format!("Bearer {}", refresh.member("authToken")?);
    let me = http::get(port, "/v1/me", ("authorization", &bearer))?;
    me.member("uid")?;
    let verify = http::get_with(port, "/verify", &door_two::headers(server, &door_two::first(bench, server)?))?;
    for (name, answer) in [("vouch", &vouch), ("refresh", &refresh), ("me", &me), ("verify", &verify)] {
        answer.keep(&bench.home, name)?;
    }
    Ok(())
}
