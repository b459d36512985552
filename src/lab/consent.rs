//! Consent on AWS itself: nothing is created there before a person has seen where, as whom, what and for how much.

use super::backend::BackendKind;
use super::kernel::event::Command;
use super::model::outcome::Check;
use super::stage::Stage;
use super::stages::Kind;
use super::state::State;
use super::test_user;
use super::view::Overlay;

/// How many digits of the account's number are typed.
const TYPED: usize = 4;

/// What has been typed so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Digits {
    digits: [u8; TYPED],
    len: usize,
}

impl Digits {
    fn push(&mut self, digit: u8) {
        if let Some(place) = self.digits.get_mut(self.len) {
            *place = digit.min(9);
            self.len += 1;
        }
    }

    fn pop(&mut self) {
        self.len = self.len.saturating_sub(1);
    }

    fn is_full(self) -> bool {
        self.len == TYPED
    }

    /// A dot for each digit that has been typed, and `_` for each that is missing: for whoever must not see them.
    pub fn hidden(self) -> String {
        (0..TYPED).map(|at| if at < self.len { '•' } else { '_' }).collect()
    }

    /// What has been typed, and `_` for each digit that is missing.
    pub fn shown(self) -> String {
        (0..TYPED).map(|at| if at < self.len { char::from(b'0' + self.digits[at]) } else { '_' }).collect()
    }
}

/// A thing that the lab makes: what it is, and its name.
pub type Thing = (&'static str, String);

/// What everything costs, in words (the price lists of KMS, DynamoDB and IAM).
pub const COSTS: [&str; 3] = [
    "the key 1 USD a month, by the hour, until deletion is scheduled",
    "KMS requests 20,000 a month free, then 0.03 USD per 10,000",
    "a pay-per-request table with 3 items effectively nothing, IAM 0",
];

/// What the bench adds, if it is used, in words (the price list of KMS).
pub const BENCH: [&str; 2] = [
    "if you use it: two more tables that test-user may use, too;",
    "rotating the key adds up to 1 USD a month, by the hour",
];

/// How it is removed, in words.
pub const REMOVAL: &str = "all of it in stage 9 or when you leave, the key 7 days later";

impl State {
    /// Everything that the lab will make, with its name.
    pub fn will_make(&self) -> Vec<Thing> {
        let names = self.shown_names();
        let mut things = vec![("KMS key", names.alias.clone()), ("DynamoDB table", names.table.clone())];
        if self.backend.given_user {
            things.push(("key policy entry", "lets test-user use that key".to_owned()));
        } else {
            things.push(("IAM user", format!("{} with an access key,", names.user)));
            things.push(match self.backend.has_managed_policy() {
                true => ("policy", format!("{} on it: all of DynamoDB", test_user::MANAGED)),
                false => ("policy", format!("dynamodb:* on {} for it, nothing else", names.table)),
            });
        }
        things
    }

    /// Whether the lab waits for consent.
    pub fn is_asking_for_consent(&self) -> bool {
        matches!(self.view.overlay, Some(Overlay::Consent { .. }))
    }

    /// Why a run without a screen ends where it waits for consent.
    pub fn refusal(&self) -> Option<String> {
        let account = &self.kernel.facts().admin.as_ref()?.account;
        if self.is_masked() {
            let refused = "refused: --yes-account must be the admin's account; nothing was created";
            return self.is_asking_for_consent().then(|| refused.to_owned());
        }
        self.is_asking_for_consent().then(|| match &self.accepted_account {
            Some(accepted) => format!(
                "refused: --yes-account is {accepted}, and the admin is of account {account}; nothing was created"
            ),
            None => format!(
                "refused: this would create things in account {account}; nothing was created\n  \
                 --yes-account {account} says yes to it"
            ),
        })
    }

    /// On AWS itself, keeps `stage` from starting where it would create or change something and nobody has said yes: asks,
    /// or ends the stage without a call where the account is not known. Says whether it did.
    pub(super) fn hold_back(&mut self, stage: Stage) -> bool {
        if self.backend.kind != BackendKind::Aws || stage.def().kind != Kind::Creates {
            return false;
        }
        let admin = self.kernel.facts().admin.as_ref().filter(|_| self.kernel.is_met(Stage::Who));
        let Some(account) = admin.map(|admin| admin.account.clone()) else {
            let observed = format!("not attempted: on AWS nothing is created before {} is met", Stage::Who.key());
            self.kernel.withhold(stage, Check::unmet(observed));
            return true;
        };
        if self.accepted_account.as_ref() == Some(&account) {
            self.consented = Some(account.clone());
        }
        // Consent is to an account: another answer of STS asks anew.
        if self.consented.as_ref() == Some(&account) {
            return false;
        }
        self.view.overlay = Some(Overlay::Consent { stage, typed: Digits::default(), wrong: false });
        true
    }

    /// Takes a digit. The fourth decides: consent, or once more.
    pub(super) fn type_digit(&mut self, digit: u8) -> Vec<Command> {
        let Some(Overlay::Consent { stage, mut typed, .. }) = self.view.overlay else { return Vec::new() };
        typed.push(digit);
        if !typed.is_full() {
            self.view.overlay = Some(Overlay::Consent { stage, typed, wrong: false });
            return Vec::new();
        }
        let account = self.kernel.facts().admin.as_ref().map(|admin| admin.account.clone());
        if account.as_ref().is_some_and(|account| account.ends_with(&typed.shown())) {
            self.consented = account;
            self.view.close();
            return vec![Command::Start(stage)];
        }
        self.view.overlay = Some(Overlay::Consent { stage, typed: Digits::default(), wrong: true });
        Vec::new()
    }

    /// Takes the last digit back.
    pub(super) fn erase_digit(&mut self) {
        if let Some(Overlay::Consent { typed, wrong, .. }) = &mut self.view.overlay {
            typed.pop();
            *wrong = false;
        }
    }
}
