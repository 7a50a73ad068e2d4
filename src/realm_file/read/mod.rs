//! From text to records: tree, then `${…}`, then fields. Every mistake is noted with its line.

mod claims;
pub(super) mod clients;
pub(crate) mod duration;
pub(crate) mod environment;
pub(crate) mod fields;
mod records;
mod suggest;
pub(crate) mod tree;
mod trusted_issuers;
pub(crate) mod values;

use std::collections::BTreeSet;

use super::places::Places;
use super::{FileProblem, FileProblems, Format, RealmSpec, keycloak, validate};
use fields::{Context, Fields};
use tree::{Node, Value};

/// Reads the realms of `text`. `name` stands in messages; `env` answers for environment variables.
///
/// # Errors
/// Every mistake that was found.
pub fn parse(
    text: &str,
    format: Format,
    name: &str,
    env: &dyn Fn(&str) -> Option<String>,
) -> Result<Vec<RealmSpec>, FileProblems> {
    if format == Format::Json && keycloak::is_keycloak(text, env) {
        return keycloak::parse(text, name, env);
    }
    let mut root = tree::parse(text, format).map_err(|faults| {
        let problem =
            |(line, message)| FileProblem { file: name.into(), line, field: String::new(), message };
        FileProblems(faults.into_iter().map(problem).collect())
    })?;
    if is_keycloak(&root) {
        return Err(FileProblems::of_file(
            name,
            "this has the shape of Keycloak's realm JSON: give it a name that ends in .json",
        ));
    }
    let mut cx = Context { file: name.to_owned(), ..Context::default() };
    environment::fill(&mut root, "", env, &mut cx);
    let mut realms = realms(root, &mut cx);
    let places = Places { file: name.to_owned(), root: String::new(), lines: cx.places };
    let mut problems = cx.problems;
    let mut names = BTreeSet::new();
    for (path, realm) in &mut realms {
        realm.places = Places { root: std::mem::take(path), ..places.clone() };
        problems.extend(validate::rules(realm));
        if !names.insert(realm.name.clone()) {
            problems.push(realm.places.problem("name", format!("realm `{}` is described twice", realm.name)));
        }
    }
    if problems.is_empty() {
        return Ok(realms.into_iter().map(|(_, realm)| realm).collect());
    }
    problems.sort_by(|a, b| (a.line, &a.field, &a.message).cmp(&(b.line, &b.field, &b.message)));
    problems.dedup();
    Err(FileProblems(problems))
}

/// One table `realm`, or a list `realms`, each realm with its path.
fn realms(root: Node, cx: &mut Context) -> Vec<(String, RealmSpec)> {
    let line = root.line;
    let Some(mut fields) = Fields::open(root, "", cx) else { return Vec::new() };
    let with_path = |fields: &mut Fields<'_>| Some((fields.path.clone(), records::realm(fields)?));
    let mut found: Vec<(String, RealmSpec)> = fields.table("realm", with_path).into_iter().collect();
    found.extend(fields.tables("realms", with_path).unwrap_or_default());
    fields.close();
    if found.is_empty() && cx.problems.is_empty() {
        cx.refuse(line, "", "no realm: a realm file holds a table `realm`");
    }
    found
}

/// Keycloak's export: an object whose `realm` is the name itself, a list of those, or one of its users' files.
fn is_keycloak(root: &Node) -> bool {
    match &root.value {
        Value::Table(entries) => entries
            .iter()
            .any(|entry| entry.name == "realm" && matches!(entry.node.value, Value::Text { .. })),
        Value::List(items) => items.first().is_some_and(is_keycloak),
        _ => false,
    }
}

#[cfg(test)]
mod tests;
