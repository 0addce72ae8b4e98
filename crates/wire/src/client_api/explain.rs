//! `POST /v1/explain`: headers in, a verdict and its reasons out.

use serde::Serialize;
use utoipa::ToSchema;

use crate::object::{BodyError, Object};

/// Headers that an app sent, as they were read.
#[derive(Debug, Clone)]
pub struct Explain {
    /// Each name with each of its values.
    pub headers: Vec<(String, String)>,
}

impl Explain {
    /// Reads a body.
    pub fn parse(body: &[u8]) -> Result<Self, BodyError> {
        Ok(Self { headers: Object::parse(body)?.texts_by_name("headers")? })
    }
}

/// Headers that an app sent.
#[derive(ToSchema)]
#[schema(as = ExplainRequest, example = json!({"headers": {
    "X-PROFICIENT-API-KEY": "pk_40NDqyJqjBe6DJyLn44HBEgi0loTunwLdjWHhcOUGONSkpomQx0qInkWLtu0ouwSr6qqE7HQ",
    "X-PROFICIENT-USER-EXTERNAL-ID": "gtLIK8ELsHTr0Fajg28Ud9eFpJJ3",
    "X-PROFICIENT-USER-HMAC": "9f2aca2bda9c5aa80f49d932d9513e6ab932263305b7d143d45c65fe234e0f95"
}}))]
pub struct ExplainSchema {
    /// Names, in any case, and values: a string, or a list of strings where a header stands there more than once. All of them may be sent;
    /// those that name the caller are read, `Authorization` too.
    #[schema(value_type = Object)]
    pub headers: String,
}

/// What would come of the call, and why.
#[derive(Serialize, ToSchema)]
#[schema(as = Explanation, example = json!({"verdict": "refused", "reasons": [
    {"code": "hmac_hex_encoded", "message": "The HMAC is written in hex. Write it in base64: digest('base64'), not digest('hex')."},
    {"code": "hmac_malformed", "message": "The HMAC isn't spelt as one: it must be 44 characters of padded standard base64, or v2.<expires>.<mac>. 64 characters were sent."}
]}))]
pub struct ExplanationBody {
    /// `accepted` or `refused`.
    pub verdict: &'static str,
    /// Of each thing that is wrong, first the mistake that explains it, then what the door calls it. Of a call that would be accepted, what
    /// it is accepted by.
    pub reasons: Vec<ReasonBody>,
}

/// A reason.
#[derive(Serialize, ToSchema)]
#[schema(as = ExplanationReason)]
pub struct ReasonBody {
    /// As a word that never changes.
    pub code: &'static str,
    /// In English: what is wrong, and what to do. For people: it may change.
    pub message: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(body: &str) -> Result<Vec<(String, String)>, String> {
        Explain::parse(body.as_bytes()).map(|it| it.headers).map_err(|problem| problem.to_string())
    }

    fn pair(name: &str, value: &str) -> (String, String) {
        (name.to_owned(), value.to_owned())
    }

    #[test]
    fn a_header_has_one_value_or_several_or_none() {
        let read = parse(r#"{"headers": {"A": "1", "b": ["2", "3"], "c": [], "d": null}, "more": 1}"#);
        assert_eq!(read, Ok(vec![pair("A", "1"), pair("b", "2"), pair("b", "3")]));
        assert_eq!(parse(r#"{"headers": {"A": "1", "a": "2"}}"#), Ok(vec![pair("A", "1"), pair("a", "2")]));
        assert_eq!(parse(r#"{"headers": {}}"#), Ok(Vec::new()));
    }

    #[test]
    fn what_is_no_header_is_refused_and_not_repeated() {
        for body in ["{}", r#"{"headers": null}"#] {
            assert_eq!(parse(body), Err("`headers` is missing".to_owned()), "{body}");
        }
        for body in [
            r#"{"headers": "sk_secret"}"#,
            r#"{"headers": ["sk_secret"]}"#,
            r#"{"headers": {"sk_secret": 1}}"#,
            r#"{"headers": {"a": ["sk_secret", 1]}}"#,
            r#"{"headers": {"a": {"sk_secret": "b"}}}"#,
            r#"{"headers": {"sk_secret": "b", "sk_secret": "c"}}"#,
        ] {
            let problem = parse(body).unwrap_err();
            assert!(problem.starts_with("`headers` must be") && !problem.contains("sk_"), "{body}: {problem}");
        }
    }
}
