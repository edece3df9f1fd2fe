//! Every explanation is enough: the charge is computed anew from the fields of `drawdown explain --json`, by domain.md alone,
//! and its words have the same figures.
//!
//! The arithmetic here is the test's own, in whole numbers of 10⁻¹² units; no code of the program has a part in it.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;

use serde_json::Value;

/// Decimals of an amount here.
const DECIMALS: u32 = 12;
const FUNDERS: [&str; 6] = ["pool", "lot", "overdraft", "postUsage", "uncollected", "unlicensed"];

fn config(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../config").join(name)
}

fn drawdown(command: &mut Command) -> String {
    let run = command.output().expect("drawdown runs");
    assert_eq!(run.status.code(), Some(0), "{command:?}\n{}", String::from_utf8_lossy(&run.stderr));
    String::from_utf8(run.stdout).expect("text")
}

fn program() -> Command {
    Command::new(env!("CARGO_BIN_EXE_drawdown"))
}

/// The option once for each file.
fn each<'a>(option: &'a str, files: &'a [PathBuf]) -> impl Iterator<Item = &'a OsStr> {
    files.iter().flat_map(move |file| [OsStr::new(option), file.as_os_str()])
}

/// Usage records and commands, and what rates them.
struct Corpus {
    dir: PathBuf,
    inputs: PathBuf,
    decks: Vec<PathBuf>,
    rate_plans: Vec<PathBuf>,
    /// One of so many debits is explained.
    step: usize,
}

impl Corpus {
    fn new(name: &str) -> Self {
        let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("explanations").join(name);
        let _ = std::fs::remove_dir_all(&dir);
        std::fs::create_dir_all(&dir).expect("a directory for the test");
        let decks = vec![config("decks/acs-pstn.toml")];
        Corpus { inputs: dir.clone(), dir, decks, rate_plans: Vec::new(), step: 1 }
    }

    fn of_demo(name: &str, inputs: &str) -> Self {
        Corpus { inputs: config(inputs), ..Corpus::new(name) }
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.dir.join(name);
        std::fs::write(&path, text).expect("a file is written");
        path
    }

    /// Rates everything, and explains the debits in the order of the books.
    fn explain(&self) -> Book {
        let out = self.dir.join("out");
        let mut rate = program();
        rate.arg("rate").arg("--out").arg(&out).args(["--until", "2026-05-01T00:00:00Z"]);
        rate.args(each("--deck", &self.decks)).args(each("--rate-plan", &self.rate_plans));
        rate.arg("--commands").arg(self.inputs.join("commands.jsonl")).arg(self.inputs.join("cdrs.jsonl"));
        drawdown(&mut rate);
        let debits = lines(&out.join("debits.jsonl"));
        let chosen: Vec<&Value> = debits.iter().step_by(self.step).collect();
        let half = chosen.len().div_ceil(2);
        let explained: Vec<Value> = thread::scope(|scope| {
            let explain = |part: &[&Value]| part.iter().map(|debit| self.explain_one(&out, debit)).collect::<Vec<_>>();
            let workers: Vec<_> = chosen.chunks(half).map(|part| scope.spawn(move || explain(part))).collect();
            workers.into_iter().flat_map(|worker| worker.join().expect("every debit is explained")).collect()
        });
        for (explained, debit) in explained.iter().zip(&chosen) {
            assert_eq!(explained["debit"], **debit, "the debit as it stands");
        }
        Book::new(explained, debits, lines(&out.join("account-events.jsonl")))
    }

    fn explain_one(&self, out: &Path, debit: &Value) -> Value {
        let mut explain = program();
        let (org, seq) = (text(&debit["orgId"]), debit["seq"].to_string());
        explain.arg("explain").arg(out).args(["--json", "--org", org, "--seq", &seq]);
        explain.args(each("--deck", &self.decks));
        serde_json::from_str(&drawdown(&mut explain)).expect("one object on one line")
    }
}

fn lines(path: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path).expect("an output");
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text"))
}

fn whole(value: &Value) -> i128 {
    i128::from(value.as_i64().unwrap_or_else(|| panic!("{value} is no whole number")))
}

fn list(value: &Value) -> &[Value] {
    value.as_array().unwrap_or_else(|| panic!("{value} is no list"))
}

fn decimal(text: &str) -> i128 {
    let (sign, digits) = text.strip_prefix('-').map_or((1, text), |digits| (-1, digits));
    let (units, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let padded = format!("{units}{fraction:0<width$}", width = DECIMALS as usize);
    sign * padded.parse::<i128>().unwrap_or_else(|_| panic!("{text} is no amount"))
}

fn money(value: &Value) -> i128 {
    decimal(text(value))
}

/// One explanation, read by what its lines are about.
struct Explained<'a>(&'a Value);

impl<'a> Explained<'a> {
    fn debit(&self) -> &'a Value {
        &self.0["debit"]
    }

    fn about(&self, about: &str) -> Vec<&'a str> {
        let lines = list(&self.0["explanation"]).iter();
        lines.filter(|line| line["about"] == about).map(|line| text(&line["text"])).collect()
    }

    /// How the seconds became money; nothing where there was no price.
    fn calculation(&self) -> &'a Value {
        &self.0["calculation"]
    }

    /// The whole numbers and amounts among the words of the only line about something.
    fn figures(&self, about: &str) -> Vec<&'a str> {
        let [line] = self.about(about)[..] else { panic!("one line about {about}: {}", self.0) };
        figures_in(line)
    }

    fn funding(&self) -> &'a [Value] {
        list(&self.debit()["funding"])
    }

    fn pool_minutes(&self) -> i128 {
        self.funding().iter().filter(|line| line["type"] == "pool").map(|line| whole(&line["minutes"])).sum()
    }

    fn is_reversal(&self) -> bool {
        self.debit().get("reverses").is_some()
    }
}

fn figures_in(line: &str) -> Vec<&str> {
    let words = line.split(|c: char| !c.is_ascii_digit() && c != '.');
    words.map(|word| word.trim_end_matches('.')).filter(|word| !word.is_empty()).collect()
}

/// domain.md section 3: the whole charge from the fields of one explanation.
fn charge_of(explained: &Explained<'_>) -> i128 {
    let (debit, calculation) = (explained.debit(), explained.calculation());
    let charge = &debit["charge"];
    let seconds = whole(&debit["call"]["duration"]) - 60 * explained.pool_minutes();
    assert_eq!(calculation.is_null(), charge.get("pricePerMinute").is_none(), "{}", explained.0);
    if seconds <= 0 || calculation.is_null() {
        assert!(charge.get("ratedSeconds").is_none() || seconds > 0, "{debit}");
        return 0;
    }
    let is_split = explained.pool_minutes() > 0;
    assert_eq!(charge.get("ratedSeconds").map(whole), is_split.then_some(seconds), "{debit}");
    let billable = billable_of(calculation);
    assert_eq!(
        (whole(&calculation["ratedSeconds"]), billable),
        (seconds, whole(&charge["billableSeconds"])),
        "{debit}"
    );

    let mut next_second = 0;
    let mut times_60 = 60 * money(&calculation["connectionFee"]);
    for part in list(&calculation["parts"]) {
        assert_eq!(whole(&part["fromSecond"]), next_second, "{calculation}");
        next_second += whole(&part["seconds"]);
        times_60 += whole(&part["seconds"]) * money(&part["pricePerMinute"]);
    }
    assert_eq!(next_second, billable, "{calculation}");
    let prices: BTreeSet<&str> = list(&calculation["parts"]).iter().map(|part| text(&part["pricePerMinute"])).collect();
    assert!(charge["compound"] == true || prices.len() == 1, "{debit}");
    // Decimals that do not end are cut.
    let sum = text(&calculation["sum"]);
    assert!(sum.ends_with('…') || 60 * decimal(sum) == times_60, "{calculation}");
    if !calculation["bound"].is_null() {
        times_60 = bounded(times_60, &calculation["bound"]);
    }
    let decimals = u32::try_from(whole(&calculation["rounding"]["decimals"])).expect("a count");
    let amount = rounded(times_60, text(&calculation["rounding"]["mode"]), decimals);
    assert_eq!(money(&calculation["amount"]), amount, "{calculation}");
    amount
}

/// What is rated of the call, in whole increments.
fn billable_of(calculation: &Value) -> i128 {
    let [call, covered, rated, initial, increment, billable] =
        ["callSeconds", "coveredSeconds", "ratedSeconds", "initialSeconds", "incrementSeconds", "billableSeconds"]
            .map(|key| whole(&calculation[key]));
    assert_eq!(call - covered, rated, "{calculation}");
    let beyond = (rated - initial).max(0);
    let begun = beyond.div_euclid(increment) + i128::from(beyond.rem_euclid(increment) > 0);
    assert_eq!(initial + begun * increment, billable, "{calculation}");
    billable
}

/// The bound, which must have been needed.
fn bounded(times_60: i128, bound: &Value) -> i128 {
    let figure = 60 * money(&bound["amount"]);
    let is_beyond = match text(&bound["kind"]) {
        "minimum" => times_60 < figure,
        "maximum" => times_60 > figure,
        other => panic!("{other} is no bound"),
    };
    assert!(is_beyond, "{bound} was not needed");
    figure
}

/// Rounds `times_60 ÷ 60` once, on the exact quotient (boundaries.md C12).
fn rounded(times_60: i128, mode: &str, decimals: u32) -> i128 {
    let step = 10_i128.pow(DECIMALS - decimals);
    let (quotient, rest) = (times_60.div_euclid(60 * step), times_60.rem_euclid(60 * step));
    let goes_up = match mode {
        "half-up" => 2 * rest >= 60 * step,
        "half-even" => 2 * rest > 60 * step || (2 * rest == 60 * step && quotient % 2 == 1),
        other => panic!("the corpora round {other} nowhere"),
    };
    (quotient + i128::from(goes_up)) * step
}

/// Every funding line by itself, and all of them together.
fn check_funding(explained: &Explained<'_>, charge: i128) {
    let (debit, is_reversal) = (explained.debit(), explained.is_reversal());
    let mut paid = 0;
    for line in explained.funding() {
        let kind = text(&line["type"]);
        assert!(FUNDERS.contains(&kind), "{debit}");
        if kind == "pool" {
            let [minutes, before, after, size] = ["minutes", "before", "after", "size"].map(|key| whole(&line[key]));
            assert!(before + minutes == after && (0..=size).contains(&after), "{debit}");
            assert_eq!(minutes < 0, is_reversal, "{debit}");
            continue;
        }
        let [amount, before, after] = ["amount", "before", "after"].map(|key| money(&line[key]));
        let moved = if kind == "lot" { before - after } else { after - before };
        let is_whole = line.get("returnedTo").is_none();
        assert!(after >= 0 && (moved == amount || !is_whole), "{debit}");
        assert!(amount != 0 && (amount < 0) == is_reversal, "{debit}");
        paid += amount;
    }
    assert_eq!(paid, charge, "the lines pay the charge: {debit}");
}

/// The words have the figures of the fields.
fn check_figures_in_words(explained: &Explained<'_>) {
    let calculation = explained.calculation();
    if calculation.is_null() {
        return;
    }
    let named = ["ratedSeconds", "billableSeconds", "initialSeconds", "incrementSeconds"];
    assert_eq!(explained.figures("increments"), named.map(|key| whole(&calculation[key]).to_string()));
    let parts: Vec<Vec<&str>> =
        explained.about("sum").into_iter().filter(|line| line.contains("from second")).map(figures_in).collect();
    let is_compound = explained.debit()["charge"]["compound"] == true;
    assert_eq!(parts.is_empty(), !is_compound, "{calculation}");
    for (words, part) in parts.iter().zip(list(&calculation["parts"])) {
        let [seconds, from] = ["seconds", "fromSecond"].map(|key| whole(&part[key]).to_string());
        assert_eq!(words[..3], [&*seconds, &*from, text(&part["pricePerMinute"])], "{calculation}");
    }
    let bounds: Vec<&str> = calculation["bound"].get("amount").map(text).into_iter().collect();
    let told: Vec<&str> = explained.about("bound").into_iter().flat_map(figures_in).collect();
    assert_eq!(told, bounds, "{calculation}");
}

/// An explanation says by which rule each funder was asked, or why there was nothing to pay.
fn check_words(explained: &Explained<'_>) {
    let (all, rules) = (explained.0, explained.about("rule"));
    check_figures_in_words(explained);
    assert!(!all.to_string().contains("this program does not know"), "{all}");
    let mut expected: Vec<&str> = explained
        .funding()
        .iter()
        .map(|line| match (text(&line["type"]), line["use"].as_str()) {
            ("pool", Some("dial-out")) => "conferencing-pool",
            ("pool", _) => "calling-plan-pool",
            ("lot", _) => "lots-in-order",
            ("postUsage", _) => "post-usage",
            ("uncollected", _) => "strict",
            (kind, _) => kind,
        })
        .collect();
    assert_eq!(list(&all["rules"]).iter().map(text).collect::<Vec<_>>(), expected, "one for each line: {all}");
    expected.dedup();
    let named: Vec<&str> = rules.iter().filter_map(|rule| Some(rule.split_once(": ")?.0)).collect();
    assert_eq!(named, expected, "{all}");
    if expected.is_empty() {
        let has_reason =
            explained.about("charge").iter().any(|line| line.contains("free, ") || line.contains("unrated, "));
        let is_priced = explained.about("rounding").len() == 1;
        assert!(has_reason || is_priced || explained.is_reversal(), "{all}");
    }
}

/// The explanations of one corpus beside the debits and events that they belong among.
struct Book {
    explained: Vec<Value>,
    debits: BTreeMap<(String, i128), Value>,
    events: BTreeMap<(String, i128), Value>,
}

impl Book {
    fn new(explained: Vec<Value>, debits: Vec<Value>, events: Vec<Value>) -> Self {
        let by_seq = |lines: Vec<Value>| {
            lines.into_iter().map(|line| ((text(&line["orgId"]).to_owned(), whole(&line["seq"])), line)).collect()
        };
        Book { explained, debits: by_seq(debits), events: by_seq(events) }
    }

    fn check(&self) {
        for value in &self.explained {
            let explained = Explained(value);
            let debit = explained.debit();
            let charge = if explained.is_reversal() { self.reversed(&explained) } else { charge_of(&explained) };
            assert_eq!(money(&debit["charge"]["amount"]), charge, "{debit}");
            let recomputed = &value["recomputed"];
            let is_priced = debit["charge"].get("pricePerMinute").is_some();
            assert_eq!(recomputed["equal"] == true, is_priced, "{value}");
            check_funding(&explained, charge);
            check_words(&explained);
            self.check_balance(&explained);
        }
    }

    /// A reversal takes back, line by line, what it names (boundaries.md D8).
    fn reversed(&self, explained: &Explained<'_>) -> i128 {
        let debit = explained.debit();
        let original = &self.debits[&(text(&debit["orgId"]).to_owned(), whole(&debit["reverses"]["seq"]))];
        assert_eq!((&original["id"], &original["revision"]), (&debit["id"], &debit["reverses"]["revision"]));
        assert_eq!(original["call"], debit["call"]);
        let (there, back) = (list(&original["funding"]), explained.funding());
        assert_eq!(there.len(), back.len(), "{debit}");
        for (there, back) in there.iter().zip(back) {
            for key in ["type", "lotId", "pool", "use", "month", "size"] {
                assert_eq!(there.get(key), back.get(key), "{debit}");
            }
            let minutes = |line: &Value| line.get("minutes").map_or(0, whole);
            let amount = |line: &Value| line.get("amount").map_or(0, money);
            assert_eq!((minutes(there), amount(there)), (-minutes(back), -amount(back)), "{debit}");
        }
        -money(&original["charge"]["amount"])
    }

    /// The balance that the entry before left, less what unexpired lots and overdraft paid (boundaries.md L1, L3).
    fn check_balance(&self, explained: &Explained<'_>) {
        let debit = explained.debit();
        let (org, seq) = (text(&debit["orgId"]), whole(&debit["seq"]));
        let place = (org.to_owned(), seq - 1);
        let before = self.debits.get(&place).or_else(|| self.events.get(&place)).expect("seq has no gap");
        let earlier = self.events.range((org.to_owned(), 0)..(org.to_owned(), seq));
        let expired: BTreeSet<&str> = earlier
            .filter(|(_, event)| event["type"] == "LotExpired")
            .map(|(_, event)| text(&event["lotId"]))
            .collect();
        let moved = explained.funding().iter().map(|line| {
            let moved = || money(&line["after"]) - money(&line["before"]);
            match text(&line["type"]) {
                "lot" if !expired.contains(text(&line["lotId"])) => moved(),
                "overdraft" => -moved(),
                _ => 0,
            }
        });
        assert_eq!(money(&debit["balanceAfter"]), money(&before["balanceAfter"]) + moved.sum::<i128>(), "{debit}");
    }

    /// Whether debits of every kind wanted are among those explained, by funder or field of the charge.
    fn has(&self, wanted: &[&str]) {
        for wanted in wanted {
            let is_there = self.explained.iter().map(Explained).any(|explained| {
                let debit = explained.debit();
                let flags = list(&debit["flags"]).iter();
                explained.funding().iter().any(|line| line["type"] == *wanted)
                    || debit["charge"].get(wanted).is_some_and(|value| *value != false)
                    || flags.into_iter().any(|flag| flag == wanted)
                    || debit["charge"]["bound"] == *wanted
            });
            assert!(is_there, "no debit of the corpus has {wanted}");
        }
    }
}

#[test]
fn the_month_of_six_organisations() {
    let book = Corpus::of_demo("demo", "demo").explain();
    book.has(&["lot", "overdraft", "postUsage", "uncollected", "unrated", "emergency", "masked", "zero-seconds"]);
    book.check();
}

#[test]
fn the_month_with_plans_conferencing_and_a_correction() {
    let book = Corpus::of_demo("litware", "demo/litware").explain();
    book.has(&["pool", "lot", "unlicensed", "ratedSeconds", "included", "reversal"]);
    book.check();
}

#[test]
fn a_generated_month() {
    let corpus = Corpus { step: 3, ..Corpus::new("generated") };
    let mut generate = program();
    generate.args(["generate", "--records", "1000", "--seed", "11", "--orgs", "10", "--out"]).arg(&corpus.dir);
    drawdown(&mut generate);
    let book = corpus.explain();
    book.has(&["lot", "zero-seconds"]);
    book.check();
}

/// What the bundled deck has nowhere: fees, other increments, bounds, tiers, bands, ties of rounding, splits with a fee.
#[test]
fn all_that_a_row_can_say() {
    let mut corpus = Corpus::new("rows");
    let ties = corpus.write(
        "ties.toml",
        "id = \"ties\"\nversion = 1\ncurrency = \"USD\"\neffectiveFrom = \"2026-01-01T00:00:00Z\"\nrows = \"ties.csv\"\n",
    );
    corpus.write(
        "ties.csv",
        "prefix,price_per_minute,connection_fee,initial_s,increment_s,minimum_charge,maximum_charge\n\
         1,0.013,0.05,30,6,0.09,2\n44,0.000005,,0,6,,\n49,0.0123,0.000001,1,1,,\n",
    );
    corpus.decks = vec![config("decks/sample-features.toml"), ties];
    corpus.rate_plans = [("euro", "EUR", "sample-features"), ("dollar", "USD", "ties")]
        .map(|(id, currency, deck)| {
            let plan = format!("id = \"{id}\"\ncurrency = \"{currency}\"\n[products]\noutbound = \"{deck}\"\n");
            corpus.write(&format!("{id}.toml"), &plan)
        })
        .to_vec();
    let command = |n: usize, org: &str, rest: &str| {
        format!(r#"{{"commandId":"k{n}","orgId":"{org}","at":"2026-03-01T00:00:00Z",{rest}}}"#)
    };
    let open = |currency: &str, plan: &str, rest: &str| {
        format!(
            r#""type":"openAccount","currency":"{currency}","ratePlan":"{plan}","mode":"prepaid","country":"US"{rest}"#
        )
    };
    let funds = r#""type":"addFunds","lotId":"L","amount":"20","purchasedAt":"2026-03-01T00:00:00Z""#;
    let licence = |name: &str| format!(r#""type":"assignLicence","userId":"u","licence":"{name}","country":"US""#);
    let commands: Vec<String> = [
        ("euro", open("EUR", "euro", r#","licensing":"none""#)),
        ("dollar", open("USD", "dollar", "")),
        ("euro", funds.to_owned()),
        ("dollar", funds.to_owned()),
        ("dollar", licence("MCOPSTN5")),
        ("dollar", licence("MCOPSTNPP")),
    ]
    .iter()
    .enumerate()
    .map(|(n, (org, rest))| command(n, org, rest))
    .collect();
    corpus.write("commands.jsonl", &commands.join("\n"));
    let calls = [
        ("euro", "+4930123456", "2026-03-02T06:30:00Z", 61),
        ("euro", "+4915112345678", "2026-03-02T06:30:00Z", 7),
        ("euro", "+442071838750", "2026-03-02T06:59:00Z", 125),
        ("euro", "+442071838750", "2026-03-02T16:58:30Z", 301),
        ("euro", "+442071838750", "2026-03-02T20:59:30Z", 67),
        ("euro", "+81312345678", "2026-03-02T08:00:00Z", 4001),
        ("euro", "+81312345678", "2026-03-02T09:30:00Z", 29),
        ("euro", "+88212345678", "2026-03-02T10:00:00Z", 1),
        ("euro", "+88212345678", "2026-03-02T10:10:00Z", 30_000),
        ("euro", "+88299912345", "2026-03-02T20:00:00Z", 59),
        ("dollar", "+12125550171", "2026-03-03T08:00:00Z", 7_100),
        ("dollar", "+12125550171", "2026-03-03T11:00:00Z", 150),
        ("dollar", "+12125550171", "2026-03-03T12:00:00Z", 29),
        ("dollar", "+12125550171", "2026-03-03T13:00:00Z", 30_000),
        ("dollar", "+442071838750", "2026-03-04T08:00:00Z", 5),
        ("dollar", "+442071838750", "2026-03-04T08:01:00Z", 18),
        ("dollar", "+4930123456", "2026-03-04T09:00:00Z", 77),
        ("dollar", "+4930123456", "2026-03-04T09:10:00Z", 0),
    ];
    let calls: Vec<String> = calls
        .iter()
        .enumerate()
        .map(|(n, (org, called, start, seconds))| {
            format!(
                r#"{{"id":"c{n}","orgId":"{org}","userId":"u","callType":"user_out","startDateTime":"{start}","duration":{seconds},"calleeNumber":"{called}","usageCountryCode":"US"}}"#
            )
        })
        .collect();
    corpus.write("cdrs.jsonl", &calls.join("\n"));
    let book = corpus.explain();
    book.has(&["minimum", "maximum", "compound", "band", "pool", "ratedSeconds", "blocked", "overdraft", "lot"]);
    book.check();
    for (id, amount) in [("c14", "0.000001"), ("c15", "0.000002")] {
        let debit = book.debits.values().find(|debit| debit["id"] == id).expect("the tie");
        assert_eq!(debit["charge"]["amount"], amount, "half-up, exactly in the middle");
    }
}
