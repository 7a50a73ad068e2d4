//! Credentials: the `Authorization` header and stored hashes.

use vestibule::passwords::Scheme;
use vestibule::protocol::client_assertion;
use vestibule::protocol::client_auth::{self, Sent};
use vestibule::protocol::user_code::UserCode;

/// Z13: no header makes the reader panic, and no identifier holds a NUL.
pub fn basic(bytes: &[u8]) {
    let Some([header, id, secret]) = crate::lines(bytes) else { return };
    let some = |text| Some(text).filter(|text: &&str| !text.is_empty());
    let sent = Sent {
        authorization: some(header),
        client_id: some(id),
        client_secret: some(secret),
        ..Sent::default()
    };
    if let Ok(presented) = client_auth::presented(sent) {
        assert!(sent.authorization.is_none() || !presented.client_id.contains('\0'));
    }
}

/// A token that is to prove a client: whom it names, it names.
pub fn client_assertion(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let sent = Sent {
        assertion_type: Some(client_assertion::ASSERTION_TYPE),
        assertion: Some(text),
        ..Sent::default()
    };
    if let Ok(presented) = client_auth::presented(sent) {
        assert_eq!(client_assertion::subject(text), Some(presented.client_id));
    }
}

/// Z20: a user code is read one way, and written as it is read.
pub fn user_code(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Some(code) = UserCode::parse(text) {
        assert_eq!(UserCode::parse(&code.to_string()), Some(code.clone()));
        assert!(code.canonical().bytes().all(|letter| letter.is_ascii_uppercase()));
    }
}

/// Z23: a stored hash that is accepted costs no more than the bounds, and is written as it was read.
pub fn password_hash(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(scheme) = text.parse::<Scheme>() {
        assert!(scheme.clone().bounded().is_ok(), "{text:?}");
        assert_eq!(scheme.to_string(), text);
    }
}
