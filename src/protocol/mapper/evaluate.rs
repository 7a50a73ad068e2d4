//! What a mapper writes: the value of each kind, from the user, the client and the session.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::plan::{Label, Plan};
use super::{Kind, Mapper, path};
use crate::protocol::claims::{Facts, Subject};
use crate::protocol::client::Client;
use crate::protocol::grants::token_exchange::Ceiling;
use crate::protocol::group_path;
use crate::protocol::role::Roles;
use crate::protocol::scope::Scope;
use crate::protocol::user::User;
use crate::protocol::web_origin;

/// Everything that a mapper may look at.
pub(in crate::protocol) struct Source<'a> {
    pub(in crate::protocol) subject: &'a Subject<'a>,
    pub(in crate::protocol) client: &'a Client,
    pub(in crate::protocol) facts: &'a Facts<'a>,
    pub(in crate::protocol) held: Held<'a>,
}

/// Role names as the tokens of one client show them.
#[derive(Debug, Default, PartialEq, Eq)]
pub(in crate::protocol) struct Held<'a> {
    realm: BTreeSet<&'a str>,
    /// By `client_id`.
    clients: BTreeMap<&'a str, BTreeSet<&'a str>>,
}

impl<'a> Held<'a> {
    /// The user's effective roles as far as `client` may see them: all of them, or without full scope its own and
    /// those of the scope mappings of the client and of the granted scopes.
    pub(in crate::protocol) fn of(subject: &Subject<'a>, client: &Client, scopes: &[&Scope]) -> Self {
        let mut held = Self::default();
        let names: &'a Roles = subject.role_names;
        let full = client.settings.full_scope_allowed;
        let mapped = if full { BTreeSet::new() } else { mapped(names, client, scopes) };
        for &role in &subject.roles {
            let own = role.client.as_deref() == Some(client.id.as_str());
            if !own && !full && !mapped.contains(role.id.as_str()) {
                continue;
            }
            match &role.client {
                None => held.insert(None, &role.name),
                Some(_) => {
                    if let Some(client_id) = names.client_id(role) {
                        held.insert(Some(client_id), &role.name);
                    }
                }
            }
        }
        held
    }

    /// Adds the role of a hard-coded-role mapper.
    pub(in crate::protocol) fn add(&mut self, mapper: &'a Mapper, names: &Roles) {
        if let Some(role) = mapper.setting("role") {
            let (client_id, name) = split(role, names);
            self.insert(client_id, name);
        }
    }

    /// Gives a role the name that a role-name mapper has for it, when it is held.
    pub(in crate::protocol) fn rename(&mut self, mapper: &'a Mapper, names: &Roles) {
        let (Some(old), Some(new)) = (mapper.setting("role"), mapper.setting("new.role.name")) else {
            return;
        };
        let (client_id, name) = split(old, names);
        let removed = match client_id {
            None => self.realm.remove(name),
            Some(client_id) => self.clients.get_mut(client_id).is_some_and(|roles| roles.remove(name)),
        };
        if removed {
            let (client_id, name) = split(new, names);
            self.insert(client_id, name);
        }
    }

    /// Takes away what is above `ceiling`.
    pub(in crate::protocol) fn lower(&mut self, ceiling: &Ceiling) {
        self.realm.retain(|name| ceiling.has_role(None, name));
        for (client_id, roles) in &mut self.clients {
            roles.retain(|name| ceiling.has_role(Some(client_id), name));
        }
        self.clients.retain(|_, roles| !roles.is_empty());
    }

    fn insert(&mut self, client_id: Option<&'a str>, name: &'a str) {
        match client_id {
            None => self.realm.insert(name),
            Some(client_id) => self.clients.entry(client_id).or_default().insert(name),
        };
    }
}

/// `id`s of the roles that scope mappings allow, composites expanded.
fn mapped<'a>(names: &'a Roles, client: &Client, scopes: &[&Scope]) -> BTreeSet<&'a str> {
    let of_scopes = scopes.iter().flat_map(|scope| &scope.settings.scope_mappings);
    let ids = client.settings.scope_mappings.iter().chain(of_scopes).map(String::as_str);
    names.effective(ids).into_iter().map(|role| role.id.as_str()).collect()
}

/// `client.role` is a role of a client, anything else a role of the realm; a realm role whose name has a dot wins.
fn split<'a>(role: &'a str, names: &Roles) -> (Option<&'a str>, &'a str) {
    match role.rsplit_once('.') {
        Some((client_id, name))
            if !client_id.is_empty() && !name.is_empty() && names.realm_role(role).is_none() =>
        {
            (Some(client_id), name)
        }
        _ => (None, role),
    }
}

/// Writes what `mapper` has to say into `claims`.
pub(in crate::protocol) fn apply(
    plan: &Plan,
    mapper: &Mapper,
    source: &Source<'_>,
    claims: &mut Map<String, Value>,
) {
    let Some(steps) = &plan.steps else { return };
    if plan.kind == Kind::ClientRoles {
        client_roles(plan, mapper, steps, &source.held, claims);
    } else if let Some(value) = value(plan, mapper, source) {
        path::put(claims, steps, value);
    }
}

fn value(plan: &Plan, mapper: &Mapper, source: &Source<'_>) -> Option<Value> {
    let user = source.subject.user;
    match plan.kind {
        Kind::Attribute => typed(plan, attribute(user, mapper.setting("user.attribute")?), false),
        Kind::Property => typed(plan, property(user, mapper.setting("user.attribute")?), false),
        Kind::HardcodedClaim => typed(plan, vec![Cow::Borrowed(mapper.setting("claim.value")?)], false),
        Kind::SessionNote => typed(plan, note(source, mapper.setting("user.session.note")?), false),
        Kind::Groups => typed(plan, groups(mapper, source.subject), true),
        Kind::RealmRoles => {
            let prefix = mapper.setting("usermodel.realmRoleMapping.rolePrefix");
            typed(plan, prefixed(prefix, &source.held.realm), true)
        }
        Kind::FullName => user.full_name().map(Value::from),
        Kind::Address => Some(address(mapper, user)),
        Kind::AllowedOrigins => Some(origins(source.client).into()),
        Kind::Acr => source.facts.acr.map(Value::from),
        Kind::Audience => mapper
            .setting("included.client.audience")
            .or_else(|| mapper.setting("included.custom.audience"))
            .map(|audience| json!([audience])),
        Kind::AudienceResolve => Some(audiences(source).into()),
        Kind::SessionState => source.facts.sid.map(Value::from),
        Kind::ClientRoles
        | Kind::Subject
        | Kind::Pairwise
        | Kind::Organization
        | Kind::HardcodedRole
        | Kind::RoleName => None,
    }
}

/// The values in the type that `jsonType.label` names: a list when the mapper is `multivalued` (or does not say and
/// its kind is `many` by nature), else the first. Values that are not of that type are left out.
fn typed(plan: &Plan, values: Vec<Cow<'_, str>>, many: bool) -> Option<Value> {
    let mut values = values.into_iter().filter_map(|value| of_type(plan.label, value));
    if plan.multivalued.unwrap_or(many) { Some(Value::Array(values.collect())) } else { values.next() }
}

fn of_type(label: Label, text: Cow<'_, str>) -> Option<Value> {
    match label {
        Label::Integer => text.trim().parse::<i64>().ok().map(Value::from),
        Label::Boolean if text.eq_ignore_ascii_case("true") => Some(Value::Bool(true)),
        Label::Boolean => text.eq_ignore_ascii_case("false").then_some(Value::Bool(false)),
        Label::Json => serde_json::from_str(&text).ok(),
        Label::String => (!text.is_empty()).then(|| Value::String(text.into_owned())),
    }
}

fn attribute<'a>(user: &'a User, name: &str) -> Vec<Cow<'a, str>> {
    match name {
        "username" | "email" | "firstName" | "lastName" => property(user, name),
        _ => user.attributes.get(name).into_iter().flatten().map(|value| Cow::Borrowed(&**value)).collect(),
    }
}

fn property<'a>(user: &'a User, name: &str) -> Vec<Cow<'a, str>> {
    let value = match name {
        "id" => Some(Cow::Borrowed(user.id.as_str())),
        "username" => Some(Cow::Borrowed(user.username.as_str())),
        "email" => user.email.as_deref().map(Cow::Borrowed),
        "firstName" => user.first_name.as_deref().map(Cow::Borrowed),
        "lastName" => user.last_name.as_deref().map(Cow::Borrowed),
        "emailVerified" => Some(Cow::Borrowed(if user.email_verified { "true" } else { "false" })),
        "enabled" => Some(Cow::Borrowed(if user.enabled { "true" } else { "false" })),
        // Keycloak counts this one in milliseconds.
        "createdTimestamp" => Some(Cow::Owned(user.created_at.0.saturating_mul(1_000).to_string())),
        "serviceAccountClientLink" => user.service_account_client.as_deref().map(Cow::Borrowed),
        _ => None,
    };
    value.into_iter().collect()
}

/// Notes of a service's session: its name, and from where it asks. Names of hosts are not looked up.
const CLIENT: [&str; 2] = ["client_id", "clientId"];
const ADDRESS: [&str; 2] = ["clientHost", "clientAddress"];

fn note<'a>(source: &Source<'a>, name: &str) -> Vec<Cow<'a, str>> {
    let (client, facts) = (source.client, source.facts);
    let value = match name {
        "AUTH_TIME" => facts.auth_time.map(|at| Cow::Owned(at.0.to_string())),
        name if ADDRESS.contains(&name) => facts.address.map(Cow::Borrowed),
        name if CLIENT.contains(&name) => facts.address.map(|_| Cow::Borrowed(client.client_id.as_str())),
        _ => None,
    };
    value.into_iter().collect()
}

/// Whether the mapper writes from where a service asks.
pub(in crate::protocol) fn tells_address(mapper: &Mapper) -> bool {
    mapper.plan().is_some_and(|plan| plan.kind == Kind::SessionNote)
        && mapper.setting("user.session.note").is_some_and(|note| ADDRESS.contains(&note))
}

fn groups<'a>(mapper: &Mapper, subject: &'a Subject<'_>) -> Vec<Cow<'a, str>> {
    let whole = mapper.switch("full.path").unwrap_or(false);
    let shown = |path: &'a String| if whole { Cow::Borrowed(path.as_str()) } else { group_path::name(path) };
    let may = |shown: &Cow<'_, str>| subject.ceiling.as_ref().is_none_or(|ceiling| ceiling.has_group(shown));
    subject.groups.iter().map(shown).filter(may).collect()
}

fn prefixed<'a>(prefix: Option<&str>, roles: &BTreeSet<&'a str>) -> Vec<Cow<'a, str>> {
    let shown = |role: &&'a str| match prefix {
        Some(prefix) => Cow::Owned(format!("{prefix}{role}")),
        None => Cow::Borrowed(*role),
    };
    roles.iter().map(shown).collect()
}

/// One claim per client where the path holds `${client_id}`, else one for all of them. The placeholder is filled in
/// after the path was split, so that a dot in a `client_id` does not nest.
fn client_roles(
    plan: &Plan,
    mapper: &Mapper,
    steps: &[String],
    held: &Held<'_>,
    claims: &mut Map<String, Value>,
) {
    let prefix = mapper.setting("usermodel.clientRoleMapping.rolePrefix");
    let only = mapper.setting("usermodel.clientRoleMapping.clientId");
    for (client_id, roles) in &held.clients {
        if only.is_none_or(|only| only == *client_id)
            && let Some(value) = typed(plan, prefixed(prefix, roles), true)
        {
            let steps: Vec<String> =
                steps.iter().map(|step| step.replace("${client_id}", client_id)).collect();
            path::put(claims, &steps, value);
        }
    }
}

/// OpenID Connect Core §5.1.1, each member from the attribute that the mapper names or Keycloak's default for it.
fn address(mapper: &Mapper, user: &User) -> Value {
    let members = [
        ("formatted", "formatted", "formatted"),
        ("street_address", "street", "street"),
        ("locality", "locality", "locality"),
        ("region", "region", "region"),
        ("postal_code", "postal_code", "postal_code"),
        ("country", "country", "country"),
    ];
    let member = |(claim, setting, default): (&str, &str, &str)| {
        let name = mapper.setting(&format!("user.attribute.{setting}")).unwrap_or(default);
        let value = user.attributes.get(name)?.first()?;
        Some((claim.to_owned(), Value::from(value.as_str())))
    };
    Value::Object(members.into_iter().filter_map(member).collect())
}

/// The client's registered origins; `+` stands for those of its redirect URIs.
fn origins(client: &Client) -> Vec<String> {
    let mut origins: Vec<String> = Vec::new();
    let mut push = |origin: String| {
        if !origins.contains(&origin) {
            origins.push(origin);
        }
    };
    for origin in &client.settings.web_origins {
        if origin == "+" {
            client
                .settings
                .redirect_uris
                .iter()
                .filter_map(|uri| web_origin::origin_of(uri))
                .for_each(&mut push);
        } else {
            push(origin.clone());
        }
    }
    origins
}

fn audiences(source: &Source<'_>) -> Vec<String> {
    let clients = source.held.clients.iter().filter(|(_, roles)| !roles.is_empty());
    let others = clients.map(|(client_id, _)| *client_id).filter(|id| *id != source.client.client_id);
    others.map(str::to_owned).collect()
}

#[cfg(test)]
#[path = "evaluate_tests.rs"]
mod tests;
