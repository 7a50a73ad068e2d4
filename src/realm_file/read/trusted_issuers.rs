//! The tables of issuers that a realm trusts.

use std::path::Path;

use serde_json::Value;

use super::fields::{Fields, join};
use crate::protocol::trusted_issuer::{TrustedIssuer, UserBy};

const USER_BY: [(&str, UserBy); 2] = [("username", UserBy::Username), ("email", UserBy::Email)];

/// An issuer with its keys.
pub(super) fn issuer(fields: &mut Fields<'_>) -> Option<TrustedIssuer> {
    let (issuer, audience) = (fields.required("issuer"), fields.required("audience"));
    let user_by = fields.choice("user_by", &USER_BY);
    let (jwks, read) = (fields.json("jwks"), keys_of_file(fields));
    let is_read = read.is_ok();
    let from_file = read.unwrap_or_else(|message| {
        refuse(fields, &message);
        None
    });
    if jwks.is_some() && from_file.is_some() {
        refuse(fields, "either `jwks` or `jwks_file`, not both");
    }
    let spec = TrustedIssuer {
        issuer: String::new(),
        disabled: fields.switch("disabled").unwrap_or_default(),
        jwks: jwks.or(from_file),
        jwks_uri: fields.text("jwks_uri"),
        audience: String::new(),
        algorithms: fields.texts("algorithms").unwrap_or_default(),
        claims: fields.words("claims").unwrap_or_default(),
        user_by: user_by.unwrap_or_default(),
        user_claim: fields.text("user_claim"),
    };
    if user_by.is_none() && !fields.has("user_by") {
        let message = "`user_by` is missing: say by what its users are found here, `username` or `email`";
        fields.cx.refuse(fields.line, &fields.path, message);
    }
    // Without its file the rest is not judged: that its keys are missing would be a second word about the same.
    Some(TrustedIssuer { issuer: issuer?, audience: audience?, ..spec }).filter(|_| is_read)
}

/// A key set in a file of its own, named from the folder of the realm file. It is read with the realm file, so that the
/// database holds the keys and no node needs the file.
fn keys_of_file(fields: &mut Fields<'_>) -> Result<Option<Value>, String> {
    let Some(name) = fields.text("jwks_file").filter(|name| !name.is_empty()) else { return Ok(None) };
    let folder = Path::new(&fields.cx.file).parent().unwrap_or(Path::new(""));
    let file = folder.join(name);
    let read = std::fs::read_to_string(&file).map_err(|error| error.to_string());
    let keys = read.and_then(|text| serde_json::from_str(&text).map_err(|error| error.to_string()));
    keys.map(Some).map_err(|error| format!("{}: {error}", file.display()))
}

/// Notes what is wrong with `jwks_file`.
fn refuse(fields: &mut Fields<'_>, message: &str) {
    let field = join(&fields.path, "jwks_file");
    let line = fields.cx.places.get(&field).copied().unwrap_or(fields.line);
    fields.cx.refuse(line, &field, message);
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::parse;
    use crate::realm_file::Format;

    /// Reads a realm file that stands beside `keys.json`, with these lines about an issuer's keys.
    fn read(keys: Option<&str>, lines: &str) -> Result<serde_json::Value, Vec<(Option<usize>, String)>> {
        let folder = tempfile::tempdir().unwrap();
        if let Some(keys) = keys {
            std::fs::write(folder.path().join("keys.json"), keys).unwrap();
        }
        let file = folder.path().join("realm.toml").display().to_string();
        let text = format!(
            "[realm]\nname = \"x\"\n[[realm.trusted_issuers]]\nissuer = \"https://i\"\naudience = \"a\"\n\
             user_by = \"email\"\n{lines}\n"
        );
        match parse(&text, Format::Toml, &file, &|_| None) {
            Ok(realms) => Ok(realms[0].trusted_issuers.as_ref().unwrap()[0].jwks.clone().unwrap()),
            Err(problems) => {
                let place = folder.path().display().to_string();
                let told = |message: &str| message.replace(&place, "");
                Err(problems.0.iter().map(|problem| (problem.line, told(&problem.message))).collect())
            }
        }
    }

    #[test]
    fn keys_may_stand_in_a_file_beside_the_realm_file() {
        let keys = json!({ "keys": [
            { "kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" },
        ] });
        let text = keys.to_string();
        let file = "jwks_file = \"keys.json\"";
        assert_eq!(read(Some(&text), file), Ok(keys));
        for (case, keys, lines, told) in [
            ("none", None, file.to_owned(), "/keys.json: No such file"),
            ("no JSON", Some("keys"), file.to_owned(), "/keys.json: expected value"),
            ("no keys", Some("{}"), file.to_owned(), "keys"),
            (
                "two places",
                Some(text.as_str()),
                format!("{file}\njwks = '{text}'"),
                "either `jwks` or `jwks_file`",
            ),
        ] {
            let problems = read(keys, &lines).unwrap_err();
            assert!(problems[0].1.contains(told), "{case}: {problems:?}");
            assert!(case == "no keys" || problems[0].0 == Some(7), "{case}: {problems:?}");
        }
    }
}
