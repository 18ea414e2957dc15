//! The state folder of an extractor: the token that it got for its enrolment code, and the locks.
//!
//! `extractor.lock` is held by the guardian as long as it runs, so a folder has one extractor; `migration-<id>.lock` by
//! the migrator of that migration, so a mailbox has one. A lock is released when its process is gone, however it went;
//! the files stay. `enrolment.json` is written whole under another name and renamed, readable for its owner only.

use crate::base::files::write_private;
use crate::base::ids::{ExtractorId, MigrationId};
use crate::base::limits::ENROLMENT_BYTES;
use crate::base::secret::Secret;
use crate::extractor::client::{Address, Client, ClientError, Fingerprint, FingerprintError, Token};
use crate::protocol::calls::EnrolRequest;
use crate::protocol::forms::secret;
use serde::{Deserialize, Serialize};
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::str::FromStr;

const TOKEN_FILE: &str = "enrolment.json";
const LOCK_FILE: &str = "extractor.lock";

/// What an admin page shows for a new extractor: `CODE`, or `CODE.FINGERPRINT` where the server made its certificate
/// itself.
#[derive(Clone, Debug)]
pub struct EnrolmentCode {
    code: Secret,
    fingerprint: Option<Fingerprint>,
    /// Of the whole text, to recognise a code that was used here before.
    digest: String,
}

impl FromStr for EnrolmentCode {
    type Err = FingerprintError;

    fn from_str(text: &str) -> Result<Self, FingerprintError> {
        let text = text.trim();
        let (code, fingerprint) = match text.split_once('.') {
            Some((code, fingerprint)) => (code, Some(fingerprint.parse()?)),
            None => (text, None),
        };
        let mut hasher = blake3::Hasher::new_derive_key("notesferry enrolment code 1");
        let digest = hasher.update(text.as_bytes()).finalize().to_hex().to_string();
        Ok(Self { code: Secret::new(code), fingerprint, digest })
    }
}

/// What is kept of an enrolment.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Enrolment {
    server: String,
    fingerprint: Option<Fingerprint>,
    extractor: ExtractorId,
    #[serde(with = "secret")]
    token: Secret,
    code_digest: String,
}

/// Why an extractor has no token, or its folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum EnrolmentError {
    #[error("{path} cannot be used: {error}")]
    Folder { path: PathBuf, error: io::Error },
    #[error("another extractor uses {0}; each needs a state folder of its own, named with --state-dir")]
    Locked(PathBuf),
    #[error(
        "{path} is damaged ({why}); get a new code from the page Extractors of the server and give it with --enrol"
    )]
    Damaged { path: PathBuf, why: String },
    #[error(
        "this extractor is not enrolled at {0}; get a code from the page Extractors of the server and give it with \
         --enrol"
    )]
    NotEnrolled(String),
    #[error(transparent)]
    Call(#[from] ClientError),
}

/// The state folder.
#[derive(Debug)]
pub struct StateFolder(PathBuf);

impl StateFolder {
    /// Makes the folder if it is not there, for its owner only.
    ///
    /// # Errors
    /// [`EnrolmentError::Folder`]
    pub fn open(path: &Path) -> Result<Self, EnrolmentError> {
        let mut builder = fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        let made = builder.create(path).and_then(|()| path.canonicalize());
        made.map(Self).map_err(|error| EnrolmentError::Folder { path: path.to_owned(), error })
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The lock of the whole folder, held as long as the file is open.
    ///
    /// # Errors
    /// [`EnrolmentError::Locked`] if another process holds it.
    pub fn lock(&self) -> Result<File, EnrolmentError> {
        let path = self.0.join(LOCK_FILE);
        let folder = |error| EnrolmentError::Folder { path: path.clone(), error };
        let file = open_lock(&path).map_err(folder)?;
        match file.try_lock() {
            Ok(()) => Ok(file),
            Err(TryLockError::WouldBlock) => Err(EnrolmentError::Locked(self.0.clone())),
            Err(TryLockError::Error(error)) => Err(folder(error)),
        }
    }

    /// The token for the server at `address`, and the address with what the enrolment knows of it. A code that was not
    /// used here before is turned into a token first.
    ///
    /// # Errors
    /// [`EnrolmentError`]
    pub fn enrol(
        &self,
        mut address: Address,
        code: Option<&EnrolmentCode>,
        host: &str,
    ) -> Result<(Address, Token), EnrolmentError> {
        let kept = self.read()?.filter(|kept| kept.server == address.server());
        let used = |kept: &Enrolment| code.is_none_or(|code| code.digest == kept.code_digest);
        let enrolment = match (kept.filter(used), code) {
            (Some(kept), _) => kept,
            (None, None) => return Err(EnrolmentError::NotEnrolled(address.server().to_owned())),
            (None, Some(code)) => {
                address.fingerprint = code.fingerprint;
                let enrolment = ask(&address, code, host)?;
                self.write(&enrolment)?;
                enrolment
            }
        };
        address.fingerprint = enrolment.fingerprint;
        Ok((address, Token { extractor: enrolment.extractor, token: enrolment.token }))
    }

    fn read(&self) -> Result<Option<Enrolment>, EnrolmentError> {
        let path = self.0.join(TOKEN_FILE);
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(EnrolmentError::Folder { path, error }),
        };
        serde_json::from_reader(file.take(ENROLMENT_BYTES))
            .map(Some)
            .map_err(|error| EnrolmentError::Damaged { path, why: error.to_string() })
    }

    fn write(&self, enrolment: &Enrolment) -> Result<(), EnrolmentError> {
        let path = self.0.join(TOKEN_FILE);
        let text = serde_json::to_string_pretty(enrolment).map_err(io::Error::other);
        let written = text.and_then(|text| write_private(&path, format!("{text}\n").as_bytes()));
        written.map_err(|error| EnrolmentError::Folder { path, error })
    }
}

fn ask(address: &Address, code: &EnrolmentCode, host: &str) -> Result<Enrolment, ClientError> {
    let program_version = env!("CARGO_PKG_VERSION").to_owned();
    let request = EnrolRequest { code: code.code.clone(), host: host.to_owned(), program_version };
    let answer = Client::new(address, None)?.call(&request)?;
    Ok(Enrolment {
        server: address.server().to_owned(),
        fingerprint: code.fingerprint,
        extractor: answer.extractor,
        token: answer.token,
        code_digest: code.digest.clone(),
    })
}

/// Waits until every earlier migrator of this migration on this machine is gone. The lock is held as long as the file
/// is open.
///
/// # Errors
/// When the lock file cannot be made.
pub fn lock_migration(state_folder: &Path, migration: MigrationId) -> io::Result<File> {
    let file = open_lock(&state_folder.join(format!("migration-{migration}.lock")))?;
    file.lock()?;
    Ok(file)
}

fn open_lock(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create(true).truncate(false).open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn enrolment(server: &str) -> Enrolment {
        Enrolment {
            server: server.to_owned(),
            fingerprint: Some(Fingerprint::of(b"certificate")),
            extractor: ExtractorId(3),
            token: Secret::new("t0ken"),
            code_digest: "1234".parse::<EnrolmentCode>().unwrap().digest,
        }
    }

    #[test]
    fn a_code_may_carry_the_fingerprint_of_the_server() {
        let fingerprint = Fingerprint::of(b"certificate");
        let code: EnrolmentCode = format!(" 12-34.{fingerprint}\n").parse().unwrap();
        assert_eq!((code.code.expose(), code.fingerprint), ("12-34", Some(fingerprint)));
        assert_eq!("12-34".parse::<EnrolmentCode>().unwrap().fingerprint, None);
        assert!("12-34.abc".parse::<EnrolmentCode>().is_err(), "not copied whole");
    }

    #[test]
    fn a_kept_token_is_for_its_server_and_for_the_code_it_came_from() {
        let temporary = tempfile::tempdir().unwrap();
        let folder = StateFolder::open(&temporary.path().join("a/b")).unwrap();
        // Nobody listens at port 1, so a call would fail.
        let here = || Address::parse("http://127.0.0.1:1", None).unwrap();
        folder.write(&enrolment(here().server())).unwrap();
        let (address, token) = folder.enrol(here(), None, "h").unwrap();
        assert_eq!((token.extractor, token.token.expose()), (ExtractorId(3), "t0ken"));
        assert_eq!(address.fingerprint, Some(Fingerprint::of(b"certificate")));
        let code = |text: &str| text.parse::<EnrolmentCode>().unwrap();
        assert!(folder.enrol(here(), Some(&code("1234")), "h").is_ok());
        let other = folder.enrol(here(), Some(&code("5678")), "h");
        assert!(matches!(other, Err(EnrolmentError::Call(ClientError::Unreachable { .. }))), "{other:?}");
        let elsewhere = Address::parse("http://127.0.0.1:2", None).unwrap();
        assert!(matches!(folder.enrol(elsewhere, None, "h"), Err(EnrolmentError::NotEnrolled(_))));
    }

    #[cfg(unix)]
    #[test]
    fn invariant_f_only_the_owner_reads_the_token() {
        use std::os::unix::fs::PermissionsExt as _;
        let temporary = tempfile::tempdir().unwrap();
        let folder = StateFolder::open(&temporary.path().join("state")).unwrap();
        folder.write(&enrolment("http://127.0.0.1:1")).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&folder.path().join(TOKEN_FILE)), 0o600);
        assert_eq!(mode(folder.path()), 0o700);
    }

    #[test]
    fn a_folder_has_one_extractor() {
        let temporary = tempfile::tempdir().unwrap();
        let folder = StateFolder::open(temporary.path()).unwrap();
        let lock = folder.lock().unwrap();
        assert!(matches!(folder.lock(), Err(EnrolmentError::Locked(_))));
        drop(lock);
        assert!(folder.lock().is_ok());
    }
}
