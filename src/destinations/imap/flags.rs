//! Flags as IMAP writes them, and which of them a folder keeps.

use crate::model::delivery::Flags;
use crate::model::loss::{Loss, LossKind};

/// Flags that a folder keeps for good.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Permitted {
    /// All of them, or the folder was not asked (RFC 3501 section 6.3.1: a server that says nothing takes all).
    #[default]
    All,
    Only(Vec<String>),
}

impl Permitted {
    fn system(&self, flag: &str) -> bool {
        match self {
            Self::All => true,
            Self::Only(flags) => flags.iter().any(|permitted| permitted.eq_ignore_ascii_case(flag)),
        }
    }

    /// `\*` permits new keywords (RFC 3501 section 7.1).
    fn keyword(&self, keyword: &str) -> bool {
        is_atom(keyword) && (self.system(keyword) || self.system("\\*"))
    }

    /// What of these flags is kept.
    pub fn kept(&self, flags: &Flags) -> Flags {
        Flags {
            seen: flags.seen && self.system("\\Seen"),
            answered: flags.answered && self.system("\\Answered"),
            flagged: flags.flagged && self.system("\\Flagged"),
            draft: flags.draft && self.system("\\Draft"),
            keywords: flags.keywords.iter().filter(|keyword| self.keyword(keyword)).cloned().collect(),
        }
    }

    /// What of these flags is not kept.
    pub fn refused(&self, flags: &Flags) -> Vec<Loss> {
        let system = system_flags(flags).filter(|flag| !self.system(flag));
        let system = system.map(|flag| Loss::new(LossKind::FlagRefused, flag));
        let keywords = flags.keywords.iter().filter(|keyword| !self.keyword(keyword));
        system.chain(keywords.map(|keyword| Loss::new(LossKind::KeywordRefused, keyword))).collect()
    }
}

fn is_atom(keyword: &str) -> bool {
    let atom = |byte: u8| byte.is_ascii_graphic() && !b"(){%*\"\\]".contains(&byte);
    !keyword.is_empty() && keyword.bytes().all(atom)
}

/// The flags of RFC 3501 section 2.3.2 that we set.
fn system_flags(flags: &Flags) -> impl Iterator<Item = &str> {
    let system = [
        (flags.seen, "\\Seen"),
        (flags.answered, "\\Answered"),
        (flags.flagged, "\\Flagged"),
        (flags.draft, "\\Draft"),
    ];
    system.into_iter().filter(|(set, _)| *set).map(|(_, flag)| flag)
}

/// The flags as a command names them.
pub fn flag_list(flags: &Flags) -> String {
    let keywords = flags.keywords.iter().map(String::as_str).filter(|keyword| is_atom(keyword));
    system_flags(flags).chain(keywords).collect::<Vec<_>>().join(" ")
}

/// The flags of a stored message; nothing for one that is marked to be taken out.
pub fn read(stored: &[String]) -> Option<Flags> {
    let has = |flag: &str| stored.iter().any(|stored| stored.eq_ignore_ascii_case(flag));
    let keywords = stored.iter().filter(|flag| is_atom(flag)).cloned().collect();
    (!has("\\Deleted")).then(|| Flags {
        seen: has("\\Seen"),
        answered: has("\\Answered"),
        flagged: has("\\Flagged"),
        draft: has("\\Draft"),
        keywords,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flags(keywords: &[&str]) -> Flags {
        let keywords = keywords.iter().map(|&keyword| keyword.to_owned()).collect();
        Flags { seen: true, draft: true, keywords, ..Flags::default() }
    }

    fn only(flags: &[&str]) -> Permitted {
        Permitted::Only(flags.iter().map(|&flag| flag.to_owned()).collect())
    }

    #[test]
    fn flags_are_written_and_read_as_imap_names_them() {
        assert_eq!(flag_list(&flags(&["$Forwarded", "no atom", "a\"b"])), "\\Seen \\Draft $Forwarded");
        assert_eq!(flag_list(&Flags::default()), "");
        let stored = ["\\seen", "\\Draft", "\\Recent", "$Forwarded"].map(str::to_owned);
        assert_eq!(read(&stored), Some(flags(&["$Forwarded"])));
        assert_eq!(read(&["\\Deleted".to_owned()]), None);
    }

    #[test]
    fn what_a_folder_does_not_keep_is_named() {
        let refused = |permitted: Permitted, keywords: &[&str]| {
            let (kept, refused) = (permitted.kept(&flags(keywords)), permitted.refused(&flags(keywords)));
            (flag_list(&kept), refused.iter().map(ToString::to_string).collect::<Vec<_>>())
        };
        assert_eq!(refused(Permitted::All, &["a"]), ("\\Seen \\Draft a".to_owned(), vec![]));
        assert_eq!(
            refused(only(&["\\SEEN", "\\Draft", "\\*"]), &["a"]),
            ("\\Seen \\Draft a".to_owned(), vec![])
        );
        assert_eq!(
            refused(only(&["\\Seen", "A"]), &["a", "b"]),
            (
                "\\Seen a".to_owned(),
                vec!["flag refused: \\Draft".to_owned(), "keyword refused: b".to_owned()]
            )
        );
    }
}
