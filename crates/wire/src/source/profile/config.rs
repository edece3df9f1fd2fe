//! The text of a profile as it is written, before it is known to make sense.

use std::collections::BTreeMap;

use drawdown_rating::Fault;
use serde::Deserialize;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Config {
    pub(super) name: String,
    pub(super) format: FormatName,
    #[serde(rename = "description", default)]
    pub(super) _description: String,
    #[serde(default)]
    pub(super) csv: CsvConfig,
    #[serde(default)]
    pub(super) json: JsonConfig,
    #[serde(default)]
    pub(super) fields: BTreeMap<String, Names>,
    #[serde(default)]
    pub(super) org: Option<String>,
    #[serde(default)]
    pub(super) call_type: CallTypeConfig,
    #[serde(default)]
    pub(super) duration: Option<DurationConfig>,
    #[serde(default)]
    pub(super) answered: Option<RuleConfig>,
    #[serde(default)]
    pub(super) not_a_call: Vec<RuleConfig>,
    #[serde(default)]
    pub(super) times: TimesConfig,
    #[serde(default)]
    pub(super) numbers: NumbersConfig,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum FormatName {
    Native,
    Json,
    Csv,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct CsvConfig {
    pub(super) delimiter: String,
    pub(super) quote: String,
    pub(super) header_lines: usize,
    pub(super) columns: Vec<String>,
    pub(super) columns_min: Option<usize>,
}

impl Default for CsvConfig {
    fn default() -> Self {
        CsvConfig {
            delimiter: ",".to_owned(),
            quote: "\"".to_owned(),
            header_lines: 0,
            columns: Vec::new(),
            columns_min: None,
        }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct JsonConfig {
    pub(super) items: Vec<String>,
    pub(super) percent_encoded: bool,
}

/// One name, or several.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub(super) enum Names {
    One(String),
    Several(Vec<String>),
}

impl Names {
    pub(super) fn list(&self) -> &[String] {
        match self {
            Names::One(name) => std::slice::from_ref(name),
            Names::Several(names) => names,
        }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct CallTypeConfig {
    pub(super) field: Option<String>,
    pub(super) default: Option<String>,
    pub(super) rules: Vec<CallTypeRule>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CallTypeRule {
    pub(super) field: String,
    #[serde(default)]
    pub(super) is: Option<Names>,
    #[serde(default)]
    pub(super) is_not: Option<Names>,
    #[serde(default)]
    pub(super) begins: Option<Names>,
    #[serde(rename = "type")]
    pub(super) call_type: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RuleConfig {
    pub(super) field: String,
    #[serde(default)]
    pub(super) is: Option<Names>,
    #[serde(default)]
    pub(super) is_not: Option<Names>,
    #[serde(default)]
    pub(super) begins: Option<Names>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DurationConfig {
    pub(super) field: String,
    #[serde(default)]
    pub(super) unit: UnitName,
    #[serde(default)]
    pub(super) finer: Option<FinerConfig>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FinerConfig {
    pub(super) field: String,
    pub(super) unit: UnitName,
}

#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum UnitName {
    #[default]
    Seconds,
    Milliseconds,
    Microseconds,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct TimesConfig {
    pub(super) layouts: Vec<String>,
    pub(super) zone: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct NumbersConfig {
    pub(super) region: Option<String>,
    pub(super) region_fields: Vec<String>,
    pub(super) internal: Vec<String>,
    pub(super) outside_line: Option<String>,
    pub(super) international_prefix: Option<String>,
    pub(super) plus_may_be_missing: bool,
}

/// The keys of each table, so that all unknown ones can be told at once.
const KEYS: [(&str, &[&str]); 9] = [
    (
        "",
        &[
            "name",
            "format",
            "description",
            "csv",
            "json",
            "fields",
            "org",
            "call_type",
            "duration",
            "answered",
            "not_a_call",
            "times",
            "numbers",
        ],
    ),
    ("csv", &["delimiter", "quote", "header_lines", "columns", "columns_min"]),
    ("json", &["items", "percent_encoded"]),
    ("call_type", &["field", "default", "rules"]),
    ("duration", &["field", "unit", "finer"]),
    ("answered", &["field", "is", "is_not", "begins"]),
    ("not_a_call", &["field", "is", "is_not", "begins"]),
    ("times", &["layouts", "zone"]),
    (
        "numbers",
        &["region", "region_fields", "internal", "outside_line", "international_prefix", "plus_may_be_missing"],
    ),
];

/// Reads the text; what is no profile at all is told here.
pub(super) fn read(file: &str, text: &str) -> Result<Config, Vec<Fault>> {
    let table: toml::Table = toml::from_str(text).map_err(|error| vec![broken(file, text, &error)])?;
    let mut faults = Vec::new();
    for (name, keys) in KEYS {
        let tables: Vec<&toml::Table> = match (name, table.get(name)) {
            ("", _) => vec![&table],
            (_, Some(toml::Value::Table(inner))) => vec![inner],
            (_, Some(toml::Value::Array(list))) => list.iter().filter_map(toml::Value::as_table).collect(),
            _ => Vec::new(),
        };
        for key in tables.iter().flat_map(|table| table.keys()).filter(|key| !keys.contains(&key.as_str())) {
            faults.push(Fault {
                file: file.to_owned(),
                line: line_of(text, name, key),
                column: Some(key.clone()),
                what: "this key is not known".to_owned(),
                mend: format!("remove it or write one of {}", keys.join(", ")),
            });
        }
    }
    if !faults.is_empty() {
        return Err(faults);
    }
    toml::from_str(text).map_err(|error| vec![broken(file, text, &error)])
}

fn broken(file: &str, text: &str, error: &toml::de::Error) -> Fault {
    let line = error.span().map(|span| 1 + text[..span.start.min(text.len())].matches('\n').count());
    Fault {
        file: file.to_owned(),
        line: line.and_then(|line| u32::try_from(line).ok()),
        column: None,
        what: error.message().to_owned(),
        mend: "see the profiles in config/sources for the form".to_owned(),
    }
}

/// The line where `key` stands in table `table`.
pub(super) fn line_of(text: &str, table: &str, key: &str) -> Option<u32> {
    let mut current = "";
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if let Some(name) = line.strip_prefix('[') {
            current = name.trim_start_matches('[').split([']', '.']).next().unwrap_or_default();
        }
        let name = line.split(['=', ' ']).next().unwrap_or_default().trim_matches('"');
        if current == table && name == key {
            return u32::try_from(index + 1).ok();
        }
    }
    None
}
