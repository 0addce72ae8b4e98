//! What is said of the user, and of calls that are accepted.

use std::sync::Arc;

use countersign_crypto::jose::{client_key::ClientKey, public_key::Kind};
use countersign_testkit::bound::a_key;

use super::{
    answers::Made,
    macs::{base64url, v1, v2, v2k},
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
        let key = a_key(Kind::Es256);
        let shown = base64url(key.thumbprint().0);
        let proof = v2k(&self.secret, expires, &shown, ID).replace(&shown, &base64url([9; 32]));
        self.wrong(&["v2k_other_key", "hmac_wrong"], ID, &proof).beside("DPoP", &self.proof_by(&key))
    }

    /// A right proof for a key, and another key beside it.
    pub(super) fn bound_to_another_key_and_right(&self, expires: i64) -> Made {
        let proof = v2k(&self.secret, expires, &base64url([9; 32]), ID);
        let shown = self.proof_by(&a_key(Kind::EdDsa));
        self.wrong(&["proved_v2", "v2k_other_key"], ID, &proof).accepted().beside("DPoP", &shown)
    }

    fn proof_by(&self, key: &Arc<ClientKey>) -> String {
        self.house.app_with_key(key).proof("POST", "/v1/sessions").text()
    }
}
