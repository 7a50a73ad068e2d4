"""A provider of your tests' own: copy this file beside them."""

import base64
import hashlib
import json
import os
import secrets
import shutil
import subprocess
from html.parser import HTMLParser
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest


@pytest.fixture(scope="session")
def provider():
    """Vestibule on a free port, with the demo realm; nothing of it stays on disk."""
    program = os.getenv("VESTIBULE", "vestibule")
    if not shutil.which(program):
        pytest.fail(f"there is no program {program}: install it, or say in VESTIBULE where it is", pytrace=False)
    command = [program, "dev", "--ephemeral", "--port", "0", "--output", "json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            ready = json.loads(server.stdout.readline())
            yield Provider(f"{ready['url']}/realms/main")
        finally:
            server.terminate()


class Provider:
    def __init__(self, issuer):
        self.issuer = issuer
        self.endpoints = f"{issuer}/protocol/openid-connect"

    def sign_in(self, username, password, client=("web", "web-secret"), scope="openid profile"):
        """Goes through the sign-in page as a browser would; returns the token response."""
        callback = "http://localhost/callback"  # nothing answers there: the code is read from the redirect
        verifier = secrets.token_urlsafe(32)
        digest = hashlib.sha256(verifier.encode()).digest()
        request = {
            "response_type": "code",
            "client_id": client[0],
            "redirect_uri": callback,
            "scope": scope,
            "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
            "code_challenge_method": "S256",
        }
        with httpx.Client() as browser:
            page = browser.get(f"{self.endpoints}/auth", params=request)
            form = SignInForm(page.text)
            fields = form.fields | {"username": username, "password": password}
            answer = browser.post(page.url.join(form.action), data=fields)
        assert answer.is_redirect, f"{username} was not signed in"
        code = parse_qs(urlsplit(answer.headers["location"]).query)["code"][0]
        exchange = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": callback,
            "code_verifier": verifier,
        }
        return httpx.post(f"{self.endpoints}/token", data=exchange, auth=client).raise_for_status().json()


class SignInForm(HTMLParser):
    """Where the form goes, and what it already holds."""

    def __init__(self, page):
        super().__init__()
        self.action, self.fields = None, {}
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        if tag == "form" and attributes.get("id") == "kc-form-login":
            self.action = attributes["action"]
        elif tag == "input" and attributes.get("type") == "hidden":
            self.fields[attributes["name"]] = attributes.get("value", "")
