//! What the API and the connectors of the live process do: requests of every kind, and figures that go on growing.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use drawdown_api::authorise::Settings;
use drawdown_api::authorise::books::States;
use drawdown_api::meters::{ChargeMeters, ConnectorMeters, DeadLetterMeters, MailMeters, WebhookMeters};
use drawdown_api::{Calls, Telemetry};
use drawdown_ledger::Rules;
use drawdown_rating::{Catalogue, Deck, DeckText};
use drawdown_wire::account;

/// The one account, as it was committed.
struct OneState;

impl States for OneState {
    fn account(&self, org: &str) -> Option<Vec<u8>> {
        let mut state = Vec::new();
        account::pack(&mut state, &super::live::account());
        (org == "a").then_some(state)
    }

    fn users(&self, _: &str, _: &mut dyn FnMut(&[u8])) {}

    fn partition(&self, _: &str) -> Option<u32> {
        Some(0)
    }
}

/// The running calls of the one account.
pub fn calls(telemetry: &Telemetry) -> Calls {
    let text = DeckText {
        manifest_name: "acs-pstn.toml",
        manifest: include_str!("../../../../config/decks/acs-pstn.toml"),
        rows_name: "acs-pstn.csv",
        rows: include_bytes!("../../../../config/decks/acs-pstn.csv"),
    };
    let catalogue = Arc::new(Catalogue::new(vec![Deck::compile(text).unwrap().deck], Vec::new()).unwrap());
    let catalogue = Box::new(move || Some(Arc::clone(&catalogue)));
    Calls::new(Settings::default(), Arc::new(OneState), Rules::default(), catalogue, telemetry.calls())
}

/// Asks for everything once, over HTTP.
pub struct Client {
    agent: ureq::Agent,
    address: SocketAddr,
}

impl Client {
    pub fn of(address: SocketAddr) -> Self {
        let agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
        Client { agent, address }
    }

    pub fn ask(&self) {
        self.get("/v1/accounts", 200);
        self.get("/no/such/path", 404);
        self.post("/v1/accounts/a/lots", r#"{"amount":"1"}"#, 503);
        let call = |org: &str| format!(r#"{{"orgId":"{org}","callId":"1","calleeNumber":"+442071838750"}}"#);
        self.post("/v1/authorisations", &call("a"), 200);
        self.post("/v1/authorisations", &call("nobody"), 200);
    }

    fn get(&self, path: &str, status: u16) {
        let response = self.agent.get(format!("http://{}{path}", self.address)).call().unwrap();
        assert_eq!(response.status().as_u16(), status, "{path}");
    }

    fn post(&self, path: &str, body: &str, status: u16) {
        let request = self.agent.post(format!("http://{}{path}", self.address));
        let response = request.header("content-type", "application/json").send(body).unwrap();
        assert_eq!(response.status().as_u16(), status, "{path}");
    }
}

/// Connectors that do everything again and again.
pub struct Connectors {
    payment: ConnectorMeters,
    charges: ChargeMeters,
    mails: MailMeters,
    webhook: WebhookMeters,
    dead: DeadLetterMeters,
    count: u64,
}

impl Connectors {
    pub fn new(telemetry: &Telemetry) -> Self {
        Connectors {
            payment: telemetry.connector("payment"),
            charges: telemetry.charges(),
            mails: telemetry.mails(),
            webhook: telemetry.webhook("crm"),
            dead: telemetry.dead_letters(),
            count: 0,
        }
    }

    pub fn work(&mut self) {
        self.count += 1;
        let took = [Duration::from_millis(80)];
        self.payment.update(true, 3, Duration::from_secs(2), 0);
        self.charges.update([self.count, 1, 1, 1, self.count], 1, 2, &took);
        self.mails.update([self.count, 1, 1], 1);
        self.webhook.update([self.count, 1, 1], &took);
        self.dead.update([1, 1]);
    }
}
