use proptest::prelude::*;

use super::*;

fn long(name: &str, bytes: usize) -> Vec<u8> {
    format!("{name}={}", "x".repeat(bytes)).into_bytes()
}

#[test]
fn refusals() {
    let many = (0..=MAX_PARAMS).map(|index| format!("p{index}=1&")).collect::<String>().into_bytes();
    let rows: Vec<(&str, Vec<u8>, ParamsError)> = vec![
        ("twice", b"a=1&b=2&a=1".to_vec(), ParamsError::Repeated("a".into())),
        ("twice, once empty", b"a=&a=1".to_vec(), ParamsError::Repeated("a".into())),
        ("twice, once escaped", b"scope=1&sco%70e=2".to_vec(), ParamsError::Repeated("scope".into())),
        ("list spelling", b"scope[]=a".to_vec(), ParamsError::BadName),
        ("escaped list spelling", b"scope%5B%5D=a".to_vec(), ParamsError::BadName),
        ("long name", long(&"n".repeat(MAX_NAME_BYTES + 1), 1), ParamsError::BadName),
        ("lone byte ff", b"a=%ff".to_vec(), ParamsError::NotUtf8),
        ("raw byte ff", b"a=\xff".to_vec(), ParamsError::NotUtf8),
        ("byte ff in a name", b"%ff=a".to_vec(), ParamsError::NotUtf8),
        ("overlong slash", b"a=%c0%af".to_vec(), ParamsError::NotUtf8),
        ("surrogate", b"a=%ed%a0%80".to_vec(), ParamsError::NotUtf8),
        ("escaped NUL", b"a=b%00c".to_vec(), ParamsError::Nul),
        ("raw NUL", b"a=b\0c".to_vec(), ParamsError::BadEncoding),
        ("raw newline", b"a=b\nc".to_vec(), ParamsError::BadEncoding),
        ("cut escape", b"a=%2".to_vec(), ParamsError::BadEncoding),
        ("no digits", b"a=%zz".to_vec(), ParamsError::BadEncoding),
        ("signed digits", b"a=%+1".to_vec(), ParamsError::BadEncoding),
        ("long value", long("scope", MAX_VALUE_BYTES + 1), ParamsError::TooLong("scope".into())),
        ("long token", long("code", MAX_TOKEN_BYTES + 1), ParamsError::TooLong("code".into())),
        ("too many", many, ParamsError::TooMany),
        ("too large", long("scope", MAX_ENCODED_BYTES), ParamsError::TooLarge),
    ];
    for (name, raw, expected) in rows {
        assert_eq!(Params::parse(&raw), Err(expected), "{name}");
    }
}

#[test]
fn accepted() {
    let params = Params::parse(b"a=1+2%2B3&empty=&bare&&u=%C3%A9&eq=a=b&=x").unwrap();
    assert_eq!(params.get("a"), Some("1 2+3"));
    assert_eq!(params.get("u"), Some("é"));
    assert_eq!(params.get("eq"), Some("a=b"));
    assert_eq!(params.get(""), Some("x"));
    for absent in ["empty", "bare", "missing"] {
        assert_eq!(params.get(absent), None, "{absent}");
    }
    assert_eq!(params.names().collect::<Vec<_>>(), ["a", "empty", "bare", "u", "eq", ""]);
    assert!(Params::parse(&long("scope", MAX_VALUE_BYTES)).is_ok());
    assert!(Params::parse(&long("refresh_token", MAX_TOKEN_BYTES)).is_ok());
    assert!(Params::parse(&long("token", 5 * MAX_TOKEN_BYTES)).is_ok(), "any token is owed an answer");
    assert!(Params::parse(b"").unwrap().is_empty());
}

#[test]
fn only_listed_names_repeat() {
    let raw = b"resource=a&resource=&resource=b";
    assert_eq!(Params::parse(raw), Err(ParamsError::Repeated("resource".into())));
    let params = Params::parse_with(raw, REPEATABLE).unwrap();
    assert_eq!(params.all("resource").collect::<Vec<_>>(), ["a", "b"]);
    assert_eq!(params.get("resource"), Some("a"));
    assert_eq!(params.pairs().collect::<Vec<_>>(), [("resource", "a"), ("resource", "b")]);
}

#[test]
fn x07f_a_name_that_may_repeat_repeats_ten_times_at_most() {
    let ten = "audience=a&resource=b&".repeat(MAX_REPEATS);
    assert!(Params::parse_with(ten.as_bytes(), REPEATABLE).is_ok());
    for name in ["audience", "resource"] {
        let more = format!("{ten}{name}=c");
        let refused = Params::parse_with(more.as_bytes(), REPEATABLE);
        assert_eq!(refused, Err(ParamsError::Repeated(name.into())));
    }
}

#[test]
fn debug_shows_no_value() {
    let params = Params::parse(b"password=canary&username=alice").unwrap();
    assert_eq!(format!("{params:?}"), r#"["password", "username"]"#);
}

#[test]
fn descriptions_stay_within_rfc_6749() {
    let names = ["scope", "with \"quotes\"", "back\\slash", "é", "line\nbreak", ""];
    for name in names {
        for error in [ParamsError::Repeated(name.into()), ParamsError::TooLong(name.into())] {
            assert_allowed(&error.description());
        }
    }
    for error in [ParamsError::BadName, ParamsError::TooMany, ParamsError::TooLarge, ParamsError::NotAForm] {
        assert_allowed(&error.description());
    }
}

fn assert_allowed(text: &str) {
    let allowed = |char: char| matches!(char, '\x20'..='\x21' | '\x23'..='\x5b' | '\x5d'..='\x7e');
    assert!(text.chars().all(allowed), "{text:?}");
}

proptest! {
    #[test]
    fn any_bytes_give_an_answer(raw in proptest::collection::vec(any::<u8>(), 0..4096)) {
        if let Ok(params) = Params::parse(&raw) {
            let names: Vec<_> = params.names().collect();
            let distinct: std::collections::BTreeSet<_> = names.iter().collect();
            prop_assert_eq!(names.len(), distinct.len());
            prop_assert!(names.len() <= MAX_PARAMS);
        }
    }

    #[test]
    fn what_was_encoded_comes_back(pairs in proptest::collection::btree_map("[^\\x00\\[\\]]{1,20}", "[^\\x00]{0,60}", 0..20)) {
        let encoded = form_urlencoded::Serializer::new(String::new()).extend_pairs(&pairs).finish();
        let params = Params::parse(encoded.as_bytes()).unwrap();
        prop_assert_eq!(params.names().count(), pairs.len());
        for (name, value) in &pairs {
            prop_assert_eq!(params.get(name), Some(value.as_str()).filter(|value| !value.is_empty()));
        }
    }
}
