//! One call of the switch, before it is written.

use super::corrections::Correction;
use super::destinations::Destination;
use super::organisations::Organisation;

/// A kind of call leg.
#[derive(Debug)]
pub struct Kind {
    pub name: &'static str,
    /// How many calls are of it, in relation to others.
    pub weight: u64,
    pub direction: Direction,
    pub capability: &'static str,
    pub caller: Caller,
}

/// Whose call it is where people have licences.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Caller {
    Anybody,
    Organiser,
    ResourceAccount,
}

/// Who called whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// A user called somebody, and it costs money.
    Out,
    /// Somebody called a user; it costs nothing.
    In,
    /// By the organisation's own trunk; it costs nothing.
    DirectRouting,
}

pub const KINDS: [Kind; 9] = [
    kind("user_out", 720, Direction::Out, "MCOPSTNPP", Caller::Anybody),
    kind("user_out_transfer", 20, Direction::Out, "MCOPSTNPP", Caller::Anybody),
    kind("user_out_forwarding", 30, Direction::Out, "MCOPSTNPP", Caller::Anybody),
    kind("conf_out", 80, Direction::Out, "MCOMEETADV", Caller::Organiser),
    kind("ucap_out", 20, Direction::Out, "MCOPSTNPP", Caller::ResourceAccount),
    kind("user_in", 80, Direction::In, "MCOPSTN1", Caller::Anybody),
    kind("dr_out", 25, Direction::DirectRouting, "MCOEV", Caller::Anybody),
    kind("dr_in", 20, Direction::DirectRouting, "MCOEV", Caller::Anybody),
    kind("dr_out_user_forwarding", 5, Direction::DirectRouting, "MCOEV", Caller::Anybody),
];

/// Somebody called into a conference, by a toll number: where organisers have licences, it is some of what is `user_in`
/// elsewhere.
pub const CONF_IN: Kind = kind("conf_in", 0, Direction::In, "MCOMEETADV", Caller::Organiser);

const fn kind(name: &'static str, weight: u64, direction: Direction, capability: &'static str, caller: Caller) -> Kind {
    Kind { name, weight, direction, capability, caller }
}

/// Everything about one call.
#[derive(Debug, Clone)]
pub struct Call<'w> {
    /// 128 bits; those of different records differ.
    pub id: u128,
    /// Not unique: legs of one call may share it.
    pub call_id: u64,
    pub organisation: Organisation<'w>,
    /// See [`Organisations::user`](super::organisations::Organisations::user).
    pub user: u64,
    /// The user's own number, without `+`.
    pub own_number: u64,
    pub kind: &'static Kind,
    /// The other end of the call.
    pub destination: &'static Destination,
    /// Its number, without `+`.
    pub other_number: u64,
    /// How many of its last digits are masked.
    pub masked_digits: u32,
    /// In ticks since the start of the period; below 0 for a call that began before it.
    pub start: i64,
    pub end: i64,
    pub seconds: u32,
    pub is_late: bool,
    pub correction: Option<Correction>,
}

/// What is wrong with a broken record. Each makes it unusable, whatever else is in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Damage {
    Truncated,
    NoStart,
    EndBeforeStart,
    NegativeDuration,
    DurationInWords,
    BadNumber,
    UnknownCallType,
}

impl Damage {
    pub const ALL: [Damage; 7] = [
        Damage::Truncated,
        Damage::NoStart,
        Damage::EndBeforeStart,
        Damage::NegativeDuration,
        Damage::DurationInWords,
        Damage::BadNumber,
        Damage::UnknownCallType,
    ];
}
