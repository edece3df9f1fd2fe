//! Random usage records in the native form.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::decks::{INBOUND, ORIGINS};
use super::timeline::TICK;
use super::world::World;
use crate::model::time;

const OUTBOUND: [&str; 6] =
    ["user_out", "user_out_conf", "user_out_transfer", "user_out_forwarding", "conf_out", "ucap_out"];
const DURATIONS_S: [i64; 20] = [0, 0, 1, 5, 6, 7, 29, 30, 31, 59, 60, 60, 61, 119, 120, 121, 180, 600, 3_600, 3_601];

impl World {
    pub fn make_record(&mut self, org: &str, arrival: Timestamp) -> Value {
        if self.options.credits
            && self.rng.chance(16)
            && let Some(row) = self.correction(org, arrival)
        {
            return row;
        }
        if self.rng.chance(16)
            && let Some(row) = self.repeated_record(org, arrival)
        {
            return row;
        }
        let mut row = self.call(org, arrival);
        if self.rng.chance(4) {
            self.damage(&mut row);
        }
        row
    }

    /// A sound row: of a known type, with a number that can be read.
    fn call(&mut self, org: &str, arrival: Timestamp) -> Value {
        let seconds = self.duration_s();
        let start = self.start(org, arrival, seconds);
        let context = self.destination_context();
        let number = self.fresh();
        let (call_type, callee) = self.type_and_number(org, arrival);
        let country = self.rng.pick(&["DE", "US", "GB"]);
        let mut row = json!({
            "id": format!("cdr-{number}"), "callId": format!("call-{}", number / 2), "orgId": org,
            "userId": format!("user-{}", self.rng.below(4)), "userDisplayName": "A. Caller", "callType": call_type,
            "callerNumber": self.caller(), "calleeNumber": callee, "startDateTime": self.written(start),
            "duration": seconds, "conferenceId": null, "usageCountryCode": country, "tenantCountryCode": "DE",
            "destinationContext": context, "charge": 9.99,
            "currency": "USD", "receivedAt": arrival.to_string(),
        });
        self.decide_number(&mut row);
        self.set_emergency(&mut row, country);
        let seconds = self.fit_to_pool(&mut row, seconds);
        self.set_end(&mut row, start, seconds);
        if self.rng.chance(3) {
            // Fractions round up (U3); the end agrees with both.
            row["duration"] = json!(f64::from(u32::try_from(seconds).unwrap_or(0)) + 0.5);
        }
        if self.rng.chance(5) {
            row["userId"] = if self.rng.chance(30) { json!("user-9") } else { Value::Null };
        }
        if self.rng.chance(10) {
            row["revision"] = json!(self.rng.between(0, 2));
        }
        row
    }

    fn duration_s(&mut self) -> i64 {
        if self.options.credits && self.rng.chance(6) {
            return self.rng.between(10, 130) * 60 + self.rng.pick(&[0, 0, 1, -1, 30]);
        }
        match self.rng.below(200) {
            0 => self.rng.pick(&[86_400, 86_401, 90_000]),
            1..60 => self.rng.between(1, 900),
            _ => self.rng.pick(&DURATIONS_S),
        }
    }

    /// Mostly a call that has just ended; else one at some boundary.
    pub fn start(&mut self, org: &str, arrival: Timestamp, seconds: i64) -> Timestamp {
        let clock = self.clock(org, arrival);
        let ended = arrival - SignedDuration::from_secs(seconds);
        let window = time::days(self.options.window_days);
        let of_credits = if self.options.credits { 9 } else { 0 };
        match self.rng.weighted(&[50, 12, 3, 9, 5, 4, 4, 4, 9, of_credits, of_credits]) {
            0 => ended - SignedDuration::from_nanos(self.rng.between(0, 300_000_000) * 100),
            1 => ended - SignedDuration::from_secs(self.rng.between(0, 300_000)),
            2 => self.beside(clock - window),
            3 => self.lot_boundary(org, clock).unwrap_or(ended),
            4 => self.plan_boundary(org).filter(|at| *at < clock && *at > clock - window).unwrap_or(ended),
            5 => self.beside(clock + time::minutes(5)),
            6 => self.deck_boundary().filter(|at| *at < clock && *at > clock - window).unwrap_or(ended),
            7 => self.month_boundary(clock),
            9 => self.licence_boundary(org, clock - window, clock).unwrap_or(ended),
            10 => self.previous_month(clock - window, clock),
            _ => self.band_boundary(ended),
        }
    }

    /// Beside the expiry of a lot whose grace is not over.
    fn lot_boundary(&mut self, org: &str, clock: Timestamp) -> Option<Timestamp> {
        let lots = &self.account(org)?.lots;
        let near = |at: Timestamp| at <= clock + time::minutes(5) && at >= clock - time::days(3);
        let instants: Vec<Timestamp> = lots.iter().map(|lot| lot.expires).filter(|at| near(*at)).collect();
        if instants.is_empty() {
            return None;
        }
        let expiry = self.rng.pick(&instants);
        Some(if self.rng.chance(30) { expiry - time::minutes(1) } else { self.beside(expiry) })
    }

    /// Late in the month before, or else as late as the window lets one be.
    fn previous_month(&mut self, earliest: Timestamp, clock: Timestamp) -> Timestamp {
        let ended = time::next_month_start(clock) - time::days(31);
        let ended = time::next_month_start(ended - time::days(1)).min(clock);
        (ended - SignedDuration::from_secs(self.rng.between(0, 300_000))).max(earliest)
    }

    fn plan_boundary(&mut self, org: &str) -> Option<Timestamp> {
        let changes: Vec<Timestamp> = self.account(org)?.plan_changes().collect();
        let change = self.rng.pick(&changes);
        Some(self.beside(change))
    }

    fn deck_boundary(&mut self) -> Option<Timestamp> {
        let instants: Vec<Timestamp> = self.decks.iter().map(|deck| deck.effective_from).collect();
        let instant = self.rng.pick(&instants);
        Some(self.beside(instant))
    }

    fn month_boundary(&mut self, clock: Timestamp) -> Timestamp {
        let next = time::next_month_start(clock);
        let previous = time::next_month_start(next - time::days(62));
        let start = if next.duration_since(clock) > time::minutes(5) { previous } else { next };
        self.beside(start)
    }

    /// Shortly before a quarter of an hour, at which bands begin and end in every zone.
    fn band_boundary(&mut self, near: Timestamp) -> Timestamp {
        let quarter = near.as_second() / 900 * 900 - self.rng.between(0, 90);
        let start = Timestamp::from_second(quarter).unwrap_or(near);
        if self.rng.chance(20) { start - TICK } else { start }
    }

    /// RFC 3339 in one of the spellings that occur.
    fn written(&mut self, instant: Timestamp) -> String {
        match self.rng.below(6) {
            0 => instant.display_with_offset(jiff::tz::offset(2)).to_string(),
            1 => instant.display_with_offset(jiff::tz::offset(-5)).to_string(),
            2 => format!("{instant:.7}"),
            3 => format!("{instant:.9}").replace('Z', "123Z"),
            _ => instant.to_string(),
        }
    }

    fn set_end(&mut self, row: &mut Value, start: Timestamp, seconds: i64) {
        let end = start + SignedDuration::from_secs(seconds);
        let end = match self.rng.below(40) {
            0 | 1 => return,
            2 => end + SignedDuration::from_secs(1),
            3 => end + SignedDuration::from_secs(1) + TICK,
            4 => end + SignedDuration::from_secs(30),
            5 => start,
            _ => end,
        };
        row["endDateTime"] = json!(self.written(end));
    }

    fn type_and_number(&mut self, org: &str, arrival: Timestamp) -> (String, String) {
        match self.rng.below(100) {
            0..4 => ("user_in".to_owned(), "+493012345678".to_owned()),
            4..8 => (self.rng.pick(&["dr_in", "dr_out", "dr_xyz"]).to_string(), "+493012345678".to_owned()),
            8..17 => (self.rng.pick(&["conf_in", "ucap_in", "unassigned_in"]).to_string(), self.inbound_number()),
            _ => (self.rng.pick(&OUTBOUND).to_string(), self.outbound_number(org, arrival)),
        }
    }

    fn inbound_number(&mut self) -> String {
        let prefix = self.rng.pick(&INBOUND);
        let wanted = if prefix.starts_with('1') { 11 } else { 12 };
        format!("+{prefix}{}", self.rng.digits(wanted - prefix.len()))
    }

    /// Around a row of a deck, or anywhere; shorter than its prefix or masked at times.
    fn outbound_number(&mut self, org: &str, arrival: Timestamp) -> String {
        let guess = if self.rng.chance(10) { None } else { self.deck_of(org, arrival) };
        let rows = guess.unwrap_or(&self.decks[0]).rows.iter().filter(|row| row.product == "outbound");
        let prefixes: Vec<String> = rows.map(|row| row.prefix.clone()).collect();
        let prefix = self.rng.pick(&prefixes);
        let longest = 15 - prefix.len();
        let digits = match self.rng.below(20) {
            0 => prefix,
            1 => prefix[..self.rng.below(prefix.len()) + 1].to_owned(),
            2 => format!("{}{}", self.rng.between(1, 9), self.rng.digits(10)),
            3 => format!("{prefix}{}", self.rng.digits(longest)),
            _ => {
                let extra = self.rng.below(longest.min(8)) + 1;
                format!("{prefix}{}", self.rng.digits(extra))
            }
        };
        if self.rng.chance(12) { self.masked(&digits) } else { format!("+{digits}") }
    }

    fn masked(&mut self, digits: &str) -> String {
        let visible = self.rng.below(digits.len() + 1);
        let stars = "*".repeat(digits.len().max(visible + 3).min(15) - visible);
        let tail = if self.rng.chance(20) { "7" } else { "" };
        let masked = format!("+{}{stars}", &digits[..visible]);
        if masked.len() < 16 && !stars.is_empty() { format!("{masked}{tail}") } else { masked }
    }

    fn caller(&mut self) -> Value {
        match self.rng.below(10) {
            0 => Value::Null,
            1 => json!("anonymous"),
            2 => json!(""),
            3 if self.options.grey => json!("+4420***"),
            3..7 => {
                let origin = self.rng.pick(&ORIGINS);
                json!(format!("+{origin}{}", self.rng.digits(7)))
            }
            _ => json!("+33123456789"),
        }
    }

    fn set_emergency(&mut self, row: &mut Value, country: &str) {
        if row["callType"] != "user_out" || !self.rng.chance(4) {
            return;
        }
        row["calleeNumber"] = json!(match country {
            "DE" => self.rng.pick(&["110", "112"]),
            "US" => "911",
            _ => self.rng.pick(&["999", "112"]),
        });
    }

    /// One fault that makes the row a reject.
    fn damage(&mut self, row: &mut Value) {
        let field = self.rng.pick(&["id", "orgId", "callType", "startDateTime", "duration", "calleeNumber"]);
        match self.rng.below(8) {
            0 | 1 => {
                row["callType"] = json!("user_out");
                row[field] = Value::Null;
            }
            2 => row["callType"] = json!(self.rng.pick(&["User_Out", "ByotIn", "fax", "dr"])),
            3 => row["duration"] = json!(-1),
            4 => row["startDateTime"] = json!("0001-01-01T00:00:00Z"),
            5 => row["endDateTime"] = json!("2001-01-01T00:00:00Z"),
            6 => row["startDateTime"] = json!("soon"),
            _ => {
                let numbers = ["+0441234567", "+1234567890123456", "+44QWERTY", "no number"];
                row["callType"] = json!("user_out");
                row["calleeNumber"] = json!(self.rng.pick(&numbers));
            }
        }
    }
}
