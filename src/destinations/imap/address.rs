//! The address of an IMAP mailbox as a person writes it: `imaps://user@host[:port][/prefix]`.

use crate::connectors::imap::Account;
use percent_encoding::percent_decode_str;
use url::{Host, Url};

/// What a text `imap://...` names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    pub account: Account,
    /// The folder below which everything is put, as parts; empty for the top.
    pub prefix: Vec<String>,
}

impl Address {
    /// Reads an address.
    ///
    /// # Errors
    /// A sentence that never repeats the text, because a password may stand in it.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let url =
            Url::parse(text).map_err(|_| "it is no address of the form imaps://user@host[:port][/prefix]")?;
        if url.password().is_some() {
            return Err("a password does not belong in an address; use --password-file");
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err("an address ends with the prefix; write ? as %3F and # as %23");
        }
        let decode = |text: &str| {
            let decoded = percent_decode_str(text).decode_utf8().map_err(|_| "its %-codes are no UTF-8")?;
            if decoded.contains(char::is_control) {
                Err("it holds control characters")
            } else {
                Ok(decoded.into_owned())
            }
        };
        let user = decode(url.username())?;
        if user.is_empty() {
            return Err("it names no user; write imaps://user@host");
        }
        let host = match url.host().ok_or("it names no host; write imaps://user@host")? {
            Host::Domain(name) => decode(name)?.to_ascii_lowercase(),
            Host::Ipv4(address) => address.to_string(),
            Host::Ipv6(address) => address.to_string(),
        };
        let tls = url.scheme() == "imaps";
        let port = url.port().unwrap_or(if tls { 993 } else { 143 });
        let parts = url.path().split('/').filter(|part| !part.is_empty());
        let prefix = parts.map(decode).collect::<Result<_, _>>()?;
        Ok(Self { account: Account { host, port, tls, user }, prefix })
    }

    /// One text for one mailbox, however its address was written: with TLS or without it is the same.
    pub fn canonical(&self) -> String {
        let Account { host, port, user, .. } = &self.account;
        let host = if host.contains(':') { format!("[{host}]") } else { host.clone() };
        let port = if [143, 993].contains(port) { String::new() } else { format!(":{port}") };
        let prefix: String = self.prefix.iter().map(|part| format!("/{part}")).collect();
        format!("imap://{user}@{host}{port}{prefix}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_one_canonical_text() {
        for (text, expected) in [
            ("imaps://jane@mail.example.com", "imap://jane@mail.example.com"),
            ("imap://jane@MAIL.example.com:143/", "imap://jane@mail.example.com"),
            ("imaps://jane%40example.com@mail.example.com:993", "imap://jane@example.com@mail.example.com"),
            ("imaps://jane@example.com@mail.example.com", "imap://jane@example.com@mail.example.com"),
            ("imap://jane@127.0.0.1:1143/Old%20mail/Notes", "imap://jane@127.0.0.1:1143/Old mail/Notes"),
            ("imap://jane@[::1]", "imap://jane@[::1]"),
        ] {
            assert_eq!(Address::parse(text).unwrap().canonical(), expected, "{text}");
        }
    }

    #[test]
    fn the_port_follows_the_encryption() {
        let account = |text| Address::parse(text).unwrap().account;
        assert_eq!((account("imaps://a@b").port, account("imaps://a@b").tls), (993, true));
        assert_eq!((account("imap://a@b").port, account("imap://a@b").tls), (143, false));
    }

    #[test]
    fn what_is_wrong_is_said_without_the_password() {
        for text in [
            "imap://jane:hunter2@host",
            "imap://:hunter2@host",
            "imap://host",
            "imap://jane@",
            "imap:x",
            "imap://a@b/?x",
        ] {
            assert!(!Address::parse(text).unwrap_err().contains("hunter2"), "{text}");
        }
    }
}
