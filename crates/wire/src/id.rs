//! How long ids may be, and what else is kept beside records.
//!
//! Ids are keys of messages, stand in every line about whom they name and in the states of accounts, and a byte may take six
//! where it is escaped. What is too long is refused where it is read, before it is part of anything.

use crate::rejection::{Reason, Rejection};

/// How many bytes the id of an organisation, a user or a record may have.
pub const ID_BYTES_MAX: usize = 512;

/// How many bytes an id may have that is made of another one (`<orgId>/<n>`), a source or a source profile.
pub const LONG_ID_BYTES_MAX: usize = 1024;

/// Refuses what has more than `length_max` bytes.
///
/// # Errors
/// [`Reason::BadField`], by the name of the field.
#[inline]
pub fn check_length(length: usize, length_max: usize, field: &str) -> Result<(), Rejection> {
    if length <= length_max { Ok(()) } else { Err(too_long(length, length_max, field)) }
}

/// Refuses an id of an organisation, a user or a record that is too long.
#[inline]
pub(crate) fn check_id(id: &str, field: &str) -> Result<(), Rejection> {
    check_length(id.len(), ID_BYTES_MAX, field)
}

#[cold]
fn too_long(length: usize, length_max: usize, field: &str) -> Rejection {
    Rejection::of_field(Reason::BadField, field, format!("{length} bytes; it may have {length_max} at most"))
}
