//! Replaced by apply.rs.
use super::RealmSpec;
/// Stub.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// s
    #[error("{0}")]
    Store(#[from] crate::store::StoreError),
}
/// Stub.
///
/// # Errors
/// x
/// Stub options.
#[derive(Default)]
pub struct PlanOptions {
    /// p
    pub prune: bool,
}
#[expect(missing_docs)]
pub async fn apply_spec(
    store: &crate::store::Store,
    passwords: &crate::passwords::Passwords,
    spec: &RealmSpec,
    _o: PlanOptions,
    at: crate::clock::Timestamp,
) -> Result<(), ApplyError> {
    use crate::store::Change;
    if store.realm_by_name(&spec.name).await?.is_some() {
        return Ok(());
    }
    let mut id = || uuid::Uuid::new_v4().to_string();
    let fresh = crate::protocol::built_in::fresh_realm(&spec.name, &mut id);
    let rid = fresh.realm.id.clone();
    let mut ch = vec![Change::PutRealm { realm: fresh.realm.clone(), at }];
    let mut r = fresh.realm.clone();
    if let Some(o) = &spec.optional_scopes {
        r.settings.optional_scopes = o.clone();
        ch.push(Change::PutRealm { realm: r, at });
    }
    ch.extend(fresh.scopes.iter().cloned().map(Change::PutScope));
    for s in &spec.scopes {
        ch.push(Change::PutScope(crate::protocol::scope::Scope {
            id: id(),
            realm_id: rid.clone(),
            name: s.name.clone(),
            description: None,
            settings: crate::protocol::scope::ScopeSettings {
                include_in_token: true,
                consent_text: s.consent_text.clone(),
                ..Default::default()
            },
        }));
    }
    ch.extend(fresh.clients.iter().cloned().map(|c| Change::PutClient { client: Box::new(c), at }));
    ch.extend(fresh.roles.iter().cloned().map(Change::PutRole));
    ch.extend(fresh.composites.iter().map(|(a, b)| Change::AddComposite {
        realm_id: rid.clone(),
        role_id: a.clone(),
        child_id: b.clone(),
    }));
    let mut roles = std::collections::HashMap::new();
    for x in &spec.roles {
        let i = id();
        roles.insert(x.name.clone(), i.clone());
        ch.push(Change::PutRole(crate::protocol::role::Role {
            id: i,
            realm_id: rid.clone(),
            client: None,
            name: x.name.clone(),
            description: None,
            built_in: false,
        }));
    }
    for x in &fresh.roles {
        if x.client.is_none() {
            roles.insert(x.name.clone(), x.id.clone());
        }
    }
    for c in &spec.clients {
        let cid = id();
        let grants = c.grants.clone().unwrap_or_default();
        let cl = crate::protocol::client::Client {
            id: cid.clone(),
            realm_id: rid.clone(),
            client_id: c.id.clone(),
            enabled: true,
            secret_hash: c.secret.as_ref().map(|s| crate::secrets::hash_generated(s.expose())),
            settings: crate::protocol::client::ClientSettings {
                name: c.name.clone(),
                authentication: if c.public == Some(true) {
                    crate::protocol::client::ClientAuthentication::None
                } else {
                    Default::default()
                },
                grants: grants.clone(),
                redirect_uris: c.redirect_uris.clone().unwrap_or_default(),
                post_logout_redirect_uris: c.post_logout_redirect_uris.clone().unwrap_or_default(),
                web_origins: c.web_origins.clone().unwrap_or_default(),
                consent: c.consent == Some(true),
                audiences: c.audiences.clone().unwrap_or_default(),
                full_scope_allowed: true,
                ..Default::default()
            },
        };
        ch.push(Change::PutClient { client: Box::new(cl), at });
        if grants.contains(&crate::protocol::client::GrantType::ClientCredentials) {
            ch.push(Change::PutUser(Box::new(crate::protocol::user::User {
                id: id(),
                realm_id: rid.clone(),
                username: crate::protocol::user::service_account_name(&c.id),
                email: None,
                email_verified: false,
                enabled: true,
                first_name: None,
                last_name: None,
                attributes: Default::default(),
                service_account_client: Some(cid),
                not_before: None,
                created_at: at,
            })));
        }
    }
    for u in &spec.users {
        let uid = u.id.clone().unwrap_or_else(&mut id);
        ch.push(Change::PutUser(Box::new(crate::protocol::user::User {
            id: uid.clone(),
            realm_id: rid.clone(),
            username: u.username.clone(),
            email: u.email.clone(),
            email_verified: u.email_verified == Some(true),
            enabled: true,
            first_name: u.first_name.clone(),
            last_name: u.last_name.clone(),
            attributes: u.attributes.clone().unwrap_or_default(),
            service_account_client: None,
            not_before: None,
            created_at: at,
        })));
        if let Some(p) = &u.password {
            let h = passwords
                .hash(passwords.profile(), p.clone())
                .await
                .map_err(|_| crate::store::StoreError::Unstorable)?;
            ch.push(Change::SetPassword { realm_id: rid.clone(), user_id: uid.clone(), hash: h });
        }
        for x in u.roles.iter().flatten() {
            if let Some(i) = roles.get(x) {
                ch.push(Change::AddUserRole {
                    realm_id: rid.clone(),
                    user_id: uid.clone(),
                    role_id: i.clone(),
                });
            }
        }
        if let Some(d) = roles.get(&fresh.realm.default_role()) {
            ch.push(Change::AddUserRole { realm_id: rid.clone(), user_id: uid.clone(), role_id: d.clone() });
        }
    }
    store.commit(ch).await?;
    Ok(())
}
