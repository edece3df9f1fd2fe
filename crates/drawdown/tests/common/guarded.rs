//! A pipeline on the embedded store that asks who comes, with some accounts to try things on.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::client::Client;
use crate::process::{Process, drawdown, run};

/// A pipeline, not running yet.
pub struct Guarded {
    dir: TempDir,
}

impl Guarded {
    pub fn new() -> Self {
        let dir = TempDir::new().expect("a directory");
        let deck = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../config/decks/acs-pstn.toml");
        let (store, keys) = (dir.path().join("store"), dir.path().join("keys.toml"));
        let text = format!(
            "[log]\nkind = \"embedded\"\n[embedded]\ndirectory = {store:?}\n[rating]\ndecks = [{deck:?}]\n\
             [http]\nlisten = \"127.0.0.1:0\"\nkeys_file = {keys:?}\n"
        );
        std::fs::write(dir.path().join("drawdown.toml"), text).expect("it can be written");
        Guarded { dir }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// A key of one scope, for all organisations or for one.
    pub fn key(&self, scope: &str, org: Option<&str>) -> String {
        let name = format!("{scope}-of-{}", org.unwrap_or("all"));
        let mut command = drawdown();
        command.args(["key", "new", "--name", &name, "--scope", scope, "--rate", "100000", "--file"]);
        command.arg(self.path("keys.toml")).args(org.map(|org| format!("--org={org}")));
        run(&mut command).trim().to_owned()
    }

    /// Starts it; the client has no key yet.
    pub fn start(&self) -> (Process, Client) {
        // A log of its own, so that the address is that of this process.
        let number = std::fs::read_dir(self.dir.path()).expect("a directory").count();
        let log = self.path(&format!("serve-{number}.log"));
        let process = Process::start(&self.path("drawdown.toml"), &log);
        (process, Client::of_log(&log))
    }
}

/// An account with 100.00, of which a call has taken some, and a recharge that waits for its settlement.
pub fn furnish(client: &Client, org: &str) {
    client.post("/v1/accounts", &terms(org)).expect(201);
    let of = |rest: &str| format!("/v1/accounts/{org}{rest}");
    client.post(&of("/lots"), &json!({"lotId": "L1", "amount": "100.00"})).expect(201);
    client.send("PUT", &of("/auto-recharge"), &[], Some(&recharging())).expect(200);
    client.send("PUT", &of("/users/u1/licences/MCOPSTN1"), &[], Some(&json!({"country": "US"}))).expect(200);
    client.post("/v1/cdrs", &call(org, &first_call(org))).expect(202);
    client.wait_for(&of("/balance"), |balance| balance["settled"] != "100.00");
    client.wait_for(&of("/recharges"), |page| page["items"][0].is_object());
}

pub fn terms(org: &str) -> Value {
    json!({"orgId": org, "currency": "USD", "ratePlan": "standard", "country": "US", "licensing": "none"})
}

/// Below 150.00 there is always something to recharge.
pub fn recharging() -> Value {
    json!({"enabled": true, "rechargeAmount": "100.00", "triggerAmount": "150.00",
        "paymentMethod": {"card": "tok_of_somebody_4242"}})
}

/// The call that every account has. The ids of a source are its own: no two of its records have the same.
pub fn first_call(org: &str) -> String {
    format!("call-of-{org}")
}

pub fn call(org: &str, id: &str) -> Value {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970");
    let started = drawdown_units::Timestamp::from_parts(now.as_secs() as i64 - 120, 0).to_string();
    json!({"id": id, "source": "switch-1", "orgId": org, "userId": "u1", "callType": "user_out",
        "calleeNumber": "+442071838750", "callerNumber": "+12065550100", "startDateTime": started, "duration": 90})
}
