//! API keys: `dk_<id>_<secret>`, of which the server keeps the hash alone.
//!
//! The hash is one SHA-256: a secret is 256 bits of the system's randomness, so there is nothing to guess, and a slow
//! hash, which is for passwords that people think of, would only slow down whoever asks rightly. It is taken of the whole
//! key, so it belongs to its id.
//!
//! Invariants: a key is compared in constant time, whether or not its id exists; a secret is shown once, when it is made.

mod edit;
mod file;

use std::collections::HashMap;
use std::fmt;
use std::path::Path;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use drawdown_units::Timestamp;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use super::rate::Rate;
use super::{Principal, Scope, Watched};
pub use edit::{append, revoke};

/// Begins every key, so that whoever finds one knows what it is.
pub const PREFIX: &str = "dk_";
/// How long a key may be; what is longer is none.
const KEY_BYTES_MAX: usize = 128;

/// SHA-256 of a whole key.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Hash([u8; 32]);

impl Hash {
    /// The hash of a key.
    pub fn of(key: &str) -> Self {
        Hash(Sha256::digest(key.as_bytes()).into())
    }

    /// Reads `sha256:` and 64 hexadecimal digits.
    fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix("sha256:")?;
        if digits.len() != 64 || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        let mut bytes = [0; 32];
        for (byte, at) in bytes.iter_mut().zip((0..).step_by(2)) {
            *byte = u8::from_str_radix(digits.get(at..at + 2)?, 16).ok()?;
        }
        Some(Hash(bytes))
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("sha256:")?;
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hash(…)")
    }
}

/// What the key file says of one key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Small letters and digits, as in the key.
    pub id: String,
    /// Whose it is, as audit records call them. Two keys may share it, while one replaces the other.
    pub name: String,
    /// What the key hashes to.
    pub hash: Hash,
    /// What it lets its bearer do.
    pub scopes: Vec<Scope>,
    /// The organisations that it is for; all, if none are named.
    pub orgs: Option<Vec<String>>,
    /// From when on it is refused.
    pub expires: Option<Timestamp>,
    /// How often it may ask, if not as often as everybody.
    pub rate: Option<Rate>,
}

impl Entry {
    /// Whether a file could hold it.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn check(&self) -> Result<(), Vec<String>> {
        file::parse("the new entry", &self.toml()).map(drop)
    }

    /// The entry as it stands in the file.
    pub fn toml(&self) -> String {
        let list = |items: &mut dyn Iterator<Item = String>| {
            toml::Value::Array(items.map(toml::Value::String).collect()).to_string()
        };
        let text = |text: &str| toml::Value::from(text).to_string();
        let mut shown =
            format!("[[keys]]\nid = {}\nname = {}\nhash = \"{}\"\n", text(&self.id), text(&self.name), self.hash);
        shown += &format!("scopes = {}\n", list(&mut self.scopes.iter().map(|scope| scope.name().to_owned())));
        if let Some(orgs) = &self.orgs {
            shown += &format!("orgs = {}\n", list(&mut orgs.iter().cloned()));
        }
        if let Some(expires) = self.expires {
            shown += &format!("expires = \"{}\"\n", String::from_utf8_lossy(expires.text().as_bytes()));
        }
        if let Some(rate) = self.rate {
            shown += &format!("rate_per_second = {}\nrate_burst = {}\n", rate.per_second, rate.burst);
        }
        shown
    }
}

/// A key that was just made: the only moment at which anybody can read it.
#[derive(Clone, PartialEq, Eq)]
pub struct NewKey(String);

impl NewKey {
    /// Makes one of the system's randomness.
    ///
    /// # Errors
    /// The system has none to give.
    pub fn generate() -> std::io::Result<Self> {
        const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
        let mut bytes = [0; 40];
        getrandom::fill(&mut bytes).map_err(|error| std::io::Error::other(error.to_string()))?;
        let (id, secret) = bytes.split_at(8);
        let id: String = id.iter().map(|byte| char::from(LETTERS[usize::from(byte % 32)])).collect();
        Ok(NewKey(format!("{PREFIX}{id}_{}", URL_SAFE_NO_PAD.encode(secret))))
    }

    /// The key itself, for whoever it was made for.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Which key it is.
    pub fn id(&self) -> &str {
        id_of(&self.0).expect("invariant: a key that was made has an id")
    }

    /// What the file keeps of it.
    pub fn hash(&self) -> Hash {
        Hash::of(&self.0)
    }
}

impl fmt::Debug for NewKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NewKey({})", self.id())
    }
}

/// The id in a key; `None` for what is no key at all.
fn id_of(key: &str) -> Option<&str> {
    let (id, secret) = key.strip_prefix(PREFIX)?.split_once('_')?;
    (is_id(id) && !secret.is_empty() && key.len() <= KEY_BYTES_MAX).then_some(id)
}

fn is_id(text: &str) -> bool {
    (1..=32).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
}

/// Somebody who was recognised by a key.
#[derive(Debug, Clone)]
pub(super) struct Holder {
    pub principal: Principal,
    pub rate: Option<Rate>,
    hash: Hash,
    expires: Option<Timestamp>,
}

/// The keys of a file, by id.
#[derive(Debug, Default)]
struct Table(HashMap<String, Holder>);

impl Table {
    fn new(entries: Vec<Entry>) -> Self {
        let holder = |entry: Entry| {
            let orgs = entry.orgs.map(|orgs| orgs.into_iter().map(String::into_boxed_str).collect());
            let principal = Principal { subject: Arc::from(entry.name), scopes: entry.scopes, orgs };
            (entry.id, Holder { principal, rate: entry.rate, hash: entry.hash, expires: entry.expires })
        };
        Table(entries.into_iter().map(holder).collect())
    }
}

/// The keys of a file that is followed: what is changed in it counts within seconds, without a restart.
#[derive(Debug)]
pub struct Keys(Watched<Table>);

impl Keys {
    /// Reads the file.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn open(path: &Path) -> Result<Self, Vec<String>> {
        let path = path.to_owned();
        let paths = vec![path.clone()];
        let load = move || read(&path).map(Table::new);
        Ok(Keys(Watched::begin(paths, Box::new(load))?))
    }

    /// Reads the file again if it has changed; whether there are new keys.
    pub fn look(&self) -> bool {
        self.0.look()
    }

    /// Whose key it is, if it is one that counts at `now`.
    pub(super) fn find(&self, key: &str, now: Timestamp) -> Option<Holder> {
        // Where there is no such id, something is compared all the same.
        const NOBODYS: Hash = Hash([0; 32]);
        let id = id_of(key)?;
        let table = self.0.current();
        let holder = table.0.get(id);
        let is_right: bool = Hash::of(key).0.ct_eq(&holder.map_or(NOBODYS, |holder| holder.hash).0).into();
        holder.filter(|holder| is_right && holder.expires.is_none_or(|expires| now < expires)).cloned()
    }
}

/// The entries of a key file.
///
/// # Errors
/// Everything that is wrong with it.
pub fn read(path: &Path) -> Result<Vec<Entry>, Vec<String>> {
    let shown = path.display().to_string();
    let text = std::fs::read_to_string(path).map_err(|error| vec![format!("{shown}: cannot be read: {error}")])?;
    file::parse(&shown, &text)
}

#[cfg(test)]
mod tests;
