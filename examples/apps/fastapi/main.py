"""Sign in with FastAPI and Authlib."""

import os
import secrets

from authlib.integrations.starlette_client import OAuth, OAuthError
from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.middleware.sessions import SessionMiddleware

app = FastAPI()
app.add_middleware(SessionMiddleware, secret_key=os.getenv("SESSION_SECRET") or secrets.token_hex())

oauth = OAuth()
issuer = os.getenv("ISSUER", "http://127.0.0.1:8080/realms/main")
oauth.register(
    "vestibule",
    server_metadata_url=f"{issuer}/.well-known/openid-configuration",
    client_id=os.getenv("CLIENT_ID", "web"),
    client_secret=os.getenv("CLIENT_SECRET", "web-secret"),
    client_kwargs={"scope": "openid profile email", "code_challenge_method": "S256"},
)


@app.get("/")
async def home(request: Request):
    user = request.session.get("user")
    if not user:
        return HTMLResponse('<a href="/login">Sign in</a>')
    return {"name": user["name"], "email": user["email"]}


@app.get("/login")
async def login(request: Request):
    return await oauth.vestibule.authorize_redirect(request, request.url_for("callback"))


@app.get("/callback")
async def callback(request: Request):
    try:
        token = await oauth.vestibule.authorize_access_token(request)
    except OAuthError as error:
        return HTMLResponse(f"Not signed in: {error.error}", status_code=403)
    request.session["user"] = token["userinfo"]
    request.session["id_token"] = token["id_token"]
    return RedirectResponse("/")


@app.get("/logout")
async def logout(request: Request):
    id_token = request.session.pop("id_token", None)
    request.session.clear()
    return await oauth.vestibule.logout_redirect(
        request, request.url_for("signed_out"), id_token_hint=id_token, client_id=oauth.vestibule.client_id
    )


@app.get("/signed-out")
async def signed_out(request: Request):
    await oauth.vestibule.validate_logout_response(request)
    return RedirectResponse("/")
