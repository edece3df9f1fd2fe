mod audit;

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Input, Options, Workload, merge, numbers};

fn parse_lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect()
}

fn input_of(input: &Input) -> &Value {
    match input {
        Input::Command(value) | Input::Cdr { row: value, .. } => value,
    }
}

#[test]
fn the_same_seed_makes_the_same_workload() {
    let one = Workload::generate(7, Options::default());
    let other = Workload::generate(7, Options::default());
    assert_eq!(one.commands_jsonl(), other.commands_jsonl());
    assert_eq!(one.cdrs_jsonl(), other.cdrs_jsonl());
    assert_eq!(one.accounts, other.accounts);
}

#[test]
fn files_merged_by_their_heads_give_back_the_order_of_the_steps() {
    for seed in 0..20 {
        let workload = Workload::generate(seed, Options::default());
        let merged = merge(parse_lines(&workload.commands_jsonl()), parse_lines(&workload.cdrs_jsonl()));
        assert_eq!(merged.len(), workload.steps.len());
        for (index, (merged, step)) in merged.iter().zip(&workload.steps).enumerate() {
            assert_eq!(input_of(merged), input_of(&step.input), "seed {seed}, step {index}");
        }
    }
}

#[test]
fn a_fresh_model_fed_with_the_files_expects_the_same() {
    for seed in 0..10 {
        let workload = Workload::generate(seed, Options { grey: seed % 2 == 0, ..Options::default() });
        let mut model = workload.model();
        for step in &workload.steps {
            let outputs = match &step.input {
                Input::Command(command) => model.feed_command(command),
                Input::Cdr { row, arrival } => model.feed_cdr(row, *arrival),
            };
            assert_eq!(outputs, step.expected, "seed {seed}");
        }
        assert_eq!(model.run_until(workload.until), workload.expected_at_end);
        assert_eq!(model.accounts(), workload.accounts);
    }
}

#[test]
fn without_credits_nothing_is_revised_and_nobody_needs_a_licence() {
    for seed in 0..10 {
        let workload = Workload::generate(seed, Options { credits: false, ..Options::default() });
        let outputs = workload.steps.iter().flat_map(|step| &step.expected);
        for output in outputs {
            let is_new = ["reverses", "licence", "percent"].iter().any(|field| output.get(field).is_some());
            assert!(!is_new, "seed {seed}: {output}");
            for line in output["funding"].as_array().into_iter().flatten() {
                assert!(line["type"] != "unlicensed" && line["type"] != "pool", "seed {seed}: {output}");
            }
        }
        assert!(workload.decks.iter().all(|deck| !deck.csv.contains("premium")));
    }
}

/// Where the called country says which pool there is, libphonenumber and the model must agree on it.
#[test]
fn countries_that_matter_are_beyond_doubt() {
    for seed in 0..20 {
        let workload = Workload::generate(seed, Options::default());
        let rows = workload.steps.iter().filter(|step| step.expected.iter().any(|output| output["type"] == "debit"));
        for row in rows.map(|step| input_of(&step.input)) {
            let call_type = row["callType"].as_str().expect("a debited row has a type");
            let matters = call_type == "conf_out" || row["destinationContext"].is_null();
            let is_outbound = call_type.contains("_out") && !call_type.starts_with("dr_");
            let callee = row["calleeNumber"].as_str().expect("a debited row has a number");
            if is_outbound && matters && callee.starts_with('+') {
                assert!(numbers::is_decided(callee), "seed {seed}: {row}");
            }
        }
    }
}

#[test]
fn sequences_have_no_gaps() {
    for seed in 0..20 {
        let workload = Workload::generate(seed, Options::default());
        for account in &workload.accounts {
            let org = account["orgId"].as_str().expect("an id");
            let seqs: Vec<u64> = workload.expected_of(org).iter().filter_map(|output| output["seq"].as_u64()).collect();
            assert!(seqs.iter().copied().eq(1..=u64::try_from(seqs.len()).expect("few")), "seed {seed}, {org}");
        }
    }
}

/// What a workload is for: every kind of event, refusal, reject and flag comes up, none only by luck.
#[test]
fn every_outcome_occurs() {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let mut count = |what: String| *seen.entry(what).or_default() += 1;
    for seed in 0..60 {
        let workload = Workload::generate(seed, Options::default());
        let outputs = workload.steps.iter().flat_map(|step| &step.expected).chain(&workload.expected_at_end);
        for output in outputs {
            let text = |key: &str| output[key].as_str().unwrap_or("").to_owned();
            count(format!("{} {}", text("type"), text("kind")).trim_end().to_owned());
            count(format!("reason {}", text("reason")));
            count(format!("unrated {}", output["charge"]["unrated"].as_str().unwrap_or("")));
            count(format!("bound {}", output["charge"]["bound"].as_str().unwrap_or("")));
            for what in output["funding"].as_array().into_iter().flatten().flat_map(|line| told(output, line)) {
                count(what);
            }
            if let Some(percent) = output["percent"].as_i64() {
                count(format!("threshold {percent} by a pool"));
            }
            if output["type"] == "PostUsageStatement" && text("amount").starts_with('-') {
                count("statement of less".to_owned());
            }
            for flag in output["flags"].as_array().into_iter().flatten() {
                count(format!("flag {}", flag.as_str().unwrap_or("")));
            }
        }
    }
    for what in EXPECTED.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let times = seen.get(what).copied().unwrap_or(0);
        assert!(times >= 5, "{what}: only {times} times in {seen:#?}");
    }
}

/// What one line of a debit is an example of.
fn told(debit: &Value, line: &Value) -> Vec<String> {
    let text = |key: &str| line[key].as_str().unwrap_or("").to_owned();
    let kind = text("type");
    if let Some(reverses) = debit.get("reverses") {
        let returned = if line["returnedTo"].is_string() { " returned" } else { "" };
        let by = if reverses.get("void").is_some() { "a void" } else { "a revision" };
        return vec![format!("reversed {kind}{returned}"), format!("reversed by {by}")];
    }
    let mut all = vec![format!("funding {kind}")];
    if kind == "pool" {
        all.push(format!("pool {} {}", text("pool"), text("use")));
        if debit["charge"].get("ratedSeconds").is_some() {
            all.push(format!("split {}", text("pool").split('/').next().unwrap_or("")));
            let has = |kind: &str| debit["funding"].as_array().into_iter().flatten().any(|line| line["type"] == kind);
            all.extend(has("unlicensed").then(|| "split and unlicensed".to_owned()));
            all.extend(debit["charge"].get("unrated").map(|_| "split and unrated".to_owned()));
        }
    }
    all
}

const EXPECTED: &str = "
    AccountOpened
    FundsAdded
    OverdraftSettled
    Adjusted
    LotExpired
    LotForfeited
    LotRefunded
    BalanceExhausted
    AutoRechargeConfigured
    RechargeRequested
    RechargeSucceeded
    InvoiceIssued
    RechargeAttemptFailed
    RechargeFailed
    RechargeCapReached
    RatePlanSet
    ModeSet
    AccountClosed
    CommandRefused
    LicenceAssigned
    LicenceRemoved
    PoolThresholdReached
    FundsReturned
    PostUsageStatement
    duplicate cdr
    duplicate command
    reject cdr
    reject command
    reason missing-field
    reason bad-field
    reason unknown-call-type
    reason bad-number
    reason end-before-start
    reason negative-duration
    reason unknown-org
    reason org-closed
    reason in-the-future
    reason too-late
    reason quarantined
    reason org-mismatch
    reason nothing-to-void
    reason unrated
    reason undecodable
    reason account-exists
    reason account-closed
    reason currency-mismatch
    reason unknown-rate-plan
    reason lot-exists
    reason amount-not-positive
    reason lot-in-the-future
    reason lot-already-expired
    reason insufficient-balance
    reason unknown-lot
    reason lot-not-refundable
    reason recharge-amount-too-small
    reason recharge-amount-not-whole
    reason trigger-not-whole
    reason cap-below-amount
    reason unknown-recharge
    reason already-settled
    reason no-attempt-pending
    reason licence-not-held
    reason recharge-amount-mismatch
    unrated no-row
    unrated no-deck
    unrated not-sold
    unrated nothing-visible
    bound minimum
    bound maximum
    funding lot
    funding overdraft
    funding postUsage
    funding uncollected
    funding unlicensed
    funding pool
    pool MCOPSTN1/US domestic
    pool MCOPSTN1/GB domestic
    pool MCOPSTN2/US international
    pool MCOPSTN2/DE domestic
    pool MCOPSTN2/CA domestic
    pool MCOPSTN5/US domestic
    pool MCOPSTN6/GB domestic
    pool MCOPSTN8/user-0 domestic
    pool MCOMEETADV dial-out
    split MCOPSTN5
    split MCOPSTN8
    split MCOPSTN2
    split MCOMEETADV
    split and unrated
    split and unlicensed
    threshold 80 by a pool
    threshold 100 by a pool
    reversed lot
    reversed lot returned
    reversed overdraft
    reversed overdraft returned
    reversed postUsage
    reversed uncollected
    reversed unlicensed
    reversed pool
    reversed by a void
    reversed by a revision
    statement of less
    flag masked
    flag masked-uncertain
    flag unrated
    flag blocked
    flag zero-seconds
    flag long-call
    flag duration-mismatch
    flag user-in
    flag direct-routing
    flag emergency
    flag toll-number
    flag included
    flag dial-out-add-on
    flag reversal
";
