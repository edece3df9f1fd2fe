//! JSON values that span lines: objects one after another, a list of them, or pages with the list under a named key.
//!
//! Only strings and brackets are understood. Where they cannot go on (an object opens where a key must stand, a string
//! runs over its line) the record is broken: it ends there, and the next one begins with the next `{`.

use super::Step;

/// Where the scanner is.
#[derive(Debug)]
enum Place {
    /// Outside everything.
    Between,
    /// In a list of records; `in_page` if an object is around it.
    Items { in_page: bool },
    /// In a record, or in an object that may turn out to be a page.
    Record { nest: Nest, came_from: Outer },
    /// In something that is no JSON value, up to the end of its line or list item.
    Junk { came_from: Outer },
    /// In a broken record, up to the next line that begins one.
    Broken { came_from: Outer, is_fresh: bool },
    /// In a page, behind its items.
    Tail(Nest),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outer {
    Between,
    Items { in_page: bool },
}

impl From<Outer> for Place {
    fn from(outer: Outer) -> Self {
        match outer {
            Outer::Between => Place::Between,
            Outer::Items { in_page } => Place::Items { in_page },
        }
    }
}

#[derive(Debug)]
pub(super) struct Documents {
    place: Place,
    items: Vec<String>,
}

impl Documents {
    pub(super) fn new(items: Vec<String>) -> Self {
        Documents { place: Place::Between, items }
    }

    /// Whether an input that begins with `bytes` needs this rather than lines.
    pub(super) fn are_in(bytes: &[u8], items: &[String]) -> bool {
        let bytes = bytes.trim_ascii_start();
        match bytes.first() {
            Some(b'[') => return true,
            Some(b'{') => {}
            _ => return false,
        }
        let line_end = memchr::memchr(b'\n', bytes).unwrap_or(bytes.len());
        let (line, after) = bytes.split_at(line_end);
        let mut nest = Nest::open(b'{');
        match nest.scan(line, 1, 0, items) {
            Scan::Items(_) => true,
            Scan::Closed(end) => line[end..].trim_ascii_start().starts_with(b"{"),
            Scan::Broken(_) => false,
            // An object goes on over the line only if the next line has a key (or closes it); a truncated record of
            // JSON Lines is followed by an object.
            Scan::More => {
                let goes_on = matches!(line.trim_ascii_end().last(), Some(b'{' | b'[' | b',' | b':'));
                let next = after.trim_ascii_start();
                goes_on && (matches!(next.first(), None | Some(b'"' | b'}' | b']')) || nest.is_in_list())
            }
        }
    }

    /// The current record is too large to be kept, so its keys are not looked at any more.
    pub(super) fn forget_key(&mut self) {
        if let Place::Record { nest, .. } = &mut self.place {
            nest.key = Key::Ignored;
        }
    }

    /// The next record from `position` on; `start` is where it begins if it began before.
    pub(super) fn step(&mut self, bytes: &[u8], position: usize, start: Option<usize>, at_end: bool) -> Step {
        let mut position = position;
        let mut start = start;
        while position < bytes.len() {
            match &mut self.place {
                Place::Between => self.enter(bytes, Outer::Between, &mut position, &mut start),
                Place::Items { in_page } => {
                    let outer = Outer::Items { in_page: *in_page };
                    self.enter(bytes, outer, &mut position, &mut start);
                }
                Place::Tail(nest) => match nest.scan(bytes, position, 0, &[]) {
                    Scan::Closed(end) | Scan::Broken(end) | Scan::Items(end) => {
                        (self.place, position) = (Place::Between, end);
                    }
                    Scan::More => position = bytes.len(),
                },
                Place::Record { nest, came_from } => {
                    let from = start.expect("invariant: a record has a start");
                    let came_from = *came_from;
                    let items: &[String] = if came_from == Outer::Between { &self.items } else { &[] };
                    match nest.scan(bytes, position, from, items) {
                        Scan::Closed(end) => {
                            self.place = came_from.into();
                            return Step::Record { range: from..end, next: end };
                        }
                        Scan::Items(next) => {
                            (self.place, position, start) = (Place::Items { in_page: true }, next, None);
                        }
                        Scan::Broken(at) => {
                            self.place = Place::Broken { came_from, is_fresh: bytes[at] == b'{' };
                            position = at;
                        }
                        Scan::More => return self.unfinished(bytes, start, at_end),
                    }
                }
                Place::Junk { came_from } => {
                    let came_from = *came_from;
                    let end = junk_end(bytes, position, came_from);
                    return self.end_at(end, came_from, bytes, start, at_end);
                }
                Place::Broken { came_from, is_fresh } => {
                    let came_from = *came_from;
                    let end = next_record(bytes, position, is_fresh);
                    return self.end_at(end, came_from, bytes, start, at_end);
                }
            }
        }
        self.unfinished(bytes, start, at_end)
    }

    /// Skips what separates records, and sees what begins.
    fn enter(&mut self, bytes: &[u8], outer: Outer, position: &mut usize, start: &mut Option<usize>) {
        let byte = bytes[*position];
        let in_list = matches!(outer, Outer::Items { .. });
        if byte.is_ascii_whitespace() || (in_list && byte == b',') {
            *position += 1;
            return;
        }
        match (byte, outer) {
            (b'[', Outer::Between) => {
                self.place = Place::Items { in_page: false };
                *position += 1;
            }
            (b']', Outer::Items { in_page }) => {
                self.place = if in_page { Place::Tail(Nest::open(b'{')) } else { Place::Between };
                *position += 1;
            }
            (b'{', _) | (b'[', Outer::Items { .. }) => {
                *start = Some(*position);
                self.place = Place::Record { nest: Nest::open(byte), came_from: outer };
                *position += 1;
            }
            _ => {
                *start = Some(*position);
                self.place = Place::Junk { came_from: outer };
            }
        }
    }

    fn end_at(&mut self, end: Option<usize>, outer: Outer, bytes: &[u8], start: Option<usize>, at_end: bool) -> Step {
        let (Some(end), Some(from)) = (end, start) else { return self.unfinished(bytes, start, at_end) };
        self.place = outer.into();
        Step::Record { range: from..trimmed_end(bytes, from, end), next: end }
    }

    /// The input is at its end, or more of it must be read.
    fn unfinished(&mut self, bytes: &[u8], start: Option<usize>, at_end: bool) -> Step {
        match start {
            Some(from) if at_end => {
                self.place = Place::Between;
                Step::Record { range: from..trimmed_end(bytes, from, bytes.len()), next: bytes.len() }
            }
            _ => Step::More { start },
        }
    }
}

fn junk_end(bytes: &[u8], position: usize, outer: Outer) -> Option<usize> {
    let at = match outer {
        Outer::Between => memchr::memchr(b'\n', &bytes[position..]),
        Outer::Items { .. } => memchr::memchr3(b'\n', b',', b']', &bytes[position..]),
    };
    at.map(|distance| position + distance)
}

/// Where the next record begins: at a brace, or a list's end, that nothing but separators stand before on its line.
fn next_record(bytes: &[u8], position: usize, is_fresh: &mut bool) -> Option<usize> {
    let mut position = position;
    while let Some(byte) = bytes.get(position) {
        match byte {
            b'{' | b']' if *is_fresh => return Some(position),
            byte if *is_fresh && (*byte == b',' || byte.is_ascii_whitespace()) => position += 1,
            _ => {
                let line_end = memchr::memchr(b'\n', &bytes[position..]);
                *is_fresh = line_end.is_some();
                position = line_end.map_or(bytes.len(), |distance| position + distance + 1);
            }
        }
    }
    None
}

/// Without the white space and the comma that only separate.
fn trimmed_end(bytes: &[u8], from: usize, end: usize) -> usize {
    let record = bytes[from..end].trim_ascii_end();
    let record = record.strip_suffix(b",").unwrap_or(record);
    from + record.trim_ascii_end().len().max(1).min(end - from)
}

/// Open brackets, and whether a string is open.
#[derive(Debug)]
struct Nest {
    depth: u32,
    /// One bit a level, the innermost lowest: 1 for a list. Exact for the 64 innermost levels.
    lists: u64,
    in_string: bool,
    is_escaped: bool,
    /// The last byte outside strings that is not white space.
    last: u8,
    key: Key,
}

/// What is known of the key before the value, at the outermost level.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Key {
    /// Not a key under which records are kept.
    Other,
    /// Its string begins at this distance from the record's start.
    Begun(usize),
    /// One under which records are kept.
    Items,
    /// The record is too large.
    Ignored,
}

enum Scan {
    /// The outermost bracket closed before this position.
    Closed(usize),
    /// The list of a page opened before this position.
    Items(usize),
    /// It cannot be JSON from this position on.
    Broken(usize),
    More,
}

impl Nest {
    fn open(bracket: u8) -> Self {
        Nest {
            depth: 1,
            lists: u64::from(bracket == b'['),
            in_string: false,
            is_escaped: false,
            last: bracket,
            key: Key::Other,
        }
    }

    fn is_in_list(&self) -> bool {
        self.lists & 1 == 1
    }

    fn scan(&mut self, bytes: &[u8], position: usize, record: usize, items: &[String]) -> Scan {
        let mut position = position;
        while position < bytes.len() {
            if self.in_string {
                match self.scan_string(bytes, &mut position, record, items) {
                    Some(broken) => return broken,
                    None => continue,
                }
            }
            let byte = bytes[position];
            match byte {
                b'"' => {
                    self.in_string = true;
                    if self.depth == 1 && !items.is_empty() && self.last != b':' && self.key != Key::Ignored {
                        self.key = Key::Begun(position - record);
                    }
                }
                b'{' | b'[' => {
                    if byte == b'[' && self.depth == 1 && self.key == Key::Items && self.last == b':' {
                        return Scan::Items(position + 1);
                    }
                    let fits = if self.is_in_list() { matches!(self.last, b'[' | b',') } else { self.last == b':' };
                    if !fits && self.depth < 64 {
                        return Scan::Broken(position);
                    }
                    self.depth += 1;
                    self.lists = self.lists << 1 | u64::from(byte == b'[');
                }
                b'}' | b']' => {
                    self.depth -= 1;
                    self.lists >>= 1;
                    if self.depth == 0 {
                        return Scan::Closed(position + 1);
                    }
                }
                _ => {}
            }
            if !byte.is_ascii_whitespace() {
                self.last = byte;
            }
            position += 1;
        }
        Scan::More
    }

    /// Scans inside a string; returns something only if the string runs over its line.
    fn scan_string(&mut self, bytes: &[u8], position: &mut usize, record: usize, items: &[String]) -> Option<Scan> {
        if self.is_escaped {
            self.is_escaped = false;
            *position += 1;
            return None;
        }
        let Some(distance) = memchr::memchr3(b'"', b'\\', b'\n', &bytes[*position..]) else {
            *position = bytes.len();
            return None;
        };
        let at = *position + distance;
        *position = at + 1;
        match bytes[at] {
            b'\\' => self.is_escaped = true,
            b'\n' => return Some(Scan::Broken(at)),
            _ => {
                self.in_string = false;
                if let Key::Begun(from) = self.key {
                    let is_items = items.iter().any(|name| name.as_bytes() == &bytes[record + from + 1..at]);
                    self.key = if is_items { Key::Items } else { Key::Other };
                }
            }
        }
        None
    }
}
