//! A command read from its JSON.

use jiff::Timestamp;
use rust_decimal::Decimal;
use serde_json::Value;

use super::{money, time};

/// What can be written as an amount at the most: 10^12 units.
const LARGEST: Decimal = Decimal::from_parts(3_567_587_328, 232, 0, false, 0);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    Prepaid,
    PostUsage,
}

impl Mode {
    fn parse(text: &str) -> Option<Self> {
        match text {
            "prepaid" => Some(Self::Prepaid),
            "postUsage" => Some(Self::PostUsage),
            _ => None,
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Prepaid => "prepaid",
            Self::PostUsage => "postUsage",
        }
    }
}

/// Whether section 5 is asked before money is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Licensing {
    Required,
    None,
}

impl Licensing {
    fn parse(text: &str) -> Option<Self> {
        match text {
            "required" => Some(Self::Required),
            "none" => Some(Self::None),
            _ => None,
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Required => "required",
            Self::None => "none",
        }
    }
}

#[derive(Clone, Debug)]
pub struct Funds {
    pub lot: String,
    pub amount: Decimal,
    pub purchased: Timestamp,
    pub expires: Option<Timestamp>,
    pub reference: Option<String>,
    pub currency: Option<String>,
}

#[derive(Clone, Debug)]
pub struct Settings {
    pub enabled: bool,
    pub amount: Decimal,
    pub trigger: Decimal,
    pub cap: Option<Decimal>,
    /// As it came: the model does not look inside.
    pub method: Value,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Succeeded,
    Declined,
    Failed,
}

/// The answer of the payment's side.
#[derive(Clone, Debug)]
pub struct Settlement {
    pub recharge: String,
    pub outcome: Outcome,
    pub processed: Timestamp,
    pub reason: Option<String>,
    /// What was paid, where that is told.
    pub amount: Option<Decimal>,
}

#[derive(Clone, Debug)]
pub enum Action {
    Open {
        currency: String,
        plan: String,
        mode: Mode,
        country: String,
        strict: bool,
        licensing: Licensing,
    },
    AddFunds(Funds),
    Configure(Settings),
    Settle(Settlement),
    Adjust {
        amount: Decimal,
        reason: String,
    },
    RefundLot {
        lot: String,
        reason: String,
    },
    SetRatePlan(String),
    SetMode(Mode),
    Close,
    AssignLicence {
        user: String,
        licence: String,
        country: String,
    },
    /// From which country is not looked at.
    RemoveLicence {
        user: String,
        licence: String,
    },
}

#[derive(Clone, Debug)]
pub struct Command {
    pub id: String,
    pub org: String,
    pub at: Timestamp,
    pub kind: String,
    pub action: Action,
}

impl Command {
    /// `None` for a command that cannot be read.
    pub fn read(value: &Value) -> Option<Self> {
        let kind = text(value, "type")?;
        Some(Self {
            id: text(value, "commandId")?,
            org: text(value, "orgId")?,
            at: instant(value, "at")?,
            action: read_action(&kind, value)?,
            kind,
        })
    }
}

fn read_action(kind: &str, value: &Value) -> Option<Action> {
    Some(match kind {
        "openAccount" => Action::Open {
            currency: text(value, "currency")?,
            plan: text(value, "ratePlan")?,
            mode: value.get("mode").map_or(Some(Mode::Prepaid), |mode| Mode::parse(mode.as_str()?))?,
            country: text(value, "country")?,
            strict: value.get("strict").and_then(Value::as_bool).unwrap_or(false),
            licensing: value
                .get("licensing")
                .map_or(Some(Licensing::Required), |name| Licensing::parse(name.as_str()?))?,
        },
        "addFunds" => Action::AddFunds(Funds {
            lot: text(value, "lotId")?,
            amount: amount(value, "amount")?,
            purchased: instant(value, "purchasedAt")?,
            expires: optional(value, "expiresAt", instant)?,
            reference: text(value, "reference"),
            currency: text(value, "currency"),
        }),
        "configureAutoRecharge" => Action::Configure(Settings {
            enabled: value.get("enabled")?.as_bool()?,
            amount: amount(value, "rechargeAmount")?,
            trigger: amount(value, "triggerAmount")?,
            cap: optional(value, "monthlyCap", amount)?,
            method: value.get("paymentMethod")?.clone(),
        }),
        "settleRecharge" => Action::Settle(Settlement {
            recharge: text(value, "rechargeId")?,
            outcome: match value.get("outcome")?.as_str()? {
                "succeeded" => Outcome::Succeeded,
                "declined" => Outcome::Declined,
                "failed" => Outcome::Failed,
                _ => return None,
            },
            processed: instant(value, "processedAt")?,
            reason: text(value, "reason"),
            amount: optional(value, "amount", amount)?,
        }),
        "adjust" => Action::Adjust { amount: amount(value, "amount")?, reason: text(value, "reason")? },
        "refundLot" => Action::RefundLot { lot: text(value, "lotId")?, reason: text(value, "reason")? },
        "setRatePlan" => Action::SetRatePlan(text(value, "ratePlan")?),
        "setMode" => Action::SetMode(Mode::parse(value.get("mode")?.as_str()?)?),
        "closeAccount" => Action::Close,
        "assignLicence" => Action::AssignLicence {
            user: text(value, "userId")?,
            licence: text(value, "licence")?,
            country: text(value, "country")?,
        },
        "removeLicence" => Action::RemoveLicence { user: text(value, "userId")?, licence: text(value, "licence")? },
        _ => return None,
    })
}

fn text(value: &Value, field: &str) -> Option<String> {
    value.get(field)?.as_str().map(str::to_owned)
}

/// At most six decimals (L20), and no more than 10^12 units.
fn amount(value: &Value, field: &str) -> Option<Decimal> {
    let amount = money::parse(value.get(field)?.as_str()?)?;
    (amount.normalize().scale() <= 6 && amount.abs() <= LARGEST).then_some(amount)
}

fn instant(value: &Value, field: &str) -> Option<Timestamp> {
    time::parse(value.get(field)?.as_str()?)
}

/// The outer `None`: given, but unreadable.
fn optional<T>(value: &Value, field: &str, read: fn(&Value, &str) -> Option<T>) -> Option<Option<T>> {
    if value.get(field).is_none() { Some(None) } else { read(value, field).map(Some) }
}
