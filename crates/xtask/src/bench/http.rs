//! One request to a server on this machine, and its answer as it was sent.

use std::{
    fs,
    io::{Read, Write},
    net::{Ipv4Addr, TcpStream},
    path::Path,
    time::Duration,
};

use anyhow::{Context, Result, bail};
use serde_json::Value;

/// An answer: head and body.
pub(super) struct Answer {
    pub(super) text: String,
}

impl Answer {
    pub(super) fn is_ok(&self) -> bool {
        self.text.starts_with("HTTP/1.1 200 ")
    }

    /// A member of the body, which is a JSON object.
    pub(super) fn member(&self, name: &str) -> Result<String> {
        let (head, body) = self.text.split_once("\r\n\r\n").context("an answer without a body")?;
        if !self.is_ok() {
            bail!("{head}\n\n{body}");
        }
        let body: Value = serde_json::from_str(body)?;
        Ok(body[name].as_str().with_context(|| format!("no {name} in {body}"))?.to_owned())
    }
}

impl Answer {
    /// Keeps it for the bare server, which keeps its connections open.
    pub(super) fn keep(&self, home: &Path, name: &str) -> Result<()> {
        if !self.is_ok() {
            bail!("{name}: {}", self.text);
        }
        let folder = home.join("answers");
        fs::create_dir_all(&folder)?;
        fs::write(folder.join(name), self.text.replace("connection: close\r\n", ""))?;
        Ok(())
    }
}

pub(super) fn get(port: u16, path: &str, header: (&str, &str)) -> Result<Answer> {
    exchange(port, &format!("GET {path} HTTP/1.1\r\n{}", head(header)), "")
}

pub(super) fn get_with(port: u16, path: &str, headers: &[(&str, String)]) -> Result<Answer> {
    let more = headers.iter().fold(String::new(), |all, (name, value)| all + &format!("{name}: {value}\r\n"));
    exchange(port, &format!("GET {path} HTTP/1.1\r\n{}{more}", head(("accept", "*/*"))), "")
}

pub(super) fn post(port: u16, path: &str, header: (&str, &str), body: &Value) -> Result<Answer> {
    let body = body.to_string();
    let head = format!(
        "POST {path} HTTP/1.1\r\n{}content-type: application/json\r\ncontent-length: {}\r\n",
        head(header),
        body.len()
    );
    exchange(port, &head, &body)
}

pub(super) fn post_form(port: u16, path: &str, headers: &[(&str, String)], body: &str) -> Result<Answer> {
    let more = headers.iter().fold(String::new(), |all, (name, value)| all + &format!("{name}: {value}\r\n"));
    let head = format!(
        "POST {path} HTTP/1.1\r\n{}content-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n{more}",
        head(("accept", "*/*")),
        body.len()
    );
    exchange(port, &head, body)
}

fn head((name, value): (&str, &str)) -> String {
    format!("host: localhost\r\nconnection: close\r\n{name}: {value}\r\n")
}

fn exchange(port: u16, head: &str, body: &str) -> Result<Answer> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    stream.write_all(format!("{head}\r\n{body}").as_bytes())?;
    let mut text = String::new();
    stream.read_to_string(&mut text)?;
    Ok(Answer { text })
}
