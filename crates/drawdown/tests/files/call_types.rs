//! Every call type of domain.md section 1, in every source that can carry it, through `drawdown rate`: who pays, how much,
//! and what the debit is flagged with. The same call costs the same whatever file it comes in.

use std::process::Command;

use serde_json::{Value, json};
use tempfile::TempDir;

const DECK: &str = "
id = \"deck\"
version = 1
currency = \"USD\"
effectiveFrom = \"2019-01-01T00:00:00Z\"
rounding = { mode = \"half-up\", decimals = 6 }
rows = \"deck.csv\"
";

const ROWS: &str = "\
prefix,destination,product,price_per_minute,connection_fee
1,US and Canada,outbound,1,0
44,United Kingdom,outbound,2,0.25
54,Argentina,outbound,3,0
1800,Freephone,toll-free-inbound,0.50,0
";

/// Who holds what in `acme`, where credits need licences; `open` is an organisation where they need none.
const LICENCES: [(&str, &str); 11] = [
    ("alice", "MCOPSTN5"),
    ("alice", "MCOMEETADV"),
    ("alice", "MCOPSTNPP"),
    ("pat", "MCOPSTN_PAYG_1"),
    ("pat", "MCOPSTNPP"),
    ("dan", "MCOMEETADD_DIALOUT_US"),
    ("eve", "MCOMEETACPEA"),
    ("ivr", "MCOPSTN5"),
    ("plain", "MCOPSTN8"),
    ("1001", "MCOPSTN8"),
    ("1001", "MCOPSTNPP"),
];

/// Calls as Microsoft reports them: type, user, number called, seconds, and what comes of it.
const TEAMS: &str = "
    user_out            alice +12065550142  61 -> 0.00 MCOPSTN5/US:2/240 #included
    user_out            alice +442071838750 61 -> 4.25 L1
    user_out_conf       alice +12065550142  60 -> 0.00 MCOPSTN5/US:3/240 #included
    user_out_conf       alice +442071838750 60 -> 2.25 L1
    user_out_transfer   alice +12065550142  60 -> 0.00 MCOPSTN5/US:4/240 #included
    user_out_transfer   alice +442071838750 60 -> 2.25 L1
    user_out_forwarding alice +12065550142  60 -> 0.00 MCOPSTN5/US:5/240 #included
    user_out_forwarding alice +442071838750 60 -> 2.25 L1
    user_out            alice +14165550100  60 -> 1.00 L1
    user_out            pat   +12065550142  60 -> 1.00 L1
    user_out            eve   +12065550142  60 -> 1.00 L1
    user_out            bob   +12065550142  60 -> 1.00 unlicensed
    user_out            -     +12065550142  60 -> 1.00 unlicensed
    user_out            plain +12065550142  60 -> 0.00 MCOPSTN8/plain:1/120 #included
    user_out_conf       plain +442071838750 60 -> 2.25 unlicensed
    user_out_transfer   bob   +442071838750 60 -> 2.25 unlicensed
    user_out_forwarding bob   +442071838750 60 -> 2.25 unlicensed
    conf_out            alice +442071838750 60 -> 0.00 MCOMEETADV:1/60 #included
    conf_out            alice +12065550142  61 -> 0.00 MCOMEETADV:3/60 #included
    conf_out            alice +541143210000 60 -> 3.00 L1
    conf_out            alice +8613912345678 60 -> 0.00 MCOMEETADV:4/60 #included
    conf_out            dan   +12065550142  60 -> 0.00 #dial-out-add-on
    conf_out            dan   +14165550100  60 -> 0.00 #dial-out-add-on
    conf_out            dan   +442071838750 60 -> 2.25 unlicensed
    conf_out            pat   +12065550142  60 -> 1.00 L1
    conf_out            -     +12065550142  60 -> 1.00 unlicensed
    conf_out            plain +12065550142  60 -> 1.00 unlicensed
    conf_out            eve   +442071838750 60 -> 2.25 L1
    conf_out            alice +19005550142  60 -> 1.00 L1
    ucap_out            ivr   +12065550142  60 -> 0.00 MCOPSTN5/US:6/240 #included
    ucap_out            ivr   +442071838750 60 -> 2.25 L1
    ucap_out            -     +12065550142  60 -> 1.00 L1
    conf_in             alice +18005550199  61 -> 1.00 L1
    conf_in             bob   +18005550199  60 -> 0.50 unlicensed
    conf_in             -     +18005550199  60 -> 0.50 unlicensed
    conf_in             eve   +18005550199  60 -> 0.50 L1
    conf_in             bob   +12065550142  60 -> 0.00 #toll-number
    conf_in             alice +448081570000 60 -> 0.00 #unrated
    ucap_in             ivr   +18005550199  60 -> 0.50 L1
    ucap_in             -     +18005550199  60 -> 0.50 L1
    ucap_in             ivr   +12065550142  60 -> 0.00 #toll-number
    unassigned_in       -     +18005550199  60 -> 0.50 L1
    unassigned_in       -     +12065550142  60 -> 0.00 #toll-number
    user_in             alice +12065550142  60 -> 0.00 #user-in
    user_in             -     +18005550199  60 -> 0.00 #user-in
    dr_in               alice +12065550142  60 -> 0.00 #direct-routing
    dr_out              alice +442071838750 60 -> 0.00 #direct-routing
    dr_out_user_conf    -     +442071838750 60 -> 0.00 #direct-routing
    user_out            alice 911           60 -> 0.00 #emergency
    user_out            -     911           60 -> 0.00 #emergency
    conf_out            bob   911           60 -> 0.00 #emergency
    user_out            alice +442071838750  0 -> 0.00 #zero-seconds
    user_out            alice +61290001234  60 -> 0.00 #unrated
    user_out            alice +4420718***   60 -> 2.25 L1 #masked
";

/// A call of a table: its place there, and its words before and after the arrow.
struct Case<'a> {
    index: usize,
    words: Vec<&'a str>,
    expected: &'a str,
}

impl Case<'_> {
    /// The seconds of the call, the last word of its input.
    fn seconds(&self) -> usize {
        self.words.last().expect("a word").parse().expect("seconds")
    }

    /// Seconds since midnight of the call's start, and of its end.
    fn span_s(&self) -> (usize, usize) {
        let start_s = 8 * 3600 + self.index * 120;
        (start_s, start_s + self.seconds())
    }

    /// A word, or nothing for `-`.
    fn word(&self, index: usize) -> &str {
        self.words[index].trim_start_matches('-')
    }
}

fn cases(table: &str) -> Vec<Case<'_>> {
    let lines = table.lines().map(str::trim).filter(|line| !line.is_empty()).enumerate();
    lines
        .map(|(index, line)| {
            let (input, expected) = line.split_once(" -> ").expect("an arrow");
            Case { index, words: input.split_whitespace().collect(), expected }
        })
        .collect()
}

/// `08:00:30`
fn clock(seconds: usize) -> String {
    format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

fn utc(seconds: usize) -> String {
    format!("2026-03-02T{}Z", clock(seconds))
}

/// Rates a file of that source, and has the books audited and every charge computed anew.
fn rate(source: &str, file: &str) -> TempDir {
    let directory = tempfile::tempdir().expect("a directory for the test");
    let write = |name: &str, text: &str| std::fs::write(directory.path().join(name), text).expect("a file is written");
    write("deck.toml", DECK);
    write("deck.csv", ROWS);
    write("commands", &commands());
    write("calls", file);
    for arguments in [
        format!("rate --deck deck.toml --commands commands --org acme --source {source} --out out calls"),
        "verify out --deck deck.toml".to_owned(),
    ] {
        let mut drawdown = Command::new(env!("CARGO_BIN_EXE_drawdown"));
        let output = drawdown.current_dir(&directory).args(arguments.split(' ')).output().expect("drawdown runs");
        assert!(output.status.success(), "{arguments}: {output:?}");
    }
    directory
}

/// The lines of one of its outputs.
fn output(directory: &TempDir, name: &str) -> Vec<Value> {
    let text = std::fs::read_to_string(directory.path().join("out").join(name)).expect("an output");
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

/// Holds each debit of a file against its case; `name` is the source that debits say.
fn check(source: &str, name: &str, file: &str, cases: &[Case<'_>], expected: impl Fn(&Case<'_>) -> String) {
    let debits = debits(&rate(source, file));
    assert_eq!(debits.len(), cases.len(), "{source}: debits");
    for (case, debit) in cases.iter().zip(&debits) {
        let found = (text(&debit["source"]), told(debit));
        assert_eq!(found, (name.to_owned(), expected(case)), "{source}, call {}: {:?}", case.index, case.words);
    }
}

fn commands() -> String {
    let mut lines = String::new();
    let mut push = |org: &str, mut command: Value| {
        command["orgId"] = json!(org);
        command["at"] = json!("2026-03-01T00:00:00Z");
        command["commandId"] = json!(format!("c{}", lines.len()));
        lines += &format!("{command}\n");
    };
    for (org, licensing) in [("acme", "required"), ("open", "none")] {
        push(
            org,
            json!({"type": "openAccount", "currency": "USD", "ratePlan": "standard", "mode": "prepaid", "country": "US",
                "licensing": licensing}),
        );
        push(
            org,
            json!({"type": "addFunds", "lotId": "L1", "amount": "1000.00", "purchasedAt": "2026-03-01T00:00:00Z"}),
        );
    }
    for (user, licence) in LICENCES {
        push("acme", json!({"type": "assignLicence", "userId": user, "licence": licence, "country": "US"}));
    }
    lines
}

/// The debits in the order of the calls' starts. What is unrated has a copy among the rejects, and nothing else is there.
fn debits(directory: &TempDir) -> Vec<Value> {
    let mut debits = output(directory, "debits.jsonl");
    debits.sort_by_key(|debit| text(&debit["call"]["startDateTime"]));
    let unrated = debits.iter().filter(|debit| told(debit).contains("#unrated")).count();
    assert_eq!(output(directory, "rejects.jsonl").len(), unrated);
    debits
}

/// `<call type> <charge> <who paid> <flags>`
fn told(debit: &Value) -> String {
    let list = |name: &str| debit[name].as_array().expect("a list").clone();
    let mut words = vec![text(&debit["call"]["callType"]), text(&debit["charge"]["amount"])];
    words.extend(list("funding").iter().map(|line| match text(&line["type"]).as_str() {
        "pool" => format!("{}:{}/{}", text(&line["pool"]), line["after"], line["size"]),
        "lot" => paid(debit, line, text(&line["lotId"])),
        other => paid(debit, line, other.to_owned()),
    }));
    words.extend(list("flags").iter().map(|flag| format!("#{}", text(flag))));
    words.join(" ")
}

/// Money of these calls comes from one place, so its line is the whole charge.
fn paid(debit: &Value, line: &Value, from: String) -> String {
    assert_eq!(line["amount"], debit["charge"]["amount"], "{debit}");
    from
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// A case of [`TEAMS`] as a row of Microsoft Graph.
fn row(case: &Case<'_>) -> Value {
    let (start_s, end_s) = case.span_s();
    let user = Some(case.word(1)).filter(|user| !user.is_empty());
    json!({
        "id": format!("id-{}", case.index), "callId": "one-for-all", "userId": user, "callType": case.words[0],
        "calleeNumber": case.words[2], "callerNumber": "+12065550100", "duration": case.seconds(),
        "startDateTime": utc(start_s), "endDateTime": utc(end_s), "usageCountryCode": "US", "tenantCountryCode": "US",
        "destinationContext": null, "charge": 0.0, "connectionCharge": 0.0, "currency": "USD",
    })
}

/// The cases of [`TEAMS`] as a report: the columns are those of the sample.
fn report(cases: &[Case<'_>], delimiter: &str, number: fn(&str) -> &str, time: fn(usize) -> String) -> String {
    let header = include_str!("../../../../config/samples/teams-export.csv").lines().next().expect("a header");
    let mut lines = vec![header.replace(',', delimiter)];
    for case in cases {
        let (start_s, end_s) = case.span_s();
        let cells = [
            &format!("id-{}", case.index),
            "one-for-all",
            "",
            "US",
            case.word(1),
            "",
            "",
            number("+12065550100"),
            case.words[0],
            "Subscriber",
            "",
            "",
            number(case.words[2]),
            &time(start_s),
            &time(end_s),
            &case.seconds().to_string(),
            "0.00",
            "0.00",
            "USD",
            "",
        ];
        lines.push(cells.join(delimiter));
    }
    lines.join("\r\n")
}

/// The table is worth its name: each call type of section 1 is in it.
#[test]
fn every_call_type_is_in_the_table() {
    let known = [
        "user_out",
        "user_out_conf",
        "user_out_transfer",
        "user_out_forwarding",
        "conf_out",
        "ucap_out",
        "conf_in",
        "ucap_in",
        "unassigned_in",
        "user_in",
        "dr_in",
        "dr_out",
    ];
    let cases = cases(TEAMS);
    for name in known {
        assert!(cases.iter().any(|case| case.words[0] == name), "{name}");
    }
}

fn native_rows(cases: &[Case<'_>]) -> String {
    let rows = cases.iter().map(|case| {
        let mut row = row(case);
        row["orgId"] = json!("acme");
        format!("{row}\n")
    });
    rows.collect()
}

/// CloudEvents around native rows: the envelope has the identity and the organisation.
fn cloud_events(cases: &[Case<'_>]) -> String {
    let events = cases.iter().map(|case| {
        let event = json!({"specversion": "1.0", "id": format!("event-{}", case.index), "source": "/switch/7",
            "type": "cdr", "partitionkey": "acme", "data": row(case)});
        format!("{event}\n")
    });
    events.collect()
}

fn graph_page(cases: &[Case<'_>]) -> String {
    json!({"value": cases.iter().map(row).collect::<Vec<_>>()}).to_string()
}

fn teams_export(cases: &[Case<'_>]) -> String {
    report(cases, ",", |number| number, utc)
}

/// The spreadsheet has taken the pluses and the layout of the times.
fn excel_teams(cases: &[Case<'_>]) -> String {
    report(cases, ";", |number| number.trim_start_matches('+'), |second| format!("02.03.2026 {}", clock(second)))
}

type Writer = fn(&[Case<'_>]) -> String;

/// The sources that say the type of a call themselves: the profile, the source that debits say, and how a file is written.
const TEAMS_SOURCES: [(&str, &str, Writer); 5] = [
    ("native", "native", native_rows),
    ("native", "/switch/7", cloud_events),
    ("graph", "graph", graph_page),
    ("teams-export", "teams-export", teams_export),
    ("excel-teams", "excel-teams", excel_teams),
];

#[test]
fn call_types_by_name() {
    let cases = cases(TEAMS);
    for (source, name, file) in TEAMS_SOURCES {
        check(source, name, &file(&cases), &cases, |case| format!("{} {}", case.words[0], case.expected));
    }
}

/// U12: names are exact, and there are no others.
#[test]
fn unknown_call_types_are_rejected() {
    let table = "
        fax      alice +12065550142 60 -> rejected
        User_Out alice +12065550142 60 -> rejected
        ByotIn   alice +12065550142 60 -> rejected
        DR_out   alice +12065550142 60 -> rejected
        user_out_ alice +12065550142 60 -> rejected
    ";
    let cases = cases(table);
    for (source, name, file) in TEAMS_SOURCES {
        let directory = rate(source, &file(&cases));
        assert!(output(&directory, "debits.jsonl").is_empty(), "{name}");
        let reasons: Vec<String> = output(&directory, "rejects.jsonl").iter().map(|it| text(&it["reason"])).collect();
        assert_eq!(reasons, vec!["unknown-call-type"; cases.len()], "{name}");
    }
}

/// Calls as a switch reports them: organisation, user, context or direction, number dialled, seconds, and what comes of it.
fn check_switch(source: &str, table: &str, file: impl Fn(&[Case<'_>]) -> String) {
    let cases = cases(table);
    let name = source.split(',').next().expect("a name");
    check(source, name, &file(&cases), &cases, |case| case.expected.to_owned());
}

#[test]
fn freeswitch_json() {
    check_switch(
        "freeswitch-json,region=US",
        "
        acme 1001 default +12065550142    61 -> user_out 0.00 MCOPSTN8/1001:2/120 #included
        acme 1001 default 2065550142      60 -> user_out 0.00 MCOPSTN8/1001:3/120 #included
        acme 1001 default 011442071838750 61 -> user_out 4.25 L1
        acme 1002 default +442071838750   60 -> user_out 2.25 unlicensed
        open 1002 default +442071838750   60 -> user_out 2.25 L1
        acme 1002 default 911             60 -> user_out 0.00 #emergency
        acme 1001 default 1003            60 -> user_out 0.00 #internal
        acme 1001 default +442071838750    0 -> user_out 0.00 #zero-seconds
        acme 1001 default +61290001234    60 -> user_out 0.00 #unrated
        acme 1001 public  1001            60 -> user_in 0.00 #user-in
        acme 1001 public  +18005550199    60 -> user_in 0.00 #user-in
        ",
        |cases| {
            let row = |case: &Case<'_>| {
                let (start_s, end_s) = case.span_s();
                // 2026-03-02 00:00 UTC
                let [start, end] = [start_s, end_s].map(|second| format!("{}000000", 1_772_409_600 + second));
                let answer = if case.seconds() == 0 { "0" } else { &start };
                let [org, user, context, number] = [0, 1, 2, 3].map(|index| case.word(index));
                let row = json!({
                    "variables": {"uuid": format!("id-{}", case.index), "accountcode": org, "user_name": user,
                        "start_uepoch": start, "answer_uepoch": answer, "end_uepoch": end,
                        "billsec": case.seconds().to_string(), "billmsec": format!("{}000", case.seconds())},
                    "callflow": [{"caller_profile": {"caller_id_number": user, "context": context,
                        "destination_number": number}}],
                });
                format!("{row}\n")
            };
            cases.iter().map(row).collect()
        },
    );
}

/// What switches without users have in common: no plan, and no licence where one is needed (U11).
const NAMELESS: &str = "
    acme - outbound +12065550142    61 -> user_out 2.00 unlicensed
    open - outbound 2065550142      60 -> user_out 1.00 L1
    open - outbound 011442071838750 61 -> user_out 4.25 L1
    acme - outbound 911             60 -> user_out 0.00 #emergency
    acme - outbound 1003            60 -> user_out 0.00 #internal
    acme - outbound +442071838750    0 -> user_out 0.00 #zero-seconds
    open - outbound +61290001234    60 -> user_out 0.00 #unrated
    acme - public   1001            60 -> user_in 0.00 #user-in
    open - public   +18005550199    60 -> user_in 0.00 #user-in
";

#[test]
fn freeswitch_csv() {
    check_switch("freeswitch-csv,zone=UTC,region=US", NAMELESS, |cases| {
        let row = |case: &Case<'_>| {
            let (start_s, end_s) = case.span_s();
            let [start, end] = [start_s, end_s].map(|second| format!("2026-03-02 {}", clock(second)));
            let answer = if case.seconds() == 0 { "" } else { &start };
            let [org, context, number] = [0, 2, 3].map(|index| case.word(index));
            let (seconds, id) = (case.seconds(), case.index);
            format!(
                "\"\",\"1001\",\"{number}\",\"{context}\",\"{start}\",\"{answer}\",\"{end}\",\"{seconds}\",\"{seconds}\",\
                 \"NORMAL_CLEARING\",\"id-{id}\",\"\",\"{org}\",\"PCMA\",\"PCMA\"\n"
            )
        };
        cases.iter().map(row).collect()
    });
}

/// Ringing, 9 s here, is in `duration` and costs nothing.
#[test]
fn asterisk_csv() {
    check_switch("asterisk-csv,zone=UTC,region=US", NAMELESS, |cases| {
        let row = |case: &Case<'_>| {
            let (answer_s, end_s) = case.span_s();
            let [start, answer, end] =
                [answer_s - 9, answer_s, end_s].map(|second| format!("2026-03-02 {}", clock(second)));
            let (answer, disposition) = match case.seconds() {
                0 => (String::new(), "NO ANSWER"),
                _ => (format!("\"{answer}\""), "ANSWERED"),
            };
            let [org, context, number] = [0, 2, 3].map(|index| case.word(index));
            let (seconds, id) = (case.seconds(), case.index);
            format!(
                "\"{org}\",\"1001\",\"{number}\",\"{context}\",\"\",\"PJSIP/1001-{id}\",\"PJSIP/trunk-{id}\",\"Dial\",\"\",\
                 \"{start}\",{answer},\"{end}\",{},{seconds},\"{disposition}\",\"DOCUMENTATION\",\"{id}\",\"\"\n",
                seconds + 9
            )
        };
        cases.iter().map(row).collect()
    });
}

/// The files have all their columns in life; a profile reads those that it names.
#[test]
fn cucm() {
    check_switch(
        "cucm,region=US",
        "
        acme 1001  - +12065550142    61 -> user_out 0.00 MCOPSTN8/1001:2/120 #included
        acme 1001  - 2065550142      60 -> user_out 0.00 MCOPSTN8/1001:3/120 #included
        acme 1001  - 011442071838750 61 -> user_out 4.25 L1
        acme pat   - +12065550142    60 -> user_out 1.00 L1
        acme -     - +12065550142    60 -> user_out 1.00 unlicensed
        acme -     - 911             60 -> user_out 0.00 #emergency
        acme 1001  - 2003            60 -> user_out 0.00 #internal
        acme 1001  - +442071838750    0 -> user_out 0.00 #zero-seconds
        acme 1001  - +61290001234    60 -> user_out 0.00 #unrated
        ",
        |cases| {
            let mut lines = vec![
                "\"cdrRecordType\",\"globalCallID_callManagerId\",\"globalCallID_callId\",\"dateTimeOrigination\",\
                 \"callingPartyNumber\",\"callingPartyUnicodeLoginUserID\",\"finalCalledPartyNumber\",\"dateTimeConnect\",\
                 \"dateTimeDisconnect\",\"pkid\",\"duration\",\"globalCallId_ClusterID\""
                    .to_owned(),
                "INTEGER,INTEGER,INTEGER,INTEGER,VARCHAR(50),VARCHAR(128),VARCHAR(50),INTEGER,INTEGER,\
                 UNIQUEIDENTIFIER,INTEGER,VARCHAR(50)"
                    .to_owned(),
            ];
            lines.extend(cases.iter().map(|case| {
                let (start_s, end_s) = case.span_s();
                let [start, end] = [start_s, end_s].map(|second| 1_772_409_600 + second);
                let answer = if case.seconds() == 0 { 0 } else { start };
                let (user, number, seconds, id) = (case.word(1), case.word(3), case.seconds(), case.index);
                format!(
                    "1,1,{id},{start},\"2001\",\"{user}\",\"{number}\",{answer},{end},\"pk-{id}\",{seconds},\"cluster\""
                )
            }));
            lines.join("\n")
        },
    );
}

#[test]
fn twilio() {
    check_switch(
        "twilio,region=US",
        "
        acme - outbound-api         +12065550142  61 -> user_out 2.00 unlicensed
        open - outbound-dial        +442071838750 60 -> user_out 2.25 L1
        open - trunking-terminating +442071838750 61 -> user_out 4.25 L1
        acme - inbound              +18005550199  61 -> ucap_in 1.00 L1
        acme - trunking-originating +18005550199  60 -> ucap_in 0.50 L1
        acme - inbound              +12065550142  60 -> ucap_in 0.00 #toll-number
        acme - inbound              client:alice  60 -> user_in 0.00 #user-in
        acme - outbound-dial        sip:a@b.test  60 -> user_in 0.00 #user-in
        acme - outbound-api         911           60 -> user_out 0.00 #emergency
        open - outbound-api         +442071838750  0 -> user_out 0.00 #zero-seconds
        open - outbound-api         +61290001234  60 -> user_out 0.00 #unrated
        ",
        |cases| {
            let call = |case: &Case<'_>| {
                let [start, end] = [case.span_s().0, case.span_s().1]
                    .map(|second| format!("Mon, 02 Mar 2026 {} +0000", clock(second)));
                json!({"sid": format!("id-{}", case.index), "account_sid": case.words[0], "direction": case.words[2],
                    "from": "+12065550100", "to": case.words[3], "duration": case.seconds().to_string(),
                    "status": if case.seconds() == 0 { "busy" } else { "completed" }, "start_time": start,
                    "date_created": start, "end_time": end, "price": "-0.2", "price_unit": "USD"})
            };
            json!({"calls": cases.iter().map(call).collect::<Vec<_>>()}).to_string()
        },
    );
}
