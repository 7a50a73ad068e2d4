//! The style guide: writes every page, in every state, as files to open in a browser.
//!
//! `cargo run --example pages -- FOLDER`, then open `FOLDER/index.html`.

use std::path::Path;

use vestibule::clock::Timestamp;
use vestibule::http::assets;
use vestibule::http::pages::*;

mod samples;

const LOGO: &str = r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 120 42"><circle cx="21" cy="21" r="18" fill="#c8562b"/><path d="M10 30 21 10l11 20z" fill="#fff"/><path d="M50 15h60M50 27h40" stroke="#8a8f89" stroke-width="6"/></svg>"##;

fn main() -> std::io::Result<()> {
    let Some(folder) = std::env::args().nth(1) else {
        eprintln!("usage: pages FOLDER");
        std::process::exit(2);
    };
    let folder = Path::new(&folder);
    std::fs::create_dir_all(folder)?;
    std::fs::write(folder.join("vestibule.css"), assets::stylesheet())?;
    std::fs::write(folder.join("logo.svg"), LOGO)?;
    let mut index = String::from("<!doctype html><meta charset=utf-8><title>Pages</title><ul>");
    for (name, page) in
        samples::every_page(&samples::Source { word: &|word| word, address: &|address| address })
    {
        std::fs::write(folder.join(format!("{name}.html")), as_file(&page.html))?;
        index.push_str(&format!("<li><a href={name}.html>{name}</a>"));
    }
    std::fs::write(folder.join("index.html"), index)
}

/// Points a page at the files beside it, and keeps the form that sends itself where it can be seen.
fn as_file(html: &str) -> String {
    html.replace(&format!("/auth{}", assets::stylesheet_path()), "vestibule.css")
        .replace(assets::stylesheet_path(), "vestibule.css")
        .replace("/realms/main/logo.svg", "logo.svg")
        .replace("/realms/main/app.svg", "logo.svg")
        .replace("document.forms[0].submit()", "")
}
