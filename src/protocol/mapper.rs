//! A protocol mapper: one rule that puts one claim into tokens.
//!
//! Owns the record, the kinds that are known, where each applies and which claims it may write. `evaluate` makes the
//! values, `path` puts them in their place. Leaves to `claims` whose mappers run, and to the tokens' own modules the
//! claims that no mapper may touch.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::claims::Target;

mod evaluate;
mod path;
mod plan;

pub(super) use evaluate::{Held, Source, apply, tells_address};
pub use plan::Memo;
pub(super) use plan::Plan;

/// A mapper in Keycloak's terms, so that its realm files and admin API carry over unchanged.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Mapper {
    /// Identifier (UUID) when the admin API made it; empty for built-in ones.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub id: String,
    /// Name, unique within its scope or client.
    pub name: String,
    /// Which rule: `oidc-usermodel-attribute-mapper`, …
    pub kind: String,
    /// The rule's settings: `claim.name`, `user.attribute`, `access.token.claim`, …
    pub config: BTreeMap<String, String>,
    /// What follows from kind and settings.
    #[serde(skip)]
    pub memo: Memo,
}

impl Mapper {
    /// What follows from kind and settings; none for a kind that is not known.
    pub(super) fn plan(&self) -> Option<&Plan> {
        self.memo.of(self)
    }

    /// A setting, when it is there and not empty.
    pub(super) fn setting(&self, key: &str) -> Option<&str> {
        self.config.get(key).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// Whether a switch is on; `None` when the mapper does not say.
    fn switch(&self, key: &str) -> Option<bool> {
        self.setting(key).map(|value| value == "true")
    }

    /// Whether the mapper writes into `target`. A switch that is missing, as in files from before it existed, follows
    /// Keycloak: UserInfo follows the ID token, introspection the access token, and kinds that once had no switches
    /// are for access tokens. A lightweight token has what says so, and its audiences: where a token may be used is not for
    /// its reader to look up.
    #[must_use]
    pub fn is_for(&self, kind: Kind, target: Target) -> bool {
        let access =
            self.switch("access.token.claim").unwrap_or_else(|| kind.is_for_access_tokens_by_nature());
        let id = self.switch("id.token.claim").unwrap_or(false);
        match target {
            Target::AccessToken => access,
            Target::Lightweight => {
                let audience = matches!(kind, Kind::Audience | Kind::AudienceResolve);
                self.switch("lightweight.claim").unwrap_or(audience && access)
            }
            Target::IdToken => id,
            Target::UserInfo => self.switch("userinfo.token.claim").unwrap_or(id),
            Target::Introspection => self.switch("introspection.token.claim").unwrap_or(access),
        }
    }

    /// The claim that it writes, at the top level; none for a kind that writes none, and for a claim that its kind
    /// may not write.
    #[must_use]
    pub fn claim(&self) -> Option<String> {
        self.steps(Kind::parse(&self.kind)?)?.into_iter().next()
    }

    /// The claim that a token stands on and that the mapper would write in its place, if it would.
    #[must_use]
    pub fn forges(&self) -> Option<&str> {
        let claim = self.config.get("claim.name")?.split('.').next()?;
        (!Kind::parse(&self.kind)?.may_write(claim)).then_some(claim)
    }

    /// Where its claim goes.
    fn steps(&self, kind: Kind) -> Option<Vec<String>> {
        let name = match kind.claim() {
            Name::None => return None,
            Name::Fixed(name) => name,
            Name::Chosen(default) => self.setting("claim.name").unwrap_or(default),
        };
        path::parse(name).filter(|steps| steps.first().is_some_and(|first| kind.may_write(first)))
    }
}

/// What a kind's claim is called.
enum Name {
    /// It writes none.
    None,
    /// The kind says so.
    Fixed(&'static str),
    /// The mapper says so, or this when it does not.
    Chosen(&'static str),
}

/// Which rule a mapper is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A user's attribute.
    Attribute,
    /// A field of the user record.
    Property,
    /// The user's realm roles.
    RealmRoles,
    /// The user's client roles.
    ClientRoles,
    /// The user's groups.
    Groups,
    /// First and last name.
    FullName,
    /// A fixed value.
    HardcodedClaim,
    /// A role that everyone has in this client's tokens.
    HardcodedRole,
    /// A role's name in this client's tokens.
    RoleName,
    /// One more audience.
    Audience,
    /// Each client of which the user has a role, as an audience.
    AudienceResolve,
    /// `sub`, which tokens carry in any case.
    Subject,
    /// `address` (OpenID Connect Core §5.1.1).
    Address,
    /// Origins from which the client may call.
    AllowedOrigins,
    /// How the user proved who they are.
    Acr,
    /// A fact of the session, such as `AUTH_TIME`.
    SessionNote,
    /// The session's identifier under its name of before Keycloak 25.
    SessionState,
    /// The organizations that the user is a member of. A realm has none here, and Keycloak leaves the claim out for a user
    /// without, so it never writes anything.
    Organization,
    /// That the client knows people by pairwise names, which [`super::subject`] makes.
    Pairwise,
}

/// The kinds by their names in realm files and in the admin API.
pub const KINDS: [(&str, Kind); 19] = [
    ("oidc-usermodel-attribute-mapper", Kind::Attribute),
    ("oidc-usermodel-property-mapper", Kind::Property),
    ("oidc-usermodel-realm-role-mapper", Kind::RealmRoles),
    ("oidc-usermodel-client-role-mapper", Kind::ClientRoles),
    ("oidc-group-membership-mapper", Kind::Groups),
    ("oidc-full-name-mapper", Kind::FullName),
    ("oidc-hardcoded-claim-mapper", Kind::HardcodedClaim),
    ("oidc-hardcoded-role-mapper", Kind::HardcodedRole),
    ("oidc-role-name-mapper", Kind::RoleName),
    ("oidc-audience-mapper", Kind::Audience),
    ("oidc-audience-resolve-mapper", Kind::AudienceResolve),
    ("oidc-sub-mapper", Kind::Subject),
    ("oidc-address-mapper", Kind::Address),
    ("oidc-allowed-origins-mapper", Kind::AllowedOrigins),
    ("oidc-acr-mapper", Kind::Acr),
    ("oidc-usersessionmodel-note-mapper", Kind::SessionNote),
    ("oidc-session-state-mapper", Kind::SessionState),
    ("oidc-organization-membership-mapper", Kind::Organization),
    (PAIRWISE, Kind::Pairwise),
];

/// The kind that gives a client pairwise names.
pub(super) const PAIRWISE: &str = "oidc-sha256-pairwise-sub-mapper";

/// Claims that say who issued what to whom, and for how long: the tokens' own modules write them, mappers never do
/// (CVE-2026-4629, CVE-2026-9795).
const RESERVED: [&str; 17] = [
    "act",
    "at_hash",
    "authorization_details",
    "azp",
    "c_hash",
    "client_id",
    "cnf",
    "exp",
    "iat",
    "iss",
    "jti",
    "nbf",
    "nonce",
    "s_hash",
    "scope",
    "sid",
    "typ",
];

impl Kind {
    /// The kind with this name; none for one that this server does not know, which then writes nothing.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        KINDS.iter().find(|(known, _)| *known == name).map(|(_, kind)| *kind)
    }

    /// Whether a mapper of this kind may write the claim `name` (at the top level).
    #[must_use]
    pub fn may_write(self, name: &str) -> bool {
        match name {
            "sub" => self == Self::Subject,
            "aud" => matches!(self, Self::Audience | Self::AudienceResolve),
            "acr" => self == Self::Acr,
            "auth_time" => self == Self::SessionNote,
            "realm_access" | "resource_access" => matches!(self, Self::RealmRoles | Self::ClientRoles),
            "allowed-origins" => self == Self::AllowedOrigins,
            _ => !RESERVED.contains(&name),
        }
    }

    fn claim(self) -> Name {
        match self {
            Self::Subject | Self::Pairwise | Self::HardcodedRole | Self::RoleName => Name::None,
            Self::Audience | Self::AudienceResolve => Name::Fixed("aud"),
            Self::AllowedOrigins => Name::Fixed("allowed-origins"),
            Self::Acr => Name::Fixed("acr"),
            Self::SessionState => Name::Fixed("session_state"),
            Self::Organization => Name::Chosen("organization"),
            Self::Address => Name::Fixed("address"),
            Self::FullName => Name::Chosen("name"),
            Self::RealmRoles => Name::Chosen("realm_access.roles"),
            Self::ClientRoles => Name::Chosen("resource_access.${client_id}.roles"),
            Self::Groups => Name::Chosen("groups"),
            Self::Attribute | Self::Property | Self::HardcodedClaim | Self::SessionNote => Name::Chosen(""),
        }
    }

    fn is_for_access_tokens_by_nature(self) -> bool {
        matches!(self, Self::AudienceResolve | Self::AllowedOrigins | Self::Subject)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mapper(config: &[(&str, &str)]) -> Mapper {
        let config = config.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        Mapper { config, ..Default::default() }
    }

    #[test]
    fn switches_say_where_a_mapper_applies() {
        use Target::{AccessToken, IdToken, Introspection, UserInfo};
        let attribute = Kind::Attribute;
        for (name, kind, config, expected) in [
            ("no switch", attribute, &[][..], vec![]),
            ("access token", attribute, &[("access.token.claim", "true")], vec![AccessToken, Introspection]),
            ("ID token", attribute, &[("id.token.claim", "true")], vec![IdToken, UserInfo]),
            (
                "ID token without UserInfo",
                attribute,
                &[("id.token.claim", "true"), ("userinfo.token.claim", "false")],
                vec![IdToken],
            ),
            (
                "introspection alone",
                attribute,
                &[("access.token.claim", "false"), ("introspection.token.claim", "true")],
                vec![Introspection],
            ),
            ("UserInfo alone", attribute, &[("userinfo.token.claim", "true")], vec![UserInfo]),
            ("an old audience resolver", Kind::AudienceResolve, &[], vec![AccessToken, Introspection]),
            ("one that is off", Kind::AudienceResolve, &[("access.token.claim", "false")], vec![]),
        ] {
            let mapper = mapper(config);
            let targets: Vec<Target> = [AccessToken, IdToken, UserInfo, Introspection]
                .into_iter()
                .filter(|target| mapper.is_for(kind, *target))
                .collect();
            assert_eq!(targets, expected, "{name}");
        }
    }

    /// A03: no mapper writes the claims that a token stands on; a few have one kind of mapper each.
    #[test]
    fn a_claim_that_a_token_stands_on_is_out_of_reach() {
        let own = |name: &str| -> Vec<Kind> {
            KINDS.iter().map(|(_, kind)| *kind).filter(|kind| kind.may_write(name)).collect()
        };
        for name in RESERVED {
            assert_eq!(own(name), [], "{name}");
        }
        assert_eq!(own("sub"), [Kind::Subject]);
        assert_eq!(own("aud"), [Kind::Audience, Kind::AudienceResolve]);
        assert_eq!(own("acr"), [Kind::Acr]);
        assert_eq!(own("realm_access"), [Kind::RealmRoles, Kind::ClientRoles]);
        assert_eq!(own("department").len(), KINDS.len());
    }

    #[test]
    fn kinds_have_distinct_names() {
        for (name, kind) in KINDS {
            assert_eq!(Kind::parse(name), Some(kind), "{name}");
        }
        assert_eq!(Kind::parse("oidc-script-based-protocol-mapper"), None);
    }
}
