//! Account events that somebody should know of, sent by mail.
//!
//! Invariants: mails go in the order of their events, and the place is committed only after the mail server took what an
//! event asks for, or a letter is durable among the dead ones. A mail that is sent again has the `Message-ID` that it
//! had. What an event says ends in the body or, on one line, in the subject: never in another header.

mod contacts;
mod mailer;
mod message;
mod replay;
mod server;
mod templates;

pub use contacts::{Contacts, ContactsError};
pub use lettre::message::Mailbox;
pub use mailer::{Counts, Currencies, Mailer, Settings};
pub use message::{MessageError, Sender};
pub use replay::replay;
pub use server::{Encryption, PostError, Server, ServerError, ServerSettings};
pub use templates::{Mail, TemplateError, Templates};

use crate::notice::Notice;

/// What mails are about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Money was added by automatic recharging.
    RechargeSucceeded,
    /// It was not, and will not be for a while.
    RechargeFailed,
    /// The balance is used up.
    BalanceZero,
    /// 80 % or 100 % of a pool of minutes are used.
    PoolThreshold,
    /// Automatic recharging rests until the month ends.
    CapReached,
    /// Money will soon be forfeited.
    LotExpiring,
}

impl Kind {
    /// All of them.
    pub const ALL: [Kind; 6] = [
        Kind::RechargeSucceeded,
        Kind::RechargeFailed,
        Kind::BalanceZero,
        Kind::PoolThreshold,
        Kind::CapReached,
        Kind::LotExpiring,
    ];

    /// What a mail about this event is about; `None` if nobody is written to.
    pub fn of(notice: &Notice) -> Option<Self> {
        Kind::ALL.into_iter().find(|kind| kind.event() == notice.kind())
    }

    /// The event's name on the wire.
    pub fn event(self) -> &'static str {
        match self {
            Kind::RechargeSucceeded => "RechargeSucceeded",
            Kind::RechargeFailed => "RechargeFailed",
            Kind::BalanceZero => "BalanceExhausted",
            Kind::PoolThreshold => "PoolThresholdReached",
            Kind::CapReached => "RechargeCapReached",
            Kind::LotExpiring => "LotExpiring",
        }
    }

    /// How its templates' names begin.
    pub fn name(self) -> &'static str {
        match self {
            Kind::RechargeSucceeded => "recharge-succeeded",
            Kind::RechargeFailed => "recharge-failed",
            Kind::BalanceZero => "balance-zero",
            Kind::PoolThreshold => "pool-threshold",
            Kind::CapReached => "cap-reached",
            Kind::LotExpiring => "lot-expiring",
        }
    }
}
