//! Adds up what the model put out, knowing nothing but the lines themselves.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde_json::Value;

use super::{Options, Workload};
use crate::model::money;

#[derive(Default)]
struct Books {
    charged: Decimal,
    /// By kind of line, reversals included.
    lines: BTreeMap<String, Decimal>,
    settled: Decimal,
    returned: Decimal,
    /// Of reversed lot lines, what did not go back into its lot.
    lots_returned: Decimal,
    stated: Decimal,
    /// Minutes by (pool, use, month).
    pools: BTreeMap<[String; 3], i64>,
}

fn amount(value: &Value, field: &str) -> Decimal {
    value[field].as_str().and_then(money::parse).unwrap_or_else(|| panic!("{field} of {value}"))
}

fn text(value: &Value, field: &str) -> String {
    value[field].as_str().unwrap_or_else(|| panic!("{field} of {value}")).to_owned()
}

impl Books {
    fn enter(&mut self, output: &Value) {
        match output["type"].as_str().expect("a type") {
            "debit" => self.enter_debit(output),
            "OverdraftSettled" => self.settled += amount(output, "amount"),
            "FundsReturned" => self.returned += amount(output, "amount"),
            "PostUsageStatement" => {
                self.stated += amount(output, "amount");
                assert_eq!(amount(output, "postUsage"), self.stated, "{output}");
                assert_eq!(self.stated, self.line("postUsage"), "{output}");
            }
            _ => {}
        }
    }

    fn enter_debit(&mut self, debit: &Value) {
        let charge = amount(&debit["charge"], "amount");
        self.charged += charge;
        let mut funded = Decimal::ZERO;
        for line in debit["funding"].as_array().expect("lines") {
            if line["type"] == "pool" {
                self.enter_minutes(line);
                continue;
            }
            let funds = amount(line, "amount");
            funded += funds;
            *self.lines.entry(text(line, "type")).or_default() += funds;
            if line["type"] == "lot" && line["returnedTo"].is_string() {
                self.lots_returned -= funds;
            }
        }
        assert_eq!(charge, funded, "Σ lines of {debit}");
    }

    fn enter_minutes(&mut self, line: &Value) {
        let used = self.pools.entry(["pool", "use", "month"].map(|field| text(line, field))).or_default();
        let number = |field: &str| line[field].as_i64().unwrap_or_else(|| panic!("{field} of {line}"));
        assert_eq!(number("before"), *used, "{line}");
        *used += number("minutes");
        assert_eq!(number("after"), *used, "{line}");
        let is_within = *used >= 0 && (number("minutes") < 0 || *used <= number("size"));
        assert!(is_within && number("minutes") != 0, "{line}");
    }

    fn line(&self, kind: &str) -> Decimal {
        self.lines.get(kind).copied().unwrap_or_default()
    }
}

#[test]
fn every_account_is_the_sum_of_its_lines() {
    for seed in 0..30 {
        let workload = Workload::generate(seed, Options { grey: seed % 2 == 0, ..Options::default() });
        for account in &workload.accounts {
            let mut books = Books::default();
            let org = account["orgId"].as_str().expect("an id");
            workload.expected_of(org).into_iter().for_each(|output| books.enter(output));
            let sums = ["postUsage", "uncollected", "unlicensed"];
            for kind in sums {
                assert_eq!(amount(account, kind), books.line(kind), "seed {seed}, {kind} of {org}");
            }
            assert_eq!(amount(account, "statedPostUsage"), books.stated, "seed {seed}, {org}");
            // What a reversal returned and no lot line gave back, it gave back of settled overdraft.
            let unsettled = books.returned - books.lots_returned;
            let overdraft = books.line("overdraft") - books.settled + unsettled;
            assert_eq!(amount(account, "overdraft"), overdraft, "seed {seed}, {org}");
            let spent = books.line("lot") + books.settled - unsettled;
            assert_eq!(amount(account, "spent"), spent, "seed {seed}, {org}");
            let funded =
                books.line("lot") + books.line("overdraft") + sums.iter().map(|kind| books.line(kind)).sum::<Decimal>();
            assert_eq!(books.charged, funded, "seed {seed}, {org}");
        }
    }
}
