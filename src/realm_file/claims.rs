//! A claim in short form, and the mapper that it stands for.
//!
//! ```toml
//! [[realm.scopes.claims]]
//! name = "department"              # dots nest: "org.unit"
//! attribute = "department"         # of the user; or `value = "…"` for the same text in every token
//! type = "string"                  # string, int, long, boolean, json
//! multivalued = false
//! tokens = ["access_token", "id_token", "userinfo"]
//! ```

use std::collections::{BTreeMap, BTreeSet};

use crate::protocol::mapper::Mapper;

const FROM_ATTRIBUTE: &str = "oidc-usermodel-attribute-mapper";
const FIXED: &str = "oidc-hardcoded-claim-mapper";

/// Types by their short names and by Keycloak's.
pub(super) const TYPES: [(&str, &str); 5] =
    [("string", "String"), ("int", "int"), ("long", "long"), ("boolean", "boolean"), ("json", "JSON")];

/// Where a claim may stand, by short name and by Keycloak's setting.
pub(super) const TOKENS: [(&str, &str); 3] = [
    ("access_token", "access.token.claim"),
    ("id_token", "id.token.claim"),
    ("userinfo", "userinfo.token.claim"),
];

/// A claim in short form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Claim {
    /// Name of the claim and of its mapper.
    pub(super) name: String,
    pub(super) source: Source,
    /// Keycloak's name of the type.
    pub(super) kind: &'static str,
    pub(super) multivalued: bool,
    /// Keycloak's names of the tokens.
    pub(super) tokens: BTreeSet<&'static str>,
}

/// Where a claim's value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Source {
    Attribute(String),
    Fixed(String),
}

impl Claim {
    /// The mapper that this claim stands for.
    pub(super) fn mapper(&self) -> Mapper {
        let mut config = BTreeMap::from([
            ("claim.name".to_owned(), self.name.clone()),
            ("jsonType.label".to_owned(), self.kind.to_owned()),
        ]);
        for (_, setting) in TOKENS {
            config.insert(setting.to_owned(), self.tokens.contains(setting).to_string());
        }
        let introspection = self.tokens.contains("access.token.claim").to_string();
        config.insert("introspection.token.claim".to_owned(), introspection);
        let kind = match &self.source {
            Source::Attribute(attribute) => {
                config.insert("user.attribute".to_owned(), attribute.clone());
                config.insert("multivalued".to_owned(), self.multivalued.to_string());
                FROM_ATTRIBUTE
            }
            Source::Fixed(value) => {
                config.insert("claim.value".to_owned(), value.clone());
                FIXED
            }
        };
        Mapper { name: self.name.clone(), kind: kind.to_owned(), config, ..Mapper::default() }
    }

    /// The claim that stands for `mapper`; none when the short form cannot say all of it.
    pub(super) fn of(mapper: &Mapper) -> Option<Self> {
        let setting = |name: &str| mapper.config.get(name).cloned();
        let source = match mapper.kind.as_str() {
            FROM_ATTRIBUTE => Source::Attribute(setting("user.attribute")?),
            FIXED => Source::Fixed(setting("claim.value")?),
            _ => return None,
        };
        let label = setting("jsonType.label")?;
        let claim = Self {
            name: setting("claim.name")?,
            source,
            kind: TYPES.iter().find(|(_, name)| *name == label)?.1,
            multivalued: setting("multivalued").as_deref() == Some("true"),
            tokens: TOKENS
                .iter()
                .map(|(_, name)| *name)
                .filter(|name| setting(name).as_deref() == Some("true"))
                .collect(),
        };
        (claim.mapper() == Mapper { id: String::new(), ..mapper.clone() }).then_some(claim)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claim_and_its_mapper_are_one() {
        for source in [Source::Attribute("a".into()), Source::Fixed("x".into())] {
            for tokens in [vec![], vec!["access.token.claim"], TOKENS.map(|(_, name)| name).to_vec()] {
                let multivalued = matches!(source, Source::Attribute(_));
                let claim = Claim {
                    name: "org.unit".into(),
                    source: source.clone(),
                    kind: "long",
                    multivalued,
                    tokens: tokens.into_iter().collect(),
                };
                assert_eq!(Claim::of(&claim.mapper()), Some(claim));
            }
        }
    }

    #[test]
    fn a_mapper_that_says_more_stays_a_mapper() {
        let claim = Claim {
            name: "c".into(),
            source: Source::Attribute("a".into()),
            kind: "String",
            multivalued: false,
            tokens: BTreeSet::new(),
        };
        let mut mapper = claim.mapper();
        mapper.config.insert("aggregate.attrs".into(), "true".into());
        assert_eq!(Claim::of(&mapper), None);
        let renamed = Mapper { name: "other".into(), ..claim.mapper() };
        assert_eq!(Claim::of(&renamed), None);
    }
}
