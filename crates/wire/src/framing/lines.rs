//! One record a line: `\n` or `\r\n`, blank lines left out, quotes of no meaning (boundaries.md U8: a bad line stops at
//! its end).

use super::Step;

/// The next line from `position` on; `start` is where the line begins if it began before.
pub(super) fn step(bytes: &[u8], position: usize, start: Option<usize>, at_end: bool) -> Step {
    let mut position = position;
    let mut start = start;
    while position < bytes.len() || (at_end && start.is_some()) {
        let from = start.unwrap_or(position);
        let (end, next) = match memchr::memchr(b'\n', &bytes[position..]) {
            Some(distance) => (position + distance, position + distance + 1),
            None if at_end => (bytes.len(), bytes.len()),
            None => return Step::More { start: Some(from) },
        };
        let line = &bytes[from..end];
        // A line of many chunks is never blank; its beginning is not here any more.
        let is_whole = start.is_none() || from < position;
        if is_whole && line.trim_ascii().is_empty() {
            (position, start) = (next, None);
            continue;
        }
        let end = if line.last() == Some(&b'\r') { end - 1 } else { end };
        return Step::Record { range: from..end, next };
    }
    Step::More { start: None }
}
