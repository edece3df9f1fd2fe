//! What an audit finds: each difference with its place, the first of them listed, all of them counted.

use std::fmt;

/// Which of the three streams a line is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    Debits,
    Events,
    Accounts,
}

/// A line of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    pub stream: Stream,
    /// From 1; 0 where there is no line, since it is missing.
    pub line: u64,
}

/// One difference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    pub place: Place,
    pub org: Box<str>,
    pub field: String,
    pub expected: String,
    pub found: String,
}

/// The differences found so far.
#[derive(Debug)]
pub struct Findings {
    pub listed: Vec<Finding>,
    pub count: u64,
    limit: usize,
}

impl Findings {
    /// Of which `limit` are listed.
    pub fn new(limit: usize) -> Self {
        Findings { listed: Vec::new(), count: 0, limit }
    }

    pub fn add(&mut self, finding: Finding) {
        self.count += 1;
        if self.listed.len() < self.limit {
            self.listed.push(finding);
        }
    }

    /// For the findings about one line.
    pub fn at<'f>(&'f mut self, place: Place, org: &'f str) -> At<'f> {
        At { findings: self, place, org }
    }
}

/// Where findings about one line go.
pub struct At<'f> {
    findings: &'f mut Findings,
    place: Place,
    org: &'f str,
}

impl At<'_> {
    pub fn differs(&mut self, field: impl fmt::Display, expected: impl fmt::Display, found: impl fmt::Display) {
        self.findings.add(Finding {
            place: self.place,
            org: self.org.into(),
            field: field.to_string(),
            expected: expected.to_string(),
            found: found.to_string(),
        });
    }

    /// A finding, unless the two are equal.
    pub fn same<T: PartialEq + fmt::Display>(&mut self, field: &str, expected: T, found: T) {
        if expected != found {
            self.differs(field, expected, found);
        }
    }
}

/// A difference within one line, before anything is known of the others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flaw {
    pub field: String,
    pub expected: String,
    pub found: String,
}

impl Flaw {
    pub fn new(field: impl fmt::Display, expected: impl fmt::Display, found: impl fmt::Display) -> Self {
        Flaw { field: field.to_string(), expected: expected.to_string(), found: found.to_string() }
    }
}
