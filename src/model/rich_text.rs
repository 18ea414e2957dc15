//! Rich text as a flat list of events: what CD records and DXL elements are read into and HTML and plain text are
//! rendered from.
//!
//! What always holds, kept by [`Builder`]: every `Open` has its `Close`, in proper order; text, images and other
//! inline events stand in a paragraph; links and pop-ups stand in a paragraph and do not cross its end; a row
//! stands in a table and a cell in a row. A flat list needs no recursion, so its depth cannot harm a renderer, but
//! it is limited all the same ([`crate::base::limits::NESTING_LEVELS`]).

use crate::base::limits::NESTING_LEVELS;
pub use crate::notes::richtext::table::VerticalPlace;
use std::sync::Arc;

/// The look of a run of text.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Font {
    pub bold: bool,
    pub italic: bool,
    pub underline: bool,
    pub strike: bool,
    pub superscript: bool,
    pub subscript: bool,
    /// A CSS family list; `None` is the reader's default.
    pub family: Option<Arc<str>>,
    /// In points; 0 is the reader's default.
    pub size: u8,
    /// Red, green, blue.
    pub color: Option<[u8; 3]>,
}

/// How the lines of a paragraph are set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Alignment {
    #[default]
    Left,
    Right,
    Center,
    Full,
}

/// The mark before a paragraph.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ListMark {
    Bullet,
    Circle,
    Square,
    Number,
    RomanUpper,
    RomanLower,
    AlphaUpper,
    AlphaLower,
    Checked,
    Unchecked,
}

impl ListMark {
    /// Whether the mark tells the place in the list.
    pub fn is_ordered(self) -> bool {
        matches!(
            self,
            Self::Number | Self::RomanUpper | Self::RomanLower | Self::AlphaUpper | Self::AlphaLower
        )
    }

    /// Whether paragraphs of both marks can stand in one list.
    pub fn is_like(self, other: Self) -> bool {
        let box_ = |mark| matches!(mark, Self::Checked | Self::Unchecked);
        self == other || (box_(self) && box_(other))
    }
}

/// The style of a paragraph.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct ParagraphStyle {
    pub alignment: Alignment,
    pub list: Option<ListMark>,
    /// Of the left edge, in points. Of a list it tells the level.
    pub indent: u16,
    /// Of the first line against the others, in points; negative where it hangs out.
    pub first_line: i16,
    pub right_to_left: bool,
    /// A blank line stands before or after.
    pub space_before: bool,
    pub space_after: bool,
    pub hidden: bool,
    /// A formula, which is not computed, might hide it.
    pub conditional: bool,
}

/// Something that holds other events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Element {
    Paragraph(ParagraphStyle),
    /// A link; the target is a URL of a harmless scheme.
    Link(String),
    /// Text that pops up.
    Popup(String),
    Section {
        title: String,
    },
    Table {
        /// It is as wide as the window.
        full_width: bool,
    },
    Row {
        /// The tab on which Notes shows the row, or the title above it; may be empty.
        label: String,
    },
    Cell(Cell),
}

/// How wide a column is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Width {
    /// As its text needs, or as an earlier row has told.
    #[default]
    Open,
    Points(u16),
    Percent(u8),
}

/// A cell of a table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cell {
    /// Rows and columns that it takes; 0 and 1 are one.
    pub row_span: u8,
    pub column_span: u8,
    pub width: Width,
    /// Whether there is a line left, right, at the top and at the bottom.
    pub borders: [bool; 4],
    pub vertical: VerticalPlace,
    /// What is behind the text: red, green, blue.
    pub background: Option<[u8; 3]>,
}

/// An image at its place in the text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Picture {
    /// Index into [`RichText::images`].
    pub image: usize,
    /// Shown size in pixels; 0 is the size of the image.
    pub width: u16,
    pub height: u16,
    pub alt: String,
}

/// One event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    Open(Element),
    Close,
    Text {
        font: usize,
        text: String,
    },
    LineBreak,
    Picture(Picture),
    /// The place of an attachment, by the name shown.
    Attachment {
        shown: String,
    },
    /// Words in brackets in the place of something that cannot be shown: a button, an object.
    Placeholder(String),
    Anchor(String),
    /// HTML that the author wrote, not yet made safe.
    Html(String),
    Rule,
}

/// A document of rich text.
#[derive(Clone, Debug, Default)]
pub struct RichText {
    pub events: Vec<Event>,
    /// The fonts that [`Event::Text`] names by index.
    pub fonts: Vec<Font>,
    /// The bytes of the images, each once.
    pub images: Vec<Arc<[u8]>>,
}

/// Makes a [`RichText`] out of whatever order the source has.
#[derive(Debug, Default)]
pub struct Builder {
    events: Vec<Event>,
    /// Blocks that are open: sections, tables, rows, cells.
    blocks: Vec<Element>,
    /// Blocks that were not opened because of the limit.
    too_deep: usize,
    in_paragraph: bool,
    style: ParagraphStyle,
    /// Paragraphs that began and have no content yet.
    waiting: usize,
    /// Links and pop-ups that text stands in; the first `inline_open` of them have their event.
    inline: Vec<Element>,
    inline_open: usize,
}

impl Builder {
    pub fn paragraph(&mut self) {
        self.end_paragraph();
        self.waiting += 1;
    }

    /// The style from here on, of the paragraph that has just begun.
    pub fn style(&mut self, style: ParagraphStyle) {
        if self.in_paragraph && style != self.style {
            self.paragraph();
        }
        self.style = style;
    }

    /// Adds an event that stands in a paragraph. What stands between the cells of a table is dropped: it belongs to
    /// a cell that the span of another one covers.
    pub fn inline(&mut self, event: Event) {
        if self.style.hidden || self.between_cells() {
            return;
        }
        self.begin_paragraph();
        for element in &self.inline[self.inline_open..] {
            self.events.push(Event::Open(element.clone()));
        }
        self.inline_open = self.inline.len();
        self.events.push(event);
    }

    /// Opens a link or a pop-up for the text to come.
    pub fn open_inline(&mut self, element: Element) {
        if self.inline.len() < NESTING_LEVELS {
            self.inline.push(element);
        }
    }

    /// The innermost link, if no text stands in it yet.
    pub fn untouched_link(&mut self) -> Option<&mut String> {
        let untouched = self.inline_open < self.inline.len();
        match self.inline.last_mut() {
            Some(Element::Link(target)) if untouched => Some(target),
            _ => None,
        }
    }

    pub fn close_inline(&mut self) {
        if self.inline.pop().is_some() && self.inline_open > self.inline.len() {
            self.inline_open = self.inline.len();
            self.events.push(Event::Close);
        }
    }

    /// Closes the links and pop-ups that were opened since there were `depth` of them.
    pub fn close_inline_to(&mut self, depth: usize) {
        while self.inline.len() > depth {
            self.close_inline();
        }
    }

    /// How many links and pop-ups are open.
    pub fn inline_depth(&self) -> usize {
        self.inline.len()
    }

    /// Opens a section, table, row or cell. Beyond the limit its content stands in the block around it.
    pub fn open_block(&mut self, element: Element) {
        let holds_text = matches!(element, Element::Section { .. } | Element::Table { .. });
        if holds_text && self.between_cells() {
            self.open_block(Element::Cell(Cell::default()));
        }
        self.end_paragraph();
        self.flush_blank_lines();
        // A table that is opened has room for its rows and cells.
        if self.too_deep > 0 || (holds_text && self.blocks.len() + 3 > NESTING_LEVELS) {
            self.too_deep += 1;
            return;
        }
        self.events.push(Event::Open(element.clone()));
        self.blocks.push(element);
    }

    /// Closes the innermost block.
    pub fn close_block(&mut self) {
        self.end_paragraph();
        self.waiting = 0;
        if self.too_deep > 0 {
            self.too_deep -= 1;
        } else if self.blocks.pop().is_some() {
            self.events.push(Event::Close);
        }
    }

    /// How many blocks are open, those beyond the limit too.
    pub fn depth(&self) -> usize {
        self.blocks.len() + self.too_deep
    }

    /// The cell that was opened by the last event.
    pub fn last_cell(&mut self) -> Option<&mut Cell> {
        match self.events.last_mut() {
            Some(Event::Open(Element::Cell(cell))) => Some(cell),
            _ => None,
        }
    }

    /// Opens a row and gives its place, for [`Builder::label_row`].
    pub fn open_row(&mut self) -> usize {
        self.open_block(Element::Row { label: String::new() });
        self.events.len() - 1
    }

    /// Gives a row a title.
    pub fn label_row(&mut self, place: usize, label: String) {
        if let Some(Event::Open(Element::Row { label: own })) = self.events.get_mut(place) {
            *own = label;
        }
    }

    /// The title of the section that was opened by the last event.
    pub fn section_title(&mut self) -> Option<&mut String> {
        match self.events.last_mut() {
            Some(Event::Open(Element::Section { title })) => Some(title),
            _ => None,
        }
    }

    /// The picture that the last event shows.
    pub fn last_picture(&mut self) -> Option<&mut Picture> {
        match self.events.last_mut() {
            Some(Event::Picture(picture)) => Some(picture),
            _ => None,
        }
    }

    /// Adds an event that stands between paragraphs.
    pub fn block(&mut self, event: Event) {
        if self.style.hidden || self.between_cells() {
            return;
        }
        self.end_paragraph();
        self.flush_blank_lines();
        self.events.push(event);
    }

    /// Closes all that is open.
    pub fn finish(mut self, fonts: Vec<Font>, images: Vec<Arc<[u8]>>) -> RichText {
        while self.depth() > 0 {
            self.close_block();
        }
        self.end_paragraph();
        RichText { events: self.events, fonts, images }
    }

    fn between_cells(&self) -> bool {
        matches!(self.blocks.last(), Some(Element::Table { .. } | Element::Row { .. }))
    }

    fn begin_paragraph(&mut self) {
        if !self.in_paragraph {
            self.flush_blank_lines();
            self.events.push(Event::Open(Element::Paragraph(self.style)));
            self.in_paragraph = true;
        }
    }

    fn end_paragraph(&mut self) {
        if self.in_paragraph {
            self.events.extend(std::iter::repeat_n(Event::Close, self.inline_open + 1));
            self.inline_open = 0;
            self.in_paragraph = false;
        }
    }

    /// The last waiting paragraph is where the new content goes; those before it are blank lines.
    fn flush_blank_lines(&mut self) {
        let lines = if self.between_cells() { 0 } else { self.waiting };
        for _ in 1..lines {
            self.events.push(Event::Open(Element::Paragraph(ParagraphStyle::default())));
            self.events.push(Event::Close);
        }
        self.waiting = 0;
    }
}
