//! A key and its self-signed certificate for the listener with TLS, made by the JDK's `keytool`, kept for all runs.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::jars;

/// Guards a key that guards nothing.
pub const STORE_PASSWORD: &str = "drawdown-test";

/// Files for the two sides.
#[derive(Debug)]
pub struct Keys {
    /// PKCS 12, for the broker.
    pub store: PathBuf,
    /// PEM, for the clients.
    pub authority: PathBuf,
}

/// Makes them, unless they are there.
pub fn make() -> Result<Keys, String> {
    make_in(&jars::store().join("tls"), &["-ext", "BasicConstraints:critical=ca:true"])
}

/// The same with a certificate that signs no others: rustls takes none of an authority for that of a server.
pub fn make_of_server() -> Result<Keys, String> {
    make_in(&jars::store().join("tls-server"), &[])
}

fn make_in(directory: &Path, extensions: &[&str]) -> Result<Keys, String> {
    let keys = Keys { store: directory.join("broker.p12"), authority: directory.join("ca.pem") };
    fs::create_dir_all(directory).map_err(|error| format!("cannot create {}: {error}", directory.display()))?;
    let _lock = jars::lock(&directory.join("lock"))?;
    if !keys.authority.is_file() {
        // The certificate comes last, so that it is only there if everything is.
        let _ = fs::remove_file(&keys.store);
        generate(&keys.store, extensions)?;
        let certificate = keytool(&keys.store, &["-exportcert", "-rfc"])?;
        let partial = directory.join("ca.pem.partial");
        fs::write(&partial, certificate).map_err(|error| format!("cannot write {}: {error}", partial.display()))?;
        fs::rename(&partial, &keys.authority)
            .map_err(|error| format!("cannot rename {}: {error}", partial.display()))?;
    }
    Ok(keys)
}

fn generate(store: &Path, extensions: &[&str]) -> Result<(), String> {
    let options = [
        "-genkeypair",
        "-keyalg",
        "RSA",
        "-keysize",
        "2048",
        "-validity",
        "3650",
        "-dname",
        "CN=localhost",
        "-ext",
        "SAN=dns:localhost,ip:127.0.0.1",
    ];
    keytool(store, &[&options, extensions].concat())?;
    Ok(())
}

fn keytool(store: &Path, arguments: &[&str]) -> Result<Vec<u8>, String> {
    let output = Command::new("keytool")
        .args(arguments)
        .args(["-alias", "broker", "-storetype", "PKCS12", "-storepass", STORE_PASSWORD, "-keystore"])
        .arg(store)
        .output()
        .map_err(|error| format!("keytool, which comes with Java, does not start: {error}"))?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    Err(format!("keytool {}: {}", arguments[0], String::from_utf8_lossy(&output.stdout)))
}
