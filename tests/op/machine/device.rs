//! Z06 for devices (RFC 8628): they ask, somebody answers, they poll; in between goes whatever goes on elsewhere.

use proptest::prelude::*;
use proptest::test_runner::TestCaseError;
use vestibule::testing::{Device, Tokens};

use super::{ACCESS, Family, INVALID_GRANT, Machine, Model, Outcome, Pick, Session, known, pick};

/// Seconds that a device's codes are good for, that it waits between two polls, and that it must wait longer when it did
/// not.
const CODE: i64 = 600;
const INTERVAL: i64 = 5;
const SLOWER: i64 = 5;

/// What a device or its person does.
#[derive(Clone, Copy, Debug)]
pub(super) enum Act {
    Ask,
    Answer { device: Pick, yes: bool },
    Poll { device: Pick, times: usize },
}

pub(super) fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        2 => Just(Act::Ask),
        2 => (pick(), prop::bool::weighted(0.8)).prop_map(|(device, yes)| Act::Answer { device, yes }),
        4 => (pick(), 1..3_usize).prop_map(|(device, times)| Act::Poll { device, times }),
    ]
}

/// What the model knows of a device's request.
pub(super) struct Asked {
    until: i64,
    interval: i64,
    polled: Option<i64>,
    answer: Answer,
}

#[derive(Clone, Copy)]
enum Answer {
    None,
    No,
    Yes { session: usize },
    Spent,
}

/// Tokens of a device.
pub(super) struct OfDevice {
    tokens: Tokens,
    family: usize,
    access_until: i64,
}

impl Model {
    fn poll(&mut self, at: usize) -> Outcome {
        let now = self.now;
        let device = &mut self.devices[at];
        match device.answer {
            Answer::Spent => INVALID_GRANT,
            Answer::No => Outcome::Refused(400, "access_denied"),
            _ if now >= device.until => Outcome::Refused(400, "expired_token"),
            Answer::None => {
                // Times are whole seconds, so a poll may come a fraction of one early.
                let in_time = device.polled.is_none_or(|last| last + device.interval <= now + 1);
                device.polled = Some(now);
                device.interval += if in_time { 0 } else { SLOWER };
                Outcome::Refused(400, if in_time { "authorization_pending" } else { "slow_down" })
            }
            // D05: the yes lapses with the person's session, and counts again when the person does.
            Answer::Yes { session } => {
                if !self.user || !self.lives(session) {
                    return INVALID_GRANT;
                }
                self.devices[at].answer = Answer::Spent;
                self.families.push(Family { revoked: false, session });
                Outcome::Tokens
            }
        }
    }
}

impl Machine<'_> {
    pub(super) async fn device(&mut self, act: Act) -> Result<(), TestCaseError> {
        match act {
            Act::Ask => {
                self.devices.push(self.tv.device(&self.server.browser()).await.unwrap());
                let until = self.model.now + CODE;
                let asked = Asked { until, interval: INTERVAL, polled: None, answer: Answer::None };
                self.model.devices.push(asked);
            }
            Act::Answer { device, yes } if !self.devices.is_empty() => {
                self.answer(device.of(self.devices.len()), yes).await;
            }
            Act::Poll { device, times } if !self.devices.is_empty() => {
                for _ in 0..times {
                    self.poll(device.of(self.devices.len())).await?;
                }
            }
            Act::Answer { .. } | Act::Poll { .. } => {}
        }
        Ok(())
    }

    /// A server that was started again has another port, which a person behind a balancer would not see.
    pub(super) fn move_devices(&mut self) {
        let page = format!("{}/device", self.server.issuer("main"));
        for device in &mut self.devices {
            let (_, code) = device.verification_uri_complete.split_once('?').unwrap();
            device.verification_uri_complete = format!("{page}?{code}");
        }
    }

    async fn answer(&mut self, at: usize, yes: bool) {
        let asked = &self.model.devices[at];
        let waits = matches!(asked.answer, Answer::None) && self.model.now < asked.until;
        if !waits || !self.model.user {
            return;
        }
        let lives = self.current().filter(|session| self.lives(*session));
        let session = lives.unwrap_or_else(|| {
            self.model.sessions.push(Session { seen: self.model.now, ended: false });
            self.model.sessions.len() - 1
        });
        let device: &Device = &self.devices[at];
        let question = self.browser.open_device(device, "alice", "alice").await;
        let button = if yes { ("accept", "Yes") } else { ("cancel", "No") };
        self.browser.submit(&question, &[button]).await;
        self.model.devices[at].answer = if yes { Answer::Yes { session } } else { Answer::No };
        if yes {
            self.model.sessions[session].seen = self.model.now;
        }
    }

    async fn poll(&mut self, at: usize) -> Result<(), TestCaseError> {
        let expected = self.model.poll(at);
        let told = match self.tv.poll(&self.server.browser(), &self.devices[at]).await {
            Ok(tokens) => {
                let (family, access_until) = (self.model.families.len() - 1, self.model.now + ACCESS);
                self.of_devices.push(OfDevice { tokens, family, access_until });
                Outcome::Tokens
            }
            Err(reply) => Outcome::Refused(reply.status.as_u16(), known(reply.json()["error"].as_str())),
        };
        prop_assert_eq!(told, expected, "a poll of device {}", at);
        Ok(())
    }

    /// Every token of a device is as good as the model says.
    pub(super) async fn check_devices(&self) -> Result<(), TestCaseError> {
        for (at, of) in self.of_devices.iter().enumerate() {
            let told = self.tv.userinfo(&self.server.browser(), of.tokens.access_token()).await.status == 200;
            let good = self.model.stands(of.family) && self.model.now < of.access_until;
            prop_assert_eq!(told, good, "access token {} of a device", at);
        }
        Ok(())
    }
}
