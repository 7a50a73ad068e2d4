//! By which name a client knows a person (OpenID Connect Core §8): the same for all, or one for each sector.

use std::collections::BTreeSet;

use md5::{Digest as _, Md5};
use serde::{Deserialize, Serialize};
use url::Url;
use uuid::Builder;

use super::client::Client;
use super::mapper::PAIRWISE;
use crate::secrets::sha256;

/// Which kind of `sub` a client gets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SubjectType {
    /// The user's identifier, the same for every client.
    #[default]
    Public,
    /// A name that only clients of the same sector share, by which others cannot tell that they know the same person. The
    /// identifier of a session (`sid`) is the same for all.
    Pairwise,
}

impl SubjectType {
    /// Every kind, as discovery names them.
    pub const ALL: [&str; 2] = ["public", "pairwise"];
}

/// The rule by which a client knows people under pairwise names (§8.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pairwise<'a> {
    /// The sector, whose clients share names.
    pub sector: String,
    /// The salt of a client that Keycloak described, whose names stay what they were there; without one a name is the
    /// keyed hash of [`pairwise_input`].
    pub salt: Option<&'a str>,
}

/// How `client` knows people by pairwise names: as it is registered, or as its mapper says. The sector is the host of its
/// `sector_identifier_uri`, or of its redirect URIs; one without either is a sector of its own. None for public names.
#[must_use]
pub fn pairwise(client: &Client) -> Option<Pairwise<'_>> {
    let settings = &client.settings;
    let mapper = settings.mappers.iter().find(|mapper| mapper.kind == PAIRWISE);
    if settings.subject_type == SubjectType::Public && mapper.is_none() {
        return None;
    }
    let named = mapper.and_then(|mapper| mapper.setting("sectorIdentifierUri"));
    let named = named.or(settings.sector_identifier_uri.as_deref());
    let mut uris = named.into_iter().chain(settings.redirect_uris.iter().map(String::as_str));
    let host = uris.find_map(|uri| parsed(uri)?.host_str().map(str::to_owned));
    Some(Pairwise {
        sector: host.unwrap_or_else(|| client.client_id.clone()),
        salt: mapper.and_then(|mapper| mapper.setting("pairwiseSubAlgorithmSalt")),
    })
}

/// Whether `redirect_uris` are on more than one host, so that none of them names the sector (§8.1); an app's own scheme
/// counts as one.
#[must_use]
pub fn on_several_hosts<'a>(redirect_uris: impl Iterator<Item = &'a str>) -> bool {
    let host = |uri: Url| uri.host_str().map_or_else(|| uri.scheme().to_owned(), str::to_owned);
    redirect_uris.filter_map(parsed).map(host).collect::<BTreeSet<_>>().len() > 1
}

/// A redirect URI, whose port may be the `*` of development.
fn parsed(uri: &str) -> Option<Url> {
    Url::parse(&uri.replacen(":*", "", 1)).ok()
}

/// What a pairwise name is the keyed hash of (§8.1): the sector and the user's identifier, apart from each other.
#[must_use]
pub fn pairwise_input(sector: &str, user_id: &str) -> String {
    format!("{sector}\n{user_id}")
}

/// The pairwise name that Keycloak makes: of the SHA-256 of sector, user and salt the UUID that Java makes of bytes. The
/// salt is the secret of it.
#[must_use]
pub fn keycloak_name(sector: &str, user_id: &str, salt: &str) -> String {
    let hashed = sha256(&format!("{sector}{user_id}{salt}"));
    Builder::from_md5_bytes(Md5::digest(hashed).into()).into_uuid().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::client::ClientSettings;
    use crate::protocol::mapper::Mapper;

    #[test]
    fn core_8_1_the_sector_is_a_host() {
        let client = |kind, sector: Option<&str>, uris: &[&str]| Client {
            id: "1".into(),
            realm_id: "r".into(),
            client_id: "app".into(),
            enabled: true,
            secret_hash: None,
            settings: ClientSettings {
                subject_type: kind,
                sector_identifier_uri: sector.map(str::to_owned),
                redirect_uris: uris.iter().map(|uri| (*uri).to_owned()).collect(),
                ..ClientSettings::default()
            },
        };
        use SubjectType::{Pairwise, Public};
        let uris = &["https://app.example:8443/cb", "https://app.example/cb"][..];
        for (kind, sector_uri, uris, expected) in [
            (Public, None, uris, None),
            (Pairwise, None, uris, Some("app.example")),
            (Pairwise, Some("https://group.example/sector.json"), uris, Some("group.example")),
            (Pairwise, None, &["http://localhost:*/*"][..], Some("localhost")),
            (Pairwise, None, &["com.example.app:/cb"][..], Some("app")),
            (Pairwise, None, &[][..], Some("app")),
        ] {
            let client = client(kind, sector_uri, uris);
            let found = pairwise(&client).map(|found| (found.sector, found.salt));
            assert_eq!(found, expected.map(|sector: &str| (sector.to_owned(), None)));
        }
    }

    /// The name is that of `UUID.nameUUIDFromBytes(SHA-256(sector + user + salt))` in Java.
    #[test]
    fn a_keycloak_clients_names_stay_what_they_were() {
        let mapper = |config: &[(&str, &str)]| Mapper {
            kind: PAIRWISE.to_owned(),
            config: config.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect(),
            ..Mapper::default()
        };
        let client = |mapper: Mapper| Client {
            id: "1".into(),
            realm_id: "r".into(),
            client_id: "app".into(),
            enabled: true,
            secret_hash: None,
            settings: ClientSettings {
                redirect_uris: vec!["https://app.example/cb".into()],
                mappers: vec![mapper],
                ..ClientSettings::default()
            },
        };
        let named = client(mapper(&[
            ("sectorIdentifierUri", "https://group.example/s.json"),
            ("pairwiseSubAlgorithmSalt", "salt"),
        ]));
        let found = pairwise(&named).unwrap();
        assert_eq!((found.sector.as_str(), found.salt), ("group.example", Some("salt")));
        let unsalted = client(mapper(&[]));
        let found = pairwise(&unsalted).unwrap();
        assert_eq!((found.sector.as_str(), found.salt), ("app.example", None));
        let name = keycloak_name("app.example", "f3a1", "salt");
        assert_eq!(name, "ee42a9f1-a3b6-32d1-9474-72dabe1010a1");
    }
}
