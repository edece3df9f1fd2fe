//! How many records a second the embedded log takes from its spool and writes back durably, with nothing done to them.
//!
//! `cargo bench -p drawdown-stream --bench embedded [-- RECORDS [DEBITS.jsonl]]`. Each record of about 560 bytes becomes
//! one debit of about 1.1 KB (made up, or a line of the file), every 10,000 a transaction with 160 KB of identities and
//! as many accounts as they are of. Then the store is opened again and restored.

use std::error::Error;
use std::io::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use drawdown_engine::log::{Batch, Input, Log, Output, Room};
use drawdown_stream::embedded::{EmbeddedLog, EmbeddedSettings, place};

const RECORDS_PER_COMMIT: usize = 10_000;
const ORGS: u64 = 2000;

/// As much of a debit as is not the record's.
const PRICING: &str = r#""charge":{"amount":"0.1234","currency":"USD","connectionFee":"0","pricePerMinute":"0.021","billableSeconds":353,"deck":"acs-pstn","deckVersion":"2026-02-01","prefix":"4420","destination":"United Kingdom-London","rounding":{"mode":"half-up","decimals":6}},"funding":[{"type":"lot","lotId":"org-0001/lot-2","amount":"0.1234","before":"87.3210","after":"87.1976"}],"balanceAfter":"87.1976","flags":[],"schemaVersion":1,"type":"debit","#;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1).filter(|argument| argument != "--bench");
    let records: u64 = arguments.next().map_or(Ok(400_000), |count| count.parse())?;
    let lines = arguments.next().map(std::fs::read_to_string).transpose()?;
    let debits: Vec<&str> = lines.as_deref().unwrap_or_default().lines().collect();

    let directory = tempfile::tempdir()?;
    let settings = EmbeddedSettings::new(directory.path());
    let mut log = EmbeddedLog::open(&settings)?;
    let file = directory.path().join("calls.jsonl");
    write_calls(&file, records)?;
    place(directory.path(), Input::Cdrs, &file, None, None)?;
    restore(&mut log)?;

    let mut out = std::io::stdout().lock();
    let read = read_only(&settings, records)?;
    writeln!(out, "read and dated: {:.0} records/s", records as f64 / read.as_secs_f64())?;
    let started = Instant::now();
    let (written_bytes, waited) = copy(&mut log, records, &debits)?;
    let seconds = started.elapsed().as_secs_f64();
    let (rate, megabytes) = (records as f64 / seconds, written_bytes as f64 / 1e6 / seconds);
    writeln!(
        out,
        "copied durably: {rate:.0} records/s, {megabytes:.0} MB/s of messages; {:.0} % of it waiting for the store",
        100.0 * waited.as_secs_f64() / seconds
    )?;
    drop(log);
    let bytes = std::fs::metadata(directory.path().join("drawdown.db"))?.len();
    writeln!(out, "store: {:.0} bytes a record", bytes as f64 / records as f64)?;
    let started = Instant::now();
    let messages = restore(&mut EmbeddedLog::open(&settings)?)?;
    writeln!(out, "opened and restored: {messages} messages in {:.3} s", started.elapsed().as_secs_f64())?;
    Ok(())
}

/// Rows that differ as calls do.
fn write_calls(path: &Path, count: u64) -> std::io::Result<()> {
    let mut file = std::io::BufWriter::new(std::fs::File::create(path)?);
    let mut random = 0x2545_F491_4F6C_DD1D_u64;
    for number in 0..count {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        let (org, second) = (random % ORGS, number % 86_400);
        let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
        let time = format!("2026-03-01T{hour:02}:{minute:02}:{second:02}.{:03}Z", random % 1000);
        writeln!(
            file,
            r#"{{"id":"{random:016x}-{number:012x}","callId":"{number}_{}@203.0.113.7","orgId":"org-{org:04}","userId":"{:08x}-06eb-4189-939b-7cbf3a20ba27","userPrincipalName":"user{}@org-{org:04}.example","userDisplayName":"User {}","callType":"user_out","startDateTime":"{time}","endDateTime":"{time}","duration":{},"callerNumber":"+1206555{:04}","calleeNumber":"+4420{:08}","usageCountryCode":"US","tenantCountryCode":"US","destinationContext":"International","destinationName":"United Kingdom","inventoryType":"Subscriber","licenseCapability":"MCOPSTNPP","operator":"Carrier"}}"#,
            random >> 32,
            random as u32,
            random % 97,
            random % 97,
            random % 900,
            random % 10_000,
            random % 100_000_000,
        )?;
    }
    file.flush()
}

fn restore(log: &mut EmbeddedLog) -> Result<u64, Box<dyn Error>> {
    log.turn(&mut Vec::new())?;
    log.begin_restore(&[0])?;
    loop {
        let progress = log.restore(&mut |_| {})?;
        if progress.is_done {
            return Ok(progress.read);
        }
    }
}

fn room() -> Room {
    Room { records_max: RECORDS_PER_COMMIT, bytes_max: 64 << 20, wait: Duration::from_millis(50) }
}

/// Polls everything out of a spool like the one of `settings`, without writing anything.
fn read_only(settings: &EmbeddedSettings, records: u64) -> Result<Duration, Box<dyn Error>> {
    let directory = tempfile::tempdir()?;
    let mut log = EmbeddedLog::open(&EmbeddedSettings::new(directory.path()))?;
    place(directory.path(), Input::Cdrs, &settings.directory.join("calls.jsonl"), None, None)?;
    restore(&mut log)?;
    let started = Instant::now();
    let (mut batch, mut count) = (Batch::default(), 0);
    while count < records {
        batch.clear();
        log.poll(&mut batch, room())?;
        count += batch.count() as u64;
    }
    Ok(started.elapsed())
}

/// Copies every record, polling while the transaction before is written; how many bytes, and how long it waited.
fn copy(log: &mut EmbeddedLog, records: u64, debits: &[&str]) -> Result<(u64, Duration), Box<dyn Error>> {
    let (mut batch, mut count, mut bytes) = (Batch::default(), 0, 0);
    let (mut waited, mut debit, state) = (Duration::ZERO, Vec::new(), [7; 300]);
    while count < records {
        batch.clear();
        log.poll(&mut batch, room())?;
        let settling = Instant::now();
        log.settle()?;
        waited += settling.elapsed();
        log.turn(&mut Vec::new())?;
        log.begin()?;
        let mut touched = std::collections::BTreeSet::new();
        for index in 0..batch.count() {
            let value = batch.record(index).value;
            let org = org_of(value);
            debit.clear();
            match debits.get((count as usize + index) % debits.len().max(1)) {
                Some(line) => debit.extend_from_slice(line.as_bytes()),
                None => {
                    debit.push(b'{');
                    debit.extend_from_slice(PRICING.as_bytes());
                    debit.extend_from_slice(&value[1..]);
                }
            }
            log.append(Output::Debits, 0, org, &debit)?;
            bytes += debit.len() as u64;
            touched.insert(org);
        }
        for org in touched {
            log.append(Output::Accounts, 0, org, &state)?;
        }
        let identities: Vec<u8> = (0..batch.count() as u64)
            .flat_map(|index| (count + index).wrapping_mul(0x9E37_79B9_7F4A_7C15).to_le_bytes().repeat(2))
            .collect();
        log.append(Output::Seen, 0, b"", &identities)?;
        log.commit(batch.positions())?;
        count += batch.count() as u64;
    }
    let settling = Instant::now();
    log.settle()?;
    Ok((bytes, waited + settling.elapsed()))
}

fn org_of(row: &[u8]) -> &[u8] {
    let at = row.windows(9).position(|window| window == b"\"orgId\":\"").map_or(0, |at| at + 9);
    &row[at..at + 8]
}
