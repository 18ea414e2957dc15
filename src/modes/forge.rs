//! `notesferry forge`: a synthetic mailbox, or one made of a tree of message files.

use crate::forge::database::Summary;
use crate::forge::from_mails::{self, FromMailsOptions};
use crate::forge::mailbox::{self, Changed, Extras, MailboxOptions};
use crate::forge::version::Version;
use anyhow::Context;
use std::fmt;
use std::path::PathBuf;

/// Writes a Notes database for trials: a mailbox of people who do not exist, or one made of your own message files
#[derive(clap::Args, Clone, Debug)]
pub struct ForgeArguments {
    /// The database to write; an existing file is refused
    #[arg(value_name = "OUT.nsf")]
    pub out: PathBuf,
    /// How many mails it holds
    #[arg(long, value_name = "N", default_value_t = 200)]
    pub mails: u64,
    /// The same seed gives the same bytes
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
    /// The on-disk structure: 43 (Notes 6 and 7) or 52 (Notes 9)
    #[arg(long, value_name = "43|52", default_value = "52", value_parser = parse_version)]
    pub ods: Version,
    /// The same mailbox some weeks later: some mails were changed, moved, read or deleted, and some are new
    ///
    /// Give the same --mails, --seed and --ods as for the mailbox as it was. To try a second migration run, put this
    /// file in the place of the first, or name it as the source: it is a copy of the same database.
    #[arg(long, conflicts_with = "from_mails")]
    pub later: bool,
    /// Add a week worth looking at: conversations, meetings, contacts and tables that are written by hand
    #[arg(long, conflicts_with_all = ["from_mails", "later", "address_book"])]
    pub showcase: bool,
    /// The directory of the made-up company (names.nsf) instead of a mailbox, to try `migrate --directory`
    #[arg(long, conflicts_with_all = ["from_mails", "later", "mails", "seed"])]
    pub address_book: bool,
    /// A Maildir, or any folder of message files, to take the mails from
    #[arg(long, value_name = "DIR", conflicts_with = "mails")]
    pub from_mails: Option<PathBuf>,
}

fn parse_version(text: &str) -> Result<Version, String> {
    let version = text.parse().ok().and_then(Version::from_number);
    version.ok_or_else(|| "the forge writes 43 and 52".to_owned())
}

/// What was written.
#[derive(Clone, Copy, Debug)]
pub struct Forged {
    pub summary: Summary,
    /// For a mailbox some weeks later.
    pub changed: Option<Changed>,
}

impl fmt::Display for Forged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.summary)?;
        self.changed.map_or(Ok(()), |changed| write!(f, "; since then {changed}"))
    }
}

/// Writes the database and tells what is in it.
///
/// # Errors
/// [`crate::forge::ForgeError`] in an [`anyhow::Error`]: the file exists or cannot be written, or messages cannot be
/// read.
pub fn run(arguments: &ForgeArguments) -> anyhow::Result<Forged> {
    let (out, version, seed) = (&arguments.out, arguments.ods, arguments.seed);
    let options = MailboxOptions { version, seed, mails: arguments.mails };
    let written = match &arguments.from_mails {
        Some(mails) => from_mails::forge(out, &FromMailsOptions { version, seed, mails })
            .map(|summary| Forged { summary, changed: None }),
        None if arguments.address_book => {
            mailbox::forge_address_book(out, version).map(|summary| Forged { summary, changed: None })
        }
        None if arguments.later => mailbox::forge_later(out, &options)
            .map(|(summary, changed)| Forged { summary, changed: Some(changed) }),
        None => {
            let extras = Extras { showcase: arguments.showcase, ..Extras::default() };
            mailbox::forge_with(out, &options, &extras).map(|summary| Forged { summary, changed: None })
        }
    };
    written.with_context(|| format!("{} was not written", out.display()))
}
