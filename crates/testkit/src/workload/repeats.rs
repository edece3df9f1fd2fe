//! Usage records that come again: as they were, changed where it does not matter, changed where it does, corrected.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::world::World;
use crate::model::time;

/// How many of the latest records come again as they were.
const RECENT: usize = 80;

impl World {
    /// A second coming of a record of the organisation, or a void of one that never was.
    pub fn repeated_record(&mut self, org: &str, arrival: Timestamp) -> Option<Value> {
        let latest = self.records.iter().enumerate().rev().take(RECENT);
        let of_org = latest.filter(|(_, row)| row["orgId"] == org);
        let of_org: Vec<usize> = of_org.map(|(index, _)| index).collect();
        if of_org.is_empty() {
            return None;
        }
        let mut row = self.records[self.rng.pick(&of_org)].clone();
        row["receivedAt"] = json!(arrival.to_string());
        // Corrections of the one kind or the other.
        let (later, void) = if self.options.credits { (8, 4) } else { (0, 0) };
        match self.rng.weighted(&[40, 20, 20, later, 4, void, 4]) {
            0 => {}
            1 => self.change_harmlessly(&mut row),
            2 => self.change_content(&mut row),
            3 => row["revision"] = json!(revision(&row) + 1),
            4 => row["revision"] = json!(revision(&row).saturating_sub(1)),
            5 => row["void"] = json!(true),
            _ => {
                row["id"] = json!(format!("never-{}", self.fresh()));
                row["void"] = json!(true);
            }
        }
        Some(row)
    }

    fn change_harmlessly(&mut self, row: &mut Value) {
        match self.rng.below(4) {
            0 => row["userDisplayName"] = json!("B. Caller"),
            1 => row["charge"] = json!(1.25),
            2 => row["somethingNew"] = json!({ "of": ["another", "version"] }),
            _ => row["callId"] = json!("another-leg"),
        }
    }

    pub fn change_content(&mut self, row: &mut Value) {
        match self.rng.below(6) {
            0 => row["duration"] = json!(row["duration"].as_u64().unwrap_or(0) + 1),
            1 => row["userId"] = json!("user-9"),
            2 => row["callerNumber"] = json!("+390612345678"),
            3 => row["conferenceId"] = json!("conf-1"),
            4 => {
                row["destinationContext"] = Value::Null;
                self.decide_number(row);
            }
            _ => self.move_start(row),
        }
    }

    /// Another start, of a call recent enough that no window decides.
    fn move_start(&mut self, row: &mut Value) {
        let start = row["startDateTime"].as_str().and_then(time::parse);
        let Some(start) = start.filter(|start| *start > self.timeline.now - time::days(20)) else { return };
        let earlier = start - SignedDuration::from_secs(self.rng.between(1, 100_000));
        row["startDateTime"] = json!(earlier.to_string());
    }
}

pub fn revision(row: &Value) -> u64 {
    row["revision"].as_u64().unwrap_or(0)
}
