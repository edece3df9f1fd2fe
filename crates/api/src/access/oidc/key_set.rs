//! The keys of an issuer: those that we know how to check with, each for one algorithm.

use std::collections::HashMap;
use std::fmt;
use std::time::Instant;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyAlgorithm, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey};
use serde::Deserialize;
use serde_json::Value;

/// More keys than any issuer has.
const KEY_COUNT_MAX: usize = 64;
/// Shorter RSA keys can be broken: 2048 bits at least,
const RSA_BYTES_MIN: usize = 256;
/// and longer ones than 8192 bits are only there to keep us busy.
const RSA_BYTES_MAX: usize = 1024;

/// A key, and what it signs with.
pub(super) struct PublicKey {
    pub algorithm: Algorithm,
    pub key: DecodingKey,
}

/// The keys, by name.
pub(super) struct KeySet {
    keys: HashMap<String, PublicKey>,
    pub fetched: Instant,
}

#[derive(Deserialize)]
struct Document {
    keys: Vec<Value>,
}

impl KeySet {
    /// Reads a document (RFC 7517). Keys of other kinds, and those without a name, are left out.
    pub fn parse(text: &str) -> Result<Self, String> {
        let document: Document = serde_json::from_str(text).map_err(|error| format!("no set of keys: {error}"))?;
        let mut keys = HashMap::new();
        for value in document.keys.into_iter().take(KEY_COUNT_MAX) {
            let Ok(jwk) = serde_json::from_value::<Jwk>(value) else { continue };
            if let (Some(key), Some(kid)) = (usable(&jwk), jwk.common.key_id) {
                keys.entry(kid).or_insert(key);
            }
        }
        if keys.is_empty() {
            return Err("none of the keys can be used: RS256, ES256 or EdDSA, and a kid".to_owned());
        }
        Ok(KeySet { keys, fetched: Instant::now() })
    }

    /// The key of a name.
    pub fn get(&self, kid: &str) -> Option<&PublicKey> {
        self.keys.get(kid)
    }

    /// The names, in order.
    pub fn ids(&self) -> Vec<&str> {
        let mut ids: Vec<&str> = self.keys.keys().map(String::as_str).collect();
        ids.sort_unstable();
        ids
    }
}

impl fmt::Debug for KeySet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeySet({:?})", self.ids())
    }
}

/// The key, if it signs, and with one of our algorithms.
fn usable(jwk: &Jwk) -> Option<PublicKey> {
    let (algorithm, named) = match &jwk.algorithm {
        AlgorithmParameters::RSA(rsa) => {
            let modulus = URL_SAFE_NO_PAD.decode(&rsa.n).ok()?;
            let is_sound = (RSA_BYTES_MIN..=RSA_BYTES_MAX).contains(&modulus.len()) && modulus[0] >= 0x80;
            is_sound.then_some((Algorithm::RS256, KeyAlgorithm::RS256))?
        }
        AlgorithmParameters::EllipticCurve(curve) if curve.curve == EllipticCurve::P256 => {
            (Algorithm::ES256, KeyAlgorithm::ES256)
        }
        AlgorithmParameters::OctetKeyPair(curve) if curve.curve == EllipticCurve::Ed25519 => {
            (Algorithm::EdDSA, KeyAlgorithm::EdDSA)
        }
        _ => return None,
    };
    let signs = jwk.common.public_key_use.as_ref().is_none_or(|it| *it == PublicKeyUse::Signature);
    let is_ours = jwk.common.key_algorithm.is_none_or(|it| it == named);
    let key = DecodingKey::from_jwk(jwk).ok()?;
    (signs && is_ours).then_some(PublicKey { algorithm, key })
}
