//! Time bands of a deck: which name holds at an instant (C8).

use jiff::Timestamp;
use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use toml::Value;

/// One `[[bands.band]]` entry: `[from, to)` in minutes of the local day.
#[derive(Clone, Debug)]
struct Entry {
    name: String,
    days: Vec<String>,
    from_minute: i32,
    to_minute: i32,
}

#[derive(Clone, Debug)]
pub struct Bands {
    zone: TimeZone,
    /// Whether a call is split at a boundary, rather than wholly in the band of its start.
    pub split: bool,
    holidays: Vec<Date>,
    entries: Vec<Entry>,
}

impl Bands {
    pub fn read(table: &Value) -> Result<Self, String> {
        let text = |key: &str| table.get(key).and_then(Value::as_str).ok_or(format!("bands.{key} is missing"));
        let zone = TimeZone::get(text("zone")?).map_err(|error| error.to_string())?;
        let split = match text("selection")? {
            "split" => true,
            "start" => false,
            other => return Err(format!("bands.selection: {other}")),
        };
        let mut holidays = Vec::new();
        for day in strings(table.get("holidays")) {
            holidays.push(day.parse::<Date>().map_err(|error| error.to_string())?);
        }
        let entries = match table.get("band") {
            Some(Value::Array(entries)) => entries.iter().map(Entry::read).collect::<Result<_, _>>()?,
            _ => Vec::new(),
        };
        Ok(Self { zone, split, holidays, entries })
    }

    /// The band at `instant`: a holiday is asked for before the day of the week.
    pub fn at(&self, instant: Timestamp) -> Option<&str> {
        let local = self.zone.to_datetime(instant);
        let day = if self.holidays.contains(&local.date()) { "holiday" } else { weekday(local.weekday()) };
        let minute = i32::from(local.hour()) * 60 + i32::from(local.minute());
        let holds = |entry: &&Entry| {
            entry.days.iter().any(|d| d == day) && entry.from_minute <= minute && minute < entry.to_minute
        };
        self.entries.iter().find(holds).map(|entry| entry.name.as_str())
    }
}

impl Entry {
    fn read(table: &Value) -> Result<Self, String> {
        let text = |key: &str| table.get(key).and_then(Value::as_str).ok_or(format!("band.{key} is missing"));
        Ok(Self {
            name: text("name")?.to_owned(),
            days: strings(table.get("days")),
            from_minute: minute_of_day(text("from")?)?,
            to_minute: minute_of_day(text("to")?)?,
        })
    }
}

fn minute_of_day(text: &str) -> Result<i32, String> {
    let (hour, minute) = text.split_once(':').ok_or(format!("not a time: {text}"))?;
    let number = |part: &str| part.parse::<i32>().map_err(|error| error.to_string());
    Ok(number(hour)? * 60 + number(minute)?)
}

fn strings(value: Option<&Value>) -> Vec<String> {
    let Some(Value::Array(values)) = value else { return Vec::new() };
    values.iter().filter_map(Value::as_str).map(str::to_owned).collect()
}

fn weekday(day: Weekday) -> &'static str {
    match day {
        Weekday::Monday => "mon",
        Weekday::Tuesday => "tue",
        Weekday::Wednesday => "wed",
        Weekday::Thursday => "thu",
        Weekday::Friday => "fri",
        Weekday::Saturday => "sat",
        Weekday::Sunday => "sun",
    }
}
