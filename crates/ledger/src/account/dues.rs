//! What time alone does to an account: notices of expiry, expiry, forfeiture, the month's turn, the end of a cool-down,
//! sending again.

use drawdown_units::Timestamp;

use super::Account;
use crate::effects::{Effects, Event};
use crate::lots::State;
use crate::rules::Rules;

/// One thing that is due, in the order of boundaries.md T7 among those of one instant. Notices come before all, and all
/// those of one instant at once: the clock alone then tells which were given, and nothing of it needs saving.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Due {
    ExpiryNotice,
    Expiry(usize),
    Forfeit(usize),
    Statement,
    MonthStart,
    CooldownEnd,
    Sending,
}

impl Account {
    /// Runs everything due up to and including `now`, in order of due instant. Each due is an input of its own:
    /// exhaustion and trigger are looked at after it, at its instant (boundaries.md T1, T3, L5).
    pub(super) fn run_due(&mut self, now: Timestamp, rules: &Rules, effects: &mut Effects) {
        while let Some((at, due)) = self.first_due(rules).filter(|(at, _)| *at <= now) {
            let before = self.balance();
            self.head.clock = self.head.clock.max(at);
            self.run(due, at, rules, effects);
            self.balance_changed(before, at, true, effects);
        }
        self.head.next_due = self.find_next_due(rules);
    }

    fn run(&mut self, due: Due, at: Timestamp, rules: &Rules, effects: &mut Effects) {
        match due {
            Due::ExpiryNotice => self.give_expiry_notice(at, rules, effects),
            Due::Expiry(index) => {
                let amount = self.lots.expire(index);
                let lot = self.lots.all()[index].id.clone();
                if amount.is_positive() {
                    self.emit(at, true, Event::LotExpired { lot, amount }, effects);
                }
            }
            Due::Forfeit(index) => {
                let amount = self.lots.end(index, State::Forfeited);
                self.head.forfeited = self.head.forfeited.plus(amount);
                let lot = self.lots.all()[index].id.clone();
                self.emit(at, true, Event::LotForfeited { lot, amount }, effects);
            }
            Due::Statement => self.state_post_usage(at, effects),
            Due::MonthStart => self.recharge_state().cap_refused = false,
            Due::CooldownEnd => self.recharge_state().rearm_at = None,
            Due::Sending => {
                let currency = self.currency;
                let event = self.recharge_state().send_again(currency, at);
                self.emit(at, true, event, effects);
            }
        }
    }

    /// Of all lots whose notice is due at this very instant, in their order.
    fn give_expiry_notice(&mut self, at: Timestamp, rules: &Rules, effects: &mut Effects) {
        for index in 0..self.lots.all().len() {
            let lot = &self.lots.all()[index];
            if lot.expiry_notice(rules) == Some(at) {
                let event = Event::LotExpiring { lot: lot.id.clone(), amount: lot.remaining, expires: lot.expires };
                self.emit(at, true, event, effects);
            }
        }
    }

    /// What accrued since the last statement.
    fn state_post_usage(&mut self, at: Timestamp, effects: &mut Effects) {
        let post_usage = self.head.post_usage;
        let amount = post_usage.minus(self.head.stated);
        self.head.stated = post_usage;
        self.head.statement_due = Timestamp::MAX;
        let month = at.plus_seconds(-1).month_start();
        self.emit(at, true, Event::PostUsageStatement { month, amount, post_usage }, effects);
    }

    fn recharge_state(&mut self) -> &mut crate::recharge::Recharge {
        self.recharge.as_deref_mut().expect("invariant: recharging that is due has been set")
    }

    pub(super) fn find_next_due(&self, rules: &Rules) -> Timestamp {
        self.first_due(rules).map_or(Timestamp::MAX, |(at, _)| at)
    }

    /// The first thing due: by instant, then kind, then lot order. `Timestamp::MAX` means never.
    fn first_due(&self, rules: &Rules) -> Option<(Timestamp, Due)> {
        let of_lots = self.lots.all().iter().enumerate().filter_map(|(index, lot)| match lot.state {
            State::Active => {
                let notice = lot.expiry_notice(rules).filter(|at| *at > self.head.clock);
                Some(notice.map_or((lot.expires, Due::Expiry(index)), |at| (at, Due::ExpiryNotice)))
            }
            State::Expired if lot.remaining.is_positive() => {
                Some((lot.expires.plus_seconds(rules.forfeit_grace_s), Due::Forfeit(index)))
            }
            State::Expired | State::Forfeited | State::Refunded => None,
        });
        let recharge = self.recharge.as_deref();
        let statement = Some((self.head.statement_due, Due::Statement));
        let of_account = [
            statement,
            recharge.and_then(|it| it.next_month()).map(|at| (at, Due::MonthStart)),
            recharge.and_then(|it| it.rearm_at).map(|at| (at, Due::CooldownEnd)),
            recharge.filter(|_| !self.closed).and_then(|it| it.next_sending(rules)).map(|at| (at, Due::Sending)),
        ];
        of_lots.chain(of_account.into_iter().flatten()).min().filter(|(at, _)| *at < Timestamp::MAX)
    }
}
