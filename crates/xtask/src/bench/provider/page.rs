//! The first page that somebody sees who signs in: how long until it begins to come, how much it is, in how many requests.

use std::{
    io::{Read, Write},
    net::{Ipv4Addr, TcpStream},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};

use crate::bench::{median, table};

/// How often it is asked for, one after the other.
const TIMES: usize = 300;

pub(in crate::bench) struct Page {
    first_byte: f64,
    bytes: usize,
    requests: usize,
}

/// An answer, and how long it took to begin.
struct Seen {
    text: String,
    first_byte: Duration,
}

impl Page {
    /// As a browser without cookies comes to it: the request of the app, the page, and what the page names.
    pub(super) fn measure(port: u16, authorize: &str) -> Result<Self> {
        let sent_on = get(port, authorize, "")?;
        let page = header(&sent_on, "location")?;
        let cookie = header(&sent_on, "set-cookie")?;
        let cookie = cookie.split(';').next().unwrap_or_default().to_owned();
        let shown = get(port, &page, &cookie)?;
        if !shown.text.starts_with("HTTP/1.1 200 ") {
            bail!("there is no page: {}", shown.text);
        }
        let named: Vec<String> = ["href=\"", "src=\""]
            .iter()
            .flat_map(|mark| shown.text.split(mark).skip(1))
            .filter_map(|rest| rest.split('"').next())
            .filter(|path| path.starts_with("/sign-in/") && path.contains("?v="))
            .map(str::to_owned)
            .collect();
        let mut bytes = sent_on.text.len() + shown.text.len();
        for path in &named {
            bytes += get(port, path, &cookie)?.text.len();
        }
        let times = (0..TIMES).map(|_| Ok(get(port, &page, &cookie)?.first_byte.as_secs_f64() * 1e3));
        Ok(Self { first_byte: median(times.collect::<Result<_>>()?), bytes, requests: 2 + named.len() })
    }

    pub(in crate::bench) fn print(&self) {
        let kib = f64::from(u32::try_from(self.bytes).unwrap_or(u32::MAX)) / 1024.0;
        let line = |what: &str, seen: String, target: &str| vec![what.to_owned(), seen, target.to_owned()];
        table::print(
            &["the first page of a sign-in", "seen", "target"],
            &[
                line("first byte, connecting included, ms", format!("{:.1}", self.first_byte), "≤ 5"),
                line("all of it, headers included, KiB", format!("{kib:.1}"), "≤ 30"),
                line("requests, the app's redirect included", self.requests.to_string(), "≤ 4"),
            ],
        );
    }
}

#[expect(clippy::disallowed_methods, reason = "this measures")]
fn get(port: u16, path: &str, cookie: &str) -> Result<Seen> {
    let began = Instant::now();
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    let cookie = if cookie.is_empty() { String::new() } else { format!("cookie: {cookie}\r\n") };
    let head = format!(
        "GET {path} HTTP/1.1\r\nhost: localhost:{port}\r\nconnection: close\r\naccept: text/html\r\n{cookie}\r\n"
    );
    stream.write_all(head.as_bytes())?;
    let mut first = [0; 1];
    stream.read_exact(&mut first)?;
    let first_byte = began.elapsed();
    let mut text = vec![first[0]];
    stream.read_to_end(&mut text)?;
    Ok(Seen { text: String::from_utf8_lossy(&text).into_owned(), first_byte })
}

fn header(seen: &Seen, name: &str) -> Result<String> {
    let head = seen.text.split("\r\n\r\n").next().unwrap_or_default();
    let value = head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
    Ok(value.with_context(|| format!("no {name}: {}", seen.text))?.to_owned())
}
