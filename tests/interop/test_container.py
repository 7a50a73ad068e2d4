"""`start-dev` and `start` as containers are started: environment, mounted folder, the log line and health that are waited
for, and the regular expressions by which testcontainers-keycloak reads the answers."""

import json
import os
import pathlib
import re
import select
import signal
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from contextlib import contextmanager

import pytest

BINARY = os.environ["VESTIBULE_BINARY"]
LISTENING = re.compile(
    r"^Keycloak\S* .* started in [\d.]+s\. Listening on: (http://0\.0\.0\.0:\d+)\. "
    r"Management interface listening on (http://0\.0\.0\.0:\d+)\.$"
)
# What testcontainers-keycloak sets, beside what it is told.
CONTAINER = {
    "KC_BOOTSTRAP_ADMIN_USERNAME": "admin",
    "KC_BOOTSTRAP_ADMIN_PASSWORD": "admin",
    "JAVA_OPTS_KC_HEAP": "-XX:MaxRAMPercentage=70",
    "KC_HTTPS_MANAGEMENT_CLIENT_AUTH": "none",
    "KC_HEALTH_ENABLED": "true",
    "KC_METRICS_ENABLED": "true",
    "KC_SPI_THEME__CACHE_THEMES": "false",
    "KC_HTTP_PORT": "0",
    "KC_HTTP_MANAGEMENT_PORT": "0",
}
REALM = """
[realm]
name = "demo"
[[realm.roles]]
name = "user"
[[realm.clients]]
id = "app"
public = true
grants = ["password", "refresh_token"]
[[realm.users]]
username = "alice"
password = "${ALICE:wonderland}"
roles = ["user"]
"""


# A realm as Keycloak writes it.
KEYCLOAK = pathlib.Path(__file__).parents[1] / "keycloak/small.json"


@pytest.fixture
def home(tmp_path):
    (tmp_path / "data/import").mkdir(parents=True)
    (tmp_path / "data/import/demo-realm.toml").write_text(REALM)
    return tmp_path


@contextmanager
def container(home, command, environment=CONTAINER):
    """A server started like a container; where it and its management answer, and all that it logged at the end."""
    variables = {name: value for name, value in os.environ.items() if not name.startswith(("KC_", "KEYCLOAK_"))}
    log = home / "log"
    with log.open("ab") as errors:
        process = subprocess.Popen(
            [BINARY, *command], env={**variables, "KC_HOME_DIR": str(home), **environment},
            stdout=subprocess.PIPE, stderr=errors, cwd=home, text=True,
        )
    try:
        assert select.select([process.stdout], [], [], 30)[0], "nothing on standard output"
        line = process.stdout.readline().rstrip("\n")
        found = LISTENING.match(line)
        assert found, f"{line!r}\n{log.read_text()}"
        main, management = (url.replace("0.0.0.0", "localhost") for url in found.groups())
        wait_for_health(management)
        yield main, management
        process.send_signal(signal.SIGTERM)
        rest, _ = process.communicate(timeout=30)
        assert process.returncode == 0
        assert rest == "", "the line is printed once"
    finally:
        process.kill()
        process.wait()


def wait_for_health(management):
    for _ in range(100):
        try:
            with urllib.request.urlopen(f"{management}/health/ready") as answer:
                assert json.load(answer)["status"] == "UP"
                return
        except urllib.error.HTTPError:
            time.sleep(0.05)
    raise AssertionError("never ready")


def get(url):
    with urllib.request.urlopen(url) as answer:
        return answer.read().decode()


def post(url, **form):
    with urllib.request.urlopen(url, urllib.parse.urlencode(form).encode()) as answer:
        return answer.read().decode()


def field(name, text):
    """As testcontainers-keycloak takes a value out of JSON."""
    return re.search(f'"{name}"\\s*:\\s*"([^"]+)"', text).group(1)


def test_start_dev_imports_and_serves_what_the_helpers_read(home):
    with container(home, ["start-dev", "--import-realm"]) as (main, management):
        found = get(f"{main}/realms/demo/.well-known/openid-configuration")
        assert field("issuer", found) == f"{main}/realms/demo"
        tokens = post(field("token_endpoint", found), grant_type="password", client_id="app", username="alice",
                      password="wonderland", scope="openid")
        assert re.search(r'"expires_in"\s*:\s*(\d+)', tokens).group(1) == "300"
        assert field("refresh_token", tokens).count(".") == 2
        master = get(f"{main}/realms/master/.well-known/openid-configuration")
        admin = post(field("token_endpoint", master), grant_type="password", client_id="admin-cli",
                     username="admin", password="admin")
        assert field("access_token", admin)
        assert json.loads(get(f"{main}/realms/demo"))["realm"] == "demo"
        for path in ("health", "health/live", "health/started"):
            assert json.loads(get(f"{management}/{path}"))["status"] == "UP"
        assert "vestibule" in get(f"{management}/metrics")
    log = (home / "log").read_text()
    assert log.count("these options of Keycloak do nothing here") == 1
    assert "imported the realm" in log


def test_a_realm_of_keycloaks_own_is_mounted_as_it_is(home):
    (home / "data/import/quickstart-realm.json").write_text(KEYCLOAK.read_text())
    with container(home, ["start-dev", "--import-realm"]) as (main, _):
        found = get(f"{main}/realms/quickstart/.well-known/openid-configuration")
        tokens = post(field("token_endpoint", found), grant_type="password", client_id="quickstart-app",
                      client_secret="secret", username="alice", password="alice")
        assert field("access_token", tokens)
        assert re.search(r'"expires_in"\s*:\s*(\d+)', tokens).group(1) == "600"
        assert json.loads(get(f"{main}/realms/demo"))["realm"] == "demo", "beside one of ours"


def test_the_same_container_started_again_skips_what_is_there(home):
    for _ in range(2):
        with container(home, ["start-dev", "--import-realm"]):
            pass
    assert (home / "log").read_text().count("import skipped") == 1


def test_quarkus_dev_services_start_it_like_this(home):
    command = ["start", "--http-enabled=true", "--hostname-strict=false",
               "--spi-user-profile-declarative-user-profile-config-file=/opt/keycloak/upconfig.json"]
    older = {"KEYCLOAK_ADMIN": "admin", "KEYCLOAK_ADMIN_PASSWORD": "admin",
             "KC_HTTP_PORT": "0", "KC_HTTP_MANAGEMENT_PORT": "0"}
    with container(home, command, older) as (main, _):
        admin = post(f"{main}/realms/master/protocol/openid-connect/token", grant_type="password",
                     client_id="admin-cli", username="admin", password="admin")
        assert field("access_token", admin)
    assert "runs as start-dev" in (home / "log").read_text()


def test_start_names_all_that_it_refuses_by_keycloaks_names(home):
    done = subprocess.run([BINARY, "start", "--optimized"], cwd=home, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "--hostname: " in done.stderr and "--https-certificate-file: " in done.stderr


def test_the_other_commands(home):
    def vestibule(*command, code=0):
        variables = os.environ | {"KC_HOME_DIR": str(home), "KC_DB_PASSWORD": "hidden"}
        done = subprocess.run([BINARY, *command], cwd=home, env=variables, capture_output=True, text=True, check=False)
        assert done.returncode == code, done.stderr
        return done.stdout + done.stderr

    assert "Nothing to build" in vestibule("build", "--features=scripts", "--db=postgres")
    shown = vestibule("show-config", "--http-port=8081", "--features=x")
    assert "kc.http-port =  8081 (CLI)" in shown and "Without effect here: features" in shown
    assert "hidden" not in shown
    assert "demo-realm.toml" in vestibule("import", "--dir", str(home / "data/import"))
    assert "--file FILE or --dir DIR" in vestibule("import", code=2)
    assert "may administer all realms" in vestibule("bootstrap-admin", "user", "--username", "ops")
    assert "already" in vestibule("bootstrap-admin", "user", "--username", "ops", code=2)
    for command in (["start-dev"], ["start"], ["import"], ["bootstrap-admin", "user"]):
        assert "Usage: vestibule" in vestibule(*command, "--help")
