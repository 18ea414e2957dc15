//! Rich text as HTML that needs no trust: a closed list of elements and attributes, every text escaped.
//!
//! HTML that the author wrote passes a sanitizer. Images are named by `cid:` (RFC 2392) and stand beside the text.

use crate::base::limits::NESTING_LEVELS;
use crate::conversion::link::SCHEMES;
use crate::model::rich_text::{
    Alignment, Cell, Element, Event, Font, ListMark, ParagraphStyle, Picture, RichText, VerticalPlace, Width,
};
use std::sync::LazyLock;

/// Takes away what could run or send: scripts, forms, event attributes, objects, style sheets.
static SANITIZER: LazyLock<ammonia::Builder<'static>> = LazyLock::new(|| {
    let mut builder = ammonia::Builder::default();
    builder.url_schemes(SCHEMES.into()).link_rel(None);
    builder
});

/// HTML of unknown origin, made safe.
pub fn sanitize(html: &str) -> String {
    SANITIZER.clean(html).to_string()
}

/// The words of HTML.
pub fn to_text(html: &str) -> String {
    mail_parser::decoders::html::html_to_text(html)
}

/// A whole page. `content_ids` names the images by their place in the text's list.
pub fn page(text: &RichText, content_ids: &[String]) -> String {
    let default = default_font(text);
    let mut renderer = Renderer {
        out: String::with_capacity(text.events.len() * 32),
        fonts: text.fonts.iter().map(|font| FontTags::new(font, default)).collect(),
        content_ids,
        open: Vec::new(),
        lists: Vec::new(),
        cells: 0,
        row_label: "",
        after_space: true,
    };
    for (at, event) in text.events.iter().enumerate() {
        let ends_line = matches!(text.events.get(at + 1), Some(Event::Close | Event::LineBreak));
        renderer.event(event, ends_line);
    }
    renderer.end_lists();
    wrap(&renderer.out, &style(default, &Font::default()))
}

/// A page around a body that is HTML already.
pub fn wrap(body: &str, style: &str) -> String {
    // Paragraphs of Notes are lines: they have no space between them.
    format!(
        "<!DOCTYPE html>\n<html><head><meta http-equiv=\"Content-Type\" content=\"text/html; charset=utf-8\">\n\
         <style>p,ul,ol{{margin-top:0;margin-bottom:0}}table{{font:inherit}}</style></head>\n<body{style}>\n{body}</body></html>\n"
    )
}

/// The font of most of the text; runs in it need no style of their own.
fn default_font(text: &RichText) -> &Font {
    static NONE: LazyLock<Font> = LazyLock::new(Font::default);
    let mut weights = vec![0; text.fonts.len()];
    for event in &text.events {
        if let Event::Text { font, text } = event {
            weights[*font] += text.len();
        }
    }
    let heaviest = weights.iter().enumerate().max_by_key(|(index, weight)| (**weight, usize::MAX - index));
    heaviest.map_or(&NONE, |(index, _)| &text.fonts[index])
}

/// What stands before and after a run of text.
struct FontTags {
    before: String,
    after: String,
}

impl FontTags {
    fn new(font: &Font, default: &Font) -> Self {
        let (mut before, mut after) = (String::new(), String::new());
        let style = style(font, default);
        if !style.is_empty() {
            before = format!("<span{style}>");
            after.push_str("</span>");
        }
        let tags = [
            (font.bold, "b"),
            (font.italic, "i"),
            (font.underline, "u"),
            (font.strike, "s"),
            (font.superscript, "sup"),
            (font.subscript, "sub"),
        ];
        for (_, tag) in tags.into_iter().filter(|(set, _)| *set) {
            append!(before, "<{tag}>");
            after.insert_str(0, &format!("</{tag}>"));
        }
        Self { before, after }
    }
}

/// A style attribute with what differs from the default; empty if nothing does.
fn style(font: &Font, default: &Font) -> String {
    let mut style = String::new();
    if let Some(family) = font.family.as_deref().filter(|_| font.family != default.family) {
        append!(style, "font-family:{family};");
    }
    if font.size > 0 && font.size != default.size {
        append!(style, "font-size:{}pt;", font.size);
    }
    if font.color != default.color {
        let [red, green, blue] = font.color.unwrap_or_default();
        append!(style, "color:#{red:02x}{green:02x}{blue:02x};");
    }
    if style.is_empty() { style } else { format!(" style=\"{}\"", style.trim_end_matches(';')) }
}

/// What a close event ends.
enum Open {
    Tag(&'static str),
    /// A paragraph or list item; no content yet while the flag is set.
    Paragraph {
        tag: &'static str,
        empty: bool,
    },
    /// A link without a target.
    Nothing,
}

struct OpenList {
    mark: ListMark,
    indent: u16,
    /// It stands in an item of another list, which ends with it.
    in_item: bool,
}

/// What ends an item of a list.
const ITEM_END: &str = "</li>\n";

struct Renderer<'a> {
    out: String,
    fonts: Vec<FontTags>,
    content_ids: &'a [String],
    open: Vec<Open>,
    /// The lists that the last paragraph stood in; each stands in the last item of the one before it.
    lists: Vec<OpenList>,
    /// How many cells are open.
    cells: usize,
    /// The label of the row whose first cell is to come.
    row_label: &'a str,
    /// The next space would be the first of a line or follow another one.
    after_space: bool,
}

impl<'a> Renderer<'a> {
    fn event(&mut self, event: &'a Event, ends_line: bool) {
        match event {
            Event::Open(element) => self.open(element),
            Event::Close => self.close(),
            // Blanks at the end of a line take no room in Notes; here they would begin lines of their own.
            Event::Text { font, text }
                if ends_line && matches!(self.open.last(), Some(Open::Paragraph { .. })) =>
            {
                self.text(*font, text.trim_end_matches(' '));
            }
            Event::Text { font, text } => self.text(*font, text),
            _ => {
                self.mark_content();
                self.content(event);
            }
        }
    }

    fn content(&mut self, event: &Event) {
        match event {
            Event::Open(_) | Event::Close | Event::Text { .. } => {}
            Event::LineBreak => {
                self.out.push_str("<br>\n");
                self.after_space = true;
            }
            Event::Picture(picture) => self.picture(picture),
            Event::Attachment { shown } => self.bracketed("attachment: ", shown),
            Event::Placeholder(words) => self.bracketed("", words),
            Event::Anchor(name) => {
                append!(self.out, "<a id=\"{}\"></a>", Escaped(name));
            }
            Event::Html(html) => {
                self.end_lists();
                self.out.push_str("<div>");
                self.out.push_str(&sanitize(html));
                self.out.push_str("</div>\n");
            }
            Event::Rule => {
                self.end_lists();
                self.out.push_str("<hr>\n");
            }
        }
    }

    fn text(&mut self, font: usize, text: &str) {
        if text.is_empty() {
            return;
        }
        self.mark_content();
        self.out.push_str(&self.fonts[font].before);
        match self.cells {
            0 => escape_text(text, &mut self.out, &mut self.after_space),
            _ => self.cell_text(text),
        }
        self.out.push_str(&self.fonts[font].after);
    }

    /// Authors move words within a cell by long runs of blanks. Such a run does not go on in the next line, but as
    /// blanks of which every second may not break it would, and make the row very tall.
    fn cell_text(&mut self, text: &str) {
        const LONG_RUN: &str = "                ";
        let mut rest = text;
        while let Some(at) = rest.find(LONG_RUN) {
            let (before, run) = rest.split_at(at);
            escape_text(before, &mut self.out, &mut self.after_space);
            rest = run.trim_start_matches(' ');
            let blanks = &run[..run.len() - rest.len()];
            append!(self.out, "<span style=\"white-space:pre-wrap\">{blanks}</span>");
            self.after_space = true;
        }
        escape_text(rest, &mut self.out, &mut self.after_space);
    }

    fn bracketed(&mut self, word: &str, text: &str) {
        append!(self.out, "[{word}{}]", Escaped(text));
        self.after_space = false;
    }

    fn picture(&mut self, picture: &Picture) {
        let Some(content_id) = self.content_ids.get(picture.image) else { return };
        append!(self.out, "<img src=\"cid:{}\"", Escaped(content_id));
        if picture.width > 0 && picture.height > 0 {
            append!(self.out, " width=\"{}\" height=\"{}\"", picture.width, picture.height);
        }
        append!(self.out, " alt=\"{}\">", Escaped(&picture.alt));
        self.after_space = false;
    }

    fn open(&mut self, element: &'a Element) {
        match element {
            Element::Paragraph(style) => self.paragraph(style),
            Element::Link(target) if target.is_empty() => self.open.push(Open::Nothing),
            Element::Link(target) => {
                self.mark_content();
                append!(self.out, "<a href=\"{}\">", Escaped(target));
                self.open.push(Open::Tag("a"));
            }
            Element::Popup(text) => {
                self.mark_content();
                append!(self.out, "<span title=\"{}\">", Escaped(text));
                self.open.push(Open::Tag("span"));
            }
            Element::Section { title } => {
                self.block("<div>");
                append!(self.out, "<b>{}</b>\n", Escaped(title));
                self.open.push(Open::Tag("div"));
            }
            Element::Table { full_width } => {
                self.block("<table cellspacing=\"0\" cellpadding=\"2\" style=\"border-collapse:collapse\"");
                self.out.push_str(if *full_width { " width=\"100%\">\n" } else { ">\n" });
                self.open.push(Open::Tag("table"));
            }
            Element::Row { label } => {
                self.block("<tr valign=\"top\">");
                self.row_label = label;
                self.open.push(Open::Tag("tr"));
            }
            Element::Cell(cell) => {
                self.end_lists();
                self.cell(cell);
                self.open.push(Open::Tag("td"));
                self.cells += 1;
                let label = std::mem::take(&mut self.row_label);
                if !label.is_empty() {
                    append!(self.out, "<p><b>{}</b></p>\n", Escaped(label));
                }
            }
        }
    }

    fn cell(&mut self, cell: &Cell) {
        self.out.push_str("<td");
        for (name, span) in [("rowspan", cell.row_span), ("colspan", cell.column_span)] {
            if span > 1 {
                append!(self.out, " {name}=\"{span}\"");
            }
        }
        match cell.width {
            Width::Open => {}
            // 72 points are 96 pixels.
            Width::Points(points) => append!(self.out, " width=\"{}\"", u32::from(points) * 4 / 3),
            Width::Percent(percent) => append!(self.out, " width=\"{percent}%\""),
        }
        match cell.vertical {
            VerticalPlace::Top => {}
            VerticalPlace::Middle => self.out.push_str(" valign=\"middle\""),
            VerticalPlace::Bottom => self.out.push_str(" valign=\"bottom\""),
        }
        if let Some([red, green, blue]) = cell.background {
            append!(self.out, " bgcolor=\"#{red:02x}{green:02x}{blue:02x}\"");
        }
        self.out.push_str(&border_style(cell.borders));
        self.out.push('>');
    }

    fn block(&mut self, tag: &str) {
        self.end_lists();
        self.out.push_str(tag);
    }

    fn paragraph(&mut self, style: &ParagraphStyle) {
        match style.list {
            Some(mark) => self.enter_list(mark, style.indent),
            None => self.end_lists(),
        }
        let tag = if style.list.is_some() { "li" } else { "p" };
        append!(self.out, "<{tag}{}>", paragraph_style(style));
        match style.list {
            Some(ListMark::Checked) => self.out.push_str("&#x2611; "),
            Some(ListMark::Unchecked) => self.out.push_str("&#x2610; "),
            _ => {}
        }
        self.open.push(Open::Paragraph { tag, empty: true });
        self.after_space = true;
    }

    /// Ends the lists that a paragraph does not stand in and begins its own. A list with a larger indent stands in the
    /// one around it, whose numbers go on behind it.
    fn enter_list(&mut self, mark: ListMark, indent: u16) {
        while self
            .lists
            .last()
            .is_some_and(|open| open.indent > indent || (open.indent == indent && !open.mark.is_like(mark)))
        {
            self.end_list();
        }
        if self.lists.last().is_none_or(|open| open.indent < indent) && self.lists.len() < NESTING_LEVELS {
            let in_item = !self.lists.is_empty() && self.reopen_item();
            self.out.push_str(list_tags(mark).0);
            self.lists.push(OpenList { mark, indent, in_item });
        }
    }

    /// Takes back the end of the last item: a list may not stand beside the items of another one, only inside them.
    fn reopen_item(&mut self) -> bool {
        let ended = self.out.ends_with(ITEM_END);
        if ended {
            self.out.truncate(self.out.len() - ITEM_END.len());
            self.out.push('\n');
        }
        ended
    }

    fn mark_content(&mut self) {
        for open in self.open.iter_mut().rev() {
            if let Open::Paragraph { empty, .. } = open {
                *empty = false;
                return;
            }
            if matches!(open, Open::Tag("td" | "div")) {
                return;
            }
        }
    }

    fn close(&mut self) {
        match self.open.pop() {
            Some(Open::Paragraph { tag, empty }) => {
                // A paragraph without content would have no height.
                let filler = if empty { "<br>" } else { "" };
                append!(self.out, "{filler}</{tag}>\n");
            }
            Some(Open::Tag(tag @ ("a" | "span"))) => append!(self.out, "</{tag}>"),
            Some(Open::Tag(tag)) => {
                self.cells -= usize::from(tag == "td");
                self.end_lists();
                append!(self.out, "</{tag}>\n");
            }
            Some(Open::Nothing) | None => {}
        }
    }

    fn end_list(&mut self) {
        if let Some(list) = self.lists.pop() {
            self.out.push_str(list_tags(list.mark).1);
            self.out.push_str(if list.in_item { ITEM_END } else { "" });
        }
    }

    fn end_lists(&mut self) {
        while !self.lists.is_empty() {
            self.end_list();
        }
    }
}

fn list_tags(mark: ListMark) -> (&'static str, &'static str) {
    match mark {
        ListMark::Bullet => ("<ul>\n", "</ul>\n"),
        ListMark::Circle => ("<ul style=\"list-style-type:circle\">\n", "</ul>\n"),
        ListMark::Square => ("<ul style=\"list-style-type:square\">\n", "</ul>\n"),
        ListMark::Checked | ListMark::Unchecked => ("<ul style=\"list-style-type:none\">\n", "</ul>\n"),
        ListMark::Number => ("<ol>\n", "</ol>\n"),
        ListMark::RomanUpper => ("<ol type=\"I\">\n", "</ol>\n"),
        ListMark::RomanLower => ("<ol type=\"i\">\n", "</ol>\n"),
        ListMark::AlphaUpper => ("<ol type=\"A\">\n", "</ol>\n"),
        ListMark::AlphaLower => ("<ol type=\"a\">\n", "</ol>\n"),
    }
}

/// The lines around a cell; each side on its own where they differ.
fn border_style(borders: [bool; 4]) -> String {
    let [left, right, top, bottom] = borders;
    match borders {
        [false, false, false, false] => String::new(),
        [true, true, true, true] => " style=\"border:1px solid\"".to_owned(),
        _ => {
            let [top, right, bottom, left] =
                [top, right, bottom, left].map(|line| if line { "solid" } else { "none" });
            format!(" style=\"border-width:1px;border-style:{top} {right} {bottom} {left}\"")
        }
    }
}

fn paragraph_style(style: &ParagraphStyle) -> String {
    let mut css = String::new();
    match style.alignment {
        Alignment::Left => {}
        Alignment::Right => css.push_str("text-align:right;"),
        Alignment::Center => css.push_str("text-align:center;"),
        Alignment::Full => css.push_str("text-align:justify;"),
    }
    if style.indent > 0 && style.list.is_none() {
        let side = if style.right_to_left { "right" } else { "left" };
        append!(css, "margin-{side}:{}pt;", style.indent);
    }
    if style.first_line != 0 {
        append!(css, "text-indent:{}pt;", style.first_line);
    }
    for (set, side) in [(style.space_before, "top"), (style.space_after, "bottom")] {
        if set {
            append!(css, "margin-{side}:1em;");
        }
    }
    let direction = if style.right_to_left { " dir=\"rtl\"" } else { "" };
    if css.is_empty() {
        return direction.to_owned();
    }
    format!("{direction} style=\"{}\"", css.trim_end_matches(';'))
}

/// Text with the characters that HTML gives a meaning taken out; good in elements and quoted attributes.
struct Escaped<'a>(&'a str);

impl std::fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut rest = self.0;
        while let Some(at) = rest.find(|c: char| matches!(c, '&' | '<' | '>' | '"') || is_control(c)) {
            f.write_str(&rest[..at])?;
            let mut characters = rest[at..].chars();
            f.write_str(characters.next().map_or("", entity))?;
            rest = characters.as_str();
        }
        f.write_str(rest)
    }
}

fn is_control(c: char) -> bool {
    c.is_control() && !matches!(c, '\n' | '\t')
}

fn entity(c: char) -> &'static str {
    match c {
        '&' => "&amp;",
        '<' => "&lt;",
        '>' => "&gt;",
        '"' => "&quot;",
        _ => "",
    }
}

/// Escapes text and keeps its runs of spaces: every space after another one does not break. What needs no change is
/// copied in runs; all that is changed is ASCII, so a run never ends inside a character.
fn escape_text(text: &str, out: &mut String, after_space: &mut bool) {
    let mut copied = 0;
    for (at, byte) in text.bytes().enumerate() {
        let changed = match byte {
            b' ' => *after_space,
            b'\t' | b'&' | b'<' | b'>' | b'"' => true,
            _ => is_control(char::from(byte)) && byte.is_ascii(),
        };
        if changed {
            out.push_str(&text[copied..at]);
            copied = at + 1;
        }
        match byte {
            b'\t' => {
                out.push_str(if *after_space { "&nbsp; &nbsp; " } else { " &nbsp; &nbsp;" });
            }
            b' ' => {
                out.push_str(if changed { "&nbsp;" } else { "" });
                *after_space = !*after_space;
            }
            _ => {
                out.push_str(if changed { entity(char::from(byte)) } else { "" });
                *after_space = false;
            }
        }
    }
    out.push_str(&text[copied..]);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn escaped(text: &str) -> String {
        let mut out = String::new();
        escape_text(text, &mut out, &mut false);
        out
    }

    // R02.
    #[test]
    fn r02_text_is_escaped_and_spaces_are_kept() {
        assert_eq!(escaped("a < b & c  d"), "a &lt; b &amp; c &nbsp;d");
        assert_eq!(escaped("a\tb"), "a &nbsp; &nbsp;b");
        assert_eq!(escaped("a   b"), "a &nbsp; b");
        assert_eq!(escaped("\u{E9} \u{1F600}  \u{E9}"), "\u{E9} \u{1F600} &nbsp;\u{E9}");
        assert_eq!(escaped("a\u{0}\"b"), "a&quot;b");
    }

    // R13.
    #[test]
    fn r13_scripts_are_taken_out() {
        assert_eq!(sanitize("<b>x</b><script>y</script>"), "<b>x</b>");
        assert_eq!(sanitize("<a href=\"javascript:x()\" onclick=\"y\">z</a>"), "<a>z</a>");
    }
}
