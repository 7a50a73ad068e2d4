//! The drafts of a client's own tokens, kept as long as the client's entry: until its realm changes.

use std::sync::{Arc, Mutex, PoisonError};

use crate::protocol::token_draft::TokenDraft;

/// Most drafts of one client: its scopes, by the names under which the server is reached.
const MOST: usize = 8;

/// What was drafted, by issuer and by the scope that was asked for.
#[derive(Debug, Default)]
pub struct Drafts(Mutex<Vec<Kept>>);

#[derive(Debug)]
struct Kept {
    issuer: String,
    asked: Option<String>,
    draft: Arc<TokenDraft>,
}

impl Drafts {
    /// The draft for this issuer and this request.
    #[must_use]
    pub fn find(&self, issuer: &str, asked: Option<&str>) -> Option<Arc<TokenDraft>> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let found = kept.iter().find(|kept| kept.issuer == issuer && kept.asked.as_deref() == asked);
        found.map(|kept| Arc::clone(&kept.draft))
    }

    /// Keeps a draft. A client that asks for ever other scopes only drops its own.
    pub fn keep(&self, issuer: &str, asked: Option<&str>, draft: TokenDraft) -> Arc<TokenDraft> {
        let draft = Arc::new(draft);
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= MOST {
            kept.clear();
        }
        let (issuer, asked) = (issuer.to_owned(), asked.map(str::to_owned));
        kept.push(Kept { issuer, asked, draft: Arc::clone(&draft) });
        draft
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Map;

    use super::*;

    fn draft(scope: &str) -> TokenDraft {
        TokenDraft::new(Map::new(), scope.into())
    }

    #[test]
    fn a_draft_is_found_for_its_issuer_and_scope_alone() {
        let drafts = Drafts::default();
        drafts.keep("https://op.example", Some("a"), draft("a"));
        for (name, issuer, asked, found) in [
            ("the same", "https://op.example", Some("a"), true),
            ("another scope", "https://op.example", Some("b"), false),
            ("no scope", "https://op.example", None, false),
            ("another issuer", "http://localhost", Some("a"), false),
        ] {
            assert_eq!(drafts.find(issuer, asked).is_some(), found, "{name}");
        }
    }

    #[test]
    fn there_are_never_many() {
        let drafts = Drafts::default();
        for at in 0..100 {
            drafts.keep("https://op.example", Some(&at.to_string()), draft("a"));
            assert!(drafts.0.lock().unwrap().len() <= MOST);
        }
    }
}
