"""The application under test: an API that takes access tokens and looks at their roles."""

import jwt
from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer


def create_api(issuer):
    api = FastAPI()
    keys = jwt.PyJWKClient(f"{issuer}/protocol/openid-connect/certs")

    def claims(bearer: HTTPAuthorizationCredentials = Depends(HTTPBearer())):
        token = bearer.credentials
        try:
            key = keys.get_signing_key_from_jwt(token)
            return jwt.decode(token, key, algorithms=["RS256"], audience="api", issuer=issuer)
        except jwt.PyJWTError as error:
            raise HTTPException(401, "invalid token") from error

    def admin(claims: dict = Depends(claims)):
        if "admin" not in claims["realm_access"]["roles"]:
            raise HTTPException(403, "admins only")

    @api.get("/me")
    def me(claims: dict = Depends(claims)):
        return {"username": claims["preferred_username"]}

    @api.delete("/reports/{report}", status_code=204, dependencies=[Depends(admin)])
    def delete(report: int):
        pass

    return api
