//! Every mistake is made, asked about, and sent to the door itself.

use std::fmt::Write;

use std::collections::BTreeSet;

use countersign_domain::text::Name;
use countersign_service::explain::Code;
use countersign_testkit::{
    database::Engine,
    house::{changes, p1},
    on_both_engines,
};

use super::{
    Explained, ask, bearers, keys, macs, making, sendable, stage,
    stage::{ID, Stage},
    users, verify, writing,
};

on_both_engines!(each_mistake_is_found_when_it_is_made);

/// A call with something about it, and what is to be said of it.
pub(super) struct Made {
    settings: Vec<&'static str>,
    /// Whose backend asks, and whose door is called.
    backend_key: String,
    project: &'static str,
    headers: Vec<(String, String)>,
    verdict: &'static str,
    codes: Vec<&'static str>,
}

impl Made {
    /// The same while the project's settings are these.
    pub(super) fn with(self, settings: &[&'static str]) -> Self {
        Self { settings: settings.to_vec(), ..self }
    }

    /// The same, naming another user.
    pub(super) fn naming(mut self, id: &str) -> Self {
        for (name, value) in &mut self.headers {
            if name == "X-PROFICIENT-USER-EXTERNAL-ID" {
                id.clone_into(value);
            }
        }
        self
    }

    /// The same, with another header beside.
    pub(super) fn beside(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The same, and accepted.
    pub(super) fn accepted(self) -> Self {
        Self { verdict: "accepted", ..self }
    }
}

impl Stage {
    /// A call that is refused for these reasons.
    pub(super) fn refused(&self, codes: &[&'static str], headers: &[(&str, &str)]) -> Made {
        Made {
            settings: Vec::new(),
            backend_key: self.backend_key.clone(),
            project: "p1",
            headers: stage::headers(headers),
            verdict: "refused",
            codes: codes.to_vec(),
        }
    }

    /// A call of `p1` with a wrong HMAC.
    pub(super) fn wrong(&self, codes: &[&'static str], id: &str, hmac: &str) -> Made {
        Made { headers: self.call(id, hmac), ..self.refused(codes, &[]) }
    }

    /// A call of `p3`.
    pub(super) fn of_p3(&self, codes: &[&'static str], headers: &[(&str, &str)]) -> Made {
        Made { backend_key: self.bare_backend_key.clone(), project: "p3", ..self.refused(codes, headers) }
    }

    fn everything(&self) -> Vec<Made> {
        [
            // First what is good for seconds.
            bearers::bound(self),
            bearers::tickets(self),
            writing::written_wrongly(self),
            making::under_wrong_secrets(self),
            making::of_wrong_ids(self),
            making::by_wrong_functions(self),
            making::with_wrong_frames(self),
            keys::publishable(self),
            users::ids(self),
            users::users(self),
            users::accepted(self),
            bearers::tokens(self),
            bearers::secret_keys(self),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    async fn set(&self, settings: &[&str]) {
        self.house.node.service.set_project(&p1(), changes(settings)).await.unwrap();
    }
}

/// Said by the command alone, or of a project whose backend can't ask.
const NOT_OVER_HTTP: [&str; 3] = ["other_users_unknown", "project_closed", "public_url_unknown"];

async fn each_mistake_is_found_when_it_is_made(engine: Engine) {
    let stage = Stage::aged(engine).await;
    stage.set(&["limits.failures=1000000"]).await;
    disable(&stage, users::DISABLED).await;
    let mut seen = BTreeSet::new();
    let mut said = String::new();
    for (at, made) in stage.everything().iter().enumerate() {
        let what = format!("{at}: {:?} of {:?} with {:?}", made.codes, made.headers, made.settings);
        stage.set(&made.settings).await;
        let answer = ask(&stage.backend_with(&made.backend_key), &made.headers).await;
        let expected = Explained::expected(made.verdict, &made.codes);
        assert_eq!(Explained::of(&answer), expected, "{what}\n{answer}");
        if sendable(&made.headers) {
            let status = verify(&stage.house.node, made.project, &made.headers).await;
            assert_eq!(status == 200, made.verdict == "accepted", "the door answers {status}: {what}");
        }
        let unset: Vec<String> = made.settings.iter().map(|it| format!("{}=", it.split_once('=').unwrap().0)).collect();
        stage.set(&unset.iter().map(String::as_str).collect::<Vec<_>>()).await;
        seen.extend(made.codes.iter().copied());
        let _ = writeln!(said, "{answer} {:?}", answer.headers);
    }
    for secret in stage.forbidden() {
        assert!(!said.contains(&secret), "an answer holds {secret}");
    }
    let unmade: Vec<&str> = Code::ALL.iter().map(|code| code.as_str()).filter(|code| !seen.contains(code)).collect();
    assert_eq!(unmade.into_iter().collect::<BTreeSet<_>>(), BTreeSet::from(NOT_OVER_HTTP), "never said");
    // Without a mistake the call is accepted.
    let right = stage.call(ID, &macs::v1(&stage.secret, ID));
    assert_eq!(Explained::of(&ask(&stage.backend(), &right).await), Explained::expected("accepted", &["proved_v1"]));
    assert_eq!(verify(&stage.house.node, "p1", &right).await, 200);
}

/// Makes a user who may not come in.
async fn disable(stage: &Stage, id: &str) {
    use countersign_domain::identity::Identity;
    use countersign_service::{projects::state::StateChange, vouch::Names};
    let service = &stage.house.node.service;
    let names = Names { given: Name::default(), family: Name::default() };
    let made = service.create_user(&p1(), names, vec![Identity::ExternalId(id.parse().unwrap())], true).await.unwrap();
    service.change_user_state(&p1(), made.id, StateChange::Disable).await.unwrap();
}
