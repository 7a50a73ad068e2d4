//! `${NAME}` and `${NAME:default}` in a tree's strings.
//!
//! A name is of letters, digits and `_`, and does not begin with a digit. `$${` stands for a literal `${`.
//! What a variable holds is taken as it is: a `${` in it is not looked at again.

use super::fields::{Context, join};
use super::tree::{Node, Value};

/// Fills in every string below `node`, and tells of variables that are not set.
pub(crate) fn fill(node: &mut Node, path: &str, env: &dyn Fn(&str) -> Option<String>, cx: &mut Context) {
    match &mut node.value {
        Value::Text { text, filled } if text.contains("${") => match fill_text(text, env) {
            Ok(value) => (*text, *filled) = (value, true),
            Err(missing) => cx.refuse(node.line, path, missing),
        },
        Value::List(items) => {
            for (index, item) in items.iter_mut().enumerate() {
                fill(item, &format!("{path}[{index}]"), env, cx);
            }
        }
        Value::Table(entries) => {
            for entry in entries {
                fill(&mut entry.node, &join(path, &entry.name), env, cx);
            }
        }
        _ => {}
    }
}

fn fill_text(text: &str, env: &dyn Fn(&str) -> Option<String>) -> Result<String, String> {
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        if let Some(before) = before.strip_suffix('$') {
            filled.push_str(before);
            filled.push_str("${");
            rest = after;
            continue;
        }
        filled.push_str(before);
        let Some((inside, after)) = after.split_once('}') else {
            return Err("`${` without its `}`; a literal `${` is written `$${`".into());
        };
        let (name, default) = inside.split_once(':').map_or((inside, None), |(n, d)| (n, Some(d)));
        if !is_name(name) {
            return Err(
                "`${…}` takes the name of an environment variable; a literal `${` is written `$${`".into()
            );
        }
        match env(name).or_else(|| default.map(str::to_owned)) {
            Some(value) => filled.push_str(&value),
            None => {
                return Err(format!(
                    "the environment variable {name} is not set; `${{{name}:…}}` gives a default"
                ));
            }
        }
        rest = after;
    }
    filled.push_str(rest);
    Ok(filled)
}

fn is_name(name: &str) -> bool {
    !name.is_empty()
        && !name.starts_with(|c: char| c.is_ascii_digit())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn env(name: &str) -> Option<String> {
        match name {
            "HOST" => Some("app.example".into()),
            "EMPTY" => Some(String::new()),
            "ODD" => Some("${HOST}".into()),
            _ => None,
        }
    }

    #[test]
    fn what_is_filled_in() {
        for (name, text, expected) in [
            ("whole", "${HOST}", "app.example"),
            ("inside", "https://${HOST}/cb", "https://app.example/cb"),
            ("twice", "${HOST} ${HOST}", "app.example app.example"),
            ("default", "${NONE:fallback}", "fallback"),
            ("default with a colon", "${NONE:http://x}", "http://x"),
            ("empty default", "${NONE:}", ""),
            ("set beats default", "${HOST:x}", "app.example"),
            ("set to nothing", "${EMPTY:x}", ""),
            ("no second look", "${ODD}", "${HOST}"),
            ("literal", "$${HOST}", "${HOST}"),
            ("a lone dollar", "$HOST {x} $", "$HOST {x} $"),
        ] {
            assert_eq!(fill_text(text, &env).as_deref(), Ok(expected), "{name}");
        }
        for (name, text) in
            [("not set", "${NONE}"), ("not closed", "a${HOST"), ("no name", "${}"), ("odd name", "${a b}")]
        {
            assert!(fill_text(text, &env).is_err(), "{name}");
        }
    }
}
