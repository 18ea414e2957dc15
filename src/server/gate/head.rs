//! The head of a request: read strictly, and written anew for the server behind the gate.
//!
//! A pure function of bytes that a stranger sent. What it accepts has one meaning only: one length of the body or none,
//! one host, lines that end with CRLF, no folded lines, printable ASCII. Nothing that only concerns the line between
//! client and gate, and nothing that only the gate may say, is among the fields that go on.

use super::refusal::Refusal;
use crate::base::limits::{GATE_FIELDS, GATE_HEAD_BYTES, GATE_TARGET_BYTES};

/// Methods that are passed on. CONNECT and TRACE are for proxies.
const METHODS: &[&str] = &["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

/// Fields that end at the gate: they belong to one connection (RFC 9110 section 7.6.1), frame the body, which the gate
/// does anew, or claim where a request comes from.
const DROPPED: &[&str] = &[
    "connection",
    "content-length",
    "expect",
    "forwarded",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "via",
    "x-real-ip",
];

/// Beginnings of names that only the gate, or a proxy that we do not trust, would write.
const DROPPED_PREFIXES: &[&str] = &["x-notesferry-", "x-forwarded-"];

/// The head of a request that may go on.
#[derive(Debug, PartialEq, Eq)]
pub struct Head {
    /// Bytes of the head, the empty line included: where the body begins.
    pub bytes: usize,
    pub method: String,
    /// The path and query, as sent: begins with `/`.
    pub target: String,
    /// The fields that go on, in order; names and values are printable ASCII.
    pub fields: Vec<(String, String)>,
    /// The members of `X-Forwarded-For`, which only a trusted proxy may say.
    pub forwarded_for: Vec<String>,
    /// Bytes of the body.
    pub content_length: u64,
    /// Whether the client waits for `100 Continue` before it sends the body.
    pub expects_continue: bool,
    /// Whether the client speaks HTTP/1.0, which knows no chunks.
    pub is_http_1_0: bool,
    /// Whether the connection ends after the answer.
    pub closes: bool,
}

impl Head {
    /// The target without its query.
    pub fn path(&self) -> &str {
        self.target.split_once('?').map_or(&self.target, |(path, _)| path)
    }
}

/// Reads a head at the start of `bytes`, of which more may follow; `None` when its end has not come yet.
///
/// # Errors
/// What is not a head, or not one that may go on; known as early as the bytes tell.
pub fn parse(bytes: &[u8]) -> Result<Option<Head>, Refusal> {
    // RFC 9112 section 2.2: an empty line before a request is let pass.
    let skipped = if bytes.starts_with(b"\r\n") { 2 } else { 0 };
    let text = &bytes[skipped..];
    if text.first().is_some_and(|first| !first.is_ascii_uppercase() && *first != b'\r') {
        return Err(Refusal::Malformed("this is no HTTP request"));
    }
    let within = &text[..text.len().min(GATE_HEAD_BYTES)];
    let Some(end) = within.windows(4).position(|four| four == b"\r\n\r\n") else {
        return if within.len() < GATE_HEAD_BYTES { Ok(None) } else { Err(too_long(within)) };
    };
    let head = &text[..end + 4];
    // RFC 9112 section 2.2 lets a recipient take a single LF as the end of a line; different readers of one request
    // are what smuggling lives on, so the gate does not.
    if head.iter().enumerate().any(|(at, byte)| *byte == b'\n' && (at == 0 || head[at - 1] != b'\r')) {
        return Err(Refusal::Malformed("a line of the head does not end with CR LF"));
    }
    let mut fields = [httparse::EMPTY_HEADER; GATE_FIELDS];
    let mut request = httparse::Request::new(&mut fields);
    match request.parse(head) {
        Ok(httparse::Status::Complete(length)) if length == head.len() => {}
        Ok(_) => return Err(Refusal::Malformed("the head of the request is damaged")),
        Err(httparse::Error::TooManyHeaders) => return Err(Refusal::HeadTooLong),
        Err(httparse::Error::Version) => return Err(Refusal::Version),
        Err(_) => return Err(Refusal::Malformed("the head of the request is damaged")),
    }
    check(&request, skipped + head.len()).map(Some)
}

/// Which of the two limits a head without an end is above.
fn too_long(head: &[u8]) -> Refusal {
    if head.contains(&b'\n') { Refusal::HeadTooLong } else { Refusal::TargetTooLong }
}

fn check(request: &httparse::Request<'_, '_>, bytes: usize) -> Result<Head, Refusal> {
    let (Some(method), Some(target), Some(version)) = (request.method, request.path, request.version) else {
        return Err(Refusal::Malformed("the request line is damaged"));
    };
    if !METHODS.contains(&method) {
        return Err(Refusal::Method);
    }
    check_target(target)?;
    let fields = &*request.headers;
    if fields.iter().any(|field| field.value.iter().any(|byte| byte.is_ascii_control() && *byte != b'\t')) {
        return Err(Refusal::Malformed("a header field holds control characters"));
    }
    check_host(fields, version)?;
    let content_length = content_length(fields)?;
    let connection = list(fields, "connection");
    Ok(Head {
        bytes,
        method: method.to_owned(),
        target: target.to_owned(),
        fields: kept(fields, &connection),
        forwarded_for: list(fields, "x-forwarded-for"),
        content_length,
        expects_continue: version == 1 && expects_continue(fields)?,
        is_http_1_0: version == 0,
        closes: version == 0 || connection.iter().any(|option| option == "close"),
    })
}

/// Only the origin form of RFC 9112 section 3.2.1: the others are for proxies and for questions to the whole server. No
/// step of the path is `.` or `..`, written out or in percent signs, so that a path means what its beginning says.
fn check_target(target: &str) -> Result<(), Refusal> {
    if target.len() > GATE_TARGET_BYTES {
        return Err(Refusal::TargetTooLong);
    }
    if !target.starts_with('/') || target.bytes().any(|byte| !byte.is_ascii_graphic() || byte == b'#') {
        return Err(Refusal::Malformed("the target of the request is not a path"));
    }
    let path = target.split('?').next().unwrap_or_default().to_ascii_lowercase();
    let dots = |step: &str| matches!(step.replace("%2e", ".").as_str(), "." | "..");
    if path.contains('\\') || path.split('/').any(dots) {
        return Err(Refusal::Malformed("the path of the request leads outside"));
    }
    Ok(())
}

/// RFC 9112 section 3.2: exactly one host, which HTTP/1.0 may leave out.
fn check_host(fields: &[httparse::Header<'_>], version: u8) -> Result<(), Refusal> {
    let hosts: Vec<&[u8]> = values(fields, "host").collect();
    let well_formed = |host: &[u8]| {
        host.iter().all(|byte| byte.is_ascii_alphanumeric() || b".-_:[]%~!$&'()*+,;=".contains(byte))
    };
    match hosts.as_slice() {
        [] if version == 0 => Ok(()),
        [host] if well_formed(host) => Ok(()),
        _ => Err(Refusal::Malformed("a request names exactly one host")),
    }
}

/// RFC 9112 section 6.3, where it leaves a choice the strict one: a length is one field of digits, and any transfer
/// coding is asked to come again with a length. Chunks would be one more decoder before the log-in, for clients that we
/// do not have: browsers and extractors know how long their bodies are.
fn content_length(fields: &[httparse::Header<'_>]) -> Result<u64, Refusal> {
    let lengths: Vec<&[u8]> = values(fields, "content-length").collect();
    let is_coded = values(fields, "transfer-encoding").next().is_some();
    match lengths.as_slice() {
        [] if is_coded => Err(Refusal::LengthRequired),
        [] => Ok(0),
        [_] if is_coded => Err(Refusal::Malformed("Content-Length and Transfer-Encoding exclude each other")),
        [length] => decode_length(length).ok_or(Refusal::Malformed("Content-Length is not a number")),
        _ => Err(Refusal::Malformed("Content-Length stands twice")),
    }
}

/// Digits only; more than a `u64` holds is far above any limit and counts as its largest value.
fn decode_length(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let add = |sum: u64, digit: &u8| sum.saturating_mul(10).saturating_add(u64::from(digit - b'0'));
    Some(digits.iter().fold(0, add))
}

/// RFC 9110 section 10.1.1: `100-continue` is the only expectation there is.
fn expects_continue(fields: &[httparse::Header<'_>]) -> Result<bool, Refusal> {
    let mut expectations = values(fields, "expect").peekable();
    let expects = expectations.peek().is_some();
    if expectations.all(|value| value.eq_ignore_ascii_case(b"100-continue")) {
        Ok(expects)
    } else {
        Err(Refusal::Expectation)
    }
}

/// The fields that go on. One that is not ASCII is left out: it is nothing of ours (a cookie of another program on the
/// same host), and the server behind the gate would refuse the whole request.
fn kept(fields: &[httparse::Header<'_>], connection: &[String]) -> Vec<(String, String)> {
    let mut kept = Vec::with_capacity(fields.len());
    for field in fields {
        let name = field.name.to_ascii_lowercase();
        let is_ours = DROPPED_PREFIXES.iter().any(|prefix| name.starts_with(prefix));
        if is_ours || DROPPED.contains(&name.as_str()) || connection.contains(&name) {
            continue;
        }
        if let Some(value) = str::from_utf8(field.value).ok().filter(|value| value.is_ascii()) {
            kept.push((field.name.to_owned(), value.to_owned()));
        }
    }
    kept
}

fn values<'a>(fields: &'a [httparse::Header<'_>], name: &str) -> impl Iterator<Item = &'a [u8]> {
    fields.iter().filter(move |field| field.name.eq_ignore_ascii_case(name)).map(|field| field.value)
}

/// The members of a list field, in lower case.
fn list(fields: &[httparse::Header<'_>], name: &str) -> Vec<String> {
    let members = values(fields, name).flat_map(|value| value.split(|byte| *byte == b','));
    members.map(|member| String::from_utf8_lossy(member.trim_ascii()).to_ascii_lowercase()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const HOST: &str = "Host: mail.example.com\r\n";

    fn read(head: &str) -> Result<Head, Refusal> {
        parse(head.as_bytes()).map(|head| head.expect("the head is whole"))
    }

    /// A POST with these field lines.
    fn post(fields: &str) -> Result<Head, Refusal> {
        read(&format!("POST /api/v1/x HTTP/1.1\r\n{HOST}{fields}\r\n"))
    }

    fn is_malformed<T>(result: Result<T, Refusal>) -> bool {
        matches!(result, Err(Refusal::Malformed(_)))
    }

    #[test]
    fn a_plain_head_is_read() {
        let text = format!("POST /a?b=c HTTP/1.1\r\n{HOST}Content-Length: 3\r\nAccept: x\r\n\r\nabc");
        let head = read(&text).unwrap();
        assert_eq!((head.method.as_str(), head.target.as_str(), head.path()), ("POST", "/a?b=c", "/a"));
        assert_eq!((head.content_length, head.bytes), (3, text.len() - 3));
        let names: Vec<&str> = head.fields.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["Host", "Accept"]);
        assert!(!head.closes && !head.is_http_1_0 && !head.expects_continue);
    }

    #[test]
    fn lengths_that_readers_disagree_about_are_refused() {
        for fields in [
            "Content-Length: 3\r\nContent-Length: 3\r\n",
            "Content-Length: 3\r\nContent-Length: 4\r\n",
            "Content-Length: 3, 3\r\n",
            "Content-Length: +3\r\n",
            "Content-Length: 0x3\r\n",
            "Content-Length:\r\n",
            "Content-Length: -1\r\n",
            "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n",
            "Transfer-Encoding: identity\r\nContent-Length: 3\r\n",
        ] {
            assert!(is_malformed(post(fields)), "{fields}");
        }
        assert_eq!(post("Transfer-Encoding: chunked\r\n"), Err(Refusal::LengthRequired));
        assert_eq!(post("Content-Length: 99999999999999999999999\r\n").unwrap().content_length, u64::MAX);
    }

    #[test]
    fn fields_of_the_line_and_of_the_gate_end_here() {
        let fields = "Connection: close, X-Hop\r\nX-Hop: 1\r\nKeep-Alive: 5\r\nUpgrade: h2c\r\nTE: trailers\r\n\
                      X-Notesferry-Gate: guess\r\nx-notesferry-client: 1\r\nX-Forwarded-For: 1\r\nForwarded: a\r\n\
                      Expect: 100-continue\r\nX-CSRF-Token: kept\r\n";
        let head = post(fields).unwrap();
        let names: Vec<&str> = head.fields.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["Host", "X-CSRF-Token"]);
        assert!(head.closes && head.expects_continue);
    }

    #[test]
    fn a_field_that_is_not_ascii_stays_behind() {
        let text = b"GET / HTTP/1.1\r\nHost: a\r\nCookie: a=\xc3\xa4\r\nAccept: b\r\n\r\n";
        let head = parse(text).unwrap().unwrap();
        assert_eq!(head.fields.len(), 2);
    }

    #[test]
    fn lines_have_one_reading() {
        assert!(is_malformed(read("GET / HTTP/1.1\nHost: a\r\n\r\n")));
        assert!(is_malformed(post("A: b\nC: d\r\n")));
        assert!(is_malformed(post("A: b\r\n folded\r\n")));
        assert!(is_malformed(post("A : b\r\n")));
        assert!(is_malformed(post("A: b\0c\r\n")));
        assert!(is_malformed(post("A: b\rc\r\n")));
        assert!(is_malformed(post("no colon\r\n")));
        assert!(is_malformed(read(&format!(" GET / HTTP/1.1\r\n{HOST}\r\n"))));
        assert!(is_malformed(parse(b"\x16\x03\x01")), "TLS on the plain port");
    }

    #[test]
    fn one_host_is_named() {
        assert!(is_malformed(post("Host: other.example.com\r\n")));
        assert!(is_malformed(read("GET / HTTP/1.1\r\n\r\n")));
        assert!(is_malformed(read("GET / HTTP/1.1\r\nHost: a/b\r\n\r\n")));
        let old = read("GET / HTTP/1.0\r\n\r\n").unwrap();
        assert!(old.is_http_1_0 && old.closes);
    }

    #[test]
    fn targets_are_plain_paths() {
        for target in ["http://a/", "*", "a", "/a#b", "/../b", "/a/..", "/a/.%2E/b", "/./a", "/a\\b", "/\x7f"]
        {
            let head = read(&format!("GET {target} HTTP/1.1\r\n{HOST}\r\n"));
            assert!(is_malformed(head), "{target}");
        }
        assert!(read(&format!("GET /a..b/...?x=/../ HTTP/1.1\r\n{HOST}\r\n")).is_ok());
        for method in ["CONNECT", "TRACE", "BREW"] {
            let head = read(&format!("{method} / HTTP/1.1\r\n{HOST}\r\n"));
            assert_eq!(head, Err(Refusal::Method), "{method}");
        }
        assert_eq!(read(&format!("GET / HTTP/2.0\r\n{HOST}\r\n")), Err(Refusal::Version));
        assert_eq!(post("Expect: 200-ok\r\n"), Err(Refusal::Expectation));
    }

    #[test]
    fn a_head_has_a_largest_size() {
        let long = "x".repeat(GATE_HEAD_BYTES);
        assert_eq!(parse(format!("GET /{long}").as_bytes()), Err(Refusal::TargetTooLong));
        let target = format!("GET /{} HTTP/1.1\r\n{HOST}\r\n", &long[..GATE_TARGET_BYTES]);
        assert_eq!(read(&target), Err(Refusal::TargetTooLong));
        assert_eq!(post(&format!("A: {long}\r\n")), Err(Refusal::HeadTooLong));
        assert_eq!(post(&"A: b\r\n".repeat(GATE_FIELDS)), Err(Refusal::HeadTooLong));
        assert!(post(&"A: b\r\n".repeat(GATE_FIELDS - 1)).is_ok());
    }

    /// Heads that are nearly right: pieces that matter, in any order.
    fn pieces() -> impl Strategy<Value = Vec<u8>> {
        let piece = prop_oneof![
            Just(b"GET / HTTP/1.1\r\n".to_vec()),
            Just(b"Host: a\r\n".to_vec()),
            Just(b"Content-Length: 3\r\n".to_vec()),
            Just(b"Transfer-Encoding: chunked\r\n".to_vec()),
            Just(b"X-Notesferry-Gate: x\r\n".to_vec()),
            Just(b"\r\n".to_vec()),
            proptest::collection::vec(any::<u8>(), 0..6),
        ];
        proptest::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #[test]
        fn what_goes_on_has_one_meaning(bytes in pieces()) {
            if let Ok(Some(head)) = parse(&bytes) {
                prop_assert!(head.bytes <= bytes.len() && head.target.starts_with('/'));
                let printable = |text: &str| text.bytes().all(|byte| byte == b'\t' || (32..127).contains(&byte));
                for (name, value) in &head.fields {
                    prop_assert!(printable(name) && printable(value));
                    prop_assert!(!name.to_ascii_lowercase().starts_with("x-notesferry-"));
                }
            }
        }

        #[test]
        fn a_head_reads_the_same_however_it_arrives(bytes in pieces()) {
            let whole = parse(&bytes);
            for length in 0..bytes.len() {
                match parse(&bytes[..length]) {
                    Ok(None) => {}
                    early => {
                        prop_assert_eq!(&early, &whole);
                        break;
                    }
                }
            }
        }
    }
}
