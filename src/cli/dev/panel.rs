//! What `dev` prints for a person when it is ready: everything that an app needs to be told.

use std::fmt;

use crate::at_hand::{ShownClient, ShownRealm, ShownSecret, ShownUser};
use crate::protocol::built_in::MASTER;
use crate::protocol::realm::Realm;

/// The panel.
pub(super) struct Panel {
    /// Where the server is.
    pub(super) base: String,
    pub(super) started_in_ms: u128,
    /// Where health is told.
    pub(super) management: Option<String>,
    /// Every realm of the database.
    pub(super) realms: Vec<Realm>,
    /// What of them the files say.
    pub(super) shown: Vec<ShownRealm>,
    /// Whether the realms are those of the demo.
    pub(super) demo: bool,
    /// The command that makes an administrator, where one can be made beside the running server.
    pub(super) bootstrap: Option<String>,
}

impl fmt::Display for Panel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let base = &self.base;
        writeln!(f, "\n  Vestibule is ready ({} ms)\n", self.started_in_ms)?;
        let shown = |realm: &Realm| self.shown.iter().find(|shown| shown.name == realm.name);
        // That of the demo has a line of its own.
        let own = |realm: &&Realm| realm.name != MASTER || (!self.demo && shown(realm).is_some());
        for realm in self.realms.iter().filter(own) {
            let issuer = format!("{base}/realms/{}", realm.name);
            writeln!(f, "  Realm      {}", realm.title())?;
            writeln!(f, "  Issuer     {issuer}")?;
            writeln!(f, "  Discovery  {issuer}/.well-known/openid-configuration")?;
            writeln!(f, "  Account    {issuer}/account/\n")?;
            if let Some(shown) = shown(realm) {
                self.clients(shown, f)?;
                self.users(shown, f)?;
            }
        }
        self.left_over(f)?;
        writeln!(f, "  Overview   {base}/")?;
        self.administration(f)?;
        if let Some(management) = &self.management {
            writeln!(f, "  Health     {management}/health/ready")?;
        }
        writeln!(f, "\n  Stop with Ctrl-C.\n")
    }
}

impl Panel {
    fn clients(&self, realm: &ShownRealm, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if realm.clients.is_empty() {
            return Ok(());
        }
        let secrets: Vec<&str> = realm.clients.iter().map(secret).collect();
        let (ids, width) = (
            column("Client", realm.clients.iter().map(|client| client.id.as_str()), 11),
            column("Secret", secrets.iter().copied(), 19),
        );
        let last = if self.demo { "for" } else { "redirect URIs" };
        writeln!(f, "  {:<ids$}{:<width$}{last}", "Client", "Secret")?;
        for (client, secret) in realm.clients.iter().zip(secrets) {
            let last = if self.demo { client.purpose.clone() } else { client.redirect_uris.join("  ") };
            writeln!(f, "  {}", format!("{:<ids$}{secret:<width$}{last}", client.id).trim_end())?;
        }
        more(realm.more.0, f)?;
        if self.demo {
            writeln!(
                f,
                "  Redirect URIs: any path and port on http://localhost, http://127.0.0.1 and http://[::1]"
            )?;
        }
        writeln!(f)
    }

    fn users(&self, realm: &ShownRealm, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if realm.users.is_empty() {
            return Ok(());
        }
        let (names, width) = (
            column("User", realm.users.iter().map(|user| user.username.as_str()), 11),
            column("Password", realm.users.iter().map(password), 19),
        );
        writeln!(f, "  {:<names$}{:<width$}roles", "User", "Password")?;
        for user in &realm.users {
            let (password, roles) = (password(user), user.roles.join(", "));
            let line = format!("{:<names$}{password:<width$}{roles}", user.username);
            writeln!(f, "  {}", line.trim_end())?;
        }
        more(realm.more.1, f)?;
        writeln!(f)
    }

    /// Realms that an earlier start left in the database, demo passwords and all.
    fn left_over(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_shown = |realm: &&Realm| self.shown.iter().any(|shown| shown.name == realm.name);
        let names: Vec<&str> =
            self.realms.iter().filter(|realm| !is_shown(realm)).map(|realm| realm.name.as_str()).collect();
        if names.is_empty() {
            return Ok(());
        }
        let realms = names.join(", ");
        writeln!(
            f,
            "  In the database from before, as they were: {realms}. --ephemeral or another --data DIR begins anew.\n"
        )
    }

    fn administration(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let address = format!("{}/admin/realms", self.base);
        if self.demo {
            return writeln!(f, "  Admin API  {address} (admin / admin of realm {MASTER})");
        }
        if self.realms.iter().any(|realm| realm.name == MASTER) {
            return writeln!(f, "  Admin API  {address} (administrators of realm {MASTER})");
        }
        match &self.bootstrap {
            Some(command) => writeln!(f, "  Admin API  {address} (to make an administrator: {command})"),
            None => Ok(()),
        }
    }
}

/// How wide a column is: as wide as its widest word and two more, and never narrower than is usual.
fn column<'a>(title: &'a str, words: impl Iterator<Item = &'a str>, least: usize) -> usize {
    let widths = words.chain([title]).map(|word| word.chars().count());
    widths.max().unwrap_or_default().max(least) + 2
}

fn secret(client: &ShownClient) -> &str {
    match &client.secret {
        ShownSecret::Public => "(public)",
        ShownSecret::Key => "(a key of its own)",
        ShownSecret::Secret(None) => "(known as a hash)",
        ShownSecret::Secret(Some(secret)) => secret.expose(),
    }
}

fn password(user: &ShownUser) -> &str {
    user.password.as_ref().map_or("(not in the file)", |password| password.expose())
}

fn more(count: usize, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    if count == 0 { Ok(()) } else { writeln!(f, "  … and {count} more") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::realm::RealmSettings;
    use crate::realm_file::{Format, demo, parse};

    fn panel(shown: Vec<ShownRealm>, names: &[&str], demo: bool) -> String {
        let realm = |name: &&str| Realm {
            id: (*name).to_owned(),
            name: (*name).to_owned(),
            display_name: (*name == "main").then(|| "Vestibule Demo".to_owned()),
            enabled: true,
            settings: RealmSettings::default(),
            version: 1,
        };
        Panel {
            base: "http://127.0.0.1:8080".into(),
            started_in_ms: 38,
            management: Some("http://127.0.0.1:9000".into()),
            realms: names.iter().map(realm).collect(),
            shown,
            demo,
            bootstrap: Some("vestibule bootstrap-admin user".into()),
        }
        .to_string()
    }

    /// The README prints it.
    #[test]
    fn the_panel_of_the_demo_is_the_one_of_the_readme() {
        let shown = demo().unwrap().iter().map(ShownRealm::from).collect();
        let panel = panel(shown, &["main", "master"], true);
        let readme = include_str!("../../../README.md");
        let (_, quoted) = readme.split_once("  Vestibule is ready").unwrap();
        let quoted = quoted.split("\n```").next().unwrap();
        assert_eq!(panel.trim(), format!("Vestibule is ready{quoted}").trim());
    }

    #[test]
    fn the_panel_of_a_realm_of_ones_own() {
        let text = "[realm]\nname = \"shop\"\n[[realm.roles]]\nname = \"user\"\n\
            [[realm.clients]]\nid = \"web\"\nsecret = \"web-secret\"\nredirect_uris = [\"http://localhost:3000/cb\", \"http://localhost:3000/x\"]\n\
            [[realm.clients]]\nid = \"an-app-with-a-long-name\"\npublic = true\n\
            [[realm.users]]\nusername = \"alice\"\npassword = \"alice\"\nroles = [\"user\"]\n\
            [[realm.users]]\nusername = \"bob\"\n";
        let shop = ShownRealm::from(&parse(text, Format::Toml, "shop.toml", &|_| None).unwrap()[0]);
        let found = panel(vec![shop.clone()], &["shop"], false);
        for line in [
            "  Client                   Secret               redirect URIs\n",
            "  web                      web-secret           http://localhost:3000/cb  http://localhost:3000/x\n",
            "  an-app-with-a-long-name  (public)\n\n",
            "  User         Password             roles\n",
            "  alice        alice                user\n",
            "  bob          (not in the file)\n\n  Overview",
            "/admin/realms (to make an administrator: vestibule bootstrap-admin user)\n",
        ] {
            assert!(found.contains(line), "{line}{found}");
        }
        let left_over = panel(vec![shop], &["shop", "main", "master"], false);
        assert!(
            left_over.contains("In the database from before, as they were: main, master. --ephemeral"),
            "{left_over}"
        );
        assert!(left_over.contains("(administrators of realm master)"), "{left_over}");
    }
}
