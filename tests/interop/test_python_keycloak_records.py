"""python-keycloak's admin part: clients, client scopes, mappers, composites, and what stands beside them in a realm."""

import json
import os
import urllib.request

import pytest
from keycloak import KeycloakAdmin, KeycloakOpenID, KeycloakOpenIDConnection
from keycloak.exceptions import KeycloakError, KeycloakGetError, KeycloakPostError

URL = os.environ["VESTIBULE_URL"] + "/"
REALM = "python-records"
EVERYWHERE = {"access.token.claim": "true", "id.token.claim": "true", "userinfo.token.claim": "true"}


@pytest.fixture(scope="module")
def admin():
    """The administrator of everything, in a realm of its own."""
    connection = KeycloakOpenIDConnection(
        server_url=URL, username="admin", password="admin", realm_name=REALM, user_realm_name="master", client_id="admin-cli"
    )
    found = KeycloakAdmin(connection=connection)
    tests = {"clientId": "tests", "publicClient": True, "directAccessGrantsEnabled": True}
    found.create_realm({"realm": REALM, "enabled": True, "bruteForceProtected": True, "clients": [tests]})
    yield found
    found.delete_realm(REALM)


@pytest.fixture(scope="module")
def user(admin):
    password = [{"type": "password", "value": "dora"}]
    return admin.create_user({"username": "dora", "email": "dora@example.com", "enabled": True, "credentials": password})


@pytest.fixture(scope="module")
def tests(admin):
    return admin.get_client_id("tests")


@pytest.fixture(scope="module")
def app(admin):
    """A confidential client."""
    return admin.create_client(
        {"clientId": "app", "secret": "app's own secret", "serviceAccountsEnabled": True, "redirectUris": ["http://localhost/*"]}
    )


def names(records, member="name"):
    return [record[member] for record in records]


def claims(scope="openid"):
    client = KeycloakOpenID(server_url=URL, realm_name=REALM, client_id="tests")
    return client.decode_token(client.token("dora", "dora", scope=scope)["access_token"], check_claims={"typ": "Bearer"})


def hardcoded(name, value):
    config = {**EVERYWHERE, "claim.name": name, "claim.value": value, "jsonType.label": "String"}
    return {"name": name, "protocol": "openid-connect", "protocolMapper": "oidc-hardcoded-claim-mapper", "config": config}


def test_a_client_is_made_changed_and_gets_tokens(admin, app):
    assert admin.get_client(app)["clientId"] == "app"
    assert admin.create_client({"clientId": "app"}, skip_exists=True) == app
    with pytest.raises(KeycloakPostError, match="Client app already exists"):
        admin.create_client({"clientId": "app"})
    admin.update_client(app, {"description": "Changed"})
    assert admin.get_client(app)["description"] == "Changed"
    assert admin.get_client_secrets(app)["value"] == "app's own secret"
    drawn = admin.generate_client_secrets(app)["value"]
    service = KeycloakOpenID(server_url=URL, realm_name=REALM, client_id="app", client_secret_key=drawn)
    token = service.token(grant_type="client_credentials")["access_token"]
    account = admin.get_client_service_account_user(app)
    assert service.decode_token(token, check_claims={"typ": "Bearer"})["sub"] == account["id"]
    installation = admin.get_client_installation_provider(app, "keycloak-oidc-keycloak-json")
    assert installation["resource"] == "app"


def test_roles_of_a_client_are_composed_and_given(admin, user, app):
    for name in ["reader", "writer"]:
        admin.create_client_role(app, {"name": name})
    with pytest.raises(KeycloakPostError, match="409"):
        admin.create_client_role(app, {"name": "reader"})
    reader, writer = admin.get_client_role(app, "reader"), admin.get_client_role(app, "writer")
    admin.add_composite_client_roles_to_role(app, "writer", [reader])
    assert names(admin.get_role_composites_by_id(writer["id"])) == ["reader"]
    admin.assign_client_role(user, app, [writer])
    assert names(admin.get_client_roles_of_user(user, app)) == ["writer"]
    assert sorted(names(admin.get_composite_client_roles_of_user(user, app))) == ["reader", "writer"]
    assert names(admin.get_available_client_roles_of_user(user, app)) == ["reader"]
    assert names(admin.get_client_role_members(app, "writer"), "username") == ["dora"]
    assert sorted(claims()["resource_access"]["app"]["roles"]) == ["reader", "writer"]
    assert "app" in admin.get_all_roles_of_user(user)["clientMappings"]
    admin.delete_client_roles_of_user(user, app, [writer])
    admin.remove_composite_client_roles_from_role(app, "writer", [reader])
    group = admin.create_group({"name": "authors"})
    admin.assign_group_client_roles(group, app, [writer])
    assert names(admin.get_group_client_roles(group, app)) == ["writer"]
    assert names(admin.get_client_role_groups(app, "writer")) == ["authors"]
    admin.group_user_add(user, group)
    assert claims()["resource_access"]["app"]["roles"] == ["writer"]
    admin.delete_group_client_roles(group, app, [writer])
    admin.delete_client_role(app, "writer")
    assert names(admin.get_client_roles(app)) == ["reader"]


def test_a_composite_of_realm_and_client_roles(admin, user, app):
    admin.create_realm_role({"name": "boss", "attributes": {"level": ["9"]}})
    admin.create_realm_role({"name": "clerk"})
    boss = admin.get_realm_role("boss")
    admin.add_composite_realm_roles_to_role("boss", [admin.get_realm_role("clerk"), admin.get_client_role(app, "reader")])
    assert names(admin.get_composite_realm_roles_of_role("boss")) == ["clerk", "reader"]
    admin.assign_realm_roles(user, [boss])
    assert {"boss", "clerk"} <= set(names(admin.get_composite_realm_roles_of_user(user)))
    said = claims()
    assert {"boss", "clerk"} <= set(said["realm_access"]["roles"]) and said["resource_access"]["app"]["roles"] == ["reader"]
    admin.update_realm_role("boss", {"name": "boss", "description": "Changed"})
    assert admin.get_realm_role_by_id(boss["id"])["attributes"] == {"level": ["9"]}
    assert names(admin.get_realm_roles(search_text="bos")) == ["boss"]
    assert "offline_access" in names(admin.get_realm_default_roles())
    admin.add_realm_default_roles([admin.get_realm_role("clerk")])
    assert "clerk" in names(admin.get_realm_default_roles())
    admin.remove_realm_default_roles([admin.get_realm_role("clerk")])


def test_mappers_of_clients_and_client_scopes_say_more(admin, user, tests):
    admin.add_mapper_to_client(tests, hardcoded("tenant", "acme"))
    assert claims()["tenant"] == "acme"
    mapper = next(one for one in admin.get_mappers_from_client(tests) if one["name"] == "tenant")
    mapper["config"]["claim.value"] = "other"
    admin.update_client_mapper(tests, mapper["id"], mapper)
    assert claims()["tenant"] == "other"
    admin.remove_client_mapper(tests, mapper["id"])
    assert "tenant" not in claims()

    scope = admin.create_client_scope({"name": "shop", "protocol": "openid-connect"})
    assert admin.create_client_scope({"name": "shop", "protocol": "openid-connect"}, skip_exists=True) == scope
    admin.add_mapper_to_client_scope(scope, hardcoded("cart", "7"))
    assert names(admin.get_mappers_from_client_scope(scope)) == ["cart"]
    admin.add_client_optional_client_scope(tests, scope, {})
    assert "shop" in names(admin.get_client_optional_client_scopes(tests))
    assert "cart" not in claims() and claims("openid shop")["cart"] == "7"
    admin.delete_client_optional_client_scope(tests, scope)
    admin.add_client_default_client_scope(tests, scope, {})
    assert claims()["cart"] == "7"
    admin.delete_client_default_client_scope(tests, scope)
    admin.add_default_default_client_scope(scope)
    assert "shop" in names(admin.get_default_default_client_scopes())
    admin.delete_default_default_client_scope(scope)
    admin.update_client_scope(scope, {"name": "mall", "protocol": "openid-connect"})
    assert admin.get_client_scope_by_name("mall")["id"] == scope
    admin.delete_client_scope(scope)
    with pytest.raises(KeycloakGetError, match="404"):
        admin.get_client_scope(scope)


def test_scope_mappings_let_roles_through(admin, user, tests, app):
    admin.update_client(tests, {"clientId": "tests", "fullScopeAllowed": False})
    assert "realm_access" not in claims()
    admin.assign_realm_roles_to_client_scope(tests, [admin.get_realm_role("clerk")])
    admin.assign_client_roles_to_client_scope(tests, app, [admin.get_client_role(app, "reader")])
    assert names(admin.get_realm_roles_of_client_scope(tests)) == ["clerk"]
    assert names(admin.get_client_roles_of_client_scope(tests, app)) == ["reader"]
    said = claims()
    assert said["realm_access"]["roles"] == ["clerk"] and said["resource_access"]["app"]["roles"] == ["reader"]
    admin.delete_client_roles_of_client_scope(tests, app, [admin.get_client_role(app, "reader")])
    admin.delete_realm_roles_of_client_scope(tests, [admin.get_realm_role("clerk")])
    admin.update_client(tests, {"clientId": "tests", "fullScopeAllowed": True})


def test_components_identity_providers_and_the_user_profile_are_kept(admin, user):
    component = admin.create_component({"name": "people", "providerId": "ldap", "providerType": "org.keycloak.storage.UserStorageProvider"})
    assert admin.get_component(component)["name"] == "people"
    admin.update_component(component, {**admin.get_component(component), "name": "folk"})
    assert names(admin.get_components({"type": "org.keycloak.storage.UserStorageProvider"})) == ["folk"]
    admin.delete_component(component)
    assert admin.get_keys()["keys"]

    admin.create_idp({"alias": "corp", "providerId": "oidc", "enabled": True, "config": {"clientId": "us", "clientSecret": "theirs"}})
    assert admin.get_idp("corp")["config"] == {"clientId": "us", "clientSecret": "**********"}
    mapper = {"name": "mail", "identityProviderAlias": "corp", "identityProviderMapper": "oidc-user-attribute-idp-mapper", "config": {}}
    admin.add_mapper_to_idp("corp", mapper)
    (kept,) = admin.get_idp_mappers("corp")
    admin.update_mapper_in_idp("corp", kept["id"], {**kept, "config": {"claim": "mail"}})
    admin.add_user_social_login(user, "corp", "u1", "dodo")
    assert names(admin.get_user_social_logins(user), "userName") == ["dodo"]
    admin.delete_user_social_login(user, "corp")
    admin.delete_idp("corp")
    assert admin.get_idps() == []

    profile = admin.get_realm_users_profile()
    assert admin.update_realm_users_profile(profile)["attributes"] == profile["attributes"]


def test_events_sessions_and_the_brake_are_told(admin, user, tests):
    client = KeycloakOpenID(server_url=URL, realm_name=REALM, client_id="tests")
    with pytest.raises(KeycloakError):
        client.token("dora", "guess")
    assert admin.get_bruteforce_detection_status(user)["numFailures"] == 1
    admin.clear_bruteforce_attempts_for_user(user)
    assert admin.get_bruteforce_detection_status(user)["numFailures"] == 0
    claims()
    assert names(admin.get_client_all_sessions(tests), "username").count("dora") >= 1
    assert isinstance(admin.get_client_sessions_stats(), list)
    assert admin.get_events({"type": "LOGIN"})[0]["userId"] == user
    assert {"CREATE"} == set(names(admin.get_admin_events({"operationTypes": "CREATE"}), "operationType"))
    admin.set_events({"eventsEnabled": True, "enabledEventTypes": ["LOGIN"]})
    assert admin.user_consents(user) == []


def test_an_initial_access_token_registers_a_client(admin):
    token = admin.create_initial_access_token(count=1, expiration=60)["token"]
    request = urllib.request.Request(
        f"{URL}realms/{REALM}/clients-registrations/openid-connect",
        data=json.dumps({"client_name": "Registered", "redirect_uris": ["http://localhost/cb"]}).encode(),
        headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request) as answer:
        assert admin.get_client_id(json.load(answer)["client_id"])


def test_records_come_in_and_go_out(admin):
    result = admin.partial_import_realm(
        REALM, {"ifResourceExists": "SKIP", "users": [{"username": "eve", "enabled": True}, {"username": "dora"}]}
    )
    assert (result["added"], result["skipped"]) == (1, 1)
    exported = admin.export_realm(export_clients=True, export_groups_and_role=True)
    assert "app" in names(exported["clients"], "clientId") and "boss" in names(exported["roles"]["realm"])


def test_flows_have_steps_and_settings(admin):
    assert "browser" in names(admin.get_authentication_flows(), "alias")
    admin.copy_authentication_flow({"newName": "copied"}, "browser")
    assert "auth-username-password-form" in [one.get("providerId") for one in admin.get_authentication_flow_executions("copied")]
    flow = {"alias": "mine", "providerId": "basic-flow", "topLevel": True, "builtIn": False}
    admin.create_authentication_flow(flow)
    assert b"Already exists" in admin.create_authentication_flow(flow, skip_exists=True)
    admin.create_authentication_flow_execution({"provider": "identity-provider-redirector"}, "mine")
    admin.create_authentication_flow_subflow({"alias": "below", "type": "basic-flow", "provider": "registration-page-form"}, "mine")
    step, below = admin.get_authentication_flow_executions("mine")
    admin.update_authentication_flow_executions({**step, "requirement": "REQUIRED"}, "mine")
    assert admin.get_authentication_flow_execution(step["id"])["requirement"] == "REQUIRED"
    admin.change_execution_priority(below["id"], 1)
    assert names(admin.get_authentication_flow_executions("mine"), "id") == [below["id"], step["id"]]
    admin.create_execution_config(step["id"], {"alias": "to hub", "config": {"defaultProvider": "hub"}})
    config = admin.get_authentication_flow_executions("mine")[1]["authenticationConfig"]
    admin.update_authenticator_config({"id": config, "alias": "to hub", "config": {"defaultProvider": "lab"}}, config)
    assert admin.get_authenticator_config(config)["config"] == {"defaultProvider": "lab"}
    admin.delete_authenticator_config(config)
    admin.delete_authentication_flow_execution(step["id"])
    (mine,) = [one for one in admin.get_authentication_flows() if one["alias"] == "mine"]
    admin.delete_authentication_flow(mine["id"])
    assert "auth-otp-form" in names(admin.get_authenticator_providers(), "id")


def test_required_actions_are_kept(admin):
    assert admin.get_required_action_by_alias("UPDATE_PASSWORD")["enabled"]
    admin.update_required_action("VERIFY_EMAIL", {"alias": "VERIFY_EMAIL", "enabled": False})
    assert not admin.get_required_action_by_alias("VERIFY_EMAIL")["enabled"]
    assert {"CONFIGURE_TOTP", "TERMS_AND_CONDITIONS", "UPDATE_PROFILE"} <= set(names(admin.get_required_actions(), "alias"))


def test_a_person_accepts_the_terms_before_they_sign_in(admin, user):
    admin.update_user(user, {"requiredActions": ["TERMS_AND_CONDITIONS"]})
    assert admin.get_user(user)["requiredActions"] == ["TERMS_AND_CONDITIONS"]
    with pytest.raises(KeycloakError, match="Account is not fully set up"):
        claims()
    admin.update_user(user, {"requiredActions": []})
    assert claims()["sub"] == user


def test_policies_of_clients_and_texts_are_kept(admin):
    # The library has no names of its own for these, and its connection calls any address.
    for part in ("policies", "profiles"):
        address, kept = f"admin/realms/{REALM}/client-policies/{part}", {part: [{"name": "ours", "description": "kept"}]}
        assert admin.connection.raw_put(address, data=json.dumps(kept)).status_code == 204
        assert admin.connection.raw_get(address).json()[part] == kept[part]
    texts = f"admin/realms/{REALM}/localization/de"
    assert admin.connection.raw_post(texts, data=json.dumps({"hello": "Hallo"})).status_code == 204
    assert admin.connection.raw_get(texts).json() == {"hello": "Hallo"}


def test_an_administrator_acts_as_a_user(admin, user):
    answer = admin.connection.raw_post(f"admin/realms/{REALM}/users/{user}/impersonation", data="{}")
    assert answer.json()["redirect"].endswith(f"/realms/{REALM}/account/")
    assert answer.cookies
    assert len(admin.get_sessions(user)) >= 1


def test_a_clients_certificate_is_kept_and_single_records_have_no_permissions(admin, app):
    made = admin.connection.raw_post(f"admin/realms/{REALM}/clients/{app}/certificates/jwt.credential/generate", data="{}").json()
    assert made["privateKey"]
    assert admin.upload_certificate(app, made["certificate"]) == {"certificate": made["certificate"]}
    assert admin.get_client_certificate_key_info(app, "jwt.credential") == {"certificate": made["certificate"]}
    assert admin.get_client_management_permissions(app) == {"enabled": False}
    group = admin.create_group({"name": "crew"})
    assert admin.group_set_permissions(group, enabled=False) == {"enabled": False}
    with pytest.raises(KeycloakError, match="501"):
        admin.update_client_management_permissions({"enabled": True}, app)
    admin.delete_group(group)
