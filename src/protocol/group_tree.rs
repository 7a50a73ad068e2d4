//! The groups of a realm as a tree: what is above a group, and what is below it.

use std::collections::{HashMap, HashSet};

use super::role::Group;

/// Every group of a realm. Each is found without a look at the others.
#[derive(Clone, Debug, Default)]
pub struct GroupTree {
    groups: Vec<Group>,
    by_id: HashMap<String, usize>,
    below: HashMap<String, Vec<usize>>,
}

impl GroupTree {
    /// The tree of these groups, which keep their order.
    #[must_use]
    pub fn new(groups: Vec<Group>) -> Self {
        let by_id = groups.iter().enumerate().map(|(at, group)| (group.id.clone(), at)).collect();
        let mut below: HashMap<String, Vec<usize>> = HashMap::new();
        for (at, group) in groups.iter().enumerate() {
            if let Some(parent) = &group.parent {
                below.entry(parent.clone()).or_default().push(at);
            }
        }
        Self { groups, by_id, below }
    }

    /// All of them, in their order.
    pub fn iter(&self) -> impl Iterator<Item = &Group> {
        self.groups.iter()
    }

    /// The group with this identifier.
    #[must_use]
    pub fn by_id(&self, id: &str) -> Option<&Group> {
        self.groups.get(*self.by_id.get(id)?)
    }

    /// Those directly below a group (its `id`), in their order.
    pub fn children(&self, id: &str) -> impl DoubleEndedIterator<Item = &Group> {
        self.below.get(id).into_iter().flatten().filter_map(|at| self.groups.get(*at))
    }

    /// A group (its `id`) and those above it, nearest first.
    pub fn with_those_above(&self, id: &str) -> impl Iterator<Item = &Group> {
        // No longer than there are groups, should two be above each other.
        std::iter::successors(self.by_id(id), |group| self.by_id(group.parent.as_deref()?))
            .take(self.groups.len())
    }

    /// A group (its `id`) and all below it, each once and after its parent.
    #[must_use]
    pub fn with_those_below(&self, id: &str) -> Vec<&Group> {
        let (mut found, mut seen) = (Vec::new(), HashSet::new());
        let mut next: Vec<&Group> = self.by_id(id).into_iter().collect();
        while let Some(group) = next.pop() {
            if seen.insert(group.id.as_str()) {
                found.push(group);
                next.extend(self.children(&group.id).rev());
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(id: &str, parent: Option<&str>) -> Group {
        let (id, parent) = (id.to_owned(), parent.map(str::to_owned));
        let (realm_id, attributes) = ("main".to_owned(), Default::default());
        Group { name: id.clone(), path: format!("/{id}"), id, realm_id, parent, attributes }
    }

    fn ids<'a>(groups: impl IntoIterator<Item = &'a Group>) -> String {
        groups.into_iter().map(|group| group.id.as_str()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn what_is_above_and_below() {
        let parents = [
            ("a", None),
            ("b", Some("a")),
            ("c", Some("b")),
            ("d", Some("b")),
            ("e", Some("a")),
            ("f", None),
        ];
        let tree = GroupTree::new(parents.map(|(id, parent)| group(id, parent)).into());
        for (id, children, above, below) in [
            ("a", "b e", "a", "a b c d e"),
            ("b", "c d", "b a", "b c d"),
            ("c", "", "c b a", "c"),
            ("f", "", "f", "f"),
            ("none", "", "", ""),
        ] {
            assert_eq!(ids(tree.children(id)), children, "below {id}");
            assert_eq!(ids(tree.with_those_above(id)), above, "{id} and above");
            assert_eq!(ids(tree.with_those_below(id)), below, "{id} and below");
        }
        assert_eq!(ids(tree.iter()), "a b c d e f");
    }

    #[test]
    fn groups_above_each_other_come_to_an_end() {
        let tree = GroupTree::new(vec![group("a", Some("b")), group("b", Some("a"))]);
        assert_eq!(ids(tree.with_those_above("a")), "a b");
        assert_eq!(ids(tree.with_those_below("a")), "a b");
    }
}
