//! A device as a test writes it (RFC 8628): asks, polls, and the person who answers.

use super::browser::{Browser, Reply};
use super::rp::{Rp, Tokens};

/// `grant_type` of a poll.
const GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// The codes of a device.
#[derive(Clone, Debug)]
pub struct Device {
    /// What it polls with.
    pub device_code: String,
    /// What the person types.
    pub user_code: String,
    /// Where the person types it.
    pub verification_uri: String,
    /// The same with the code in it.
    pub verification_uri_complete: String,
}

impl Rp {
    /// Asks for codes for the scopes of this application.
    ///
    /// # Errors
    /// An answer that is not 200.
    pub async fn device(&self, browser: &Browser) -> Result<Device, Box<Reply>> {
        let reply = self.post(browser, "auth/device", &[("scope", &self.scope)]).await;
        if reply.status != 200 {
            return Err(Box::new(reply));
        }
        let text = |name| reply.json().get(name).and_then(|v| v.as_str()).unwrap_or_default().to_owned();
        Ok(Device {
            device_code: text("device_code"),
            user_code: text("user_code"),
            verification_uri: text("verification_uri"),
            verification_uri_complete: text("verification_uri_complete"),
        })
    }

    /// Asks whether the person has answered.
    ///
    /// # Errors
    /// An answer that is not 200: nobody has said yes yet, or somebody said no.
    pub async fn poll(&self, browser: &Browser, device: &Device) -> Result<Tokens, Box<Reply>> {
        self.tokens(browser, &[("grant_type", GRANT), ("device_code", &device.device_code)]).await
    }
}

impl Browser {
    /// Opens the address of a device's QR code and signs in if nobody is; the page that asks about the device.
    pub async fn open_device(&mut self, device: &Device, username: &str, password: &str) -> Reply {
        let page = self.open(&device.verification_uri_complete).await;
        if page.body.contains("kc-form-login") {
            return self.submit(&page, &[("username", username), ("password", password)]).await;
        }
        page
    }

    /// Opens the address of a device's QR code, signs in if nobody is, and says yes; the page after that.
    pub async fn approve_device(&mut self, device: &Device, username: &str, password: &str) -> Reply {
        let question = self.open_device(device, username, password).await;
        self.submit(&question, &[("accept", "Yes")]).await
    }
}
