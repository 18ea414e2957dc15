//! Where the password of a target comes from: a file, the environment, or the terminal; never the arguments, which
//! every user of the machine can list (invariant F).

use crate::base::limits::PASSWORD_BYTES;
use crate::base::secret::Secret;
use crate::model::item::MailboxId;
use crate::modes::{Exit, Failure};
use std::fs::File;
use std::io::{self, IsTerminal as _, Read as _};
use std::path::Path;

const VARIABLE: &str = "NOTESFERRY_TARGET_PASSWORD";

/// The password of a target.
///
/// # Errors
/// A failure that says what to do when there is none.
pub fn of_target(mailbox: &MailboxId, file: Option<&Path>) -> Result<Secret, Failure> {
    let failure = |sentence: String| Failure::new(Exit::Usage, sentence);
    let password = if let Some(path) = file {
        first_line(path).map_err(|error| {
            failure(format!("the password file {} cannot be read: {error}", path.display()))
        })?
    } else if let Some(value) = std::env::var_os(VARIABLE) {
        value.into_string().map_err(|_| failure(format!("{VARIABLE} is no UTF-8")))?
    } else if io::stdin().is_terminal() {
        rpassword::prompt_password(format!("Password of {}: ", mailbox.0))
            .map_err(|error| failure(format!("the password cannot be read: {error}")))?
    } else {
        return Err(failure(format!(
            "{} needs a password: name a file with --password-file or set {VARIABLE}",
            mailbox.0
        )));
    };
    if password.is_empty() {
        return Err(failure(format!("the password of {} is empty", mailbox.0)));
    }
    Ok(Secret::new(password))
}

/// The first line of a small file, without its end.
///
/// # Errors
/// When it cannot be read, or is no UTF-8.
pub fn first_line(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    File::open(path)?.take(PASSWORD_BYTES).read_to_string(&mut text)?;
    Ok(text.lines().next().unwrap_or_default().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_password_is_the_first_line_of_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("password");
        let mailbox = MailboxId("imap://jane@example.com".to_owned());
        for text in ["a b ", "a b \n", "a b \r\nmore"] {
            std::fs::write(&path, text).unwrap();
            assert_eq!(of_target(&mailbox, Some(&path)).unwrap().expose(), "a b ");
        }
        for text in [&b""[..], b"\nlater", b"\xFF"] {
            std::fs::write(&path, text).unwrap();
            assert_eq!(of_target(&mailbox, Some(&path)).unwrap_err().exit, Exit::Usage);
        }
    }
}
