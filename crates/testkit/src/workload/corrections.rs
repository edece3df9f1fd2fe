//! Random corrections: higher revisions with changed content, voids, and what comes after them; and calls that end where
//! their pool does.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::repeats::revision;
use super::world::World;
use crate::model::time;

impl World {
    /// Another revision of a record of the organisation.
    pub fn correction(&mut self, org: &str, arrival: Timestamp) -> Option<Value> {
        // Mostly of those that are not too late already.
        let horizon = self.clock(org, arrival) - time::days(self.options.window_days);
        let any_start = self.rng.chance(8);
        let starts_late =
            |row: &Value| row["startDateTime"].as_str().and_then(time::parse).is_some_and(|at| at >= horizon);
        let fits = |row: &Value| row["orgId"] == org && (any_start || starts_late(row));
        let of_org: Vec<usize> = (0..self.records.len()).filter(|index| fits(&self.records[*index])).collect();
        if of_org.is_empty() {
            return None;
        }
        // The latest of them, or any: one that was funded by what has gone since.
        let latest = of_org[of_org.len().saturating_sub(12)..].to_vec();
        let index = if self.rng.chance(55) { self.rng.pick(&latest) } else { self.rng.pick(&of_org) };
        let mut row = self.records[index].clone();
        row["receivedAt"] = json!(arrival.to_string());
        let highest = self.highest_revision(&row);
        match self.rng.weighted(&[50, 8, 12, 10, 4, 4, 3, 2]) {
            0 => self.revise(&mut row, highest + 1, arrival),
            1 => set(&mut row, highest + 1, false),
            2 => set(&mut row, highest, true),
            3 => set(&mut row, highest + 1, true),
            4 => self.revise(&mut row, highest.saturating_sub(1), arrival),
            5 => {
                let higher = highest + u64::from(self.rng.chance(50));
                self.change_content(&mut row);
                set(&mut row, higher, true);
            }
            6 => {
                row["orgId"] = json!(self.rng.pick(&self.orgs.clone()));
                let is_void = self.rng.chance(40);
                set(&mut row, highest + 1, is_void);
            }
            _ => self.revise(&mut row, highest + 200, arrival),
        }
        Some(row)
    }

    fn highest_revision(&self, row: &Value) -> u64 {
        let of_id = self.records.iter().filter(|other| other["id"] == row["id"]);
        of_id.map(revision).max().unwrap_or(0)
    }

    /// Changed where it matters, once or twice.
    fn revise(&mut self, row: &mut Value, revision: u64, arrival: Timestamp) {
        set(row, revision, false);
        loop {
            match self.rng.below(7) {
                0 | 1 => self.change_duration(row),
                2 => {
                    row["calleeNumber"] = json!(self.priced_number(row));
                }
                3 => row["userId"] = json!(format!("user-{}", self.rng.below(4))),
                4 => self.change_start(row, arrival),
                5 => {
                    row["destinationContext"] = self.destination_context();
                    self.decide_number(row);
                }
                _ => {
                    let outbound = ["user_out", "conf_out", "ucap_out"];
                    if outbound.iter().any(|call_type| row["callType"] == *call_type) {
                        row["callType"] = json!(self.rng.pick(&outbound));
                        self.decide_number(row);
                    }
                }
            }
            if self.rng.chance(70) {
                return;
            }
        }
    }

    fn change_duration(&mut self, row: &mut Value) {
        let seconds = row["duration"].as_i64().unwrap_or(60);
        let seconds = match self.rng.below(5) {
            0 => 0,
            1 => seconds + 1,
            2 => seconds * 2,
            3 => self.rng.between(1, 7_300),
            _ => self.fit_to_pool(row, seconds),
        };
        row["duration"] = json!(seconds.max(0));
        row["endDateTime"] = Value::Null;
    }

    /// To any instant that may matter; but a call that is out of the window already stays where it is.
    fn change_start(&mut self, row: &mut Value, arrival: Timestamp) {
        let Some(org) = row["orgId"].as_str().map(str::to_owned) else { return };
        let Some(start) = row["startDateTime"].as_str().and_then(time::parse) else { return };
        if start < self.clock(&org, arrival) - time::days(self.options.window_days) {
            return;
        }
        let moved = match self.rng.below(3) {
            0 => start - SignedDuration::from_secs(self.rng.between(1, 100_000)),
            1 => start + SignedDuration::from_secs(self.rng.between(1, 100_000)),
            _ => self.start(&org, arrival, 60),
        };
        row["startDateTime"] = json!(moved.to_string());
        row["endDateTime"] = Value::Null;
    }

    /// At times a duration that ends a pool, reaches a threshold to the minute, or misses either by a little; the
    /// duration that the row has then.
    pub fn fit_to_pool(&mut self, row: &mut Value, seconds: i64) -> i64 {
        if !self.options.credits || !self.rng.chance(25) {
            return seconds;
        }
        let Some(pool) = self.model.pool_left(row) else { return seconds };
        let to_threshold = (pool.size * 4).div_euclid(5) - pool.used;
        let minutes = if self.rng.chance(50) && to_threshold > 0 { to_threshold } else { pool.minutes };
        // Large pools are not emptied by one call: such calls are rare.
        let minutes = if minutes > 300 && !self.rng.chance(10) { minutes / 7 } else { minutes };
        let seconds = 60 * minutes + self.rng.pick(&[0, 0, 1, -1, -60, 59, 60, 61, 150]);
        row["duration"] = json!(seconds.max(1));
        seconds.max(1)
    }
}

fn set(row: &mut Value, revision: u64, void: bool) {
    row["revision"] = json!(revision);
    match row.as_object_mut() {
        Some(fields) if !void => drop(fields.remove("void")),
        _ => row["void"] = json!(true),
    }
}
