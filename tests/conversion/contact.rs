//! Contacts and groups: the rows of the table of contact cases, by their ids.

use crate::support::document::{Document, Outcome, document};
use crate::support::rich_text::records;
use notesferry::conversion::{Choices, VcardVersion};
use notesferry::model::folder::FolderRole;
use notesferry::model::loss::LossKind;
use notesferry::notes::timedate::Timedate;

const PNG: &[u8] =
    b"\x89PNG\r\n\x1A\n and more bytes than fit into one line of seventy-five octets, so that it folds";
/// Days from 1970-01-01 to 1987-12-29.
const DAY: i64 = 6_571;

fn person() -> Document {
    document().text("Form", "Person").text("Type", "Person").modified("2019-06-01T10:00:00Z")
}

fn group(members: &[&str]) -> Document {
    document().text("Form", "Group").text("ListName", "Friends").list("Members", members)
}

fn version_3(document: Document) -> Outcome {
    document.choose(Choices { vcard: VcardVersion::V3, ..Choices::default() }).convert()
}

/// The lines of a property.
fn lines(card: &str, property: &str) -> Vec<String> {
    card.lines().filter(|line| line.split([':', ';']).next() == Some(property)).map(str::to_owned).collect()
}

fn object_losses(outcome: &Outcome) -> Vec<LossKind> {
    outcome.converted.object.as_ref().unwrap().losses.iter().map(|loss| loss.kind).collect()
}

fn jane() -> Document {
    person()
        .text("LastName", "Doe")
        .text("FirstName", "Jane")
        .text("MiddleInitial", "Q")
        .list("FullName", &["CN=Jane Q Doe/O=Acme", "Janie"])
        .text("InternetAddress", "jane@example.com")
        .text("CompanyName", "Acme")
        .text("Department", "Sales")
        .text("JobTitle", "Lead")
}

#[test]
fn p01_a_contact() {
    let contact = jane().convert();
    let card = contact.card();
    for line in [
        "VERSION:4.0",
        "UID:urn:x-notes:8FD8E55C12D1A9764F03FE20DF203FE7",
        "REV:20190601T100000Z",
        "N:Doe;Jane;Q;;",
        "FN:Jane Q Doe",
        "NICKNAME:Janie",
        "ORG:Acme;Sales",
        "TITLE:Lead",
        "EMAIL;PREF=1:jane@example.com",
    ] {
        assert!(card.lines().any(|own| own == line), "{line} in {card}");
    }
    assert!(card.contains("\nX-NOTESFERRY-KEY:notes."), "{card}");
    assert_eq!(contact.folders(), ["Contacts"]);
    assert_eq!(contact.losses(), []);
    // As a message: in words, and as a part.
    assert_eq!(contact.card_part(), card);
    assert!(contact.has_line("Subject: Jane Q Doe"));
    assert_eq!(
        contact.plain(),
        "Name: Jane Q Doe\nCompany: Acme\nDepartment: Sales\nTitle: Lead\nE-mail: jane@example.com\n"
    );
}

#[test]
fn p02_a_notes_name_is_no_address() {
    let bob = person().text("LastName", "Ray").text("MailAddress", "Bob Ray/Acme@Acme");
    let contact = bob.convert();
    let card = contact.card();
    assert_eq!(lines(&card, "EMAIL"), [""; 0]);
    assert_eq!(lines(&card, "X-NOTES-ADDRESS"), ["X-NOTES-ADDRESS:Bob Ray/Acme@Acme"]);
    assert_eq!(contact.losses(), [LossKind::AddressUnresolved]);
    let known = person().text("FullName", "CN=Bob Ray/O=Acme").text("InternetAddress", "bob@example.com");
    let found =
        person().text("LastName", "Ray").text("MailAddress", "Bob Ray/Acme@Acme").listed(&known).convert();
    assert_eq!(lines(&found.card(), "EMAIL"), ["EMAIL;PREF=1:bob@example.com"]);
}

#[test]
fn p03_other_addresses_and_numbers() {
    let contact = person()
        .text("LastName", "Doe")
        .text("MiscPhone1", "x@example.org")
        .text("MiscPhone2", "+1 555 0100");
    let card = contact.convert().card();
    assert_eq!(lines(&card, "EMAIL"), ["EMAIL;PREF=1:x@example.org"]);
    assert_eq!(lines(&card, "TEL"), ["TEL:+1 555 0100"]);
}

#[test]
fn p04_telephones_by_kind() {
    let contact = person()
        .text("LastName", "Doe")
        .text("PhoneNumber", "1")
        .text("OfficePhoneNumber", "2")
        .text("CellPhoneNumber", "3")
        .text("OfficeFAXPhoneNumber", "4")
        .text("FaxNumber", "4")
        .text("PhoneNumber_6", "5");
    let numbers = [
        "TEL;VALUE=text;TYPE=\"work,voice\":2",
        "TEL;VALUE=text;TYPE=\"work,fax\":4",
        "TEL;VALUE=text;TYPE=\"cell,voice\":3",
        "TEL;VALUE=text;TYPE=\"home,voice\":1",
        "TEL;VALUE=text;TYPE=pager:5",
    ];
    let outcome = contact.convert();
    assert_eq!(lines(&outcome.card(), "TEL"), numbers);
    assert!(outcome.plain().contains("Phone (work, voice): 2\n"), "{}", outcome.plain());
}

#[test]
fn p05_a_company_is_called_by_its_name() {
    let card = person().text("CompanyName", "Acme, Inc.").convert().card();
    assert!(card.contains("\nFN:Acme\\, Inc.\n") && card.contains("\nORG:Acme\\, Inc.\n"), "{card}");
    assert_eq!(lines(&card, "N"), [""; 0]);
}

#[test]
fn p06_a_birthday_is_a_day() {
    let born = |birthday: Timedate| {
        let contact = person().text("LastName", "Doe").timedate("Birthday", birthday).convert();
        (lines(&contact.card(), "BDAY").concat(), contact.losses())
    };
    assert_eq!(born(Timedate::from_unix_day(DAY)), ("BDAY:19871229".to_owned(), vec![]));
    // Midnight of a summer day, in a zone that is told without daylight saving.
    let midnight = Timedate::from_unix_ms(
        "1987-07-28T22:00:00Z".parse::<jiff::Timestamp>().unwrap().as_millisecond(),
        60,
    );
    assert_eq!(born(midnight), ("BDAY:19870729".to_owned(), vec![]));
    // Without a year.
    let year_1604 = Timedate([u32::MAX, 2_307_272]);
    assert_eq!(born(year_1604), ("BDAY:--1229".to_owned(), vec![]));
    assert_eq!(born(Timedate([u32::MAX, u32::MAX])), (String::new(), vec![]));
    assert_eq!(born(Timedate([5, 7])), (String::new(), vec![LossKind::DateInvalid]));
    let words = person().text("LastName", "Doe").text("Birthday", "in May").convert();
    assert!(words.card().contains("\nBDAY;VALUE=text:in May\n"));
}

#[test]
fn p07_postal_addresses() {
    let contact = person()
        .text("LastName", "Doe")
        .text("OfficeStreetAddress", "Main St 1;Floor 2")
        .text("OfficeCity", "Springfield")
        .text("OfficeZIP", "12345")
        .text("OfficeNumber", "2.14")
        .text("City", "Shelbyville")
        .text("Location", "East wing");
    let card = contact.convert().card();
    assert_eq!(
        lines(&card, "ADR"),
        ["ADR;TYPE=work:;2.14;Main St 1\\;Floor 2;Springfield;;12345;", "ADR;TYPE=home:;;;Shelbyville;;;"]
    );
    assert_eq!(lines(&card, "X-NOTES-LOCATION"), ["X-NOTES-LOCATION:East wing"]);
}

#[test]
fn p08_a_group_has_members() {
    let group = group(&["Jane Q Doe/Acme", "bob@example.org", "Nobody/Acme"])
        .beside(&jane().number_in_file(7))
        .text("ListDescription", "Who plays cards");
    let outcome = group.convert();
    let card = outcome.card();
    assert_eq!(lines(&card, "KIND"), ["KIND:group"]);
    assert_eq!(lines(&card, "FN"), ["FN:Friends"]);
    assert_eq!(
        lines(&card, "MEMBER"),
        ["MEMBER:urn:x-notes:8FD8E55C12D1A9764F03FE20DF203F07", "MEMBER:mailto:bob@example.org"]
    );
    assert_eq!(lines(&card, "NOTE"), ["NOTE:Who plays cards\\nMembers without a known address: Nobody/Acme"]);
    assert_eq!(outcome.losses(), [LossKind::MemberUnresolved]);
    assert!(outcome.plain().contains("Member: Nobody\n"), "{}", outcome.plain());
    assert!(outcome.has_line("Subject: Friends"));
}

#[test]
fn members_are_found_by_address_by_directory_and_as_groups() {
    let inner = group(&[]).without("ListName").text("ListName", "Inner").number_in_file(9);
    let known = person().text("FullName", "CN=Eve Moss/O=Acme").text("InternetAddress", "eve@example.com");
    let outcome = group(&["jane@example.com", "Inner", "Eve Moss/Acme", "Friends"])
        .beside(&jane().number_in_file(7))
        .beside(&inner)
        .beside(&group(&[]))
        .listed(&known)
        .convert();
    let members = lines(&outcome.card(), "MEMBER");
    let ends: Vec<&str> = members.iter().map(|line| &line[line.len() - 4..]).collect();
    assert_eq!(ends, ["3F07", "3F09", ".com", "3FE7"], "{members:?}");
    assert_eq!(outcome.losses(), []);
}

#[test]
fn the_photo_is_a_part_of_the_card_and_other_files_are_not() {
    let contact = jane().file("ContactPhoto", PNG).file("map.pdf", b"%PDF-1.4").convert();
    let card = contact.card();
    let photo = lines(&card, "PHOTO").concat();
    use base64::Engine as _;
    let bytes = photo.strip_prefix("PHOTO:data:image/png;base64,").unwrap();
    assert_eq!(base64::engine::general_purpose::STANDARD.decode(bytes).unwrap(), PNG);
    assert_eq!(object_losses(&contact), [LossKind::AttachmentDropped]);
    assert_eq!(contact.attachments().len(), 2);
    let inline =
        jane().rich_text("Body", records().text("She").graphic().image(4, 4, PNG, PNG.len() as u32).build());
    let contact = inline.convert();
    assert!(contact.card().contains("\nPHOTO:data:image/png;base64,"));
    assert!(contact.card().contains("\nNOTE:She"), "{}", contact.card());
    assert_eq!(object_losses(&contact), [LossKind::FormattingDropped]);
    let no_image = jane().file("ContactPhoto", b"hello").convert();
    assert!(!no_image.card().contains("PHOTO"));
}

#[test]
fn remarks_people_and_pages() {
    let contact = jane()
        .text("Comment", "Met in\nMay; tall, kind")
        .text("Body", "Likes tea")
        .list("Categories", &["Friends", "A, B", ""])
        .text("Spouse", "Joe")
        .list("Children", &["Ann", "Tim"])
        .text("Manager", "CN=Bob Ray/O=Acme")
        .text("WebSite", "www.example.com")
        .text("SametimeLogin", "jane doe")
        .text("Title", "Dr.")
        .text("Suffix", "Jr.")
        .text("HTTPPassword", "(secret)")
        .text("Certificate", "0302");
    let card = contact.convert().card();
    for line in [
        "NOTE:Met in\\nMay\\; tall\\, kind\\nLikes tea",
        "CATEGORIES:Friends,A\\, B",
        "RELATED;VALUE=text;TYPE=spouse:Joe",
        "RELATED;VALUE=text;TYPE=child:Ann",
        "RELATED;VALUE=text;TYPE=child:Tim",
        "RELATED;VALUE=text;TYPE=x-manager:Bob Ray",
        "URL:http://www.example.com",
        "IMPP:sametime:jane%20doe",
        "N:Doe;Jane;Q;Dr.;Jr.",
    ] {
        assert!(card.lines().any(|own| own == line), "{line} in {card}");
    }
    assert!(!card.contains("secret") && !card.contains("0302"));
}

#[test]
fn version_3_says_the_same_in_its_own_words() {
    let contact = jane()
        .text("OfficePhoneNumber", "2")
        .text("Spouse", "Joe")
        .timedate("Birthday", Timedate::from_unix_day(DAY))
        .timedate("Anniversary", Timedate::from_unix_day(DAY))
        .file("ContactPhoto", PNG);
    let card = version_3(contact).card();
    for line in [
        "VERSION:3.0",
        "EMAIL;TYPE=INTERNET:jane@example.com",
        "TEL;TYPE=work,voice:2",
        "BDAY:1987-12-29",
        "X-ANNIVERSARY:1987-12-29",
        "X-SPOUSE:Joe",
    ] {
        assert!(card.lines().any(|own| own == line), "{line} in {card}");
    }
    assert!(card.contains("\nPHOTO;ENCODING=b;TYPE=PNG:iVBORw0K"), "{card}");
    let group = version_3(group(&["a@example.com"])).card();
    for line in
        ["N:Friends;;;;", "X-ADDRESSBOOKSERVER-KIND:group", "X-ADDRESSBOOKSERVER-MEMBER:mailto:a@example.com"]
    {
        assert!(group.lines().any(|own| own == line), "{line} in {group}");
    }
    assert!(version_3(person().text("CompanyName", "Acme")).card().contains("\nN:;;;;\n"));
}

#[test]
fn a_contact_lies_where_it_was_filed_too_and_is_never_unread() {
    let contact = jane().folder(FolderRole::User, &["People"]).unread().convert();
    assert_eq!(contact.folders(), ["People", "Contacts"]);
    assert!(contact.converted.flags.seen);
}

#[test]
fn the_loser_of_a_conflict_is_skipped_only_where_the_winner_is() {
    let winner = jane().number_in_file(7);
    let loser = || jane().text("$Conflict", "").answers(winner.note.unid, "");
    let skipped = loser().beside(&winner).try_convert().unwrap();
    assert!(skipped.placements.is_empty());
    assert_eq!(skipped.losses[0].kind, LossKind::ConflictCopySkipped);
    assert_eq!(loser().convert().folders(), ["Contacts"]);
}

#[test]
fn values_that_make_no_sense_do_no_harm() {
    let odd = "a\r\nEMAIL:b@example.com\0;,:\"\\";
    let items = [
        "FullName",
        "LastName",
        "FirstName",
        "CompanyName",
        "Department",
        "JobTitle",
        "InternetAddress",
        "MailAddress",
        "MiscPhone1",
        "PhoneNumber",
        "OfficeCity",
        "Birthday",
        "Spouse",
        "WebSite",
        "SametimeLogin",
        "Comment",
        "Categories",
        "Location",
        "NickName",
        "ListName",
        "ListDescription",
        "Members",
    ];
    for form in ["Person", "Group"] {
        let document = document().text("Form", form);
        let document =
            items.iter().fold(document, |document, item| document.list(item, &[odd, "", " ", odd]));
        for outcome in [document.convert(), version_3(document)] {
            assert!(lines(&outcome.card(), "EMAIL").iter().all(|line| !line.ends_with(":b@example.com")));
            outcome.card_part();
        }
        let empty = crate::support::document::document().text("Form", form).convert();
        assert!(!empty.card().contains("\nFN:\n"), "{}", empty.card());
    }
}
