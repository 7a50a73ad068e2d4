//! What Vestibule costs, as figures: `cargo bench --bench speed`. Nothing here passes or fails.
//!
//! A server runs on one core and the load comes from another (by `taskset`, where the machine has it), so a rate is what
//! one core carries. What each figure is measured by, its limit, is measured in the same run on the same core: a bare
//! axum server on the same libraries, or what the signatures and commits of the operation allow. Machines differ and
//! are shared: read the ratios.
//!
//! ```text
//! cargo bench --bench speed                                  Vestibule against its limits
//! cargo bench --bench speed -- --peers all                   and every other server that this machine has
//! cargo bench --bench speed -- --peers all --quick           the same in ten minutes
//! cargo bench --bench speed -- --only userinfo --connections 16 --seconds 2 --repeats 1
//! cargo bench --bench speed -- --write                       and renew the README's table and the chart
//! ```

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a benchmark that fails says so and stops"
)]

mod browser;
mod chart;
mod flood;
mod growth;
mod http;
mod limit;
mod load;
mod measure;
mod operations;
mod peer;
mod primitives;
mod process;
mod report;
mod rest;
mod slow_disk;

use std::path::PathBuf;
use std::time::Duration;

use clap::Parser;

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

/// How to measure.
#[derive(Debug, Parser)]
#[command(name = "cargo bench --bench speed --")]
struct Options {
    /// Servers beside Vestibule, by the name of their folder in bench/peers; or all
    #[arg(long, value_delimiter = ',')]
    peers: Vec<String>,
    /// Operations; all when none is named
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
    /// Numbers of connections
    #[arg(long, value_delimiter = ',', default_value = "1,16,64")]
    connections: Vec<usize>,
    /// Seconds of one measurement
    #[arg(long, default_value_t = 3.0)]
    seconds: f64,
    /// Measurements of which the one in the middle counts
    #[arg(long, default_value_t = 3)]
    repeats: usize,
    /// How often a start is measured
    #[arg(long, default_value_t = 5)]
    starts: usize,
    /// Users, and with them clients, realms and tokens, at which rates are compared; the first is the measure
    #[arg(long, value_delimiter = ',', default_value = "10,10000,1000000")]
    growth: Vec<u32>,
    /// Everything, briefly
    #[arg(long)]
    quick: bool,
    /// Leave out starts, memory, the slow disk, the flood and growth
    #[arg(long)]
    rates_only: bool,
    /// The program to measure, instead of one that is built now
    #[arg(long)]
    program: Option<PathBuf>,
    /// Write bench/result.json, and from it the README's table and docs/images/speed.svg
    #[arg(long)]
    write: bool,
    /// Said by cargo
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> Outcome<()> {
    let arguments = std::env::args().collect::<Vec<_>>();
    let words = arguments.iter().map(String::as_str).collect::<Vec<_>>();
    match words.as_slice() {
        [_, "--load", order] => return load::carry_out(order),
        [_, "--limit", metadata, key_set, folder] => return limit::serve(metadata, key_set, folder),
        [_, "--sign", algorithm, seconds] => return primitives::sign(algorithm, span(seconds)?),
        [_, "--hash", seconds] => return primitives::hash(span(seconds)?),
        [_, "--commit", folder, rows, seconds] => {
            return primitives::commit(folder, rows.parse()?, span(seconds)?);
        }
        _ => {}
    }
    let mut options = Options::parse();
    if options.quick {
        options.hurry();
    }
    if options.program.is_none() {
        options.program = Some(vestibule_bench::build()?);
    }
    // Open to others, since Postgres refuses to be root and must reach its data.
    let open = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    let folder = tempfile::Builder::new().prefix("bench").permissions(open).tempdir()?;
    let report = measure::everything(&options, folder.path())?;
    println!("{}", report.table());
    if options.write {
        write(&report, options.shown())?;
    }
    Ok(())
}

impl Options {
    fn hurry(&mut self) {
        self.connections = vec![16];
        (self.seconds, self.repeats, self.starts) = (0.5, 3, 3);
        self.growth = vec![10, 10_000];
    }

    /// The number of connections whose figures the README shows.
    fn shown(&self) -> usize {
        self.connections.get(self.connections.len() / 2).copied().unwrap_or(16)
    }

    fn binary(&self) -> String {
        self.program.clone().unwrap_or_default().display().to_string()
    }
}

fn span(seconds: &str) -> Outcome<Duration> {
    Ok(Duration::from_secs_f64(seconds.parse()?))
}

/// A path in the project.
fn here(path: &str) -> PathBuf {
    vestibule_bench::root().join(path)
}

/// The result as JSON, and what is made of it: the README's table, the chart, the sentences of docs/scale.md.
fn write(report: &report::Report, connections: usize) -> Outcome<()> {
    std::fs::write(here("bench/result.json"), serde_json::to_string_pretty(report)? + "\n")?;
    std::fs::write(here("docs/images/speed.svg"), chart::svg(report, connections))?;
    let chart = "![Requests per second on one core](docs/images/speed.svg)";
    put("README.md", "speed", &format!("{}\n{chart}\n", report.markdown(connections)))?;
    put("docs/scale.md", "scale", &report.sentences())
}

/// Puts a text between the marks that a page has for it.
fn put(page: &str, mark: &str, text: &str) -> Outcome<()> {
    let begin = format!("<!-- {mark}: written by `cargo bench --bench speed -- --write` -->\n");
    let end = format!("<!-- /{mark} -->");
    let whole = std::fs::read_to_string(here(page))?;
    let (before, rest) = whole.split_once(&begin).ok_or(format!("{page} has no place for {mark}"))?;
    let (_, after) = rest.split_once(&end).ok_or(format!("{page} has no end of {mark}"))?;
    Ok(std::fs::write(here(page), format!("{before}{begin}\n{text}\n{end}{after}"))?)
}
