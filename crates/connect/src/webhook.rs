//! Account events sent to endpoints on the web, signed as Standard Webhooks (standardwebhooks.com) has it.
//!
//! Invariants: each endpoint has a feed of its own, so that one which is slow or dead holds up nobody else; to one
//! endpoint events go in order, each until it was taken or its letter is durable among the dead ones, and only then
//! is the place committed. Whatever is sent again carries the id that it had.

mod client;
mod deliverer;
mod endpoint;
mod replay;
mod retries;
mod signature;

pub use client::{Answer, Client, ClientError, Failure, Timeouts};
pub use deliverer::{Counts, Deliverer, Ended};
pub use endpoint::{Endpoint, EndpointError, Filter, Url};
pub use replay::replay;
pub use retries::Retries;
pub use signature::{SigningSecret, SigningSecretError, VerifyError, sign, verify};

use crate::notice::Notice;

/// The `webhook-id` of an event: the same for every endpoint and every repetition.
pub fn id(notice: &Notice) -> String {
    format!("evt_{}", notice.identity("webhook"))
}
