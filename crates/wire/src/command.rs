//! Commands: decoding one JSON object, strictly. A field that is missing, unknown or not what it should be is a
//! rejection that names it, because a command moves money and a typing error must not be read as something else. So is
//! one that is there twice.

pub mod settle;

use std::sync::Arc;

use drawdown_ledger::LotId;
use drawdown_ledger::command::{
    AddFunds, Command, Licence, Licensing, Mode, OpenAccount, Outcome, PaymentMethod, Settings, Settlement,
};
use drawdown_ledger::plans::LicenceName;
use drawdown_units::{Currency, Money, Timestamp};
use serde_json::{Map, Value};

use crate::event::recharge_number;
use crate::id::{ID_BYTES_MAX, LONG_ID_BYTES_MAX, check_length};
use crate::rejection::{Reason, Rejection};
use crate::strict::Strict;

/// The one version of commands there is.
const SCHEMA_VERSION: u64 = 1;

/// How many bytes any text may have; the API takes 1,000 characters.
const TEXT_BYTES_MAX: usize = 4096;

/// A command with whose it is and what it is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    /// The idempotency key, unique within the organisation.
    pub command_id: Box<str>,
    /// Whose account.
    pub org: Box<str>,
    /// When the issuer says it was given (boundaries.md T6).
    pub at: Timestamp,
    /// What is asked.
    pub command: Command,
    /// Who gave it, where whoever passed it on knew.
    pub actor: Option<Box<Actor>>,
}

/// Who gave a command, and from where: carried to every event that it causes, for the auditor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// The name of a key, or the subject of a token.
    pub subject: Box<str>,
    /// The network address that it came from.
    pub address: Option<Box<str>>,
    /// A digest of the request, by which a repetition is told from another request under the same key.
    pub request: Option<Box<str>>,
}

/// Decodes one command.
///
/// # Errors
/// The first thing that is wrong with it, by field.
pub fn decode(bytes: &[u8]) -> Result<Envelope, Rejection> {
    let Strict(value) = serde_json::from_slice(bytes).map_err(|error| {
        // JSON it is, where the fault is in its data.
        let detail = if error.is_data() { error.to_string() } else { format!("not a JSON object: {error}") };
        Rejection::new(Reason::Undecodable, detail)
    })?;
    let Value::Object(map) = value else {
        return Err(Rejection::new(Reason::Undecodable, "not a JSON object"));
    };
    let mut fields = Fields { map, prefix: "" };
    if let Some(version) = fields.take("schemaVersion").filter(|version| version.as_u64() != Some(SCHEMA_VERSION)) {
        return Err(bad("schemaVersion", format!("is {version}; this engine reads version {SCHEMA_VERSION}")));
    }
    let command_id: Box<str> = fields.id("commandId", LONG_ID_BYTES_MAX)?.into();
    let org: Box<str> = fields.id("orgId", ID_BYTES_MAX)?.into();
    let at = fields.time("at")?;
    let actor = fields.optional("actor", Fields::actor)?;
    let kind = fields.text("type")?;
    let command = decode_kind(&kind, &mut fields, &org, &command_id)?;
    fields.finish(&kind)?;
    Ok(Envelope { command_id, org, at, command, actor })
}

fn decode_kind(kind: &str, fields: &mut Fields, org: &str, command_id: &str) -> Result<Command, Rejection> {
    Ok(match kind {
        "openAccount" => Command::OpenAccount(OpenAccount {
            currency: fields.currency("currency")?,
            rate_plan: Arc::from(fields.id("ratePlan", ID_BYTES_MAX)?),
            mode: fields.optional("mode", Fields::mode)?.unwrap_or(Mode::Prepaid),
            country: fields.country("country")?,
            strict: fields.optional("strict", Fields::boolean)?.unwrap_or(false),
            licensing: fields.optional("licensing", Fields::licensing)?.unwrap_or_default(),
        }),
        "addFunds" => Command::AddFunds(AddFunds {
            lot: LotId::from(fields.id("lotId", LONG_ID_BYTES_MAX)?),
            amount: fields.money("amount")?,
            currency: fields.optional("currency", Fields::currency)?,
            purchased: fields.time("purchasedAt")?,
            expires: fields.optional("expiresAt", Fields::time)?,
            reference: fields.optional("reference", Fields::text)?.map(Into::into),
        }),
        "configureAutoRecharge" => Command::ConfigureAutoRecharge(Settings {
            enabled: fields.boolean("enabled")?,
            amount: fields.money("rechargeAmount")?,
            trigger: fields.money("triggerAmount")?,
            monthly_cap: fields.optional("monthlyCap", Fields::money)?,
            payment: fields.payment("paymentMethod")?,
        }),
        "settleRecharge" => Command::SettleRecharge(Settlement {
            number: recharge_number(org, &fields.id("rechargeId", LONG_ID_BYTES_MAX)?),
            outcome: fields.outcome("outcome")?,
            processed: fields.time("processedAt")?,
            reason: fields.optional("reason", Fields::text)?.map(Into::into),
            amount: fields.optional("amount", Fields::money)?,
        }),
        "adjust" => Command::Adjust {
            lot: LotId::from(command_id),
            amount: fields.money("amount")?,
            reason: fields.text("reason")?.into(),
        },
        "refundLot" => Command::RefundLot {
            lot: LotId::from(fields.id("lotId", LONG_ID_BYTES_MAX)?),
            reason: fields.text("reason")?.into(),
        },
        "setRatePlan" => Command::SetRatePlan { rate_plan: Arc::from(fields.id("ratePlan", ID_BYTES_MAX)?) },
        "setMode" => Command::SetMode { mode: fields.mode("mode")? },
        "closeAccount" => Command::CloseAccount,
        "assignLicence" => Command::AssignLicence(fields.licence()?),
        "removeLicence" => {
            let (user, licence) = fields.user_and_licence()?;
            // Whatever it is: a licence is held once.
            fields.optional("country", Fields::country)?;
            Command::RemoveLicence { user, licence }
        }
        other => return Err(bad("type", format!("is {other:?}, which is no command"))),
    })
}

/// The fields of an object, taken out one by one, so that what is left over is unknown.
struct Fields {
    map: Map<String, Value>,
    prefix: &'static str,
}

impl Fields {
    /// `null` counts as absent.
    fn take(&mut self, name: &str) -> Option<Value> {
        self.map.remove(name).filter(|value| !value.is_null())
    }

    fn need(&mut self, name: &str) -> Result<Value, Rejection> {
        let path = self.path(name);
        self.take(name).ok_or_else(|| Rejection::of_field(Reason::MissingField, path, "is required"))
    }

    fn path(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    fn optional<T>(
        &mut self,
        name: &str,
        read: impl FnOnce(&mut Self, &str) -> Result<T, Rejection>,
    ) -> Result<Option<T>, Rejection> {
        match self.map.get(name) {
            None => Ok(None),
            Some(Value::Null) => {
                self.map.remove(name);
                Ok(None)
            }
            Some(_) => read(self, name).map(Some),
        }
    }

    fn text(&mut self, name: &str) -> Result<String, Rejection> {
        match self.need(name)? {
            Value::String(text) if !text.is_empty() => {
                check_length(text.len(), TEXT_BYTES_MAX, &self.path(name))?;
                Ok(text)
            }
            Value::String(_) => Err(bad(&self.path(name), "is empty")),
            other => Err(bad(&self.path(name), format!("is {other}, where a text is expected"))),
        }
    }

    fn id(&mut self, name: &str, length_max: usize) -> Result<String, Rejection> {
        let id = self.text(name)?;
        check_length(id.len(), length_max, &self.path(name))?;
        Ok(id)
    }

    fn boolean(&mut self, name: &str) -> Result<bool, Rejection> {
        self.need(name)?.as_bool().ok_or_else(|| bad(&self.path(name), "is neither true nor false"))
    }

    fn money(&mut self, name: &str) -> Result<Money, Rejection> {
        match self.need(name)? {
            Value::String(text) => {
                Money::parse(&text).map_err(|error| bad(&self.path(name), format!("is {text:?}: {error}")))
            }
            other => {
                let advice = "money is a decimal text such as \"12.50\", so that no digit is lost";
                Err(bad(&self.path(name), format!("is {other}: {advice}")))
            }
        }
    }

    fn time(&mut self, name: &str) -> Result<Timestamp, Rejection> {
        let text = self.text(name)?;
        Timestamp::parse(&text).map_err(|error| bad(&self.path(name), format!("is {text:?}: {error}")))
    }

    fn currency(&mut self, name: &str) -> Result<Currency, Rejection> {
        let text = self.text(name)?;
        Currency::parse(&text)
            .ok_or_else(|| bad(&self.path(name), format!("is {text:?}; three capital letters are expected")))
    }

    fn country(&mut self, name: &str) -> Result<[u8; 2], Rejection> {
        let text = self.text(name)?;
        let letters: Option<[u8; 2]> = text.as_bytes().try_into().ok();
        letters
            .filter(|letters| letters.iter().all(u8::is_ascii_uppercase))
            .ok_or_else(|| bad(&self.path(name), format!("is {text:?}; two capital letters are expected")))
    }

    fn mode(&mut self, name: &str) -> Result<Mode, Rejection> {
        let text = self.text(name)?;
        [Mode::Prepaid, Mode::PostUsage]
            .into_iter()
            .find(|mode| mode.name() == text)
            .ok_or_else(|| bad(&self.path(name), format!("is {text:?}; prepaid or postUsage is expected")))
    }

    fn outcome(&mut self, name: &str) -> Result<Outcome, Rejection> {
        match self.text(name)?.as_str() {
            "succeeded" => Ok(Outcome::Succeeded),
            "declined" => Ok(Outcome::Declined),
            "failed" => Ok(Outcome::Failed),
            other => Err(bad(&self.path(name), format!("is {other:?}; succeeded, declined or failed is expected"))),
        }
    }

    fn payment(&mut self, name: &str) -> Result<PaymentMethod, Rejection> {
        let Value::Object(map) = self.need(name)? else {
            return Err(bad(name, "is no object such as {\"card\": \"tok_…\"}"));
        };
        let mut inner = Fields { map, prefix: "paymentMethod." };
        let payment = if inner.map.contains_key("card") {
            PaymentMethod::Card(inner.text("card")?.into())
        } else {
            PaymentMethod::Agreement {
                number: inner.text("agreement")?.into(),
                purchase_order: inner.optional("purchaseOrder", Fields::text)?.map(Into::into),
            }
        };
        inner.finish(name)?;
        Ok(payment)
    }

    fn actor(&mut self, name: &str) -> Result<Box<Actor>, Rejection> {
        let Value::Object(map) = self.need(name)? else {
            return Err(bad(name, "is no object such as {\"subject\": \"desk\"}"));
        };
        let mut inner = Fields { map, prefix: "actor." };
        let actor = Actor {
            subject: inner.text("subject")?.into(),
            address: inner.optional("address", Fields::text)?.map(Into::into),
            request: inner.optional("request", Fields::text)?.map(Into::into),
        };
        inner.finish(name)?;
        Ok(Box::new(actor))
    }

    fn licence(&mut self) -> Result<Licence, Rejection> {
        let (user, licence) = self.user_and_licence()?;
        Ok(Licence { user, licence, country: self.country("country")? })
    }

    fn user_and_licence(&mut self) -> Result<(Box<str>, LicenceName), Rejection> {
        Ok((self.id("userId", ID_BYTES_MAX)?.into(), self.id("licence", ID_BYTES_MAX)?.into()))
    }

    fn licensing(&mut self, name: &str) -> Result<Licensing, Rejection> {
        let text = self.text(name)?;
        [Licensing::Required, Licensing::None]
            .into_iter()
            .find(|licensing| licensing.name() == text)
            .ok_or_else(|| bad(&self.path(name), format!("is {text:?}; required or none is expected")))
    }

    fn finish(self, of: &str) -> Result<(), Rejection> {
        match self.map.keys().next() {
            Some(unknown) => Err(bad(&self.path(unknown), format!("is no field of {of}"))),
            None => Ok(()),
        }
    }
}

fn bad(field: &str, detail: impl Into<String>) -> Rejection {
    Rejection::of_field(Reason::BadField, field, detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(json: &str, expected: &str) {
        let outcome = match decode(json.as_bytes()) {
            Ok(envelope) => format!("{:?}", envelope.command),
            Err(rejection) => rejection.to_string(),
        };
        assert!(outcome.starts_with(expected), "{json}\n  gave {outcome}\n  not  {expected}");
    }

    #[test]
    fn a_command_is_read_strictly() {
        let add = |rest: &str| {
            format!(
                r#"{{"commandId":"c1","orgId":"o","at":"2026-01-01T00:00:00Z","type":"addFunds","lotId":"L1","purchasedAt":"2026-01-01T00:00:00Z"{rest}}}"#
            )
        };
        check(&add(r#","amount":"10.00""#), r#"AddFunds(AddFunds { lot: "L1", amount: 10.00"#);
        check(&add(r#","amount":"10.00","expiresAt":null"#), "AddFunds");
        check(&add(""), "missing-field (amount)");
        check(&add(r#","amount":10.0"#), "bad-field (amount): is 10.0: money is a decimal text");
        check(&add(r#","amount":"1e3""#), "bad-field (amount)");
        check(&add(r#","amount":"0.0000001""#), "bad-field (amount): is \"0.0000001\": more than 6 digits");
        check(&add(r#","amount":"1.00","expiresat":"x""#), "bad-field (expiresat): is no field of addFunds");
        check(&add(r#","amount":"1.00","expiresAt":"2026-01-01""#), "bad-field (expiresAt)");
        check(&add(r#","amount":"1.00","schemaVersion":2"#), "bad-field (schemaVersion): is 2");
        check(&add(r#","amount":"1.00","amount":"9.00""#), "undecodable: the key \"amount\" is there twice");
        check("[]", "undecodable: not a JSON object");
        check("{\"commandId\":", "undecodable");
        check("\u{0}", "undecodable");
        check("{}", "missing-field (commandId)");
    }

    /// Ids stay in accounts for years; one that is made of another may be longer.
    #[test]
    fn texts_have_an_end() {
        for (field, length_max) in [
            ("orgId", ID_BYTES_MAX),
            ("licence", ID_BYTES_MAX),
            ("userId", ID_BYTES_MAX),
            ("commandId", LONG_ID_BYTES_MAX),
            ("actor.subject", TEXT_BYTES_MAX),
        ] {
            let command = |length: usize| {
                let long = "x".repeat(length);
                let text = |name: &str| if name == field { &*long } else { "short" };
                serde_json::json!({
                    "commandId": text("commandId"), "orgId": text("orgId"), "at": "2026-01-01T00:00:00Z",
                    "type": "assignLicence", "userId": text("userId"), "licence": text("licence"), "country": "US",
                    "actor": { "subject": text("actor.subject") },
                })
            };
            check(&command(length_max).to_string(), "AssignLicence");
            check(&command(length_max + 1).to_string(), &format!("bad-field ({field}): {} bytes", length_max + 1));
        }
    }

    /// boundaries.md X5: the shape of `paymentMethod`.
    #[test]
    fn payment_is_a_card_or_an_agreement() {
        let configure = |payment: &str| {
            format!(
                r#"{{"commandId":"c1","orgId":"o","at":"2026-01-01T00:00:00Z","type":"configureAutoRecharge","enabled":true,"rechargeAmount":"100","triggerAmount":"20","paymentMethod":{payment}}}"#
            )
        };
        check(&configure(r#"{"card":"tok_1"}"#), "ConfigureAutoRecharge");
        check(&configure(r#"{"agreement":"E1","purchaseOrder":"P1"}"#), "ConfigureAutoRecharge");
        check(&configure(r#"{"agreement":"E1","card":"tok"}"#), "bad-field (paymentMethod.agreement)");
        check(&configure(r#"{"iban":"x"}"#), "missing-field (paymentMethod.agreement)");
        check(&configure("\"tok\""), "bad-field (paymentMethod)");
        check(&configure(r#"{"card":"tok_1","card":"tok_2"}"#), "undecodable: the key \"card\" is there twice");
        let envelope = decode(configure(r#"{"card":"tok_secret"}"#).as_bytes()).unwrap();
        assert!(!format!("{envelope:?}").contains("tok_secret"), "no token in debug output");
    }
}
