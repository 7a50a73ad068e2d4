//! Paths of groups: the names from the top, each behind a slash. A slash of a name is written `~/`, as Keycloak writes it when
//! it is told to (`escape-slashes-in-group-path`), so that a path is of one group.

use std::borrow::Cow;

/// The path of the group `name` below the group of the path `above`, which is empty at the top.
#[must_use]
pub fn below(above: &str, name: &str) -> String {
    format!("{above}/{}", name.replace('/', "~/"))
}

/// The path of the group above, and the name of the group itself.
#[must_use]
pub fn split(path: &str) -> (&str, Cow<'_, str>) {
    let parts = |(at, _): (usize, &str)| Some((path.get(..at)?, path.get(at..)?.strip_prefix('/')?));
    let parting =
        path.rmatch_indices('/').find(|(at, _)| !path.get(..*at).is_some_and(|before| before.ends_with('~')));
    let (above, name) = parting.and_then(parts).unwrap_or(("", path));
    let name = if name.contains("~/") { Cow::Owned(name.replace("~/", "/")) } else { Cow::Borrowed(name) };
    (above, name)
}

/// The name of the group of a path.
#[must_use]
pub fn name(path: &str) -> Cow<'_, str> {
    split(path).1
}

/// The names from the top.
#[must_use]
pub fn names(path: &str) -> Vec<Cow<'_, str>> {
    let mut names = Vec::new();
    let mut rest = path;
    while !rest.is_empty() {
        let (above, name) = split(rest);
        names.push(name);
        rest = above;
    }
    names.reverse();
    names
}

/// The path as Keycloak writes it unless it is told otherwise, where two groups may have the same.
#[must_use]
pub fn plain(path: &str) -> String {
    path.replace("~/", "/")
}

/// What is wrong with the name of a new group.
#[must_use]
pub fn name_problem(name: &str) -> Option<&'static str> {
    if name.chars().any(char::is_control) {
        return Some("a group's name holds no control characters");
    }
    name.ends_with('~')
        .then_some("a group's name does not end in `~`, which hides the slash after it in paths")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_of_one_group() {
        for (names_from_top, path) in [
            (&["staff"][..], "/staff"),
            (&["staff", "board"], "/staff/board"),
            (&["a/b"], "/a~/b"),
            (&["a/b", "c", "/d/"], "/a~/b/c/~/d~/"),
            (&["~a", "b"], "/~a/b"),
        ] {
            let made = names_from_top.iter().fold(String::new(), |above, name| below(&above, name));
            assert_eq!(made, path);
            assert_eq!(names(path), names_from_top, "{path}");
            assert_eq!(name(path), *names_from_top.last().unwrap(), "{path}");
        }
        assert_eq!(plain("/a~/b/c"), "/a/b/c");
    }

    #[test]
    fn names_that_are_refused() {
        for (name, refused) in [("a/b", false), ("~", true), ("a~", true), ("a\tb", true), ("~a", false)] {
            assert_eq!(name_problem(name).is_some(), refused, "{name:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn nothing_panics_and_every_path_comes_to_an_end(path in "\\PC{0,40}") {
            let _ = names(&path);
        }
    }
}
