//! Postgres: its connections, lent and taken back.
//!
//! sqlx's pool asks the server about each connection that comes back: one more way there and back, and a task, for every
//! statement. One that has just answered needs no such question, and rests here for whoever comes next. Any other is tried,
//! which ends what it was in the middle of, and goes back to the pool.

use std::str::FromStr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgConnectOptions, PgConnection, PgPool, PgPoolOptions};
use sqlx::{ConnectOptions as _, Connection as _};
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::error::StoreError;
use super::health::Health;
use super::open::{StoreOptions, unsuitable};

/// Statements kept prepared on each connection; more than there are texts.
const PREPARED: usize = 256;

/// How long a request waits for a connection before the store counts as unavailable.
const PATIENCE: Duration = Duration::from_secs(2);

/// A connection that was idle for longer is tried before it is used.
const TRUSTED_IDLE: Duration = Duration::from_secs(5);

/// How long such a trial may take: on a half-open socket it would wait for minutes.
const PING_DEADLINE: Duration = Duration::from_millis(500);

/// How long closing waits for what is under way: longer than a statement may take. A transaction of many that is not done then
/// is undone by the server.
const CLOSING: Duration = Duration::from_secs(6);

/// A connection that nobody needed for so long is closed.
const MOST_IDLE: Duration = Duration::from_secs(600);

/// One that is older is made anew, since a server's process grows with what it has seen.
const MOST_AGE: Duration = Duration::from_secs(1_800);

/// A server's connections.
#[derive(Debug)]
pub(super) struct Postgres {
    pool: PgPool,
    /// As many as there may be connections: who has a place finds one at rest, or may have one opened.
    places: Arc<Semaphore>,
    most: usize,
    /// The one that was used last stands last.
    resting: Mutex<Vec<Resting>>,
    health: Arc<Health>,
}

#[derive(Debug)]
struct Resting {
    connection: PoolConnection<sqlx::Postgres>,
    opened: Instant,
    since: Instant,
}

/// A connection in use. Dropped before it is given back, in the middle of an answer perhaps, it is tried and goes to the pool.
#[derive(Debug)]
pub(super) struct Lease {
    leased: Option<Leased>,
}

#[derive(Debug)]
struct Leased {
    connection: PoolConnection<sqlx::Postgres>,
    opened: Instant,
    place: OwnedSemaphorePermit,
}

impl Lease {
    fn new(connection: PoolConnection<sqlx::Postgres>, opened: Instant, place: OwnedSemaphorePermit) -> Self {
        Self { leased: Some(Leased { connection, opened, place }) }
    }

    /// The connection.
    ///
    /// # Errors
    /// None, while the lease is held.
    pub(super) fn connection(&mut self) -> Result<&mut PgConnection, StoreError> {
        let leased = self.leased.as_mut().ok_or_else(StoreError::gone)?;
        Ok(&mut leased.connection)
    }
}

impl Drop for Lease {
    /// The place is kept until the connection is good again or gone: whoever got it before would wait for the pool, past
    /// connections that come to rest meanwhile.
    fn drop(&mut self) {
        let Some(leased) = self.leased.take() else { return };
        let Ok(runtime) = Handle::try_current() else { return discard(leased.connection) };
        runtime.spawn(async move {
            let Leased { mut connection, place, .. } = leased;
            match try_out(&mut connection).await {
                Ok(()) => drop(connection),
                Err(_) => discard(connection),
            }
            drop(place);
        });
    }
}

/// Ends a connection without a word to a server that may not answer.
fn discard(connection: PoolConnection<sqlx::Postgres>) {
    drop(connection.detach());
}

impl Postgres {
    /// The server at the address in `options`, once it has answered.
    ///
    /// # Errors
    /// [`StoreError`] when it does not, and when its database is not one of UTF-8.
    pub(super) async fn connect(options: &StoreOptions, health: &Arc<Health>) -> Result<Self, StoreError> {
        let connect = connect_options(options)?;
        let most = options.max_connections.max(1);
        let pool = match pool_options(most, health).connect_with(connect.clone()).await {
            Err(sqlx::Error::PoolTimedOut) => return Err(unreachable(&connect).await),
            pool => pool?,
        };
        let most = usize::try_from(most).unwrap_or(Semaphore::MAX_PERMITS).min(Semaphore::MAX_PERMITS);
        let (places, health) = (Arc::new(Semaphore::new(most)), Arc::clone(health));
        let postgres = Self { pool, places, most, resting: Mutex::default(), health };
        let mut lease = postgres.lend().await?;
        check_server(lease.connection()?).await?;
        postgres.take_back(lease, None);
        Ok(postgres)
    }

    /// How it is connected to.
    pub(super) fn connect_options(&self) -> PgConnectOptions {
        self.pool.connect_options().as_ref().clone()
    }

    /// A connection, as soon as there is one.
    ///
    /// # Errors
    /// [`StoreError`] when there is none for two seconds, or none can be made.
    pub(super) async fn lend(&self) -> Result<Lease, StoreError> {
        let lent = tokio::time::timeout(PATIENCE, async {
            let place = Arc::clone(&self.places).acquire_owned().await;
            let place = place.map_err(|_| sqlx::Error::PoolClosed)?;
            while let Some(resting) = self.latest() {
                if let Some(Resting { connection, opened, .. }) = self.sound(resting).await {
                    return Ok(Lease::new(connection, opened, place));
                }
            }
            // Few need the way to a new one: the others do not carry it along.
            let connection = Box::pin(self.pool.acquire()).await?;
            Ok(Lease::new(connection, Instant::now(), place))
        });
        lent.await.unwrap_or_else(|_| Err(sqlx::Error::PoolTimedOut.into()))
    }

    /// Takes a connection back from who met `error` with it, or none.
    pub(super) fn take_back(&self, mut lease: Lease, error: Option<&StoreError>) {
        // It may be inside a transaction, which the trial of a dropped lease ends.
        if error.is_some_and(|error| !error.spoils_connection()) {
            return;
        }
        let Some(leased) = lease.leased.take() else { return };
        if error.is_none() {
            return self.rest(leased);
        }
        self.health.lost();
        discard(leased.connection);
    }

    fn rest(&self, leased: Leased) {
        let Leased { connection, opened, place } = leased;
        let mut resting = self.resting();
        // Looked at under the lock: what comes to rest after `close` emptied it would stay for ever.
        if self.places.is_closed() {
            return;
        }
        resting.push(Resting { connection, opened, since: Instant::now() });
        if resting.first().is_some_and(|longest| longest.since.elapsed() > MOST_IDLE) {
            resting.remove(0).connection.close_on_drop();
        }
        drop(place);
    }

    /// The connection, if it can be trusted.
    async fn sound(&self, mut resting: Resting) -> Option<Resting> {
        let idle_for = resting.since.elapsed();
        if resting.opened.elapsed() > MOST_AGE {
            resting.connection.close_on_drop();
            return None;
        }
        if !is_doubtful(idle_for, &self.health) {
            return Some(resting);
        }
        let begun = Instant::now();
        // On a task of its own, so that a trial whose lender gives up comes to its end.
        let tried = tokio::spawn(async move {
            match try_out(&mut resting.connection).await {
                Ok(()) => Some(resting),
                Err(_) => {
                    discard(resting.connection);
                    None
                }
            }
        });
        let sound = tried.await.ok().flatten();
        if sound.is_none() {
            // Those that rested longer would each take as long to be found dead.
            let mut resting = self.resting();
            let (longer, since): (Vec<_>, Vec<_>) = resting.drain(..).partition(|one| one.since < begun);
            *resting = since;
            longer.into_iter().for_each(|one| discard(one.connection));
        }
        sound
    }

    /// How many connections are in use and how many are at rest.
    pub(super) fn connections(&self) -> (usize, usize) {
        let used = self.most.saturating_sub(self.places.available_permits());
        (used, self.resting().len().saturating_add(self.pool.num_idle()))
    }

    /// Closes every connection, after what is under way.
    pub(super) async fn close(&self) {
        self.places.close();
        self.resting().clear();
        // What is under way has its own deadline; what else holds a connection holds up nobody.
        drop(tokio::time::timeout(CLOSING, self.pool.close()).await);
    }

    fn latest(&self) -> Option<Resting> {
        self.resting().pop()
    }

    fn resting(&self) -> MutexGuard<'_, Vec<Resting>> {
        self.resting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Postgres {
    /// To go back to the pool a connection needs a runtime, which may have ended before.
    fn drop(&mut self) {
        for resting in self.resting().drain(..) {
            drop(resting.connection.leak());
        }
    }
}

/// The pool that connects, and in which those rest whose lease was dropped or met an error.
fn pool_options(most: u32, health: &Arc<Health>) -> PgPoolOptions {
    let health = Arc::clone(health);
    PgPoolOptions::new()
        .max_connections(most)
        .acquire_timeout(PATIENCE)
        .test_before_acquire(false)
        // Before the pool tries them itself, for as long as the system believes in a server that is gone.
        .after_release(|connection, _| {
            Box::pin(async move {
                try_out(connection).await?;
                Ok(true)
            })
        })
        // A statement that nobody waits for any more ends when its connection is gone, not when its time is over. Servers
        // before Postgres 14, and on some systems, do not offer it.
        .after_connect(|connection, _| {
            Box::pin(async move {
                let set = "SELECT set_config('client_connection_check_interval', '500ms', false) \
                           WHERE current_setting('client_connection_check_interval', true) IS NOT NULL";
                match sqlx::raw_sql(set).execute(connection).await {
                    Err(sqlx::Error::Database(_)) | Ok(_) => Ok(()),
                    Err(error) => Err(error),
                }
            })
        })
        .before_acquire(move |connection, about| {
            let doubtful = is_doubtful(about.idle_for, &health);
            Box::pin(async move {
                if doubtful {
                    try_out(connection).await?;
                }
                Ok(true)
            })
        })
}

/// Whether a connection that was idle for so long is to be tried before it is used.
fn is_doubtful(idle_for: Duration, health: &Health) -> bool {
    idle_for > TRUSTED_IDLE || health.doubts(idle_for)
}

/// Asks the server whether the connection works.
async fn try_out(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    let tried = tokio::time::timeout(PING_DEADLINE, connection.ping()).await;
    tried.unwrap_or_else(|_| Err(sqlx::Error::Io(std::io::ErrorKind::TimedOut.into())))
}

fn connect_options(options: &StoreOptions) -> Result<PgConnectOptions, StoreError> {
    let parsed = PgConnectOptions::from_str(&options.url)
        .map_err(|_| unsuitable("the address of the Postgres database is not understood"))?;
    let settings = [
        ("statement_timeout", "5s"),
        ("lock_timeout", "2s"),
        ("idle_in_transaction_session_timeout", "10s"),
        // The server notices a client that is gone, and with it ends its transaction and its locks.
        ("tcp_keepalives_idle", "15"),
        ("tcp_keepalives_interval", "5"),
        ("tcp_keepalives_count", "3"),
    ];
    let connect = parsed.application_name("vestibule").options(settings);
    Ok(connect.statement_cache_capacity(PREPARED).disable_statement_logging())
}

/// Why there was no connection: a pool that waited for one in vain does not say, so one more is tried.
async fn unreachable(connect: &PgConnectOptions) -> StoreError {
    match tokio::time::timeout(PING_DEADLINE, PgConnection::connect_with(connect)).await {
        Ok(Err(cause)) => cause.into(),
        _ => sqlx::Error::PoolTimedOut.into(),
    }
}

async fn check_server(connection: &mut PgConnection) -> Result<(), StoreError> {
    let (commit, encoding): (String, String) =
        sqlx::query_as("SELECT current_setting('synchronous_commit'), current_setting('server_encoding')")
            .fetch_one(connection)
            .await?;
    if encoding != "UTF8" {
        return Err(unsuitable(format!("the Postgres database is encoded in {encoding}: UTF8 is needed")));
    }
    if commit == "off" {
        tracing::warn!(
            "synchronous_commit is off: a crash of the database server can lose what was acknowledged"
        );
    }
    Ok(())
}
