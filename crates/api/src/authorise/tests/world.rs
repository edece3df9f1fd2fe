//! A partition with accounts, made by hand or of a random workload.

use drawdown_engine::{Engine, InProgress, Limits, Outcome, Outputs, Partition};
use drawdown_ledger::Rules;
use drawdown_rating::{Catalogue, Deck, DeckText, RatePlan};
use drawdown_testkit::workload::{Input, Workload};
use drawdown_units::{Money, Timestamp};
use drawdown_wire::source::Context;
use drawdown_wire::{command, licences, native};
use serde_json::{Value, json};

use super::super::{AuthorisationRequest, Terms};

pub struct World {
    pub catalogue: Catalogue,
    pub rules: Rules,
    pub partition: Partition,
    pub now: Timestamp,
    commands: usize,
}

/// What one rated call came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rated {
    pub charge: Money,
    pub is_unrated: bool,
}

impl World {
    /// A deck of these rows, and every licence of Teams.
    pub fn new(rows: &str) -> Self {
        let manifest =
            "id = \"d\"\nversion = 1\ncurrency = \"USD\"\neffectiveFrom = 2026-01-01T00:00:00Z\nrows = \"d.csv\"\n";
        let text = DeckText { manifest_name: "d.toml", manifest, rows_name: "d.csv", rows: rows.as_bytes() };
        let deck = Deck::compile(text).expect("a sound deck").deck;
        World::of(Catalogue::new(vec![deck], Vec::new()).expect("a sound catalogue"), super::at("2026-03-01T00:00:00Z"))
    }

    fn of(catalogue: Catalogue, now: Timestamp) -> Self {
        let rules = Rules { plans: licences::teams(), ..Rules::default() };
        World { catalogue, rules, partition: Partition::default(), now, commands: 0 }
    }

    /// The decks and accounts that a workload leads to.
    pub fn of_workload(workload: &Workload) -> Self {
        let compile = |files: &drawdown_testkit::workload::DeckFiles| {
            let text = DeckText {
                manifest_name: &files.toml_name,
                manifest: &files.toml,
                rows_name: &files.csv_name,
                rows: files.csv.as_bytes(),
            };
            Deck::compile(text).expect("a sound deck").deck
        };
        let plans = workload.plans.iter().map(|plan| RatePlan::parse(&plan.name, &plan.toml).expect("a sound plan"));
        let decks = workload.decks.iter().map(compile).collect();
        let catalogue = Catalogue::new(decks, plans.collect()).expect("a sound catalogue");
        let mut world = World::of(catalogue, Timestamp::MIN);
        for step in &workload.steps {
            match &step.input {
                Input::Command(value) => {
                    world.now = world.now.max(super::at(value["at"].as_str().expect("an instant")));
                    world.apply(value);
                }
                Input::Cdr { row, arrival } => {
                    let arrival = super::at(&arrival.to_string());
                    world.now = world.now.max(arrival);
                    world.feed(row, arrival);
                }
            }
        }
        world.partition.commit(&Limits::default());
        world
    }

    pub fn terms(&self) -> Terms<'_> {
        Terms { catalogue: &self.catalogue, rules: &self.rules }
    }

    /// Feeds a command, now.
    pub fn command(&mut self, org: &str, mut value: Value) {
        self.commands += 1;
        value["commandId"] = json!(format!("made-here-{}", self.commands));
        value["orgId"] = json!(org);
        value["at"] = json!(self.now.to_string());
        self.apply(&value);
    }

    pub fn open(&mut self, org: &str, licensing: &str) {
        let open = json!({ "type": "openAccount", "currency": "USD", "ratePlan": "any", "country": "US", "licensing": licensing });
        self.command(org, open);
    }

    pub fn buy(&mut self, org: &str, amount: &str) {
        let lot = format!("lot-{}", self.commands);
        let purchased = self.now.to_string();
        self.command(org, json!({ "type": "addFunds", "lotId": lot, "amount": amount, "purchasedAt": purchased }));
    }

    pub fn licence(&mut self, org: &str, user: &str, licence: &str) {
        self.command(org, json!({ "type": "assignLicence", "userId": user, "licence": licence, "country": "US" }));
    }

    fn apply(&mut self, value: &Value) {
        let Ok(envelope) = command::decode(value.to_string().as_bytes()) else { return };
        let engine = Engine { catalogue: &self.catalogue, rules: &self.rules, limits: LIMITS, open_unknown: None };
        self.partition.command(&engine, self.now, &envelope, &mut Outputs::default());
    }

    fn feed(&mut self, row: &Value, arrival: Timestamp) -> Option<Rated> {
        let bytes = row.to_string().into_bytes();
        let cdr = native::decode(&bytes, &Context::default()).ok()?;
        let engine = Engine { catalogue: &self.catalogue, rules: &self.rules, limits: LIMITS, open_unknown: None };
        match self.partition.cdr(&engine, arrival, &cdr, &mut Outputs::default(), &mut InProgress) {
            Outcome::Debited(call) => Some(Rated { charge: call.amount, is_unrated: call.unrated().is_some() }),
            Outcome::Duplicate | Outcome::Rejected(_) => None,
        }
    }

    /// Rates the call of a request that started then and lasted so long; its record arrives now.
    pub fn rate(&mut self, request: &AuthorisationRequest, start: Timestamp, seconds: u32) -> Rated {
        let country =
            self.partition.account(&request.org_id).map(drawdown_ledger::Account::country).expect("an account");
        let row = json!({
            "id": request.call_id, "orgId": request.org_id, "userId": request.user_id, "duration": seconds,
            "callType": request.call_type.as_deref().unwrap_or("user_out"), "calleeNumber": request.callee_number,
            "callerNumber": request.caller_number, "destinationContext": request.destination_context,
            "usageCountryCode": request.usage_country_code, "startDateTime": start.to_string(),
            "tenantCountryCode": std::str::from_utf8(&country).expect("a country"),
        });
        self.feed(&row, self.now).expect("what was authorised is debited")
    }
}

const LIMITS: Limits = Limits { window_days: 90, future_tolerance_s: 300, leap_days_max: 3_660 };

/// A question about a call.
pub fn ask(org: &str, call: &str, number: &str) -> AuthorisationRequest {
    AuthorisationRequest {
        org_id: org.into(),
        call_id: call.into(),
        user_id: Some("u1".into()),
        callee_number: number.into(),
        ..AuthorisationRequest::default()
    }
}

/// The calls that a workload's records tell of, as questions.
pub fn questions(workload: &Workload) -> Vec<AuthorisationRequest> {
    let rows = workload.steps.iter().filter_map(|step| match &step.input {
        Input::Cdr { row, .. } => Some(row),
        Input::Command(_) => None,
    });
    let text = |row: &Value, field: &str| row[field].as_str().filter(|text| !text.is_empty()).map(str::to_owned);
    let question = |row: &Value| {
        Some(AuthorisationRequest {
            org_id: text(row, "orgId")?,
            user_id: text(row, "userId"),
            callee_number: text(row, "calleeNumber")?,
            caller_number: text(row, "callerNumber"),
            call_type: text(row, "callType"),
            usage_country_code: text(row, "usageCountryCode"),
            destination_context: text(row, "destinationContext")
                .filter(|it| ["Domestic", "International"].contains(&&**it)),
            ..AuthorisationRequest::default()
        })
    };
    rows.filter_map(question).collect()
}
