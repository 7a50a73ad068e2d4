//! The bodies of the admin API: Keycloak's representations, one by one.

use serde::Serialize;
use serde::de::DeserializeOwned;
use vestibule::clock::Timestamp;
use vestibule::keycloak::representation::{
    AuthenticationExecutionRepresentation, AuthenticationFlowRepresentation,
    AuthenticatorConfigRepresentation, ClientRepresentation, ClientScopeRepresentation,
    ComponentRepresentation, CredentialRepresentation, GroupRepresentation,
    IdentityProviderMapperRepresentation, IdentityProviderRepresentation, ProtocolMapperRepresentation,
    RequiredActionRepresentation, RoleRepresentation, UserRepresentation,
};
use vestibule::keycloak::{client, user};
use vestibule::protocol::realm::RealmSettings;
use vestibule::protocol::user::User;

/// What was read and written is read again as the same.
fn settles<T: DeserializeOwned + Serialize>(bytes: &[u8]) {
    let Ok(read) = serde_json::from_slice::<T>(bytes) else { return };
    let written = serde_json::to_value(&read).expect("a representation is JSON");
    let again: T = serde_json::from_value(written.clone()).expect("what was written is read again");
    assert_eq!(serde_json::to_value(&again).expect("JSON"), written);
}

/// A client that is written as it is told of stays as it is: what `GET` answers, `PUT` takes without a change.
pub fn client(bytes: &[u8]) {
    settles::<ClientRepresentation>(bytes);
    let Ok(told) = serde_json::from_slice::<ClientRepresentation>(bytes) else { return };
    if client::problem(&told).is_some() {
        return;
    }
    let realm = RealmSettings::default();
    let mut new_id = || "new".to_owned();
    let first = client::from_representation(told, client::begin("r", "app", "c".to_owned()), &mut new_id);
    let shown = client::to_representation(&first.client, None, &realm, first.kept);
    let written = serde_json::to_value(&shown).expect("JSON");
    let second = client::from_representation(shown, first.client, &mut new_id);
    let shown = client::to_representation(&second.client, None, &realm, second.kept);
    assert_eq!(serde_json::to_value(&shown).expect("JSON"), written);
}

/// The same for a user, whose names are those that Keycloak's profile takes.
pub fn user(bytes: &[u8]) {
    settles::<UserRepresentation>(bytes);
    let Ok(told) = serde_json::from_slice::<UserRepresentation>(bytes) else { return };
    if user::problem(&told).is_some() {
        return;
    }
    let base = User::new("r", "u", "alice", Timestamp(1_800_000_000));
    let (first, kept) = user::from_representation(told, base);
    let shown = user::to_representation(&first, false, kept);
    let (second, _) = user::from_representation(shown, first.clone());
    assert_eq!(second, first);
}

/// The rest is read or refused.
pub fn others(bytes: &[u8]) {
    settles::<ClientScopeRepresentation>(bytes);
    settles::<ProtocolMapperRepresentation>(bytes);
    settles::<GroupRepresentation>(bytes);
    settles::<RoleRepresentation>(bytes);
    settles::<CredentialRepresentation>(bytes);
    settles::<ComponentRepresentation>(bytes);
    settles::<IdentityProviderRepresentation>(bytes);
    settles::<IdentityProviderMapperRepresentation>(bytes);
    settles::<AuthenticationFlowRepresentation>(bytes);
    settles::<AuthenticationExecutionRepresentation>(bytes);
    settles::<AuthenticatorConfigRepresentation>(bytes);
    settles::<RequiredActionRepresentation>(bytes);
}
