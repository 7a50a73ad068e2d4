//! Who hangs up while the database does not answer takes no connection along.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{UnixListener, UnixStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use vestibule::store::{Store, StoreOptions};
use vestibule::vault::Vault;

use crate::world::{Tenant, empty_database};

/// How many connections the store may have.
const CONNECTIONS: u32 = 4;

/// A way to the server on which connections can go silent as when the server's machine is gone: nothing comes any more,
/// not even an end. Those that are made afterwards work.
struct Relay {
    url: String,
    silent: watch::Sender<u64>,
    _folder: tempfile::TempDir,
}

impl Relay {
    /// To the database at `url`, which names the folder of the server's socket.
    fn new(url: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (before, rest) = url.split_once("host=").unwrap();
        let (host, after) = rest.split_once('&').unwrap_or((rest, ""));
        let name = std::fs::read_dir(host).unwrap().map(|entry| entry.unwrap().file_name());
        let name = name.into_iter().find(|name| {
            let name = name.to_string_lossy();
            name.starts_with(".s.PGSQL.") && !name.ends_with(".lock")
        });
        let name = name.unwrap();
        let server = Path::new(host).join(&name);
        let listener = UnixListener::bind(folder.path().join(&name)).unwrap();
        let silent = watch::Sender::new(0);
        tokio::spawn(accept(listener, server, silent.clone()));
        let url = format!("{before}host={}&{after}", folder.path().display());
        Self { url: url.trim_end_matches('&').to_owned(), silent, _folder: folder }
    }

    fn go_silent(&self) {
        self.silent.send_modify(|times| *times += 1);
    }
}

async fn accept(listener: UnixListener, server: PathBuf, silent: watch::Sender<u64>) {
    while let Ok((mut near, _)) = listener.accept().await {
        let mut far = UnixStream::connect(&server).await.unwrap();
        let mut silenced = silent.subscribe();
        tokio::spawn(async move {
            tokio::select! {
                _ = tokio::io::copy_bidirectional(&mut near, &mut far) => {}
                _ = silenced.changed() => std::future::pending().await,
            }
        });
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_hangs_up_before_a_silent_server_answers_takes_no_connection_along() {
    let Some(url) = empty_database().await else { return };
    let relay = Relay::new(&url);
    let options = StoreOptions { max_connections: CONNECTIONS, ..StoreOptions::new(&relay.url) };
    let store = Arc::new(Store::open(&options, Arc::new(Vault::random())).await.unwrap());
    store.migrate().await.unwrap();
    let tenant = Tenant::new("main", &store).await;
    // As many at once as there are connections; none when it gave up.
    let all = async |patience| {
        let mut reads = JoinSet::new();
        for _ in 0..CONNECTIONS {
            let (store, Tenant { realm, user, .. }) = (Arc::clone(&store), tenant.clone());
            let read = async move { store.user_by_id(&realm.id, &user.id).await };
            reads.spawn(tokio::time::timeout(patience, read));
        }
        reads.join_all().await
    };
    for found in all(Duration::from_secs(5)).await {
        assert!(found.unwrap().unwrap().is_some());
    }
    relay.go_silent();
    for given_up in all(Duration::from_millis(100)).await {
        assert!(given_up.is_err());
    }
    for found in all(Duration::from_secs(2)).await {
        assert!(found.expect("an answer in time").unwrap().is_some());
    }
    tokio::time::timeout(Duration::from_secs(1), store.close()).await.expect("an end in time");
}
