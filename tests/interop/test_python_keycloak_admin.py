"""python-keycloak's admin part, as it comes, against the server named by VESTIBULE_URL."""

import os

import pytest
from keycloak import KeycloakAdmin, KeycloakOpenID, KeycloakOpenIDConnection
from keycloak.exceptions import KeycloakGetError, KeycloakPostError

URL = os.environ["VESTIBULE_URL"] + "/"
REALM = "python"


@pytest.fixture(scope="module")
def admin():
    """The administrator of everything, in a realm of its own."""
    connection = KeycloakOpenIDConnection(
        server_url=URL, username="admin", password="admin", realm_name=REALM, user_realm_name="master", client_id="admin-cli"
    )
    found = KeycloakAdmin(connection=connection)
    tests = {"clientId": "tests", "publicClient": True, "directAccessGrantsEnabled": True}
    found.create_realm({"realm": REALM, "enabled": True, "clients": [tests]})
    yield found
    found.delete_realm(REALM)


def claims(username, password):
    client = KeycloakOpenID(server_url=URL, realm_name=REALM, client_id="tests")
    return client.decode_token(client.token(username, password)["access_token"], check_claims={"typ": "Bearer"})


@pytest.fixture(scope="module")
def user(admin):
    made = admin.create_user(
        {
            "username": "dora",
            "email": "dora@example.com",
            "firstName": "Dora",
            "enabled": True,
            "credentials": [{"type": "password", "value": "dora"}],
        }
    )
    assert admin.get_user_id("dora") == made
    return made


def test_realms_are_listed_and_changed(admin):
    assert REALM in [realm["realm"] for realm in admin.get_realms()]
    admin.update_realm(REALM, {"displayName": "Python"})
    assert admin.get_realm(REALM)["displayName"] == "Python"
    with pytest.raises(KeycloakPostError, match="409"):
        admin.create_realm({"realm": REALM})
    assert b"Conflict" in admin.create_realm({"realm": REALM}, skip_exists=True)


def test_a_user_is_found_changed_and_signs_in(admin, user):
    assert claims("dora", "dora")["sub"] == user
    assert [one["username"] for one in admin.get_users({"search": "dor"})] == ["dora"]
    assert admin.users_count({"email": "dora@"}) == 1
    admin.update_user(user, {"lastName": "Day"})
    assert admin.get_user(user)["lastName"] == "Day"
    admin.set_user_password(user, "changed", temporary=False)
    assert claims("dora", "changed")["name"] == "Dora Day"
    assert len(admin.get_sessions(user)) >= 1
    admin.user_logout(user)
    assert admin.get_sessions(user) == []
    with pytest.raises(KeycloakPostError, match="User exists with same username"):
        admin.create_user({"username": "dora"})
    with pytest.raises(KeycloakGetError, match="User not found"):
        admin.get_user("nobody")


def test_roles_are_given(admin, user):
    admin.create_realm_role({"name": "reader"})
    admin.create_realm_role({"name": "editor"})
    admin.add_composite_realm_roles_to_role("editor", [admin.get_realm_role("reader")])
    admin.assign_realm_roles(user, [admin.get_realm_role("editor")])
    assert "editor" in [role["name"] for role in admin.get_realm_roles_of_user(user)]
    assert {"editor", "reader"} <= set(claims("dora", "changed")["realm_access"]["roles"])
    assert [one["username"] for one in admin.get_realm_role_members("editor")] == ["dora"]
    admin.delete_realm_roles_of_user(user, [admin.get_realm_role("editor")])
    admin.delete_realm_role("editor")
    with pytest.raises(KeycloakGetError, match="Could not find role"):
        admin.get_realm_role("editor")


def test_groups_have_members_and_children(admin, user):
    top = admin.create_group({"name": "north"})
    child = admin.create_group({"name": "east"}, parent=top)
    admin.group_user_add(user, child)
    assert [one["username"] for one in admin.get_group_members(child)] == ["dora"]
    assert admin.get_group_by_path("/north/east")["id"] == child
    assert [one["name"] for one in admin.get_group_children(top)] == ["east"]
    assert [one["path"] for one in admin.get_user_groups(user)] == ["/north/east"]
    admin.assign_group_realm_roles(top, [admin.get_realm_role("reader")])
    assert "reader" in claims("dora", "changed")["realm_access"]["roles"]
    admin.group_user_remove(user, child)
    admin.delete_group(top)
    assert admin.get_groups() == []


def test_a_user_goes(admin, user):
    admin.delete_user(user)
    assert admin.get_user_id("dora") is None
