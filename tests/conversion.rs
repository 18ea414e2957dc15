//! Documents in, message text out: the rules of conversion, by their ids.

mod address;
mod calendar;
mod contact;
mod filing;
mod hostile;
mod journal;
mod mail;
mod mime;
mod other;
mod readers;
mod rich_text;
mod task;

use crate::support::corpus;
use notesferry::conversion::plain_text;
use notesferry::model::content::Content;
use notesferry::model::loss::LossKind;
use notesferry::notes::item::ItemType;
use notesferry::notes::richtext::construct::Construct;
use notesferry::notes::richtext::record::Records;
use notesferry::sources::Source;
use notesferry::sources::nsf::NsfSource;
use std::collections::BTreeSet;

/// The words of all TEXT records of a value, without white space.
fn words(value: &[u8]) -> Vec<String> {
    let texts = Records::new(value).filter_map(|record| match Construct::decode(record) {
        Ok(Construct::Text { text, .. }) => Some(text.text),
        _ => None,
    });
    texts.flat_map(|text| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>()).collect()
}

/// Every word of rich text in real documents is in its plain text.
#[test]
fn rich_text_of_real_documents_gives_all_its_words() {
    let mut values = 0;
    for path in corpus::databases() {
        let mut source = NsfSource::open(&path).unwrap();
        let mut from = None;
        loop {
            let page = source.list(from, 1000).unwrap();
            for listed in &page.items {
                let Content::Note { note, .. } = source.open(listed.id).unwrap().content;
                let rich: BTreeSet<String> = note
                    .items
                    .iter()
                    .filter(|item| item.item_type == ItemType::COMPOSITE)
                    .inspect(|_| values += 1)
                    .map(|item| item.name.to_lowercase())
                    .collect();
                for name in rich {
                    let (text, losses) = plain_text(&note, &name);
                    // Every bitmap of an old release decodes to its last pixel.
                    assert!(losses.iter().all(|loss| loss.kind != LossKind::ImageDamaged), "{losses:?}");
                    let flat: String = text.split_whitespace().collect();
                    for word in note.all(&name).flat_map(|item| words(&item.value)) {
                        let kept =
                            flat.contains(&word) || word.contains(char::is_control) || word.contains('<');
                        assert!(kept, "{} {name} {}: `{word}` {losses:?}", path.display(), note.unid);
                    }
                }
            }
            from = page.next;
            if from.is_none() {
                break;
            }
        }
    }
    assert!(values == 0 || values >= 241, "{values} rich-text values");
}
