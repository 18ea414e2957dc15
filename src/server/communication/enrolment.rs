//! How a machine becomes an extractor, and how it proves later that it is that one.
//!
//! A code is shown once, is good for one machine and one day, and is kept as a hash; so is the token that the machine
//! gets for it. How often a code may be tried is limited by the gate. Both are random and need no slow hash.

use super::{Communication, refused};
use crate::base::ids::ExtractorId;
use crate::base::limits::{ENROL_CODE_MILLISECONDS, HOST_BYTES};
use crate::base::secret::Secret;
use crate::protocol::calls::{EnrolAnswer, EnrolRequest};
use crate::protocol::frame::{Reason, Refusal};
use crate::store::StoreError;
use crate::store::config::{EnrolCode, Extractor};
use crate::store::seal::random;
use blake3::Hash;

/// Digits and letters that are not taken for one another; 5 bits each.
const CODE_LETTERS: &[u8; 32] = b"23456789ABCDEFGHJKLMNPQRSTUVWXYZ";
/// 80 bits.
const CODE_LENGTH: usize = 16;
const TOKEN_BYTES: usize = 32;

impl Communication {
    /// A code that lets one machine enrol within a day. It is shown once.
    ///
    /// # Errors
    /// When the state cannot be written.
    pub fn make_enrol_code(&self) -> Result<Secret, StoreError> {
        let now = (self.clock)().unix_ms;
        for old in self.store.lines::<EnrolCode>()?.iter().filter(|code| code.expires_unix_ms <= now) {
            self.store.remove_line::<EnrolCode>(old.id)?;
        }
        let code = random_code()?;
        let code_hash = *code_hash(&code).as_bytes();
        let expires_unix_ms = now + ENROL_CODE_MILLISECONDS;
        self.store.add_line(move |id| EnrolCode { id, code_hash, expires_unix_ms })?;
        Ok(code)
    }

    pub(super) fn enrol(&self, request: EnrolRequest) -> Result<EnrolAnswer, Refusal> {
        if request.host.len() > HOST_BYTES {
            return Err(Refusal::new(Reason::TooLarge, "the name of the machine is too long"));
        }
        let now = (self.clock)().unix_ms;
        let hash = code_hash(&request.code);
        let codes = self.store.lines::<EnrolCode>().map_err(refused)?;
        let code = codes.iter().find(|code| hash == code.code_hash && code.expires_unix_ms > now);
        // Of two that use a code at the same time only one removes it.
        let removed = code.map(|code| self.store.remove_line::<EnrolCode>(code.id));
        if !removed.transpose().map_err(refused)?.unwrap_or_default() {
            return Err(Refusal::new(Reason::NotAuthorised, "the code is unknown, used or too old"));
        }
        let token_bytes: [u8; TOKEN_BYTES] = random().map_err(|error| refused(StoreError::Random(error)))?;
        let token = Hash::from(token_bytes).to_hex().to_string();
        let token_hash = *blake3::hash(token.as_bytes()).as_bytes();
        let host = request.host;
        let make = move |id| {
            let host = host.clone();
            Extractor { id, host, token_hash, enrolled_unix_ms: now, revoked: false }
        };
        let extractor = self.store.add_line(make).map_err(refused)?;
        Ok(EnrolAnswer { extractor: extractor.id, token: Secret::new(token) })
    }

    /// Who calls, by `{extractor}.{token}`. It does not say what is wrong with a token.
    pub(super) fn authorise(&self, bearer: Option<&str>) -> Result<ExtractorId, Refusal> {
        let refusal = || Refusal::new(Reason::NotAuthorised, "the extractor is not enrolled here");
        let (id, token) = bearer.and_then(|bearer| bearer.split_once('.')).ok_or_else(refusal)?;
        let id = ExtractorId(id.parse().map_err(|_| refusal())?);
        let line = self.store.line::<Extractor>(id).map_err(refused)?;
        // Comparing a `Hash` takes the same time wherever they differ.
        let known = line
            .filter(|line| !line.revoked && blake3::hash(token.as_bytes()) == Hash::from(line.token_hash));
        known.map(|line| line.id).ok_or_else(refusal)
    }
}

/// A code for a person to type: groups of letters and digits.
///
/// # Errors
/// When the system has no randomness.
pub fn random_code() -> Result<Secret, StoreError> {
    let bytes: [u8; CODE_LENGTH] = random().map_err(StoreError::Random)?;
    let letters = bytes.map(|byte| char::from(CODE_LETTERS[usize::from(byte) % CODE_LETTERS.len()]));
    let groups: Vec<String> = letters.chunks(4).map(|group| group.iter().collect()).collect();
    Ok(Secret::new(groups.join("-")))
}

/// The hash of a code as a person may type it: in small letters, with other signs between the groups or none.
pub fn code_hash(code: &Secret) -> Hash {
    let typed = code.expose().bytes().filter(u8::is_ascii_alphanumeric);
    let letters: Vec<u8> = typed.map(|letter| letter.to_ascii_uppercase()).collect();
    blake3::hash(&letters)
}
