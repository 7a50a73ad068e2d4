//! Turns: of requests about the same thing, only some go on side by side.
//!
//! The brake counts an attempt before its password is looked at, and takes the count back when it was right. Ten right
//! sign-ins of one person at the same moment (a test suite with ten workers) would be taken for ten guesses. So they
//! take turns here, each until its count is taken back. Changes of one realm's configuration take turns too, since each is
//! made from what the one before left. That is for comfort alone: what is safe rests on the database, and another node has
//! turns of its own.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Whose turn it is, for each subject that somebody asks about.
#[derive(Debug)]
pub struct Turns {
    subjects: Mutex<HashMap<String, Subject>>,
    most_wait: Duration,
}

#[derive(Debug)]
struct Subject {
    places: Arc<Semaphore>,
    /// How many wait or have their turn; with none left, the subject goes.
    users: usize,
}

/// It took too long until the turn came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too many requests about the same at once")]
pub struct NoTurn;

impl Default for Turns {
    /// Nobody waits longer than ten seconds.
    fn default() -> Self {
        Self::new(Duration::from_secs(10))
    }
}

impl Turns {
    /// Turns for which nobody waits longer than `most_wait`.
    #[must_use]
    pub fn new(most_wait: Duration) -> Self {
        Self { subjects: Mutex::default(), most_wait }
    }

    /// Waits until fewer than `most` have a turn for `subject`.
    ///
    /// # Errors
    /// [`NoTurn`] when it takes too long.
    pub async fn of(&self, subject: &str, most: usize) -> Result<Turn<'_>, NoTurn> {
        let places = {
            let mut subjects = self.subjects();
            let fresh = || Subject { places: Arc::new(Semaphore::new(most.max(1))), users: 0 };
            let entry = subjects.entry(subject.to_owned()).or_insert_with(fresh);
            entry.users += 1;
            Arc::clone(&entry.places)
        };
        // From here on, so that whoever gives up while it waits is counted out too.
        let waited = places.available_permits() == 0;
        let mut turn = Turn { turns: self, subject: subject.to_owned(), place: None, waited };
        let place = tokio::time::timeout(self.most_wait, places.acquire_owned()).await;
        turn.place = Some(place.map_err(|_| NoTurn)?.map_err(|_| NoTurn)?);
        Ok(turn)
    }

    fn subjects(&self) -> MutexGuard<'_, HashMap<String, Subject>> {
        self.subjects.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A turn, over when it is dropped.
#[derive(Debug)]
#[must_use]
pub struct Turn<'a> {
    turns: &'a Turns,
    subject: String,
    place: Option<OwnedSemaphorePermit>,
    waited: bool,
}

impl Turn<'_> {
    /// Whether somebody else had a turn until now.
    #[must_use]
    pub fn waited(&self) -> bool {
        self.waited
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        drop(self.place.take());
        let mut subjects = self.turns.subjects();
        if let Some(entry) = subjects.get_mut(&self.subject) {
            entry.users = entry.users.saturating_sub(1);
            if entry.users == 0 {
                subjects.remove(&self.subject);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn no_more_than_most_at_once_and_others_do_not_wait() {
        let turns = Turns::default();
        let (one, _two) = (turns.of("alice", 2).await.unwrap(), turns.of("alice", 2).await.unwrap());
        assert!(!one.waited());
        let third = turns.of("alice", 2);
        tokio::pin!(third);
        assert!(tokio::time::timeout(Duration::from_millis(10), &mut third).await.is_err());
        let _bob = turns.of("bob", 2).await.unwrap();
        drop(one);
        assert!(third.await.unwrap().waited());
    }

    #[tokio::test]
    async fn nothing_is_kept_of_who_is_done_or_gave_up() {
        let turns = Turns::default();
        let one = turns.of("alice", 1).await.unwrap();
        let gave_up = tokio::time::timeout(Duration::from_millis(10), turns.of("alice", 1)).await;
        assert!(gave_up.is_err());
        drop((one, gave_up));
        assert!(turns.subjects().is_empty());
    }

    #[tokio::test]
    async fn a_turn_that_does_not_come_is_given_up() {
        let turns = Turns::new(Duration::from_millis(10));
        let _one = turns.of("alice", 1).await.unwrap();
        assert_eq!(turns.of("alice", 1).await.err(), Some(NoTurn));
    }
}
