#!/usr/bin/env python3
"""glewlwyd's configuration, database, keys, client and user in the data folder.   prepare.py DATA PORT"""
import gzip, http.cookiejar, json, signal, sqlite3, subprocess, sys, time, urllib.error, urllib.request

data, port = sys.argv[1], int(sys.argv[2])
base = f"http://127.0.0.1:{port}"
database = sqlite3.connect(f"{data}/glewlwyd.db")
database.executescript(gzip.open("/usr/share/doc/glewlwyd/database/init.sqlite3.sql.gz", "rt").read())
database.commit()
database.close()
with open(f"{data}/glewlwyd.conf", "w") as file:
    file.write(f"""
port={port}
bind_address="127.0.0.1"
external_url="{base}"
login_url="login.html"
api_prefix="api"
static_files_path="/usr/share/glewlwyd/webapp/"
log_mode="file"
log_level="ERROR"
log_file="{data}/glewlwyd.log"
cookie_secure=0
session_expiration=2419200
session_key="GLEWLWYD2_SESSION_ID"
admin_scope="g_admin"
profile_scope="g_profile"
user_module_path="/usr/lib/glewlwyd/user"
client_module_path="/usr/lib/glewlwyd/client"
user_middleware_module_path="/usr/lib/glewlwyd/user_middleware"
user_auth_scheme_module_path="/usr/lib/glewlwyd/scheme"
plugin_module_path="/usr/lib/glewlwyd/plugin"
use_secure_connection=false
secure_connection_key_file="/etc/ssl/certs/cert.key"
secure_connection_pem_file="/etc/ssl/certs/cert.pem"
secure_connection_ca_file="/etc/ssl/certs/ca.crt"
hash_algorithm="SHA512"
database = {{ type = "sqlite3" path = "{data}/glewlwyd.db" }};
static_files_mime_types = ( {{ extension = ".html" mime_type = "text/html" }} )
""")

MAKE_KEYS = """
const { generateKeyPairSync } = require('node:crypto')
const key = (kid, alg, kind, options) => ({
  ...generateKeyPairSync(kind, options).privateKey.export({ format: 'jwk' }), alg, kid, use: 'sig' })
console.log(JSON.stringify([
  key('rs', 'RS256', 'rsa', { modulusLength: 2048 }), key('es', 'ES256', 'ec', { namedCurve: 'P-256' })]))
"""
keys = json.loads(subprocess.check_output(["node", "-e", MAKE_KEYS]))
jar = urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
opener = urllib.request.build_opener(jar)


def call(method, path, body):
    request = urllib.request.Request(
        base + path, method=method, data=json.dumps(body).encode(), headers={"Content-Type": "application/json"})
    try:
        opener.open(request, timeout=10).read()
    except urllib.error.HTTPError as error:
        sys.exit(f"{method} {path}: {error.code} {error.read().decode()[:500]}")


def wait():
    for _ in range(200):
        try:
            opener.open(base + "/config/", timeout=2)
            return
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.05)


server = subprocess.Popen(["glewlwyd", f"--config-file={data}/glewlwyd.conf"])
try:
    wait()
    call("POST", "/api/auth/", {"username": "admin", "password": "password"})
    for key in keys:
        name = key["kid"]
        call("POST", "/api/mod/plugin/", {
            "module": "oidc", "name": name, "display_name": name, "order_rank": 0, "parameters": {
                "iss": f"{base}/api/{name}", "jwks-private": json.dumps({"keys": [key]}), "default-kid": name,
                "jwks-show": True, "access-token-duration": 3600, "refresh-token-duration": 1209600,
                "code-duration": 600, "refresh-token-rolling": False, "refresh-token-one-use": "always",
                "allow-non-oidc": True, "auth-type-code-enabled": True, "auth-type-code-revoke-replayed": True,
                "auth-type-token-enabled": False, "auth-type-id-token-enabled": True, "auth-type-none-enabled": False,
                "auth-type-password-enabled": False, "auth-type-client-enabled": True, "auth-type-device-enabled": False,
                "auth-type-refresh-enabled": True, "subject-type": "public", "allowed-scope": ["openid"], "scope": [],
                "additional-parameters": [], "claims": [], "name-claim": "on-demand", "email-claim": "on-demand",
                "pkce-allowed": True, "pkce-method-plain-allowed": False, "pkce-required": True,
                "introspection-revocation-allowed": True, "introspection-revocation-allow-target-client": True,
                "introspection-revocation-auth-scope": []}})
    call("POST", "/api/scope/", {
        "name": "api", "display_name": "api", "description": "bench", "password_required": False,
        "password_max_age": 0, "scheme": {}})
    call("POST", "/api/user/", {
        "username": "alice", "password": "alice-secret", "name": "Alice", "email": "alice@example.com", "enabled": True,
        "scope": ["g_profile", "openid", "api"]})
    call("POST", "/api/client/", {
        "client_id": "bench", "name": "bench", "enabled": True, "confidential": True,
        "client_secret": "bench-secret-0123456789abcdef", "password": "bench-secret-0123456789abcdef",
        "redirect_uri": ["http://127.0.0.1:9999/callback"],
        "authorization_type": ["code", "client_credentials", "refresh_token"],
        "token_endpoint_auth_method": ["client_secret_basic"], "scope": ["openid", "api"]})
finally:
    server.send_signal(signal.SIGTERM)
    server.wait(15)
