//! The same calls priced by two decks: what a change of deck means in money.

use std::cmp::Reverse;
use std::io;
use std::path::Path;

use drawdown_rating::{Call, Called, Deck, Product, Uncharged};
use drawdown_units::Money;
use drawdown_wire::cdr::Callee;
use drawdown_wire::framing::{Chunk, Kind, Options, Reader};
use drawdown_wire::number::is_toll_free;
use drawdown_wire::source::{Context, Decoded, Header, Profile};
use drawdown_wire::{Cdr, Reason};
use rustc_hash::FxHashMap;

use crate::exit::Failure;

/// Calls and what they cost by each deck.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Pair {
    pub call_count: u64,
    pub before: Money,
    pub after: Money,
}

/// Two decks, compared over real calls.
///
/// Both price each call as if they were in force at its start, whatever they say themselves.
#[derive(Debug)]
pub struct Comparison<'d> {
    before: &'d Deck,
    after: &'d Deck,
    /// All calls that at least one deck rates.
    pub total: Pair,
    /// Those of them that only the first deck rates.
    pub became_unrated: Pair,
    /// Those of them that only the second deck rates.
    pub became_rated: Pair,
    /// By destination, as the first deck calls it or, where it has no row, the second.
    pub by_destination: FxHashMap<&'d str, Pair>,
    /// Calls that no deck rates.
    pub unrated_count: u64,
    /// Calls that cost nothing whatever the deck says: inbound on toll numbers, Direct Routing, emergency calls.
    pub free_count: u64,
    /// Records that are no calls, withdraw one, or belong to another organisation.
    pub left_out_count: u64,
    /// Records that could not be read, or charged.
    pub rejected_count: u64,
    /// The first of them, with its place.
    pub first_rejected: Option<String>,
}

/// What one deck says of a call.
enum Outcome<'d> {
    Charged(Money, &'d str),
    Unrated,
    Free,
    TooLarge,
}

impl<'d> Comparison<'d> {
    /// A comparison of no calls yet.
    pub fn new(before: &'d Deck, after: &'d Deck) -> Self {
        Comparison {
            before,
            after,
            total: Pair::default(),
            became_unrated: Pair::default(),
            became_rated: Pair::default(),
            by_destination: FxHashMap::default(),
            unrated_count: 0,
            free_count: 0,
            left_out_count: 0,
            rejected_count: 0,
            first_rejected: None,
        }
    }

    /// Prices every call of a file, which is read as a stream; with `org` those of that organisation, and those of none.
    /// `progress` is called now and then.
    pub fn read(
        &mut self,
        path: &Path,
        profile: &Profile,
        org: Option<&str>,
        progress: impl Fn(),
    ) -> Result<(), Failure> {
        let mut reader = Reader::open(path, Options::new(profile.layout())).map_err(Failure::usage)?;
        let mut chunk = Chunk::new();
        let mut header = None;
        while reader.next_chunk(&mut chunk)? {
            if header.is_none() {
                header = profile.header(reader.name(), reader.header()).map_err(Failure::faults)?;
            }
            self.add_chunk(&chunk, reader.name(), profile, header.as_ref(), org)?;
            progress();
        }
        Ok(())
    }

    fn add_chunk(
        &mut self,
        chunk: &Chunk,
        name: &str,
        profile: &Profile,
        header: Option<&Header>,
        org: Option<&str>,
    ) -> io::Result<()> {
        // Who pays does not matter here, so that a record which does not say is as good as any.
        let context = Context { org: org.or(Some("unnamed")), ..Context::default() };
        for (frame, bytes) in chunk.iter() {
            let place = || format!("{name}:{}", frame.line);
            if frame.kind != Kind::Whole {
                self.reject(|| format!("{}: {}", place(), Reason::TooLarge.name()));
                continue;
            }
            match profile.decode(bytes, header, &context) {
                Ok(Decoded::Cdr(cdr)) if !cdr.void && org.is_none_or(|org| cdr.org == org) => self.add(&cdr, place)?,
                Ok(Decoded::Cdr(_) | Decoded::NotACall) => self.left_out_count += 1,
                Err(rejection) => self.reject(|| format!("{}: {rejection}", place())),
            }
        }
        Ok(())
    }

    fn reject(&mut self, why: impl FnOnce() -> String) {
        self.rejected_count += 1;
        self.first_rejected.get_or_insert_with(why);
    }

    fn add(&mut self, cdr: &Cdr<'_>, place: impl Fn() -> String) -> io::Result<()> {
        let outcomes = (price(self.before, cdr), price(self.after, cdr));
        let (destination, before, after) = match outcomes {
            (Outcome::TooLarge, _) | (_, Outcome::TooLarge) => {
                self.reject(|| format!("{}: {}", place(), Reason::ChargeTooLarge.name()));
                return Ok(());
            }
            (Outcome::Charged(before, destination), Outcome::Charged(after, _)) => (destination, before, after),
            (Outcome::Charged(before, destination), Outcome::Unrated) => {
                self.became_unrated.add(before, Money::ZERO)?;
                (destination, before, Money::ZERO)
            }
            (Outcome::Unrated, Outcome::Charged(after, destination)) => {
                self.became_rated.add(Money::ZERO, after)?;
                (destination, Money::ZERO, after)
            }
            (Outcome::Charged(before, destination), Outcome::Free) => (destination, before, Money::ZERO),
            (Outcome::Free, Outcome::Charged(after, destination)) => (destination, Money::ZERO, after),
            (Outcome::Free, Outcome::Free | Outcome::Unrated) | (Outcome::Unrated, Outcome::Free) => {
                self.free_count += 1;
                return Ok(());
            }
            (Outcome::Unrated, Outcome::Unrated) => {
                self.unrated_count += 1;
                return Ok(());
            }
        };
        self.total.add(before, after)?;
        self.by_destination.entry(destination).or_default().add(before, after)
    }

    /// Destinations by the difference in money, the greatest first; where that is the same, by their calls.
    pub fn destinations(&self) -> Vec<(&'d str, Pair)> {
        let mut destinations: Vec<(&str, Pair)> =
            self.by_destination.iter().map(|(name, pair)| (*name, *pair)).collect();
        destinations.sort_by_key(|(name, pair)| (Reverse((pair.difference().abs(), pair.call_count)), *name));
        destinations
    }
}

impl Pair {
    fn add(&mut self, before: Money, after: Money) -> io::Result<()> {
        let add = |sum: Money, amount| sum.checked_add(amount).ok_or_else(|| io::Error::other("the sum is too large"));
        self.call_count += 1;
        self.before = add(self.before, before)?;
        self.after = add(self.after, after)?;
        Ok(())
    }

    /// How much dearer the calls became.
    pub fn difference(&self) -> Money {
        self.after.minus(self.before)
    }
}

fn price<'d>(deck: &'d Deck, cdr: &Cdr<'_>) -> Outcome<'d> {
    let Some(product) = cdr.call_type.product() else { return Outcome::Free };
    let (number, masked) = match cdr.callee {
        Callee::Number { number, masked } => (number, masked),
        Callee::Emergency | Callee::Internal | Callee::NotRated | Callee::ShortCode { free: true } => {
            return Outcome::Free;
        }
        Callee::ShortCode { free: false } | Callee::NothingVisible => return Outcome::Unrated,
    };
    let called = Called { number, masked };
    let call = Call { product, called, caller: cdr.caller, start: cdr.start, seconds: cdr.seconds };
    match deck.charge(&call) {
        Ok(charge) => Outcome::Charged(charge.amount, &charge.row.destination),
        // Inbound, only a toll-free number can cost anything (boundaries.md U22).
        Err(Uncharged::NoRow) if product == Product::TollFreeInbound && !is_toll_free(number) => Outcome::Free,
        Err(Uncharged::NoRow) => Outcome::Unrated,
        Err(Uncharged::TooLarge) => Outcome::TooLarge,
    }
}
