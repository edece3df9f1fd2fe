//! Source profiles: how one kind of switch writes its calls, as data.
//!
//! A profile is a TOML file. It names the fields of a call by the source's own names (JSON paths or CSV columns), the
//! layout and zone of its times, which duration is billed, which rows are answered calls and which are none, and how
//! numbers are dialled. A new switch needs no code. Those in `config/sources` are part of the program.
//!
//! Invariant: a [`Profile`] that exists is sound: every fault of its text was reported, with what to mend, when it was
//! read.

mod check;
mod config;
pub(crate) mod mapping;

#[cfg(test)]
mod tests;

use drawdown_rating::Fault;

use super::csv::{self, Dialect, Header, Line};
use super::json::{self, Tree};
use super::{Context, Decoded, assemble};
use crate::framing::Layout;
use crate::native;
use crate::number::NumberPlan;
use crate::rejection::{Reason, Rejection};
use mapping::Mapping;

/// A field of a profile: its place among the names the profile mentions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FieldRef(u16);

impl FieldRef {
    pub(crate) fn index(self) -> usize {
        usize::from(self.0)
    }
}

/// How one source writes its calls.
#[derive(Debug)]
pub struct Profile {
    name: String,
    /// Names in the source, by [`FieldRef`].
    fields: Vec<String>,
    format: Format,
}

#[derive(Debug)]
enum Format {
    /// Rows of Microsoft Graph, by the decoder made for them.
    Native {
        items: Vec<String>,
        plan: NumberPlan,
    },
    Json {
        items: Vec<String>,
        tree: Tree,
        mapping: Box<Mapping>,
    },
    Csv {
        csv: Csv,
        mapping: Box<Mapping>,
    },
}

#[derive(Debug)]
struct Csv {
    /// Any of these; which one, the header line shows.
    delimiters: Vec<u8>,
    quote: Option<u8>,
    header_lines: usize,
    /// For files without a header line.
    fixed: Option<Header>,
    /// Of these fields one each must be in the header.
    required: Vec<Vec<FieldRef>>,
}

/// What the command line may settle in a profile that leaves it open.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Overrides {
    /// IANA name of the zone of local times.
    pub zone: Option<String>,
    /// ISO 3166 code of the country where numbers are dialled.
    pub region: Option<String>,
}

macro_rules! shipped {
    ($($name:literal),+ $(,)?) => {
        [$(($name, include_str!(concat!("../../../../config/sources/", $name, ".toml")))),+]
    };
}

/// The profiles that are part of the program, with their text.
static SHIPPED: [(&str, &str); 9] = shipped![
    "native",
    "graph",
    "teams-export",
    "excel-teams",
    "freeswitch-json",
    "freeswitch-csv",
    "asterisk-csv",
    "cucm",
    "twilio",
];

impl Profile {
    /// The names of the profiles that are part of the program.
    pub fn names() -> impl Iterator<Item = &'static str> {
        SHIPPED.iter().map(|(name, _)| *name)
    }

    /// A profile of the program: `graph`, or `asterisk-csv,zone=Europe/Berlin,region=DE`.
    ///
    /// # Errors
    /// An unknown name or setting, or a setting that is missing.
    pub fn named(specification: &str) -> Result<Self, Vec<Fault>> {
        let (name, overrides) = Overrides::split(specification)?;
        match SHIPPED.iter().find(|(shipped, _)| *shipped == name) {
            Some((_, text)) => Self::parse_with(&format!("source {name}"), text, &overrides),
            None => {
                let known: Vec<&str> = Self::names().collect();
                let mend = format!("take one of {}, or the path of a file", known.join(", "));
                Err(vec![fault(specification, None, format!("there is no source profile {name:?}"), mend)])
            }
        }
    }

    /// Reads the text of a profile; `file` is for messages.
    ///
    /// # Errors
    /// Every fault, each with its place and what to mend.
    pub fn parse(file: &str, text: &str) -> Result<Self, Vec<Fault>> {
        Self::parse_with(file, text, &Overrides::default())
    }

    /// [`Profile::parse`] with settings from elsewhere, which come before those of the text.
    ///
    /// # Errors
    /// Every fault, each with its place and what to mend.
    pub fn parse_with(file: &str, text: &str, overrides: &Overrides) -> Result<Self, Vec<Fault>> {
        let config = config::read(file, text)?;
        check::compile(file, text, config, overrides)
    }

    /// Its name: the source of its records (boundaries.md U1).
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How its records lie in a file.
    pub fn layout(&self) -> Layout {
        match &self.format {
            Format::Native { items, .. } | Format::Json { items, .. } => Layout::Json { items: items.clone() },
            Format::Csv { csv, .. } => Layout::Lines { header_lines: csv.header_lines },
        }
    }

    /// Finds the columns in the header lines of a file; `None` for a source without such lines.
    ///
    /// # Errors
    /// The columns that rating needs and the file lacks.
    pub fn header(&self, file: &str, lines: &[Vec<u8>]) -> Result<Option<Header>, Vec<Fault>> {
        match &self.format {
            Format::Csv { csv, .. } if csv.header_lines > 0 => csv.header(file, lines, &self.fields).map(Some),
            _ => Ok(None),
        }
    }

    /// Decodes one record. `header` is what [`Profile::header`] found; sources without header lines need none.
    ///
    /// # Errors
    /// The rejection, by the source's own names.
    #[inline]
    pub fn decode<'a>(
        &'a self,
        record: &'a [u8],
        header: Option<&Header>,
        context: &Context<'a>,
    ) -> Result<Decoded<'a>, Rejection> {
        match &self.format {
            Format::Native { plan, .. } => {
                let context = Context { profile: Some(&self.name), ..*context };
                native::decode_with(record, &context, plan).map(Decoded::Cdr)
            }
            Format::Json { tree, mapping, .. } => {
                let values = json::read(record, tree, &self.fields)?;
                assemble::assemble(self, mapping, &values, context)
            }
            Format::Csv { csv, mapping } => match csv.fixed.as_ref().or(header) {
                Some(header) => self.decode_line(record, header, mapping, context),
                None => Err(Rejection::new(Reason::ColumnCount, "the file has no header line")),
            },
        }
    }

    fn decode_line<'a>(
        &'a self,
        record: &'a [u8],
        header: &Header,
        mapping: &'a Mapping,
        context: &Context<'a>,
    ) -> Result<Decoded<'a>, Rejection> {
        let text = native::fault::utf8(record)?;
        let line = Line::split(text, header.dialect)
            .ok_or_else(|| Rejection::new(Reason::ColumnCount, format!("more than {} columns", csv::COLUMNS_MAX)))?;
        if !(header.columns_min..=header.columns_max).contains(&line.columns_count) {
            return Err(wrong_count(&line, header));
        }
        let mut decoded = assemble::assemble(self, mapping, &(&line, header), context)?;
        if line.has_broken_quotes
            && let Decoded::Cdr(cdr) = &mut decoded
        {
            cdr.flags = cdr.flags.with(crate::Flags::QUOTING);
        }
        Ok(decoded)
    }

    pub(crate) fn field_name(&self, field: FieldRef) -> &str {
        &self.fields[field.index()]
    }
}

#[cold]
fn wrong_count(line: &Line<'_>, header: &Header) -> Rejection {
    let expected = if header.columns_min == header.columns_max {
        header.columns_min.to_string()
    } else {
        format!("{} to {}", header.columns_min, header.columns_max)
    };
    let quotes = if line.has_broken_quotes { "; a quote is not closed or not doubled" } else { "" };
    let detail = format!("{} columns where {expected} are expected{quotes}", line.columns_count);
    Rejection::new(Reason::ColumnCount, detail)
}

impl Csv {
    fn header(&self, file: &str, lines: &[Vec<u8>], fields: &[String]) -> Result<Header, Vec<Fault>> {
        let first = lines.first().map_or(&b""[..], Vec::as_slice);
        let text = String::from_utf8_lossy(first);
        let in_header = |delimiter: &&u8| memchr::memchr(**delimiter, first).is_some();
        let delimiter = self.delimiters.iter().find(in_header).or(self.delimiters.first()).copied().unwrap_or(b',');
        let dialect = Dialect { delimiter, quote: self.quote };
        let Some(line) = Line::split(&text, dialect) else {
            let what = format!("the header has more than {} columns", csv::COLUMNS_MAX);
            return Err(vec![fault(file, Some(1), what, "check that this is the right kind of file".to_owned())]);
        };
        let given: Vec<String> =
            (0..line.columns_count).map(|index| csv::folded(&line.column(index).unwrap_or_default())).collect();
        let place = |name: &String| given.iter().position(|column| *column == csv::folded(name));
        let columns: Vec<Option<u16>> =
            fields.iter().map(|name| place(name).and_then(|index| u16::try_from(index).ok())).collect();
        let faults: Vec<Fault> = self
            .required
            .iter()
            .filter(|choice| choice.iter().all(|field| columns[field.index()].is_none()))
            .map(|choice| {
                let names: Vec<&str> = choice.iter().map(|field| fields[field.index()].as_str()).collect();
                let what = format!("the header has no column {}", names.join(" or "));
                let mend = "add it, or take the profile of this kind of file".to_owned();
                fault(file, Some(1), what, mend)
            })
            .collect();
        if !faults.is_empty() {
            return Err(faults);
        }
        Ok(Header { dialect, columns_min: line.columns_count, columns_max: line.columns_count, columns })
    }
}

impl Overrides {
    /// Splits `name,zone=…,region=…` into the name and the settings.
    ///
    /// # Errors
    /// A setting that is none.
    pub fn split(specification: &str) -> Result<(&str, Self), Vec<Fault>> {
        let mut parts = specification.split(',');
        let name = parts.next().unwrap_or_default();
        let mut overrides = Overrides::default();
        let mut faults = Vec::new();
        for part in parts {
            match part.split_once('=') {
                Some(("zone", zone)) => overrides.zone = Some(zone.to_owned()),
                Some(("region", region)) => overrides.region = Some(region.to_owned()),
                _ => {
                    let mend = "write zone=Europe/Berlin or region=DE".to_owned();
                    faults.push(fault(specification, None, format!("{part:?} is no setting of a source"), mend));
                }
            }
        }
        if faults.is_empty() { Ok((name, overrides)) } else { Err(faults) }
    }
}

fn fault(file: &str, line: Option<u32>, what: String, mend: String) -> Fault {
    Fault { file: file.to_owned(), line, column: None, what, mend }
}
