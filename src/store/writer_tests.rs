use std::path::Path;
use std::sync::Mutex;
use std::sync::mpsc::{self, Receiver, Sender};
use std::time::Duration;

use rusqlite::Connection;

use super::*;
use crate::store::statement::sql;

/// A table with one column that takes each value once, in a file of its own.
struct Place {
    writer: Arc<Writer>,
    health: Arc<Health>,
    folder: tempfile::TempDir,
}

impl Place {
    fn new(journal: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let connection = Connection::open(folder.path().join("test.db")).unwrap();
        connection.pragma_update(None, "journal_mode", journal).unwrap();
        connection.pragma_update(None, "synchronous", "FULL").unwrap();
        connection.busy_timeout(Duration::from_millis(20)).unwrap();
        connection.execute_batch("CREATE TABLE things (name TEXT NOT NULL UNIQUE)").unwrap();
        let writer = Arc::new(Writer::start(Arc::new(Mutex::new(connection))).unwrap());
        Self { writer, health: Health::new(), folder }
    }

    /// Sends all of it while the writer is held up, so that it is done in one transaction.
    async fn together(&self, works: Vec<Thing>) -> Vec<Result<u64, StoreError>> {
        let (release, gate) = mpsc::channel();
        let (begun, began) = tokio::sync::oneshot::channel();
        let holding = Hold { gate: Mutex::new(gate), begun: Mutex::new(Some(begun)) };
        let (writer, health) = (Arc::clone(&self.writer), Arc::clone(&self.health));
        let first = tokio::spawn(async move { writer.write(holding, &health).await });
        began.await.unwrap();
        let mut calls = Vec::new();
        for work in works {
            let mut call = Box::pin(self.writer.write(work, &self.health));
            assert!(
                matches!(call.as_mut().poll(&mut Context::from_waker(Waker::noop())), Poll::Pending),
                "sent, and not done yet"
            );
            calls.push(call);
        }
        release.send(()).unwrap();
        first.await.unwrap().unwrap();
        let mut results = Vec::new();
        for call in calls {
            results.push(call.await);
        }
        results
    }

    fn names(&self) -> Vec<String> {
        names(&self.folder.path().join("test.db"))
    }
}

/// What another process would find in the file.
fn names(file: &Path) -> Vec<String> {
    let connection = Connection::open(file).unwrap();
    let mut query = connection.prepare("SELECT name FROM things ORDER BY name").unwrap();
    let names = query.query_map([], |row| row.get(0)).unwrap();
    names.collect::<Result<_, _>>().unwrap()
}

/// Holds the writer up until it is let go.
struct Hold {
    gate: Mutex<Receiver<()>>,
    begun: Mutex<Option<oneshot::Sender<()>>>,
}

impl Work for Hold {
    type Outcome = ();

    async fn perform(&self, _: &mut Transaction<'_>) -> Result<Finish<()>, StoreError> {
        let _ = lock(&self.begun).take().unwrap().send(());
        lock(&self.gate).recv().unwrap();
        Ok(Finish::Undo(()))
    }
}

/// Inserts a name, and then something happens.
struct Thing(&'static str, Then);

enum Then {
    Nothing,
    Undo,
    Panic,
    /// The database gives the transaction up by itself.
    GiveUp,
    /// A copy of the files as they are in the middle, for a crash there.
    Copy(Mutex<Option<Sender<Vec<String>>>>, std::path::PathBuf),
}

impl Work for Thing {
    type Outcome = u64;

    async fn perform(&self, transaction: &mut Transaction<'_>) -> Result<Finish<u64>, StoreError> {
        let rows = transaction.execute(&sql!("INSERT INTO things (name) VALUES ($1)", self.0)).await?;
        match &self.1 {
            Then::Nothing => Ok(Finish::Commit(rows)),
            Then::Undo => Ok(Finish::Undo(rows)),
            Then::Panic => panic!("on purpose"),
            Then::GiveUp => {
                transaction.script("ROLLBACK").await?;
                Ok(Finish::Commit(rows))
            }
            Then::Copy(to, folder) => {
                lock(to).take().unwrap().send(names(&copy(folder))).unwrap();
                Ok(Finish::Commit(rows))
            }
        }
    }
}

/// The database as a crash would leave it now.
fn copy(folder: &Path) -> std::path::PathBuf {
    let to = tempfile::tempdir().unwrap().keep();
    for file in std::fs::read_dir(folder).unwrap() {
        let file = file.unwrap();
        std::fs::copy(file.path(), to.join(file.file_name())).unwrap();
    }
    to.join("test.db")
}

fn thing(name: &'static str) -> Thing {
    Thing(name, Then::Nothing)
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_only_the_one_that_fails_fails() {
    let place = Place::new("WAL");
    let works =
        vec![thing("a"), thing("a"), Thing("b", Then::Undo), Thing("c", Then::Panic), thing("b"), thing("c")];
    let results = place.together(works).await;
    assert_eq!(results.iter().map(Result::is_ok).collect::<Vec<_>>(), [true, false, true, false, true, true]);
    assert!(matches!(results[1], Err(StoreError::Conflict { .. })), "{:?}", results[1]);
    assert_eq!(place.names(), ["a", "b", "c"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_database_gives_up_half_way_is_done_again_one_by_one() {
    let place = Place::new("WAL");
    let results = place.together(vec![thing("a"), Thing("b", Then::GiveUp), thing("c"), thing("a")]).await;
    assert_eq!(results.iter().map(Result::is_ok).collect::<Vec<_>>(), [true, false, true, false]);
    assert!(matches!(results[1], Err(StoreError::Unavailable(_))), "it did not happen: {:?}", results[1]);
    assert_eq!(place.names(), ["a", "c"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn i6_when_the_commit_fails_nobody_is_told_otherwise() {
    // Without a log of its own, a writer cannot commit while somebody reads.
    let place = Place::new("DELETE");
    let other = Connection::open(place.folder.path().join("test.db")).unwrap();
    other.execute_batch("BEGIN; SELECT * FROM things").unwrap();
    let results = place.together(vec![thing("a"), thing("a"), Thing("b", Then::Undo), thing("c")]).await;
    for result in &results {
        assert!(matches!(result, Err(StoreError::Unavailable(_))), "{result:?}");
    }
    other.execute_batch("COMMIT").unwrap();
    assert_eq!(place.names(), Vec::<String>::new());
    assert!(
        place.together(vec![thing("a"), thing("c")]).await.iter().all(Result::is_ok),
        "and then it goes on"
    );
    assert_eq!(place.names(), ["a", "c"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn i1_a_crash_before_the_commit_leaves_nothing_and_after_the_answer_everything() {
    let place = Place::new("WAL");
    let (told, found) = mpsc::channel();
    let folder = place.folder.path().to_owned();
    let peeking = Thing("b", Then::Copy(Mutex::new(Some(told)), folder.clone()));
    let results = place.together(vec![thing("a"), peeking, thing("c")]).await;
    assert!(results.iter().all(Result::is_ok), "{results:?}");
    assert_eq!(found.recv().unwrap(), Vec::<String>::new(), "nobody had an answer yet");
    assert_eq!(names(&copy(&folder)), ["a", "b", "c"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn work_whose_caller_is_gone_is_not_begun() {
    let place = Place::new("WAL");
    let (release, gate) = mpsc::channel();
    let (begun, began) = oneshot::channel();
    let holding = Hold { gate: Mutex::new(gate), begun: Mutex::new(Some(begun)) };
    let mut first = Box::pin(place.writer.write(holding, &place.health));
    assert!(first.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    began.await.unwrap();
    let mut gone = Box::pin(place.writer.write(thing("a"), &place.health));
    assert!(gone.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    drop(gone);
    release.send(()).unwrap();
    first.await.unwrap();
    place.writer.write(thing("b"), &place.health).await.unwrap();
    assert_eq!(place.names(), ["b"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn after_closing_there_is_an_error_and_no_wait() {
    let place = Place::new("WAL");
    place.writer.write(thing("a"), &place.health).await.unwrap();
    place.writer.close().await;
    let late = place.writer.write(thing("b"), &place.health).await;
    assert!(matches!(late, Err(StoreError::Unavailable(_))), "{late:?}");
    assert_eq!(place.names(), ["a"]);
}

/// Asks what the connection waits for: 2 is every commit, 1 is order alone.
struct Level;

impl Work for Level {
    type Outcome = Option<i64>;

    async fn perform(&self, transaction: &mut Transaction<'_>) -> Result<Finish<Option<i64>>, StoreError> {
        let level = transaction.one::<(i64,)>(&sql!("PRAGMA synchronous")).await?;
        Ok(Finish::Undo(level.map(|(level,)| level)))
    }
}

#[tokio::test]
async fn every_commit_waits_for_the_disk_again_after_a_hasty_start() {
    for journal in ["WAL", "DELETE"] {
        let place = Place::new(journal);
        let level = async || place.writer.write(Level, &place.health).await.unwrap();
        assert_eq!(level().await, Some(2), "{journal}");
        place.writer.wait_for_disk(Syncs::Order).await.unwrap();
        assert_eq!(level().await, Some(1), "{journal}");
        place.writer.write(Thing("a", Then::Nothing), &place.health).await.unwrap();
        place.writer.wait_for_disk(Syncs::EachCommit).await.unwrap();
        assert_eq!(level().await, Some(2), "{journal}");
        assert_eq!(place.names(), ["a"], "{journal}");
    }
}

#[tokio::test]
async fn a_log_that_the_disk_does_not_take_is_no_success() {
    let place = Place::new("WAL");
    place.writer.write(Thing("a", Then::Nothing), &place.health).await.unwrap();
    // What stands in the log's place cannot be synced by anybody.
    let log = place.folder.path().join("test.db-wal");
    std::fs::remove_file(&log).unwrap();
    std::fs::create_dir(&log).unwrap();
    let error = place.writer.wait_for_disk(Syncs::EachCommit).await.unwrap_err();
    assert!(error.to_string().contains("could not be brought to the disk"), "{error}");
}
