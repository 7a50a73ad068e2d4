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
mod http;
mod limit;
mod load;
mod measure;
mod operations;
mod peer;
mod primitives;
mod process;
mod report;
mod slow_disk;

use std::path::{Path, PathBuf};
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
    /// Leave out starts, memory and the slow disk
    #[arg(long)]
    rates_only: bool,
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
        [_, "--limit", document, folder] => return limit::serve(document, folder),
        [_, "--sign", algorithm, seconds] => return primitives::sign(algorithm, span(seconds)?),
        [_, "--commit", folder, seconds] => return primitives::commit(folder, span(seconds)?),
        _ => {}
    }
    let options = Options::parse();
    let folder = tempfile::tempdir()?;
    let report = measure::everything(&options, folder.path())?;
    println!("{}", report.table());
    if options.write {
        write(&report, *options.connections.get(options.connections.len() / 2).unwrap_or(&16))?;
    }
    Ok(())
}

fn span(seconds: &str) -> Outcome<Duration> {
    Ok(Duration::from_secs_f64(seconds.parse()?))
}

/// A path in the project.
fn here(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// The result as JSON, and what is made of it.
fn write(report: &report::Report, connections: usize) -> Outcome<()> {
    const BEGIN: &str = "<!-- speed: written by `cargo bench --bench speed -- --write` -->\n";
    const END: &str = "<!-- /speed -->";
    std::fs::write(here("bench/result.json"), serde_json::to_string_pretty(report)? + "\n")?;
    std::fs::write(here("docs/images/speed.svg"), chart::svg(report, connections))?;
    let readme = std::fs::read_to_string(here("README.md"))?;
    let (before, rest) = readme.split_once(BEGIN).ok_or("README.md has no place for the table")?;
    let (_, after) = rest.split_once(END).ok_or("README.md has no end of the table")?;
    let table = report.markdown(connections);
    std::fs::write(here("README.md"), format!("{before}{BEGIN}\n{table}\n{END}{after}"))?;
    Ok(())
}
