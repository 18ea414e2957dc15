//! The two on-disk structures that the forge writes.

/// The version of the on-disk structure.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Version {
    /// Notes and Domino 6 and 7.
    #[default]
    Ods43,
    /// Notes and Domino 9.0.1.
    Ods52,
}

impl Version {
    pub fn number(self) -> u32 {
        match self {
            Self::Ods43 => 43,
            Self::Ods52 => 52,
        }
    }

    /// The version of this number, if the forge writes it.
    pub fn from_number(number: u32) -> Option<Self> {
        [Self::Ods43, Self::Ods52].into_iter().find(|version| version.number() == number)
    }
}
