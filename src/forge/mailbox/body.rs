//! Bodies of forged mails: rich text with all its constructs, and MIME as Domino stores it.

use super::images;
use super::prose::Prose;
use crate::forge::ForgeError;
use crate::forge::database::{Attachment, Compression, Writer};
use crate::forge::mime::{self, Body, Piece};
use crate::forge::note::ItemSpec;
use crate::forge::richtext::{Cell, Font, ImageKind, RichText, Style};
use crate::forge::values::{self, MimeKind};
use crate::notes::ids::{ReplicaId, Unid};
use crate::notes::item::ItemType;
use crate::notes::timedate::Timedate;
use fastrand::Rng;
use std::borrow::Cow;

/// Rich text goes on in another item before its value gets longer than this.
const RICH_ITEM_BYTES: usize = 32 << 10;

/// What a body is to hold.
pub(super) struct Plan {
    pub prose: Prose,
    pub text_bytes: usize,
    /// Sizes of the attachments.
    pub files: Vec<usize>,
    pub time: Timedate,
    /// Where a document link leads.
    pub link: Option<(ReplicaId, Unid)>,
    /// Its author wrote something more later.
    pub revised: bool,
}

/// What an author adds later.
const REVISION: &str = "Added later: please see the new figures.";

/// A file that a mail carries.
struct ForgedFile {
    name: String,
    shown: String,
    bytes: Vec<u8>,
}

impl ForgedFile {
    /// Only tables have anything to compress.
    fn is_table(&self) -> bool {
        self.name.ends_with(".csv")
    }
}

impl Plan {
    fn forge_files(&self, random: &mut Rng) -> Vec<ForgedFile> {
        let forge = |(number, size): (usize, &usize)| {
            let kind = ["pdf", "csv", "zip", "doc"][random.usize(..4)];
            let shown = format!("{}.{kind}", self.prose.words(random, 2));
            // Names are unique inside a note: Notes renames the second file of a name.
            let name = if number == 0 { shown.clone() } else { format!("ATT{number:05}.{kind}") };
            ForgedFile { name, shown, bytes: file_bytes(random, kind, *size) }
        };
        self.files.iter().enumerate().map(forge).collect()
    }
}

/// Tables compress well, other files do not.
fn file_bytes(random: &mut Rng, kind: &str, size: usize) -> Vec<u8> {
    if kind == "csv" {
        let mut text = String::with_capacity(size + 32);
        while text.len() < size {
            text += &format!("{};{};{}\r\n", random.u16(..), random.u8(..), random.u16(..500));
        }
        text.truncate(size);
        return text.into_bytes();
    }
    let mut bytes = vec![0; size];
    random.fill(&mut bytes);
    bytes
}

/// A rich-text body with its files and links.
pub(super) fn rich(writer: &mut Writer, random: &mut Rng, plan: &Plan) -> Result<Vec<ItemSpec>, ForgeError> {
    let mut items = Vec::new();
    let mut rich = RichText::new();
    for line in plan.prose.lines(random, plan.text_bytes) {
        decorated_line(&mut rich, random, &line);
        if rich.len() > RICH_ITEM_BYTES {
            items.push(ItemSpec::rich_text("Body", std::mem::take(&mut rich).bytes()));
        }
    }
    if plan.revised {
        rich.paragraph(Style::Left);
        rich.text(Font::PLAIN, REVISION);
    }
    ornament(&mut rich, random, plan);
    let files = plan.forge_files(random);
    for file in &files {
        rich.paragraph(Style::Left);
        rich.file(&file.name, &file.shown);
    }
    if let Some((replica, unid)) = plan.link {
        rich.paragraph(Style::Left);
        rich.link(0, "Earlier message");
        let links = values::note_links(&[(replica, Unid::default(), unid)]);
        items.push(ItemSpec::new("$Links", ItemType::NOTELINK_LIST, links).outside_summary());
    }
    items.push(ItemSpec::rich_text("Body", rich.bytes()));
    for file in files {
        let compression = if file.is_table() { Compression::Huffman } else { Compression::None };
        let (name, bytes, flags) = (&file.name, file.bytes.len() as u64, Attachment::IN_DOCUMENT);
        let data = &mut &file.bytes[..];
        items.push(writer.attach(Attachment {
            name,
            data,
            bytes,
            compression,
            flags,
            modified: plan.time,
        })?);
    }
    Ok(items)
}

/// Something beside lines of text, in every second mail.
fn ornament(rich: &mut RichText, random: &mut Rng, plan: &Plan) {
    let list = |rich: &mut RichText, style: Style, words: [&str; 3]| {
        words.into_iter().for_each(|text| {
            rich.paragraph(style);
            rich.text(Font::PLAIN, text);
        });
    };
    match random.u8(..12) {
        0 => rich.table(&table_of(plan.prose, random)),
        1 => rich.image(ImageKind::Png, 4, 4, images::PNG),
        2 => rich.image(ImageKind::Gif, 1, 1, images::GIF),
        3 => list(rich, Style::Bulleted, ["one", "two", "three"]),
        4 => {
            list(rich, Style::AlphaLower, ["the offer", "the order", "the invoice"]);
            list(rich, Style::Checked, ["asked", "agreed", "paid"]);
        }
        5 => {
            rich.section("What was written before");
            rich.paragraph(Style::Indented);
            rich.text(Font::PLAIN.coloured(8), &plan.prose.words(random, 40));
            rich.end_section();
        }
        6 => {
            rich.rule();
            signature(rich);
        }
        7 => {
            rich.line("Our results of the last weeks:");
            rich.paragraph(Style::Left);
            let (width, colors, pixels) = images::chart(random);
            rich.bitmap(width, &colors, &pixels);
            rich.alt_text("results of the last weeks");
        }
        8 => {
            rich.paragraph(Style::Left);
            rich.text(Font::PLAIN, "See ");
            rich.url("https://www.example.com/plan", "the plan");
            rich.popup("as of Friday", " (with dates)");
        }
        _ => {}
    }
}

/// A table without lines, as signatures have.
fn signature(rich: &mut RichText) {
    rich.begin_table(false);
    let cell = |column| Cell { lines: false, width: 1440, ..Cell::at(0, column) };
    rich.cell(cell(0));
    rich.image(ImageKind::Png, 16, 16, images::PNG);
    rich.cell(cell(1));
    rich.text(Font::PLAIN.styled(Font::BOLD), "Jane Doe");
    rich.paragraph(Style::Left);
    rich.true_coloured([0x60, 0x60, 0x60], "Example Company");
    rich.end_table();
}

/// Most lines are plain; some have a style, a colour or are centred.
fn decorated_line(rich: &mut RichText, random: &mut Rng, line: &str) {
    let (style, font) = match random.u8(..12) {
        0 => (Style::Left, Font::PLAIN.styled(Font::BOLD)),
        1 => (Style::Left, Font::PLAIN.styled(Font::ITALIC | Font::UNDERLINE)),
        2 => (Style::Centred, Font { points: 14, ..Font::PLAIN }),
        3 => (Style::Left, Font::PLAIN.coloured(2)),
        4 => (Style::Numbered, Font::PLAIN),
        _ => (Style::Left, Font::PLAIN),
    };
    rich.paragraph(style);
    rich.text(font, line);
}

fn table_of(prose: Prose, random: &mut Rng) -> Vec<Vec<String>> {
    (0..3).map(|_| (0..3).map(|_| prose.words(random, 2)).collect()).collect()
}

/// A MIME body with its files: plain text, or text and HTML, with files around it.
pub(super) fn mime(writer: &mut Writer, random: &mut Rng, plan: &Plan) -> Result<Vec<ItemSpec>, ForgeError> {
    let mut text = plan.prose.lines(random, plan.text_bytes).join("\r\n") + "\r\n";
    if plan.revised {
        text += REVISION;
        text += "\r\n";
    }
    let files = plan.forge_files(random);
    let mut pieces = Vec::new();
    if files.is_empty() && random.bool() {
        pieces.push(leaf("", text_headers("plain"), text));
    } else {
        let mixed = (!files.is_empty()).then(|| boundary(random, "mixed"));
        let alternative = boundary(random, "alternative");
        if let Some(mixed) = &mixed {
            pieces.push(prolog("", "mixed", mixed));
        }
        pieces.push(prolog(mixed.as_deref().unwrap_or_default(), "alternative", &alternative));
        let html = format!("<html><body><p>{}</p></body></html>\r\n", text.replace("\r\n", "</p>\r\n<p>"));
        pieces.push(leaf(&alternative, text_headers("plain"), std::mem::take(&mut text)));
        pieces.push(leaf(&alternative, text_headers("html"), html));
        pieces.push(epilog(&alternative));
        if let Some(mixed) = mixed {
            pieces.extend(files.into_iter().map(|file| attached(&mixed, file)));
            pieces.push(epilog(&mixed));
        }
    }
    mime::items(writer, &pieces, plan.time)
}

fn boundary(random: &mut Rng, kind: &str) -> String {
    format!("=_{kind} {:016X}_=", random.u64(..))
}

/// The line before a piece; nothing before the first.
fn boundary_line(boundary: &str) -> String {
    if boundary.is_empty() { String::new() } else { format!("--{boundary}\r\n") }
}

fn prolog(within: &str, kind: &str, boundary: &str) -> Piece<'static> {
    let headers = format!("Content-Type: multipart/{kind}; boundary=\"{boundary}\"\r\n\r\n").into_bytes();
    let notice = "This is a multipart message in MIME format.\r\n";
    let body = Body::Text(if within.is_empty() { notice } else { "\r\n" }.as_bytes().into());
    Piece { kind: MimeKind::Prolog, boundary: boundary_line(within), headers, body }
}

fn leaf(within: &str, headers: Vec<u8>, text: String) -> Piece<'static> {
    let body = Body::Text(Cow::Owned(text.into_bytes()));
    Piece { kind: MimeKind::Body, boundary: boundary_line(within), headers, body }
}

fn text_headers(kind: &str) -> Vec<u8> {
    format!("Content-Type: text/{kind}; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n")
        .into_bytes()
}

fn attached(within: &str, file: ForgedFile) -> Piece<'static> {
    let headers = format!(
        "Content-Type: application/octet-stream\r\nContent-Disposition: attachment;\r\n filename*=UTF-8''{}\r\n\
         Content-Transfer-Encoding: binary\r\n\r\n",
        percent_encoded(&file.shown)
    );
    let body = Body::File { name: file.name, decoded: Cow::Owned(file.bytes) };
    Piece { kind: MimeKind::Body, boundary: boundary_line(within), headers: headers.into_bytes(), body }
}

/// RFC 2231 section 4.
fn percent_encoded(text: &str) -> String {
    let encode = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'.' | b'-' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(encode).collect()
}

fn epilog(boundary: &str) -> Piece<'static> {
    let boundary = format!("--{boundary}--\r\n");
    Piece { kind: MimeKind::Epilog, boundary, headers: Vec::new(), body: Body::Text(Cow::Borrowed(b"")) }
}
