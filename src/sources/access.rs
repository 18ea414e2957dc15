//! Who may do what with a database: its access control list (ACL), in the words of Notes.

/// A line of the list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AccessEntry {
    /// Whom it is about: a person, a group, a server, or `-Default-`.
    pub name: String,
    /// The level in the words of Notes, such as `Editor`.
    pub level: String,
    /// What the level alone does not say, in words.
    pub rights: Vec<&'static str>,
    pub roles: Vec<String>,
}

impl AccessEntry {
    /// Everything but the name, in words.
    pub fn words(&self) -> String {
        let Self { level, rights, roles, .. } = self;
        let rights = rights.iter().map(|right| (*right).to_owned());
        let roles = roles.iter().map(|role| format!("role {role}"));
        std::iter::once(level.clone()).chain(rights).chain(roles).collect::<Vec<_>>().join("; ")
    }
}

/// The levels, as Notes shows them and in the order of its numbers.
pub const LEVELS: [&str; 7] = ["No Access", "Depositor", "Reader", "Author", "Editor", "Designer", "Manager"];

// The rights that an entry gives or takes, in words.
pub const CREATES: &str = "may create documents";
pub const DELETES: &str = "may delete documents";
pub const READS_PUBLIC: &str = "may read public documents";
pub const WRITES_PUBLIC: &str = "may write public documents";
pub const NEVER_COPIES: &str = "may not replicate or copy documents";
