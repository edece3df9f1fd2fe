//! The end of a run: time runs on, and the accounts are written.

use std::io;

use drawdown_engine::Engine;
use drawdown_ledger::Account;
use drawdown_units::Timestamp;
use drawdown_wire::account;
use drawdown_wire::event::{self, Cause};

use super::output::OutputFile;
use super::shard::Shard;

/// How much time runs at once, so that the events of a long time are never all in memory.
const STRETCH_S: i64 = 3600;

/// Runs everything due up to `until`; events go out by due instant, then organisation.
pub fn run_time(
    engine: &Engine<'_>,
    shards: &mut [Shard<'_>],
    until: Timestamp,
    events: &mut OutputFile,
) -> io::Result<()> {
    while let Some(first) = shards.iter().filter_map(|shard| shard.partition.first_due()).min() {
        if first > until {
            break;
        }
        let stretch_end = first.plus_seconds(STRETCH_S).min(until);
        let mut lines: Vec<(Timestamp, Box<str>, u64, Vec<u8>)> = Vec::new();
        for shard in &mut *shards {
            let before = lines.len();
            shard.partition.tick(engine, stretch_end, |org, occurrence| {
                let mut line = Vec::new();
                event::write(&mut line, org, occurrence, Cause::Time);
                lines.push((occurrence.at, org.into(), occurrence.seq, line));
            });
            shard.events += (lines.len() - before) as u64;
            shard.partition.commit(&engine.limits);
        }
        lines.sort_unstable();
        lines.iter().try_for_each(|(_, _, _, line)| events.write(line))?;
    }
    Ok(())
}

/// Writes every account, by organisation.
pub fn write_accounts(shards: &[Shard<'_>], file: &mut OutputFile) -> io::Result<()> {
    let mut accounts: Vec<&Account> = shards.iter().flat_map(|shard| shard.partition.accounts()).collect();
    accounts.sort_unstable_by_key(|account| account.org());
    let mut line = Vec::new();
    for account in accounts {
        line.clear();
        account::write(&mut line, account);
        file.write(&line)?;
    }
    Ok(())
}
