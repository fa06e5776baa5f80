//! Cuts a byte stream at a delimiter, whatever the size of its pieces, in bounded memory.

use std::io::{self, Read};

use memchr::memchr;

/// Bytes asked for at once: a file gives as many, a pipe on Linux half of them.
const READ_BYTES: usize = 128 * 1024;

/// A piece between two delimiters.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Frame<'bytes> {
    /// The bytes, without the delimiter.
    Whole(&'bytes [u8]),
    /// It was longer than allowed: only its length is known.
    TooLong(usize),
}

/// Splits what `Read` gives.
pub(super) struct Splitter {
    /// None: everything is one frame.
    delimiter: Option<u8>,
    longest: usize,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    /// Bytes of a frame that is too long, thrown away so far.
    thrown: Option<usize>,
    over: bool,
    any: bool,
}

impl Splitter {
    pub(super) fn new(delimiter: Option<u8>, longest: usize) -> Self {
        Self {
            delimiter,
            longest,
            buffer: vec![0; READ_BYTES],
            start: 0,
            end: 0,
            thrown: None,
            over: false,
            any: false,
        }
    }

    /// Reads once. False at the end of the input.
    pub(super) fn fill(&mut self, from: &mut dyn Read) -> io::Result<bool> {
        if self.start > 0 {
            self.buffer.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        if self.end > self.longest {
            self.thrown = Some(self.thrown.unwrap_or(0) + self.end);
            self.end = 0;
        }
        if self.end == self.buffer.len() {
            self.buffer.resize((self.buffer.len() * 2).min(self.longest + READ_BYTES), 0);
        }
        let read = loop {
            match from.read(self.buffer.get_mut(self.end..).unwrap_or_default()) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                other => break other?,
            }
        };
        self.end += read;
        self.any |= read > 0;
        self.over = read == 0;
        Ok(read > 0)
    }

    /// The next frame of what was read, or None when more has to be read first.
    pub(super) fn next(&mut self) -> Option<Frame<'_>> {
        let rest = self.buffer.get(self.start..self.end)?;
        let found = self.delimiter.and_then(|delimiter| memchr(delimiter, rest));
        let (length, skip) = match found {
            Some(length) => (length, length + 1),
            None if self.over && self.has_tail() => (rest.len(), rest.len()),
            None => return None,
        };
        let start = self.start;
        self.start += skip;
        if found.is_none() {
            self.any = false;
        }
        let thrown = self.thrown.take().unwrap_or(0);
        if thrown + length > self.longest {
            return Some(Frame::TooLong(thrown + length));
        }
        self.buffer.get(start..start + length).map(Frame::Whole)
    }

    /// Whether a last frame without a delimiter is there. Without a delimiter, any input is a frame, an empty one is not.
    fn has_tail(&self) -> bool {
        self.end > self.start || self.thrown.is_some() || (self.delimiter.is_none() && self.any)
    }
}

#[cfg(test)]
mod tests {
    use std::io::{self, Read};

    use super::{Frame, Splitter};

    /// Gives a few bytes at a time.
    struct Drip<'a>(&'a [u8], usize);

    impl Read for Drip<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let length = self.1.min(self.0.len()).min(buffer.len());
            let (now, later) = self.0.split_at(length);
            buffer[..length].copy_from_slice(now);
            self.0 = later;
            Ok(length)
        }
    }

    fn frames(
        input: &[u8],
        delimiter: Option<u8>,
        longest: usize,
        drip: usize,
    ) -> Vec<Result<Vec<u8>, usize>> {
        let mut from = Drip(input, drip);
        let mut splitter = Splitter::new(delimiter, longest);
        let mut frames = Vec::new();
        loop {
            let more = splitter.fill(&mut from).unwrap();
            while let Some(frame) = splitter.next() {
                frames.push(match frame {
                    Frame::Whole(bytes) => Ok(bytes.to_vec()),
                    Frame::TooLong(length) => Err(length),
                });
            }
            if !more {
                return frames;
            }
        }
    }

    #[test]
    fn cuts_the_same_however_the_bytes_come() {
        for drip in [1, 2, 3, 7, 1000] {
            let cut = |input: &[u8]| {
                let lines = frames(input, Some(b'\n'), 1000, drip);
                lines.into_iter().map(|line| String::from_utf8(line.unwrap()).unwrap()).collect::<Vec<_>>()
            };
            assert_eq!(cut(b"a\nbb\n\nccc"), ["a", "bb", "", "ccc"], "{drip}");
            assert_eq!(cut(b"a\n"), ["a"], "{drip}");
            assert!(cut(b"").is_empty(), "{drip}");
            assert_eq!(cut(b"\n"), [""], "{drip}");
        }
    }

    #[test]
    fn a_frame_that_is_too_long_is_told_and_the_next_one_is_whole() {
        let long = 300_000;
        let mut input = vec![b'x'; long];
        input.extend_from_slice(b"\nok\n");
        for drip in [1000, 100_000] {
            assert_eq!(frames(&input, Some(b'\n'), 1000, drip), [Err(long), Ok(b"ok".to_vec())]);
        }
        assert_eq!(frames(&input[..long], Some(b'\n'), 1000, 1000), [Err(long)]);
    }

    #[test]
    fn a_frame_of_exactly_the_longest_length_passes() {
        let input = vec![b'x'; 200_000];
        assert_eq!(frames(&input, None, 200_000, 4096), [Ok(input.clone())]);
        assert_eq!(frames(&input, None, 199_999, 4096), [Err(200_000)]);
        assert!(frames(b"", None, 10, 1).is_empty());
    }
}
