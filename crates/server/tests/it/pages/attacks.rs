//! Attacks on our pages, each with a twin without it.

use countersign_testkit::{answer::Answer, database::Engine, house::House, on_both_engines, provider::redemption};

use super::{ADA, with_ada};

on_both_engines!(
    csrf_on_every_form,
    clickjacking,
    session_fixation,
    enumeration_by_text_or_status,
    a_link_opened_in_another_browser,
    tokens_or_codes_in_referer_or_cache,
    a_handle_of_a_browser_is_none_for_an_app,
    a_cookie_of_somebody_elses_making,
    a_host_header_changes_no_link,
);

/// Every page that there is, with its forms.
async fn csrf_on_every_form(engine: Engine) {
    let house = with_ada(engine).await;
    house.set_client("c3", &["oauth.first_party=off"]).await;
    let browser = house.browser();
    let first = browser.sent_by_app(&house, &[]).await;
    let code_page = browser.asks_for_code(&first, ADA).await;
    let code = house.newest_code(ADA).await;
    let forms = [
        ("email", vec![("email", "eve@example.com")]),
        ("code", vec![("code", code.as_str())]),
        ("resend", vec![]),
        ("link", vec![("k", "AAAAAAAAAAAAAAAAAAAAAA")]),
        ("continue", vec![]),
        ("cancel", vec![]),
        ("allow", vec![]),
        ("deny", vec![]),
    ];
    let stranger = house.browser();
    let strange = stranger.sent_by_app(&house, &[]).await.form_token();
    let another = browser.sent_by_app(&house, &[]).await.form_token();
    for (what, fields) in &forms {
        for token in ["", "AAAA", &strange, &another] {
            let mut sent = vec![("do", *what), ("form", token)];
            sent.extend(fields.iter().copied());
            let answer = browser.post(code_page.action(), &sent).await;
            assert_eq!(answer.status(), 403, "{what}: {answer}");
        }
        // Another site's page sends the right form, if it ever could.
        let token = code_page.form_token();
        let mut sent = vec![("do", *what), ("form", token.as_str())];
        sent.extend(fields.iter().copied());
        for (name, value) in [
            ("origin", "https://evil.example"),
            ("origin", "null"),
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-site", "same-site"),
        ] {
            let answer = browser.with(name, value).post(code_page.action(), &sent).await;
            assert_eq!(answer.status(), 403, "{what} with {name}: {answer}");
        }
    }
    assert!(house.entries("sign_in.passed").await.is_empty());
    // The twin.
    let honest = browser.with("sec-fetch-site", "same-origin").with("origin", house.public_url());
    let answer = honest.act(&code_page, "code", &[("code", &code)]).await;
    let consent = honest.follow(&answer).await;
    honest.act(&consent, "allow", &[]).await.code_for_app();
    let account = honest.page("/account").await;
    let text = account.text();
    let (_, after) = text.split_once("name=\"place\" value=\"").unwrap();
    let place = after.split('"').next().unwrap();
    for token in ["", "AAAA", &code_page.form_token()] {
        let answer = honest.post("/account", &[("form", token), ("place", place)]).await;
        assert_eq!(answer.status(), 403, "{answer}");
    }
    honest.page("/account").await;
    honest.post("/account", &[("form", &account.form_token()), ("place", place)]).await.is_ok();
    assert_eq!(honest.get("/account").await.status(), 303, "signed out");
}

fn is_protected(page: &Answer) {
    let policy = page.header("content-security-policy");
    assert!(policy.starts_with("default-src 'none'; style-src 'self'"), "{policy}");
    assert!(policy.contains("frame-ancestors 'none'") && policy.contains("base-uri 'none'"), "{policy}");
    assert!(!policy.contains("unsafe") && !policy.contains('*') && !policy.contains("script-src"), "{policy}");
    assert_eq!(page.header("x-frame-options"), "DENY");
    assert_eq!(page.header("x-content-type-options"), "nosniff");
    assert_eq!(page.header("cache-control"), "no-store");
    assert_eq!(page.header("referrer-policy"), "same-origin");
    assert!(page.headers.get("access-control-allow-origin").is_none(), "no other page reads it");
    assert!(!page.to_string().contains("<script") && !page.to_string().contains(" style="), "{page}");
}

async fn clickjacking(engine: Engine) {
    let house = with_ada(engine).await;
    house.set_client("c3", &["oauth.first_party=off"]).await;
    let browser = house.browser();
    let page = browser.sent_by_app(&house, &[]).await;
    is_protected(&page.answer);
    let page = browser.asks_for_code(&page, ADA).await;
    is_protected(&page.answer);
    is_protected(&browser.get(&house.newest_link(ADA).await).await);
    let code = house.newest_code(ADA).await;
    let answer = browser.act(&page, "code", &[("code", &code)]).await;
    is_protected(&browser.follow(&answer).await.answer);
    is_protected(&browser.get("/account").await);
    is_protected(&browser.get("/sign-in/nothing").await);
    is_protected(&browser.authorize(&house, &[("client_id", "c9")]).await);
}

/// Whoever knows the cookies of before the sign-in knows nothing of after it.
async fn session_fixation(engine: Engine) {
    let house = with_ada(engine).await;
    let (victim, attacker) = (house.browser(), house.browser());
    let planted = attacker.signs_in_as_somebody(&house).await;
    victim.set_cookie("countersign-visit-p1", &planted.0);
    victim.set_cookie("countersign-session-p1", &planted.1);
    let answer = victim.signs_in(&house, ADA, &[("prompt", "login")]).await;
    answer.code_for_app();
    assert_ne!(victim.cookies()["countersign-session-p1"], planted.1);
    // What was planted is nobody's session by now, the attacker's own included.
    assert_eq!(attacker.get("/account").await.status(), 303);
    assert!(victim.page("/account").await.says(ADA));
}

async fn enumeration_by_text_or_status(engine: Engine) {
    let house = with_ada(engine).await;
    house.user("locked@example.com").await;
    house.change_user("locked@example.com", countersign_service::projects::state::StateChange::Disable).await;
    let mut pages = Vec::new();
    for who in [ADA, "nobody@example.com", "locked@example.com"] {
        let browser = house.browser();
        let page = browser.sent_by_app(&house, &[]).await;
        let answer = browser.act(&page, "email", &[("email", who)]).await;
        let page = browser.follow(&answer).await;
        let shown = page.text().replace(who, "WHO").replace(&page.form_token(), "TOKEN").replace(page.action(), "HERE");
        let names: Vec<String> = answer.headers.keys().map(ToString::to_string).collect();
        pages.push((answer.status(), names, page.answer.status(), shown));
        let wrong = browser.follow(&browser.act(&page, "code", &[("code", "000000")]).await).await;
        assert!(wrong.says("you can try 4 more times"), "{}", wrong.answer);
    }
    assert_eq!(pages[0], pages[1]);
    assert_eq!(pages[0], pages[2]);
}

async fn a_link_opened_in_another_browser(engine: Engine) {
    let house = with_ada(engine).await;
    let victim = house.browser();
    let page = victim.sent_by_app(&house, &[]).await;
    let page = victim.asks_for_code(&page, ADA).await;
    let link = house.newest_link(ADA).await;
    let (_, secret) = link.split_once("?k=").unwrap();
    // Whoever reads the victim's mail, or the victim in front of what an attacker began.
    let other = house.browser();
    let own = other.sent_by_app(&house, &[]).await;
    let answer = other.get(&link).await;
    assert_eq!(
        (answer.status(), countersign_testkit::browser::heading(&answer).as_str()),
        (410, "Open this link in the other browser")
    );
    for token in [page.form_token(), own.form_token()] {
        let answer = other.post(page.action(), &[("do", "link"), ("k", secret), ("form", &token)]).await;
        assert_eq!(answer.status(), 410, "{answer}");
    }
    // A link is good in its own sign-in alone.
    let answer = other.act(&own, "link", &[("k", secret)]).await;
    assert_eq!(answer.status(), 303);
    assert_eq!(other.follow(&answer).await.heading(), "Sign in");
    assert!(house.entries("sign_in.passed").await.is_empty());
    // The twin.
    victim.act(&page, "link", &[("k", secret)]).await.code_for_app();
}

async fn tokens_or_codes_in_referer_or_cache(engine: Engine) {
    let house = with_ada(engine).await;
    let browser = house.browser();
    let page = browser.sent_by_app(&house, &[]).await;
    browser.asks_for_code(&page, ADA).await;
    let link = house.newest_link(ADA).await;
    let opened = browser.page(&link).await;
    assert!(!opened.says("<a href=\"http") && !opened.says("<img"), "nothing leads away from it: {}", opened.answer);
    let (_, secret) = link.split_once("?k=").unwrap();
    let answer = browser.act(&opened, "link", &[("k", secret)]).await;
    assert_eq!((answer.header("cache-control"), answer.header("referrer-policy")), ("no-store", "same-origin"));
    answer.code_for_app();
}

/// What a browser sends is no `auth_session`, and what an app holds no cookie.
async fn a_handle_of_a_browser_is_none_for_an_app(engine: Engine) {
    let house = with_ada(engine).await;
    let browser = house.browser();
    let page = browser.sent_by_app(&house, &[]).await;
    let visit = browser.cookies()["countersign-visit-p1"].clone();
    let token = page.form_token();
    for shown in [format!("as_{visit}"), format!("as_{token}"), visit, token] {
        let said = [("client_id", "c3"), ("auth_session", shown.as_str()), ("method", "email_code")];
        let answer = house.node.client().post_form("/oauth2/authorize-challenge", &said).await;
        answer.oauth_error(400, "invalid_session");
    }
    browser.asks_for_code(&page, ADA).await;
}

async fn a_cookie_of_somebody_elses_making(engine: Engine) {
    let house = with_ada(engine).await;
    let browser = house.browser();
    for value in ["", "a", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "ä", &"A".repeat(64), &"A".repeat(8000)] {
        for name in ["countersign-visit-p1", "countersign-session-p1"] {
            let answer = browser.with("cookie", &format!("{name}={value}")).get("/account").await;
            assert_eq!(answer.status(), 303, "{value}: {answer}");
        }
    }
    browser.signs_in(&house, ADA, &[]).await.code_for_app();
    let session = browser.cookies()["countersign-session-p1"].clone();
    let last = if session.ends_with('A') { "Q" } else { "A" };
    let wrong = format!("{}{last}", &session[..session.len() - 1]);
    let forger = house.browser();
    forger.set_cookie("countersign-session-p1", &wrong);
    assert_eq!(forger.get("/account").await.status(), 303);
    // Twice is never: nobody knows which was meant.
    let twice = format!("countersign-session-p1={session}; countersign-session-p1={session}");
    assert_eq!(house.browser().with("cookie", &twice).get("/account").await.status(), 303);
    forger.set_cookie("countersign-session-p1", &session);
    assert_eq!(forger.get("/account").await.status(), 200);
}

async fn a_host_header_changes_no_link(engine: Engine) {
    let house = with_ada(engine).await;
    let browser = house.browser().with("host", "evil.example").with("x-forwarded-host", "evil.example");
    let page = browser.sent_by_app(&house, &[]).await;
    assert!(!page.says("evil.example"), "{}", page.answer);
    let page = browser.asks_for_code(&page, ADA).await;
    let link = house.newest_link(ADA).await;
    assert!(link.starts_with("/sign-in/"), "{link}");
    let code = house.newest_code(ADA).await;
    let said = browser.act(&page, "code", &[("code", &code)]).await.back_at_app();
    assert_eq!(said["iss"], house.public_url());
    house.node.token(&redemption(&said["code"])).await.is_ok();
}

trait SignsIn {
    async fn signs_in_as_somebody(&self, house: &House) -> (String, String);
}

impl SignsIn for countersign_testkit::browser::Browser {
    /// Gives the cookies that somebody holds who is signed in.
    async fn signs_in_as_somebody(&self, house: &House) -> (String, String) {
        house.user("eve@example.com").await;
        self.signs_in(house, "eve@example.com", &[]).await.code_for_app();
        let cookies = self.cookies();
        (cookies["countersign-visit-p1"].clone(), cookies["countersign-session-p1"].clone())
    }
}
