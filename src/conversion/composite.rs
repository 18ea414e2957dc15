//! Rich text as Notes stores it, read into the model: CD records of one or more COMPOSITE items of a name.
//!
//! Records come in the order of the text, but their brackets are not always well nested, and a table or hotspot may
//! begin in one item and end in another. [`Builder`] keeps the result well nested whatever comes.

use crate::base::limits::HTML_TAGS;
use crate::conversion::font::Fonts;
use crate::conversion::html;
use crate::conversion::image::Images;
use crate::conversion::link;
use crate::conversion::losses::Losses;
use crate::model::loss::LossKind;
use crate::model::rich_text::{Alignment, Builder, Element, Event, ListMark, ParagraphStyle, RichText};
use crate::notes::document::Note;
use crate::notes::item::ItemType;
use crate::notes::richtext::construct::{
    Construct, FontId, Hotspot, LinkTarget, OWNER_TEXT, StyleDefinition, TableCell,
};
use crate::notes::richtext::name;
use crate::notes::richtext::record::Records;
use crate::notes::value::{NoteLink, Value};
use std::collections::HashMap;

/// Rich text with the attachments that it shows.
#[derive(Debug, Default)]
pub struct Composite {
    pub text: RichText,
    /// The `$FILE` name of each attachment in the text, and the name that the reader sees.
    pub attachments: Vec<(String, String)>,
}

/// Reads all COMPOSITE items of a name as one text.
pub fn read(note: &Note, item_name: &str, losses: &mut Losses) -> Composite {
    let mut reader = Reader::new(note);
    for item in note.all(item_name).filter(|item| item.item_type == ItemType::COMPOSITE) {
        let mut records = Records::new(&item.value);
        for record in records.by_ref() {
            match Construct::decode(record) {
                Ok(construct) => reader.read(construct, losses),
                Err(error) => losses.add(LossKind::RichTextDamaged, error.to_string()),
            }
        }
        if records.damaged() {
            losses.add(LossKind::RichTextDamaged, "a record has an impossible length");
        }
    }
    reader.finish(losses)
}

/// An open hotspot: what its end has to close.
enum Open {
    Nothing,
    Link,
    Popup,
    /// A section, and the depth below it.
    Section(usize),
    File,
}

/// An open table.
struct Table {
    /// Blocks and inline elements that were open before it.
    depth: usize,
    inline_depth: usize,
    row: Option<u8>,
    labels: Vec<String>,
}

/// HTML that the author wrote.
enum Html {
    No,
    /// Between HTMLBEGIN and HTMLEND all text is HTML.
    Bracket(String),
    /// A run of HTMLSEGMENT records.
    Segments(String),
}

struct Reader {
    builder: Builder,
    styles: HashMap<u16, ParagraphStyle>,
    fonts: Fonts,
    images: Images,
    links: Vec<NoteLink>,
    hotspots: Vec<Open>,
    /// Inside that many hotspots of attachments.
    files: usize,
    tables: Vec<Table>,
    /// Inside the bracket that describes text; then its colour.
    text_bracket: bool,
    color: Option<[u8; 3]>,
    html: Html,
    html_tags_left: usize,
    /// Inside that many OLE objects.
    objects: usize,
    /// What a record told before the construct that it belongs to.
    title: Option<String>,
    target: Option<String>,
    labels: Vec<String>,
    attachments: Vec<(String, String)>,
}

impl Reader {
    fn new(note: &Note) -> Self {
        let links = match note.first("$Links").map(|item| item.value()) {
            Some(Ok(Value::NoteLinks(links))) => links,
            _ => Vec::new(),
        };
        Self {
            builder: Builder::default(),
            styles: HashMap::new(),
            fonts: Fonts::of(note),
            images: Images::default(),
            links,
            hotspots: Vec::new(),
            files: 0,
            tables: Vec::new(),
            text_bracket: false,
            color: None,
            html: Html::No,
            html_tags_left: HTML_TAGS,
            objects: 0,
            title: None,
            target: None,
            labels: Vec::new(),
            attachments: Vec::new(),
        }
    }

    fn read(&mut self, construct: Construct<'_>, losses: &mut Losses) {
        if !matches!(construct, Construct::ImageSegment(_)) {
            self.end_image(losses);
        }
        if !matches!(construct, Construct::HtmlSegment(_)) {
            self.end_html_segments(losses);
        }
        match construct {
            Construct::Paragraph => self.paragraph(),
            Construct::Style(definition) => self.define_style(&definition),
            Construct::StyleReference(id) => self.refer_to_style(id, losses),
            Construct::Text { font, text } => {
                if text.damaged {
                    losses.add(LossKind::TextDamaged, "rich text");
                }
                self.text(font, &text.text);
            }
            Construct::Color(color) => self.color = self.text_bracket.then_some(color),
            Construct::Begin { owner } => self.text_bracket |= owner == OWNER_TEXT,
            Construct::End { owner: OWNER_TEXT } => (self.text_bracket, self.color) = (false, None),
            Construct::HotspotBegin(hotspot) => self.begin_hotspot(hotspot, losses),
            Construct::HotspotEnd => self.end_hotspot(losses),
            Construct::SectionTitle(title) => self.section_title(title, losses),
            Construct::ButtonCaption(caption) => self.builder.inline(Event::Placeholder(caption)),
            Construct::Link { target, comment, server } => {
                self.document_link(target, &comment, &server, losses);
            }
            Construct::Href(url) => self.href(&url, losses),
            Construct::Anchor(name) => self.builder.inline(Event::Anchor(name)),
            Construct::Graphic { width, height, in_pixels } => {
                self.images.begin_graphic(width, height, in_pixels)
            }
            Construct::Image(header) => self.images.begin(header),
            Construct::ImageSegment(data) => self.images.extend(data),
            Construct::OldImage(kind) => self.old_image(kind, losses),
            Construct::AltText(text) => match self.builder.last_picture() {
                Some(picture) => picture.alt = text,
                None => self.images.alt = text,
            },
            Construct::TableBegin => self.begin_table(),
            Construct::TableCell(cell) => self.cell(cell, losses),
            Construct::TableEnd => self.end_table(),
            Construct::TableLabel(label) => self.labels.push(label),
            Construct::Rule => self.builder.block(Event::Rule),
            Construct::HtmlBegin => self.html = Html::Bracket(String::new()),
            Construct::HtmlEnd => self.end_html(losses),
            Construct::HtmlSegment(text) => self.html_segment(&text.text),
            Construct::ObjectBegin => {
                self.objects += 1;
                losses.add(LossKind::ObjectFlattened, "");
                self.builder.inline(Event::Placeholder("object".to_owned()));
            }
            Construct::ObjectEnd => self.objects = self.objects.saturating_sub(1),
            Construct::Unknown(signature) => {
                let told = name(signature).map_or(signature.to_string(), |n| format!("{n} ({signature})"));
                losses.add(LossKind::ConstructDropped, told);
            }
            Construct::End { .. } | Construct::Nothing => {}
        }
    }

    fn finish(mut self, losses: &mut Losses) -> Composite {
        self.end_image(losses);
        self.end_html(losses);
        let text = self.builder.finish(self.fonts.list, self.images.list);
        Composite { text, attachments: self.attachments }
    }

    fn paragraph(&mut self) {
        match &mut self.html {
            Html::Bracket(html) => html.push('\n'),
            _ => self.builder.paragraph(),
        }
    }

    fn text(&mut self, font: FontId, text: &str) {
        if let Html::Bracket(html) = &mut self.html {
            html.push_str(text);
            return;
        }
        let font = self.fonts.index(font, self.color);
        for (number, line) in text.split('\n').enumerate() {
            if number > 0 {
                self.builder.inline(Event::LineBreak);
            }
            if !line.is_empty() {
                self.builder.inline(Event::Text { font, text: line.to_owned() });
            }
        }
    }

    fn define_style(&mut self, definition: &StyleDefinition) {
        self.styles.insert(definition.id, paragraph_style(definition));
    }

    fn refer_to_style(&mut self, id: u16, losses: &mut Losses) {
        let style = self.styles.get(&id).copied().unwrap_or_default();
        if style.conditional {
            losses.add(LossKind::HideFormulaIgnored, "");
        }
        self.builder.style(style);
    }

    fn begin_hotspot(&mut self, hotspot: Hotspot, losses: &mut Losses) {
        let open = match hotspot {
            Hotspot::File { name, shown } => {
                self.builder.inline(Event::Attachment { shown: shown.clone() });
                self.attachments.push((name, shown));
                self.files += 1;
                Open::File
            }
            Hotspot::Section => {
                let depth = self.builder.depth();
                let title = self.title.take().unwrap_or_default();
                self.builder.open_block(Element::Section { title });
                Open::Section(depth)
            }
            Hotspot::Link { target } => {
                // Release 5 writes a link twice in a row, for itself and for Release 4, with one end for both.
                let again = matches!(self.hotspots.last(), Some(Open::Link));
                if let Some(open) = self.builder.untouched_link().filter(|_| again) {
                    if open.is_empty() {
                        *open = link::safe_url(&target).unwrap_or_default();
                    }
                    return;
                }
                let target = self.target.take().or_else(|| link::safe_url(&target)).unwrap_or_default();
                self.builder.open_inline(Element::Link(target));
                Open::Link
            }
            Hotspot::Popup { text, formula } => {
                if formula {
                    losses.add(LossKind::FormulaNotComputed, "pop-up");
                }
                self.builder.open_inline(Element::Popup(text));
                Open::Popup
            }
            Hotspot::Button | Hotspot::Action => {
                losses.add(LossKind::ActionDropped, "");
                Open::Nothing
            }
            Hotspot::Embedded => {
                losses.add(LossKind::ConstructDropped, "embedded element");
                Open::Nothing
            }
            Hotspot::Object => Open::Nothing,
        };
        self.hotspots.push(open);
    }

    fn end_hotspot(&mut self, losses: &mut Losses) {
        match self.hotspots.pop() {
            Some(Open::Link) => {
                if self.builder.untouched_link().is_some_and(|target| target.is_empty()) {
                    losses.add(LossKind::LinkDropped, "a link without text or target");
                }
                self.builder.close_inline();
            }
            Some(Open::Popup) => self.builder.close_inline(),
            Some(Open::Section(depth)) => self.close_to(depth),
            Some(Open::File) => self.files -= 1,
            Some(Open::Nothing) | None => {}
        }
    }

    fn close_to(&mut self, depth: usize) {
        while self.builder.depth() > depth {
            self.builder.close_block();
        }
    }

    fn section_title(&mut self, title: Option<String>, losses: &mut Losses) {
        if title.is_none() {
            losses.add(LossKind::FormulaNotComputed, "section title");
        }
        let title = title.unwrap_or_else(|| "Section".to_owned());
        match self.builder.section_title() {
            Some(open) => *open = title,
            None => self.title = Some(title),
        }
    }

    fn href(&mut self, url: &str, losses: &mut Losses) {
        let Some(safe) = link::safe_url(url) else {
            losses.add(LossKind::LinkDropped, url);
            return;
        };
        match self.builder.untouched_link() {
            Some(target) => *target = safe,
            None => self.target = Some(safe),
        }
    }

    fn document_link(&mut self, target: LinkTarget, comment: &str, server: &str, losses: &mut Losses) {
        let found = match target {
            LinkTarget::Inline(link) => Some(link),
            LinkTarget::Index(index) => self.links.get(usize::from(index)).copied(),
        };
        let Some(found) = found else {
            losses.add(LossKind::LinkDropped, comment);
            return;
        };
        let url = link::notes_url(&found, server);
        if let Some(target) = self.builder.untouched_link() {
            *target = url;
            return;
        }
        let font = self.fonts.index(FontId::default(), None);
        let text = if comment.is_empty() { "link" } else { comment }.to_owned();
        self.builder.open_inline(Element::Link(url));
        self.builder.inline(Event::Text { font, text });
        self.builder.close_inline();
    }

    /// Ends the image whose segments have been read, if there is one.
    fn end_image(&mut self, losses: &mut Losses) {
        if let Some(picture) = self.images.end(self.files > 0, losses) {
            self.builder.inline(Event::Picture(picture));
        }
    }

    fn old_image(&mut self, kind: &str, losses: &mut Losses) {
        if self.files > 0 || !self.images.report_old() {
            return;
        }
        losses.add(LossKind::ImageDropped, kind);
        if self.objects == 0 {
            self.builder.inline(Event::Placeholder("image".to_owned()));
        }
    }

    fn begin_table(&mut self) {
        let (depth, inline_depth) = (self.builder.depth(), self.builder.inline_depth());
        self.builder.open_block(Element::Table);
        let labels = std::mem::take(&mut self.labels);
        self.tables.push(Table { depth, inline_depth, row: None, labels });
    }

    fn cell(&mut self, cell: TableCell, losses: &mut Losses) {
        let Some(table) = self.tables.last_mut() else {
            losses.add(LossKind::RichTextDamaged, "a cell stands outside a table");
            return;
        };
        let (depth, inline_depth) = (table.depth, table.inline_depth);
        let new_row = table.row != Some(cell.row);
        table.row = Some(cell.row);
        let label = table.labels.get_mut(usize::from(cell.row)).map(std::mem::take).unwrap_or_default();
        self.builder.close_inline_to(inline_depth);
        self.close_to(depth + if new_row { 1 } else { 2 });
        if new_row {
            self.builder.open_block(Element::Row);
        }
        if !cell.covered {
            let (row_span, column_span) = (cell.row_span, cell.column_span);
            self.builder.open_block(Element::Cell { row_span, column_span });
            self.tab_label(label);
        }
    }

    /// The label of a row that Notes shows on a tab, as a heading.
    fn tab_label(&mut self, label: String) {
        if label.is_empty() {
            return;
        }
        let bold = FontId { attributes: FontId::BOLD, ..FontId::default() };
        let font = self.fonts.index(bold, None);
        self.builder.inline(Event::Text { font, text: label });
        self.builder.paragraph();
    }

    fn end_table(&mut self) {
        if let Some(table) = self.tables.pop() {
            self.builder.close_inline_to(table.inline_depth);
            self.close_to(table.depth);
        }
    }

    fn html_segment(&mut self, text: &str) {
        match &mut self.html {
            Html::Bracket(html) | Html::Segments(html) => html.push_str(text),
            Html::No => self.html = Html::Segments(text.to_owned()),
        }
    }

    fn end_html_segments(&mut self, losses: &mut Losses) {
        if matches!(self.html, Html::Segments(_)) {
            self.end_html(losses);
        }
    }

    fn end_html(&mut self, losses: &mut Losses) {
        let html = match std::mem::replace(&mut self.html, Html::No) {
            Html::Bracket(html) | Html::Segments(html) if !html.trim().is_empty() => html,
            _ => return,
        };
        let tags = html.bytes().filter(|&byte| byte == b'<').count() + 1;
        if tags <= self.html_tags_left {
            self.html_tags_left -= tags;
            return self.builder.block(Event::Html(html));
        }
        losses.add(LossKind::FormattingDropped, "HTML with too many tags");
        let font = self.fonts.index(FontId::default(), None);
        for line in html::to_text(&html).lines() {
            self.builder.paragraph();
            self.builder.inline(Event::Text { font, text: line.to_owned() });
        }
    }
}

fn paragraph_style(definition: &StyleDefinition) -> ParagraphStyle {
    const MARGIN_TWIPS: u16 = 1440;
    const TWIPS_PER_POINT: u16 = 20;
    /// Half a page; more is damage.
    const LARGEST_INDENT_POINTS: u16 = 300;
    let has = |flag: u16| definition.flags & flag != 0;
    let has2 = |flag: u16| definition.flags2 & flag != 0;
    let list = match () {
        () if has2(StyleDefinition::CHECKED2) => Some(ListMark::Checked),
        () if has2(StyleDefinition::UNCHECKED2) => Some(ListMark::Unchecked),
        () if has2(StyleDefinition::CIRCLE2) => Some(ListMark::Circle),
        () if has2(StyleDefinition::SQUARE2) => Some(ListMark::Square),
        () if has(StyleDefinition::BULLET) => Some(ListMark::Bullet),
        () if has(StyleDefinition::NUMBERED) => Some(ListMark::Number),
        () => None,
    };
    let plain_margin = !has2(StyleDefinition::MARGIN_ELSEWHERE2) && list.is_none();
    let indent = if plain_margin { definition.left_margin.saturating_sub(MARGIN_TWIPS) } else { 0 };
    ParagraphStyle {
        alignment: match definition.justify {
            1 => Alignment::Right,
            2 => Alignment::Full,
            3 => Alignment::Center,
            _ => Alignment::Left,
        },
        list,
        indent: (indent / TWIPS_PER_POINT).min(LARGEST_INDENT_POINTS),
        space_before: definition.space_before > 0,
        space_after: definition.space_after > 0,
        hidden: has(StyleDefinition::HIDE_READING) || has(StyleDefinition::HIDE_NOTES),
        conditional: has(StyleDefinition::HIDE_FORMULA),
    }
}
