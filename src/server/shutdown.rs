//! The wish to stop, shared by all who must know.

use std::io;

use tokio::sync::watch;

/// A switch with three positions: serving, stopping, stopping at once. Clones share it.
#[derive(Clone, Debug)]
pub struct Shutdown(watch::Sender<Wish>);

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Wish {
    Serve,
    Stop,
    StopNow,
}

impl Default for Shutdown {
    fn default() -> Self {
        Self(watch::Sender::new(Wish::Serve))
    }
}

impl Shutdown {
    /// A switch that only [`Shutdown::begin`] moves.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A switch that SIGTERM and SIGINT move too: the first begins, the second forces. Needs a tokio runtime.
    ///
    /// # Errors
    /// When the process cannot listen for signals.
    pub fn on_signals() -> io::Result<Self> {
        let shutdown = Self::new();
        let switch = shutdown.clone();
        let mut signals = Signals::listen()?;
        tokio::spawn(async move {
            signals.next().await;
            tracing::info!("stopping; a second signal stops at once");
            switch.begin();
            signals.next().await;
            tracing::warn!("stopping at once");
            switch.force();
        });
        Ok(shutdown)
    }

    /// Begins to stop. Doing it again changes nothing.
    pub fn begin(&self) {
        self.raise(Wish::Stop);
    }

    /// Stops without waiting for anybody.
    pub fn force(&self) {
        self.raise(Wish::StopNow);
    }

    /// Whether stopping has begun: `/health/ready` says so before connections are refused.
    #[must_use]
    pub fn is_begun(&self) -> bool {
        *self.0.borrow() >= Wish::Stop
    }

    /// Waits until stopping begins.
    pub async fn begun(&self) {
        self.reached(Wish::Stop).await;
    }

    /// Waits until stopping at once is asked for.
    pub async fn forced(&self) {
        self.reached(Wish::StopNow).await;
    }

    fn raise(&self, wish: Wish) {
        self.0.send_if_modified(|now| {
            let higher = wish > *now;
            if higher {
                *now = wish;
            }
            higher
        });
    }

    async fn reached(&self, wish: Wish) {
        // The sender is ours, so the channel cannot close while we wait.
        drop(self.0.subscribe().wait_for(|now| *now >= wish).await);
    }
}

#[cfg(unix)]
struct Signals {
    terminate: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn listen() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    #[expect(clippy::unnecessary_wraps, reason = "the same shape as on Unix")]
    fn listen() -> io::Result<Self> {
        Ok(Self)
    }

    async fn next(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
