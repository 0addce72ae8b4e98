//! What a customer's backend does about its users' devices.

use std::time::Duration;

use countersign_testkit::{
    answer::Answer, authenticator::Authenticator, browser::Browser, database::Engine, house::House, http::Client,
    on_both_engines, provider::redemption, service_provider::ServiceProvider, wait,
};
use serde_json::{Value, json};

use super::REPLAYED;

mod in_python;

on_both_engines!(
    a_backend_sees_what_the_user_sees,
    a_device_is_kept_out_let_in_and_forgotten,
    what_is_so_already_is_said_to_be_so,
    a_device_of_another_user_is_no_device_of_this_one,
    a_call_that_is_moved_from_revoke_to_delete_is_refused,
    a_request_in_the_older_form_keeps_a_device_out_once,
    a_request_that_says_of_itself_what_is_not_so_does_nothing,
    what_is_asked_must_be_whole,
);

const ADA: &str = "ada@example.com";
const BOB: &str = "bob@example.com";
const DEVICES: &str = "/hc_auth/v5/manage/devices";
const REVOKE: &str = "/hc_auth/v5/manage/revoke";
const UNREVOKE: &str = "/hc_auth/v5/manage/unrevoke";
const DELETE: &str = "/hc_auth/v5/manage/delete";
const OLDER: &str = "/device/revoke";
const NO_DEVICE: &str = "The user has no such device.";

struct Stage {
    house: House,
    provider: ServiceProvider,
    own: Browser,
    passkey: Authenticator,
    /// Signed in by the passkey.
    other: Browser,
    tokens: Answer,
    device: String,
}

impl Stage {
    async fn open(engine: Engine) -> Self {
        let house = House::at_localhost(engine).await;
        house.web_app().await;
        house.user(ADA).await;
        let (own, passkey) = house.passkey_of(ADA).await;
        let (other, tokens) = signs_in(&house, &passkey).await;
        let provider = house.service_provider("c3").await;
        let listed = provider.call(DEVICES, &json!({ "userid": ADA })).await.ok();
        let device = listed["devices"][0]["h2index"].as_str().expect("a device").to_owned();
        Self { house, provider, own, passkey, other, tokens, device }
    }

    fn of_device(&self) -> Value {
        json!({ "userid": ADA, "h2index": self.device })
    }

    fn app(&self) -> Client {
        self.house.node.client().with("authorization", &format!("Bearer {}", self.tokens.text("access_token")))
    }

    fn request(&self, jti: &str) -> Value {
        json!({
            "v": "1",
            "type": "delegation.request",
            "action": "device.revoke",
            "sp": { "id": "c3", "kid": "hawcx" },
            "subject": { "user_id": ADA, "device_id": self.device },
            "params": {},
            "audit": { "reason": "a lost phone", "requested_by": "desk-7" },
            "jti": jti,
            "iat": self.provider.now().seconds(),
        })
    }
}

async fn signs_in(house: &House, passkey: &Authenticator) -> (Browser, Answer) {
    let browser = house.browser().user_agent("Mozilla/5.0 (X11; Linux x86_64) Chrome/156.0 Safari/537.36");
    let page = browser.sent_by_app(house, &[]).await;
    let code = browser.shows_passkey(&page, passkey).await.code_for_app();
    (browser, house.node.token(&redemption(&code)).await.ok())
}

async fn a_backend_sees_what_the_user_sees(engine: Engine) {
    let stage = Stage::open(engine).await;
    let listed = stage.provider.call(DEVICES, &json!({ "userid": ADA })).await.ok();
    assert_eq!((&listed["userid"], &listed["total_devices"]), (&json!(ADA), &json!(1)), "{listed}");
    let device = &listed["devices"][0];
    let metadata = &device["device_metadata"];
    assert_eq!((&device["revoked"], &metadata["type"]), (&json!(false), &json!("passkey")));
    assert!(metadata["user_agent"].as_str().unwrap().contains("Chrome/156.0"), "{listed}");
    for time in [&device["last_attempted_login"], &device["created_at"], &metadata["last_login"]] {
        let time = time.as_str().unwrap();
        assert!(time.starts_with("20") && time.ends_with('Z'), "{listed}");
    }
    assert!(stage.own.page("/account").await.says(&stage.device));
    stage.house.user(BOB).await;
    let listed = stage.provider.call(DEVICES, &json!({ "userid": BOB })).await.ok();
    let expected = json!({ "userid": BOB, "devices": [], "total_devices": 0, "detail": "Devices retrieved." });
    assert_eq!(listed, expected);
    let nobody = stage.provider.call(DEVICES, &json!({ "userid": "eve@example.com" })).await;
    nobody.refused(404, "There is no such user.");
}

async fn a_device_is_kept_out_let_in_and_forgotten(engine: Engine) {
    let stage = Stage::open(engine).await;
    let Stage { house, provider, own, passkey, other, device, .. } = &stage;
    let node = house.another_node().await;
    let there = node.client().with("authorization", &format!("Bearer {}", stage.tokens.text("access_token")));
    there.get("/v1/me").await.is_ok();
    let done = provider.call(REVOKE, &stage.of_device()).await.ok();
    assert_eq!(done, json!({ "detail": "The device was revoked." }));
    wait::until("the other node refuses", Duration::from_secs(1), || async {
        there.get("/v1/me").await.status() == 401
    })
    .await;
    stage.app().get("/v1/me").await.denied(401, "invalid_credentials");
    assert_eq!(other.get("/account").await.status(), 303, "signed out there");
    let page = other.sent_by_app(house, &[]).await;
    let refused = other.shows_passkey(&page, passkey).await;
    assert!(other.follow(&refused).await.says("This passkey can&#39;t be used here"), "{refused}");
    assert!(own.page("/account").await.says("locked out"));
    let listed = provider.call(DEVICES, &json!({ "userid": ADA })).await.ok();
    assert_eq!(listed["devices"][0]["revoked"], true);
    let entry = house.only_entry("device.revoked").await;
    assert_eq!((&*entry.actor_kind, entry.client_id.as_deref()), ("delegation_key", Some("c3")));
    assert_eq!(entry.key_id.as_deref(), Some(&**device));
    // The user hears of it, whoever wished it.
    let letters = house.node.service.outbox(None).await.unwrap();
    assert!(letters.iter().any(|it| it.content.subject.ends_with("was locked out")));

    let done = provider.call(UNREVOKE, &stage.of_device()).await.ok();
    assert_eq!(done, json!({ "detail": "The device was unrevoked." }));
    stage.app().get("/v1/me").await.denied(401, "invalid_credentials");
    let (again, tokens) = signs_in(house, passkey).await;

    let done = provider.call(DELETE, &stage.of_device()).await.ok();
    assert_eq!(done, json!({ "detail": "The device was deleted." }));
    let bearer = format!("Bearer {}", tokens.text("access_token"));
    house.node.client().with("authorization", &bearer).get("/v1/me").await.denied(401, "invalid_credentials");
    assert_eq!(again.get("/account").await.status(), 303, "signed out there");
    assert_eq!(provider.call(DEVICES, &json!({ "userid": ADA })).await.ok()["total_devices"], 0);
    provider.call(DELETE, &stage.of_device()).await.refused(404, NO_DEVICE);
}

async fn what_is_so_already_is_said_to_be_so(engine: Engine) {
    let stage = Stage::open(engine).await;
    let say = async |path: &str| stage.provider.call(path, &stage.of_device()).await.ok()["detail"].clone();
    assert_eq!(say(UNREVOKE).await, "The device is already active.");
    assert_eq!(say(REVOKE).await, "The device was revoked.");
    assert_eq!(say(REVOKE).await, "The device is already revoked.");
    assert_eq!(say(UNREVOKE).await, "The device was unrevoked.");
    stage.house.only_entry("device.revoked").await;
    stage.house.only_entry("device.unrevoked").await;
}

async fn a_device_of_another_user_is_no_device_of_this_one(engine: Engine) {
    let stage = Stage::open(engine).await;
    stage.house.user(BOB).await;
    let before = stage.house.entries("device.revoked").await.len();
    for path in [REVOKE, UNREVOKE, DELETE] {
        for device in [&*stage.device, "pky_01ARZ3NDEKTSV4RRFFQ69G5FAV", "nonsense", "' or 1=1 --"] {
            let of_bob = json!({ "userid": BOB, "h2index": device });
            stage.provider.call(path, &of_bob).await.refused(404, NO_DEVICE);
        }
        let of_nobody = json!({ "userid": "eve@example.com", "h2index": stage.device });
        stage.provider.call(path, &of_nobody).await.refused(404, "There is no such user.");
    }
    // Nor one of another project, whatever its backend says.
    stage.house.another_project("p2").await;
    let made =
        stage.house.node.service.create_delegation_key(&"p2".parse().unwrap(), &"c3".parse().unwrap(), None).await;
    let mut strange = stage.house.provider_with("c3", made.unwrap().credential.danger_expose());
    strange.http = strange.http.with("x-config-id", "p2");
    strange.call(REVOKE, &stage.of_device()).await.refused(404, "There is no such user.");
    assert_eq!(stage.house.entries("device.revoked").await.len(), before);
    stage.app().get("/v1/me").await.is_ok();
    stage.provider.call(REVOKE, &stage.of_device()).await.ok();
}

async fn a_call_that_is_moved_from_revoke_to_delete_is_refused(engine: Engine) {
    let stage = Stage::open(engine).await;
    let Stage { house, provider, .. } = &stage;
    let body = provider.sealed(&stage.of_device());
    let signed = provider.signed(&body);
    provider.opened(signed.post_bytes(REVOKE, body.clone()).await).ok();
    for path in [DELETE, UNREVOKE, REVOKE, OLDER] {
        provider.opened(signed.post_bytes(path, body.clone()).await).refused(401, REPLAYED);
    }
    // Signed again, by whoever holds a key of the same client.
    house.advance(Duration::from_secs(2)).await;
    let again = house.service_provider("c3").await;
    again.opened(again.signed(&body).post_bytes(DELETE, body.clone()).await).refused(401, REPLAYED);
    assert!(house.entries("passkey.removed").await.is_empty());
    assert_eq!(provider.call(DEVICES, &json!({ "userid": ADA })).await.ok()["total_devices"], 1);
    provider.call(DELETE, &stage.of_device()).await.ok();
}

async fn a_request_in_the_older_form_keeps_a_device_out_once(engine: Engine) {
    let stage = Stage::open(engine).await;
    let Stage { house, provider, device, .. } = &stage;
    let done = provider.call(OLDER, &stage.request("jti-1")).await.ok();
    let expected = json!({
        "status": "success", "user_id": ADA, "device_id": device, "revoked": true, "detail": "The device was revoked.",
    });
    assert_eq!(done, expected);
    stage.app().get("/v1/me").await.denied(401, "invalid_credentials");
    let entry = house.only_entry("device.revoked").await;
    assert_eq!((&*entry.detail["reason"], &*entry.detail["requested_by"]), ("a lost phone", "desk-7"));
    provider.call(UNREVOKE, &stage.of_device()).await.ok();
    let again = provider.call(OLDER, &stage.request("jti-1")).await;
    again.refused(401, "This `jti` was used before: draw another one for each request.");
    house.only_entry("device.revoked").await;
    provider.call(OLDER, &stage.request("jti-2")).await.ok();
}

async fn a_request_that_says_of_itself_what_is_not_so_does_nothing(engine: Engine) {
    let stage = Stage::open(engine).await;
    let Stage { house, provider, .. } = &stage;
    let now = provider.now().seconds();
    let action = "`action` must be the one that this path is for.";
    let other_provider = "`sp.id` and `sp.kid` must be what the headers say.";
    let other_time = "`iat` is more than 300 seconds from now: compare the clocks.";
    for (pointer, value, status, detail) in [
        ("/action", json!("mfa.update"), 400, action),
        ("/action", json!("device.delete"), 400, action),
        ("/sp/id", json!("c4"), 401, other_provider),
        ("/sp/kid", json!("another"), 401, other_provider),
        ("/iat", json!(now - 400), 401, other_time),
        ("/iat", json!(now + 400), 401, other_time),
        ("/subject/device_id", json!("pky_01ARZ3NDEKTSV4RRFFQ69G5FAV"), 404, NO_DEVICE),
        ("/subject/user_id", json!("eve@example.com"), 404, "There is no such user."),
    ] {
        let mut request = stage.request(&format!("jti-{pointer}-{value}"));
        *request.pointer_mut(pointer).unwrap() = value;
        provider.call(OLDER, &request).await.refused(status, detail);
    }
    assert!(house.entries("device.revoked").await.is_empty());
    stage.app().get("/v1/me").await.is_ok();
    provider.call(OLDER, &stage.request("jti-9")).await.ok();
}

async fn what_is_asked_must_be_whole(engine: Engine) {
    let stage = Stage::open(engine).await;
    for text in [
        json!({}),
        json!({ "userid": ADA }),
        json!({ "h2index": stage.device }),
        json!({ "userid": ADA, "h2index": "" }),
        json!({ "userid": "", "h2index": stage.device }),
        json!({ "userid": ADA, "h2index": "x".repeat(65) }),
        json!({ "userid": ADA, "h2index": 7 }),
        json!([ADA, stage.device]),
    ] {
        for path in [REVOKE, UNREVOKE, DELETE] {
            let answer = stage.provider.call(path, &text).await;
            assert_eq!(answer.status, 400, "{path} {text}: {}", answer.json);
        }
    }
    assert!(stage.house.entries("device.revoked").await.is_empty());
    assert!(stage.house.entries("passkey.removed").await.is_empty());
    stage.provider.call(REVOKE, &stage.of_device()).await.ok();
}
