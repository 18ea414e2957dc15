//! What the forms of all messages share: numbered lists that may grow, fields behind a number, bounded lists, secrets.

use crate::base::limits::MESSAGE_LIST_ENTRIES;
use crate::base::secret::Secret;
use serde::de::{DeserializeOwned, Error as _, SeqAccess, Visitor};
use serde::ser::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::marker::PhantomData;

/// Declares a list without fields that travels by number. A number never changes its meaning.
macro_rules! numbered {
    ($(#[$doc:meta])* $name:ident { $($(#[$member_doc:meta])* $member:ident = $number:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
        #[serde(from = "u16", into = "u16")]
        pub enum $name {
            $($(#[$member_doc])* $member,)*
            /// A number that only a newer program knows.
            Unknown(u16),
        }

        impl From<u16> for $name {
            fn from(number: u16) -> Self {
                match number {
                    $($number => Self::$member,)*
                    unknown => Self::Unknown(unknown),
                }
            }
        }

        impl From<$name> for u16 {
            fn from(member: $name) -> u16 {
                match member {
                    $($name::$member => $number,)*
                    $name::Unknown(number) => number,
                }
            }
        }
    };
}
pub(super) use numbered;

/// A member of a list whose members have fields: its number, and the fields as bytes of their own, so that a reader
/// gets past a member that it does not know.
#[derive(Serialize, Deserialize)]
pub struct Numbered {
    pub number: u16,
    #[serde(with = "serde_bytes")]
    fields: Vec<u8>,
}

impl Numbered {
    /// # Errors
    /// Only for a list in the fields that is longer than messages may hold.
    pub fn new(number: u16, fields: &impl Serialize) -> Result<Self, postcard::Error> {
        Ok(Self { number, fields: postcard::to_stdvec(fields)? })
    }

    /// The fields, as what the number says they are.
    pub fn fields<T: DeserializeOwned>(&self) -> Result<T, postcard::Error> {
        decode_whole(&self.fields)
    }
}

/// Decodes a value that fills `bytes`; what is left over is an error, because bytes of another layout show in it.
pub fn decode_whole<'de, T: Deserialize<'de>>(bytes: &'de [u8]) -> Result<T, postcard::Error> {
    match postcard::take_from_bytes(bytes)? {
        (value, []) => Ok(value),
        _ => Err(postcard::Error::DeserializeBadEncoding),
    }
}

/// Lists of at most [`MESSAGE_LIST_ENTRIES`], checked in both directions: small entries could otherwise need many times
/// the memory of the message that holds them.
pub mod bounded_list {
    use super::*;

    pub fn serialize<S: Serializer, T: Serialize>(list: &Vec<T>, output: S) -> Result<S::Ok, S::Error> {
        if list.len() > MESSAGE_LIST_ENTRIES {
            return Err(S::Error::custom("a list is too long"));
        }
        list.serialize(output)
    }

    pub fn deserialize<'de, D: Deserializer<'de>, T: Deserialize<'de>>(input: D) -> Result<Vec<T>, D::Error> {
        input.deserialize_seq(List(PhantomData))
    }

    struct List<T>(PhantomData<T>);

    impl<'de, T: Deserialize<'de>> Visitor<'de> for List<T> {
        type Value = Vec<T>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "at most {MESSAGE_LIST_ENTRIES} entries")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut entries: A) -> Result<Vec<T>, A::Error> {
            let mut list = Vec::new();
            while let Some(entry) = entries.next_element()? {
                if list.len() == MESSAGE_LIST_ENTRIES {
                    return Err(A::Error::invalid_length(list.len() + 1, &self));
                }
                list.push(entry);
            }
            Ok(list)
        }
    }
}

/// The outside form of a [`Secret`], which by itself has none.
pub mod secret {
    use super::*;

    pub fn serialize<S: Serializer>(secret: &Secret, output: S) -> Result<S::Ok, S::Error> {
        output.serialize_str(secret.expose())
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(input: D) -> Result<Secret, D::Error> {
        String::deserialize(input).map(Secret::new)
    }
}
