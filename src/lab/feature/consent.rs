//! Consent on AWS itself: nothing is created there before a person has seen where, as whom, what and for how much.

use crate::lab::kernel::Kernel;
use crate::lab::model::stage::Stage;

/// How many digits of the account's number are typed.
const TYPED: usize = 4;

/// What has been typed so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Digits {
    digits: [u8; TYPED],
    len: usize,
}

impl Digits {
    pub(in crate::lab) fn push(&mut self, digit: u8) {
        if let Some(place) = self.digits.get_mut(self.len) {
            *place = digit.min(9);
            self.len += 1;
        }
    }

    pub(in crate::lab) fn pop(&mut self) {
        self.len = self.len.saturating_sub(1);
    }

    pub(in crate::lab) fn is_full(self) -> bool {
        self.len == TYPED
    }

    /// A dot for each typed digit and `_` for each missing one: for screens that must not show the digits.
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
    "key: 1 USD a month, by the hour, until deletion is scheduled",
    "KMS: 20,000 requests a month free, then 0.03 USD per 10,000",
    "table, paid per request: almost nothing for 3 items; IAM: free",
];

/// What the experiments add, if somebody tries them, in words (the price list of KMS).
pub const EXPERIMENTS: [&str; 2] = [
    "experiments: two more tables, which test-user can use too;",
    "rotating the key adds up to 1 USD a month, by the hour",
];

/// How it is removed, in words.
pub const REMOVAL: &str = "everything in stage 9 or when you leave; the key 7 days later";

/// What comes of a stage that creates or changes something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::lab) enum Gate {
    /// It begins.
    Open,
    /// A person is asked first.
    Ask,
    /// It ends without a call: the account is not known.
    Withhold,
}

/// The account in which things may be created.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Consent {
    account: Option<String>,
}

impl Consent {
    /// The account in which things may be created.
    pub(in crate::lab) fn account(&self) -> Option<&String> {
        self.account.as_ref()
    }

    /// Takes the account that a saved session had consent for.
    pub(in crate::lab) fn restore(&mut self, account: Option<String>) {
        self.account = account;
    }

    /// Takes a person's consent to the admin's account: the last digits of its number. Returns whether they are.
    pub(in crate::lab) fn give(&mut self, typed: Digits, kernel: &Kernel) -> bool {
        let account = kernel.facts().admin.as_ref().map(|admin| &admin.account);
        let account = account.filter(|account| account.ends_with(&typed.shown()));
        if account.is_some() {
            self.account = account.cloned();
        }
        account.is_some()
    }

    /// Whether something may be created in the admin's account. `accepted` is the account of `--yes-account`. Consent is
    /// to one account: when STS names another, it is asked for again.
    pub(in crate::lab) fn examine(&mut self, kernel: &Kernel, accepted: Option<&String>) -> Gate {
        let admin = kernel.facts().admin.as_ref().filter(|_| kernel.is_met(Stage::Who));
        let Some(account) = admin.map(|admin| &admin.account) else { return Gate::Withhold };
        if accepted == Some(account) {
            self.account = Some(account.clone());
        }
        if self.account.as_ref() == Some(account) { Gate::Open } else { Gate::Ask }
    }
}
