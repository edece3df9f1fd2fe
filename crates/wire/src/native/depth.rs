//! How deep a record is nested. The reader goes down on its stack for every level that it skips, without end: a record made
//! for it would end the process, and every process after it that reads the same log.

/// How deep a record may be nested. No source comes near it.
const DEPTH_MAX: usize = 128;
/// Shorter ones are not looked at: however deep they are, the stack holds them.
const SHORT_BYTES_MAX: usize = 1024;

/// Whether a record is nested deeper than the reader should go.
#[inline]
pub(super) fn is_too_deep(bytes: &[u8]) -> bool {
    bytes.len() > SHORT_BYTES_MAX && may_be_deep(bytes) && is_deep(bytes)
}

/// Whether it has so many brackets, wherever they stand: quickly counted, and hardly ever so.
fn may_be_deep(bytes: &[u8]) -> bool {
    bytes.iter().filter(|byte| matches!(byte, b'[' | b'{')).count() > DEPTH_MAX
}

#[cold]
fn is_deep(bytes: &[u8]) -> bool {
    let (mut depth, mut is_in_text, mut is_escaped) = (0_usize, false, false);
    for byte in bytes {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' if is_in_text => is_escaped = true,
            b'"' => is_in_text = !is_in_text,
            _ if is_in_text => {}
            b'[' | b'{' => depth = depth.saturating_add(1),
            b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > DEPTH_MAX {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn depth_is_that_of_brackets_outside_texts() {
        let nested = |depth: usize| format!("{{\"a\":{}{}}}", "[".repeat(depth), "]".repeat(depth));
        let padded = |text: &str| format!("{text}{}", " ".repeat(2 * SHORT_BYTES_MAX));
        assert!(!is_too_deep(padded(&nested(DEPTH_MAX - 1)).as_bytes()));
        assert!(is_too_deep(padded(&nested(DEPTH_MAX)).as_bytes()));
        assert!(!is_too_deep(padded(&format!("{{\"a\":\"\\\"{}\"}}", "[".repeat(1000))).as_bytes()));
        assert!(!is_too_deep(padded(&format!("[{}]", "[],".repeat(1000))).as_bytes()));
    }
}
