//! The keys of clients, and files that come in forms.

use axum::http::Method;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use vestibule::testing::Reply;

use super::scene::{Admin, token};

/// A form with a file in it, as browsers send it.
async fn form(admin: &Admin, path: &str, fields: &[(&str, &str)]) -> Reply {
    let mut body = String::new();
    for (name, value) in fields {
        body.push_str(&format!(
            "--xyz\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"
        ));
    }
    body.push_str("--xyz--\r\n");
    admin.sent(Method::POST, path, &body, "multipart/form-data; boundary=xyz").await
}

fn armoured(label: &str, base64: &str) -> String {
    format!("-----BEGIN {label}-----\n{base64}\n-----END {label}-----\n")
}

async fn jwks(admin: &Admin, client: &str) -> Option<Value> {
    let store = &admin.server.app().store;
    let realm = store.realm_by_name("main").await.unwrap().unwrap();
    store.client_by_id(&realm.id, client).await.unwrap().unwrap().settings.jwks
}

#[tokio::test]
async fn a06_a_key_is_made_for_a_client_and_told_once() {
    let admin = Admin::new().await;
    let web = admin.client("main", "web").await;
    let at = format!("realms/main/clients/{web}/certificates/jwt.credential");
    assert_eq!(admin.get(&at).await, json!({}));
    let made = admin.ask(Method::POST, &format!("{at}/generate"), None).await;
    assert_eq!(made.status, 200, "{}", made.body);
    let made = made.json();
    let private = STANDARD.decode(made["privateKey"].as_str().unwrap()).unwrap();
    let key =
        vestibule::signer::SigningKey::from_pkcs8(vestibule::signer::Algorithm::RS256, &private).unwrap();
    assert_eq!(
        admin.get(&at).await,
        json!({ "certificate": made["certificate"] }),
        "the private half is gone"
    );
    let kept = jwks(&admin, &web).await.unwrap();
    assert_eq!(
        (&kept["keys"][0]["n"], &kept["keys"][0]["e"]),
        (&key.public_jwk()["n"], &key.public_jwk()["e"])
    );
    let client = admin.get(&format!("realms/main/clients/{web}")).await;
    assert_eq!(client["attributes"]["jwt.credential.certificate"], made["certificate"]);
    assert!(client["attributes"].get("jwks.string").is_none(), "one form of it");
    // What was read and is written back changes nothing; an empty one takes the key away.
    admin.must(Method::PUT, &format!("realms/main/clients/{web}"), client).await;
    assert_eq!(jwks(&admin, &web).await.unwrap(), kept);
    let none = json!({ "attributes": { "jwt.credential.certificate": "" } });
    admin.must(Method::PUT, &format!("realms/main/clients/{web}"), none).await;
    assert_eq!((jwks(&admin, &web).await, admin.get(&at).await), (None, json!({})));
}

#[tokio::test]
async fn a_clients_key_comes_from_a_file() {
    let admin = Admin::new().await;
    let web = admin.client("main", "web").await;
    let at = format!("realms/main/clients/{web}/certificates/jwt.credential");
    let key = vestibule::signer::SigningKey::generate(vestibule::signer::Algorithm::RS256).unwrap();
    let certificate = key.certificate().unwrap();
    let pem = armoured("CERTIFICATE", certificate);
    let fields = [("keystoreFormat", "Certificate PEM"), ("file", pem.as_str())];
    // The second as python-keycloak sends it.
    for action in ["upload", "upload-certificate", "upload?headers=Content-Type&headers=Authorization"] {
        let reply = form(&admin, &format!("{at}/{action}"), &fields).await;
        assert_eq!(
            (reply.status.as_u16(), reply.json()),
            (200, json!({ "certificate": certificate })),
            "{action}"
        );
    }
    let set = json!({ "keys": [key.public_jwk()] }).to_string();
    let public = armoured("PUBLIC KEY", key.public_spki_base64());
    for (format, file) in [("JSON Web Key Set", &set), ("Public Key PEM", &public)] {
        let reply =
            form(&admin, &format!("{at}/upload"), &[("keystoreFormat", format), ("file", file)]).await;
        assert_eq!(reply.status, 200, "{format}: {}", reply.body);
        assert_eq!(jwks(&admin, &web).await.unwrap()["keys"][0]["n"], key.public_jwk()["n"], "{format}");
    }
    let private = json!({ "keys": [{ "kty": "RSA", "n": "AA", "e": "AQAB", "d": "AA" }] }).to_string();
    for (format, file, status) in [
        ("JKS", "x", 501),
        ("PKCS12", "x", 501),
        ("", set.as_str(), 400),
        ("Certificate PEM", "nonsense", 400),
        ("Certificate PEM", public.as_str(), 400),
        ("Public Key PEM", pem.as_str(), 400),
        ("JSON Web Key Set", "{}", 400),
        ("JSON Web Key Set", "{\"keys\":[]}", 400),
        ("JSON Web Key Set", private.as_str(), 400),
    ] {
        let reply =
            form(&admin, &format!("{at}/upload"), &[("keystoreFormat", format), ("file", file)]).await;
        assert_eq!(reply.status, status, "{format} {file}: {}", reply.body);
    }
    for path in [format!("{at}/download"), format!("{at}/generate-and-download")] {
        admin.refused(Method::POST, &path, json!({ "format": "JKS" }), 501).await;
    }
    let saml = format!("realms/main/clients/{web}/certificates/saml.signing");
    assert_eq!(admin.get(&saml).await, json!({}));
    admin.refused(Method::POST, &format!("{saml}/generate"), json!({}), 501).await;
    let elsewhere = format!("realms/other/clients/{web}/certificates/jwt.credential");
    admin.refused(Method::GET, &elsewhere, json!({}), 404).await;
}

/// A03: a client by which administrators come in is for those who have every right.
#[tokio::test]
async fn a03_nobody_gives_their_key_to_a_client_above_them() {
    let admin = Admin::new().await;
    let keeper = token(&admin.server, "main", "keeper").await;
    for (client, expected) in [("web", 200), ("owner", 403), ("admin-cli", 403)] {
        let id = admin.client("main", client).await;
        let path = format!("realms/main/clients/{id}/certificates/jwt.credential/generate");
        assert_eq!(admin.as_(&keeper, Method::POST, &path, None).await.status, expected, "{client}");
    }
}

#[tokio::test]
async fn files_come_in_forms_where_they_may() {
    let admin = Admin::new().await;
    let metadata = json!({
        "issuer": "https://id.example", "authorization_endpoint": "https://id.example/auth",
        "token_endpoint": "https://id.example/token", "jwks_uri": "https://id.example/keys",
    });
    let metadata = metadata.to_string();
    let at = "realms/main/identity-provider/import-config";
    let reply = form(&admin, at, &[("providerId", "oidc"), ("file", &metadata)]).await;
    assert_eq!((reply.status.as_u16(), &reply.json()["tokenUrl"]), (200, &json!("https://id.example/token")));
    for fields in [
        &[("providerId", "saml"), ("file", "<EntityDescriptor/>")][..],
        &[("providerId", "oidc"), ("file", "<EntityDescriptor/>")],
        &[("providerId", "oidc")],
    ] {
        assert_eq!(form(&admin, at, fields).await.status, 400, "{fields:?}");
    }
    let texts = "realms/main/localization/de";
    let reply = form(&admin, texts, &[("file", "{\"hello\":\"Hallo\"}")]).await;
    assert_eq!(reply.status, 204, "{}", reply.body);
    assert_eq!(admin.get(texts).await, json!({ "hello": "Hallo" }));
    let reply = form(&admin, "realms/main/users", &[("file", "{\"username\":\"x\"}")]).await;
    assert_eq!(reply.status, 415, "elsewhere they do not");
    let reply = admin.sent(Method::POST, texts, "--xyz--", "multipart/form-data").await;
    assert_eq!(reply.status, 400, "no boundary");
}

#[tokio::test]
async fn the_description_of_a_client_becomes_a_representation() {
    let admin = Admin::new().await;
    let at = "realms/main/client-description-converter";
    let description = json!({
        "client_name": "Notes", "redirect_uris": ["https://notes.example/cb"],
        "token_endpoint_auth_method": "none", "grant_types": ["authorization_code", "refresh_token"],
    });
    let reply = admin.ask(Method::POST, at, Some(description)).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    let told = reply.json();
    assert_eq!(
        (&told["name"], &told["publicClient"], &told["redirectUris"], &told["consentRequired"]),
        (&json!("Notes"), &json!(true), &json!(["https://notes.example/cb"]), &json!(false))
    );
    let id = admin.must(Method::POST, "realms/main/clients", told).await;
    assert_eq!(admin.get(&format!("realms/main/clients/{id}")).await["standardFlowEnabled"], true);
    let own = json!({ "clientId": "x", "anything": 1 });
    let reply = admin.ask(Method::POST, at, Some(own.clone())).await;
    assert_eq!((reply.status.as_u16(), reply.json()), (200, own));
    for wrong in
        [json!({ "redirect_uris": ["javascript:x"] }), json!({ "token_endpoint_auth_method": "magic" })]
    {
        admin.refused(Method::POST, at, wrong, 400).await;
    }
}
