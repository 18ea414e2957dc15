//! Words of several languages, so that every group of LMBCS occurs: subjects, sentences, names of files.

use fastrand::Rng;

/// A language with its share of mails (of 100) and its words.
struct Language {
    share: u8,
    words: &'static [&'static str],
}

const LANGUAGES: [Language; 7] = [
    Language {
        share: 40,
        words: &[
            "the", "meeting", "please", "budget", "offer", "agenda", "customer", "review", "deadline",
            "team", "for", "with", "next", "week", "report", "about", "new", "project", "and", "invoice",
            "plan", "delivery", "contract", "we", "should", "thanks", "update", "in", "of", "to",
        ],
    },
    Language {
        share: 22,
        words: &[
            "Angebot",
            "f\u{fc}r",
            "M\u{fc}nchen",
            "Stra\u{df}e",
            "\u{c4}nderung",
            "\u{dc}bersicht",
            "und",
            "gr\u{f6}\u{df}er",
            "n\u{e4}chste",
            "Woche",
            "Besprechung",
            "Vertrag",
            "bitte",
            "pr\u{fc}fen",
            "mit",
            "Gr\u{fc}\u{df}en",
            "der",
            "die",
            "Rechnung",
        ],
    },
    Language {
        share: 10,
        words: &[
            "r\u{e9}union",
            "\u{e9}quipe",
            "cha\u{ee}ne",
            "gar\u{e7}on",
            "o\u{f9}",
            "d\u{e9}j\u{e0}",
            "la",
            "le",
            "c\u{153}ur",
            "no\u{eb}l",
            "projet",
            "pr\u{ea}t",
            "\u{e0}",
            "devis",
            "\u{20ac}",
            "avec",
        ],
    },
    Language {
        share: 8,
        words: &[
            "\u{3c3}\u{3c5}\u{3bd}\u{3ac}\u{3bd}\u{3c4}\u{3b7}\u{3c3}\u{3b7}",
            "\u{3ad}\u{3c1}\u{3b3}\u{3bf}",
            "\u{3ba}\u{3b1}\u{3b9}",
            "\u{391}\u{3b8}\u{3ae}\u{3bd}\u{3b1}",
            "\u{3c0}\u{3b5}\u{3bb}\u{3ac}\u{3c4}\u{3b7}\u{3c2}",
            "\u{3b7}",
            "\u{3c4}\u{3bf}",
            "\u{38f}\u{3c1}\u{3b1}",
        ],
    },
    Language {
        share: 8,
        words: &[
            "\u{43e}\u{442}\u{447}\u{451}\u{442}",
            "\u{432}\u{441}\u{442}\u{440}\u{435}\u{447}\u{430}",
            "\u{43f}\u{440}\u{43e}\u{435}\u{43a}\u{442}",
            "\u{438}",
            "\u{434}\u{43e}\u{433}\u{43e}\u{432}\u{43e}\u{440}",
            "\u{41c}\u{43e}\u{441}\u{43a}\u{432}\u{430}",
            "\u{432}",
            "\u{441}\u{447}\u{451}\u{442}",
        ],
    },
    Language {
        share: 7,
        words: &[
            "\u{4f1a}\u{8b70}",
            "\u{8cc7}\u{6599}",
            "\u{78ba}\u{8a8d}",
            "\u{304a}\u{9858}\u{3044}",
            "\u{30d7}\u{30ed}\u{30b8}\u{30a7}\u{30af}\u{30c8}",
            "\u{6765}\u{9031}",
            "\u{306e}",
            "\u{ff76}\u{ff9e}",
        ],
    },
    Language {
        share: 5,
        words: &[
            "\u{627}\u{62c}\u{62a}\u{645}\u{627}\u{639}",
            "\u{645}\u{634}\u{631}\u{648}\u{639}",
            "\u{641}\u{64a}",
            "\u{62a}\u{642}\u{631}\u{64a}\u{631}",
            "\u{627}\u{644}\u{639}\u{645}\u{64a}\u{644}",
        ],
    },
];

/// One language, chosen for a mail.
#[derive(Clone, Copy)]
pub(super) struct Prose(&'static [&'static str]);

impl Prose {
    pub fn choose(random: &mut Rng) -> Self {
        let mut ticket = random.u8(..100);
        for language in &LANGUAGES {
            if ticket < language.share {
                return Self(language.words);
            }
            ticket -= language.share;
        }
        Self(LANGUAGES[0].words)
    }

    pub fn words(self, random: &mut Rng, count: usize) -> String {
        let words: Vec<&str> = (0..count).map(|_| self.0[random.usize(..self.0.len())]).collect();
        words.join(" ")
    }

    pub fn subject(self, random: &mut Rng) -> String {
        let count = random.usize(2..8);
        let words = self.words(random, count);
        let mut letters = words.chars();
        let first: String = letters.next().into_iter().flat_map(char::to_uppercase).collect();
        first + letters.as_str()
    }

    pub fn sentence(self, random: &mut Rng) -> String {
        self.subject(random) + " " + &self.words(random, 6) + "."
    }

    /// Lines of together about `bytes` bytes of UTF-8.
    pub fn lines(self, random: &mut Rng, bytes: usize) -> Vec<String> {
        let mut lines = Vec::new();
        let mut length = 0;
        while length < bytes {
            let line = self.sentence(random);
            length += line.len() + 1;
            lines.push(line);
        }
        lines
    }
}
