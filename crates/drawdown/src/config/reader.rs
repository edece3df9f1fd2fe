//! Reading one key after another, so that all faults are found in one pass.
//!
//! A key that is faulty gives its default, so that what depends on it can be checked too; no configuration is made of it.

use std::collections::BTreeMap;

use drawdown_rating::Fault;
use drawdown_units::Money;
use figment::value::Value;

use super::PROPERTIES;
use super::keys::{self, Key, Kind};
use super::layers;
use super::secret::Secret;

/// A value and where it was given.
#[derive(Debug, Clone)]
pub struct Given {
    pub value: Value,
    /// The file, or the layer that is none.
    pub file: String,
    pub line: Option<u32>,
    /// The key, as that layer names it.
    pub column: String,
}

/// All values that were given, and all that was found wrong.
pub struct Reader {
    given: BTreeMap<String, Given>,
    pub faults: Vec<Fault>,
    /// Which keys were asked for: a test holds them against the list.
    pub asked: Vec<&'static str>,
}

/// How long a text may be as a fault shows it.
const SHOWN_CHARS_MAX: usize = 40;

impl Reader {
    pub fn new(given: BTreeMap<String, Given>, faults: Vec<Fault>) -> Self {
        Reader { given, faults, asked: Vec::new() }
    }

    /// Whether the key was given at all.
    pub fn has(&self, path: &str) -> bool {
        self.given.contains_key(path)
    }

    /// Whether the key was given as a text without anything in it.
    pub fn is_empty_text(&self, path: &str) -> bool {
        self.given.get(path).is_some_and(|given| given.value.as_str() == Some(""))
    }

    /// Notes what is wrong with the value of a key.
    pub fn fault(&mut self, path: &str, what: impl Into<String>, mend: impl Into<String>) {
        let (file, line, column) = match self.given.get(path) {
            Some(given) => (given.file.clone(), given.line, given.column.clone()),
            None => ("configuration".to_owned(), None, path.to_owned()),
        };
        self.faults.push(Fault { file, line, column: Some(column), what: what.into(), mend: mend.into() });
    }

    fn key(&mut self, path: &'static str) -> &'static Key {
        self.asked.push(path);
        keys::find(path).expect("invariant: every key that is read is in the list")
    }

    /// The value that was given, as `read` takes it; without one, or where it is faulty, the default.
    fn value<T>(&mut self, path: &'static str, read: impl Fn(Kind, &Value) -> Option<T>) -> Option<T> {
        let key = self.key(path);
        if let Some(given) = self.given.get(path) {
            if let Some(value) = read(key.kind, &given.value) {
                return Some(value);
            }
            let what = format!("{} does not do here", shown(key.kind, &given.value));
            self.fault(path, what, key.kind.mend());
        }
        let default = layers::literal(key.default)?;
        Some(read(key.kind, &default).expect("invariant: a default is what its key takes"))
    }

    fn required<T>(&mut self, path: &'static str, read: impl Fn(Kind, &Value) -> Option<T>) -> T {
        self.value(path, read).expect("invariant: a key that must have a value has a default")
    }

    /// A text that has a default.
    pub fn text(&mut self, path: &'static str) -> String {
        self.required(path, text_of)
    }

    /// A text, if given.
    pub fn text_if_given(&mut self, path: &'static str) -> Option<String> {
        self.value(path, text_of)
    }

    /// A secret, if given.
    pub fn secret_if_given(&mut self, path: &'static str) -> Option<Secret> {
        self.value(path, text_of).map(Secret::new)
    }

    pub fn flag(&mut self, path: &'static str) -> bool {
        self.required(path, |_, value| value.to_bool())
    }

    /// A whole number that has a default.
    pub fn whole<T: TryFrom<u64>>(&mut self, path: &'static str) -> T {
        self.required(path, whole_of)
    }

    /// A whole number, if given.
    pub fn whole_if_given<T: TryFrom<u64>>(&mut self, path: &'static str) -> Option<T> {
        self.value(path, whole_of)
    }

    pub fn wholes(&mut self, path: &'static str) -> Vec<i64> {
        self.required(path, |kind, value| items(value)?.iter().map(|item| whole_of(kind, item)).collect())
    }

    pub fn money(&mut self, path: &'static str) -> Money {
        self.required(path, |_, value| match value {
            Value::String(_, text) => Money::parse(text).ok(),
            value => Money::parse(&integer(value)?.to_string()).ok(),
        })
    }

    pub fn texts(&mut self, path: &'static str) -> Vec<String> {
        let read = |kind, value: &Value| match value {
            Value::String(_, text) => Some(vec![text.clone()]),
            value => items(value)?.iter().map(|item| text_of(kind, item)).collect(),
        };
        self.value(path, read).unwrap_or_default()
    }

    /// One of several names, if given; `of` has the same names as the key, each with what it stands for.
    pub fn choice<T: Copy>(&mut self, path: &'static str, of: &[(&str, T)]) -> Option<T> {
        self.value(path, |kind, value| {
            let Kind::Choice(names) = kind else { unreachable!("invariant: {path} is a choice") };
            assert!(names.iter().eq(of.iter().map(|(name, _)| name)), "invariant: the list has the names of {path}");
            let text = value.as_str()?;
            of.iter().find(|(name, _)| name.eq_ignore_ascii_case(text)).map(|(_, meant)| *meant)
        })
    }

    /// The properties of the Kafka client, by name.
    pub fn properties(&mut self) -> Vec<(String, Secret)> {
        self.asked.push("kafka.properties.*");
        let names = self.given.range(PROPERTIES.to_owned()..).map(|(path, _)| path.clone());
        let names: Vec<String> = names.take_while(|path| path.starts_with(PROPERTIES)).collect();
        let mut properties = Vec::new();
        for path in names {
            let text = match &self.given[&path].value {
                Value::String(_, text) => Some(text.clone()),
                Value::Bool(_, flag) => Some(flag.to_string()),
                value => integer(value).map(|number| number.to_string()),
            };
            match text {
                Some(text) => properties.push((path[PROPERTIES.len()..].to_owned(), Secret::new(text))),
                None => {
                    self.fault(&path, "the value does not do here", "write a text, a whole number, or true or false")
                }
            }
        }
        properties
    }
}

fn text_of(_: Kind, value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

fn items(value: &Value) -> Option<&[Value]> {
    match value {
        Value::Array(_, items) => Some(items),
        _ => None,
    }
}

fn integer(value: &Value) -> Option<i128> {
    match value {
        Value::Num(_, number) => number.to_i128().or_else(|| number.to_u128()?.try_into().ok()),
        _ => None,
    }
}

fn whole_of<T: TryFrom<u64>>(kind: Kind, value: &Value) -> Option<T> {
    let (Kind::Whole(min, max) | Kind::Wholes(min, max)) = kind else {
        unreachable!("invariant: the key is of a number")
    };
    let number = u64::try_from(integer(value)?).ok()?;
    if !(min..=max).contains(&number) {
        return None;
    }
    Some(T::try_from(number).ok().expect("invariant: the bounds of a key fit its type"))
}

/// What somebody wrote, unless it may be a secret.
fn shown(kind: Kind, value: &Value) -> String {
    if matches!(kind, Kind::Secret) {
        return "what is given".to_owned();
    }
    let text = match value {
        Value::String(_, text) => format!("{text:?}"),
        Value::Bool(_, flag) => flag.to_string(),
        Value::Num(_, number) => match number.to_f64() {
            Some(number) => number.to_string(),
            None => integer(value).map_or_else(|| "a number".to_owned(), |number| number.to_string()),
        },
        Value::Array(_, items) => {
            format!("[{}]", items.iter().map(|item| shown(kind, item)).collect::<Vec<_>>().join(", "))
        }
        Value::Char(..) | Value::Empty(..) | Value::Dict(..) => "what is given".to_owned(),
    };
    match text.char_indices().nth(SHOWN_CHARS_MAX) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}
