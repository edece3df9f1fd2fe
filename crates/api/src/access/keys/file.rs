//! The key file: TOML, an array `keys`, read field by field so that all faults are found in one pass.
//!
//! Invariant: no fault shows a value, since somebody may have put a secret where its hash belongs.

use drawdown_units::Timestamp;
use toml::{Table, Value};

use super::super::Scope;
use super::super::rate::Rate;
use super::{Entry, Hash, is_id};

const FIELDS: [&str; 8] = ["id", "name", "hash", "scopes", "orgs", "expires", "rate_per_second", "rate_burst"];

/// Reads the text of the file `name`.
pub(super) fn parse(name: &str, text: &str) -> Result<Vec<Entry>, Vec<String>> {
    let table: Table = text.parse().map_err(|error: toml::de::Error| {
        let offset = error.span().map_or(0, |span| span.start);
        let line = text.bytes().take(offset).filter(|byte| *byte == b'\n').count() + 1;
        vec![format!("{name}:{line}: not TOML; mend the syntax")]
    })?;
    let strange = table.keys().filter(|key| *key != "keys");
    let mut faults: Vec<String> = strange.map(|_| format!("{name}: there is more than keys; write [[keys]]")).collect();
    let mut entries: Vec<Entry> = Vec::new();
    let items = match table.get("keys") {
        Some(Value::Array(items)) => items.as_slice(),
        None => &[],
        Some(_) => {
            faults.push(format!("{name}: keys: is no array of tables; write [[keys]] before each key"));
            &[]
        }
    };
    for (at, item) in items.iter().enumerate() {
        let mut reader = Reader { place: format!("{name}: key {}", at + 1), faults: &mut faults };
        let Some(fields) = item.as_table() else {
            reader.fault("keys", "is no table; write [[keys]] before each key");
            continue;
        };
        if let Some(entry) = reader.entry(fields) {
            if entries.iter().any(|held| held.id == entry.id) {
                reader.fault("id", "stands twice; every key has its own");
            }
            entries.push(entry);
        }
    }
    if faults.is_empty() { Ok(entries) } else { Err(faults) }
}

struct Reader<'a> {
    place: String,
    faults: &'a mut Vec<String>,
}

impl Reader<'_> {
    fn fault(&mut self, field: &str, what: &str) {
        self.faults.push(format!("{}: {field}: {what}", self.place));
    }

    fn entry(&mut self, fields: &Table) -> Option<Entry> {
        if fields.keys().any(|field| !FIELDS.contains(&field.as_str())) {
            self.fault("fields", &format!("there are others than {}", FIELDS.join(", ")));
        }
        let is_own = |id: &str| is_id(id).then(|| id.to_owned());
        let id = self.text(fields, "id", is_own, "write 1 to 32 small letters and digits");
        let mend = "write 1 to 64 letters, digits, dots, dashes or spaces, and not \"local\"";
        let name = self.text(fields, "name", name_of, mend);
        let mend = "write sha256: and 64 hexadecimal digits, never the key itself";
        let hash = self.text(fields, "hash", Hash::parse, mend);
        let (scopes, orgs) = (self.scopes(fields), self.orgs(fields));
        let (expires, rate) = (self.expires(fields), self.rate(fields));
        Some(Entry { id: id?, name: name?, hash: hash?, scopes: scopes?, orgs: orgs?, expires: expires?, rate: rate? })
    }

    fn text<T>(&mut self, fields: &Table, field: &str, read: impl Fn(&str) -> Option<T>, mend: &str) -> Option<T> {
        let value = fields.get(field).and_then(Value::as_str).and_then(read);
        if value.is_none() {
            self.fault(field, if fields.contains_key(field) { mend } else { "is missing" });
        }
        value
    }

    fn scopes(&mut self, fields: &Table) -> Option<Vec<Scope>> {
        let names = fields.get("scopes").and_then(texts).unwrap_or_default();
        let scopes: Option<Vec<Scope>> = names.iter().map(|name| Scope::parse(name)).collect();
        let scopes = scopes.filter(|scopes| !scopes.is_empty());
        if scopes.is_none() {
            let all = Scope::ALL.map(Scope::name).join(", ");
            self.fault("scopes", &format!("write a list of some of {all}"));
        }
        scopes
    }

    fn orgs(&mut self, fields: &Table) -> Option<Option<Vec<String>>> {
        let Some(value) = fields.get("orgs") else { return Some(None) };
        let orgs = texts(value).filter(|orgs| orgs.iter().all(|org| !org.is_empty()));
        if orgs.is_none() {
            self.fault("orgs", "write a list of organisations, or leave it out for all");
        }
        orgs.map(Some)
    }

    fn expires(&mut self, fields: &Table) -> Option<Option<Timestamp>> {
        let Some(value) = fields.get("expires") else { return Some(None) };
        let text = match value {
            Value::String(text) => text.clone(),
            Value::Datetime(time) => time.to_string(),
            _ => String::new(),
        };
        let time = Timestamp::parse(&text).ok();
        if time.is_none() {
            self.fault("expires", "write an instant, such as 2027-01-01T00:00:00Z");
        }
        time.map(Some)
    }

    fn rate(&mut self, fields: &Table) -> Option<Option<Rate>> {
        let number = |field| {
            let value: Option<&Value> = fields.get(field);
            value.map(|value| value.as_integer().and_then(|it| u32::try_from(it).ok()).filter(|it| *it > 0))
        };
        let rate = match (number("rate_per_second"), number("rate_burst")) {
            (None, None) => return Some(None),
            (Some(Some(per_second)), None) => Some(Rate { per_second, burst: per_second }),
            (Some(Some(per_second)), Some(Some(burst))) => Some(Rate { per_second, burst }),
            _ => None,
        };
        if rate.is_none() {
            self.fault("rate_per_second", "write a whole number above 0, and so rate_burst, which cannot stand alone");
        }
        rate.map(Some)
    }
}

fn texts(value: &Value) -> Option<Vec<String>> {
    value.as_array()?.iter().map(|item| item.as_str().map(str::to_owned)).collect()
}

/// A name that audit records can show: never that of somebody who came without a key.
fn name_of(text: &str) -> Option<String> {
    let is_fine = |letter: char| letter.is_alphanumeric() || matches!(letter, '.' | '-' | '_' | ' ' | '@' | '/');
    let does = (1..=64).contains(&text.chars().count()) && text.chars().all(is_fine) && text != "local";
    does.then(|| text.to_owned())
}
