//! Signatures over requests to a gateway, in the manner of Standard Webhooks: HMAC-SHA256 with a secret that both sides
//! know, over the idempotency key, the instant and the body, so that none of them can be exchanged.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use crate::secret::Secret;

/// The header that holds the idempotency key.
pub const KEY: &str = "idempotency-key";
/// The header that holds the instant: seconds since 1970.
pub const TIMESTAMP: &str = "drawdown-timestamp";
/// The header that holds signatures: `v1,<base64>`, several with a space between them.
pub const SIGNATURE: &str = "drawdown-signature";

/// How far the clocks of both sides may be apart, in seconds.
const TOLERANCE_S: u64 = 300;

/// Why a request is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// A header is missing, or is not what it should be.
    #[error("a header of the signature is missing or malformed")]
    Malformed,
    /// It was signed too long ago, or is from the future.
    #[error("the timestamp is more than {TOLERANCE_S} s away from now")]
    Stale,
    /// No signature is that of this secret over this request.
    #[error("no signature is right")]
    Forged,
}

/// The value of the header [`SIGNATURE`].
pub fn sign(secret: &Secret, key: &str, timestamp_s: u64, body: &[u8]) -> String {
    format!("v1,{}", STANDARD.encode(mac(secret, key, &timestamp_s.to_string(), body).finalize().into_bytes()))
}

/// Whether a request is signed with the secret, at about `now_s`. Takes the same time wherever a signature is wrong.
///
/// # Errors
/// Why it is not believed.
pub fn verify(
    secret: &Secret,
    key: &str,
    timestamp: &str,
    signatures: &str,
    body: &[u8],
    now_s: u64,
) -> Result<(), Refused> {
    let signed_s: u64 = timestamp.parse().map_err(|_| Refused::Malformed)?;
    if signed_s.abs_diff(now_s) > TOLERANCE_S {
        return Err(Refused::Stale);
    }
    let is_right = |signature: &str| {
        let digest = signature.strip_prefix("v1,").and_then(|text| STANDARD.decode(text).ok());
        digest.is_some_and(|digest| mac(secret, key, timestamp, body).verify_slice(&digest).is_ok())
    };
    if signatures.split(' ').any(is_right) { Ok(()) } else { Err(Refused::Forged) }
}

fn mac(secret: &Secret, key: &str, timestamp: &str, body: &[u8]) -> Hmac<Sha256> {
    let mac = Hmac::<Sha256>::new_from_slice(secret.expose().as_bytes());
    let mut mac = mac.expect("invariant: HMAC takes a key of any length");
    for part in [key.as_bytes(), b".", timestamp.as_bytes(), b".", body] {
        mac.update(part);
    }
    mac
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW_S: u64 = 1_772_800_000;

    #[test]
    fn only_what_was_signed_is_believed() {
        let secret = Secret::new("whsec_1".to_owned());
        let signature = sign(&secret, "t/o/1/1", NOW_S, b"{}");
        let now = NOW_S.to_string();
        let later = (NOW_S + 1).to_string();
        let check = |key: &str, timestamp: &str, signatures: &str, body: &[u8], now_s: u64| {
            verify(&secret, key, timestamp, signatures, body, now_s)
        };
        assert_eq!(check("t/o/1/1", &now, &signature, b"{}", NOW_S + 300), Ok(()));
        assert_eq!(check("t/o/1/1", &now, &format!("v1,AAAA v2,x {signature}"), b"{}", NOW_S - 300), Ok(()));
        assert_eq!(check("t/o/1/1", &now, &signature, b"{}", NOW_S + 301), Err(Refused::Stale));
        assert_eq!(check("t/o/1/2", &now, &signature, b"{}", NOW_S), Err(Refused::Forged));
        assert_eq!(check("t/o/1/1", &later, &signature, b"{}", NOW_S), Err(Refused::Forged));
        assert_eq!(check("t/o/1/1", &now, &signature, b"{ }", NOW_S), Err(Refused::Forged));
        assert_eq!(check("t/o/1/1", &now, "", b"{}", NOW_S), Err(Refused::Forged));
        assert_eq!(check("t/o/1/1", "now", &signature, b"{}", NOW_S), Err(Refused::Malformed));
        let other = Secret::new("whsec_2".to_owned());
        assert_eq!(verify(&other, "t/o/1/1", &now, &signature, b"{}", NOW_S), Err(Refused::Forged));
    }
}
