//! Rich text to HTML and plain text: R01 to R20, as far as CD records can say them.

use crate::support::document::{Outcome, memo};
use crate::support::rich_text::{BOLD, PLAIN, Records, records};
use notesferry::model::loss::LossKind;

fn convert(records: Records) -> Outcome {
    memo().rich_text("Body", records.build()).convert()
}

const GIF: &[u8] = b"GIF89a\x0A\0\x14\0 a small picture";

#[test]
fn r01_runs() {
    let mail = convert(records().paragraph().text("Hello").run(BOLD, "World"));
    assert_eq!(mail.html(), "<p>Hello<b>World</b></p>\n");
    assert_eq!(mail.plain(), "HelloWorld\n");
    assert!(mail.headers("Content-Type")[0].starts_with("Content-Type: multipart/alternative;"));
}

#[test]
fn r02_escapes_and_spaces() {
    let mail = convert(records().text("a < b & c  d"));
    assert_eq!(mail.html(), "<p>a &lt; b &amp; c &nbsp;d</p>\n");
    assert_eq!(mail.plain(), "a < b & c  d\n");
}

#[test]
fn r03_lists() {
    let list = |flag| {
        let bullets = records().style(1, 0, flag).text("a").paragraph().text("b").paragraph().text("c");
        convert(bullets.paragraph().style(2, 0, 0).text("end"))
    };
    let bullets = list(0x0400);
    assert_eq!(bullets.html(), "<ul>\n<li>a</li>\n<li>b</li>\n<li>c</li>\n</ul>\n<p>end</p>\n");
    assert_eq!(bullets.plain(), "* a\n* b\n* c\nend\n");
    let numbers = list(0x1000);
    assert!(numbers.html().starts_with("<ol>\n<li>a</li>\n"));
    assert_eq!(numbers.plain(), "1. a\n2. b\n3. c\nend\n");
}

#[test]
fn r04_spans() {
    let table = records()
        .begin_table()
        .cell(0, 0, 1, 2, 0)
        .text("wide")
        .cell(0, 1, 1, 1, 4)
        .plain_cell(1, 0, "a")
        .plain_cell(1, 1, "b")
        .end_table();
    let mail = convert(table);
    let html = mail.html().replace('\n', "");
    assert!(html.contains("<tr><td colspan=\"2\"><p>wide</p></td></tr>"), "{html}");
    assert!(html.contains("<tr><td><p>a</p></td><td><p>b</p></td></tr></table>"), "{html}");
    assert_eq!(mail.plain(), "wide\na | b\n");
}

#[test]
fn nested_tables_nest() {
    let inner = records().begin_table().plain_cell(0, 0, "x").plain_cell(0, 1, "y").end_table().build();
    let mut outer = records().begin_table().plain_cell(0, 0, "a").cell(0, 1, 1, 1, 0).build();
    outer.extend(inner);
    outer.extend(records().end_table().paragraph().text("after").build());
    let mail = memo().rich_text("Body", outer).convert();
    assert_eq!(mail.html().matches("<table").count(), 2);
    assert!(mail.html().ends_with("</table>\n<p>after</p>\n"), "{}", mail.html());
    assert_eq!(mail.plain(), "a | x | y\nafter\n");
}

#[test]
fn r05_tabs_become_headings() {
    let table = records().table_label("Tab A").table_label("Tab B").begin_table();
    let mail = convert(table.plain_cell(0, 0, "one").plain_cell(1, 0, "two").end_table());
    assert_eq!(mail.plain(), "Tab A\none\nTab B\ntwo\n");
}

#[test]
fn r06_sections_are_open() {
    let section = records().paragraph().hotspot(12, 0, &[]).section_title("Old mail");
    let mail = convert(section.paragraph().text("inside").end_hotspot().paragraph().text("after"));
    assert_eq!(mail.html(), "<div><b>Old mail</b>\n<p>inside</p>\n</div>\n<p>after</p>\n");
    assert_eq!(mail.plain(), "Old mail\ninside\nafter\n");
    let before = records().section_title("Title").hotspot(13, 0, &[]).text("inside").end_hotspot();
    assert_eq!(convert(before).plain(), "Title\ninside\n");
}

#[test]
fn r07_document_links() {
    let mut links = 1_u16.to_le_bytes().to_vec();
    links.extend([0x89, 0x84, 0x4C, 0x00, 0x26, 0x68, 0x25, 0x85]);
    links.extend([0; 16]);
    links.extend([0xAB; 16]);
    let body = records().text("see ").word(0x91, b"\0\0Spec\0CN=Srv/O=Acme\0\0").build();
    let links_type = notesferry::notes::item::ItemType::NOTELINK_LIST;
    let mail = memo().item("$Links", links_type, links).rich_text("Body", body).convert();
    let url = format!("notes://Srv/85256826004C8489/0/{}", "AB".repeat(16));
    assert!(mail.html().contains(&format!("<a href=\"{url}\">")), "{}", mail.html());
    assert!(mail.html().contains("Spec") && mail.html().contains("</a>"));
    assert_eq!(mail.plain().replace(" \n", " "), format!("see Spec <{url}>\n"));
}

// As Notes 5 and later write a link: for themselves, then for Release 4, with one end for both. Seen eight times in a
// public help database, where the rest of the text became part of the link.
#[test]
fn a_link_told_for_two_releases_ends_once() {
    let begin = [32_u16.to_le_bytes().as_slice(), &[0; 6]].concat();
    let four = [11_u16.to_le_bytes().as_slice(), &[0; 6]].concat();
    let link =
        records().word(0x7E, &begin).url("https://example.com/").word(0xAD, &four).text("go").byte(0xAE, &[]);
    let html = convert(link.text(" on").paragraph().text("after")).html();
    assert!(html.contains("<a href=\"https://example.com/\">go</a> on"), "{html}");
    assert!(html.contains("<p>after</p>"), "{html}");
}

#[test]
fn r08_a_dangerous_link_is_text() {
    let mail = convert(records().hotspot(11, 0, &[]).url("javascript:x()").text("go").end_hotspot());
    assert_eq!(mail.html(), "<p>go</p>\n");
    assert_eq!(mail.losses(), [LossKind::LinkDropped]);
}

#[test]
fn url_links_in_either_order() {
    let after = records().hotspot(11, 0, &[]).url("https://example.com/").text("go").end_hotspot();
    let before = records().url("https://example.com/").hotspot(11, 0, &[]).text("go").end_hotspot();
    let inside = records().hotspot(11, 0, b"https://example.com/\0").text("go").end_hotspot();
    for links in [after, before, inside] {
        let mail = convert(links.text("!"));
        assert_eq!(mail.html(), "<p><a href=\"https://example.com/\">go</a>!</p>\n");
        assert_eq!(mail.plain(), "go <https://example.com/>!\n");
        assert_eq!(mail.losses(), []);
    }
}

#[test]
fn a_link_over_two_paragraphs_is_two_links() {
    let body =
        records().hotspot(11, 0, b"https://example.com\0").text("a").paragraph().text("b").end_hotspot();
    let link = |text: &str| format!("<p><a href=\"https://example.com\">{text}</a></p>\n");
    assert_eq!(convert(body).html(), link("a") + &link("b"));
}

#[test]
fn r09_equal_images_are_one_part() {
    let image = |records: Records| records.image(10, 20, GIF, GIF.len() as u32).alt_text("logo");
    let mail = convert(image(image(records())));
    let html = mail.html();
    assert_eq!(html.matches(" width=\"10\" height=\"20\" alt=\"logo\">").count(), 2, "{html}");
    assert_eq!(mail.text().matches("Content-Type: image/gif").count(), 1);
    let content_id = mail.text().split("Content-ID: <").nth(1).unwrap().split('>').next().unwrap().to_owned();
    assert_eq!(html.matches(&format!("src=\"cid:{content_id}\"")).count(), 2);
    assert!(content_id.ends_with("@notes.invalid"));
    assert_eq!(mail.plain(), "[logo][logo]\n");
    assert!(mail.headers("Content-Type")[0].starts_with("Content-Type: multipart/related;"));
    let image =
        mail.message().parts.iter().find(|part| part.contents() == GIF).map(|part| part.contents().len());
    assert_eq!(image, Some(GIF.len()));
}

#[test]
fn r10_the_icon_of_an_attachment_is_no_image() {
    let body = records().text("see ").file("ATT1.pdf", "Plan.pdf").image(1, 1, GIF, 10).end_hotspot();
    let mail = memo().rich_text("Body", body.build()).file("ATT1.pdf", b"%PDF").convert();
    assert_eq!(mail.html(), "<p>see [attachment: Plan.pdf]</p>\n");
    assert_eq!(mail.plain(), "see [attachment: Plan.pdf]\n");
    assert_eq!(mail.attachments(), [("Plan.pdf".to_owned(), b"%PDF".to_vec())]);
    assert!(!mail.text().contains("image/gif"));
    assert_eq!(mail.losses(), []);
}

#[test]
fn an_attachment_that_is_shown_and_not_stored_is_told() {
    let mail = convert(records().file("a.txt", "a.txt").end_hotspot());
    assert_eq!(mail.losses(), [LossKind::AttachmentMissing]);
}

#[test]
fn r11_buttons() {
    let mail = convert(records().hotspot(3, 0, &[]).button("Approve").end_hotspot());
    assert_eq!(mail.html(), "<p>[Approve]</p>\n");
    assert_eq!(mail.losses(), [LossKind::ActionDropped]);
}

#[test]
fn r13_html_of_the_author_is_made_safe() {
    let html = records().word(0xCC, &[0; 4]).text("<b>x</b><script>y</script>").word(0xCD, &[0; 4]);
    let mail = convert(html.text("after"));
    assert_eq!(mail.html(), "<div><b>x</b></div>\n<p>after</p>\n");
    assert_eq!(mail.plain(), "x\nafter\n");
}

#[test]
fn r14_hidden_paragraphs() {
    let body = records().style(1, 0, 0x0010).text("secret").paragraph().style(2, 0, 0x0040).text("shown");
    let mail = convert(body);
    assert_eq!(mail.plain(), "shown\n");
    assert!(!mail.html().contains("secret"));
}

#[test]
fn a_hide_formula_is_ignored_and_told() {
    let mail = convert(records().style(1, 0, 0x0800).text("perhaps"));
    assert_eq!(mail.plain(), "perhaps\n");
    assert_eq!(mail.losses(), [LossKind::HideFormulaIgnored]);
}

#[test]
fn r15_a_table_over_two_items_is_one() {
    let first = records().begin_table().plain_cell(0, 0, "a").build();
    let second = records().plain_cell(0, 1, "b").end_table().build();
    let mail = memo().rich_text("Body", first).rich_text("Body", second).convert();
    assert_eq!(mail.html().matches("<table").count(), 1);
    assert_eq!(mail.plain(), "a | b\n");
}

#[test]
fn r16_unknown_records_are_told() {
    let mail = convert(records().text("a").long(0x01, &[1, 2, 3]).paragraph().text("b"));
    assert_eq!(mail.plain(), "a\nb\n");
    assert_eq!(mail.converted.losses[0].to_string(), "construct dropped: 01L");
}

#[test]
fn r17_font_table() {
    let mut table = vec![1, 0, 5, 0];
    table.extend_from_slice(b"Courier New");
    table.resize(36, 0);
    let fonts = records().word(0x8B, &table).build();
    let body = records().text("a long text in the default font").run([5, 0, 2, 12], "x").build();
    let mail = memo().rich_text("$Fonts", fonts).rich_text("Body", body).convert();
    let html = mail.html();
    assert!(
        html.contains("<span style=\"font-family:'Courier New';font-size:12pt;color:#ff0000\">x</span>"),
        "{html}"
    );
}

#[test]
fn r18_a_line_break_in_a_paragraph() {
    let mail = convert(records().text("one\ntwo"));
    assert_eq!(mail.html(), "<p>one<br>\ntwo</p>\n");
    assert_eq!(mail.plain(), "one\ntwo\n");
}

#[test]
fn r19_a_cut_image_is_kept() {
    let bytes = [GIF, &[7; 2970]].concat();
    let mail = convert(records().image(10, 20, &bytes, 5000));
    let message = mail.message();
    assert!(message.parts.iter().any(|part| part.contents() == bytes));
    assert_eq!(mail.losses(), [LossKind::ImageDamaged]);
    assert_eq!(mail.plain(), "[image]\n");
}

#[test]
fn r20_pop_ups() {
    let mail = convert(records().hotspot(1, 0, b"tip\0").text("word").end_hotspot());
    assert_eq!(mail.html(), "<p><span title=\"tip\">word</span></p>\n");
    assert_eq!(mail.plain(), "word (tip)\n");
}

#[test]
fn empty_paragraphs_are_blank_lines() {
    let mail = convert(records().paragraph().text("a").paragraph().paragraph().text("b").paragraph());
    assert_eq!(mail.plain(), "a\n\nb\n");
    assert_eq!(mail.html(), "<p>a</p>\n<p><br></p>\n<p>b</p>\n");
}

#[test]
fn alignment_rules_and_true_colours() {
    let bracket = [0, 0, 0x85, 0xFF];
    let body = records()
        .style(1, 3, 0)
        .text("the middle of the page")
        .word(0xC9, &[0; 10])
        .byte(0xDD, &bracket)
        .byte(0xD2, &[0, 0, 0x12, 0x34, 0x56, 0])
        .text("x")
        .byte(0xDE, &bracket);
    let mail = convert(body);
    assert!(mail.html().starts_with("<p style=\"text-align:center\">the middle of the page</p>\n<hr>\n"));
    assert!(mail.html().contains("<span style=\"color:#123456\">x</span>"));
    assert_eq!(mail.plain(), "the middle of the page\n----\nx\n");
}

#[test]
fn damaged_rich_text_keeps_what_was_read() {
    let mut body = records().text("kept").build();
    body.extend([0x85, 0xFF, 0xFF, 0x7F, 1, 2]);
    let mail = memo().rich_text("Body", body).convert();
    assert_eq!(mail.plain(), "kept\n");
    assert_eq!(mail.losses(), [LossKind::RichTextDamaged]);
}

#[test]
fn objects_and_old_pictures_leave_a_word() {
    let mail = convert(records().text("a ").graphic().long(0x95, &[0; 30]).long(0x9F, &[0; 10]));
    assert_eq!(mail.plain(), "a [image]\n");
    assert_eq!(mail.losses(), [LossKind::ImageDropped]);
    let mail = convert(records().word(0xA7, &[0; 20]).text("shown").word(0xA8, &[0; 4]));
    assert_eq!(mail.plain(), "[object]shown\n");
    assert_eq!(mail.losses(), [LossKind::ObjectFlattened]);
}

#[test]
fn text_in_any_script_arrives() {
    let text = "\u{391}\u{3B8}\u{3AE}\u{3BD}\u{3B1} \u{65E5}\u{672C}\u{8A9E} \u{627}\u{644} \u{1F600}";
    let mail = convert(records().run(PLAIN, text));
    assert_eq!(mail.plain(), format!("{text}\n"));
    assert!(mail.bytes.is_ascii());
}
