use std::io::{self, Read, Write};

use super::*;

fn json() -> Layout {
    Layout::Json { items: vec!["value".into(), "calls".into()] }
}

fn csv() -> Layout {
    Layout::Lines { header_lines: 0 }
}

/// Gives at most `step` bytes at a time.
struct Drip {
    bytes: Vec<u8>,
    at: usize,
    step: usize,
}

impl Read for Drip {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.step.min(buffer.len()).min(self.bytes.len() - self.at);
        buffer[..count].copy_from_slice(&self.bytes[self.at..self.at + count]);
        self.at += count;
        Ok(count)
    }
}

/// Line, offset, kind and bytes of a record.
type Found = (u64, u64, Kind, Vec<u8>);

fn read_all(bytes: &[u8], options: Options) -> io::Result<Vec<Found>> {
    let mut reader = Reader::new(io::Cursor::new(bytes.to_vec()), "test", options)?;
    let mut chunk = Chunk::new();
    let mut all = Vec::new();
    while reader.next_chunk(&mut chunk)? {
        all.extend(chunk.iter().map(|(frame, bytes)| (frame.line, frame.offset, frame.kind, bytes.to_vec())));
    }
    Ok(all)
}

/// Every record as `line@offset text`, the same however the input is cut.
fn check(layout: &Layout, input: &[u8], expected: &[&str]) {
    for chunk_bytes in [1, 2, 3, 5, 7, 16, 64, 1 << 20] {
        for chunk_records in [1, 3, 1 << 16] {
            let options = Options { chunk_bytes, chunk_records, ..Options::new(layout.clone()) };
            if chunk_bytes < input.len() && matches!(layout, Layout::Json { .. }) {
                // The layout of JSON is seen from the first chunk: smaller ones are for the splitters' own tests.
                continue;
            }
            let found: Vec<String> = read_all(input, options)
                .expect("no error")
                .into_iter()
                .map(|(line, offset, _, bytes)| format!("{line}@{offset} {}", String::from_utf8_lossy(&bytes)))
                .collect();
            assert_eq!(found, expected, "chunks of {chunk_bytes} bytes, {chunk_records} records");
        }
    }
    check_offsets(layout, input);
}

/// The bytes of every frame are those at its offset, and the line is right.
fn check_offsets(layout: &Layout, input: &[u8]) {
    for (line, offset, _, bytes) in read_all(input, Options::new(layout.clone())).expect("no error") {
        let at = offset as usize;
        assert_eq!(&input[at..at + bytes.len()], bytes);
        assert_eq!(line, 1 + newlines(&input[..at]));
    }
}

#[test]
fn lines() {
    check(&csv(), b"", &[]);
    check(&csv(), b"\n\r\n  \n", &[]);
    check(&csv(), b"a,b\r\n\r\nc,\"d\n\x00e\xff\n", &["1@0 a,b", "3@7 c,\"d", "4@12 \0e\u{fffd}"]);
    check(&csv(), b"a\nb", &["1@0 a", "2@2 b"]);
    check(&csv(), b"\xEF\xBB\xBFa\nb\n", &["1@3 a", "2@5 b"]);
}

#[test]
fn json_lines_are_independent() {
    let input = b"{\"a\":1}\n{\"a\":\n{\"a\":\"}\n\n{\"a\":[3]}\nnot json\n{\"a\":4}";
    check(
        &json(),
        input,
        &["1@0 {\"a\":1}", "2@8 {\"a\":", "3@14 {\"a\":\"}", "5@23 {\"a\":[3]}", "6@33 not json", "7@42 {\"a\":4}"],
    );
    check(&json(), b"{\"a\":\n{\"a\":2}\n", &["1@0 {\"a\":", "2@6 {\"a\":2}"]);
    check(&json(), b"{\"a\":1,\n{\"a\":2}\n", &["1@0 {\"a\":1,", "2@8 {\"a\":2}"]);
}

#[test]
fn json_documents() {
    check(&json(), b"[]", &[]);
    check(&json(), b" [ {\"a\":1} ,\n {\"a\":\"]}\\\"\"} ]\n", &["1@3 {\"a\":1}", "2@14 {\"a\":\"]}\\\"\"}"]);
    check(
        &json(),
        b"{\n \"a\": 1,\n \"b\": {\"c\": []}\n}\n{\n \"a\": 2\n}\n",
        &["1@0 {\n \"a\": 1,\n \"b\": {\"c\": []}\n}", "5@29 {\n \"a\": 2\n}"],
    );
    check(&json(), b"{\"a\":1}{\"a\":2}", &["1@0 {\"a\":1}", "1@7 {\"a\":2}"]);
    check(&json(), b"[1, \"x\", {\"a\":1}]", &["1@1 1", "1@4 \"x\"", "1@9 {\"a\":1}"]);
}

#[test]
fn pages() {
    let page =
        b"{\"@odata.context\":\"value\",\"n\":[1],\"value\":[{\"a\":1},{\"value\":[2]}],\"next\":{\"x\":\"]}\"}}\n";
    check(&json(), page, &["1@43 {\"a\":1}", "1@51 {\"value\":[2]}"]);
    let two = [&page[..], &page[..]].concat();
    assert_eq!(read_all(&two, Options::new(json())).expect("no error").len(), 4);
    check(&json(), b"{\n \"calls\": [\n  {\"a\":1}\n ]\n}", &["3@16 {\"a\":1}"]);
    check(&json(), b"{\"value\":\"x\"}\n{\"value\":2}\n", &["1@0 {\"value\":\"x\"}", "2@14 {\"value\":2}"]);
}

/// A broken record in a list ends at the next line that begins one.
#[test]
fn documents_recover() {
    check(
        &json(),
        b"[\n{\"a\":\"1},\n{\"a\":2},\n{\"a\":3,\n{\"a\":4}\n]\n",
        &["2@2 {\"a\":\"1}", "3@12 {\"a\":2}", "4@21 {\"a\":3", "5@29 {\"a\":4}"],
    );
    check(&json(), b"[{\"a\":1", &["1@1 {\"a\":1"]);
}

#[test]
fn documents_in_small_chunks() {
    let page =
        b"{\"n\":[1],\"value\":[{\"a\":1},\n{\"value\":[2,\"\\\\\\\"x\"]}, 7 ],\"next\":{\"x\":\"]}\"}}\n".to_vec();
    let padded = [page.repeat(40), b"[".to_vec(), page.repeat(3), b"]".to_vec()].concat();
    let whole = read_all(&padded, Options::new(json())).expect("no error");
    for step in [1, 2, 3, 17, 1000] {
        let first = padded.len().min(200);
        let options = Options { chunk_bytes: first, ..Options::new(json()) };
        let input = Drip { bytes: padded.clone(), at: 0, step };
        let mut reader = Reader::new(input, "drip", options).expect("opens");
        let mut chunk = Chunk::new();
        let mut all = Vec::new();
        while reader.next_chunk(&mut chunk).expect("no error") {
            all.extend(chunk.iter().map(|(frame, bytes)| (frame.line, frame.offset, frame.kind, bytes.to_vec())));
        }
        assert_eq!(all, whole, "{step}");
    }
}

/// Gives its pieces one by one and panics when asked for more than there are: a pipe that would block.
struct Pipe(Vec<&'static [u8]>);

impl Read for Pipe {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let piece = self.0.remove(0);
        buffer[..piece.len()].copy_from_slice(piece);
        Ok(piece.len())
    }
}

#[test]
fn a_pipe_is_answered_as_soon_as_there_is_a_record() {
    let pieces: Vec<&[u8]> = vec![b"{\"a\":", b"1}\n{\"a\"", b":2}\n"];
    let mut reader = Reader::new(Pipe(pieces), "pipe", Options::new(json())).expect("opens");
    reader.is_live = true;
    let mut chunk = Chunk::new();
    for expected in [&b"{\"a\":1}"[..], b"{\"a\":2}"] {
        assert!(reader.next_chunk(&mut chunk).expect("no error"));
        assert_eq!(chunk.iter().map(|(_, bytes)| bytes).collect::<Vec<_>>(), [expected]);
    }
}

#[test]
fn header_lines_are_put_aside() {
    let layout = Layout::Lines { header_lines: 2 };
    let options = Options { chunk_bytes: 4, ..Options::new(layout) };
    let mut reader = Reader::new(&b"\xEF\xBB\xBFname\r\nTYPE\r\n1\n"[..], "test", options).expect("opens");
    let mut chunk = Chunk::new();
    assert!(reader.next_chunk(&mut chunk).expect("no error"));
    assert_eq!(reader.header(), [b"name".to_vec(), b"TYPE".to_vec()]);
    assert_eq!(chunk.bytes(&chunk.frames()[0]), b"1");
    assert_eq!(chunk.frames()[0].line, 3);
}

/// A 100 MB line costs the memory of a chunk and a head.
#[test]
fn a_record_too_large_is_cut_and_the_next_one_found() {
    let length = 100_000_000_u64;
    for layout in [csv(), json()] {
        let (before, after): (&[u8], &[u8]) =
            if layout == csv() { (b"a\n", b"\nb\n") } else { (b"[{\"a\":1},\n{\"b\":\"", b"\"},{\"a\":2}]") };
        let input = before.chain(io::repeat(b'x').take(length)).chain(after);
        let mut reader = Reader::new(input, "long", Options::new(layout.clone())).expect("opens");
        let mut chunk = Chunk::new();
        let mut found = Vec::new();
        while reader.next_chunk(&mut chunk).expect("no error") {
            assert!(chunk.bytes.capacity() < 8 << 20, "{} bytes held", chunk.bytes.capacity());
            found.extend(chunk.iter().map(|(frame, bytes)| (frame.line, frame.kind, bytes.len())));
        }
        assert_eq!(found.len(), 3, "{found:?}");
        let (line, Kind::TooLarge { length: found_length, .. }, head) = found[1] else { panic!("{found:?}") };
        let around = if layout == csv() { 0 } else { 8 };
        assert_eq!((line, found_length, head), (2, length + around, HEAD_BYTES));
    }
}

#[test]
fn too_large_in_one_chunk_and_over_several_hash_alike() {
    let text = [b"short\n".to_vec(), b"y".repeat(5000), b"\nshort".to_vec()].concat();
    let kinds = |chunk_bytes| -> Vec<Kind> {
        let options = Options { chunk_bytes, max_record_bytes: 1000, ..Options::new(csv()) };
        read_all(&text, options).expect("no error").into_iter().map(|(_, _, kind, _)| kind).collect()
    };
    let whole = kinds(1 << 20);
    assert!(matches!(whole[..], [Kind::Whole, Kind::TooLarge { length: 5000, .. }, Kind::Whole]), "{whole:?}");
    for chunk_bytes in [1, 100, 999, 1001, 4000] {
        assert_eq!(kinds(chunk_bytes), whole, "{chunk_bytes}");
    }
}

#[test]
fn compressed_inputs_are_recognised() {
    let gz = |text: &[u8]| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(text).expect("memory");
        encoder.finish().expect("memory")
    };
    let members = [gz(b"a\nb"), gz(b"c\nd\n")].concat();
    let zst = zstd::encode_all(&b"a\nbc\nd\n"[..], 3).expect("memory");
    for input in [&members, &zst] {
        let all = read_all(input, Options::new(csv())).expect("reads");
        let texts: Vec<&[u8]> = all.iter().map(|(_, _, _, bytes)| bytes.as_slice()).collect();
        assert_eq!(texts, [&b"a"[..], b"bc", b"d"]);
        let error = read_all(&input[..input.len() - 6], Options::new(csv())).expect_err("truncated");
        assert!(error.to_string().starts_with("test, at byte "), "{error}");
    }
}

#[test]
fn utf_16_is_refused_with_advice() {
    for input in [&b"\xFF\xFEa\0"[..], b"\xFE\xFF\0a"] {
        let error = read_all(input, Options::new(csv())).expect_err("UTF-16");
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
        assert!(error.to_string().contains("iconv"), "{error}");
    }
    let missing = Reader::open(Path::new("/no/such/file"), Options::new(csv())).err().expect("missing");
    assert!(missing.to_string().contains("/no/such/file"), "{missing}");
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig { failure_persistence: None, ..Default::default() })]

    /// No byte is lost or counted twice, whatever the bytes and however they are cut.
    #[test]
    fn any_bytes_are_framed_alike_in_any_chunks(
        bytes in proptest::collection::vec(proptest::sample::select(&b"{}[]\",:\\\n\r a1\x00\xff"[..]), 0..300),
        chunk_bytes in 1_usize..40,
    ) {
        for layout in [csv(), json()] {
            let mut options = Options::new(layout.clone());
            let whole = read_all(&bytes, options.clone());
            options.chunk_bytes = chunk_bytes;
            let (Ok(whole), Ok(cut)) = (whole, read_all(&bytes, options)) else { continue };
            if layout == csv() {
                proptest::prop_assert_eq!(whole, cut);
            } else {
                check_offsets(&layout, &bytes);
            }
        }
    }
}

#[test]
fn what_was_read_before_a_fault_comes_before_it() {
    let text: String = (0..5000).map(|line| format!("{{\"line\":{line}}}\n")).collect();
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    Write::write_all(&mut encoder, text.as_bytes()).expect("memory");
    let whole = encoder.finish().expect("memory");
    let cut = std::io::Cursor::new(whole[..whole.len() / 2].to_vec());
    let mut reader = Reader::new(cut, "cut.gz", Options::new(Layout::Json { items: Vec::new() })).expect("a gzip");
    let mut chunk = Chunk::new();
    let mut lines = Vec::new();
    let error = loop {
        match reader.next_chunk(&mut chunk) {
            Ok(true) => lines.extend(chunk.iter().map(|(_, bytes)| bytes.to_vec())),
            Ok(false) => panic!("no fault"),
            Err(error) => break error,
        }
    };
    assert!(error.to_string().starts_with("cut.gz, at byte "), "{error}");
    assert!(lines.len() > 1000, "{}", lines.len());
    // Whole ones only: the last, which was cut, is not among them.
    assert!(text.lines().zip(&lines).all(|(line, read)| line.as_bytes() == read));
}
