//! The commands of the synthetic organisations, in the order of time: opening, licences, recharging, topping up.
//!
//! Funds are scaled to what an organisation's calls will cost by the prices of the bundled deck: some have too little,
//! others more than they need. An automatic recharge can only be answered by who knows that it was asked for, hence one
//! is made certain: its trigger lies above the balance when it is configured, it is settled ten minutes later, and a
//! monthly cap of its amount lets no second one follow before it is switched off at the end of the month.

use std::fmt::{self, Arguments};
use std::io;

use drawdown_units::{Money, Timestamp};

use super::Args;
use super::licences::{self, Change};
use super::organisations::Organisation;
use super::record::{Direction, KINDS};
use super::row;
use super::switch::{ANSWERED_PER_MILLE, Switch};
use super::traffic::{TICKS_A_SECOND, billed_minutes_milli};

const HOUR: i64 = 3_600 * TICKS_A_SECOND as i64;
const DAY: i64 = 24 * HOUR;
/// How long after it was asked for a recharge is settled: before a request is sent again.
const SETTLED_AFTER: i64 = 600 * TICKS_A_SECOND as i64;
/// The least automatic recharge, in whole units.
const RECHARGE_MINIMUM: i64 = 50;
/// What an organisation has, in per cent of what its calls cost; by turns.
const FUNDED_PERCENT: [u64; 5] = [110, 60, 250, 90, 150];

/// What an organisation does within the period, at its own time. Where several do something at the same instant, in this
/// order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Act {
    ConfigureRecharge,
    SettleRecharge,
    SwitchRechargeOff,
    TopUp,
    RemoveLicences,
    RestoreLicences,
}

const ACTS: [Act; 6] = [
    Act::ConfigureRecharge,
    Act::SettleRecharge,
    Act::SwitchRechargeOff,
    Act::TopUp,
    Act::RemoveLicences,
    Act::RestoreLicences,
];

/// Writes all commands line by line, and returns how many.
pub fn write(switch: &Switch, args: &Args, mut line: impl FnMut(Arguments<'_>) -> io::Result<()>) -> io::Result<u64> {
    let mut count = 0;
    let mut put = |command: Arguments<'_>| {
        count += 1;
        line(command)
    };
    let plan = Plan::new(switch, args);
    for organisation in plan.organisations() {
        plan.open(organisation, &mut put)?;
        plan.give_licences(organisation, &mut put)?;
    }
    // One organisation after the other does each of these: the acts are merged by their times.
    let mut heads = ACTS.map(|act| (act, 0));
    loop {
        let due = heads.iter_mut().filter(|(_, index)| *index < plan.org_count);
        let Some((act, index)) = due.min_by_key(|(act, index)| plan.due(*act, *index)) else { break };
        plan.perform(*act, switch.organisations.get(*index), &mut put)?;
        *index += 1;
    }
    Ok(count)
}

/// Who is given what, and when. Times are in ticks since the start of the period.
struct Plan<'a> {
    switch: &'a Switch,
    args: &'a Args,
    org_count: u64,
    minutes_milli: u64,
    /// When the month ends in which recharges are asked for.
    end_of_month: i64,
}

/// The three lots of an organisation.
struct Lots {
    oldest: Money,
    newer: Money,
    later: Money,
}

/// The id of an organisation in a command.
struct Org(u64);

impl fmt::Display for Org {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "org-{:06}", self.0 + 1)
    }
}

/// Every tenth pays afterwards.
fn is_post_usage(index: u64) -> bool {
    index % 10 == 9
}

impl<'a> Plan<'a> {
    fn new(switch: &'a Switch, args: &'a Args) -> Self {
        let next_month = args.start.month_start().plus_months(1);
        let end_of_month = (next_month.seconds() - args.start.seconds()) * TICKS_A_SECOND as i64;
        let minutes_milli = billed_minutes_milli();
        Plan { switch, args, org_count: args.orgs.into(), minutes_milli, end_of_month }
    }

    fn organisations(&self) -> impl Iterator<Item = Organisation<'a>> {
        let organisations = &self.switch.organisations;
        (0..self.org_count).map(|index| organisations.get(index))
    }

    /// Whether it recharges automatically: every third of the prepaid ones, unless the month is over too soon.
    fn recharges(&self, index: u64) -> bool {
        self.end_of_month > 3 * HOUR && index.is_multiple_of(3) && !is_post_usage(index)
    }

    /// Something that each organisation does at its own time within a while, one after the other.
    fn in_turn(&self, index: u64, within: i64) -> i64 {
        (i128::from(within) * i128::from(index) / i128::from(self.org_count)) as i64
    }

    fn at(&self, ticks: i64) -> Timestamp {
        self.switch.timeline.at(ticks)
    }

    fn opened(&self, index: u64) -> i64 {
        self.in_turn(index, HOUR) - DAY
    }

    fn configured(&self, index: u64) -> i64 {
        self.in_turn(index, HOUR / 10)
    }

    fn topped_up(&self, index: u64) -> i64 {
        let period = self.switch.timeline.ticks() as i64;
        period / 10 * 3 + self.in_turn(index, period / 10 * 4)
    }

    fn loses_licences(&self, index: u64) -> i64 {
        let period = self.switch.timeline.ticks() as i64;
        period / 10 * 4 + self.in_turn(index, period / 10 * 3)
    }

    fn switched_off(&self) -> i64 {
        self.end_of_month - HOUR
    }

    fn due(&self, act: Act, index: u64) -> i64 {
        match act {
            Act::ConfigureRecharge => self.configured(index),
            Act::SettleRecharge => self.configured(index) + SETTLED_AFTER,
            Act::SwitchRechargeOff => self.switched_off(),
            Act::TopUp => self.topped_up(index),
            Act::RemoveLicences => self.loses_licences(index),
            Act::RestoreLicences => self.loses_licences(index) + self.switch.timeline.ticks() as i64 / 20,
        }
    }

    fn perform(
        &self,
        act: Act,
        organisation: Organisation<'_>,
        put: &mut impl FnMut(Arguments<'_>) -> io::Result<()>,
    ) -> io::Result<()> {
        let is_within = self.switched_off() < self.switch.timeline.ticks() as i64;
        match act {
            Act::TopUp => self.top_up(organisation, put),
            Act::RemoveLicences => self.change_licences(organisation, act, put),
            Act::RestoreLicences => self.change_licences(organisation, act, put),
            _ if !self.recharges(organisation.index) => Ok(()),
            Act::ConfigureRecharge => self.configure(organisation, put),
            Act::SettleRecharge => self.settle(organisation, put),
            Act::SwitchRechargeOff if is_within => self.switch_off(organisation, put),
            Act::SwitchRechargeOff => Ok(()),
        }
    }

    /// What the calls of an organisation will cost, about.
    fn expected_micros(&self, organisation: Organisation<'_>) -> u64 {
        let total: u64 = KINDS.iter().map(|kind| kind.weight).sum();
        let charged: u64 = KINDS.iter().filter(|kind| kind.direction == Direction::Out).map(|kind| kind.weight).sum();
        let (weight, weights) = self.switch.organisations.share(organisation.index);
        let calls = u128::from(self.switch.record_count) * u128::from(weight);
        let minutes_milli = calls * u128::from(ANSWERED_PER_MILLE * charged * self.minutes_milli);
        let price = u128::from(organisation.reach.price_micros());
        let micros = minutes_milli / u128::from(weights) * price / u128::from(1_000 * 1_000 * total);
        u64::try_from(micros).unwrap_or(u64::MAX)
    }

    fn lots(&self, organisation: Organisation<'_>) -> Lots {
        let percent = FUNDED_PERCENT[(organisation.index % 5) as usize];
        let funds = u128::from(self.expected_micros(organisation)) * u128::from(percent) / 100;
        // Whole cents, and one at least.
        let part = |percent: u128| {
            let cents = (funds * percent / 100).div_ceil(10_000).clamp(1, 10_u128.pow(13));
            Money::from_micros(cents as i64 * 10_000)
        };
        Lots { oldest: part(25), newer: part(45), later: part(30) }
    }

    fn open(
        &self,
        organisation: Organisation<'_>,
        put: &mut impl FnMut(Arguments<'_>) -> io::Result<()>,
    ) -> io::Result<()> {
        let (index, country) = (organisation.index, organisation.home.country);
        let (org, at) = (Org(index), self.at(self.opened(index)));
        let (currency, rate_plan) = (self.args.currency, &self.args.rate_plan);
        let mode = if is_post_usage(index) { "postUsage" } else { "prepaid" };
        let strict = index % 7 == 6;
        let licensing = if organisation.is_licensed { "required" } else { "none" };
        put(format_args!(
            r#"{{"schemaVersion":1,"commandId":"{org}-open","orgId":"{org}","at":"{at}","type":"openAccount","currency":"{currency}","ratePlan":"{rate_plan}","mode":"{mode}","country":"{country}","strict":{strict},"licensing":"{licensing}"}}"#
        ))?;
        let lots = self.lots(organisation);
        self.add_funds(index, 1, lots.oldest, (at, self.purchased_oldest(index)), put)?;
        self.add_funds(index, 2, lots.newer, (at, at), put)
    }

    /// Everybody of a licensed organisation, and its resource account, is given what they hold.
    fn give_licences(
        &self,
        organisation: Organisation<'_>,
        put: &mut impl FnMut(Arguments<'_>) -> io::Result<()>,
    ) -> io::Result<()> {
        let at = self.at(self.opened(organisation.index));
        let user_count = if organisation.is_licensed { organisation.user_count + 1 } else { 0 };
        for user in 0..user_count {
            for licence in licences::held(&self.switch.organisations, organisation, user) {
                self.assign(organisation, (user, licence), ("licence", at), put)?;
            }
        }
        Ok(())
    }

    fn change_licences(
        &self,
        organisation: Organisation<'_>,
        act: Act,
        put: &mut impl FnMut(Arguments<'_>) -> io::Result<()>,
    ) -> io::Result<()> {
        if !organisation.is_licensed {
            return Ok(());
        }
        let (org, at) = (Org(organisation.index), self.at(self.due(act, organisation.index)));
        for Change { user, licence, is_restored } in licences::changes(&self.switch.organisations, organisation) {
            if act == Act::RemoveLicences {
                let id = self.user_id(organisation, user);
                put(format_args!(
                    r#"{{"schemaVersion":1,"commandId":"{org}-licence-off-{user}-{licence}","orgId":"{org}","at":"{at}","type":"removeLicence","userId":"{id}","licence":"{licence}"}}"#
                ))?;
            } else if is_restored {
                self.assign(organisation, (user, licence), ("licence-again", at), put)?;
            }
        }
        Ok(())
    }

    fn assign(
        &self,
        organisation: Organisation<'_>,
        (user, licence): (u64, &str),
        (name, at): (&str, Timestamp),
        put: &mut impl FnMut(Arguments<'_>) -> io::Result<()>,
    ) -> io::Result<()> {
        let (org, country) = (Org(organisation.index), organisation.home.country);
        let id = self.user_id(organisation, user);
        put(format_args!(
            r#"{{"schemaVersion":1,"commandId":"{org}-{name}-{user}-{licence}","orgId":"{org}","at":"{at}","type":"assignLicence","userId":"{id}","licence":"{licence}","country":"{country}"}}"#
        ))
    }

    fn user_id(&self, organisation: Organisation<'_>, user: u64) -> String {
        let mut id = Vec::new();
        row::user_id(&mut id, self.switch.organisations.user(organisation.index, user));
        String::from_utf8(id).expect("invariant: an id is made of letters and digits")
    }

    /// A year before some instant of the period for every second organisation, so that the lot expires in it; else some
    /// months before.
    fn purchased_oldest(&self, index: u64) -> Timestamp {
        let period = self.switch.timeline.ticks() as i64;
        let expires = period / 100 * (10 + (index / 2 % 81) as i64);
        self.at(if index.is_multiple_of(2) { expires - 365 * DAY } else { -100 * DAY })
    }

    fn add_funds(
        &self,
        index: u64,
        lot: u32,
        amount: Money,
        (at, purchased): (Timestamp, Timestamp),
        put: &mut impl FnMut(Arguments<'_>) -> io::Result<()>,
    ) -> io::Result<()> {
        let org = Org(index);
        put(format_args!(
            r#"{{"schemaVersion":1,"commandId":"{org}-funds-{lot}","orgId":"{org}","at":"{at}","type":"addFunds","lotId":"L{lot}","amount":"{amount}","purchasedAt":"{purchased}","reference":"invoice {org}/{lot}"}}"#
        ))
    }

    /// The trigger lies above the balance, and the amount above the trigger.
    fn recharge(&self, organisation: Organisation<'_>) -> (i64, i64) {
        let lots = self.lots(organisation);
        let trigger = lots.oldest.plus(lots.newer).micros() / 1_000_000 + 1;
        (trigger, (trigger + 1).max(RECHARGE_MINIMUM))
    }

    fn configure(
        &self,
        organisation: Organisation<'_>,
        put: &mut impl FnMut(Arguments<'_>) -> io::Result<()>,
    ) -> io::Result<()> {
        let at = self.at(self.configured(organisation.index));
        self.put_settings(organisation, at, true, put)
    }

    fn switch_off(
        &self,
        organisation: Organisation<'_>,
        put: &mut impl FnMut(Arguments<'_>) -> io::Result<()>,
    ) -> io::Result<()> {
        self.put_settings(organisation, self.at(self.switched_off()), false, put)
    }

    fn put_settings(
        &self,
        organisation: Organisation<'_>,
        at: Timestamp,
        enabled: bool,
        put: &mut impl FnMut(Arguments<'_>) -> io::Result<()>,
    ) -> io::Result<()> {
        let (org, name) = (Org(organisation.index), if enabled { "recharge" } else { "recharge-off" });
        let (trigger, amount) = self.recharge(organisation);
        put(format_args!(
            r#"{{"schemaVersion":1,"commandId":"{org}-{name}","orgId":"{org}","at":"{at}","type":"configureAutoRecharge","enabled":{enabled},"rechargeAmount":"{amount}.00","triggerAmount":"{trigger}.00","monthlyCap":"{amount}.00","paymentMethod":{{"card":"tok_{org}"}}}}"#
        ))
    }

    fn settle(
        &self,
        organisation: Organisation<'_>,
        put: &mut impl FnMut(Arguments<'_>) -> io::Result<()>,
    ) -> io::Result<()> {
        let index = organisation.index;
        let (org, at) = (Org(index), self.at(self.configured(index) + SETTLED_AFTER));
        put(format_args!(
            r#"{{"schemaVersion":1,"commandId":"{org}-settle","orgId":"{org}","at":"{at}","type":"settleRecharge","rechargeId":"{org}/1","outcome":"succeeded","processedAt":"{at}"}}"#
        ))
    }

    fn top_up(
        &self,
        organisation: Organisation<'_>,
        put: &mut impl FnMut(Arguments<'_>) -> io::Result<()>,
    ) -> io::Result<()> {
        let at = self.at(self.topped_up(organisation.index));
        self.add_funds(organisation.index, 3, self.lots(organisation).later, (at, at), put)
    }
}
