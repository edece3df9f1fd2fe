//! What lots hold, of any number of organisations, from events and debits that need not be in step with each other.
//!
//! Sums do not depend on the order in which they are added, so all events are read first and then all debits; only
//! the lines of one organisation among themselves must be in the order of `seq`. Memory grows with organisations and
//! lots. Less is checked than for a statement: that no lot holds less than nothing, and that one that ended is empty.

use drawdown_units::{Currency, Money, Sum, Timestamp};
use rustc_hash::FxHashMap;

use crate::fault::Fault;
use crate::fields::Place;
use crate::line::{Debit, Event, Head};
use crate::lines::{Line, Lines};
use crate::lot::{Lot, State};

/// Which lines count.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scope<'a> {
    /// Only those of this organisation.
    pub org: Option<&'a str>,
    /// Only those that were booked by then.
    pub until: Option<Timestamp>,
}

/// All organisations.
#[derive(Debug, Default)]
pub(crate) struct Holdings {
    pub orgs: FxHashMap<Box<str>, Holding>,
    /// When the last of the lines was booked.
    pub last: Option<Timestamp>,
}

/// One organisation.
#[derive(Debug)]
pub(crate) struct Holding {
    pub currency: Option<Currency>,
    pub opened: Timestamp,
    pub overdraft: Sum,
    /// Lost to date.
    pub forfeited: Sum,
    pub settings: Option<Settings>,
    lots: FxHashMap<Box<str>, Held>,
}

/// How an organisation recharges.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// Whether it does.
    pub enabled: bool,
    /// How much is bought at once.
    pub recharge: Money,
    /// The balance below which it is bought.
    pub trigger: Money,
}

/// A lot; in a sum, since its draws may be added before those that gave back.
#[derive(Debug)]
struct Held {
    lot: Lot,
    remaining: Sum,
    /// Its event. An earlier debit drew another lot, which had the same id and was forgotten.
    since: u64,
}

/// A lot of which a line speaks without an event that made it.
const NO_LOT: &str = "is drawn but never came; all events since the account was opened are needed";

impl Scope<'_> {
    fn head<'l>(&self, line: Line<'l>, place: Place<'_>) -> Result<Option<Head<'l>>, Fault> {
        let head = place.head(line.bytes)?;
        Ok(self.org.is_none_or(|org| *head.org_id == *org).then_some(head))
    }

    fn includes(&self, at: Timestamp) -> bool {
        self.until.is_none_or(|until| at <= until)
    }
}

impl Holdings {
    /// Reads all events. First.
    pub fn read_events(&mut self, lines: &mut impl Lines, scope: Scope<'_>) -> Result<(), Fault> {
        let name = lines.name().to_owned();
        while let Some(line) = lines.next_line().map_err(Fault::Read)? {
            let place = Place { name: &name, line: line.number };
            let Some(head) = scope.head(line, place)? else { continue };
            let event: Event<'_> = place.read(line.bytes)?;
            let at = place.time("at", &event.at)?;
            if scope.includes(at) {
                self.last = self.last.max(Some(at));
                self.of(&head.org_id, at).take_event(&head.org_id, &event, place)?;
            }
        }
        Ok(())
    }

    /// Reads all debits, after all events; `each` sees them too.
    pub fn read_debits(
        &mut self,
        lines: &mut impl Lines,
        scope: Scope<'_>,
        mut each: impl FnMut(&Debit<'_>, Timestamp, Place<'_>) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        let name = lines.name().to_owned();
        while let Some(line) = lines.next_line().map_err(Fault::Read)? {
            let place = Place { name: &name, line: line.number };
            let Some(head) = scope.head(line, place)? else { continue };
            let debit: Debit<'_> = place.read(line.bytes)?;
            let at = place.time("at", &debit.at)?;
            if scope.includes(at) {
                self.last = self.last.max(Some(at));
                self.of(&head.org_id, at).take_debit(&head.org_id, &debit, place)?;
                each(&debit, at, place)?;
            }
        }
        self.orgs.iter().try_for_each(|(org, holding)| holding.check(org))
    }

    fn of(&mut self, org: &str, at: Timestamp) -> &mut Holding {
        if !self.orgs.contains_key(org) {
            self.orgs.insert(org.into(), Holding::opened(at));
        }
        self.orgs.get_mut(org).expect("invariant: inserted where it was not there")
    }
}

impl Holding {
    fn opened(at: Timestamp) -> Self {
        Holding {
            currency: None,
            opened: at,
            overdraft: Sum::ZERO,
            forfeited: Sum::ZERO,
            settings: None,
            lots: FxHashMap::default(),
        }
    }

    /// The lots that hold something, in the order in which they are drawn.
    pub fn lots(&self) -> Vec<Lot> {
        let held = |held: &Held| {
            let micros = i64::try_from(held.remaining.micros()).ok()?;
            (micros > 0).then(|| Lot { remaining: Money::from_micros(micros), ..held.lot.clone() })
        };
        let mut lots: Vec<Lot> = self.lots.values().filter_map(held).collect();
        lots.sort_by(|a, b| a.order().cmp(&b.order()));
        lots
    }

    fn take_event(&mut self, org: &str, event: &Event<'_>, place: Place<'_>) -> Result<(), Fault> {
        let amount = || place.need_money("amount", event.amount.as_ref());
        match &*event.kind {
            "AccountOpened" => {
                self.currency =
                    Some(place.currency("currency", place.need_text("currency", event.currency.as_ref())?)?);
            }
            "Adjusted" if event.lot_id.is_none() => {
                for draw in &event.lots {
                    self.draw(org, event.seq, &draw.lot_id, place.money("lots.amount", &draw.amount)?)?;
                }
            }
            "FundsAdded" | "RechargeSucceeded" | "Adjusted" | "FundsReturned" => {
                let lot = Lot::of(event, place)?;
                let held = Held { remaining: lot.amount.into(), since: event.seq, lot };
                self.lots.insert(held.lot.id.clone(), held);
            }
            "OverdraftSettled" => {
                self.draw(org, event.seq, place.need_text("lotId", event.lot_id.as_ref())?, amount()?)?;
                self.overdraft -= amount()?;
            }
            "LotExpired" => self.end(org, event, State::Expired, place)?,
            "LotForfeited" => {
                self.forfeited += amount()?;
                self.end(org, event, State::Forfeited, place)?;
            }
            "LotRefunded" => self.end(org, event, State::Refunded, place)?,
            "AutoRechargeConfigured" => {
                self.settings = Some(Settings {
                    enabled: place.need("enabled", event.enabled)?,
                    recharge: place.need_money("rechargeAmount", event.recharge_amount.as_ref())?,
                    trigger: place.need_money("triggerAmount", event.trigger_amount.as_ref())?,
                });
            }
            _ => {}
        }
        Ok(())
    }

    fn take_debit(&mut self, org: &str, debit: &Debit<'_>, place: Place<'_>) -> Result<(), Fault> {
        for (index, line) in debit.funding.iter().enumerate() {
            let figure = |part, figure| place.amount("funding", index, part, figure);
            match &*line.kind {
                "lot" if line.returned_to.is_none() => {
                    let lot = place.need_text("funding.lotId", line.lot_id.as_ref())?;
                    self.draw(org, debit.seq, lot, figure("amount", line.amount.as_ref())?)?;
                }
                "overdraft" => {
                    self.overdraft += figure("after", line.after.as_ref())?;
                    self.overdraft -= figure("before", line.before.as_ref())?;
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn draw(&mut self, org: &str, seq: u64, lot: &str, amount: Money) -> Result<(), Fault> {
        let Some(held) = self.lots.get_mut(lot) else {
            return Err(contradiction(org, seq, format!("lot {lot} {NO_LOT}")));
        };
        if seq > held.since {
            held.remaining -= amount;
        }
        Ok(())
    }

    fn end(&mut self, org: &str, event: &Event<'_>, state: State, place: Place<'_>) -> Result<(), Fault> {
        let id = place.need_text("lotId", event.lot_id.as_ref())?;
        if state != State::Expired {
            self.draw(org, event.seq, id, place.need_money("amount", event.amount.as_ref())?)?;
        }
        match self.lots.get_mut(id) {
            Some(held) => held.lot.state = state,
            None => return Err(contradiction(org, event.seq, format!("lot {id} {NO_LOT}"))),
        }
        Ok(())
    }

    fn check(&self, org: &str) -> Result<(), Fault> {
        for held in self.lots.values() {
            let (id, remaining) = (&held.lot.id, held.remaining);
            let is_over = matches!(held.lot.state, State::Forfeited | State::Refunded);
            if remaining < Sum::ZERO || (is_over && !remaining.is_zero()) {
                let state = held.lot.state.name();
                let problem = format!("lot {id}, made here, is {state} and would hold {remaining}; debits are missing");
                return Err(contradiction(org, held.since, problem));
            }
        }
        Ok(())
    }
}

fn contradiction(org: &str, seq: u64, problem: String) -> Fault {
    Fault::Inconsistent { org: org.to_owned(), seq, problem }
}
