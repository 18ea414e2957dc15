//! Names that are looked up: the rows of the table of mail cases that need a directory, and what stands around them.

use crate::support::document::{Document, document, memo};
use notesferry::model::loss::LossKind;

/// A person of a directory.
fn person(full_name: &str, items: &[(&str, &str)]) -> Document {
    let person = document().text("Form", "Person").text("FullName", full_name);
    items.iter().fold(person, |person, (item, text)| person.text(item, text))
}

/// A memo whose directory is that of the table.
fn listed() -> Document {
    memo()
        .without("SendTo")
        .listed(&person("CN=Jane Doe/OU=Sales/O=Acme", &[("InternetAddress", "jane.doe@example.com")]))
        .listed(&person("CN=Amy Sec/O=Acme", &[("InternetAddress", "amy@example.com")]))
        .listed(&person("CN=Bob Ray/O=Acme", &[]))
}

#[test]
fn m01_the_sender_by_the_directory_and_the_recipient_by_the_partner_list() {
    let mail = listed()
        .without("From")
        .text("From", "CN=Jane Doe/OU=Sales/O=Acme")
        .text("SendTo", "Bob Ray/Acme")
        .text("INetSendTo", "bob@example.com")
        .convert();
    assert!(mail.has_line("From: \"Jane Doe\" <jane.doe@example.com>"));
    assert!(mail.has_line("To: \"Bob Ray\" <bob@example.com>"));
    assert_eq!(mail.losses(), []);
}

#[test]
fn m02_somebody_listed_without_address_gets_a_placeholder() {
    let mail = listed().text("SendTo", "CN=Bob Ray/O=Acme").text("INetSendTo", ".").convert();
    assert!(mail.has_line("To: \"Bob Ray/Acme\" <bob.ray.acme@unresolved.invalid>"));
    assert_eq!(mail.losses(), [LossKind::AddressUnresolved]);
}

#[test]
fn m03_names_beside_a_shorter_partner_list_are_looked_up() {
    let names = ["Jane Doe/Sales/Acme", "CN=Amy Sec/O=Acme", "c@example.com"];
    let mail = listed().list("SendTo", &names).list("INetSendTo", &["a@example.org"]).convert();
    let to = mail.headers("To").concat();
    assert_eq!(to, "To: \"Jane Doe\" <jane.doe@example.com>, \"Amy Sec\" <amy@example.com>, c@example.com");
    assert_eq!(mail.losses(), [LossKind::AddressListsDiffer]);
}

#[test]
fn m04_owner_and_assistant_by_the_directory() {
    let mail = listed()
        .without("From")
        .text("From", "CN=Amy Sec/O=Acme")
        .text("Principal", "CN=Jane Doe/OU=Sales/O=Acme")
        .convert();
    assert!(mail.has_line("From: \"Jane Doe\" <jane.doe@example.com>"));
    assert!(mail.has_line("Sender: \"Amy Sec\" <amy@example.com>"));
}

#[test]
fn m06_what_domino_constructed_is_undone() {
    let mail = listed()
        .listed(&person("John Smith", &[("MailDomain", "Notes"), ("MailAddress", "js@example.net")]))
        .list("SendTo", &["John_Smith%Notes@example.com", "Jim_Smith%Notes@example.com"])
        .convert();
    assert!(
        mail.has_line("To: \"John Smith\" <js@example.net>, Jim_Smith%Notes@example.com"),
        "{}",
        mail.text()
    );
    assert_eq!(mail.losses(), []);
}

#[test]
fn m18_a_group_without_address_stays_a_group() {
    let team = document().text("Form", "Group").text("ListName", "Sales Team");
    let mail = listed().listed(&team).text("SendTo", "Sales Team").convert();
    assert!(mail.has_line("To: Sales Team:;"));
    assert_eq!(mail.losses(), [LossKind::AddressUnresolved]);
    let odd = document().text("Form", "Group").text("ListName", "Sales, \"East\"");
    let mail = listed().listed(&odd).list("SendTo", &["Sales, \"East\"", "a@example.com"]).convert();
    assert!(mail.has_line("To: \"Sales, \\\"East\\\"\":;, a@example.com"), "{}", mail.text());
    // RFC 5322 section 3.6.2: no group is an author.
    let mail = memo().listed(&team).without("From").text("From", "Sales Team").convert();
    assert!(mail.has_line("From: \"Sales Team\" <sales.team@unresolved.invalid>"));
}

#[test]
fn a_group_with_an_address_and_a_mail_in_database_are_addresses() {
    let team =
        document().text("Form", "Group").text("ListName", "Team").text("InternetAddress", "t@example.com");
    let box_ = document()
        .text("Form", "Database")
        .text("FullName", "Press/Acme")
        .text("InternetAddress", "press@example.com");
    let mail =
        memo().without("SendTo").listed(&team).listed(&box_).list("SendTo", &["Team@Acme", "Press/Acme"]);
    assert!(mail.convert().has_line("To: \"Team\" <t@example.com>, \"Press\" <press@example.com>"));
}

#[test]
fn the_table_answers_where_the_directory_does_not() {
    let mail = listed()
        .row("*/Acme", "{first}.{last}@example.org")
        .row("Bob Ray/Acme", "bob@example.net")
        .list("SendTo", &["Jane Doe/Sales/Acme", "Bob Ray/Acme", "Eve Moss/East/Acme", "Eve Moss/Other"])
        .convert();
    let to = mail.headers("To").concat();
    assert_eq!(
        to,
        "To: \"Jane Doe\" <jane.doe@example.com>, \"Bob Ray\" <bob@example.net>, \
         \"Eve Moss\" <eve.moss@example.org>, \"Eve Moss/Other\" <eve.moss.other@unresolved.invalid>"
    );
    assert_eq!(mail.losses(), [LossKind::AddressUnresolved]);
}

#[test]
fn participants_of_a_meeting_are_looked_up() {
    let team = document().text("Form", "Group").text("ListName", "Team");
    let meeting = listed()
        .listed(&team)
        .without("Form")
        .text("Form", "Appointment")
        .text("AppointmentType", "3")
        .text("Chair", "CN=Jane Doe/OU=Sales/O=Acme")
        .list("RequiredAttendees", &["Amy Sec/Acme", "Team"])
        .times("StartDateTime", &["2019-06-03T10:00:00Z"])
        .times("EndDateTime", &["2019-06-03T11:00:00Z"])
        .convert();
    let calendar = meeting.calendar();
    assert!(calendar.contains("mailto:jane.doe@example.com\n"), "{calendar}");
    assert!(calendar.contains("ATTENDEE;CN=\"Amy Sec\";ROLE=REQ-PARTICIPANT;"), "{calendar}");
    assert!(calendar.contains("mailto:amy@example.com\n"), "{calendar}");
    assert!(calendar.contains("ATTENDEE;CN=\"Team\";CUTYPE=GROUP;"), "{calendar}");
}
