//! The header of a mail and its attachments: M01 to M22.

use crate::support::document::{document, memo, unix_ms};
use notesferry::model::loss::LossKind;
use notesferry::notes::item::ItemType;
use notesferry::notes::timedate::Timedate;

const DATE_LINE: &str = "Date: Fri, 08 Aug 2014 13:18:33 -0400";

#[test]
fn m01_partner_lists_and_the_zone_of_the_author() {
    let mail = document()
        .text("Form", "Memo")
        .text("From", "CN=Jane Doe/OU=Sales/O=Acme")
        .text("INetFrom", "jane.doe@example.com")
        .text("SendTo", "Bob Ray/Acme")
        .text("INetSendTo", "bob@example.com")
        .text("Subject", "Hi")
        .time("PostedDate", "2014-08-08T17:18:33Z", -240)
        .convert();
    assert!(mail.has_line("From: \"Jane Doe\" <jane.doe@example.com>"));
    assert!(mail.has_line("To: \"Bob Ray\" <bob@example.com>"));
    assert!(mail.has_line(DATE_LINE));
    assert!(mail.has_line("Subject: Hi"));
    assert_eq!(mail.losses(), []);
}

#[test]
fn m02_a_name_without_address_gets_a_placeholder() {
    let mail = memo().text("CopyTo", "CN=Bob Ray/O=Acme").text("INetCopyTo", ".").convert();
    assert!(mail.has_line("Cc: \"Bob Ray/Acme\" <bob.ray.acme@unresolved.invalid>"));
    assert_eq!(mail.losses(), [LossKind::AddressUnresolved]);
}

#[test]
fn m03_a_shorter_partner_list_is_not_trusted() {
    let names = ["Ann/Acme", "Bob/Acme", "c@example.com"];
    let mail = memo().list("CopyTo", &names).list("INetCopyTo", &["a@example.com"]).convert();
    let cc = mail.headers("Cc").concat();
    assert!(!cc.contains("a@example.com") && cc.contains("c@example.com"), "{cc}");
    assert!(mail.losses().contains(&LossKind::AddressListsDiffer));
}

#[test]
fn m04_an_assistant_sends_for_the_owner() {
    let mail = document()
        .text("Form", "Memo")
        .text("From", "CN=Amy Sec/O=Acme")
        .text("INetFrom", "amy@example.com")
        .text("Principal", "CN=Jane Doe/OU=Sales/O=Acme")
        .text("$INetPrincipal", "jane.doe@example.com")
        .convert();
    assert!(mail.has_line("From: \"Jane Doe\" <jane.doe@example.com>"));
    assert!(mail.has_line("Sender: \"Amy Sec\" <amy@example.com>"));
}

#[test]
fn a_principal_that_is_the_sender_is_told_once() {
    let mail = memo().text("Principal", "Jane <jane@example.com>").convert();
    assert!(mail.has_line("From: jane@example.com"));
    assert_eq!(mail.headers("Sender"), [""; 0]);
}

#[test]
fn m05_an_appended_notes_domain_goes() {
    let mail = document().text("Form", "Memo").text("SendTo", "jane@example.org@ACME").convert();
    assert!(mail.has_line("To: jane@example.org"));
}

// The directory part of M06 comes with the directory.
#[test]
fn m06_an_address_made_by_domino_stays() {
    let mail = document().text("Form", "Memo").text("SendTo", "John_Smith%Notes@example.com").convert();
    assert!(mail.has_line("To: John_Smith%Notes@example.com"));
}

#[test]
fn m07_a_stored_header_keeps_its_spelling() {
    let mut value = vec![0x0E, 0, 0x0A, 0, 0, 0, 9, 0, 0x11, 0, 3, 0, 0x0B, 0];
    value.extend_from_slice(b"Bulk MailX-MXTHUNDER-Group:  Bulk Mail\r\n");
    let mail = memo().item("X_MXTHUNDER_Group", ItemType::RFC822_TEXT, value).convert();
    assert!(mail.text().contains("\r\nX-MXTHUNDER-Group:  Bulk Mail\r\n"));
}

#[test]
fn m08_a_stored_date_is_the_date() {
    let native = [0x04, 0x15, 0x5F, 0x00, 0x2E, 0x7D, 0x25, 0x04];
    let mail = document()
        .text("Form", "Memo")
        .header("PostedDate", 9, &native, "Date", "Fri, 8 Aug 2014 13:18:33 -0400 (EDT)")
        .convert();
    assert_eq!(mail.headers("Date"), ["Date: Fri, 8 Aug 2014 13:18:33 -0400 (EDT)"]);
    assert_eq!(mail.converted.internal_date_ms, unix_ms("2014-08-08T17:18:33Z"));
}

#[test]
fn m09_received_headers_stand_above_all_but_the_key() {
    let hops = ["from d by e", "from c by d", "from b by c", "from a by b"];
    let mail = hops
        .iter()
        .fold(memo().header("Subject", 10, b"Hi", "Subject", "Hi"), |mail, hop| {
            mail.header("Received", 10, hop.as_bytes(), "Received", hop)
        })
        .convert();
    let lines = mail.header_lines();
    assert_eq!(lines[0], "X-Notesferry-Key: notes.85256826004C8489.8FD8E55C12D1A9764F03FE20DF203FE7");
    assert_eq!(lines[1..5], hops.map(|hop| format!("Received: {hop}")));
}

#[test]
fn m10_a_message_id_is_made_from_the_identity() {
    let id = "<8fd8e55c12d1a9764f03fe20df203fe7.85256826004c8489@notes.invalid>";
    let mail = memo().convert();
    assert!(mail.has_line(&format!("Message-ID: {id}")));
    assert_eq!(mail.converted.message_id, id);
    let stored = memo().text("$MessageID", "<a@example.com>").convert();
    assert_eq!(stored.headers("Message-ID"), ["Message-ID: <a@example.com>"]);
}

#[test]
fn m11_a_reference_in_the_file_becomes_a_thread() {
    let parent = "00112233445566778899AABBCCDDEEFF".parse().unwrap();
    let mail = memo().answers(parent, "<p@x>").convert();
    assert!(mail.has_line("In-Reply-To: <p@x>"));
    assert!(mail.has_line("References: <p@x>"));
}

#[test]
fn m12_priorities_and_categories() {
    let mail = memo()
        .text("Importance", "1")
        .text("DeliveryPriority", "L")
        .list("Categories", &["Budget", "Q1, 2024"])
        .convert();
    for line in
        ["Importance: high", "X-Priority: 1", "Priority: non-urgent", "Keywords: Budget, \"Q1, 2024\""]
    {
        assert!(mail.has_line(line), "{line}");
    }
    assert_eq!(mail.converted.flags.keywords, ["Budget", "Q1,_2024"]);
}

#[test]
fn m13_an_old_receipt_request_fires_no_more() {
    for mail in [
        memo().text("ReturnReceipt", "1"),
        memo().header(
            "Disposition_Notification_To",
            8,
            b"a@example.com",
            "Disposition-Notification-To",
            "a@example.com",
        ),
    ] {
        let mail = mail.unread().convert();
        assert_eq!(mail.headers("Disposition-Notification-To"), [""; 0]);
        assert!(mail.has_line("X-Notes-Return-Receipt: 1"));
        assert_eq!(mail.converted.flags.keywords, ["$MDNSent"]);
    }
}

#[test]
fn m13_what_the_owner_wrote_keeps_its_request() {
    let mail = document()
        .text("Form", "Memo")
        .text("From", "jane@example.com")
        .text("ReturnReceipt", "1")
        .time("PostedDate", "2014-08-08T17:18:33Z", -240)
        .convert();
    assert!(mail.has_line("Disposition-Notification-To: jane@example.com"));
    assert_eq!(mail.converted.flags.keywords, [""; 0]);
}

#[test]
fn m16_a_subject_in_another_script_is_encoded() {
    let mail = document().item("Form", ItemType::TEXT, b"Memo".to_vec());
    let mail = mail.item("Subject", ItemType::TEXT, vec![b'C', b'a', b'f', 0x82]).convert();
    assert!(mail.has_line("Subject: =?UTF-8?B?Q2Fmw6k=?="));
    let long = "\u{41F}\u{440}\u{438}\u{432}\u{435}\u{442} ".repeat(60);
    let mail = document().text("Form", "Memo").text("Subject", &long).convert();
    assert_eq!(mail.message().subject().unwrap(), long.trim());
    assert!(mail.text().split("\r\n").filter(|line| line.contains("=?")).all(|line| line.len() <= 76));
}

#[test]
fn only_the_last_encoded_word_is_padded() {
    for letters in ["\u{8CC7}\u{6599} a ", "\u{44F}", "x\u{E9}\u{1F600}y"] {
        let subject = letters.repeat(20);
        let mail = document().text("Form", "Memo").text("Subject", &subject).convert();
        assert_eq!(mail.message().subject().unwrap(), subject.trim());
        let header = mail.headers("Subject").concat();
        let words: Vec<&str> = header.split_ascii_whitespace().collect();
        assert!(
            words.len() > 1 && words[..words.len() - 1].iter().all(|word| !word.ends_with("=?=")),
            "{header}"
        );
    }
}

#[test]
fn a_subject_that_looks_encoded_stays_what_it_is() {
    let subject = "What does =?UTF-8?Q?a?= mean";
    let mail = document().text("Form", "Memo").text("Subject", subject).convert();
    assert_eq!(mail.message().subject().unwrap(), subject);
}

#[test]
fn m17_attachments_have_the_names_that_were_shown() {
    let body = crate::support::rich_text::records()
        .paragraph()
        .file("a.txt", "a.txt")
        .end_hotspot()
        .file("ATT01234.txt", "a.txt")
        .end_hotspot()
        .build();
    let mail = memo().rich_text("Body", body).file("a.txt", b"one").file("ATT01234.txt", b"two").convert();
    let expected = [("a.txt".to_owned(), b"one".to_vec()), ("a.txt".to_owned(), b"two".to_vec())];
    assert_eq!(mail.attachments(), expected);
    assert!(mail.text().contains("creation-date=\"Fri, 01 Aug 2014 10:00:00 +0000\""));
}

#[test]
fn attachment_names_in_another_script_are_extended_parameters() {
    let name = "\u{41F}\u{43B}\u{430}\u{43D}.pdf";
    let mail = memo().file(name, b"%PDF-1.4").convert();
    assert_eq!(mail.attachments(), [(name.to_owned(), b"%PDF-1.4".to_vec())]);
    assert!(mail.text().contains("filename*"));
    assert!(mail.text().contains("application/pdf"));
}

#[test]
fn m19_an_unknown_form_with_mail_items_is_mail() {
    let mail = document()
        .text("Form", "FooBar")
        .text("From", "jane@example.com")
        .text("SendTo", "bob@example.com")
        .text("Body", "text")
        .convert();
    assert!(mail.has_line("X-Notes-Form: FooBar"));
    assert_eq!(mail.plain(), "text\n");
}

#[test]
fn m20_a_mail_without_body_is_a_mail() {
    let mail = document().text("Form", "Memo").text("Subject", "x").convert();
    assert_eq!(mail.plain(), "");
    assert!(mail.text().contains("Content-Type: text/plain"));
}

#[test]
fn m21_blind_copies_are_kept() {
    assert!(memo().text("BlindCopyTo", "b@example.com").convert().has_line("Bcc: b@example.com"));
}

#[test]
fn m22_the_date_of_delivery_stands_in() {
    let mail = document().text("Form", "Memo").time("DeliveredDate", "2014-08-08T17:18:33Z", -240).convert();
    assert!(mail.has_line(DATE_LINE));
    assert!(mail.losses().contains(&LossKind::DateSubstituted));
}

#[test]
fn a_damaged_date_is_told_and_passed_over() {
    let mail = document()
        .text("Form", "Memo")
        .timedate("PostedDate", Timedate([9_000_000, 0x00257D2E]))
        .time("DeliveredDate", "2014-08-08T17:18:33Z", -240)
        .convert();
    assert!(mail.has_line(DATE_LINE));
    assert!(mail.losses().contains(&LossKind::DateInvalid));
    let future = document()
        .text("Form", "Memo")
        .time("PostedDate", "2031-01-01T00:00:00Z", 0)
        .time("DeliveredDate", "2014-08-08T17:18:33Z", -240)
        .convert();
    assert!(future.has_line(DATE_LINE));
    assert!(future.losses().contains(&LossKind::DateImplausible));
}

#[test]
fn there_is_one_from_and_one_date_whatever_is_stored() {
    let mail = memo()
        .header("X1", 8, b"", "From", "a@example.com")
        .header("X2", 8, b"", "FROM", "b@example.com")
        .header("X3", 9, b"", "Date", "Fri, 8 Aug 2014 13:18:33 -0400")
        .header("X4", 9, b"", "date", "Sat, 9 Aug 2014 13:18:33 -0400")
        .header("X5", 10, b"", "X-Notesferry-Key", "notes.forged")
        .header("X6", 10, b"", "Content-Type", "text/evil")
        .convert();
    assert_eq!(mail.headers("From"), ["From: a@example.com"]);
    assert_eq!(mail.headers("Date"), ["Date: Fri, 8 Aug 2014 13:18:33 -0400"]);
    assert_eq!(mail.headers("X-Notesferry-Key").len(), 1);
    assert!(!mail.text().contains("forged") && !mail.text().contains("evil"));
    assert!(mail.losses().contains(&LossKind::DuplicateItem));
}

#[test]
fn without_a_sender_the_owner_or_the_last_editor_is_named() {
    let draft = document().text("Form", "Memo").owner("CN=Jane Doe/O=Acme").convert();
    assert!(draft.headers("From")[0].contains("Jane Doe/Acme"));
    assert!(draft.losses().contains(&LossKind::SenderUnknown));
    let edited = document().text("Form", "Memo").list("$UpdatedBy", &["b@example.com"]).convert();
    assert!(edited.has_line("From: b@example.com"));
    let nobody = document().text("Form", "Memo").convert();
    assert!(nobody.has_line("From: \"Unknown sender\" <unknown@unresolved.invalid>"));
}

#[test]
fn no_item_can_add_a_header() {
    let evil = "x\r\nBcc: evil@example.com\r\n\r\nbody\0";
    let mut mail = document().text("Form", "Memo").header("X1", 10, evil.as_bytes(), "X-Stored", evil);
    let items = [
        "Subject",
        "From",
        "SendTo",
        "$Mailer",
        "$MessageID",
        "References",
        "Categories",
        "FollowUpText",
        "SMTPOriginator",
        "Resent_From",
        "InReplyTo",
    ];
    for item in items {
        mail = mail.text(item, evil);
    }
    let mail = mail.header("X2", 10, b"a", "X-Name\r\nBcc", "evil@example.com").convert();
    assert_eq!(mail.headers("Bcc"), [""; 0]);
    let message = mail.message();
    assert!(message.bcc().is_none());
    assert!(message.headers().iter().all(|header| header.name() != "Bcc"));
    assert!(!mail.bytes.contains(&0));
}

#[test]
fn x13_the_first_of_two_subjects_counts() {
    let same = memo().text("Subject", "Hi").convert();
    assert_eq!(same.losses(), []);
    let other = memo().text("Subject", "Ho").convert();
    assert_eq!(other.headers("Subject"), ["Subject: Hi"]);
    assert_eq!(other.losses(), [LossKind::DuplicateItem]);
}

#[test]
fn m14_a_failure_report_is_a_report() {
    let mail = document()
        .text("Form", "NonDelivery Report")
        .text("IntendedRecipient", "x@example.org")
        .text("FailureReason", "User not listed\nin the directory")
        .text("OriginalFrom", "jane@example.com")
        .text("Body", "Your document was not delivered.")
        .convert();
    let content_type = mail.headers("Content-Type").concat();
    assert!(content_type.starts_with("Content-Type: multipart/report; report-type=\"delivery-status\""));
    let message = mail.message();
    let status = message.part(2).unwrap();
    let status = String::from_utf8_lossy(status.contents()).replace("\r\n", "\n");
    assert!(status.contains("\nFinal-Recipient: rfc822; x@example.org\nAction: failed\n"), "{status}");
    assert!(status.contains("Diagnostic-Code: X-Notes; User not listed in the directory"), "{status}");
    assert!(mail.text().contains("Content-Type: text/rfc822-headers"));
    assert_eq!(mail.plain(), "Your document was not delivered.\n");
}

#[test]
fn a_report_without_facts_is_plain_mail() {
    let mail = document().text("Form", "Delivery Report").text("Body", "delivered").convert();
    assert!(mail.text().contains("Content-Type: text/plain"));
}

#[test]
fn m15_the_original_that_was_kept_is_the_message() {
    let original = "Subject: kept\nFrom: a@example.com\n\ntext\n";
    let mail = memo()
        .text("$IntMailMsgFileName", "$RFC822.eml")
        .number("$ItemizeError", 1.0)
        .text("Body", "This message could not be split.")
        .file("$RFC822.eml", original.as_bytes())
        .convert();
    let (key, rest) = mail.text().split_once("\r\n").map(|(k, r)| (k.to_owned(), r.to_owned())).unwrap();
    assert!(key.starts_with("X-Notesferry-Key: notes."));
    assert_eq!(rest, original.replace('\n', "\r\n"));
    assert_eq!(mail.folders(), ["All Documents"]);
}
