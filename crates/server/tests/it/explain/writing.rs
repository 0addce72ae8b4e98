//! HMACs that are right, and written in another way than the one.

use sha2::Sha256;

use super::{
    answers::Made,
    macs::{base64, hex, hmac, v1, v2},
    stage::{ID, Stage},
};

pub(super) fn written_wrongly(stage: &Stage) -> Vec<Made> {
    let secret = &stage.secret;
    // Both letters that the alphabets spell differently.
    let id = (0..10_000).map(|n| format!("user-{n}")).find(|id| {
        let mac = v1(secret, id);
        mac[1..40].contains('+') && mac.contains('/')
    });
    let plus_first = (0..10_000).map(|n| format!("user-{n}")).find(|id| v1(secret, id).starts_with('+')).unwrap();
    let id = id.unwrap();
    let (right, mac) = (v1(secret, &id), hmac::<Sha256>(secret, &id));
    let url_safe = right.replace('+', "-").replace('/', "_");
    let malformed = |codes: &[&'static str], hmac: &str| stage.wrong(&[codes, &["hmac_malformed"]].concat(), &id, hmac);
    let mut loose = right.clone().into_bytes();
    // The last character before the padding has two bits to spare.
    loose[42] += 1;
    let v2 = v2(secret, stage.soon(), &id);
    let (head, _) = v2.rsplit_once('.').unwrap();
    let v2_in_hex = format!("{head}.{}", hex(v2_mac(&v2)));
    vec![
        malformed(&["hmac_hex_encoded"], &hex(&mac)),
        malformed(&["hmac_hex_encoded"], &hex(&mac).to_uppercase()),
        malformed(&["hmac_hex_encoded"], &v2_in_hex),
        malformed(&["hmac_hex_in_base64"], &base64(hex(&mac))),
        malformed(&["hmac_url_safe_base64"], &url_safe),
        malformed(&["hmac_url_safe_base64", "hmac_unpadded_base64"], url_safe.trim_end_matches('=')),
        malformed(&["hmac_unpadded_base64"], right.trim_end_matches('=')),
        malformed(&["hmac_whitespace"], &format!("\u{a0}{right}")),
        malformed(&["hmac_quoted"], &format!("\"{right}\"")),
        malformed(&["hmac_percent_encoded"], &right.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D")),
        malformed(&["hmac_plus_lost"], &right.replace('+', " ")),
        // White space before a value isn't sent.
        malformed(&["hmac_plus_lost"], &v1(secret, &plus_first).replace('+', " ")).naming(&plus_first),
        malformed(&["hmac_prefixed"], &format!("sha256={right}")),
        malformed(&["hmac_prefixed", "hmac_hex_encoded"], &format!("sha256={}", hex(&mac))),
        malformed(&["hmac_other_spelling"], std::str::from_utf8(&loose).unwrap()),
        // One mistake in the writing and one in the making.
        malformed(
            &["hmac_hex_encoded", "hmac_secret_without_prefix"],
            &hex(hmac::<Sha256>(secret.strip_prefix("hsec_").unwrap(), &id)),
        ),
        malformed(&["hmac_hex_encoded", "hmac_sha1"], &hex(hmac::<sha1::Sha1>(secret, &id))),
        malformed(&["hmac_hex_encoded", "hmac_unexplained"], &"7".repeat(64)),
        malformed(&["hmac_unpadded_base64", "id_other_case"], v1(secret, ID.to_lowercase()).trim_end_matches('='))
            .naming(ID),
        malformed(&[], "v3.1.x"),
    ]
}

fn v2_mac(proof: &str) -> Vec<u8> {
    use base64::Engine;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(proof.rsplit('.').next().unwrap()).unwrap()
}
