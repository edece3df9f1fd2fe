//! Messages of one output, in order, in two buffers: values and keys.

/// Messages to be appended.
#[derive(Debug, Default)]
pub struct Messages {
    values: Vec<u8>,
    keys: Vec<u8>,
    places: Vec<Place>,
    /// Where the next value begins.
    from: usize,
}

/// Where a message is.
#[derive(Debug, Clone, Copy)]
struct Place {
    from: usize,
    to: usize,
    key_to: usize,
}

impl Messages {
    /// Adds a message whose value `write` appends; none where it appends nothing.
    pub fn push(&mut self, key: &[u8], write: impl FnOnce(&mut Vec<u8>)) {
        write(&mut self.values);
        let to = self.values.len();
        if to > self.from {
            self.end(key, to, to);
        }
    }

    /// Adds a message without a value.
    pub fn push_empty(&mut self, key: &[u8]) {
        self.end(key, self.from, self.from);
    }

    /// Lends the buffer of values to whoever writes lines into it: back it comes by the same way.
    pub fn swap_values(&mut self, buffer: &mut Vec<u8>) {
        std::mem::swap(&mut self.values, buffer);
    }

    /// While the values are lent: what `buffer` got since the last message, if anything, is one line, a message of `key`.
    #[inline]
    pub fn take_line(&mut self, key: &[u8], buffer: &[u8]) {
        if buffer.len() > self.from {
            // The end of the line is not part of the message.
            self.end(key, buffer.len() - 1, buffer.len());
        }
    }

    /// While the values are lent: what `buffer` got since the last message is any number of lines.
    pub fn take_lines(&mut self, key: &[u8], buffer: &[u8]) {
        while let Some(length) = buffer[self.from..].iter().position(|byte| *byte == b'\n') {
            let to = self.from + length;
            self.end(key, to, to + 1);
        }
    }

    #[inline]
    fn end(&mut self, key: &[u8], to: usize, next: usize) {
        self.keys.extend_from_slice(key);
        self.places.push(Place { from: self.from, to, key_to: self.keys.len() });
        self.from = next;
    }

    /// Key and value of each.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        let mut key_from = 0;
        self.places.iter().map(move |place| {
            let key = &self.keys[key_from..place.key_to];
            key_from = place.key_to;
            (key, &self.values[place.from..place.to])
        })
    }

    /// How many.
    pub fn count(&self) -> usize {
        self.places.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// Their values together, in bytes.
    pub fn size_bytes(&self) -> usize {
        self.values.len()
    }

    /// Takes all of them out, keeping the memory.
    pub fn clear(&mut self) {
        self.values.clear();
        self.keys.clear();
        self.places.clear();
        self.from = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_lose_their_ends_and_bytes_keep_theirs() {
        let mut messages = Messages::default();
        let mut buffer = Vec::new();
        messages.swap_values(&mut buffer);
        buffer.extend_from_slice(b"one\ntwo\n");
        messages.take_lines(b"a", &buffer);
        messages.take_line(b"nobody", &buffer);
        buffer.extend_from_slice(b"three\n");
        messages.take_line(b"b", &buffer);
        messages.swap_values(&mut buffer);
        messages.push(b"c", |out| out.extend_from_slice(b"\x01\n"));
        messages.push(b"c", |_| {});
        messages.push_empty(b"d");
        messages.push(b"e", |out| out.push(b'e'));
        let all: Vec<_> = messages.iter().collect();
        let lines = [(&b"a"[..], &b"one"[..]), (b"a", b"two"), (b"b", b"three"), (b"c", b"\x01\n")];
        assert_eq!(all, [&lines[..], &[(b"d", b""), (b"e", b"e")]].concat());
        messages.clear();
        assert!(messages.is_empty() && messages.size_bytes() == 0);
    }
}
