//! Text messages: a provider takes them by an HTTP request that the configuration describes.

mod template;

use std::{sync::Arc, time::Duration};

use crate::{
    config::{
        http::unsafe_setting,
        sms::{Authentication, Method, Preset, SmsConfig},
    },
    error::Failure,
    tls,
};
use axum::http::{HeaderValue, Request, StatusCode, Uri, header};
use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use countersign_crypto::secret::SecretText;
use countersign_domain::message::Destination;
use countersign_service::deliver::{
    carrier::{Carrier, Fault, NotSent},
    content::Message,
};
use http_body_util::{BodyExt, Full, Limited};
use hyper_rustls::HttpsConnector;
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::{TokioExecutor, TokioTimer},
};
use template::{Body, Values, fill_secret};

/// A provider, and how it is asked.
pub struct Provider {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    uri: Uri,
    method: axum::http::Method,
    headers: Vec<(header::HeaderName, HeaderValue)>,
    body: Body,
    accepted: Option<StatusCode>,
    from: String,
    timeout: Duration,
}

/// As much of an answer as is read; what it says matters to nobody but an operator who tries it out.
const LONGEST_ANSWER: usize = 64 * 1024;
/// Shorter than most servers keep an idle connection for.
const IDLE: Duration = Duration::from_secs(4);

impl Provider {
    /// As it is configured; none: no text messages are sent.
    pub fn new(config: &SmsConfig) -> Result<Option<Self>, Failure> {
        if !config.is_there() {
            return Ok(None);
        }
        let secret = config.secret()?;
        let (body, accepted) = match config.preset {
            Some(Preset::Twilio) => (twilio_body(config), Some(StatusCode::CREATED)),
            None => (Body::read(&config.form, config.json.as_deref())?, None),
        };
        let accepted = match config.status {
            Some(status) => Some(status.to_string().parse().map_err(|_| bad("sms.status must be a status like 200"))?),
            None => accepted,
        };
        let mut headers = written_headers(&config.headers, secret.as_ref())?;
        headers.push((header::CONTENT_TYPE, HeaderValue::from_static(body.content_type())));
        headers.extend(proof(config, secret.as_ref())?.map(|value| (header::AUTHORIZATION, value)));
        if body.uses("from") && config.from.is_none() {
            return unsafe_setting("sms.from is missing: the request names it");
        }
        let client = Client::builder(TokioExecutor::new())
            .timer(TokioTimer::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE)
            .build(connector(config)?);
        let method = match config.method {
            Method::Post => axum::http::Method::POST,
            Method::Put => axum::http::Method::PUT,
        };
        let (uri, from) = (address(config)?, config.from.clone().unwrap_or_default());
        Ok(Some(Self { client, uri, method, headers, body, accepted, from, timeout: config.timeout }))
    }

    /// Takes text messages to the provider.
    pub fn carrier(self) -> Carrier {
        let (timeout, provider) = (self.timeout, Arc::new(self));
        Carrier::new(timeout, move |message| {
            let provider = Arc::clone(&provider);
            Box::pin(async move { provider.send(&message).await })
        })
    }

    async fn send(&self, message: &Message) -> Result<(), NotSent> {
        let Destination::Phone(to) = &message.to else {
            let cause = "it is for no telephone".to_owned();
            return Err(NotSent { fault: Fault::MessageForGood, cause, answer: None });
        };
        let values = Values { to: to.as_str(), text: &message.content.text, from: &self.from };
        let mut request = Request::new(Full::new(Bytes::from(self.body.write(&values))));
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = self.uri.clone();
        for (name, value) in &self.headers {
            request.headers_mut().insert(name, value.clone());
        }
        let answered = self.client.request(request).await;
        let answer = answered
            .map_err(|problem| NotSent::channel(format!("the provider can't be reached: {}", causes(&problem))))?;
        let status = answer.status();
        // Read to its end, so that the connection can be used again.
        let said = Limited::new(answer.into_body(), LONGEST_ANSWER).collect().await;
        let said = said.map(|body| shown(&String::from_utf8_lossy(&body.to_bytes()))).unwrap_or_default();
        judge(status, self.accepted, said)
    }
}

/// What comes of an answer. One that means neither yes nor no isn't asked for again: nobody wants the same message five times.
fn judge(status: StatusCode, accepted: Option<StatusCode>, said: String) -> Result<(), NotSent> {
    if accepted.map_or(status.is_success(), |accepted| status == accepted) {
        return Ok(());
    }
    let (fault, cause) = match status.as_u16() {
        401 | 403 => (Fault::Channel, "the provider doesn't take who we are"),
        404 | 405 => (Fault::Channel, "at sms.url there is nothing that takes messages"),
        408 | 429 => (Fault::Channel, "the provider asks to come again later"),
        300..=399 => (Fault::Channel, "the provider sends us elsewhere, and sms.url must be where it is"),
        500..=599 => (Fault::Channel, "the provider is out of order"),
        200..=299 => (Fault::MessageForGood, "the provider's answer isn't the one that sms.status names"),
        _ => (Fault::MessageForGood, "the provider doesn't take the message"),
    };
    Err(NotSent { fault, cause: format!("{cause} ({})", status.as_u16()), answer: Some(said) })
}

fn twilio_body(config: &SmsConfig) -> Body {
    let sender =
        if config.from.as_deref().is_some_and(|from| from.starts_with("MG")) { "MessagingServiceSid" } else { "From" };
    let field = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    Body::Form(vec![field("To", "{to}"), field(sender, "{from}"), field("Body", "{text}")])
}

fn address(config: &SmsConfig) -> Result<Uri, Failure> {
    let account = config.account.as_deref().unwrap_or_default();
    let twilio = || format!("https://api.twilio.com/2010-04-01/Accounts/{account}/Messages.json");
    let url = config.url.clone().unwrap_or_else(twilio);
    url.parse().map_err(|_| bad("sms.url must be a URL, as https://api.example.com/messages"))
}

fn written_headers(
    lines: &[String],
    secret: Option<&SecretText>,
) -> Result<Vec<(header::HeaderName, HeaderValue)>, Failure> {
    let read = |line: &String| {
        let wrong = || bad("sms.headers must be headers like `X-Api-Key: {secret}`");
        let (name, value) = line.split_once(':').ok_or_else(wrong)?;
        let name = header::HeaderName::try_from(name.trim()).map_err(|_| wrong())?;
        let value = fill_secret(value.trim(), secret.map(SecretText::danger_expose))?;
        let mut value = HeaderValue::try_from(value).map_err(|_| wrong())?;
        value.set_sensitive(true);
        Ok((name, value))
    };
    lines.iter().map(read).collect()
}

fn proof(config: &SmsConfig, secret: Option<&SecretText>) -> Result<Option<HeaderValue>, Failure> {
    let secret = secret.map(SecretText::danger_expose).unwrap_or_default();
    let text = match config.authentication() {
        Authentication::None => return Ok(None),
        Authentication::Bearer => format!("Bearer {secret}"),
        Authentication::Basic => {
            let user = config.user().unwrap_or_default();
            format!("Basic {}", STANDARD.encode(format!("{user}:{secret}")))
        }
    };
    let mut value = HeaderValue::try_from(text).map_err(|_| bad("sms.secret must be plain text"))?;
    value.set_sensitive(true);
    Ok(Some(value))
}

fn connector(config: &SmsConfig) -> Result<HttpsConnector<HttpConnector>, Failure> {
    let tls = tls::client("sms.ca_file", config.ca_file.as_deref())?;
    let mut http = HttpConnector::new();
    http.enforce_http(false);
    http.set_nodelay(true);
    http.set_connect_timeout(Some(config.timeout));
    Ok(HttpsConnector::from((http, tls)))
}

fn bad(problem: &str) -> Failure {
    Failure::Usage(problem.to_owned())
}

/// An error with what it is because of; none of them knows what was sent.
fn causes(problem: &dyn std::error::Error) -> String {
    let mut text = problem.to_string();
    let mut next = problem.source();
    while let Some(cause) = next {
        text = format!("{text}: {cause}");
        next = cause.source();
    }
    shown(&text)
}

fn shown(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(300).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(status: u16, accepted: Option<u16>) -> Option<Fault> {
        let status_of = |code: u16| StatusCode::from_u16(code).unwrap();
        judge(status_of(status), accepted.map(status_of), String::new()).err().map(|it| it.fault)
    }

    #[test]
    fn what_is_worth_another_try_is_told_from_what_is_not() {
        assert_eq!([200, 201, 202, 299].map(|status| fault(status, None)), [None; 4]);
        assert_eq!(fault(201, Some(201)), None);
        assert_eq!(fault(200, Some(201)), Some(Fault::MessageForGood), "it may have been taken");
        for status in [301, 307, 401, 403, 404, 408, 429, 500, 503] {
            assert_eq!(fault(status, None), Some(Fault::Channel), "{status}");
        }
        for status in [400, 409, 422] {
            assert_eq!(fault(status, None), Some(Fault::MessageForGood), "{status}");
        }
    }
}
