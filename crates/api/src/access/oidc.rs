//! Bearer tokens of an issuer (OpenID Connect): signed, ours, in time; what they claim becomes scopes and organisations.
//!
//! Invariants: a token is checked by the algorithm of the key that it names, one of RS256, ES256 and EdDSA, never by what
//! the token would like; keys come from the one configured address and from no header; the issuer is asked at most once
//! in [`REFRESH_INTERVAL_MIN`], whatever strangers send.

mod fetch;
mod key_set;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use arc_swap::ArcSwapOption;
use drawdown_units::Timestamp;
use jsonwebtoken::Validation;
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use super::{Principal, Scope};
use key_set::KeySet;

/// How often the issuer is asked at most.
pub const REFRESH_INTERVAL_MIN: Duration = Duration::from_secs(30);
/// How old its keys get before it is asked again,
const REFRESH_AGE: Duration = Duration::from_secs(900);
/// and how old when it does not answer, before they count no more.
const AGE_MAX: Duration = Duration::from_secs(86_400);
/// How far its clock may be off.
const LEEWAY_S: u64 = 30;
/// Tokens that were found right and are remembered.
const REMEMBERED_COUNT_MAX: usize = 4_096;

/// Whose tokens count, and what is read from them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Who must have issued a token: its `iss`.
    pub issuer: String,
    /// Whom it must be for: in its `aud`.
    pub audience: String,
    /// Where the issuer's keys are; https, except on this machine.
    pub jwks_url: String,
    /// The claim with scopes: a text with spaces between, or a list.
    pub scopes_claim: String,
    /// The claim with organisations: a list, or one.
    pub orgs_claim: String,
    /// Whether a token without that claim is for all of them; else for none.
    pub all_orgs_without_claim: bool,
}

impl Settings {
    /// Everything that is wrong with them: each the name of a setting, what is wrong, and what to do.
    pub fn faults(&self) -> Vec<(&'static str, &'static str, &'static str)> {
        let mut faults = Vec::new();
        let texts = [
            ("issuer", &self.issuer),
            ("audience", &self.audience),
            ("scopes_claim", &self.scopes_claim),
            ("orgs_claim", &self.orgs_claim),
        ];
        for (name, text) in texts {
            if text.trim().is_empty() {
                faults.push((name, "is empty", "write a text"));
            }
        }
        if !fetch::is_safe(&self.jwks_url) {
            let what = "is no address that could be trusted with keys";
            faults.push(("jwks_url", what, "write one that begins with https://; http:// does for this machine alone"));
        }
        faults
    }
}

/// Why a token does not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refused {
    /// It never will; why, for the log.
    Bad(&'static str),
    /// The issuer may have the key by now.
    UnknownKey,
}

/// How often and how long.
#[derive(Debug, Clone, Copy)]
struct Times {
    interval_min: Duration,
    refresh_age: Duration,
    age_max: Duration,
}

/// A token that was found right.
#[derive(Debug)]
struct Remembered {
    principal: Principal,
    /// Seconds since 1970.
    expires: i64,
    /// The keys that it was checked with.
    set: Arc<KeySet>,
}

/// The issuer, as far as it is known.
#[derive(Debug)]
pub(super) struct Oidc {
    settings: Settings,
    times: Times,
    set: ArcSwapOption<KeySet>,
    /// When it was last asked; held while it is.
    asked: tokio::sync::Mutex<Option<Instant>>,
    /// By the hash of the token.
    remembered: Mutex<HashMap<[u8; 32], Remembered>>,
}

impl Oidc {
    /// Asks nobody yet.
    pub fn new(settings: Settings) -> Result<Self, Vec<String>> {
        let faults = settings.faults();
        if !faults.is_empty() {
            let show = |(name, what, mend): (_, _, _)| format!("http.oidc.{name}: {what}; {mend}");
            return Err(faults.into_iter().map(show).collect());
        }
        let times = Times { interval_min: REFRESH_INTERVAL_MIN, refresh_age: REFRESH_AGE, age_max: AGE_MAX };
        Ok(Oidc {
            settings,
            times,
            set: ArcSwapOption::empty(),
            asked: tokio::sync::Mutex::default(),
            remembered: Mutex::default(),
        })
    }

    /// The keys of the issuer, while they count.
    fn keys(&self) -> Option<Arc<KeySet>> {
        self.set.load_full().filter(|set| set.fetched.elapsed() < self.times.age_max)
    }

    /// Whether the issuer's keys are known at all.
    pub fn has_keys(&self) -> bool {
        self.keys().is_some()
    }

    /// Whether the issuer should be asked, though no token needs it.
    pub fn is_due(&self) -> bool {
        self.set.load().as_ref().is_none_or(|set| set.fetched.elapsed() >= self.times.refresh_age)
    }

    /// Asks the issuer for its keys, unless that was done just now. Whoever comes meanwhile waits for the answer.
    pub async fn refresh(self: &Arc<Self>) {
        let mut asked = self.asked.lock().await;
        if asked.is_some_and(|at| at.elapsed() < self.times.interval_min) {
            return;
        }
        *asked = Some(Instant::now());
        let oidc = Arc::clone(self);
        // The answer is kept even where whoever waits for it goes away.
        let fetch = move || match fetch::get(&oidc.settings.jwks_url).and_then(|text| KeySet::parse(&text)) {
            Ok(set) => oidc.take(set),
            Err(error) => tracing::warn!(%error, url = oidc.settings.jwks_url, "the issuer's keys could not be had"),
        };
        let _ = tokio::task::spawn_blocking(fetch).await;
    }

    fn take(&self, set: KeySet) {
        let before = self.set.load_full();
        if before.is_none_or(|before| before.ids() != set.ids()) {
            tracing::info!(keys = ?set.ids(), "the issuer's keys");
        }
        self.set.store(Some(Arc::new(set)));
    }

    /// Whose token it is, if it was found right before, with the keys that still count.
    pub fn remembered(&self, token: &str, now: Timestamp) -> Option<Principal> {
        let remembered = self.remembered.lock().unwrap_or_else(PoisonError::into_inner);
        let found = remembered.get(&digest(token))?;
        let is_in_time = now.seconds() < found.expires.saturating_add(LEEWAY_S.cast_signed());
        let is_current = self.keys().is_some_and(|set| Arc::ptr_eq(&set, &found.set));
        (is_in_time && is_current).then(|| found.principal.clone())
    }

    /// Whose token it is.
    pub fn verify(&self, token: &str) -> Result<Principal, Refused> {
        let header = jsonwebtoken::decode_header(token).map_err(|_| Refused::Bad("no token"))?;
        if header.crit.is_some() {
            return Err(Refused::Bad("a header that must be understood"));
        }
        let kid = header.kid.ok_or(Refused::Bad("no name of a key"))?;
        let set = self.keys().ok_or(Refused::UnknownKey)?;
        let key = set.get(&kid).ok_or(Refused::UnknownKey)?;
        let mut validation = Validation::new(key.algorithm);
        validation.leeway = LEEWAY_S;
        validation.validate_nbf = true;
        validation.set_issuer(&[&self.settings.issuer]);
        validation.set_audience(&[&self.settings.audience]);
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        let claims = jsonwebtoken::decode::<Map<String, Value>>(token, &key.key, &validation)
            .map_err(|_| Refused::Bad("a token that is forged, out of time, or not for us"))?
            .claims;
        let principal = self.principal(&claims).ok_or(Refused::Bad("no subject"))?;
        self.remember(token, &principal, &claims, set);
        Ok(principal)
    }

    fn remember(&self, token: &str, principal: &Principal, claims: &Map<String, Value>, set: Arc<KeySet>) {
        let Some(expires) = claims.get("exp").and_then(Value::as_i64) else { return };
        let mut remembered = self.remembered.lock().unwrap_or_else(PoisonError::into_inner);
        if remembered.len() >= REMEMBERED_COUNT_MAX {
            remembered.clear();
        }
        remembered.insert(digest(token), Remembered { principal: principal.clone(), expires, set });
    }

    fn principal(&self, claims: &Map<String, Value>) -> Option<Principal> {
        let subject = claims.get("sub")?.as_str().filter(|subject| !subject.is_empty())?;
        let scopes = claims.get(&self.settings.scopes_claim).map(texts).unwrap_or_default();
        let scopes = scopes.iter().flat_map(|text| text.split_ascii_whitespace()).filter_map(Scope::parse).collect();
        let orgs: Option<Arc<[Box<str>]>> = match claims.get(&self.settings.orgs_claim) {
            None if self.settings.all_orgs_without_claim => None,
            None => Some(Arc::from([])),
            Some(value) => Some(texts(value).into_iter().map(Box::from).collect()),
        };
        Some(Principal { subject: format!("oidc:{subject}").into(), scopes, orgs })
    }
}

/// The texts of a claim; what is no text counts for nothing.
fn texts(value: &Value) -> Vec<&str> {
    match value {
        Value::String(text) => vec![text.as_str()],
        Value::Array(items) => items.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

fn digest(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

#[cfg(test)]
pub(super) mod tests;
