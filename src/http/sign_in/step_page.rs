//! The pages of what is asked after a right password.

use axum::http::HeaderMap;
use axum::response::Response;

use super::{proven_request, required, views, with_cookies};
use crate::http::context::RealmContext;
use crate::http::error::PageError;
use crate::http::pages::{
    self, CodeProblem, Destination, Entry, FieldProblem, Link, Name, Page, PasswordProblem, Shell, Trouble,
    Whom,
};
use crate::http::pending::PendingRequest;
use crate::protocol::account::{Flaw, Profile};
use crate::protocol::otp::DeviceKey;
use crate::protocol::sign_in_step::{NewPasswordProblem, Step};
use crate::protocol::user::User;
use crate::qr::Qr;

/// Fewest characters of a password that a person chooses in production; development takes any.
pub(super) const LEAST: usize = 8;

pub(super) fn least(context: &RealmContext) -> usize {
    if context.app.rules.helpful { 1 } else { LEAST }
}

/// What went wrong with the last answer.
pub(super) enum Problem {
    /// The code was not taken.
    Code(CodeProblem),
    /// The new password was not taken.
    Password(NewPasswordProblem),
    /// What was typed of the profile, and what is wrong with it.
    Profile(Profile, Vec<Flaw>),
}

/// The page of a step.
pub(super) async fn page(
    context: &RealmContext,
    headers: &HeaderMap,
    pending: &PendingRequest,
    user: &User,
    step: &Step,
    problem: Option<Problem>,
) -> Result<Response, PageError> {
    let client_id = pending.parameters.as_ref().and_then(|parameters| parameters.get("client_id"));
    let entry = match client_id {
        Some(id) => context.state.client(&context.app.store, id).await?,
        None => None,
    };
    let client = entry.as_ref().map(|entry| &entry.client);
    let request = client
        .zip(pending.parameters.as_ref())
        .and_then(|(client, parameters)| proven_request(context, client, parameters));
    let destination = request.as_ref().and_then(|request| Destination::of(request.target.redirect_uri()));
    let of_sign_in = pending.half.as_ref().is_none_or(|half| half.session.is_none());
    let pending = required::with_key(pending, step);
    let sealed = pending.seal(context, headers);
    let (action, restart) = views::actions(context, &pending, client, &sealed);
    let shown = user.full_name().unwrap_or_else(|| user.username.clone());
    let app = client.map(|client| Name::new(client.title()));
    let view = View {
        shell: context.shell(),
        action: Link::own(&action),
        whom: Whom { user: Name::new(&shown), app, restart: of_sign_in.then(|| Link::own(&restart)) },
        destination,
    };
    let key = pending.half.as_ref().and_then(|half| half.device.as_ref());
    let page = match (step, key) {
        (Step::Code, _) => view.code(problem),
        (Step::NewPassword, _) => view.new_password(&user.username, least(context), problem),
        (Step::SetUpDevice, Some(key)) => view.new_device(context, user, key, problem)?,
        (Step::AcceptTerms, _) => {
            let terms = required::terms(context).await?;
            view.terms(terms.as_deref(), client.and_then(|client| client.settings.tos_uri.as_deref()))
        }
        (Step::CompleteProfile, _) => view.profile(user, problem),
        // Between two requests, an operator made it so: begin anew.
        (Step::SetUpDevice | Step::Unfit(_) | Step::Enter, _) => {
            return Err(PageError::new(Trouble::Expired));
        }
    };
    let page = views::onward(context, client, page);
    Ok(with_cookies(context.page(page), sealed.cookie.into_iter().collect()))
}

/// What all of them show.
struct View<'a> {
    shell: Shell<'a>,
    action: Link<'a>,
    whom: Whom<'a>,
    destination: Option<Destination<'a>>,
}

impl View<'_> {
    fn code(self, problem: Option<Problem>) -> Page {
        let Self { shell, action, whom, destination } = self;
        pages::Code { shell, action, whom, destination, problem: of_code(problem) }.page()
    }

    fn new_password(self, username: &str, least: usize, problem: Option<Problem>) -> Page {
        let problem = match problem {
            Some(Problem::Password(NewPasswordProblem::Different)) => Some(PasswordProblem::Different),
            Some(Problem::Password(NewPasswordProblem::Short(LEAST))) => Some(PasswordProblem::Short),
            Some(Problem::Password(NewPasswordProblem::Short(_))) => Some(PasswordProblem::Empty),
            Some(Problem::Password(NewPasswordProblem::Same)) => Some(PasswordProblem::Same),
            Some(Problem::Password(NewPasswordProblem::Long)) => Some(PasswordProblem::Long),
            _ => None,
        };
        let Self { shell, action, whom, destination } = self;
        let username = Entry::from(username);
        pages::NewPassword { shell, action, whom, destination, username, eight: least == LEAST, problem }
            .page()
    }

    fn new_device(
        self,
        context: &RealmContext,
        user: &User,
        key: &DeviceKey,
        problem: Option<Problem>,
    ) -> Result<Page, PageError> {
        let address = key.address(context.state.realm.title(), &user.username);
        let picture = Qr::new(&address).ok_or_else(|| PageError::new(Trouble::Fault))?;
        let Self { shell, action, whom, destination } = self;
        let (size, dark, key, problem) = (picture.size(), &picture.path(), &key.groups(), of_code(problem));
        Ok(pages::NewDevice { shell, action, whom, destination, size, dark, key, address: &address, problem }
            .page())
    }

    fn terms(self, terms: Option<&str>, of_client: Option<&str>) -> Page {
        let Self { shell, action, whom, destination } = self;
        let address = of_client.and_then(Link::new);
        pages::Terms { shell, action, whom, destination, terms, address }.page()
    }

    fn profile(self, user: &User, problem: Option<Problem>) -> Page {
        let (typed, flaws) = match problem {
            Some(Problem::Profile(typed, flaws)) => (typed, flaws),
            _ => (Profile::of(user), Vec::new()),
        };
        let Self { shell, action, whom, destination } = self;
        let problem = |field: &str| {
            let flaw = flaws.iter().find(|flaw| flaw.field() == field)?;
            Some(FieldProblem::named(flaw.message()))
        };
        pages::CompleteProfile {
            shell,
            action,
            whom,
            destination,
            email: (Entry::from(typed.email.as_str()), problem("email")),
            first_name: (Entry::from(typed.first_name.as_str()), problem("firstName")),
            last_name: (Entry::from(typed.last_name.as_str()), problem("lastName")),
        }
        .page()
    }
}

fn of_code(problem: Option<Problem>) -> Option<CodeProblem> {
    match problem {
        Some(Problem::Code(problem)) => Some(problem),
        _ => None,
    }
}
