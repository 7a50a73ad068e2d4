//! The pages that people see: values in, HTML out.
//!
//! Each page is a view, a struct of what it shows, and its `page` method gives a [`Page`]: the answer with every
//! protective header. A view knows which foreign pictures, frames and form targets its policy must permit, so a
//! caller cannot forget one. Names are [`Name`]s and addresses are [`Link`]s, which are safe to print by
//! construction; the templates' engine escapes the rest.
//!
//! Owns how things look and what they say ([`text`]). Leaves to the endpoints what is true: who signed in, what
//! is asked, where a form goes. Nothing here reads a request or the database.
//!
//! A new page: a template under `templates/`, a view in a file of the same name here, its words in [`text`], and
//! a line in `examples/pages/samples.rs`, which feeds both the tests at the foot of this module and `cargo run --example pages`.

mod account;
mod address;
mod consent;
mod device;
mod form_post;
mod login;
mod logout;
mod no_console;
mod page;
mod required;
mod shell;
mod step;
pub mod text;
mod trouble;
mod welcome;
mod words;

pub use account::{Account, App, Done, Profile, SignedIn, browser};
pub use address::{Destination, Link};
pub use consent::{Consent, Detail};
pub use device::{DeviceCode, DeviceConfirm, DeviceDone};
pub use form_post::FormPost;
pub use login::{Login, LoginProblem, Persona, Provider, Username};
pub use logout::{Logout, Onward, SignedOut};
pub use no_console::NoConsole;
pub use page::Page;
pub use required::{CompleteProfile, Field, FieldProblem, NewDevice, Terms};
pub use shell::{Asker, Brand, Hidden, Shell};
pub use step::{Code, CodeProblem, NewPassword, PasswordProblem, Whom};
pub use trouble::{Fact, Hint, Trouble, TroublePage};
pub use welcome::{DemoClient, DemoRealm, DemoSecret, DemoUser, Welcome};
pub use words::{Entry, Moment, Name};

#[cfg(test)]
mod tests;
