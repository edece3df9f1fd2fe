//! Who holds which licences, in organisations that need them: so that minutes are drawn and run out within a month of
//! ordinary size, money comes behind them, and some people may not draw any.
//!
//! Invariant: what somebody holds is a function of the seed and of who it is.

use super::organisations::{Organisation, Organisations, Person};
use super::random::{Random, Stream};

/// Which Calling Plan somebody has, in a hundred people; the rest have none.
const PLANS: [(&str, u64); 5] =
    [("MCOPSTN5", 30), ("MCOPSTN8", 22), ("MCOPSTN1", 14), ("MCOPSTN2", 12), ("MCOPSTN_PAYG_1", 10)];
const CONFERENCING: &str = "MCOMEETADV";
const UNLIMITED_DIAL_OUT: &str = "MCOMEETADD_DIALOUT_US";
const CREDITS: &str = "MCOPSTNPP";
/// The plan of a resource account.
const RESOURCE_PLAN: &str = "MCOPSTN8";

/// How many people in a hundred may draw credits.
const CREDITS_PERCENT: u64 = 80;
/// How many organisers in a hundred have Audio Conferencing, and unlimited dial-out beside it.
const ORGANISERS_PERCENT: (u64, u64) = (90, 15);
/// How many others in a hundred have Audio Conferencing.
const OTHERS_PERCENT: u64 = 5;
/// Of so many people, one loses a licence within the period.
const PEOPLE_A_CHANGE: u64 = 40;

/// A licence that is taken away within the period.
#[derive(Debug, Clone, Copy)]
pub struct Change {
    /// Whose: see [`Organisations::user`].
    pub user: u64,
    pub licence: &'static str,
    /// Whether it is given back later.
    pub is_restored: bool,
}

/// What somebody holds.
pub fn held(organisations: &Organisations, organisation: Organisation<'_>, user: u64) -> Vec<&'static str> {
    let random = &mut Random::new(organisations.seed, Stream::Licence, organisations.user(organisation.index, user));
    let plan = random.below(100);
    let (conferencing, dial_out, credits) = (random.below(100), random.below(100), random.below(100));
    let (conferencing_percent, dial_out_percent) = match organisation.person(user) {
        Person::ResourceAccount => return vec![RESOURCE_PLAN],
        Person::Organiser => ORGANISERS_PERCENT,
        Person::Other => (OTHERS_PERCENT, 0),
    };
    let mut end = 0;
    let plan = PLANS.iter().find(|(_, percent)| {
        end += percent;
        plan < end
    });
    let mut held: Vec<&str> = plan.map(|(plan, _)| *plan).into_iter().collect();
    for (licence, drawn, percent) in [
        (CONFERENCING, conferencing, conferencing_percent),
        (UNLIMITED_DIAL_OUT, dial_out, dial_out_percent),
        (CREDITS, credits, CREDITS_PERCENT),
    ] {
        if drawn < percent {
            held.push(licence);
        }
    }
    held
}

/// Who loses what: one in forty people, and one in every organisation, unless that one has nothing.
pub fn changes<'o>(
    organisations: &'o Organisations,
    organisation: Organisation<'o>,
) -> impl Iterator<Item = Change> + use<'o> {
    let user_count = organisation.user_count;
    let always = Random::new(organisations.seed, Stream::LicenceChange, organisation.index).below(user_count);
    (0..user_count).filter_map(move |user| {
        let bits = organisations.user(organisation.index, user);
        let mut random = Random::new(organisations.seed, Stream::LicenceChange, bits);
        if random.below(PEOPLE_A_CHANGE) != 0 && user != always {
            return None;
        }
        let held = held(organisations, organisation, user);
        let which = random.below(held.len().max(1) as u64) as usize;
        let is_restored = random.below(3) != 0;
        held.get(which).map(|licence| Change { user, licence, is_restored })
    })
}
