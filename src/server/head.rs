//! Two framings in one request header: what a smuggled request hides behind.
//!
//! The parser below us drops `Content-Length` when there is a `Transfer-Encoding`, and merges equal
//! `Content-Length` fields, before anybody can see it. A proxy in front may have decided otherwise, so such a
//! request is refused (RFC 9112 §6.1, §6.3). The scan looks at names at the start of lines and nothing more.

use std::io::BufRead;

/// A name longer than this is none that we look for.
const LONGEST: usize = 18;

/// Reads the bytes of one header as they come.
#[derive(Debug, Default)]
pub struct HeadScan {
    name: [u8; LONGEST],
    /// Bytes of the line's name so far; past [`LONGEST`] it stands still.
    seen: usize,
    in_value: bool,
    /// A line with something in it was seen; blank lines before the request line do not end the header
    /// (RFC 9112 §2.2).
    begun: bool,
    finished: bool,
    lengths: u32,
    encodings: u32,
}

impl HeadScan {
    /// Reads on. After the blank line that ends the header, nothing more is read.
    pub fn feed(&mut self, mut bytes: &[u8]) {
        while let (false, Some((&byte, rest))) = (self.finished, bytes.split_first()) {
            if self.in_value {
                let whole = bytes;
                // Unlike a look at each byte in turn, this looks at many at once.
                let read = bytes.skip_until(b'\n').unwrap_or(0);
                if whole.get(..read).is_none_or(|line| !line.ends_with(b"\n")) {
                    return;
                }
                self.in_value = false;
                self.seen = 0;
                continue;
            }
            bytes = rest;
            if self.seen == 0 && !matches!(byte, b':' | b'\r' | b'\n' | b'c' | b'C' | b't' | b'T') {
                // The line of no name that we look for.
                self.begun = true;
                self.in_value = true;
                continue;
            }
            match byte {
                b'\n' if self.seen == 0 => self.finished = self.begun,
                // A line without a colon: the request line.
                b'\n' => self.seen = 0,
                b'\r' => {}
                b':' => self.name_ended(),
                other => {
                    self.begun = true;
                    if let Some(slot) = self.name.get_mut(self.seen) {
                        *slot = other.to_ascii_lowercase();
                    }
                    self.seen = self.seen.saturating_add(1).min(LONGEST);
                }
            }
        }
    }

    /// Whether the header frames its body in two ways.
    #[must_use]
    pub fn conflicts(&self) -> bool {
        self.lengths > 1 || self.encodings > 1 || (self.lengths > 0 && self.encodings > 0)
    }

    fn name_ended(&mut self) {
        match self.name.get(..self.seen).unwrap_or_default() {
            b"content-length" => self.lengths = self.lengths.saturating_add(1),
            b"transfer-encoding" => self.encodings = self.encodings.saturating_add(1),
            _ => {}
        }
        self.in_value = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn framings() {
        let rows = [
            ("neither", "GET / HTTP/1.1\r\nHost: a\r\n\r\n", false),
            ("length", "POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\n", false),
            ("chunked", "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", false),
            ("both", "POST / HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", true),
            (
                "both, other order",
                "POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\nCONTENT-LENGTH: 5\r\n\r\n",
                true,
            ),
            (
                "both, bare newlines",
                "POST / HTTP/1.1\nContent-Length: 5\nTransfer-Encoding: chunked\n\n",
                true,
            ),
            ("two equal lengths", "POST / HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n", true),
            (
                "in a value",
                "POST / HTTP/1.1\r\nContent-Length: 5\r\nX: Transfer-Encoding: chunked\r\n\r\n",
                false,
            ),
            ("in the body", "POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\nContent-Length: 5\r\n", false),
            (
                "other letters first",
                "POST / HTTP/1.1\r\nXContent-Length: 5\r\nContent-Length: 5\r\n\r\n",
                false,
            ),
            ("upper case", "POST / HTTP/1.1\r\nCONTENT-LENGTH: 5\r\nTRANSFER-ENCODING: x\r\n\r\n", true),
            ("after a stray return", "POST / HTTP/1.1\r\n\rContent-Length: 5\nContent-Length: 5\n\n", true),
            ("after a colon", ":\n\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n", true),
            ("longer name", "POST / HTTP/1.1\r\nContent-Length: 5\r\nContent-Length-X: 5\r\n\r\n", false),
            (
                "blank line first",
                "\r\n\r\nGET / HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n",
                true,
            ),
            (
                "colon in the target",
                "GET http://content-length:80/ HTTP/1.1\r\nContent-Length: 5\r\n\r\n",
                false,
            ),
        ];
        for (name, text, conflicts) in rows {
            for size in [1, 7, text.len()] {
                let mut scan = HeadScan::default();
                text.as_bytes().chunks(size).for_each(|chunk| scan.feed(chunk));
                assert_eq!(scan.conflicts(), conflicts, "{name} in pieces of {size}");
            }
        }
    }
}
