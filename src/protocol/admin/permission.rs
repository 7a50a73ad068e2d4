//! What a route asks of its caller.

/// What a route asks of its caller. Every route of the admin API names one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Permission {
    /// Administrates something: any administrative role over any realm.
    Administrator,
    /// May make realms.
    CreateRealm,
    /// Any administrative role over the realm.
    AnyInRealm,
    /// Sees the realm's settings and roles.
    ViewRealm,
    /// Changes them, or takes the realm away.
    ManageRealm,
    /// Sees roles, because it looks after what they are given to.
    ViewRoles,
    /// Changes roles of the realm or of its clients; which of the two, the role says.
    ManageRoles,
    /// Finds users.
    QueryUsers,
    /// Sees users.
    ViewUsers,
    /// Changes users, their credentials, groups and roles.
    ManageUsers,
    /// Acts as a user.
    Impersonate,
    /// Finds groups.
    QueryGroups,
    /// Finds clients.
    QueryClients,
    /// Sees clients and client scopes.
    ViewClients,
    /// Changes them.
    ManageClients,
    /// Makes clients.
    CreateClient,
    /// Sees events.
    ViewEvents,
    /// Changes what events are kept.
    ManageEvents,
    /// Sees identity providers.
    ViewIdentityProviders,
    /// Changes them.
    ManageIdentityProviders,
}

impl Permission {
    /// The roles over a realm any one of which is enough. Who may manage may also see.
    ///
    /// None for what is not a matter of one realm, or what any role is enough for.
    #[must_use]
    pub fn roles(self) -> &'static [&'static str] {
        match self {
            Self::Administrator | Self::CreateRealm | Self::AnyInRealm => &[],
            Self::ViewRealm => &["view-realm", "manage-realm"],
            Self::ManageRealm => &["manage-realm"],
            Self::ViewRoles => &[
                "view-realm",
                "manage-realm",
                "view-users",
                "manage-users",
                "view-clients",
                "manage-clients",
            ],
            Self::ManageRoles => &["manage-realm", "manage-clients"],
            Self::QueryUsers => &["query-users", "view-users", "manage-users"],
            Self::ViewUsers => &["view-users", "manage-users"],
            Self::ManageUsers => &["manage-users"],
            Self::Impersonate => &["impersonation"],
            Self::QueryGroups => &["query-groups", "view-users", "manage-users"],
            Self::QueryClients => &["query-clients", "view-clients", "manage-clients"],
            Self::ViewClients => &["view-clients", "manage-clients"],
            Self::ManageClients => &["manage-clients"],
            Self::CreateClient => &["create-client", "manage-clients"],
            Self::ViewEvents => &["view-events", "manage-events"],
            Self::ManageEvents => &["manage-events"],
            Self::ViewIdentityProviders => &["view-identity-providers", "manage-identity-providers"],
            Self::ManageIdentityProviders => &["manage-identity-providers"],
        }
    }
}
