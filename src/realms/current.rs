//! Whether a realm in memory is how it stands in the database.
//!
//! Every change of a realm, its clients and their accounts raises its version in its own transaction
//! ([`crate::store::Change::is_configuration`]), and a realm is read into memory version first. So the one number that is
//! read now, if it is the one in memory, vouches for all that was read since: no client was switched off meanwhile.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::Mutex;

use super::RealmState;
use crate::store::{Store, StoreError};

/// How long anybody waits for another's question before asking alone: one slow connection holds up nobody else.
const PATIENCE: Duration = Duration::from_millis(100);

impl RealmState {
    /// Whether nothing of the realm was changed on any node between its reading into memory and a moment after this call. "No"
    /// also says that it is not known. From a server the answer is shared by those who ask at once.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn is_current(&self, store: &Store) -> Result<bool, StoreError> {
        let ask = || store.version_of_enabled_realm(&self.realm.id);
        let version = if store.is_remote() { self.versions.ask(ask).await? } else { Some(ask().await?) };
        Ok(version == Some(Some(self.realm.version)))
    }
}

/// Answers to one question, each good for all who asked before it was sent.
#[derive(Debug)]
pub(super) struct Answers<T> {
    /// How many questions were sent.
    sent: AtomicU64,
    /// The number of the last question that is done with, and its answer, if there was one. Whoever asks holds it
    /// meanwhile, so that there is one question at a time; who gives up lets the next one ask.
    last: Mutex<(u64, Option<T>)>,
}

impl<T> Default for Answers<T> {
    fn default() -> Self {
        Self { sent: AtomicU64::new(0), last: Mutex::new((0, None)) }
    }
}

impl<T: Clone> Answers<T> {
    /// An answer to a question that is sent after this call, by `ask` or by another. None when the other's failed or
    /// takes long.
    ///
    /// # Errors
    /// As `ask` says.
    async fn ask<E, F>(&self, ask: impl FnOnce() -> F) -> Result<Option<T>, E>
    where
        F: Future<Output = Result<T, E>>,
    {
        let before = self.sent.load(Ordering::Acquire);
        let Ok(mut last) = tokio::time::timeout(PATIENCE, self.last.lock()).await else { return Ok(None) };
        if last.0 > before {
            return Ok(last.1.clone());
        }
        let number = self.sent.fetch_add(1, Ordering::AcqRel).saturating_add(1);
        let answer = ask().await;
        *last = (number, answer.as_ref().ok().cloned());
        answer.map(Some)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tokio::sync::{Semaphore, oneshot};

    use super::*;

    /// A question that is answered with `answer` once `go` has a permit, and tells that it was sent.
    async fn question(
        answers: Arc<Answers<u32>>,
        answer: Result<u32, &'static str>,
        sent: oneshot::Sender<()>,
        go: Arc<Semaphore>,
    ) -> Result<Option<u32>, &'static str> {
        let ask = || async {
            sent.send(()).unwrap();
            go.acquire().await.unwrap().forget();
            answer
        };
        answers.ask(ask).await
    }

    /// Who asks while a question is under way is told by the next, which one of them asks for all.
    #[tokio::test]
    async fn an_answer_is_shared_by_those_who_asked_before_it_was_sent() {
        for (second, shared) in [(Ok(2), Ok(Some(2))), (Err("gone"), Ok(None))] {
            let (answers, go) = (Arc::new(Answers::default()), Arc::new(Semaphore::new(0)));
            let (sent, first_sent) = oneshot::channel();
            let first = tokio::spawn(question(Arc::clone(&answers), Ok(1), sent, Arc::clone(&go)));
            first_sent.await.unwrap();
            let (sent, second_sent) = oneshot::channel();
            let leader = tokio::spawn(question(Arc::clone(&answers), second, sent, Arc::clone(&go)));
            tokio::task::yield_now().await;
            let follower = Arc::clone(&answers);
            let follower =
                tokio::spawn(async move { follower.ask(|| async { Err("asked by itself") }).await });
            tokio::task::yield_now().await;
            go.add_permits(1);
            assert_eq!(first.await.unwrap(), Ok(Some(1)));
            second_sent.await.unwrap();
            go.add_permits(1);
            assert_eq!(leader.await.unwrap(), second.map(Some), "an answer from before they asked is none");
            assert_eq!(follower.await.unwrap(), shared);
        }
    }

    #[tokio::test]
    async fn who_gives_up_or_is_slow_holds_up_nobody() {
        let (answers, go) = (Arc::new(Answers::default()), Arc::new(Semaphore::new(0)));
        let (sent, was_sent) = oneshot::channel();
        let slow = tokio::spawn(question(Arc::clone(&answers), Ok(1), sent, go));
        was_sent.await.unwrap();
        assert_eq!(answers.ask(|| async { Ok::<_, ()>(2) }).await, Ok(None), "the other takes long");
        slow.abort();
        assert!(slow.await.unwrap_err().is_cancelled());
        assert_eq!(answers.ask(|| async { Ok::<_, ()>(2) }).await, Ok(Some(2)), "the other gave up");
    }
}
