//! Every page in every state worth looking at, with words and addresses that the caller chooses.

use super::*;

/// Where the words and addresses that somebody else chose come from.
pub(super) struct Source<'f> {
    /// Gives a name, a hint or a value for an honest one.
    pub(super) word: &'f dyn Fn(&'static str) -> &'static str,
    /// Gives an address for an honest one.
    pub(super) address: &'f dyn Fn(&'static str) -> &'static str,
}

type Samples = Vec<(&'static str, Page)>;

/// All of them, each with a short name.
pub(super) fn every_page(from: &Source<'_>) -> Samples {
    let mut all = sign_in(from);
    all.extend(steps(from));
    all.extend(required(from));
    all.extend(consent(from));
    all.extend(endings(from));
    all.extend(troubles(from));
    all.extend(devices(from));
    all.extend(account(from));
    all.extend(welcome(from));
    all.extend(no_console(from));
    all
}

impl Source<'_> {
    fn name(&self, honest: &'static str) -> Name<'static> {
        Name::new((self.word)(honest))
    }

    fn entry(&self, honest: &'static str) -> Entry<'static> {
        Entry::from((self.word)(honest))
    }

    fn whom(&self) -> Whom<'static> {
        Whom {
            user: self.name("Alice Adams"),
            app: Some(self.name("Harbour")),
            restart: Some(Link::own("/realms/main/login-actions/authenticate?session_code=def")),
        }
    }

    /// Who is asked for something by an app while signed in.
    fn whom_signed_in(&self) -> Whom<'static> {
        Whom { restart: None, ..self.whom() }
    }

    fn link(&self, honest: &'static str) -> Option<Link<'static>> {
        Link::new((self.address)(honest))
    }

    fn shell(&self) -> Shell<'static> {
        Shell::new("", Brand::new("main", Some((self.word)("Acme")), None))
    }

    fn shell_with_logo(&self) -> Shell<'static> {
        let logo = (self.address)("/realms/main/logo.svg");
        Shell::new("/auth", Brand::new("main", Some((self.word)("Northwind Traders")), Some(logo)))
    }

    fn asker(&self) -> Asker<'static> {
        let brand = Brand::new("web", Some((self.word)("Harbour")), None);
        Asker { home: self.link("https://harbour.example.com"), ..Asker::new(brand) }
    }

    fn asker_with_papers(&self) -> Asker<'static> {
        let logo = (self.address)("/realms/main/app.svg");
        Asker {
            brand: Brand::new("third-party", Some((self.word)("Field Notes")), Some(logo)),
            home: self.link("https://notes.example.com"),
            policy: self.link("https://notes.example.com/privacy"),
            terms: self.link("https://notes.example.com/terms"),
        }
    }

    fn hidden(&self) -> Vec<Hidden<'static>> {
        vec![Hidden { name: "csrf", value: (self.word)("3q2-7wAAAAA") }]
    }

    fn asks(&self) -> Vec<Name<'static>> {
        [
            "Know who you are",
            "See your name and picture",
            "See your email address",
            "Stay connected while you are away",
        ]
        .map(|ask| self.name(ask))
        .to_vec()
    }
}

fn sign_in(from: &Source<'_>) -> Samples {
    let action = || Link::own("/realms/main/login-actions/authenticate?session_code=abc&client_id=web");
    let plain = Login::new(from.shell(), action());
    let dev = Login {
        client: Some(from.asker()),
        destination: Destination::of("http://localhost:3000/callback"),
        remember: Some(false),
        personas: ["alice", "bob"].map(|name| Persona { username: (from.word)(name) }).to_vec(),
        ..plain.clone()
    };
    let failed = Login {
        username: Username::Open(from.entry("alice@example.com")),
        remember: Some(true),
        problem: Some(LoginProblem::Invalid),
        personas: Vec::new(),
        ..dev.clone()
    };
    let waiting = Login { problem: Some(LoginProblem::TooManyAttempts(30)), ..failed.clone() };
    let again = Login {
        client: Some(from.asker_with_papers()),
        username: Username::Fixed(from.entry("alice")),
        switch_account: Some(Link::own("/realms/main/login-actions/restart")),
        ..plain.clone()
    };
    let providers = Login {
        shell: from.shell_with_logo(),
        client: Some(from.asker_with_papers()),
        remember: Some(false),
        providers: ["GitHub", "Google", "Company account"]
            .map(|name| Provider { name: from.name(name), link: Link::own("/realms/main/broker/x/login") })
            .to_vec(),
        ..plain.clone()
    };
    vec![
        ("login", plain.page()),
        ("login-dev", dev.page()),
        ("login-failed", failed.page()),
        ("login-waiting", waiting.page()),
        ("login-again", again.page()),
        ("login-providers", providers.page()),
    ]
}

fn steps(from: &Source<'_>) -> Samples {
    let code = Code {
        shell: from.shell(),
        action: Link::own("/realms/main/login-actions/authenticate?session_code=abc&client_id=web"),
        whom: from.whom(),
        destination: Destination::of("http://localhost:3000/callback"),
        problem: None,
    };
    let new_password = NewPassword {
        shell: from.shell_with_logo(),
        action: code.action.clone(),
        whom: code.whom.clone(),
        destination: code.destination.clone(),
        username: from.entry("alice"),
        eight: true,
        problem: None,
    };
    let refused = NewPassword { problem: Some(PasswordProblem::Different), ..new_password.clone() };
    vec![
        ("code", code.page()),
        ("code-wrong", Code { problem: Some(CodeProblem::Wrong), ..code.clone() }.page()),
        ("new-password", new_password.page()),
        ("new-password-refused", refused.page()),
        ("new-password-wished", NewPassword { whom: from.whom_signed_in(), ..new_password }.page()),
    ]
}

fn required(from: &Source<'_>) -> Samples {
    let device = NewDevice {
        shell: from.shell(),
        action: Link::own("/realms/main/login-actions/authenticate?session_code=abc&client_id=web"),
        whom: from.whom(),
        destination: Destination::of("http://localhost:3000/callback"),
        size: 29,
        dark: "M4 4h7v7h-7zM18 4h7v7h-7zM4 18h7v7h-7z",
        key: "GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ",
        address: "otpauth://totp/main:alice?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=main",
        problem: None,
    };
    let terms = Terms {
        shell: from.shell_with_logo(),
        action: device.action.clone(),
        whom: Whom { app: None, ..device.whom.clone() },
        destination: device.destination.clone(),
        terms: Some(
            "Be kind to each other.\n\nWhat you write here stays yours; you let us keep it for you, and give it back \
             when you ask.",
        ),
        address: from.link("https://notes.example.com/terms"),
    };
    let profile = CompleteProfile {
        shell: from.shell(),
        action: device.action.clone(),
        whom: device.whom.clone(),
        destination: device.destination.clone(),
        email: (from.entry("alice@example.com"), None),
        first_name: (from.entry("Alice"), None),
        last_name: (from.entry("Adams"), None),
    };
    let refused = CompleteProfile {
        email: (from.entry("alice"), Some(FieldProblem::Address)),
        last_name: (Entry::from(""), Some(FieldProblem::Missing)),
        ..profile.clone()
    };
    vec![
        ("new-device", device.page()),
        ("new-device-wrong", NewDevice { problem: Some(CodeProblem::Wrong), ..device.clone() }.page()),
        ("new-device-wished", NewDevice { whom: from.whom_signed_in(), ..device.clone() }.page()),
        ("terms", terms.page()),
        ("terms-bare", Terms { terms: None, address: None, ..terms.clone() }.page()),
        ("profile", profile.page()),
        ("profile-refused", refused.page()),
        ("profile-wished", CompleteProfile { whom: from.whom_signed_in(), ..profile }.page()),
    ]
}

fn consent(from: &Source<'_>) -> Samples {
    let full = Consent {
        shell: from.shell(),
        client: from.asker_with_papers(),
        user: from.name("alice@example.com"),
        switch_account: Some(Link::own("/realms/main/login-actions/restart")),
        asks: from.asks(),
        details: Vec::new(),
        remembered: true,
        destination: proven("https://notes.example.com/callback"),
        action: Link::own("/realms/main/login-actions/consent"),
        hidden: from.hidden(),
    };
    let bare = Consent {
        client: from.asker(),
        asks: Vec::new(),
        remembered: false,
        destination: proven("com.example.harbour:/callback"),
        ..full.clone()
    };
    let fact = |(label, value)| Fact { label: from.name(label), value: from.entry(value) };
    let payment = [("creditors[1].name", "Merchant A"), ("instructedAmount", "123.50")].map(fact).to_vec();
    let folder =
        [("actions", "read, write"), ("locations", "https://files.example.com/2026")].map(fact).to_vec();
    let detailed = Consent {
        details: vec![
            Detail { sentence: from.name("Make this payment once"), facts: payment },
            Detail { sentence: from.name("Work with these files"), facts: folder },
        ],
        remembered: false,
        ..full.clone()
    };
    let exact = Consent { asks: Vec::new(), ..detailed.clone() };
    vec![
        ("consent", full.page()),
        ("consent-bare", bare.page()),
        ("consent-details", detailed.page()),
        ("consent-details-alone", exact.page()),
    ]
}

fn proven(address: &'static str) -> Destination<'static> {
    Destination::of(address).unwrap_or_else(|| unreachable!("{address} is a destination"))
}

fn endings(from: &Source<'_>) -> Samples {
    let logout = Logout {
        shell: from.shell(),
        action: Link::own("/realms/main/protocol/openid-connect/logout/confirm"),
        hidden: from.hidden(),
        client: None,
        account: Link::own("/realms/main/account/"),
        destination: None,
    };
    let stay = Logout { client: Some(from.asker()), ..logout.clone() };
    let alone = SignedOut {
        shell: from.shell(),
        client: None,
        account: Link::own("/realms/main/account/"),
        everywhere: false,
        frames: Vec::new(),
        onward: None,
    };
    let back = SignedOut {
        client: Some(from.asker()),
        frames: from.link("https://notes.example.com/bye?sid=1").into_iter().collect(),
        ..alone.clone()
    };
    let link = Link::own("https://notes.example.com/bye?state=x&y");
    let onward =
        SignedOut { onward: Some(Onward { link: &link, nonce: "q83vEjRWeJCrze8SNFZ4kA==" }), ..back.clone() };
    let form = FormPost {
        shell: from.shell(),
        client: from.name("Harbour"),
        target: Link::own("https://harbour.example.com/callback?x=1&y=2"),
        fields: vec![
            Hidden { name: "code", value: "vst_c_0123456789" },
            Hidden { name: "state", value: (from.word)("s t&a=te") },
        ],
        nonce: "q83vEjRWeJCrze8SNFZ4kA==",
    };
    vec![
        ("logout", logout.page()),
        ("logout-stay", stay.page()),
        ("signed-out", alone.page()),
        ("signed-out-everywhere", SignedOut { everywhere: true, ..alone.clone() }.page()),
        ("signed-out-back", back.page()),
        ("signed-out-onward", onward.page()),
        ("form-post", form.page()),
    ]
}

fn troubles(from: &Source<'_>) -> Samples {
    let plain = |trouble| TroublePage {
        request_id: Some(from.name("0199a3f2-6c1e-7b42-9d0e-2f6a51c8b0d4")),
        ..TroublePage::new(from.shell(), trouble)
    };
    let redirect = TroublePage {
        hint: Some(Hint {
            sentence: from.entry("redirect_uri is not registered for client web."),
            facts: vec![
                Fact { label: from.name("redirect_uri"), value: from.entry("http://localhost:3001/callbak") },
                Fact { label: from.name("registered"), value: from.entry("http://localhost:3000/callback") },
                Fact {
                    label: from.name("registered"),
                    value: from.entry("https://app.example.com/callback"),
                },
            ],
        }),
        back: from.link("https://harbour.example.com").map(|link| (from.name("Harbour"), link)),
        ..plain(Trouble::Redirect)
    };
    let request = TroublePage {
        detail: Some(from.name("Missing parameter: response_type")),
        ..plain(Trouble::Request)
    };
    let expired = TroublePage {
        again: Some(Link::own("/realms/main/login-actions/restart")),
        ..plain(Trouble::Expired)
    };
    let no_cookie =
        TroublePage { account: Some(Link::own("/realms/main/account/")), ..plain(Trouble::NoCookie) };
    let missing = TroublePage { shell: Shell::server(""), ..plain(Trouble::Missing) };
    let no_realm = TroublePage {
        detail: Some(from.name("This realm does not exist.")),
        hint: Some(Hint {
            sentence: from.entry("No realm of this server has that name."),
            facts: vec![Fact { label: from.name("realms"), value: from.entry("main master") }],
        }),
        again: Some(Link::own("/")),
        ..missing.clone()
    };
    let method = TroublePage { shell: Shell::server(""), ..plain(Trouble::Method) };
    let host = TroublePage { shell: Shell::server(""), ..plain(Trouble::Host) };
    let absent = TroublePage {
        detail: Some(from.name("You cannot register yourself here.")),
        again: Some(Link::own("/realms/main/protocol/openid-connect/auth?client_id=web")),
        ..plain(Trouble::Absent)
    };
    vec![
        ("trouble-redirect", redirect.page()),
        ("trouble-request", request.page()),
        ("trouble-client", plain(Trouble::Client).page()),
        ("trouble-forged", plain(Trouble::Forged).page()),
        ("trouble-unfit", plain(Trouble::Unfit).page()),
        ("trouble-expired", expired.page()),
        ("trouble-no-cookie", no_cookie.page()),
        ("trouble-missing", missing.page()),
        ("trouble-no-realm", no_realm.page()),
        ("trouble-method", method.page()),
        ("trouble-host", host.page()),
        ("trouble-absent", absent.page()),
        ("trouble-busy", plain(Trouble::Busy).page()),
        ("trouble-fault", plain(Trouble::Fault).page()),
        ("trouble-unavailable", plain(Trouble::Unavailable).page()),
    ]
}

fn devices(from: &Source<'_>) -> Samples {
    let code = DeviceCode {
        shell: from.shell(),
        action: Link::own("/realms/main/device"),
        hidden: from.hidden(),
        code: Entry::default(),
        unknown: false,
    };
    let unknown = DeviceCode { code: from.entry("WDJB-MJHT"), unknown: true, ..code.clone() };
    let confirm = DeviceConfirm {
        shell: from.shell(),
        client: Asker::new(Brand::new("tv", Some((from.word)("Living Room TV")), None)),
        user: from.name("alice"),
        switch_account: Link::own("/realms/main/login-actions/authenticate?session_code=def"),
        code: from.entry("WDJB-MJHT"),
        origin: from.name("192.0.2.17"),
        asked: Moment(Timestamp(1_765_000_000)),
        asks: from.asks(),
        details: Vec::new(),
        action: Link::own("/realms/main/device/confirm"),
        hidden: from.hidden(),
    };
    let done = |approved| DeviceDone {
        shell: from.shell(),
        client: from.name("Living Room TV"),
        approved,
        account: Link::own("/realms/main/account/"),
    };
    vec![
        ("device-code", code.page()),
        ("device-unknown", unknown.page()),
        ("device-confirm", confirm.page()),
        ("device-approved", done(true).page()),
        ("device-denied", done(false).page()),
    ]
}

fn account(from: &Source<'_>) -> Samples {
    let app = |brand, home| App {
        brand,
        home,
        allowed: from.asks(),
        granted: Moment(Timestamp(1_764_000_000)),
        action: Link::own("/realms/main/account/withdraw"),
        id: (from.word)("7c1e"),
    };
    let session = |user_agent, address, this_one| SignedIn {
        user_agent: (from.word)(user_agent),
        address: from.name(address),
        started: Moment(Timestamp(1_764_900_000)),
        seen: Moment(Timestamp(1_765_000_000)),
        this_one,
        action: Link::own("/realms/main/account/end"),
        id: (from.word)("9f02"),
    };
    let full = Account {
        shell: from.shell(),
        profile: Profile {
            name: Some(from.name("Alice Adams")),
            username: from.name("alice"),
            email: Some((from.name("alice@example.com"), true)),
        },
        changes: Some([
            Link::own("/realms/main/account/change/profile"),
            Link::own("/realms/main/account/change/password"),
            Link::own("/realms/main/account/change/device"),
        ]),
        apps: vec![
            app(from.asker_with_papers().brand, from.asker_with_papers().home),
            app(Brand::new("web", Some((from.word)("Harbour")), None), None),
        ],
        sessions: vec![
            session("Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101 Firefox/140.0", "192.0.2.17", true),
            session(
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Safari/604.1",
                "2001:db8::17",
                false,
            ),
        ],
        end_all: Link::own("/realms/main/account/end-all"),
        hidden: from.hidden(),
        done: Some(Done::Withdrawn),
        back: from.link("https://notes.example.com/").map(|link| (from.name("Notes"), link)),
    };
    let empty = Account {
        apps: Vec::new(),
        sessions: Vec::new(),
        done: None,
        back: None,
        changes: None,
        ..full.clone()
    };
    vec![("account", full.page()), ("account-empty", empty.page())]
}

fn welcome(from: &Source<'_>) -> Samples {
    let realm = |name, issuer| DemoRealm {
        name: from.name(name),
        issuer,
        discovery: Link::own("/realms/main/.well-known/openid-configuration"),
        keys: Link::own("/realms/main/protocol/openid-connect/certs"),
        account: Link::own("/realms/main/account/"),
    };
    let client = |id, secret: Option<&'static str>, purpose| DemoClient {
        id: from.name(id),
        secret: secret.map_or(DemoSecret::Public, |secret| DemoSecret::Told(from.name(secret))),
        purpose: from.name(purpose),
        redirects: vec![from.entry("http://localhost:3000/callback")],
        realm: from.name("main"),
    };
    let user = |name, roles| DemoUser {
        username: from.name(name),
        password: Some(from.name(name)),
        roles: from.name(roles),
        realm: from.name("main"),
    };
    let demo = Welcome {
        shell: Shell::server(""),
        realms: vec![
            realm("main", "http://127.0.0.1:8080/realms/main"),
            realm("master", "http://127.0.0.1:8080/realms/master"),
        ],
        clients: vec![
            client("web", Some("web-secret"), "A web app: code with PKCE, refresh"),
            client("spa", None, "An app in the browser: code with PKCE, CORS"),
            client("third-party", Some("third-party-secret"), "As web, but consent is asked"),
            client("service", Some("service-secret"), "A service: client credentials"),
            client("tv", None, "A device without a browser"),
        ],
        users: vec![user("alice", "user, admin"), user("bob", "user")],
        several: false,
        any_loopback: true,
        administration: Link::own("/admin/"),
    };
    let untold = DemoClient { secret: DemoSecret::Untold, ..client("hashed", None, "") };
    let own = Welcome {
        clients: vec![client("web", Some("web-secret"), ""), untold],
        users: vec![DemoUser { password: None, ..user("alice", "user") }],
        several: true,
        any_loopback: false,
        ..demo.clone()
    };
    vec![("welcome", demo.page()), ("welcome-own", own.page())]
}

fn no_console(from: &Source<'_>) -> Samples {
    let of_realm = NoConsole {
        shell: from.shell(),
        realm: Some(from.name("main")),
        known_administrator: true,
        strict: false,
        file: vec![
            from.entry("vestibule export main > main.toml"),
            from.entry("vestibule dev --import-realm main.toml --watch"),
        ],
        api: vec![
            from.entry("TOKEN=$(curl -s http://127.0.0.1:8080/realms/master/protocol/openid-connect/token -d grant_type=password -d client_id=admin-cli -d username=admin -d password=admin | jq -r .access_token)"),
            from.entry("curl -s -H \"Authorization: Bearer $TOKEN\" http://127.0.0.1:8080/admin/realms/main"),
        ],
        account: Some(Link::own("/realms/main/account/")),
        overview: Some(Link::own("/")),
    };
    let of_server = NoConsole {
        shell: Shell::server(""),
        realm: None,
        known_administrator: false,
        strict: true,
        account: None,
        overview: None,
        ..of_realm.clone()
    };
    vec![("no-console", of_realm.page()), ("no-console-server", of_server.page())]
}
