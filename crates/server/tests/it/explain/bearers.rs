//! Bearer tokens.

use countersign_crypto::jose::public_key::Kind;
use countersign_testkit::bound::a_key;

use super::{
    answers::Made,
    macs::{base64url, v1},
    stage::{ID, Stage},
};

fn bearer(stage: &Stage, codes: &[&'static str], token: &str) -> Made {
    stage.refused(codes, &[("authorization", &format!("Bearer {token}"))])
}

pub(super) fn tokens(stage: &Stage) -> Vec<Made> {
    let tokens = &stage.tokens;
    let foreign = |code: &'static str, token: &str| bearer(stage, &[code, "token_not_ours"], token);
    let revoked = |code: &'static str, token: &str| bearer(stage, &[code, "token_revoked"], token);
    let live = |codes: &[&'static str]| bearer(stage, codes, &tokens.live);
    let (rest, signature) = tokens.live.rsplit_once('.').unwrap();
    let first = if signature.starts_with('A') { 'B' } else { 'A' };
    let unknown = base64url(r#"{"alg":"ES256","typ":"at+jwt","kid":"sig_01ARZ3NDEKTSV4RRFFQ69G5FAV"}"#);
    vec![
        live(&["access_token"]).accepted(),
        live(&["access_token"]).accepted().beside("x-proficient-api-key", &stage.publishable),
        live(&["mixed_credentials"]).beside("x-proficient-user-external-id", ID),
        live(&["mixed_credentials"]).beside("x-proficient-user-hmac", &v1(&stage.secret, ID)),
        live(&["header_repeated"]).beside("Authorization", "Basic YTpi"),
        live(&["access_token", "key_other_project", "other_project"])
            .beside("x-proficient-api-key", &stage.other_publishable),
        live(&["access_token", "key_ended", "other_project"])
            .beside("x-proficient-api-key", &stage.revoked_publishable),
        live(&["access_token", "foreign_origin"])
            .beside("origin", "https://evil.example")
            .with(&["origins=https://app.example"]),
        live(&["access_token"])
            .accepted()
            .beside("origin", "https://app.example")
            .with(&["origins=https://app.example"]),
        live(&["token_other_address", "token_not_ours"]).with(&["audience=https://api.example"]),
        live(&["host_other_project", "token_not_ours"]).beside("host", "two.example"),
        bearer(stage, &["token_expired"], &stage.expired().token),
        revoked("token_session_ended", &tokens.session_ended),
        revoked("token_user_revoked", &tokens.user_revoked),
        revoked("token_client_revoked", &tokens.client_revoked),
        revoked("token_key_revoked", &tokens.key_revoked),
        revoked("token_project_revoked", &tokens.project_revoked),
        foreign("token_other_project", &tokens.of_other_project),
        foreign("token_is_refresh_token", &tokens.refresh),
        foreign("token_is_publishable_key", &stage.publishable),
        foreign("token_is_hmac_secret", &stage.secret),
        foreign("token_bad_signature", &format!("{rest}.{first}{}", &signature[1..])),
        foreign("token_unknown_signer", &format!("{unknown}.e30.AAAA")),
        foreign("token_unreadable", "eyJhbGciOiJub25lIn0.e30."),
        bearer(stage, &["authorization_ignored", "key_missing", "id_missing"], ""),
        foreign("token_whitespace", &format!("\"{}\"", tokens.live)),
        foreign("token_whitespace", &tokens.live.replacen('.', " .", 1)),
    ]
}

/// Tokens that are bound to a key.
pub(super) fn bound(stage: &Stage) -> Vec<Made> {
    let app = &stage.tokens.bound;
    let shown = |codes: &[&'static str], scheme: &str, token: &str| {
        stage.refused(codes, &[("authorization", &format!("{scheme} {token}"))])
    };
    let bound = |code: &'static str| shown(&["access_token", code], "DPoP", &app.app.access);
    let proof = app.proof_with_token("GET", "/p/p1/verify");
    let other = a_key(Kind::Es256);
    vec![
        bound("dpop_not_judged").accepted().beside("DPoP", &proof.text()),
        bound("dpop_missing"),
        bound("dpop_missing").beside("DPoP", &proof.text()).beside("dpop", &proof.text()),
        bound("dpop_invalid").beside("DPoP", "e30.e30.AAAA"),
        bound("dpop_invalid").beside("DPoP", &proof.clone().heading("typ", "JWT").text()),
        bound("dpop_other_key").beside("DPoP", &proof.by(&other).text()),
        shown(&["access_token", "token_bound"], "Bearer", &app.app.access),
        shown(&["access_token", "token_not_bound"], "DPoP", &stage.tokens.live),
        shown(&["secret_key_spelling", "token_not_ours"], "DPoP", &stage.backend_key),
    ]
}

pub(super) fn tickets(stage: &Stage) -> Vec<Made> {
    let tickets = &stage.tickets;
    let shown = |codes: &[&'static str], header: &str, ticket: &str| {
        stage.refused(codes, &[(header, &format!("/events?a=b&countersign_ticket={ticket}"))])
    };
    vec![
        shown(&["ticket", "proved_v1"], "X-Original-Uri", &tickets.of_call).accepted(),
        // That was the one time.
        shown(&["ticket", "proved_v1", "ticket_spent"], "X-Original-Uri", &tickets.of_call),
        shown(&["mixed_credentials"], "X-Forwarded-Uri", &tickets.of_token)
            .beside("Authorization", &format!("Bearer {}", stage.tokens.live)),
        shown(&["mixed_credentials"], "X-Forwarded-Uri", &tickets.of_token)
            .beside("X-PROFICIENT-API-KEY", &stage.publishable),
        shown(&["ticket", "access_token"], "X-Forwarded-Uri", &tickets.of_token).accepted(),
        shown(&["ticket_unknown"], "X-Original-Url", &format!("{}x", tickets.of_token)),
        shown(&["ticket_unknown"], "X-Original-Url", ""),
        shown(&["ticket_expired"], "X-Original-Url", &tickets.expired),
        shown(&["ticket", "proved_v1", "ticket_spent"], "X-Original-Url", &tickets.spent),
    ]
}

pub(super) fn secret_keys(stage: &Stage) -> Vec<Made> {
    let live = |codes: &[&'static str]| bearer(stage, codes, &stage.backend_key);
    vec![
        live(&["secret_key"]).accepted(),
        bearer(stage, &["secret_key_unknown"], "sk_nobody"),
        bearer(stage, &["secret_key_spelling", "secret_key_unknown"], &format!("{}\"", stage.backend_key)),
        bearer(stage, &["secret_key_spelling", "token_not_ours"], &format!("\"{}\"", stage.backend_key)),
        bearer(stage, &["secret_key_revoked"], &stage.revoked_backend_key),
        bearer(stage, &["secret_key_expired"], &stage.expired().backend_key),
        bearer(stage, &["secret_key_other_project", "other_project"], &stage.other_backend_key),
        live(&["secret_key_from_browser"]).beside("origin", "https://app.example"),
        live(&["secret_key", "key_unknown", "other_project"]).beside("x-proficient-api-key", "pk_nobody"),
        live(&["mixed_credentials"]).beside("x-proficient-user-external-id", ID),
        // The door lets it in from 192.0.2.0/24 alone.
        bearer(stage, &["secret_key", "secret_key_networks"], &stage.networked_backend_key)
            .accepted()
            .beside("x-forwarded-for", "192.0.2.7"),
        // The scheme is written wrongly, and so nothing was shown.
        stage
            .refused(&["authorization_ignored", "key_missing", "id_missing"], &[("authorization", &stage.backend_key)]),
    ]
}
