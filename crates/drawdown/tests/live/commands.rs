//! The command line as a client of the API: every command against a running server with keys, what it shows, and how it
//! ends; and against a server that says what no real one says on demand.

mod desk;
mod sending;

use desk::{Desk, redacted};
use serde_json::{Value, json};

/// An account from its opening to its end, as an operator sees it.
#[test]
fn every_command_against_a_running_server() {
    let desk = Desk::start();
    let mut shown = desk.transcript();
    shown.say("account open contoso --currency USD --rate-plan standard --country US --licensing none");
    shown.say("account open fabrikam --currency USD --rate-plan standard --country DE --mode post-usage --strict");
    shown.say("account list");
    shown.say("account list --limit 1");
    shown.say("account set-mode fabrikam prepaid");
    shown.say("account set-rate-plan fabrikam gold");
    shown.say("account show fabrikam");
    shown.say("account close fabrikam");
    insta::assert_snapshot!("account", shown.take());

    shown.say("funds add contoso 100 --lot L1 --reference PO-4711 --currency USD --idempotency-key order-1");
    shown.say("funds add contoso 100 --lot L1 --reference PO-4711 --currency USD --idempotency-key order-1");
    shown.say("funds add contoso 5 --lot L2 --purchased 2026-11-01 --expires 2099-01-01");
    shown.say("funds adjust contoso -2.50 --reason twice");
    shown.say("funds lots contoso");
    shown.say("funds refund contoso L2 --reason ended");
    shown.say("funds balance contoso");
    insta::assert_snapshot!("funds", shown.take());

    let calls = [desk.call("contoso", "call-1", "+442071838750"), desk.call("contoso", "call-2", "+999")];
    desk.api.post("/v1/cdrs", &json!(calls)).expect(202);
    desk.api.wait_for("/v1/accounts/contoso/debits", |page| page["items"][1].is_object());
    // Debits can be read a moment before the account is seen so.
    desk.api.wait_for("/v1/accounts/contoso/balance", |balance| balance["settled"] == "99.97");
    shown.say("call debits contoso");
    shown.say("call debits contoso --prefix 44 --user u1 --from 2026-01-01 --to 2099-01-01 --all");
    shown.say("call debits contoso --id nothing");
    shown.say("call rejects contoso");
    shown.say("call explain contoso call-1");
    shown.say("price standard +442071838750 219 --at 2026-03-01");
    shown.say("balance contoso");
    insta::assert_snapshot!("call", shown.take());
    assert_eq!(desk.ask("price standard +999").code, 1, "unrated is a finding");

    recharges(&desk);
    licences(&desk);
    let events = desk.json("account events contoso --type FundsAdded,Adjusted --all --json");
    let kinds: Vec<_> = events["items"].as_array().expect("a list").iter().map(|event| &event["type"]).collect();
    assert_eq!(kinds[..3], [&json!("FundsAdded"), &json!("FundsAdded"), &json!("Adjusted")], "{events:#}");
    desk.end();
}

fn recharges(desk: &Desk) {
    let mut shown = desk.transcript();
    std::fs::write(desk.path("token"), "tok_of_contoso_4242\n").expect("a file");
    shown.say("recharge configure contoso --amount 100 --trigger 500 --monthly-cap 1000 --card-file {dir}/token");
    shown.say("recharge show contoso");
    shown.say("recharge payment-method contoso --agreement EA-1 --purchase-order PO-1");
    shown.say("recharge settle contoso 1 succeeded --amount 100");
    shown.say("recharge history contoso");
    shown.say("recharge invoices contoso");
    let settings = desk.ask("recharge show contoso").stdout;
    let version = settings.lines().find_map(|line| line.strip_prefix("version")).expect("a version").trim();
    let change = "recharge configure contoso --amount 100 --trigger 500 --off --agreement EA-1";
    desk.ask(&format!("{change} --if-match 0000000000000000")).expect(2);
    desk.ask(&format!("{change} --if-match {version} --idempotency-key only-once")).expect(0);
    desk.ask(&format!("{change} --if-match {version}")).expect(2);
    shown.say("recharge configure contoso --amount 100 --trigger 500 --off --agreement EA-1");
    insta::assert_snapshot!("recharge", shown.take());
}

fn licences(desk: &Desk) {
    let mut shown = desk.transcript();
    shown.say("licence assign contoso u1 MCOPSTN1 --country US");
    shown.say("licence show contoso u1");
    shown.say("licence remove contoso u1 MCOPSTN1");
    shown.say("licence pools contoso");
    insta::assert_snapshot!("licence", shown.take());
}

/// What a server says is printed as it is, pages joined to one.
#[test]
fn json_is_that_of_the_api() {
    let desk = Desk::start();
    let opened =
        desk.json("account open contoso --currency USD --rate-plan standard --country US --idempotency-key k-1 --json");
    assert_eq!((&opened["commandId"], &opened["outcome"]), (&json!("k-1"), &json!("applied")));
    for number in 0..5 {
        desk.json(&format!("funds add contoso {}.25 --json", number + 1));
    }
    for (line, path) in [
        ("account show contoso", "/v1/accounts/contoso"),
        ("funds balance contoso", "/v1/accounts/contoso/balance"),
        ("funds lots contoso", "/v1/accounts/contoso/lots"),
        ("account events contoso", "/v1/accounts/contoso/events"),
        ("deck list", "/v1/decks"),
        ("balance contoso", "/v1/accounts/contoso"),
    ] {
        let mut ours = desk.json(&format!("{line} --json"));
        let mut theirs = desk.api.get(path).expect(200);
        // Where to go on is said anew each time.
        for page in [&mut ours, &mut theirs] {
            page.as_object_mut().expect("an object").remove("next");
        }
        assert_eq!(ours, theirs, "{line}");
    }
    let all = desk.json("account events contoso --all --json");
    assert_eq!((all["items"].as_array().map(Vec::len), &all["isEnd"]), (Some(6), &json!(true)));
    let first = desk.json("account events contoso --limit 4 --json");
    let next = first["next"].as_str().expect("a cursor");
    let rest = desk.json(&format!("account events contoso --cursor {next} --json"));
    let items = |page: &Value| page["items"].as_array().expect("a list").clone();
    assert_eq!([items(&first), items(&rest)].concat(), items(&all));
    desk.end();
}

/// What is refused ends with 2 and one line; who is not let in learns what to do.
#[test]
fn refusals_are_one_line_and_have_their_exit_code() {
    let desk = Desk::start();
    let mut shown = desk.transcript();
    desk.ask("account open contoso --currency USD --rate-plan standard --country US").expect(0);
    desk.ask("funds add contoso 1 --lot L1 --idempotency-key once").expect(0);
    shown.say("account show nobody");
    shown.say("account open contoso --currency USD --rate-plan standard --country US");
    shown.say("account open fabrikam --currency dollars --rate-plan standard --country US");
    shown.say("funds add contoso 12,50");
    shown.say("funds add contoso 5 --lot L1");
    shown.say("funds add contoso 2 --idempotency-key once");
    shown.say("funds add contoso 2 --currency EUR");
    shown.say("funds refund contoso L9 --reason none");
    shown.say("recharge show contoso");
    shown.say("recharge configure contoso --amount 100 --trigger 20");
    shown.say("recharge settle contoso 7 declined");
    shown.say("licence show contoso u9");
    shown.say("call explain contoso unknown");
    shown.say("account events contoso --cursor there");
    shown.say("price gold +442071838750");
    shown.say("price standard 020-7183");
    insta::assert_snapshot!("refusals", shown.take());

    desk.ask("account show contoso --key-file {dir}/reader").expect(0);
    shown.say("funds add contoso 5 --key-file {dir}/reader");
    shown.say("account list --key-file {dir}/wrong");
    shown.say("account list --key-file {dir}/empty");
    insta::assert_snapshot!("keys", shown.take());
    let without = desk.run(desk.command("account list").env_remove("DRAWDOWN_API_KEY"));
    without.expect(2);
    assert!(without.stderr.contains("the server asks for a key; give one in DRAWDOWN_API_KEY"), "{}", without.stderr);
    desk.end();
}

/// Through the API it is said at once whether a deck is in force, or why it is not.
#[test]
fn a_deck_is_published_through_the_api() {
    let desk = Desk::start();
    let mut shown = desk.transcript();
    desk.write_deck("new.toml", 2, "0.10");
    desk.write_deck("other.toml", 2, "0.20");
    desk.write_deck("wrong.toml", 3, "free");
    let plan = "id = \"gold\"\ncurrency = \"USD\"\n[products]\noutbound = \"acs-pstn\"\n";
    std::fs::write(desk.path("gold.toml"), plan).expect("a file");
    shown.say("deck publish {dir}/new.toml {dir}/gold.toml");
    shown.say("deck publish {dir}/new.toml");
    shown.say("deck publish {dir}/other.toml");
    shown.say("deck publish {dir}/wrong.toml");
    shown.say("price gold +442071838750 61");
    shown.say("deck list");
    shown.say("deck publish {dir}/new.toml --key-file {dir}/reader");
    for line in ["acs-pstn 2 --key-file {dir}/reader", "acs-pstn 7", "acs-pstn 2", "acs-pstn 2 --json"] {
        shown.say(&format!("deck withdraw {line}"));
    }
    shown.say("deck publish {dir}/new.toml");
    shown.say("deck list");
    insta::assert_snapshot!("deck", shown.take());
    desk.end();
}

/// The configuration says where the server is, its certificate is looked at, and without a server the store is read.
#[test]
fn a_server_behind_tls_is_found_and_known() {
    let desk = Desk::start_with_tls();
    desk.ask("account open contoso --currency USD --rate-plan standard --country US --ca-file {dir}/cert.pem")
        .expect(0);
    let stranger = desk.ask("account list");
    stranger.expect(3);
    assert!(stranger.stderr.contains("https://localhost:") && !stranger.stderr.contains("idempotency"), "{stranger:?}");
    desk.ask("account list --ca-file {dir}/key").expect(2);
    desk.stop();
    let config = desk.path("drawdown.toml");
    let mut command = crate::process::drawdown();
    command.args(["balance", "contoso", "--config"]).arg(config).env("DRAWDOWN_API_KEY", &desk.key);
    let stored = desk.run(&mut command);
    stored.expect(0);
    assert!(stored.stdout.starts_with("contoso: balance 0.00 USD (prepaid)"), "{}", redacted(&stored.stdout));
    assert!(desk.ask("account list").stderr.contains("is `drawdown serve` running there?"));
    desk.end();
}
