//! One batch from records to messages: merged, decoded, rated and drawn down in memory, ready to be appended.
//!
//! Retains the records until their transaction is final, and keeps what it wrote apart by partition, since each
//! partition's messages go to the partition of the same number.

use std::collections::BTreeMap;
use std::time::Duration;

use drawdown_units::Timestamp;
use drawdown_wire::debit::{Original, Sought};
use drawdown_wire::event::{self, Cause};
use drawdown_wire::source::Decoded;
use drawdown_wire::{Reason, Rejection, account};

use super::decode::{self, Sources};
use super::messages::Messages;
use super::observer::{Answer, Committed, Debits, Observer};
use super::read_back::{ReadBack, Recent};
use crate::intake::Intake;
use crate::log::{Batch, Input, Log, LogError, Output, Record};
use crate::partition::{AHEAD_COUNT, Engine, Originals, Outcome, Partition};
use crate::tally::Tally;

/// A rated batch.
#[derive(Debug, Default)]
pub(super) struct Rated {
    pub batch: Batch,
    /// The time that partitions were told once their records were taken.
    pub tick: Option<Timestamp>,
    /// The log's time, and how far ahead of that an arrival may be, in seconds; `None` where none is too late.
    pub clock: Option<(Timestamp, i64)>,
    /// When the first message was appended.
    pub began: Duration,
    written: Vec<Written>,
    answers: Vec<Answer>,
    /// The states that the transaction makes final, by partition.
    states: Vec<(u32, Messages)>,
    /// The states of users, likewise.
    users: Vec<(u32, Messages)>,
    /// What the observer keeps beside them.
    kept: Vec<(u32, Messages)>,
    events: Messages,
    arrivals: Vec<(u32, Timestamp)>,
    tally: Tally,
    written_bytes: [usize; Output::ALL.len()],
    /// Indices into the batch, by partition and input.
    order: Vec<u32>,
    intake: Intake,
    /// Emptied ones, for their memory.
    spare: Vec<Written>,
    spare_states: Vec<Messages>,
}

/// What came before a batch: where it finds debits that it corrects.
pub(super) struct Earlier<'a, L> {
    pub log: &'a mut L,
    pub in_flight: Option<&'a Rated>,
    pub recent: &'a mut Recent,
}

/// What one partition wrote.
#[derive(Debug, Default)]
pub(super) struct Written {
    partition: u32,
    pub(super) debits: Messages,
    events: Messages,
    rejects: Messages,
    seen: Vec<u8>,
}

impl Rated {
    /// Whether there is nothing to append and no position to move.
    pub fn is_empty(&self) -> bool {
        self.batch.positions().is_empty() && self.written.is_empty() && self.states.is_empty() && self.kept.is_empty()
    }

    /// Forgets everything, keeping the memory.
    pub fn clear(&mut self) {
        self.batch.clear();
        self.written.iter_mut().for_each(Written::clear);
        self.spare.append(&mut self.written);
        let states = self.states.drain(..).chain(self.users.drain(..)).chain(self.kept.drain(..));
        self.spare_states.extend(states.map(|(_, mut states)| {
            states.clear();
            states
        }));
        self.events.clear();
        self.answers.clear();
        self.arrivals.clear();
        self.tally = Tally::default();
        self.written_bytes = Default::default();
        self.tick = None;
    }

    /// Takes the batch's records, then lets time go on.
    ///
    /// # Errors
    /// A debit that is corrected could not be read back: then nothing here counts.
    pub fn rate<L: Log>(
        &mut self,
        partitions: &mut BTreeMap<u32, Partition>,
        engine: &Engine<'_>,
        sources: &mut Sources,
        earlier: Earlier<'_, L>,
    ) -> Result<(), LogError> {
        let Earlier { log, in_flight, recent } = earlier;
        self.order.clear();
        self.order.extend(0..self.batch.count() as u32);
        let batch = &self.batch;
        // Stable: within one input of a partition records stay in order of their offsets.
        self.order.sort_by_key(|index| batch.stream(*index as usize));
        let order = std::mem::take(&mut self.order);
        let mut rest = &order[..];
        for (number, partition) in partitions {
            let of = rest.partition_point(|index| self.batch.stream(*index as usize).0 <= *number);
            let (mine, others) = rest.split_at(of);
            rest = others;
            let mut read_back = ReadBack { log, partition: *number, in_flight, recent, failure: None };
            self.rate_partition(partition, mine, engine, sources, &mut read_back);
            if let Some(failure) = read_back.failure {
                return Err(failure);
            }
        }
        assert!(rest.is_empty(), "invariant: only records of owned partitions are polled");
        self.order = order;
        Ok(())
    }

    fn rate_partition<L: Log>(
        &mut self,
        partition: &mut Partition,
        records: &[u32],
        engine: &Engine<'_>,
        sources: &mut Sources,
        read_back: &mut ReadBack<'_, L>,
    ) {
        let number = read_back.partition;
        let mut written = self.spare.pop().unwrap_or_default();
        written.partition = number;
        let mut intake = std::mem::take(&mut self.intake);
        written.lend(&mut intake);
        let mut greatest = Timestamp::MIN;
        let split = records.partition_point(|index| self.batch.stream(*index as usize).1 == Input::Commands);
        let (commands, cdrs) = records.split_at(split);
        // A machine whose clock is behind goes by what was booked already.
        let latest = self.clock.map(|(now, ahead_max_s)| now.max(partition.clock()).plus_seconds(ahead_max_s));
        let later = |greatest: Timestamp, arrival: Timestamp| match latest {
            Some(latest) if arrival > latest => greatest,
            _ => greatest.max(arrival),
        };
        let mut commands = commands.iter().map(|index| self.batch.record(*index as usize)).peekable();
        for together in cdrs.chunks(AHEAD_COUNT) {
            let decoded = sources.decode_all(together.iter().map(|index| self.batch.record(*index as usize)));
            let cdrs = decoded.iter().filter_map(|(_, decoded)| match decoded {
                Ok(Decoded::Cdr(cdr)) => Some(cdr),
                Ok(Decoded::NotACall) | Err(_) => None,
            });
            partition.look_ahead(engine.catalogue, cdrs);
            for (record, decoded) in &decoded {
                let arrival = decode::arrival(record, decoded);
                // By arrival, commands first, each input in its own order (boundaries.md T4).
                while let Some(command) = commands.next_if(|command| command.arrival <= arrival) {
                    greatest = later(greatest, command.arrival);
                    self.answers.extend(written.command(partition, engine, latest, &command, &mut intake));
                }
                greatest = later(greatest, arrival);
                let ahead = check_arrival(arrival, latest).map_err(Err);
                let decoded = ahead.as_ref().err().unwrap_or(decoded);
                written.record(partition, engine, arrival, (record, decoded), &mut intake, read_back);
            }
        }
        for command in commands {
            greatest = later(greatest, command.arrival);
            self.answers.extend(written.command(partition, engine, latest, &command, &mut intake));
        }
        if let Some(now) = self.tick {
            let (events, buffer) = (&mut written.events, &mut intake.lines.events);
            partition.tick(engine, now, |org, occurrence| {
                event::write(buffer, org, occurrence, Cause::Time);
                events.take_line(org.as_bytes(), buffer);
            });
        }
        written.lend(&mut intake);
        self.tally.add(&std::mem::take(&mut intake.tally));
        self.intake = intake;
        if greatest > Timestamp::MIN {
            self.arrivals.push((number, greatest));
        }
        self.end_partition(partition, written, read_back.log.now());
    }

    /// What the transaction says of the partition as a whole: the accounts it touched, the identities it claimed.
    fn end_partition(&mut self, partition: &mut Partition, mut written: Written, now: Timestamp) {
        if partition.is_dirty() {
            let mut states = self.spare_states.pop().unwrap_or_default();
            for account in partition.dirty() {
                states.push(account.org().as_bytes(), |out| account::pack(out, account));
            }
            self.states.push((written.partition, states));
            let mut users = self.spare_states.pop().unwrap_or_default();
            for (org, user) in partition.dirty_users() {
                users.push(&account::user_key(org, &user.id), |out| account::pack_user(out, org, user));
            }
            self.users.push((written.partition, users));
            partition.write_claims(&mut written.seen, now);
        }
        if !written.is_empty() {
            written.events.iter().for_each(|(key, value)| self.events.push(key, |out| out.extend_from_slice(value)));
            self.written.push(written);
        } else {
            self.spare.push(written);
        }
    }

    /// Takes what `observer` keeps beside the accounts of these partitions, as long as there is anything.
    pub fn keep(&mut self, partitions: impl Iterator<Item = u32>, observer: &mut impl Observer) {
        for partition in partitions {
            if !observer.has_unkept() {
                return;
            }
            let mut states = self.spare_states.pop().unwrap_or_default();
            observer.keep(partition, &mut states);
            if states.is_empty() {
                self.spare_states.push(states);
            } else {
                self.kept.push((partition, states));
            }
        }
    }

    /// Tells `observer` that nothing of it was kept.
    pub fn give_back(&self, observer: &mut impl Observer) {
        for (partition, states) in &self.kept {
            states.iter().for_each(|(key, _)| observer.not_kept(*partition, key));
        }
    }

    /// Appends every message to the open transaction.
    pub fn append<L: Log>(&mut self, log: &mut L) -> Result<(), LogError> {
        self.written_bytes = Default::default();
        for written in &self.written {
            let outputs = [
                (Output::Debits, &written.debits),
                (Output::Events, &written.events),
                (Output::Rejects, &written.rejects),
            ];
            for (output, messages) in outputs {
                append(log, output, written.partition, messages)?;
                self.written_bytes[output as usize] += messages.size_bytes();
            }
            if !written.seen.is_empty() {
                log.append(Output::Seen, written.partition, &[], &written.seen)?;
                self.written_bytes[Output::Seen as usize] += written.seen.len();
            }
        }
        for (partition, states) in self.states.iter().chain(&self.users).chain(&self.kept) {
            append(log, Output::Accounts, *partition, states)?;
            self.written_bytes[Output::Accounts as usize] += states.size_bytes();
        }
        Ok(())
    }

    /// A debit that it wrote to `partition`; of several the latest.
    pub fn find_debit(&self, partition: u32, sought: &Sought) -> Option<Box<Original>> {
        let written = self.written.iter().find(|written| written.partition == partition)?;
        written.debits.iter().filter_map(|(_, line)| sought.look(line).ok().flatten()).last()
    }

    /// What its commit made final; `lags`, `account_count` and `dedup_size_bytes` are the worker's.
    pub fn committed<'r>(
        &'r self,
        took: Duration,
        lags: &'r [(u32, u64)],
        account_count: usize,
        dedup_size_bytes: usize,
    ) -> Committed<'r> {
        Committed {
            tally: &self.tally,
            events: &self.events,
            states: &self.states,
            users: &self.users,
            debits: Debits(&self.written),
            commands: &self.answers,
            records: self.batch.count(),
            bytes_in: self.batch.size_bytes(),
            written: self.written_bytes,
            took,
            arrivals: &self.arrivals,
            lags,
            account_count,
            dedup_size_bytes,
        }
    }
}

fn append<L: Log>(log: &mut L, output: Output, partition: u32, messages: &Messages) -> Result<(), LogError> {
    messages.iter().try_for_each(|(key, value)| log.append(output, partition, key, value))
}

/// Puts aside what says that it arrived when it cannot have: booked, it would make whatever else comes to its partition
/// too late.
fn check_arrival(arrival: Timestamp, latest: Option<Timestamp>) -> Result<(), Rejection> {
    let Some(latest) = latest.filter(|latest| arrival > *latest) else { return Ok(()) };
    let detail = format!(
        "{arrival} is after {latest}, the end of what this machine's clock allows: set right the clock that is wrong"
    );
    Err(Rejection::of_field(Reason::InTheFuture, "arrival", detail))
}

impl Written {
    fn clear(&mut self) {
        self.debits.clear();
        self.events.clear();
        self.rejects.clear();
        self.seen.clear();
    }

    fn is_empty(&self) -> bool {
        self.debits.is_empty() && self.events.is_empty() && self.rejects.is_empty() && self.seen.is_empty()
    }

    fn record(
        &mut self,
        partition: &mut Partition,
        engine: &Engine<'_>,
        arrival: Timestamp,
        (record, decoded): (&Record<'_>, &Result<Decoded<'_>, Rejection>),
        intake: &mut Intake,
        originals: &mut dyn Originals,
    ) {
        match decoded {
            Ok(Decoded::Cdr(cdr)) => {
                let outcome = intake.cdr(partition, engine, arrival, cdr, &decode::raw(record), originals);
                let org = decode::org_of(Some(cdr), record);
                if matches!(outcome, Outcome::Debited(debited) if debited.reversed.is_some()) {
                    // The debit taken back, and the one in its place.
                    self.debits.take_lines(org, &intake.lines.debits);
                }
                self.take(intake, org);
            }
            Ok(Decoded::NotACall) => intake.tally.not_a_call += 1,
            Err(rejection) => {
                intake.undecodable(rejection, &decode::raw(record));
                self.take(intake, decode::org_of(None, record));
            }
        }
    }

    fn command(
        &mut self,
        partition: &mut Partition,
        engine: &Engine<'_>,
        latest: Option<Timestamp>,
        record: &Record<'_>,
        intake: &mut Intake,
    ) -> Option<Answer> {
        let envelope = check_arrival(record.arrival, latest).and_then(|()| decode::command(record));
        let outcome = intake.command(partition, engine, record.arrival, &envelope, &decode::raw(record));
        let key = envelope.as_ref().map_or(decode::org_of(None, record), |envelope| envelope.org.as_bytes());
        self.take(intake, key);
        let envelope = envelope.ok()?;
        Some(Answer { org: envelope.org, command_id: envelope.command_id, outcome })
    }

    /// Lends its buffers to what writes lines, or takes them back.
    fn lend(&mut self, intake: &mut Intake) {
        self.debits.swap_values(&mut intake.lines.debits);
        self.events.swap_values(&mut intake.lines.events);
        self.rejects.swap_values(&mut intake.rejects);
    }

    /// Takes the lines that one input left, keyed by its organisation.
    #[inline]
    fn take(&mut self, intake: &Intake, key: &[u8]) {
        self.debits.take_line(key, &intake.lines.debits);
        self.events.take_lines(key, &intake.lines.events);
        self.rejects.take_line(key, &intake.rejects);
    }
}
