//! From a request to somebody: keys, then tokens, then how often they ask.
//!
//! Invariants: a key that counts is let in from wherever it comes, so nobody can lock its holder out by failing beside
//! him; whoever fails too often costs no signature any more. Where neither keys nor tokens are set up, nobody is asked:
//! the configuration allows that on this machine alone, or by permission.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

use super::credentials::{self, Credential};
use super::keys::Keys;
use super::oidc::{self, Oidc, Refused};
use super::rate::{Limiter, Rate, seconds};
use super::{Peer, Principal};
use crate::meters::clock;
use crate::problem::{Limit, Problem};

/// How often a peer may fail.
const FAILURES: Rate = Rate { per_second: 1, burst: 20 };
/// Principals and peers that are told apart.
const BUCKET_COUNT_MAX: usize = 65_536;
/// How often files are looked at, and whether the issuer's keys are old.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);

/// Who is let in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The file of API keys.
    pub keys_file: Option<PathBuf>,
    /// Whose tokens count.
    pub oidc: Option<oidc::Settings>,
    /// How often each principal may ask, if its key does not say otherwise.
    pub rate: Rate,
}

/// Who is let in, and how often.
#[derive(Debug)]
pub struct Access {
    keys: Option<Keys>,
    oidc: Option<Arc<Oidc>>,
    rate: Rate,
    requests: Limiter,
    failures: Limiter,
}

/// Somebody, and how often they may ask.
type Recognised = (Principal, Option<Rate>);

/// Why not.
enum Denied {
    /// There is nothing that would count.
    Unknown(&'static str),
    /// The keys of the issuer are not known, or not all of them.
    KeysMissing,
    /// The peer has failed too often.
    TooOften(Duration),
}

impl Access {
    /// Reads the key file; the issuer is first asked for its keys by [`Access::upkeep`], or for the first token.
    ///
    /// # Errors
    /// Everything that is wrong with the key file or the issuer's addresses.
    pub fn open(settings: Settings) -> Result<Self, Vec<String>> {
        let mut faults = Vec::new();
        let mut noted = |found: Vec<String>| faults.extend(found);
        let keys = settings.keys_file.as_deref().and_then(|path| Keys::open(path).map_err(&mut noted).ok());
        let oidc = settings.oidc.and_then(|settings| Oidc::new(settings).map_err(&mut noted).ok());
        if !faults.is_empty() {
            return Err(faults);
        }
        Ok(Access::new(keys, oidc.map(Arc::new), settings.rate))
    }

    /// Asks nobody who they are: everybody is [`Principal::local`].
    pub fn of_everybody() -> Self {
        Access::new(None, None, Rate { per_second: 1, burst: 1 })
    }

    pub(super) fn new(keys: Option<Keys>, oidc: Option<Arc<Oidc>>, rate: Rate) -> Self {
        let (requests, failures) = (Limiter::new(BUCKET_COUNT_MAX), Limiter::new(BUCKET_COUNT_MAX));
        Access { keys, oidc, rate, requests, failures }
    }

    /// Whether anybody is asked who they are.
    pub fn asks(&self) -> bool {
        self.keys.is_some() || self.oidc.is_some()
    }

    /// Whose request it is. What needs the issuer's newest keys is refused; [`admit`] waits for them instead.
    ///
    /// # Errors
    /// Nobody who is known (401, which does not say why), or too often (429).
    pub fn authenticate(&self, headers: &HeaderMap, peer: SocketAddr) -> Result<Principal, Problem> {
        if !self.asks() {
            return Ok(Principal::local());
        }
        self.decide(self.recognise(headers, peer), peer)
    }

    /// As [`Access::authenticate`], but a token of a key that is not known yet waits while the issuer is asked.
    async fn authenticate_patiently(&self, headers: &HeaderMap, peer: SocketAddr) -> Result<Principal, Problem> {
        if !self.asks() {
            return Ok(Principal::local());
        }
        let mut result = self.recognise(headers, peer);
        if let (Err(Denied::KeysMissing), Some(oidc)) = (&result, &self.oidc) {
            oidc.refresh().await;
            result = self.recognise(headers, peer);
        }
        self.decide(result, peer)
    }

    fn recognise(&self, headers: &HeaderMap, peer: SocketAddr) -> Result<Recognised, Denied> {
        match credentials::of(headers) {
            Some(Credential::Key(key)) => match self.keys.as_ref().and_then(|keys| keys.find(key, clock())) {
                Some(holder) => Ok((holder.principal, holder.rate)),
                None => Err(Denied::Unknown("no key that counts")),
            },
            Some(Credential::Token(token)) => {
                let Some(oidc) = &self.oidc else { return Err(Denied::Unknown("no tokens are taken")) };
                if let Some(principal) = oidc.remembered(token, clock()) {
                    return Ok((principal, None));
                }
                if let Some(wait) = self.failures.wait(network(peer.ip()), FAILURES) {
                    return Err(Denied::TooOften(wait));
                }
                let principal = oidc.verify(token).map_err(|refused| match refused {
                    Refused::Bad(why) => Denied::Unknown(why),
                    Refused::UnknownKey => Denied::KeysMissing,
                })?;
                Ok((principal, None))
            }
            None => Err(Denied::Unknown("no credential")),
        }
    }

    fn decide(&self, result: Result<Recognised, Denied>, peer: SocketAddr) -> Result<Principal, Problem> {
        let why = match result {
            Ok((principal, rate)) => {
                let rate = rate.unwrap_or(self.rate);
                let taken = self.requests.take(&*principal.subject, rate);
                return taken.map(|()| principal).map_err(|wait| {
                    let what = format!("{} requests a second are let through, {} at once", rate.per_second, rate.burst);
                    too_many(Limit::Rate, "rate-limited", what, wait)
                });
            }
            Err(Denied::KeysMissing) if self.oidc.as_ref().is_some_and(|oidc| !oidc.has_keys()) => {
                let detail = "the keys of the token's issuer could not be had; try again";
                let problem = Problem::new(StatusCode::SERVICE_UNAVAILABLE, "issuer-unavailable", detail);
                return Err(problem.retry_after(seconds(oidc::REFRESH_INTERVAL_MIN)));
            }
            Err(Denied::TooOften(wait)) => return Err(too_many_failures(wait)),
            Err(Denied::KeysMissing) => "a key that the issuer does not have",
            Err(Denied::Unknown(why)) => why,
        };
        self.failures.take(network(peer.ip()), FAILURES).map_err(too_many_failures)?;
        tracing::debug!(peer = %peer.ip(), why, "a request was not let in");
        let detail = "give a key or a token that counts: Authorization: Bearer …";
        Err(Problem::new(StatusCode::UNAUTHORIZED, "unauthenticated", detail))
    }

    /// Looks whether the key file has changed.
    pub fn look(&self) {
        if let Some(keys) = &self.keys {
            keys.look();
        }
    }

    /// Follows the key file and the issuer's keys, for as long as the server runs.
    pub async fn upkeep(self: Arc<Self>) {
        let mut interval = tokio::time::interval(LOOK_INTERVAL);
        loop {
            interval.tick().await;
            if self.keys.is_some() {
                let access = Arc::clone(&self);
                // Files may be slow: not on the thread that answers.
                let _ = tokio::task::spawn_blocking(move || access.look()).await;
            }
            if let Some(oidc) = &self.oidc
                && oidc.is_due()
            {
                oidc.refresh().await;
            }
        }
    }
}

fn too_many(limit: Limit, name: &str, what: String, wait: Duration) -> Problem {
    Problem::new(StatusCode::TOO_MANY_REQUESTS, name, what).retry_after(seconds(wait)).limit(limit)
}

fn too_many_failures(wait: Duration) -> Problem {
    let what = "too many requests from this address were not let in".to_owned();
    too_many(Limit::Failures, "too-many-failures", what, wait)
}

/// Whom an address stands for: a network of IPv6, of which somebody has all addresses, counts as one.
pub(crate) fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64))),
        address => address,
    }
}

/// The middleware: puts the [`Principal`] into the request, or answers in its place.
///
/// The [`Peer`] is there already, put by the connection; without one, all count as one peer.
pub async fn admit(State(access): State<Arc<Access>>, mut request: Request, next: Next) -> Response {
    let unknown = SocketAddr::from(([0, 0, 0, 0], 0));
    let peer = request.extensions().get::<Peer>().map_or(unknown, |peer| peer.0);
    match access.authenticate_patiently(request.headers(), peer).await {
        Ok(principal) => {
            request.extensions_mut().insert(principal);
            next.run(request).await
        }
        Err(problem) => problem.into_response(),
    }
}
