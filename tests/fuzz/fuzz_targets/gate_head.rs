//! Any bytes as the head of a request: more is waited for, refused, or one head that goes on. What goes on is one line
//! each, names nothing that only the gate may say, and reads the same when it is written anew.
#![no_main]

use libfuzzer_sys::fuzz_target;
use notesferry::server::gate::head::parse;

fuzz_target!(|bytes: &[u8]| {
    let Ok(Some(head)) = parse(bytes) else { return };
    assert!(head.bytes <= bytes.len());
    assert!(head.target.starts_with('/') && head.target.bytes().all(|byte| byte.is_ascii_graphic()));
    let mut anew = format!("{} {} HTTP/1.1\r\n", head.method, head.target);
    for (name, value) in &head.fields {
        let name_is_ours = name.to_ascii_lowercase().starts_with("x-notesferry-");
        assert!(!name_is_ours && !value.contains(['\r', '\n', '\0']));
        anew += &format!("{name}: {value}\r\n");
    }
    if head.is_http_1_0 && !head.fields.iter().any(|(name, _)| name.eq_ignore_ascii_case("host")) {
        anew += "Host: a\r\n";
    }
    anew += &format!("Content-Length: {}\r\n\r\n", head.content_length);
    // One field may be more than the client sent, so that a head at a limit is above it when written anew.
    if anew.len() < 16 << 10 && head.fields.len() < 62 {
        let again = parse(anew.as_bytes()).expect("it was read before").expect("it is whole");
        assert_eq!((&again.method, &again.target), (&head.method, &head.target));
        assert_eq!(again.content_length, head.content_length);
    }
});
