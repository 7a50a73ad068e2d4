-- What a code is bound to since the authorization request, and a grant since its code was redeemed, as the JSON text of a
-- claim `cnf` (RFC 7800, RFC 9449 §6 and §10).
ALTER TABLE authorization_codes ADD COLUMN confirmation TEXT;
ALTER TABLE grants ADD COLUMN confirmation TEXT;
