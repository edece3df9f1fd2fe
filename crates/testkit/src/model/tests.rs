//! The model against cases worked out by hand. Each names the rule it is for.
//!
//! A pool line in words is `pool:use:before+minutes/size`.

mod corrections;
mod draw;
mod identity;
mod ledger;
mod pools;
mod rating;
mod recharge;
mod reversals;
mod statements;
mod zone;

use serde_json::{Value, json};

use super::{Model, ModelDeck, ModelPlan, Options, time};

const DECK: &str =
    "id = \"main\"\nversion = 1\ncurrency = \"USD\"\neffectiveFrom = \"2020-01-01T00:00:00Z\"\nrows = \"main.csv\"\n";

/// One organisation under one deck, told what happens in a few words, answering in a few.
struct Script {
    model: Model,
    counter: u64,
}

impl Script {
    /// A deck of 1.00 a minute to anywhere in `44`, and an open prepaid account.
    fn new() -> Self {
        let mut script = Self::with_decks(vec![deck("", "prefix,price_per_minute\n44,1\n")]);
        script.command("2026-01-01T00:00:00Z", "openAccount", json!({}));
        script
    }

    /// The same, but nobody may draw credits without licences; `1` costs 2.00 a minute.
    fn licensed() -> Self {
        Self::licensed_with("prefix,price_per_minute\n44,1\n1,2\n49,4\n")
    }

    fn licensed_with(csv: &str) -> Self {
        let mut script = Self::with_decks(vec![deck("", csv)]);
        script.command("2026-01-01T00:00:00Z", "openAccount", json!({ "licensing": "required" }));
        script
    }

    fn with_decks(decks: Vec<ModelDeck>) -> Self {
        Self { model: Model::new(decks, Vec::<ModelPlan>::new(), Options::default()), counter: 0 }
    }

    fn command(&mut self, at: &str, kind: &str, mut fields: Value) -> String {
        self.counter += 1;
        if kind == "openAccount" {
            fields["currency"] = json!("USD");
            fields["ratePlan"] = json!("any");
            fields["country"] = json!("GB");
            if fields.get("licensing").is_none() {
                fields["licensing"] = json!("none");
            }
        }
        fields["commandId"] = json!(format!("c{}", self.counter));
        fields["orgId"] = json!("acme");
        fields["at"] = json!(at);
        fields["type"] = json!(kind);
        words(&self.model.feed_command(&fields))
    }

    fn assign(&mut self, at: &str, user: &str, licence: &str, country: &str) -> String {
        self.command(at, "assignLicence", json!({ "userId": user, "licence": licence, "country": country }))
    }

    fn remove(&mut self, at: &str, user: &str, licence: &str) -> String {
        self.command(at, "removeLicence", json!({ "userId": user, "licence": licence }))
    }

    fn buy(&mut self, lot: &str, amount: &str, at: &str) -> String {
        self.command(at, "addFunds", json!({ "lotId": lot, "amount": amount, "purchasedAt": at }))
    }

    fn buy_until(&mut self, lot: &str, amount: &str, at: &str, expires: &str) -> String {
        let fields = json!({ "lotId": lot, "amount": amount, "purchasedAt": at, "expiresAt": expires });
        self.command(at, "addFunds", fields)
    }

    fn auto_recharge(&mut self, at: &str, amount: &str, trigger: &str, cap: Option<&str>) -> String {
        let mut fields = json!({
            "enabled": true, "rechargeAmount": amount, "triggerAmount": trigger, "paymentMethod": { "card": "tok" },
        });
        if let Some(cap) = cap {
            fields["monthlyCap"] = json!(cap);
        }
        self.command(at, "configureAutoRecharge", fields)
    }

    fn settle(&mut self, at: &str, recharge: &str, outcome: &str) -> String {
        let fields = json!({ "rechargeId": recharge, "outcome": outcome, "processedAt": at });
        self.command(at, "settleRecharge", fields)
    }

    /// A call to London that is reported the moment it starts.
    fn call(&mut self, id: &str, seconds: i64, start: &str) -> String {
        self.late_call(id, seconds, start, start)
    }

    fn late_call(&mut self, id: &str, seconds: i64, start: &str, arrival: &str) -> String {
        self.row(row(id, seconds, start), arrival)
    }

    /// A call with some fields of its own, reported the moment it starts.
    fn call_with(&mut self, id: &str, seconds: i64, start: &str, fields: Value) -> String {
        let mut row = row(id, seconds, start);
        for (name, value) in fields.as_object().expect("fields") {
            row[name] = value.clone();
        }
        self.row(row, start)
    }

    /// The record that `call` made, at another revision and changed, an hour after its start or later.
    fn revise(&mut self, id: &str, revision: u64, arrival: &str, mut fields: Value) -> String {
        fields["revision"] = json!(revision);
        let start = fields["startDateTime"].as_str().expect("a start").to_owned();
        let mut row = row(id, 60, &start);
        for (name, value) in fields.as_object().expect("fields") {
            row[name] = value.clone();
        }
        self.row(row, arrival)
    }

    fn row(&mut self, row: Value, arrival: &str) -> String {
        words(&self.model.feed_cdr(&row, time::parse(arrival).expect("an instant")))
    }

    fn until(&mut self, to: &str) -> String {
        words(&self.model.run_until(time::parse(to).expect("an instant")))
    }

    fn total(&self, name: &str) -> Value {
        self.model.accounts()[0][name].clone()
    }
}

fn row(id: &str, seconds: i64, start: &str) -> Value {
    json!({
        "id": id, "orgId": "acme", "callType": "user_out", "calleeNumber": "+442071838750",
        "startDateTime": start, "duration": seconds, "userId": "u1",
    })
}

fn deck(more_toml: &str, csv: &str) -> ModelDeck {
    ModelDeck::read(&format!("{DECK}{more_toml}"), csv).expect("a sound deck")
}

/// Outputs in a few words, one line each.
fn words(outputs: &[Value]) -> String {
    outputs.iter().map(line).collect::<Vec<_>>().join("\n")
}

fn line(output: &Value) -> String {
    let text = |key: &str| output[key].as_str().map(|text| format!(" {text}")).unwrap_or_default();
    match output["type"].as_str().expect("a type") {
        "debit" => {
            let charge = output["charge"]["amount"].as_str().expect("an amount");
            let funders: String = output["funding"].as_array().expect("lines").iter().map(funder).collect();
            let flags: String = output["flags"]
                .as_array()
                .expect("flags")
                .iter()
                .map(|flag| format!(" #{}", flag.as_str().unwrap_or("")))
                .collect();
            format!("debit {charge}{funders}{flags} ={}", text("balanceAfter"))
        }
        "reject" => format!("reject{}", text("reason")),
        "duplicate" => "duplicate".to_owned(),
        "LicenceAssigned" | "LicenceRemoved" => {
            let since = if output["since"].is_null() { String::new() } else { format!(" since{}", text("since")) };
            format!("{}{}{}{}{since}", text("type").trim(), text("userId"), text("licence"), text("country"))
        }
        "PostUsageStatement" => format!(
            "PostUsageStatement{}{} of{} @{} ={}",
            text("month"),
            text("amount"),
            text("postUsage"),
            &output["at"].as_str().expect("at")[5..],
            text("balanceAfter")
        ),
        "PoolThresholdReached" => {
            let (percent, used, size) = (&output["percent"], &output["used"], &output["size"]);
            format!("PoolThresholdReached{}{} {percent}% {used}/{size}", text("pool"), text("use"))
        }
        kind => {
            let id = if output["rechargeId"].is_string() { text("rechargeId") } else { text("lotId") };
            format!(
                "{kind}{id}{}{} @{} ={}",
                text("amount"),
                text("reason"),
                &output["at"].as_str().expect("at")[5..],
                text("balanceAfter")
            )
        }
    }
}

fn funder(line: &Value) -> String {
    if line["type"] == "pool" {
        let text = |key: &str| line[key].as_str().expect("text");
        let number = |key: &str| line[key].as_i64().expect("a number");
        let (minutes, before) = (number("minutes"), number("before"));
        assert_eq!(number("after"), before + minutes, "{line}");
        return format!(" {}:{}:{before}{minutes:+}/{}", text("pool"), text("use"), number("size"));
    }
    let name = line["lotId"].as_str().or(line["type"].as_str()).expect("a funder");
    let returned = line["returnedTo"].as_str().map(|lot| format!(">{lot}")).unwrap_or_default();
    format!(" {name}:{}{returned}", line["amount"].as_str().expect("an amount"))
}

/// Compares line by line, whatever the indentation of `expected`.
#[track_caller]
fn check(got: &str, expected: &str) {
    let expected: Vec<&str> = expected.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    assert_eq!(got.lines().collect::<Vec<_>>(), expected);
}
