//! `notesferry admin`: gives orders to the server of a data folder, and shows what it keeps.
//!
//! A client of the web API and nothing else; checks are the server's. What it prints for people are tables; with
//! `--json` it prints what the server answered.

pub mod client;
pub mod table;
pub(in crate::modes) mod watch;

use crate::destinations::registry::Target;
use crate::model::filter::Filter;
use crate::modes::migrate::filter::{FilterArguments, folder_map_lines};
use crate::modes::migrate::password;
use crate::modes::{Exit, Failure};
use clap::{Args, Subcommand, ValueEnum};
use client::Client;
use serde_json::{Map, Value, json};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

/// Gives orders to a running server, from the machine that it runs on.
#[derive(Debug, Args)]
#[command(after_long_help = HELP)]
pub struct AdminArguments {
    /// The data folder of the server.
    #[arg(long, value_name = "DIR", default_value = "data", global = true)]
    data_dir: PathBuf,

    /// Print what the server answers, as JSON.
    #[arg(long, global = true)]
    json: bool,

    #[command(subcommand)]
    command: Command,
}

const HELP: &str = "\
Exit codes:
  0  done; with --wait or a pass to watch: all documents that were found are at the target
  1  the pass is finished, and some documents are set aside
  2  wrong usage, or the server refused it
  4  no server runs in the data folder, or a target cannot be reached
  5  a target refused the log-in
  6  a target is full
  7  the pass was stopped";

#[derive(Debug, Subcommand)]
enum Command {
    /// Show what the server is.
    Info,
    /// Make a code with which one extractor can enrol within a day.
    EnrolCode,
    /// List the extractors, or look at one.
    Extractors {
        #[command(subcommand)]
        command: Option<ExtractorCommand>,
    },
    /// Say where mailboxes are.
    #[command(subcommand)]
    Connector(ConnectorCommand),
    /// Say which mailbox goes where.
    #[command(subcommand)]
    Mailbox(MailboxCommand),
    /// Say which address books hold the Internet addresses of Notes names.
    #[command(subcommand)]
    Directory(DirectoryCommand),
    /// Carry mailboxes.
    #[command(subcommand)]
    Pass(PassCommand),
    /// List the documents of a mailbox that were not delivered, with the reason.
    SetAside {
        /// The number of the mailbox.
        mailbox: u64,
    },
}

#[derive(Debug, Subcommand)]
enum ExtractorCommand {
    /// List the mailboxes that an extractor found.
    Found {
        /// The number of the extractor.
        extractor: u64,
    },
    /// Take an extractor's token away. It has to enrol anew.
    Revoke {
        /// The number of the extractor.
        extractor: u64,
    },
}

#[derive(Debug, Subcommand)]
enum ConnectorCommand {
    /// Add a folder of an extractor.
    Add {
        /// A name without colon; mailboxes are called NAME:PATH.
        name: String,
        /// The folder at the extractor, below one of its --source folders.
        location: String,
        /// The number of the extractor. May be left out when there is only one.
        #[arg(long, value_name = "NUMBER")]
        extractor: Option<u64>,
        /// What lies there: Notes databases (nsf) or their exports (dxl).
        #[arg(long, default_value = "nsf")]
        kind: String,
    },
    List,
    /// Remove a connector that has no mailboxes.
    Remove {
        /// The number or the name.
        connector: String,
    },
}

#[derive(Debug, Subcommand)]
enum MailboxCommand {
    /// Add a mailbox and its target.
    Add {
        /// CONNECTOR:PATH, the path below the connector's folder with `/` between its parts.
        source: String,
        /// Where to, as for `notesferry migrate`: imaps://user@host[:port][/prefix], maildir:DIR or eml:DIR.
        target: String,
        /// A file whose first line is the password of the target.
        ///
        /// Without it the password comes from the environment variable NOTESFERRY_TARGET_PASSWORD, or is asked for.
        #[arg(long, value_name = "FILE")]
        password_file: Option<PathBuf>,
        /// Also carry documents that are not mail-file content.
        #[arg(long)]
        all_documents: bool,
        #[command(flatten)]
        filter: FilterArguments,
        /// Other names for folders at the target: OLD=NEW, or a file with such lines. May be given several times.
        #[arg(long, value_name = "FILE|OLD=NEW")]
        folder_map: Vec<String>,
    },
    /// Change what is left out of a mailbox and how its folders are called. What is not named stays as it is.
    ///
    /// What is at the target already stays there; what was left out follows with the next pass once it is asked for.
    Change {
        /// The number of the mailbox.
        mailbox: u64,
        #[command(flatten)]
        filter: FilterArguments,
        /// Other names for folders, in place of all those before: OLD=NEW, or a file with such lines.
        #[arg(long, value_name = "FILE|OLD=NEW")]
        folder_map: Vec<String>,
        /// Take away what was entered before.
        #[arg(long, value_name = "FIELDS", value_delimiter = ',')]
        clear: Vec<Clearable>,
        /// Whether documents that are not mail-file content are carried too.
        #[arg(long, value_name = "true|false")]
        all_documents: Option<bool>,
    },
    List,
    /// Remove a mailbox. What was delivered stays, and the ledger of it too.
    Remove {
        /// The number of the mailbox.
        mailbox: u64,
    },
    /// Log in at the target of a mailbox.
    Test {
        /// The number of the mailbox.
        mailbox: u64,
    },
}

/// What can be taken away from a mailbox, by the option that enters it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Clearable {
    Only,
    Since,
    Before,
    FolderMap,
}

impl Clearable {
    /// Its field in the API.
    fn field(self) -> &'static str {
        match self {
            Self::Only => "only",
            Self::Since => "since_unix_ms",
            Self::Before => "before_unix_ms",
            Self::FolderMap => "folder_map",
        }
    }
}

#[derive(Debug, Subcommand)]
enum DirectoryCommand {
    /// Add an address book that lies beside an extractor, such as the Domino directory names.nsf, and read it.
    ///
    /// Passes that begin afterwards find its names. Each pass over a mailbox has it read again first, as far as it
    /// changed. What was delivered before stays as it is.
    Add {
        /// CONNECTOR:PATH, the path below the connector's folder with `/` between its parts.
        source: String,
        /// Show the progress, and end when it is read.
        #[arg(long)]
        wait: bool,
    },
    List,
    /// Read an address book again now.
    Read {
        /// The number of the address book.
        directory: u64,
        /// Show the progress, and end when it is read.
        #[arg(long)]
        wait: bool,
    },
    /// Forget an address book and its names.
    Remove {
        /// The number of the address book.
        directory: u64,
    },
}

#[derive(Debug, Subcommand)]
enum PassCommand {
    /// Carry a mailbox, once: what is at the target already is not delivered again.
    Start {
        /// The number of the mailbox.
        mailbox: u64,
        /// Show the progress, and end with the pass.
        #[arg(long)]
        wait: bool,
    },
    /// Try again what was set aside: one document, or all of one reason, and nothing else.
    #[command(group = clap::ArgGroup::new("what").required(true))]
    Retry {
        /// The number of the mailbox.
        mailbox: u64,
        /// The key of the document, as `set-aside --json` shows it.
        #[arg(long, group = "what", value_name = "KEY")]
        item: Option<String>,
        /// The reason, as `set-aside` shows it.
        #[arg(long, group = "what", value_name = "NAME")]
        reason: Option<String>,
        /// Show the progress, and end with the pass.
        #[arg(long)]
        wait: bool,
    },
    /// Stop a pass. Another one goes on where it ended.
    Stop {
        /// The number of the pass.
        pass: u64,
    },
    List,
    /// Show the progress until Ctrl-C, or until a pass ends.
    Watch {
        /// The number of the pass; all of them without it.
        pass: Option<u64>,
    },
}

/// Runs the command; its output is complete when this returns.
pub fn run(arguments: &AdminArguments) -> Exit {
    let admin = Admin { client: Client::new(&arguments.data_dir), json: arguments.json };
    match admin.run(&arguments.command) {
        Ok(exit) => exit,
        Err(failure) => {
            if admin.json {
                admin.result(&json!({"exit": failure.exit.code(), "sentence": failure.sentence}), "");
            } else {
                eprintln!("notesferry: {}", failure.sentence);
            }
            failure.exit
        }
    }
}

/// The command line's side of the API.
pub(in crate::modes) struct Admin {
    client: Client,
    json: bool,
}

impl Admin {
    /// One that prints for people.
    pub fn new(data_folder: &Path) -> Self {
        Self { client: Client::new(data_folder), json: false }
    }

    /// # Errors
    /// As [`Client::get`].
    pub fn get(&self, path: &str) -> Result<Value, Failure> {
        self.client.get(path)
    }

    /// # Errors
    /// As [`Client::get`].
    pub fn post(&self, path: &str, body: &Value) -> Result<Value, Failure> {
        self.client.post(path, body)
    }

    fn run(&self, command: &Command) -> Result<Exit, Failure> {
        match command {
            Command::Info => self.show("server", table::info),
            Command::EnrolCode => self.enrol_code(),
            Command::Extractors { command: None } => self.show("extractors", table::extractors),
            Command::Extractors { command: Some(ExtractorCommand::Found { extractor }) } => {
                self.show(&format!("extractors/{extractor}/found"), table::found)
            }
            Command::Extractors { command: Some(ExtractorCommand::Revoke { extractor }) } => {
                let answer = self.client.delete(&format!("extractors/{extractor}"))?;
                Ok(self.result(&answer, &format!("Extractor {extractor} is revoked.")))
            }
            Command::Connector(command) => self.connector(command),
            Command::Mailbox(command) => self.mailbox(command),
            Command::Directory(command) => self.directory(command),
            Command::Pass(command) => self.pass(command),
            Command::SetAside { mailbox } => self.set_aside(*mailbox),
        }
    }

    /// Prints an answer: as it is, or `text` for people.
    fn result(&self, answer: &Value, text: &str) -> Exit {
        let text = if self.json { answer.to_string() } else { text.to_owned() };
        // Whoever reads it has seen enough if this fails.
        let _ = writeln!(io::stdout(), "{text}");
        Exit::Complete
    }

    fn show(&self, path: &str, text: fn(&Value) -> String) -> Result<Exit, Failure> {
        let answer = self.client.get(path)?;
        Ok(self.result(&answer, &text(&answer)))
    }

    fn enrol_code(&self) -> Result<Exit, Failure> {
        let answer = self.client.post("extractors/enrol-code", &json!({}))?;
        let text = |name: &str| answer[name].as_str().unwrap_or_default();
        let (code, server) = (text("code"), text("server"));
        let text = format!(
            "{code}\n\nWithin a day, on the machine with the Notes data:\n  notesferry extract --server {server} \
             --enrol {code} --source DIR"
        );
        Ok(self.result(&answer, &text))
    }

    fn connector(&self, command: &ConnectorCommand) -> Result<Exit, Failure> {
        match command {
            ConnectorCommand::Add { name, location, extractor, kind } => {
                let extractor = extractor.map_or_else(|| self.only_extractor(), Ok)?;
                let body = json!({"name": name, "kind": kind, "location": location, "extractor": extractor});
                let answer = self.client.post("connectors", &body)?;
                let text =
                    format!("Connector {} is added; its mailboxes are called {name}:PATH.", answer["id"]);
                Ok(self.result(&answer, &text))
            }
            ConnectorCommand::List => self.show("connectors", table::connectors),
            ConnectorCommand::Remove { connector } => {
                let id = self.connector_id(connector)?;
                let answer = self.client.delete(&format!("connectors/{id}"))?;
                Ok(self.result(&answer, &format!("Connector {id} is removed.")))
            }
        }
    }

    /// The extractor that is meant when none is named.
    fn only_extractor(&self) -> Result<u64, Failure> {
        let answer = self.client.get("extractors")?;
        let extractors = answer["extractors"].as_array().map(Vec::as_slice).unwrap_or_default();
        let mut present = extractors.iter().filter(|extractor| extractor["revoked"] == false);
        match (present.next().and_then(|extractor| extractor["id"].as_u64()), present.next()) {
            (Some(id), None) => Ok(id),
            (None, _) => Err(usage("no extractor is enrolled yet; `notesferry admin enrol-code` says how")),
            (Some(_), Some(_)) => Err(usage("there are several extractors; name one with --extractor")),
        }
    }

    /// The number of a connector that is named by number or name.
    fn connector_id(&self, text: &str) -> Result<u64, Failure> {
        let answer = self.client.get("connectors")?;
        let connectors = answer["connectors"].as_array().map(Vec::as_slice).unwrap_or_default();
        let number: Option<u64> = text.parse().ok();
        let is_number = |connector: &Value| number.is_some() && connector["id"].as_u64() == number;
        let has = |connector: &&Value| connector["name"] == text || is_number(connector);
        let found = connectors.iter().find(has).and_then(|connector| connector["id"].as_u64());
        found.ok_or_else(|| {
            usage(format!("there is no connector `{text}`; `notesferry admin connector list` shows them"))
        })
    }

    fn mailbox(&self, command: &MailboxCommand) -> Result<Exit, Failure> {
        match command {
            MailboxCommand::Add { source, target, password_file, all_documents, filter, folder_map } => {
                let (connector, path) = place(source)?;
                let parsed = Target::parse(target)?;
                // A directory is meant as seen from here, and the server may have been started elsewhere.
                let (target, password) = match parsed.wants_password() {
                    false => (parsed.mailbox().0, None),
                    true => {
                        let password = password::of_target(&parsed.mailbox(), password_file.as_deref())?;
                        (target.clone(), Some(password))
                    }
                };
                let mut body = carried(filter, folder_map)?;
                body.extend([
                    ("connector".to_owned(), json!(self.connector_id(connector)?)),
                    ("source".to_owned(), json!(path)),
                    ("target".to_owned(), json!(target)),
                    ("password".to_owned(), json!(password.as_ref().map(|password| password.expose()))),
                    ("all_documents".to_owned(), json!(all_documents)),
                ]);
                let answer = self.client.post("mailboxes", &Value::Object(body))?;
                let id = &answer["id"];
                let text =
                    format!("Mailbox {id} is added: `notesferry admin pass start {id} --wait` carries it.");
                Ok(self.result(&answer, &text))
            }
            MailboxCommand::Change { mailbox, filter, folder_map, clear, all_documents } => {
                let mut body = carried(filter, folder_map)?;
                for field in clear.iter().map(|clearable| clearable.field()) {
                    if body.insert(field.to_owned(), Value::Null).is_some() {
                        return Err(usage(format!("`{field}` cannot be set and cleared at once")));
                    }
                }
                body.extend(all_documents.map(|all| ("all_documents".to_owned(), json!(all))));
                let answer = self.client.patch(&format!("mailboxes/{mailbox}"), &Value::Object(body))?;
                Ok(self.result(&answer, &format!("Mailbox {mailbox} is changed.")))
            }
            MailboxCommand::List => self.show("mailboxes", table::mailboxes),
            MailboxCommand::Remove { mailbox } => {
                let answer = self.client.delete(&format!("mailboxes/{mailbox}"))?;
                Ok(self.result(&answer, &format!("Mailbox {mailbox} is removed.")))
            }
            MailboxCommand::Test { mailbox } => {
                let answer = self.client.post(&format!("mailboxes/{mailbox}/test-target"), &json!({}))?;
                self.result(&answer, &table::text(&answer["sentence"]));
                Ok(match answer["code"].as_str() {
                    Some("works") => Exit::Complete,
                    Some("login_refused") => Exit::LoginRefused,
                    Some("full") => Exit::Full,
                    _ => Exit::Destination,
                })
            }
        }
    }

    fn directory(&self, command: &DirectoryCommand) -> Result<Exit, Failure> {
        match command {
            DirectoryCommand::Add { source, wait } => {
                let (connector, path) = place(source)?;
                let body = json!({"connector": self.connector_id(connector)?, "source": path});
                let answer = self.client.post("directories", &body)?;
                if let Some(pass) = answer["last_pass"]["id"].as_u64().filter(|_| *wait) {
                    return watch::pass(self, pass);
                }
                let text = format!("Directory {} is added and is being read.", answer["id"]);
                Ok(self.result(&answer, &text))
            }
            DirectoryCommand::List => self.show("directories", table::directories),
            DirectoryCommand::Read { directory, wait } => {
                let answer = self.client.post("passes", &json!({"mailbox": directory}))?;
                self.started(&answer, *wait)
            }
            DirectoryCommand::Remove { directory } => {
                let answer = self.client.delete(&format!("directories/{directory}"))?;
                Ok(self.result(&answer, &format!("Directory {directory} is removed.")))
            }
        }
    }

    fn pass(&self, command: &PassCommand) -> Result<Exit, Failure> {
        match command {
            PassCommand::Start { mailbox, wait } => {
                let answer = self.client.post("passes", &json!({"mailbox": mailbox}))?;
                self.started(&answer, *wait)
            }
            PassCommand::Retry { mailbox, item, reason, wait } => {
                let body = json!({"item": item, "reason": reason});
                let answer = self.client.post(&format!("mailboxes/{mailbox}/retry"), &body)?;
                self.started(&answer, *wait)
            }
            PassCommand::Stop { pass } => {
                let answer = self.client.post(&format!("passes/{pass}/stop"), &json!({}))?;
                Ok(self.result(&answer, &format!("Pass {pass} is stopped.")))
            }
            PassCommand::List => self.show("passes", table::passes),
            PassCommand::Watch { pass: Some(pass) } => watch::pass(self, *pass),
            PassCommand::Watch { pass: None } => watch::all(self),
        }
    }

    fn started(&self, answer: &Value, wait: bool) -> Result<Exit, Failure> {
        match answer["id"].as_u64().filter(|_| wait) {
            Some(pass) => watch::pass(self, pass),
            None => Ok(self.result(answer, &format!("Pass {} is started.", answer["id"]))),
        }
    }

    fn set_aside(&self, mailbox: u64) -> Result<Exit, Failure> {
        let mut items = Vec::new();
        self.each_set_aside(mailbox, |item| items.push(item.clone()))?;
        let answer = json!({"set_aside": items});
        Ok(self.result(&answer, &table::set_aside(&answer)))
    }

    /// Goes through the pages of the list.
    fn each_set_aside(&self, mailbox: u64, mut take: impl FnMut(&Value)) -> Result<(), Failure> {
        let path = format!("mailboxes/{mailbox}/set-aside");
        let mut page = self.client.get(&path)?;
        loop {
            page["set_aside"].as_array().into_iter().flatten().for_each(&mut take);
            let Some(next) = page["next"].as_str() else { return Ok(()) };
            page = self.client.get(&format!("{path}?after={next}"))?;
        }
    }
}

/// The connector and the path that CONNECTOR:PATH names.
fn place(source: &str) -> Result<(&str, &str), Failure> {
    source.split_once(':').ok_or_else(|| usage(format!("`{source}` is no CONNECTOR:PATH")))
}

/// What was entered of a filter and of folder names, as fields of the API.
fn carried(filter: &FilterArguments, folder_map: &[String]) -> Result<Map<String, Value>, Failure> {
    let Filter { only, since_unix_ms, before_unix_ms } = filter.filter()?;
    let only: Vec<&str> = only.iter().map(|kind| kind.name()).collect();
    let lines = folder_map_lines(folder_map)?;
    let fields = [
        ("only", (!only.is_empty()).then(|| json!(only.join(",")))),
        ("since_unix_ms", since_unix_ms.map(Value::from)),
        ("before_unix_ms", before_unix_ms.map(Value::from)),
        ("folder_map", (!lines.is_empty()).then(|| json!(lines))),
    ];
    Ok(fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect())
}

fn usage(sentence: impl Into<String>) -> Failure {
    Failure::new(Exit::Usage, sentence)
}
