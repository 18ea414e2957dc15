//! Rich text as plain text, and plain text as `format=flowed` (RFC 3676).

use crate::base::limits::NESTING_LEVELS;
use crate::conversion::html;
use crate::model::rich_text::{Element, Event, ListMark, ParagraphStyle, RichText};

/// Columns after which a line is broken; what cannot be broken stays longer.
const WIDTH: usize = 78;

/// The text as lines, each ended by a line feed; not wrapped.
pub fn text(text: &RichText) -> String {
    let mut renderer = Renderer { frames: vec![Frame::Lines(Vec::new())], ..Renderer::default() };
    text.events.iter().for_each(|event| renderer.event(event));
    let mut out = String::new();
    if let Some(Frame::Lines(lines)) = renderer.frames.into_iter().next() {
        lines.iter().for_each(|line| {
            out.push_str(line);
            out.push('\n');
        });
    }
    out
}

/// Wraps lines: a line that goes on ends with a space, a hard end has none (RFC 3676 section 4.2).
pub fn flow(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 32);
    for line in text.lines() {
        flow_line(line.trim_end(), &mut out);
    }
    out
}

fn flow_line(line: &str, out: &mut String) {
    let mut rest = line;
    loop {
        // RFC 3676 section 4.4: what looks like a quote or could be changed on its way gets a space in front.
        if rest.starts_with([' ', '>']) || rest.starts_with("From ") {
            out.push(' ');
        }
        let Some(end) = break_after(rest) else {
            out.push_str(rest);
            out.push('\n');
            return;
        };
        out.push_str(&rest[..end]);
        out.push('\n');
        rest = &rest[end..];
    }
}

/// Where to break a line that is too long: after the last space that fits, else after the first one there is.
fn break_after(line: &str) -> Option<usize> {
    let limit = match line.as_bytes().get(..=WIDTH)? {
        start if start.is_ascii() => WIDTH,
        _ => line.char_indices().nth(WIDTH)?.0,
    };
    let fitting = line[..limit].rfind(' ').map(|at| at + 1);
    let end = fitting.or_else(|| line[limit..].find(' ').map(|at| limit + at + 1))?;
    (end < line.len()).then_some(end)
}

/// What an open element collects.
enum Frame {
    Lines(Vec<String>),
    Row {
        label: String,
        cells: Vec<Vec<String>>,
    },
    /// A link or pop-up: the place in the paragraph where its text begins, and what is told after it.
    Inline {
        start: usize,
        note: String,
    },
    /// Goes into the frame around it.
    Through,
    Paragraph(ParagraphStyle),
}

#[derive(Default)]
struct Renderer {
    frames: Vec<Frame>,
    /// The paragraph being read.
    line: String,
    /// The lists that the last paragraph stood in: indent, mark and the number of the last paragraph.
    lists: Vec<(u16, ListMark, usize)>,
}

impl Renderer {
    fn event(&mut self, event: &Event) {
        match event {
            Event::Open(element) => self.open(element),
            Event::Close => self.close(),
            Event::Text { text, .. } => self.text(text),
            Event::LineBreak => self.line.push('\n'),
            Event::Picture(picture) if picture.alt.is_empty() => self.line.push_str("[image]"),
            Event::Picture(picture) => append!(self.line, "[{}]", picture.alt),
            Event::Attachment { shown } => append!(self.line, "[attachment: {shown}]"),
            Event::Placeholder(words) => append!(self.line, "[{words}]"),
            Event::Anchor(_) => {}
            Event::Html(html) => {
                let text = html::to_text(html);
                self.push_lines(text.trim_end().lines().map(|line| line.trim_end().to_owned()).collect());
            }
            Event::Rule => self.push_lines(vec!["----".to_owned()]),
        }
    }

    fn text(&mut self, text: &str) {
        let unwanted = |c: char| c.is_control() && c != '\t';
        text.split(unwanted).for_each(|part| self.line.push_str(part));
    }

    fn open(&mut self, element: &Element) {
        let start = self.line.len();
        let frame = match element {
            Element::Paragraph(style) => {
                self.begin_paragraph(style);
                Frame::Paragraph(*style)
            }
            Element::Link(target) if target.is_empty() => Frame::Through,
            Element::Link(target) => Frame::Inline { start, note: format!("<{target}>") },
            Element::Popup(text) if text.is_empty() => Frame::Through,
            Element::Popup(text) => Frame::Inline { start, note: format!("({text})") },
            Element::Section { title } => {
                self.push_lines(vec![title.clone()]);
                Frame::Through
            }
            Element::Table { .. } => Frame::Through,
            Element::Row { label } => Frame::Row { label: label.clone(), cells: Vec::new() },
            Element::Cell(_) => Frame::Lines(Vec::new()),
        };
        if !matches!(frame, Frame::Paragraph(style) if style.list.is_some())
            && !matches!(frame, Frame::Inline { .. })
        {
            self.lists.clear();
        }
        self.frames.push(frame);
    }

    fn begin_paragraph(&mut self, style: &ParagraphStyle) {
        self.line.clear();
        let Some(mark) = style.list else { return };
        let number = self.enter_list(mark, style.indent);
        (1..self.lists.len()).for_each(|_| self.line.push_str("  "));
        match mark {
            ListMark::Checked => self.line.push_str("[x] "),
            ListMark::Unchecked => self.line.push_str("[ ] "),
            ListMark::Bullet | ListMark::Circle | ListMark::Square => self.line.push_str("* "),
            ListMark::Number => append!(self.line, "{number}. "),
            ListMark::RomanUpper => append!(self.line, "{}. ", roman(number).to_uppercase()),
            ListMark::RomanLower => append!(self.line, "{}. ", roman(number)),
            ListMark::AlphaUpper => append!(self.line, "{}. ", letters(number).to_uppercase()),
            ListMark::AlphaLower => append!(self.line, "{}. ", letters(number)),
        }
    }

    /// Ends the lists that a paragraph does not stand in, begins its own, and gives its number in that.
    fn enter_list(&mut self, mark: ListMark, indent: u16) -> usize {
        while self
            .lists
            .last()
            .is_some_and(|&(at, open, _)| at > indent || (at == indent && !open.is_like(mark)))
        {
            self.lists.pop();
        }
        if self.lists.last().is_none_or(|&(at, ..)| at < indent) && self.lists.len() < NESTING_LEVELS {
            self.lists.push((indent, mark, 0));
        }
        let Some((.., number)) = self.lists.last_mut() else { return 1 };
        *number += 1;
        *number
    }

    fn close(&mut self) {
        match self.frames.pop() {
            Some(Frame::Inline { start, note }) => self.tell_after(start, &note),
            Some(Frame::Paragraph(style)) => self.end_paragraph(style),
            Some(Frame::Lines(lines)) => {
                if let Some(Frame::Row { cells, .. }) = self.frames.last_mut() {
                    cells.push(lines);
                }
            }
            Some(Frame::Row { label, cells }) => {
                let label = (!label.is_empty()).then_some(label);
                self.push_lines(label.into_iter().chain(join_cells(cells)).collect());
            }
            Some(Frame::Through) | None => {}
        }
    }

    /// The target after the text of a link, unless the text is the target.
    fn tell_after(&mut self, start: usize, note: &str) {
        let text = self.line[start.min(self.line.len())..].trim();
        let target = note.trim_matches(['<', '>']);
        let same = text == target
            || target
                .split_once(':')
                .is_some_and(|(_, rest)| rest.trim_start_matches('/').trim_end_matches('/') == text);
        if !same {
            append!(self.line, " {note}");
        }
    }

    fn end_paragraph(&mut self, style: ParagraphStyle) {
        let line = std::mem::take(&mut self.line);
        let mut lines: Vec<String> = line.split('\n').map(|line| line.trim_end().to_owned()).collect();
        if style.space_before {
            lines.insert(0, String::new());
        }
        if style.space_after {
            lines.push(String::new());
        }
        self.push_lines(lines);
    }

    fn push_lines(&mut self, lines: Vec<String>) {
        for frame in self.frames.iter_mut().rev() {
            if let Frame::Lines(collected) = frame {
                collected.extend(lines);
                return;
            }
        }
    }
}

/// A number as lists with letters count: a to z, aa, ab.
fn letters(mut number: usize) -> String {
    let mut text = String::new();
    while number > 0 {
        number -= 1;
        text.insert(0, char::from(b'a' + (number % 26) as u8));
        number /= 26;
    }
    text
}

/// A Roman number; what these cannot tell stays Arabic.
fn roman(number: usize) -> String {
    const SIGNS: [(usize, &str); 13] = [
        (1000, "m"),
        (900, "cm"),
        (500, "d"),
        (400, "cd"),
        (100, "c"),
        (90, "xc"),
        (50, "l"),
        (40, "xl"),
        (10, "x"),
        (9, "ix"),
        (5, "v"),
        (4, "iv"),
        (1, "i"),
    ];
    if number >= 4000 {
        return number.to_string();
    }
    let (mut text, mut rest) = (String::new(), number);
    for (value, sign) in SIGNS {
        while rest >= value {
            text.push_str(sign);
            rest -= value;
        }
    }
    text
}

/// One line for a row, its cells joined; a row with text in one cell only keeps its lines.
fn join_cells(cells: Vec<Vec<String>>) -> Vec<String> {
    let has_text = |lines: &Vec<String>| lines.iter().any(|line| !line.is_empty());
    if cells.iter().filter(|lines| has_text(lines)).count() <= 1 {
        return cells.into_iter().find(has_text).unwrap_or_default();
    }
    let joined = cells.iter().map(|lines| lines.join(" ").trim().to_owned()).collect::<Vec<_>>().join(" | ");
    vec![joined.trim_end().to_owned()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lines_flow_and_short_ones_stay() {
        let words = "word ".repeat(40);
        let flowed = flow(&words);
        assert!(flowed.lines().all(|line| line.chars().count() <= WIDTH));
        assert!(flowed.lines().rev().skip(1).all(|line| line.ends_with(' ')));
        assert_eq!(flowed.replace('\n', ""), words.trim_end());
        assert_eq!(flow("a  \n\nb"), "a\n\nb\n");
        assert_eq!(flow(&"x".repeat(200)), format!("{}\n", "x".repeat(200)));
    }

    #[test]
    fn numbers_of_lists() {
        assert_eq!([1, 26, 27, 702, 703].map(letters), ["a", "z", "aa", "zz", "aaa"]);
        assert_eq!([1, 4, 9, 14, 1994, 4000].map(roman), ["i", "iv", "ix", "xiv", "mcmxciv", "4000"]);
    }

    #[test]
    fn quotes_and_from_lines_are_stuffed() {
        assert_eq!(flow("> a\n b\nFrom me"), " > a\n  b\n From me\n");
    }
}
