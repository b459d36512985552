//! Which calls matter for a stage's goal.

use crate::lab::model::adoption::table_name;
use crate::lab::model::facts::{Facts, Names};
use crate::lab::model::noticed::NoticedCall;
use crate::lab::model::operation::Identity;
use crate::lab::model::stage::Stage;

/// What is still to do before a stage's goal can be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Put items into the table.
    Items,
    /// Give the user a policy.
    Policy,
    /// Remove the rest.
    Rest,
}

/// What a call of another client means for a stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meaning {
    /// Nothing.
    Nothing,
    /// It was to reach the goal, and the service rejected it.
    Rejected,
    /// The goal may be reached: the lab checks.
    Check,
    /// It is one step of several.
    Step(Step),
}

/// Whose call it is, as far as the lab knows both.
pub fn identity(call: &NoticedCall, facts: &Facts, names: &Names) -> Option<Identity> {
    let is_users = call.principal.rsplit('/').next() == Some(names.user.as_str());
    let is = |identity| facts.caller(identity).is_some_and(|caller| caller.arn == call.principal);
    match () {
        () if is(Identity::TestUser) || is_users => Some(Identity::TestUser),
        () if is(Identity::Admin) || facts.admin.is_none() => Some(Identity::Admin),
        () => None,
    }
}

/// What `call` means for the goal of `stage`. The facts have learned from it already.
pub fn meaning(stage: Stage, call: &NoticedCall, facts: &Facts, names: &Names) -> Meaning {
    let who = identity(call, facts, names);
    if !concerns(stage, call, who, facts, names) {
        return Meaning::Nothing;
    }
    // In stage 6 the refusal is the goal.
    if !call.is_allowed() && stage != Stage::ViewDenied {
        return if call.is_read() { Meaning::Nothing } else { Meaning::Rejected };
    }
    match stage {
        Stage::CreateTable if call.operation == "CreateTable" => Meaning::Step(Step::Items),
        Stage::CreateUser if !has_policy(facts) => Meaning::Step(Step::Policy),
        Stage::CleanUp if !facts.made.is_gone() => Meaning::Step(Step::Rest),
        _ => Meaning::Check,
    }
}

/// Whether what `stage` makes is there already, from another client.
pub fn is_made(stage: Stage, facts: &Facts) -> bool {
    let made = &facts.made;
    match stage {
        Stage::CreateKey => made.key.is_some(),
        Stage::CreateTable => made.table && facts.own_items,
        Stage::CreateUser => made.user && has_policy(facts),
        _ => false,
    }
}

fn has_policy(facts: &Facts) -> bool {
    let made = &facts.made;
    made.policy_attached.is_some() || made.inline_policy || !made.added.inline.is_empty()
}

/// Whether `call` is of the kind that leads to the goal of `stage`.
fn concerns(stage: Stage, call: &NoticedCall, who: Option<Identity>, facts: &Facts, names: &Names) -> bool {
    let operation = call.operation.as_str();
    let is_table = || call.parameter("TableName").map(table_name) == Some(&names.table);
    let is_user = || call.parameter("UserName") == Some(&names.user);
    let is_key = || facts.is_key(call.parameter("KeyId"));
    match stage {
        Stage::Who => operation == "GetCallerIdentity" && who == Some(Identity::Admin),
        Stage::CreateKey => operation == "CreateKey",
        Stage::CreateTable => match operation {
            "CreateTable" | "PutItem" | "UpdateItem" => is_table() || !call.is_allowed(),
            "BatchWriteItem" | "TransactWriteItems" => true,
            _ => false,
        },
        Stage::ViewAdmin => operation == "Scan" && is_table() && who == Some(Identity::Admin),
        Stage::CreateUser => match operation {
            "CreateUser" | "AttachUserPolicy" | "PutUserPolicy" => is_user() || !call.is_allowed(),
            _ => false,
        },
        Stage::ViewDenied | Stage::ViewAgain => operation == "Scan" && is_table() && who == Some(Identity::TestUser),
        Stage::Grant => match operation {
            "PutKeyPolicy" | "CreateGrant" => is_key() || !call.is_allowed(),
            "PutUserPolicy" | "AttachUserPolicy" | "DeleteUserPolicy" | "DetachUserPolicy" => is_user(),
            _ => false,
        },
        Stage::CleanUp => {
            const REMOVE: [&str; 7] = [
                "DeleteTable",
                "DetachUserPolicy",
                "DeleteUserPolicy",
                "DeleteAccessKey",
                "DeleteUser",
                "DeleteAlias",
                "ScheduleKeyDeletion",
            ];
            REMOVE.contains(&operation)
        }
    }
}

/// The stage that has to be done again after `call` removed what it made; before clean-up nothing of it may go.
pub fn broken(call: &NoticedCall, facts: &Facts, names: &Names) -> Option<Stage> {
    if !call.is_allowed() {
        return None;
    }
    match call.operation.as_str() {
        "ScheduleKeyDeletion" | "DisableKey" if facts.is_key(call.parameter("KeyId")) => Some(Stage::CreateKey),
        "DeleteTable" if call.parameter("TableName").map(table_name) == Some(&names.table) => Some(Stage::CreateTable),
        "DeleteUser" if call.parameter("UserName") == Some(&names.user) => Some(Stage::CreateUser),
        _ => None,
    }
}
