//! The reader of JSON objects, against a second reader of JSON.
#![no_main]

use countersign_fuzz::{
    assert_tells_no_secret,
    json::{self, Json, Members},
};
use countersign_wire::object::{BodyError, Object};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|body: &[u8]| {
    match (Object::parse(body), json::read(body)) {
        (Ok(object), Some(Json::Object(members))) => assert_same(&object, &members),
        (Ok(object), other) => panic!("{object:?} was read, and is {other:?}"),
        (Err(_), Some(Json::Object(members))) => panic!("{members:?} was refused"),
        (Err(problem), _) => assert_tells_no_secret(&problem.to_string()),
    }
});

fn assert_same(object: &Object, members: &Members) {
    for (name, value) in members {
        let is_twice = members.iter().filter(|(it, _)| it == name).count() > 1;
        let answers = Answers::of(object, name);
        if is_twice {
            assert!(answers.all_refuse(), "`{name}` stands there twice, and was read");
        } else {
            answers.assert_are(value, name);
        }
        answers.assert_tell_no_secret();
    }
}

/// What each way of reading a member gives.
struct Answers<'o> {
    text: Result<Option<&'o str>, BodyError>,
    boolean: Result<Option<bool>, BodyError>,
    integer: Result<Option<i64>, BodyError>,
    list: Result<Vec<String>, BodyError>,
    object: Result<Object, BodyError>,
    is_four: Result<bool, BodyError>,
}

impl<'o> Answers<'o> {
    fn of(object: &'o Object, name: &str) -> Self {
        Self {
            text: object.optional_text(name),
            boolean: object.optional_boolean(name),
            integer: object.optional_integer(name),
            list: object.parsed_list(name, 8),
            object: object.object(name),
            is_four: object.is(name, 4, "four"),
        }
    }

    fn all_refuse(&self) -> bool {
        self.text.is_err()
            && self.boolean.is_err()
            && self.integer.is_err()
            && self.list.is_err()
            && self.object.is_err()
            && self.is_four.is_err()
    }

    fn assert_are(&self, value: &Json, name: &str) {
        let refused = || BodyError::NotAnObject;
        let is_null = *value == Json::Null;
        let none = || if is_null { Ok(()) } else { Err(()) };
        let text = if let Json::Text(text) = value { Ok(Some(text.as_str())) } else { none().map(|()| None) };
        assert_eq!(self.text.clone().map_err(drop), text, "`{name}`");
        let boolean = if let Json::Boolean(it) = value { Ok(Some(*it)) } else { none().map(|()| None) };
        assert_eq!(self.boolean.clone().map_err(drop), boolean, "`{name}`");
        let integer = if let Json::Integer(it) = value { Ok(Some(*it)) } else { none().map(|()| None) };
        assert_eq!(self.integer.clone().map_err(drop), integer, "`{name}`");
        assert_eq!(self.list.clone().map_err(drop), texts(value).ok_or(()), "`{name}`");
        match (&self.object, value) {
            (Ok(inner), Json::Object(members)) => assert_same(inner, members),
            (Ok(_), Json::Null) => {}
            (Err(_), other) => assert!(!is_null && !matches!(other, Json::Object(_)), "`{name}`"),
            (Ok(inner), other) => panic!("`{name}` is {other:?} and was read as {inner:?}"),
        }
        let is_four = match value {
            Json::Null => Err(refused()),
            Json::Integer(number) => Ok(*number == 4),
            Json::Text(text) => Ok(text == "four"),
            _ => Ok(false),
        };
        assert_eq!(self.is_four.clone().map_err(drop), is_four.map_err(drop), "`{name}`");
    }

    fn assert_tell_no_secret(&self) {
        let problems = [
            self.text.as_ref().err(),
            self.boolean.as_ref().err(),
            self.integer.as_ref().err(),
            self.list.as_ref().err(),
            self.object.as_ref().err(),
            self.is_four.as_ref().err(),
        ];
        problems.into_iter().flatten().for_each(|problem| assert_tells_no_secret(&problem.to_string()));
    }
}

/// The texts of a list of at most 8 texts.
fn texts(value: &Json) -> Option<Vec<String>> {
    let text = |item: &Json| if let Json::Text(text) = item { Some(text.clone()) } else { None };
    match value {
        Json::Null => Some(Vec::new()),
        Json::List(items) if items.len() <= 8 => items.iter().map(text).collect(),
        _ => None,
    }
}
