//! What time alone brings about, each due an input of its own (T1, T3, T7).

use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;
use serde_json::json;

use super::{Account, Cause, Lot, LotState};
use crate::model::money::print;
use crate::model::time;

/// In the order of rule T7, for dues of the same instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Due {
    /// Of every lot whose notice is due then; before what rule T7 lists, since it changes nothing.
    Notice,
    LotExpiry(usize),
    LotForfeit(usize),
    /// Within the month start, before the look at the cap.
    Statement,
    MonthStart,
    CooldownEnd,
    Resend,
}

impl Account {
    /// Runs everything due up to and including `to`, then lets the clock stand at `to` unless it is already later.
    pub fn advance(&mut self, to: Timestamp) {
        self.wait(to);
        self.clock = self.clock.max(to);
        self.at = self.clock;
    }

    /// Runs everything due up to and including `to`, and moves the clock no further than that takes: how often time is
    /// told changes nothing (T1).
    pub fn wait(&mut self, to: Timestamp) {
        let to = to.max(self.clock);
        while let Some((instant, due)) = self.next_due()
            && instant <= to
        {
            self.clock = self.clock.max(instant);
            self.at = instant;
            self.input(Cause::Time, |account| account.run(due));
        }
        self.at = self.clock;
    }

    /// When time alone next changes something.
    pub fn next_due_at(&self) -> Option<Timestamp> {
        self.next_due().map(|(instant, _)| instant)
    }

    /// The earliest due; the index of a lot is its place in the order of spending.
    fn next_due(&self) -> Option<(Timestamp, Due)> {
        let lots = self.lots.iter().enumerate().filter_map(|(index, lot)| match lot.state {
            LotState::Active => Some((lot.expires, Due::LotExpiry(index))),
            // An empty one has nothing to lose (L4).
            LotState::Expired if lot.remaining > Decimal::ZERO => Some((lot.forfeits(), Due::LotForfeit(index))),
            LotState::Expired | LotState::Forfeited | LotState::Refunded => None,
        });
        let notices = self.lots.iter().filter_map(Lot::notice).filter(|instant| *instant > self.clock);
        let notice = notices.min().map(|instant| (instant, Due::Notice));
        let statement = self.statement_due.map(|instant| (instant, Due::Statement));
        let month = self.recharge.month_start.map(|instant| (instant, Due::MonthStart));
        let cooldown = self.recharge.cooldown_end.map(|instant| (instant, Due::CooldownEnd));
        let resend = self.recharge.next_sending().filter(|_| !self.closed).map(|instant| (instant, Due::Resend));
        lots.chain(notice).chain(statement).chain(month).chain(cooldown).chain(resend).min()
    }

    fn run(&mut self, due: Due) {
        match due {
            Due::Notice => self.give_notice(),
            Due::LotExpiry(index) => self.expire(index),
            Due::LotForfeit(index) => self.forfeit(index),
            Due::Statement => self.state_post_usage(),
            Due::MonthStart => self.recharge.month_start = None,
            Due::CooldownEnd => self.recharge.rearm(),
            Due::Resend => self.send_again(),
        }
    }

    /// What has accrued since the last statement, or was taken back: in every mode, and when closed (M3, L18).
    fn state_post_usage(&mut self) {
        let ended = time::month_of(self.at - SignedDuration::from_nanos(1));
        let sum = self.totals.post_usage;
        let fields = json!({
            "month": time::month_name(ended), "amount": print(sum - self.stated), "postUsage": print(sum),
        });
        self.stated = sum;
        self.emit("PostUsageStatement", fields);
    }

    /// Thirty days before a lot that holds money ends.
    fn give_notice(&mut self) {
        let due: Vec<Lot> = self.lots.iter().filter(|lot| lot.notice() == Some(self.at)).cloned().collect();
        for lot in due {
            let fields =
                json!({ "lotId": lot.id, "amount": print(lot.remaining), "expiresAt": lot.expires.to_string() });
            self.emit("LotExpiring", fields);
        }
    }

    fn expire(&mut self, index: usize) {
        let lot = &mut self.lots[index];
        lot.state = LotState::Expired;
        if lot.remaining > Decimal::ZERO {
            let fields = json!({ "lotId": lot.id, "amount": print(lot.remaining) });
            self.emit("LotExpired", fields);
        }
    }

    fn forfeit(&mut self, index: usize) {
        let lot = &mut self.lots[index];
        lot.state = LotState::Forfeited;
        let lost = std::mem::take(&mut lot.remaining);
        let fields = json!({ "lotId": lot.id, "amount": print(lost) });
        self.totals.forfeited += lost;
        self.emit("LotForfeited", fields);
    }
}
