//! The promises of the code map that a compiler does not check: arrows between modules, headers, sizes, names that
//! stay in one place, cited standards. Every finding names its file, line and rule.
//!
//! Reads the source tree only. Each rule is a pure function of one file (or of the tree) and is shown a bad sample
//! beside the real tree, so that a rule that stopped working is noticed.

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// The arrows of the code map. `base` is free for everyone, a module may always name itself, `modes` may name all.
const ARROWS: &[(&str, &[&str])] = &[
    ("server", &["buffers", "conversion", "destinations", "protocol", "store", "model", "notes"]),
    ("extractor", &["sources", "protocol", "model", "notes"]),
    ("forge", &["notes", "model"]),
    ("buffers", &["store", "protocol"]),
    ("sources", &["connectors", "notes", "model"]),
    ("destinations", &["connectors", "model"]),
    ("conversion", &["notes", "model"]),
    ("protocol", &["model", "notes"]),
    ("store", &["model", "notes"]),
    ("model", &["notes"]),
    ("connectors", &[]),
    ("notes", &[]),
    ("base", &[]),
];

const HTTP_PLACES: &[&str] = &[
    "server::gate",
    "server::api",
    "server::communication",
    "server::listener",
    "server::website",
    "extractor::client",
    "connectors::dav",
];

/// Crates that are named in these modules alone.
const CONFINED: &[(&str, &[&str])] =
    &[("redb", &["store"]), ("rayon", &["server::pool"]), ("tiny_http", HTTP_PLACES), ("ureq", HTTP_PLACES)];

/// Modules whose types have no outside form, so that an inner rename never changes a file or a message.
const WITHOUT_SERDE: &[&str] = &["model", "server::scheduler"];

/// Modules without clock, thread, socket or file.
const PURE: &[&str] = &["conversion", "server::scheduler"];

const LINES_MAX: usize = 800;

/// Marks of unfinished or switched-off work, in two pieces so that this file does not hold them.
const MARKS: &[&str] = &[
    concat!("TO", "DO"),
    concat!("FIX", "ME"),
    concat!("XX", "X"),
    concat!("to", "do!"),
    concat!("unimpl", "emented!"),
    concat!("#[ig", "nore"),
    concat!("allow(dead", "_code"),
    concat!("allow(un", "used"),
];

/// Folders of one developer's machine. Put together with slashes at the search.
const PRIVATE_FOLDERS: &[&str] = &["home", "root", "work", "Users"];

/// What a rule finds in a good sample.
const NONE: [usize; 0] = [];

/// A text file of the tree.
struct Source {
    path: String,
    bytes: Vec<u8>,
}

/// A token with what the rules ask about it.
struct Token {
    text: String,
    line: usize,
    /// Stands in an item under `#[cfg(test)]`.
    test: bool,
}

impl Source {
    fn new(path: &str, text: &str) -> Self {
        Self { path: path.to_owned(), bytes: text.as_bytes().to_vec() }
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }

    fn is_rust(&self) -> bool {
        self.path.ends_with(".rs")
    }

    /// `src/sources/nsf/mod.rs` is the module `sources::nsf`; a test and the crate's root have none.
    fn module(&self) -> Option<String> {
        let inner = self.path.strip_prefix("src/")?.strip_suffix(".rs")?;
        let inner = inner.strip_suffix("/mod").unwrap_or(inner);
        (!["lib", "main"].contains(&inner)).then(|| inner.replace('/', "::"))
    }

    fn is_in(&self, module: &str) -> bool {
        self.module().is_some_and(|own| own == module || own.starts_with(&format!("{module}::")))
    }

    /// The code without comments; groups are opened and closed by tokens of their own.
    fn tokens(&self) -> Vec<Token> {
        let stream: TokenStream =
            self.text().parse().unwrap_or_else(|error| panic!("{} is no Rust: {error}", self.path));
        let mut tokens = Vec::new();
        flatten(stream, self.path.ends_with("/tests.rs"), &mut tokens);
        tokens
    }

    fn finding(&self, line: usize, rule: &str) -> String {
        format!("{}:{line}: {rule}", self.path)
    }
}

fn flatten(stream: TokenStream, test: bool, out: &mut Vec<Token>) {
    let mut item_is_test = false;
    for tree in stream {
        let line = tree.span().start().line;
        let here = test || item_is_test;
        let TokenTree::Group(group) = &tree else {
            let text = tree.to_string();
            item_is_test &= text != ";";
            out.push(Token { text, line, test: here });
            continue;
        };
        let (open, close) = match group.delimiter() {
            Delimiter::Brace => ("{", "}"),
            Delimiter::Bracket => ("[", "]"),
            Delimiter::Parenthesis => ("(", ")"),
            Delimiter::None => ("", ""),
        };
        out.push(Token { text: open.to_owned(), line, test: here });
        flatten(group.stream(), here, out);
        out.push(Token { text: close.to_owned(), line: group.span_close().start().line, test: here });
        match group.delimiter() {
            Delimiter::Bracket => item_is_test |= group.stream().to_string() == "cfg (test)",
            Delimiter::Brace => item_is_test = false,
            Delimiter::Parenthesis | Delimiter::None => {}
        }
    }
}

/// The names that follow `root::` outside tests, with lines: `root::{a::b, c}` gives `a` and `c`.
fn names_under(tokens: &[Token], root: &[&str]) -> Vec<(String, usize)> {
    let steps: Vec<&str> = root.iter().flat_map(|name| [*name, ":", ":"]).collect();
    let starts_path = |at: usize| {
        let matches =
            tokens[at..].iter().map(|token| token.text.as_str()).take(steps.len()).eq(steps.clone());
        matches && !tokens[at].test && (at == 0 || tokens[at - 1].text != ":")
    };
    (0..tokens.len())
        .filter(|&at| starts_path(at))
        .flat_map(|at| first_names(&tokens[at + steps.len()..]))
        .collect()
}

/// The first name of a path, or the first names of each path in a braced list.
fn first_names(tokens: &[Token]) -> Vec<(String, usize)> {
    let list = tokens.first().is_some_and(|token| token.text == "{");
    if !list {
        return tokens.first().map(|token| (token.text.clone(), token.line)).into_iter().collect();
    }
    let mut depth = 0;
    let mut before = "";
    let mut names = Vec::new();
    for token in tokens {
        if depth == 1 && (before == "{" || before == ",") && token.text != "}" {
            names.push((token.text.clone(), token.line));
        }
        before = &token.text;
        match before {
            "{" => depth += 1,
            "}" if depth == 1 => break,
            "}" => depth -= 1,
            _ => {}
        }
    }
    names
}

fn arrows(source: &Source) -> Vec<String> {
    let Some(module) = source.module() else { return Vec::new() };
    let steps: Vec<&str> = module.split("::").collect();
    let own = steps[0];
    if own == "modes" {
        return Vec::new();
    }
    let Some((_, allowed)) = ARROWS.iter().find(|(name, _)| *name == own) else {
        return vec![source.finding(1, &format!("the code map knows no module `{own}`"))];
    };
    let tokens = source.tokens();
    let mut named = names_under(&tokens, &["crate"]);
    named.extend(names_under(&tokens, &vec!["super"; steps.len()]));
    named
        .iter()
        .filter(|(name, _)| name != own && name != "base" && !allowed.contains(&name.as_str()))
        .map(|(name, line)| source.finding(*line, &format!("the code map has no arrow {own} -> {name}")))
        .collect()
}

fn header(source: &Source) -> Vec<String> {
    let missing = source.is_rust() && !source.bytes.starts_with(b"//!");
    missing.then(|| source.finding(1, "a file opens with `//!` saying what it is for")).into_iter().collect()
}

fn size(source: &Source) -> Vec<String> {
    let lines = source.text().lines().count();
    let long = source.is_rust() && lines > LINES_MAX;
    let rule = format!("{lines} lines; split by noun at {LINES_MAX}");
    long.then(|| source.finding(LINES_MAX + 1, &rule)).into_iter().collect()
}

fn ascii(source: &Source) -> Vec<String> {
    let lines = source.bytes.split(|&byte| byte == b'\n').enumerate();
    lines
        .filter(|(_, line)| source.is_rust() && !line.is_ascii())
        .map(|(at, _)| source.finding(at + 1, "source is ASCII; write other letters as \\u{...}"))
        .collect()
}

fn confined(source: &Source) -> Vec<String> {
    if source.module().is_none() {
        return Vec::new();
    }
    let places = |name: &str| CONFINED.iter().find(|(crate_name, _)| *crate_name == name).map(|(_, at)| *at);
    source
        .tokens()
        .iter()
        .filter_map(|token| Some((token, places(&token.text)?)))
        .filter(|(_, places)| !places.iter().any(|place| source.is_in(place)))
        .map(|(token, places)| {
            source.finding(token.line, &format!("`{}` is named only in {}", token.text, places.join(", ")))
        })
        .collect()
}

fn serde(source: &Source) -> Vec<String> {
    if !WITHOUT_SERDE.iter().any(|module| source.is_in(module)) {
        return Vec::new();
    }
    findings_at(
        source,
        &["Serialize", "Deserialize"],
        "outside forms belong to `protocol` and `store::record`",
    )
}

fn no_unsafe(source: &Source) -> Vec<String> {
    if !source.is_rust() {
        return Vec::new();
    }
    findings_at(source, &["unsafe"], "no unsafe code")
}

fn findings_at(source: &Source, names: &[&str], rule: &str) -> Vec<String> {
    let tokens = source.tokens();
    let bad = tokens.iter().filter(|token| names.contains(&token.text.as_str()));
    bad.map(|token| source.finding(token.line, &format!("`{}`: {rule}", token.text))).collect()
}

fn pure(source: &Source) -> Vec<String> {
    let Some(module) = PURE.iter().find(|module| source.is_in(module)) else { return Vec::new() };
    let tokens = source.tokens();
    let mut outside = names_under(&tokens, &["std"]);
    outside.retain(|(name, _)| ["fs", "net", "thread", "time"].contains(&name.as_str()));
    // A look at a clock, whatever its type is called here; a value may be named so.
    let looks =
        tokens.windows(2).filter(|pair| pair[0].text == ":" && pair[1].text == "now" && !pair[1].test);
    outside.extend(looks.map(|pair| (pair[1].text.clone(), pair[1].line)));
    let rule = |name: &str| format!("`{name}`: `{module}` has no clock, thread, socket or file");
    outside.iter().map(|(name, line)| source.finding(*line, &rule(name))).collect()
}

fn unfinished(source: &Source) -> Vec<String> {
    marked_lines(source, |line| {
        MARKS
            .iter()
            .find(|mark| has_word(line, mark))
            .map(|mark| format!("`{mark}`: finish it or leave it out"))
    })
}

fn private_paths(source: &Source) -> Vec<String> {
    marked_lines(source, |line| {
        let path =
            |folder: &&str| line.contains(&format!("/{folder}/")) || line.contains(&format!("\\{folder}\\"));
        PRIVATE_FOLDERS.iter().find(|folder| path(folder)).map(|_| "a path of one machine".to_owned())
    })
}

fn marked_lines(source: &Source, rule: impl Fn(&str) -> Option<String>) -> Vec<String> {
    let text = source.text();
    let lines = text.lines().enumerate();
    lines.filter_map(|(at, line)| Some(source.finding(at + 1, &rule(line)?))).collect()
}

/// Whether `word` stands in `line` on its own, not inside a longer word.
fn has_word(line: &str, word: &str) -> bool {
    let joins = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(word).any(|(at, _)| {
        let goes_on = word.ends_with(joins) && line[at + word.len()..].starts_with(joins);
        let began_before = word.starts_with(joins) && line[..at].ends_with(joins);
        !goes_on && !began_before
    })
}

/// The numbers of the RFCs that a file cites, with lines.
fn citations(source: &Source) -> Vec<(u32, usize)> {
    let text = source.text();
    let number = |rest: &str| rest.split(|c: char| !c.is_ascii_digit()).next().unwrap_or("").parse().ok();
    let mut cited = Vec::new();
    for (at, line) in text.lines().enumerate() {
        cited.extend(line.split("RFC ").skip(1).filter_map(number).map(|number| (number, at + 1)));
    }
    cited
}

/// Compares `src/standards.txt` with what the code cites.
fn standards(list: &Source, tree: &[Source]) -> Vec<String> {
    let code: Vec<&Source> = tree.iter().filter(|source| source.module().is_some()).collect();
    let mut findings = Vec::new();
    let mut known = BTreeSet::new();
    for (at, line) in list.text().lines().enumerate().filter(|(_, line)| line.starts_with("RFC ")) {
        let mut bad = |rule: &str| findings.push(list.finding(at + 1, rule));
        let columns: Vec<&str> = line.split('|').map(str::trim).collect();
        let &[name, _, status, places] = columns.as_slice() else {
            bad("a line is: RFC number | title | full, part or none | modules");
            continue;
        };
        let number: u32 = name[4..].parse().unwrap_or_default();
        if !known.insert(number) {
            bad(&format!("{name} stands here twice"));
        }
        match status {
            "none" => continue,
            "full" | "part" => {}
            _ => bad("the status is full, part or none"),
        }
        let cites = |source: &&&Source| citations(source).iter().any(|(cited, _)| *cited == number);
        let citing: Vec<&&Source> = code.iter().filter(cites).collect();
        for place in places.split(", ").filter(|place| !citing.iter().any(|source| source.is_in(place))) {
            bad(&format!("{name} is cited nowhere in `{place}`"));
        }
    }
    for source in code {
        let unknown = citations(source).into_iter().filter(|(number, _)| !known.contains(number));
        findings.extend(unknown.map(|(number, line)| {
            source.finding(line, &format!("RFC {number} is cited but missing in src/standards.txt"))
        }));
    }
    findings
}

/// A file in `tests/` that `suite.rs` does not list would never run.
fn listed_tests(tree: &[Source]) -> Vec<String> {
    let suite =
        tree.iter().find(|source| source.path == "tests/suite.rs").map(Source::text).unwrap_or_default();
    let name = |source: &Source| {
        let name = source.path.strip_prefix("tests/")?.strip_suffix(".rs")?.to_owned();
        (!name.contains('/') && name != "suite").then_some(name)
    };
    let listed = |name: &str| suite.lines().any(|line| line == format!("mod {name};"));
    let unlisted = tree.iter().filter(|source| name(source).is_some_and(|name| !listed(&name)));
    unlisted.map(|source| source.finding(1, "tests/suite.rs does not list this module")).collect()
}

/// Every text file that is ours. Samples, which are foreign by nature, and built files are left out.
fn tree() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let tops =
        ["src", "tests", "web", "appliance", ".ci", "README.md", "CHANGELOG.md", "Cargo.toml", "deny.toml"];
    let mut files = Vec::new();
    tops.iter().for_each(|top| collect(root, top, &mut files));
    assert!(files.iter().filter(|source| source.is_rust()).count() > 20, "the source tree was not found");
    files
}

fn collect(root: &Path, path: &str, files: &mut Vec<Source>) {
    let full = root.join(path);
    if full.is_file() {
        files.push(Source { path: path.to_owned(), bytes: std::fs::read(full).unwrap() });
        return;
    }
    let skipped = ["/target", "/corpus", "/artifacts", "/upgrade"].iter().any(|end| path.ends_with(end));
    if !full.is_dir() || skipped {
        return;
    }
    let mut names: Vec<String> =
        full.read_dir().unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names.iter().for_each(|name| collect(root, &format!("{path}/{name}"), files));
}

#[track_caller]
fn check_tree(rule: fn(&Source) -> Vec<String>) {
    let findings: Vec<String> = tree().iter().flat_map(rule).collect();
    assert!(findings.is_empty(), "\n{}\n", findings.join("\n"));
}

/// The lines of a sample at which a rule finds something.
fn lines_of(rule: fn(&Source) -> Vec<String>, path: &str, text: &str) -> Vec<usize> {
    let findings = rule(&Source::new(path, text));
    findings.iter().map(|finding| finding.split(':').nth(1).unwrap().parse().unwrap()).collect()
}

#[test]
fn modules_follow_the_arrows() {
    check_tree(arrows);
}

#[test]
fn files_say_what_they_are_for() {
    check_tree(header);
}

#[test]
fn files_are_short() {
    check_tree(size);
}

#[test]
fn source_is_ascii() {
    check_tree(ascii);
}

#[test]
fn crates_stay_where_they_belong() {
    check_tree(confined);
}

#[test]
fn inner_types_are_not_serializable() {
    check_tree(serde);
}

#[test]
fn there_is_no_unsafe_code() {
    check_tree(no_unsafe);
}

#[test]
fn pure_modules_touch_nothing_outside() {
    check_tree(pure);
}

#[test]
fn nothing_is_unfinished() {
    check_tree(unfinished);
}

#[test]
fn no_path_of_one_machine() {
    check_tree(private_paths);
}

#[test]
fn every_test_module_runs() {
    let findings = listed_tests(&tree());
    assert!(findings.is_empty(), "\n{}\n", findings.join("\n"));
}

#[test]
fn cited_standards_are_listed() {
    let (list, code) = tree().into_iter().partition(|source| source.path == "src/standards.txt");
    let list: Vec<Source> = list;
    assert_eq!(list.len(), 1, "src/standards.txt is missing");
    let findings = standards(&list[0], &code);
    assert!(findings.is_empty(), "\n{}\n", findings.join("\n"));
}

#[test]
fn the_code_map_has_no_cycle() {
    let arrows: BTreeMap<&str, &[&str]> = ARROWS.iter().copied().collect();
    let mut below: BTreeSet<&str> = BTreeSet::new();
    for _ in ARROWS {
        let placed: Vec<&str> = arrows
            .iter()
            .filter(|(_, targets)| targets.iter().all(|target| below.contains(target)))
            .map(|(name, _)| *name)
            .collect();
        below.extend(placed);
    }
    assert_eq!(below.len(), ARROWS.len(), "only these rest on solid ground: {below:?}");
}

#[test]
fn the_rule_of_arrows_sees_every_spelling() {
    let lines = |text| lines_of(arrows, "src/model/sample.rs", text);
    assert_eq!(lines("use crate::store::table;"), [1]);
    assert_eq!(lines("use crate::{\n    notes::ids,\n    store::{table, record},\n    sources,\n};"), [3, 4]);
    assert_eq!(lines("fn f() {\n    crate::store::open();\n}"), [2]);
    assert_eq!(lines("use super::super::store;"), [1]);
    assert_eq!(lines("mod inner {\n    use crate::store;\n}"), [2]);
}

#[test]
fn the_rule_of_arrows_lets_the_allowed_pass() {
    let lines = |text| lines_of(arrows, "src/model/sample.rs", text);
    assert_eq!(lines("use crate::{base::limits, model::item, notes::ids};"), NONE);
    assert_eq!(lines("//! crate::store\n/// crate::store\nconst A: &str = \"crate::store\";"), NONE);
    assert_eq!(lines("#[cfg(test)]\nmod tests {\n    use crate::store;\n}"), NONE);
    assert_eq!(lines("#[cfg(test)]\nmod tests {}\nuse crate::store;"), [3]);
    assert_eq!(lines("use super::item;"), NONE);
    assert_eq!(lines_of(arrows, "src/modes/sample.rs", "use crate::store;"), NONE);
    assert_eq!(lines_of(arrows, "src/other/sample.rs", ""), [1]);
}

#[test]
fn the_rules_of_files_see_bad_samples() {
    assert_eq!(lines_of(header, "src/sample.rs", "\n//! Late."), [1]);
    assert_eq!(lines_of(header, "tests/sample.rs", "//! In time."), NONE);
    assert_eq!(lines_of(size, "src/sample.rs", &"\n".repeat(LINES_MAX + 1)), [LINES_MAX + 1]);
    assert_eq!(lines_of(size, "src/sample.rs", &"\n".repeat(LINES_MAX)), NONE);
    assert_eq!(lines_of(ascii, "src/sample.rs", "//! a\n// \u{e9}\n"), [2]);
    assert_eq!(lines_of(ascii, "README.md", "\u{e9}"), NONE);
}

#[test]
fn the_rules_of_names_see_bad_samples() {
    assert_eq!(lines_of(confined, "src/server/sample.rs", "//! redb\nuse redb::Database;"), [2]);
    assert_eq!(lines_of(confined, "src/server/sample.rs", "use rayon::spawn;\nuse ureq::get;"), [1, 2]);
    assert_eq!(lines_of(confined, "src/store/open.rs", "use redb::Database;"), NONE);
    assert_eq!(lines_of(confined, "src/server/api/pages.rs", "use tiny_http::Request;"), NONE);
    assert_eq!(lines_of(serde, "src/model/sample.rs", "#[derive(Clone, serde::Serialize)]\nstruct A;"), [1]);
    assert_eq!(lines_of(serde, "src/store/record.rs", "#[derive(Serialize)]\nstruct A;"), NONE);
    assert_eq!(lines_of(no_unsafe, "tests/sample.rs", "// unsafe\nfn f() {\n    unsafe {}\n}"), [3]);
}

#[test]
fn the_rule_of_pure_modules_sees_bad_samples() {
    let lines = |text| lines_of(pure, "src/conversion/sample.rs", text);
    assert_eq!(lines("use std::{fmt, fs::File};\nuse std::io;\nuse std::net::TcpStream;"), [1, 3]);
    assert_eq!(lines("fn f() {\n    jiff::Timestamp::now();\n}"), [2]);
    assert_eq!(lines("#[cfg(test)]\nmod tests {\n    use std::fs;\n}"), NONE);
    assert_eq!(lines_of(pure, "src/sources/sample.rs", "use std::fs;"), NONE);
}

#[test]
fn the_rule_of_unfinished_work_sees_every_mark() {
    for mark in MARKS {
        assert_eq!(lines_of(unfinished, "src/sample.rs", &format!("//! a\n{mark}")), [2], "{mark}");
    }
    let inside_a_word = format!("V{}", MARKS[0]);
    assert_eq!(lines_of(unfinished, "src/sample.rs", &inside_a_word), NONE);
}

#[test]
fn the_rule_of_private_paths_sees_both_slashes() {
    for folder in PRIVATE_FOLDERS {
        assert_eq!(lines_of(private_paths, ".ci/run", &format!("cd /{folder}/me")), [1]);
        assert_eq!(lines_of(private_paths, ".ci/run", &format!("cd C:\\{folder}\\me")), [1]);
    }
    assert_eq!(lines_of(private_paths, ".ci/run", "cd ~/homework"), NONE);
}

#[test]
fn the_rule_of_standards_compares_both_ways() {
    let findings = |list: &str, code: &str| {
        let code = [Source::new("src/conversion/sample.rs", code)];
        standards(&Source::new("src/standards.txt", list), &code).len()
    };
    assert_eq!(findings("RFC 5322 | Mail | part | conversion", "// RFC 5322 section 3.4"), 0);
    assert_eq!(findings("", "// RFC 5322 section 3.4"), 1);
    assert_eq!(findings("RFC 5322 | Mail | full | conversion", "// RFC 53 22"), 2);
    assert_eq!(findings("RFC 5322 | Mail | full | store", "// RFC 5322"), 1);
    assert_eq!(findings("RFC 5322 | Mail | none | -", ""), 0);
    assert_eq!(findings("RFC 5322 | Mail | some | conversion", "// RFC 5322"), 1);
    assert_eq!(findings("RFC 5322 | Mail", "// RFC 5322"), 2);
}

#[test]
fn the_rule_of_listed_tests_sees_a_forgotten_module() {
    let suite = Source::new("tests/suite.rs", "mod seen;\n");
    let helper = Source::new("tests/support/helper.rs", "");
    let tree = [suite, helper, Source::new("tests/seen.rs", ""), Source::new("tests/forgotten.rs", "")];
    assert_eq!(listed_tests(&tree), ["tests/forgotten.rs:1: tests/suite.rs does not list this module"]);
}
