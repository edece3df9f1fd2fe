//! What an operator, a payment connector or an administrator can ask of an account.

use std::fmt;
use std::sync::Arc;

use drawdown_units::{Currency, Money, Timestamp};

use crate::lots::LotId;
use crate::plans::{Country, LicenceName};

/// How what lots do not cover is treated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Prepaid: it becomes overdraft (or uncollected, in strict accounts).
    Prepaid,
    /// Post-usage billing: it accrues as post-usage charges, and recharging is silent.
    PostUsage,
}

impl Mode {
    /// The name on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Mode::Prepaid => "prepaid",
            Mode::PostUsage => "postUsage",
        }
    }
}

/// One command, checked for form but not yet against the account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Opens the account.
    OpenAccount(OpenAccount),
    /// Adds a bought lot.
    AddFunds(AddFunds),
    /// Sets automatic recharging.
    ConfigureAutoRecharge(Settings),
    /// The answer of the payment side to a requested recharge.
    SettleRecharge(Settlement),
    /// A correction by hand: a lot if positive, drawn from active lots if negative (boundaries.md L9, L10).
    Adjust {
        /// The name of the lot that a positive one makes: the command's id.
        lot: LotId,
        /// How much, and which way.
        amount: Money,
        /// Why, for the books.
        reason: Box<str>,
    },
    /// Pays the rest of a lot back.
    RefundLot {
        /// Which lot.
        lot: LotId,
        /// Why, for the books.
        reason: Box<str>,
    },
    /// Sells the organisation another rate plan from now on (boundaries.md C6).
    SetRatePlan {
        /// The plan's name.
        rate_plan: Arc<str>,
    },
    /// Switches between prepaid and post-usage (boundaries.md M1–M5).
    SetMode {
        /// The mode from now on.
        mode: Mode,
    },
    /// Closes the account (boundaries.md L18).
    CloseAccount,
    /// Gives a user a licence (boundaries.md P14).
    AssignLicence(Licence),
    /// Takes a licence from a user.
    RemoveLicence {
        /// Whose.
        user: Box<str>,
        /// Which.
        licence: LicenceName,
    },
}

impl Command {
    /// The name on the wire.
    pub fn name(&self) -> &'static str {
        match self {
            Command::OpenAccount(_) => "openAccount",
            Command::AddFunds(_) => "addFunds",
            Command::ConfigureAutoRecharge(_) => "configureAutoRecharge",
            Command::SettleRecharge(_) => "settleRecharge",
            Command::Adjust { .. } => "adjust",
            Command::RefundLot { .. } => "refundLot",
            Command::SetRatePlan { .. } => "setRatePlan",
            Command::SetMode { .. } => "setMode",
            Command::CloseAccount => "closeAccount",
            Command::AssignLicence(_) => "assignLicence",
            Command::RemoveLicence { .. } => "removeLicence",
        }
    }
}

/// How an account begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenAccount {
    /// The one currency of the account.
    pub currency: Currency,
    /// What the organisation is sold.
    pub rate_plan: Arc<str>,
    /// Prepaid or post-usage.
    pub mode: Mode,
    /// ISO 3166-1 alpha-2 code of the tenant's country.
    pub country: [u8; 2],
    /// Records what lots do not cover as uncollected instead of overdraft.
    pub strict: bool,
    /// Whether users need licences to draw credits (domain.md section 5).
    pub licensing: Licensing,
}

/// Whether users need licences to draw credits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Licensing {
    /// As domain.md section 5 says; a call without is unlicensed.
    #[default]
    Required,
    /// Everybody may.
    None,
}

impl Licensing {
    /// The name on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Licensing::Required => "required",
            Licensing::None => "none",
        }
    }
}

/// A purchase.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddFunds {
    /// Unique within the account.
    pub lot: LotId,
    /// How much was bought.
    pub amount: Money,
    /// Refused if it is not the account's (domain.md section 6).
    pub currency: Option<Currency>,
    /// Dates the lot (boundaries.md T6).
    pub purchased: Timestamp,
    /// Twelve calendar months after purchase where not given.
    pub expires: Option<Timestamp>,
    /// The buyer's own reference.
    pub reference: Option<Box<str>>,
}

/// Settings of automatic recharging.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Whether it runs at all.
    pub enabled: bool,
    /// What one recharge buys.
    pub amount: Money,
    /// The balance strictly below which one is requested.
    pub trigger: Money,
    /// The most that may be bought this way in a calendar month.
    pub monthly_cap: Option<Money>,
    /// How it is paid.
    pub payment: PaymentMethod,
}

/// How a recharge is paid.
#[derive(Clone, PartialEq, Eq)]
pub enum PaymentMethod {
    /// A token of the payment gateway's.
    Card(Box<str>),
    /// An enterprise agreement.
    Agreement {
        /// Its number.
        number: Box<str>,
        /// The purchase order to name on the invoice.
        purchase_order: Option<Box<str>>,
    },
}

impl fmt::Debug for PaymentMethod {
    /// Without the token or the number.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            PaymentMethod::Card(_) => "Card(…)",
            PaymentMethod::Agreement { .. } => "Agreement(…)",
        })
    }
}

/// What became of a requested recharge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settlement {
    /// The counter in the recharge's id; `None` where the id is none of this account's.
    pub number: Option<u64>,
    /// What happened.
    pub outcome: Outcome,
    /// How much was paid, if the payment side says.
    pub amount: Option<Money>,
    /// When the payment was processed: dates the lot.
    pub processed: Timestamp,
    /// The payment side's words.
    pub reason: Option<Box<str>>,
}

/// The three answers of the payment side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Paid.
    Succeeded,
    /// Refused for good.
    Declined,
    /// Did not work, may be tried again.
    Failed,
}

/// A licence of a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Licence {
    /// Whose.
    pub user: Box<str>,
    /// Which.
    pub licence: LicenceName,
    /// Country of use.
    pub country: Country,
}
