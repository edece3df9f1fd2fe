//! What may go wrong, how often, and how long things take.

use std::time::Duration;

use super::random::Random;

/// How often what goes wrong: in calls out of a thousand, unless said otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Faults {
    /// The process dies: half of the time before the call had any effect, half of the time after it had all.
    pub crash_per_mille: u32,
    /// The process stands still for a while, and whatever else there is goes on.
    pub pause_per_mille: u32,
    /// Beginning, appending: the transaction is void.
    pub abort_per_mille: u32,
    /// Of a thousand commits: it fails, and the transaction is void.
    pub commit_abort_per_mille: u32,
    /// Of a thousand commits: it is not known how it ended.
    pub commit_unknown_per_mille: u32,
    /// Of a thousand commits: positions reach the broker before some of the messages, which the client sends by a thread
    /// of its own.
    pub late_per_mille: u32,
    /// A poll returns hardly anything.
    pub short_poll_per_mille: u32,
    /// Of a thousand records from upstream: it is produced twice.
    pub duplicate_per_mille: u32,
    /// How long a process stands still, at most.
    pub pause_max: Duration,
    /// How long it takes at most until a commit is decided.
    pub commit_max: Duration,
    /// How long it takes at most after the decision until a partition learns of it; each learns in its own time.
    pub marker_max: Duration,
}

impl Faults {
    /// Some of the above, more or less often: what a world is like.
    pub fn any(random: &mut Random) -> Faults {
        let mut often = |choices: [u32; 4]| choices[usize::try_from(random.below(4)).unwrap_or(0)];
        let mut faults = Faults {
            crash_per_mille: often([0, 1, 4, 12]),
            pause_per_mille: often([0, 2, 6, 15]),
            abort_per_mille: often([0, 0, 2, 10]),
            commit_abort_per_mille: often([0, 20, 100, 250]),
            commit_unknown_per_mille: often([0, 20, 60, 150]),
            short_poll_per_mille: often([0, 100, 500, 900]),
            duplicate_per_mille: often([0, 30, 100, 300]),
            late_per_mille: 300,
            ..Faults::default()
        };
        let mut long =
            |choices_ms: [u64; 3]| Duration::from_millis(choices_ms[usize::try_from(random.below(3)).unwrap_or(0)]);
        faults.pause_max = long([1_000, 3_000, 8_000]);
        faults.commit_max = long([0, 5, 1_500]);
        faults.marker_max = long([0, 50, 4_000]);
        faults
    }
}

/// The calls that a log takes, each a point at which its process may die.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "they are those of the trait")]
pub enum Call {
    Start,
    Turn,
    Poll,
    Begin,
    Append,
    Commit,
    Settle,
    Abort,
    BeginRestore,
    Restore,
    ReadDebits,
    Leave,
}

/// How a commit is going to end, decided when it is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// Well.
    Fine,
    /// Void, before the positions were sent or after.
    Void { after_positions: bool },
    /// Void, which only settling tells.
    VoidLater,
    /// Nobody knows.
    Unknown { truth: Truth, at_once: bool },
}

/// What became of a transaction whose outcome is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Truth {
    Committed,
    Aborted,
    /// The request never arrived: the transaction stays open until it times out or its producer comes back.
    Open,
}

impl Faults {
    pub(super) fn fate(&self, random: &mut Random) -> Fate {
        if random.chance(self.commit_abort_per_mille) {
            return match random.below(3) {
                0 => Fate::VoidLater,
                1 => Fate::Void { after_positions: true },
                _ => Fate::Void { after_positions: false },
            };
        }
        if random.chance(self.commit_unknown_per_mille) {
            let truth = match random.below(4) {
                0 => Truth::Aborted,
                1 => Truth::Open,
                _ => Truth::Committed,
            };
            return Fate::Unknown { truth, at_once: random.chance(500) };
        }
        Fate::Fine
    }
}
