//! What a person whose password is right must still do before the sign-in counts.

use super::user::User;

/// The action by which a person must choose a new password, by Keycloak's name.
pub const UPDATE_PASSWORD: &str = "UPDATE_PASSWORD";
/// The action by which a person must set up a device for one-time codes.
pub const CONFIGURE_TOTP: &str = "CONFIGURE_TOTP";
/// The action by which a person must accept the realm's terms.
pub const TERMS: &str = "TERMS_AND_CONDITIONS";
/// The action by which a person must look through names and e-mail address.
pub const UPDATE_PROFILE: &str = "UPDATE_PROFILE";

/// What this server asks of a person, in the order in which it does. The password comes last: its change is the sign-in.
pub const ASKED: [&str; 4] = [CONFIGURE_TOTP, TERMS, UPDATE_PROFILE, UPDATE_PASSWORD];

/// What Keycloak may ask of a person beside, and this server cannot.
pub const ASKED_ELSEWHERE: [&str; 9] = [
    "VERIFY_EMAIL",
    "UPDATE_EMAIL",
    "CONFIGURE_RECOVERY_AUTHN_CODES",
    "VERIFY_PROFILE",
    "delete_account",
    "delete_credential",
    "update_user_locale",
    "webauthn-register",
    "webauthn-register-passwordless",
];

/// The next step of a sign-in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Type a code of the device.
    Code,
    /// Set up a device.
    SetUpDevice,
    /// Accept the terms.
    AcceptTerms,
    /// Look through names and e-mail address.
    CompleteProfile,
    /// Choose a new password.
    NewPassword,
    /// Nothing that this server can ask for: what is missing, by Keycloak's names.
    Unfit(Vec<String>),
    /// Nothing: the session begins.
    Enter,
}

impl Step {
    /// The step that does an action, by Keycloak's name; none for an action that has no page here.
    #[must_use]
    pub fn of_action(name: &str) -> Option<Self> {
        match name {
            CONFIGURE_TOTP => Some(Self::SetUpDevice),
            TERMS => Some(Self::AcceptTerms),
            UPDATE_PROFILE => Some(Self::CompleteProfile),
            UPDATE_PASSWORD => Some(Self::NewPassword),
            _ => None,
        }
    }
}

/// What becomes of an action that this server cannot ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unknown {
    /// It holds the sign-in up: an operator takes it off the account, or leads the person elsewhere.
    HoldsUp,
    /// It is passed over, and stays with the account.
    IsPassedOver,
}

/// The step after a right password; `has_device` tells of a device for codes, `code_proven` of a right code. What cannot
/// be done comes before what would be in vain without it.
#[must_use]
pub fn next(user: &User, has_device: bool, code_proven: bool, unknown: Unknown) -> Step {
    if has_device && !code_proven {
        return Step::Code;
    }
    let others = user.required_actions.iter().filter(|action| !ASKED.contains(&action.as_str()));
    let others: Vec<String> = others.cloned().collect();
    if unknown == Unknown::HoldsUp && !others.is_empty() {
        return Step::Unfit(others);
    }
    let first = ASKED.into_iter().find(|asked| user.required_actions.iter().any(|action| action == asked));
    first.and_then(Step::of_action).unwrap_or(Step::Enter)
}

/// Why a new password is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NewPasswordProblem {
    /// The two entries differ.
    Different,
    /// It is shorter than this many characters.
    Short(usize),
    /// It is the old one.
    Same,
    /// It is longer than what is hashed.
    Long,
}

/// Whether a new password will do, as far as the two entries tell.
///
/// # Errors
/// [`NewPasswordProblem`].
pub fn check_new(new: &str, again: &str, least: usize) -> Result<(), NewPasswordProblem> {
    if new != again {
        return Err(NewPasswordProblem::Different);
    }
    if new.chars().count() < least {
        return Err(NewPasswordProblem::Short(least));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Timestamp;

    fn user(actions: &[&str]) -> User {
        User {
            required_actions: actions.iter().map(|action| (*action).to_owned()).collect(),
            ..User::new("r", "u", "alice", Timestamp(0))
        }
    }

    #[test]
    fn steps_come_in_order() {
        let unfit = |names: &[&str]| Step::Unfit(names.iter().map(|name| (*name).to_owned()).collect());
        for (case, actions, device, proven, expected) in [
            ("nothing", &[][..], false, false, Step::Enter),
            ("a device", &[], true, false, Step::Code),
            ("a right code", &[], true, true, Step::Enter),
            ("a temporary password", &[UPDATE_PASSWORD], false, false, Step::NewPassword),
            ("the code comes first", &[UPDATE_PASSWORD], true, false, Step::Code),
            ("then the password", &[UPDATE_PASSWORD], true, true, Step::NewPassword),
            ("another device", &[CONFIGURE_TOTP], true, true, Step::SetUpDevice),
            ("the terms", &[UPDATE_PROFILE, TERMS], false, false, Step::AcceptTerms),
            ("the profile", &[UPDATE_PASSWORD, UPDATE_PROFILE], false, false, Step::CompleteProfile),
            (
                "all",
                &[UPDATE_PASSWORD, UPDATE_PROFILE, TERMS, CONFIGURE_TOTP],
                false,
                false,
                Step::SetUpDevice,
            ),
            ("another action", &["VERIFY_EMAIL"], false, false, unfit(&["VERIFY_EMAIL"])),
            ("both", &[UPDATE_PASSWORD, "webauthn-register"], false, false, unfit(&["webauthn-register"])),
            ("the code tells before what is missing", &["VERIFY_EMAIL"], true, false, Step::Code),
        ] {
            assert_eq!(next(&user(actions), device, proven, Unknown::HoldsUp), expected, "{case}");
        }
        for (case, actions, expected) in [
            ("alone", &["VERIFY_EMAIL"][..], Step::Enter),
            ("before one that is asked", &["webauthn-register", TERMS], Step::AcceptTerms),
        ] {
            assert_eq!(next(&user(actions), false, false, Unknown::IsPassedOver), expected, "{case}");
        }
    }

    #[test]
    fn new_passwords() {
        for (new, again, least, expected) in [
            ("correct horse", "correct horse", 8, Ok(())),
            ("correct horse", "correct house", 8, Err(NewPasswordProblem::Different)),
            ("short", "short", 8, Err(NewPasswordProblem::Short(8))),
            ("üüüüüüüü", "üüüüüüüü", 8, Ok(())),
            ("x", "x", 1, Ok(())),
            ("", "", 1, Err(NewPasswordProblem::Short(1))),
        ] {
            assert_eq!(check_new(new, again, least), expected, "{new}");
        }
    }
}
