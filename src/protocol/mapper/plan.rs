//! What follows from a mapper's kind and settings, worked out once: tokens are made far more often than mappers change.

use std::fmt;
use std::sync::OnceLock;

use super::{Kind, Mapper};
use crate::protocol::claims::Target;

/// A mapper, read.
#[derive(Debug)]
pub(in crate::protocol) struct Plan {
    pub(in crate::protocol) kind: Kind,
    /// Where its claim goes; none when it writes none.
    pub(super) steps: Option<Vec<String>>,
    pub(super) label: Label,
    /// Whether it writes a list; none when it does not say.
    pub(super) multivalued: Option<bool>,
    targets: [bool; TARGETS.len()],
}

const TARGETS: [Target; 5] =
    [Target::AccessToken, Target::Lightweight, Target::IdToken, Target::UserInfo, Target::Introspection];

/// The type of the claim's values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Label {
    String,
    Integer,
    Boolean,
    Json,
}

impl Plan {
    /// None for a kind that this server does not know.
    fn new(mapper: &Mapper) -> Option<Self> {
        let kind = Kind::parse(&mapper.kind)?;
        Some(Self {
            kind,
            steps: mapper.steps(kind),
            label: match mapper.setting("jsonType.label") {
                Some("long" | "int") => Label::Integer,
                Some("boolean") => Label::Boolean,
                Some("JSON") => Label::Json,
                _ => Label::String,
            },
            multivalued: mapper.switch("multivalued"),
            targets: TARGETS.map(|target| mapper.is_for(kind, target)),
        })
    }

    /// Whether the mapper writes into `target`.
    pub(in crate::protocol) fn is_for(&self, target: Target) -> bool {
        TARGETS.iter().zip(self.targets).any(|(own, writes)| writes && *own == target)
    }
}

/// Where a mapper keeps its plan. It is no part of what the mapper says: a copy works it out anew, and none is told
/// apart by it. A mapper is not changed after its first use.
#[derive(Default)]
pub struct Memo(OnceLock<Option<Plan>>);

impl Memo {
    pub(super) fn of(&self, mapper: &Mapper) -> Option<&Plan> {
        self.0.get_or_init(|| Plan::new(mapper)).as_ref()
    }
}

impl Clone for Memo {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl PartialEq for Memo {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Memo {}

impl fmt::Debug for Memo {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("_")
    }
}
