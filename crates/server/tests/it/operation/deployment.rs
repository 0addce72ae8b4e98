//! A deployment of processes: a database, a data directory, the binary.

use countersign_testkit::{
    actors::Backend,
    database::{Engine, TestDatabase},
    program::{Program, Running},
};

/// What servers and commands of one deployment share.
pub(crate) struct Deployment {
    pub(crate) database: TestDatabase,
    pub(crate) program: Program,
    /// The secret key of `p1`; empty: there is no project.
    pub(crate) secret: String,
}

impl Deployment {
    /// Nothing was ever started on it.
    pub(crate) async fn empty(engine: Engine) -> Self {
        Self::on(TestDatabase::create(engine).await)
    }

    /// A new deployment on an empty database.
    pub(crate) fn on(database: TestDatabase) -> Self {
        let program = Program::new(env!("CARGO_BIN_EXE_countersign"), &database.directory().join("data"))
            .always(&["--database", database.url()]);
        Self { database, program, secret: String::new() }
    }

    /// Project `p1` with the app `c1` and a secret key, made on the command line.
    pub(crate) async fn furnished(engine: Engine) -> Self {
        Self::empty(engine).await.furnish().await
    }

    pub(crate) async fn furnish(self) -> Self {
        self.program.run(&["project", "create", "p1"]).await.ok();
        self.program.run(&["client", "create", "c1", "--kind", "ios"]).await.ok();
        let key = self.program.json(&["key", "create"]).await;
        Self { secret: key["secret"].as_str().unwrap().to_owned(), ..self }
    }

    /// The backend that holds the secret key, calling this server.
    pub(crate) fn backend(&self, server: &Running) -> Backend {
        Backend::new(&server.client(), &self.secret)
    }
}
