//! The README tells the truth: what it quotes is what the files say.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking, its helpers too"
)]

#[test]
fn quoted_examples_are_the_files_themselves() {
    let readme = include_str!("../README.md");
    let mut quoted = 0;
    for part in readme.split("<!-- examples/").skip(1) {
        let (file, rest) = part.split_once(" -->\n").unwrap();
        let block = rest.split_once("```").unwrap().1.split_once('\n').unwrap().1;
        let block = block.split("\n```").next().unwrap();
        let path = format!("{}/examples/{file}", env!("CARGO_MANIFEST_DIR"));
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(block, text.trim_end(), "{file}");
        quoted += 1;
    }
    assert_eq!(quoted, 4, "FastAPI, Express, the browser and Spring");
}

#[test]
fn the_realm_of_the_readme_is_a_good_realm_file() {
    use vestibule::realm_file::{Format, parse};
    let readme = include_str!("../README.md");
    let (_, rest) = readme.split_once("```toml\n").unwrap();
    let realms = parse(rest.split("```").next().unwrap(), Format::Toml, "README.md", &|_| None).unwrap();
    assert_eq!(realms.first().unwrap().name, "shop");
}
