//! What stands where the publishable key belongs.

use super::{
    answers::Made,
    macs::v1,
    stage::{ID, Stage},
};

const KEY: &str = "X-PROFICIENT-API-KEY";

/// A right call, but for the key.
pub(super) fn publishable(stage: &Stage) -> Vec<Made> {
    let (right, hmac) = (&stage.publishable, v1(&stage.secret, ID));
    let call = |codes: &[&'static str], keys: &[(&str, &str)]| {
        let user = [("x-proficient-user-external-id", ID), ("X-Countersign-User-Hmac", hmac.as_str())];
        stage.refused(codes, &[keys, &user].concat())
    };
    let unknown = |code: &'static str, key: &str| call(&[code, "key_unknown"], &[(KEY, key)]);
    vec![
        call(&["key_missing"], &[]),
        call(&["header_misspelt", "key_missing"], &[("X_PROFICIENT_API_KEY", right)]),
        call(&["header_misspelt", "key_missing"], &[("X-API-KEY", right)]),
        call(&["header_repeated"], &[(KEY, right), (KEY, right)]),
        call(&["header_repeated"], &[(KEY, right), ("x-countersign-api-key", right)]),
        call(&["key_unknown"], &[(KEY, "pk_nobody")]),
        call(&["key_unknown"], &[(KEY, "")]),
        unknown("key_is_secret_key", &stage.backend_key),
        unknown("key_is_hmac_secret", &stage.secret),
        unknown("key_whitespace", &format!("\"{right}\"")),
        unknown("key_whitespace", &format!("{right}\u{a0}")),
        unknown("header_joined", &format!("{right}, {right}")),
        unknown("key_other_case", &right.to_lowercase()),
        unknown("key_cut_off", &right[..40]),
        unknown("key_cut_off", &right[3..]),
        unknown("key_cut_off", &format!("{right}{right}")),
        call(&["key_ended"], &[(KEY, &stage.revoked_publishable)]),
        call(&["key_ended"], &[(KEY, &stage.expired().publishable)]),
        call(&["key_other_project", "other_project"], &[(KEY, &stage.other_publishable)]),
        call(&["host_other_project", "other_project"], &[(KEY, right), ("Host", "Two.example:443")]),
        // No request carries these.
        call(&["header_unsendable"], &[(KEY, &format!("{right}\n"))]),
        // All that is wrong is said, not only what the door finds first.
        stage.refused(
            &["key_other_project", "other_project", "hmac_other_project", "hmac_wrong"],
            &[
                (KEY, &stage.other_publishable),
                ("X-PROFICIENT-USER-EXTERNAL-ID", ID),
                ("X-PROFICIENT-USER-HMAC", &v1(&stage.other_secret, ID)),
            ],
        ),
    ]
}
