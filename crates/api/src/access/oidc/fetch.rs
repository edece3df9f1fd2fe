//! Asking the issuer for its keys: over TLS, without following it elsewhere, and without waiting or reading for ever.

use std::net::IpAddr;
use std::time::Duration;

use axum::http::Uri;

/// How long all of it may take.
const TIME_MAX: Duration = Duration::from_secs(5);
/// How long the answer may be.
const BYTES_MAX: u64 = 256 * 1024;

/// Whether nobody can come between: TLS, or this machine.
pub(super) fn is_safe(url: &str) -> bool {
    let Ok(uri) = url.parse::<Uri>() else { return false };
    match uri.scheme_str() {
        Some("https") => uri.host().is_some_and(|host| !host.is_empty()),
        Some("http") => is_this_machine(&uri),
        _ => false,
    }
}

fn is_this_machine(uri: &Uri) -> bool {
    let host = uri.host().unwrap_or_default().trim_matches(['[', ']']);
    host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// The document at an address.
pub(super) fn get(url: &str) -> Result<String, String> {
    let is_local = url.parse::<Uri>().is_ok_and(|uri| is_this_machine(&uri));
    let mut config = ureq::Agent::config_builder()
        .https_only(url.starts_with("https://"))
        .max_redirects(0)
        .timeout_global(Some(TIME_MAX));
    if is_local {
        config = config.proxy(None);
    }
    let agent: ureq::Agent = config.build().into();
    let mut response = agent.get(url).call().map_err(|error| error.to_string())?;
    if response.status() != 200 {
        return Err(format!("the answer is {}", response.status()));
    }
    response.body_mut().with_config().limit(BYTES_MAX).read_to_string().map_err(|error| error.to_string())
}
