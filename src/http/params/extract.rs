//! Parameters as axum extractors. A refusal is a value, so that each endpoint renders it its own way.

use std::convert::Infallible;
use std::error::Error;

use axum::body::Body;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method};
use http_body_util::{BodyExt, LengthLimitError, Limited};

use super::{MAX_ENCODED_BYTES, Params, ParamsError, REPEATABLE};
use crate::server::{BodyTimeout, BodyTooLarge};

/// The parameters of a form in the body. A parameter that stands in the query string too is refused as
/// repeated; one that stands only there is not seen (RFC 6749 §2.3.1 keeps secrets out of addresses).
#[derive(Debug)]
pub struct Form(pub Result<Params, ParamsError>);

/// The parameters of the query string.
#[derive(Debug)]
pub struct Query(pub Result<Params, ParamsError>);

/// For endpoints that take both (OpenID Connect Core §3.1.2.1): the form of a POST, else the query string.
#[derive(Debug)]
pub struct QueryOrForm(pub Result<Params, ParamsError>);

impl<S: Send + Sync> FromRequest<S> for Form {
    type Rejection = Infallible;

    async fn from_request(request: Request, _: &S) -> Result<Self, Infallible> {
        Ok(Self(form(request).await))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Query {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self(query(parts)))
    }
}

impl<S: Send + Sync> FromRequest<S> for QueryOrForm {
    type Rejection = Infallible;

    async fn from_request(request: Request, _: &S) -> Result<Self, Infallible> {
        if request.method() == Method::POST {
            return Ok(Self(form(request).await));
        }
        Ok(Self(query(&request.into_parts().0)))
    }
}

fn query(parts: &Parts) -> Result<Params, ParamsError> {
    Params::parse_with(parts.uri.query().unwrap_or_default().as_bytes(), REPEATABLE)
}

/// Parameters of our own forms' addresses that nothing reads: old scripts send them in the form as well.
const UNREAD: [&str; 2] = ["execution", "tab_id"];

async fn form(request: Request) -> Result<Params, ParamsError> {
    let (parts, body) = request.into_parts();
    if !is_form(&parts.headers) {
        return Err(ParamsError::NotAForm);
    }
    let in_query = query(&parts)?;
    let raw = read(&parts.headers, body).await?;
    let params = Params::parse_with(&raw, REPEATABLE)?;
    let mut in_query = in_query.names().filter(|name| !UNREAD.contains(name));
    match in_query.find(|name| params.names().any(|own| own == *name)) {
        Some(twice) => Err(ParamsError::Repeated(twice.to_owned())),
        None => Ok(params),
    }
}

/// One content type, its media type compared without case (RFC 9110 §8.3.1); a charset other than UTF-8 is not
/// one we could decode.
fn is_form(headers: &HeaderMap) -> bool {
    let mut values = headers.get_all(CONTENT_TYPE).iter();
    let (Some(value), None) = (values.next(), values.next()) else { return false };
    let Ok(value) = value.to_str() else { return false };
    let mut pieces = value.split(';').map(str::trim);
    let media = pieces.next().unwrap_or_default();
    media.eq_ignore_ascii_case("application/x-www-form-urlencoded") && pieces.all(is_utf8)
}

fn is_utf8(attribute: &str) -> bool {
    match attribute.split_once('=') {
        Some((name, value)) if name.trim().eq_ignore_ascii_case("charset") => {
            let value = value.trim().trim_matches('"');
            value.eq_ignore_ascii_case("utf-8") || value.eq_ignore_ascii_case("utf8")
        }
        _ => true,
    }
}

async fn read(headers: &HeaderMap, body: Body) -> Result<axum::body::Bytes, ParamsError> {
    let announced = headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    if announced.is_some_and(|bytes| bytes > MAX_ENCODED_BYTES as u64) {
        return Err(ParamsError::TooLarge);
    }
    match Limited::new(body, MAX_ENCODED_BYTES).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) => Err(cause(error.as_ref())),
    }
}

fn cause(error: &(dyn Error + 'static)) -> ParamsError {
    let mut next = Some(error);
    while let Some(error) = next {
        if error.is::<LengthLimitError>() || error.is::<BodyTooLarge>() {
            return ParamsError::TooLarge;
        }
        if error.is::<BodyTimeout>() {
            return ParamsError::TooSlow;
        }
        next = error.source();
    }
    ParamsError::Unreadable
}

#[cfg(test)]
mod tests {
    use super::*;

    fn post(content_type: &str, uri: &str, body: &str) -> Request {
        let request = Request::post(uri).header(CONTENT_TYPE, content_type);
        request.body(Body::from(body.to_owned())).unwrap()
    }

    async fn read_form(request: Request) -> Result<Params, ParamsError> {
        Form::from_request(request, &()).await.unwrap().0
    }

    const FORM: &str = "application/x-www-form-urlencoded";

    #[tokio::test]
    async fn content_types() {
        let rows = [
            ("plain", FORM, true),
            ("upper case", "Application/X-WWW-Form-Urlencoded", true),
            ("utf-8", "application/x-www-form-urlencoded; charset=UTF-8", true),
            ("quoted utf-8", "application/x-www-form-urlencoded;charset=\"utf-8\"", true),
            ("latin-1", "application/x-www-form-urlencoded; charset=iso-8859-1", false),
            ("json", "application/json", false),
            ("prefix only", "application/x-www-form-urlencodedx", false),
            ("multipart", "multipart/form-data; boundary=x", false),
        ];
        for (name, content_type, accepted) in rows {
            let read = read_form(post(content_type, "/token", "a=1")).await;
            assert_eq!(read.is_ok(), accepted, "{name}");
        }
        let none = Request::post("/token").body(Body::from("a=1")).unwrap();
        assert_eq!(read_form(none).await, Err(ParamsError::NotAForm));
    }

    #[tokio::test]
    async fn a_parameter_in_query_and_body_is_repeated() {
        let twice = read_form(post(FORM, "/token?client_id=a", "client_id=b")).await;
        assert_eq!(twice, Err(ParamsError::Repeated("client_id".into())));
        let apart = read_form(post(FORM, "/token?session=a", "client_id=b")).await.unwrap();
        assert_eq!((apart.get("client_id"), apart.get("session")), (Some("b"), None));
    }

    #[tokio::test]
    async fn a_large_body_is_refused_announced_or_not() {
        let announced = Request::post("/").header(CONTENT_TYPE, FORM).header(CONTENT_LENGTH, "65537");
        let announced = announced.body(Body::from("a=1")).unwrap();
        assert_eq!(read_form(announced).await, Err(ParamsError::TooLarge));
        let long = format!("a={}", "x".repeat(MAX_ENCODED_BYTES));
        assert_eq!(read_form(post(FORM, "/", &long)).await, Err(ParamsError::TooLarge));
    }

    #[tokio::test]
    async fn either_follows_the_method() {
        let get = Request::get("/auth?a=1").body(Body::empty()).unwrap();
        let from_get = QueryOrForm::from_request(get, &()).await.unwrap().0.unwrap();
        let from_post = QueryOrForm::from_request(post(FORM, "/auth", "a=2"), &()).await.unwrap().0.unwrap();
        assert_eq!((from_get.get("a"), from_post.get("a")), (Some("1"), Some("2")));
    }

    #[tokio::test]
    async fn resource_and_audience_may_be_repeated() {
        let params = read_form(post(FORM, "/token", "resource=a&audience=x&resource=b")).await.unwrap();
        assert_eq!(params.all("resource").collect::<Vec<_>>(), ["a", "b"]);
    }
}
