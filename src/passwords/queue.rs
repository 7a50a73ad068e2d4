//! The way to a hash: some at work, others in line, and the rest sent away.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;

use super::line::{Joined, Line};
use super::{Limits, PasswordError};

/// Longer than this nobody waits: whoever asked has given up, or would rather be told.
pub(super) const MOST_WAIT: Duration = Duration::from_secs(10);

/// Hands out turns. Clones share it.
#[derive(Clone, Debug)]
pub(super) struct Queue {
    state: Arc<Mutex<State>>,
    most_wait: Duration,
}

#[derive(Debug)]
struct State {
    running: usize,
    concurrent: usize,
    line: Line<oneshot::Sender<Turn>>,
}

impl Queue {
    pub(super) fn new(limits: Limits, most_wait: Duration) -> Self {
        let line = Line::new(limits.queued);
        let state = State { running: 0, concurrent: limits.concurrent.max(1), line };
        Self { state: Arc::new(Mutex::new(state)), most_wait }
    }

    /// How many are at work, and how many wait.
    pub(super) fn load(&self) -> (usize, usize) {
        let state = self.state();
        (state.running, state.line.len())
    }

    /// Notes that a caller from `place` was right.
    pub(super) fn forgive(&self, place: &str) {
        self.state().line.forgive(place);
    }

    /// Waits for a turn of a caller from `place`.
    ///
    /// # Errors
    /// [`PasswordError::Busy`]: the line is full, or it took too long.
    pub(super) async fn turn(&self, place: &str) -> Result<Turn, PasswordError> {
        let coming = {
            let mut state = self.state();
            if state.running < state.concurrent {
                state.running += 1;
                state.line.serve(place);
                return Ok(Turn(Some(self.clone())));
            }
            let (sender, coming) = oneshot::channel();
            match state.line.join(place, sender, oneshot::Sender::is_closed) {
                // Whoever had to go is told by the end of its channel.
                Joined::Waiting | Joined::InsteadOf(_) => coming,
                Joined::Full(_) => return Err(PasswordError::Busy),
            }
        };
        match tokio::time::timeout(self.most_wait, coming).await {
            Ok(Ok(turn)) => Ok(turn),
            Ok(Err(_)) | Err(_) => Err(PasswordError::Busy),
        }
    }

    /// Passes a turn that is over on to whoever is next.
    fn pass_on(&self) {
        loop {
            let next = {
                let mut state = self.state();
                let next = state.line.next();
                if next.is_none() {
                    state.running = state.running.saturating_sub(1);
                }
                next
            };
            let Some(next) = next else { return };
            match next.send(Turn(Some(self.clone()))) {
                Ok(()) => return,
                // It is gone; the turn is for another one.
                Err(mut turn) => turn.0 = None,
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The right to hash, passed on when it is dropped.
#[derive(Debug)]
pub(super) struct Turn(Option<Queue>);

impl Drop for Turn {
    fn drop(&mut self) {
        if let Some(queue) = self.0.take() {
            queue.pass_on();
        }
    }
}
