//! What a call would cost and who would pay for it, before it is made: what [`Partition::cdr`] does, without booking.
//!
//! Invariant: for a record of any length, price, minutes and licence are found by the code that rates records.
//!
//! [`Partition::cdr`]: crate::Partition::cdr

use drawdown_ledger::{Account, Rules};
use drawdown_rating::{Call, Called, Catalogue, Charge, Uncharged};
use drawdown_wire::cdr::{Callee, Cdr};
use drawdown_wire::debit::Pricing;
use drawdown_wire::number::Places;
use drawdown_wire::{Flags, Rejection};

use crate::partition::cover::{self, Asking};
use crate::pricing;

pub use crate::partition::cover::Covering;

/// A call of an account, of no length yet.
#[derive(Debug)]
pub struct Quote<'c> {
    /// What pays before money does.
    pub covering: Covering,
    /// Whether money may be drawn for it.
    pub is_licensed: bool,
    /// How its first second is priced, where nothing covers it.
    pub pricing: Pricing<'c>,
    /// What pricing noticed.
    pub flags: Flags,
    call: Option<Call>,
}

impl<'c> Quote<'c> {
    /// Looks at a call of `account` as a record would describe it; its seconds are not looked at, but are not 0.
    ///
    /// # Errors
    /// As [`Partition::cdr`](crate::Partition::cdr) rejects a record of any length.
    pub fn of(
        catalogue: &'c Catalogue,
        rules: &Rules,
        places: &mut Places,
        account: &Account,
        cdr: &Cdr<'_>,
    ) -> Result<Self, Rejection> {
        let user = cover::user_of(account, cdr);
        let covering = Asking { account, plans: &rules.plans, catalogue, places, cdr, user, returned: None }.covering();
        let sold = (&**account.rate_plan_at(cdr.start), account.currency());
        let (pricing, flags) = pricing::price(catalogue, sold, cdr, 1)?;
        let call = match (cdr.callee, cdr.call_type.product()) {
            (Callee::Number { number, masked }, Some(product)) => {
                let called = Called { number, masked };
                Some(Call { product, called, caller: cdr.caller, start: cdr.start, seconds: 1 })
            }
            _ => None,
        };
        let is_licensed = cover::may_draw(account, &rules.plans, cdr, user);
        Ok(Quote { covering, is_licensed, pricing, flags, call })
    }

    /// What `seconds` cost that nothing covers; `None` where no row prices them.
    ///
    /// # Errors
    /// [`Uncharged::TooLarge`].
    #[inline]
    pub fn charge(&self, seconds: u32) -> Option<Result<Charge<'c>, Uncharged>> {
        match (&self.pricing, self.call) {
            (Pricing::Charged(charge), Some(call)) => Some(charge.deck.charge(&Call { seconds, ..call })),
            _ => None,
        }
    }
}
