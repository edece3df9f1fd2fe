//! Who asks, and what they may: the one place where a request becomes somebody.
//!
//! Invariants: who cannot be recognised learns nothing of why; another's organisation looks like none at all; no secret
//! is kept, logged or shown, only hashes and the public keys of others; whatever strangers can fill is bounded.

mod admit;
mod credentials;
pub mod keys;
pub mod oidc;
pub mod rate;
mod watched;

use std::net::SocketAddr;
use std::sync::Arc;

use axum::http::StatusCode;

use crate::problem::Problem;
pub(crate) use admit::network;
pub use admit::{Access, Settings, admit};
pub(crate) use watched::Watched;

/// What a key or a token lets its bearer do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// Hand in usage records.
    Ingest,
    /// Ask whether calls may go ahead, and reserve for them.
    Authorise,
    /// Read accounts, debits, events, reports.
    Read,
    /// Change settings: open and close accounts, licences, mode, rate plan, auto-recharge, decks.
    Operate,
    /// Move money: add funds, adjust, refund, settle recharges.
    Money,
    /// All of it.
    Admin,
}

impl Scope {
    /// Every one.
    pub const ALL: [Scope; 6] =
        [Scope::Ingest, Scope::Authorise, Scope::Read, Scope::Operate, Scope::Money, Scope::Admin];

    /// The name in key files and tokens.
    pub fn name(self) -> &'static str {
        match self {
            Scope::Ingest => "ingest",
            Scope::Authorise => "authorise",
            Scope::Read => "read",
            Scope::Operate => "operate",
            Scope::Money => "money",
            Scope::Admin => "admin",
        }
    }

    /// The scope of a name.
    pub fn parse(name: &str) -> Option<Self> {
        Scope::ALL.into_iter().find(|scope| scope.name() == name)
    }
}

/// Somebody who was recognised.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    /// How audit records call them: the name of a key, `oidc:` and the subject of a token, `local` where nobody is
    /// asked. No key can have a name that looks like one of the others.
    pub subject: Arc<str>,
    /// What they may.
    pub scopes: Vec<Scope>,
    /// The organisations that it holds for; all, if none are named.
    pub orgs: Option<Arc<[Box<str>]>>,
}

impl Principal {
    /// Whoever reaches a listener of this machine that asks nobody.
    pub fn local() -> Self {
        Principal { subject: Arc::from("local"), scopes: vec![Scope::Admin], orgs: None }
    }

    /// Whether they may do what `scope` allows.
    pub fn may(&self, scope: Scope) -> bool {
        self.scopes.contains(&scope) || self.scopes.contains(&Scope::Admin)
    }

    /// Whether an organisation is theirs to see.
    pub fn sees(&self, org: &str) -> bool {
        self.orgs.as_ref().is_none_or(|orgs| orgs.iter().any(|held| **held == *org))
    }
}

/// Where a request comes from: the other end of its connection, or whom that one had it from if it is trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer(pub SocketAddr);

/// Whether somebody may do what `scope` allows, to `org` if it is about one.
///
/// # Errors
/// The scope is missing (403, with its name), or the organisation is not theirs: 404, as for one that does not exist.
pub fn require(principal: &Principal, scope: Scope, org: Option<&str>) -> Result<(), Problem> {
    if !principal.may(scope) {
        let detail = format!("this needs the scope {}; ask whoever gave you the key or the token", scope.name());
        return Err(Problem::new(StatusCode::FORBIDDEN, "insufficient-scope", detail));
    }
    match org {
        Some(org) if !principal.sees(org) => Err(unknown_account()),
        _ => Ok(()),
    }
}

/// What is said of an organisation that does not exist, and so of one that is not theirs to see.
pub fn unknown_account() -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "unknown-account", "there is no account of this organisation here")
}

#[cfg(test)]
mod tests;
