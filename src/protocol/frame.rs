//! The body of every call and answer: a byte for the version, a byte for the compression, and the message in postcard.
//!
//! ```text
//! version 1..   0   postcard                       a message as it is
//! version 1..   1   zstd of postcard               a message that is smaller this way
//! 0   oldest newest   reason (2)   text (UTF-8)    a refusal; the same in every version
//! ```
//!
//! Written and read by `server::communication` and `extractor::client`. Neither a body nor what it decompresses to is
//! larger than [`BODY_BYTES`]; both are checked before memory is taken.

use super::Versions;
use super::forms::{decode_whole, numbered};
use crate::base::limits::BODY_BYTES;
use serde::{Serialize, de::DeserializeOwned};

/// The version byte of a refusal.
const REFUSAL: u8 = 0;
const PLAIN: u8 = 0;
const ZSTD: u8 = 1;
const HEAD_BYTES: usize = 2;

/// Messages below this size are sent as they are: the round trip costs more than their bytes.
const COMPRESS_FROM_BYTES: usize = 512;
/// The fastest of the usual levels: on a local line a stronger one would be what the transfer waits for.
const ZSTD_LEVEL: i32 = 1;
/// The bytes of a refusal's text that are read.
const REFUSAL_TEXT_BYTES: usize = 1_000;

numbered! {
    /// Why a peer did not look at a message.
    Reason {
        /// It is in a version that the peer does not speak.
        Version = 1,
        /// It cannot be decoded.
        Damaged = 2,
        /// It is larger than [`BODY_BYTES`].
        TooLarge = 3,
        /// The extractor's token is missing, unknown or revoked.
        NotAuthorised = 4,
        /// The peer cannot answer now; ask again later.
        Unavailable = 5,
    }
}

/// An answer that stands in place of any other. It reads the same in every version, so that two programs which have
/// no version in common can say so.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the peer, which speaks protocol {speaks}, refused the message: {text}")]
pub struct Refusal {
    /// What the peer speaks.
    pub speaks: Versions,
    pub reason: Reason,
    /// For a person; at most 1,000 bytes are read.
    pub text: String,
}

impl Refusal {
    /// A refusal by this program.
    pub fn new(reason: Reason, text: impl Into<String>) -> Self {
        Self { speaks: Versions::OURS, reason, text: text.into() }
    }

    /// The body that says it.
    pub fn encode(&self) -> Vec<u8> {
        let mut body = vec![REFUSAL, self.speaks.oldest, self.speaks.newest];
        body.extend(u16::from(self.reason).to_le_bytes());
        body.extend(self.text.as_bytes());
        body
    }

    fn decode(body: &[u8]) -> Result<Self, FrameError> {
        let &[oldest, newest, low, high, ref text @ ..] = body else { return Err(FrameError::Cut) };
        let text = String::from_utf8_lossy(&text[..text.len().min(REFUSAL_TEXT_BYTES)]).into_owned();
        let reason = u16::from_le_bytes([low, high]).into();
        Ok(Self { speaks: Versions { oldest, newest }, reason, text })
    }
}

/// Why a body gives no message.
#[derive(Debug, thiserror::Error)]
pub enum FrameError {
    #[error("the message has more than {BODY_BYTES} bytes")]
    TooLarge,
    #[error("the message is in protocol version {0}, which is too new; this program speaks {ours}", ours = Versions::OURS)]
    TooNew(u8),
    #[error("the message is in protocol version {0}, which is too old; this program speaks {ours}", ours = Versions::OURS)]
    TooOld(u8),
    #[error("the message ends before it begins")]
    Cut,
    #[error("the message is damaged: {0}")]
    Damaged(String),
    /// A broken promise of the sender.
    #[error("the message cannot be written: {0}")]
    Unwritable(String),
    /// The peer's answer is that it does not answer.
    #[error(transparent)]
    Refused(#[from] Refusal),
}

impl FrameError {
    /// What the server answers to a body that it cannot read.
    pub fn refusal(&self) -> Refusal {
        let reason = match self {
            Self::TooLarge => Reason::TooLarge,
            Self::TooNew(_) | Self::TooOld(_) => Reason::Version,
            Self::Cut | Self::Damaged(_) | Self::Unwritable(_) | Self::Refused(_) => Reason::Damaged,
        };
        Refusal::new(reason, self.to_string())
    }
}

/// The body of a message in the present version, compressed if that makes it smaller by an eighth.
///
/// # Errors
/// [`FrameError::TooLarge`]; [`FrameError::Unwritable`] if it holds a list that the peer would refuse as too long.
pub fn encode(message: &impl Serialize) -> Result<Vec<u8>, FrameError> {
    let plain = postcard::to_extend(message, vec![Versions::OURS.newest, PLAIN])
        .map_err(|error| FrameError::Unwritable(error.to_string()))?;
    if plain.len() > BODY_BYTES {
        return Err(FrameError::TooLarge);
    }
    if plain.len() < COMPRESS_FROM_BYTES {
        return Ok(plain);
    }
    let packed = zstd::bulk::compress(&plain[HEAD_BYTES..], ZSTD_LEVEL)
        .map_err(|error| FrameError::Unwritable(error.to_string()))?;
    if packed.len() > plain.len() - plain.len() / 8 {
        return Ok(plain);
    }
    let mut body = Vec::with_capacity(HEAD_BYTES + packed.len());
    body.extend([Versions::OURS.newest, ZSTD]);
    body.extend(packed);
    Ok(body)
}

/// The message in a body.
///
/// # Errors
/// [`FrameError`]; a server answers its [`FrameError::refusal`].
pub fn decode<M: DeserializeOwned>(body: &[u8]) -> Result<M, FrameError> {
    if body.len() > BODY_BYTES {
        return Err(FrameError::TooLarge);
    }
    let damaged = |error: postcard::Error| FrameError::Damaged(error.to_string());
    match body {
        [] => Err(FrameError::Cut),
        [REFUSAL, refusal @ ..] => Err(Refusal::decode(refusal)?.into()),
        &[version, ..] if version < Versions::OURS.oldest => Err(FrameError::TooOld(version)),
        &[version, ..] if version > Versions::OURS.newest => Err(FrameError::TooNew(version)),
        [_, PLAIN, message @ ..] => decode_whole(message).map_err(damaged),
        [_, ZSTD, packed @ ..] => decode_whole(&unpack(packed)?).map_err(damaged),
        [_, other, ..] => Err(FrameError::Damaged(format!("compression {other} is unknown"))),
        [_] => Err(FrameError::Cut),
    }
}

/// What the bytes decompress to, in a buffer of fixed size: a bomb ends as an error when it is full.
fn unpack(packed: &[u8]) -> Result<Vec<u8>, FrameError> {
    zstd::bulk::decompress(packed, BODY_BYTES - HEAD_BYTES)
        .map_err(|error| FrameError::Damaged(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compression_is_used_where_it_pays() {
        let text = "all work and no play ".repeat(1_000);
        let packed = encode(&text).unwrap();
        assert_eq!(packed[..2], [1, ZSTD]);
        assert!(packed.len() < text.len() / 10);
        assert_eq!(decode::<String>(&packed).unwrap(), text);
        assert_eq!(encode(&"short").unwrap(), b"\x01\x00\x05short");
        let mut noise = vec![0_u8; 10_000];
        blake3::Hasher::new().finalize_xof().fill(&mut noise);
        assert_eq!(encode(&noise).unwrap()[1], PLAIN);
    }

    #[test]
    fn both_limits_hold_to_the_byte() {
        let filling = |count: usize| "a".repeat(count);
        // Two bytes of the frame and four of the length.
        let most = filling(BODY_BYTES - 6);
        assert_eq!(decode::<String>(&encode(&most).unwrap()).unwrap(), most);
        assert!(matches!(encode(&filling(BODY_BYTES - 5)), Err(FrameError::TooLarge)));
        assert!(matches!(decode::<String>(&vec![1; BODY_BYTES + 1]), Err(FrameError::TooLarge)));
    }

    #[test]
    fn a_bomb_is_refused() {
        let bomb = zstd::bulk::compress(&vec![0; 1 << 30], 1).unwrap();
        let body = [&[1, ZSTD], &bomb[..]].concat();
        assert!(body.len() < BODY_BYTES);
        assert!(matches!(decode::<String>(&body), Err(FrameError::Damaged(_))));
    }

    #[test]
    fn other_versions_are_refused_by_name() {
        let error = decode::<String>(&[9, 0]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the message is in protocol version 9, which is too new; this program speaks version 1"
        );
        let refused = decode::<String>(&error.refusal().encode()).unwrap_err();
        let FrameError::Refused(refusal) = refused else { panic!("{refused}") };
        assert_eq!((refusal.reason, refusal.speaks), (Reason::Version, Versions::OURS));
        assert_eq!(Versions { oldest: 2, newest: 3 }.to_string(), "versions 2 to 3");
    }

    #[test]
    fn bytes_after_a_message_are_refused() {
        assert!(decode::<bool>(&[1, 0, 1]).unwrap());
        assert!(matches!(decode::<bool>(&[1, 0, 1, 1]), Err(FrameError::Damaged(_))));
    }
}
