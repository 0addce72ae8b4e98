//! HMACs that are wrong because of what they were made of.

use sha1::Sha1;
use sha2::{Sha256, Sha384, Sha512};

use super::{
    answers::Made,
    macs::{base64, base64url, decoded, hmac, k2, sha256, v1, v2, v2k},
    stage::{ID, Stage},
};

/// The right function over the right id, under the wrong secret.
pub(super) fn under_wrong_secrets(stage: &Stage) -> Vec<Made> {
    let secret = &stage.secret;
    let bare = secret.strip_prefix("hsec_").unwrap();
    let mut made = Vec::new();
    let mut add =
        |code: &'static str, secret: &[u8]| made.push(stage.wrong(&[code, "hmac_wrong"], ID, &v1(secret, ID)));
    add("hmac_previous_secret", stage.revoked_secret.as_bytes());
    add("hmac_previous_secret", stage.expired().secret.as_bytes());
    add("hmac_other_project", stage.other_secret.as_bytes());
    add("hmac_secret_without_prefix", bare.as_bytes());
    add("hmac_publishable_key_used", stage.publishable.as_bytes());
    add("hmac_secret_key_used", stage.backend_key.as_bytes());
    for form in ["{}\n", "{}\r\n", "{} ", " {}", "\n{}"] {
        add("hmac_secret_whitespace", form.replace("{}", secret).as_bytes());
    }
    add("hmac_secret_quoted", format!("\"{secret}\"").as_bytes());
    add("hmac_secret_quoted", format!("'{secret}'").as_bytes());
    add("hmac_secret_decoded", &decoded(bare));
    add("hmac_secret_decoded", &decoded(secret));
    add("hmac_secret_decoded", &decoded(&secret.replace('_', "")));
    add("hmac_secret_cut_off", &secret.as_bytes()[..13]);
    add("hmac_secret_missing", b"");
    add("hmac_secret_missing", b"undefined");
    made
}

/// The right function under the right secret, over something else than the id.
pub(super) fn of_wrong_ids(stage: &Stage) -> Vec<Made> {
    let mut made = Vec::new();
    let mut add = |code: &'static str, id: &str, message: &[u8]| {
        made.push(stage.wrong(&[code, "hmac_wrong"], id, &v1(&stage.secret, message)));
    };
    for form in ["{}\n", "{}\r\n", "{} ", " {}", "\t{}"] {
        add("id_whitespace", ID, form.replace("{}", ID).as_bytes());
    }
    add("id_other_case", ID, b"ada-7 lovelace");
    add("id_other_case", ID, b"ADA-7 LOVELACE");
    add("id_other_case", "ada", b"Ada");
    let utf16: Vec<u8> = "Zo\u{eb}".encode_utf16().flat_map(u16::to_le_bytes).collect();
    add("id_other_encoding", "Zo\u{eb}", b"Zo\xeb");
    add("id_other_encoding", "Zo\u{eb}", &utf16);
    add("id_other_encoding", "ada", b"a\0d\0a\0");
    add("id_other_encoding", "ada", b"\0a\0d\0a");
    add("id_other_encoding", "ada", b"\xef\xbb\xbfada");
    add("id_other_encoding", "Zo\u{eb}", "Zo\u{c3}\u{83}\u{c2}\u{ab}".as_bytes());
    add("id_not_normalized", "Zo\u{eb}", "Zoe\u{308}".as_bytes());
    add("id_not_normalized", "Zoe\u{308}", "Zo\u{eb}".as_bytes());
    add("id_quoted", ID, format!("\"{ID}\"").as_bytes());
    add("id_quoted", "a\"b", br#""a\"b""#);
    add("id_quoted", "Zo\u{eb}", b"\"Zo\\u00eb\"");
    add("id_quoted", &format!("\"{ID}\""), ID.as_bytes());
    add("id_percent_encoded", ID, b"Ada-7%20Lovelace");
    add("id_percent_encoded", ID, b"Ada-7+Lovelace");
    add("id_percent_encoded", "Ada-7%20Lovelace", ID.as_bytes());
    for nothing in ["", "undefined", "null", "None", "[object Object]"] {
        add("id_undefined", ID, nothing.as_bytes());
    }
    add("id_is_uid", ID, stage.uid.as_bytes());
    // Seen a moment ago, in the making of the stage.
    made.push(stage.wrong(&["hmac_other_user", "hmac_wrong"], "somebody else", &v1(&stage.secret, ID)));
    made.push(stage.wrong(&["hmac_other_user", "hmac_wrong"], "another", &v2(&stage.secret, stage.soon(), ID)));
    made
}

/// The right secret and the right id, in another function.
pub(super) fn by_wrong_functions(stage: &Stage) -> Vec<Made> {
    let secret = &stage.secret;
    let wrong = |code: &'static str, mac: Vec<u8>| stage.wrong(&[code, "hmac_wrong"], ID, &base64(mac));
    let malformed = |code: &'static str, mac: Vec<u8>| stage.wrong(&[code, "hmac_malformed"], ID, &base64(mac));
    vec![
        malformed("hmac_sha1", hmac::<Sha1>(secret, ID)),
        malformed("hmac_sha384", hmac::<Sha384>(secret, ID)),
        malformed("hmac_sha512", hmac::<Sha512>(secret, ID)),
        wrong("hmac_swapped", hmac::<Sha256>(ID, secret)),
        wrong("hmac_plain_hash", sha256(ID)),
        wrong("hmac_plain_hash", sha256(format!("{secret}{ID}"))),
        wrong("hmac_plain_hash", sha256(format!("{ID}{secret}"))),
        wrong("hmac_plain_hash", sha256(format!("{secret}:{ID}"))),
        wrong("hmac_unexplained", vec![7; 32]),
        malformed("hmac_unexplained", b"no HMAC at all".to_vec()),
        stage.of_p3(
            &["hmac_no_secret", "hmac_wrong"],
            &[
                ("X-PROFICIENT-API-KEY", &stage.bare_publishable),
                ("X-PROFICIENT-USER-EXTERNAL-ID", ID),
                ("X-PROFICIENT-USER-HMAC", &v1(secret, ID)),
            ],
        ),
    ]
}

/// What goes wrong with proofs that expire.
pub(super) fn with_wrong_frames(stage: &Stage) -> Vec<Made> {
    let (secret, soon) = (&stage.secret, stage.soon());
    let framed = |key: &[u8], message: String| format!("v2.{soon}.{}", base64url(hmac::<Sha256>(key, message)));
    let wrong = |code: &'static str, proof: String| stage.wrong(&[code, "hmac_wrong"], ID, &proof);
    let malformed = |code: &'static str, proof: String| stage.wrong(&[code, "hmac_malformed"], ID, &proof);
    let (key, other_key) = (base64url([7; 32]), base64url([8; 32]));
    let right = v2(secret, soon, ID);
    let upper = base64url(hmac::<Sha256>(k2(secret), format!("V2.{soon}.p1.{ID}")));
    let of_seconds = v2(secret, soon, ID).replace(&soon.to_string(), &format!("{soon}000"));
    vec![
        wrong("v2_from_v1", framed(secret.as_bytes(), ID.to_owned())),
        wrong("v2_key_not_derived", framed(secret.as_bytes(), format!("v2.{soon}.p1.{ID}"))),
        wrong(
            "v2_key_swapped",
            framed(&hmac::<Sha256>(secret, "countersign user proof v2"), format!("v2.{soon}.p1.{ID}")),
        ),
        wrong("v2_other_project_id", framed(&k2(secret), format!("v2.{soon}.p2.{ID}"))),
        wrong("v2_other_project_id", framed(&k2(secret), format!("v2.{soon}.{}.{ID}", stage.publishable))),
        malformed("v2_expires_milliseconds", v2(secret, soon * 1_000, ID)),
        malformed("v2_expires_milliseconds", of_seconds),
        malformed("v2_upper_case", right.replace("v2.", "V2.")),
        malformed("v2_upper_case", format!("V2.{soon}.{upper}")),
        wrong(
            "v2k_not_bound",
            v2(secret, soon, ID).replace("v2.", "v2k.").replacen(&format!("{soon}."), &format!("{soon}.{key}."), 1),
        ),
        wrong("hmac_unexplained", v2k(secret, soon, &key, ID).replace(&key, &other_key)),
        malformed("hmac_standard_base64", format!("{right}=")),
        malformed("hmac_other_spelling", v2(secret, format!("0{soon}"), ID)),
        stage.wrong(&["hmac_expired"], ID, &v2(secret, stage.now(), ID)),
        stage.wrong(&["v2_expires_span", "hmac_expired"], ID, &v2(secret, 300, ID)),
        stage.wrong(&["hmac_too_far_ahead"], ID, &v2(secret, stage.now() + 400, ID)),
        stage.wrong(&["hmac_version"], ID, &v1(secret, ID)).with(&["hmac.versions=v2"]),
        stage.wrong(&["hmac_version"], ID, &right).with(&["hmac.versions=v1"]),
        wrong("hmac_secret_without_prefix", v2(secret.strip_prefix("hsec_").unwrap(), soon, ID)),
        wrong("id_other_case", v2(secret, soon, &ID.to_lowercase())),
        stage.bound_to_another_key(soon),
        stage.bound_to_another_key_and_right(soon),
    ]
}
