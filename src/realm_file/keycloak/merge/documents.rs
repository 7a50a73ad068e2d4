//! Documents on which nothing acts yet.

use super::super::super::fresh;
use super::Merge;
use crate::keycloak::document::DocumentKind;
use crate::keycloak::representation::RealmRepresentation;
use crate::keycloak::{Kept, KeycloakRecord, secret};

impl Merge {
    pub(super) fn documents(&mut self, representation: &RealmRepresentation) {
        for (kind, list) in [
            (DocumentKind::IdentityProvider, &representation.identity_providers),
            (DocumentKind::IdentityProviderMapper, &representation.identity_provider_mappers),
            (DocumentKind::AuthenticationFlow, &representation.authentication_flows),
            (DocumentKind::AuthenticatorConfig, &representation.authenticator_config),
            (DocumentKind::RequiredAction, &representation.required_actions),
        ] {
            for content in list.iter().flatten() {
                self.document(kind, content.clone());
            }
        }
        for (kind, list) in representation.components.iter().flatten() {
            for content in list {
                let mut content = content.clone();
                content.insert(PROVIDER_TYPE.to_owned(), kind.clone().into());
                self.document(DocumentKind::Component, content);
            }
        }
    }

    fn document(&mut self, kind: DocumentKind, content: Kept) {
        let same = |record: &&KeycloakRecord, parent: &str, name: &str| {
            record.kind == kind.kind() && record.parent == parent && record.name == name
        };
        let known = |parent: &str, name: &str| {
            self.kept.values().find(|record| same(record, parent, name)).map(|record| record.id.clone())
        };
        let mut record = kind.record(&self.realm.id, content, &known, &mut fresh::id);
        let nothing = Kept::new();
        let before = self.kept.values().find(|there| {
            same(there, &record.parent, &record.name) || (there.kind == record.kind && there.id == record.id)
        });
        let before = before.map_or(&nothing, |there| &there.content);
        if let Some(address) = secret::redirected(&record.content, before) {
            self.clashes.push(redirected(&format!("{} `{}`", kind.kind(), record.name), address));
        }
        secret::unmask(&mut record.content, before);
        // Of one name there is one, whatever identifier the file has for it.
        self.kept.retain(|_, there| !same(&&*there, &record.parent, &record.name) || there.id == record.id);
        self.without_effect.note_documents(kind);
        self.kept.insert((record.kind.clone(), record.id.clone()), record);
    }
}

/// That `what` has another address beside the mask of a secret.
pub(super) fn redirected(what: &str, address: &str) -> String {
    format!(
        "{what} has another `{address}` than the one its secret goes to: write the secret in place of its mask"
    )
}

/// The member of a component that an export has as the name of the list.
pub(in super::super) const PROVIDER_TYPE: &str = "providerType";
