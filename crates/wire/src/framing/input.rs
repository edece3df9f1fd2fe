//! The bytes of an input: decompressed, with errors that say which input and where.

use std::io::{self, BufRead, BufReader, Read};

/// Recognises gzip (of any number of members) and zstd by their first bytes.
pub(super) fn decompressed(input: impl Read + Send + 'static) -> io::Result<Box<dyn Read + Send>> {
    let mut input = BufReader::with_capacity(128 << 10, input);
    let first = input.fill_buf()?;
    if first.starts_with(&[0x1F, 0x8B]) {
        return Ok(Box::new(flate2::bufread::MultiGzDecoder::new(input)));
    }
    if first.starts_with(&[0x28, 0xB5, 0x2F, 0xFD]) {
        return Ok(Box::new(zstd::Decoder::with_buffer(input)?));
    }
    Ok(Box::new(input))
}

/// The length of a UTF-8 mark at the beginning.
pub(super) fn byte_order_mark(bytes: &[u8]) -> io::Result<usize> {
    match bytes {
        [0xEF, 0xBB, 0xBF, ..] => Ok(3),
        [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..] => Err(io::Error::new(
            io::ErrorKind::InvalidData,
            "this is UTF-16; save it as UTF-8 (iconv -f UTF-16 -t UTF-8)",
        )),
        _ => Ok(0),
    }
}

pub(super) fn named(error: io::Error, name: &str, offset: u64) -> io::Error {
    io::Error::new(error.kind(), format!("{name}, at byte {offset}: {error}"))
}
