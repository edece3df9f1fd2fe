//! Lines with the key of their record: the organisation as a JSON text, or `null`; a tab; the record.
//!
//! A record in a file says itself whose it is. One that came as a message was let in for its key, and stands for no other
//! organisation (boundaries.md U10), so the key stays with it. A file with such lines is known by its name.

/// How its name ends.
pub const SUFFIX: &str = ".keyed";

/// Whether the lines of the file of this name have keys.
pub fn is_keyed(name: &str) -> bool {
    name.ends_with(SUFFIX)
}

/// Appends the line of a record, which is one line itself.
pub fn push(lines: &mut Vec<u8>, key: Option<&str>, record: &[u8]) {
    lines.extend_from_slice(serde_json::Value::from(key).to_string().as_bytes());
    lines.push(b'\t');
    lines.extend_from_slice(record);
    lines.push(b'\n');
}

/// The key of a line and its record; a line that begins with no key is a record as it stands.
pub fn split(line: &[u8]) -> (Option<String>, &[u8]) {
    let tab = line.iter().position(|byte| *byte == b'\t');
    let key_and_record = tab.and_then(|tab| {
        let key: Option<String> = serde_json::from_slice(&line[..tab]).ok()?;
        Some((key, &line[tab + 1..]))
    });
    key_and_record.unwrap_or((None, line))
}
