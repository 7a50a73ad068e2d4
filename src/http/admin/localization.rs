//! Texts of a realm's own, by language: kept and given back, with the realm's JSON too. The pages have this
//! server's texts, but for `termsText`, which people are shown who must accept the terms.

use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use serde_json::{Map, Value, json};

use super::answer::{AdminError, Answer, done, told};
use super::beside;
use super::call::{Call, Operation};
use crate::keycloak::{Beside, Kept};

/// The member of the realm's representation.
const TEXTS: &str = "localizationTexts";
const RESOURCE: &str = "REALM";

/// Longest name of a language: `zh-Hant-TW` has ten letters.
const LONGEST_LOCALE: usize = 35;

async fn texts(call: &Call) -> Result<Map<String, Value>, AdminError> {
    Ok(all(&beside::kept(call, Beside::Realm, call.realm_id()).await?))
}

fn all(kept: &Kept) -> Map<String, Value> {
    kept.get(TEXTS).and_then(Value::as_object).cloned().unwrap_or_default()
}

fn of<'a>(texts: &'a Map<String, Value>, locale: &str) -> Option<&'a Map<String, Value>> {
    texts.get(locale).and_then(Value::as_object)
}

fn no_text() -> AdminError {
    AdminError::not_found("Localization text not found")
}

fn no_texts(locale: &str) -> AdminError {
    AdminError::not_found(&format!("No localization texts for locale {locale} found."))
}

/// The language of the address.
fn locale(call: &Call) -> Result<&str, AdminError> {
    let locale = call.part("locale");
    let is_tag = locale.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    if is_tag && !locale.is_empty() && locale.len() <= LONGEST_LOCALE {
        return Ok(locale);
    }
    Err(AdminError::bad("A locale is written like de, pt-BR or zh_Hant"))
}

/// Languages that have texts.
pub(super) async fn locales(call: Call) -> Answer {
    told(&texts(&call).await?.keys().collect::<Vec<_>>())
}

/// The texts of a language; with `useRealmDefaultLocaleFallback`, those of the realm's own language beneath them.
pub(super) async fn list(call: Call) -> Answer {
    let kept = beside::kept(&call, Beside::Realm, call.realm_id()).await?;
    let texts = all(&kept);
    let mut shown = Map::new();
    if call.server.flag("useRealmDefaultLocaleFallback")? == Some(true) {
        let usual = kept.get("defaultLocale").and_then(Value::as_str).unwrap_or_default();
        shown.extend(of(&texts, usual).cloned().unwrap_or_default());
    }
    shown.extend(of(&texts, call.part("locale")).cloned().unwrap_or_default());
    told(&shown)
}

/// One text, as it is.
pub(super) async fn read(call: Call) -> Answer {
    let texts = texts(&call).await?;
    let text = of(&texts, call.part("locale")).and_then(|texts| texts.get(call.part("key"))?.as_str());
    let text = text.ok_or_else(no_text)?.to_owned();
    Ok(([(CONTENT_TYPE, "text/plain; charset=utf-8")], text).into_response())
}

/// Keeps texts of a language beside those that it has.
pub(super) async fn add(call: Call) -> Answer {
    call.repeated(|call| Box::pin(try_add(call))).await
}

async fn try_add(call: &Call) -> Answer {
    let new: std::collections::BTreeMap<String, String> = call.server.json_or_file()?;
    let locale = locale(call)?.to_owned();
    changed(call, Operation::Update, |texts| {
        let own = texts.entry(locale).or_insert_with(|| json!({}));
        if let Some(own) = own.as_object_mut() {
            own.extend(new.into_iter().map(|(key, text)| (key, text.into())));
        }
        Ok(())
    })
    .await
}

/// Keeps one text, which is the body.
pub(super) async fn put(call: Call) -> Answer {
    call.repeated(|call| Box::pin(try_put(call))).await
}

async fn try_put(call: &Call) -> Answer {
    let (locale, key) = (locale(call)?.to_owned(), call.part("key").to_owned());
    let text = std::str::from_utf8(&call.server.body).map_err(AdminError::unreadable)?.to_owned();
    changed(call, Operation::Update, |texts| {
        let own = texts.entry(locale).or_insert_with(|| json!({}));
        if let Some(own) = own.as_object_mut() {
            own.insert(key, text.into());
        }
        Ok(())
    })
    .await
}

/// Takes the texts of a language away.
pub(super) async fn delete(call: Call) -> Answer {
    call.repeated(|call| Box::pin(try_delete(call))).await
}

async fn try_delete(call: &Call) -> Answer {
    let locale = call.part("locale");
    changed(call, Operation::Delete, |texts| texts.remove(locale).map(drop).ok_or_else(|| no_texts(locale)))
        .await
}

/// Takes one text away, and with the last its language.
pub(super) async fn delete_one(call: Call) -> Answer {
    call.repeated(|call| Box::pin(try_delete_one(call))).await
}

async fn try_delete_one(call: &Call) -> Answer {
    let (locale, key) = (call.part("locale"), call.part("key"));
    changed(call, Operation::Delete, |texts| {
        let own = texts.get_mut(locale).and_then(Value::as_object_mut).ok_or_else(no_text)?;
        own.remove(key).ok_or_else(no_text)?;
        if own.is_empty() {
            texts.remove(locale);
        }
        Ok(())
    })
    .await
}

async fn changed(
    call: &Call,
    operation: Operation,
    change: impl FnOnce(&mut Map<String, Value>) -> Result<(), AdminError>,
) -> Answer {
    let path = format!("localization/{}", call.part("locale"));
    let changing = |kept: &mut Kept| {
        let mut texts = all(kept);
        change(&mut texts)?;
        match texts.is_empty() {
            true => drop(kept.remove(TEXTS)),
            false => drop(kept.insert(TEXTS.to_owned(), texts.into())),
        }
        Ok(())
    };
    beside::change_realm(call, changing, operation, RESOURCE, &path).await?;
    done()
}
