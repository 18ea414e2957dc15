//! The session: the `imap` crate tags commands, frames answers and logs in; uploads are written on the same line.
//!
//! The crate's own commands lose response codes, keep whole messages in memory and stop at untagged answers that they
//! do not know, so its lower half is used: one command, all its answers, parsed by `imap-proto`.

use crate::base::secret::Secret;
use crate::connectors::imap::reply::{self, ImapError, Refusal};
use crate::connectors::stream::Handle;
use imap_proto::{
    AttributeValue, MailboxDatum, NameAttribute, Response, ResponseCode, StatusAttribute, UidSetMember,
};
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::io::{self, BufWriter, Write};

/// The talk before the log-in.
pub struct Dialog {
    handle: Handle,
    tag: u32,
}

impl Dialog {
    pub fn new(handle: Handle) -> Self {
        Self { handle, tag: 0 }
    }

    /// Reads the greeting.
    pub fn greeted(mut handle: Handle) -> Result<Self, ImapError> {
        let greeting = text_of(handle.read_line()?);
        if greeting.to_ascii_uppercase().starts_with("* OK") {
            return Ok(Self::new(handle));
        }
        Err(ImapError::Lost(format!("no greeting of an IMAP server: {}", greeting.trim_end())))
    }

    /// One command; its untagged answers.
    pub fn ask(&mut self, command: &str) -> Result<Vec<String>, ImapError> {
        self.tag += 1;
        let tag = format!("n{}", self.tag);
        self.handle.write_all(format!("{tag} {command}\r\n").as_bytes())?;
        self.handle.flush()?;
        let (untagged, line) = read_to_end(&mut self.handle)?;
        finished(&line).map(|_| untagged)
    }

    /// What the server announces.
    pub fn capabilities(&mut self) -> Result<BTreeSet<String>, ImapError> {
        Ok(capabilities(&self.ask("CAPABILITY")?))
    }

    /// PLAIN where it is offered (RFC 4616), with its one answer in the command where the server takes it there
    /// (RFC 4959); else LOGIN.
    pub fn log_in(mut self, user: &str, password: &Secret) -> Result<Session, ImapError> {
        let offered = self.capabilities()?;
        let client = imap::Client::new(self.handle.clone());
        let plain = Plain(format!("\0{user}\0{}", password.expose()));
        let logged_in = if offered.contains("AUTH=PLAIN") && offered.contains("SASL-IR") {
            client.authenticate(format!("PLAIN {}", plain.base64()), &plain)
        } else if offered.contains("AUTH=PLAIN") {
            client.authenticate("PLAIN", &plain)
        } else if offered.contains("LOGINDISABLED") {
            return Err(ImapError::Lost(
                "it takes no password: it offers neither PLAIN nor LOGIN".to_owned(),
            ));
        } else {
            client.login(user, password.expose())
        };
        let session = logged_in.map_err(|(error, _)| ImapError::from(error))?;
        let mut session = Session { session, handle: self.handle, capabilities: BTreeSet::new() };
        session.capabilities = capabilities(&session.lines("CAPABILITY")?);
        Ok(session)
    }
}

struct Plain(String);

impl Plain {
    fn base64(&self) -> String {
        use base64::Engine as _;
        base64::engine::general_purpose::STANDARD.encode(&self.0)
    }
}

impl imap::Authenticator for Plain {
    type Response = String;

    fn process(&self, _: &[u8]) -> String {
        self.0.clone()
    }
}

fn text_of(line: Vec<u8>) -> String {
    String::from_utf8_lossy(&line).into_owned()
}

fn capabilities(untagged: &[String]) -> BTreeSet<String> {
    let lists = untagged.iter().filter_map(|line| line.strip_prefix("* CAPABILITY "));
    lists.flat_map(str::split_ascii_whitespace).map(str::to_ascii_uppercase).collect()
}

/// Reads to the first line that is not untagged, which is a tagged one or a continuation.
fn read_to_end(handle: &mut Handle) -> Result<(Vec<String>, Vec<u8>), ImapError> {
    let mut untagged = Vec::new();
    loop {
        let line = handle.read_line()?;
        if !line.starts_with(b"* ") {
            return Ok((untagged, line));
        }
        let line = text_of(line);
        if let Some(why) = line.strip_prefix("* BYE") {
            return Err(ImapError::Lost(format!("the server ends the session:{}", why.trim_end())));
        }
        untagged.push(line.trim_end().to_owned());
    }
}

fn finished(line: &[u8]) -> Result<Option<ResponseCode<'static>>, ImapError> {
    match Response::from_bytes(line) {
        Ok((_, Response::Done { status, code, information, .. })) => {
            reply::tagged(status, code, information.as_deref().unwrap_or_default())
        }
        _ => Err(ImapError::Lost(format!("no answer of an IMAP server: {}", String::from_utf8_lossy(line)))),
    }
}

/// A folder as LIST shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Encoded as in commands.
    pub name: String,
    pub delimiter: Option<String>,
    pub selectable: bool,
    /// `Sent`, `Drafts`, `Trash` or `Junk` (RFC 6154 section 2).
    pub special_use: Option<&'static str>,
}

/// The counters of a folder.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    pub uid_validity: Option<u32>,
    pub uid_next: Option<u32>,
    pub messages: u32,
}

/// What was asked about a stored message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Message {
    pub uid: u32,
    pub size: u64,
    /// The header fields that were asked for, as stored.
    pub header: Vec<u8>,
}

/// Where an uploaded message is; nothing from servers without UIDPLUS (RFC 4315 section 3).
pub type Appended = Option<(u32, u32)>;

/// Why a message was not stored, or not known to be.
#[derive(Debug)]
pub enum AppendError {
    /// The server said so; the session goes on.
    Refused(Refusal),
    /// The line broke before the last byte left us: it cannot be stored. The session is over.
    NotSent(String),
    /// The line broke after that. The session is over.
    Unanswered(String),
    /// Our side could not produce the bytes. The session is over.
    Source(io::Error),
}

/// A session after the log-in.
#[derive(Debug)]
pub struct Session {
    session: imap::Session<Handle>,
    handle: Handle,
    capabilities: BTreeSet<String>,
}

impl Session {
    /// Whether the server announced an extension, by its name in capital letters.
    pub fn has(&self, capability: &str) -> bool {
        self.capabilities.contains(capability)
    }

    /// The value in an announcement `NAME=value`.
    pub fn value(&self, capability: &str) -> Option<&str> {
        self.capabilities.iter().find_map(|text| text.strip_prefix(capability)?.strip_prefix('='))
    }

    /// One command and its answers.
    fn run(&mut self, command: &str) -> Result<Vec<Response<'static>>, ImapError> {
        let (data, end) = self.session.run(command)?;
        let mut rest = data.get(..end).unwrap_or_default();
        let mut answers = Vec::new();
        while !rest.is_empty() {
            let unknown = || ImapError::Lost("the answer of the server cannot be understood".to_owned());
            let (left, answer) = Response::from_bytes(rest).map_err(|_| unknown())?;
            answers.push(answer.into_owned());
            rest = left;
        }
        Ok(answers)
    }

    /// One command whose answers the parser may not know, as lines.
    fn lines(&mut self, command: &str) -> Result<Vec<String>, ImapError> {
        self.session.run_command(command)?;
        let (untagged, line) = read_to_end(&mut self.handle)?;
        finished(&line).map(|_| untagged)
    }

    /// What names of the user's own folders begin with, such as `INBOX.` (RFC 2342 section 5).
    pub fn personal_namespace(&mut self) -> Result<String, ImapError> {
        if !self.has("NAMESPACE") {
            return Ok(String::new());
        }
        let lines = self.lines("NAMESPACE")?;
        let personal = lines.iter().find_map(|line| line.strip_prefix("* NAMESPACE ((\""));
        Ok(personal.and_then(|text| text.split('"').next()).unwrap_or_default().to_owned())
    }

    pub fn list(&mut self) -> Result<Vec<Listed>, ImapError> {
        let special = self.has("SPECIAL-USE") && self.has("LIST-EXTENDED");
        let command = if special { r#"LIST "" "*" RETURN (SPECIAL-USE)"# } else { r#"LIST "" "*""# };
        let listed = self.run(command)?.into_iter().filter_map(|answer| match answer {
            Response::MailboxData(MailboxDatum::List { name_attributes, delimiter, name }) => Some(Listed {
                name: name.into_owned(),
                delimiter: delimiter.map(|text| text.replace("\\\\", "\\")),
                selectable: !name_attributes.iter().any(is_not_selectable),
                special_use: name_attributes.iter().find_map(special_use),
            }),
            _ => None,
        });
        Ok(listed.collect())
    }

    pub fn create(&mut self, folder: &str) -> Result<(), ImapError> {
        self.run(&format!("CREATE {}", quoted(folder))).map(|_| ())
    }

    pub fn subscribe(&mut self, folder: &str) -> Result<(), ImapError> {
        self.run(&format!("SUBSCRIBE {}", quoted(folder))).map(|_| ())
    }

    pub fn status(&mut self, folder: &str) -> Result<Counters, ImapError> {
        let mut counters = Counters::default();
        for answer in self.run(&format!("STATUS {} (MESSAGES UIDNEXT UIDVALIDITY)", quoted(folder)))? {
            let Response::MailboxData(MailboxDatum::Status { status, .. }) = answer else { continue };
            for value in status {
                match value {
                    StatusAttribute::Messages(count) => counters.messages = count,
                    StatusAttribute::UidNext(uid) => counters.uid_next = Some(uid),
                    StatusAttribute::UidValidity(validity) => counters.uid_validity = Some(validity),
                    _ => {}
                }
            }
        }
        Ok(counters)
    }

    /// Opens a folder for reading.
    pub fn examine(&mut self, folder: &str) -> Result<Counters, ImapError> {
        self.enter("EXAMINE", folder)
    }

    /// Opens a folder for changes.
    pub fn select(&mut self, folder: &str) -> Result<Counters, ImapError> {
        self.enter("SELECT", folder)
    }

    fn enter(&mut self, command: &str, folder: &str) -> Result<Counters, ImapError> {
        let mut counters = Counters::default();
        for answer in self.run(&format!("{command} {}", quoted(folder)))? {
            match answer {
                Response::MailboxData(MailboxDatum::Exists(count)) => counters.messages = count,
                Response::Data { code: Some(ResponseCode::UidValidity(validity)), .. } => {
                    counters.uid_validity = Some(validity);
                }
                Response::Data { code: Some(ResponseCode::UidNext(uid)), .. } => {
                    counters.uid_next = Some(uid)
                }
                _ => {}
            }
        }
        Ok(counters)
    }

    /// Leaves a folder that was opened for reading. CLOSE would expunge one that was opened for changes.
    pub fn leave(&mut self) -> Result<(), ImapError> {
        self.run("CLOSE").map(|_| ())
    }

    /// Leaves a folder that was opened for changes, and expunges nothing.
    pub fn leave_unchanged(&mut self, folder: &str) -> Result<(), ImapError> {
        if self.has("UNSELECT") {
            return self.run("UNSELECT").map(|_| ());
        }
        self.examine(folder)?;
        self.leave()
    }

    /// The flags that a folder keeps, `\*` for keywords of any name; nothing where the server does not say
    /// (RFC 3501 section 7.1).
    pub fn permanent_flags(&mut self, folder: &str) -> Result<Option<Vec<String>>, ImapError> {
        let answers = self.run(&format!("SELECT {}", quoted(folder)))?;
        let permitted = answers.into_iter().find_map(|answer| match answer {
            Response::Data { code: Some(ResponseCode::PermanentFlags(flags)), .. } => Some(texts(flags)),
            _ => None,
        });
        self.leave_unchanged(folder)?;
        Ok(permitted)
    }

    /// The messages of the open folder that are among these UIDs, with their flags.
    pub fn flags(&mut self, uids: &str) -> Result<Vec<(u32, Vec<String>)>, ImapError> {
        let answers = self.run(&format!("UID FETCH {uids} (UID FLAGS)"))?.into_iter();
        let messages = answers.filter_map(|answer| match answer {
            Response::Fetch(_, attributes) => flagged(attributes),
            _ => None,
        });
        Ok(messages.collect())
    }

    /// Adds flags to messages of the folder that is open for changes.
    pub fn add_flags(&mut self, uids: &str, flags: &str) -> Result<(), ImapError> {
        self.run(&format!("UID STORE {uids} +FLAGS.SILENT ({flags})")).map(|_| ())
    }

    /// Messages of the open folder, by sequence numbers from `first` to `last`, which stay as they are between
    /// fetches (RFC 3501 section 7.4.1).
    pub fn fetch(&mut self, first: u32, last: u32, fields: &str) -> Result<Vec<Message>, ImapError> {
        self.fetched(&format!("FETCH {first}:{last} (UID RFC822.SIZE BODY.PEEK[HEADER.FIELDS ({fields})])"))
    }

    /// Messages of the open folder with a UID of at least `first`.
    pub fn fetch_from(&mut self, first: u32, fields: &str) -> Result<Vec<Message>, ImapError> {
        let command = format!("UID FETCH {first}:* (UID RFC822.SIZE BODY.PEEK[HEADER.FIELDS ({fields})])");
        let mut found = self.fetched(&command)?;
        // `*` is the last message, even where that comes before `first` (RFC 3501 section 6.4.8).
        found.retain(|message| message.uid >= first);
        Ok(found)
    }

    /// Whether the open folder holds a message.
    pub fn holds(&mut self, uid: u32) -> Result<bool, ImapError> {
        Ok(self.fetched(&format!("UID FETCH {uid} (UID)"))?.iter().any(|message| message.uid == uid))
    }

    /// Takes one message out of the folder that is open for changes, and no other (RFC 4315 section 2.1).
    pub fn expunge(&mut self, uid: u32) -> Result<(), ImapError> {
        self.run(&format!(r"UID STORE {uid} +FLAGS.SILENT (\Deleted)"))?;
        self.run(&format!("UID EXPUNGE {uid}")).map(|_| ())
    }

    fn fetched(&mut self, command: &str) -> Result<Vec<Message>, ImapError> {
        let answers = self.run(command)?.into_iter();
        let messages = answers.filter_map(|answer| match answer {
            Response::Fetch(_, attributes) => Some(message(attributes)),
            _ => None,
        });
        // What changed meanwhile is told without a UID.
        Ok(messages.filter(|message| message.uid != 0).collect())
    }

    /// Uploads a message of `length` bytes; `write` gives exactly these, straight to the line.
    pub fn append(
        &mut self,
        folder: &str,
        flags: &str,
        internal_date: &str,
        length: u64,
        write: &dyn Fn(&mut dyn Write) -> io::Result<()>,
    ) -> Result<Appended, AppendError> {
        let not_sent = |error: ImapError| match error {
            ImapError::Lost(why) => AppendError::NotSent(why),
            ImapError::Refused(refusal) => AppendError::Refused(refusal),
        };
        let command = format!("APPEND {} ({flags}) \"{internal_date}\" {{{length}}}", quoted(folder));
        self.session.run_command(command).map_err(|error| not_sent(error.into()))?;
        let (_, line) = read_to_end(&mut self.handle).map_err(not_sent)?;
        if !line.starts_with(b"+") {
            let refused = finished(&line).map_err(not_sent)?;
            return Err(AppendError::NotSent(format!("an answer before its time: {refused:?}")));
        }
        self.write_literal(length, write)?;
        let answer = read_to_end(&mut self.handle).and_then(|(_, line)| finished(&line));
        match answer {
            Ok(code) => Ok(appended(code)),
            Err(ImapError::Refused(refusal)) => Err(AppendError::Refused(refusal)),
            Err(ImapError::Lost(why)) => Err(AppendError::Unanswered(why)),
        }
    }

    fn write_literal(
        &mut self,
        length: u64,
        write: &dyn Fn(&mut dyn Write) -> io::Result<()>,
    ) -> Result<(), AppendError> {
        let mut counted = Counted { out: &mut self.handle, written: 0, failed: false };
        let mut buffered = BufWriter::with_capacity(64 << 10, &mut counted);
        let written =
            write(&mut buffered).and_then(|()| buffered.write_all(b"\r\n")).and_then(|()| buffered.flush());
        // What is left in the buffer of a broken line is not for it.
        let _ = buffered.into_parts();
        match written {
            Ok(()) => Ok(()),
            Err(error) if !counted.failed => Err(AppendError::Source(error)),
            Err(error) if counted.written < length => Err(AppendError::NotSent(error.to_string())),
            Err(error) => Err(AppendError::Unanswered(error.to_string())),
        }
    }
}

/// Counts what left us, and remembers whether an error came from the line.
struct Counted<'a> {
    out: &'a mut Handle,
    written: u64,
    failed: bool,
}

impl Write for Counted<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.out.write(bytes);
        match &written {
            Ok(count) => self.written += *count as u64,
            Err(error) => self.failed |= error.kind() != io::ErrorKind::Interrupted,
        }
        written
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush().inspect_err(|_| self.failed = true)
    }
}

fn appended(code: Option<ResponseCode<'_>>) -> Appended {
    let Some(ResponseCode::AppendUid(validity, uids)) = code else { return None };
    match uids.first()? {
        UidSetMember::Uid(uid) => Some((validity, *uid)),
        UidSetMember::UidRange(range) => Some((validity, *range.start())),
    }
}

fn message(attributes: Vec<AttributeValue<'_>>) -> Message {
    let mut message = Message::default();
    for attribute in attributes {
        match attribute {
            AttributeValue::Uid(uid) => message.uid = uid,
            AttributeValue::Rfc822Size(size) => message.size = size.into(),
            AttributeValue::BodySection { data: Some(data), .. } => message.header = data.into_owned(),
            _ => {}
        }
    }
    message
}

/// The UID and the flags of a message; nothing where the server tells of a change without the UID.
fn flagged(attributes: Vec<AttributeValue<'_>>) -> Option<(u32, Vec<String>)> {
    let mut uid = None;
    let mut flags = Vec::new();
    for attribute in attributes {
        match attribute {
            AttributeValue::Uid(number) => uid = Some(number),
            AttributeValue::Flags(found) => flags = texts(found),
            _ => {}
        }
    }
    Some((uid?, flags))
}

fn texts(texts: Vec<Cow<'_, str>>) -> Vec<String> {
    texts.into_iter().map(Cow::into_owned).collect()
}

fn is_not_selectable(attribute: &NameAttribute<'_>) -> bool {
    match attribute {
        NameAttribute::NoSelect => true,
        NameAttribute::Extension(name) => name.eq_ignore_ascii_case("\\NonExistent"),
        _ => false,
    }
}

fn special_use(attribute: &NameAttribute<'_>) -> Option<&'static str> {
    match attribute {
        NameAttribute::Drafts => Some("Drafts"),
        NameAttribute::Junk => Some("Junk"),
        NameAttribute::Sent => Some("Sent"),
        NameAttribute::Trash => Some("Trash"),
        _ => None,
    }
}

/// A quoted string (RFC 3501 section 4.3); folder names in modified UTF-7 have no other special characters.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}
