//! That a statement adds up: what was there and what came, less what went, is what is left.
//!
//! What is left follows the `after` of the lines, what came and went their amounts: neither is computed from the other.

use drawdown_units::Sum;

use super::Statement;
use crate::fault::Fault;

/// One sum: `opening` + `came` − `went` = `closing`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Proof {
    /// What of.
    pub name: &'static str,
    /// Before the month.
    pub opening: Sum,
    /// In the month.
    pub came: Sum,
    /// In the month.
    pub went: Sum,
    /// After it.
    pub closing: Sum,
}

impl Proof {
    fn holds(&self) -> bool {
        self.opening.plus(self.came).minus(self.went) == self.closing
    }
}

impl Statement {
    /// The sums that were proven: of lots, overdraft, post-usage, uncollected and unlicensed charges.
    pub fn proofs(&self) -> [Proof; 5] {
        let (opening, flows, closing) = (&self.opening, &self.flows, &self.closing);
        let proof = |name, opening, came, went, closing| Proof { name, opening, came, went, closing };
        let accrued = |name, opening, came, closing| proof(name, opening, came, Sum::ZERO, closing);
        [
            proof("lots", opening.remaining, flows.lots_in(), flows.lots_out(), closing.remaining),
            proof(
                "overdraft",
                opening.overdraft.into(),
                flows.overdrawn,
                flows.overdraft_reversed.plus(flows.settled),
                closing.overdraft.into(),
            ),
            accrued("postUsage", opening.post_usage.into(), flows.post_usage, closing.post_usage.into()),
            accrued("uncollected", opening.uncollected.into(), flows.uncollected, closing.uncollected.into()),
            accrued("unlicensed", opening.unlicensed.into(), flows.unlicensed, closing.unlicensed.into()),
        ]
    }

    /// What the month's charges came to by who paid: lots and overdraft, less what went back, and the rest.
    fn paid(&self) -> Sum {
        let flows = &self.flows;
        let by_money = flows.spent.plus(flows.overdrawn);
        let taken_back = flows.given_back.plus(flows.returned).plus(flows.overdraft_reversed);
        by_money.minus(taken_back).plus(flows.post_usage).plus(flows.uncollected).plus(flows.unlicensed)
    }

    /// Fails where anything does not add up.
    pub(super) fn prove(&self) -> Result<(), Fault> {
        if let Some(proof) = self.proofs().iter().find(|proof| !proof.holds()) {
            let Proof { name, opening, came, went, closing } = proof;
            return Err(self.broken(format!("{name}: {opening} + {came} − {went} is not {closing}")));
        }
        let charged = self.flows.charged;
        let by_destination: Sum = self.spending.destinations.iter().map(|(_, spend)| spend.charged).sum();
        let by_user: Sum = self.spending.users.iter().map(|user| user.spend.charged).sum();
        for (name, sum) in [("payers", self.paid()), ("destinations", by_destination), ("users", by_user)] {
            if sum != charged {
                return Err(self.broken(format!("charges come to {charged}, by {name} to {sum}")));
            }
        }
        Ok(())
    }

    fn broken(&self, problem: String) -> Fault {
        Fault::Inconsistent { org: self.org.clone(), seq: self.through.0, problem }
    }
}
