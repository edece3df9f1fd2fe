//! The rounds of a run: decode what is loaded, put it in order, rate it, write it.
//!
//! Each round has two parallel stages. In the first the loaded records are decoded, while the next are read and the
//! lines of the round before are written. In between everything is put in order, which is quick. In the second each
//! partition takes its inputs in that order. Memory is bounded by the chunks of one round.

use std::fs::File;
use std::io;

use drawdown_engine::AHEAD_COUNT;
use drawdown_engine::intake::Raw;
use drawdown_units::Timestamp;
use drawdown_wire::reject::Origin;
use drawdown_wire::source::{Context, Decoded};
use drawdown_wire::{Cdr, Rejection, framing};
use rayon::iter::{IndexedParallelIterator as _, IntoParallelRefMutIterator as _, ParallelIterator as _};
use rayon::slice::ParallelSlice as _;
use xxhash_rust::xxh3::xxh3_64;

use super::Job;
use super::earlier::Places;
use super::feed::{Feeds, PendingCommand, Records, too_large};
use super::finish;
use super::output::Files;
use super::shard::{Shard, Written};
use super::summary::Summary;
use crate::exit::Failure;

/// How many partitions a run has, whatever the threads: which records meet in one decides where the same id under two
/// organisations is found out, so it may not depend on the machine.
const SHARD_COUNT: usize = 64;
/// How many frames one task decodes.
const SLICE_FRAMES: usize = 256;

/// A run of `rate`.
pub struct Rating<'a> {
    job: Job<'a>,
    feeds: Feeds,
    files: Files,
    shards: Vec<Shard<'a>>,
    /// The lines of the round before, not yet in the files.
    unwritten: Lines,
    /// The file of debits, for reading earlier ones back.
    debits: File,
    records: u64,
}

/// The lines of one round: what each shard wrote, and which shard took each input.
#[derive(Default)]
struct Lines {
    order: Vec<u8>,
    shards: Vec<Written>,
    /// Where in the file the debits of each shard's records begin, of all rounds that were written.
    places: Vec<Vec<u64>>,
}

/// What became of a frame.
#[allow(clippy::large_enum_variant, reason = "nearly every frame is a call")]
enum Read<'a> {
    Cdr(Cdr<'a>),
    NotACall,
    Rejected(Rejection),
}

/// One input of a round, in order.
#[derive(Clone, Copy)]
struct Item {
    source: Source,
    arrival: Timestamp,
}

#[derive(Clone, Copy)]
enum Source {
    Record { feed: u32, frame: u32 },
    Command { index: u32 },
}

/// The inputs of one round in order, and for each shard which of them are its own.
struct Arranged {
    items: Vec<Item>,
    order: Vec<u8>,
    by_shard: Vec<Vec<u32>>,
    commands: Vec<(PendingCommand, u32)>,
    /// For each feed how many frames were taken, and the arrival of the last.
    taken: Vec<(usize, Timestamp)>,
}

impl<'a> Rating<'a> {
    pub fn new(job: Job<'a>, feeds: Feeds, files: Files) -> io::Result<Self> {
        let shards = (0..SHARD_COUNT).map(|_| Shard::new()).collect();
        let debits = files.debits.reader()?;
        let unwritten = Lines { places: vec![Vec::new(); SHARD_COUNT], ..Lines::default() };
        Ok(Rating { job, feeds, files, shards, unwritten, debits, records: 0 })
    }

    /// How many records were taken so far.
    pub fn records(&self) -> u64 {
        self.records
    }

    /// One round; `false` when there is nothing left to do.
    pub fn round(&mut self) -> Result<bool, Failure> {
        if !self.feeds.load(self.job.profile)? {
            return Ok(false);
        }
        let Feeds { record_feeds, records, commands, .. } = &mut self.feeds;
        let (files, unwritten, job) = (&mut self.files, &mut self.unwritten, &self.job);
        let loaded = &*records;
        let ((decoded, ahead), written) = rayon::join(
            || {
                rayon::join(
                    || loaded.iter().map(|feed| decode(job, feed)).collect::<Vec<_>>(),
                    || record_feeds.iter_mut().try_for_each(|feed| feed.read_ahead()),
                )
            },
            || unwritten.write(files),
        );
        written?;
        ahead?;
        let arranged = arrange(&decoded, loaded, commands);
        let engine = &job.engine;
        let task = Task { job, arranged: &arranged, decoded: &decoded, loaded, commands };
        let file = &self.debits;
        let shards = self.shards.par_iter_mut().zip(&arranged.by_shard).zip(&self.unwritten.places);
        shards.for_each(|((shard, indices), offsets)| {
            let places = Places { file, offsets };
            for together in indices.chunks(AHEAD_COUNT) {
                let cdrs = together.iter().filter_map(|index| task.cdr(*index as usize));
                shard.partition.look_ahead(engine.catalogue, cdrs);
                for &index in together {
                    task.run(shard, index as usize, &places);
                }
            }
            shard.end_round(engine);
        });
        if let Some(error) = self.shards.iter_mut().find_map(|shard| shard.failure.take()) {
            return Err(Failure::Fault(
                anyhow::Error::new(error).context("a debit that is corrected cannot be read back"),
            ));
        }
        drop(decoded);
        for (feed, (count, arrival)) in records.iter_mut().zip(arranged.taken) {
            self.records += count as u64;
            feed.advance(count, arrival);
        }
        self.unwritten.take(arranged.order, &mut self.shards);
        Ok(true)
    }

    /// Writes what is left, lets time run on, and writes the accounts.
    pub fn finish(mut self, until: Option<Timestamp>) -> Result<Summary, Failure> {
        self.unwritten.write(&mut self.files)?;
        if let Some(until) = until {
            finish::run_time(&self.job.engine, &mut self.shards, until, &mut self.files.events)?;
        }
        finish::write_accounts(&self.shards, &mut self.files.accounts)?;
        self.files.finish()?;
        Ok(Summary::of(&self.shards))
    }
}

/// Decodes the loaded frames of one input, slice by slice.
fn decode<'r>(job: &'r Job<'_>, records: &'r Records) -> Vec<Vec<Read<'r>>> {
    let context = Context { org: job.org, ..Context::default() };
    let slices = records.frames().par_chunks(SLICE_FRAMES);
    slices.map(|frames| frames.iter().map(|frame| decode_one(job, records, frame, &context)).collect()).collect()
}

fn decode_one<'r>(job: &'r Job<'_>, records: &'r Records, frame: &framing::Frame, context: &Context<'r>) -> Read<'r> {
    if let framing::Kind::TooLarge { length, .. } = frame.kind {
        return Read::Rejected(too_large(length));
    }
    match job.profile.decode(records.bytes(frame), records.header.as_ref(), context) {
        Ok(Decoded::Cdr(cdr)) => Read::Cdr(cdr),
        Ok(Decoded::NotACall) => Read::NotACall,
        Err(rejection) => Read::Rejected(rejection),
    }
}

fn at<'d, 'r>(decoded: &'d [Vec<Vec<Read<'r>>>], feed: usize, frame: usize) -> &'d Read<'r> {
    &decoded[feed][frame / SLICE_FRAMES][frame % SLICE_FRAMES]
}

/// Merges the heads of all inputs by arrival, commands first, until an input runs out that may go on (T4).
fn arrange(decoded: &[Vec<Vec<Read<'_>>>], loaded: &[Records], commands: &mut [super::feed::Commands]) -> Arranged {
    let mut arranged = Arranged {
        items: Vec::new(),
        order: Vec::new(),
        by_shard: vec![Vec::new(); SHARD_COUNT],
        commands: Vec::new(),
        taken: loaded.iter().map(|records| (0, records.arrival)).collect(),
    };
    loop {
        let mut first: Option<(Timestamp, bool, usize)> = None;
        for (feed, held) in commands.iter().enumerate() {
            match held.pending.last() {
                Some(command) => first = earlier(first, (command.arrival, false, feed)),
                None if held.may_go_on() => return arranged,
                None => {}
            }
        }
        for (feed, records) in loaded.iter().enumerate() {
            let (taken, before) = arranged.taken[feed];
            if taken < records.frames().len() {
                let arrival = arrival_of(at(decoded, feed, taken), before);
                first = earlier(first, (arrival, true, feed));
            } else if records.may_go_on() {
                return arranged;
            }
        }
        let Some((arrival, is_record, feed)) = first else {
            return arranged;
        };
        if is_record {
            let frame = arranged.taken[feed].0;
            arranged.taken[feed] = (frame + 1, arrival);
            let shard = match at(decoded, feed, frame) {
                Read::Cdr(cdr) => shard_of(&cdr.org),
                Read::NotACall | Read::Rejected(_) => frame % SHARD_COUNT,
            };
            let source = Source::Record { feed: feed as u32, frame: frame as u32 };
            arranged.push(Item { source, arrival }, shard);
        } else {
            let command = commands[feed].pending.pop().expect("invariant: the head that was chosen is there");
            let shard = command.envelope.as_ref().map_or(0, |envelope| shard_of(&envelope.org));
            let source = Source::Command { index: arranged.commands.len() as u32 };
            arranged.commands.push((command, feed as u32));
            arranged.push(Item { source, arrival }, shard);
        }
    }
}

fn earlier(
    first: Option<(Timestamp, bool, usize)>,
    other: (Timestamp, bool, usize),
) -> Option<(Timestamp, bool, usize)> {
    Some(first.map_or(other, |first| first.min(other)))
}

/// When a call of a file arrived, if the record before it arrived at `before`.
pub fn arrival_of_call(cdr: &Cdr<'_>, before: Timestamp) -> Timestamp {
    cdr.received.unwrap_or_else(|| {
        let end = cdr.end.unwrap_or_else(|| cdr.start.plus_seconds(i64::from(cdr.seconds)));
        end.max(before)
    })
}

/// A record of a file arrives at `receivedAt`, else when its call ended, but never before the one before it (T5).
fn arrival_of(read: &Read<'_>, before: Timestamp) -> Timestamp {
    match read {
        Read::Cdr(cdr) => arrival_of_call(cdr, before),
        Read::NotACall | Read::Rejected(_) => before,
    }
}

fn shard_of(org: &str) -> usize {
    (xxh3_64(org.as_bytes()) % SHARD_COUNT as u64) as usize
}

impl Arranged {
    fn push(&mut self, item: Item, shard: usize) {
        self.by_shard[shard].push(self.items.len() as u32);
        self.order.push(shard as u8);
        self.items.push(item);
    }
}

/// What the partitions of one round share.
struct Task<'t, 'a> {
    job: &'t Job<'a>,
    arranged: &'t Arranged,
    decoded: &'t [Vec<Vec<Read<'t>>>],
    loaded: &'t [Records],
    commands: &'t [super::feed::Commands],
}

impl<'t, 'a> Task<'t, 'a> {
    fn cdr(&self, index: usize) -> Option<&'t Cdr<'t>> {
        let Source::Record { feed, frame } = self.arranged.items[index].source else { return None };
        match at(self.decoded, feed as usize, frame as usize) {
            Read::Cdr(cdr) => Some(cdr),
            Read::NotACall | Read::Rejected(_) => None,
        }
    }

    fn run(&self, shard: &mut Shard<'a>, index: usize, places: &Places<'_>) {
        let item = &self.arranged.items[index];
        match item.source {
            Source::Command { index } => {
                let (command, feed) = &self.arranged.commands[index as usize];
                let file = &self.commands[*feed as usize].file;
                let origin = Origin::File { file, line: command.line, offset: command.offset };
                shard.command(&self.job.engine, command, origin);
            }
            Source::Record { feed, frame } => {
                let (feed, frame) = (feed as usize, frame as usize);
                let records = &self.loaded[feed];
                let framed = &records.frames()[frame];
                let origin = Origin::File { file: &records.file, line: framed.line, offset: framed.offset };
                let cut_from = match framed.kind {
                    framing::Kind::Whole => None,
                    framing::Kind::TooLarge { length, hash } => Some((length, hash)),
                };
                let raw = Raw { bytes: records.bytes(framed), cut_from, origin, resend: None };
                match at(self.decoded, feed, frame) {
                    Read::Cdr(cdr) => shard.cdr(&self.job.engine, item.arrival, cdr, &raw, places),
                    Read::NotACall => shard.not_a_call(),
                    Read::Rejected(rejection) => shard.undecodable(rejection, &raw),
                }
            }
        }
    }
}

impl Lines {
    /// Takes over what the shards wrote, giving them the emptied buffers of before.
    fn take(&mut self, order: Vec<u8>, shards: &mut [Shard<'_>]) {
        self.order = order;
        self.shards.resize_with(shards.len(), Written::default);
        for (written, shard) in self.shards.iter_mut().zip(shards) {
            std::mem::swap(written, &mut shard.written);
        }
    }

    /// Appends all lines to the files in the order of the input, and empties the buffers.
    fn write(&mut self, files: &mut Files) -> io::Result<()> {
        let mut cursors = vec![(0, super::shard::Ends::default()); self.shards.len()];
        for &shard in &self.order {
            let (next, from) = &mut cursors[usize::from(shard)];
            let written = &self.shards[usize::from(shard)];
            let to = written.ends[*next];
            let debits = &written.intake.lines.debits[from.debits as usize..to.debits as usize];
            if !debits.is_empty() {
                self.places[usize::from(shard)].push(files.debits.length());
                files.debits.write(debits)?;
            }
            files.events.write(&written.intake.lines.events[from.events as usize..to.events as usize])?;
            files.rejects.write(&written.intake.rejects[from.rejects as usize..to.rejects as usize])?;
            *next += 1;
            *from = to;
        }
        self.order.clear();
        self.shards.iter_mut().for_each(Written::clear);
        files.debits.flush()
    }
}
