//! The command line.

mod activation_code;
mod audit;
mod client;
mod client_api_key;
mod delegation_key;
mod dev;
mod device;
mod explain;
mod key;
mod output;
mod project;
mod serve;
mod session;
mod test_message;
mod user;

use std::{collections::BTreeMap, io::Write, path::PathBuf, process::ExitCode, sync::Arc};

use clap::{Args, Parser, Subcommand};
use countersign_domain::id::ProjectId;
use countersign_service::{Service, deliver::carrier::Delivery};
use rustix::fs::Mode;
use tracing::Level;

use crate::{
    config::{Config, log::LogConfig, log::LogFormat},
    data_dir::DataDir,
    error::Failure,
    telemetry::start_logging,
    wire_up::{Schema, open_service},
};
use output::Output;

/// A self-hosted authentication server: a backend vouches for its users, and their apps get credentials that are short-lived, verifiable,
/// refreshable and revocable.
#[derive(Parser)]
#[command(name = "countersign", version)]
pub struct Cli {
    #[command(flatten)]
    globals: Globals,
    #[command(subcommand)]
    command: Command,
}

/// What every command takes, anywhere on the line.
#[derive(Args)]
struct Globals {
    /// The directory that holds the SQLite file and the master key
    #[arg(long, global = true, value_name = "DIR", default_value = ".countersign")]
    data: PathBuf,
    /// The database: sqlite:PATH or postgres://… [default: SQLite in DIR]
    #[arg(long, global = true, value_name = "URL")]
    database: Option<String>,
    /// The configuration file
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The project [default: the only one; in development p1]
    #[arg(long, global = true, value_name = "ID")]
    project: Option<ProjectId>,
    /// Print JSON, for scripts
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Subcommand)]
enum Command {
    /// Run in development: on this machine only, with a project ready to use
    Dev(dev::Dev),
    /// Run in production
    Serve,
    /// Bring the schema of the database up to date
    Migrate,
    /// Say whether `serve` would start with this configuration
    CheckConfig,
    /// Print the OpenAPI document
    Openapi,
    /// Projects
    #[command(subcommand)]
    Project(project::Verb),
    /// Clients of a project
    #[command(subcommand)]
    Client(client::Verb),
    /// Keys of a project
    #[command(subcommand)]
    Key(key::Verb),
    /// Codes with which people may sign up, where the project asks for one
    #[command(subcommand)]
    ActivationCode(activation_code::Verb),
    /// Users of a project
    #[command(subcommand)]
    User(user::Verb),
    /// Sessions of a user
    #[command(subcommand)]
    Session(session::Verb),
    /// The audit trail of a project
    #[command(subcommand)]
    Audit(audit::Verb),
    /// Mail to users
    #[command(subcommand)]
    Mail(test_message::MailVerb),
    /// Text messages to users
    #[command(subcommand)]
    Sms(test_message::SmsVerb),
    /// Say why a call of an app is refused, from the headers that it sent. Exit status 1: it is
    Explain(explain::Explain),
}

/// Runs a command to its end.
pub fn run(cli: Cli) -> ExitCode {
    keep_files_private();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(problem) => return ended(Err(Failure::failed("can't start", problem))),
    };
    ended(runtime.block_on(dispatch(cli)))
}

/// Whatever makes a file here (SQLite makes three), nobody else is to read it.
fn keep_files_private() {
    rustix::process::umask(Mode::RWXG | Mode::RWXO);
}

/// 0 done, 1 the thing failed, 2 the call was wrong.
fn ended(result: Result<(), Failure>) -> ExitCode {
    let (problem, code) = match result {
        Ok(()) => return ExitCode::SUCCESS,
        Err(Failure::Failed(problem)) => (problem, 1),
        Err(Failure::Usage(problem)) => (problem, 2),
    };
    let _ = writeln!(std::io::stderr(), "countersign: {problem}");
    ExitCode::from(code)
}

async fn dispatch(cli: Cli) -> Result<(), Failure> {
    let Cli { globals, command } = cli;
    let config = globals.read_config()?;
    let data = DataDir::new(&globals.data);
    match command {
        Command::Dev(dev) => dev.run(config, &data).await,
        Command::Serve => serve::run(&config, &data).await,
        Command::Migrate => serve::migrate(&config, &data, &globals.output()).await,
        Command::CheckConfig => serve::check_config(&config),
        Command::Openapi => output::document(),
        Command::Project(verb) => verb.run(&globals.desk(&config, &data).await?).await,
        Command::Client(verb) => verb.run(&globals.desk(&config, &data).await?).await,
        Command::Key(verb) => verb.run(&globals.desk(&config, &data).await?).await,
        Command::User(verb) => verb.run(&globals.desk(&config, &data).await?).await,
        Command::ActivationCode(verb) => verb.run(&globals.desk(&config, &data).await?).await,
        Command::Session(verb) => verb.run(&globals.desk(&config, &data).await?).await,
        Command::Audit(verb) => verb.run(&globals.desk(&config, &data).await?).await,
        Command::Mail(verb) => verb.run(&config, &globals.output()).await,
        Command::Sms(verb) => verb.run(&config, &globals.output()).await,
        Command::Explain(explain) => explain.run(&globals.desk(&config, &data).await?).await,
    }
}

impl Globals {
    fn read_config(&self) -> Result<Config, Failure> {
        #[expect(clippy::disallowed_methods, reason = "this is where the environment comes in")]
        let environment: BTreeMap<String, String> = std::env::vars().collect();
        let mut config = Config::read(self.config.as_deref(), &environment)?;
        if let Some(url) = &self.database {
            config.database.url = Some(url.clone());
        }
        Ok(config)
    }

    fn output(&self) -> Output {
        Output { json: self.json }
    }

    /// The use cases, straight on the database.
    async fn desk(&self, config: &Config, data: &DataDir) -> Result<Desk, Failure> {
        start_logging(&LogConfig { level: Level::WARN, format: LogFormat::Text });
        let mut config = config.clone();
        let is_development = crate::dev::is_development(data);
        if config.http.public_url.is_empty() {
            config.http.public_url = crate::dev::public_url(data).unwrap_or_default();
        }
        if is_development && config.http.default_project.is_none() {
            config.http.default_project = crate::dev::default_project();
        }
        let service = open_service(&config, data, Schema::AsIs, Delivery::NOWHERE).await?;
        Ok(Desk { service, output: self.output(), project: self.project.clone(), is_development })
    }
}

/// Where an operator works: the use cases, a project, and a way to print.
struct Desk {
    service: Arc<Service>,
    output: Output,
    project: Option<ProjectId>,
    is_development: bool,
}

impl Desk {
    /// The project that was named, or the only one.
    async fn project(&self) -> Result<ProjectId, Failure> {
        if let Some(project) = &self.project {
            return Ok(project.clone());
        }
        let projects = self.service.list_projects().await?;
        match (projects.as_slice(), self.is_development) {
            ([only], _) => Ok(only.id.clone()),
            ([], _) => Err(Failure::Failed("there is no project yet: `countersign project create ID`".to_owned())),
            (several, true)
                if several.iter().any(|project| Some(&project.id) == crate::dev::default_project().as_ref()) =>
            {
                Ok(crate::dev::default_project().into_iter().next().unwrap_or_else(|| several[0].id.clone()))
            }
            _ => Err(Failure::Usage("there are several projects: say which with --project ID".to_owned())),
        }
    }
}
