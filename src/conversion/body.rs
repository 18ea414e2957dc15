//! The content of a document that holds no MIME: text, HTML, inline images and attachments as a tree of parts.

use crate::conversion::composite::{self, Composite};
use crate::conversion::losses::Losses;
use crate::conversion::message::Part;
use crate::conversion::{attachment, html, plain};
use crate::model::blob::Blob;
use crate::model::content::File;
use crate::model::loss::LossKind;
use crate::model::rich_text::{Element, Event, Font, ParagraphStyle, RichText};
use crate::notes::document::Note;
use crate::notes::item::ItemType;
use crate::notes::value::Value;
use mail_builder::headers::Header as _;
use mail_builder::headers::content_type::ContentType;
use sha2::{Digest as _, Sha256};
use std::collections::HashMap;
use std::sync::Arc;

/// The name of the items that hold the body: `Body`, and where an application calls it otherwise, the largest rich text.
pub fn item_name(note: &Note) -> &str {
    let rich = note.items.iter().filter(|item| item.item_type == ItemType::COMPOSITE);
    let own = rich.filter(|item| !note.has("Body") && !item.name.starts_with('$'));
    // The first of equals, so that order decides.
    let largest = own.rev().max_by_key(|item| item.value.len());
    largest.map_or("Body", |item| item.name.as_str())
}

/// The text of a document, before it is rendered.
#[derive(Default)]
pub struct Body {
    pub composite: Composite,
    /// There is more than text can show, so an HTML part is worth it.
    formatted: bool,
}

impl Body {
    /// The body of a document, which is in the items of this name: rich text, else HTML, else text, else nothing.
    pub fn of(note: &Note, item_name: &str, losses: &mut Losses) -> Self {
        let is = |item_type| note.all(item_name).any(|item| item.item_type == item_type);
        if is(ItemType::COMPOSITE) {
            return Self { composite: composite::read(note, item_name, losses), formatted: true };
        }
        if is(ItemType::HTML) {
            let values = note.all(item_name).filter_map(|item| item.value().ok());
            let html = values.filter_map(|value| match value {
                Value::Html(text) => Some(text.text),
                _ => None,
            });
            let mut body = Self { formatted: true, ..Self::default() };
            body.composite.text.events.push(Event::Html(html.collect()));
            return body;
        }
        let mut body = Self::default();
        note.texts(item_name).iter().for_each(|text| body.append_lines(text));
        body
    }

    /// Whether there is more than plain text can show.
    pub fn is_formatted(&self) -> bool {
        self.formatted
    }

    /// Adds a paragraph for each line of a text.
    pub fn append_lines(&mut self, text: &str) {
        let RichText { events, fonts, .. } = &mut self.composite.text;
        let font = fonts.iter().position(|font| *font == Font::default()).unwrap_or(fonts.len());
        if font == fonts.len() {
            fonts.push(Font::default());
        }
        for line in text.lines() {
            events.push(Event::Open(Element::Paragraph(ParagraphStyle::default())));
            if !line.is_empty() {
                events.push(Event::Text { font, text: line.to_owned() });
            }
            events.push(Event::Close);
        }
    }

    /// Puts lines before everything else.
    pub fn prepend_lines(&mut self, text: &str) {
        let own = std::mem::take(&mut self.composite.text.events);
        self.append_lines(text);
        self.composite.text.events.extend(own);
    }

    /// The text as `related { alternative { plain, html }, images }`, without the levels that would hold one part.
    pub fn text_part(&self) -> Part {
        let plain = Part::plain(plain::flow(&plain::text(&self.composite.text)));
        if self.formatted { related(plain, &self.composite.text) } else { plain }
    }

    /// `mixed { parts, attachments }`; of one part only that part.
    pub fn with_files(&self, mut parts: Vec<Part>, files: &[File], losses: &mut Losses) -> Part {
        parts.extend(attached(files, &self.composite.attachments, losses));
        parts.extend(self.composite.metafiles.iter().map(metafile));
        Part::multipart("mixed", parts)
    }
}

fn related(plain: Part, text: &RichText) -> Part {
    let images: Vec<(String, Part)> =
        text.images.iter().enumerate().map(|(at, bytes)| image(at, bytes.clone())).collect();
    let (content_ids, images): (Vec<String>, Vec<Part>) = images.into_iter().unzip();
    let page = Part::html(html::page(text, &content_ids));
    let alternative = Part::multipart("alternative", vec![plain, page]);
    if images.is_empty() {
        return alternative;
    }
    // RFC 2387 section 3.1: the type of the root is named.
    let content_type = ContentType::new("multipart/related").attribute("type", "multipart/alternative");
    Part::Multipart { content_type, parts: std::iter::once(alternative).chain(images).collect() }
}

/// An inline image and its Content-ID, which is made from its bytes.
fn image(number: usize, bytes: Arc<[u8]>) -> (String, Part) {
    let digest = Sha256::digest(&bytes);
    let mut content_id = digest[..16].iter().fold(String::new(), |mut id, byte| {
        append!(id, "{byte:02x}");
        id
    });
    content_id.push_str("@notes.invalid");
    let (media_type, extension) = match infer::get(&bytes[..bytes.len().min(Blob::HEAD_BYTES)]) {
        Some(kind) if kind.mime_type().starts_with("image/") => (kind.mime_type(), kind.extension()),
        _ => ("application/octet-stream", "bin"),
    };
    let name = format!("image{:03}.{extension}", number + 1);
    let mut headers = b"Content-Type: ".to_vec();
    ContentType::new(media_type).attribute("name", name.clone()).write_header(&mut headers, 14);
    headers.extend_from_slice(format!("Content-ID: <{content_id}>\r\n").as_bytes());
    headers.extend_from_slice(b"Content-Disposition: ");
    ContentType::new("inline").attribute("filename", name).write_header(&mut headers, 21);
    (content_id, Part::File { headers, blob: Blob::memory(bytes) })
}

/// A Windows metafile as a file. Its type is the one of RFC 7903 section 3.
fn metafile((name, bytes): &(String, Arc<[u8]>)) -> Part {
    let mut headers = b"Content-Type: ".to_vec();
    ContentType::new("image/wmf").attribute("name", name.clone()).write_header(&mut headers, 14);
    headers.extend_from_slice(b"Content-Disposition: ");
    ContentType::new("attachment").attribute("filename", name.clone()).write_header(&mut headers, 21);
    Part::File { headers, blob: Blob::memory(bytes.clone()) }
}

/// All files of a document under the names that its text shows.
fn attached(files: &[File], shown: &[(String, String)], losses: &mut Losses) -> Vec<Part> {
    let names: HashMap<String, &str> =
        shown.iter().map(|(name, shown)| (name.to_lowercase(), shown.as_str())).collect();
    let stored: std::collections::HashSet<String> =
        files.iter().map(|file| file.descriptor.name.text.to_lowercase()).collect();
    for (name, shown) in shown {
        if !stored.contains(&name.to_lowercase()) {
            losses.add(LossKind::AttachmentMissing, shown.as_str());
        }
    }
    let part = |file: &File| {
        let own = file.descriptor.name.text.as_str();
        let name = names.get(&own.to_lowercase()).copied().unwrap_or(own);
        attachment::part(file, name, losses)
    };
    files.iter().map(part).collect()
}
