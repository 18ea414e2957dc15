//! Real databases are read and compared with what an independent reader found in them.
//!
//! They lie outside the repository (`../shared/corpus`, or where `NOTESFERRY_CORPUS` says); without them these tests
//! say so and pass.

use crate::support::corpus;
use mail_parser::MessageParser;
use notesferry::conversion::{Context, Converted, convert};
use notesferry::model::content::{Content, SourceItem};
use notesferry::model::loss::SetAside;
use notesferry::modes::inspect::facts;
use notesferry::notes::document::Note;
use notesferry::notes::ids::ReplicaId;
use notesferry::notes::item::ItemType;
use notesferry::notes::richtext::record::{LengthForm, Records, Signature};
use notesferry::notes::value::Text;
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

/// The words of all text runs of a document's rich text.
fn words_of_records(note: &Note) -> Vec<String> {
    const TEXT: Signature = Signature(0x85, LengthForm::Word);
    let composites = note.items.iter().filter(|item| item.item_type == ItemType::COMPOSITE);
    let runs =
        composites.flat_map(|item| Records::new(&item.value)).filter(|record| record.signature == TEXT);
    runs.flat_map(|record| words(&Text::decode(&record.data[4..]).text)).collect()
}

fn words(text: &str) -> Vec<String> {
    let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| word.len() > 3);
    words.map(str::to_owned).collect()
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
fn every_document_becomes_a_message_with_all_its_words() {
    let (mut documents, mut rich_texts) = (0, 0);
    let mut failures = Vec::new();
    for path in corpus::databases() {
        let mut source = NsfSource::open(&path).unwrap();
        for listed in source.list(None, 10_000).unwrap().items {
            let item = source.open(listed.id).unwrap();
            let Content::Note { note, .. } = &item.content;
            documents += 1;
            rich_texts += note.items.iter().filter(|item| item.item_type == ItemType::COMPOSITE).count();
            let converted = convert_all(&item, source.replica_id()).unwrap();
            let mut bytes = Vec::new();
            converted.rendered.write_to(&mut bytes).unwrap();
            assert_eq!(bytes.len() as u64, converted.rendered.len());
            let message = MessageParser::default().parse(&bytes).unwrap();
            // Runs may end inside a word, so a word of a run may be a part of a word of the text.
            let body: String =
                (0..message.text_body_count()).map(|k| message.body_text(k).unwrap()).collect();
            // A document with a MIME body may keep rich text that nobody sees beside it.
            let expected = if note.has_mime_body() { Vec::new() } else { words_of_records(note) };
            let missing: Vec<_> = expected.iter().filter(|word| !body.contains(word.as_str())).collect();
            if !missing.is_empty() {
                let name = path.file_name().unwrap().display();
                failures.push(format!(
                    "{name} {}: {} of {}: {missing:?}",
                    note.unid,
                    missing.len(),
                    expected.len()
                ));
            }
        }
    }
    println!("{documents} documents, {rich_texts} rich-text values");
    assert!(failures.is_empty(), "{} documents lack words:\n{}", failures.len(), failures.join("\n"));
}
