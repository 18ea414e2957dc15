//! The people of a small company and those they write to. None exists: all addresses are of example domains.

use fastrand::Rng;

/// Somebody who sends or receives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Person {
    /// A canonical Notes name; people outside have none.
    pub notes_name: Option<&'static str>,
    pub shown: &'static str,
    pub address: &'static str,
}

const fn inside(notes_name: &'static str, shown: &'static str, address: &'static str) -> Person {
    Person { notes_name: Some(notes_name), shown, address }
}

const fn outside(shown: &'static str, address: &'static str) -> Person {
    Person { notes_name: None, shown, address }
}

pub(super) const OWNER: Person = inside("CN=Jane Doe/OU=Sales/O=Example", "Jane Doe", "jane.doe@example.com");

const COLLEAGUES: [Person; 7] = [
    inside("CN=Bob Ray/OU=Sales/O=Example", "Bob Ray", "bob.ray@example.com"),
    inside(
        "CN=J\u{fc}rgen M\u{fc}ller/OU=Munich/O=Example",
        "J\u{fc}rgen M\u{fc}ller",
        "juergen.mueller@example.com",
    ),
    inside("CN=Amy Stone/OU=Finance/O=Example", "Amy Stone", "amy.stone@example.com"),
    inside(
        "CN=Fran\u{e7}ois Lef\u{e8}vre/OU=Paris/O=Example",
        "Fran\u{e7}ois Lef\u{e8}vre",
        "francois.lefevre@example.com",
    ),
    inside("CN=Olga Petrova/OU=Moscow/O=Example", "Olga Petrova", "olga.petrova@example.com"),
    inside("CN=Kenji Yamada/OU=Tokyo/O=Example", "Kenji Yamada", "kenji.yamada@example.com"),
    inside("CN=Eleni Dimou/OU=Athens/O=Example", "Eleni Dimou", "eleni.dimou@example.com"),
];

const OTHERS: [Person; 5] = [
    outside("Mary O'Neil", "mary@example.org"),
    outside("\u{5c71}\u{7530}\u{592a}\u{90ce}", "yamada@example.org"),
    outside("Accounts", "accounts@example.net"),
    outside(
        "\u{41e}\u{43b}\u{44c}\u{433}\u{430} \u{418}\u{432}\u{430}\u{43d}\u{43e}\u{432}\u{430}",
        "olga@example.org",
    ),
    outside("Newsletter", "news@lists.example.org"),
];

pub(super) const BOB: Person = COLLEAGUES[0];
pub(super) const JUERGEN: Person = COLLEAGUES[1];
pub(super) const AMY: Person = COLLEAGUES[2];
pub(super) const FRANCOIS: Person = COLLEAGUES[3];
pub(super) const ELENI: Person = COLLEAGUES[6];
/// A customer.
pub(super) const MARY: Person = OTHERS[0];

impl Person {
    /// Everybody of the company.
    pub fn company() -> impl Iterator<Item = Self> {
        std::iter::once(OWNER).chain(COLLEAGUES)
    }

    /// A colleague of the owner; they take turns.
    pub fn by_number(number: u64) -> Self {
        COLLEAGUES[(number % COLLEAGUES.len() as u64) as usize]
    }

    pub fn choose(random: &mut Rng) -> Self {
        if random.u8(..10) < 7 {
            Self::choose_colleague(random)
        } else {
            OTHERS[random.usize(..OTHERS.len())]
        }
    }

    /// Somebody of the company.
    pub fn choose_colleague(random: &mut Rng) -> Self {
        COLLEAGUES[random.usize(..COLLEAGUES.len())]
    }

    /// Several people, each once.
    pub fn choose_some(random: &mut Rng, count: usize) -> Vec<Self> {
        let mut people: Vec<Self> = Vec::new();
        for person in (0..count).map(|_| Self::choose(random)) {
            if !people.contains(&person) {
                people.push(person);
            }
        }
        people
    }

    /// The text of an address item of a Notes mail.
    pub fn in_notes(self) -> String {
        self.notes_name.map_or_else(|| format!("\"{}\" <{}>", self.shown, self.address), str::to_owned)
    }

    /// The text of the parallel list of Internet names, where a full stop means "take the Notes name".
    pub fn in_internet_list(self) -> String {
        match self.notes_name {
            Some(_) => self.address.to_owned(),
            None => ".".to_owned(),
        }
    }
}
