//! The program: arguments, mode, exit code.

use clap::{Parser, Subcommand};
use notesferry::modes::migrate::{self, MigrateArguments};
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
    Migrate(MigrateArguments),
}

fn main() -> ExitCode {
    let exit = match Arguments::parse().command {
        Command::Migrate(arguments) => migrate::run(&arguments),
    };
    exit.into()
}
