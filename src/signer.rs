//! Signing keys, JWS and JWKS.
