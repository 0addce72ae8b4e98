//! Which upstream a call goes to, and whose calls it takes.

mod text;

use super::{
    credential::Credentials,
    path::{ClearPath, says},
    upstream::Upstream,
};

pub use text::InvalidRoutes;

/// The routes of a project.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Routes(Vec<Route>);

/// Where the calls of a host, or of a part of a project's paths, go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// The host that they are made to; none: any that leads to the project.
    pub host: Option<String>,
    /// The segments that their paths begin with.
    prefix: Vec<String>,
    /// Where they go.
    pub upstream: Upstream,
    /// What proves whoever makes them.
    pub accepts: Credentials,
    /// Whether the upstream sees the path without the prefix.
    pub strip_prefix: bool,
}

/// The way of one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Way<'r> {
    /// Where it goes.
    pub upstream: &'r Upstream,
    /// What proves whoever makes it.
    pub accepts: Credentials,
    /// How many segments the upstream doesn't see.
    stripped: usize,
}

/// What there is at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found<'r> {
    /// Something of an upstream's.
    Way(Way<'r>),
    /// Something of our own, or nothing: no upstream ever gets it.
    Ours,
    /// Nothing: there is no upstream for it.
    Nowhere,
    /// The path as it is written leads to another route than the path that a lenient upstream reads. Whoever may take the one needn't be one
    /// who may take the other.
    TwoWays,
}

/// Our own paths: what begins with one of them is never another's.
const OURS: &[&[&str]] = &[
    &[".well-known"],
    &["account"],
    &["admin"],
    &["api", "auth"],
    &["auth"],
    &["bootstrap"],
    &["dev"],
    &["device"],
    &["hc_auth"],
    &["health"],
    &["metrics"],
    &["mfa"],
    &["oauth"],
    &["oauth2"],
    &["openapi.json"],
    &["p"],
    &["portal"],
    &["sign-in"],
    &["users"],
    &["v1"],
    &["verify"],
];

/// The one path that we answer on the host of a route too (RFC 9728 §3).
const RESOURCE_METADATA: &[&str] = &[".well-known", "oauth-protected-resource"];

impl Routes {
    /// Finds what there is at a path within the project. Of several routes the one for the host is taken, then the longest prefix; where none
    /// fits, `upstream`. `host` is in lower case and without its port.
    pub fn find<'r>(&'r self, upstream: Option<&'r Upstream>, host: Option<&str>, path: &ClearPath<'_>) -> Found<'r> {
        let route = self.best(host, |route| route.begins(path));
        let lenient = self.best(host, |route| begins_loosely(path, &route.prefix, str::eq_ignore_ascii_case));
        if !same(route, lenient) {
            return Found::TwoWays;
        }
        let is_at = |prefix: &[&str]| begins_loosely(path, prefix, str::eq);
        match route {
            Some(Route { host: Some(_), .. }) if is_at(RESOURCE_METADATA) => Found::Ours,
            Some(route @ Route { host: Some(_), .. }) => Found::Way(route.way()),
            _ if OURS.iter().any(|prefix| is_at(prefix)) => Found::Ours,
            Some(route) => Found::Way(route.way()),
            None => upstream.map_or(Found::Nowhere, |upstream| {
                Found::Way(Way { upstream, accepts: Credentials::ALL, stripped: 0 })
            }),
        }
    }

    /// The hosts that are the gateway's alone.
    pub fn hosts(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|route| route.host.as_deref())
    }

    fn best(&self, host: Option<&str>, fits: impl Fn(&Route) -> bool) -> Option<&Route> {
        let is_for = |route: &&Route| route.host.is_none() || route.host.as_deref() == host;
        let fitting = self.0.iter().filter(is_for).filter(|route| fits(route));
        fitting.max_by_key(|route| (route.host.is_some(), route.prefix.len()))
    }
}

impl Route {
    fn begins(&self, path: &ClearPath<'_>) -> bool {
        let mut segments = path.segments();
        self.prefix.iter().all(|wanted| segments.next().is_some_and(|segment| says(segment, wanted)))
    }

    fn way(&self) -> Way<'_> {
        let stripped = if self.strip_prefix { self.prefix.len() } else { 0 };
        Way { upstream: &self.upstream, accepts: self.accepts, stripped }
    }
}

/// Does a lenient reader see this prefix? Lenient readers also take upper case for lower case.
fn begins_loosely<S: AsRef<str>>(path: &ClearPath<'_>, prefix: &[S], equal: impl Fn(&str, &str) -> bool) -> bool {
    let mut segments = path.loose_segments();
    prefix.iter().all(|wanted| {
        let segment = segments.next().and_then(|segment| std::str::from_utf8(segment).ok());
        segment.is_some_and(|segment| equal(segment, wanted.as_ref()))
    })
}

fn same(one: Option<&Route>, other: Option<&Route>) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => std::ptr::eq(one, other),
        (None, None) => true,
        _ => false,
    }
}

impl Way<'_> {
    /// What to ask the upstream for: path and query.
    pub fn target(&self, path: &ClearPath<'_>, query: Option<&str>) -> String {
        let (base, path) = (self.upstream.base(), path.without_first(self.stripped));
        match query {
            Some(query) => format!("{base}{path}?{query}"),
            None => format!("{base}{path}"),
        }
    }
}

#[cfg(test)]
mod tests;
