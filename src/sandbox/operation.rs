//! An operation: one row of the catalog.

use serde_json::Value;

use super::service::Service;
use super::validate;
use super::xml::Xml;

// What every operation is written with.
pub use super::context::Context;
pub use super::error::Fault;
pub use super::validate::{Later, Members};

/// The output of an operation, before it takes its protocol's shape.
#[derive(Debug)]
pub enum Output {
    /// A JSON value.
    Json(Value),
    /// The inside of `<{Action}Result>`; empty leaves the element out.
    Xml(Xml),
}

impl From<Value> for Output {
    fn from(value: Value) -> Self {
        Self::Json(value)
    }
}

impl From<Xml> for Output {
    fn from(xml: Xml) -> Self {
        Self::Xml(xml)
    }
}

/// The request of one operation.
pub trait Request: Sized {
    /// Reads the request, and checks what can be checked without looking at the account.
    ///
    /// # Errors
    /// What AWS reports before it checks the caller's permission. Broken constraints go to `members` instead.
    fn parse(members: &Members<'_>) -> Result<Self, Fault>;

    /// Checks the caller's permission and runs the operation.
    ///
    /// # Errors
    /// The operation's own; all it did is undone.
    fn run(self, cx: &mut Context<'_>) -> Result<Output, Fault>;
}

/// Whether an operation changes anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// It changes nothing that another call can see, and a seeded clock stands still. GetSessionToken stores the
    /// credentials that it issues.
    Read,
    /// A seeded clock moves one second.
    Write,
}

/// One row of the catalog.
#[derive(Debug)]
pub struct Operation {
    /// The service.
    pub service: Service,
    /// `CreateTable`
    pub name: &'static str,
    /// Whether it changes anything.
    pub kind: Kind,
    /// The actions it may ask permission for besides the one that has its name. The engine checks decisions against them
    /// in debug builds.
    further_actions: &'static [&'static str],
    run: fn(Service, &mut Context<'_>) -> Result<Output, Fault>,
}

impl Operation {
    /// An operation that changes nothing.
    pub const fn read<T: Request>(
        service: Service,
        name: &'static str,
        further_actions: &'static [&'static str],
    ) -> Self {
        Self { service, name, kind: Kind::Read, further_actions, run: run::<T> }
    }

    /// An operation that changes something.
    pub const fn write<T: Request>(
        service: Service,
        name: &'static str,
        further_actions: &'static [&'static str],
    ) -> Self {
        Self { service, name, kind: Kind::Write, further_actions, run: run::<T> }
    }

    /// Whether it may ask permission for `action`.
    pub fn may_ask(&self, action: &str) -> bool {
        action.strip_prefix(self.service.signing_name()).and_then(|rest| rest.strip_prefix(':')) == Some(self.name)
            || self.further_actions.contains(&action)
    }

    /// Parses the request and runs it.
    ///
    /// # Errors
    /// The operation's own.
    pub fn run(&self, cx: &mut Context<'_>) -> Result<Output, Fault> {
        (self.run)(self.service, cx)
    }
}

fn run<T: Request>(service: Service, cx: &mut Context<'_>) -> Result<Output, Fault> {
    validate::read(service, cx.params, T::parse)?.run(cx)
}
