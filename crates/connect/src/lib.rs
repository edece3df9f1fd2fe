//! Connectors: what happens to accounts, carried to the world outside, and its answers carried back as commands.
//!
//! A connector follows the account events from where it left off ([`feed::Feed`]), does what each one asks for, and
//! only then lets go of it. Whatever it does is done at least once and under an identity that stays the same, so that the
//! other side can tell a repetition. It holds no truth of its own: killed anywhere, it goes on from the log.

pub mod dead;
pub mod feed;
mod follow;
pub mod lag;
pub mod mail;
pub mod notice;
pub mod payment;
pub mod secret;
pub mod stop;
pub mod times;
pub mod webhook;
