//! The pieces that letters of the showcase are written in, and how they become rich text.

use crate::forge::mailbox::images;
use crate::forge::mailbox::people::Person;
use crate::forge::richtext::{Cell, Font, RichText, Style};

/// A piece of a letter.
pub(super) enum Block {
    /// A line of plain text; an empty one is a gap.
    Line(&'static str),
    Heading(&'static str),
    /// A line of text in several fonts.
    Words(&'static [(Font, &'static str)]),
    List(Style, &'static [&'static str]),
    /// Rows of cells; the first is the head. `<` is one with the cell on its left, `^` with the one above.
    Table(&'static [&'static [&'static str]]),
    /// A bar chart with its description.
    Chart([usize; 7], &'static str),
    Section(&'static str, &'static [&'static str]),
    /// A page of the web and the words that lead there.
    Page(&'static str, &'static str),
    /// A link to another letter, by its place in the list.
    Letter(usize, &'static str),
    /// A file: its name and its text.
    File(&'static str, &'static str),
    Signature(Person, &'static str),
}

pub(super) const BOLD: Font = Font { attributes: Font::BOLD, ..Font::PLAIN };
pub(super) const ITALIC: Font = Font { attributes: Font::ITALIC, ..Font::PLAIN };
pub(super) const RED: Font = Font { attributes: Font::BOLD, colour: 2, ..Font::PLAIN };
const HEADING: Font = Font { attributes: Font::BOLD, colour: 10, points: 14, ..Font::PLAIN };
const GREY: Font = Font { colour: 14, points: 9, ..Font::PLAIN };

impl Block {
    /// Writes the piece. Files and links that are quoted stay with the letter they came with.
    pub fn write(&self, rich: &mut RichText, quoted: bool) {
        match self {
            Self::Line(text) => rich.line(text),
            Self::Heading(text) => {
                rich.paragraph(Style::Left);
                rich.text(HEADING, text);
            }
            Self::Words(runs) => {
                rich.paragraph(Style::Left);
                runs.iter().for_each(|(font, text)| rich.text(*font, text));
            }
            Self::List(style, items) => items.iter().for_each(|text| {
                rich.paragraph(*style);
                rich.text(Font::PLAIN, text);
            }),
            Self::Table(rows) => table(rich, rows),
            Self::Chart(heights, words) => {
                let (width, colors, pixels) = images::bars(*heights);
                rich.paragraph(Style::Left);
                rich.bitmap(width, &colors, &pixels);
                rich.alt_text(words);
            }
            Self::Section(title, lines) => {
                rich.section(title);
                for text in *lines {
                    rich.paragraph(Style::Indented);
                    rich.text(Font::PLAIN, text);
                }
                rich.end_section();
            }
            Self::Page(url, words) => {
                rich.paragraph(Style::Left);
                rich.url(url, words);
            }
            Self::Letter(_, words) if quoted => rich.line(words),
            Self::Letter(_, words) => {
                rich.paragraph(Style::Left);
                rich.link(0, words);
            }
            Self::File(name, _) if quoted => rich.line(&format!("[{name}]")),
            Self::File(name, _) => {
                rich.paragraph(Style::Left);
                rich.file(name, name);
            }
            Self::Signature(person, title) => signature(rich, *person, title),
        }
    }
}

fn table(rich: &mut RichText, rows: &[&[&str]]) {
    const HEAD: [u8; 3] = [0xD9, 0xE6, 0xF2];
    rich.begin_table(false);
    for (row, cells) in rows.iter().enumerate() {
        for (column, text) in cells.iter().enumerate() {
            let across = cells[column + 1..].iter().take_while(|text| **text == "<").count();
            let down = rows[row + 1..].iter().take_while(|cells| cells[column] == "^").count();
            rich.cell(Cell {
                row_span: 1 + down as u8,
                column_span: 1 + across as u8,
                covered: ["<", "^"].contains(text),
                background: (row == 0).then_some(HEAD),
                width: 1440,
                ..Cell::at(row as u8, column as u8)
            });
            if !["<", "^"].contains(text) {
                rich.text(if row == 0 { BOLD } else { Font::PLAIN }, text);
            }
        }
    }
    rich.end_table();
    rich.paragraph(Style::Left);
}

fn signature(rich: &mut RichText, person: Person, title: &str) {
    rich.line("");
    rich.paragraph(Style::Left);
    rich.text(BOLD, person.shown);
    for text in [title, person.address] {
        rich.paragraph(Style::Left);
        rich.text(GREY, text);
    }
}

/// The head of a letter that is quoted.
pub(super) fn quoted_head(rich: &mut RichText, lines: &[(&str, String)]) {
    rich.line("");
    rich.rule();
    for (name, value) in lines {
        rich.paragraph(Style::Left);
        rich.text(GREY.styled(Font::BOLD), &format!("{name}: "));
        rich.text(GREY, value);
    }
    rich.line("");
}
