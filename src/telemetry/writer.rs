//! One event, one line: nothing that a client sent can begin a line or move a terminal's cursor.

use std::io::{self, Write};

/// Writes each event with its inner control characters escaped. The formatter above hands over one whole event
/// per call, which ends in the only newline that stays.
pub(super) struct OneLine<W>(pub(super) W);

impl<W: Write> Write for OneLine<W> {
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        self.write_all(event)?;
        Ok(event.len())
    }

    fn write_all(&mut self, event: &[u8]) -> io::Result<()> {
        let (line, end): (&[u8], &[u8]) = match event.split_last() {
            Some((b'\n', line)) => (line, b"\n"),
            _ => (event, b""),
        };
        if !line.iter().any(|byte| is_suspect(*byte)) {
            return self.0.write_all(event);
        }
        let mut escaped = String::with_capacity(event.len().saturating_add(16));
        for char in String::from_utf8_lossy(line).chars() {
            if char.is_control() { escaped.extend(char.escape_default()) } else { escaped.push(char) }
        }
        self.0.write_all(escaped.as_bytes())?;
        self.0.write_all(end)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// A control character of ASCII, or the first byte of U+0080 to U+00BF, among which are C1's.
fn is_suspect(byte: u8) -> bool {
    byte < 0x20 || byte == 0x7f || byte == 0xc2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines() {
        let rows: [(&str, &[u8], &str); 6] = [
            ("plain", b"user alice\n", "user alice\n"),
            ("newline inside", b"user a\nERROR forged\n", "user a\\nERROR forged\n"),
            ("carriage return", b"a\rb\n", "a\\rb\n"),
            ("escape sequence", b"a\x1b[2Jb\n", "a\\u{1b}[2Jb\n"),
            ("C1 control", "a\u{9b}b\n".as_bytes(), "a\\u{9b}b\n"),
            ("letters of other scripts", "é \u{a0}字\n".as_bytes(), "é \u{a0}字\n"),
        ];
        for (name, event, expected) in rows {
            let mut out = Vec::new();
            OneLine(&mut out).write_all(event).unwrap();
            assert_eq!(String::from_utf8(out).unwrap(), expected, "{name}");
        }
    }

    #[test]
    fn the_text_formatter_goes_through_it_whole() {
        use std::sync::{Arc, Mutex};
        #[derive(Clone, Default)]
        struct Shared(Arc<Mutex<Vec<u8>>>);
        impl Write for Shared {
            fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
                self.0.lock().unwrap().extend_from_slice(bytes);
                Ok(bytes.len())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let out = Shared::default();
        let made = out.clone();
        let subscriber =
            tracing_subscriber::fmt().with_ansi(false).with_writer(move || OneLine(made.clone())).finish();
        tracing::subscriber::with_default(subscriber, || {
            tracing::info!(name = %"a\nforged\x1b[31m", "sign-in of {}", "b\r\nforged");
        });
        let text = String::from_utf8(out.0.lock().unwrap().clone()).unwrap();
        assert_eq!(text.matches('\n').count(), 1, "{text:?}");
        assert!(text.ends_with('\n') && !text.contains(['\r', '\x1b']), "{text:?}");
    }
}
