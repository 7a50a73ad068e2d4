"""oidc-agent, as Debian packages it: an agent that keeps a person's sign-in and hands out tokens to scripts."""

import os
import re
import shutil
import socket
import subprocess
import time

import httpx
import pytest

WAIT = 60  # seconds for a person to say yes; a device asks every five
WORDS = {"ACCOUNT_PASSWORD": "of-this-test-alone"}


class Agent:
    """A running oidc-agent with a folder of its own."""

    def __init__(self, folder):
        assert shutil.which("oidc-agent"), "oidc-agent-cli is not installed"
        self.folder = folder
        self.start()

    def start(self):
        words = {"OIDC_CONFIG_DIR": str(self.folder), "TMPDIR": str(self.folder)}
        told = subprocess.run(["oidc-agent"], env=os.environ | words, capture_output=True, text=True, check=True)
        self.words = os.environ | words | WORDS | dict(re.findall(r"^(OIDC\w+)=([^;]+);", told.stdout, re.M))

    def stop(self):
        self.run("oidc-agent", "-k")

    def run(self, *command):
        done = subprocess.run(command, env=self.words, capture_output=True, text=True, timeout=WAIT, check=False)
        assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
        return done.stdout.strip()

    def generate(self, account, *options):
        """`oidc-gen`, which waits for a person; what it shows comes line by line."""
        silent = ("--prompt=none", "--confirm-default", "--no-url-call", "--pw-env=ACCOUNT_PASSWORD")
        return subprocess.Popen(
            ["oidc-gen", account, *options, *silent],
            env=self.words,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def token(self, account, *options):
        return self.run("oidc-token", *options, account)


@pytest.fixture
def agent(tmp_path):
    agent = Agent(tmp_path)
    yield agent
    agent.stop()


def shown(process, pattern):
    """What the first line that fits the pattern has in it."""
    seen = []
    for line in process.stdout:
        seen.append(line)
        if found := re.search(pattern, line):
            return found[1]
    raise AssertionError(f"{pattern} in {''.join(seen)}")


def ended(process):
    rest = process.communicate(timeout=WAIT)[0]
    assert process.returncode == 0, rest


def connect(person, issuer, code, username):
    """Types the code of a device, signs in and says yes."""
    person.open(f"{issuer}/device")
    person.submit("kc-user-verify-device-user-code-form", device_user_code=code)
    person.sign_in(username, username)
    person.submit("kc-oauth", "kc-login")
    assert "Your device is connected" in person.page.text


def who(issuer, token):
    answer = httpx.get(
        f"{issuer}/protocol/openid-connect/userinfo", headers={"authorization": f"Bearer {token}"}
    )
    return answer.json().get("preferred_username")


def test_a_device_is_connected_and_kept(agent, issuer, person):
    scopes = "--scope=openid profile offline_access"
    process = agent.generate("tv", f"--iss={issuer}", "--client-id=tv", "--client-secret=", scopes, "--flow=device")
    connect(person, issuer, shown(process, r"code: ([A-Z-]+)"), "alice")
    ended(process)
    first = agent.token("tv")
    assert who(issuer, first) == "alice"
    assert agent.token("tv") == first, "a good token is handed out again"

    second = agent.token("tv", "--force-new")
    assert second != first and who(issuer, second) == "alice"

    agent.stop()
    agent.start()
    agent.run("oidc-add", "--pw-env=ACCOUNT_PASSWORD", "tv")
    third = agent.token("tv")
    assert third not in (first, second) and who(issuer, third) == "alice", "the kept refresh token is the newest"


def test_a_no_ends_the_waiting(agent, issuer, person):
    process = agent.generate("tv", f"--iss={issuer}", "--client-id=tv", "--client-secret=", "--scope=openid", "--flow=device")
    person.open(f"{issuer}/device?user_code={shown(process, r'code: ([A-Z-]+)')}")
    person.sign_in("bob", "bob")
    person.submit("kc-oauth", "kc-cancel")
    said = process.communicate(timeout=WAIT)[0]
    assert process.returncode != 0 and "denied" in said, said


def test_a_browser_comes_back_to_the_agent(agent, issuer, person):
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    client = ("--client-id=web", "--client-secret=web-secret", f"--redirect-uri=http://localhost:{port}")
    process = agent.generate("web", f"--iss={issuer}", *client, "--scope=openid profile offline_access", "--flow=code")
    person.open(shown(process, rf"({issuer}/protocol/openid-connect/auth\S+)"))
    person.sign_in("bob", "bob")
    if person.shows("kc-oauth"):
        person.submit("kc-oauth", "kc-login")
    assert person.page.url.host == "localhost" and person.page.status_code == 200, person.page.url
    ended(process)
    assert who(issuer, agent.token("web", "--force-new")) == "bob"


def test_an_account_that_is_deleted_is_revoked(agent, issuer, person):
    scopes = "--scope=openid profile offline_access"
    process = agent.generate("tv", f"--iss={issuer}", "--client-id=tv", "--client-secret=", scopes, "--flow=device")
    connect(person, issuer, shown(process, r"code: ([A-Z-]+)"), "alice")
    ended(process)
    token = agent.token("tv")
    agent.run("oidc-gen", "--delete", "--confirm-yes", "--pw-env=ACCOUNT_PASSWORD", "tv")
    deadline = time.monotonic() + WAIT
    while who(issuer, token) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert who(issuer, token) is None, "the access token ended with its refresh token"
