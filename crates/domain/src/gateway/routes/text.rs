//! Routes as an operator writes them: a JSON list.

use std::str::FromStr;

use serde::Deserialize;

use super::{OURS, Route, Routes};
use crate::{
    gateway::{
        credential::{Credential, Credentials},
        path::is_plain,
        upstream::Upstream,
    },
    text::is_host_name,
};

/// Why a text is no list of routes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidRoutes(String);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenRoute {
    host: Option<String>,
    prefix: Option<String>,
    upstream: String,
    accepts: Option<Vec<Credential>>,
    strip_prefix: Option<bool>,
}

/// Each call looks at all of them.
const MOST: usize = 100;

impl FromStr for Routes {
    type Err = InvalidRoutes;

    fn from_str(text: &str) -> Result<Self, InvalidRoutes> {
        let written: Vec<WrittenRoute> = serde_json::from_str(text).map_err(|problem| not_a_list(&problem))?;
        if written.len() > MOST {
            return Err(InvalidRoutes(format!("must hold at most {MOST} routes")));
        }
        let mut routes: Vec<Route> = Vec::new();
        for (at, written) in written.into_iter().enumerate() {
            let of_route = |problem: String| InvalidRoutes(format!("has a problem in route {}: {problem}", at + 1));
            let route = written.read().map_err(of_route)?;
            if let Some(twin) = routes.iter().position(|other| are_twins(other, &route)) {
                return Err(of_route(format!("it has host and prefix of route {}", twin + 1)));
            }
            routes.push(route);
        }
        Ok(Self(routes))
    }
}

/// Prefixes that differ in case are one to many an upstream.
fn are_twins(one: &Route, other: &Route) -> bool {
    one.host == other.host
        && one.prefix.len() == other.prefix.len()
        && one.prefix.iter().zip(&other.prefix).all(|(one, other)| one.eq_ignore_ascii_case(other))
}

impl WrittenRoute {
    fn read(self) -> Result<Route, String> {
        if self.host.as_deref().is_some_and(|host| !is_host_name(host)) {
            return Err("`host` must be a host name like `api.example.com`, in lower case".to_owned());
        }
        let prefix = read_prefix(self.prefix.as_deref().unwrap_or("/"))?;
        let is_ours = |ours: &&[&str]| ours.len() <= prefix.len() && ours.iter().zip(&prefix).all(|(a, b)| a == b);
        if self.host.is_none() && OURS.iter().any(is_ours) {
            return Err("`prefix` begins with a path of this server's own, and is never reached".to_owned());
        }
        let accepts: Credentials = match self.accepts {
            Some(accepts) => accepts.into_iter().collect(),
            None => Credentials::ALL,
        };
        if accepts.is_empty() {
            return Err("`accepts` is empty: nobody could make a call".to_owned());
        }
        let upstream: Upstream = self.upstream.parse().map_err(|problem| format!("`upstream` {problem}"))?;
        Ok(Route { host: self.host, prefix, upstream, accepts, strip_prefix: self.strip_prefix.unwrap_or(false) })
    }
}

fn read_prefix(text: &str) -> Result<Vec<String>, String> {
    match text {
        "/" => Ok(Vec::new()),
        text if is_plain(text) => Ok(text.split('/').skip(1).map(str::to_owned).collect()),
        _ => Err("`prefix` must be a path like `/v2`, without escapes, empty or dot segments or a slash at its end"
            .to_owned()),
    }
}

/// What the parser says of names helps; what it says of values might repeat one.
fn not_a_list(problem: &serde_json::Error) -> InvalidRoutes {
    let (line, column) = (problem.line(), problem.column());
    let said = problem.to_string();
    let why = said.rsplit_once(" at line ").map(|(why, _)| why).filter(|why| is_of_a_name(why)).unwrap_or("it is none");
    InvalidRoutes(format!(
        "must be a JSON list like `[{{\"prefix\":\"/v2\",\"upstream\":\"http://127.0.0.1:9000\"}}]`; {why} (line {line}, column {column})"
    ))
}

fn is_of_a_name(why: &str) -> bool {
    let helps = ["unknown field", "missing field", "duplicate field", "unknown variant"];
    let Some((kind, rest)) = why.split_once(" `") else { return false };
    let name = rest.rsplit_once("`, expected").map_or(rest, |(name, _)| name).trim_end_matches('`');
    helps.contains(&kind)
        && !name.is_empty()
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
}
