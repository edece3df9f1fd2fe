//! The plan catalogue as a TOML file: what licences bring (domain.md section 4). The Teams one ships with the program.

use drawdown_ledger::plans::{Brings, CallingPlan, Country, DialOut, Plans};
use drawdown_rating::Fault;
use drawdown_units::Timestamp;
use serde::Deserialize;
use std::collections::BTreeMap;

/// The catalogue of Microsoft Teams.
pub const TEAMS: &str = include_str!("../../../config/plans/teams.toml");

/// The name by which configuration asks for [`TEAMS`].
pub const TEAMS_NAME: &str = "teams";

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    counts_as: BTreeMap<String, String>,
    #[serde(default)]
    licence: Vec<toml::Spanned<LicenceConfig>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct LicenceConfig {
    name: String,
    kind: Kind,
    effective_from: Option<String>,
    domestic_minutes: Option<u32>,
    domestic_minutes_in: Option<BTreeMap<String, u32>>,
    international_minutes: Option<u32>,
    either_closes_both: Option<bool>,
    pooled_over: Option<PooledOver>,
    dial_out_minutes: Option<u32>,
    zone: Option<Vec<String>>,
    countries: Option<Vec<String>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Kind {
    CallingPlan,
    Conferencing,
    UnlimitedDialOut,
    Credits,
    CreditsExempt,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum PooledOver {
    #[default]
    Country,
    User,
}

/// The entry that the next one of its name is held against.
#[derive(Debug, Clone, Copy)]
struct Before {
    from: Timestamp,
    kind: Kind,
    pooled_over: PooledOver,
}

/// The catalogue of Microsoft Teams.
pub fn teams() -> Plans {
    parse("config/plans/teams.toml", TEAMS).expect("invariant: the catalogue of the program is sound")
}

/// Reads a catalogue; `file` is what faults call it.
///
/// # Errors
/// Every fault of a file that is TOML of the right shape; else the first.
pub fn parse(file: &str, text: &str) -> Result<Plans, Vec<Fault>> {
    let mut reader = Reader { file, text, faults: Vec::new() };
    let config: File = toml::from_str(text).map_err(|error| {
        let line = error.span().map(|span| reader.line_at(span.start));
        vec![reader.fault(line, None, error.message().to_owned(), "see config/plans/teams.toml for an example")]
    })?;
    let mut same = Vec::new();
    for (from, to) in &config.counts_as {
        same.extend(reader.country(None, "counts_as", from).zip(reader.country(None, "counts_as", to)));
    }
    let mut plans = Plans::new(same);
    let mut latest: BTreeMap<String, Before> = BTreeMap::new();
    for licence in config.licence {
        let line = Some(reader.line_at(licence.span().start));
        let licence = licence.into_inner();
        let before = latest.get(&licence.name).copied();
        let from = reader.from(line, &licence, before);
        let brings = reader.brings(line, &licence);
        reader.refuse_other_sharing(line, &licence, before);
        if let Some((from, brings)) = from.zip(brings) {
            plans.add(&licence.name, from, brings);
            let pooled_over = licence.pooled_over.unwrap_or_default();
            latest.insert(licence.name, Before { from, kind: licence.kind, pooled_over });
        }
    }
    if reader.faults.is_empty() { Ok(plans) } else { Err(reader.faults) }
}

struct Reader<'t> {
    file: &'t str,
    text: &'t str,
    faults: Vec<Fault>,
}

impl Reader<'_> {
    fn line_at(&self, offset: usize) -> u32 {
        let before = self.text.as_bytes().get(..offset).unwrap_or(self.text.as_bytes());
        before.iter().filter(|byte| **byte == b'\n').count() as u32 + 1
    }

    fn fault(&self, line: Option<u32>, key: Option<&str>, what: String, mend: &str) -> Fault {
        Fault { file: self.file.to_owned(), line, column: key.map(str::to_owned), what, mend: mend.to_owned() }
    }

    fn add(&mut self, line: Option<u32>, key: &str, what: String, mend: &str) {
        self.faults.push(self.fault(line, Some(key), what, mend));
    }

    fn country(&mut self, line: Option<u32>, key: &str, text: &str) -> Option<Country> {
        let letters: Option<Country> = text.as_bytes().try_into().ok();
        let country = letters.filter(|letters| letters.iter().all(u8::is_ascii_uppercase));
        if country.is_none() {
            self.add(line, key, format!("{text:?} is no country"), "write two capital letters such as US");
        }
        country
    }

    fn countries(&mut self, line: Option<u32>, key: &str, texts: Option<&[String]>) -> Vec<Country> {
        if texts.is_none_or(<[String]>::is_empty) {
            self.add(line, key, "no country".to_owned(), "name those that the minutes reach");
        }
        texts.unwrap_or_default().iter().filter_map(|text| self.country(line, key, text)).collect()
    }

    /// From when the entry holds: later than the one of that name before it.
    fn from(&mut self, line: Option<u32>, licence: &LicenceConfig, before: Option<Before>) -> Option<Timestamp> {
        let key = "effective_from";
        let from = match &licence.effective_from {
            None => Timestamp::MIN,
            Some(text) => match Timestamp::parse(text) {
                Ok(from) => from,
                Err(error) => {
                    self.add(line, key, format!("{text:?}: {error}"), "write an instant in UTC");
                    return None;
                }
            },
        };
        if before.is_some_and(|before| before.from >= from) {
            let what = format!("{:?} holds from then on or later already", licence.name);
            self.add(line, key, what, "give terms that follow others a later effective_from");
            return None;
        }
        Some(from)
    }

    fn brings(&mut self, line: Option<u32>, licence: &LicenceConfig) -> Option<Brings> {
        let before = self.faults.len();
        self.refuse_foreign(line, licence);
        let brings = match licence.kind {
            Kind::CallingPlan => {
                let minutes = licence.domestic_minutes_in.iter().flatten();
                let domestic_in = minutes
                    .filter_map(|(text, minutes)| Some((self.country(line, "domestic_minutes_in", text)?, *minutes)))
                    .collect();
                Brings::CallingPlan(CallingPlan {
                    domestic: licence.domestic_minutes.unwrap_or(0),
                    domestic_in,
                    international: licence.international_minutes.unwrap_or(0),
                    either_closes_both: licence.either_closes_both.unwrap_or(false),
                    per_user: licence.pooled_over == Some(PooledOver::User),
                })
            }
            Kind::Conferencing => Brings::Conferencing(DialOut {
                minutes: licence.dial_out_minutes.unwrap_or(0),
                zone: self.countries(line, "zone", licence.zone.as_deref()),
            }),
            Kind::UnlimitedDialOut => {
                Brings::UnlimitedDialOut(self.countries(line, "countries", licence.countries.as_deref()))
            }
            Kind::Credits => Brings::Credits,
            Kind::CreditsExempt => Brings::CreditsExempt,
        };
        (self.faults.len() == before).then_some(brings)
    }

    /// Figures change with time. What a licence is, and who shares its minutes, does not: whoever holds it has them in a
    /// pool made for that.
    fn refuse_other_sharing(&mut self, line: Option<u32>, licence: &LicenceConfig, before: Option<Before>) {
        let Some(before) = before else { return };
        let (name, pooled_over) = (&licence.name, licence.pooled_over.unwrap_or_default());
        let mend = "keep it as it is, or give the licence another name";
        if licence.kind != before.kind {
            self.add(line, "kind", format!("the entry of {name:?} before has {:?}", before.kind), mend);
        } else if pooled_over != before.pooled_over {
            self.add(line, "pooled_over", format!("the entry of {name:?} before has {:?}", before.pooled_over), mend);
        }
    }

    /// A key of another kind of licence would be ignored silently.
    fn refuse_foreign(&mut self, line: Option<u32>, licence: &LicenceConfig) {
        let of_plan = licence.kind == Kind::CallingPlan;
        let of_conferencing = licence.kind == Kind::Conferencing;
        for (key, is_given, is_ours) in [
            ("domestic_minutes", licence.domestic_minutes.is_some(), of_plan),
            ("domestic_minutes_in", licence.domestic_minutes_in.is_some(), of_plan),
            ("international_minutes", licence.international_minutes.is_some(), of_plan),
            ("either_closes_both", licence.either_closes_both.is_some(), of_plan),
            ("pooled_over", licence.pooled_over.is_some(), of_plan),
            ("dial_out_minutes", licence.dial_out_minutes.is_some(), of_conferencing),
            ("zone", licence.zone.is_some(), of_conferencing),
            ("countries", licence.countries.is_some(), licence.kind == Kind::UnlimitedDialOut),
        ] {
            if is_given && !is_ours {
                let what = format!("means nothing to a licence of kind {:?}", licence.kind);
                self.add(line, key, what, "take it out, or mend kind");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use drawdown_ledger::plans::Use;

    use super::*;

    #[test]
    fn the_teams_catalogue_has_the_published_minutes() {
        let plans = teams();
        let now = Timestamp::EPOCH;
        let minutes = |name: &str, of: Use, country: &[u8; 2]| match plans.brings(plans.find(name).unwrap(), now) {
            Some(Brings::CallingPlan(plan)) => plan.minutes(of, plans.country(*country)),
            Some(Brings::Conferencing(dial_out)) => dial_out.minutes,
            _ => 0,
        };
        let table = [
            ("MCOPSTN1", [3_000, 3_000, 3_000, 1_200, 0]),
            ("MCOPSTN2", [3_000, 3_000, 3_000, 1_200, 600]),
            ("MCOPSTN5", [120, 120, 120, 120, 0]),
            ("MCOPSTN6", [240, 240, 240, 240, 0]),
            ("MCOPSTN8", [120, 120, 120, 120, 0]),
            ("MCOPSTN_PAYG_1", [0; 5]),
            ("MCOPSTN_PAYG_2", [0; 5]),
            ("MCOMEETADV", [60; 5]),
        ];
        for (name, expected) in table {
            let domestic = [b"US", b"PR", b"CA", b"DE"].map(|country| minutes(name, Use::Domestic, country));
            assert_eq!([&domestic[..], &[minutes(name, Use::International, b"US")]].concat(), expected, "{name}");
        }
        let zone = plans.brings(plans.find("MCOMEETADV").unwrap(), now);
        assert!(matches!(zone, Some(Brings::Conferencing(it)) if it.zone.len() == 44), "{zone:?}");
        assert_eq!(plans.names().count(), 11);
    }

    #[test]
    fn every_fault_is_named_with_its_line() {
        let text = "counts_as = { pr = \"US\" }\n\
            [[licence]]\nname = \"A\"\nkind = \"credits\"\nzone = [\"DE\"]\n\
            [[licence]]\nname = \"B\"\nkind = \"conferencing\"\ndial_out_minutes = 60\n\
            [[licence]]\nname = \"A\"\nkind = \"credits\"\neffective_from = \"tomorrow\"\n";
        let faults = parse("my.toml", text).unwrap_err();
        let shown: Vec<String> = faults.iter().map(ToString::to_string).collect();
        assert_eq!(
            shown,
            [
                "my.toml: counts_as: \"pr\" is no country; write two capital letters such as US",
                "my.toml:2: zone: means nothing to a licence of kind Credits; take it out, or mend kind",
                "my.toml:6: zone: no country; name those that the minutes reach",
                "my.toml:10: effective_from: \"tomorrow\": not an RFC 3339 time such as 2026-01-31T10:00:00Z; write an \
                 instant in UTC",
            ]
        );
        let unknown = parse("my.toml", "[[licence]]\nname = \"A\"\nkind = \"credits\"\nminuts = 5\n").unwrap_err();
        assert!(unknown[0].to_string().starts_with("my.toml:4: unknown field `minuts`"), "{}", unknown[0]);
    }

    /// Whoever held it would have lost all minutes at once, of months past too.
    #[test]
    fn what_a_licence_is_and_who_shares_its_minutes_does_not_change() {
        let entry = |kind: &str, from: &str| format!("[[licence]]\nname = \"P\"\nkind = {kind}\n{from}\n");
        let later = |month: u32| format!("effective_from = \"2026-{month:02}-01T00:00:00Z\"");
        let text = [
            entry("\"calling-plan\"", ""),
            entry("\"calling-plan\"\npooled_over = \"country\"", &later(4)),
            entry("\"calling-plan\"\npooled_over = \"user\"", &later(5)),
            entry("\"credits\"", &later(6)),
        ];
        let faults = parse("my.toml", &text.concat()).unwrap_err();
        let shown: Vec<String> = faults.iter().map(ToString::to_string).collect();
        assert_eq!(
            shown,
            [
                "my.toml:10: pooled_over: the entry of \"P\" before has Country; keep it as it is, or give the licence \
                 another name",
                "my.toml:15: kind: the entry of \"P\" before has CallingPlan; keep it as it is, or give the licence another \
                 name",
            ]
        );
    }

    #[test]
    fn terms_may_change_with_time() {
        let text = "[[licence]]\nname = \"P\"\nkind = \"calling-plan\"\ndomestic_minutes = 100\n\
            [[licence]]\nname = \"P\"\nkind = \"calling-plan\"\ndomestic_minutes = 200\neffective_from = \"2026-07-01T00:00:00Z\"\n";
        let plans = parse("my.toml", text).unwrap();
        let plan = plans.find("P").unwrap();
        let at = |text: &str| match plans.brings(plan, Timestamp::parse(text).unwrap()) {
            Some(Brings::CallingPlan(plan)) => plan.domestic,
            other => panic!("{other:?}"),
        };
        assert_eq!((at("2026-06-30T23:59:59.999Z"), at("2026-07-01T00:00:00Z")), (100, 200));
    }
}
