//! Where values come from: the file, over it the environment, over that the command line.
//!
//! Each layer names the keys that it does not know itself, so that one layer cannot hide the mistakes of another. The
//! kinds of values are not looked at here, but for telling a number from a text where everything is text.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use drawdown_rating::Fault;
use figment::value::{Dict, Map, Tag, Value};
use figment::{Figment, Metadata, Profile, Provider};
use toml::de::{DeTable, DeValue};

use super::keys::{self, Kind};
use super::{PROPERTIES, reader::Given};
use crate::client;

/// Begins the names of the environment's variables.
pub const PREFIX: &str = "DRAWDOWN_";
/// Names the file, if the command line does not.
const FILE_VARIABLE: &str = "DRAWDOWN_CONFIG";
/// The file that is taken where none is named, if it is there.
const FILE_DEFAULT: &str = "drawdown.toml";
const ENVIRONMENT: &str = "environment";
const COMMAND_LINE: &str = "--set";

/// What was given, before any of it is believed.
#[derive(Debug, Clone, Default)]
pub struct Inputs {
    /// The file's name and text.
    pub file: Option<(String, String)>,
    /// Variables of the environment.
    pub variables: Vec<(String, String)>,
    /// `key=value` of the command line.
    pub set: Vec<String>,
}

impl Inputs {
    /// Reads the file, and takes the environment of the process.
    pub fn collect(file: Option<&Path>, set: &[String]) -> Result<Self, Fault> {
        let lossless = |text: std::ffi::OsString| text.to_string_lossy().into_owned();
        let variables: Vec<_> = std::env::vars_os()
            .map(|(name, value)| (lossless(name), lossless(value)))
            .filter(|(name, _)| name.starts_with(PREFIX) && !client::VARIABLES.contains(&name.as_str()))
            .collect();
        let of_variable = variables.iter().find(|(name, value)| name == FILE_VARIABLE && !value.is_empty());
        let path = file.map(Path::to_owned).or_else(|| of_variable.map(|(_, path)| PathBuf::from(path)));
        let path = path.or_else(|| Path::new(FILE_DEFAULT).is_file().then(|| FILE_DEFAULT.into()));
        let file = match path {
            Some(path) => {
                let mend = "give the path of a configuration file: config/drawdown.toml is a sample";
                let text = crate::deck::load::read_text(&path, mend)?;
                Some((path.display().to_string(), text))
            }
            None => None,
        };
        Ok(Inputs { file, variables, set: set.to_vec() })
    }

    /// Merges the layers.
    pub fn merge(self, faults: &mut Vec<Fault>) -> BTreeMap<String, Given> {
        let mut figment = Figment::new();
        let mut lines = BTreeMap::new();
        let file_name = self.file.as_ref().map(|(name, _)| name.clone()).unwrap_or_default();
        if let Some((name, text)) = &self.file {
            figment = figment.merge(of_file(name, text, &mut lines, faults));
        }
        figment = figment.merge(of_environment(&self.variables, faults));
        figment = figment.merge(of_command_line(&self.set, faults));
        let data = figment.data().unwrap_or_default();
        let mut given = BTreeMap::new();
        let dict = data.into_values().next().unwrap_or_default();
        flatten("", dict, &mut |path, value| {
            let layer = figment.get_metadata(value.tag()).map(|metadata| metadata.name.clone()).unwrap_or_default();
            let (line, column) = match layer.as_ref() {
                ENVIRONMENT => (None, keys::variable_of(&path)),
                layer if layer == file_name => (lines.get(&path).copied(), path.clone()),
                _ => (None, path.clone()),
            };
            given.insert(path, Given { value, file: layer.into_owned(), line, column });
        });
        given
    }
}

/// One layer, for figment to merge.
struct Layer {
    name: String,
    values: Dict,
}

impl Provider for Layer {
    fn metadata(&self) -> Metadata {
        Metadata::named(self.name.clone())
    }

    fn data(&self) -> Result<Map<Profile, Dict>, figment::Error> {
        Ok(Profile::Default.collect(self.values.clone()))
    }
}

impl Layer {
    fn named(name: &str) -> Self {
        Layer { name: name.to_owned(), values: Dict::new() }
    }

    /// Puts a value where figment will find it. The name of a property is one name, dots and all.
    fn put(&mut self, path: &str, value: Value) {
        let (sections, name) = match path.strip_prefix(PROPERTIES) {
            Some(property) => (PROPERTIES.trim_end_matches('.'), property),
            None => path.rsplit_once('.').expect("invariant: every key has a section"),
        };
        let mut dict = &mut self.values;
        for section in sections.split('.') {
            let inner = dict.entry(section.to_owned()).or_insert_with(|| Value::from(Dict::new()));
            let Value::Dict(_, inner) = inner else { unreachable!("invariant: no key is a section too") };
            dict = inner;
        }
        dict.insert(name.to_owned(), value);
    }
}

fn flatten(path: &str, dict: Dict, each: &mut dyn FnMut(String, Value)) {
    for (name, value) in dict {
        let path = if path.is_empty() { name } else { format!("{path}.{name}") };
        match value {
            Value::Dict(_, inner) => flatten(&path, inner, each),
            value => each(path, value),
        }
    }
}

fn fault(file: &str, line: Option<u32>, column: impl Into<String>, what: String, mend: String) -> Fault {
    Fault { file: file.to_owned(), line, column: Some(column.into()), what, mend }
}

/// A key that does not exist.
fn unknown(file: &str, line: Option<u32>, path: &str, shown: &str, show: impl Fn(&str) -> String) -> Fault {
    let mend = match keys::similar(path) {
        Some(similar) => format!("did you mean {}?", show(similar)),
        None => "see config/drawdown.toml for all keys".to_owned(),
    };
    fault(file, line, shown, "no such key".to_owned(), mend)
}

fn of_file(name: &str, text: &str, lines: &mut BTreeMap<String, u32>, faults: &mut Vec<Fault>) -> Layer {
    let mut layer = Layer::named(name);
    let line_at = |offset: usize| {
        let newlines = text.as_bytes().iter().take(offset).filter(|byte| **byte == b'\n').count();
        u32::try_from(newlines + 1).unwrap_or(u32::MAX)
    };
    let (table, errors) = DeTable::parse_recoverable(text);
    for error in &errors {
        let line = error.span().map(|span| line_at(span.start));
        let what = format!("not TOML: {}", error.message());
        faults.push(Fault { file: name.to_owned(), line, column: None, what, mend: "mend the syntax".to_owned() });
    }
    walk("", table.get_ref(), &mut |path, offset, value| {
        let line = line_at(offset);
        match value {
            Some(value) if keys::find(path).is_some() => {
                lines.insert(path.to_owned(), line);
                layer.put(path, value);
            }
            _ => faults.push(unknown(name, Some(line), path, path, str::to_owned)),
        }
    });
    layer
}

/// Hands over every leaf with its path and where its key begins; a table that has no key in it is handed over too,
/// without a value, unless it is a section that exists.
fn walk(path: &str, table: &DeTable<'_>, each: &mut dyn FnMut(&str, usize, Option<Value>)) {
    for (name, value) in table {
        let name_text = name.get_ref();
        let path = if path.is_empty() { name_text.to_string() } else { format!("{path}.{name_text}") };
        match value.get_ref() {
            DeValue::Table(inner) if !inner.is_empty() => walk(&path, inner, each),
            DeValue::Table(_) if is_section(&path) => {}
            value => each(&path, name.span().start, value_of(value)),
        }
    }
}

fn is_section(path: &str) -> bool {
    let within = |key: &keys::Key| key.path.strip_prefix(path).is_some_and(|rest| rest.starts_with('.'));
    keys::KEYS.iter().any(within)
}

fn value_of(value: &DeValue<'_>) -> Option<Value> {
    Some(match value {
        DeValue::String(text) => Value::from(text.as_ref()),
        DeValue::Boolean(flag) => Value::from(*flag),
        DeValue::Integer(number) => match i64::from_str_radix(number.as_str(), number.radix()) {
            Ok(number) => Value::from(number),
            Err(_) => Value::from(number.as_str()),
        },
        DeValue::Float(number) => match number.as_str().parse::<f64>() {
            Ok(number) => Value::from(number),
            Err(_) => Value::from(number.as_str()),
        },
        DeValue::Datetime(time) => Value::from(time.to_string()),
        DeValue::Array(items) => {
            Value::Array(Tag::Default, items.iter().map(|item| value_of(item.get_ref())).collect::<Option<_>>()?)
        }
        DeValue::Table(_) => return None,
    })
}

fn of_environment(variables: &[(String, String)], faults: &mut Vec<Fault>) -> Layer {
    let mut layer = Layer::named(ENVIRONMENT);
    for (variable, text) in variables {
        let name = variable.strip_prefix(PREFIX).unwrap_or(variable);
        // Those of the tests are no settings, and an empty variable is how a variable is taken away.
        let is_other = variable == FILE_VARIABLE || name.starts_with("TEST_") || name.starts_with("SEED");
        if is_other || text.is_empty() {
            continue;
        }
        let lower = name.to_ascii_lowercase().replace("__", ".");
        let path = match lower.strip_prefix(PROPERTIES) {
            Some(property) => format!("{PROPERTIES}{}", property.replace('_', ".")),
            // The one key with a dash in it.
            None => lower.replace("account_events", "account-events"),
        };
        match keys::find(&path) {
            Some(key) => layer.put(&path, of_text(key.kind, text)),
            None => faults.push(unknown(ENVIRONMENT, None, &path, variable, keys::variable_of)),
        }
    }
    layer
}

fn of_command_line(set: &[String], faults: &mut Vec<Fault>) -> Layer {
    let mut layer = Layer::named(COMMAND_LINE);
    for argument in set {
        let Some((path, text)) = argument.split_once('=') else {
            let mend = "write key=value, such as log.workers=2".to_owned();
            faults.push(fault(COMMAND_LINE, None, argument, "there is no value".to_owned(), mend));
            continue;
        };
        let path = path.trim();
        match keys::find(path) {
            Some(key) if matches!(key.kind, Kind::Secret) || is_sensitive(path) => {
                let what = "every user of the machine can read the command line".to_owned();
                let mend = format!("put it into a file of its own, or into {}", keys::variable_of(path));
                faults.push(fault(COMMAND_LINE, None, path, what, mend));
            }
            Some(key) => layer.put(path, of_text(key.kind, text)),
            None => faults.push(unknown(COMMAND_LINE, None, path, path, str::to_owned)),
        }
    }
    layer
}

/// A property that carries a secret.
fn is_sensitive(path: &str) -> bool {
    let secret = ["password", "secret", ".pem", "oauthbearer.config"];
    path.starts_with(PROPERTIES) && secret.iter().any(|part| path.contains(part))
}

/// A value where everything is text: what is to be a text stays one, though it looks like a number.
fn of_text(kind: Kind, text: &str) -> Value {
    match kind {
        Kind::Text | Kind::Secret | Kind::Choice(_) | Kind::Money => Value::from(text),
        Kind::Bool | Kind::Whole(..) => literal(text).unwrap_or_else(|| Value::from(text)),
        Kind::Texts | Kind::Wholes(..) => {
            literal(text).filter(|value| matches!(value, Value::Array(..))).unwrap_or_else(|| {
                let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
                let value = |part| match kind {
                    Kind::Texts => Value::from(part),
                    _ => literal(part).unwrap_or_else(|| Value::from(part)),
                };
                Value::Array(Tag::Default, parts.map(value).collect())
            })
        }
    }
}

/// A value as it would stand in the file.
pub fn literal(text: &str) -> Option<Value> {
    value_of(DeValue::parse(text.trim()).ok()?.get_ref())
}
