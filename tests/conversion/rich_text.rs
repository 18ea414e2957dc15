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
    assert!(html.contains("<tr valign=\"top\"><td colspan=\"2\"><p>wide</p></td></tr>"), "{html}");
    assert!(html.contains("<tr valign=\"top\"><td><p>a</p></td><td><p>b</p></td></tr></table>"), "{html}");
    assert_eq!(mail.plain(), "wide\na | b\n");
}

#[test]
fn covered_cells_at_the_start_of_a_row_leave_nothing_between_the_cells() {
    let head = records().begin_table().cell(0, 0, 2, 2, 0).text("tall").plain_cell(0, 2, "a");
    let row = head.cell(1, 0, 1, 1, 4).paragraph().cell(1, 1, 1, 1, 4).paragraph().plain_cell(1, 2, "b");
    let mail = convert(row.end_table());
    let html = mail.html().replace('\n', "");
    assert!(html.contains("<tr valign=\"top\"><td><p>b</p></td></tr></table>"), "{html}");
    assert_eq!(mail.plain(), "tall | a\nb\n");
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
    // A label stands behind the text of the first cell of its row: so in a public database.
    let table = records().begin_table().plain_cell(0, 0, "one").table_label("Tab A").plain_cell(0, 1, "more");
    let table = table.plain_cell(1, 0, "two").table_label("Tab B").end_table();
    let mail = convert(table.begin_table().plain_cell(0, 0, "another table").end_table());
    assert!(mail.html().contains("<td><p><b>Tab A</b></p>\n<p>one</p>"), "{}", mail.html());
    assert!(mail.html().contains("<td><p><b>Tab B</b></p>\n<p>two</p>"), "{}", mail.html());
    assert_eq!(mail.plain(), "Tab A\none | more\nTab B\ntwo\nanother table\n");
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
fn r10_the_name_of_an_attachment_is_told_once() {
    let file = |words: &str| records().file("ATT1.pdf", "Plan.pdf").text(words).end_hotspot();
    let plain = |words: &str| memo().rich_text("Body", file(words).build()).convert().plain();
    assert_eq!(plain("Plan.pdf"), "[attachment: Plan.pdf]\n");
    assert_eq!(plain(" the plan"), "[attachment: Plan.pdf] the plan\n");
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
    let mail = convert(records().text("a ").graphic().long(0x9F, &[0; 16]).long(0x9B, &[0; 10]));
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

#[test]
fn a_bitmap_of_an_old_release_is_a_png() {
    let mail = convert(records().graphic().bitmap(3, 2, &[0xC3, 0, 3, 0, 1, 0]).text("below"));
    assert!(mail.html().contains(" width=\"3\" height=\"2\""), "{}", mail.html());
    assert_eq!(mail.plain(), "[image]below\n");
    assert_eq!(mail.losses(), []);
    let message = mail.message();
    let part = message.parts.iter().find(|part| part.contents().starts_with(b"\x89PNG")).unwrap();
    let mut reader = png::Decoder::new(std::io::Cursor::new(part.contents())).read_info().unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    reader.next_frame(&mut pixels).unwrap();
    assert_eq!(pixels, [0, 0, 0, 0, 1, 0]);
    assert_eq!(reader.info().palette.as_ref().unwrap()[..6], [255, 0, 0, 255, 255, 255]);
}

#[test]
fn a_bitmap_counts_before_a_metafile_and_damage_is_told() {
    let both = records().graphic().long(0x9F, &[0; 16]).long(0x9B, &[0; 10]).bitmap(1, 1, &[0xC1, 0]);
    let mail = convert(both);
    assert!(mail.text().contains("Content-Type: image/png"));
    assert_eq!(mail.losses(), []);
    let cut = convert(records().graphic().bitmap(2, 2, &[0xC2, 0]));
    assert!(cut.text().contains("Content-Type: image/png"));
    assert_eq!(cut.losses(), [LossKind::ImageDamaged]);
    let huge = convert(records().graphic().bitmap(65_535, 65_535, &[0xC2, 0]));
    assert_eq!((huge.plain().as_str(), huge.losses()), ("[image]\n", vec![LossKind::ImageDropped]));
}

/// A metafile that draws a rectangle: header, window of 100 by 50, rectangle, end; in words.
const METAFILE: [u16; 26] =
    [1, 9, 0x300, 26, 0, 0, 7, 0, 0, 5, 0, 0x20C, 50, 100, 7, 0, 0x41B, 45, 95, 5, 5, 3, 0, 0, 0, 0];

/// The records of a metafile that should have as many bytes as `size` says, in two segments.
fn metafile(bytes: &[u8], size: usize) -> Records {
    let shown = [1500_u16, 750].map(u16::to_le_bytes).concat();
    let mut header = vec![8, 0, 100, 0, 50, 0, 0, 0, 0, 0];
    header.extend((size as u32).to_le_bytes());
    header.extend([2, 0]);
    let segment = |part: &[u8]| {
        let words = [part.len() as u16, part.len() as u16 + 1];
        [&words.map(u16::to_le_bytes).concat()[..], part, &[0]].concat()
    };
    let (first, second) = bytes.split_at(20);
    let graphic = records().long(0x99, &[&shown[..], &[0; 18]].concat());
    graphic.long(0x9F, &header).long(0x9B, &segment(first)).long(0x9B, &segment(second))
}

#[test]
fn a_windows_metafile_becomes_a_file() {
    let bytes = METAFILE.map(u16::to_le_bytes).concat();
    let mail = convert(metafile(&bytes, bytes.len()).text("after"));
    assert_eq!(mail.plain(), "[image: picture1.wmf]after\n");
    let [(name, stored)] = &mail.attachments()[..] else { panic!("{:?}", mail.attachments()) };
    // The header tells where the picture ends on the page: at 100 by 50 pixels of 96 an inch.
    let (placed, drawing) = stored.split_at(22);
    assert_eq!(drawing, bytes);
    assert_eq!(placed[..16], [0xD7, 0xCD, 0xC6, 0x9A, 0, 0, 0, 0, 0, 0, 100, 0, 50, 0, 96, 0]);
    assert_eq!((name.as_str(), mail.losses()), ("picture1.wmf", vec![]));
    assert!(mail.text().contains("Content-Type: image/wmf"));
    for damaged in [metafile(&bytes, bytes.len() + 1), metafile(&bytes[2..], bytes.len() - 2)] {
        let mail = convert(damaged);
        assert_eq!((mail.plain().as_str(), mail.losses()), ("[image]\n", vec![LossKind::ImageDropped]));
        assert!(mail.attachments().is_empty());
    }
}

#[test]
fn captions_stand_below_their_picture() {
    let mut caption = vec![4, 0];
    caption.extend([0; 22]);
    caption.extend(b"A dot");
    caption[0] = 5;
    let mail = convert(records().image(1, 1, GIF, GIF.len() as u32).word(0x76, &caption).text("on"));
    assert_eq!(mail.plain(), "[image]\nA dot\non\n");
}

#[test]
fn a_field_shows_the_item_of_its_name() {
    let field = |name: &str| {
        let mut data = vec![0; 32];
        (data[18], data[26]) = (2, name.len() as u8);
        data.extend([7, 7]);
        data.extend(name.as_bytes());
        records().text("by ").word(0x8A, &data).text(".").build()
    };
    let stored = memo().text("Author", "Jane Doe").rich_text("Body", field("Author")).convert();
    assert_eq!((stored.plain().as_str(), stored.losses()), ("by Jane Doe.\n", Vec::new()));
    let computed = memo().rich_text("Body", field("Today")).convert();
    assert_eq!(computed.plain(), "by .\n");
    assert_eq!(computed.losses(), [LossKind::FormulaNotComputed]);
}

#[test]
fn every_kind_of_list_mark() {
    let marks = [
        (0x0002, "&#x2611; a", "[x] a"),
        (0x2000, "&#x2610; a", "[ ] a"),
        (0x0800, "list-style-type:circle", "* a"),
        (0x1000, "list-style-type:square", "* a"),
        (0x0802, "<ol type=\"I\">", "I. a\nII. b"),
        (0x1002, "<ol type=\"i\">", "i. a\nii. b"),
        (0x1800, "<ol type=\"A\">", "A. a\nB. b"),
        (0x1802, "<ol type=\"a\">", "a. a\nb. b"),
    ];
    for (flags2, html, plain) in marks {
        let list = records().margins(1, [1440, 0, 0], [0, flags2]).text("a").paragraph().text("b");
        let mail = convert(list);
        assert!(mail.html().contains(html), "{flags2:04x}: {}", mail.html());
        assert!(mail.plain().starts_with(plain), "{flags2:04x}: {}", mail.plain());
    }
}

#[test]
fn a_list_with_a_larger_indent_stands_in_the_list_around_it() {
    let number = |body: Records, id, left| body.margins(id, [left, 0, 0], [0x1000, 0]);
    let body = number(records(), 1, 1800).text("one").paragraph();
    let body = number(body, 2, 2160).text("inner").paragraph().text("next").paragraph();
    let mail = convert(body.use_style(1).text("two"));
    let list = "<ol>\n<li>one\n<ol>\n<li>inner</li>\n<li>next</li>\n</ol>\n</li>\n<li>two</li>\n</ol>\n";
    assert_eq!(mail.html(), list);
    // A line that begins with a space gets one more on its way (RFC 3676 section 4.4).
    assert_eq!(mail.plain(), "1. one\n   1. inner\n   2. next\n2. two\n");
}

#[test]
fn indents_count_from_where_text_begins() {
    let html = |body: Records| convert(body.text("text")).html();
    // As Release 5 and later write every style, with the margin in two forms.
    let moved = html(records().margins(1, [2160, 2160, 18], [0, 0x0494]));
    assert_eq!(moved, "<p style=\"margin-left:36pt\">text</p>\n");
    assert_eq!(html(records().margins(1, [1440, 1440, 12], [0, 0x8494])), "<p>text</p>\n");
    assert_eq!(html(records().margins(1, [4513, 4513, 0], [0, 0x8794])), "<p>text</p>\n");
    let percent = html(records().margins(1, [0, 0, 24], [0, 0x0008]));
    assert_eq!(percent, "<p style=\"margin-left:72pt\">text</p>\n");
    let hanging = html(records().margins(1, [2160, 1800, 0], [0, 0]));
    assert_eq!(hanging, "<p style=\"margin-left:36pt;text-indent:-18pt\">text</p>\n");
    let first = html(records().margins(1, [1440, 2160, 0], [0, 0]));
    assert_eq!(first, "<p style=\"text-indent:36pt\">text</p>\n");
    let hebrew = html(records().margins(1, [2160, 0, 0], [0, 0x4000]));
    assert_eq!(hebrew, "<p dir=\"rtl\" style=\"margin-right:36pt\">text</p>\n");
    // In a cell text begins at the edge of the cell.
    let cell = records().begin_table().styled_cell([0, 1], [4500, 6000], 0, 0, 0).margins(
        1,
        [4600, 4600, 0],
        [0, 0],
    );
    assert!(html(cell.clone()).contains("<td width=\"100\"><p>text</p>"), "{}", html(cell));
}

#[test]
fn cells_have_their_width_lines_and_colours() {
    let mut begin = [0; 12];
    let table = |begin: &[u8]| {
        records()
            .byte(0xA3, begin)
            .styled_cell([0, 0], [1440, 2880], 7200, 0x1111, 0)
            .byte(0xD3, &[1, 0, 0xD2, 0xD2, 0xFF, 0])
            .text("a")
            .styled_cell([0, 1], [2880, 5760], 21_600, 0x1001, 0x20)
            .text("b")
            .styled_cell([1, 0], [1440, 2880], 7200, 0, 0x80)
            .text("c")
            .end_table()
    };
    let rest = "bgcolor=\"#d2d2ff\" style=\"border:1px solid\"><p>a</p>\n</td>\n";
    let fixed = convert(table(&begin)).html();
    assert!(fixed.contains(&format!("<td width=\"96\" {rest}")), "{fixed}");
    let lines = "valign=\"middle\" style=\"border-width:1px;border-style:none none solid solid\"><p>b</p>";
    assert!(fixed.contains(&format!("<td width=\"192\" {lines}")), "{fixed}");
    assert!(fixed.contains("<td valign=\"bottom\"><p>c</p>"), "{fixed}");
    begin[10] = 1;
    let fitting = convert(table(&begin)).html();
    assert!(fitting.contains(" width=\"100%\">"), "{fitting}");
    assert!(fitting.contains(&format!("<td width=\"25%\" {rest}")), "{fitting}");
}

// A table of a public help database had rows of a whole page: a narrow cell held 120 blanks, of which every second
// could not break.
#[test]
fn blanks_make_no_lines() {
    assert_eq!(
        convert(records().text("end    ").paragraph().text("   ")).html(),
        "<p>end</p>\n<p><br></p>\n"
    );
    let blanks = " ".repeat(60);
    let mail = convert(records().begin_table().plain_cell(0, 0, &format!("{blanks}Type")).end_table());
    let cell = format!("<p><span style=\"white-space:pre-wrap\">{blanks}</span>Type</p>");
    assert!(mail.html().contains(&cell), "{}", mail.html());
}
