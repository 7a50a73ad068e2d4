"""Tests of an API with real tokens."""

import pytest
from api import create_api
from fastapi.testclient import TestClient


@pytest.fixture
def api(provider):
    return TestClient(create_api(provider.issuer))


@pytest.fixture
def headers(provider):
    """Makes the headers of a signed-in person."""

    def signed_in(username):
        tokens = provider.sign_in(username, username)
        return {"Authorization": f"Bearer {tokens['access_token']}"}

    return signed_in


def test_the_api_knows_who_calls(api, headers):
    assert api.get("/me", headers=headers("alice")).json() == {"username": "alice"}


def test_an_admin_may_delete(api, headers):
    assert api.delete("/reports/1", headers=headers("alice")).status_code == 204


def test_a_user_may_not_delete(api, headers):
    assert api.delete("/reports/1", headers=headers("bob")).status_code == 403


def test_a_token_that_was_changed_is_refused(api, headers):
    signed = headers("alice")["Authorization"]
    changed = {"Authorization": signed[:-8] + "AAAAAAAA"}
    assert api.get("/me", headers=changed).status_code == 401


def test_nobody_calls_without_a_token(api):
    assert api.get("/me").status_code == 401


def test_a_wrong_password_signs_nobody_in(provider):
    with pytest.raises(AssertionError, match="alice was not signed in"):
        provider.sign_in("alice", "wrong")
