//! Which server is asked, whom it has to prove to be, and with which key.

use std::env::{self, VarError};
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

use clap::Args as ClapArgs;
use ureq::tls::{Certificate, PemItem, parse_pem};

use crate::config::{Config, ConfigArgs, Secret};
use crate::exit::Failure;

const URL: &str = "DRAWDOWN_URL";
const API_KEY: &str = "DRAWDOWN_API_KEY";
/// Variables of the environment that are read here, and are no keys of the configuration.
pub const VARIABLES: [&str; 2] = [URL, API_KEY];

/// Which server to ask, and as whom.
///
/// The API key stands in the variable DRAWDOWN_API_KEY or in a file: arguments can be read by everybody on a machine.
#[derive(Debug, Clone, ClapArgs)]
pub struct ServerArgs {
    /// The server; else what DRAWDOWN_URL says, else where the configuration lets this machine's listen
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// The file that holds the API key and nothing else; else the variable DRAWDOWN_API_KEY
    #[arg(long, value_name = "FILE")]
    key_file: Option<PathBuf>,
    /// Authorities (PEM) that the server's certificate must be of, in place of those that this machine trusts
    #[arg(long, value_name = "FILE")]
    ca_file: Option<PathBuf>,
    #[command(flatten)]
    pub config: ConfigArgs,
}

/// A server that can be asked.
pub struct Server {
    /// Without a slash at its end.
    pub base: String,
    pub key: Option<Secret>,
    /// None: those that the machine trusts.
    pub authorities: Option<Vec<Certificate<'static>>>,
}

impl ServerArgs {
    /// The URL that was given, and by what.
    fn given(&self) -> Option<(String, &'static str)> {
        let of_variable = || env::var(URL).ok().filter(|url| !url.trim().is_empty()).map(|url| (url, URL));
        self.url.clone().map(|url| (url, "--url")).or_else(of_variable)
    }

    /// Whether a server was named; otherwise the configuration says which it is.
    pub fn is_named(&self) -> bool {
        self.given().is_some()
    }

    /// Puts it all together.
    ///
    /// # Errors
    /// A URL that is none, files that cannot be read, or a wrong configuration.
    pub fn server(&self) -> Result<Server, Failure> {
        let base = match self.given() {
            Some((url, place)) => checked(&url, place)?,
            None => {
                let http = Config::load(&self.config)?.http;
                let scheme = if http.tls.is_some() { "https" } else { "http" };
                format!("{scheme}://{}", reached_at(http.listen))
            }
        };
        let authorities = self.ca_file.as_deref().map(read_authorities).transpose()?;
        Ok(Server { base, key: read_key(self.key_file.as_deref())?, authorities })
    }
}

impl Server {
    /// Whether it is this machine: no proxy leads there.
    pub fn is_loopback(&self) -> bool {
        let host = self.base.split("//").nth(1).and_then(|rest| rest.split('/').next()).unwrap_or_default();
        let address = host.parse::<SocketAddr>().map(|address| address.ip()).or_else(|_| host.parse::<IpAddr>());
        let name = host.split(':').next().unwrap_or_default();
        address.is_ok_and(|address| address.is_loopback()) || name.eq_ignore_ascii_case("localhost")
    }
}

/// Where to reach what listens everywhere: here.
fn reached_at(mut listen: SocketAddr) -> SocketAddr {
    if listen.ip().is_unspecified() {
        listen.set_ip(if listen.is_ipv4() { [127, 0, 0, 1].into() } else { IpAddr::from([0, 0, 0, 0, 0, 0, 0, 1]) });
    }
    listen
}

/// A URL that can be put before a path. One that is refused is not shown: a password may stand in it.
fn checked(url: &str, place: &str) -> Result<String, Failure> {
    let url = url.trim().trim_end_matches('/');
    let rest = ["https://", "http://"].iter().find_map(|scheme| url.strip_prefix(scheme));
    let is_plain = |rest: &str| rest.bytes().all(|byte| byte.is_ascii_graphic() && !b"@?#\\".contains(&byte));
    if rest.is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/') && is_plain(rest)) {
        return Ok(url.to_owned());
    }
    let what = format!("{place}: is no URL of a server; write such as https://drawdown.example:9464");
    Err(Failure::usage(format!("{what}, without a user, a password or a query")))
}

/// The key, from wherever it is; it is not shown where it is wrong.
fn read_key(file: Option<&Path>) -> Result<Option<Secret>, Failure> {
    let (text, place) = match (file, env::var(API_KEY)) {
        (Some(path), _) => {
            let text = std::fs::read_to_string(path);
            (text.map_err(|error| Failure::usage(format!("{}: {error}", path.display())))?, path.display().to_string())
        }
        (None, Ok(text)) => (text, API_KEY.to_owned()),
        (None, Err(VarError::NotPresent)) => return Ok(None),
        (None, Err(VarError::NotUnicode(_))) => (String::new(), API_KEY.to_owned()),
    };
    let key = text.trim();
    if file.is_none() && key.is_empty() {
        return Ok(None);
    }
    if key.is_empty() || !key.bytes().all(|byte| byte.is_ascii_graphic()) {
        let mend = "write the key there that `drawdown key new` printed, and nothing else";
        return Err(Failure::usage(format!("{place}: holds no key; {mend}")));
    }
    Ok(Some(Secret::new(key.to_owned())))
}

fn read_authorities(path: &Path) -> Result<Vec<Certificate<'static>>, Failure> {
    let wrong = |what: String| Failure::usage(format!("{}: {what}", path.display()));
    let pem = std::fs::read(path).map_err(|error| wrong(error.to_string()))?;
    let mut certificates = Vec::new();
    for item in parse_pem(&pem) {
        if let PemItem::Certificate(certificate) = item.map_err(|error| wrong(error.to_string()))? {
            certificates.push(certificate);
        }
    }
    if certificates.is_empty() {
        return Err(wrong("there is no certificate in it; give those of the authority, in PEM".to_owned()));
    }
    Ok(certificates)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_one_that_a_path_can_follow() {
        for right in ["http://127.0.0.1:9464", "https://drawdown.example/behind/"] {
            let url = checked(right, "--url").expect(right);
            assert_eq!(url, right.trim_end_matches('/'));
        }
        for wrong in
            ["", "localhost:9464", "ftp://a", "http://", "https://me:hush@a", "http:///v1", "http://a?b", "http://a b"]
        {
            let Err(Failure::Usage(said)) = checked(wrong, "--url") else { panic!("{wrong} passes") };
            assert!(said[0].starts_with("--url: is no URL") && !said[0].contains("hush"), "{said:?}");
        }
    }

    #[test]
    fn what_listens_everywhere_is_asked_here() {
        let reached = |text: &str| reached_at(text.parse().expect("an address")).to_string();
        assert_eq!(reached("0.0.0.0:1"), "127.0.0.1:1");
        assert_eq!(reached("[::]:1"), "[::1]:1");
        assert_eq!(reached("10.0.0.1:1"), "10.0.0.1:1");
        let is_loopback = |base: &str| Server { base: base.to_owned(), key: None, authorities: None }.is_loopback();
        assert!(
            ["http://127.0.0.1:1", "http://[::1]:1/a", "https://localhost:1", "http://127.0.0.1"].map(is_loopback)
                == [true; 4]
        );
        assert!(!is_loopback("https://drawdown.example:9464"));
    }
}
