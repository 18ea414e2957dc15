//! Reports of the router and return receipts as the reports that mail programs understand.
//!
//! Delivery reports become `multipart/report` of RFC 6522 with a part of RFC 3464, receipts with a part of RFC 8098. A
//! report that names no recipient stays plain mail.

use crate::conversion::address;
use crate::conversion::directory::Directory;
use crate::conversion::headers::{Headers, encoded};
use crate::conversion::losses::Losses;
use crate::conversion::message::Part;
use crate::notes::document::Note;
use crate::notes::names::{AddressKind, classify};
use mail_builder::headers::content_type::ContentType;

/// What a report tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Report {
    NotDelivered,
    Delivered,
    Read,
}

/// The content of a report around its readable part; without facts only that.
pub fn wrap(report: Report, note: &Note, readable: Part, directory: &Directory, losses: &mut Losses) -> Part {
    let (report_type, facts) = match report {
        Report::NotDelivered | Report::Delivered => ("delivery-status", delivery_status(report, note)),
        Report::Read => ("disposition-notification", disposition(note)),
    };
    let Some(facts) = facts else { return readable };
    let content_type = ContentType::new(format!("message/{report_type}"));
    let mut parts = vec![readable, Part::Text { content_type, text: facts }];
    parts.extend(original_headers(note, directory, losses));
    let content_type = ContentType::new("multipart/report").attribute("report-type", report_type);
    Part::Multipart { content_type, parts }
}

fn delivery_status(report: Report, note: &Note) -> Option<String> {
    // A report that came over SMTP holds the text ready.
    let ready = note.text("SMTPDSNDeliveryStatus");
    if ready.is_ascii() && ready.contains(':') {
        return Some(format!("{}\n", ready.trim_end()));
    }
    let (action, status) = match note.text("SMTPDSNType").trim() {
        "0" => ("failed", "5.0.0"),
        "1" => ("delayed", "4.0.0"),
        "2" => ("delivered", "2.0.0"),
        "3" => ("relayed", "2.0.0"),
        "4" => ("expanded", "2.0.0"),
        _ if report == Report::NotDelivered => ("failed", "5.0.0"),
        _ => ("delivered", "2.0.0"),
    };
    let reasons = note.texts("FailureReason");
    let recipients = note.texts("IntendedRecipient");
    // RFC 3464 section 2.2.2: the reporting system has to be named.
    let mut facts = "Reporting-MTA: dns; notes.invalid\n".to_owned();
    for (at, recipient) in recipients.iter().enumerate() {
        append!(facts, "\n{}Action: {action}\nStatus: {status}\n", final_recipient(recipient));
        if let Some(reason) = reasons.get(at).or(reasons.first()) {
            append!(facts, "Diagnostic-Code: X-Notes; {}\n", one_line(reason));
        }
    }
    (!recipients.is_empty()).then_some(facts)
}

fn disposition(note: &Note) -> Option<String> {
    let reader = note.text("From");
    let disposition = "Disposition: manual-action/MDN-sent-manually; displayed\n";
    (!reader.trim().is_empty()).then(|| format!("{}{disposition}", final_recipient(&reader)))
}

fn final_recipient(stored: &str) -> String {
    match classify(stored) {
        AddressKind::Internet { address, .. } if address.is_ascii() => {
            format!("Final-Recipient: rfc822; {address}\n")
        }
        _ => format!("Final-Recipient: X-Notes; {}\n", one_line(stored)),
    }
}

/// A value on one line of ASCII.
fn one_line(text: &str) -> String {
    encoded(text.replace(char::is_control, " ").trim()).into_owned()
}

/// What the report knows of the message it is about.
fn original_headers(note: &Note, directory: &Directory, losses: &mut Losses) -> Option<Part> {
    let mut headers = Headers::default();
    let items =
        [("From", "OriginalFrom"), ("To", "OriginalTo"), ("Cc", "Originalcc"), ("Bcc", "Originalbcc")];
    for (name, item) in items {
        headers.addresses(name, &address::resolve_list(directory, note, item, "", losses));
    }
    let text = String::from_utf8_lossy(&headers.to_bytes()).replace("\r\n", "\n");
    let content_type = ContentType::new("text/rfc822-headers");
    (!text.is_empty()).then_some(Part::Text { content_type, text })
}
