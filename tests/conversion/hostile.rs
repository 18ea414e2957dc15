//! Shapes that nobody writes and damage can make: bounded work, bounded depth, and a message all the same.

use super::calendar::{instance, parent};
use crate::support::document::memo;
use crate::support::rich_text::records;
use notesferry::model::loss::LossKind;

/// Runs on a stack that holds no deep recursion.
fn on_a_small_stack(work: impl FnOnce() + Send + 'static) {
    const STACK_BYTES: usize = 256 << 10;
    std::thread::Builder::new().stack_size(STACK_BYTES).spawn(work).unwrap().join().unwrap();
}

#[test]
fn fifty_megabytes_of_rich_text_arrive() {
    const ITEMS: usize = 800;
    const LINES: usize = 128;
    on_a_small_stack(|| {
        let line = "words ".repeat(80);
        let mail = (0..ITEMS).fold(memo(), |mail, item| {
            let body = (0..LINES).fold(records(), |body, line_number| {
                body.paragraph().text(&format!("line {item}.{line_number} {line}"))
            });
            mail.rich_text("Body", body.build())
        });
        let stored: usize = mail.note.all("Body").map(|item| item.value.len()).sum();
        assert!(stored > 50_000_000, "{stored}");
        let mail = mail.convert();
        assert_eq!(mail.losses(), []);
        let (html, plain) = (mail.html(), mail.plain());
        assert_eq!(html.matches("</p>").count(), ITEMS * LINES);
        assert_eq!(plain.matches("line ").count(), ITEMS * LINES);
        let last = format!("line {}.{} words", ITEMS - 1, LINES - 1);
        assert!(html.contains(&last) && plain.contains(&last));
    });
}

// A few bytes can stand for very many pixels.
#[test]
fn bitmaps_without_end_are_bounded() {
    let body = (0..2_000).fold(records(), |body, _| body.graphic().bitmap(4_000, 4_000, &[0xC1, 0]));
    let mail = memo().rich_text("Body", body.text("after").build()).convert();
    assert!(mail.plain().ends_with("after\n"));
    assert_eq!(mail.losses(), [LossKind::ImageDropped, LossKind::ImageDamaged]);
    assert!(mail.bytes.len() < 1 << 20, "{}", mail.bytes.len());
}

#[test]
fn two_hundred_levels_of_everything_need_no_stack() {
    on_a_small_stack(|| {
        let body = (0..200).fold(records(), |body, level| {
            body.begin_table()
                .plain_cell(0, 0, &format!("level{level}."))
                .hotspot(12, 0, &[])
                .section_title(&format!("section{level}"))
                .hotspot(11, 0, b"https://example.com/\0")
                .hotspot(1, 0, b"tip\0")
                .text(&format!("inner{level}."))
        });
        let mail = memo().rich_text("Body", body.build()).convert();
        let has = |text: &str| {
            ["level", "inner"].iter().all(|word| (0..200).all(|n| text.contains(&format!("{word}{n}."))))
        };
        assert!(has(&mail.html()) && has(&mail.plain()));
        for tag in ["table", "tr", "td", "div", "a", "span", "p"] {
            let html = mail.html();
            let opened =
                html.matches(&format!("<{tag}>")).count() + html.matches(&format!("<{tag} ")).count();
            assert_eq!(opened, html.matches(&format!("</{tag}>")).count(), "{tag}");
        }
    });
}

#[test]
fn two_hundred_levels_of_lists_and_of_mime_need_no_stack() {
    on_a_small_stack(|| {
        let body = (0..200_u16).fold(records(), |body, level| {
            let margins = [1440 + 20 * level, 0, 0];
            body.paragraph().margins(level, margins, [0x0400, 0]).text(&format!("point{level}."))
        });
        let html = memo().rich_text("Body", body.build()).convert().html();
        assert!((0..200).all(|level| html.contains(&format!("<li>point{level}."))), "{html}");
        for tag in ["ul", "li"] {
            let [opened, closed] = ["<", "</"].map(|begin| html.matches(&format!("{begin}{tag}>")).count());
            assert_eq!(opened, closed, "{tag}");
        }

        let boundary =
            |level: usize| if level == 0 { String::new() } else { format!("--b{}\r\n", level - 1) };
        let mut mail = memo();
        for level in 0..200 {
            let headers = format!("Content-Type: multipart/mixed; boundary=b{level}\r\n\r\n");
            mail = mail.mime(1, &boundary(level), &headers, "");
        }
        mail = mail.mime(2, &boundary(200), "Content-Type: text/plain\r\n\r\n", "the innermost words\r\n");
        for level in (0..200).rev() {
            mail = mail.mime(3, &format!("--b{level}--\r\n"), "", "");
        }
        assert!(mail.convert().text().contains("the innermost words"));
    });
}

#[test]
fn ten_thousand_dates_are_one_series() {
    const ZONE: &str = "Z=-3005$DO=0$ZX=35$ZN=India";
    let dates = |step_hours: &dyn Fn(i64) -> i64| -> Vec<String> {
        let start: jiff::Timestamp = "2001-01-01T08:30:00Z".parse().unwrap();
        (0..10_000).map(|n| (start + jiff::SignedDuration::from_hours(step_hours(n))).to_string()).collect()
    };
    let calendar = |unit: &str, dates: &[String]| {
        let dates: Vec<&str> = dates.iter().map(String::as_str).collect();
        instance(ZONE, 1, &dates, &dates).beside(&parent(ZONE, unit, &[], &dates)).convert().calendar()
    };
    let daily = calendar("D", &dates(&|n| 24 * n));
    assert!(daily.contains("RRULE:FREQ=DAILY;UNTIL=20280518T083000Z"), "{}", &daily[..600]);
    // No rule gives dates like these.
    let listed = calendar("C", &dates(&|n| 24 * (n + n % 3)));
    let given: usize =
        listed.lines().filter(|line| line.starts_with("RDATE")).map(|line| line.split(',').count()).sum();
    assert_eq!((given, listed.contains("RRULE:FREQ=DAILY")), (9_999, false));
}

#[test]
fn deep_tables_are_flattened_and_lose_no_text() {
    let mut body = Vec::new();
    for level in 0..1000 {
        body.extend(records().begin_table().plain_cell(0, 0, &format!("level{level}.")).build());
    }
    let mail = memo().rich_text("Body", body).convert();
    assert!((0..1000).all(|level| mail.html().contains(&format!("level{level}."))));
    assert!(mail.html().matches("<table").count() < 100);
    assert_eq!(mail.html().matches("<td").count(), mail.html().matches("</td>").count());
    assert!((0..1000).all(|level| mail.plain().contains(&format!("level{level}."))));
}

#[test]
fn unbalanced_records_give_well_nested_html() {
    let junk = records()
        .end_table()
        .end_hotspot()
        .plain_cell(0, 0, "stray")
        .begin_table()
        .text("between")
        .hotspot(12, 0, &[])
        .end_table()
        .hotspot(11, 0, b"https://example.com\0")
        .text("link")
        .begin_table()
        .cell(0, 0, 1, 1, 0)
        .hotspot(11, 0, b"https://example.org\0")
        .text("inner")
        .end_table()
        .end_hotspot()
        .end_hotspot()
        .end_hotspot()
        .text("last");
    let mail = memo().rich_text("Body", junk.build()).convert();
    let html = mail.html();
    for tag in ["table", "tr", "td", "p", "div", "a"] {
        let opened = html.matches(&format!("<{tag}>")).count() + html.matches(&format!("<{tag} ")).count();
        assert_eq!(opened, html.matches(&format!("</{tag}>")).count(), "{tag}: {html}");
    }
    assert!(mail.plain().contains("stray") && mail.plain().contains("last"));
    assert!(mail.losses().contains(&LossKind::RichTextDamaged));
}

#[test]
fn large_rich_text_is_linear() {
    let cell = |n: u32| records().plain_cell((n / 200) as u8, (n % 200) as u8, "cell").build();
    let mut body = records().begin_table().build();
    (0..10_000).for_each(|n| body.extend(cell(n)));
    body.extend(records().end_table().build());
    let run = records().paragraph().run([1, 0, 0, 10], &"word ".repeat(2000)).build();
    (0..1000).for_each(|_| body.extend(&run));
    let mut fonts = Vec::new();
    (0..60_000_u32).for_each(|n| {
        let [a, b, ..] = n.to_le_bytes();
        fonts.extend(records().run([a, b, 0, 10], "x").build());
    });
    let mail = memo().rich_text("Body", body).rich_text("Body", fonts).convert();
    assert!(mail.html().contains("cell"));
    assert!(mail.plain().len() > 10_000_000);
}

#[test]
fn a_thousand_attachments_and_losses_are_bounded() {
    let mut mail = memo();
    let mut body = Vec::new();
    for n in 0..1000 {
        let name = format!("a{n}.txt");
        body.extend(
            records()
                .file(&name, &name)
                .end_hotspot()
                .file("gone", &format!("gone{n}"))
                .end_hotspot()
                .build(),
        );
        mail = mail.file(&name, name.as_bytes());
    }
    let mail = mail.rich_text("Body", body).convert();
    assert_eq!(mail.attachments().len(), 1000);
    assert!(mail.losses().len() <= 101);
}

#[test]
fn the_boundary_is_in_no_text() {
    let boundary = memo().rich_text("Body", records().text("x").build()).convert();
    let line = boundary.headers("Content-Type")[0].clone();
    let own =
        line.split("boundary=\"").nth(1).unwrap().trim_end_matches(['"', ';']).split('.').next().unwrap();
    let quoting = memo().rich_text("Body", records().text(&format!("--{own}.1")).build()).convert();
    assert!(!quoting.headers("Content-Type")[0].contains(own));
    assert_eq!(quoting.plain(), format!("--{own}.1\n"));
}

#[test]
fn html_of_too_many_tags_becomes_text() {
    let tags = "<div><b><table>".repeat(1000);
    let html = (0..20).fold(records().word(0xCC, &[0; 4]), |records, _| records.text(&tags));
    let mail = memo().rich_text("Body", html.text("words").word(0xCD, &[0; 4]).build()).convert();
    assert!(!mail.html().contains("<table"));
    assert!(mail.html().contains("words") && mail.plain().contains("words"));
    assert_eq!(mail.losses(), [LossKind::FormattingDropped]);
}

/// Random records of the kinds that have a meaning, random MIME parts and random items: never a panic, always a
/// message with well-formed parts.
#[test]
fn random_documents_become_messages() {
    const WORD: [u8; 25] = [
        0x82, 0x85, 0xA9, 0xAD, 0x7E, 0xAC, 0xAB, 0x91, 0x92, 0x71, 0xF6, 0xCB, 0xCA, 0xE3, 0xC9, 0xCC, 0xCD,
        0xB3, 0xA7, 0xA8, 0x88, 0x8A, 0xE4, 0x86, 0x76,
    ];
    const BYTE: [u8; 15] =
        [0x81, 0x83, 0xA3, 0xCF, 0xA4, 0xD0, 0xA5, 0xD1, 0xAA, 0xAE, 0x7F, 0xD2, 0xD3, 0xDD, 0xDE];
    const LONG: [u8; 9] = [0x99, 0x7D, 0x7C, 0x95, 0x96, 0x97, 0x98, 0x9F, 0x01];
    const LINES: [&str; 8] = [
        "--b\r\n",
        "--b--\r\n",
        "Content-Type: multipart/mixed; boundary=b\r\n\r\n",
        "Content-Type: multipart/signed; boundary=\"c\n\r\n",
        "--c\r\n",
        "Content-Transfer-Encoding: binary\n\n",
        "Content-Type: message/rfc822\r\n\r\n",
        ": \r\n x\r\n",
    ];
    let mut random = fastrand::Rng::with_seed(7);
    for _ in 0..2000 {
        let mut body = records();
        for _ in 0..random.usize(..40) {
            let kinds = [1_u8, 3, 4, 7, 11, 12, 13, 18, 0, 255];
            let mut data: Vec<u8> = (0..random.usize(..60)).map(|_| random.u8(..)).collect();
            if let (Some(first), true) = (data.first_mut(), random.bool()) {
                *first = kinds[random.usize(..kinds.len())];
            }
            body = match random.u8(..3) {
                0 => body.word(WORD[random.usize(..WORD.len())], &data),
                1 => body.byte(BYTE[random.usize(..BYTE.len())], &data),
                _ => body.long(LONG[random.usize(..LONG.len())], &data),
            };
        }
        let mut mail = memo().rich_text("$Fonts", body.clone().build()).rich_text("Body", body.build());
        if random.bool() {
            for _ in 0..random.usize(..12) {
                let mut pick = || LINES[random.usize(..LINES.len())];
                let (boundary, headers, text) = (pick(), pick(), pick());
                mail = match random.u8(..4) {
                    3 => mail.mime_object(boundary, headers, "a.txt"),
                    kind => mail.mime(kind + 1, boundary, headers, text),
                };
            }
        }
        for name in ["Subject", "From", "SendTo", "PostedDate", "Categories", "$REF", "References"] {
            let types = [0x0500, 0x0501, 0x0502, 0x0400, 0x0300, 0x0004];
            let item_type = notesferry::notes::item::ItemType(types[random.usize(..types.len())]);
            let value = (0..random.usize(..40)).map(|_| random.u8(..)).collect();
            mail = mail.item(name, item_type, value);
        }
        let mail = mail.file("a.txt", b"text").all_documents().convert();
        assert_eq!((mail.headers("From").len(), mail.headers("Date").len()), (1, 1));
        assert!(mail.header_lines()[0].starts_with("X-Notesferry-Key: "));
        assert!(!mail.text().split("\r\n\r\n").next().unwrap().contains('\0'));
    }
}
