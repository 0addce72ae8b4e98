//! A client that speaks HTTP over TCP, as anybody's does.

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{Method, Request};
use hyper_util::{
    client::legacy::{Client as Pooled, connect::HttpConnector},
    rt::TokioExecutor,
};
use serde_json::Value;

use crate::answer::Answer;

/// Calls one server.
#[derive(Clone)]
pub struct Client {
    base: String,
    pool: Pooled<HttpConnector, Full<Bytes>>,
    headers: Vec<(String, String)>,
}

impl Client {
    /// Calls the server at `base`, as `http://127.0.0.1:7420`.
    pub fn of(base: impl Into<String>) -> Self {
        let pool = Pooled::builder(TokioExecutor::new()).build_http();
        Self { base: base.into(), pool, headers: Vec::new() }
    }

    /// Where it calls.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// Sends this header with every call, beside the others.
    #[must_use]
    pub fn with(&self, name: &str, value: &str) -> Self {
        let mut with = self.clone();
        with.headers.retain(|(other, _)| other != name);
        with.headers.push((name.to_owned(), value.to_owned()));
        with
    }

    /// Goes by this network address, as a trusted proxy reports it.
    #[must_use]
    pub fn from_address(&self, address: &str) -> Self {
        self.with("x-forwarded-for", address)
    }

    /// Calls itself so.
    #[must_use]
    pub fn user_agent(&self, name: &str) -> Self {
        self.with("user-agent", name)
    }

    /// `GET`.
    pub async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, Bytes::new()).await
    }

    /// `POST` with JSON.
    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        self.post_bytes(path, body.to_string()).await
    }

    /// `POST` with any bytes, said to be JSON.
    pub async fn post_bytes(&self, path: &str, body: impl Into<Bytes>) -> Answer {
        self.with("content-type", "application/json").send(Method::POST, path, body.into()).await
    }

    /// `POST` with JSON to a server that may not answer.
    pub async fn try_post(&self, path: &str, body: &Value) -> Result<Answer, String> {
        let body = body.to_string().into();
        self.with("content-type", "application/json").try_send(Method::POST, path, body).await
    }

    /// Any call.
    pub async fn send(&self, method: Method, path: &str, body: Bytes) -> Answer {
        self.try_send(method, path, body).await.expect("the server answers")
    }

    /// Any call to a server that may not answer.
    pub async fn try_send(&self, method: Method, path: &str, body: Bytes) -> Result<Answer, String> {
        let mut request = Request::builder().method(method).uri(format!("{}{path}", self.base));
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        let request = request.body(Full::new(body)).unwrap();
        let response = self.pool.request(request).await.map_err(|problem| problem.to_string())?;
        let (parts, body) = response.into_parts();
        let body = body.collect().await.map_err(|problem| problem.to_string())?.to_bytes();
        Ok(Answer { status: parts.status, headers: parts.headers, body })
    }
}
