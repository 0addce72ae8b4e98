//! The client API: users who are proved by HMAC, at `/verify` and through the gateway.

use std::{
    fs,
    path::PathBuf,
    process::{Child, Command, Stdio},
    thread::sleep,
    time::Duration,
};

use anyhow::{Context, Result};
use xshell::cmd;

use super::{
    Bench,
    measured::KNOWN,
    median,
    process::{Baseline, Server, free_port},
    stock::Stock,
    table,
};
use crate::tools;

/// The file of a stock's users and their proofs.
fn proofs(bench: &Bench, server: &Server) -> PathBuf {
    bench.home.join(format!("proofs-{}", server.process.port))
}

/// Has every user proved.
pub(super) fn prove(bench: &Bench, server: &Server, name: &str, users: u32) -> Result<()> {
    println!("proving {users} users of the {name} database");
    let (secret, users) = (&server.hmac_secret, users.to_string());
    let lines = cmd!(bench.sh, "python3 bench/proofs.py --secret {secret} --users {users}").quiet().read()?;
    fs::write(proofs(bench, server), lines)?;
    Ok(())
}

/// What the script needs for calls of so many users.
pub(super) fn options(bench: &Bench, server: &Server, path: &str, users: u32) -> Vec<String> {
    vec![
        format!("proofs={}", proofs(bench, server).display()),
        format!("key={}", server.publishable_key),
        format!("path={path}"),
        format!("users={users}"),
    ]
}

/// The headers of one call of a user.
pub(super) fn headers(server: &Server, line: &str) -> Vec<(&'static str, String)> {
    let (id, mac) = line.split_once(' ').unwrap_or_default();
    vec![
        ("x-proficient-api-key", server.publishable_key.clone()),
        ("x-proficient-user-external-id", id.to_owned()),
        ("x-proficient-user-hmac", mac.to_owned()),
    ]
}

/// The first user's line.
pub(super) fn first(bench: &Bench, server: &Server) -> Result<String> {
    let lines = fs::read_to_string(proofs(bench, server))?;
    Ok(lines.lines().next().context("no proofs")?.to_owned())
}

/// Ways to the same API.
#[derive(Clone, Copy)]
enum Way {
    Direct,
    Gateway,
    Nginx,
}

const WAYS: [Way; 3] = [Way::Direct, Way::Gateway, Way::Nginx];

impl Way {
    fn port(self, server: &Server, baseline: &Baseline, nginx: &Nginx) -> u16 {
        match self {
            Self::Direct => baseline.process.port,
            Self::Gateway => server.process.port,
            Self::Nginx => nginx.port,
        }
    }
}

/// The API behind the gateway, straight, and behind an nginx that asks `/verify` about each call.
pub(super) struct Behind {
    answers: Vec<(u32, [f64; 3])>,
    streams: Vec<(&'static str, [f64; 3])>,
    grown: u64,
}

/// What an answer costs the API, in microseconds of a core.
const WORK: [u32; 3] = [0, 100, 250];
/// Lines over which the caller reads: as fast as memory, and 10 Gbit/s as TCP has it.
const LINES: [(&str, &str); 2] = [("as fast as it can", "1000G"), ("a line of 9.4 Gbit/s", "1175M")];

pub(super) fn behind(bench: &Bench, server: &Server, baseline: &Baseline) -> Result<Behind> {
    tools::install_packages(&bench.sh, &["nginx-light", "curl"])?;
    let nginx = Nginx::start(bench, server, baseline)?;
    let turns = |once: &dyn Fn(u16) -> Result<f64>| -> Result<[f64; 3]> {
        let mut seen = [const { Vec::new() }; 3];
        for _ in 0..bench.rounds {
            for (way, seen) in WAYS.iter().zip(&mut seen) {
                seen.push(once(way.port(server, baseline, &nginx))?);
            }
        }
        Ok(seen.map(median))
    };
    let mut answers = Vec::new();
    for work in WORK {
        let options = options(bench, server, &format!("/interactions/{work}"), KNOWN);
        answers.push((work, turns(&|port| Ok(bench.load.run(bench, port, "verify", &options)?.rate()))?));
    }
    let before = server.process.size("VmRSS")?;
    let mut streams = Vec::new();
    for (line, limit) in LINES {
        streams.push((line, turns(&|port| gibibyte(bench, server, port, limit))?));
    }
    Ok(Behind { answers, streams, grown: server.process.size("VmRSS")?.saturating_sub(before) })
}

/// Gibibytes a second, of one.
fn gibibyte(bench: &Bench, server: &Server, port: u16, limit: &str) -> Result<f64> {
    let headers = headers(server, &first(bench, server)?)
        .into_iter()
        .flat_map(|(name, value)| ["--header".to_owned(), format!("{name}: {value}")]);
    let (format, url) = ("%{time_total}", format!("http://127.0.0.1:{port}/stream"));
    let said = cmd!(
        bench.sh,
        "curl --silent --fail --output /dev/null --limit-rate {limit} --write-out {format} {headers...} {url}"
    );
    Ok(1.0 / said.quiet().read()?.trim().parse::<f64>()?)
}

impl Behind {
    pub(super) fn print(&self) {
        let lines = self.answers.iter().map(|(work, [direct, gateway, nginx])| {
            let mut line = vec![format!("{work} µs")];
            line.extend([direct, gateway, nginx].map(|rate| table::thousands(*rate)));
            line.extend([table::percent(gateway / direct), table::percent(nginx / direct)]);
            line
        });
        let head = ["small answers, each costs the API", "direct /s", "gateway /s", "nginx /s", "gateway", "nginx"];
        table::print(&head, &lines.collect::<Vec<_>>());
        let lines = self.streams.iter().map(|(line, [direct, gateway, nginx])| {
            let mut cells = vec![(*line).to_owned()];
            cells.extend([direct, gateway, nginx].map(|rate| format!("{rate:.2}")));
            cells.extend([table::percent(gateway / direct), table::percent(nginx / direct)]);
            cells
        });
        let head = ["1 GiB, to a caller who reads", "direct GiB/s", "gateway GiB/s", "nginx GiB/s", "gateway", "nginx"];
        table::print(&head, &lines.collect::<Vec<_>>());
        let grown = format!("{:.1} MiB", table::ratio(self.grown, 1 << 20));
        table::print(&["memory", "measured", "target"], &[vec!["grown by those".to_owned(), grown, "flat".to_owned()]]);
    }
}

/// nginx, until it is dropped.
struct Nginx {
    child: Child,
    port: u16,
}

impl Nginx {
    fn start(bench: &Bench, server: &Server, baseline: &Baseline) -> Result<Self> {
        let home = bench.home.join("nginx");
        bench.sh.create_dir(&home)?;
        let port = free_port()?;
        let (home_text, ours, api) = (home.display(), server.process.port, baseline.process.port);
        // Connections to both are kept, as somebody who cares for speed would have it.
        let text = format!(
            "daemon off; worker_processes 2; pid {home_text}/pid; error_log {home_text}/error.log;
             events {{ worker_connections 1024; }}
             http {{
               access_log off; client_body_temp_path {home_text}/body; proxy_temp_path {home_text}/proxy;
               fastcgi_temp_path {home_text}/fastcgi; uwsgi_temp_path {home_text}/uwsgi; scgi_temp_path {home_text}/scgi;
               keepalive_requests 100000000;
               upstream countersign {{ server 127.0.0.1:{ours}; keepalive 64; keepalive_requests 100000000; }}
               upstream api {{ server 127.0.0.1:{api}; keepalive 64; keepalive_requests 100000000; }}
               server {{
                 listen 127.0.0.1:{port};
                 location = /_verify {{
                   internal; proxy_pass http://countersign/verify; proxy_http_version 1.1; proxy_set_header Connection '';
                   proxy_pass_request_body off; proxy_set_header Content-Length '';
                 }}
                 location / {{
                   auth_request /_verify;
                   auth_request_set $user $upstream_http_x_countersign_user;
                   auth_request_set $assertion $upstream_http_x_countersign_assertion;
                   proxy_set_header X-Countersign-User $user; proxy_set_header X-Countersign-Assertion $assertion;
                   proxy_max_temp_file_size 0;
                   proxy_pass http://api; proxy_http_version 1.1; proxy_set_header Connection '';
                 }}
               }}
             }}"
        );
        let file = home.join("nginx.conf");
        fs::write(&file, text)?;
        let child = Command::new("nginx").arg("-p").arg(&home).arg("-c").arg(&file).stderr(Stdio::null()).spawn()?;
        sleep(Duration::from_secs(1));
        Ok(Self { child, port })
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        // Asked kindly, it ends its workers too.
        let _ = Command::new("kill").arg(self.child.id().to_string()).status();
        let _ = self.child.wait();
    }
}

/// A million known users against a thousand.
pub(super) struct Known {
    first_sight: f64,
    few: Vec<f64>,
    many: Vec<f64>,
    resident: u64,
}

const FEW: u32 = 1_000;
const MILLION: u32 = 1_000_000;

/// The large database's users, all of them remembered.
pub(super) fn million(bench: &Bench, stock: &Stock) -> Result<Known> {
    stock.set(bench, &["verify.assertion=off"])?;
    let server = Server::start_with(stock, &[("COUNTERSIGN_MEMORY__KNOWN_USERS", "1200000")])?;
    prove(bench, &server, "large", MILLION)?;
    let port = server.process.port;
    let all = options(bench, &server, "/verify", MILLION);
    // Every user once, and some again: as long as that takes at the slowest.
    let in_order: Vec<String> = all.iter().cloned().chain(["once=yes".to_owned()]).collect();
    let first_sight = bench.load.run(bench, port, "verify", &in_order)?.rate();
    super::load::Load::new(60).run(bench, port, "verify", &in_order)?;
    let (mut few, mut many) = (Vec::new(), Vec::new());
    for _ in 0..bench.rounds {
        few.push(bench.load.run(bench, port, "verify", &options(bench, &server, "/verify", FEW))?.p99());
        many.push(bench.load.run(bench, port, "verify", &all)?.p99());
    }
    let resident = server.process.size("VmRSS")?;
    server.stop()?;
    Ok(Known { first_sight, few, many, resident })
}

impl Known {
    pub(super) fn print(&self) {
        let (few, many) = (median(self.few.clone()), median(self.many.clone()));
        let both = format!("{few:.1} ms, {many:.1} ms: {:.2} ×", many / few);
        table::print(
            &["users proved by HMAC", "measured", "target"],
            &[
                vec![
                    "first sight of a known user".to_owned(),
                    format!("{} /s", table::thousands(self.first_sight)),
                    String::new(),
                ],
                vec!["verdict p99, 1,000 and 1,000,000 known users".to_owned(), both, "≤ 1.3 ×".to_owned()],
                vec![
                    "resident with a million known users".to_owned(),
                    format!("{:.0} MiB", table::ratio(self.resident, 1 << 20)),
                    "by `memory.known_users`".to_owned(),
                ],
            ],
        );
    }
}
