//! No operation of the served document works without the proof that it asks for.

use std::collections::{BTreeMap, BTreeSet};

use countersign_testkit::{answer::Answer, database::Engine, house::House, http::Client, on_both_engines};
use hyper::Method;
use serde_json::{Value, json};

on_both_engines!(
    every_operation_refuses_who_proves_nothing,
    every_operation_documents_its_answers_with_examples,
    every_example_of_a_request_is_one_that_the_server_reads,
);

/// Operations that anybody may call, and why. The list only shrinks.
const OPEN: [(&str, &str); 10] = [
    (
        "sendVerificationToken",
        "whoever asks has nothing yet; the answer says nothing, and the code goes to the address",
    ),
    (
        "authorize",
        "people come here who are to be proved, and apps show nothing in a browser but their name (RFC 6749 §3.1)",
    ),
    ("authorizeByPost", "the same"),
    ("jwks", "public keys are public"),
    ("discovery", "clients that know nothing yet read it first"),
    ("authorizationServer", "the same"),
    ("live", "a load balancer has no key; nothing but `live` is told"),
    ("ready", "a load balancer has no key; nothing but the state is told"),
    ("metrics", "served beside the doors in development only, in production on a listener of its own"),
    ("openapi", "the document is the same for everybody"),
];

/// Operations whose proof is in the body: what to send instead of it, and the documented refusal.
fn proof_in_the_body(operation: &str) -> Option<(Vec<Value>, u16, i64)> {
    let refresh = ["", "rt_", "rt_garbage", "garbage"].map(|token| json!({ "refreshToken": token }));
    let user = "u_01ARZ3NDEKTSV4RRFFQ69G5FAV";
    match operation {
        "refresh" | "refreshV1beta" => Some((refresh.to_vec(), 400, 100_049)),
        "signOut" => {
            let sign_out = |token: &str| json!({ "userId": user, "refreshToken": token });
            Some((["", "rt_garbage", "garbage"].map(sign_out).to_vec(), 400, 100_049))
        }
        "signInByCode" | "signUpByCode" => {
            let shown = |code: &str| json!({ "method": 0, "email": "ada@example.com", "confirmationCode": code, "clientId": "c1", "projectId": "p1" });
            Some((["", "123456", "garbage"].map(shown).to_vec(), 400, 100_050))
        }
        "checkAuthAttributes" => {
            let asked = ["", "a.b.c", "garbage"]
                .map(|token| json!({ "authToken": token, "clientId": "c1", "projectId": "p1" }));
            Some((asked.to_vec(), 401, 10_002))
        }
        "authProfile" => {
            let profile = ["", "a.b.c", "garbage"].map(|token| json!({ "authToken": token }));
            Some((profile.to_vec(), 401, 10_002))
        }
        _ => None,
    }
}

const FORM: &str = "application/x-www-form-urlencoded";

#[derive(Clone)]
struct Operation {
    id: String,
    method: Method,
    path: String,
    document: Value,
}

impl Operation {
    /// As it is called for some user.
    fn concrete_path(&self) -> String {
        let user = "u_01ARZ3NDEKTSV4RRFFQ69G5FAV";
        self.path.replace("{uid}", user).replace("{id}", user)
    }

    fn is_open(&self) -> bool {
        OPEN.iter().any(|(id, _)| *id == self.id)
    }

    fn takes_a_form(&self) -> bool {
        self.document["requestBody"]["content"].get(FORM).is_some()
    }

    fn example(&self, document: &Value) -> Option<Value> {
        let kind = if self.takes_a_form() { FORM } else { "application/json" };
        let schema = &self.document["requestBody"]["content"][kind]["schema"];
        let name = schema["$ref"].as_str()?.rsplit('/').next()?;
        let schema = &document["components"]["schemas"][name];
        let example = schema.get("example").or_else(|| schema["examples"].get(0));
        Some(example.unwrap_or_else(|| panic!("{name} has no example")).clone())
    }

    async fn call(&self, client: &Client, body: Option<&Value>) -> Answer {
        if self.takes_a_form() {
            let fields = body.and_then(Value::as_object).into_iter().flatten();
            let fields: Vec<(&str, &str)> = fields.map(|(name, value)| (&**name, value.as_str().unwrap())).collect();
            return client.post_form(&self.concrete_path(), &fields).await;
        }
        let body = body.map_or_else(String::new, Value::to_string);
        let client = client.with("content-type", "application/json");
        client.send(self.method.clone(), &self.concrete_path(), body.into()).await
    }
}

async fn served(house: &House) -> (Value, Vec<Operation>) {
    let document = house.node.client().get("/openapi.json").await.ok().json();
    let mut operations = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            operations.push(Operation {
                id: operation["operationId"].as_str().unwrap_or_else(|| panic!("{path} has no operationId")).to_owned(),
                method: method.to_uppercase().parse().unwrap(),
                path: path.clone(),
                document: operation.clone(),
            });
        }
    }
    let ids: BTreeSet<&str> = operations.iter().map(|operation| &*operation.id).collect();
    assert_eq!(ids.len(), operations.len(), "two operations have one name");
    (document, operations)
}

/// What proves nothing.
fn strangers(house: &House, scheme: &str) -> BTreeMap<&'static str, Client> {
    let client = house.node.client();
    let secret = house.key.secret.danger_expose();
    let bearer = |token: &str| client.with("authorization", &format!("Bearer {token}"));
    match scheme {
        "secret_key" => BTreeMap::from([
            ("nothing", client.clone()),
            ("an empty key", client.with("verification-token", "")),
            ("an unknown key", client.with("verification-token", &format!("sk_{}", "0".repeat(72)))),
            ("most of a key", client.with("verification-token", &secret[..secret.len() - 1])),
            ("more than a key", client.with("verification-token", &format!("{secret}0"))),
            ("a key in another case", client.with("verification-token", &secret.to_ascii_uppercase())),
            ("a key in another header", bearer(secret)),
            ("a key in a third header", client.with("x-api-key", secret)),
        ]),
        "access_token" => BTreeMap::from([
            ("nothing", client.clone()),
            ("an empty bearer", bearer("")),
            ("garbage", bearer("garbage")),
            ("a secret key as bearer", bearer(secret)),
            ("a token that nobody signed", bearer("eyJhbGciOiJub25lIiwidHlwIjoiYXQrand0In0.eyJzdWIiOiJ1XzEifQ.")),
            ("another scheme", client.with("authorization", "Basic YTpi")),
        ]),
        "client_secret_basic" | "client" => BTreeMap::from([
            ("a client that isn't there", client.clone()),
            ("a secret of nobody's", client.with("authorization", "Basic YzM6Y3Nfd3Jvbmc=")),
            ("garbage", client.with("authorization", "Basic garbage")),
            ("a secret key as bearer", bearer(secret)),
        ]),
        "delegation" => {
            let signed = client.with("x-sp-id", "c3").with("x-enc-alg", "x25519-aesgcm");
            let signed = signed
                .with("x-signature-alg", "ed25519")
                .with("x-timestamp", &house.node.service.now().seconds().to_string());
            BTreeMap::from([
                ("nothing", client.clone()),
                ("a secret key as bearer", bearer(secret)),
                ("no signature", signed.clone()),
                ("a signature that nobody made", signed.with("x-signature", &"A".repeat(86))),
                ("a client without keys", signed.with("x-sp-id", "c1").with("x-signature", &"A".repeat(86))),
            ])
        }
        "secret_bearer" => BTreeMap::from([
            ("nothing", client.clone()),
            ("an unknown key", bearer(&format!("sk_{}", "0".repeat(72)))),
            ("most of a key", bearer(&secret[..secret.len() - 1])),
            ("a key in another scheme", client.with("authorization", &format!("Basic {secret}"))),
        ]),
        "client_call" | "publishable_key" | "user_hmac" => {
            let app = house.client_app("crm-7");
            BTreeMap::from([
                ("nothing", client.clone()),
                ("no proof", app.unproved().http()),
                ("the proof of another user", app.naming("crm-8").http()),
                ("an unknown publishable key", app.with_key(&format!("pk_{}", "0".repeat(72))).http()),
                ("no publishable key", app.with_key("").http()),
                ("no user", app.naming("").http()),
                ("a proof and a secret key", app.http().with("authorization", &format!("Bearer {secret}"))),
            ])
        }
        other => panic!("nobody knows how to show no `{other}`"),
    }
}

async fn every_operation_refuses_who_proves_nothing(engine: Engine) {
    let house = House::open(engine).await;
    house.set(&["limits.failures=1000000", "signup=on"]).await;
    let (document, operations) = served(&house).await;
    let before = house.books().await;
    for operation in &operations {
        let security = operation.document["security"].as_array().cloned().unwrap_or_default();
        let in_body = proof_in_the_body(&operation.id);
        let is_proved = !security.is_empty() || in_body.is_some();
        assert!(is_proved != operation.is_open(), "{} is neither proved nor open, or both", operation.id);
        for scheme in security.iter().flat_map(|it| it.as_object().unwrap().keys()) {
            let takes_backends = operation.document["security"].to_string().contains("secret_bearer");
            for (shown, client) in strangers(&house, scheme) {
                if takes_backends && shown == "a secret key as bearer" {
                    continue;
                }
                // Without a form there is no client to be refused.
                let nothing = if operation.takes_a_form() { operation.example(&document) } else { None };
                for body in [operation.example(&document), nothing] {
                    let answer = operation.call(&client, body.as_ref()).await;
                    assert_eq!(answer.status(), 401, "{} with {shown}: {answer}", operation.id);
                    is_documented(operation, &answer);
                    tells_no_secret(&house, &answer);
                }
            }
        }
        if let Some((bodies, status, code)) = in_body {
            for body in bodies {
                let answer = operation.call(&house.node.client(), Some(&body)).await;
                answer.refused(status, code);
                is_documented(operation, &answer);
            }
        }
    }
    for (id, reason) in OPEN {
        let operation = operations.iter().find(|operation| operation.id == id);
        let operation = operation.unwrap_or_else(|| panic!("nothing is called {id} any more ({reason})"));
        let answer = operation.call(&house.node.client(), None).await;
        assert_ne!(answer.status(), 401, "{id} asks for a proof: strike it from the list");
        is_documented(operation, &answer);
        tells_no_secret(&house, &answer);
    }
    assert_eq!(house.books().await, before);
}

#[track_caller]
fn is_documented(operation: &Operation, answer: &Answer) {
    let documented = operation.document["responses"].as_object().unwrap();
    let status = answer.status().to_string();
    let class = format!("{}XX", &status[..1]);
    assert!(
        documented.contains_key(&status) || documented.contains_key(&class),
        "{} doesn't document {status}",
        operation.id
    );
}

#[track_caller]
fn tells_no_secret(house: &House, answer: &Answer) {
    let secret = &house.key.secret.danger_expose()[3..20];
    let told = format!("{answer} {:?}", answer.headers);
    assert!(!told.contains(secret), "an answer tells a secret");
}

async fn every_operation_documents_its_answers_with_examples(engine: Engine) {
    let house = House::open(engine).await;
    let (document, operations) = served(&house).await;
    for operation in &operations {
        let id = &operation.id;
        for said in ["summary", "tags"] {
            assert!(operation.document.get(said).is_some(), "{id} has no {said}");
        }
        let responses = operation.document["responses"].as_object().unwrap();
        let success = if id == "authorizeByPost" { "303" } else { "200" };
        assert!(responses.contains_key(success), "{id} documents no success");
        let documents = |class: char| responses.keys().any(|status| status.starts_with(class));
        assert!(operation.is_open() || (documents('4') && documents('5')), "{id} documents no errors");
        for (status, response) in responses {
            assert!(response["description"].as_str().is_some_and(|it| it.ends_with('.')), "{id} {status}");
            let Some(json) = response["content"].get("application/json") else {
                let says_nothing = ["verify", "revokeToken"].contains(&&**id);
                assert!(operation.is_open() || says_nothing, "{id} {status} says nothing of its body");
                continue;
            };
            assert!(has_example(&document, json), "{id} has no example of its {status}");
        }
        let takes_body = operation.method == Method::POST && !["makeTicket", "userinfoByPost"].contains(&&**id);
        assert_eq!(operation.example(&document).is_some(), takes_body, "{id}");
    }
}

fn has_example(document: &Value, media: &Value) -> bool {
    let exemplary = |it: &Value| it.get("example").is_some() || it.get("examples").is_some();
    let name = media["schema"]["$ref"].as_str().and_then(|reference| reference.rsplit('/').next());
    exemplary(media) || name.is_some_and(|name| exemplary(&document["components"]["schemas"][name]))
}

async fn every_example_of_a_request_is_one_that_the_server_reads(engine: Engine) {
    let house = House::in_development(engine).await;
    house.set(&["signup=on"]).await;
    let (document, mut operations) = served(&house).await;
    // Sign-up first: the same person is signed in by the next example.
    operations.sort_by_key(|operation| operation.id != "signUp");
    let mut sent = 0;
    for operation in &operations {
        let Some(example) = operation.example(&document) else {
            continue;
        };
        let secret = operation.document["security"].to_string().contains("secret_bearer");
        let is_apps = operation.document["security"].to_string().contains("client_call") && !secret;
        let backend = match (secret, is_apps) {
            (true, _) => house.secret_bearer(),
            (_, true) => house.client_app("crm-9").http(),
            _ => house.backend().http(),
        };
        let user = house.client_app("crm-9").uid().await;
        let operation = &Operation { path: operation.path.replace("{id}", &user), ..operation.clone() };
        let answer = operation.call(&backend, Some(&example)).await;
        // Tokens in examples are nobody's, so these are read and then refused.
        match proof_in_the_body(&operation.id) {
            // Read, and sent on.
            None if operation.id == "authorizeByPost" => {
                assert_eq!(answer.status(), 303, "{answer}");
                assert!(answer.header("location").contains("client_id=my-app"), "{answer}");
            }
            // Read, and then refused: the client of an example is nobody's.
            None if operation.takes_a_form() => drop(answer.oauth_error(401, "invalid_client")),
            Some((_, status, code)) => drop(answer.refused(status, code)),
            // Nobody signed it: what is in envelopes is tested where they are sealed.
            None if operation.document["security"].to_string().contains("delegation") => {
                assert_eq!(answer.status(), 401)
            }
            // Read, and then refused: what opens a session expires, and this app shows what doesn't.
            None if operation.id == "openSession" => answer.denied(403, "forbidden"),
            None => answer.is_ok(),
        }
        sent += 1;
    }
    let with_body = |operation: &&Operation| operation.document.get("requestBody").is_some();
    assert_eq!(sent, operations.iter().filter(with_body).count());
}
