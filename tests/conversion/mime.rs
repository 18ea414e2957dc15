//! Documents that hold MIME: X06 to X12 and what else section 7.5 asks.

use crate::support::document::{Document, Outcome, memo};
use crate::support::rich_text::records;
use mail_parser::MimeHeaders;
use notesferry::model::loss::LossKind;
use notesferry::notes::item::ItemType;

const MIXED: &str = "Content-Type: multipart/mixed; boundary=\"=_mixed 1=\"\r\n\r\n";
const TEXT: &str = "Content-Type: text/plain; charset=us-ascii\r\n\r\n";

/// The parts of section 7.5, as a real message has them.
fn real_message() -> Document {
    memo()
        .mime(1, "", MIXED, "")
        .mime(1, "--=_mixed 1=\r\n", "Content-Type: multipart/alternative; boundary=\"=_alt 2=\"\r\n\r\n", "")
        .mime(2, "--=_alt 2=\r\n", TEXT, "plain\r\n")
        .mime(2, "--=_alt 2=\r\n", "Content-Type: text/html\r\n\r\n", "<p>html</p>\r\n")
        .mime(3, "--=_alt 2=--\r\n", "", "")
        .mime_object(
            "--=_mixed 1=\r\n",
            "Content-Type: application/octet-stream; name=\"New Text Document.txt\"\r\n\
             Content-Transfer-Encoding: binary\r\n\
             Content-Disposition: attachment; filename=\"New Text Document.txt\"\r\n\r\n",
            "New Text Document.txt",
        )
        .mime(3, "--=_mixed 1=--\r\n", "", "")
        .file("New Text Document.txt", b"hello")
}

fn body(mail: &Outcome) -> String {
    mail.text().split_once("\r\n\r\n").unwrap().1.to_owned()
}

#[test]
fn x06_a_body_in_a_file_is_base64_and_one_attachment() {
    let mail = real_message().convert();
    assert_eq!(mail.attachments(), [("New Text Document.txt".to_owned(), b"hello".to_vec())]);
    assert!(mail.text().contains("\r\nContent-Transfer-Encoding: base64\r\n"));
    assert!(mail.text().contains("\r\n\r\naGVsbG8=\r\n--=_mixed 1=--\r\n"));
    assert!(!mail.text().contains("binary"));
    assert_eq!(mail.plain(), "plain\n");
    assert_eq!(mail.message().body_html(0).unwrap(), "<p>html</p>");
    assert_eq!(mail.losses(), []);
}

#[test]
fn the_key_stands_above_the_headers_of_mime_documents_too() {
    let mail = real_message().header("Received", 10, b"", "Received", "from a by b").convert();
    let lines = mail.header_lines();
    assert!(lines[0].starts_with("X-Notesferry-Key: notes."));
    assert_eq!(lines[1], "Received: from a by b");
    assert_eq!(mail.headers("Content-Type").len(), 1);
    assert_eq!(mail.headers("MIME-Version"), ["MIME-Version: 1.0"]);
}

#[test]
fn x07_a_single_part() {
    let mail = memo().mime(2, "", "Content-Type: text/html; charset=utf-8\r\n\r\n", "<p>x</p>\n").convert();
    assert_eq!(mail.headers("Content-Type"), ["Content-Type: text/html; charset=utf-8"]);
    assert_eq!(body(&mail), "<p>x</p>\r\n");
}

#[test]
fn headers_in_the_first_part_are_taken_where_no_item_has_them() {
    let headers = "Subject: other\r\nX-Own: 1\r\n 2\r\nContent-Type: text/plain\r\n\r\n";
    let mail = memo().header("Subject", 10, b"Hi", "Subject", "Hi").mime(2, "", headers, "x\r\n").convert();
    assert_eq!(mail.headers("Subject"), ["Subject: Hi"]);
    assert!(mail.has_line("X-Own: 1 2"));
}

#[test]
fn x08_a_sealed_note_gives_a_stub() {
    let mail = memo().item("$Seal", ItemType::SEAL, vec![0; 8]).item("$SealData", ItemType::SEALDATA, vec![]);
    let mail = mail.convert();
    assert!(mail.plain().contains("encrypted with Notes"));
    assert!(mail.has_line("Subject: Hi"));
    assert_eq!(mail.losses(), [LossKind::Encrypted]);
}

#[test]
fn x09_the_wish_to_encrypt_is_no_proof() {
    let mail = memo().text("Encrypt", "1").text("Body", "readable").convert();
    assert_eq!(mail.plain(), "readable\n");
    assert_eq!(mail.losses(), []);
}

#[test]
fn x10_signed_parts_stay_as_they_are() {
    let text = "one\rtwo\nthree \r\n";
    let signature = "Content-Type: application/pkcs7-signature\nContent-Transfer-Encoding: base64\n\n";
    let mail = memo()
        .mime(1, "", "Content-Type: multipart/signed; micalg=sha1; boundary=\"s\"\r\n\r\n", "")
        .mime(2, "--s\r\n", "Content-Type: text/plain\nX-Odd:  1\n\n", text)
        .mime(2, "--s\r\n", signature, "QUJD\n")
        .mime(3, "--s--\r\n", "", "")
        .convert();
    let expected =
        format!("--s\r\nContent-Type: text/plain\nX-Odd:  1\n\n{text}--s\r\n{signature}QUJD\n\r\n--s--\r\n");
    assert_eq!(body(&mail), expected);
}

#[test]
fn x11_a_truncated_note_is_delivered() {
    let mail = memo().text("Body", "beginning").number("$OrigSize", 900_000.0).convert();
    assert_eq!(mail.plain(), "beginning\n");
    assert_eq!(mail.losses(), [LossKind::Truncated]);
}

#[test]
fn x12_a_file_without_data_is_told_in_its_place() {
    let mail = memo().text("Body", "see file").lost_file("plan.pdf", 4711, LossKind::AttachmentExternal);
    let mail = mail.convert();
    assert!(mail.text().contains("[attachment missing: plan.pdf, 4711 bytes]"));
    assert_eq!(mail.losses(), [LossKind::AttachmentExternal]);
}

#[test]
fn a_lost_body_of_a_mime_part_is_told_in_its_place() {
    let mut mail = real_message();
    mail.files.clear();
    let mail = mail.lost_file("New Text Document.txt", 5, LossKind::AttachmentCompressed).convert();
    assert!(mail.text().contains("[attachment missing: New Text Document.txt, 5 bytes]"));
    assert_eq!(mail.losses(), [LossKind::AttachmentCompressed]);
    let mut without = real_message();
    without.files.clear();
    assert_eq!(without.convert().losses(), [LossKind::AttachmentMissing]);
}

#[test]
fn missing_ends_are_written() {
    let mail = memo()
        .mime(1, "", MIXED, "")
        .mime(1, "--=_mixed 1=\r\n", "Content-Type: multipart/alternative; boundary=b\r\n\r\n", "")
        .mime(2, "--b\r\n", TEXT, "plain")
        .mime(2, "--=_mixed 1=\r\n", TEXT, "second")
        .convert();
    let expected = "--b\r\nContent-Type: text/plain; charset=us-ascii\r\n\r\nplain\r\n--b--\r\n\
                    --=_mixed 1=\r\nContent-Type: text/plain; charset=us-ascii\r\n\r\nsecond\r\n--=_mixed 1=--\r\n";
    assert!(body(&mail).ends_with(expected), "{}", body(&mail));
}

#[test]
fn a_boundary_that_disagrees_with_the_header_is_rewritten() {
    let mail = memo()
        .mime(1, "", MIXED, "")
        .mime(2, "--other\r\n", TEXT, "plain\r\n")
        .mime(3, "--other--\r\n", "", "")
        .convert();
    assert_eq!(mail.plain(), "plain\n");
    assert!(body(&mail).ends_with("--=_mixed 1=--\r\n"));
    let none = memo()
        .mime(1, "", "Content-Type: multipart/mixed\r\n\r\n", "")
        .mime(2, "--x\r\n", TEXT, "plain\r\n")
        .mime(3, "--x--\r\n", "", "")
        .convert();
    assert_eq!(none.headers("Content-Type"), ["Content-Type: multipart/mixed; boundary=\"x\""]);
}

#[test]
fn text_labelled_binary_is_encoded() {
    let binary = |charset: &str, text: &[u8]| {
        let headers = format!(
            "Content-Type: text/plain; charset={charset}\r\nContent-Transfer-Encoding: binary\r\n\r\n"
        );
        memo().mime(2, "", &headers, text).convert()
    };
    let ascii = binary("us-ascii", b"one\ntwo\n");
    assert!(ascii.has_line("Content-Transfer-Encoding: 7bit"));
    assert_eq!(body(&ascii), "one\r\ntwo\r\n");
    let utf8 = binary("utf-8", "Caf\u{E9}\n".as_bytes());
    assert!(utf8.has_line("Content-Transfer-Encoding: base64"));
    assert_eq!(utf8.plain(), "Caf\u{E9}\n");
    let long = binary("us-ascii", "x".repeat(5000).as_bytes());
    assert_eq!(long.plain().trim_end(), "x".repeat(5000));
    let wide: Vec<u8> = "a\n\u{A0A}".encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert_eq!(binary("utf-16le", &wide).plain(), "a\n\u{A0A}\n");
    for mail in [ascii, utf8, long] {
        assert!(mail.text().split("\r\n").all(|line| line.len() <= 998 && !line.contains('\n')));
    }
}

#[test]
fn a_binary_body_keeps_its_bytes() {
    let bytes: Vec<u8> = (0..=255).collect();
    let headers = "Content-Type: application/x-own; name=a.bin\r\nContent-Transfer-Encoding: binary\r\n\
                   Content-Disposition: attachment; filename=a.bin\r\n\r\n";
    let mail = memo().mime(2, "", headers, &bytes).convert();
    assert_eq!(mail.attachments(), [("a.bin".to_owned(), bytes)]);
}

#[test]
fn eight_bit_text_stays_and_encoded_bodies_are_not_encoded_again() {
    let headers = "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n";
    let mail = memo().mime(2, "", headers, "Caf\u{E9}\r\n").convert();
    assert!(mail.has_line("Content-Transfer-Encoding: 8bit"));
    assert_eq!(mail.plain(), "Caf\u{E9}\n");
    let headers = "Content-Type: text/plain\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n";
    assert_eq!(body(&memo().mime(2, "", headers, "a=3D\nb").convert()), "a=3D\r\nb");
}

#[test]
fn a_part_goes_on_in_the_items_after_it() {
    let mail = memo().mime(2, "", TEXT, "one ").mime(2, "", "", "two\r\n").convert();
    assert_eq!(body(&mail), "one two\r\n");
}

#[test]
fn a_file_that_no_part_names_is_attached() {
    let mail = real_message().file("other.txt", b"other").convert();
    let names: Vec<String> = mail.attachments().into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["New Text Document.txt", "other.txt"]);
    assert_eq!(mail.headers("Content-Type").len(), 1);
    assert!(mail.headers("Content-Type")[0].starts_with("Content-Type: multipart/mixed; boundary=\"=_nf_"));
    assert_eq!(mail.plain(), "plain\n");
    assert_eq!(real_message().convert().message().parts.len() + 2, mail.message().parts.len());
}

#[test]
fn a_message_in_a_file_is_not_base64() {
    let inner = b"Subject: inner\nFrom: a@example.com\n\ntext\n";
    let headers = "Content-Type: message/rfc822\r\nContent-Transfer-Encoding: binary\r\n\r\n";
    let mail = memo().mime(1, "", MIXED, "").mime_object("--=_mixed 1=\r\n", headers, "m.eml");
    let mail = mail.file("m.eml", inner).convert();
    let message = mail.message();
    let part = message.parts.iter().find_map(|part| part.message()).unwrap();
    assert_eq!(part.subject(), Some("inner"));
    assert!(message.parts.iter().all(|part| part.content_transfer_encoding() != Some("binary")));
}

#[test]
fn rich_text_beside_mime_is_dropped_and_told() {
    let mail =
        memo().mime(2, "", TEXT, "mime\r\n").rich_text("Body", records().text("rich").build()).convert();
    assert_eq!(mail.plain(), "mime\n");
    assert_eq!(mail.losses(), [LossKind::SecondBodyDropped]);
}

#[test]
fn a_notes_signature_is_dropped_and_told() {
    let mail = memo().text("Body", "x").item("$Signature", ItemType::SIGNATURE, vec![1; 20]).convert();
    assert_eq!(mail.losses(), [LossKind::NotesSignatureDropped]);
}
