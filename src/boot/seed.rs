//! What is put into the database at the start: realms, files to import, a first administrator.

use std::collections::{BTreeSet, HashSet};
use std::path::{Path, PathBuf};

use super::{BootError, apply, refusals};
use crate::app::{App, Persona};
use crate::protocol::built_in::{ADMIN_ROLE, MASTER};
use crate::protocol::client::GrantType;
use crate::realm_file::spec::{ClientSpec, UserSpec};
use crate::realm_file::{self, ApplyError, FileProblems, Format, Newcomers, RealmSpec};
use crate::realms::KeySource;
use crate::secrets::Secret;
use crate::store::StoreError;

/// What is put into the database at the start.
#[derive(Clone, Debug, Default)]
pub struct Seed {
    /// Realms, brought to what they say.
    pub realms: Vec<RealmSpec>,
    /// Demo users whom the sign-in page offers by a button.
    pub personas: Vec<Persona>,
    /// Where first keys come from.
    pub keys: KeySource,
    /// Files as Keycloak imports them.
    pub import: Option<Import>,
    /// Who may administer a server that nobody can yet; with it the realm `master` comes to be.
    pub administrator: Option<Administrator>,
}

impl Seed {
    /// The demo realm, with its users at hand.
    ///
    /// # Errors
    /// Never in a released build: a test reads the file.
    pub fn demo() -> Result<Self, FileProblems> {
        let realms = realm_file::demo()?;
        let personas = realms
            .iter()
            .flat_map(|realm| {
                realm.users.iter().filter_map(|user| {
                    Some(Persona {
                        realm: realm.name.clone(),
                        username: user.username.clone(),
                        password: user.password.as_ref()?.expose().to_owned(),
                    })
                })
            })
            .collect();
        Ok(Self { realms, personas, ..Self::default() })
    }
}

/// Realm files to import.
#[derive(Clone, Debug, Default)]
pub struct Import {
    /// The files, those with realms before those that only add users to them.
    pub files: Vec<PathBuf>,
    /// What becomes of a realm that is there.
    pub existing: Existing,
}

/// What an import does to a realm that is there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Existing {
    /// Leaves it as it is, as Keycloak's start does.
    #[default]
    Skip,
    /// Brings it to what the file says.
    Update,
}

/// Who may do everything, in all realms.
#[derive(Clone, Debug, Default)]
pub struct Administrator {
    /// User name and password.
    pub user: Option<(String, Secret)>,
    /// `client_id` and secret of a client with a service account.
    pub service: Option<(String, Secret)>,
}

/// The realm files of a folder, in the order in which they are imported.
///
/// # Errors
/// When the folder cannot be read.
pub fn import_files(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        // What a name leads to counts: Kubernetes mounts files as links.
        if Format::of(&path).is_some() && std::fs::metadata(&path)?.is_file() {
            files.push(path);
        }
    }
    let adds_users = |path: &PathBuf| {
        let name = path.file_stem().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        name.contains("-users-") || name.ends_with("-users")
    };
    files.sort_by(|a, b| (adds_users(a), a).cmp(&(adds_users(b), b)));
    Ok(files)
}

/// Puts `seed` into the database, with the realms of `realm_files`.
pub(super) async fn plant(app: &App, realm_files: &[PathBuf], seed: Seed) -> Result<(), BootError> {
    let mut from_files = Vec::new();
    for file in realm_files {
        from_files.extend(realm_file::read(file)?);
    }
    honoured(app, &from_files)?;
    for realm in seed.realms.iter().chain(&from_files) {
        apply(app, realm).await?;
        if app.rules.helpful {
            app.at_hand.put(realm);
        }
    }
    if let Some(wish) = &seed.import {
        import(app, wish).await?;
    }
    match &seed.administrator {
        Some(administrator) => first_administrator(app, administrator).await,
        None => Ok(()),
    }
}

/// Production takes no file that says what it would not honour, and changes nothing then.
fn honoured(app: &App, realms: &[RealmSpec]) -> Result<(), FileProblems> {
    let refused = refusals(app, realms);
    if refused.is_empty() { Ok(()) } else { Err(FileProblems(refused)) }
}

/// Imports files. A realm that was there before the first of them is skipped or updated; one that a file made takes what
/// the later ones say.
async fn import(app: &App, wish: &Import) -> Result<(), BootError> {
    let there = app.store.realms().await?.into_iter().map(|realm| realm.name).collect::<HashSet<_>>();
    let (mut realms, mut mistakes) = (Vec::new(), FileProblems::default());
    for file in &wish.files {
        match realm_file::read(file) {
            Ok(found) => realms.extend(found),
            Err(problems) => mistakes.0.extend(problems.0),
        }
    }
    if !mistakes.0.is_empty() {
        return Err(mistakes.into());
    }
    let mut realms = realm_file::keycloak::with_service_accounts(realms);
    realms.retain(|realm| {
        let (name, file) = (&realm.name, realm.places.file());
        let skipped = wish.existing == Existing::Skip && there.contains(name);
        if skipped {
            tracing::info!(realm = name, file, "the realm exists already: import skipped");
        }
        !skipped
    });
    honoured(app, &realms)?;
    for realm in realms {
        let (name, file) = (&realm.name, realm.places.file());
        apply(app, &realm).await?;
        tracing::info!(realm = name, file, "imported the realm");
    }
    Ok(())
}

/// Makes the realm `master`, and `administrator` in it while nobody is: who was taken away later does not come back. Of
/// nodes that start side by side one makes theirs.
async fn first_administrator(app: &App, administrator: &Administrator) -> Result<(), BootError> {
    let master = app.store.realm_by_name(MASTER).await?;
    let people = match &master {
        Some(master) => app.store.count_users(&master.id).await?,
        None => 0,
    };
    if people > 0 {
        return Ok(());
    }
    let user = administrator.user.clone();
    let mut service = administrator.service.clone();
    if let (Some((client_id, _)), Some(master)) = (&service, &master)
        && app.store.client_by_client_id(&master.id, client_id).await?.is_some()
    {
        service = None;
    }
    if user.is_none() && service.is_none() && master.is_some() {
        return Ok(());
    }
    add(app, &Administrator { user, service }, Newcomers::First).await?;
    Ok(())
}

/// Lets `administrator`, who must be new, administer; makes the realm `master` when it is not there. Says whether they
/// were new; if not, nothing was changed.
///
/// # Errors
/// [`BootError`]; then nothing was changed.
pub async fn administrate(app: &App, administrator: &Administrator) -> Result<bool, BootError> {
    Ok(add(app, administrator, Newcomers::New).await?)
}

/// How often it is tried anew because somebody else was quicker to change the realm.
const ATTEMPTS: u32 = 32;

async fn add(app: &App, administrator: &Administrator, newcomers: Newcomers) -> Result<bool, ApplyError> {
    let (spec, now) = (specified(administrator), app.clock.now());
    let attempt = || realm_file::add_new(&app.store, &app.client_secrets, &spec, newcomers, now);
    let mut added = attempt().await;
    for _ in 1..ATTEMPTS {
        match added {
            Err(ApplyError::Store(StoreError::Conflict { .. })) => added = attempt().await,
            _ => break,
        }
    }
    let added = added?;
    app.realms.refresh(&app.store).await?;
    Ok(added)
}

/// The realm `master` with an administrator.
fn specified(administrator: &Administrator) -> RealmSpec {
    let roles = || Some(vec![ADMIN_ROLE.to_owned()]);
    let user = administrator.user.as_ref().map(|(username, password)| UserSpec {
        username: username.clone(),
        password: Some(password.clone()),
        roles: roles(),
        ..UserSpec::default()
    });
    let service = administrator.service.as_ref().map(|(id, secret)| ClientSpec {
        id: id.clone(),
        secret: Some(secret.clone()),
        grants: Some(BTreeSet::from([GrantType::ClientCredentials])),
        service_account_roles: roles(),
        ..ClientSpec::default()
    });
    RealmSpec {
        name: MASTER.to_owned(),
        users: user.into_iter().collect(),
        clients: service.into_iter().collect(),
        ..RealmSpec::default()
    }
}
