//! Every word that the pages say, one value per language.
//!
//! A page names a text, never its words: a further language is one more [`Text`]. A text around a name is a
//! [`Phrase`], since languages put the name in different places.

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
    pub(super) providers: &'static str,
    pub(super) personas: &'static str,
    pub(super) persona: Phrase,
    pub(super) personas_note: &'static str,
    pub(super) policy: Phrase,
    pub(super) terms: Phrase,
}

#[derive(Debug)]
pub(super) struct StepText {
    pub(super) code_title: &'static str,
    pub(super) code_instruction: &'static str,
    pub(super) code: &'static str,
    pub(super) wrong_code: &'static str,
    pub(super) password_title: &'static str,
    pub(super) password_instruction: &'static str,
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
    pub(super) users: &'static str,
    pub(super) user: &'static str,
    pub(super) password: &'static str,
    pub(super) roles: &'static str,
    pub(super) realm: &'static str,
    pub(super) administration: &'static str,
    pub(super) warning: &'static str,
}

/// English.
pub static ENGLISH: Text = Text {
    language: "en",
    direction: "ltr",
    account: AccountText {
        title: "Your account",
        profile: "Profile",
        name: "Name",
        username: "Username",
        email: "Email",
        verified: "verified",
        unverified: "not verified",
        apps: "Apps with access",
        apps_note: "Apps that you allowed to use your account.",
        no_apps: "You have not given any app access to your account.",
        granted: "Allowed on",
        withdraw: "Withdraw",
        sessions: "Where you are signed in",
        sessions_note: "If you do not recognise one, sign it out.",
        no_sessions: "You are not signed in anywhere else.",
        this_one: "This browser",
        address: "Address",
        started: "Signed in",
        seen: "Last seen",
        end: "Sign out",
        end_all: "Sign out everywhere",
        withdrawn: "Access withdrawn.",
        ended: "Signed out.",
        unknown_browser: "Unknown browser",
        browser_on: "on",
    },
    consent: ConsentText {
        title: phrase("Allow ", " to use your account?"),
        asks: phrase("", " will be able to:"),
        nothing: "Know that you signed in, and nothing else",
        signed_in: "Signed in as",
        someone_else: "Not you?",
        destination: phrase("You will be sent to ", "."),
        remembered: "Your answer is remembered. You can withdraw it at any time on your account page.",
        asked_anew: "You are asked each time. You can withdraw what you allow at any time on your account page.",
        accept: "Yes",
        cancel: "No",
    },
    device: DeviceText {
        title: "Connect a device",
        instruction: "Enter the code that your device shows. Capitals and the hyphen do not matter.",
        code: "Code",
        submit: "Continue",
        unknown: "That code is not valid, or no longer. Check it, or ask your device for a new one.",
        question: phrase("Allow ", " to use your account?"),
        compare: "Does your device show this code?",
        started: "Did you start this?",
        origin: "Asked from",
        asked: "Asked on",
        warning: "Say yes only if you started this yourself, on a device in front of you. Whoever sent you the code would be signed in as you.",
        approve: "Yes",
        deny: "No",
        approved: "Your device is connected",
        approved_explanation: phrase(
            "",
            " is signed in now. You can close this page and go back to your device.",
        ),
        denied: "Nothing was connected",
        denied_explanation: phrase("", " got no access. You can close this page."),
    },
    forward: ForwardText {
        title: "One moment",
        explanation: phrase("You are being sent back to ", ". If nothing happens, press the button."),
        submit: "Continue",
    },
    login: LoginText {
        document: phrase("Sign in to ", ""),
        title: "Sign in to your account",
        to_app: phrase("to continue to ", ""),
        again: "Please enter your password again to continue.",
        username: "Username or email",
        password: "Password",
        remember: "Remember me",
        submit: "Sign In",
        someone_else: "Not you?",
        invalid: "Invalid username or password.",
        wait: "Too many attempts. Wait a few minutes, then try again.",
        providers: "Or continue with",
        personas: "Demo users",
        persona: phrase("Continue as ", ""),
        personas_note: "Offered because this server runs for development.",
        policy: phrase("Privacy policy of ", ""),
        terms: phrase("Terms of ", ""),
    },
    logout: LogoutText {
        question: "Do you want to sign out?",
        explanation: phrase("You will be signed out of ", " and of every app that you opened with it."),
        submit: "Sign out",
        done: "You are signed out",
        done_explanation: phrase("Your session at ", " has ended. You can close this page."),
        back: phrase("Back to ", ""),
        leaving: "Your apps are being told. You will be sent on in a moment.",
        onward: "Continue",
    },
    no_console: NoConsoleText {
        title: "There is no admin console yet",
        of_realm: phrase("The realm ", " is looked after by a file, or by programs."),
        of_server: "Realms are looked after by files, or by programs.",
        file: "A realm file",
        file_watched: "Write the realm to a file, and start the server with that file: it follows every change that you make there.",
        file_applied: "Write the realm to a file, change it there, see what would become of it, and make it so.",
        api: "The admin REST API",
        api_note: "Keycloak's own, so that its admin clients, terraform and curl work here.",
        administrator: "Put in the administrator that the server was started with.",
        client: "It takes a client of the realm master whose service account may administer.",
        account: "What people do themselves",
        account_note: "On the account page each person sees who they are here, where they are signed in, and which apps have access.",
        account_link: "Account page",
        overview: "Overview of this server",
    },
    step: StepText {
        code_title: "Enter a code",
        code_instruction: "Your authenticator app shows it.",
        code: "One-time code",
        wrong_code: "That code is wrong, or was used before. Enter the one that your app shows now.",
        password_title: "Choose a new password",
        password_instruction: "The one that you used must be replaced before you go on.",
        least: "It needs at least 8 characters.",
        new_password: "New password",
        repeat: "Confirm password",
        save: "Save",
        different: "The two passwords are not the same.",
        empty: "Type a new password.",
        short: "Choose a password of at least 8 characters.",
        same: "Choose another password than the one that you have.",
        long: "Choose a shorter password.",
    },
    trouble: TroubleTexts {
        request: TroubleText {
            title: "This request cannot be answered",
            sentence: "The app that sent you here asked for something in a way that this server does not accept.",
            advice: "Go back to the app and try again. If that does not help, tell the people who run it.",
        },
        redirect: TroubleText {
            title: "You cannot be sent back",
            sentence: "The app asked to send you to an address that is not registered for it, so nothing was sent there.",
            advice: "Go back to the app and try again. If that does not help, tell the people who run it.",
        },
        client: TroubleText {
            title: "This app is not known here",
            sentence: "The app that sent you here is not registered with this server, or is switched off.",
            advice: "Check the address that you came from, or tell the people who run the app.",
        },
        forged: TroubleText {
            title: "This step was refused",
            sentence: "The form did not come from this server's own page, or your browser withheld the cookie that proves it.",
            advice: "Allow cookies for this address and start again. If you did not expect this page, close it.",
        },
        unfit: TroubleText {
            title: "Your account is not fully set up",
            sentence: "Your password is right, but something that your account still needs cannot be done here.",
            advice: "Ask the people who gave you the account. They can take it off the account.",
        },
        expired: TroubleText {
            title: "This page has expired",
            sentence: "You took a while, or the step was finished in another window.",
            advice: "Go back to the app and sign in again. If you did so in another window, you can close this one.",
        },
        missing: TroubleText {
            title: "Nothing here",
            sentence: "There is no page at this address.",
            advice: "Check the address for a typing mistake, or go back to where you came from.",
        },
        method: TroubleText {
            title: "Nothing to see here",
            sentence: "This address is for programs, which send it something. Opened in a browser, it shows nothing.",
            advice: "Go back to where you came from.",
        },
        absent: TroubleText {
            title: "Not offered here",
            sentence: "The app sent you to something that this server does not do.",
            advice: "If you have an account, go on to sign in, or back to the app.",
        },
        host: TroubleText {
            title: "Another name is needed",
            sentence: "You reached this server by a name that it does not answer for.",
            advice: "Use the address that you were given. Whoever runs the server sets its name: public_url of the configuration, or --public-url of dev.",
        },
        busy: TroubleText {
            title: "Too many attempts",
            sentence: "This was tried too often in a short time, so the server asks for a break.",
            advice: "Wait a few minutes, then try again.",
        },
        fault: TroubleText {
            title: "Something went wrong",
            sentence: "The server met a problem of its own. It is not your fault, and it has been written down.",
            advice: "Try again in a moment. If it happens again, send the reference below to the people who run this server.",
        },
        unavailable: TroubleText {
            title: "Back in a moment",
            sentence: "The server cannot answer just now.",
            advice: "Wait a little, then reload this page.",
        },
        reference: "Reference",
        hint: "For developers",
        back: phrase("Back to ", ""),
        again: "Start again",
        overview: "Overview",
    },
    welcome: WelcomeText {
        title: "Your OpenID Provider is running",
        lead: "Point your app at an issuer below and sign in.",
        issuer: "Issuer",
        discovery: "Discovery document",
        keys: "Signing keys",
        account: "Try a sign-in",
        clients: "Clients",
        client: "Client ID",
        secret: "Secret",
        purpose: "For",
        public: "public, no secret",
        users: "Users",
        user: "Username",
        password: "Password",
        roles: "Roles",
        realm: "Realm",
        administration: "How to administer this server",
        warning: "For development: this page and its passwords exist only while the server runs in dev mode.",
    },
};
