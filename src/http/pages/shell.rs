//! What surrounds a page, and who appears on it: realms and apps with their names and pictures.

use super::address::Link;
use super::text::{ENGLISH, Text};
use super::words::Name;
use crate::http::assets;

/// A name with its picture: a realm's or a client's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Brand<'a> {
    /// The name that people read.
    pub name: Name<'a>,
    /// The picture; without one, the page draws a mark from the name's first letter.
    pub logo: Option<Link<'a>>,
}

impl<'a> Brand<'a> {
    /// The display name, or else the technical name; a logo that is no usable address is left out.
    #[must_use]
    pub fn new(technical: &'a str, display: Option<&'a str>, logo: Option<&'a str>) -> Self {
        let name =
            display.map(Name::new).filter(|name| !name.is_empty()).unwrap_or_else(|| Name::new(technical));
        Self { name, logo: logo.and_then(Link::new) }
    }

    /// The letter of the mark: the name's first letter or digit.
    #[must_use]
    pub fn initial(&self) -> String {
        let letter = self.name.chars().find(|letter| letter.is_alphanumeric());
        letter.map_or_else(|| "?".to_owned(), |letter| letter.to_uppercase().collect())
    }

    /// Which of the six tints the mark has: the same name, always the same tint.
    #[must_use]
    pub fn tint(&self) -> u32 {
        self.name.chars().fold(0_u32, |sum, letter| sum.wrapping_mul(31).wrapping_add(u32::from(letter))) % 6
    }
}

/// The app that asks: its brand and what it published about itself (OpenID Connect Registration §2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asker<'a> {
    /// `client_name` or the client's identifier, and `logo_uri`.
    pub brand: Brand<'a>,
    /// `client_uri`.
    pub home: Option<Link<'a>>,
    /// `policy_uri`.
    pub policy: Option<Link<'a>>,
    /// `tos_uri`.
    pub terms: Option<Link<'a>>,
}

impl<'a> Asker<'a> {
    /// An app with a brand and nothing published; set the links afterwards, through [`Link::new`].
    #[must_use]
    pub fn new(brand: Brand<'a>) -> Self {
        Self { brand, home: None, policy: None, terms: None }
    }

    /// Whether the app published a policy or terms.
    #[must_use]
    pub fn has_papers(&self) -> bool {
        self.policy.is_some() || self.terms.is_some()
    }
}

/// What surrounds every page.
#[derive(Clone, Debug)]
pub struct Shell<'a> {
    /// The path under which the server is mounted: `""`, or such as `"/auth"`, without a slash at the end.
    pub base: &'a str,
    /// Whose page it is; the server's own brand where no realm is known.
    pub brand: Brand<'a>,
    /// The language that the page speaks.
    pub text: &'static Text,
}

impl<'a> Shell<'a> {
    /// A realm's page in English.
    #[must_use]
    pub fn new(base: &'a str, brand: Brand<'a>) -> Self {
        Self { base, brand, text: &ENGLISH }
    }

    /// A page of the server as a whole, such as the answer to an unknown realm.
    #[must_use]
    pub fn server(base: &'a str) -> Self {
        Self::new(base, Brand::new("Vestibule", None, None))
    }

    /// Where the style sheet is.
    #[must_use]
    pub fn stylesheet(&self) -> String {
        format!("{}{}", self.base, assets::stylesheet_path())
    }

    /// Where the icon of the browser's tab is.
    #[must_use]
    pub fn icon(&self) -> String {
        format!("{}{}", self.base, assets::icon_path())
    }
}

/// A hidden field: its name, which is ours, and its value, which is escaped and otherwise kept whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hidden<'a> {
    /// The field's name.
    pub name: &'a str,
    /// The field's value.
    pub value: &'a str,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_brand_has_a_letter_and_a_tint() {
        assert_eq!(Brand::new("main", Some("  "), None).name.to_string(), "main");
        assert_eq!(Brand::new("main", Some("«acme»"), None).initial(), "A");
        assert_eq!(Brand::new("–", None, None).initial(), "?");
        assert!(Brand::new("main", None, Some("javascript:x")).logo.is_none());
    }
}
