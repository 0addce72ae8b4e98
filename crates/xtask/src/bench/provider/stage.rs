//! The servers of the measurement, all on one core, and what the load on them needs.

use std::{cell::Cell, fs, path::PathBuf, process::Command, thread::sleep, time::Duration};

use anyhow::{Context, Result, bail};
use base64::{Engine, engine::general_purpose::STANDARD};
use xshell::cmd;

use super::{Page, Row, Turn};
use crate::{
    bench::{
        Bench, http,
        load::{Load, mint},
        process::{Baseline, Process, Server, free_port, pinned, program},
        rows::Primitives,
        stock::Stock,
    },
    tools,
};

/// Where the servers run, and nothing else.
const CORE: u32 = 0;
const REDIRECT_URI: &str = "http://localhost:5000/callback";
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
/// More codes or assertions a second than any server here takes.
const ENOUGH: u32 = 15_000;
/// What the clients are that sign assertions, and by what.
const SIGNING: [(&str, &str); 2] = [("es256", "by-es256"), ("eddsa", "by-eddsa")];

pub(super) struct Stage<'b> {
    bench: &'b Bench,
    stock: &'b Stock,
    load: Load,
    server: Server,
    baseline: Baseline,
    peer: Peer,
    /// The client that has a secret, as `Authorization` has it.
    basic: String,
}

/// The npm package.
struct Peer {
    process: Process,
    /// The same client there.
    basic: String,
    /// Lines of an opaque access token and a refresh token.
    tokens: PathBuf,
    /// How many turns have used up refresh tokens of theirs.
    turns: Cell<usize>,
}

/// Enough to go round, and few enough for as many turns as there may be.
const TURN: usize = 1_000;

/// A request as the script sends it.
struct Call {
    options: Vec<String>,
}

impl Call {
    fn to(path: &str) -> Self {
        Self { options: vec![format!("path={path}")] }
    }

    fn saying(mut self, name: &str, value: &str) -> Self {
        self.options.push(format!("{name}={value}"));
        self
    }

    /// The same, at the bare server.
    fn at_bare(&self, row: Row) -> Vec<String> {
        let path = format!("path=/canned/{}", row.answer());
        let spends = ["once=", "next="];
        let kept = self.options.iter().skip(1).filter(|it| !spends.iter().any(|spend| it.starts_with(spend)));
        [path].into_iter().chain(kept.cloned()).collect()
    }
}

impl<'b> Stage<'b> {
    pub(super) fn set_up(bench: &'b Bench, stock: &'b Stock) -> Result<Self> {
        tools::install_programs(&bench.sh, &[("taskset", "util-linux")])?;
        let peer = Peer::start(bench)?;
        let server = Server::start_on(CORE, stock)?;
        stock.lift_limits(bench)?;
        let secret = register(bench, stock, &server)?;
        let basic = STANDARD.encode(format!("c4:{secret}"));
        let load = Load { core: Some(cores() - 1), threads: 1, ..bench.load };
        record(bench, stock, &server, &basic)?;
        let baseline = Baseline::start_on(CORE, &bench.home)?;
        Ok(Self { bench, stock, load, server, baseline, peer, basic })
    }

    pub(super) fn tear_down(self) -> Result<()> {
        self.server.stop()
    }

    /// What a browser gets first that an app sends here.
    pub(super) fn first_page(&self) -> Result<Page> {
        let asked = format!(
            "/oauth2/authorize?response_type=code&client_id=c1&redirect_uri={REDIRECT_URI}&scope=openid&code_challenge={CHALLENGE}\
             &code_challenge_method=S256"
        );
        Page::measure(self.server.process.port, &asked)
    }

    /// The same load on the bare server, on ours, and on the package where it has such a request.
    pub(super) fn measure(&self, row: Row) -> Result<Turn> {
        let call = self.call(row)?;
        let primitives = Primitives::measure_on(self.bench, Some(CORE))?;
        let bare = self.load.run(self.bench, self.baseline.process.port, "provider", &call.at_bare(row))?;
        let ours = self.server.process.port;
        if row == Row::Introspect {
            // Each token is seen once before.
            self.load.long().run(self.bench, ours, "provider", &call.options)?;
        }
        let before = self.server.process.processor_time()?;
        let seen = self.load.run(self.bench, ours, "provider", &call.options)?;
        let processor = seen.each(self.server.process.processor_time()? - before) * 1e6;
        let peer = match self.peer.call(self.bench, row)? {
            Some(call) => Some(self.load.run(self.bench, self.peer.process.port, "provider", &call.options)?),
            None => None,
        };
        Ok(Turn { ours: seen, bare, peer, processor, primitives })
    }

    fn call(&self, row: Row) -> Result<Call> {
        let with_secret = |call: Call| call.saying("basic", &self.basic);
        Ok(match row {
            Row::Discovery => Call::to("/.well-known/openid-configuration"),
            Row::Jwks => Call::to("/.well-known/jwks.json"),
            Row::Token => with_secret(Call::to(TOKEN)).saying("body", CLIENT_CREDENTIALS),
            Row::Introspect => {
                let tokens = self.minted(self.load.short())?;
                with_secret(Call::to("/oauth2/introspect")).saying("body", "token={}").saying("tokens", &tokens)
            }
            Row::OauthRefresh => {
                let body = "grant_type=refresh_token&refresh_token={}&client_id=c1";
                let call = Call::to(TOKEN).saying("body", body).saying("tokens", &self.minted(self.load.long())?);
                call.saying("word", "2").saying("next", "refresh_token")
            }
            Row::CodeEs256 => exchange("c3", &self.codes("c3")?),
            Row::CodeEdDsa => exchange("c1", &self.codes("c1")?),
            Row::TokenEs256 => self.asserting(0)?,
            Row::TokenEdDsa => self.asserting(1)?,
        })
    }

    /// Lines of access tokens and refresh tokens.
    fn minted(&self, load: Load) -> Result<String> {
        Ok(mint(self.bench, &self.server, load)?.display().to_string())
    }

    fn codes(&self, client: &str) -> Result<String> {
        let codes = codes(self.bench, self.stock, client, ENOUGH * self.load.seconds)?;
        self.keep("codes", &codes)
    }

    fn asserting(&self, number: usize) -> Result<Call> {
        let audience = issuer(&self.server);
        let assertions = assertions(self.bench, SIGNING[number], &audience, ENOUGH * self.load.seconds)?;
        let body = "grant_type=client_credentials&scope=read&client_assertion_type=\
                    urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer&client_assertion={}";
        let file = self.keep("assertions", &assertions)?;
        Ok(Call::to(TOKEN).saying("body", body).saying("tokens", &file).saying("once", "yes"))
    }

    fn keep(&self, name: &str, lines: &str) -> Result<String> {
        let file = self.bench.home.join(name);
        fs::write(&file, lines)?;
        Ok(file.display().to_string())
    }
}

const TOKEN: &str = "/oauth2/token";
const CLIENT_CREDENTIALS: &str = "grant_type=client_credentials&scope=read";

fn cores() -> u32 {
    std::thread::available_parallelism().ok().and_then(|cores| u32::try_from(cores.get()).ok()).unwrap_or(1)
}

fn issuer(server: &Server) -> String {
    format!("http://localhost:{}", server.process.port)
}

fn exchange(client: &str, codes: &str) -> Call {
    let body = format!(
        "grant_type=authorization_code&client_id={client}&redirect_uri={REDIRECT_URI}&code_verifier={VERIFIER}&code={{}}"
    );
    Call::to(TOKEN).saying("body", &body).saying("tokens", codes).saying("once", "yes")
}

/// Registers the clients. Gives the secret of the one that has one.
fn register(bench: &Bench, stock: &Stock, server: &Server) -> Result<String> {
    let own = ["oauth.grants=client_credentials", "oauth.scopes=read"];
    stock.run(bench, &["client", "set", "c4", "oauth.auth_method=client_secret_basic", own[0], own[1]])?;
    let redirect_uris = format!("oauth.redirect_uris={REDIRECT_URI}");
    stock.run(bench, &["client", "set", "c1", &redirect_uris, "oauth.id_token_alg=EdDSA"])?;
    for (alg, client) in SIGNING {
        let jwks = assertions(bench, (alg, client), &issuer(server), 0)?;
        let jwks = format!("oauth.jwks={}", jwks.trim());
        let method = "oauth.auth_method=private_key_jwt";
        stock.run(bench, &["client", "create", client, "--kind", "backend", method, &jwks, own[0], own[1]])?;
    }
    let made = stock.run(bench, &["client", "secret", "create", "c4", "--json"])?;
    let made: serde_json::Value = serde_json::from_str(&made)?;
    // A running server sees all that within a second.
    sleep(Duration::from_secs(2));
    Ok(made["secret"].as_str().context("a secret was made")?.to_owned())
}

/// Has our server answer each kind of request once, and keeps what it sent.
fn record(bench: &Bench, stock: &Stock, server: &Server, basic: &str) -> Result<()> {
    let port = server.process.port;
    let authorization = [("authorization", format!("Basic {basic}"))];
    let token = http::post_form(port, TOKEN, &authorization, CLIENT_CREDENTIALS)?;
    let code = codes(bench, stock, "c3", 1)?;
    let body = exchange("c3", "").options[1].replacen("body=", "", 1).replace("{}", code.trim());
    let code = http::post_form(port, TOKEN, &[], &body)?;
    let shown = format!("token={}", code.member("access_token")?);
    let introspected = http::post_form(port, "/oauth2/introspect", &authorization, &shown)?;
    introspected.member("sub")?;
    let body = format!("grant_type=refresh_token&client_id=c3&refresh_token={}", code.member("refresh_token")?);
    let refreshed = http::post_form(port, TOKEN, &[], &body)?;
    refreshed.member("refresh_token")?;
    token.member("access_token")?;
    let document = |path| http::get(port, path, ("accept", "*/*"));
    let (discovery, jwks) = (document("/.well-known/openid-configuration")?, document("/.well-known/jwks.json")?);
    for (name, answer) in [
        ("token", token),
        ("code", code),
        ("introspect", introspected),
        ("oauth-refresh", refreshed),
        ("discovery", discovery),
        ("jwks", jwks),
    ] {
        answer.keep(&bench.home, name)?;
    }
    Ok(())
}

/// Codes of users, written beside the running server.
fn codes(bench: &Bench, stock: &Stock, client: &str, count: u32) -> Result<String> {
    let (database, count) = (stock.database(), count.to_string());
    let client = ["--client", client, "--redirect-uri", REDIRECT_URI, "--challenge", CHALLENGE];
    Ok(cmd!(bench.sh, "python3 bench/codes.py {database} {client...} --count {count}").quiet().read()?)
}

/// Assertions of a client, or for none of them what it registers.
fn assertions(bench: &Bench, (alg, client): (&str, &str), audience: &str, count: u32) -> Result<String> {
    let mut sign = program("countersign-baseline");
    sign.args(["assertions", "--alg", alg, "--client", client, "--audience", audience]);
    sign.args(["--count", &count.to_string(), "--key"]).arg(bench.home.join(format!("{client}.key")));
    output(sign)
}

fn output(mut command: Command) -> Result<String> {
    let done = command.output()?;
    if !done.status.success() {
        bail!("{}", String::from_utf8_lossy(&done.stderr));
    }
    Ok(String::from_utf8(done.stdout)?)
}

impl Peer {
    fn start(bench: &Bench) -> Result<Self> {
        let package = tools::root().join("bench/peer");
        let modules = tools::node(&bench.sh, "peer", &package)?;
        // Modules are looked for beside the file.
        let script = modules.with_file_name("server.mjs");
        bench.sh.copy_file(package.join("server.mjs"), &script)?;
        let (port, tokens) = (free_port()?, bench.home.join("peer-tokens"));
        let mut node = pinned(CORE, "node".as_ref());
        node.env("NODE_ENV", "production").arg(script).arg(port.to_string()).arg(&tokens);
        let process = Process::start(node, port, &bench.home.join("peer.log"))?;
        let basic = STANDARD.encode("c4:a+secret+of+the+bench%2C+long+enough+for+anything");
        Ok(Self { process, basic, tokens, turns: Cell::default() })
    }

    /// The same request there. It introspects no JWT, so it is asked about an opaque token.
    fn call(&self, bench: &Bench, row: Row) -> Result<Option<Call>> {
        let call = |path, body| Call::to(path).saying("basic", &self.basic).saying("body", body);
        let api = "urn%3Acountersign%3Abench%3Aapi";
        Ok(match row {
            Row::Token => Some(call("/token", &format!("{CLIENT_CREDENTIALS}&resource={api}"))),
            Row::Introspect => {
                let tokens = self.tokens.display().to_string();
                Some(call("/token/introspection", "token={}").saying("tokens", &tokens))
            }
            Row::OauthRefresh => {
                let call = call("/token", "grant_type=refresh_token&refresh_token={}");
                Some(call.saying("tokens", &self.unused(bench)?).saying("word", "2").saying("next", "refresh_token"))
            }
            _ => None,
        })
    }

    /// Lines whose refresh tokens nobody has shown: one that comes again ends what it belongs to.
    fn unused(&self, bench: &Bench) -> Result<String> {
        let turn = self.turns.replace(self.turns.get() + 1);
        let all = fs::read_to_string(&self.tokens)?;
        let lines: Vec<&str> = all.lines().skip(turn * TURN).take(TURN).collect();
        let file = bench.home.join("peer-tokens-unused");
        fs::write(&file, lines.join("\n"))?;
        Ok(file.display().to_string())
    }
}
