//! How the numbers of one switch are dialled.

/// The dialling habits of a source. The default knows nothing: international numbers only, unless the record has a region.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NumberPlan {
    region: Option<String>,
    internal: Vec<Pattern>,
    outside_line: Option<String>,
    international_prefix: Option<String>,
    plus_may_be_missing: bool,
}

impl NumberPlan {
    /// A plan that knows nothing.
    pub const fn unknown() -> Self {
        NumberPlan {
            region: None,
            internal: Vec::new(),
            outside_line: None,
            international_prefix: None,
            plus_may_be_missing: false,
        }
    }

    /// Every number is dialled in this country (upper-case ISO 3166), whatever the record says.
    #[must_use]
    pub fn with_region(mut self, region: &str) -> Self {
        self.region = Some(region.to_ascii_uppercase());
        self
    }

    /// Extensions and feature codes of the switch itself (boundaries.md N4).
    #[must_use]
    pub fn with_internal(mut self, patterns: Vec<Pattern>) -> Self {
        self.internal = patterns;
        self
    }

    /// What is dialled first to get an outside line; taken off where a number begins with it.
    #[must_use]
    pub fn with_outside_line(mut self, digits: &str) -> Self {
        self.outside_line = Some(digits.to_owned());
        self
    }

    /// What is dialled before a country code, where it is not the region's own prefix.
    #[must_use]
    pub fn with_international_prefix(mut self, digits: &str) -> Self {
        self.international_prefix = Some(digits.to_owned());
        self
    }

    /// Numbers are E.164 whose `+` may have been lost, as spreadsheets lose it.
    #[must_use]
    pub fn with_missing_plus(mut self, plus_may_be_missing: bool) -> Self {
        self.plus_may_be_missing = plus_may_be_missing;
        self
    }

    pub(super) fn plus_may_be_missing(&self) -> bool {
        self.plus_may_be_missing
    }

    pub(super) fn region(&self) -> Option<&str> {
        self.region.as_deref()
    }

    pub(super) fn is_internal(&self, dialled: &str) -> bool {
        self.internal.iter().any(|pattern| pattern.matches(dialled))
    }

    /// `dialled` without the outside-line digits, where it has them and more.
    pub(super) fn after_outside_line<'t>(&self, dialled: &'t str) -> Option<&'t str> {
        dialled.strip_prefix(self.outside_line.as_deref()?).filter(|rest| !rest.is_empty())
    }

    /// What follows the plan's own international prefix.
    pub(super) fn after_international_prefix<'t>(&self, dialled: &'t str) -> Option<&'t str> {
        dialled.strip_prefix(self.international_prefix.as_deref()?).filter(|rest| !rest.is_empty())
    }
}

/// A dialling pattern such as `1xxx` or `*xx`: `x` is any digit, everything else itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern(String);

impl Pattern {
    /// Reads a pattern of digits, `*`, `#` and `x`.
    pub fn parse(text: &str) -> Option<Self> {
        let is_pattern =
            !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'*' | b'#' | b'x'));
        is_pattern.then(|| Pattern(text.to_owned()))
    }

    fn matches(&self, dialled: &str) -> bool {
        self.0.len() == dialled.len()
            && self.0.bytes().zip(dialled.bytes()).all(|(p, d)| if p == b'x' { d.is_ascii_digit() } else { p == d })
    }
}
