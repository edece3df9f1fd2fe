//! How long to wait before a request is made again.

use std::time::Duration;

use drawdown_units::Timestamp;

/// A pause after each failure, and the last failure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retries {
    /// The pause after the first failure, after the second, and so on; after one failure more the event is given up.
    pub delays: Vec<Duration>,
    /// An endpoint may ask for a longer pause (`Retry-After`), but for no longer one than this.
    pub retry_after_max: Duration,
}

impl Default for Retries {
    fn default() -> Self {
        let delays = [5, 30, 300, 1800, 7200, 18000].map(Duration::from_secs).to_vec();
        Retries { delays, retry_after_max: Duration::from_secs(3600) }
    }
}

impl Retries {
    /// The pause after this many failures; `None` if there were too many.
    pub fn pause(&self, failures: u32, retry_after: Option<Duration>) -> Option<Duration> {
        let index = usize::try_from(failures).ok()?.checked_sub(1)?;
        let delay = *self.delays.get(index)?;
        Some(delay.max(retry_after.unwrap_or_default().min(self.retry_after_max)))
    }
}

/// Reads `Retry-After`: seconds, or a date, of which `now` (in seconds since 1970) is subtracted.
pub fn read_retry_after(value: &str, now: u64) -> Option<Duration> {
    let value = value.trim();
    if let Ok(seconds) = value.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let then = u64::try_from(read_date(value)?.seconds()).ok()?;
    Some(Duration::from_secs(then.saturating_sub(now)))
}

/// A date as HTTP writes them: `Sun, 06 Nov 1994 08:49:37 GMT`.
fn read_date(text: &str) -> Option<Timestamp> {
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let mut parts = text.split_once(", ")?.1.split(' ');
    let day = parts.next()?.parse().ok()?;
    let name = parts.next()?;
    let month = u32::try_from(MONTHS.iter().position(|month| *month == name)? + 1).ok()?;
    let year = parts.next()?.parse().ok()?;
    let mut time = parts.next()?.split(':').map(|part| part.parse().ok());
    let (hour, minute, second) = (time.next()??, time.next()??, time.next()??);
    if parts.next()? != "GMT" {
        return None;
    }
    Timestamp::from_civil(year, month, day, hour, minute, second, 0)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Retries, read_retry_after};

    #[test]
    fn pauses_grow_and_end() {
        let retries = Retries { delays: [1, 10].map(Duration::from_secs).to_vec(), ..Retries::default() };
        let seconds = |failures, asked: Option<u64>| {
            retries.pause(failures, asked.map(Duration::from_secs)).map(|pause| pause.as_secs())
        };
        assert_eq!(seconds(1, None), Some(1));
        assert_eq!(seconds(2, None), Some(10));
        assert_eq!(seconds(3, None), None);
        assert_eq!(seconds(3, Some(60)), None);
        assert_eq!(seconds(1, Some(60)), Some(60));
        assert_eq!(seconds(2, Some(5)), Some(10));
        assert_eq!(seconds(1, Some(u64::MAX)), Some(3600));
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let read = |text, now| read_retry_after(text, now).map(|pause| pause.as_secs());
        assert_eq!(read("120", 0), Some(120));
        assert_eq!(read("Sun, 06 Nov 1994 08:49:37 GMT", 784_111_700), Some(77));
        assert_eq!(read("Sun, 06 Nov 1994 08:49:37 GMT", 784_111_999), Some(0));
        for nonsense in ["", "-1", "soon", "Sun, 06 Nov 1994", "Sun, 32 Nov 1994 08:49:37 GMT"] {
            assert_eq!(read(nonsense, 0), None, "{nonsense}");
        }
    }
}
