//! The plan catalogue: what licences bring (domain.md section 4). Configuration, with nothing built in.
//!
//! A licence that the catalogue does not know is kept by its holder and brings nothing (boundaries.md P16).

use compact_str::CompactString;
use drawdown_units::Timestamp;

/// ISO 3166-1 alpha-2 code.
pub type Country = [u8; 2];

/// The name of a licence.
pub type LicenceName = CompactString;

/// The place of a licence in the catalogue it came from, which is the order in which plans are asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct PlanId(u16);

/// What the licences that are known bring, in catalogue order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plans {
    licences: Vec<KnownLicence>,
    /// A country that counts as another wherever plans ask for one.
    counts_as: Vec<(Country, Country)>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct KnownLicence {
    name: LicenceName,
    /// What it brings to calls that start from an instant on, oldest first.
    terms: Vec<(Timestamp, Brings)>,
}

/// What a licence brings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Brings {
    /// A calling plan: included minutes for the user's own calls.
    CallingPlan(CallingPlan),
    /// Audio conferencing: included minutes for dial-out, shared by the whole organisation.
    Conferencing(DialOut),
    /// Dial-out to these countries without limit and without drawing anything.
    UnlimitedDialOut(Vec<Country>),
    /// The licence without which nobody draws credits.
    Credits,
    /// Draws credits without any other licence (boundaries.md W7).
    CreditsExempt,
}

/// The minutes of a calling plan, a user and a month.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CallingPlan {
    /// Domestic minutes, where no other figure is given for the user's country.
    pub domestic: u32,
    /// Domestic minutes of users in certain countries.
    pub domestic_in: Vec<(Country, u32)>,
    /// International minutes.
    pub international: u32,
    /// Reaching either figure closes both.
    pub either_closes_both: bool,
    /// Each user's for himself, not shared.
    pub per_user: bool,
}

/// The dial-out minutes of a conferencing licence.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DialOut {
    /// Minutes a licence and month.
    pub minutes: u32,
    /// The countries that they reach.
    pub zone: Vec<Country>,
}

/// Which minutes of a pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Use {
    /// Within the user's country.
    Domestic,
    /// Abroad.
    International,
    /// Out of a conference.
    DialOut,
}

impl Use {
    /// Every use.
    pub const ALL: [Use; 3] = [Use::Domestic, Use::International, Use::DialOut];

    /// The name on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Use::Domestic => "domestic",
            Use::International => "international",
            Use::DialOut => "dial-out",
        }
    }
}

impl CallingPlan {
    /// The minutes of one licence used in `country`.
    pub fn minutes(&self, of: Use, country: Country) -> u32 {
        match of {
            Use::Domestic => {
                let special = self.domestic_in.iter().find(|(place, _)| *place == country);
                special.map_or(self.domestic, |(_, minutes)| *minutes)
            }
            Use::International => self.international,
            Use::DialOut => 0,
        }
    }
}

impl Plans {
    /// An empty catalogue in which `counts_as` are the same country.
    pub fn new(counts_as: Vec<(Country, Country)>) -> Self {
        Plans { licences: Vec::new(), counts_as }
    }

    /// Adds what a licence brings to calls that start at `from` or later. A licence added again keeps its place, and is
    /// to come with a later `from`.
    pub fn add(&mut self, name: &str, from: Timestamp, brings: Brings) {
        match self.licences.iter_mut().find(|known| known.name == name) {
            Some(known) => known.terms.push((from, brings)),
            None => self.licences.push(KnownLicence { name: name.into(), terms: vec![(from, brings)] }),
        }
    }

    /// The licence of that name.
    pub fn find(&self, name: &str) -> Option<PlanId> {
        let place = self.licences.iter().position(|known| known.name == name);
        place.and_then(|place| u16::try_from(place).ok()).map(PlanId)
    }

    /// What a licence brings to a call that started at `started`.
    #[inline]
    pub fn brings(&self, plan: PlanId, started: Timestamp) -> Option<&Brings> {
        let terms = &self.licences.get(usize::from(plan.0))?.terms;
        terms.iter().rev().find(|(from, _)| *from <= started).map(|(_, brings)| brings)
    }

    /// What a licence is in the end: whether and how its minutes are shared does not change with its figures.
    pub(crate) fn kind(&self, plan: PlanId) -> Option<&Brings> {
        self.licences.get(usize::from(plan.0))?.terms.last().map(|(_, brings)| brings)
    }

    /// The country as plans see it.
    pub fn country(&self, country: Country) -> Country {
        self.counts_as.iter().find(|(from, _)| *from == country).map_or(country, |(_, to)| *to)
    }

    /// The names of the licences it knows, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.licences.iter().map(|known| &*known.name)
    }

    /// How many licences it knows.
    pub fn count(&self) -> usize {
        self.licences.len()
    }
}
