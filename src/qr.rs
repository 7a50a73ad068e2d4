//! QR codes: an address that a telephone's camera reads from a terminal or a page.

use qrcode::{Color, EcLevel, QrCode};

/// Light modules that a reader needs around a code (ISO/IEC 18004 §9.1).
const QUIET: usize = 4;

/// A code as a square of modules, the quiet zone included.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Qr {
    size: usize,
    dark: Vec<bool>,
}

impl Qr {
    /// The code of `text`, with the least redundancy, since screens are not scratched; none when the text is longer than
    /// the largest code holds, nearly three thousand bytes.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let code = QrCode::with_error_correction_level(text, EcLevel::L).ok()?;
        let inner = code.width();
        let size = inner.checked_add(QUIET.checked_mul(2)?)?;
        let colors = code.to_colors();
        let rows = colors.chunks(inner).map(|row| {
            let row = row.iter().map(|color| *color == Color::Dark);
            light(QUIET).chain(row).chain(light(QUIET)).collect::<Vec<_>>()
        });
        let edge = || light(size.saturating_mul(QUIET));
        let dark = edge().chain(rows.flatten()).chain(edge()).collect();
        Some(Self { size, dark })
    }

    /// Modules of a side.
    #[must_use]
    pub fn size(&self) -> usize {
        self.size
    }

    /// As lines of half blocks, each character two modules high. In black on white where the terminal takes colours; else
    /// drawn in the text's colour for the light modules, which suits a dark terminal.
    #[must_use]
    pub fn terminal(&self, colours: bool) -> String {
        let (before, after) = if colours { ("\u{1b}[30;107m", "\u{1b}[0m") } else { ("", "") };
        let blank = vec![false; self.size];
        let rows: Vec<&[bool]> = self.dark.chunks(self.size).collect();
        let mut text = String::new();
        for pair in rows.chunks(2) {
            let (top, bottom) = (pair.first().copied(), pair.get(1).copied());
            let both = top.unwrap_or(&blank).iter().zip(bottom.unwrap_or(&blank));
            text.push_str(before);
            text.extend(both.map(|(top, bottom)| match (*top == colours, *bottom == colours) {
                (true, true) => '█',
                (true, false) => '▀',
                (false, true) => '▄',
                (false, false) => ' ',
            }));
            text.push_str(after);
            text.push('\n');
        }
        text
    }

    /// As an SVG in black on white, a unit for each module: it scales to the size that it is shown in.
    #[must_use]
    pub fn svg(&self) -> String {
        let (size, path) = (self.size, self.path());
        format!(
            r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size} {size}" shape-rendering="crispEdges"><path fill="#fff" d="M0 0h{size}v{size}H0z"/><path d="{path}"/></svg>"##
        )
    }

    /// The dark modules, in runs: the `d` of a `path` of SVG.
    #[must_use]
    pub fn path(&self) -> String {
        use std::fmt::Write as _;
        let mut path = String::new();
        for (y, row) in self.dark.chunks(self.size).enumerate() {
            let mut x = 0_usize;
            for run in row.chunk_by(|left, right| left == right) {
                if run.first() == Some(&true) {
                    let _ = write!(path, "M{x} {y}h{0}v1h-{0}z", run.len());
                }
                x = x.saturating_add(run.len());
            }
        }
        path
    }
}

fn light(modules: usize) -> impl Iterator<Item = bool> {
    std::iter::repeat_n(false, modules)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ADDRESS: &str = "http://127.0.0.1:8080/realms/main/device?user_code=WDJB-MJHT";

    /// What a reader makes of a square of modules, where `true` is dark.
    fn read(size: usize, dark: impl Fn(usize, usize) -> bool) -> String {
        let mut picture = rqrr::PreparedImage::prepare_from_greyscale(size * 4, size * 4, |x, y| {
            if dark(x / 4, y / 4) { 0 } else { 255 }
        });
        let grids = picture.detect_grids();
        assert_eq!(grids.len(), 1, "one code");
        grids[0].decode().unwrap().1
    }

    #[test]
    fn a_camera_reads_the_terminal() {
        let qr = Qr::new(ADDRESS).unwrap();
        for colours in [true, false] {
            let text = qr.terminal(colours).replace("\u{1b}[30;107m", "").replace("\u{1b}[0m", "");
            let rows: Vec<Vec<char>> = text.lines().map(|line| line.chars().collect()).collect();
            assert!(rows.iter().all(|row| row.len() == qr.size()) && rows.len() == qr.size().div_ceil(2));
            assert!(qr.size() <= 60, "{} columns", qr.size());
            let found = read(qr.size(), |x, y| {
                let drawn = match rows[y / 2][x] {
                    '█' => true,
                    '▀' => y % 2 == 0,
                    '▄' => y % 2 == 1,
                    _ => false,
                };
                drawn == colours
            });
            assert_eq!(found, ADDRESS, "colours: {colours}");
        }
    }

    #[test]
    fn a_camera_reads_the_page() {
        let qr = Qr::new(ADDRESS).unwrap();
        let mut dark = vec![false; qr.size() * qr.size()];
        let svg = qr.svg();
        let path = svg.rsplit_once("<path d=\"").unwrap().1.split('"').next().unwrap();
        for run in path.split('M').skip(1) {
            let (place, rest) = run.split_once('h').unwrap();
            let (x, y) = place.split_once(' ').unwrap();
            let length: usize = rest.split('v').next().unwrap().parse().unwrap();
            let start = y.parse::<usize>().unwrap() * qr.size() + x.parse::<usize>().unwrap();
            dark[start..start + length].fill(true);
        }
        assert_eq!(read(qr.size(), |x, y| dark[y * qr.size() + x]), ADDRESS);
    }

    #[test]
    fn what_no_code_holds_has_none() {
        assert!(Qr::new(&"x".repeat(3_000)).is_none());
        assert!(Qr::new("").is_some());
    }
}
