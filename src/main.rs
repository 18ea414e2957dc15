//! The program: arguments, mode, exit code.

use clap::{Parser, Subcommand};
use notesferry::modes::Exit;
#[cfg(unix)]
use notesferry::modes::admin::{self, AdminArguments};
#[cfg(unix)]
use notesferry::modes::demo::{self, DemoArguments};
use notesferry::modes::extract::{self, ExtractArguments, PartArguments};
use notesferry::modes::forge::{self, ForgeArguments};
use notesferry::modes::inspect::{self, InspectArguments};
use notesferry::modes::migrate::{self, MigrateArguments};
#[cfg(unix)]
use notesferry::modes::serve::{self, ServeArguments};
#[cfg(unix)]
use notesferry::modes::user::{self, UserArguments};
use std::io;
use std::process::ExitCode;

/// Carries Lotus/HCL Notes mailboxes to modern mail systems, each item accounted for.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    #[cfg(unix)]
    Serve(ServeArguments),
    #[cfg(unix)]
    Admin(AdminArguments),
    #[cfg(unix)]
    User(UserArguments),
    Migrate(MigrateArguments),
    Extract(ExtractArguments),
    #[command(hide = true)]
    ExtractPart(PartArguments),
    Inspect(InspectArguments),
    Forge(ForgeArguments),
    #[cfg(unix)]
    Demo(DemoArguments),
}

fn main() -> ExitCode {
    let exit = match Arguments::parse().command {
        #[cfg(unix)]
        Command::Serve(arguments) => serve::run(&arguments),
        #[cfg(unix)]
        Command::Admin(arguments) => admin::run(&arguments),
        #[cfg(unix)]
        Command::User(arguments) => user::run(&arguments),
        Command::Migrate(arguments) => migrate::run(&arguments),
        Command::Extract(arguments) => extract::run(&arguments),
        Command::ExtractPart(arguments) => return extract::run_part(&arguments).into(),
        Command::Inspect(arguments) => inspect(&arguments),
        Command::Forge(arguments) => forge(&arguments),
        #[cfg(unix)]
        Command::Demo(arguments) => demo::run(&arguments),
    };
    exit.into()
}

fn inspect(arguments: &InspectArguments) -> Exit {
    match inspect::run(arguments, &mut io::stdout().lock()) {
        Ok(0) => Exit::Complete,
        Ok(_) => Exit::Source,
        // Whoever reads the output has seen enough.
        Err(error) if is_broken_pipe(&error) => Exit::Complete,
        Err(error) => {
            eprintln!("notesferry: {error:#}");
            Exit::Usage
        }
    }
}

fn forge(arguments: &ForgeArguments) -> Exit {
    match forge::run(arguments) {
        Ok(forged) => {
            println!("{}: {forged}", arguments.out.display());
            Exit::Complete
        }
        Err(error) => {
            eprintln!("notesferry: {error:#}");
            Exit::Usage
        }
    }
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}
