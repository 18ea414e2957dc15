//! Rich text as Notes stores it, read into the model: CD records of one or more COMPOSITE items of a name.
//!
//! Records come in the order of the text, but their brackets are not always well nested, and a table or hotspot may
//! begin in one item and end in another. [`Builder`] keeps the result well nested whatever comes.

use crate::base::limits::HTML_TAGS;
use crate::conversion::font::{self, Fonts};
use crate::conversion::html;
use crate::conversion::image::{Images, Shown};
use crate::conversion::link;
use crate::conversion::losses::Losses;
use crate::model::loss::LossKind;
use crate::model::rich_text::{
    Alignment, Builder, Cell, Element, Event, ListMark, ParagraphStyle, RichText, Width,
};
use crate::notes::document::Note;
use crate::notes::item::ItemType;
use crate::notes::richtext::construct::{Construct, FontId, Hotspot, LinkTarget, OWNER_TEXT};
use crate::notes::richtext::name;
use crate::notes::richtext::record::Records;
use crate::notes::richtext::style::StyleDefinition;
use crate::notes::richtext::table::TableCell;
use crate::notes::value::{NoteLink, Value};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// Rich text with the attachments that it shows.
#[derive(Debug, Default)]
pub struct Composite {
    pub text: RichText,
    /// The `$FILE` name of each attachment in the text, and the name that the reader sees.
    pub attachments: Vec<(String, String)>,
    /// Windows metafiles of the text, under the names that it tells.
    pub metafiles: Vec<(String, Arc<[u8]>)>,
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
    fits_window: bool,
    row: Option<u8>,
    /// The place of the row among the events.
    row_place: usize,
    /// Columns whose width is told.
    told: HashSet<u8>,
    /// The left edge of the cell, in twips.
    left: u16,
}

/// HTML that the author wrote.
enum Html {
    No,
    /// Between HTMLBEGIN and HTMLEND all text is HTML.
    Bracket(String),
    /// A run of HTMLSEGMENT records.
    Segments(String),
}

struct Reader<'n> {
    note: &'n Note,
    builder: Builder,
    styles: HashMap<u16, StyleDefinition>,
    fonts: Fonts,
    /// The font of the last text; what a record tells without a font of its own is set in it.
    font: FontId,
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
    attachments: Vec<(String, String)>,
}

impl<'n> Reader<'n> {
    fn new(note: &'n Note) -> Self {
        let links = match note.first("$Links").map(|item| item.value()) {
            Some(Ok(Value::NoteLinks(links))) => links,
            _ => Vec::new(),
        };
        Self {
            note,
            builder: Builder::default(),
            styles: HashMap::new(),
            fonts: Fonts::of(note),
            font: FontId::default(),
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
            attachments: Vec::new(),
        }
    }

    fn read(&mut self, construct: Construct<'_>, losses: &mut Losses) {
        if !is_of_picture(&construct) {
            self.end_picture(losses);
        }
        if !matches!(construct, Construct::HtmlSegment(_)) {
            self.end_html_segments(losses);
        }
        match construct {
            Construct::Paragraph => self.paragraph(),
            Construct::Style(definition) => {
                self.styles.insert(definition.id, definition);
            }
            Construct::StyleReference(id) => self.refer_to_style(id, losses),
            Construct::Text { font, text } => {
                if text.damaged {
                    losses.add(LossKind::TextDamaged, "rich text");
                }
                if !self.repeats_file_name(&text.text) {
                    self.text(font, &text.text);
                }
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
            Construct::Bitmap(bitmap) => self.images.begin_bitmap(bitmap),
            Construct::BitmapSegment(lines) => self.images.extend_bitmap(|bitmap| &mut bitmap.lines, lines),
            Construct::ColorTable(colors) => self.images.extend_bitmap(|bitmap| &mut bitmap.colors, colors),
            Construct::PatternTable(patterns) => {
                self.images.extend_bitmap(|bitmap| &mut bitmap.patterns, patterns);
            }
            Construct::Metafile(size) => self.images.begin_metafile(size),
            Construct::MetafileSegment(data) => self.images.extend_metafile(data),
            Construct::OldImage(kind) => self.images.begin_old(kind),
            Construct::AltText(text) => match self.builder.last_picture() {
                Some(picture) if !self.images.is_open() => picture.alt = text,
                _ => self.images.alt = text,
            },
            Construct::Caption(text) => self.caption(text, losses),
            Construct::Field(name) => self.field(&name, losses),
            Construct::TableBegin { fits_window } => self.begin_table(fits_window),
            Construct::TableCell(cell) => self.cell(cell, losses),
            Construct::CellColor(color) => {
                if let Some(cell) = self.builder.last_cell() {
                    cell.background = Some(color);
                }
            }
            Construct::TableEnd => self.end_table(),
            Construct::TableLabel(label) => self.label_row(label),
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
        self.end_picture(losses);
        self.end_html(losses);
        let text = self.builder.finish(self.fonts.list, self.images.list);
        Composite { text, attachments: self.attachments, metafiles: self.images.metafiles }
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
        self.font = font;
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

    /// A style counts from its reference on; what a margin means depends on the cell that the paragraph stands in.
    fn refer_to_style(&mut self, id: u16, losses: &mut Losses) {
        let cell_left = self.tables.last().map(|table| table.left);
        let style = self.styles.get(&id).map(|style| paragraph_style(style, cell_left)).unwrap_or_default();
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

    /// The words in the place of an attachment often are its name, which is told already.
    fn repeats_file_name(&self, text: &str) -> bool {
        self.files > 0 && self.attachments.last().is_some_and(|(_, shown)| shown == text.trim())
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
        let font = self.fonts.index(self.font, None);
        let text = if comment.is_empty() { "link" } else { comment }.to_owned();
        self.builder.open_inline(Element::Link(url));
        self.builder.inline(Event::Text { font, text });
        self.builder.close_inline();
    }

    /// Ends the picture whose records have been read, if there is one. An icon of an attachment is no image of the mail.
    fn end_picture(&mut self, losses: &mut Losses) {
        match self.images.end(self.files > 0, losses) {
            None => {}
            Some(Shown::Picture(picture)) => self.builder.inline(Event::Picture(picture)),
            Some(Shown::File(name)) => self.builder.inline(Event::Placeholder(format!("image: {name}"))),
            // The picture of an object has its word already.
            Some(Shown::Nowhere) if self.objects > 0 => {}
            Some(Shown::Nowhere) => self.builder.inline(Event::Placeholder("image".to_owned())),
        }
    }

    /// The words below a picture, on a line of their own.
    fn caption(&mut self, text: String, losses: &mut Losses) {
        self.end_picture(losses);
        let font = self.fonts.index(self.font, None);
        self.builder.inline(Event::LineBreak);
        self.builder.inline(Event::Text { font, text });
        self.builder.inline(Event::LineBreak);
    }

    /// A field of a form shows the item of its name. What a formula computes without storing it is not known.
    fn field(&mut self, name: &str, losses: &mut Losses) {
        if self.note.has(name) {
            return self.text(self.font, &self.note.texts(name).join("; "));
        }
        losses.add(LossKind::FormulaNotComputed, format!("field {name}"));
    }

    fn begin_table(&mut self, fits_window: bool) {
        let (depth, inline_depth) = (self.builder.depth(), self.builder.inline_depth());
        self.builder.open_block(Element::Table { full_width: fits_window });
        let (row, row_place, told, left) = (None, usize::MAX, HashSet::new(), 0);
        self.tables.push(Table { depth, inline_depth, fits_window, row, row_place, told, left });
    }

    fn cell(&mut self, cell: TableCell, losses: &mut Losses) {
        let Some(table) = self.tables.last_mut() else {
            losses.add(LossKind::RichTextDamaged, "a cell stands outside a table");
            return;
        };
        let (depth, inline_depth) = (table.depth, table.inline_depth);
        let new_row = table.row != Some(cell.row);
        (table.row, table.left) = (Some(cell.row), cell.left);
        let narrow = cell.column_span == 1 && !cell.covered && table.told.insert(cell.column);
        let width = if narrow { width(&cell, table.fits_window) } else { Width::Open };
        self.builder.close_inline_to(inline_depth);
        self.close_to(depth + if new_row { 1 } else { 2 });
        if new_row {
            let place = self.builder.open_row();
            self.tables.last_mut().into_iter().for_each(|table| table.row_place = place);
        }
        if !cell.covered {
            self.builder.open_block(Element::Cell(Cell {
                row_span: cell.row_span,
                column_span: cell.column_span,
                width,
                borders: cell.borders,
                vertical: cell.vertical,
                background: cell.background.and_then(font::palette),
            }));
        }
    }

    /// Gives the row that is open the label that Notes shows on its tab. The record stands behind the text of a cell.
    fn label_row(&mut self, label: String) {
        if let Some(table) = self.tables.last() {
            self.builder.label_row(table.row_place, label);
        }
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
        let font = self.fonts.index(self.font, None);
        for line in html::to_text(&html).lines() {
            self.builder.paragraph();
            self.builder.inline(Event::Text { font, text: line.to_owned() });
        }
    }
}

/// Whether a record belongs to a picture whose records have begun.
fn is_of_picture(construct: &Construct<'_>) -> bool {
    matches!(
        construct,
        Construct::Image(_)
            | Construct::ImageSegment(_)
            | Construct::Bitmap(_)
            | Construct::BitmapSegment(_)
            | Construct::ColorTable(_)
            | Construct::PatternTable(_)
            | Construct::Metafile(_)
            | Construct::MetafileSegment(_)
            | Construct::OldImage(_)
            | Construct::AltText(_)
            | Construct::Nothing
    )
}

const TWIPS_PER_POINT: u16 = 20;

/// The width of a cell: of a table that fits the window in parts of it.
fn width(cell: &TableCell, fits_window: bool) -> Width {
    let percent = u32::from(cell.share) * 100 / u32::from(TableCell::FULL_WIDTH);
    let points = cell.right.saturating_sub(cell.left) / TWIPS_PER_POINT;
    match (fits_window, percent, points) {
        (true, 1..=100, _) => Width::Percent(percent as u8),
        (true, ..) | (false, _, 0) => Width::Open,
        (false, _, points) => Width::Points(points),
    }
}

/// The distance of a left margin from where text begins, in twips. Margins count from the edge of the paper; so do
/// the edges of cells.
fn left_indent(definition: &StyleDefinition, cell_left: Option<u16>) -> u16 {
    /// Where text without indent begins; 12 percent of the window are as much.
    const MARGIN_TWIPS: u16 = 1440;
    const TWIPS_PER_PERCENT: u16 = 120;
    /// The space between a cell and its text.
    const CELL_MARGIN_TWIPS: u16 = 200;
    let begin = match cell_left {
        None => MARGIN_TWIPS,
        // DXL does not tell the edges of cells.
        Some(0) if definition.left_margin >= MARGIN_TWIPS => MARGIN_TWIPS,
        Some(left) => left.saturating_add(CELL_MARGIN_TWIPS),
    };
    let has2 = |flag: u16| definition.flags2 & flag != 0;
    match () {
        () if has2(StyleDefinition::LEFT_BY_DEFAULT2) => 0,
        () if has2(StyleDefinition::LEFT_IN_PERCENT2) => {
            definition.left_percent.saturating_mul(TWIPS_PER_PERCENT).saturating_sub(MARGIN_TWIPS)
        }
        () => definition.left_margin.saturating_sub(begin),
    }
}

fn list_mark(definition: &StyleDefinition) -> Option<ListMark> {
    Some(match definition.flags2 & StyleDefinition::LIST_MASK2 {
        StyleDefinition::CHECKED2 => ListMark::Checked,
        StyleDefinition::UNCHECKED2 => ListMark::Unchecked,
        StyleDefinition::CIRCLE2 => ListMark::Circle,
        StyleDefinition::SQUARE2 => ListMark::Square,
        StyleDefinition::ROMAN_UPPER2 => ListMark::RomanUpper,
        StyleDefinition::ROMAN_LOWER2 => ListMark::RomanLower,
        StyleDefinition::ALPHA_UPPER2 => ListMark::AlphaUpper,
        StyleDefinition::ALPHA_LOWER2 => ListMark::AlphaLower,
        _ if definition.flags & StyleDefinition::BULLET != 0 => ListMark::Bullet,
        _ if definition.flags & StyleDefinition::NUMBERED != 0 => ListMark::Number,
        _ => return None,
    })
}

fn paragraph_style(definition: &StyleDefinition, cell_left: Option<u16>) -> ParagraphStyle {
    /// Half a page; more is damage.
    const LARGEST_INDENT_POINTS: u16 = 300;
    let has = |flag: u16| definition.flags & flag != 0;
    let indent = (left_indent(definition, cell_left) / TWIPS_PER_POINT).min(LARGEST_INDENT_POINTS);
    let list = list_mark(definition);
    let first_line = i32::from(definition.first_line_margin) - i32::from(definition.left_margin);
    let first_line = first_line / i32::from(TWIPS_PER_POINT);
    // Text never hangs out of what holds it.
    let first_line = first_line.clamp(-i32::from(indent), i32::from(LARGEST_INDENT_POINTS));
    let first_line = if list.is_some() || definition.first_line_margin == 0 { 0 } else { first_line };
    ParagraphStyle {
        alignment: match definition.justify {
            1 => Alignment::Right,
            2 => Alignment::Full,
            3 => Alignment::Center,
            _ => Alignment::Left,
        },
        list,
        indent,
        first_line: first_line as i16,
        right_to_left: definition.flags2 & StyleDefinition::RIGHT_TO_LEFT2 != 0,
        space_before: definition.space_before > 0,
        space_after: definition.space_after > 0,
        hidden: has(StyleDefinition::HIDE_READING) || has(StyleDefinition::HIDE_NOTES),
        conditional: has(StyleDefinition::HIDE_FORMULA),
    }
}
