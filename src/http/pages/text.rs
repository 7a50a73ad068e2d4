//! Every word that the pages say, one value per language.
//!
//! A page names a text, never its words: a further language is one more [`Text`]. A text around a name is a
//! [`Phrase`], since languages put the name in different places.

mod english;

pub use english::ENGLISH;

/// Words before and after a name.
#[derive(Debug)]
pub struct Phrase {
    pub(super) before: &'static str,
    pub(super) after: &'static str,
}

const fn phrase(before: &'static str, after: &'static str) -> Phrase {
    Phrase { before, after }
}

/// What went wrong and what to do about it.
#[derive(Debug)]
pub(super) struct TroubleText {
    pub(super) title: &'static str,
    pub(super) sentence: &'static str,
    pub(super) advice: &'static str,
}

/// The pages in one language.
#[derive(Debug)]
pub struct Text {
    pub(super) language: &'static str,
    pub(super) direction: &'static str,
    pub(super) account: AccountText,
    pub(super) consent: ConsentText,
    pub(super) device: DeviceText,
    pub(super) forward: ForwardText,
    pub(super) login: LoginText,
    pub(super) logout: LogoutText,
    pub(super) no_console: NoConsoleText,
    pub(super) required: RequiredText,
    pub(super) step: StepText,
    pub(super) trouble: TroubleTexts,
    pub(super) welcome: WelcomeText,
}

#[derive(Debug)]
pub(super) struct LoginText {
    pub(super) document: Phrase,
    pub(super) title: &'static str,
    pub(super) to_app: Phrase,
    pub(super) again: &'static str,
    pub(super) username: &'static str,
    pub(super) password: &'static str,
    pub(super) remember: &'static str,
    pub(super) submit: &'static str,
    pub(super) someone_else: &'static str,
    pub(super) invalid: &'static str,
    pub(super) wait: &'static str,
    pub(super) wait_for: Phrase,
    pub(super) seconds: &'static str,
    pub(super) minute: &'static str,
    pub(super) minutes: &'static str,
    pub(super) providers: &'static str,
    pub(super) personas: &'static str,
    pub(super) persona: Phrase,
    pub(super) personas_note: &'static str,
    pub(super) policy: Phrase,
    pub(super) terms: Phrase,
}

#[derive(Debug)]
pub(super) struct StepText {
    pub(super) signing_in: &'static str,
    pub(super) code_title: &'static str,
    pub(super) code_instruction: &'static str,
    pub(super) code: &'static str,
    pub(super) wrong_code: &'static str,
    pub(super) password_title: &'static str,
    pub(super) password_instruction: &'static str,
    pub(super) password_wished: &'static str,
    pub(super) cancel: &'static str,
    pub(super) least: &'static str,
    pub(super) new_password: &'static str,
    pub(super) repeat: &'static str,
    pub(super) save: &'static str,
    pub(super) different: &'static str,
    pub(super) empty: &'static str,
    pub(super) short: &'static str,
    pub(super) same: &'static str,
    pub(super) long: &'static str,
}

#[derive(Debug)]
pub(super) struct RequiredText {
    pub(super) device_title: &'static str,
    pub(super) device_lead: &'static str,
    pub(super) scan: &'static str,
    pub(super) picture: &'static str,
    pub(super) open_app: &'static str,
    pub(super) type_key: &'static str,
    pub(super) device_code: &'static str,
    pub(super) label: &'static str,
    pub(super) wrong_code: &'static str,
    pub(super) save: &'static str,
    pub(super) terms_title: &'static str,
    pub(super) terms_lead: &'static str,
    pub(super) no_terms: Phrase,
    pub(super) terms_of_app: &'static str,
    pub(super) accept: &'static str,
    pub(super) decline: &'static str,
    pub(super) profile_title: &'static str,
    pub(super) profile_lead: &'static str,
    pub(super) first_name: &'static str,
    pub(super) last_name: &'static str,
    pub(super) missing: &'static str,
    pub(super) too_long: &'static str,
    pub(super) no_address: &'static str,
    pub(super) taken: &'static str,
    pub(super) wrong: &'static str,
}

#[derive(Debug)]
pub(super) struct ConsentText {
    pub(super) title: Phrase,
    pub(super) asks: Phrase,
    pub(super) nothing: &'static str,
    pub(super) signed_in: &'static str,
    pub(super) someone_else: &'static str,
    pub(super) destination: Phrase,
    pub(super) remembered: &'static str,
    pub(super) asked_anew: &'static str,
    pub(super) accept: &'static str,
    pub(super) cancel: &'static str,
}

#[derive(Debug)]
pub(super) struct LogoutText {
    pub(super) question: &'static str,
    pub(super) explanation: Phrase,
    pub(super) submit: &'static str,
    pub(super) done: &'static str,
    pub(super) done_explanation: Phrase,
    pub(super) done_everywhere: &'static str,
    pub(super) stay: &'static str,
    pub(super) sign_in_again: &'static str,
    pub(super) back: Phrase,
    pub(super) leaving: &'static str,
    pub(super) onward: &'static str,
}

#[derive(Debug)]
pub(super) struct NoConsoleText {
    pub(super) title: &'static str,
    pub(super) of_realm: Phrase,
    pub(super) of_server: &'static str,
    pub(super) file: &'static str,
    pub(super) file_watched: &'static str,
    pub(super) file_applied: &'static str,
    pub(super) api: &'static str,
    pub(super) api_note: &'static str,
    pub(super) administrator: &'static str,
    pub(super) client: &'static str,
    pub(super) account: &'static str,
    pub(super) account_note: &'static str,
    pub(super) account_link: &'static str,
    pub(super) overview: &'static str,
}

#[derive(Debug)]
pub(super) struct ForwardText {
    pub(super) title: &'static str,
    pub(super) explanation: Phrase,
    pub(super) submit: &'static str,
}

#[derive(Debug)]
pub(super) struct TroubleTexts {
    pub(super) request: TroubleText,
    pub(super) redirect: TroubleText,
    pub(super) client: TroubleText,
    pub(super) forged: TroubleText,
    pub(super) unfit: TroubleText,
    pub(super) expired: TroubleText,
    pub(super) no_cookie: TroubleText,
    pub(super) missing: TroubleText,
    pub(super) method: TroubleText,
    pub(super) absent: TroubleText,
    pub(super) host: TroubleText,
    pub(super) busy: TroubleText,
    pub(super) fault: TroubleText,
    pub(super) unavailable: TroubleText,
    pub(super) reference: &'static str,
    pub(super) hint: &'static str,
    pub(super) back: Phrase,
    pub(super) again: &'static str,
    pub(super) overview: &'static str,
}

#[derive(Debug)]
pub(super) struct DeviceText {
    pub(super) title: &'static str,
    pub(super) instruction: &'static str,
    pub(super) code: &'static str,
    pub(super) submit: &'static str,
    pub(super) unknown: &'static str,
    pub(super) question: Phrase,
    pub(super) compare: &'static str,
    pub(super) started: &'static str,
    pub(super) origin: &'static str,
    pub(super) asked: &'static str,
    pub(super) warning: &'static str,
    pub(super) approve: &'static str,
    pub(super) deny: &'static str,
    pub(super) approved: &'static str,
    pub(super) approved_explanation: Phrase,
    pub(super) denied: &'static str,
    pub(super) denied_explanation: Phrase,
}

#[derive(Debug)]
pub(super) struct AccountText {
    pub(super) change_profile: &'static str,
    pub(super) change_password: &'static str,
    pub(super) set_up_device: &'static str,
    pub(super) saved: &'static str,
    pub(super) back: Phrase,
    pub(super) title: &'static str,
    pub(super) profile: &'static str,
    pub(super) name: &'static str,
    pub(super) username: &'static str,
    pub(super) email: &'static str,
    pub(super) verified: &'static str,
    pub(super) unverified: &'static str,
    pub(super) apps: &'static str,
    pub(super) apps_note: &'static str,
    pub(super) no_apps: &'static str,
    pub(super) granted: &'static str,
    pub(super) withdraw: &'static str,
    pub(super) sessions: &'static str,
    pub(super) sessions_note: &'static str,
    pub(super) no_sessions: &'static str,
    pub(super) this_one: &'static str,
    pub(super) address: &'static str,
    pub(super) started: &'static str,
    pub(super) seen: &'static str,
    pub(super) end: &'static str,
    pub(super) end_all: &'static str,
    pub(super) withdrawn: &'static str,
    pub(super) ended: &'static str,
    pub(super) unknown_browser: &'static str,
    pub(super) browser_on: &'static str,
}

#[derive(Debug)]
pub(super) struct WelcomeText {
    pub(super) title: &'static str,
    pub(super) lead: &'static str,
    pub(super) issuer: &'static str,
    pub(super) discovery: &'static str,
    pub(super) keys: &'static str,
    pub(super) account: &'static str,
    pub(super) clients: &'static str,
    pub(super) client: &'static str,
    pub(super) secret: &'static str,
    pub(super) purpose: &'static str,
    pub(super) public: &'static str,
    pub(super) untold: &'static str,
    pub(super) redirects: &'static str,
    pub(super) any_loopback: &'static str,
    pub(super) users: &'static str,
    pub(super) user: &'static str,
    pub(super) password: &'static str,
    pub(super) roles: &'static str,
    pub(super) realm: &'static str,
    pub(super) administration: &'static str,
    pub(super) warning: &'static str,
}
