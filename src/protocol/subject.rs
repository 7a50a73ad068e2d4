//! By which name a client knows a person (OpenID Connect Core §8): the same for all, or one for each sector.

use serde::{Deserialize, Serialize};
use url::Url;

use super::client::Client;

/// Which kind of `sub` a client gets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SubjectType {
    /// The user's identifier, the same for every client.
    #[default]
    Public,
    /// A name that only clients of the same sector share, so that others cannot compare notes.
    Pairwise,
}

impl SubjectType {
    /// Every kind, as discovery names them.
    pub const ALL: [&str; 2] = ["public", "pairwise"];
}

/// The sector of a client that knows people by pairwise names (§8.1): the host of its `sector_identifier_uri`, or of its
/// redirect URIs; one without either is a sector of its own. None for a client with public names.
#[must_use]
pub fn sector(client: &Client) -> Option<String> {
    let settings = &client.settings;
    if settings.subject_type == SubjectType::Public {
        return None;
    }
    let mut uris = settings.sector_identifier_uri.iter().chain(&settings.redirect_uris);
    let host =
        uris.find_map(|uri| Url::parse(&uri.replacen(":*", "", 1)).ok()?.host_str().map(str::to_owned));
    Some(host.unwrap_or_else(|| client.client_id.clone()))
}

/// What a pairwise name is the keyed hash of (§8.1): the sector and the user's identifier, apart from each other.
#[must_use]
pub fn pairwise_input(sector: &str, user_id: &str) -> String {
    format!("{sector}\n{user_id}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::client::ClientSettings;

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
            assert_eq!(sector(&client(kind, sector_uri, uris)).as_deref(), expected);
        }
    }
}
