//! The `rejoin` command.

/// Prints a line to standard output. Whoever reads it may stop reading (`| head`): that is no reason to stop working.
macro_rules! say {
    ($($argument:tt)*) => {{
        use std::io::Write;
        // A reader that has gone needs no line.
        let _ = writeln!(std::io::stdout(), $($argument)*);
    }};
}

mod account;
mod account_file;
mod activities;
mod any_resource;
mod check;
mod credentials;
mod demo;
mod init;
mod perform;
mod sample;
mod serve;
mod service;
mod sessions;
mod style;
mod tour;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};

use account::AccountArguments;
use sessions::SessionsArguments;

/// A data service with memory.
///
/// A client posts a perform document, a pipeline of data activities, and says which session it joins. The service runs the
/// pipeline beside the data, streams the results back, and keeps what the session holds for the next request.
///
/// New here? `rejoin demo --tour` shows it in a minute, `rejoin init DIR` begins a service of your own.
#[derive(Debug, Parser)]
#[command(name = "rejoin", version, arg_required_else_help = true)]
struct Command {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Serves the data service resources of a configuration
    ///
    /// Prints its address when it is ready. SIGTERM or Ctrl-C drains it: no new connections, requests that run are
    /// answered, then it ends. What takes longer than 30 seconds is cut off, and the exit code is 1 then; a second signal
    /// ends it at once.
    #[command(after_help = "Example:\n  rejoin init orders && rejoin serve --config orders")]
    Serve {
        /// The folder with service.xml
        #[arg(long, value_name = "DIR")]
        config: PathBuf,
    },
    /// Serves a sample database, with nothing to configure
    ///
    /// Ten thousand customers and their orders in an embedded database that is thrown away at the end. Prints three
    /// commands to paste into another terminal.
    #[command(after_help = "Examples:\n  rejoin demo\n  rejoin demo --tour    the guided requests, then the end")]
    Demo {
        /// Run the guided requests, print each with its answer and what it shows, and end
        #[arg(long)]
        tour: bool,
        /// The address to listen on; a port that is taken is replaced by a free one
        #[arg(long, default_value = "127.0.0.1:8080")]
        listen: String,
    },
    /// Begins a service of your own: writes a configuration with comments into a folder
    #[command(
        after_help = "Examples:\n  rejoin init orders\n  rejoin check orders\n  rejoin serve --config orders\n  \
                      rejoin init --durable carts\n  rejoin init --database postgres accounts"
    )]
    Init {
        /// The folder; made when it is not there, refused when it holds a service.xml already
        dir: PathBuf,
        /// Sessions outlive the service: they are kept on disk, in data/sessions
        #[arg(long)]
        durable: bool,
        /// The database that it is for
        #[arg(long, value_enum, default_value_t)]
        database: init::Database,
    },
    /// Checks configuration and perform documents, and says where they are wrong
    ///
    /// A folder is checked as `serve` would read it, also while a service runs on it: nothing is opened that stores sessions. Every problem is a line `file:line:column: message`; with any, the
    /// exit code is 1.
    #[command(after_help = "Examples:\n  rejoin check orders\n  rejoin check query.xml orders/session.xml")]
    Check {
        /// Files, or folders with service.xml
        #[arg(required = true)]
        paths: Vec<PathBuf>,
    },
    /// Posts a perform document and prints the answer
    ///
    /// The exit code is 0 when the request completed, or was answered at once and goes on, and 1 when it failed; a fault is
    /// printed on standard error.
    #[command(after_help = "Examples:\n  rejoin perform http://127.0.0.1:8080/services/demo query.xml\n  \
                      REJOIN_PASSWORD=… rejoin perform http://127.0.0.1:8080/services/demo query.xml --user ada\n  \
                      rejoin perform http://127.0.0.1:8080/services/demo query.xml --return csv > rows.csv\n  \
                      REJOIN_SESSION=q0Zk… rejoin perform http://127.0.0.1:8080/services/demo -")]
    Perform(PerformArguments),
    /// Looks at the sessions of a resource, ends them, exports and imports those that are stored
    ///
    /// Operators see and end everybody's; users who say who they are, their own. A session goes by its handle, which gives
    /// nobody access to it. A text in the session attribute `label` is its label, to find it by.
    ///
    /// `list`, `show` and `end` ask the service at a URL. `export`, `import` and `backup` work on the files of a durable store,
    /// on the machine where they are, and need neither the URL nor the service.
    ///
    /// The exit code is 0 when what was asked is done, else 1.
    #[command(override_usage = "rejoin sessions <URL> <list|show|end> …\n       \
                                rejoin sessions <export|import|backup> --store <DIR> …")]
    #[command(after_help = "Examples:\n  rejoin sessions http://127.0.0.1:8080/services/demo list\n  \
                      rejoin sessions http://127.0.0.1:8080/services/demo show 0193fe2c-…\n  \
                      rejoin sessions http://127.0.0.1:8080/services/demo end --label nightly\n  \
                      rejoin sessions backup --store orders/data/sessions /mnt/backup/sessions-monday\n  \
                      rejoin sessions export --store orders/data/sessions --to sessions.jsonl")]
    Sessions(SessionsArguments),
    /// Lists the activities that documents are made of
    ///
    /// With a sentence for each; `--json` prints their elements whole, attributes and children with types and meanings, for
    /// programs that write documents or generate code.
    #[command(after_help = "Examples:\n  rejoin activities\n  rejoin activities --json > activities.json")]
    Activities {
        /// Print everything about them as JSON
        #[arg(long)]
        json: bool,
    },
    /// Makes the line of a user for a file of users: `<authentication impl="basic">`
    ///
    /// Asks for the password; where standard input is no terminal, its first line is the password. A service that runs takes
    /// the changed file within a second or two. A user whose hash begins with `!` is disabled, and the sessions of one who is
    /// disabled or removed are ended.
    #[command(after_help = "Examples:\n  rejoin user ada --role operator --file orders/users\n  \
                      rejoin user carl < password.txt")]
    User(AccountArguments),
    /// Makes a token, and its line for a file of tokens: `<authentication impl="bearer">`
    ///
    /// The token is printed on standard output, this once: the file holds its SHA-256. Without a file the line is printed on
    /// standard error.
    #[command(after_help = "Example:\n  rejoin token nightly-job --id jobs --file orders/tokens > token.txt")]
    Token(AccountArguments),
}

#[derive(Debug, Args)]
struct PerformArguments {
    /// The data service resource, such as <http://127.0.0.1:8080/services/orders>
    url: String,
    /// The perform document; - reads standard input
    file: PathBuf,
    /// The session to join, where the document does not say
    #[arg(long, value_name = "ID", env = "REJOIN_SESSION", hide_env_values = true)]
    session: Option<String>,
    /// Print the raw bytes of this end-point instead of the response document
    #[arg(long = "return", value_name = "NAME")]
    return_: Option<String>,
    #[command(flatten)]
    credentials: credentials::CredentialOptions,
}

/// Runs the command line of this process. What goes wrong is said on standard error, and in the exit code.
#[must_use]
pub fn main() -> ExitCode {
    let command = Command::parse();
    let done = match command.action {
        Action::Check { paths } => Ok(check::run(&paths)),
        Action::Activities { json } => {
            activities::run(json);
            Ok(ExitCode::SUCCESS)
        }
        Action::Init { dir, durable, database } => init::run(&dir, durable, database).map(|()| ExitCode::SUCCESS),
        Action::Serve { config } => block_on(serve::run(&config)),
        Action::Demo { tour, listen } => block_on(demo::run(&listen, tour)),
        Action::User(arguments) => account::user(&arguments).map(|()| ExitCode::SUCCESS),
        Action::Token(arguments) => account::token(&arguments).map(|()| ExitCode::SUCCESS),
        Action::Perform(arguments) => block_on(perform::run(&arguments)),
        Action::Sessions(arguments) => block_on(sessions::run(&arguments)),
    };
    done.unwrap_or_else(|error| {
        eprintln!("rejoin: {error:#}");
        ExitCode::FAILURE
    })
}

/// How long the end of the command waits for work that blocks, such as a query that does not hear that it is cancelled.
const EXIT_PATIENCE: Duration = Duration::from_secs(1);

fn block_on(work: impl Future<Output = anyhow::Result<ExitCode>>) -> anyhow::Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let done = runtime.block_on(work);
    runtime.shutdown_timeout(EXIT_PATIENCE);
    done
}
