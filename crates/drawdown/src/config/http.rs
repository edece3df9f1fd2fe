//! Where the API listens, who may ask, and how secretly.
//!
//! Invariant: what can be reached from other machines asks who somebody is, unless that was given up by name.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use drawdown_api::access::rate::Rate;
use drawdown_api::access::{Settings, oidc};
use drawdown_api::{Proxies, tls};

use super::reader::Reader;

/// The HTTP server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Http {
    pub listen: SocketAddr,
    /// Where the other processes of a group reach this one.
    pub advertise: Option<String>,
    /// After how long without a word a worker is taken for stuck.
    pub stale_after: Duration,
    /// Who may ask, and how often.
    pub access: Settings,
    /// Who passes requests on, and is believed when they say from whom.
    pub proxies: Proxies,
    /// The certificate; without one, everybody on the way can read along.
    pub tls: Option<tls::Files>,
    /// How long one request of usage records may be.
    pub body_max_bytes: usize,
}

impl Http {
    /// Whether anybody is asked who they are.
    pub fn asks(&self) -> bool {
        self.access.keys_file.is_some() || self.access.oidc.is_some()
    }

    /// What is allowed, but should be known to whoever runs it.
    pub fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        if self.listen.ip().is_loopback() {
            return warnings;
        }
        if self.tls.is_none() {
            let what = "keys, tokens and balances can be read on their way";
            let mend = "give http.tls_certificate and http.tls_key, unless something before it encrypts";
            warnings.push(format!("http.listen {}: there is no TLS, so {what}; {mend}", self.listen));
        }
        if !self.asks() {
            let what = format!("http.listen {}: nobody is asked who they are, by permission", self.listen);
            warnings.push(format!("{what}; better give http.keys_file or http.oidc"));
        }
        warnings
    }
}

/// Reads the section.
pub(super) fn read(reader: &mut Reader) -> Http {
    let is_allowed = reader.flag("http.allow_unauthenticated");
    let listen = read_listen(reader);
    let http = Http {
        listen,
        advertise: read_advertise(reader),
        stale_after: Duration::from_secs(reader.whole("http.stale_after_s")),
        access: Settings {
            keys_file: file(reader, "http.keys_file"),
            oidc: read_oidc(reader),
            rate: Rate { per_second: reader.whole("http.rate_per_second"), burst: reader.whole("http.rate_burst") },
        },
        proxies: read_proxies(reader),
        tls: read_tls(reader),
        body_max_bytes: reader.whole("http.body_max_bytes"),
    };
    if !listen.ip().is_loopback() && !is_allowed && !http.asks() {
        let what = format!("{listen} can be reached from other machines, and nobody is asked who he is");
        let mend = "listen on 127.0.0.1, give http.keys_file or http.oidc, or set http.allow_unauthenticated = true \
                    where the network keeps strangers out";
        reader.fault("http.listen", what, mend);
    }
    http
}

fn read_listen(reader: &mut Reader) -> SocketAddr {
    const PATH: &str = "http.listen";
    let text = reader.text(PATH);
    text.parse().unwrap_or_else(|_| {
        reader.fault(PATH, format!("{text:?} is no address"), "write an IP address and a port, such as 127.0.0.1:9464");
        SocketAddr::from(([127, 0, 0, 1], 0))
    })
}

fn read_proxies(reader: &mut Reader) -> Proxies {
    const PATH: &str = "http.trusted_proxies";
    Proxies::parse(&reader.texts(PATH)).unwrap_or_else(|text| {
        reader.fault(PATH, format!("{text:?} is no network"), "write networks or addresses, such as 10.0.0.0/8");
        Proxies::default()
    })
}

fn read_advertise(reader: &mut Reader) -> Option<String> {
    const PATH: &str = "http.advertise";
    let text = reader.text_if_given(PATH)?;
    let is_url =
        ["http://", "https://"].iter().any(|scheme| text.strip_prefix(scheme).is_some_and(|it| !it.is_empty()));
    if !is_url {
        reader.fault(PATH, format!("{text:?} is no address"), "write a URL, such as http://drawdown-0.drawdown:9464");
    }
    Some(text.trim_end_matches('/').to_owned())
}

fn file(reader: &mut Reader, path: &'static str) -> Option<PathBuf> {
    let text = reader.text_if_given(path)?;
    if text.is_empty() {
        reader.fault(path, "is empty", "name a file, or leave it out");
    }
    Some(PathBuf::from(text))
}

fn read_tls(reader: &mut Reader) -> Option<tls::Files> {
    let names = ["http.tls_certificate", "http.tls_key"];
    match names.map(|path| file(reader, path)) {
        [Some(certificate), Some(key)] => Some(tls::Files { certificate, key }),
        [None, None] => None,
        [certificate, _] => {
            let (given, missing) = if certificate.is_some() { (names[0], names[1]) } else { (names[1], names[0]) };
            reader.fault(given, format!("is given without {missing}"), format!("give {missing} too"));
            None
        }
    }
}

fn read_oidc(reader: &mut Reader) -> Option<oidc::Settings> {
    let names = ["http.oidc.issuer", "http.oidc.audience", "http.oidc.jwks_url"];
    let given = names.map(|path| reader.text_if_given(path));
    let settings = |[issuer, audience, jwks_url]: [String; 3], reader: &mut Reader| oidc::Settings {
        issuer,
        audience,
        jwks_url,
        scopes_claim: reader.text("http.oidc.scopes_claim"),
        orgs_claim: reader.text("http.oidc.orgs_claim"),
        all_orgs_without_claim: reader.flag("http.oidc.all_orgs_without_claim"),
    };
    let first = names.iter().zip(&given).find(|(_, value)| value.is_some()).map(|(name, _)| *name);
    for (name, value) in names.iter().zip(&given) {
        if let (Some(first), None) = (first, value) {
            reader.fault(first, format!("is given without {name}"), format!("give {name} too"));
        }
    }
    // What depends on nothing is read in any case, so that its faults are found too.
    let is_whole = given.iter().all(Option::is_some);
    let settings = settings(given.map(Option::unwrap_or_default), reader);
    if is_whole {
        for (name, what, mend) in settings.faults() {
            let path = format!("http.oidc.{name}");
            reader.fault(&path, what, mend);
        }
    }
    is_whole.then_some(settings)
}
