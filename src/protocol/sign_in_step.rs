//! What a person whose password is right must still do before the sign-in counts.

use super::user::User;

/// The action by which a person must choose a new password, by Keycloak's name.
pub const UPDATE_PASSWORD: &str = "UPDATE_PASSWORD";

/// The next step of a sign-in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Type a code of the device.
    Code,
    /// Choose a new password.
    NewPassword,
    /// Nothing that this server can ask for: what is missing, by Keycloak's names.
    Unfit(Vec<String>),
    /// Nothing: the session begins.
    Enter,
}

/// The step after a right password; `has_device` tells of a device for codes, `code_proven` of a right code. What cannot
/// be done comes before what would be in vain without it.
#[must_use]
pub fn next(user: &User, has_device: bool, code_proven: bool) -> Step {
    if has_device && !code_proven {
        return Step::Code;
    }
    let (own, others): (Vec<&String>, Vec<&String>) =
        user.required_actions.iter().partition(|action| *action == UPDATE_PASSWORD);
    if !others.is_empty() {
        return Step::Unfit(others.into_iter().cloned().collect());
    }
    if own.is_empty() { Step::Enter } else { Step::NewPassword }
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
            ("another action", &["VERIFY_EMAIL"], false, false, unfit(&["VERIFY_EMAIL"])),
            ("both", &[UPDATE_PASSWORD, "CONFIGURE_TOTP"], false, false, unfit(&["CONFIGURE_TOTP"])),
            ("the code tells before what is missing", &["VERIFY_EMAIL"], true, false, Step::Code),
        ] {
            assert_eq!(next(&user(actions), device, proven), expected, "{case}");
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
