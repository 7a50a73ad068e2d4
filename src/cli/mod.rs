//! The command line: one file per subcommand, each from arguments to one function of the library.

mod apply;
mod dev;
mod device_login;
mod export;
pub mod healthcheck;
mod key;
mod keycloak;
mod migrate;
mod output;
mod plan;
mod registration_token;
mod serve;

use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};

use crate::boot::{self, BootError, Running, Seed};
use crate::clock::Clock;
use crate::config::Config;
use crate::server::Shutdown;

/// Exit code for a fault of ours.
const FAULT: u8 = 1;
/// Exit code for wrong usage or configuration.
const USAGE: u8 = 2;

/// A standalone OpenID Provider.
#[derive(Debug, Parser)]
#[command(name = "vestibule", version, about, after_help = EXAMPLES)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "Examples:
  vestibule dev                            a working provider on http://127.0.0.1:8080
  vestibule dev --ephemeral --port 0 --output json    a fixture for tests
  vestibule dev --import-realm realm.toml  with a realm of your own
  vestibule device-login                   signs in to that provider as a TV would
  vestibule plan realm.toml                what applying a realm file would change
  vestibule serve --config vestibule.toml  production
  vestibule start-dev --import-realm       in the place of a Keycloak container

Each command has more of them: vestibule dev --help";

#[derive(Debug, Subcommand)]
enum Command {
    /// Run with zero configuration, for development and tests
    Dev(dev::Dev),
    /// Run in production
    Serve(serve::Serve),
    /// Run for development under Keycloak's names: its options, KC_* variables, folders and ports
    StartDev(keycloak::StartDev),
    /// Run in production under Keycloak's names
    Start(keycloak::Start),
    /// Accepted for Keycloak's sake: there is nothing to build
    Build(keycloak::Build),
    /// Show what Keycloak's options and variables come to
    ShowConfig(keycloak::ShowConfig),
    /// Import realm files as Keycloak does
    Import(keycloak::Import),
    /// Make a first administrator, or one more when nobody can sign in any more
    BootstrapAdmin(keycloak::BootstrapAdmin),
    /// Play a device without a browser: show a code, wait for a yes, print who said it
    DeviceLogin(device_login::DeviceLogin),
    /// Bring a database to this version's schema
    Migrate(migrate::Migrate),
    /// Show what applying realm files would change
    Plan(plan::Plan),
    /// Bring realms to what their files say
    Apply(apply::Apply),
    /// Write a realm as a realm file
    Export(export::Export),
    /// Write realms into files as Keycloak does
    #[command(hide = true)]
    KeycloakExport(keycloak::Export),
    /// Look after signing keys
    #[command(subcommand, after_help = key::EXAMPLES)]
    Key(key::Key),
    /// Look after tokens by which clients may register themselves
    #[command(subcommand, after_help = registration_token::EXAMPLES)]
    RegistrationToken(registration_token::RegistrationToken),
    /// Ask a running server whether it is ready: exit code 0 if it is
    Healthcheck(healthcheck::Healthcheck),
    /// Print a completion script for a shell
    #[command(after_help = "Examples:
  vestibule completions bash > ~/.local/share/bash-completion/completions/vestibule
  vestibule completions fish > ~/.config/fish/completions/vestibule.fish")]
    Completions {
        /// Which shell
        shell: clap_complete::Shell,
    },
}

/// Runs the command that the process was started with.
#[must_use]
pub fn run() -> ExitCode {
    let cli = aside(|| Cli::parse_from(keycloak::told_apart(std::env::args_os())));
    match cli.command {
        Command::Dev(args) => output::ended(in_runtime(args.run())),
        Command::Serve(args) => output::ended(in_runtime(args.run())),
        Command::StartDev(args) => output::ended(in_runtime(args.run())),
        Command::Start(args) => output::ended(in_runtime(args.run())),
        Command::Build(args) => output::ended(args.run()),
        Command::ShowConfig(args) => output::ended(args.run()),
        Command::Import(args) => output::ended(in_runtime(args.run())),
        Command::BootstrapAdmin(args) => output::ended(in_runtime(args.run())),
        Command::DeviceLogin(args) => output::ended(in_runtime(args.run())),
        Command::Migrate(args) => output::ended(in_runtime(args.run())),
        Command::Plan(args) => output::ended(in_runtime(args.run())),
        Command::Apply(args) => output::ended(in_runtime(args.run())),
        Command::Export(args) => output::ended(in_runtime(args.run())),
        Command::KeycloakExport(args) => output::ended(in_runtime(args.run())),
        Command::Key(args) => output::ended(in_runtime(args.run())),
        Command::RegistrationToken(args) => output::ended(in_runtime(args.run())),
        Command::Healthcheck(args) => match args.run() {
            Ok(()) => ExitCode::SUCCESS,
            Err(why) => {
                eprintln!("{why}");
                ExitCode::from(FAULT)
            }
        },
        Command::Completions { shell } => {
            clap_complete::generate(shell, &mut Cli::command(), "vestibule", &mut std::io::stdout());
            ExitCode::SUCCESS
        }
    }
}

/// Does `work` on a thread that ends with it. What happens once takes some hundred kilobytes of stack, which the system gets back
/// so; the first thread would keep them for as long as the server runs.
fn aside<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| scope.spawn(work).join())
        .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

/// Starts the server that `config` describes.
fn start(config: &Config, seed: Seed, shutdown: Shutdown) -> Result<Running, BootError> {
    let runtime = tokio::runtime::Handle::current();
    aside(|| runtime.block_on(boot::start(config, Clock::system(), seed, shutdown)))
}

fn in_runtime<T>(work: impl Future<Output = Result<T, output::Failure>>) -> Result<T, output::Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| output::Failure::fault(format!("the runtime cannot start: {error}")))?;
    let outcome = runtime.block_on(work);
    // A hash that is still being computed for nobody need not be waited for.
    runtime.shutdown_background();
    outcome
}
