"""mod_auth_openidc, as Debian packages it: an Apache that signs people in, and one that guards an API."""

import getpass
import os
import shutil
import socket
import subprocess
import time

import httpx
import pytest

APACHE = shutil.which("apache2") or "/usr/sbin/apache2"
MODULES = "/usr/lib/apache2/modules"
WAIT = 20  # seconds for Apache to answer, or to end

CONFIGURATION = """
ServerRoot {folder}
ServerName 127.0.0.1
PidFile {folder}/pid
ErrorLog {folder}/error.log
Mutex file:{folder} default
DefaultRuntimeDir {folder}
Listen 127.0.0.1:{port}
DocumentRoot {folder}/www
{identity}
{modules}
TypesConfig /dev/null
AddType text/html .shtml
AddOutputFilter INCLUDES .shtml
DirectoryIndex index.shtml

OIDCProviderMetadataURL {issuer}/.well-known/openid-configuration
OIDCClientID web
OIDCClientSecret web-secret
OIDCScope "openid profile email"
OIDCPKCEMethod S256
OIDCRedirectURI /secure/callback
OIDCCryptoPassphrase of-this-test-alone
OIDCRemoteUserClaim preferred_username

OIDCOAuthServerMetadataURL {issuer}/.well-known/openid-configuration
OIDCOAuthClientID api
OIDCOAuthClientSecret api-secret
OIDCOAuthRemoteUserClaim preferred_username

<Directory {folder}/www>
  Options +Includes
  Require all granted
</Directory>
<Location /secure>
  AuthType openid-connect
  Require valid-user
</Location>
<Location /admins>
  AuthType openid-connect
  Require claim realm_access.roles:admin
</Location>
<Location /api>
  AuthType oauth20
  Require claim aud:api
</Location>
"""

LOADED = "mpm_event authn_core authz_core authz_user dir mime include auth_openidc"


@pytest.fixture(scope="module")
def apache(issuer, tmp_path_factory):
    """The address of an Apache of this test's own."""
    folder = tmp_path_factory.mktemp("apache")
    for parent in (folder, *folder.parents[:2]):
        parent.chmod(0o755)
    for place in ("secure", "admins", "api"):
        (folder / "www" / place).mkdir(parents=True)
        page = 'user=<!--#echo var="REMOTE_USER" --> email=<!--#echo var="OIDC_CLAIM_email" -->'
        (folder / "www" / place / "index.shtml").write_text(page)
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    identity = "User www-data\nGroup www-data" if getpass.getuser() == "root" else ""
    modules = [name for name in LOADED.split() if os.path.exists(f"{MODULES}/mod_{name}.so")]
    assert "auth_openidc" in modules, "libapache2-mod-auth-openidc is not installed"
    lines = "\n".join(f"LoadModule {name}_module {MODULES}/mod_{name}.so" for name in modules)
    file = folder / "apache2.conf"
    file.write_text(
        CONFIGURATION.format(folder=folder, port=port, issuer=issuer, identity=identity, modules=lines)
    )
    process = subprocess.Popen([APACHE, "-f", file, "-DFOREGROUND"])
    try:
        yield answering(f"http://127.0.0.1:{port}", process)
    finally:
        process.terminate()
        process.wait(WAIT)


def answering(address, process):
    deadline = time.monotonic() + WAIT
    while time.monotonic() < deadline:
        assert process.poll() is None, f"Apache ended with {process.returncode}"
        try:
            httpx.get(address)
        except httpx.TransportError:
            time.sleep(0.05)
        else:
            return address
    raise AssertionError("Apache does not answer")


def test_a_guarded_page_asks_for_a_sign_in(apache, issuer, person):
    page = person.open(f"{apache}/secure/")
    assert page.status_code == 200 and str(page.url).startswith(issuer), page.url
    person.sign_in("alice", "alice")
    assert str(person.page.url) == f"{apache}/secure/"
    assert person.page.text == "user=alice email=alice@example.com"
    assert person.open(f"{apache}/secure/").text.startswith("user=alice"), "Apache keeps its own session"


def test_roles_open_a_page_to_some(apache, person):
    person.open(f"{apache}/secure/")
    person.sign_in("bob", "bob")
    assert person.page.text.startswith("user=bob")
    assert person.open(f"{apache}/admins/").status_code == 401, "bob has no role admin"


def test_sign_out_at_apache_signs_out_here(apache, issuer, person):
    person.open(f"{apache}/secure/")
    person.sign_in("alice", "alice")
    person.open(f"{apache}/secure/callback?logout={apache}/")
    person.open(f"{apache}/secure/")
    assert str(person.page.url).startswith(issuer)
    assert person.shows("kc-form-login"), "the session at the provider is over too"


def access_token(issuer, **fields):
    form = {"grant_type": "client_credentials", **fields}
    answer = httpx.post(f"{issuer}/protocol/openid-connect/token", data=form, auth=("service", "service-secret"))
    return answer.json()["access_token"]


def test_an_api_takes_a_token_that_introspection_calls_good(apache, issuer):
    token = access_token(issuer)
    answer = httpx.get(f"{apache}/api/", headers={"authorization": f"Bearer {token}"})
    assert (answer.status_code, answer.text[:28]) == (200, "user=service-account-service")


@pytest.mark.parametrize("token", [None, "garbage"])
def test_an_api_refuses_everything_else(apache, token):
    headers = {"authorization": f"Bearer {token}"} if token else {}
    assert httpx.get(f"{apache}/api/", headers=headers).status_code == 401


def test_a_revoked_token_opens_nothing(apache, issuer):
    token = access_token(issuer)
    headers = {"authorization": f"Bearer {token}"}
    httpx.post(f"{issuer}/protocol/openid-connect/revoke", data={"token": token}, auth=("service", "service-secret"))
    assert httpx.get(f"{apache}/api/", headers=headers).status_code == 401
