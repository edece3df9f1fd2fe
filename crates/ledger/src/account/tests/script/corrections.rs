//! Corrections in scripts: `void SEQ` and `correct SEQ to AMOUNT [from T]` take back the debit of that `seq`.

use crate::account::Account;
use crate::effects::{Effects, FundingLine, FundingSource, PoolLine};
use crate::reversal::{Funder, PoolBack, Reversal, Reversed};

/// What takes the debit of `effects` back: its own lines, by name.
pub(super) fn reversal(account: &Account, seq: u64, effects: &Effects) -> Reversal {
    let funder = |line: &FundingLine| match line.source {
        FundingSource::Lot(index) => Funder::Lot(account.lots().all()[index as usize].id.clone()),
        FundingSource::Overdraft => Funder::Overdraft,
        FundingSource::PostUsage => Funder::PostUsage,
        FundingSource::Uncollected => Funder::Uncollected,
        FundingSource::Unlicensed => Funder::Unlicensed,
    };
    let back = |it: &PoolLine| {
        let PoolLine { ref pool, of, month, minutes, size, .. } = *it;
        PoolBack { pool: pool.clone(), of, month, minutes: u32::try_from(minutes).expect("minutes"), size }
    };
    Reversal {
        charge: effects.funding.iter().fold(drawdown_units::Money::ZERO, |sum, line| sum.plus(line.amount)),
        pool: effects.pool.as_ref().map(back),
        lines: effects.funding.iter().map(|line| (funder(line), line.amount)).collect(),
        lot: format!("c{seq}/1").into(),
    }
}

pub(super) fn show_reversed(it: &Reversed) -> String {
    let pool = it.pool.iter().map(|it| format!("{} {} {}→{}/{}", it.pool, it.of.name(), it.before, it.after, it.size));
    let lines = it.lines.iter().map(|line| {
        let name = if let Funder::Lot(lot) = &line.funder { lot } else { line.funder.name() };
        let to = line.returned_to.as_ref().map_or(String::new(), |lot| format!(" to {lot}"));
        format!("{name} {} {}→{}{to}", line.amount, line.before, line.after)
    });
    format!("reversed {} = {}", pool.chain(lines).collect::<Vec<_>>().join(", "), it.debited.balance_after)
}
