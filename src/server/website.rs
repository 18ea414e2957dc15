//! The migration website: the files of `web/static`, compiled into the program. It is only a client of the web API.
//!
//! Served by `server::listener`. During development the files can come from a folder instead, so that a change is seen
//! at the next look. No file is secret, so nobody has to be logged in; the program itself is there for users only.

use crate::base::limits::PAGE_FILE_BYTES;
use rust_embed::{EmbeddedFile, RustEmbed};
use std::borrow::Cow;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

/// Where users find the program, to run it as an extractor.
pub const DOWNLOAD_PATH: &str = "/download/notesferry";

/// What goes with every answer to a browser: scripts, styles and pictures come from here alone, and no other site shows
/// our page inside its own.
pub const SECURITY_HEADERS: &[(&str, &str)] = &[
    (
        "Content-Security-Policy",
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
         font-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    ),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
];

#[derive(RustEmbed)]
#[folder = "web/static/"]
struct Files;

/// The files of the page.
#[derive(Debug)]
pub struct Website {
    /// Read this folder instead.
    folder: Option<PathBuf>,
}

/// One file.
#[derive(Debug)]
pub struct Page {
    pub content_type: String,
    /// Changes with the content.
    pub entity_tag: String,
    pub bytes: Cow<'static, [u8]>,
}

impl Website {
    pub fn new(folder: Option<PathBuf>) -> Self {
        Self { folder }
    }

    /// The file of a path that begins with `/`.
    pub fn page(&self, path: &str) -> Option<Page> {
        let name = match path.strip_prefix('/')? {
            "" => "index.html",
            name => name,
        };
        let bytes = match &self.folder {
            None => Files::get(name).map(|EmbeddedFile { data, .. }| data),
            Some(folder) => is_plain(name).then(|| read(&folder.join(name)).ok()).flatten().map(Cow::Owned),
        }?;
        let kind = mime_guess::from_path(name).first_or_octet_stream();
        let charset = if kind.type_() == "text" { "; charset=utf-8" } else { "" };
        let entity_tag = format!("\"{}\"", &blake3::hash(&bytes).to_hex()[..32]);
        Some(Page { content_type: format!("{kind}{charset}"), entity_tag, bytes })
    }
}

/// Whether a name stays inside the folder, and needs no decoding: the names of our files are plain.
fn is_plain(name: &str) -> bool {
    let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    name.split('/').all(|part| !part.is_empty() && !part.starts_with('.') && part.bytes().all(is_letter))
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(PAGE_FILE_BYTES).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// This program, as it was started, with its length.
///
/// # Errors
/// When the system does not give it.
pub fn program() -> io::Result<(File, u64)> {
    // On Linux this is the running program, also after an update took its place.
    let file = File::open("/proc/self/exe").or_else(|_| std::env::current_exe().and_then(File::open))?;
    let bytes = file.metadata()?.len();
    Ok((file, bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_shows_its_files_and_nothing_beside_it() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("static");
        std::fs::create_dir_all(folder.join("js")).unwrap();
        std::fs::write(root.path().join("secret"), "x").unwrap();
        std::fs::write(folder.join(".hidden"), "x").unwrap();
        for (name, text) in [("index.html", "<p>"), ("js/page.js", "1"), ("a.svg", "<svg/>")] {
            std::fs::write(folder.join(name), text).unwrap();
        }
        let website = Website::new(Some(folder.clone()));
        let kind = |path: &str| website.page(path).map(|page| page.content_type);
        assert_eq!(kind("/").as_deref(), Some("text/html; charset=utf-8"));
        assert_eq!(kind("/js/page.js").as_deref(), Some("text/javascript; charset=utf-8"));
        assert_eq!(kind("/a.svg").as_deref(), Some("image/svg+xml"));
        for path in
            ["", "/../secret", "/js/../../secret", "//etc/passwd", "/.hidden", "/js", "/js/", "/no", "/%2e"]
        {
            assert_eq!(kind(path), None, "{path}");
        }
        let tag = |path: &str| website.page(path).unwrap().entity_tag;
        let before = tag("/");
        assert_eq!(tag("/"), before);
        std::fs::write(folder.join("index.html"), "<b>").unwrap();
        assert_ne!(tag("/"), before);
    }

    #[test]
    fn the_files_are_in_the_program() {
        let page = Website::new(None).page("/robots.txt").unwrap();
        assert!(page.bytes.starts_with(b"User-agent"));
        assert!(Website::new(None).page("/../Cargo.toml").is_none());
    }
}
