//! Taking a debit back: finding it among others, reading what it drew, and the line that says it was returned.

use drawdown_ledger::LotId;
use drawdown_ledger::plans::Use;
use drawdown_ledger::reversal::{Funder, PoolBack, Reversal, Reversed, ReversedLine};
use drawdown_units::{Currency, Money, Timestamp};

use super::read::{Debit, Funding, read};
use super::write_pool;
use crate::cdr::Cdr;
use crate::flags::Flags;
use crate::json::{Writer, key};
use crate::text::ReadError;

/// The debit of one revision of one record, to be recognised by the beginning of its line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sought {
    beginning: Vec<u8>,
}

/// A debit to be taken back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Original {
    /// Who paid.
    pub org: Box<str>,
    /// Its place.
    pub seq: u64,
    /// Its revision.
    pub revision: u32,
    /// Its call as it stands on the line.
    call: Box<str>,
    charge: Money,
    pool: Option<PoolBack>,
    lines: Vec<(Funder, Money)>,
}

impl Sought {
    /// The debit of revision `revision` of the record that `cdr` corrects.
    pub fn new(cdr: &Cdr<'_>, revision: u32) -> Self {
        let mut beginning = Vec::new();
        let mut json = Writer::new(&mut beginning);
        json.text("{\"schemaVersion\":1,\"type\":\"debit\",\"id\":", &cdr.id);
        json.text(key!("source"), &cdr.source);
        json.integer(key!("revision"), revision);
        json.raw(",");
        Sought { beginning }
    }

    /// The debit, if a line of debits is it. A reversal under the same revision is passed over.
    ///
    /// # Errors
    /// It is, and cannot be read.
    #[inline]
    pub fn look(&self, line: &[u8]) -> Result<Option<Box<Original>>, ReadError> {
        if !line.starts_with(&self.beginning) {
            return Ok(None);
        }
        let debit = read(line)?;
        match debit.reverses {
            Some(_) => Ok(None),
            None => Ok(Some(Box::new(Original::of(&debit, line)?))),
        }
    }
}

impl Original {
    fn of(debit: &Debit<'_>, line: &[u8]) -> Result<Self, ReadError> {
        let call = sonic_rs::get(line, &["call"]).map_err(|error| ReadError(error.to_string()))?;
        let pool = debit.funding.iter().find(|line| line.is_pool()).map(pool_back).transpose()?;
        let money = debit.funding.iter().filter(|line| !line.is_pool());
        Ok(Original {
            org: (&*debit.org_id).into(),
            seq: debit.seq,
            revision: debit.revision,
            call: call.as_raw_str().into(),
            charge: amount("charge.amount", &debit.charge.amount)?,
            pool,
            lines: money.map(funder).collect::<Result<_, _>>()?,
        })
    }

    /// What takes it back, as revision `revision` of record `id`.
    pub fn reversal(&self, id: &str, revision: u32) -> Reversal {
        let lot = LotId::from(format!("{id}/{revision}"));
        Reversal { charge: self.charge, pool: self.pool.clone(), lines: self.lines.clone(), lot }
    }
}

fn amount(field: &str, text: &str) -> Result<Money, ReadError> {
    Money::parse(text).map_err(|error| ReadError(format!("{field} is {text:?}: {error}")))
}

fn funder(line: &Funding<'_>) -> Result<(Funder, Money), ReadError> {
    let funder = match (&*line.kind, &line.lot_id) {
        ("lot", Some(lot)) => Funder::Lot(LotId::new(&**lot)),
        ("overdraft", _) => Funder::Overdraft,
        ("postUsage", _) => Funder::PostUsage,
        ("uncollected", _) => Funder::Uncollected,
        ("unlicensed", _) => Funder::Unlicensed,
        (kind, _) => return Err(ReadError(format!("funding of type {kind:?}"))),
    };
    Ok((funder, amount("funding.amount", &line.amount)?))
}

fn pool_back(line: &Funding<'_>) -> Result<PoolBack, ReadError> {
    let of = line.of.as_deref().and_then(|name| Use::ALL.into_iter().find(|of| of.name() == name));
    let month = line.month.as_deref().map(|month| format!("{month}-01T00:00:00Z"));
    let month = month.and_then(|text| Timestamp::parse(&text).ok());
    let minutes = line.minutes.and_then(|minutes| u32::try_from(minutes).ok());
    match (&line.pool, of, month, minutes, line.size) {
        (Some(pool), Some(of), Some(month), Some(minutes), Some(size)) => {
            Ok(PoolBack { pool: (&**pool).into(), of, month, minutes, size })
        }
        _ => Err(ReadError("a pool line that lacks pool, use, month, minutes or size".to_owned())),
    }
}

/// The line of a reversing debit.
#[derive(Debug)]
pub struct ReversalLine<'a> {
    /// The correcting record.
    pub cdr: &'a Cdr<'a>,
    /// What it takes back.
    pub original: &'a Original,
    /// The account's currency.
    pub currency: Currency,
    /// What the account made of it.
    pub reversed: &'a Reversed,
}

impl ReversalLine<'_> {
    /// Appends it as one line of JSON.
    pub fn write(&self, out: &mut Vec<u8>) {
        let (cdr, original, reversed) = (self.cdr, self.original, self.reversed);
        let mut json = Writer::new(out);
        json.text("{\"schemaVersion\":1,\"type\":\"debit\",\"id\":", &cdr.id);
        json.text(key!("source"), &cdr.source);
        json.integer(key!("revision"), cdr.revision);
        json.text(key!("orgId"), &cdr.org);
        json.integer(key!("seq"), reversed.debited.seq);
        json.time(key!("at"), reversed.debited.at);
        json.integer(",\"reverses\":{\"revision\":", original.revision);
        json.integer(key!("seq"), original.seq);
        json.boolean(key!("void"), cdr.void);
        json.raw("},\"call\":");
        json.raw(&original.call);
        json.money(",\"charge\":{\"amount\":", reversed.charge);
        json.plain(key!("currency"), self.currency.as_str());
        json.raw("},\"funding\":[");
        if let Some(pool) = &reversed.pool {
            write_pool(&mut json, pool);
        }
        for (index, line) in reversed.lines.iter().enumerate() {
            if index > 0 || reversed.pool.is_some() {
                json.raw(",");
            }
            write_line(&mut json, line);
        }
        json.money("],\"balanceAfter\":", reversed.debited.balance_after);
        json.list(key!("flags"), Flags::REVERSAL.names(), |json, name| json.plain("", name));
        json.raw("}\n");
    }
}

fn write_line(json: &mut Writer<'_>, line: &ReversedLine) {
    json.plain("{\"type\":", line.funder.name());
    if let Funder::Lot(lot) = &line.funder {
        json.text(key!("lotId"), lot);
    }
    json.money(key!("amount"), line.amount);
    json.money(key!("before"), line.before);
    json.money(key!("after"), line.after);
    json.optional(key!("returnedTo"), line.returned_to.as_deref());
    json.raw("}");
}
