//! Random licences, for so few users that they share pools, and calls around the instants at which they change.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::world::World;

/// Held often enough that most plans meet money, and seldom enough that some do not.
const LICENCES: [(&str, usize); 13] = [
    ("MCOPSTN5", 22),
    ("MCOPSTN8", 16),
    ("MCOPSTN2", 14),
    ("MCOPSTN1", 8),
    ("MCOPSTN6", 6),
    ("MCOPSTN_PAYG_1", 4),
    ("MCOPSTN_PAYG_2", 3),
    ("MCOMEETADV", 20),
    ("MCOMEETADD_DIALOUT_US", 8),
    ("MCOPSTNPP", 26),
    ("MCOMEETACPEA", 3),
    ("MCOEV", 2),
    ("SOMETHING_NEW", 2),
];
const COUNTRIES: [&str; 8] = ["US", "US", "GB", "GB", "PR", "CA", "DE", "DE"];

impl World {
    /// Given, given again, given for another country, taken away.
    pub fn licence(&mut self, org: &str, at: Timestamp) -> Value {
        let held = self.some_holding(org);
        match (held, self.rng.below(20)) {
            (Some((user, licence, country)), 0..5) => {
                let mut fields = json!({ "userId": user, "licence": licence });
                if self.rng.chance(50) {
                    fields["country"] = json!(if self.rng.chance(80) { country } else { "FR".to_owned() });
                }
                self.command(org, at, "removeLicence", fields)
            }
            (Some((user, licence, country)), 5) => self.assign(org, at, &user, &licence, &country),
            (Some((user, licence, _)), 6 | 7) => {
                let country = self.rng.pick(&COUNTRIES);
                self.assign(org, at, &user, &licence, country)
            }
            (_, 8) => {
                let (user, licence) = (self.user(), self.some_licence());
                self.command(org, at, "removeLicence", json!({ "userId": user, "licence": licence }))
            }
            _ => {
                let (user, licence, country) = (self.user(), self.some_licence(), self.rng.pick(&COUNTRIES));
                self.assign(org, at, &user, licence, country)
            }
        }
    }

    fn assign(&mut self, org: &str, at: Timestamp, user: &str, licence: &str, country: &str) -> Value {
        self.command(org, at, "assignLicence", json!({ "userId": user, "licence": licence, "country": country }))
    }

    fn user(&mut self) -> String {
        format!("user-{}", self.rng.below(4))
    }

    fn some_licence(&mut self) -> &'static str {
        let weights: Vec<usize> = LICENCES.iter().map(|(_, weight)| *weight).collect();
        LICENCES[self.rng.weighted(&weights)].0
    }

    fn some_holding(&mut self, org: &str) -> Option<(String, String, String)> {
        let held = self.account(org)?.licences.iter().filter(|holding| holding.removed.is_none());
        let held: Vec<(String, String, String)> =
            held.map(|held| (held.user.clone(), held.licence.clone(), held.country.clone())).collect();
        if held.is_empty() { None } else { Some(self.rng.pick(&held)) }
    }

    /// Beside an instant at which a licence was given or taken away.
    pub fn licence_boundary(&mut self, org: &str, earliest: Timestamp, clock: Timestamp) -> Option<Timestamp> {
        let holdings = self.account(org)?.licences.iter();
        let changes = holdings.flat_map(|holding| [Some(holding.since), holding.removed]).flatten();
        let changes: Vec<Timestamp> = changes.filter(|at| *at > earliest && *at <= clock).collect();
        if changes.is_empty() {
            return None;
        }
        let change = self.rng.pick(&changes);
        Some(self.beside(change))
    }
}
