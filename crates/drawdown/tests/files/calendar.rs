//! The calendar through `drawdown rate`: what happens on either side of a month's end, a leap day, an expiry, a change
//! of clocks or of licences. Every figure is worked out by hand from domain.md and boundaries.md.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

/// One unit of money per minute, by the minute, to the United States and the United Kingdom.
const PLAIN: [(&str, &str); 1] = [(
    "version = 1\neffectiveFrom = \"2019-01-01T00:00:00Z\"",
    "prefix,destination,price_per_minute\n1,US,1\n44,UK,1\n",
)];

/// Runs the inputs of a script (unindented) in one organisation, and compares what they lead to with its indented lines.
fn check(script: &str) {
    check_with(&PLAIN, script);
}

/// The same with decks of one's own: what a manifest says besides the usual, and its rows.
fn check_with(decks: &[(&str, &str)], script: &str) {
    let directory = tempfile::tempdir().expect("a directory for the test");
    let lines: Vec<&str> = script.lines().filter(|line| !line.trim().is_empty()).collect();
    let base = lines.first().map_or(0, |line| indentation(line));
    let (inputs, expected): (Vec<&str>, Vec<&str>) = lines.iter().partition(|line| indentation(line) == base);
    let decks = write_decks(directory.path(), decks);
    let until = write_inputs(directory.path(), &inputs);
    let mut rate = drawdown(directory.path(), "rate --commands commands calls --dedup-days 60 --out out");
    run(rate.args(&decks).args(until));
    // The books are sound, and every charge is what its deck says.
    run(drawdown(directory.path(), "verify out").args(&decks));
    let read = |name: &str| std::fs::read_to_string(directory.path().join("out").join(name)).expect("an output");
    assert_eq!(read("rejects.jsonl"), "");
    let expected: Vec<&str> = expected.iter().map(|line| line.trim()).collect();
    let found = outcome(&(read("debits.jsonl") + &read("account-events.jsonl")));
    assert_eq!(found, expected, "found\n{}", found.join("\n"));
}

fn drawdown(directory: &Path, arguments: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_drawdown"));
    command.current_dir(directory).args(arguments.split(' '));
    command
}

fn run(command: &mut Command) {
    let output = command.output().expect("drawdown runs");
    let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{command:?}\n{stdout}{stderr}");
}

/// Writes the decks, and returns the options that name them.
fn write_decks(directory: &Path, decks: &[(&str, &str)]) -> Vec<String> {
    let mut options = Vec::new();
    for (index, (manifest, rows)) in decks.iter().enumerate() {
        let (name, rows_name) = (format!("deck-{index}.toml"), format!("deck-{index}.csv"));
        let usual = "id = \"deck\"\ncurrency = \"USD\"\nrounding = { mode = \"half-up\", decimals = 6 }\n";
        write(directory, &rows_name, rows);
        write(directory, &name, &format!("{usual}rows = \"{rows_name}\"\n{manifest}"));
        options.extend(["--deck".to_owned(), name]);
    }
    options
}

/// Writes the inputs of a script, and returns the option that lets time run on.
fn write_inputs(directory: &Path, inputs: &[&str]) -> Vec<String> {
    let (mut commands, mut calls, mut until) = (String::new(), String::new(), Vec::new());
    for (number, line) in inputs.iter().enumerate() {
        let words: Vec<&str> = line.split_whitespace().collect();
        let at = instant(words[0]);
        match words[1] {
            "until" => until = vec!["--until".to_owned(), at],
            "call" => calls += &format!("{}\n", call(&at, &words[2..])),
            _ => commands += &format!("{}\n", command(number, &at, &words[1..])),
        }
    }
    write(directory, "commands", &commands);
    write(directory, "calls", &calls);
    until
}

fn indentation(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

fn write(directory: &Path, name: &str, text: &str) {
    std::fs::write(directory.join(name), text).expect("the file is written");
}

/// `2026-03-01`, `2026-03-01T10:00`, with seconds, or with an offset.
fn instant(text: &str) -> String {
    match text.len() {
        10 => format!("{text}T00:00:00Z"),
        16 => format!("{text}:00Z"),
        _ if text.contains('+') => text.to_owned(),
        _ => format!("{text}Z"),
    }
}

/// The shortest form that [`instant`] reads.
fn short(text: &str) -> &str {
    let text = text.strip_suffix("T00:00:00Z").or(text.strip_suffix(":00Z")).unwrap_or(text);
    text.strip_suffix('Z').unwrap_or(text)
}

/// `<id> <number> <seconds> [by <user>] [from <start>] [rev <n>] [void]`, received at `at`; it starts then unless told.
fn call(at: &str, words: &[&str]) -> Value {
    let after = |name| words.iter().position(|word| *word == name).map(|index| words[index + 1]);
    json!({
        "id": words[0], "orgId": "acme", "callType": "user_out", "calleeNumber": words[1],
        "duration": words[2].parse::<u64>().expect("seconds"), "userId": after("by").unwrap_or("u1"),
        "startDateTime": after("from").map_or_else(|| at.to_owned(), instant), "receivedAt": at,
        "revision": after("rev").unwrap_or("0").parse::<u64>().expect("a number"), "void": words.contains(&"void"),
    })
}

fn command(number: usize, at: &str, words: &[&str]) -> Value {
    let mut command = match words {
        ["open", licensing] => {
            json!({"type": "openAccount", "currency": "USD", "ratePlan": "standard", "mode": "prepaid", "country": "US",
                "licensing": licensing})
        }
        ["mode", mode] => json!({"type": "setMode", "mode": mode}),
        ["buy", lot, amount] => json!({"type": "addFunds", "lotId": lot, "amount": amount, "purchasedAt": at}),
        ["buy", lot, amount, "on", purchased] => {
            json!({"type": "addFunds", "lotId": lot, "amount": amount, "purchasedAt": instant(purchased)})
        }
        ["licence", licence, user] => {
            json!({"type": "assignLicence", "userId": user, "licence": licence, "country": "US"})
        }
        ["unlicence", licence, user] => json!({"type": "removeLicence", "userId": user, "licence": licence}),
        ["recharge", amount, "below", trigger, "cap", cap] => json!({"type": "configureAutoRecharge", "enabled": true,
            "rechargeAmount": amount, "triggerAmount": trigger, "monthlyCap": cap, "paymentMethod": {"card": "tok"}}),
        ["close"] => json!({"type": "closeAccount"}),
        ["paid", id] => {
            json!({"type": "settleRecharge", "rechargeId": id, "outcome": "succeeded", "processedAt": at})
        }
        _ => panic!("no such input: {words:?}"),
    };
    command["commandId"] = json!(format!("c{number}"));
    command["orgId"] = json!("acme");
    command["at"] = json!(at);
    command
}

/// What is told of an event, in this order, as far as it has it.
const TOLD: [&str; 14] = [
    "rechargeId",
    "lotId",
    "pool",
    "use",
    "month",
    "percent",
    "used",
    "size",
    "amount",
    "postUsage",
    "overdraft",
    "counted",
    "purchasedAt",
    "expiresAt",
];

/// Debits and events in the order of their numbers, one a line; events that only repeat a command are left out.
fn outcome(lines: &str) -> Vec<String> {
    let mut records: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    records.sort_by_key(|record| record["seq"].as_u64());
    let echoes = ["AccountOpened", "ModeSet", "LicenceAssigned", "LicenceRemoved", "AutoRechargeConfigured"];
    records.iter().filter(|record| !echoes.contains(&text(&record["type"]).as_str())).map(line).collect()
}

fn line(record: &Value) -> String {
    let mut words = vec![short(&text(&record["at"])).to_owned(), text(&record["type"])];
    if record["type"] == "debit" {
        words.extend([text(&record["id"]), text(&record["charge"]["amount"])]);
        words.extend(record["funding"].as_array().expect("funding").iter().map(funding));
    } else {
        let told = TOLD.iter().filter_map(|name| record.get(name).map(text));
        words.extend(told.map(|value| short(&value).to_owned()));
    }
    words.push(format!("= {}", text(&record["balanceAfter"])));
    words.extend(record["flags"].as_array().into_iter().flatten().map(|flag| format!("#{}", text(flag))));
    words.join(" ")
}

fn funding(line: &Value) -> String {
    let change = format!("{}→{}", text(&line["before"]), text(&line["after"]));
    match text(&line["type"]).as_str() {
        "pool" => format!("{}/{} {change}/{}", text(&line["pool"]), text(&line["month"]), text(&line["size"])),
        "lot" => format!("{} {change}", text(&line["lotId"])),
        other => format!("{other} {change}"),
    }
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Section 4, P13, T8: the pool is that of the UTC month of the start, to the last tenth of a microsecond, whenever the
/// record comes and whenever the call ends.
#[test]
fn pools_belong_to_the_month_of_the_start() {
    check(
        "
        2026-03-01 open none
        2026-03-01 licence MCOPSTN5 u1
        2026-04-01T00:01 call last  +12125550100 60 from 2026-03-31T23:59:59.9999999
            2026-04-01T00:01 debit last 0.00 MCOPSTN5/US/2026-03 0→1/120 = 0.00 #included
        2026-04-01T00:02 call first +12125550100 60 from 2026-04-01
            2026-04-01T00:02 debit first 0.00 MCOPSTN5/US/2026-04 0→1/120 = 0.00 #included
        2026-04-01T00:10 call over  +12125550100 1200 from 2026-03-31T23:50
            2026-04-01T00:10 debit over 0.00 MCOPSTN5/US/2026-03 1→21/120 = 0.00 #included
        2026-04-01T00:11 call east  +12125550100 61 from 2026-04-01T01:59:59+02:00
            2026-04-01T00:11 debit east 0.00 MCOPSTN5/US/2026-03 21→23/120 = 0.00 #included
        2026-04-20 call late  +12125550100 60 from 2026-03-15
            2026-04-20 debit late 0.00 MCOPSTN5/US/2026-03 23→24/120 = 0.00 #included
        2026-04-20 call now   +12125550100 60
            2026-04-20 debit now 0.00 MCOPSTN5/US/2026-04 1→2/120 = 0.00 #included
        ",
    );
}

/// Section 4, P1, P9: a call of last month finds last month's pool as it was left, and is told of by that month's events;
/// this month's minutes are no help.
#[test]
fn a_late_call_cannot_draw_the_new_month() {
    check(
        "
        2026-03-01 open none
        2026-03-01 licence MCOPSTN8 u1
        2026-03-10 call C1 +12125550100 5700
            2026-03-10 debit C1 0.00 MCOPSTN8/u1/2026-03 0→95/120 = 0.00 #included
        2026-04-02 call C2 +12125550100 1800 from 2026-03-31T23:45
            2026-04-02 debit C2 5.00 MCOPSTN8/u1/2026-03 95→120/120 overdraft 0.00→5.00 = -5.00
            2026-04-02 PoolThresholdReached MCOPSTN8/u1 domestic 2026-03 80 120 120 = -5.00
            2026-04-02 PoolThresholdReached MCOPSTN8/u1 domestic 2026-03 100 120 120 = -5.00
        2026-04-02 call C3 +12125550100 60 from 2026-03-31T23:59:59
            2026-04-02 debit C3 1.00 overdraft 5.00→6.00 = -6.00
        2026-04-02 call C4 +12125550100 5760 from 2026-04-01
            2026-04-02 debit C4 0.00 MCOPSTN8/u1/2026-04 0→96/120 = -6.00 #included
            2026-04-02 PoolThresholdReached MCOPSTN8/u1 domestic 2026-04 80 96 120 = -6.00
        ",
    );
}

/// Section 4: a month ends with its last day, be it the 28th, 29th, 30th or 31st; what was used up is there anew.
#[test]
fn pools_start_anew_on_the_first() {
    for (last, first) in [
        ("2026-01-31", "2026-02-01"),
        ("2026-02-28", "2026-03-01"),
        ("2026-04-30", "2026-05-01"),
        ("2026-12-31", "2027-01-01"),
        ("2028-02-29", "2028-03-01"),
        ("2100-02-28", "2100-03-01"),
    ] {
        let (old, new) = (&last[..7], &first[..7]);
        check(&format!(
            "
            {old}-01 open none
            {old}-01 licence MCOPSTN8 u1
            {last}T23:59:59.9999999 call C1 +12125550100 7200
                {last}T23:59:59.9999999 debit C1 0.00 MCOPSTN8/u1/{old} 0→120/120 = 0.00 #included
                {last}T23:59:59.9999999 PoolThresholdReached MCOPSTN8/u1 domestic {old} 80 120 120 = 0.00
                {last}T23:59:59.9999999 PoolThresholdReached MCOPSTN8/u1 domestic {old} 100 120 120 = 0.00
            {first} call C2 +12125550100 3600
                {first} debit C2 0.00 MCOPSTN8/u1/{new} 0→60/120 = 0.00 #included
            ",
        ));
    }
}

/// Section 4, P7: either figure of an `MCOPSTN2` closes both until the month ends; a late call finds them closed.
#[test]
fn a_closed_pool_opens_on_the_first() {
    check(
        "
        2026-03-01 open none
        2026-03-01 licence MCOPSTN2 u1
        2026-03-30 call C1 +442071838750 36000
            2026-03-30 debit C1 0.00 MCOPSTN2/US/2026-03 0→600/600 = 0.00 #included
            2026-03-30 PoolThresholdReached MCOPSTN2/US international 2026-03 80 600 600 = 0.00
            2026-03-30 PoolThresholdReached MCOPSTN2/US international 2026-03 100 600 600 = 0.00
        2026-04-01 call C2 +12125550100 60 from 2026-03-31T23:59:59.9999999
            2026-04-01 debit C2 1.00 overdraft 0.00→1.00 = -1.00
        2026-04-01 call C3 +12125550100 60 from 2026-04-01
            2026-04-01 debit C3 0.00 MCOPSTN2/US/2026-04 0→1/3000 = -1.00 #included
        2026-04-01 call C4 +442071838750 60 from 2026-04-01
            2026-04-01 debit C4 0.00 MCOPSTN2/US/2026-04 0→1/600 = -1.00 #included
        ",
    );
}

/// P4, D1: a call at the very end of the window finds its month's pool and a licence that is long gone.
#[test]
fn old_months_are_kept_as_long_as_their_calls_are_taken() {
    check(
        "
        2026-02-01 open none
        2026-02-01 licence MCOPSTN8 u1
        2026-02-05 call C1 +12125550100 6000
            2026-02-05 debit C1 0.00 MCOPSTN8/u1/2026-02 0→100/120 = 0.00 #included
            2026-02-05 PoolThresholdReached MCOPSTN8/u1 domestic 2026-02 80 100 120 = 0.00
        2026-02-10 unlicence MCOPSTN8 u1
        2026-03-05 call C2 +12125550100 60
            2026-03-05 debit C2 1.00 overdraft 0.00→1.00 = -1.00
        2026-04-02T12:00 call C3 +12125550100 1800 from 2026-02-01T12:00
            2026-04-02T12:00 debit C3 10.00 MCOPSTN8/u1/2026-02 100→120/120 overdraft 1.00→11.00 = -11.00
            2026-04-02T12:00 PoolThresholdReached MCOPSTN8/u1 domestic 2026-02 100 120 120 = -11.00
        ",
    );
}

/// Section 4: in a leap year 29 February still lives on February's minutes.
#[test]
fn a_leap_day_is_of_february() {
    check(
        "
        2028-02-01 open none
        2028-02-01 licence MCOPSTN8 u1
        2028-02-28T23:59 call C1 +12125550100 5700
            2028-02-28T23:59 debit C1 0.00 MCOPSTN8/u1/2028-02 0→95/120 = 0.00 #included
        2028-02-29 call C2 +12125550100 60
            2028-02-29 debit C2 0.00 MCOPSTN8/u1/2028-02 95→96/120 = 0.00 #included
            2028-02-29 PoolThresholdReached MCOPSTN8/u1 domestic 2028-02 80 96 120 = 0.00
        2028-03-01 call C3 +12125550100 1560 from 2028-02-29T23:59
            2028-03-01 debit C3 2.00 MCOPSTN8/u1/2028-02 96→120/120 overdraft 0.00→2.00 = -2.00
            2028-03-01 PoolThresholdReached MCOPSTN8/u1 domestic 2028-02 100 120 120 = -2.00
        2028-03-01 call C4 +12125550100 60
            2028-03-01 debit C4 0.00 MCOPSTN8/u1/2028-03 0→1/120 = -2.00 #included
        ",
    );
}

/// Section 6, T8, L4: twelve months keep day and time of day, but 29 February becomes 28; 48 hours later are two days
/// whatever the month.
#[test]
fn lots_of_odd_days() {
    for (purchased, notice, expires, forfeits) in [
        ("2028-02-29T10:00", "2029-01-29T10:00", "2029-02-28T10:00", "2029-03-02T10:00"),
        ("2027-02-28T10:00", "2028-01-29T10:00", "2028-02-28T10:00", "2028-03-01T10:00"),
        ("2027-03-01", "2028-01-31", "2028-03-01", "2028-03-03"),
        (
            "2026-08-31T23:59:59.9999999",
            "2027-08-01T23:59:59.9999999",
            "2027-08-31T23:59:59.9999999",
            "2027-09-02T23:59:59.9999999",
        ),
        ("2026-12-31", "2027-12-01", "2027-12-31", "2028-01-02"),
        ("2026-10-25T00:30", "2027-09-25T00:30", "2027-10-25T00:30", "2027-10-27T00:30"),
    ] {
        check(&format!(
            "
            2026-01-01 open none
            {purchased} buy L1 10.00
                {purchased} FundsAdded L1 10.00 {purchased} {expires} = 10.00
                {notice} LotExpiring L1 10.00 {expires} = 10.00
                {expires} LotExpired L1 10.00 = 0.00
                {expires} BalanceExhausted = 0.00
                {forfeits} LotForfeited L1 10.00 = 0.00
            {forfeits} until
            ",
        ));
    }
}

/// Section 6, L3, L4, T1: a call that started in the lot's time draws it, to the last instant of its 48 hours, and then no
/// more; the start at the very expiry is too late.
#[test]
fn a_lot_expires_in_mid_call() {
    check(
        "
        2027-02-01 open none
        2027-02-01 buy L1 7.00 on 2026-03-01T12:00
            2027-02-01 FundsAdded L1 7.00 2026-03-01T12:00 2027-03-01T12:00 = 7.00
        2027-02-01 buy L2 9.00 on 2026-06-01
            2027-02-01 FundsAdded L2 9.00 2026-06-01 2027-06-01 = 16.00
        2027-03-01T12:02:30 call C1 +12125550100 180 from 2027-03-01T11:59:30
            2027-03-01T12:00 LotExpired L1 7.00 = 9.00
            2027-03-01T12:02:30 debit C1 3.00 L1 7.00→4.00 = 9.00
        2027-03-01T12:03 call C2 +12125550100 60 from 2027-03-01T12:00
            2027-03-01T12:03 debit C2 1.00 L2 9.00→8.00 = 8.00
        2027-03-01T12:04 call C3 +12125550100 60 from 2027-03-01T11:59:59.9999999
            2027-03-01T12:04 debit C3 1.00 L1 4.00→3.00 = 8.00
        2027-03-03T11:59:59.9999999 call C4 +12125550100 60 from 2027-03-01T11:00
            2027-03-03T11:59:59.9999999 debit C4 1.00 L1 3.00→2.00 = 8.00
        2027-03-03T12:00 call C5 +12125550100 60 from 2027-03-01T11:00
            2027-03-03T12:00 LotForfeited L1 2.00 = 8.00
            2027-03-03T12:00 debit C5 1.00 L2 8.00→7.00 = 7.00
        ",
    );
}

/// Section 6: one charge over a lot that has expired since the start and one that has not.
#[test]
fn a_call_is_paid_by_an_expired_lot_and_the_next() {
    check(
        "
        2027-02-01 open none
        2027-02-01 buy L1 2.00 on 2026-03-01T12:00
            2027-02-01 FundsAdded L1 2.00 2026-03-01T12:00 2027-03-01T12:00 = 2.00
        2027-03-01T12:01 buy L2 5.00
            2027-03-01T12:00 LotExpired L1 2.00 = 0.00
            2027-03-01T12:00 BalanceExhausted = 0.00
            2027-03-01T12:01 FundsAdded L2 5.00 2027-03-01T12:01 2028-03-01T12:01 = 5.00
        2027-03-01T12:05 call C1 +12125550100 300 from 2027-03-01T11:59
            2027-03-01T12:05 debit C1 5.00 L1 2.00→0.00 L2 5.00→2.00 = 2.00
        2027-03-04 until
        ",
    );
}

/// Section 6: a lot bought after the start pays, in mid-call or after the end; bought after the record it settles.
#[test]
fn a_lot_is_bought_in_mid_call() {
    check(
        "
        2026-03-01 open none
        2026-03-01T10:05 buy L1 10.00
            2026-03-01T10:05 FundsAdded L1 10.00 2026-03-01T10:05 2027-03-01T10:05 = 10.00
        2026-03-01T10:10 call C1 +12125550100 600 from 2026-03-01T10:00
            2026-03-01T10:10 debit C1 10.00 L1 10.00→0.00 = 0.00
            2026-03-01T10:10 BalanceExhausted = 0.00
        2026-03-01T11:00 buy L2 1.00
            2026-03-01T11:00 FundsAdded L2 1.00 2026-03-01T11:00 2027-03-01T11:00 = 1.00
        2026-03-01T11:00 call C2 +12125550100 180 from 2026-03-01T10:00
            2026-03-01T11:00 debit C2 3.00 L2 1.00→0.00 overdraft 0.00→2.00 = -2.00
            2026-03-01T11:00 BalanceExhausted = -2.00
        2026-03-01T11:01 buy L3 5.00
            2026-03-01T11:01 FundsAdded L3 5.00 2026-03-01T11:01 2027-03-01T11:01 = 3.00
            2026-03-01T11:01 OverdraftSettled L3 2.00 0.00 = 3.00
        ",
    );
}

/// A deck whose calls cost 1 a minute, from 00:00 to 02:30 in Berlin 0.10, and from 02:30 to 03:00 0.01.
fn bands(selection: &str) -> (String, &'static str) {
    let days = "days = [\"mon\", \"tue\", \"wed\", \"thu\", \"fri\", \"sat\", \"sun\"]";
    let manifest = format!(
        "version = 1\neffectiveFrom = \"2019-01-01T00:00:00Z\"\n\
         [bands]\nzone = \"Europe/Berlin\"\nselection = \"{selection}\"\n\
         [[bands.band]]\nname = \"night\"\n{days}\nfrom = \"00:00\"\nto = \"02:30\"\n\
         [[bands.band]]\nname = \"dawn\"\n{days}\nfrom = \"02:30\"\nto = \"03:00\"\n"
    );
    let rows = "prefix,destination,price_per_minute,initial_s,increment_s,band\n\
                44,UK,1,60,60,\n44,UK,0.10,60,60,night\n44,UK,0.01,60,60,dawn\n\
                4479,Mobile,1,30,6,\n4479,Mobile,0.10,30,6,night\n4479,Mobile,0.01,30,6,dawn\n";
    (manifest, rows)
}

/// One call, with decks that take the band of the start or split.
fn check_bands(start: &str, number: &str, seconds: u32, by_start: &str, split: &str) {
    for (selection, charge) in [("start", by_start), ("split", split)] {
        let (manifest, rows) = bands(selection);
        let month = &start[..7];
        check_with(
            &[(&manifest, rows)],
            &format!(
                "
                {month}-01 open none
                {month}-01 mode postUsage
                {month}-31 call C1 {number} {seconds} from {start}
                    {month}-31 debit C1 {charge} postUsage 0.00→{charge} = 0.00
                ",
            ),
        );
    }
}

/// C8, C9: bands go by the clock on the wall. On 29 March 2026 it leaps from 02:00 to 03:00 at 01:00 UTC: the hour
/// between does not exist. On 25 October it goes from 03:00 back to 02:00 at 01:00 UTC: each band of that hour comes twice.
#[test]
fn bands_across_changes_of_clocks() {
    for (start, seconds, by_start, split) in [
        // 01:58, 01:59 | 03:00, 03:01
        ("2026-03-29T00:58", 240, "0.40", "2.20"),
        // The last instant of 01:59 | 03:00:59
        ("2026-03-29T00:59:59.9999999", 120, "0.20", "1.10"),
        ("2026-03-29T01:00", 120, "2.00", "2.00"),
        // The day before there is such an hour: 01:58, 01:59, 02:00, 02:01; 02:29 | 02:30
        ("2026-03-28T00:58", 240, "0.40", "0.40"),
        ("2026-03-28T01:29", 120, "0.20", "0.11"),
        // The day after, two hours ahead of UTC: 02:29 | 02:30
        ("2026-03-30T00:29", 120, "0.20", "0.11"),
        // In summer time 02:29 | 02:30
        ("2026-10-25T00:29", 120, "0.20", "0.11"),
        // 02:58, 02:59 | again 02:00, 02:01
        ("2026-10-25T00:58", 240, "0.04", "0.22"),
        ("2026-10-25T01:00", 120, "0.20", "0.20"),
        // In winter time 02:29 | 02:30
        ("2026-10-25T01:29", 120, "0.20", "0.11"),
        // 02:59 | 03:00
        ("2026-10-25T01:59", 120, "0.02", "1.01"),
        // 02:20 summer time to 03:10 winter time: 10 night, 30 dawn, 30 night, 30 dawn, 10 day.
        ("2026-10-25T00:20", 6600, "11.00", "14.60"),
        // 01:50 to 03:10 over the gap: 10 night, 10 day.
        ("2026-03-29T00:50", 1200, "2.00", "11.00"),
    ] {
        check_bands(start, "+442071838750", seconds, by_start, split);
    }
}

/// C9: increments run from the call's start, and one that the change cuts in two belongs where it began.
#[test]
fn increments_across_changes_of_clocks() {
    for (start, seconds, by_start, split) in [
        // 30 s and 6 s begin in the night, 6 s after the leap.
        ("2026-03-29T00:59:27", 42, "0.07", "0.16"),
        // 30 s begin in the night and end after the leap; 6 s, begun and charged whole.
        ("2026-03-29T00:59:59", 31, "0.06", "0.15"),
        // 30 s at dawn in summer time, 6 s that end in the winter time's night, 12 s there.
        ("2026-10-25T00:59:29", 43, "0.008", "0.026"),
    ] {
        check_bands(start, "+447911123456", seconds, by_start, split);
    }
}

/// C8: a day begins at midnight on the wall, and a holiday is one whatever its weekday: in Berlin Friday 25 December 2026
/// runs from 23:00 to 23:00 UTC.
#[test]
fn holidays_begin_at_local_midnight() {
    let manifest = "version = 1\neffectiveFrom = \"2019-01-01T00:00:00Z\"\n\
                    [bands]\nzone = \"Europe/Berlin\"\nselection = \"split\"\nholidays = [\"2026-12-25\"]\n\
                    [[bands.band]]\nname = \"feast\"\ndays = [\"holiday\"]\nfrom = \"00:00\"\nto = \"24:00\"\n\
                    [[bands.band]]\nname = \"friday\"\ndays = [\"fri\"]\nfrom = \"00:00\"\nto = \"24:00\"\n";
    let rows = "prefix,destination,price_per_minute,band\n44,UK,1,\n44,UK,0.10,feast\n44,UK,0.01,friday\n";
    check_with(
        &[(manifest, rows)],
        "
        2026-12-01 open none
        2026-12-01 mode postUsage
        2026-12-24T23:02 call C1 +442071838750 180 from 2026-12-24T22:59
            2026-12-24T23:02 debit C1 1.20 postUsage 0.00→1.20 = 0.00
        2026-12-25T23:02 call C2 +442071838750 180 from 2026-12-25T22:58
            2026-12-25T23:02 debit C2 1.20 postUsage 1.20→2.40 = 0.00
        2026-12-26T00:00 call C3 +442071838750 60 from 2026-12-18T22:59
            2026-12-26 debit C3 0.01 postUsage 2.40→2.41 = 0.00
        ",
    );
}

/// C4, section 3: the deck in force at the start prices the whole call; its first instant is its own.
#[test]
fn decks_change_at_an_instant() {
    let rows = |price| format!("prefix,destination,price_per_minute\n1,US,{price}\n");
    check_with(
        &[
            ("version = 1\neffectiveFrom = \"2019-01-01T00:00:00Z\"", &rows(1)),
            ("version = 2\neffectiveFrom = \"2026-04-01T00:00:00Z\"", &rows(3)),
        ],
        "
        2026-03-01 open none
        2026-04-01T01:00 call C1 +12125550100 600 from 2026-03-31T23:59:59.9999999
            2026-04-01T01:00 debit C1 10.00 overdraft 0.00→10.00 = -10.00
        2026-04-01T01:00 call C2 +12125550100 600 from 2026-04-01
            2026-04-01T01:00 debit C2 30.00 overdraft 10.00→40.00 = -40.00
        ",
    );
}

/// Section 8, T3, T7: what accrued in a month is stated at the next one's first instant, before the record of that
/// instant; what a late call or a reversal changes is of the month that books it; nothing new, nothing stated.
#[test]
fn post_usage_is_stated_at_the_first_instant() {
    check(
        "
        2026-11-01 open none
        2026-11-01 mode postUsage
        2026-11-30T23:59:59.9999999 call C1 +12125550100 60
            2026-11-30T23:59:59.9999999 debit C1 1.00 postUsage 0.00→1.00 = 0.00
        2026-12-01 call C2 +12125550100 120 from 2026-11-30T23:59
            2026-12-01 PostUsageStatement 2026-11 1.00 1.00 = 0.00
            2026-12-01 debit C2 2.00 postUsage 1.00→3.00 = 0.00
        2026-12-31T23:59 call C3 +12125550100 240
            2026-12-31T23:59 debit C3 4.00 postUsage 3.00→7.00 = 0.00
        2027-01-20 call C2 +12125550100 120 from 2026-11-30T23:59 rev 1 void
            2027-01-01 PostUsageStatement 2026-12 6.00 7.00 = 0.00
            2027-01-20 debit C2 -2.00 postUsage 7.00→5.00 = 0.00 #reversal
        2027-06-01 until
            2027-02-01 PostUsageStatement 2027-01 -2.00 5.00 = 0.00
        ",
    );
}

/// R5, R6, T7: the cap refuses until the month's last instant; at the next month's first the statement comes first and
/// then the request, which counts in the new month.
#[test]
fn the_cap_starts_anew_after_the_statement() {
    check(
        "
        2026-03-01 open none
        2026-03-01 mode postUsage
        2026-03-01T08:00 call C1 +12125550100 120
            2026-03-01T08:00 debit C1 2.00 postUsage 0.00→2.00 = 0.00
        2026-03-01T09:00 mode prepaid
        2026-03-02 recharge 50 below 15 cap 50
            2026-03-02 RechargeRequested acme/1 50.00 = 0.00
        2026-03-02T00:01 paid acme/1
            2026-03-02T00:01 RechargeSucceeded acme/1 acme/1 50.00 2026-03-02T00:01 2027-03-02T00:01 = 50.00
            2026-03-02T00:01 InvoiceIssued acme/1 acme/1 50.00 = 50.00
        2026-03-31T23:00 call C2 +12125550100 2100
            2026-03-31T23:00 debit C2 35.00 acme/1 50.00→15.00 = 15.00
        2026-03-31T23:59:59.9999999 call C3 +12125550100 60
            2026-03-31T23:59:59.9999999 debit C3 1.00 acme/1 15.00→14.00 = 14.00
            2026-03-31T23:59:59.9999999 RechargeCapReached 2026-03 50.00 = 14.00
        2026-04-01 call C4 +12125550100 60
            2026-04-01 PostUsageStatement 2026-03 2.00 2.00 = 14.00
            2026-04-01 RechargeRequested acme/2 50.00 = 14.00
            2026-04-01 debit C4 1.00 acme/1 14.00→13.00 = 13.00
        ",
    );
}

/// Section 8, L18: what a closed account owes (post-usage, overdraft) is stated on the first like any other's.
#[test]
fn a_closed_account_is_stated() {
    check(
        "
        2026-03-01 open none
        2026-03-01 mode postUsage
        2026-03-31T22:00 call C1 +12125550100 60
            2026-03-31T22:00 debit C1 1.00 postUsage 0.00→1.00 = 0.00
        2026-03-31T23:00 close
            2026-03-31T23:00 AccountClosed 1.00 0.00 = 0.00
        2026-06-01 until
            2026-04-01 PostUsageStatement 2026-03 1.00 1.00 = 0.00
        ",
    );
}

/// T7, L5, R5: all that may fall on one first instant: a lot expires, which exhausts the balance and asks for money that
/// counts in the month that begins; another is forfeited; then the statement.
#[test]
fn everything_is_due_at_one_instant() {
    check(
        "
        2027-02-01 open none
        2027-02-01 mode postUsage
        2027-02-01 call C1 +12125550100 120
            2027-02-01 debit C1 2.00 postUsage 0.00→2.00 = 0.00
        2027-02-02 mode prepaid
        2027-02-02 recharge 50 below 15 cap 50
            2027-02-02 RechargeRequested acme/1 50.00 = 0.00
        2027-02-02T00:01 paid acme/1
            2027-02-02T00:01 RechargeSucceeded acme/1 acme/1 50.00 2027-02-02T00:01 2028-02-02T00:01 = 50.00
            2027-02-02T00:01 InvoiceIssued acme/1 acme/1 50.00 = 50.00
        2027-02-04 call C2 +12125550100 3000
            2027-02-04 debit C2 50.00 acme/1 50.00→0.00 = 0.00
            2027-02-04 BalanceExhausted = 0.00
            2027-02-04 RechargeCapReached 2027-02 50.00 = 0.00
        2027-02-05 buy L1 10.00 on 2026-02-27
            2027-02-05 FundsAdded L1 10.00 2026-02-27 2027-02-27 = 10.00
        2027-02-05 buy L2 10.00 on 2026-03-01
            2027-02-05 FundsAdded L2 10.00 2026-03-01 2027-03-01 = 20.00
        2027-03-01 until
            2027-02-27 LotExpired L1 10.00 = 10.00
            2027-03-01 LotExpired L2 10.00 = 0.00
            2027-03-01 BalanceExhausted = 0.00
            2027-03-01 RechargeRequested acme/2 50.00 = 0.00
            2027-03-01 LotForfeited L1 10.00 = 0.00
            2027-03-01 PostUsageStatement 2027-02 2.00 2.00 = 0.00
        ",
    );
}

/// P3, P4, P9: a pool has the size of the licences at the call's start, to the instant, and never less than was used; a
/// call made before a removal finds its minutes; the next month has those of its own holders.
#[test]
fn licences_come_and_go_in_mid_month() {
    check(
        "
        2026-03-01 open none
        2026-03-01 licence MCOPSTN5 u1
        2026-03-10 call C1 +12125550100 7320
            2026-03-10 debit C1 2.00 MCOPSTN5/US/2026-03 0→120/120 overdraft 0.00→2.00 = -2.00
            2026-03-10 PoolThresholdReached MCOPSTN5/US domestic 2026-03 80 120 120 = -2.00
            2026-03-10 PoolThresholdReached MCOPSTN5/US domestic 2026-03 100 120 120 = -2.00
        2026-03-15T12:00 licence MCOPSTN5 u2
        2026-03-15T12:01 call C2 +12125550100 60 from 2026-03-15T11:59:59.9999999
            2026-03-15T12:01 debit C2 1.00 overdraft 2.00→3.00 = -3.00
        2026-03-15T12:31 call C3 +12125550100 1800 from 2026-03-15T12:00
            2026-03-15T12:31 debit C3 0.00 MCOPSTN5/US/2026-03 120→150/240 = -3.00 #included
        2026-03-15T12:32 call C4 +12125550100 60 by u2 from 2026-03-15T11:59:59.9999999
            2026-03-15T12:32 debit C4 1.00 overdraft 3.00→4.00 = -4.00
        2026-03-20 unlicence MCOPSTN5 u2
        2026-03-20T00:01 call C5 +12125550100 60 by u2 from 2026-03-19T23:59:59.9999999
            2026-03-20T00:01 debit C5 0.00 MCOPSTN5/US/2026-03 150→151/240 = -4.00 #included
        2026-03-20T00:02 call C6 +12125550100 60 by u2 from 2026-03-20
            2026-03-20T00:02 debit C6 1.00 overdraft 4.00→5.00 = -5.00
        2026-03-20T00:03 call C7 +12125550100 60 from 2026-03-20
            2026-03-20T00:03 debit C7 1.00 overdraft 5.00→6.00 = -6.00
        2026-03-20T00:04 call C8 +12125550100 60 from 2026-03-19
            2026-03-20T00:04 debit C8 0.00 MCOPSTN5/US/2026-03 151→152/240 = -6.00 #included
        2026-04-01 call C9 +12125550100 60
            2026-04-01 debit C9 0.00 MCOPSTN5/US/2026-04 0→1/120 = -6.00 #included
        ",
    );
}

/// P15: a pool of one's own goes on when its licence comes back in the same month, and starts anew in the next.
#[test]
fn a_licence_comes_back_in_the_same_month() {
    check(
        "
        2026-03-01 open none
        2026-03-01 licence MCOPSTN8 u1
        2026-03-02 call C1 +12125550100 3000
            2026-03-02 debit C1 0.00 MCOPSTN8/u1/2026-03 0→50/120 = 0.00 #included
        2026-03-05 unlicence MCOPSTN8 u1
        2026-03-06 call C2 +12125550100 60
            2026-03-06 debit C2 1.00 overdraft 0.00→1.00 = -1.00
        2026-03-31 licence MCOPSTN8 u1
        2026-03-31T12:00 call C3 +12125550100 60
            2026-03-31T12:00 debit C3 0.00 MCOPSTN8/u1/2026-03 50→51/120 = -1.00 #included
        2026-04-01 call C4 +12125550100 60
            2026-04-01 debit C4 0.00 MCOPSTN8/u1/2026-04 0→1/120 = -1.00 #included
        ",
    );
}

/// P3, P4: a holder who leaves with the month has its minutes to the last instant of it, however late the record; one who
/// joins with the month has none before.
#[test]
fn licences_change_with_the_month() {
    check(
        "
        2026-03-01 open none
        2026-03-01 licence MCOPSTN5 u1
        2026-03-01 licence MCOPSTN5 u2
        2026-04-01 unlicence MCOPSTN5 u2
        2026-04-01 licence MCOPSTN5 u3
        2026-04-01T00:01 call C1 +12125550100 60 by u2 from 2026-03-31T23:59:59.9999999
            2026-04-01T00:01 debit C1 0.00 MCOPSTN5/US/2026-03 0→1/240 = 0.00 #included
        2026-04-01T00:02 call C2 +12125550100 60 by u2 from 2026-04-01
            2026-04-01T00:02 debit C2 1.00 overdraft 0.00→1.00 = -1.00
        2026-04-01T00:03 call C3 +12125550100 60 by u3 from 2026-03-31T23:59:59.9999999
            2026-04-01T00:03 debit C3 1.00 overdraft 1.00→2.00 = -2.00
        2026-04-01T00:04 call C4 +12125550100 60 by u3 from 2026-04-01
            2026-04-01T00:04 debit C4 0.00 MCOPSTN5/US/2026-04 0→1/240 = -2.00 #included
        2026-04-01T00:05 call C5 +12125550100 60 from 2026-03-31T23:59
            2026-04-01T00:05 debit C5 0.00 MCOPSTN5/US/2026-03 1→2/240 = -2.00 #included
        ",
    );
}

/// Section 5, P4, W5: credits are drawn from the instant of the licence to that of its removal, by the call's start.
#[test]
fn the_credits_licence_has_its_instants() {
    check(
        "
        2026-03-01 open required
        2026-03-01 buy L1 10.00
            2026-03-01 FundsAdded L1 10.00 2026-03-01 2027-03-01 = 10.00
        2026-03-01 licence MCOPSTN_PAYG_1 u1
        2026-03-15T12:00 licence MCOPSTNPP u1
        2026-03-15T12:01 call C1 +12125550100 60 from 2026-03-15T11:59:59.9999999
            2026-03-15T12:01 debit C1 1.00 unlicensed 0.00→1.00 = 10.00
        2026-03-15T12:02 call C2 +12125550100 60 from 2026-03-15T12:00
            2026-03-15T12:02 debit C2 1.00 L1 10.00→9.00 = 9.00
        2026-03-20 unlicence MCOPSTNPP u1
        2026-03-20T00:01 call C3 +12125550100 60 from 2026-03-19T23:59:59.9999999
            2026-03-20T00:01 debit C3 1.00 L1 9.00→8.00 = 8.00
        2026-03-20T00:02 call C4 +12125550100 60 from 2026-03-20
            2026-03-20T00:02 debit C4 1.00 unlicensed 1.00→2.00 = 8.00
        ",
    );
}

/// D8, D9: a corrected start takes the minutes out of the old month and into the new one.
#[test]
fn a_corrected_start_moves_the_minutes() {
    check(
        "
        2026-03-01 open none
        2026-03-01 licence MCOPSTN8 u1
        2026-04-01T00:05 call C1 +12125550100 180 from 2026-03-31T23:59:59.9999999
            2026-04-01T00:05 debit C1 0.00 MCOPSTN8/u1/2026-03 0→3/120 = 0.00 #included
        2026-04-02 call C1 +12125550100 240 from 2026-04-01 rev 1
            2026-04-02 debit C1 0.00 MCOPSTN8/u1/2026-03 3→0/120 = 0.00 #reversal
            2026-04-02 debit C1 0.00 MCOPSTN8/u1/2026-04 0→4/120 = 0.00 #included
        ",
    );
}

/// D6, D7, L4: money of a reversal goes back into an expired lot for 48 hours, and is lost with it; from then on it comes
/// back as a lot of its own.
#[test]
fn a_reversal_before_and_after_the_forfeit() {
    check(
        "
        2027-02-01 open none
        2027-02-01 buy L1 9.00 on 2026-03-01T12:00
            2027-02-01 FundsAdded L1 9.00 2026-03-01T12:00 2027-03-01T12:00 = 9.00
        2027-02-28 call C1 +12125550100 180
            2027-02-28 debit C1 3.00 L1 9.00→6.00 = 6.00
        2027-02-28 call C2 +12125550100 120
            2027-02-28 debit C2 2.00 L1 6.00→4.00 = 4.00
        2027-03-03T11:59:59.9999999 call C1 +12125550100 180 from 2027-02-28 rev 1 void
            2027-03-01T12:00 LotExpired L1 4.00 = 0.00
            2027-03-01T12:00 BalanceExhausted = 0.00
            2027-03-03T11:59:59.9999999 debit C1 -3.00 L1 4.00→7.00 = 0.00 #reversal
        2027-03-03T12:00 call C2 +12125550100 120 from 2027-02-28 rev 1 void
            2027-03-03T12:00 LotForfeited L1 7.00 = 0.00
            2027-03-03T12:00 debit C2 -2.00 L1 0.00→0.00 = 0.00 #reversal
            2027-03-03T12:00 FundsReturned C2/1 2.00 2027-03-03T12:00 2028-03-03T12:00 = 2.00
        ",
    );
}

/// R5, R6, R9, T8: a payment of 29 February is a lot until 28 February; on 1 March the cap begins anew.
#[test]
fn a_recharge_over_the_leap_day() {
    check(
        "
        2028-02-29 open none
        2028-02-29T10:00 recharge 50 below 15 cap 50
            2028-02-29T10:00 RechargeRequested acme/1 50.00 = 0.00
        2028-02-29T10:01 paid acme/1
            2028-02-29T10:01 RechargeSucceeded acme/1 acme/1 50.00 2028-02-29T10:01 2029-02-28T10:01 = 50.00
            2028-02-29T10:01 InvoiceIssued acme/1 acme/1 50.00 = 50.00
        2028-03-01 call C1 +12125550100 2400 from 2028-02-29T23:00
            2028-03-01 debit C1 40.00 acme/1 50.00→10.00 = 10.00
            2028-03-01 RechargeRequested acme/2 50.00 = 10.00
        2028-03-01T00:01 paid acme/2
            2028-03-01T00:01 RechargeSucceeded acme/2 acme/2 50.00 2028-03-01T00:01 2029-03-01T00:01 = 60.00
            2028-03-01T00:01 InvoiceIssued acme/2 acme/2 50.00 = 60.00
        2028-03-31T23:00 call C2 +12125550100 3000
            2028-03-31T23:00 debit C2 50.00 acme/1 10.00→0.00 acme/2 50.00→10.00 = 10.00
            2028-03-31T23:00 RechargeCapReached 2028-03 50.00 = 10.00
        2028-04-01 until
            2028-04-01 RechargeRequested acme/3 50.00 = 10.00
        ",
    );
}
