//! "Did you mean": the known name that a mistyped one is nearest to.

/// The nearest of `known`, when it is near enough to be what was meant.
pub(super) fn nearest<'a>(typed: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let typed = plain(typed);
    let (distance, name) = known.into_iter().map(|name| (distance(&typed, &plain(name)), name)).min()?;
    (distance <= (typed.chars().count() / 3).clamp(1, 3)).then_some(name)
}

/// `redirectUris`, `redirect-uris` and `redirect_uris` are one name.
fn plain(name: &str) -> String {
    name.chars().take(64).filter(|c| !matches!(c, '_' | '-')).flat_map(char::to_lowercase).collect()
}

/// Edits (insert, delete, replace, swap neighbours) from one name to the other.
fn distance(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=to.len()).collect();
    let mut previous = None;
    for (row, from_char) in from.chars().enumerate() {
        let mut current = vec![row + 1];
        for (column, to_char) in to.iter().enumerate() {
            let cell = |line: &[usize], at: usize| line.get(at).copied().unwrap_or(usize::MAX - 1);
            let mut best = (cell(&last, column) + usize::from(from_char != *to_char))
                .min(cell(&last, column + 1) + 1)
                .min(cell(&current, column) + 1);
            if column > 0 && previous == Some(*to_char) && to.get(column - 1) == Some(&from_char) {
                best = best.min(cell(&before_last, column - 1) + 1);
            }
            current.push(best);
        }
        before_last = std::mem::replace(&mut last, current);
        previous = Some(from_char);
    }
    last.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn the_name_that_was_meant() {
        let known = ["redirect_uris", "grants", "roles", "id", "secret", "web_origins"];
        for (typed, expected) in [
            ("redirect_uri", Some("redirect_uris")),
            ("redirectUris", Some("redirect_uris")),
            ("rediret_uirs", Some("redirect_uris")),
            ("grant", Some("grants")),
            ("rloes", Some("roles")),
            ("ID", Some("id")),
            ("weborigin", Some("web_origins")),
            ("password", None),
            ("x", None),
            ("", None),
        ] {
            assert_eq!(nearest(typed, known), expected, "{typed}");
        }
    }
}
