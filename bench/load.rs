//! The load: a program of its own, on a core of its own, that keeps a number of connections busy for a while.

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::Outcome;
use crate::browser::Browser;
use crate::http::{Connection, encoded, get, post};
use crate::peer::Peer;

/// From how many addresses wrong passwords come.
const ADDRESSES: usize = 50;

/// What to send, for how long, over how many connections.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Order {
    /// The server.
    pub(crate) peer: Peer,
    /// What each connection does, again and again.
    pub(crate) job: Job,
    /// How many.
    pub(crate) connections: usize,
    /// For how long, in seconds.
    pub(crate) seconds: f64,
}

/// What a connection does.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Job {
    /// The same request.
    Request(String),
    /// A question about one after the other of many access tokens.
    Tokens(Tokens),
    /// A refresh with the token that the last answer brought.
    Refresh,
    /// A code flow by a person who is signed in already.
    Flow,
    /// A code flow by a person who signs in.
    SignIn,
    /// A device that a person who is signed in connects.
    Device,
    /// A sign-in with a wrong password; refused is good.
    Wrong,
}

/// A question about one after the other of [`TOKENS`] access tokens, of which each connection has its share.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Tokens {
    /// Where it is sent to.
    pub(crate) path: String,
    /// `Authorization`; none for the token itself as a bearer token.
    pub(crate) credential: Option<String>,
    /// The form that the token stands at the end of; none for a `GET`.
    pub(crate) form: Option<String>,
    /// The request that makes a token; none for a person's code flow.
    pub(crate) mint: Option<String>,
}

/// As many people as ask a gateway at a time.
const TOKENS: usize = 1_024;

impl Tokens {
    /// Makes the tokens, and the requests with them.
    async fn requests(&self, peer: &Peer, count: usize) -> Result<Vec<Vec<u8>>, String> {
        let mut connection = Connection::new(&peer.host);
        let mut requests = Vec::with_capacity(count);
        let mut browser = Browser::new(peer);
        for _ in 0..count {
            let token = match &self.mint {
                Some(mint) => connection.send(mint.as_bytes()).await?.text("access_token")?,
                None => {
                    let tokens = browser.flow().await?;
                    let token = tokens.get("access_token").and_then(serde_json::Value::as_str);
                    token.ok_or("the flow gave no access token")?.to_owned()
                }
            };
            requests.push(self.request(&peer.host, &token));
        }
        Ok(requests)
    }

    fn request(&self, host: &str, token: &str) -> Vec<u8> {
        let bearer = format!("Bearer {token}");
        let credential = self.credential.as_deref();
        match &self.form {
            Some(form) => {
                let headers: Vec<_> = credential.map(|value| ("Authorization", value)).into_iter().collect();
                post(host, &self.path, &headers, &format!("{form}{}", encoded(token)))
            }
            None => get(host, &self.path, &[("Authorization", credential.unwrap_or(&bearer))]),
        }
    }
}

/// What came of it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Measured {
    /// Good answers a second.
    pub(crate) rate: f64,
    /// Half of them came within so many milliseconds.
    pub(crate) p50_ms: f64,
    /// 99 of 100.
    pub(crate) p99_ms: f64,
    /// Answers that were not good.
    pub(crate) bad: usize,
    /// One of those.
    pub(crate) why: Option<String>,
}

/// One connection's share.
#[derive(Default)]
struct Share {
    micros: Vec<u32>,
    bad: usize,
    why: Option<String>,
}

/// Does what the order says, and prints what was measured.
pub(crate) fn carry_out(order: &str) -> Outcome<()> {
    let order: Order = serde_json::from_str(order)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let local = tokio::task::LocalSet::new();
    let measured = local.block_on(&runtime, drive(order))?;
    println!("{}", serde_json::to_string(&measured)?);
    Ok(())
}

async fn drive(order: Order) -> Result<Measured, String> {
    let order: &'static Order = Box::leak(Box::new(order));
    let mut workers = Vec::new();
    for number in 0..order.connections {
        workers.push(Worker::new(order, number).await?);
    }
    let span = Duration::from_secs_f64(order.seconds);
    let begun = Instant::now();
    let tasks: Vec<_> =
        workers.into_iter().map(|worker| tokio::task::spawn_local(worker.work(begun + span))).collect();
    let mut whole = Share::default();
    for task in tasks {
        let share = task.await.map_err(|error| error.to_string())?;
        whole.micros.extend(share.micros);
        whole.bad += share.bad;
        whole.why = whole.why.or(share.why);
    }
    let took = begun.elapsed().as_secs_f64();
    whole.micros.sort_unstable();
    let at = |part: f64| {
        let index = (whole.micros.len().saturating_sub(1) as f64 * part) as usize;
        // Without a good answer there is nothing to tell, and JSON has no word for that.
        whole.micros.get(index).map_or(0.0, |micros| f64::from(*micros) / 1_000.0)
    };
    let (p50_ms, p99_ms) = (at(0.5), at(0.99));
    Ok(Measured { rate: whole.micros.len() as f64 / took, p50_ms, p99_ms, bad: whole.bad, why: whole.why })
}

/// One connection with what it sends.
enum Worker {
    Fixed(Connection, Vec<u8>),
    Many { connection: Connection, requests: Vec<Vec<u8>>, next: usize },
    Refresh { connection: Connection, peer: &'static Peer, token: String },
    Person { browser: Browser<'static>, job: &'static Job },
    Guesser { browser: Browser<'static>, address: String, guesses: u32 },
}

impl Worker {
    async fn new(order: &'static Order, number: usize) -> Result<Self, String> {
        let peer = &order.peer;
        Ok(match &order.job {
            Job::Request(request) => Self::Fixed(Connection::new(&peer.host), request.clone().into_bytes()),
            Job::Tokens(tokens) => {
                let requests = tokens.requests(peer, TOKENS.div_ceil(order.connections.max(1))).await?;
                Self::Many { connection: Connection::new(&peer.host), requests, next: 0 }
            }
            Job::Refresh => {
                let tokens = Browser::new(peer).flow().await?;
                let token = tokens.get("refresh_token").and_then(serde_json::Value::as_str);
                let token = token.ok_or("the flow gave no refresh token")?.to_owned();
                Self::Refresh { connection: Connection::new(&peer.host), peer, token }
            }
            Job::Flow | Job::Device => {
                let mut browser = Browser::new(peer);
                browser.flow().await?;
                Self::Person { browser, job: &order.job }
            }
            Job::SignIn => Self::Person { browser: Browser::new(peer), job: &order.job },
            Job::Wrong => {
                let address = format!("127.0.1.{}", number % ADDRESSES);
                Self::Guesser { browser: Browser::new(peer), address, guesses: 0 }
            }
        })
    }

    async fn work(mut self, until: Instant) -> Share {
        let mut share = Share::default();
        loop {
            let begun = Instant::now();
            if begun >= until {
                return share;
            }
            match self.once().await {
                Ok(()) => {
                    let micros = begun.elapsed().as_micros();
                    share.micros.push(u32::try_from(micros).unwrap_or(u32::MAX));
                }
                Err(why) => {
                    share.bad += 1;
                    share.why = Some(why);
                    // A server that refuses everything is not to be flooded.
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
            }
        }
    }

    async fn once(&mut self) -> Result<(), String> {
        match self {
            Self::Fixed(connection, request) => good(connection.status(request).await?),
            Self::Many { connection, requests, next } => {
                *next = (*next + 1) % requests.len().max(1);
                let request = requests.get(*next).ok_or("no token")?;
                good(connection.status(request).await?)
            }
            Self::Refresh { connection, peer, token } => {
                let form = format!("grant_type=refresh_token&refresh_token={}", encoded(token));
                let (basic, form) = peer.authenticated(&form);
                let headers: Vec<_> = basic.iter().map(|basic| ("Authorization", basic.as_str())).collect();
                let answer = connection.send(&post(&peer.host, &peer.token, &headers, &form)).await?;
                *token = answer.text("refresh_token")?;
                Ok(())
            }
            Self::Person { browser, job } => {
                if matches!(job, Job::SignIn) {
                    browser.forget();
                }
                let device = matches!(job, Job::Device);
                if device { browser.device().await } else { browser.flow().await }.map(drop)
            }
            Self::Guesser { browser, address, guesses } => {
                *guesses += 1;
                let user = format!("nobody-{guesses}-{address}");
                browser.guess(&user, address).await.map(drop)
            }
        }
    }
}

fn good(status: u16) -> Result<(), String> {
    match status {
        200 | 304 => Ok(()),
        other => Err(format!("status {other}")),
    }
}
