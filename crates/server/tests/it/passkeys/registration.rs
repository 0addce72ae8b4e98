//! Giving a user a passkey.

use countersign_crypto::browser_cookie::SessionCookie;
use countersign_domain::{
    id::{BrowserSessionId, UserId},
    locale::Locale,
    message::Destination,
    passkey::{Kept, MOST},
};
use countersign_service::{
    passkeys::{PasskeyRefused, Registration},
    projects::state::StateChange,
};
use countersign_testkit::{database::Engine, house::House, on_both_engines};
use serde_json::json;

use super::{IN, Stage, caller};

on_both_engines!(
    the_options_say_what_a_passkey_must_be,
    a_passkey_is_added_and_its_user_told,
    a_name_is_the_users_to_choose_and_the_letter_speaks_german,
    an_authenticator_that_has_one_is_told_so,
    a_user_has_twenty_passkeys_at_most,
    twenty_that_are_added_at_once_dont_go_over_the_limit,
    where_browsers_have_no_passkeys_none_are_offered,
    nobody_who_may_not_be_signed_in_gains_a_passkey,
    whoever_is_signed_out_or_revoked_in_the_same_moment_leaves_no_passkey,
);

async fn the_options_say_what_a_passkey_must_be(engine: Engine) {
    let stage = Stage::open(engine).await;
    let options = stage.begin(stage.ada).await.options;
    let asked = &options["publicKey"];
    assert_eq!(asked["rp"], json!({ "name": "A project", "id": "localhost" }));
    let handle = countersign_crypto::encoding::encode(stage.ada.to_bytes());
    assert_eq!(asked["user"], json!({ "id": handle, "name": "ada@example.com", "displayName": "ada@example.com" }));
    assert_eq!(asked["authenticatorSelection"]["residentKey"], "required");
    assert_eq!(asked["authenticatorSelection"]["requireResidentKey"], true);
    assert_eq!(asked["authenticatorSelection"]["userVerification"], "required");
    assert_eq!(asked["attestation"], "none");
    assert_eq!(asked["timeout"], 300_000);
    assert_eq!(asked["excludeCredentials"], json!([]));
    let algorithms: Vec<_> = asked["pubKeyCredParams"].as_array().unwrap().iter().map(|it| &it["alg"]).collect();
    assert_eq!(algorithms, [-7, -35, -257]);
    let again = stage.begin(stage.ada).await.options;
    assert_ne!(again["publicKey"]["challenge"], asked["challenge"]);
    assert_eq!(asked["challenge"].as_str().unwrap().len(), 43, "32 bytes");
}

async fn a_passkey_is_added_and_its_user_told(engine: Engine) {
    let stage = Stage::open(engine).await;
    let mut phone = stage.phone();
    let passkey = stage.register(stage.ada, &mut phone).await.unwrap();
    assert_eq!((passkey.user, passkey.kept, passkey.sign_count), (stage.ada, Kept::Synced, 0));
    assert_eq!((passkey.name.as_str(), passkey.last_used_at), ("Chrome, Windows", None));
    assert!(passkey.backed_up_at.is_some());
    assert_eq!(stage.passkeys(stage.ada).await, std::slice::from_ref(&passkey));
    assert_eq!(stage.sign_in(&phone).await, IN);

    let entry = stage.house.only_entry("passkey.added").await;
    assert_eq!(entry.user_id.as_deref(), Some(stage.ada.to_string().as_str()));
    assert_eq!(entry.key_id.as_deref(), Some(passkey.id.to_string().as_str()));
    assert_eq!((entry.actor_kind.as_str(), entry.detail["kept"].as_str()), ("user", "synced"));

    let to = Destination::Email("ada@example.com".parse().unwrap());
    let letters = stage.service().outbox(Some(&to)).await.unwrap();
    assert_eq!(letters.len(), 1);
    assert_eq!(letters[0].content.subject, "A passkey was added to your account with A project");
    assert!(letters[0].content.text.contains("Chrome, Windows"), "{}", letters[0].content.text);
    assert_eq!((letters[0].content.code.as_ref(), letters[0].content.link.as_ref()), (None, None));
}

async fn a_name_is_the_users_to_choose_and_the_letter_speaks_german(engine: Engine) {
    let stage = Stage::open(engine).await;
    let (challenge, mut key) = (stage.begin(stage.ada).await, stage.security_key(3));
    let response = key.create(&challenge.options);
    let registration = Registration {
        user: stage.ada,
        state: &challenge.state,
        response: &response,
        name: "Telefon\u{202e}".parse().unwrap(),
        locale: Locale::De,
        browser: None,
    };
    let passkey = stage.service().finish_registration(&stage.project(), registration, &caller()).await.unwrap();
    assert_eq!((passkey.name.as_str(), passkey.kept, passkey.sign_count), ("Telefon\u{202e}", Kept::OnDevice, 3));
    assert_eq!(passkey.backed_up_at, None);
    let letters = stage.service().outbox(None).await.unwrap();
    assert_eq!(letters[0].content.subject, "Ihr Konto bei A project hat einen neuen Passkey");
    assert!(letters[0].content.text.contains("Telefon."), "{}", letters[0].content.text);
}

async fn an_authenticator_that_has_one_is_told_so(engine: Engine) {
    let stage = Stage::open(engine).await;
    let mut phone = stage.phone();
    stage.register(stage.ada, &mut phone).await.unwrap();
    let id = countersign_crypto::encoding::encode(&phone.credential_id);
    let asked = stage.begin(stage.ada).await.options;
    assert_eq!(asked["publicKey"]["excludeCredentials"], json!([{ "type": "public-key", "id": id }]));
    let eve = stage.another_user("eve@example.com").await;
    let asked = stage.begin(eve).await.options;
    assert_eq!(asked["publicKey"]["excludeCredentials"], json!([]), "a stranger learns nothing of it");
}

async fn a_user_has_twenty_passkeys_at_most(engine: Engine) {
    let stage = Stage::open(engine).await;
    let begun = stage.begin(stage.ada).await;
    for _ in 0..MOST {
        stage.register(stage.ada, &mut stage.phone()).await.unwrap();
    }
    let refused = stage.service().begin_registration(&stage.project(), stage.ada).await;
    assert!(matches!(refused, Err(PasskeyRefused::TooMany)), "{refused:?}");
    let late = stage.finish(stage.ada, &begun.state, &stage.phone().create(&begun.options)).await;
    assert!(matches!(late, Err(PasskeyRefused::TooMany)), "{late:?}");
    assert_eq!(stage.passkeys(stage.ada).await.len(), MOST);
}

async fn twenty_that_are_added_at_once_dont_go_over_the_limit(engine: Engine) {
    let stage = Stage::open(engine).await;
    for _ in 0..MOST - 3 {
        stage.register(stage.ada, &mut stage.phone()).await.unwrap();
    }
    let mut begun = Vec::new();
    for _ in 0..20 {
        begun.push(stage.begin(stage.ada).await);
    }
    let added = futures_util::future::join_all(begun.iter().map(async |challenge| {
        let response = stage.phone().create(&challenge.options);
        let refused = stage.finish(stage.ada, &challenge.state, &response).await.err();
        assert!(matches!(refused, None | Some(PasskeyRefused::TooMany)), "{refused:?}");
        refused.is_none()
    }));
    assert_eq!(added.await.into_iter().filter(|is_added| *is_added).count(), 3);
    assert_eq!(stage.passkeys(stage.ada).await.len(), MOST);
}

async fn where_browsers_have_no_passkeys_none_are_offered(engine: Engine) {
    let by_address = House::open(engine).await;
    let ada: UserId = by_address.user("ada@example.com").await.parse().unwrap();
    let service = &by_address.node.service;
    let is_unavailable = async |is_so: bool| {
        let view = service.project(&countersign_service::address::Address::default()).unwrap();
        let begun = [service.begin_registration(&view, ada).await.err(), service.begin_assertion(&view).err()];
        for refused in begun {
            assert_eq!(matches!(refused, Some(PasskeyRefused::Unavailable)), is_so, "{refused:?}");
        }
    };
    is_unavailable(true).await;
    by_address.set(&["host=auth.example.com"]).await;
    is_unavailable(true).await;
    by_address.set(&["host=auth.localhost"]).await;
    is_unavailable(false).await;
}

async fn nobody_who_may_not_be_signed_in_gains_a_passkey(engine: Engine) {
    let stage = Stage::open(engine).await;
    let begun = stage.begin(stage.ada).await;
    let p1 = stage.project().project.id.clone();
    stage.service().change_user_state(&p1, stage.ada, StateChange::Disable).await.unwrap();
    let refused = stage.service().begin_registration(&stage.project(), stage.ada).await;
    assert!(matches!(refused, Err(PasskeyRefused::NoSuchUser)), "{refused:?}");
    let refused = stage.finish(stage.ada, &begun.state, &stage.phone().create(&begun.options)).await;
    assert!(matches!(refused, Err(PasskeyRefused::NoSuchUser)), "{refused:?}");
    let nobody = UserId::from_bytes([7; 16]);
    let refused = stage.service().begin_registration(&stage.project(), nobody).await;
    assert!(matches!(refused, Err(PasskeyRefused::NoSuchUser)), "{refused:?}");
    assert_eq!(stage.house.books().await.passkeys, 0);
}

/// A page looks who is signed in, and then has the passkey written: here something happens between the two.
async fn whoever_is_signed_out_or_revoked_in_the_same_moment_leaves_no_passkey(engine: Engine) {
    let stage = Stage::open(engine).await;
    stage.house.web_app().await;
    let another = stage.another_user("bob@example.com").await;
    let finish = async |user: UserId, browser: BrowserSessionId| {
        let begun = stage.begin(user).await;
        let response = stage.phone().create(&begun.options);
        let registration = Registration {
            user,
            state: &begun.state,
            response: &response,
            name: "".parse().unwrap(),
            locale: Locale::En,
            browser: Some(browser),
        };
        stage.service().finish_registration(&stage.project(), registration, &caller()).await
    };
    let signs_in = async || {
        let browser = stage.house.browser();
        browser.signs_in(&stage.house, "ada@example.com", &[]).await.code_for_app();
        let cookie = SessionCookie::read(&browser.cookies()["countersign-session-p1"]).unwrap();
        (browser, cookie.unverified_id)
    };
    let (browser, signed_out) = signs_in().await;
    let page = browser.page("/account").await;
    let place = signed_out.to_string();
    browser.post("/account", &[("form", &page.form_token()), ("place", &place)]).await.is_ok();
    let (_, before_revocation) = signs_in().await;
    stage.house.change_user("ada@example.com", StateChange::Revoke).await;
    let (_, live) = signs_in().await;
    let nowhere = BrowserSessionId::from_bytes([7; 16]);
    for (user, browser) in
        [(stage.ada, signed_out), (stage.ada, before_revocation), (stage.ada, nowhere), (another, live)]
    {
        let refused = finish(user, browser).await;
        assert!(matches!(refused, Err(PasskeyRefused::SignedOut)), "{refused:?}");
    }
    assert_eq!(stage.house.books().await.passkeys, 0);
    assert!(stage.house.entries("passkey.added").await.is_empty());
    // The twin.
    finish(stage.ada, live).await.unwrap();
    assert_eq!(stage.passkeys(stage.ada).await.len(), 1);
}
