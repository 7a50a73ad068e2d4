//! Whether what was issued still stands: asked anew, of the records that a token hangs on, each time it is shown.

use thiserror::Error;

use super::client::Client;
use super::grant::Grant;
use super::realm::RealmSettings;
use super::session::Session;
use super::user::User;
use crate::clock::Timestamp;

/// An access token's records.
#[derive(Clone, Copy, Debug)]
pub struct Standing<'a> {
    /// The client that it was issued to.
    pub client: &'a Client,
    /// Whom it speaks for.
    pub user: &'a User,
    /// The grant that it hangs on; none for a client's own token.
    pub grant: Option<&'a Grant>,
    /// For what an exchange made, the clients whose tokens it was made from: they must be good for it too.
    pub origins: &'a [&'a Client],
    /// The session that the grant was given in, while the store still has it.
    pub session: Option<&'a Session>,
    /// When it was issued.
    pub issued_at: Timestamp,
}

/// Why a token does not count any more. For the log: who shows it learns nothing of this.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Fallen {
    /// The client may have nothing now.
    #[error("its client is disabled")]
    Client,
    /// The user may do nothing now.
    #[error("its user is disabled")]
    User,
    /// It is older than what the realm, the client or the user still honours.
    #[error("it was issued before a moment from which on tokens count")]
    TooOld,
    /// The grant is another client's.
    #[error("its grant is another client's")]
    Owner,
    /// The grant was taken back.
    #[error("its grant was revoked")]
    Revoked,
    /// The session is over, and the grant does not outlive it.
    #[error("its session is over")]
    Session,
}

impl Standing<'_> {
    /// Whether the token still counts at `now` (attacks I03).
    ///
    /// # Errors
    /// The first reason why it does not.
    pub fn check(&self, settings: &RealmSettings, now: Timestamp) -> Result<(), Fallen> {
        let Self { client, user, grant, origins, session, issued_at } = *self;
        if !client.enabled || origins.iter().any(|origin| !origin.enabled) {
            return Err(Fallen::Client);
        }
        if !user.enabled {
            return Err(Fallen::User);
        }
        let of_origins = origins.iter().filter_map(|origin| origin.settings.not_before).max();
        if not_before(settings, client, user).max(of_origins).is_some_and(|moment| issued_at < moment) {
            return Err(Fallen::TooOld);
        }
        let Some(grant) = grant else { return Ok(()) };
        if grant.client != client.id && !origins.iter().any(|origin| origin.id == grant.client) {
            return Err(Fallen::Owner);
        }
        if grant.revoked_at.is_some() {
            return Err(Fallen::Revoked);
        }
        if !grant.offline && !session.is_some_and(|session| session.is_live(settings, now)) {
            return Err(Fallen::Session);
        }
        Ok(())
    }
}

/// The moment before which tokens do not count: the latest that the realm, the client and the user name.
#[must_use]
pub fn not_before(settings: &RealmSettings, client: &Client, user: &User) -> Option<Timestamp> {
    settings.not_before.max(client.settings.not_before).max(user.not_before)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::client::ClientSettings;

    const NOW: Timestamp = Timestamp(10_000);

    struct Records {
        settings: RealmSettings,
        client: Client,
        user: User,
        grant: Option<Grant>,
        origins: Vec<Client>,
        session: Option<Session>,
        issued_at: Timestamp,
    }

    fn good() -> Records {
        let issued_at = NOW.plus(-60);
        Records {
            settings: RealmSettings::default(),
            client: Client {
                id: "web-id".into(),
                realm_id: "realm".into(),
                client_id: "web".into(),
                enabled: true,
                secret_hash: None,
                settings: ClientSettings::default(),
            },
            user: User::new("realm", "user", "alice", Timestamp(0)),
            grant: Some(Grant {
                id: "grant".into(),
                realm_id: "realm".into(),
                client: "web-id".into(),
                user_id: "user".into(),
                session_id: Some("session".into()),
                scope: "openid".into(),
                offline: false,
                auth_time: issued_at,
                acr: "1".into(),
                nonce: None,
                request: Default::default(),
                confirmation: None,
                parent: None,
                created_at: issued_at,
                last_used_at: issued_at,
                revoked_at: None,
            }),
            origins: Vec::new(),
            session: Some(Session {
                id: "session".into(),
                realm_id: "realm".into(),
                user_id: "user".into(),
                auth_time: issued_at,
                acr: "1".into(),
                remembered: false,
                started_at: issued_at,
                last_seen_at: issued_at,
                ended_at: None,
                address: String::new(),
                user_agent: String::new(),
            }),
            issued_at,
        }
    }

    /// Makes one thing different from the good case.
    type Change = fn(&mut Records);

    fn grant(records: &mut Records) -> &mut Grant {
        records.grant.as_mut().unwrap()
    }

    #[test]
    fn i03_a_token_counts_while_everything_that_it_hangs_on_does() {
        let rows: [(&str, Change, Result<(), Fallen>); 22] = [
            ("good", |_| {}, Ok(())),
            ("client disabled", |r| r.client.enabled = false, Err(Fallen::Client)),
            ("user disabled", |r| r.user.enabled = false, Err(Fallen::User)),
            ("realm's not-before", |r| r.settings.not_before = Some(NOW), Err(Fallen::TooOld)),
            ("client's not-before", |r| r.client.settings.not_before = Some(NOW), Err(Fallen::TooOld)),
            ("user's not-before", |r| r.user.not_before = Some(NOW), Err(Fallen::TooOld)),
            ("issued in that very second", |r| r.settings.not_before = Some(r.issued_at), Ok(())),
            ("an earlier one does not lift a later one", later_of_two, Err(Fallen::TooOld)),
            ("grant revoked", |r| grant(r).revoked_at = Some(NOW), Err(Fallen::Revoked)),
            ("grant of another client", |r| grant(r).client = "spa-id".into(), Err(Fallen::Owner)),
            ("session ended", |r| r.session.as_mut().unwrap().ended_at = Some(NOW), Err(Fallen::Session)),
            ("session swept", |r| r.session = None, Err(Fallen::Session)),
            ("session idle", |r| r.settings.session_idle = 60, Err(Fallen::Session)),
            ("session over its age", |r| r.settings.session_max = 60, Err(Fallen::Session)),
            ("offline, session gone", offline_without_session, Ok(())),
            ("a service has neither grant nor session", service, Ok(())),
            ("a disabled service", disabled_service, Err(Fallen::User)),
            ("exchanged", exchanged, Ok(())),
            (
                "exchanged, holder disabled",
                |r| {
                    exchanged(r);
                    r.client.enabled = false
                },
                Err(Fallen::Client),
            ),
            (
                "exchanged, origin disabled",
                |r| {
                    exchanged(r);
                    origin(r).enabled = false
                },
                Err(Fallen::Client),
            ),
            ("exchanged, origin's not-before", origin_later, Err(Fallen::TooOld)),
            (
                "exchanged of a third client",
                |r| {
                    exchanged(r);
                    grant(r).client = "spa-id".into()
                },
                Err(Fallen::Owner),
            ),
        ];
        for (name, change, expected) in rows {
            let mut records = good();
            change(&mut records);
            let origins: Vec<&Client> = records.origins.iter().collect();
            let standing = Standing {
                client: &records.client,
                user: &records.user,
                grant: records.grant.as_ref(),
                origins: &origins,
                session: records.session.as_ref(),
                issued_at: records.issued_at,
            };
            assert_eq!(standing.check(&records.settings, NOW), expected, "{name}");
        }
    }

    fn later_of_two(records: &mut Records) {
        records.settings.not_before = Some(Timestamp(1));
        records.client.settings.not_before = Some(NOW);
    }

    /// The token is the gateway's, made from one of the web app's.
    fn exchanged(records: &mut Records) {
        records.origins = vec![records.client.clone()];
        records.client.id = "gateway-id".into();
    }

    fn origin(records: &mut Records) -> &mut Client {
        &mut records.origins[0]
    }

    fn origin_later(records: &mut Records) {
        exchanged(records);
        origin(records).settings.not_before = Some(NOW);
    }

    fn offline_without_session(records: &mut Records) {
        grant(records).offline = true;
        records.session = None;
    }

    fn service(records: &mut Records) {
        records.grant = None;
        records.session = None;
    }

    fn disabled_service(records: &mut Records) {
        service(records);
        records.user.enabled = false;
    }
}
