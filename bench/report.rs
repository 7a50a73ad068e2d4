//! The result as one value, and what is made of it: the table, the README's section, the chart.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

use crate::load::Measured;
use crate::operations::OPERATIONS;

/// Everything that one run measured.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Report {
    /// The machine, in its own words.
    pub(crate) machine: String,
    /// Seconds of one measurement, and how many there were of each.
    pub(crate) seconds: f64,
    /// Medians are of so many.
    pub(crate) repeats: usize,
    /// Bytes of the stripped program.
    pub(crate) program_bytes: u64,
    /// What the parts cost alone, a second.
    pub(crate) parts: BTreeMap<String, f64>,
    /// By operation: what it is measured by, a second.
    pub(crate) limits: BTreeMap<String, f64>,
    /// By operation, of those that commit: the same if no two connections shared a commit.
    #[serde(default)]
    pub(crate) apart: BTreeMap<String, f64>,
    /// By name, in the order in which they were measured.
    pub(crate) peers: Vec<PeerReport>,
    /// One fsync that takes long, and many that wait for it.
    pub(crate) slow_disk: Option<SlowDisk>,
    /// What a flood of wrong passwords leaves to others.
    pub(crate) flood: Option<Flood>,
    /// Rates with few records and with many.
    pub(crate) growth: Vec<Grown>,
}

/// One server's figures.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct PeerReport {
    /// Its name.
    pub(crate) name: String,
    /// Start to first answer with nothing there, in milliseconds.
    pub(crate) first_start_ms: Option<f64>,
    /// The same, when it had been started before.
    pub(crate) start_ms: Option<f64>,
    /// Resident memory at rest, in megabytes.
    pub(crate) idle_mb: f64,
    /// After the load.
    pub(crate) loaded_mb: f64,
    /// The most that it was.
    #[serde(default)]
    pub(crate) peak_mb: f64,
    /// Kilobytes that a resting connection takes, of many.
    pub(crate) connection_kb: Option<f64>,
    /// By operation and connections.
    pub(crate) operations: BTreeMap<String, BTreeMap<usize, Figure>>,
}

/// One operation at one number of connections.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Figure {
    /// The run in the middle.
    #[serde(flatten)]
    pub(crate) measured: Measured,
    /// Cores that the server kept busy meanwhile.
    pub(crate) cores: f64,
}

/// Refreshes on a disk whose fsync takes long.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct SlowDisk {
    /// How long one fsync takes, in milliseconds.
    pub(crate) fsync_ms: f64,
    /// Refreshes a second of one connection: one commit each.
    pub(crate) alone: f64,
    /// Of so many.
    pub(crate) connections: usize,
    /// Refreshes a second of those together.
    pub(crate) together: f64,
}

/// A flood of wrong passwords.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Flood {
    /// Wrong passwords a second.
    pub(crate) guesses: f64,
    /// Service tokens a second without it.
    pub(crate) tokens_calm: f64,
    /// The same in the middle of it.
    pub(crate) tokens: f64,
    /// 99 of 100 key sets came within so many milliseconds.
    pub(crate) key_set_p99_ms: f64,
    /// How long a good user took to sign in; none if that failed.
    pub(crate) good_user_ms: Option<f64>,
    /// Resident memory without it.
    pub(crate) calm_mb: f64,
    /// And the most that it was in it.
    pub(crate) flood_mb: f64,
}

/// One size of the database.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Grown {
    /// People, each with a grant and a live refresh token.
    pub(crate) users: u32,
    /// Clients.
    pub(crate) clients: u32,
    /// Realms.
    pub(crate) realms: u32,
    /// By operation, a second.
    pub(crate) rates: BTreeMap<String, f64>,
    /// Resident memory after that.
    pub(crate) loaded_mb: f64,
    /// What a writer waited at most while a sweep was under way, in milliseconds.
    pub(crate) sweep_ms: f64,
}

impl Report {
    /// Everything, for people.
    pub(crate) fn table(&self) -> String {
        let mut text = String::new();
        let _ =
            writeln!(text, "\n{}, medians of {} runs of {} s\n", self.machine, self.repeats, self.seconds);
        for (part, rate) in &self.parts {
            let _ = writeln!(text, "{part:<46}{rate:>10.0} /s");
        }
        for peer in &self.peers {
            let _ = writeln!(text, "\n{}", peer.name);
            let start = |ms: Option<f64>| ms.map_or("–".to_owned(), |ms| format!("{ms:.1} ms"));
            let (first, again) = (start(peer.first_start_ms), start(peer.start_ms));
            let _ = writeln!(text, "  first start {first}, start {again}");
            let _ = writeln!(
                text,
                "  memory {:.1} MB idle, {:.1} MB after the load, {:.1} MB at most",
                peer.idle_mb, peer.loaded_mb, peer.peak_mb
            );
            if let Some(kilobytes) = peer.connection_kb {
                let _ = writeln!(text, "  a resting connection {kilobytes:.1} KB");
            }
            let _ = writeln!(
                text,
                "  {:<28}{:>5}{:>11}{:>9}{:>9}{:>7}{:>6}  of limit",
                "", "conn", "per second", "p50 ms", "p99 ms", "cores", "bad"
            );
            for operation in &OPERATIONS {
                for (connections, figure) in peer.operations.get(operation.name).into_iter().flatten() {
                    let Figure { measured, cores } = figure;
                    let limits = (self.limits.get(operation.name), self.apart.get(operation.name));
                    let (_, reached) = limit_cells(limits.0, limits.1, Some(measured.rate));
                    let _ = writeln!(
                        text,
                        "  {:<28}{connections:>5}{:>11.0}{:>9.2}{:>9.2}{cores:>7.2}{:>6}  {reached}",
                        operation.name, measured.rate, measured.p50_ms, measured.p99_ms, measured.bad,
                    );
                }
            }
        }
        for line in self.lines() {
            let _ = writeln!(text, "\n{line}");
        }
        text
    }

    /// What no table holds, a sentence each.
    fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        if let Some(SlowDisk { fsync_ms, alone, connections, together }) = &self.slow_disk {
            lines.push(format!(
                "On a disk whose fsync takes {fsync_ms} ms: {alone:.0} refreshes (ES256) a second one after the other, {} over \
                 {connections} connections, {:.0} times as many.",
                thousands(*together),
                together / alone
            ));
        }
        if let Some(flood) = &self.flood {
            let good = flood.good_user_ms.map_or("never".to_owned(), |ms| format!("in {ms:.0} ms"));
            lines.push(format!(
                "Under 200 parallel wrong passwords from 50 addresses ({} a second): {:.0} % of the service tokens, the key \
                 set within {:.1} ms (p99), a good user signed in {good}, {:.0} MB instead of {:.0}.",
                thousands(flood.guesses),
                100.0 * flood.tokens / flood.tokens_calm,
                flood.key_set_p99_ms,
                flood.flood_mb,
                flood.calm_mb
            ));
        }
        if let Some((first, more)) = self.growth.split_first() {
            lines.extend(more.iter().map(|grown| grown.line(first)));
        }
        lines
    }

    /// The table of the README: one row per operation, one column per server, at the number of connections that stands
    /// in the middle.
    pub(crate) fn markdown(&self, connections: usize) -> String {
        let mut text = String::from("| |");
        for peer in &self.peers {
            let _ = write!(text, " {} |", peer.name);
        }
        text.push_str(" limit | of the limit |\n|---|");
        text.push_str(&"---|".repeat(self.peers.len() + 2));
        text.push('\n');
        for operation in &OPERATIONS {
            let figure = |peer: &PeerReport| {
                let measured = &peer.operations.get(operation.name)?.get(&connections)?.measured;
                Some((measured.rate, measured.bad))
            };
            let rate = |peer: &PeerReport| figure(peer).map(|(rate, _)| rate);
            if self.peers.iter().all(|peer| rate(peer).is_none()) {
                continue;
            }
            let _ = write!(text, "| {} /s |", operation.name);
            for peer in &self.peers {
                let told = figure(peer).map(|(rate, bad)| match bad {
                    0 => thousands(rate),
                    bad => format!("{} ({bad} refused)", thousands(rate)),
                });
                let _ = write!(text, " {} |", told.unwrap_or("–".to_owned()));
            }
            let own = self.peers.first().and_then(rate);
            let (limit, reached) =
                limit_cells(self.limits.get(operation.name), self.apart.get(operation.name), own);
            let _ = writeln!(text, " {limit} | {reached} |");
        }
        self.markdown_rest(&mut text);
        let Self { machine, seconds, repeats, .. } = self;
        let _ = writeln!(
            text,
            "\n{machine}, {connections} connections, medians of {repeats} runs of {seconds} s. A limit is a bare axum server \
             that does the same work on the same libraries, or what the signatures and hashes of the operation allow one after the \
             other, with commits that the connections share; in parentheses with a commit of its own for each."
        );
        text
    }

    /// What is measured beside the rates, as a list.
    pub(crate) fn sentences(&self) -> String {
        self.lines().iter().map(|line| format!("- {line}\n")).collect()
    }

    fn markdown_rest(&self, text: &mut String) {
        type Value = fn(&PeerReport) -> Option<String>;
        let rows: [(&str, Value); 4] = [
            ("first start to first answer, ms", |peer| peer.first_start_ms.map(|ms| format!("{ms:.0}"))),
            ("start with a database, ms", |peer| peer.start_ms.map(|ms| format!("{ms:.0}"))),
            ("memory idle / after the load / at most, MB", |peer| {
                Some(format!("{:.0} / {:.0} / {:.0}", peer.idle_mb, peer.loaded_mb, peer.peak_mb))
            }),
            ("a resting connection, KB", |peer| {
                peer.connection_kb.map(|kilobytes| format!("{kilobytes:.1}"))
            }),
        ];
        for (name, value) in rows {
            let _ = write!(text, "| {name} |");
            for peer in &self.peers {
                let _ = write!(text, " {} |", value(peer).unwrap_or("–".to_owned()));
            }
            text.push_str(" – | – |\n");
        }
    }
}

impl Grown {
    fn line(&self, first: &Self) -> String {
        let ratio = |(name, rate): (&String, &f64)| Some((rate / first.rates.get(name)?, name.clone()));
        let ratios = self.rates.iter().filter_map(ratio);
        let (least, name) = ratios.min_by(|a, b| a.0.total_cmp(&b.0)).unwrap_or_default();
        format!(
            "With {} users and live refresh tokens, {} clients and {} realms, every rate is at least {:.0} % of that with {} \
             ({name} the least), memory {:.0} MB instead of {:.0}, and a writer waits for a sweep {:.0} ms at most.",
            thousands(self.users.into()),
            thousands(self.clients.into()),
            thousands(self.realms.into()),
            100.0 * least,
            first.users,
            self.loaded_mb,
            first.loaded_mb,
            self.sweep_ms
        )
    }
}

/// A limit and what part of it `own` reached, each with that of commits apart behind it in parentheses.
fn limit_cells(limit: Option<&f64>, apart: Option<&f64>, own: Option<f64>) -> (String, String) {
    let Some(limit) = limit else { return ("–".to_owned(), "–".to_owned()) };
    let part = |limit: f64| own.map_or("–".to_owned(), |own| format!("{:.0} %", 100.0 * own / limit));
    match apart {
        None => (thousands(*limit), part(*limit)),
        Some(apart) => (
            format!("{} ({})", thousands(*limit), thousands(*apart)),
            format!("{} ({})", part(*limit), part(*apart)),
        ),
    }
}

/// `12,345`.
pub(crate) fn thousands(number: f64) -> String {
    let digits = format!("{number:.0}");
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
