//! Who asks, and what they may: the one place where a request becomes somebody.

use std::sync::Arc;

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
}

/// Somebody who was recognised.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    /// How audit records call them: the name of a key, the subject of a token, `local` where nobody is asked.
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
