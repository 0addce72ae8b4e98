//! The mends that a listing may have, and no others: what a customer fills in, two slips of the first guide, and what the third leaves out.

/// A change of one place of a listing.
#[derive(Debug, Clone, Copy)]
pub(super) enum Mend<'a> {
    /// The address that the listing calls.
    Url(&'a str),
    /// The secret key.
    Key(&'a str),
    /// The port that the Flask endpoint listens on: 5000 may be taken.
    FlaskPort(u16),
    /// The port that the Gin endpoint listens on.
    GinPort(u16),
    /// Go refuses an import that nothing uses.
    UnusedImport,
    /// A name is broken in two by an empty line.
    BrokenLine,
    /// Where the client API is.
    ClientApi(&'a str),
    /// The publishable key.
    PublishableKey(&'a str),
    /// The secret under which users are proved.
    HmacSecret(&'a str),
    /// The port that Express listens on.
    ExpressPort(u16),
    /// The port that the third guide's Flask app listens on.
    FlaskAppPort(u16),
    /// The verifier of PKCE goes from the request to the exchange, with Flask and Django.
    Verifier,
    /// The same, with `FastAPI`.
    FastApiVerifier,
    /// The body carries it there.
    FastApiBody,
    /// What `FastAPI` calls a class.
    FastApiImport,
    /// Where the server of delegated calls is: the client has an address of its own otherwise.
    DelegationUrl,
    /// The guide's own check of its own session tokens: the client's is for tokens of an identity provider.
    OwnSessionTokens,
}

impl Mend<'_> {
    /// The listing with this mend.
    #[track_caller]
    pub(super) fn apply(&self, listing: &str) -> String {
        let (from, to) = self.change();
        let places = listing.matches(from).count();
        assert!(
            places == 1,
            "this mend no longer applies: {}: {from:?} stands there {places} times",
            self.description()
        );
        listing.replacen(from, &to, 1)
    }

    fn description(&self) -> &'static str {
        match self {
            Self::Url(_) => "the address to call",
            Self::Key(_) => "the secret key",
            Self::FlaskPort(_) => "the port that Flask listens on",
            Self::GinPort(_) => "the port that Gin listens on",
            Self::UnusedImport => "the import that nothing uses",
            Self::BrokenLine => "the name that an empty line breaks",
            Self::ClientApi(_) => "the address of the client API",
            Self::PublishableKey(_) => "the publishable key",
            Self::HmacSecret(_) => "the HMAC secret",
            Self::ExpressPort(_) => "the port that Express listens on",
            Self::FlaskAppPort(_) => "the port that the Flask app listens on",
            Self::Verifier | Self::FastApiVerifier => "the verifier for the exchange",
            Self::FastApiBody => "the verifier in the body",
            Self::FastApiImport => "what FastAPI calls a class",
            Self::DelegationUrl => "the address of the server of delegated calls",
            Self::OwnSessionTokens => "the check of session tokens",
        }
    }

    /// What stands there, and what shall.
    fn change(&self) -> (&'static str, String) {
        match self {
            Self::Url(url) => ("https://api.default-domain.com", (*url).to_owned()),
            Self::Key(key) => ("YOUR_SECRET_FROM_CLOUD_PORTAL", (*key).to_owned()),
            Self::FlaskPort(port) => ("app.run(debug=True)", format!("app.run(debug=True, port={port})")),
            Self::GinPort(port) => ("\":8080\"", format!("\":{port}\"")),
            Self::UnusedImport => ("    \"log\"\n", String::new()),
            Self::BrokenLine => ("get_huma_token\n\n_url", "get_huma_token_url".to_owned()),
            Self::ClientApi(url) => ("https://api.proficientai.com", (*url).to_owned()),
            Self::PublishableKey(key) => {
                ("pk_40NDqyJqjBe6DJyLn44HBEgi0loTunwLdjWHhcOUGONSkpomQx0qInkWLtu0ouwSr6qqE7HQ", (*key).to_owned())
            }
            Self::HmacSecret(secret) => {
                ("hsec_mFLSkjGK6XLK1TUxL8wgiXrjwZCqcfmgbXTC0JmZFooSl9rQlzIrpsQHNor4guw2YOUP7vWA", (*secret).to_owned())
            }
            Self::ExpressPort(port) => ("app.listen(8080,", format!("app.listen({port},")),
            Self::FlaskAppPort(port) => ("port=5000", format!("port={port}")),
            Self::Verifier => ("code=code,", "code=code, code_verifier=data.get('code_verifier'),".to_owned()),
            Self::FastApiVerifier => {
                ("code=request.code,", "code=request.code, code_verifier=request.code_verifier,".to_owned())
            }
            Self::FastApiBody => ("    code: str\n", "    code: str\n    code_verifier: str\n".to_owned()),
            Self::FastApiImport => (
                "HTTPBearer, HTTPAuthCredentials",
                "HTTPBearer, HTTPAuthorizationCredentials as HTTPAuthCredentials".to_owned(),
            ),
            Self::DelegationUrl => (
                "sp_id=os.getenv('OAUTH_CLIENT_ID')",
                "sp_id=os.getenv('OAUTH_CLIENT_ID'), base_url=os.getenv('OAUTH_ISSUER')".to_owned(),
            ),
            // It gives nothing for a token that isn't good.
            Self::OwnSessionTokens => (
                "verify_jwt(\n                token,\n                os.getenv('SESSION_SECRET'),\n                \
                 algorithms=['HS256']\n            )",
                "verify_session_token(token)\n            if payload is None:\n                raise ValueError(token)"
                    .to_owned(),
            ),
        }
    }
}
