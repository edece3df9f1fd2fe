//! Signatures: HMAC-SHA256 of `id.timestamp.body`, in base 64 behind `v1,`.
//!
//! Invariant: a secret is shown by nobody, and compared in a time that does not depend on it.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// Why a text is no secret. Does not say what the text was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SigningSecretError {
    /// Does not begin with `whsec_`.
    #[error("a secret begins with whsec_")]
    Prefix,
    /// What follows is not base 64.
    #[error("after whsec_ a secret is base 64")]
    Base64,
    /// Too short to be safe, or longer than the specification allows.
    #[error("a secret has 24 to 64 bytes")]
    Length,
}

/// A secret that an endpoint shares with us: `whsec_` and 24 to 64 bytes in base 64.
#[derive(Clone, PartialEq, Eq)]
pub struct SigningSecret(Vec<u8>);

impl SigningSecret {
    /// Reads one.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Self, SigningSecretError> {
        let encoded = text.trim().strip_prefix("whsec_").ok_or(SigningSecretError::Prefix)?;
        let bytes = STANDARD.decode(encoded).map_err(|_| SigningSecretError::Base64)?;
        if (24..=64).contains(&bytes.len()) { Ok(SigningSecret(bytes)) } else { Err(SigningSecretError::Length) }
    }

    fn mac(&self, id: &str, timestamp: u64, body: &[u8]) -> Hmac<Sha256> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).expect("invariant: a key of HMAC may have any length");
        for part in [id.as_bytes(), b".", timestamp.to_string().as_bytes(), b".", body] {
            mac.update(part);
        }
        mac
    }
}

impl fmt::Debug for SigningSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningSecret(…)")
    }
}

/// The header `webhook-signature`: one signature for each secret, so that the other side may change from one to the next.
pub fn sign(secrets: &[SigningSecret], id: &str, timestamp: u64, body: &[u8]) -> String {
    let one = |secret: &SigningSecret| {
        format!("v1,{}", STANDARD.encode(secret.mac(id, timestamp, body).finalize().into_bytes()))
    };
    secrets.iter().map(one).collect::<Vec<_>>().join(" ")
}

/// Why a request is not to be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum VerifyError {
    /// `webhook-timestamp` is no number, or too far from now: an old request that somebody sends again.
    #[error("the timestamp is no number, or too far from now")]
    Timestamp,
    /// No signature is one by this secret.
    #[error("no signature is one by this secret")]
    Signature,
}

/// What the receiving side does with the three headers and the body: any signature by the secret counts, unless the
/// request was made more than `tolerance_s` before or after `now`, both in seconds since 1970.
///
/// # Errors
/// The request is not to be trusted.
pub fn verify(
    secret: &SigningSecret,
    headers: (&str, &str, &str),
    body: &[u8],
    now: u64,
    tolerance_s: u64,
) -> Result<(), VerifyError> {
    let (id, timestamp, signatures) = headers;
    let timestamp = timestamp.parse().map_err(|_| VerifyError::Timestamp)?;
    if now.abs_diff(timestamp) > tolerance_s {
        return Err(VerifyError::Timestamp);
    }
    let is_ours = |signature: &str| {
        let bytes = signature.strip_prefix("v1,").and_then(|encoded| STANDARD.decode(encoded).ok());
        bytes.is_some_and(|bytes| secret.mac(id, timestamp, body).verify_slice(&bytes).is_ok())
    };
    if signatures.split(' ').any(is_ours) { Ok(()) } else { Err(VerifyError::Signature) }
}

#[cfg(test)]
mod tests {
    use super::{SigningSecret, SigningSecretError, VerifyError, sign, verify};

    /// The example of the specification.
    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const ID: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";
    const BODY: &[u8] = br#"{"test": 2432232314}"#;
    const SIGNATURE: &str = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";

    #[test]
    fn the_example_of_the_specification() {
        let secret = SigningSecret::parse(SECRET).expect("a secret");
        assert_eq!(sign(std::slice::from_ref(&secret), ID, 1_614_265_330, BODY), SIGNATURE);
        assert_eq!(verify(&secret, (ID, "1614265330", SIGNATURE), BODY, 1_614_265_400, 300), Ok(()));
        let old = verify(&secret, (ID, "1614265330", SIGNATURE), BODY, 1_614_265_631, 300);
        assert_eq!(old, Err(VerifyError::Timestamp));
        let changed = verify(&secret, (ID, "1614265330", SIGNATURE), b"{}", 1_614_265_330, 300);
        assert_eq!(changed, Err(VerifyError::Signature));
    }

    #[test]
    fn each_of_several_secrets_signs() {
        let secrets = [SECRET, "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"]
            .map(|text| SigningSecret::parse(text).expect("a secret"));
        let both = sign(&secrets, ID, 1_614_265_330, BODY);
        assert!(both.starts_with(&format!("{SIGNATURE} v1,")));
        for secret in &secrets {
            assert_eq!(verify(secret, (ID, "1614265330", &both), BODY, 1_614_265_330, 300), Ok(()));
        }
    }

    #[test]
    fn what_is_no_secret_is_refused_and_none_is_shown() {
        assert_eq!(SigningSecret::parse("MfKQ9r8G"), Err(SigningSecretError::Prefix));
        assert_eq!(SigningSecret::parse("whsec_*"), Err(SigningSecretError::Base64));
        assert_eq!(SigningSecret::parse("whsec_MfKQ9r8G"), Err(SigningSecretError::Length));
        assert_eq!(format!("{:?}", SigningSecret::parse(SECRET)), "Ok(SigningSecret(…))");
    }
}
