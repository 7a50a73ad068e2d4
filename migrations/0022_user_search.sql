-- What a search finds of a user ends in first and last name, one line each, so that each field can be searched by itself:
-- user name, e-mail address, whole name, first name, last name.
UPDATE users SET search_key = search_key || '
' || LOWER(COALESCE(first_name, '')) || '
' || LOWER(COALESCE(last_name, ''));
