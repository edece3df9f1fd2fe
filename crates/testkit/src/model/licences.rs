//! Who holds which licence when, and the plans that bring minutes (domain.md section 4, the Teams catalogue).

use jiff::Timestamp;

pub const AUDIO_CONFERENCING: &str = "MCOMEETADV";
pub const DIAL_OUT_ADD_ON: &str = "MCOMEETADD_DIALOUT_US";
/// The licence to draw credits.
pub const CREDITS: &str = "MCOPSTNPP";
/// Its holder needs no other licence (W7).
pub const EXEMPT: &str = "MCOMEETACPEA";
/// The plan whose two kinds of minutes close each other (P7).
pub const EITHER_CLOSES_BOTH: &str = "MCOPSTN2";
/// The plan that is not shared.
pub const PER_USER: &str = "MCOPSTN8";
/// Calling Plans in the order of the catalogue (P8).
pub const CALLING_PLANS: [&str; 7] =
    ["MCOPSTN1", "MCOPSTN2", "MCOPSTN5", "MCOPSTN6", "MCOPSTN8", "MCOPSTN_PAYG_1", "MCOPSTN_PAYG_2"];
/// Zone A minutes of one Audio Conferencing licence.
pub const ZONE_A_MINUTES: i64 = 60;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    Domestic,
    International,
    DialOut,
}

impl Use {
    pub fn name(self) -> &'static str {
        match self {
            Self::Domestic => "domestic",
            Self::International => "international",
            Self::DialOut => "dial-out",
        }
    }
}

/// Minutes per user and month that a Calling Plan brings in its country of use; 0 where it brings none of the kind.
pub fn minutes(plan: &str, kind: Use, country: &str) -> i64 {
    match (plan, kind) {
        ("MCOPSTN1" | "MCOPSTN2", Use::Domestic) if ["US", "PR", "CA"].contains(&country) => 3_000,
        ("MCOPSTN1" | "MCOPSTN2", Use::Domestic) => 1_200,
        ("MCOPSTN2", Use::International) => 600,
        ("MCOPSTN5" | "MCOPSTN8", Use::Domestic) => 120,
        ("MCOPSTN6", Use::Domestic) => 240,
        _ => 0,
    }
}

/// Puerto Rico is the United States to every plan (P5, P6).
pub fn country_of_use(country: &str) -> &str {
    if country == "PR" { "US" } else { country }
}

/// Held in `[since, removed)`.
#[derive(Clone, Debug)]
pub struct Holding {
    pub user: String,
    pub licence: String,
    /// As it was given.
    pub country: String,
    pub since: Timestamp,
    pub removed: Option<Timestamp>,
}

impl Holding {
    fn holds_at(&self, instant: Timestamp) -> bool {
        self.since <= instant && self.removed.is_none_or(|removed| instant < removed)
    }
}

/// All that were ever held, unknown names too (P16).
#[derive(Clone, Debug, Default)]
pub struct Licences(Vec<Holding>);

impl Licences {
    pub fn iter(&self) -> impl Iterator<Item = &Holding> {
        self.0.iter()
    }

    pub fn held_now(&self, user: &str, licence: &str) -> Option<&Holding> {
        let mut of_user = self.0.iter().filter(|holding| holding.user == user && holding.licence == licence);
        of_user.find(|holding| holding.removed.is_none())
    }

    /// What a user held at a call's start (P4).
    pub fn held(&self, user: Option<&str>, licence: &str, start: Timestamp) -> Option<&Holding> {
        let mut of_user = self.0.iter().filter(|holding| Some(holding.user.as_str()) == user);
        of_user.find(|holding| holding.licence == licence && holding.holds_at(start))
    }

    pub fn holds(&self, user: Option<&str>, licence: &str, start: Timestamp) -> bool {
        self.held(user, licence, start).is_some()
    }

    /// How many users held a licence at an instant: in one country of use, or anywhere.
    pub fn holders(&self, licence: &str, country: Option<&str>, at: Timestamp) -> i64 {
        let counted = self.0.iter().filter(|holding| {
            let is_there = country.is_none_or(|country| country_of_use(&holding.country) == country_of_use(country));
            holding.licence == licence && is_there && holding.holds_at(at)
        });
        i64::try_from(counted.count()).expect("few licences")
    }

    /// Since when it is held; one that is held already stays as it is.
    pub fn assign(&mut self, user: &str, licence: &str, country: &str, now: Timestamp) -> Timestamp {
        if let Some(holding) = self.held_now(user, licence) {
            return holding.since;
        }
        let (user, licence, country) = (user.to_owned(), licence.to_owned(), country.to_owned());
        self.0.push(Holding { user, licence, country, since: now, removed: None });
        now
    }

    /// The country it was held in; `None` if it was not.
    pub fn remove(&mut self, user: &str, licence: &str, now: Timestamp) -> Option<String> {
        let mut of_user = self.0.iter_mut().filter(|holding| holding.user == user && holding.licence == licence);
        let holding = of_user.find(|holding| holding.removed.is_none())?;
        holding.removed = Some(now);
        Some(holding.country.clone())
    }

    /// Section 5: Audio Conferencing or a Calling Plan (W1), and the licence to draw; or the one that exempts (W7).
    pub fn may_draw_credits(&self, user: Option<&str>, start: Timestamp) -> bool {
        let holds = |licence: &str| self.holds(user, licence, start);
        let has_plan = holds(AUDIO_CONFERENCING) || CALLING_PLANS.iter().any(|plan| holds(plan));
        holds(EXEMPT) || (has_plan && holds(CREDITS))
    }
}
