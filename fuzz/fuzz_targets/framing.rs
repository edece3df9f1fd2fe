#![no_main]

use drawdown_wire::framing::{Chunk, Layout, Options, Reader};
use libfuzzer_sys::fuzz_target;

// The first byte says how the rest is cut.
fuzz_target!(|bytes: &[u8]| {
    let Some((cut, bytes)) = bytes.split_first() else { return };
    for layout in [Layout::Lines { header_lines: 1 }, Layout::Json { items: vec!["value".into()] }] {
        let chunk_bytes = 1 + usize::from(*cut);
        let options = Options { chunk_bytes, max_record_bytes: 100, ..Options::new(layout) };
        let Ok(mut reader) = Reader::new(std::io::Cursor::new(bytes.to_vec()), "fuzz", options) else { return };
        let mut chunk = Chunk::new();
        while let Ok(true) = reader.next_chunk(&mut chunk) {
            assert!(chunk.iter().all(|(frame, record)| frame.line > 0 && record.len() == frame.range.len()));
        }
    }
});
