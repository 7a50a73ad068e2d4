//! `${NAME}` and `${NAME:default}` in Keycloak's realm JSON, filled in before it is read, as Keycloak does.
//!
//! A variable that is not set and has no default leaves the text as it is, since Keycloak writes placeholders of its own
//! (`${role_admin}`, `${client_account}`, `${authBaseUrl}`, `${client_id}` in a claim's name), which are never filled in.

/// Begins of names that are Keycloak's own.
const OWN: [&str; 4] = ["role_", "client_", "authBaseUrl", "authAdminUrl"];

/// `text` with what `env` knows in it. Within a JSON string a value is escaped, so that it stays one value.
pub(crate) fn fill(text: &str, env: &dyn Fn(&str) -> Option<String>) -> String {
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    let mut in_string = false;
    while let Some(at) = rest.find(['"', '\\', '$']) {
        let (before, found) = rest.split_at(at);
        filled.push_str(before);
        if let Some((written, after)) = placeholder(found, in_string, env) {
            filled.push_str(&written);
            rest = after;
            continue;
        }
        // A backslash hides the character after it.
        let wide = if found.starts_with('\\') { 2 } else { 1 };
        in_string ^= found.starts_with('"');
        let end = found.char_indices().nth(wide).map_or(found.len(), |(end, _)| end);
        let (taken, after) = found.split_at(end);
        filled.push_str(taken);
        rest = after;
    }
    filled.push_str(rest);
    filled
}

/// What stands for the placeholder that `text` begins with, and what follows it; none when it is none, or stays.
fn placeholder<'a>(
    text: &'a str,
    in_string: bool,
    env: &dyn Fn(&str) -> Option<String>,
) -> Option<(String, &'a str)> {
    let (inside, after) = text.strip_prefix("${")?.split_once('}')?;
    let (name, default) = inside.split_once(':').map_or((inside, None), |(name, rest)| (name, Some(rest)));
    let is_name = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if !is_name || inside.contains('"') || OWN.iter().any(|own| name.starts_with(own)) {
        return None;
    }
    let value = env(name).map(|value| if in_string { escaped(&value) } else { value });
    Some((value.or_else(|| default.map(str::to_owned))?, after))
}

/// `value` as it stands between the quotes of a JSON string.
fn escaped(value: &str) -> String {
    let quoted = serde_json::Value::from(value).to_string();
    quoted.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_filled_in_and_keycloaks_own_words_stay() {
        let env = |name: &str| match name {
            "SECRET" => Some("a\"b\\${SECRET}".to_owned()),
            "SPAN" => Some("60".to_owned()),
            "client_id" | "role_admin" => Some("wrong".to_owned()),
            _ => None,
        };
        for (name, text, expected) in [
            ("none", r#"{"a": "b"}"#, r#"{"a": "b"}"#),
            ("a value, escaped and not looked at again", r#""${SECRET}""#, r#""a\"b\\${SECRET}""#),
            ("amid a text", r#""x${SPAN}y""#, r#""x60y""#),
            ("outside of strings", r#"{"a": ${SPAN}}"#, r#"{"a": 60}"#),
            ("a default", r#""${MISSING:http://x/y}""#, r#""http://x/y""#),
            ("an empty default", r#""${MISSING:}""#, r#""""#),
            ("set, so no default", r#""${SPAN:5}""#, r#""60""#),
            ("not set", r#""${MISSING}""#, r#""${MISSING}""#),
            ("of Keycloak", r#""${role_admin} ${authBaseUrl}""#, r#""${role_admin} ${authBaseUrl}""#),
            (
                "in a claim's name",
                r#""resource_access.${client_id}.roles""#,
                r#""resource_access.${client_id}.roles""#,
            ),
            ("of a user profile", r#""${profile.attributes.email}""#, r#""${profile.attributes.email}""#),
            ("no end", r#""${SPAN""#, r#""${SPAN""#),
            ("no end in this string", r#"["${SPAN", "}"]"#, r#"["${SPAN", "}"]"#),
            ("an escaped quote", r#""\"${SPAN}\"""#, r#""\"60\"""#),
            ("letters beyond ASCII", "\"ä\\ü${SPAN}\"", "\"ä\\ü60\""),
        ] {
            assert_eq!(fill(text, &env), expected, "{name}");
        }
    }
}
