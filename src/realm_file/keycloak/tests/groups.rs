//! Groups of a file of Keycloak's, and who is in them.

use super::*;

/// Keycloak writes a slash of a group's name into paths as it is, or as `~/` when it is told to.
#[tokio::test]
async fn groups_with_a_slash_in_the_name_are_found_by_either_way_to_write_it() {
    let file = json!({
        "realm": "r", "groups": [{ "name": "a/b", "subGroups": [{ "name": "c" }] }, { "name": "a", "subGroups": [{ "name": "b" }] }],
        "defaultGroups": ["/a/b/c"],
        "users": [
            { "username": "plain", "groups": ["/a/b/c"] }, { "username": "escaped", "groups": ["/a~/b/c"] },
            { "username": "own", "groups": ["/a/b"] },
        ],
    });
    let (place, state) = Place::with(&file.to_string()).await;
    let path = |id: &String| state.groups.iter().find(|one| one.group.id == *id).unwrap().group.path.clone();
    for (name, expected) in [("plain", "/a~/b/c"), ("escaped", "/a~/b/c"), ("own", "/a/b")] {
        let user = state.users.iter().find(|one| one.user.username == name).unwrap();
        assert_eq!(user.groups.iter().map(path).collect::<Vec<_>>(), [expected], "{name}");
    }
    assert_eq!(state.realm.settings.default_groups.iter().map(path).collect::<Vec<_>>(), ["/a~/b/c"]);
    assert!(place.plan(&file.to_string(), false).await.unwrap().is_empty(), "the same again");
    let exported = place.export("r", ALL).await;
    assert!(place.plan(&exported, true).await.unwrap().is_empty(), "{exported}");
}
