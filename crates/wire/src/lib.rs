//! The wire: every format that drawdown reads or writes, and nothing else.
//!
//! Usage records come in through source profiles or the native form and leave as [`Cdr`]; commands, debits, account
//! events, account state and rejects have one module each.

pub mod account;
pub mod cdr;
pub mod command;
pub mod debit;
pub mod event;
pub mod flags;
pub mod framing;
pub mod id;
mod json;
pub mod licences;
pub mod native;
pub mod number;
pub mod reject;
pub mod rejection;
pub mod seen;
pub mod source;
pub mod strict;
mod text;

pub use cdr::{CallType, Callee, Cdr};
pub use flags::Flags;
pub use rejection::{Reason, Rejection};
pub use text::{ReadError, Text};
