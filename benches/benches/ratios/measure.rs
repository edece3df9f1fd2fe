//! Taking and telling figures.

use std::io::Write as _;
use std::time::Duration;

/// The CPU time this thread spends on `work`.
pub fn timed(work: impl FnOnce()) -> Duration {
    let now = || rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    let before = now();
    work();
    let after = now();
    let nanos = (after.tv_sec - before.tv_sec) * 1_000_000_000 + (after.tv_nsec - before.tv_nsec);
    Duration::from_nanos(u64::try_from(nanos).expect("CPU time only grows"))
}

/// The median in nanoseconds for one of `count` in each time.
pub fn median(mut times: Vec<Duration>, count: u64) -> f64 {
    times.sort_unstable();
    times[times.len() / 2].as_nanos() as f64 / count as f64
}

/// The memory of this process that is really there, in bytes.
pub fn resident_bytes() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").expect("Linux tells what a process holds");
    let pages: u64 = statm.split(' ').nth(1).and_then(|pages| pages.parse().ok()).expect("a number of pages");
    pages * 4096
}

/// One line on standard output.
pub fn say(line: &str) {
    writeln!(std::io::stdout().lock(), "{line}").expect("standard output is open");
}
