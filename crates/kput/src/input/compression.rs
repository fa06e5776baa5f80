//! Input that is compressed is recognised by its first bytes.

use std::io::{self, BufReader, Cursor, Read};

/// First bytes of gzip (RFC 1952, 2.3.1).
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// First bytes of a Zstandard frame (RFC 8878, 3.1.1).
const ZSTD: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// The content of `from`, unpacked when it is gzip or Zstandard.
pub(super) fn unpack(mut from: Box<dyn Read + Send>) -> io::Result<Box<dyn Read + Send>> {
    let mut head = Vec::with_capacity(ZSTD.len());
    // One byte more only while a magic number is still possible: a slow pipe is not held up for nothing.
    while head.len() < ZSTD.len() && (ZSTD.starts_with(&head) || GZIP.starts_with(&head)) {
        let mut byte = [0];
        match from.read(&mut byte) {
            Ok(0) => break,
            Ok(_) => head.extend_from_slice(&byte),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    let kind = (head.starts_with(&GZIP), head == ZSTD);
    let whole = Cursor::new(head).chain(from);
    Ok(match kind {
        (true, _) => Box::new(flate2::bufread::MultiGzDecoder::new(BufReader::new(whole))),
        (_, true) => Box::new(zstd::stream::read::Decoder::new(whole)?),
        _ => Box::new(whole),
    })
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Read, Write};

    use super::unpack;

    fn unpacked(bytes: Vec<u8>) -> std::io::Result<Vec<u8>> {
        let mut out = Vec::new();
        unpack(Box::new(Cursor::new(bytes)))?.read_to_end(&mut out)?;
        Ok(out)
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn recognises_what_is_compressed() {
        let text = b"one\ntwo\n".repeat(1000);
        assert_eq!(unpacked(gzip(&text)).unwrap(), text);
        assert_eq!(unpacked(zstd::encode_all(&*text, 1).unwrap()).unwrap(), text);
        assert_eq!(unpacked([gzip(b"a"), gzip(b"b")].concat()).unwrap(), b"ab", "members in a row");
    }

    #[test]
    fn leaves_everything_else_alone() {
        for text in [&b""[..], b"(", b"\x1f", b"(\xb5/", b"{\"a\":1}\n"] {
            assert_eq!(unpacked(text.to_vec()).unwrap(), text);
        }
    }

    #[test]
    fn a_torn_file_is_an_error_not_an_end() {
        let text = b"some text that is long enough".repeat(100);
        let mut torn = gzip(&text);
        torn.truncate(torn.len() - 9);
        assert!(unpacked(torn).is_err());
        let mut torn = zstd::encode_all(&*text, 1).unwrap();
        torn.truncate(torn.len() - 3);
        assert!(unpacked(torn).is_err());
    }
}
