//! A person's browser, as far as it matters here: it keeps cookies, sends forms with what they carry, and says where it comes from. What only a real
//! one can say is said by a real one.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use countersign_domain::{
    id::{MessageId, UserId},
    message::Destination,
    oauth::form::Form,
};
use countersign_service::projects::state::StateChange;
use hyper::Method;

use crate::{
    answer::Answer,
    authenticator::Authenticator,
    house::{House, p1},
    http::Client,
    provider::{Parameters, form, over},
};

/// A browser.
pub struct Browser {
    http: Client,
    cookies: Mutex<BTreeMap<String, String>>,
}

/// A page of a sign-in.
#[derive(Clone)]
pub struct Page {
    /// Where it is.
    pub path: String,
    /// As it came.
    pub answer: Answer,
}

impl Browser {
    /// A new one, without cookies.
    pub fn of(http: Client) -> Self {
        Self { http, cookies: Mutex::default() }
    }

    /// The same browser, that comes from elsewhere or says other things.
    #[must_use]
    pub fn with(&self, name: &str, value: &str) -> Self {
        let cookies = self.cookies.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Self { http: self.http.with(name, value), cookies: Mutex::new(cookies) }
    }

    /// Calls itself so.
    #[must_use]
    pub fn user_agent(&self, name: &str) -> Self {
        self.with("user-agent", name)
    }

    /// Its cookies by their names.
    pub fn cookies(&self) -> BTreeMap<String, String> {
        self.cookies.lock().unwrap().clone()
    }

    /// Sets a cookie, as nobody but the browser's owner could.
    pub fn set_cookie(&self, name: &str, value: &str) {
        self.cookies.lock().unwrap().insert(name.to_owned(), value.to_owned());
    }

    /// Asks for a page.
    pub async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, String::new()).await
    }

    /// Sends a form.
    pub async fn post(&self, path: &str, fields: Parameters<'_>) -> Answer {
        let http = self.http.with("content-type", "application/x-www-form-urlencoded");
        Self { http, cookies: Mutex::new(self.cookies()) }.send_for(self, Method::POST, path, form(fields)).await
    }

    async fn send(&self, method: Method, path: &str, body: String) -> Answer {
        self.send_for(self, method, path, body).await
    }

    async fn send_for(&self, keeper: &Self, method: Method, path: &str, body: String) -> Answer {
        let said: Vec<String> = keeper.cookies().iter().map(|(name, value)| format!("{name}={value}")).collect();
        let http = if said.is_empty() { self.http.clone() } else { self.http.with("cookie", &said.join("; ")) };
        let answer = http.send(method, path, body.into()).await;
        for line in answer.headers.get_all("set-cookie") {
            let line = line.to_str().expect("a cookie is ASCII");
            let (name, rest) = line.split_once('=').expect("a cookie has a name");
            let value = rest.split(';').next().unwrap_or_default();
            let mut cookies = keeper.cookies.lock().unwrap();
            if line.contains("Max-Age=0") {
                cookies.remove(name)
            } else {
                cookies.insert(name.to_owned(), value.to_owned())
            };
        }
        answer
    }

    /// Follows a redirect of ours to the page that it leads to.
    pub async fn follow(&self, answer: &Answer) -> Page {
        assert_eq!(answer.status(), 303, "{answer}");
        let path = answer.header("location").to_owned();
        assert!(path.starts_with('/'), "it leads elsewhere: {path}");
        self.page(&path).await
    }

    /// Asks for a page that is there.
    pub async fn page(&self, path: &str) -> Page {
        Page { path: path.to_owned(), answer: self.get(path).await.ok() }
    }

    /// Is sent here by an app: the page that comes.
    pub async fn sent_by_app(&self, house: &House, more: Parameters<'_>) -> Page {
        let answer = self.authorize(house, more).await;
        self.follow(&answer).await
    }

    /// Is sent here by an app.
    pub async fn authorize(&self, house: &House, more: Parameters<'_>) -> Answer {
        self.get(&format!("/oauth2/authorize?{}", form(&house.authorization(more)))).await
    }

    /// Does something on a page, with what its forms carry.
    pub async fn act(&self, page: &Page, what: &str, more: Parameters<'_>) -> Answer {
        let token = page.form_token();
        let base = [("form", token.as_str()), ("do", what)];
        self.post(page.action(), &over(&base, more)).await
    }

    /// From the first page to the one that asks for the code.
    pub async fn asks_for_code(&self, page: &Page, email: &str) -> Page {
        let answer = self.act(page, "email", &[("email", email)]).await;
        self.follow(&answer).await
    }

    /// Signs in by a code, as somebody with this address; ends on the way back to the app.
    pub async fn signs_in(&self, house: &House, email: &str, more: Parameters<'_>) -> Answer {
        let page = self.sent_by_app(house, more).await;
        let before = house.messages_to(email).await;
        let page = self.asks_for_code(&page, email).await;
        let new = house.messages_to(email).await.into_iter().find(|message| !before.contains(message));
        let code = new.expect("there is a new message").1.expect("there is a code in it");
        self.act(&page, "code", &[("code", &code)]).await
    }

    /// What a passkey is to answer on the page of a sign-in, as the page's script asks for it.
    pub async fn passkey_question(&self, page: &Page) -> Answer {
        self.post(&format!("{}/passkey", page.action()), &[("form", &page.form_token())]).await
    }

    /// Shows a passkey on the page of a sign-in.
    pub async fn shows_passkey(&self, page: &Page, passkey: &Authenticator) -> Answer {
        let question = self.passkey_question(page).await.ok().json();
        self.act(page, "passkey", &[("passkey", &passkey.get(&question))]).await
    }

    /// Has a passkey made on the account's page: the way back to that page.
    pub async fn makes_passkey(&self, passkey: &mut Authenticator) -> Answer {
        let token = self.page("/account").await.form_token();
        let question = self.post("/account/passkeys/question", &[("form", &token)]).await.ok().json();
        let response = passkey.create(&question);
        self.post("/account/passkeys", &[("form", &token), ("do", "add"), ("passkey", &response)]).await
    }
}

impl Page {
    /// All of it.
    pub fn text(&self) -> String {
        String::from_utf8(self.answer.body.to_vec()).expect("a page is UTF-8")
    }

    /// Where its forms go: to itself, without what came behind.
    pub fn action(&self) -> &str {
        self.path.split(['?', '#']).next().unwrap_or_default().trim_end_matches("/link")
    }

    /// What its forms carry.
    #[track_caller]
    pub fn form_token(&self) -> String {
        let text = self.text();
        let (_, after) =
            text.split_once("name=\"form\" value=\"").unwrap_or_else(|| panic!("there is no form: {text}"));
        after.split('"').next().unwrap_or_default().to_owned()
    }

    /// Its heading.
    pub fn heading(&self) -> String {
        heading(&self.answer)
    }

    /// Does it say so?
    pub fn says(&self, text: &str) -> bool {
        self.text().contains(text)
    }
}

/// The heading of a page.
pub fn heading(page: &Answer) -> String {
    let text = String::from_utf8_lossy(&page.body).into_owned();
    let after = text.split_once("<h1>").map(|(_, after)| after.to_owned()).unwrap_or_default();
    after.split("</h1>").next().unwrap_or_default().to_owned()
}

impl Answer {
    /// The parameters with which a browser goes back to the app.
    #[track_caller]
    pub fn back_at_app(&self) -> BTreeMap<String, String> {
        assert_eq!(self.status(), 303, "{self}");
        let location = self.header("location");
        let (uri, query) = location.split_once('?').unwrap_or((location, ""));
        assert_eq!(uri, crate::provider::REDIRECT_URI, "{self}");
        assert_eq!(self.header("cache-control"), "no-store");
        let form = Form::parse(query.as_bytes()).expect("a query");
        let names = ["code", "state", "iss", "error", "error_description"];
        names.iter().filter_map(|name| Some(((*name).to_owned(), form.text(name)?.to_owned()))).collect()
    }

    /// The code with which a browser goes back to the app.
    #[track_caller]
    pub fn code_for_app(&self) -> String {
        let said = self.back_at_app();
        said.get("code").unwrap_or_else(|| panic!("there is no code: {said:?}")).clone()
    }

    /// The error with which a browser goes back to the app.
    #[track_caller]
    pub fn error_for_app(&self) -> String {
        let said = self.back_at_app();
        assert!(!said.contains_key("code"), "{said:?}");
        said.get("error").unwrap_or_else(|| panic!("there is no error: {said:?}")).clone()
    }
}

impl House {
    /// A browser that calls the first node.
    pub fn browser(&self) -> Browser {
        Browser::of(self.node.client())
    }

    /// Gives a user a passkey, on their own page: the browser in which it was made is signed in.
    pub async fn passkey_of(&self, email: &str) -> (Browser, Authenticator) {
        let (browser, mut passkey) = (self.browser(), Authenticator::synced(self.public_url()));
        browser.signs_in(self, email, &[]).await.code_for_app();
        let answer = browser.makes_passkey(&mut passkey).await;
        assert_eq!((answer.status(), answer.header("location")), (303, "/account"), "{answer}");
        (browser, passkey)
    }

    /// Whom an address names.
    pub async fn user_id(&self, email: &str) -> UserId {
        self.node.service.show_user(&p1(), email).await.expect("there is such a user").user.id
    }

    /// Does to a user what an operator would.
    pub async fn change_user(&self, email: &str, change: StateChange) {
        let id = self.user_id(email).await;
        self.node.service.change_user_state(&p1(), id, change).await.expect("the user is changed");
    }

    /// The messages that were sent to an address, each with its code.
    pub async fn messages_to(&self, email: &str) -> Vec<(MessageId, Option<String>)> {
        let to = Destination::Email(email.parse().expect("an address"));
        let caught = self.node.service.outbox(Some(&to)).await.expect("the outbox can be read");
        caught.into_iter().map(|it| (it.id, it.content.code.clone())).collect()
    }

    /// The newest code that was sent to an address. Of several in one moment it is any.
    pub async fn newest_code(&self, email: &str) -> String {
        self.messages_to(email).await.into_iter().next().and_then(|(_, code)| code).expect("there is a code")
    }

    /// The newest link that was sent to an address, as a path.
    pub async fn newest_link(&self, email: &str) -> String {
        let to = Destination::Email(email.parse().expect("an address"));
        let caught = self.node.service.outbox(Some(&to)).await.expect("the outbox can be read");
        let link = caught.first().and_then(|it| it.content.link.clone()).expect("there is a link");
        link.strip_prefix(self.public_url()).expect("it leads here").to_owned()
    }
}
