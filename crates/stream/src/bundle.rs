//! A deck or a rate plan as it is published: the texts of its files in one piece, packed and checksummed. And what takes
//! a deck's version back: it has a key of its own, so that a log that keeps the latest of each key keeps both.
//!
//! A bundle is taken up whole or not at all. It carries the files themselves, so that what a process compiles is what
//! the operator wrote, and faults name the operator's files.

use std::io;

use drawdown_units::Timestamp;
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64;

/// What is published.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "type", deny_unknown_fields)]
pub enum Bundle {
    /// One version of a deck.
    #[serde(rename_all = "camelCase")]
    Deck {
        /// The deck's name.
        id: String,
        /// Its version.
        version: u32,
        /// The manifest's file name, for messages.
        manifest_name: String,
        /// The manifest (TOML).
        manifest: String,
        /// The rows' file name, for messages.
        rows_name: String,
        /// The rows (CSV).
        rows: String,
    },
    /// One version of a deck is withdrawn, for good: no call is priced by it any more.
    #[serde(rename_all = "camelCase")]
    Withdrawal {
        /// The deck's name.
        id: String,
        /// The version.
        version: u32,
        /// When that was asked for.
        #[serde(with = "instant")]
        at: Timestamp,
    },
    /// A rate plan; of one name the latest counts.
    #[serde(rename_all = "camelCase")]
    RatePlan {
        /// Its name.
        id: String,
        /// Its file name, for messages.
        file_name: String,
        /// Its text (TOML).
        text: String,
    },
}

/// Why bytes are not a bundle.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// The checksum or the length says that something is missing or was changed.
    #[error("its checksum is {found}, not {expected}: it was cut off or changed; publish it again")]
    Damaged {
        /// As computed.
        found: String,
        /// As given.
        expected: String,
    },
    /// It cannot be unpacked.
    #[error("it cannot be unpacked: {0}")]
    Packing(#[from] io::Error),
    /// Its content is none of ours.
    #[error("it cannot be read: {0}")]
    Content(#[from] serde_json::Error),
    /// Larger than a deck may be.
    #[error("unpacked it has more than {} bytes", BYTES_MAX)]
    TooLarge,
}

/// The most that a bundle may be, unpacked: far beyond a deck of a million rows.
pub const BYTES_MAX: usize = 512 << 20;
const MAGIC: &[u8; 8] = b"ddbundl1";

impl Bundle {
    /// What tells it from others: a later one of the same key replaces it.
    pub fn key(&self) -> String {
        match self {
            Bundle::Deck { id, version, .. } => Bundle::deck_key(id, *version),
            Bundle::Withdrawal { id, version, .. } => Bundle::withdrawal_key(id, *version),
            Bundle::RatePlan { id, .. } => format!("rate-plan/{id}"),
        }
    }

    /// The key of a version of a deck.
    pub fn deck_key(id: &str, version: u32) -> String {
        format!("deck/{id}/{version}")
    }

    /// The key of what withdraws a version of a deck.
    pub fn withdrawal_key(id: &str, version: u32) -> String {
        format!("withdrawal/{id}/{version}")
    }

    /// Whether its content is that of the other, whatever their files are called.
    pub fn says_the_same(&self, other: &Bundle) -> bool {
        match (self, other) {
            (Bundle::Deck { manifest: a, rows: b, .. }, Bundle::Deck { manifest: c, rows: d, .. }) => {
                (a, b) == (c, d) && self.key() == other.key()
            }
            _ => self == other,
        }
    }

    /// Packs it: a mark, the checksum of what follows, then compressed JSON.
    ///
    /// # Errors
    /// What the compressor says.
    pub fn pack(&self) -> Result<Vec<u8>, BundleError> {
        let packed = zstd::encode_all(serde_json::to_vec(self)?.as_slice(), 3)?;
        let mut bytes = MAGIC.to_vec();
        bytes.extend_from_slice(&xxh3_64(&packed).to_le_bytes());
        bytes.extend_from_slice(&packed);
        Ok(bytes)
    }

    /// Reads what [`Bundle::pack`] wrote.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn unpack(bytes: &[u8]) -> Result<Self, BundleError> {
        let damaged = |found: u64, expected: u64| BundleError::Damaged {
            found: format!("{found:016x}"),
            expected: format!("{expected:016x}"),
        };
        let body = bytes.strip_prefix(MAGIC).and_then(|rest| rest.split_first_chunk::<8>());
        let Some((checksum, packed)) = body else {
            return Err(damaged(xxh3_64(bytes), 0));
        };
        let (found, expected) = (xxh3_64(packed), u64::from_le_bytes(*checksum));
        if found != expected {
            return Err(damaged(found, expected));
        }
        let mut text = Vec::new();
        let mut unpacking = io::Read::take(zstd::stream::read::Decoder::new(packed)?, BYTES_MAX as u64 + 1);
        io::Read::read_to_end(&mut unpacking, &mut text)?;
        if text.len() > BYTES_MAX {
            return Err(BundleError::TooLarge);
        }
        Ok(serde_json::from_slice(&text)?)
    }
}

/// An instant as a text (RFC 3339).
mod instant {
    use drawdown_units::Timestamp;
    use serde::de::Error as _;
    use serde::{Deserialize as _, Deserializer, Serializer};

    pub fn serialize<S: Serializer>(at: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(at)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
        Timestamp::parse(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a log holds must be read for ever, and a withdrawal must not take the place of its deck.
    #[test]
    fn a_withdrawal_has_a_key_and_a_form_of_its_own() {
        let at = Timestamp::parse("2026-03-16T12:00:00.25Z").unwrap();
        let withdrawal = Bundle::Withdrawal { id: "gold".to_owned(), version: 3, at };
        assert_eq!(withdrawal.key(), "withdrawal/gold/3");
        assert_eq!(
            serde_json::to_string(&withdrawal).unwrap(),
            r#"{"type":"withdrawal","id":"gold","version":3,"at":"2026-03-16T12:00:00.25Z"}"#
        );
        assert_eq!(Bundle::unpack(&withdrawal.pack().unwrap()).unwrap(), withdrawal);
        let no_instant = br#"{"type":"withdrawal","id":"gold","version":3,"at":"yesterday"}"#;
        assert!(serde_json::from_slice::<Bundle>(no_instant).is_err());
    }

    #[test]
    fn a_bundle_is_whole_or_refused() {
        let text = |text: &str| text.to_owned();
        let bundle = Bundle::RatePlan { id: text("gold"), file_name: text("gold.toml"), text: text("id = \"gold\"") };
        let bytes = bundle.pack().unwrap();
        assert_eq!(Bundle::unpack(&bytes).unwrap(), bundle);
        for cut in 0..bytes.len() {
            assert!(matches!(Bundle::unpack(&bytes[..cut]), Err(BundleError::Damaged { .. })), "cut at {cut}");
        }
        for place in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[place] ^= 1;
            assert!(matches!(Bundle::unpack(&changed), Err(BundleError::Damaged { .. })), "changed at {place}");
        }
    }
}
