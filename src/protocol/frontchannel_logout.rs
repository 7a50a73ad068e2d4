//! Front-channel logout (OpenID Connect Front-Channel Logout 1.0): the address that a client's frame loads.

/// The registered address with `iss` and `sid` added, and nothing else (§2). Its own query is kept.
#[must_use]
pub fn address(registered: &str, issuer: &str, session_id: &str) -> String {
    let added = form_urlencoded::Serializer::new(String::new())
        .append_pair("iss", issuer)
        .append_pair("sid", session_id)
        .finish();
    let separator = if registered.contains('?') { '&' } else { '?' };
    format!("{registered}{separator}{added}")
}

#[cfg(test)]
mod tests {
    use super::address;

    #[test]
    fn frontchannel_logout_2_iss_and_sid_are_added() {
        let issuer = "https://id.example/realms/main";
        for (registered, expected) in [
            (
                "https://app.example/bye",
                "https://app.example/bye?iss=https%3A%2F%2Fid.example%2Frealms%2Fmain&sid=1",
            ),
            (
                "https://app.example/bye?tenant=a%20b",
                "https://app.example/bye?tenant=a%20b&iss=https%3A%2F%2Fid.example%2Frealms%2Fmain&sid=1",
            ),
        ] {
            assert_eq!(address(registered, issuer, "1"), expected);
        }
    }
}
