//! Lists of groups: at the top, below one, what a search leads to.

use std::collections::BTreeSet;

use serde_json::json;

use super::super::answer::{AdminError, Answer, told};
use super::super::call::Call;
use super::super::users;
use super::{missing, tree_of};
use crate::keycloak::Kept;
use crate::keycloak::group::brief;
use crate::keycloak::representation::GroupRepresentation;
use crate::protocol::group_tree::GroupTree;
use crate::protocol::role::Group;

/// The groups at the top; with `search`, the paths to groups whose name fits. Those below are in the list of their parent
/// unless the search led to them.
pub(in super::super) async fn list(call: Call) -> Answer {
    let (tree, page) = (tree_of(&call).await?, call.server.page(i64::MAX)?);
    let found = found(&call, &tree)?;
    let flat = call.server.flag("populateHierarchy")? == Some(false);
    // A group that was found brings those above it.
    let found = found.map(|found| if flat { found } else { with_those_above(&tree, &found) });
    let within = |group: &&Group| match &found {
        None => group.parent.is_none(),
        Some(found) => (flat || group.parent.is_none()) && found.contains(group.id.as_str()),
    };
    let mut shown = Vec::new();
    for group in page.of(tree.iter().filter(within).collect()) {
        shown.push(listed(&call, &tree, group, found.as_ref().filter(|_| !flat))?);
    }
    told(&shown)
}

/// Identifiers of the groups that `search` and `q` find; none when neither is asked.
fn found<'a>(call: &Call, tree: &'a GroupTree) -> Result<Option<BTreeSet<&'a str>>, AdminError> {
    let (search, q) = (call.server.query.get("search"), call.server.query.get("q"));
    if search.is_none() && q.is_none() {
        return Ok(None);
    }
    let exact = call.server.flag("exact")? == Some(true);
    let (search, q) = (search.unwrap_or_default().to_lowercase(), users::attributes(q.unwrap_or_default())?);
    let fits = |group: &&Group| {
        let name = group.name.to_lowercase();
        (if exact { search.is_empty() || name == search } else { name.contains(&search) })
            && q.iter().all(|(key, value)| {
                group.attributes.get(key).is_some_and(|values| values.iter().any(|own| own == value))
            })
    };
    Ok(Some(tree.iter().filter(fits).map(|group| group.id.as_str()).collect()))
}

fn with_those_above<'a>(tree: &'a GroupTree, found: &BTreeSet<&str>) -> BTreeSet<&'a str> {
    found.iter().flat_map(|id| tree.with_those_above(id)).map(|group| group.id.as_str()).collect()
}

/// A group as lists show it, with those below it that a search led to.
fn listed(
    call: &Call,
    tree: &GroupTree,
    group: &Group,
    found: Option<&BTreeSet<&str>>,
) -> Result<GroupRepresentation, AdminError> {
    let mut shown = brief(group, Kept::new());
    if call.server.flag("briefRepresentation")? == Some(false) {
        shown.attributes = Some(group.attributes.clone());
    }
    shown.sub_group_count = i64::try_from(tree.children(&group.id).count()).ok();
    let mut led_to = Vec::new();
    if let Some(found) = found {
        for child in tree.children(&group.id).filter(|child| found.contains(child.id.as_str())) {
            led_to.push(listed(call, tree, child, Some(found))?);
        }
    }
    shown.sub_groups = Some(led_to);
    Ok(shown)
}

/// How many groups there are; with `top`, at the top.
pub(in super::super) async fn count(call: Call) -> Answer {
    let tree = tree_of(&call).await?;
    let found = found(&call, &tree)?;
    let top = call.server.flag("top")? == Some(true);
    let counted = tree.iter().filter(|group| {
        found.as_ref().is_none_or(|found| found.contains(group.id.as_str()))
            && !(top && group.parent.is_some())
    });
    told(&json!({ "count": counted.count() }))
}

/// The groups directly below one.
pub(in super::super) async fn children(call: Call) -> Answer {
    let (tree, page) = (tree_of(&call).await?, call.server.page(users::USUAL)?);
    let parent = tree.by_id(call.part("group")).ok_or_else(missing)?;
    let search = call.server.query.get("search").map(str::to_lowercase).unwrap_or_default();
    let fits = |group: &&Group| group.name.to_lowercase().contains(&search);
    let mut shown = Vec::new();
    for group in page.of(tree.children(&parent.id).filter(fits).collect()) {
        shown.push(listed(&call, &tree, group, None)?);
    }
    told(&shown)
}
