//! Where usage records come from: source profiles, what is known of a record besides its bytes, and what all decoders
//! share.
//!
//! Invariant: a decoder returns a complete [`Cdr`] or says which field stood in the way, by the name that field has in
//! the source.

pub(crate) mod assemble;
pub(crate) mod csv;
pub mod duration;
pub(crate) mod instant;
pub(crate) mod json;
pub mod profile;
pub(crate) mod time_layout;

pub use csv::Header;
pub use profile::Profile;

use crate::cdr::Cdr;
use crate::number;

/// What is known of a record besides its bytes.
#[derive(Debug, Clone, Copy, Default)]
pub struct Context<'a> {
    /// Name of the source profile: the record's source unless CloudEvents says otherwise (boundaries.md U1).
    pub profile: Option<&'a str>,
    /// The Kafka key or CloudEvents `partitionkey`: the organisation, which the body must not contradict (U10).
    pub key: Option<&'a str>,
    /// CloudEvents `ce_id`: the record's id, whatever the body says.
    pub ce_id: Option<&'a str>,
    /// CloudEvents `ce_source`: the record's source.
    pub ce_source: Option<&'a str>,
    /// The organisation of records whose body and key name none (`--org`).
    pub org: Option<&'a str>,
}

/// What a record turned out to be.
#[derive(Debug, Clone)]
#[allow(clippy::large_enum_variant, reason = "nearly every record is a call, and none is kept")]
pub enum Decoded<'a> {
    /// A call.
    Cdr(Cdr<'a>),
    /// Something else, by an explicit rule of the profile: left out, and counted.
    NotACall,
}

/// What a field holds, for a message: its beginning, and less of what may be a telephone number in the wrong place.
pub(crate) fn quoted(text: &str) -> String {
    let is_of_number = |c: char| c.is_ascii_digit() || matches!(c, '+' | '-' | '.' | '/' | '(' | ')' | ' ');
    let digits_count = text.chars().filter(char::is_ascii_digit).count();
    if digits_count >= 6 && text.chars().all(is_of_number) {
        return number::shown(text);
    }
    let beginning: String = text.chars().take(40).collect();
    format!("{beginning:?}")
}
