//! Every row of the test tables of the reference on Notes content has a test whose name begins with its id.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// The tables: a letter and the number of its last row.
const TABLES: [(char, u8); 9] =
    [('m', 22), ('f', 11), ('c', 29), ('p', 8), ('t', 7), ('j', 3), ('r', 20), ('d', 12), ('x', 16)];

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() && !path.ends_with("target") {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// The ids that names of functions begin with: a letter and two digits.
fn tested() -> BTreeSet<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    ["src", "tests"].iter().for_each(|folder| sources(&root.join(folder), &mut files));
    let texts = files.iter().map(|path| std::fs::read_to_string(path).unwrap());
    let names = |text: String| -> Vec<String> {
        let names = text.lines().filter_map(|line| line.trim_start().strip_prefix("fn "));
        names.filter_map(|name| Some(name.split_once('_')?.0.to_owned())).collect()
    };
    texts.flat_map(names).collect()
}

#[test]
fn every_row_of_the_tables_has_its_test() {
    let tested = tested();
    let rows = TABLES.iter().flat_map(|&(table, last)| (1..=last).map(move |row| format!("{table}{row:02}")));
    let missing: Vec<String> = rows.filter(|row| !tested.contains(row)).collect();
    assert!(missing.is_empty(), "no test for {missing:?}");
}
