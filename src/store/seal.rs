//! Encryption of what lies in the data folder and must not be read from a stolen disk: passwords of targets and
//! sources, spooled mail.
//!
//! XChaCha20-Poly1305 with a random nonce in front of each text. The key of the passwords lies in a file beside the
//! state that only its owner can read; keys of the spool live in memory alone.

use crate::base::files::write_private;
use crate::base::secret::Secret;
use chacha20poly1305::aead::{AeadInOut, KeyInit};
use chacha20poly1305::{Key, Tag, XChaCha20Poly1305, XNonce};
use serde::{Deserialize, Serialize};
use std::fs;
use std::io;
use std::path::Path;

const KEY_BYTES: usize = 32;
const NONCE_BYTES: usize = 24;
const TAG_BYTES: usize = 16;

/// How much longer a sealed text is: a nonce before it, a tag after it.
pub const SEAL_BYTES: usize = NONCE_BYTES + TAG_BYTES;

/// A sealed text: nonce and ciphertext.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sealed(#[serde(with = "serde_bytes")] pub Vec<u8>);

/// The text was sealed with another key, for another place, or is damaged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it was sealed with another key, or is damaged")]
pub struct SealError;

/// A key that seals and opens.
#[derive(Clone)]
pub struct SealKey(XChaCha20Poly1305);

impl SealKey {
    /// The name of the key file in the data folder.
    pub const FILE_NAME: &'static str = "secret.key";

    /// A key that nobody has seen.
    ///
    /// # Errors
    /// When the system has no randomness.
    pub fn random() -> io::Result<Self> {
        Ok(Self::new(&random()?))
    }

    /// The key of a data folder, made at first use. The file has mode 0600.
    ///
    /// # Errors
    /// When the file cannot be read or made, or holds no key.
    pub fn load_or_make(folder: &Path) -> io::Result<Self> {
        let path = folder.join(Self::FILE_NAME);
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let key = random::<KEY_BYTES>()?;
                write_private(&path, &key)?;
                key.to_vec()
            }
            Err(error) => return Err(error),
        };
        let key: [u8; KEY_BYTES] = bytes.try_into().map_err(|_| {
            io::Error::new(io::ErrorKind::InvalidData, format!("{} holds no key", path.display()))
        })?;
        Ok(Self::new(&key))
    }

    fn new(key: &[u8; KEY_BYTES]) -> Self {
        Self(XChaCha20Poly1305::new(&Key::from(*key)))
    }

    /// Seals `bytes` for one place, named by `context`; elsewhere they do not open.
    ///
    /// # Errors
    /// When the system has no randomness.
    pub fn seal(&self, bytes: &[u8], context: &[u8]) -> io::Result<Sealed> {
        let mut sealed = vec![0; bytes.len() + SEAL_BYTES];
        self.seal_into(bytes, context, &mut sealed)?;
        Ok(Sealed(sealed))
    }

    /// Seals `bytes` where they are to lie, without another copy of them. `sealed` is longer by [`SEAL_BYTES`].
    ///
    /// # Errors
    /// When the system has no randomness.
    pub fn seal_into(&self, bytes: &[u8], context: &[u8], sealed: &mut [u8]) -> io::Result<()> {
        let nonce = random::<NONCE_BYTES>()?;
        let (head, rest) = sealed.split_at_mut(NONCE_BYTES);
        let (text, tag_place) = rest.split_at_mut(bytes.len());
        head.copy_from_slice(&nonce);
        text.copy_from_slice(bytes);
        let tag = self.0.encrypt_inout_detached(&XNonce::from(nonce), context, text.into());
        tag_place.copy_from_slice(&tag.map_err(io::Error::other)?);
        Ok(())
    }

    /// Opens what was sealed with this key for this place.
    ///
    /// # Errors
    /// [`SealError`]
    pub fn open(&self, sealed: &[u8], context: &[u8]) -> Result<Vec<u8>, SealError> {
        let mut bytes = Vec::new();
        self.open_into(sealed, context, &mut bytes)?;
        Ok(bytes)
    }

    /// As [`SealKey::open`], to the end of `bytes`. After an error nothing was added.
    ///
    /// # Errors
    /// [`SealError`]
    pub fn open_into(&self, sealed: &[u8], context: &[u8], bytes: &mut Vec<u8>) -> Result<(), SealError> {
        let (nonce, rest) = sealed.split_first_chunk::<NONCE_BYTES>().ok_or(SealError)?;
        let (text, tag) = rest.split_last_chunk::<TAG_BYTES>().ok_or(SealError)?;
        let start = bytes.len();
        bytes.extend_from_slice(text);
        let place = (&mut bytes[start..]).into();
        self.0.decrypt_inout_detached(&XNonce::from(*nonce), context, place, &Tag::from(*tag)).map_err(|_| {
            bytes.truncate(start);
            SealError
        })
    }

    /// Seals a password.
    ///
    /// # Errors
    /// When the system has no randomness.
    pub fn seal_secret(&self, secret: &Secret) -> io::Result<Sealed> {
        self.seal(secret.expose().as_bytes(), b"password")
    }

    /// Opens a password.
    ///
    /// # Errors
    /// [`SealError`]
    pub fn open_secret(&self, sealed: &Sealed) -> Result<Secret, SealError> {
        let bytes = self.open(&sealed.0, b"password")?;
        String::from_utf8(bytes).map(Secret::new).map_err(|_| SealError)
    }
}

impl std::fmt::Debug for SealKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SealKey")
    }
}

/// Random bytes of the system, for keys, tokens and nonces.
///
/// # Errors
/// When the system has none.
pub fn random<const BYTES: usize>() -> io::Result<[u8; BYTES]> {
    let mut bytes = [0; BYTES];
    getrandom::fill(&mut bytes).map_err(io::Error::other)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_opens_with_its_own_key_and_in_its_own_place() {
        let folder = tempfile::tempdir().unwrap();
        let key = SealKey::load_or_make(folder.path()).unwrap();
        let sealed = key.seal_secret(&Secret::new("correct horse")).unwrap();
        assert!(!String::from_utf8_lossy(&sealed.0).contains("horse"));
        let again = SealKey::load_or_make(folder.path()).unwrap();
        assert_eq!(again.open_secret(&sealed).unwrap().expose(), "correct horse");
        assert_eq!(SealKey::random().unwrap().open_secret(&sealed).err(), Some(SealError));
        assert_eq!(again.open(&sealed.0, b"elsewhere"), Err(SealError));
        assert_eq!(again.open(&sealed.0[..30], b"password"), Err(SealError));
    }

    #[cfg(unix)]
    #[test]
    fn only_the_owner_reads_the_key() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        SealKey::load_or_make(folder.path()).unwrap();
        let file = fs::metadata(folder.path().join(SealKey::FILE_NAME)).unwrap();
        assert_eq!(file.permissions().mode() & 0o777, 0o600);
    }
}
