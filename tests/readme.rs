//! What the README shows of the program is what the program says.

use std::path::Path;
use std::process::Command;

const README: &str = include_str!("../README.md");

/// What a command says: on its way, then in the end.
fn said(folder: &Path, arguments: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_notesferry"));
    let output = command.current_dir(folder).args(arguments).args(state(arguments)).output().unwrap();
    [output.stderr, output.stdout].map(|bytes| String::from_utf8(bytes).unwrap()).concat()
}

/// Migrations keep their state in the folder of the test.
fn state<'a>(arguments: &[&str]) -> &'a [&'a str] {
    if arguments[0] == "migrate" { &["--state-dir", "state"] } else { &[] }
}

/// The lines that the README shows below a command; `...` stands for any others.
fn shown(command: &str) -> Vec<&'static str> {
    let (_, after) = README.split_once(&format!("    $ notesferry {command}\n")).unwrap();
    let block = after.lines().take_while(|line| line.starts_with("    "));
    block.map(|line| &line[4..]).filter(|line| line.trim() != "...").collect()
}

#[test]
fn examples_show_what_the_program_says() {
    let folder = tempfile::tempdir().unwrap();
    said(folder.path(), &["forge", "demo.nsf"]);
    for command in ["inspect demo.nsf", "migrate demo.nsf maildir:mail"] {
        let arguments: Vec<&str> = command.split(' ').collect();
        let said = said(folder.path(), &arguments);
        // The example lies elsewhere than the folder of this test.
        let said = said.replace(&*folder.path().canonicalize().unwrap().to_string_lossy(), "/srv");
        let mut rest = said.as_str();
        for line in shown(command) {
            let found = rest.split_once(&format!("{line}\n"));
            rest = found.unwrap_or_else(|| panic!("`{line}` is not in what {command} says:\n{said}")).1;
        }
    }
}
