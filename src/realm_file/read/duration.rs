//! Spans of time as people write them.

/// Seconds of `90s`, `5m`, `1h30m`, `7d`, `300`; none when it cannot be read or is too long to count.
pub(crate) fn seconds(text: &str) -> Option<i64> {
    if let Ok(seconds) = text.parse::<i64>() {
        return Some(seconds);
    }
    let mut rest = text;
    let mut total = 0_i64;
    let mut largest = i64::MAX;
    while !rest.is_empty() {
        let (digits, after) = rest.split_at(rest.find(|c: char| !c.is_ascii_digit())?);
        let unit = after.chars().next()?;
        let length = match unit {
            's' => 1,
            'm' => 60,
            'h' => 3_600,
            'd' => 86_400,
            _ => return None,
        };
        // Units go from large to small, each once: "1h30m", not "30m1h".
        if length >= largest {
            return None;
        }
        largest = length;
        total = total.checked_add(digits.parse::<i64>().ok()?.checked_mul(length)?)?;
        rest = after.get(1..)?;
    }
    (largest != i64::MAX).then_some(total)
}

/// The shortest way to write a span: whole days, hours or minutes where they fit, else seconds.
#[must_use]
pub(in super::super) fn written(seconds: i64) -> String {
    for (length, unit) in [(86_400, 'd'), (3_600, 'h'), (60, 'm')] {
        if seconds >= length && seconds % length == 0 {
            return format!("{}{unit}", seconds / length);
        }
    }
    format!("{seconds}s")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans() {
        for (text, expected) in [
            ("90s", Some(90)),
            ("5m", Some(300)),
            ("1h30m", Some(5_400)),
            ("30d", Some(2_592_000)),
            ("300", Some(300)),
            ("0s", Some(0)),
            ("", None),
            ("m", None),
            ("5", Some(5)),
            ("5 m", None),
            ("5min", None),
            ("30m1h", None),
            ("1m1m", None),
            ("1h30", None),
            ("-5m", None),
            ("99999999999999999d", None),
        ] {
            assert_eq!(seconds(text), expected, "{text:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn what_is_written_is_read(span in 0..i64::MAX / 2) {
            proptest::prop_assert_eq!(seconds(&written(span)), Some(span));
        }

        #[test]
        fn nothing_panics(text in "\\PC{0,12}|[0-9smhd]{0,30}") {
            let _ = seconds(&text);
        }
    }
}
