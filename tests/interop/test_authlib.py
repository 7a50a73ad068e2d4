"""Authlib: the FastAPI application of examples/, and Authlib's own client."""

import importlib.util
import os
import socket
import threading
import time
from pathlib import Path

import httpx
import pytest
import uvicorn
from authlib.common.security import generate_token
from authlib.integrations.base_client.errors import OAuthError
from authlib.integrations.httpx_client import OAuth2Client
from person import Person

APP = Path(__file__).resolve().parents[2] / "examples/apps/fastapi/main.py"


@pytest.fixture(scope="module")
def app(issuer):
    """The address of the example application, running unchanged."""
    os.environ["ISSUER"] = issuer
    spec = importlib.util.spec_from_file_location("example", APP)
    example = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(example)
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(example.app, log_level="warning"))
    thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    server.should_exit = True
    thread.join()


def forget_app(person):
    """Drops the application's own session; the provider's stays."""
    person.browser.cookies.delete("session")


def test_sign_in_gives_a_session(app, person):
    person.open(f"{app}/login")
    assert person.page.status_code == 200
    person.sign_in("alice", "alice")
    assert str(person.page.url) == f"{app}/"
    assert person.page.json() == {"name": "Alice Adams", "email": "alice@example.com"}
    assert person.open(app).json()["name"] == "Alice Adams"


def test_a_wrong_password_shows_the_form_again(app, person):
    person.open(f"{app}/login")
    person.sign_in("bob", "wrong")
    assert person.page.status_code == 200
    assert person.shows("kc-form-login")
    person.sign_in("bob", "bob")
    assert person.page.json()["name"] == "Bob Brown"


def test_a_second_sign_in_asks_nothing(app, person):
    person.open(f"{app}/login")
    person.sign_in("alice", "alice")
    forget_app(person)
    assert "Sign in" in person.open(app).text
    assert person.open(f"{app}/login").json()["name"] == "Alice Adams"


def test_sign_out_ends_both_sessions(app, person):
    person.open(f"{app}/login")
    person.sign_in("alice", "alice")
    person.open(f"{app}/logout")
    assert str(person.page.url) == f"{app}/", person.page.text
    assert "Sign in" in person.page.text
    person.open(f"{app}/login")
    assert person.shows("kc-form-login")


def test_sign_out_without_a_hint_is_confirmed_first(app, issuer, person):
    person.open(f"{app}/login")
    person.sign_in("alice", "alice")
    person.open(f"{issuer}/protocol/openid-connect/logout")
    assert person.shows("kc-logout")
    forget_app(person)
    assert person.open(f"{app}/login").json()["name"] == "Alice Adams", "only asked, not yet signed out"
    forget_app(person)
    person.open(f"{issuer}/protocol/openid-connect/logout")
    person.submit("kc-logout", "kc-logout")
    assert person.page.status_code == 200
    person.open(f"{app}/login")
    assert person.shows("kc-form-login")


def test_a_planted_answer_is_refused_by_the_application(app, person):
    assert person.open(f"{app}/callback?code=planted&state=planted").status_code == 403


@pytest.fixture
def client(issuer):
    """Authlib's client, with the provider's metadata."""
    metadata = httpx.get(f"{issuer}/.well-known/openid-configuration").json()
    return OAuth2Client(
        "web",
        "web-secret",
        scope="openid profile email",
        redirect_uri="http://127.0.0.1:9/callback",
        code_challenge_method="S256",
        **metadata,
    )


def code_for(client):
    """Signs alice in; the whole address that the redirect named, and the verifier."""
    person = Person()
    person.browser.follow_redirects = False
    verifier = generate_token(48)
    address, _ = client.create_authorization_url(client.metadata["authorization_endpoint"], code_verifier=verifier)
    person.open(address)
    person.sign_in("alice", "alice")
    return person.page.headers["location"], verifier


def fetch(client):
    answer, verifier = code_for(client)
    return client.fetch_token(
        client.metadata["token_endpoint"], authorization_response=answer, code_verifier=verifier
    )


def test_tokens_open_userinfo(client):
    fetch(client)
    claims = client.get(client.metadata["userinfo_endpoint"]).json()
    assert claims["preferred_username"] == "alice"
    assert claims["email_verified"] is True


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post"])
def test_a_client_authenticates_by(client, method):
    client.token_endpoint_auth_method = method
    assert fetch(client)["token_type"] == "Bearer"


def test_a_refresh_token_is_exchanged(client):
    old = fetch(client)
    new = client.refresh_token(client.metadata["token_endpoint"])
    assert new["access_token"] != old["access_token"]
    assert new["refresh_token"] != old["refresh_token"]


def test_a_code_is_good_once(client):
    answer, verifier = code_for(client)
    endpoint = client.metadata["token_endpoint"]
    client.fetch_token(endpoint, authorization_response=answer, code_verifier=verifier)
    with pytest.raises(OAuthError, match="invalid_grant"):
        client.fetch_token(endpoint, authorization_response=answer, code_verifier=verifier)


def test_a_code_needs_its_verifier(client):
    answer, _ = code_for(client)
    with pytest.raises(OAuthError, match="invalid_grant"):
        client.fetch_token(
            client.metadata["token_endpoint"], authorization_response=answer, code_verifier=generate_token(48)
        )
