//! Where events go, and which.
//!
//! Invariants: what is sent leaves this machine encrypted; an address holds no password, so that it can be shown.

use std::fmt;
use std::net::IpAddr;

use super::signature::SigningSecret;
use crate::notice::Notice;

/// Why an endpoint cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EndpointError {
    /// Not an address, or not of http or https.
    #[error("not the address of an endpoint: https://host/path")]
    Malformed,
    /// A user or a password in the address.
    #[error("an address holds no user and no password")]
    Credentials,
    /// Not encrypted, and not on this machine.
    #[error("https is required, except to this machine")]
    Plain,
    /// Without a secret nobody could tell our requests from others.
    #[error("no secret to sign with")]
    NoSecret,
}

/// An address that requests may go to: https, or http to this machine.
#[derive(Clone, PartialEq, Eq)]
pub struct Url {
    text: String,
    is_loopback: bool,
}

impl Url {
    /// Reads one.
    ///
    /// # Errors
    /// Nothing is to be sent there.
    pub fn parse(text: &str) -> Result<Self, EndpointError> {
        let uri: ureq::http::Uri = text.parse().map_err(|_| EndpointError::Malformed)?;
        let authority = uri.authority().ok_or(EndpointError::Malformed)?;
        if authority.as_str().contains('@') {
            return Err(EndpointError::Credentials);
        }
        let is_loopback = is_loopback(authority.host());
        match uri.scheme_str() {
            _ if authority.host().is_empty() => Err(EndpointError::Malformed),
            Some("https") => Ok(Url { text: text.to_owned(), is_loopback }),
            Some("http") if is_loopback => Ok(Url { text: text.to_owned(), is_loopback }),
            Some("http") => Err(EndpointError::Plain),
            _ => Err(EndpointError::Malformed),
        }
    }

    /// The whole of it.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether it is on this machine.
    pub fn is_loopback(&self) -> bool {
        self.is_loopback
    }
}

/// Paths of endpoints are often as good as passwords.
impl fmt::Debug for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let host = self.text.find("://").map_or(0, |at| at + 3);
        let end = self.text[host..].find(['/', '?', '#']).map_or(self.text.len(), |at| host + at);
        write!(f, "{}/…", &self.text[..end])
    }
}

fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost") || bare.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Which events an endpoint gets.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Filter {
    /// By their names, such as `RechargeFailed`; all of them if empty.
    pub events: Vec<String>,
    /// Of these organisations; of all of them if empty.
    pub orgs: Vec<String>,
}

impl Filter {
    /// Whether an event is among them.
    pub fn admits(&self, notice: &Notice) -> bool {
        let has = |list: &[String], one: &str| list.is_empty() || list.iter().any(|listed| listed == one);
        has(&self.events, notice.kind()) && has(&self.orgs, notice.org())
    }
}

/// One endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    name: String,
    url: Url,
    secrets: Vec<SigningSecret>,
    filter: Filter,
}

impl Endpoint {
    /// An endpoint by a name that logs, letters and its feed's place know it by. Requests are signed with each of the
    /// secrets.
    ///
    /// # Errors
    /// There is no secret.
    pub fn new(
        name: impl Into<String>,
        url: Url,
        secrets: Vec<SigningSecret>,
        filter: Filter,
    ) -> Result<Self, EndpointError> {
        if secrets.is_empty() {
            return Err(EndpointError::NoSecret);
        }
        Ok(Endpoint { name: name.into(), url, secrets, filter })
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its address.
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// What requests to it are signed with.
    pub fn secrets(&self) -> &[SigningSecret] {
        &self.secrets
    }

    /// Which events it gets.
    pub fn filter(&self) -> &Filter {
        &self.filter
    }
}

#[cfg(test)]
mod tests {
    use super::{EndpointError, Filter, Url};
    use crate::notice::Notice;

    #[test]
    fn only_this_machine_is_spoken_to_without_encryption() {
        for good in ["https://example.com/x", "http://127.0.0.1:8080", "http://[::1]/x", "http://localhost/x"] {
            assert!(Url::parse(good).is_ok(), "{good}");
        }
        for (bad, why) in [
            ("http://example.com/x", EndpointError::Plain),
            ("http://127.0.0.1.example.com/x", EndpointError::Plain),
            ("http://localhost.example.com/x", EndpointError::Plain),
            ("https://user:password@example.com/", EndpointError::Credentials),
            ("http://127.0.0.1@example.com/", EndpointError::Credentials),
            ("ftp://example.com/x", EndpointError::Malformed),
            ("file:///etc/passwd", EndpointError::Malformed),
            ("example.com", EndpointError::Malformed),
            ("/x", EndpointError::Malformed),
            ("", EndpointError::Malformed),
        ] {
            assert_eq!(Url::parse(bad), Err(why), "{bad}");
        }
    }

    #[test]
    fn the_path_of_an_address_is_not_shown() {
        let url = Url::parse("https://hooks.example.com/services/T00/B00/XXXX").expect("an address");
        assert_eq!(format!("{url:?}"), "https://hooks.example.com/…");
        let url = Url::parse("https://hooks.example.com?token=XXXX").expect("an address");
        assert_eq!(format!("{url:?}"), "https://hooks.example.com/…");
    }

    #[test]
    fn a_filter_admits_by_name_and_organisation() {
        let notice = Notice::read(br#"{"type":"ModeSet","orgId":"contoso","seq":1}"#).expect("an event");
        let filter = |events: &[&str], orgs: &[&str]| Filter {
            events: events.iter().map(|&text| text.to_owned()).collect(),
            orgs: orgs.iter().map(|&text| text.to_owned()).collect(),
        };
        assert!(filter(&[], &[]).admits(&notice));
        assert!(filter(&["ModeSet"], &["contoso", "fabrikam"]).admits(&notice));
        assert!(!filter(&["FundsAdded"], &[]).admits(&notice));
        assert!(!filter(&[], &["fabrikam"]).admits(&notice));
    }
}
