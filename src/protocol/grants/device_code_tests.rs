//! Rows of attacks.md D01, D03 and D05, as rules: start from a good case and change one thing.

use super::*;
use crate::protocol::client::ClientSettings;

const NOW: Timestamp = Timestamp(10_000);

fn client() -> Client {
    Client {
        id: "tv-id".into(),
        realm_id: "realm".into(),
        client_id: "tv".into(),
        enabled: true,
        secret_hash: None,
        settings: ClientSettings::default(),
    }
}

fn approval() -> Approval {
    Approval {
        at: NOW.plus(-10),
        user_id: "user".into(),
        session_id: "session".into(),
        auth_time: NOW.plus(-20),
        acr: "1".into(),
    }
}

fn approved() -> DeviceCode {
    DeviceCode {
        fingerprint: "fingerprint".into(),
        realm_id: "realm".into(),
        client: "tv-id".into(),
        user_code: "user code".into(),
        scope: "openid".into(),
        details: Vec::new(),
        address: "192.0.2.1".into(),
        issued_at: NOW.plus(-60),
        expires_at: NOW.plus(540),
        interval: 5,
        polled_at: None,
        approval: Some(approval()),
        denied_at: None,
        redeemed_at: None,
    }
}

#[test]
fn d01_d03_how_far_a_request_is() {
    type Row = (&'static str, fn(&mut DeviceCode), Result<bool, ErrorCode>);
    let rows: [Row; 9] = [
        ("approved", |_| {}, Ok(true)),
        ("pending", |code| code.approval = None, Ok(false)),
        ("another client's", |code| code.client = "other".into(), Err(ErrorCode::InvalidGrant)),
        ("spent", |code| code.redeemed_at = Some(NOW), Err(ErrorCode::InvalidGrant)),
        ("denied", |code| (code.approval, code.denied_at) = (None, Some(NOW)), Err(ErrorCode::AccessDenied)),
        ("the yes was taken back", |code| code.denied_at = Some(NOW), Err(ErrorCode::AccessDenied)),
        ("expired", |code| (code.approval, code.expires_at) = (None, NOW), Err(ErrorCode::ExpiredToken)),
        ("approved, then expired", |code| code.expires_at = NOW, Err(ErrorCode::ExpiredToken)),
        (
            "another client's, and expired",
            |code| (code.client, code.expires_at) = ("other".into(), NOW),
            Err(ErrorCode::InvalidGrant),
        ),
    ];
    for (name, change, expected) in rows {
        let mut code = approved();
        change(&mut code);
        let found = match state(Some(&code), &client(), NOW) {
            State::Approved(_) => Ok(true),
            State::Pending => Ok(false),
            State::Refuse(error) => Err(error.code),
        };
        assert_eq!(found, expected, "{name}");
    }
    assert_eq!(state(None, &client(), NOW), State::Refuse(not_valid()), "unknown");
}

#[test]
fn d03_waiting_has_two_names() {
    assert_eq!(pending(false).code.wire(), "authorization_pending");
    assert_eq!(pending(true).code.wire(), "slow_down");
    assert_eq!((pending(false).code.status(), pending(true).code.status()), (400, 400));
}

struct Records {
    client: Client,
    settings: RealmSettings,
    approver: Approver,
}

fn good() -> Records {
    let approver = Approver {
        user: User::new("realm", "user", "alice", Timestamp(0)),
        roles: UserRoles::default(),
        session: Some(Session {
            id: "session".into(),
            realm_id: "realm".into(),
            user_id: "user".into(),
            auth_time: NOW.plus(-20),
            acr: "1".into(),
            remembered: false,
            started_at: NOW.plus(-20),
            last_seen_at: NOW.plus(-10),
            ended_at: None,
            address: String::new(),
            user_agent: String::new(),
        }),
        locked_until: None,
    };
    Records { client: client(), settings: RealmSettings::default(), approver }
}

fn end_session(records: &mut Records) {
    if let Some(session) = &mut records.approver.session {
        session.ended_at = Some(NOW);
    }
}

#[test]
fn d05_a_yes_counts_while_the_person_may_give_it() {
    type Row = (&'static str, fn(&mut Records), bool);
    let rows: [Row; 10] = [
        ("good", |_| {}, true),
        ("user disabled", |r| r.approver.user.enabled = false, false),
        ("user locked", |r| r.approver.locked_until = Some(NOW.plus(1)), false),
        ("a lock that is over", |r| r.approver.locked_until = Some(NOW), true),
        ("session ended", end_session, false),
        ("session gone", |r| r.approver.session = None, false),
        ("session idle for too long", |r| r.settings.session_idle = 10, false),
        ("realm not-before", |r| r.settings.not_before = Some(NOW.plus(-9)), false),
        ("client not-before", |r| r.client.settings.not_before = Some(NOW.plus(-9)), false),
        ("user not-before of the same second", |r| r.approver.user.not_before = Some(NOW.plus(-10)), true),
    ];
    for (name, change, expected) in rows {
        let mut records = good();
        change(&mut records);
        let Records { client, settings, approver } = &records;
        let outcome = check(&approval(), approver, client, settings, NOW);
        assert_eq!(outcome.is_ok(), expected, "{name}");
        if let Err(error) = outcome {
            assert_eq!(error.code, ErrorCode::InvalidGrant, "{name}");
        }
    }
}
