//! Groups.

use std::collections::BTreeMap;

use super::super::super::entities::Key;
use super::super::super::state::GroupState;
use super::{Merge, given, put};
use crate::keycloak::representation::{GroupRepresentation, RealmRepresentation};
use crate::keycloak::{Beside, group};
use crate::protocol::group_path;
use crate::protocol::role::Group;

impl Merge {
    pub(super) fn groups(&mut self, representation: &RealmRepresentation) {
        for group in representation.groups.iter().flatten() {
            self.group(group, None, "");
        }
        if let Some(paths) = &representation.default_groups {
            self.default_groups(paths);
        }
    }

    /// The groups that new users are put into.
    fn default_groups(&mut self, paths: &[String]) {
        let mut ids = Vec::with_capacity(paths.len());
        for path in paths {
            let exact = self.groups.iter().find(|one| one.group.path == *path);
            let found =
                exact.or_else(|| self.groups.iter().find(|one| group_path::plain(&one.group.path) == *path));
            match found {
                Some(one) => ids.push(one.group.id.clone()),
                None => {
                    self.notes.insert(format!("new users are put into no group `{path}`: there is none"));
                }
            }
        }
        self.realm.settings.default_groups = ids;
    }

    fn group(&mut self, representation: &GroupRepresentation, parent: Option<&str>, above: &str) {
        let Some(name) = representation.name.clone().filter(|name| !name.is_empty()) else { return };
        let path = group_path::below(above, &name);
        self.named.insert(Key::Group(path.clone()));
        let there = self.groups.iter().position(|one| one.group.path == path);
        let before = there.and_then(|at| self.groups.get(at)).cloned();
        let (base, mut roles) = match before {
            Some(before) => (before.group, before.roles),
            None => {
                let group = Group {
                    id: given(representation.id.as_deref()),
                    realm_id: self.realm.id.clone(),
                    parent: parent.map(str::to_owned),
                    name,
                    path: path.clone(),
                    attributes: BTreeMap::new(),
                };
                (group, Vec::new())
            }
        };
        let (record, kept) = group::from_representation(representation.clone(), base);
        self.without_effect.note("groups", &kept);
        let id = record.id.clone();
        self.keep(Beside::Group, &id, kept);
        if representation.realm_roles.is_some() || representation.client_roles.is_some() {
            let realm = representation.realm_roles.clone().unwrap_or_default();
            let clients = representation.client_roles.clone().unwrap_or_default();
            roles = self.role_ids(&realm, &clients).into_iter().collect();
        }
        put(&mut self.groups, there, GroupState { group: record, roles });
        for below in representation.sub_groups.iter().flatten() {
            self.group(below, Some(&id), &path);
        }
    }
}
