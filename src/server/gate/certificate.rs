//! The certificate of the public port: given by the administrator, or made at the first start and kept.
//!
//! Written and read here only: `tls.crt` and `tls.key` (mode 0600) in the data folder, both PEM. What we make signs
//! itself; its fingerprint is what an extractor pins and what the console shows.

use crate::base::files::write_private;
use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, crypto};
use sha2::{Digest as _, Sha256};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::{fs, io};

const CERTIFICATE_FILE: &str = "tls.crt";
const KEY_FILE: &str = "tls.key";

/// A certificate, ready to be used.
#[derive(Debug, Clone)]
pub struct Certificate {
    pub config: Arc<ServerConfig>,
    /// SHA-256 of the certificate (DER) in lower-case hexadecimal digits.
    pub fingerprint: String,
}

/// Why there is no certificate.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    #[error("cannot read or write {}: {cause}", path.display())]
    File { path: PathBuf, cause: io::Error },
    #[error("{} holds no certificate or key that can be used: {cause}", path.display())]
    Content { path: PathBuf, cause: String },
    #[error("cannot make a certificate: {0}")]
    Make(#[from] rcgen::Error),
}

/// The certificate in the data folder, made for `names` (host names and addresses) when there is none.
///
/// # Errors
/// When the files cannot be read, written or used, or a name is none.
pub fn load_or_make(data_dir: &Path, names: &[String]) -> Result<Certificate, CertificateError> {
    let (certificate, key) = (data_dir.join(CERTIFICATE_FILE), data_dir.join(KEY_FILE));
    if !certificate.exists() {
        make(&certificate, &key, names)?;
    }
    load(&certificate, &key)
}

/// The certificate chain and the key in two PEM files; the first certificate is the server's own.
///
/// # Errors
/// When a file cannot be read, or what it holds does not fit together.
pub fn load(certificate: &Path, key: &Path) -> Result<Certificate, CertificateError> {
    let unusable = |path: &Path, cause: String| CertificateError::Content { path: path.to_owned(), cause };
    let read =
        |path: &Path| fs::read(path).map_err(|cause| CertificateError::File { path: path.to_owned(), cause });
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(&read(certificate)?)
        .collect::<Result<_, _>>()
        .map_err(|cause| unusable(certificate, cause.to_string()))?;
    let own = chain.first().ok_or_else(|| unusable(certificate, "no certificate in it".to_owned()))?;
    let fingerprint = Sha256::digest(own).iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    });
    let private =
        PrivateKeyDer::from_pem_slice(&read(key)?).map_err(|cause| unusable(key, cause.to_string()))?;
    let config = ServerConfig::builder_with_provider(Arc::new(crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, private))
        .map_err(|cause| unusable(certificate, cause.to_string()))?;
    Ok(Certificate { config: Arc::new(config), fingerprint })
}

/// Makes a key and a certificate. The certificate is written last: where it is, the key is too.
fn make(certificate: &Path, key: &Path, names: &[String]) -> Result<(), CertificateError> {
    let pair = KeyPair::generate()?;
    let mut params = CertificateParams::new(names)?;
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, "Notesferry");
    let made = params.self_signed(&pair)?;
    write(key, &pair.serialize_pem())?;
    write(certificate, &made.pem())
}

fn write(path: &Path, text: &str) -> Result<(), CertificateError> {
    write_private(path, text.as_bytes())
        .map_err(|cause| CertificateError::File { path: path.to_owned(), cause })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names() -> Vec<String> {
        vec!["appliance.example.com".to_owned(), "127.0.0.1".to_owned()]
    }

    #[test]
    fn a_certificate_is_made_once() {
        let folder = tempfile::tempdir().unwrap();
        let first = load_or_make(folder.path(), &names()).unwrap();
        let second = load_or_make(folder.path(), &names()).unwrap();
        assert_eq!(first.fingerprint, second.fingerprint);
        assert_eq!(first.fingerprint.len(), 64);
    }

    #[cfg(unix)]
    #[test]
    fn only_the_owner_reads_the_key() {
        use std::os::unix::fs::PermissionsExt as _;

        let folder = tempfile::tempdir().unwrap();
        load_or_make(folder.path(), &names()).unwrap();
        let mode = fs::metadata(folder.path().join(KEY_FILE)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn a_key_without_its_certificate_is_replaced_and_a_wrong_key_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let key = folder.path().join(KEY_FILE);
        fs::write(&key, "half").unwrap();
        load_or_make(folder.path(), &names()).unwrap();
        let other = tempfile::tempdir().unwrap();
        load_or_make(other.path(), &names()).unwrap();
        fs::copy(other.path().join(KEY_FILE), &key).unwrap();
        let refused = load_or_make(folder.path(), &names());
        assert!(matches!(refused, Err(CertificateError::Content { .. })));
    }
}
