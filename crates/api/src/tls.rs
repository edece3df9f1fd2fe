//! TLS for the listener: a certificate and its key from PEM files, taken up again when they change.
//!
//! Invariants: TLS 1.2 at least; a certificate and a key that do not belong together never come into force; connections
//! that are open keep what they began with. Clients' certificates are not asked for.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rustls::ServerConfig;
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use tokio_rustls::TlsAcceptor;

use crate::access::Watched;

/// How often the files are looked at.
const LOOK_INTERVAL: Duration = Duration::from_secs(2);

/// Where certificate and key are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Files {
    /// The certificate, and those between it and the root, in PEM.
    pub certificate: PathBuf,
    /// Its key, in PEM: PKCS #8, PKCS #1 or SEC 1.
    pub key: PathBuf,
}

/// The certificate in force.
pub struct Tls {
    current: Watched<CertifiedKey>,
}

impl Tls {
    /// Reads the files.
    ///
    /// # Errors
    /// Everything that is wrong with them.
    pub fn open(files: &Files) -> Result<Self, Vec<String>> {
        let provider = ring::default_provider();
        let (files, paths) = (files.clone(), vec![files.certificate.clone(), files.key.clone()]);
        let load = move || read(&files, &provider);
        Ok(Tls { current: Watched::begin(paths, Box::new(load))? })
    }

    /// Reads the files again if they have changed; whether there is a new certificate.
    pub fn look(&self) -> bool {
        self.current.look()
    }

    /// Follows the files, for as long as the server runs.
    pub async fn upkeep(self: Arc<Self>) {
        let mut interval = tokio::time::interval(LOOK_INTERVAL);
        loop {
            interval.tick().await;
            let tls = Arc::clone(&self);
            // Files may be slow: not on the thread that answers.
            let _ = tokio::task::spawn_blocking(move || tls.look()).await;
        }
    }

    /// What turns a connection into a secure one.
    pub fn acceptor(self: &Arc<Self>) -> TlsAcceptor {
        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])
            .expect("invariant: ring knows both versions")
            .with_no_client_auth()
            .with_cert_resolver(Arc::clone(self) as Arc<dyn ResolvesServerCert>);
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        TlsAcceptor::from(Arc::new(config))
    }
}

impl ResolvesServerCert for Tls {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.current.current()))
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tls({:?})", self.current)
    }
}

fn read(files: &Files, provider: &CryptoProvider) -> Result<CertifiedKey, Vec<String>> {
    let mut faults = Vec::new();
    let chain = read_chain(&files.certificate).map_err(|fault| faults.push(fault)).ok();
    let key = read_key(&files.key).map_err(|fault| faults.push(fault)).ok();
    let (Some(chain), Some(key)) = (chain, key) else { return Err(faults) };
    CertifiedKey::from_der(chain, key, provider).map_err(|error| {
        let (certificate, key) = (files.certificate.display(), files.key.display());
        vec![format!("{certificate}, {key}: the certificate and the key do not do together: {error}")]
    })
}

fn read_chain(path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let shown = path.display();
    let text = std::fs::read(path).map_err(|error| format!("{shown}: cannot be read: {error}"))?;
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
    match chain {
        Ok(chain) if !chain.is_empty() => Ok(chain),
        _ => Err(format!("{shown}: there is no certificate in PEM; give the file that begins with BEGIN CERTIFICATE")),
    }
}

fn read_key(path: &Path) -> Result<PrivateKeyDer<'static>, String> {
    let shown = path.display();
    let text = std::fs::read(path).map_err(|error| format!("{shown}: cannot be read: {error}"))?;
    PrivateKeyDer::from_pem_slice(&text)
        .map_err(|_| format!("{shown}: there is no key in PEM; give the file that begins with BEGIN PRIVATE KEY"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(files: &Files, name: &str) {
        let made = rcgen::generate_simple_self_signed([name.to_owned()]).unwrap();
        std::fs::write(&files.certificate, made.cert.pem()).unwrap();
        std::fs::write(&files.key, made.signing_key.serialize_pem()).unwrap();
    }

    fn files(dir: &tempfile::TempDir) -> Files {
        Files { certificate: dir.path().join("cert.pem"), key: dir.path().join("key.pem") }
    }

    fn in_force(tls: &Tls) -> Vec<u8> {
        tls.current.current().cert[0].to_vec()
    }

    #[test]
    fn a_new_certificate_is_taken_up_and_a_broken_one_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let files = files(&dir);
        write(&files, "one.example");
        let tls = Tls::open(&files).unwrap();
        let one = in_force(&tls);
        write(&files, "two.example");
        assert!(tls.look() && !tls.look());
        let two = in_force(&tls);
        assert_ne!(one, two);
        // The certificate comes first, its key later: between the two nothing is taken up.
        let other = rcgen::generate_simple_self_signed(["three.example".to_owned()]).unwrap();
        std::fs::write(&files.certificate, other.cert.pem()).unwrap();
        assert!(!tls.look());
        assert_eq!(in_force(&tls), two);
        std::fs::write(&files.key, other.signing_key.serialize_pem()).unwrap();
        assert!(tls.look());
        assert_eq!(in_force(&tls), other.cert.der().to_vec());
        std::fs::remove_file(&files.key).unwrap();
        assert!(!tls.look());
        assert_eq!(in_force(&tls), other.cert.der().to_vec());
    }

    #[test]
    fn everything_that_is_wrong_is_said_and_no_key_shown() {
        let dir = tempfile::tempdir().unwrap();
        let files = files(&dir);
        let faults = Tls::open(&files).unwrap_err();
        assert_eq!(faults.len(), 2, "{faults:?}");
        assert!(faults.iter().all(|fault| fault.contains("No such file")), "{faults:?}");
        write(&files, "one.example");
        let swapped = Files { certificate: files.key.clone(), key: files.certificate.clone() };
        assert_eq!(Tls::open(&swapped).unwrap_err().len(), 2);
        let key = std::fs::read_to_string(&files.key).unwrap();
        let shown = format!("{:?} {:?}", Tls::open(&files).unwrap(), Tls::open(&swapped));
        assert!(key.lines().all(|line| line.is_empty() || !shown.contains(line)), "{shown}");
        std::fs::write(&files.key, rcgen::KeyPair::generate().unwrap().serialize_pem()).unwrap();
        let faults = Tls::open(&files).unwrap_err();
        assert!(faults[0].contains("do not do together"), "{faults:?}");
    }
}
