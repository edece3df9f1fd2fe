//! Finding a debit in a file of them.

use std::fmt;
use std::path::Path;

use drawdown_wire::debit;
use drawdown_wire::framing::{Chunk, Kind, Layout, Options, Reader};
use rayon::iter::{IntoParallelRefIterator as _, ParallelIterator as _};

use crate::exit::Failure;

/// What is asked for: an id, perhaps of one source, or a place in an organisation.
pub struct Wanted<'a> {
    pub id: Option<&'a str>,
    pub source: Option<&'a str>,
    pub org: Option<&'a str>,
    pub seq: Option<u64>,
}

/// A debit that was asked for.
pub struct Found {
    pub line: u64,
    pub bytes: Vec<u8>,
}

/// Every debit of a file that is `wanted`. Lines that are no debits are passed over: `verify` reports them.
pub fn find(path: &Path, wanted: &Wanted<'_>) -> Result<Vec<Found>, Failure> {
    let options = Options { max_record_bytes: 64 << 20, ..Options::new(Layout::Lines { header_lines: 0 }) };
    let mut reader = Reader::open(path, options).map_err(Failure::usage)?;
    let (mut chunk, mut found) = (Chunk::new(), Vec::new());
    while reader.next_chunk(&mut chunk)? {
        let of_chunk: Vec<Found> = chunk
            .frames()
            .par_iter()
            .filter(|frame| frame.kind == Kind::Whole && wanted.is(chunk.bytes(frame)))
            .map(|frame| Found { line: frame.line, bytes: chunk.bytes(frame).to_vec() })
            .collect();
        found.extend(of_chunk);
    }
    Ok(found)
}

impl Wanted<'_> {
    fn is(&self, line: &[u8]) -> bool {
        debit::read(line).is_ok_and(|debit| {
            self.id.is_none_or(|id| *debit.id == *id)
                && self.source.is_none_or(|source| *debit.source == *source)
                && self.org.is_none_or(|org| *debit.org_id == *org)
                && self.seq.is_none_or(|seq| debit.seq == seq)
        })
    }
}

impl fmt::Display for Wanted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = [("", self.id), ("of source ", self.source), ("of organisation ", self.org)];
        let mut texts: Vec<String> = parts.iter().filter_map(|(name, it)| it.map(|it| format!("{name}{it}"))).collect();
        texts.extend(self.seq.map(|seq| format!("with seq {seq}")));
        f.write_str(&texts.join(" "))
    }
}
