//! `notesferry user`: who may log in at the server of a data folder.
//!
//! A client of the web API through the admin socket, so it is for whoever owns the data folder: also when nobody knows a
//! password any more.

use crate::base::secret::Secret;
use crate::modes::admin::client::Client;
use crate::modes::admin::table;
use crate::modes::migrate::password::first_line;
use crate::modes::{Exit, Failure};
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use std::io::{self, IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};

/// Says who may log in at the page of a running server, from the machine that it runs on.
#[derive(Debug, Args)]
#[command(after_long_help = HELP)]
pub struct UserArguments {
    /// The data folder of the server.
    #[arg(long, value_name = "DIR", default_value = "data", global = true)]
    data_dir: PathBuf,

    #[command(subcommand)]
    command: Command,
}

const HELP: &str = "\
A viewer looks at everything; an operator also adds mailboxes, starts and stops passes; an administrator does all.

Exit codes:
  0  done
  2  wrong usage, or the server refused it
  4  no server runs in the data folder";

#[derive(Debug, Subcommand)]
enum Command {
    /// Add a user.
    Add {
        name: String,
        /// viewer, operator or administrator.
        #[arg(long)]
        role: String,
        #[command(flatten)]
        password: PasswordArguments,
    },
    List,
    /// Remove a user. Open sessions end at once.
    Remove {
        name: String,
    },
    /// Give a user a new password. Open sessions end at once.
    Password {
        name: String,
        #[command(flatten)]
        password: PasswordArguments,
    },
}

#[derive(Debug, Args)]
struct PasswordArguments {
    /// A file whose first line is the password of the user. Without it the password is asked for.
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
}

/// Runs the command; its output is complete when this returns.
pub fn run(arguments: &UserArguments) -> Exit {
    match change(&Client::new(&arguments.data_dir), &arguments.command) {
        Ok(text) => {
            // Whoever reads it has seen enough if this fails.
            let _ = writeln!(io::stdout(), "{text}");
            Exit::Complete
        }
        Err(failure) => {
            eprintln!("notesferry: {}", failure.sentence);
            failure.exit
        }
    }
}

fn change(client: &Client, command: &Command) -> Result<String, Failure> {
    match command {
        Command::Add { name, role, password } => {
            let password = password.read(name)?;
            client.post("users", &json!({"name": name, "role": role, "password": password.expose()}))?;
            Ok(format!("User {name} is added as {role}."))
        }
        Command::List => Ok(table::users(&client.get("users")?)),
        Command::Remove { name } => {
            client.delete(&format!("users/{}", id(client, name)?))?;
            Ok(format!("User {name} is removed."))
        }
        Command::Password { name, password } => {
            let path = format!("users/{}", id(client, name)?);
            client.patch(&path, &json!({"password": password.read(name)?.expose()}))?;
            Ok(format!("User {name} has a new password."))
        }
    }
}

/// The number of the user with a name.
fn id(client: &Client, name: &str) -> Result<u64, Failure> {
    let answer = client.get("users")?;
    let mut users = answer["users"].as_array().into_iter().flatten();
    let is_this = |user: &&Value| {
        user["name"].as_str().is_some_and(|other| other.to_lowercase() == name.to_lowercase())
    };
    let found = users.find(is_this).and_then(|user| user["id"].as_u64());
    found.ok_or_else(|| usage(format!("there is no user `{name}`; `notesferry user list` shows them")))
}

impl PasswordArguments {
    fn read(&self, name: &str) -> Result<Secret, Failure> {
        let text = match &self.password_file {
            Some(path) => from_file(path)?,
            None if io::stdin().is_terminal() => ask_twice(name)?,
            None => {
                return Err(usage("there is nobody to ask for a password; name a file with --password-file"));
            }
        };
        Ok(Secret::new(text))
    }
}

fn from_file(path: &Path) -> Result<String, Failure> {
    let read = first_line(path);
    read.map_err(|error| usage(format!("the password file {} cannot be read: {error}", path.display())))
}

/// What is not shown is easily mistyped.
fn ask_twice(name: &str) -> Result<String, Failure> {
    let ask = |prompt: String| {
        let typed = rpassword::prompt_password(prompt);
        typed.map_err(|error| usage(format!("the password cannot be read: {error}")))
    };
    let password = ask(format!("New password of {name}: "))?;
    match ask("Once more: ".to_owned())? == password {
        true => Ok(password),
        false => Err(usage("these were two different passwords")),
    }
}

fn usage(sentence: impl Into<String>) -> Failure {
    Failure::new(Exit::Usage, sentence)
}
