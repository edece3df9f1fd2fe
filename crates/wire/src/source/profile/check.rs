//! From the text of a profile to a sound one: every fault is found in one pass.

use drawdown_rating::Fault;
use jiff::tz::TimeZone;

use super::config::{self, CallTypeRule, Config, FormatName, Names, RuleConfig, UnitName};
use super::mapping::{CallTypes, Mapping, Rule, Test, Texts};
use super::{Csv, Dialect, FieldRef, Format, Header, Overrides, Profile, Tree};
use crate::cdr::CallType;
use crate::number::{NumberPlan, Pattern};
use crate::source::csv::COLUMNS_MAX;
use crate::source::duration::Unit;
use crate::source::time_layout::{Layout, Times};

/// What may stand under `[fields]`, and whether a list of names is meant as alternatives or parts.
const FIELDS: [(&str, bool); 26] = [
    ("id", true),
    ("org", false),
    ("caller", false),
    ("callee", false),
    ("start", true),
    ("answer", true),
    ("end", true),
    ("received", false),
    ("revision", false),
    ("void", false),
    ("call_id", false),
    ("user_id", false),
    ("user_principal_name", false),
    ("user_display_name", false),
    ("conference_id", false),
    ("inventory_type", false),
    ("usage_country_code", false),
    ("tenant_country_code", false),
    ("destination_context", false),
    ("destination_name", false),
    ("license_capability", false),
    ("operator", false),
    ("call_duration_source", false),
    ("charge", false),
    ("connection_charge", false),
    ("currency", false),
];

struct Checker<'t> {
    file: &'t str,
    text: &'t str,
    faults: Vec<Fault>,
    /// Names in the source, in the order in which they were first mentioned.
    names: Vec<String>,
}

pub(super) fn compile(file: &str, text: &str, config: Config, overrides: &Overrides) -> Result<Profile, Vec<Fault>> {
    let mut checker = Checker { file, text, faults: Vec::new(), names: Vec::new() };
    let plan = checker.plan(&config, overrides);
    let format = match config.format {
        FormatName::Native => {
            checker.only_native(&config);
            Some(Format::Native { items: config.json.items.clone(), plan })
        }
        FormatName::Json => checker.mapping(&config, plan, overrides).map(|mapping| {
            let mut tree = Tree::default();
            for (index, name) in checker.names.iter().enumerate() {
                tree.insert(name, FieldRef(index as u16));
            }
            Format::Json { items: config.json.items.clone(), tree, mapping: Box::new(mapping) }
        }),
        FormatName::Csv => checker.mapping(&config, plan, overrides).map(|mapping| {
            let csv = checker.csv(&config, &mapping);
            Format::Csv { csv, mapping: Box::new(mapping) }
        }),
    };
    if config.name.is_empty() {
        checker.fault("", "name", "is empty", "a name such as the switch's: it is the source of its records");
    }
    match format {
        Some(format) if checker.faults.is_empty() => Ok(Profile { name: config.name, fields: checker.names, format }),
        _ => {
            // In the order of the file; what is missing from it comes last.
            checker.faults.sort_by_key(|fault| fault.line.unwrap_or(u32::MAX));
            Err(checker.faults)
        }
    }
}

impl Checker<'_> {
    fn fault(&mut self, table: &str, key: &str, what: impl Into<String>, mend: impl Into<String>) {
        self.faults.push(Fault {
            file: self.file.to_owned(),
            line: config::line_of(self.text, table, key),
            column: Some(if table.is_empty() { key.to_owned() } else { format!("{table}.{key}") }),
            what: what.into(),
            mend: mend.into(),
        });
    }

    /// The reference of a name in the source.
    fn field(&mut self, name: &str) -> FieldRef {
        let known = self.names.iter().position(|known| known == name);
        let index = known.unwrap_or_else(|| {
            self.names.push(name.to_owned());
            self.names.len() - 1
        });
        FieldRef(index as u16)
    }

    fn only_native(&mut self, config: &Config) {
        let is_mapped = !config.fields.is_empty() || config.duration.is_some() || config.call_type.default.is_some();
        if is_mapped {
            let mend = "remove the mapping, or write format = \"json\"";
            self.fault("", "format", "native rows have their own names and are not mapped", mend);
        }
    }

    fn plan(&mut self, config: &Config, overrides: &Overrides) -> NumberPlan {
        let numbers = &config.numbers;
        let mut plan = NumberPlan::unknown();
        if let Some(region) = overrides.region.as_ref().or(numbers.region.as_ref()) {
            if crate::number::is_region(region) {
                plan = plan.with_region(region);
            } else {
                let what = format!("{region:?} is no country with telephone numbers");
                self.fault("numbers", "region", what, "write its ISO 3166 code, such as DE");
            }
        }
        let mut patterns = Vec::new();
        for text in &numbers.internal {
            match Pattern::parse(text) {
                Some(pattern) => patterns.push(pattern),
                None => {
                    let what = format!("{text:?} is no pattern");
                    self.fault("numbers", "internal", what, "use digits, *, # and x for any digit");
                }
            }
        }
        plan = plan.with_internal(patterns).with_missing_plus(numbers.plus_may_be_missing);
        for (key, digits) in
            [("outside_line", &numbers.outside_line), ("international_prefix", &numbers.international_prefix)]
        {
            let Some(digits) = digits else { continue };
            if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
                self.fault("numbers", key, format!("{digits:?} is not what one dials"), "write digits only");
            }
            plan = match key {
                "outside_line" => plan.with_outside_line(digits),
                _ => plan.with_international_prefix(digits),
            };
        }
        plan
    }

    fn mapping(&mut self, config: &Config, plan: NumberPlan, overrides: &Overrides) -> Option<Mapping> {
        self.known_fields(config);
        let id = self.required(config, "id");
        let callee = self.required(config, "callee");
        let start = self.required(config, "start");
        let duration = config.duration.as_ref().map(|billed| (self.field(&billed.field), unit(billed.unit)));
        if duration.is_none() {
            let mend = "write [duration] with field = the seconds that are billed";
            self.fault("duration", "field", "it is not said which duration is billed", mend);
        }
        let finer = config.duration.as_ref().and_then(|billed| billed.finer.as_ref());
        let finer = finer.map(|finer| (self.field(&finer.field), unit(finer.unit)));
        let mapping = Mapping {
            org: self.optional(config, "org"),
            org_constant: config.org.clone(),
            call_types: self.call_types(config),
            caller: self.optional(config, "caller"),
            callee: callee.first().copied().unwrap_or(FieldRef(0)),
            answer: self.several(config, "answer"),
            end: self.several(config, "end"),
            received: self.optional(config, "received"),
            duration: duration.unwrap_or((FieldRef(0), Unit::Seconds)),
            finer,
            answered: config.answered.as_ref().and_then(|rule| self.rule("answered", rule)),
            not_a_call: config.not_a_call.iter().filter_map(|rule| self.rule("not_a_call", rule)).collect(),
            revision: self.optional(config, "revision"),
            void: self.optional(config, "void"),
            region_fields: config.numbers.region_fields.iter().map(|name| self.field(name)).collect(),
            texts: self.texts(config),
            times: self.times(config, overrides),
            plan,
            is_percent_encoded: config.json.percent_encoded,
            id,
            start,
        };
        self.faults.is_empty().then_some(mapping)
    }

    fn known_fields(&mut self, config: &Config) {
        for (key, names) in &config.fields {
            match FIELDS.iter().find(|(known, _)| known == key).map(|(_, several)| *several) {
                None => {
                    let all: Vec<&str> = FIELDS.iter().map(|(known, _)| *known).collect();
                    self.fault("fields", key, "this field is not known", format!("write one of {}", all.join(", ")));
                }
                Some(false) if names.list().len() > 1 => {
                    self.fault("fields", key, "one name is expected", "choose one of them");
                }
                Some(_) => {}
            }
            if names.list().iter().any(String::is_empty) || names.list().is_empty() {
                self.fault("fields", key, "the name in the source is empty", "write it or remove the line");
            }
        }
    }

    fn several(&mut self, config: &Config, key: &str) -> Vec<FieldRef> {
        let names = config.fields.get(key).map(Names::list).unwrap_or_default();
        names.iter().map(|name| self.field(name)).collect()
    }

    fn optional(&mut self, config: &Config, key: &str) -> Option<FieldRef> {
        self.several(config, key).first().copied()
    }

    fn required(&mut self, config: &Config, key: &str) -> Vec<FieldRef> {
        let found = self.several(config, key);
        if found.is_empty() {
            let mend = format!("write {key} = the source's name for it under [fields]");
            self.fault("fields", key, "rating needs this field", mend);
        }
        found
    }

    fn call_types(&mut self, config: &Config) -> CallTypes {
        let call_type = &config.call_type;
        let default = call_type.default.as_ref().and_then(|name| self.call_type("default", name));
        let rules: Vec<(Rule, CallType, String)> = call_type
            .rules
            .iter()
            .filter_map(|rule| {
                let (call_type, name) = self.call_type("type", &rule.call_type)?;
                let CallTypeRule { field, is, is_not, begins, .. } = rule;
                let (field, is, is_not, begins) = (field.clone(), is.clone(), is_not.clone(), begins.clone());
                let rule = RuleConfig { field, is, is_not, begins };
                Some((self.rule("call_type", &rule)?, call_type, name))
            })
            .collect();
        let field = call_type.field.as_ref().map(|name| self.field(name));
        if call_type.rules.is_empty() && field.is_none() && call_type.default.is_none() {
            let mend = "write [call_type] with default = \"user_out\", a field, or rules";
            self.fault("call_type", "default", "it is not said what kind of calls these are", mend);
        }
        CallTypes { rules, field, default }
    }

    fn call_type(&mut self, key: &str, name: &str) -> Option<(CallType, String)> {
        let call_type = CallType::parse(name);
        if call_type.is_none() {
            let mend = "write a name such as user_out, conf_out, ucap_in or user_in";
            self.fault("call_type", key, format!("{name:?} is no call type"), mend);
        }
        call_type.map(|call_type| (call_type, name.to_owned()))
    }

    fn rule(&mut self, table: &str, rule: &RuleConfig) -> Option<Rule> {
        let values = |names: &Names| names.list().to_vec();
        let test = match (&rule.is, &rule.is_not, &rule.begins) {
            (Some(names), None, None) => Test::Is(values(names)),
            (None, Some(names), None) => Test::IsNot(values(names)),
            (None, None, Some(names)) => Test::Begins(values(names)),
            _ => {
                self.fault(table, "is", "a rule has one test", "write one of is, is_not, begins");
                return None;
            }
        };
        Some(Rule { field: self.field(&rule.field), test })
    }

    fn texts(&mut self, config: &Config) -> Texts {
        let mut optional = |key| self.optional(config, key);
        Texts {
            call_id: optional("call_id"),
            user_id: optional("user_id"),
            user_principal_name: optional("user_principal_name"),
            user_display_name: optional("user_display_name"),
            conference_id: optional("conference_id"),
            inventory_type: optional("inventory_type"),
            usage_country_code: optional("usage_country_code"),
            tenant_country_code: optional("tenant_country_code"),
            destination_context: optional("destination_context"),
            destination_name: optional("destination_name"),
            license_capability: optional("license_capability"),
            operator: optional("operator"),
            call_duration_source: optional("call_duration_source"),
            charge: optional("charge"),
            connection_charge: optional("connection_charge"),
            currency: optional("currency"),
        }
    }

    fn times(&mut self, config: &Config, overrides: &Overrides) -> Times {
        let mut layouts = Vec::new();
        for text in &config.times.layouts {
            match Layout::parse(text) {
                Ok(layout) => layouts.push(layout),
                Err(problem) => {
                    let mend = "write rfc3339, rfc2822, epoch-seconds or a pattern such as %Y-%m-%d %H:%M:%S";
                    self.fault("times", "layouts", problem, mend);
                }
            }
        }
        if config.times.layouts.is_empty() {
            self.fault("times", "layouts", "it is not said how times are written", "write layouts = [\"rfc3339\"]");
        }
        let name = overrides.zone.as_ref().or(config.times.zone.as_ref());
        let zone = name.and_then(|name| TimeZone::get(name).ok());
        if let (Some(name), None) = (name, &zone) {
            let mend = "write an IANA name such as Europe/Berlin, or UTC";
            self.fault("times", "zone", format!("{name:?} is no time zone"), mend);
        }
        if name.is_none() && layouts.iter().any(Layout::needs_zone) {
            let mend = "write zone = \"Europe/Berlin\" under [times], or --source NAME,zone=Europe/Berlin";
            self.fault("times", "zone", "times are local, and their zone is not given", mend);
        }
        Times { layouts, zone }
    }

    fn csv(&mut self, config: &Config, mapping: &Mapping) -> Csv {
        let csv = &config.csv;
        if !(1..=4).contains(&csv.delimiter.len()) || !csv.delimiter.is_ascii() {
            self.fault("csv", "delimiter", "a delimiter is one ASCII character", "write delimiter = \",\"");
        }
        if csv.quote.len() > 1 {
            self.fault("csv", "quote", "a quote is one ASCII character, or empty for none", "write quote = '\"'");
        }
        match (csv.header_lines, csv.columns.len()) {
            (0, 0) => {
                let mend = "write header_lines = 1, or list the columns";
                self.fault("csv", "columns", "without a header line the columns must be named", mend);
            }
            (1.., 1..) => {
                self.fault("csv", "columns", "the header line names the columns", "remove columns or header_lines");
            }
            (_, count) if count > COLUMNS_MAX => {
                self.fault("csv", "columns", format!("more than {COLUMNS_MAX} columns"), "list fewer");
            }
            _ => {}
        }
        let delimiters = csv.delimiter.as_bytes().to_vec();
        let quote = csv.quote.bytes().next();
        let fixed = (csv.header_lines == 0 && !csv.columns.is_empty()).then(|| {
            let columns = self.fixed_columns(&csv.columns);
            let dialect = Dialect { delimiter: delimiters.first().copied().unwrap_or(b','), quote };
            let columns_max = csv.columns.len();
            Header { dialect, columns_min: csv.columns_min.unwrap_or(columns_max), columns_max, columns }
        });
        let mut required =
            vec![mapping.id.clone(), vec![mapping.callee], mapping.start.clone(), vec![mapping.duration.0]];
        required.extend(mapping.call_types.field.filter(|_| mapping.call_types.default.is_none()).map(|f| vec![f]));
        // A rule about a column that is not there would quietly decide every row.
        let rules = mapping.answered.iter().chain(&mapping.not_a_call).map(|rule| rule.field);
        required.extend(
            rules.chain(mapping.call_types.rules.iter().map(|(rule, _, _)| rule.field)).map(|field| vec![field]),
        );
        Csv { delimiters, quote, header_lines: csv.header_lines, fixed, required }
    }

    /// Where each field is in a file whose columns the profile lists.
    fn fixed_columns(&mut self, columns: &[String]) -> Vec<Option<u16>> {
        let places: Vec<Option<usize>> =
            self.names.iter().map(|name| columns.iter().position(|column| column == name)).collect();
        for (name, _) in self.names.clone().iter().zip(&places).filter(|(_, place)| place.is_none()) {
            let mend = "add it to columns, or mend the name";
            self.fault("csv", "columns", format!("{name:?} is used but is no column"), mend);
        }
        places.into_iter().map(|place| place.and_then(|index| u16::try_from(index).ok())).collect()
    }
}

fn unit(name: UnitName) -> Unit {
    match name {
        UnitName::Seconds => Unit::Seconds,
        UnitName::Milliseconds => Unit::Milliseconds,
        UnitName::Microseconds => Unit::Microseconds,
    }
}
