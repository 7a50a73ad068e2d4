//! How nodes tell one another that the configuration changed: by Postgres' `NOTIFY`, in the transaction of the change.
//!
//! For speed alone. A notice may be lost with its connection, and a pooler between here and the server may swallow them
//! all; so each node looks by itself too.

use std::time::Duration;

use sqlx::postgres::{PgListener, PgPoolOptions};

use super::Store;
use super::db::Pools;
use super::error::StoreError;
use super::statement::sql;
use super::transaction::Transaction;

const CHANNEL: &str = "vestibule_configuration";

/// How long a listener that fails rests before it tries again.
const REST: Duration = Duration::from_secs(5);

/// Tells the other nodes when the transaction is committed. SQLite has none.
pub(super) async fn tell(transaction: &mut Transaction<'_>) -> Result<(), StoreError> {
    if transaction.is_postgres() {
        transaction.execute(&sql!("SELECT pg_notify('vestibule_configuration', '')")).await?;
    }
    Ok(())
}

/// Hears of changes of the configuration.
#[derive(Debug)]
pub struct Notices {
    /// A connection of its own, made when it is first listened to; none where nobody else writes.
    source: Option<sqlx::PgPool>,
    listener: Option<PgListener>,
}

impl Store {
    /// What is told of changes of the configuration by nodes that share this database.
    #[must_use]
    pub fn notices(&self) -> Notices {
        let source = match &self.db.pools {
            Pools::Sqlite(_) => None,
            // Not from the pool of requests, which may have a single connection.
            Pools::Postgres(postgres) => {
                Some(PgPoolOptions::new().max_connections(1).connect_lazy_with(postgres.connect_options()))
            }
        };
        Notices { source, listener: None }
    }
}

impl Notices {
    /// Waits until something may have changed: a notice came, or the connection was made anew and some may have been
    /// lost. Where nobody else writes, it waits for ever.
    pub async fn next(&mut self) {
        let Some(source) = &self.source else { return std::future::pending().await };
        loop {
            match hear(source, &mut self.listener).await {
                Ok(()) => return,
                Err(error) => {
                    tracing::debug!(%error, "no notices of changed configuration for now");
                    self.listener = None;
                    tokio::time::sleep(REST).await;
                }
            }
        }
    }
}

/// Waits for a notice, or makes the connection over which they come.
async fn hear(source: &sqlx::PgPool, listener: &mut Option<PgListener>) -> Result<(), sqlx::Error> {
    if let Some(listener) = listener {
        // None: the connection was lost, and is there again.
        return listener.try_recv().await.map(drop);
    }
    let mut fresh = PgListener::connect_with(source).await?;
    fresh.listen(CHANNEL).await?;
    *listener = Some(fresh);
    Ok(())
}
