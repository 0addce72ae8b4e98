//! What is said of the user, and of calls that are accepted.

use super::{
    answers::Made,
    macs::{base64url, sha256, v1, v2, v2k},
    stage::{ID, Stage},
};

/// An id of a user who is disabled.
pub(super) const DISABLED: &str = "locked out";

const KEY: &str = "X-PROFICIENT-API-KEY";
const EXTERNAL_ID: &str = "X-PROFICIENT-USER-EXTERNAL-ID";
const HMAC: &str = "X-PROFICIENT-USER-HMAC";

pub(super) fn ids(stage: &Stage) -> Vec<Made> {
    let (key, hmac) = (stage.publishable.as_str(), v1(&stage.secret, ID));
    let call = |codes: &[&'static str], ids: &[(&str, &str)]| {
        stage.refused(codes, &[&[(KEY, key), (HMAC, hmac.as_str())], ids].concat())
    };
    let unread =
        |codes: &[&'static str], id: &str| stage.refused(codes, &[(KEY, key), (EXTERNAL_ID, id)]).with(&["hmac=off"]);
    vec![
        call(&["id_missing"], &[]),
        call(&["header_misspelt", "id_missing"], &[("X-PROFICIENT-USER-ID", ID)]),
        call(&["id_beyond_latin1", "id_missing"], &[(EXTERNAL_ID, "")]),
        call(&["id_beyond_latin1", "id_missing"], &[(EXTERNAL_ID, " \t ")]),
        call(&["header_repeated"], &[(EXTERNAL_ID, ID), (EXTERNAL_ID, ID)]),
        call(&["header_repeated"], &[(EXTERNAL_ID, ID), (HMAC, &hmac)]),
        call(&["id_too_long", "id_unreadable"], &[(EXTERNAL_ID, &"a".repeat(256))]),
        call(&["id_control_characters", "id_unreadable"], &[(EXTERNAL_ID, "a\tb")]),
        call(&["id_control_characters", "id_unreadable"], &[(EXTERNAL_ID, "a\u{85}b")]),
        call(&["header_unsendable", "id_control_characters", "id_unreadable"], &[(EXTERNAL_ID, "a\u{0}b")]),
        unread(&["id_not_ascii", "id_unreadable"], "Zo\u{eb}"),
        unread(&["id_not_ascii", "id_not_normalized", "id_unreadable"], "Zo\u{eb}")
            .beside(HMAC, &v1(&stage.secret, "Zoe\u{308}")),
    ]
}

pub(super) fn users(stage: &Stage) -> Vec<Made> {
    let right = |codes: &[&'static str], id: &str| stage.wrong(codes, id, &v1(&stage.secret, id));
    let unproved =
        |codes: &[&'static str], id: &str| stage.refused(codes, &[(KEY, &stage.publishable), (EXTERNAL_ID, id)]);
    vec![
        right(&["proved_v1", "user_disabled"], DISABLED),
        right(&["proved_v1", "no_such_user"], "nobody").with(&["users.create=off"]),
        unproved(&["unproved", "too_many_users", "would_be_refused", "hmac_missing"], "nobody")
            .with(&["hmac=off", "users.unproved=0"]),
    ]
}

pub(super) fn accepted(stage: &Stage) -> Vec<Made> {
    let (secret, soon) = (&stage.secret, stage.soon());
    let right = |codes: &[&'static str], id: &str, hmac: &str| stage.wrong(codes, id, hmac).accepted();
    let unproved = |codes: &[&'static str], id: &str| {
        stage.refused(codes, &[(KEY, &stage.publishable), (EXTERNAL_ID, id)]).accepted()
    };
    let not_bearer = right(&["authorization_ignored", "proved_v1"], ID, &v1(secret, ID));
    vec![
        right(&["proved_v1"], ID, &v1(secret, ID)),
        right(&["proved_v1", "user_new"], "a newcomer", &v1(secret, "a newcomer")),
        // Now the door knows.
        right(&["proved_v1"], "a newcomer", &v1(secret, "a newcomer")),
        right(&["proved_v2"], ID, &v2(secret, soon, ID)),
        right(&["proved_v1", "user_new"], "Zo\u{eb}", &v1(secret, "Zo\u{eb}")),
        right(&["proved_v1", "old_secret"], ID, &v1(&stage.old_secret, ID)),
        not_bearer.beside("Authorization", "Basic YTpi"),
        unproved(&["unproved", "would_be_refused", "hmac_missing"], ID).with(&["hmac=off"]),
        unproved(&["unproved", "would_be_refused", "header_misspelt", "hmac_missing"], ID)
            .with(&["hmac=observe"])
            .beside("x_proficient_user_hmac", &v1(secret, ID)),
        right(
            &["unproved", "would_be_refused", "hmac_previous_secret", "hmac_wrong"],
            ID,
            &v1(&stage.revoked_secret, ID),
        )
        .with(&["hmac=observe"]),
        right(&["unproved", "would_be_refused", "hmac_expired"], ID, &v2(secret, stage.now() - 5, ID))
            .with(&["hmac=off"]),
    ]
}

impl Stage {
    /// A proof for a key, in which the thumbprint of another was written.
    pub(super) fn bound_to_another_key(&self, expires: i64) -> Made {
        let shown = thumbprint();
        let proof = v2k(&self.secret, expires, &shown, ID).replace(&shown, &base64url([9; 32]));
        self.wrong(&["v2k_other_key", "hmac_wrong"], ID, &proof).beside("DPoP", &dpop())
    }

    /// A right proof for a key, and another key beside it.
    pub(super) fn bound_to_another_key_and_right(&self, expires: i64) -> Made {
        let proof = v2k(&self.secret, expires, &base64url([9; 32]), ID);
        self.wrong(&["proved_v2", "v2k_other_key"], ID, &proof).accepted().beside("DPoP", &dpop())
    }
}

/// The public key of RFC 7517 §A.1.
const POINT: &str =
    r#""x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4","y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM""#;

fn dpop() -> String {
    let header =
        format!(r#"{{"typ":"dpop+jwt","alg":"ES256","jwk":{{"kty":"EC","crv":"P-256",{POINT},"use":"sig"}}}}"#);
    format!("{}.e30.AAAA", base64url(header))
}

/// RFC 7638 §3.
fn thumbprint() -> String {
    base64url(sha256(format!(r#"{{"crv":"P-256","kty":"EC",{POINT}}}"#)))
}
