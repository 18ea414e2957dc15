//! Notes distinguished names, and what a stored address is: an Internet address or a Notes name.
//!
//! `conversion` resolves addresses with these types. Nothing here looks anything up, and nothing is lost: a text that
//! fits no form is kept whole as a flat name.

/// A Notes name: `Jane Doe/Sales/Acme`, a flat name such as a group, each with the Notes domains behind it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NotesName {
    components: Vec<Component>,
    route: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Component {
    /// In upper case; none for a flat name that was stored without one.
    label: Option<String>,
    value: String,
}

/// The labels of canonical names. CN, OU, O and C make nearly all of them, the others come from X.400 gateways.
///
/// # Source
/// HCL Domino Designer help, `@Name`.
const LABELS: [&str; 14] = ["CN", "OU", "O", "C", "OU1", "OU2", "OU3", "OU4", "G", "I", "S", "Q", "A", "P"];

impl NotesName {
    /// Reads the canonical and the abbreviated form, with any Notes domains. Never fails.
    pub fn parse(stored: &str) -> Self {
        let stored = stored.trim();
        let mut parts = stored.split('@').map(str::trim);
        let name = parts.next().unwrap_or_default();
        let stored_components: Vec<&str> =
            name.split('/').map(str::trim).filter(|part| !part.is_empty()).collect();
        // Nothing before the domain, or what looks like a damaged Internet address.
        if stored_components.is_empty() || stored.contains(['<', '>', '"']) {
            return Self { components: vec![Component::parse(stored, None)], route: Vec::new() };
        }
        let components = stored_components
            .iter()
            .enumerate()
            .map(|(at, part)| Component::parse(part, default_label(at, &stored_components)))
            .collect();
        let route = parts.filter(|part| !part.is_empty()).map(str::to_owned).collect();
        Self { components, route }
    }

    /// `CN=Jane Doe/OU=Sales/O=Acme`, without Notes domains. A flat name stays as it is.
    pub fn canonical(&self) -> String {
        let labelled = |part: &Component| match &part.label {
            Some(label) => format!("{label}={}", part.value),
            None => part.value.clone(),
        };
        self.components.iter().map(labelled).collect::<Vec<_>>().join("/")
    }

    /// `Jane Doe/Sales/Acme`, without Notes domains.
    pub fn abbreviated(&self) -> String {
        self.components.iter().map(|part| part.value.as_str()).collect::<Vec<_>>().join("/")
    }

    /// What people call it: the CN, else the first component.
    pub fn common_name(&self) -> &str {
        self.labelled("CN").or(self.components.first().map(|part| part.value.as_str())).unwrap_or_default()
    }

    /// The O component of a hierarchical name.
    pub fn organization(&self) -> Option<&str> {
        self.labelled("O")
    }

    /// The form in which names are compared: abbreviated, in lower case.
    pub fn directory_key(&self) -> String {
        self.abbreviated().to_lowercase()
    }

    /// The Notes domains as stored: the home domain of the name first, the next hop of an explicit route last.
    pub fn route(&self) -> &[String] {
        &self.route
    }

    fn labelled(&self, label: &str) -> Option<&str> {
        let part = self.components.iter().find(|part| part.label.as_deref() == Some(label))?;
        Some(&part.value)
    }
}

impl Component {
    fn parse(stored: &str, default: Option<&str>) -> Self {
        if let Some((label, value)) = stored.split_once('=') {
            let label = label.trim().to_ascii_uppercase();
            if LABELS.contains(&label.as_str()) {
                return Self { label: Some(label), value: value.trim().to_owned() };
            }
        }
        Self { label: default.map(str::to_owned), value: stored.to_owned() }
    }
}

/// The label that a component of an abbreviated name has by its place. Two letters at the end are a country, because
/// the name of an organization has at least three.
///
/// # Source
/// HCL Domino administration help, "Domino naming requirements".
fn default_label(at: usize, components: &[&str]) -> Option<&'static str> {
    let count = components.len();
    let last = components.last()?;
    let country = count >= 3 && last.len() == 2 && last.bytes().all(|b| b.is_ascii_alphabetic());
    let organization = if country { count - 2 } else { count - 1 };
    match at {
        _ if count == 1 => None,
        0 => Some("CN"),
        _ if at == organization => Some("O"),
        _ if at > organization => Some("C"),
        _ => Some("OU"),
    }
}

/// What an element of an address item holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AddressKind {
    /// Blank, or the single dot that keeps a place in an `INet*` list.
    Empty,
    /// `address` is an RFC 5322 addr-spec whose domain has a dot; Notes domains behind it are gone.
    Internet {
        address: String,
        phrase: Option<String>,
    },
    Notes(NotesName),
}

/// Tells Internet addresses from Notes names. Internet goes first, because X.400 and fax gateways put slashes in their
/// addresses too.
pub fn classify(stored: &str) -> AddressKind {
    let stored = stored.trim();
    if stored.is_empty() || stored == "." {
        return AddressKind::Empty;
    }
    let (phrase, address) = split_phrase(stored);
    match internet_address(address) {
        Some(address) => AddressKind::Internet { address: address.to_owned(), phrase },
        None => AddressKind::Notes(NotesName::parse(stored)),
    }
}

/// The form in which stored addresses of either kind are compared; empty for none.
pub fn address_key(stored: &str) -> String {
    match classify(stored) {
        AddressKind::Empty => String::new(),
        AddressKind::Internet { address, .. } => address.to_lowercase(),
        AddressKind::Notes(name) => name.directory_key(),
    }
}

/// The phrase and the address of `phrase <address>` and of `address (phrase)`.
fn split_phrase(stored: &str) -> (Option<String>, &str) {
    if let Some((before, address)) = angle_address(stored) {
        return (unquote(before), address);
    }
    match stored.strip_suffix(')').and_then(|inner| inner.split_once('(')) {
        Some((address, comment)) => (unquote(comment), address.trim()),
        None => (None, stored),
    }
}

/// Cuts `phrase <address>`, with or without a Notes domain behind it.
fn angle_address(stored: &str) -> Option<(&str, &str)> {
    let (inner, domains) = stored.rsplit_once('>')?;
    let (phrase, address) = inner.rsplit_once('<')?;
    (domains.is_empty() || domains.trim_start().starts_with('@')).then_some((phrase, address.trim()))
}

/// A phrase without its quotes and quoted pairs (RFC 5322 section 3.2.4), with single spaces.
fn unquote(phrase: &str) -> Option<String> {
    let phrase = phrase.trim();
    let quoted = phrase.strip_prefix('"').and_then(|inner| inner.strip_suffix('"'));
    let mut plain = String::with_capacity(phrase.len());
    let mut characters = quoted.unwrap_or(phrase).chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' if quoted.is_some() => plain.extend(characters.next()),
            _ => plain.push(character),
        }
    }
    let words = plain.split_whitespace().collect::<Vec<_>>().join(" ");
    (!words.is_empty()).then_some(words)
}

/// The address without the Notes domains behind it, if it is an Internet address. A Notes domain has no dot.
///
/// # Source
/// HCL Domino administration help, "Domino naming requirements".
fn internet_address(stored: &str) -> Option<&str> {
    let mut address = stored;
    loop {
        let (local, domain) = address.rsplit_once('@')?;
        if domain.contains(['.', '[']) {
            // A canonical name is no local part, though its characters would be allowed in one.
            let canonical = local.get(..3).is_some_and(|label| label.eq_ignore_ascii_case("CN="));
            return (!canonical && is_local_part(local) && is_domain(domain)).then_some(address);
        }
        address = local.trim_end();
    }
}

/// RFC 5322 section 3.4.1 with the letters of RFC 6532; doubled and closing dots exist in practice and are kept.
fn is_local_part(local: &str) -> bool {
    if let Some(inner) = local.strip_prefix('"').and_then(|inner| inner.strip_suffix('"')) {
        return is_quoted_content(inner);
    }
    !local.is_empty() && local.chars().all(|c| is_letter(c) || "!#$%&'*+-/=?^_`{|}~.".contains(c))
}

/// What may stand between the quotes of a quoted string, RFC 5322 section 3.2.4.
fn is_quoted_content(inner: &str) -> bool {
    let mut characters = inner.chars();
    while let Some(character) = characters.next() {
        let allowed = match character {
            '\\' => characters.next().is_some_and(|quoted| !quoted.is_control()),
            _ => character != '"' && !character.is_control(),
        };
        if !allowed {
            return false;
        }
    }
    true
}

fn is_domain(domain: &str) -> bool {
    if let Some(literal) = domain.strip_prefix('[').and_then(|inner| inner.strip_suffix(']')) {
        return literal.bytes().all(|b| b.is_ascii_alphanumeric() || b".:-".contains(&b));
    }
    domain.split('.').all(|part| !part.is_empty() && part.chars().all(|c| is_letter(c) || "-_".contains(c)))
}

fn is_letter(c: char) -> bool {
    c.is_ascii_alphanumeric() || !(c.is_ascii() || c.is_control() || c.is_whitespace())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn internet(address: &str, phrase: Option<&str>) -> AddressKind {
        AddressKind::Internet { address: address.to_owned(), phrase: phrase.map(str::to_owned) }
    }

    fn check_name(stored: &str, canonical: &str, abbreviated: &str, common_name: &str) {
        let name = NotesName::parse(stored);
        let found = (name.canonical(), name.abbreviated());
        assert_eq!((found.0.as_str(), found.1.as_str()), (canonical, abbreviated), "{stored}");
        assert_eq!(name.common_name(), common_name, "{stored}");
    }

    #[test]
    fn canonical_and_abbreviated_names_are_the_same_name() {
        for stored in
            ["CN=Jane Doe/OU=Sales/O=Acme", "Jane Doe/Sales/Acme", " cn=Jane Doe / ou=Sales/o=Acme "]
        {
            check_name(stored, "CN=Jane Doe/OU=Sales/O=Acme", "Jane Doe/Sales/Acme", "Jane Doe");
        }
        assert_eq!(NotesName::parse("Jane Doe/Sales/Acme").directory_key(), "jane doe/sales/acme");
    }

    #[test]
    fn two_letters_at_the_end_are_a_country() {
        check_name("Jane Doe/Acme/DE", "CN=Jane Doe/O=Acme/C=DE", "Jane Doe/Acme/DE", "Jane Doe");
        check_name("Jane Doe/AB", "CN=Jane Doe/O=AB", "Jane Doe/AB", "Jane Doe");
        assert_eq!(NotesName::parse("Jane Doe/Acme/DE").organization(), Some("Acme"));
    }

    #[test]
    fn flat_names_stay_as_they_are() {
        check_name("Sales Team", "Sales Team", "Sales Team", "Sales Team");
        check_name("CN=Sales", "CN=Sales", "Sales", "Sales");
        check_name("x=y", "x=y", "x=y", "x=y");
        assert_eq!(NotesName::parse("Sales Team").organization(), None);
    }

    #[test]
    fn names_of_gateways_have_no_common_name() {
        check_name("S=Doe/G=Jane/O=Acme", "S=Doe/G=Jane/O=Acme", "Doe/Jane/Acme", "Doe");
    }

    #[test]
    fn notes_domains_are_kept_apart() {
        let name = NotesName::parse("CN=Jane Doe/OU=Sales/O=Acme@AcmeDomain");
        assert_eq!(name.canonical(), "CN=Jane Doe/OU=Sales/O=Acme");
        assert_eq!(name.route(), ["AcmeDomain"]);
        assert_eq!(NotesName::parse("Sally@Z@Y").route(), ["Z", "Y"]);
        assert!(NotesName::parse("Sally@").route().is_empty());
    }

    #[test]
    fn what_is_no_name_is_kept_whole() {
        for stored in ["@Acme", "Jane <jane@ACME>", "\"Jane\" at home", "/", ""] {
            assert_eq!(NotesName::parse(stored).common_name(), stored);
        }
    }

    #[test]
    fn internet_addresses_with_and_without_phrase() {
        assert_eq!(classify("jane@example.com"), internet("jane@example.com", None));
        assert_eq!(classify("<jane@example.com>"), internet("jane@example.com", None));
        for stored in
            ["Jane Doe <jane@example.com>", "\"Jane  Doe\" <jane@example.com>", "jane@example.com (Jane Doe)"]
        {
            assert_eq!(classify(stored), internet("jane@example.com", Some("Jane Doe")), "{stored}");
        }
        let quoted = r#""Doe \"JD\", Jane" <jane@example.com>"#;
        assert_eq!(classify(quoted), internet("jane@example.com", Some("Doe \"JD\", Jane")));
    }

    // M05.
    #[test]
    fn an_appended_notes_domain_is_stripped() {
        assert_eq!(classify("jane@example.org@ACME"), internet("jane@example.org", None));
        assert_eq!(classify("jane@example.org@ACME@HUB"), internet("jane@example.org", None));
        assert_eq!(classify("\"Jane\" <jane@example.org>@ACME"), internet("jane@example.org", Some("Jane")));
        assert_eq!(classify("Jane <jane@example.org@ACME>"), internet("jane@example.org", Some("Jane")));
    }

    #[test]
    fn unusual_internet_addresses() {
        for stored in [
            "/G=Jane/S=Doe/O=acme/C=us/@gateway.example.com",
            "John_Doe/Company%Company@example.com",
            "John_Smith%Notes@example.com",
            "\"Jane @ home\"@example.com",
            "jane@[192.0.2.1]",
            "j\u{FC}rgen@m\u{FC}ller.example",
        ] {
            assert_eq!(classify(stored), internet(stored, None), "{stored}");
        }
    }

    #[test]
    fn notes_names_are_no_internet_addresses() {
        for stored in [
            "CN=Jane/O=Acme@mail.example.com",
            "Jane Doe/Acme@mail.example.com",
            "Sally@Z@Y",
            "Sally@Z@example.com",
            "Sales Team",
            "jane@.",
            "@example.com",
            "Jane <jane@ACME>",
            "\"Jane\" and \"Bob\"@example.com",
            "jane@example.com\nBcc: bob@example.com",
        ] {
            assert_eq!(classify(stored), AddressKind::Notes(NotesName::parse(stored)), "{stored}");
        }
    }

    #[test]
    fn blanks_and_the_placeholder_are_empty() {
        for stored in ["", " ", "."] {
            assert_eq!(classify(stored), AddressKind::Empty);
        }
    }
}
