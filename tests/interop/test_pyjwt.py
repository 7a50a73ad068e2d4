"""PyJWT: a resource server that checks access tokens by the published keys."""

import base64
import hashlib
import secrets
from urllib.parse import parse_qs, urlsplit

import httpx
import jwt
import pytest
from person import Person

CALLBACK = "http://127.0.0.1:9/callback"


@pytest.fixture(scope="module")
def keys(issuer):
    return jwt.PyJWKClient(f"{issuer}/protocol/openid-connect/certs")


@pytest.fixture(scope="module")
def alice(issuer):
    """The token response of alice, signed in to `web`."""
    person = Person()
    person.browser.follow_redirects = False
    verifier = secrets.token_urlsafe(32)
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    request = {
        "response_type": "code",
        "client_id": "web",
        "redirect_uri": CALLBACK,
        "scope": "openid profile email",
        "code_challenge": challenge,
        "code_challenge_method": "S256",
    }
    person.open(str(httpx.URL(f"{issuer}/protocol/openid-connect/auth", params=request)))
    person.sign_in("alice", "alice")
    code = parse_qs(urlsplit(person.page.headers["location"]).query)["code"][0]
    exchange = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": CALLBACK,
        "code_verifier": verifier,
    }
    return token(issuer, exchange, ("web", "web-secret"))


@pytest.fixture(scope="module")
def service(issuer):
    """The token response of `service`, as itself."""
    return token(issuer, {"grant_type": "client_credentials"}, ("service", "service-secret"))


def token(issuer, form, client):
    answer = httpx.post(f"{issuer}/protocol/openid-connect/token", data=form, auth=client)
    assert answer.status_code == 200, answer.text
    return answer.json()


def verify(keys, issuer, text, audience):
    key = keys.get_signing_key_from_jwt(text)
    return jwt.decode(text, key, algorithms=["RS256"], audience=audience, issuer=issuer)


@pytest.mark.parametrize("audience", ["api", "account"])
def test_an_access_token_is_for(keys, issuer, alice, audience):
    claims = verify(keys, issuer, alice["access_token"], audience)
    assert claims["preferred_username"] == "alice"
    assert claims["azp"] == "web"
    assert claims["typ"] == "Bearer"
    assert claims["sid"] == alice["session_state"]


def test_roles_are_where_applications_look(keys, issuer, alice):
    claims = verify(keys, issuer, alice["access_token"], "api")
    assert {"user", "admin"} <= set(claims["realm_access"]["roles"])
    assert "manage-account" in claims["resource_access"]["account"]["roles"]


def test_an_access_token_is_for_nobody_else(keys, issuer, alice):
    with pytest.raises(jwt.InvalidAudienceError):
        verify(keys, issuer, alice["access_token"], "another-api")


def test_an_id_token_is_for_its_client(keys, issuer, alice):
    claims = verify(keys, issuer, alice["id_token"], "web")
    assert claims["typ"] == "ID"
    with pytest.raises(jwt.InvalidAudienceError):
        verify(keys, issuer, alice["id_token"], "api")


def test_a_changed_token_is_refused(keys, issuer, alice):
    header, body, signature = alice["access_token"].split(".")
    with pytest.raises(jwt.InvalidSignatureError):
        verify(keys, issuer, f"{header}.{body}.{signature[:-8]}AAAAAAAA", "api")


def test_a_service_has_a_token_of_its_own(keys, issuer, service):
    claims = verify(keys, issuer, service["access_token"], "api")
    assert claims["azp"] == "service"
    assert claims["preferred_username"] == "service-account-service"
    assert "user" in claims["realm_access"]["roles"]
    assert "refresh_token" not in service


def test_the_keys_are_public_and_named(issuer):
    keys = httpx.get(f"{issuer}/protocol/openid-connect/certs").json()["keys"]
    assert keys
    for key in keys:
        assert {"kid", "kty", "alg", "use"} <= set(key)
        assert not {"d", "p", "q", "dp", "dq", "qi", "k"} & set(key)
