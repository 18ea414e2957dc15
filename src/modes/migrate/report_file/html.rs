//! The page of a report, for people: one file that loads nothing, on screen in light or dark, and on paper.

use super::{FolderLine, Whole, columns, ids, time};
use crate::conversion::CONVERTER_VERSION;
use crate::model::summary::{Detail, Example, Group};
use crate::modes::Exit;
use std::fmt::Display;

const STYLE: &str = "\
:root{color-scheme:light dark;--ink:#1c2024;--soft:#5c6670;--line:#d5dae0;--page:#fff;--good:#137a43;--bad:#a34a00}\
@media(prefers-color-scheme:dark){:root{--ink:#e6e9ec;--soft:#9aa5af;--line:#3a4148;--page:#16191c;--good:#5ccf90;\
--bad:#f0a35c}}\
body{font:16px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--page);max-width:70rem;margin:2rem auto;\
padding:0 1rem}h1{font-size:1.6rem;margin-bottom:.2rem;overflow-wrap:anywhere}h2{font-size:1.2rem;margin-top:2.2rem}\
p.soft,td.soft{color:var(--soft)}p.end{border-left:.3rem solid var(--bad);padding-left:.8rem}\
p.end.good{border-color:var(--good)}.wide{overflow-x:auto}table{border-collapse:collapse;width:100%}\
th,td{text-align:left;vertical-align:top;padding:.3rem .8rem .3rem 0;border-bottom:1px solid var(--line);\
overflow-wrap:anywhere}th{font-weight:600;white-space:nowrap}td.n,th.n{text-align:right;\
font-variant-numeric:tabular-nums}tr.sum td{font-weight:600}code{font-size:.85em}summary{cursor:pointer;\
padding:.3rem 0}summary b{font-variant-numeric:tabular-nums}details>*{margin-left:1rem}\
@media print{:root{color-scheme:light;--ink:#000;--soft:#444;--line:#bbb;--page:#fff}body{max-width:none;margin:0;\
font-size:10pt}tr,summary{break-inside:avoid}h2{break-after:avoid}details::details-content{content-visibility:visible}}";

/// The end of a page.
pub const FOOT: &str = "</body></html>\n";

/// The whole page.
pub fn page(whole: &Whole<'_>) -> String {
    let facts = whole.facts;
    let name = if facts.title.is_empty() { &facts.source } else { &facts.title };
    let mut page = head(&format!("Migration of {name}"));
    page += &format!("<p class=\"soft\">{} to {}</p>\n", escape(&facts.source), escape(&facts.target));
    let good = if whole.ending.exit == Exit::Complete { " good" } else { "" };
    page += &format!("<p class=\"end{good}\">{}</p>\n", escape(whole.ending.sentence));
    page += &sum(whole);
    page += &set_aside(whole);
    page += &losses(whole);
    page += &left_behind(whole);
    page += &folders(whole.folders);
    page += &about(whole);
    page + FOOT
}

/// The beginning of a page with its heading.
pub fn head(title: &str) -> String {
    let title = escape(title);
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{title}</title>\n\
         <style>{STYLE}</style></head><body>\n<h1>{title}</h1>\n"
    )
}

/// The promise of the program: every document found is in one of the lines below it.
fn sum(whole: &Whole<'_>) -> String {
    let [(_, found), rest @ ..] = columns(&whole.ending.tally);
    let mut rows = String::new();
    for (at, (name, count)) in rest.into_iter().enumerate().filter(|(at, (_, count))| *at == 0 || *count > 0)
    {
        let sign = if at == 0 { "=" } else { "+" };
        rows += &row(&[(count.to_string(), "n"), (format!("{sign} {name}"), "")]);
        if name == "filtered out" {
            for (why, count) in whole.left_out {
                rows += &row(&[(String::new(), "n"), (format!("{count}: {why}"), "soft")]);
            }
        }
    }
    format!(
        "<h2>Every document found</h2>\n<table><tr class=\"sum\"><td class=\"n\">{found}</td><td>documents found</td></tr>\n\
         {rows}</table>\n"
    )
}

fn set_aside(whole: &Whole<'_>) -> String {
    if whole.summary.set_aside.is_empty() {
        return String::new();
    }
    let mut text = "<h2>Set aside: not at the target</h2>\n".to_owned();
    for (reason, group) in whole.summary.set_aside_by_frequency() {
        text += &group_text(group, &reason, reason.advice(), true);
    }
    text
}

fn losses(whole: &Whole<'_>) -> String {
    if whole.summary.losses.is_empty() {
        return "<h2>Not carried over</h2>\n<p>Nothing was lost on the way.</p>\n".to_owned();
    }
    let mut text =
        "<h2>Not carried over</h2>\n<p>These documents arrived, and something of them did not.</p>\n"
            .to_owned();
    for (kind, group) in whole.summary.losses_by_frequency() {
        text += &group_text(group, &kind, kind.explanation(), false);
    }
    text
}

fn group_text(group: &Group, name: &dyn Display, told: &str, open: bool) -> String {
    let documents = if group.items == 1 { "document" } else { "documents" };
    let open = if open { " open" } else { "" };
    let mut text = format!(
        "<details{open}><summary><b>{}</b> {documents}: {}</summary>\n<p>{}</p>\n",
        group.items,
        escape(&name.to_string()),
        escape(told)
    );
    let often: Vec<String> = group.most_often().into_iter().map(often_text).collect();
    if group.items > 1 && !often.is_empty() {
        text += &format!("<p>Most often: {}.</p>\n", often.join("; "));
    }
    let rows: String = group.examples.iter().map(example_row).collect();
    text +=
        &table(&["Subject", "Date (UTC)", "Folder", "What exactly", "UNID"].map(|name| (name, "")), &rows);
    let more = group.items - group.examples.len() as u64;
    if more > 0 {
        text += &format!(
            "<p class=\"soft\">and {more} more: the table documents.csv of a report folder lists all.</p>\n"
        );
    }
    text + "</details>\n"
}

fn often_text(Detail { text, items }: Detail<'_>) -> String {
    format!("{} ({items})", escape(text))
}

fn example_row(example: &Example) -> String {
    let Example { origin, about, folder, detail } = example;
    let [_, unid] = ids(*origin);
    let cells = [
        format!("<bdi>{}</bdi>", escape(&about.subject)),
        escape(&time(about.date_unix_ms)),
        escape(&folder.as_ref().map(ToString::to_string).unwrap_or_default()),
        escape(detail),
        format!("<code>{}</code>", escape(&unid)),
    ];
    format!("<tr>{}</tr>\n", cells.map(|cell| format!("<td>{cell}</td>")).concat())
}

fn left_behind(whole: &Whole<'_>) -> String {
    let places = whole.ending.left_behind;
    if places.is_empty() {
        return String::new();
    }
    let rows: String = places.iter().take(1_000).map(|place| row(&[(place.clone(), "")])).collect();
    format!(
        "<h2>Older copies left beside newer ones</h2>\n<p>The target does not let us take out these {}; whoever looks \
         after it can.</p>\n{}",
        places.len(),
        table(&[("Where", "")], &rows)
    )
}

fn folders(lines: &[FolderLine]) -> String {
    let mut rows = String::new();
    for FolderLine { target, sources, at_source, at_target } in lines {
        let target = if target.is_empty() { "none: hidden from users" } else { target };
        let at_source = at_source.map_or_else(String::new, |count| count.to_string());
        rows += &row(&[
            (target.to_owned(), ""),
            (sources.join(", "), ""),
            (at_source, "n"),
            (at_target.to_string(), "n"),
        ]);
    }
    let head = [
        ("Folder at the target", ""),
        ("At the source", ""),
        ("Documents listed there", "n"),
        ("At the target", "n"),
    ];
    format!(
        "<h2>Folders</h2>\n<p>A document in several folders counts in each. Documents in no folder are those of sent \
         mail, drafts, calendar and the like.</p>\n{}",
        table(&head, &rows)
    )
}

fn about(whole: &Whole<'_>) -> String {
    let Whole { facts, ending, .. } = whole;
    let seconds = (ending.ended_unix_ms - facts.started_unix_ms) / 1000;
    let mut rows = vec![
        ("Source", facts.source.clone()),
        ("Owner", facts.owner.clone().unwrap_or_else(|| "not known".to_owned())),
        ("Target", facts.target.clone()),
        ("Began (UTC)", time(Some(facts.started_unix_ms))),
        ("Ended (UTC)", format!("{}, after {seconds} s", time(Some(ending.ended_unix_ms)))),
        ("Final", ending.not_final.map_or_else(|| "yes".to_owned(), |why| format!("no: {why}"))),
        (
            "Program",
            format!("notesferry {}, conversion rules {CONVERTER_VERSION}", env!("CARGO_PKG_VERSION")),
        ),
    ];
    rows.extend(facts.settings.iter().map(|(name, value)| (*name, value.clone())));
    rows.extend(facts.warnings.iter().map(|warning| ("Note", warning.clone())));
    let rows: String =
        rows.into_iter().map(|(name, value)| row(&[(name.to_owned(), "soft"), (value, "")])).collect();
    format!("<h2>This run</h2>\n<table>{rows}</table>\n")
}

/// A table whose columns have names and classes.
fn table(head: &[(&str, &str)], rows: &str) -> String {
    let head: String =
        head.iter().map(|(name, class)| format!("<th class=\"{class}\">{}</th>", escape(name))).collect();
    format!(
        "<div class=\"wide\"><table><thead><tr>{head}</tr></thead><tbody>\n{rows}</tbody></table></div>\n"
    )
}

/// A row of cells, each with its class.
pub fn row(cells: &[(String, &str)]) -> String {
    let cell = |(text, class): &(String, &str)| format!("<td class=\"{class}\">{}</td>", escape(text));
    format!("<tr>{}</tr>\n", cells.iter().map(cell).collect::<String>())
}

/// Text as HTML shows it. What senders wrote never becomes markup, and moves no text around it.
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' => {}
            character if character.is_control() => out.push(' '),
            character => out.push(character),
        }
    }
    out
}
