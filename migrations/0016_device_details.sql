-- What a device asked for in detail (RFC 9396), as JSON, and once it is approved what was; none for nothing.
ALTER TABLE device_codes ADD COLUMN details TEXT;
