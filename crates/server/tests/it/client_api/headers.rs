//! Headers as nobody honest sends them.

use countersign_testkit::{answer::Answer, database::Engine, house::House, on_both_engines, raw::RawConnection};

on_both_engines!(
    a_header_that_stands_twice_is_none,
    an_empty_header_is_none,
    a_header_of_64_kib_is_refused_and_the_next_call_is_served,
    a_header_with_a_control_character_is_refused,
    underscores_for_dashes_are_another_header,
    bytes_that_are_no_text_are_refused,
    a_header_folded_over_two_lines_is_refused,
    spaces_around_a_value_are_not_part_of_it,
);

const KEY: &str = "X-PROFICIENT-API-KEY";
const ID: &str = "X-PROFICIENT-USER-EXTERNAL-ID";
const HMAC: &str = "X-PROFICIENT-USER-HMAC";

/// Asks who this is.
pub(super) async fn call(house: &House, id: &[u8], hmac: Option<&str>) -> Answer {
    let mut lines = vec![
        (KEY.to_owned(), house.publishable.text.danger_expose().as_bytes().to_vec()),
        (ID.to_owned(), id.to_vec()),
    ];
    lines.extend(hmac.map(|hmac| (HMAC.to_owned(), hmac.as_bytes().to_vec())));
    said(house, &lines).await.expect("an answer")
}

async fn said(house: &House, lines: &[(String, Vec<u8>)]) -> Option<Answer> {
    let mut head = b"GET /v1/me HTTP/1.1\r\nhost: localhost\r\n".to_vec();
    for (name, value) in lines {
        head.extend([name.as_bytes(), b": ", value, b"\r\n"].concat());
    }
    head.extend(b"\r\n");
    RawConnection::to(house.node.base()).await.say(head).await.half_close().await.answer().await
}

/// The lines of a call that is right.
fn right(house: &House) -> Vec<(String, Vec<u8>)> {
    let app = house.client_app("crm-7");
    let lines = [(KEY, app.key), (ID, app.id), (HMAC, app.hmac.unwrap())];
    lines.map(|(name, value)| (name.to_owned(), value.into_bytes())).to_vec()
}

/// With one line made otherwise, each in turn, the call is refused and nothing comes to be; as it was it is let in.
async fn each_is_refused(house: &House, status: u16, otherwise: impl Fn(&str, &[u8]) -> Vec<(String, Vec<u8>)>) {
    let before = house.books().await;
    for wrong in 0..3 {
        let mut lines = right(house);
        let (name, value) = lines.remove(wrong);
        lines.extend(otherwise(&name, &value));
        let answer = said(house, &lines).await.expect("an answer");
        assert_eq!(answer.status(), status, "{name}: {answer}");
    }
    assert_eq!(house.books().await, before);
    said(house, &right(house)).await.expect("an answer").is_ok();
}

fn line(name: &str, value: impl AsRef<[u8]>) -> (String, Vec<u8>) {
    (name.to_owned(), value.as_ref().to_vec())
}

async fn a_header_that_stands_twice_is_none(engine: Engine) {
    let house = House::open(engine).await;
    each_is_refused(&house, 401, |name, value| vec![line(name, value), line(name, value)]).await;
    each_is_refused(&house, 401, |name, value| vec![line(name, value), line(name, "")]).await;
    each_is_refused(&house, 401, |name, value| vec![line(&name.to_lowercase(), "x"), line(name, value)]).await;
}

async fn an_empty_header_is_none(engine: Engine) {
    let house = House::open(engine).await;
    each_is_refused(&house, 401, |name, _| vec![line(name, "")]).await;
    each_is_refused(&house, 401, |name, _| vec![line(name, "  \t ")]).await;
    each_is_refused(&house, 401, |_, _| Vec::new()).await;
}

async fn a_header_of_64_kib_is_refused_and_the_next_call_is_served(engine: Engine) {
    let house = House::open(engine).await;
    each_is_refused(&house, 401, |name, _| vec![line(name, "a".repeat(64 * 1024))]).await;
}

async fn a_header_with_a_control_character_is_refused(engine: Engine) {
    let house = House::open(engine).await;
    for byte in [0_u8, 1, 8, 0x0b, 0x1f, 0x7f] {
        each_is_refused(&house, 400, |name, value| vec![line(name, [value, &[byte]].concat())]).await;
    }
    // A tab may stand in a header (RFC 9110 §5.5), but in none of these.
    each_is_refused(&house, 401, |name, value| vec![line(name, [b"a\t", value].concat())]).await;
}

async fn underscores_for_dashes_are_another_header(engine: Engine) {
    let house = House::open(engine).await;
    each_is_refused(&house, 401, |name, value| vec![line(&name.replace('-', "_"), value)]).await;
}

async fn bytes_that_are_no_text_are_refused(engine: Engine) {
    let house = House::open(engine).await;
    for bytes in [&b"\xff\xfe"[..], b"\xc3", b"\xed\xa0\x80", b"\x80"] {
        each_is_refused(&house, 401, |name, value| vec![line(name, [value, bytes].concat())]).await;
    }
}

async fn a_header_folded_over_two_lines_is_refused(engine: Engine) {
    let house = House::open(engine).await;
    each_is_refused(&house, 400, |name, value| vec![line(name, [value, b"\r\n more"].concat())]).await;
    each_is_refused(&house, 400, |name, value| vec![line(name, value), line(" x", "y")]).await;
}

async fn spaces_around_a_value_are_not_part_of_it(engine: Engine) {
    let house = House::open(engine).await;
    let mut lines = right(&house);
    for (_, value) in &mut lines {
        *value = [b"  ", value.as_slice(), b" \t"].concat();
    }
    said(&house, &lines).await.expect("an answer").is_ok();
}
