//! Writes the properties of a card in the version that was asked for, and tells them to people in lines.

use crate::conversion::KEY_HEADER;
use crate::conversion::content_line::{Writer, escaped};
use crate::model::item::Origin;
use crate::notes::timedate::Timedate;
use jiff::Timestamp;
use jiff::civil::Date;

/// The version of vCard.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Version {
    /// RFC 2426.
    V3,
    /// RFC 6350.
    #[default]
    V4,
}

/// No year before this one is anybody's: it stands for a birthday without a year.
const EARLIEST_YEAR: i16 = 1880;

/// Collects one card.
#[derive(Debug)]
pub struct Vcard {
    version: Version,
    writer: Writer,
    told: String,
}

impl Vcard {
    /// The head of a card. Its key comes early and says whose it is, as the header of a message does.
    pub fn begin(version: Version, origin: &Origin) -> Self {
        let mut writer = Writer::default();
        writer.begin("VCARD");
        // RFC 6350 section 6.7.9: the version comes first.
        writer.line("VERSION", if version == Version::V3 { "3.0" } else { "4.0" });
        writer.line("PRODID", "-//Notesferry//Notesferry//EN");
        writer.line(&KEY_HEADER.to_ascii_uppercase(), &origin.to_string());
        Self { version, writer, told: String::new() }
    }

    pub fn end(&mut self) {
        self.writer.end("VCARD");
    }

    pub fn told(&self) -> &str {
        &self.told
    }

    /// The card without its end.
    pub fn text_so_far(&self) -> String {
        self.writer.as_str().to_owned()
    }

    /// The bytes since the last call.
    pub fn take_bytes(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.writer).finish().into_bytes()
    }

    /// A line for those who read the contact as a message.
    pub fn tell(&mut self, label: &str, value: &str) {
        if !value.trim().is_empty() {
            append!(self.told, "{label}: {}\n", value.replace('\n', ", "));
        }
    }

    /// A property whose value is no free text.
    pub fn line(&mut self, name: &str, value: &str) {
        self.writer.line(name, value);
    }

    /// A property of free text; none where there is no text.
    pub fn text(&mut self, name: &str, text: &str) {
        self.writer.text(name, text);
    }

    /// A property with a list of texts; none where there are no texts.
    pub fn list<'a>(&mut self, name: &str, texts: impl Iterator<Item = &'a str>) {
        let texts: Vec<String> = texts.map(escaped).collect();
        if !texts.is_empty() {
            self.writer.line(name, &texts.join(","));
        }
    }

    /// A property of several fields; none where all are empty.
    pub fn fields(&mut self, name: &str, fields: &[&str]) {
        if fields.iter().any(|field| !field.is_empty()) {
            let fields: Vec<String> = fields.iter().map(|field| escaped(field)).collect();
            self.writer.line(name, &fields.join(";"));
        }
    }

    /// The name in its fields, which version 3.0 asks of every card (RFC 2426 section 3.1.2).
    pub fn name(&mut self, fields: [&str; 5]) {
        self.fields("N", &fields);
        if self.version == Version::V3 && fields.iter().all(|field| field.is_empty()) {
            self.line("N", ";;;;");
        }
    }

    /// RFC 6350 section 6.7.4.
    pub fn revision(&mut self, time: Timedate) {
        let time = time.unix_ms().ok().and_then(|unix_ms| Timestamp::from_millisecond(unix_ms).ok());
        if let Some(time) = time {
            self.line("REV", &time.strftime("%Y%m%dT%H%M%SZ").to_string());
        }
    }

    /// RFC 6350 section 6.2.4, by parts; the bytes follow in base64.
    pub fn photo(&mut self, media_type: &str) {
        match self.version {
            Version::V3 => {
                let kind = media_type.rsplit('/').next().unwrap_or_default().to_ascii_uppercase();
                self.line(&format!("PHOTO;ENCODING=b;TYPE={kind}"), "");
            }
            Version::V4 => self.line("PHOTO", &format!("data:{media_type};base64,")),
        }
    }

    pub fn email(&mut self, address: &str, is_first: bool) {
        let name = match (self.version, is_first) {
            (Version::V3, _) => "EMAIL;TYPE=INTERNET",
            (Version::V4, true) => "EMAIL;PREF=1",
            (Version::V4, false) => "EMAIL",
        };
        self.text(name, address);
        self.tell("E-mail", address);
    }

    /// A telephone number; `types` as in `home,fax`, or empty.
    pub fn telephone(&mut self, types: &str, number: &str) {
        let name = match self.version {
            _ if types.is_empty() => "TEL".to_owned(),
            Version::V3 => format!("TEL;TYPE={types}"),
            // Several values have to be in quotes (RFC 6350 section 5.6).
            Version::V4 if types.contains(',') => format!("TEL;VALUE=text;TYPE=\"{types}\""),
            Version::V4 => format!("TEL;VALUE=text;TYPE={types}"),
        };
        self.text(&name, number);
        match types {
            "" => self.tell("Phone", number),
            _ => self.tell(&format!("Phone ({})", types.replace(',', ", ")), number),
        }
    }

    /// A day of the year: `BDAY`, or `ANNIVERSARY`, which version 3.0 does not know.
    pub fn day(&mut self, name: &str, day: Date) {
        let known = day.year() >= EARLIEST_YEAR;
        let told = day.strftime(if known { "%Y-%m-%d" } else { "--%m-%d" }).to_string();
        self.tell(if name == "BDAY" { "Birthday" } else { "Anniversary" }, &told);
        let property = self.extension(name);
        let (property, form) = match (self.version, known) {
            (Version::V4, true) => (property, "%Y%m%d"),
            (Version::V4, false) => (property, "--%m%d"),
            (Version::V3, true) => (property, "%Y-%m-%d"),
            // The year that programs of Apple take for none.
            (Version::V3, false) => (format!("{property};X-APPLE-OMIT-YEAR=1604"), "1604-%m-%d"),
        };
        self.line(&property, &day.strftime(form).to_string());
    }

    /// A day that somebody wrote in words.
    pub fn day_in_words(&mut self, name: &str, words: &str) {
        let name = self.extension(name);
        let name = if self.version == Version::V4 { format!("{name};VALUE=text") } else { name };
        self.text(&name, words);
    }

    /// Somebody close, named in words: `spouse`, `child`, `manager` or `assistant`.
    pub fn related(&mut self, relation: &str, name: &str) {
        let property = match (self.version, relation) {
            (Version::V3, _) => format!("X-{}", relation.to_ascii_uppercase()),
            // RFC 6350 section 6.6.6 has no types for these.
            (Version::V4, "manager" | "assistant") => format!("RELATED;VALUE=text;TYPE=x-{relation}"),
            (Version::V4, _) => format!("RELATED;VALUE=text;TYPE={relation}"),
        };
        self.text(&property, name);
        let mut label = relation.to_owned();
        label[..1].make_ascii_uppercase();
        self.tell(&label, name);
    }

    /// RFC 6350 sections 6.1.4 and 6.6.5; version 3.0 has what Apple's server made of it.
    pub fn group(&mut self) {
        let name = if self.version == Version::V3 { "X-ADDRESSBOOKSERVER-KIND" } else { "KIND" };
        self.line(name, "group");
    }

    pub fn member(&mut self, uri: &str) {
        let name = if self.version == Version::V3 { "X-ADDRESSBOOKSERVER-MEMBER" } else { "MEMBER" };
        self.line(name, uri);
    }

    /// The name of a property that version 3.0 has as an extension only.
    fn extension(&self, name: &str) -> String {
        match self.version {
            Version::V3 if name == "ANNIVERSARY" => format!("X-{name}"),
            _ => name.to_owned(),
        }
    }
}
