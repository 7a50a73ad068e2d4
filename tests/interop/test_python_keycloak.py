"""python-keycloak's OpenID part: tokens by password and for a service, what they say, renewal, introspection, sign-out."""

import os

import pytest
from keycloak import KeycloakOpenID
from keycloak.exceptions import KeycloakAuthenticationError, KeycloakPostError

URL = os.environ["VESTIBULE_URL"]


def client(client_id="admin-cli", secret=None):
    return KeycloakOpenID(server_url=f"{URL}/", realm_name="main", client_id=client_id, client_secret_key=secret)


def test_a_person_by_password():
    openid = client()
    assert openid.well_known()["issuer"] == f"{URL}/realms/main"
    tokens = openid.token("alice", "alice", scope="openid email")
    assert openid.userinfo(tokens["access_token"])["email"] == "alice@example.com"
    claims = openid.decode_token(tokens["access_token"])
    assert claims["preferred_username"] == "alice" and "user" in claims["realm_access"]["roles"]
    assert len(openid.public_key()) > 300, "the realm's own address has it"

    renewed = openid.refresh_token(tokens["refresh_token"])
    assert openid.userinfo(renewed["access_token"])["sub"] == claims["sub"]
    assert openid.logout(renewed["refresh_token"]) == {}
    with pytest.raises(KeycloakPostError):
        openid.refresh_token(renewed["refresh_token"])


def test_a_wrong_password_is_told_as_keycloak_tells_it():
    with pytest.raises(KeycloakAuthenticationError) as told:
        client().token("alice", "wrong")
    assert told.value.response_code == 401
    assert b"Invalid user credentials" in told.value.response_body


def test_a_service_and_a_server_that_introspects():
    tokens = client("service", "service-secret").token(grant_type="client_credentials")
    told = client("api", "api-secret").introspect(tokens["access_token"])
    assert told["active"] is True and told["client_id"] == "service"
    assert client("api", "api-secret").introspect("x")["active"] is False


def test_the_address_that_a_person_is_sent_to():
    address = client("web", "web-secret").auth_url("http://localhost:3000/callback", scope="openid", state="s")
    assert address.startswith(f"{URL}/realms/main/protocol/openid-connect/auth?client_id=web")
