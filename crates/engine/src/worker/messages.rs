//! Messages of one output, in order, in two buffers: values and keys.

/// Messages to be appended.
#[derive(Debug, Default)]
pub struct Messages {
    values: Vec<u8>,
    keys: Vec<u8>,
    /// Where each ends: in `values`, in `keys`; and how many bytes separate it from the next.
    ends: Vec<(usize, usize)>,
}

impl Messages {
    /// Adds a message whose value `write` appends; none where it appends nothing.
    pub fn push(&mut self, key: &[u8], write: impl FnOnce(&mut Vec<u8>)) {
        let from = self.values.len();
        write(&mut self.values);
        if self.values.len() > from {
            self.keys.extend_from_slice(key);
            self.ends.push((self.values.len(), self.keys.len()));
        }
    }

    /// Adds lines, without the ends of lines, each a message of the same key.
    #[inline]
    pub fn push_lines(&mut self, key: &[u8], lines: &[u8]) {
        for line in lines.split_inclusive(|byte| *byte == b'\n') {
            self.push_line(key, line);
        }
    }

    /// Adds one line, without its end, as a message.
    #[inline]
    pub fn push_line(&mut self, key: &[u8], line: &[u8]) {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        self.values.extend_from_slice(line);
        self.keys.extend_from_slice(key);
        self.ends.push((self.values.len(), self.keys.len()));
    }

    /// Key and value of each.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        let mut from = (0, 0);
        self.ends.iter().map(move |end| {
            let message = (&self.keys[from.1..end.1], &self.values[from.0..end.0]);
            from = *end;
            message
        })
    }

    /// How many.
    pub fn count(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Their values together, in bytes.
    pub fn size_bytes(&self) -> usize {
        self.values.len()
    }

    /// Takes all of them out, keeping the memory.
    pub fn clear(&mut self) {
        self.values.clear();
        self.keys.clear();
        self.ends.clear();
    }
}
