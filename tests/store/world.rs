//! A database with one realm, one client, one user, one session: what every test begins with.

use std::sync::{Arc, OnceLock};

use uuid::Uuid;
use vestibule::clock::Timestamp;
use vestibule::protocol::audit::{AuditEvent, AuditKind};
use vestibule::protocol::client::{Client, ClientSettings};
use vestibule::protocol::code::AuthorizationCode;
use vestibule::protocol::grant::Grant;
use vestibule::protocol::realm::{Realm, RealmSettings};
use vestibule::protocol::refresh::RefreshToken;
use vestibule::protocol::session::Session;
use vestibule::protocol::user::User;
use vestibule::store::{Change, Store, StoreOptions};
use vestibule::vault::Vault;

use crate::postgres::{self, Cluster};

/// The moment of every test.
pub(crate) const NOW: Timestamp = Timestamp(1_800_000_000);

/// What a test works in.
pub(crate) struct World {
    /// The database.
    pub(crate) store: Store,
    /// The realm with something in it.
    pub(crate) tenant: Tenant,
    /// Of the file, removed with it; none on a server.
    folder: Option<tempfile::TempDir>,
}

/// One of everything, in one realm.
#[derive(Clone)]
pub(crate) struct Tenant {
    /// The realm.
    pub(crate) realm: Realm,
    /// Its client.
    pub(crate) client: Client,
    /// Its user.
    pub(crate) user: User,
    /// The user's session.
    pub(crate) session: Session,
    /// The fingerprint of the session's cookie.
    pub(crate) fingerprint: String,
}

impl World {
    /// On a SQLite file, whose name would mean something in an address.
    pub(crate) async fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", folder.path().join("a b%23#?.db").display());
        Self::open(url, Some(folder)).await
    }

    /// On a database of the cluster; none when the person said to leave Postgres out.
    pub(crate) async fn postgres() -> Option<Self> {
        Some(Self::open(empty_database().await?, None).await)
    }

    /// Whether other nodes may use the same database.
    pub(crate) fn is_postgres(&self) -> bool {
        self.folder.is_none()
    }

    async fn open(url: String, folder: Option<tempfile::TempDir>) -> Self {
        let store = Store::open(&StoreOptions::new(url), Arc::new(Vault::random())).await.unwrap();
        store.migrate().await.unwrap();
        let tenant = Tenant::new("main", &store).await;
        Self { store, tenant, folder }
    }
}

/// The address of an empty database of the cluster; none when the person said to leave Postgres out.
pub(crate) async fn empty_database() -> Option<String> {
    static CLUSTER: OnceLock<Cluster> = OnceLock::new();
    if !postgres::wanted() {
        return None;
    }
    Some(CLUSTER.get_or_init(Cluster::start).database().await)
}

/// A new identifier.
pub(crate) fn id() -> String {
    Uuid::now_v7().to_string()
}

impl Tenant {
    /// A realm called `name` with a client, a user and a session.
    pub(crate) async fn new(name: &str, store: &Store) -> Self {
        let (display_name, settings) = (None, RealmSettings::default());
        let realm = Realm { id: id(), name: name.into(), display_name, enabled: true, settings, version: 0 };
        let client = Client {
            id: id(),
            realm_id: realm.id.clone(),
            client_id: "web".into(),
            enabled: true,
            secret_hash: None,
            settings: ClientSettings::default(),
        };
        let user = User {
            email: Some("Alice@Example.com".into()),
            email_verified: true,
            ..User::new(&realm.id, &id(), "alice", NOW)
        };
        let session = Session {
            id: id(),
            realm_id: realm.id.clone(),
            user_id: user.id.clone(),
            auth_time: NOW,
            acr: "1".into(),
            remembered: false,
            started_at: NOW,
            last_seen_at: NOW,
            ended_at: None,
            address: "192.0.2.1".into(),
            user_agent: "test".into(),
        };
        let tenant = Self { realm, client, user, session, fingerprint: id() };
        store.commit(tenant.changes()).await.unwrap();
        tenant
    }

    fn changes(&self) -> Vec<Change> {
        vec![
            Change::PutRealm { realm: self.realm.clone(), at: NOW },
            Change::PutClient { client: Box::new(self.client.clone()), at: NOW },
            Change::PutUser(Box::new(self.user.clone())),
            Change::BeginSession {
                session: self.session.clone(),
                fingerprint: self.fingerprint.clone(),
                expires_at: NOW.plus(1_800),
            },
        ]
    }

    /// A grant of the user to the client, in the session.
    pub(crate) fn grant(&self) -> Grant {
        Grant {
            id: id(),
            realm_id: self.realm.id.clone(),
            client: self.client.id.clone(),
            user_id: self.user.id.clone(),
            session_id: Some(self.session.id.clone()),
            scope: "openid".into(),
            offline: false,
            auth_time: NOW,
            acr: "1".into(),
            nonce: None,
            request: Default::default(),
            confirmation: None,
            parent: None,
            created_at: NOW,
            last_used_at: NOW,
            revoked_at: None,
        }
    }

    /// A committed grant with a code.
    pub(crate) async fn code(&self, store: &Store) -> AuthorizationCode {
        let grant = self.grant();
        let code = AuthorizationCode {
            fingerprint: id(),
            realm_id: self.realm.id.clone(),
            grant_id: grant.id.clone(),
            client: self.client.id.clone(),
            redirect_uri: "https://app.example/cb".into(),
            code_challenge: None,
            confirmation: None,
            issued_at: NOW,
            expires_at: NOW.plus(60),
            redeemed_at: None,
            failures: 0,
        };
        let changes =
            vec![Change::AddGrant { grant, expires_at: NOW.plus(600) }, Change::AddCode(code.clone())];
        store.commit(changes).await.unwrap();
        code
    }

    /// A refresh token that is not kept yet.
    pub(crate) fn refresh(&self, grant_id: &str, predecessor: Option<&str>) -> RefreshToken {
        RefreshToken {
            id: id(),
            realm_id: self.realm.id.clone(),
            grant_id: grant_id.to_owned(),
            predecessor: predecessor.map(str::to_owned),
            issued_at: NOW,
            expires_at: NOW.plus(1_800),
            used_at: None,
            superseded_at: None,
        }
    }

    /// An event.
    pub(crate) fn event(&self) -> AuditEvent {
        AuditEvent {
            id: id(),
            realm_id: self.realm.id.clone(),
            at: NOW,
            kind: AuditKind::Login,
            user_id: None,
            client_id: None,
            session_id: None,
            address: None,
            error: None,
            detail: serde_json::json!({}),
        }
    }
}
