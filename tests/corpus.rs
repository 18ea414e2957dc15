//! Real databases are read and compared with what an independent reader found in them.
//!
//! They lie outside the repository (`../shared/corpus`, or where `NOTESFERRY_CORPUS` says); without them these tests
//! say so and pass.

use crate::support::corpus;
use mail_parser::MessageParser;
use notesferry::conversion::{Context, Converted, KEY_HEADER, convert};
use notesferry::model::content::SourceItem;
use notesferry::model::loss::SetAside;
use notesferry::modes::inspect::facts;
use notesferry::notes::ids::ReplicaId;
use notesferry::sources::Source;
use notesferry::sources::nsf::NsfSource;
use serde_json::Value;

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
        let ours = facts::read(&corpus.join("nsf").join(file)).unwrap();
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
    let context = Context {
        replica,
        owner: None,
        now_unix_ms: 1_800_000_000_000,
        all_documents: true,
        folders: &[],
        message_id_of: &|_| None,
    };
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
