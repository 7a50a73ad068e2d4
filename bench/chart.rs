//! The chart: for each operation a bar for each server, on a logarithmic scale, since servers differ by orders.

use std::fmt::Write as _;

use crate::operations::OPERATIONS;
use crate::report::{Report, thousands};

const WIDTH: f64 = 860.0;
const LABEL: f64 = 200.0;
const NUMBER: f64 = 70.0;
const BAR: f64 = 11.0;
const GAP: f64 = 14.0;
const TOP: f64 = 64.0;
/// One colour for each server; the same are told apart without colours by their order.
const COLOURS: [&str; 6] = ["#2f6fde", "#d9822b", "#4d9f6c", "#a35bb5", "#7b8794", "#c24b4b"];
/// The least rate that has a bar.
const LEAST: f64 = 10.0;

/// The picture as SVG that reads in light and in dark.
pub(crate) fn svg(report: &Report, connections: usize) -> String {
    let rate = |peer: usize, name: &str| {
        let figures = report.peers.get(peer)?.operations.get(name)?;
        Some(figures.get(&connections)?.measured.rate)
    };
    let rows: Vec<_> = OPERATIONS.iter().filter(|operation| rate(0, operation.name).is_some()).collect();
    let count = report.peers.len() as f64;
    let row = count * BAR + GAP;
    let height = TOP + rows.len() as f64 * row + 24.0;
    let most = rows
        .iter()
        .flat_map(|operation| (0..report.peers.len()).filter_map(|peer| rate(peer, operation.name)))
        .fold(LEAST * 10.0, f64::max);
    let scale = (WIDTH - LABEL - NUMBER) / (most / LEAST).log10();
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height:.0}\" role=\"img\" \
         aria-label=\"Requests per second by operation\" font-family=\"system-ui, sans-serif\" font-size=\"12\">\n\
         <style>text {{ fill: #24292f }} @media (prefers-color-scheme: dark) {{ text {{ fill: #d6dde4 }} }}</style>\n\
         <text x=\"0\" y=\"16\" font-size=\"14\">Requests per second on one core, {connections} connections \
         (logarithmic)</text>\n"
    );
    let mut x = 0.0;
    for (peer, colour) in report.peers.iter().zip(COLOURS) {
        let _ = writeln!(
            svg,
            "<rect x=\"{x:.0}\" y=\"30\" width=\"10\" height=\"10\" fill=\"{colour}\"/>\
             <text x=\"{:.0}\" y=\"39\">{}</text>",
            x + 15.0,
            peer.name
        );
        x += 40.0 + 7.0 * peer.name.len() as f64;
    }
    for (at, operation) in rows.iter().enumerate() {
        let y = TOP + at as f64 * row;
        let middle = y + count * BAR / 2.0 + 4.0;
        let _ = writeln!(svg, "<text x=\"0\" y=\"{middle:.0}\">{}</text>", operation.name);
        for (peer, colour) in (0..report.peers.len()).zip(COLOURS) {
            let Some(rate) = rate(peer, operation.name) else { continue };
            let y = y + peer as f64 * BAR;
            let width = ((rate / LEAST).max(1.0).log10() * scale).max(1.0);
            let _ = writeln!(
                svg,
                "<rect x=\"{LABEL}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{:.1}\" fill=\"{colour}\"/>\
                 <text x=\"{:.1}\" y=\"{:.1}\" font-size=\"10\">{}</text>",
                BAR - 2.0,
                LABEL + width + 4.0,
                y + BAR - 3.0,
                thousands(rate)
            );
        }
    }
    svg.push_str("</svg>\n");
    svg
}
