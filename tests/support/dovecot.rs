//! A Dovecot of the test's own on loopback: a private folder, a free port, every user welcome with one password.
//! It runs as the user of the test and ends with the test. Where Dovecot is not installed, the test has nothing to do.

use imap::types::Flag;
use imap_proto::NameAttribute;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use tempfile::TempDir;

pub const PASSWORD: &str = "correct-horse";

/// The user whose mail is kept when the test runs as root: Dovecot does not touch mail as root.
const NOBODY: u32 = 65534;

/// Settings for TLS with what [`make_certificate`] makes.
pub const TLS: &str =
    "ssl = yes\nssl_cert = <ROOT/cert.pem\nssl_key = <ROOT/key.pem\nnamespace inbox {\n separator = /\n}\n";

/// A message as a mail program sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mail {
    pub uid: u32,
    /// Sorted; `\Recent` left out.
    pub flags: Vec<String>,
    pub unix_seconds: i64,
    pub bytes: Vec<u8>,
}

pub struct Dovecot {
    folder: TempDir,
    child: Child,
    pub port: u16,
    /// For `imaps`; open when `ssl` is among the settings.
    pub tls_port: u16,
    users: AtomicU32,
}

impl Dovecot {
    /// A server that keeps Maildirs without TLS, or nothing where Dovecot is not installed.
    pub fn start() -> Option<Self> {
        Self::start_with("ssl = no\nnamespace inbox {\n separator = /\n}\n", |_| ())
    }

    /// A server with more settings; `prepare` puts files into its folder first.
    pub fn start_with(settings: &str, prepare: impl Fn(&Path)) -> Option<Self> {
        let version = Command::new("dovecot").arg("--version").stderr(Stdio::null()).output();
        if !version.is_ok_and(|output| output.status.success()) {
            eprintln!("skipped: Dovecot is not installed (apt-get install dovecot-imapd)");
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        fs::set_permissions(root, fs::Permissions::from_mode(0o755)).unwrap();
        for name in ["run", "mail"] {
            fs::create_dir(root.join(name)).unwrap();
        }
        prepare(root);
        let [port, tls_port] = free_ports();
        let configuration =
            configuration(root, port, tls_port) + &settings.replace("ROOT", root.to_str().unwrap());
        fs::write(root.join("dovecot.conf"), configuration).unwrap();
        let mut child = Command::new("dovecot")
            .args(["-F", "-c"])
            .arg(root.join("dovecot.conf"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
            let ended = child.try_wait().unwrap();
            let log = || fs::read_to_string(root.join("log")).unwrap_or_default();
            assert!(ended.is_none(), "Dovecot ended: {ended:?}\n{}", log());
            std::thread::yield_now();
        }
        Some(Self { folder, child, port, tls_port, users: AtomicU32::new(0) })
    }

    pub fn root(&self) -> &Path {
        self.folder.path()
    }

    /// A user with an empty mailbox.
    pub fn new_user(&self) -> String {
        format!("user{}", self.users.fetch_add(1, Ordering::Relaxed))
    }

    pub fn address(&self, user: &str) -> String {
        format!("imap://{user}@127.0.0.1:{}", self.port)
    }

    /// A mail program of that user.
    pub fn reader(&self, user: &str) -> imap::Session<TcpStream> {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).unwrap();
        let mut client = imap::Client::new(stream);
        client.read_greeting().unwrap();
        client.login(user, PASSWORD).map_err(|(error, _)| error).unwrap()
    }

    /// Every folder of a user with its messages, by its name as the server has it.
    pub fn mails(&self, user: &str) -> BTreeMap<String, Vec<Mail>> {
        let mut reader = self.reader(user);
        let listed = reader.list(Some(""), Some("*")).unwrap();
        let with_mail =
            listed.iter().filter(|folder| !folder.attributes().contains(&NameAttribute::NoSelect));
        let names: Vec<String> = with_mail.map(|folder| folder.name().to_owned()).collect();
        names.into_iter().map(|name| (name.clone(), mails_in(&mut reader, &name))).collect()
    }
}

fn mails_in(reader: &mut imap::Session<TcpStream>, name: &str) -> Vec<Mail> {
    reader.examine(name).unwrap();
    let fetched = reader.uid_fetch("1:*", "(UID FLAGS INTERNALDATE BODY.PEEK[])").unwrap();
    let mail = |fetch: &imap::types::Fetch<'_>| {
        let shown = fetch.flags().iter().filter(|flag| **flag != Flag::Recent).map(ToString::to_string);
        let mut flags: Vec<String> = shown.collect();
        flags.sort();
        Mail {
            uid: fetch.uid.unwrap(),
            flags,
            unix_seconds: fetch.internal_date().unwrap().timestamp(),
            bytes: fetch.body().unwrap().to_vec(),
        }
    };
    fetched.iter().map(mail).collect()
}

impl Drop for Dovecot {
    fn drop(&mut self) {
        // The master ends its processes when it is asked to; killed, it would leave them.
        let asked = Command::new("kill").arg(self.child.id().to_string()).status();
        if !asked.is_ok_and(|status| status.success()) {
            let _ = self.child.kill();
        }
        let _ = self.child.wait();
    }
}

/// An authority and a certificate of it for `localhost` and 127.0.0.2, as Dovecot reads them.
pub fn make_certificate(root: &Path) {
    let authority_key = rcgen::KeyPair::generate().unwrap();
    let mut parameters = rcgen::CertificateParams::new(Vec::new()).unwrap();
    parameters.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let authority = parameters.self_signed(&authority_key).unwrap();
    let issuer = rcgen::Issuer::from_params(&parameters, &authority_key);
    let key = rcgen::KeyPair::generate().unwrap();
    let names = vec!["localhost".to_owned(), "127.0.0.2".to_owned()];
    let certificate = rcgen::CertificateParams::new(names).unwrap().signed_by(&key, &issuer).unwrap();
    fs::write(root.join("authority.pem"), authority.pem()).unwrap();
    fs::write(root.join("cert.pem"), certificate.pem()).unwrap();
    fs::write(root.join("key.pem"), key.serialize_pem()).unwrap();
}

fn free_ports() -> [u16; 2] {
    let listeners = [0, 0].map(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).unwrap());
    listeners.map(|listener| listener.local_addr().unwrap().port())
}

fn configuration(root: &Path, port: u16, tls_port: u16) -> String {
    let root_text = root.display();
    let owner = fs::metadata(root).unwrap();
    let (uid, gid) = if owner.uid() == 0 { (NOBODY, NOBODY) } else { (owner.uid(), owner.gid()) };
    let mut text = format!(
        "base_dir = {root_text}/run
state_dir = {root_text}/run
log_path = {root_text}/log
protocols = imap
listen = 127.0.0.1
disable_plaintext_auth = no
auth_mechanisms = plain
auth_failure_delay = 0
first_valid_uid = 1
mail_location = maildir:~/Maildir
mail_max_userip_connections = 1000
mail_fsync = never
passdb {{
  driver = static
  args = password={{PLAIN}}{PASSWORD}
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={root_text}/mail/%u
}}
namespace inbox {{
  inbox = yes
  mailbox Drafts {{
    special_use = \\Drafts
    auto = create
  }}
  mailbox \"Sent Messages\" {{
    special_use = \\Sent
    auto = create
  }}
}}
service imap-login {{
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = {tls_port}
    ssl = yes
  }}
}}
"
    );
    if owner.uid() == 0 {
        chown(root.join("mail"), Some(uid), Some(gid)).unwrap();
    } else {
        let name = Command::new("id").arg("-un").output().unwrap().stdout;
        let name = String::from_utf8(name).unwrap().trim().to_owned();
        write!(text, "default_internal_user = {name}\ndefault_login_user = {name}\n").unwrap();
        let group = Command::new("id").arg("-gn").output().unwrap().stdout;
        writeln!(text, "default_internal_group = {}", String::from_utf8(group).unwrap().trim()).unwrap();
        for service in ["anvil", "imap-login", "stats"] {
            write!(text, "service {service} {{\n  chroot =\n}}\n").unwrap();
        }
    }
    text
}
