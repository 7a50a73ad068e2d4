//! What a device shows: on a terminal, and as a picture.

use vestibule::testing::{Device, TestServer};

use super::Scene;

/// The command plays a device against a server on a socket, and the person says yes in a browser.
#[tokio::test]
async fn device_login_shows_a_code_and_then_who_said_yes() {
    use std::io::{BufRead, BufReader, Read};
    let server = TestServer::start().await.unwrap();
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_vestibule"))
        .args(["device-login", "--issuer", &server.issuer("main")])
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut output = BufReader::new(command.stdout.take().unwrap());
    let (output, code) = tokio::task::spawn_blocking(move || {
        let mut line = String::new();
        while !line.contains("Enter the code") {
            line.clear();
            assert!(output.read_line(&mut line).unwrap() > 0, "it ended without a code");
        }
        let code = line.split_whitespace().last().unwrap().to_owned();
        (output, code)
    })
    .await
    .unwrap();
    let device = Device {
        device_code: String::new(),
        verification_uri: format!("{}/device", server.issuer("main")),
        verification_uri_complete: format!("{}/device?user_code={code}", server.issuer("main")),
        user_code: code,
    };
    let done = server.browser().approve_device(&device, "alice", "alice").await;
    assert!(done.body.contains("Your device is connected"), "{}", done.body);
    let ended = tokio::task::spawn_blocking(move || {
        let (mut output, mut text) = (output, String::new());
        output.read_to_string(&mut text).unwrap();
        (command.wait().unwrap(), text)
    });
    let (status, text) = ended.await.unwrap();
    assert!(status.success() && text.contains("\"preferred_username\": \"alice\""), "{text}");
}

/// Whoever shows the picture of an address shows nothing else, and learns nothing of the codes that there are.
#[tokio::test]
async fn rfc8628_3_3_1_the_address_is_a_picture_for_the_device() {
    let scene = Scene::new().await;
    let mut person = scene.server.browser();
    let picture = |code: &str| format!("{}/qr.svg?user_code={code}", scene.device.verification_uri);
    let reply = person.get(&picture(&scene.device.user_code)).await;
    let expected = vestibule::qr::Qr::new(&scene.device.verification_uri_complete).unwrap().svg();
    assert_eq!((reply.status.as_u16(), reply.body.as_str()), (200, expected.as_str()));
    for (name, value) in [
        ("content-type", "image/svg+xml"),
        ("cache-control", "no-store"),
        ("x-content-type-options", "nosniff"),
        ("content-security-policy", "default-src 'none'; sandbox"),
        ("cross-origin-resource-policy", "cross-origin"),
    ] {
        assert_eq!(reply.header(name), value, "{name}");
    }
    assert_eq!(person.get(&picture("BCDF-GHJK")).await.status, 200, "a code that nobody has");
    for code in ["", "BCDF-GHJ", "https://evil.test", "%22%3E%3Cscript%3E", "BCDF-GHJK&user_code=BCDF-GHJK"] {
        assert_eq!(person.get(&picture(code)).await.status, 400, "{code}");
    }
}
