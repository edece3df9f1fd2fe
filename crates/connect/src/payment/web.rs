//! What the gateways over HTTP have in common: where they may be, and an answer read whole or not at all.

use std::time::Duration;

use ureq::Agent;
use ureq::http::{Response, Uri};
use ureq::tls::{RootCerts, TlsConfig};

use super::Unreachable;

/// More than this of an answer is not read.
const ANSWER_BYTES_MAX: u64 = 256 * 1024;

/// Why a gateway cannot be at a URL.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UrlError {
    /// It is none.
    #[error("is no URL such as https://pay.example.com/v1")]
    Malformed,
    /// Tokens of cards would cross a network in the clear.
    #[error("must begin with https://, but for a host of this machine")]
    Unencrypted,
}

/// An answer.
pub struct Reply {
    /// The status of HTTP.
    pub status: u16,
    /// What came with it.
    pub body: Vec<u8>,
}

/// Checks a URL, and leaves off the slash at its end.
pub fn check(url: &str) -> Result<String, UrlError> {
    let uri: Uri = url.parse().map_err(|_| UrlError::Malformed)?;
    let authority = uri.authority().ok_or(UrlError::Malformed)?;
    if uri.query().is_some() || authority.as_str().contains('@') {
        return Err(UrlError::Malformed);
    }
    match uri.scheme_str() {
        Some("https") => {}
        Some("http") if ["127.0.0.1", "localhost", "[::1]"].contains(&authority.host()) => {}
        Some("http") => return Err(UrlError::Unencrypted),
        _ => return Err(UrlError::Malformed),
    }
    Ok(url.trim_end_matches('/').to_owned())
}

/// A client that trusts whom this machine trusts, and follows no redirection, since a charge goes where it was sent or
/// nowhere.
pub fn agent(timeout: Duration) -> Agent {
    let tls = TlsConfig::builder().root_certs(RootCerts::PlatformVerifier).build();
    let config = Agent::config_builder().tls_config(tls).timeout_global(Some(timeout)).http_status_as_error(false);
    config.max_redirects(0).max_redirects_will_error(false).user_agent("drawdown").build().into()
}

/// The answer whole. Messages of the client name no header and no body, so no secret.
pub fn reply(answer: Result<Response<ureq::Body>, ureq::Error>) -> Result<Reply, Unreachable> {
    let mut answer = answer.map_err(|error| Unreachable(error.to_string()))?;
    let status = answer.status().as_u16();
    let body = answer.body_mut().with_config().limit(ANSWER_BYTES_MAX).read_to_vec();
    let body = body.map_err(|error| Unreachable(format!("status {status}, then {error}")))?;
    Ok(Reply { status, body })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_go_over_tls_or_stay_on_this_machine() {
        for (url, expected) in [
            ("https://pay.example.com/v1/", Ok("https://pay.example.com/v1")),
            ("http://127.0.0.1:8099", Ok("http://127.0.0.1:8099")),
            ("http://[::1]:8099/", Ok("http://[::1]:8099")),
            ("http://localhost", Ok("http://localhost")),
            ("http://pay.example.com", Err(UrlError::Unencrypted)),
            ("http://localhost.example.com", Err(UrlError::Unencrypted)),
            ("https://user:word@pay.example.com", Err(UrlError::Malformed)),
            ("https://pay.example.com/?a=b", Err(UrlError::Malformed)),
            ("ftp://pay.example.com", Err(UrlError::Malformed)),
            ("/charges", Err(UrlError::Malformed)),
            ("", Err(UrlError::Malformed)),
        ] {
            assert_eq!(check(url), expected.map(str::to_owned), "{url}");
        }
    }
}
