//! Real databases are read and compared with what an independent reader found in them.
//!
//! They lie outside the repository (`../shared/corpus`, or where `NOTESFERRY_CORPUS` says); without them these tests
//! say so and pass.

use crate::support::corpus;
use mail_parser::{Message, MessageParser, PartType};
use notesferry::conversion::{Context, Converted, Directory, KEY_HEADER, convert};
use notesferry::model::content::{Content, FileBody, SourceItem};
use notesferry::model::loss::SetAside;
use notesferry::modes::inspect::facts;
use notesferry::notes::ids::ReplicaId;
use notesferry::notes::value::Value as NotesValue;
use notesferry::sources::Source;
use notesferry::sources::access::LEVELS;
use notesferry::sources::nsf::NsfSource;
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::path::Path;
use std::process::Command;

/// Where the independent reader knows only code page 850, texts are compared if they are ASCII.
fn same(ours: &Value, truth: &Value, field: &str) -> bool {
    let foreign = |value: &Value| value.as_str().is_some_and(|text| !text.is_ascii());
    ours == truth || (matches!(field, "form" | "subject") && foreign(truth))
}

fn compare(ours: &Value, truth: &Value, what: &str, differences: &mut Vec<String>) {
    for (field, expected) in truth.as_object().unwrap().iter().filter(|(field, _)| *field != "documents") {
        if !same(&ours[field], expected, field) {
            differences.push(format!("{what} {field}: {} instead of {expected}", ours[field]));
        }
    }
}

#[test]
fn every_database_gives_what_the_independent_reader_found() {
    let Some(corpus) = corpus::folder() else { return };
    let truth = std::fs::read_to_string(corpus.join("nsf/truth.jsonl")).unwrap();
    let mut differences = Vec::new();
    let mut documents = 0;
    for line in truth.lines() {
        let truth: Value = serde_json::from_str(line).unwrap();
        let file = truth["file"].as_str().unwrap();
        let path = corpus.join("nsf").join(file);
        let ours = facts::read(&path, NsfSource::open(&path).unwrap()).unwrap();
        let ours = serde_json::to_value(ours).unwrap();
        compare(&ours, &truth, file, &mut differences);
        let (ours, truth) = (ours["documents"].as_array().unwrap(), truth["documents"].as_array().unwrap());
        assert_eq!(ours.len(), truth.len(), "documents of {file}");
        documents += ours.len();
        for (ours, truth) in ours.iter().zip(truth) {
            compare(ours, truth, &format!("{file} {}", truth["unid"]), &mut differences);
            if ours["losses"] != Value::Array(Vec::new()) {
                differences.push(format!("{file} {}: {}", truth["unid"], ours["losses"]));
            }
        }
    }
    assert!(differences.is_empty(), "{} differences:\n{}", differences.len(), differences.join("\n"));
    assert!(documents >= 885, "only {documents} documents");
}

fn convert_all(item: &SourceItem, replica: ReplicaId) -> Result<Converted, SetAside> {
    let directory = Directory::default();
    let context = Context { all_documents: true, ..Context::bare(replica, &directory, 1_800_000_000_000) };
    convert(item, &[], None, &context)
}

#[test]
fn every_document_becomes_a_sound_message() {
    const LINE_BYTES: usize = 998; // RFC 5322 section 2.1.1
    let mut documents = 0;
    for path in corpus::databases() {
        let mut source = NsfSource::open(&path).unwrap();
        for listed in source.list(None, 10_000).unwrap().items {
            let item = source.open(listed.id).unwrap();
            let converted = convert_all(&item, source.replica_id()).unwrap();
            let mut bytes = Vec::new();
            converted.rendered.write_to(&mut bytes).unwrap();
            let what = format!("{} {}", path.display(), item.origin);
            assert_eq!(bytes.len() as u64, converted.rendered.len(), "{what}");
            assert!(!bytes.contains(&0), "{what}");
            assert!(bytes.split(|byte| *byte == b'\n').all(|line| line.len() <= LINE_BYTES + 1), "{what}");
            let message = MessageParser::default().parse(&bytes).unwrap();
            for name in ["From", "Date", "Message-ID", "MIME-Version", KEY_HEADER] {
                let count = message
                    .headers()
                    .iter()
                    .filter(|header| header.name().eq_ignore_ascii_case(name))
                    .count();
                assert_eq!(count, 1, "{name} of {what}");
            }
            documents += 1;
        }
    }
    println!("{documents} documents");
}

#[test]
fn every_database_tells_who_may_do_what() {
    let mut lists = 0;
    for path in corpus::databases() {
        let entries = NsfSource::open(&path).unwrap().access().unwrap();
        let what = path.display();
        assert_eq!(entries[0].name, "-Default-", "{what}");
        for entry in &entries {
            assert!(!entry.name.is_empty() && LEVELS.contains(&entry.level.as_str()), "{what}: {entry:?}");
        }
        if path.ends_with("XPagesExtensionLibrary__extlib_lwp_resources_openntf_doclib8xl.ntf") {
            let admins = entries.iter().find(|entry| entry.name == "[LocalDomainAdmins]").unwrap();
            assert_eq!(
                (admins.level.as_str(), &admins.roles[..]),
                ("Manager", &["[Configuration]".to_owned()][..])
            );
            assert_eq!(entries[0].rights, Vec::<&str>::new());
        }
        lists += 1;
    }
    println!("{lists} access control lists");
}

/// What Python's `email` finds in these messages; `None` where there is no Python.
fn python_facts(messages: &[Vec<u8>]) -> Option<Vec<Value>> {
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new("python3");
    command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/support/mail_facts.py"));
    for (number, message) in messages.iter().enumerate() {
        let path = folder.path().join(format!("{number}.eml"));
        std::fs::write(&path, message).unwrap();
        command.arg(path);
    }
    let Ok(output) = command.output() else {
        eprintln!("skipped: there is no python3");
        return None;
    };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(output.stdout.split(|b| *b == b'\n').filter_map(|line| serde_json::from_slice(line).ok()).collect())
}

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The digests of all leaves as `mail-parser` decodes them, text without regard to its charset.
fn leaves(message: &Message<'_>) -> Vec<String> {
    let leaf = |part: &mail_parser::MessagePart<'_>| match &part.body {
        PartType::Multipart(_) => None,
        PartType::Binary(bytes) | PartType::InlineBinary(bytes) => Some(sha256(bytes)),
        PartType::Text(text) | PartType::Html(text) => Some(sha256(text.as_bytes())),
        PartType::Message(_) => None,
    };
    message.parts.iter().filter_map(leaf).collect()
}

// The three routed mails of the corpus: bodies as stored, attachments as the independent reader unpacked them.
#[test]
fn the_real_mime_messages_hold_what_is_stored() {
    let Some(corpus) = corpus::folder() else { return };
    let mut source = NsfSource::open(&corpus.join("nsf/capi_MIMEMsg.nsf")).unwrap();
    let mut messages = Vec::new();
    let mut attachments = Vec::new();
    for listed in source.list(None, 10).unwrap().items {
        let item = source.open(listed.id).unwrap();
        let mut bytes = Vec::new();
        convert_all(&item, source.replica_id()).unwrap().rendered.write_to(&mut bytes).unwrap();
        let Content::Note { note, files } = &item.content;
        for part in note.all("Body") {
            let Ok(NotesValue::MimePart(part)) = part.value() else { continue };
            if !part.body_in_object() {
                let found = bytes.windows(part.body.len().max(1)).any(|window| window == part.body);
                assert!(found || part.body.is_empty(), "{}", String::from_utf8_lossy(part.body));
            }
        }
        let bodies = files.iter().filter_map(|file| match &file.body {
            FileBody::Read(blob) => blob.in_memory(),
            FileBody::Lost(_) => None,
        });
        attachments.push(bodies.map(sha256).collect::<Vec<_>>());
        messages.push(bytes);
    }
    assert_eq!(attachments.iter().map(Vec::len).collect::<Vec<_>>(), [0, 1, 4]);
    let python = python_facts(&messages);
    for (number, bytes) in messages.iter().enumerate() {
        let message = MessageParser::default().parse(bytes).unwrap();
        let leaves = leaves(&message);
        assert!(attachments[number].iter().all(|digest| leaves.contains(digest)), "message {number}");
        let Some(facts) = python.as_ref().map(|facts| &facts[number]) else { continue };
        assert_eq!(facts["defects"], Value::Array(Vec::new()));
        assert_eq!(facts["subject"].as_str(), message.subject());
        let parts: Vec<&str> =
            facts["parts"].as_array().unwrap().iter().map(|p| p.as_str().unwrap()).collect();
        assert_eq!(parts.len(), leaves.len());
        assert!(
            attachments[number].iter().all(|digest| parts.contains(&digest.as_str())),
            "message {number}"
        );
    }
}
