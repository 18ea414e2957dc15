//! The settings of the server: `notesferry.toml` in the data folder, or the file that `--config` names.
//!
//! Written by the administrator, read at the start. Every setting has a default, so no file is needed; a key that is
//! not known is an error, because a misspelt one would be silently without effect.

use crate::base::limits::{self, SETTINGS_FILE_BYTES};
use crate::modes::address_book::{Journal, Vcard};
use crate::modes::{Exit, Failure};
use serde::Deserialize;
use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, Read as _};
use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

/// The name of the file in the data folder.
pub const FILE_NAME: &str = "notesferry.toml";

/// A section of numbers: its fields with their defaults and bounds.
macro_rules! numbers {
    ($(#[$doc:meta])* $name:ident { $($(#[doc = $help:literal])* $field:ident = $default:expr, $range:expr;)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
        #[serde(default, deny_unknown_fields)]
        pub struct $name { $($(#[doc = $help])* pub $field: u64,)* }

        impl Default for $name {
            fn default() -> Self {
                Self { $($field: $default,)* }
            }
        }

        impl $name {
            fn numbers(&self) -> Vec<Number> {
                vec![$(Number {
                    name: stringify!($field),
                    help: concat!($($help),*),
                    value: self.$field,
                    range: $range,
                },)*]
            }
        }
    };
}

/// One number of a section.
struct Number {
    name: &'static str,
    help: &'static str,
    value: u64,
    range: RangeInclusive<u64>,
}

numbers! {
    /// What extractors are told to keep to.
    Extractors {
        /// Mailboxes that one extractor reads at the same time.
        mailboxes_at_once = limits::EXTRACTOR_MIGRATORS.into(), 1..=1_000;
        /// Between two greetings of an extractor that has nothing to do.
        hello_seconds = limits::HELLO_SECONDS.into(), 5..=3_600;
        /// Between two signs of life while a long step is under way.
        alive_seconds = limits::ALIVE_SECONDS.into(), 1..=60;
        /// Without a sign of life for so long, a step is given to another.
        lease_seconds = limits::LEASE_SECONDS, 2..=3_600;
        /// Tries of a step before it is given up.
        attempts = limits::ACTION_ATTEMPTS.into(), 1..=100;
    }
}

numbers! {
    /// How mailboxes are carried.
    Passes {
        /// Mailboxes that are carried at the same time.
        at_once = 4, 1..=1_000;
        /// Until a pass that failed is tried again for the first time; each further failure doubles it.
        retry_first_seconds = 5, 1..=3_600;
        /// Between two tries at most.
        retry_most_seconds = 900, 1..=86_400;
        /// Threads that convert documents; 0 for as many as there are cores.
        conversion_threads = 0, 0..=1_000;
    }
}

numbers! {
    /// What is kept between arrival and delivery.
    Buffers {
        /// Content of one mailbox that arrived and waits to be converted.
        mailbox_mebibytes = limits::DATA_BUFFER_BYTES >> 20, 8..=65_536;
        /// Content of all mailboxes on the disk.
        all_mebibytes = limits::ALL_DATA_BYTES >> 20, 64..=16_777_216;
        /// Disk that stays free; with less, extractors wait.
        free_disk_mebibytes = limits::RESERVE_FREE_BYTES >> 20, 0..=16_777_216;
    }
}

/// What items become.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Conversion {
    /// Address books on this machine in which Notes names are looked up; read at the start.
    pub directories: Vec<PathBuf>,
    /// A table of names that no address book knows.
    pub address_table: Option<PathBuf>,
    pub vcard: Vcard,
    pub journal: Journal,
}

/// The extractor that runs inside the server.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Builtin {
    /// Folders with Notes databases on this machine. Without one there is no such extractor.
    pub sources: Vec<PathBuf>,
    /// Folders on this machine in which a Domino server keeps attachments of these databases.
    pub daos: Vec<PathBuf>,
}

/// How much is told on standard error.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogLevel {
    Error,
    Warn,
    #[default]
    Info,
    Debug,
}

impl LogLevel {
    pub fn filter(self) -> tracing::level_filters::LevelFilter {
        use tracing::level_filters::LevelFilter;
        match self {
            Self::Error => LevelFilter::ERROR,
            Self::Warn => LevelFilter::WARN,
            Self::Info => LevelFilter::INFO,
            Self::Debug => LevelFilter::DEBUG,
        }
    }
}

/// All settings.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    pub listen: SocketAddr,
    pub http: bool,
    pub tls_certificate: Option<PathBuf>,
    pub tls_key: Option<PathBuf>,
    pub tls_names: Vec<String>,
    pub trusted_proxies: Vec<IpAddr>,
    pub public_address: Option<String>,
    pub log_level: LogLevel,
    pub passes: Passes,
    pub extractors: Extractors,
    pub buffers: Buffers,
    pub conversion: Conversion,
    pub builtin: Builtin,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8443)),
            http: false,
            tls_certificate: None,
            tls_key: None,
            tls_names: vec!["localhost".to_owned()],
            trusted_proxies: Vec::new(),
            public_address: None,
            log_level: LogLevel::default(),
            passes: Passes::default(),
            extractors: Extractors::default(),
            buffers: Buffers::default(),
            conversion: Conversion::default(),
            builtin: Builtin::default(),
        }
    }
}

impl Settings {
    /// The settings in `config`, or in the data folder's own file where there is one.
    ///
    /// # Errors
    /// A failure that names the file, and the key and line in it.
    pub fn load(data_folder: &Path, config: Option<&Path>) -> Result<Self, Failure> {
        let (path, is_named) = match config {
            Some(path) => (path.to_owned(), true),
            None => (data_folder.join(FILE_NAME), false),
        };
        let failure = |why: String| Failure::new(Exit::Usage, format!("{}: {why}", path.display()));
        let text = match read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound && !is_named => String::new(),
            Err(error) => return Err(failure(error.to_string())),
        };
        Self::parse(&text).map_err(failure)
    }

    fn parse(text: &str) -> Result<Self, String> {
        let settings: Self = toml::from_str(text).map_err(|error| error.to_string().trim_end().to_owned())?;
        for (section, numbers) in settings.sections() {
            for Number { name, value, range, .. } in numbers {
                if !range.contains(&value) {
                    let (least, most) = range.into_inner();
                    return Err(format!("{section}.{name} = {value} has to be from {least} to {most}"));
                }
            }
        }
        let Extractors { alive_seconds, lease_seconds, .. } = settings.extractors;
        if lease_seconds < 2 * alive_seconds {
            return Err(format!(
                "extractors.lease_seconds = {lease_seconds} has to be at least twice alive_seconds = {alive_seconds}"
            ));
        }
        if settings.tls_certificate.is_some() != settings.tls_key.is_some() {
            return Err("tls_certificate and tls_key belong together".to_owned());
        }
        if let Some(address) = &settings.public_address {
            check_address(address)?;
        }
        Ok(settings)
    }

    fn sections(&self) -> [(&'static str, Vec<Number>); 3] {
        [
            ("passes", self.passes.numbers()),
            ("extractors", self.extractors.numbers()),
            ("buffers", self.buffers.numbers()),
        ]
    }

    /// A file with every setting at its default.
    pub fn template() -> String {
        let mut text = TEMPLATE.to_owned();
        for (section, numbers) in Self::default().sections() {
            let _ = write!(text, "\n[{section}]\n");
            for Number { name, help, value, range } in numbers {
                let (least, most) = range.into_inner();
                let _ = writeln!(text, "#{help} {least} to {most}.\n{name} = {value}");
            }
        }
        text + CONVERSION_TEMPLATE + BUILTIN_TEMPLATE
    }
}

/// Takes the address of a server as others write it, without a path.
///
/// # Errors
/// A sentence about what is wrong.
pub fn check_address(text: &str) -> Result<(), String> {
    let is_one = url::Url::parse(text).is_ok_and(|url| {
        ["http", "https"].contains(&url.scheme())
            && url.has_host()
            && url.username().is_empty()
            && url[url::Position::BeforePath..] == *"/"
            && !text.ends_with('/')
    });
    if is_one { Ok(()) } else { Err(format!("`{text}` is no address such as https://migration.example.com")) }
}

const TEMPLATE: &str = r#"# The settings of `notesferry serve`, each with its default.

# The address of the public port. Port 0 takes a free one.
listen = "127.0.0.1:8443"
# Without TLS; on this machine only.
http = false
# A certificate chain and its key, as PEM files. Without them the server makes a certificate at its first start, for
# the names and addresses in tls_names; extractors recognise it by its fingerprint.
# tls_certificate = "/etc/notesferry/tls.crt"
# tls_key = "/etc/notesferry/tls.key"
tls_names = ["localhost"]
# The addresses of reverse proxies in front of the server. Their X-Forwarded-For names the client; with `http` nobody
# but them and this machine itself is answered.
trusted_proxies = []
# Where people and extractors find the server, if that is the address of a proxy.
# public_address = "https://migration.example.com"
# What is told on standard error: error, warn, info or debug.
log_level = "info"
"#;

const CONVERSION_TEMPLATE: &str = r#"
[conversion]
# Domino directories and address books (names.nsf) on this machine, in which the Internet addresses of Notes names are
# looked up. They are read at the start.
directories = []
# A table `name,address` for names that none of them knows; `*/Acme,{first}.{last}@example.com` is for all of Acme.
# address_table = "/etc/notesferry/addresses.csv"
# The version of vCard in which contacts are written: 3.0 or 4.0.
vcard = "4.0"
# Pages of a notebook at targets that store objects: mail or vjournal.
journal = "mail"
"#;

const BUILTIN_TEMPLATE: &str = r#"
[builtin]
# Folders with Notes databases on this machine. With one, the server runs an extractor for them.
sources = []
# Folders in which a Domino server keeps attachments of these databases (DAOS, files that end in .nlo).
daos = []
"#;

fn read(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    File::open(path)?.take(SETTINGS_FILE_BYTES + 1).read_to_string(&mut text)?;
    if text.len() as u64 > SETTINGS_FILE_BYTES {
        return Err(io::Error::other(format!("larger than {SETTINGS_FILE_BYTES} bytes")));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_template_holds_the_defaults() {
        let template = Settings::template();
        assert_eq!(Settings::parse(&template).unwrap(), Settings::default(), "{template}");
        assert_eq!(Settings::parse("").unwrap(), Settings::default());
        let uncommented = template.replace("# tls_", "tls_");
        assert!(Settings::parse(&uncommented).unwrap().tls_key.is_some());
    }

    #[test]
    fn a_wrong_setting_is_named_with_its_place() {
        let error = |text: &str| Settings::parse(text).unwrap_err();
        let text = error("listen = \"127.0.0.1:1\"\nlisten_port = 8443\n");
        assert!(text.contains("line 2") && text.contains("listen_port"), "{text}");
        let text = error("[buffers]\nall_megabytes = 1\n");
        assert!(text.contains("line 2") && text.contains("all_megabytes"), "{text}");
        let text = error("[extractors]\nalive_seconds = \"20\"\n");
        assert!(text.contains("line 2") && text.contains("alive_seconds"), "{text}");
        assert_eq!(
            error("[extractors]\nalive_seconds = 0"),
            "extractors.alive_seconds = 0 has to be from 1 to 60"
        );
        assert!(error("[extractors]\nlease_seconds = 39").contains("twice alive_seconds = 20"));
        assert!(error("tls_key = \"x\"").contains("belong together"));
        assert!(error("trusted_proxies = [\"proxy.example.com\"]").contains("line 1"));
        for address in
            ["migration.example.com", "https://a.example.com/", "https://a.example.com/x", "ftp://a"]
        {
            assert!(
                error(&format!("public_address = \"{address}\"")).contains("no address such as"),
                "{address}"
            );
        }
        assert!(Settings::parse("public_address = \"https://a.example.com:8443\"").is_ok());
    }

    #[test]
    fn a_file_that_was_named_has_to_be_there() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(Settings::load(folder.path(), None).unwrap(), Settings::default());
        let path = folder.path().join(FILE_NAME);
        let missing = Settings::load(folder.path(), Some(&path)).unwrap_err();
        assert!(missing.sentence.contains(FILE_NAME), "{missing:?}");
        std::fs::write(&path, "log_level = \"debug\"").unwrap();
        assert_eq!(Settings::load(folder.path(), None).unwrap().log_level, LogLevel::Debug);
    }
}
