//! The nine stages: their order, names and texts.

use serde::{Deserialize, Serialize};

/// A stage of the lab. The names are part of the contract: JSONL and options use [`Stage::key`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")] // as `key`
pub enum Stage {
    /// Who signs the requests?
    #[default]
    Who,
    /// A customer managed key.
    CreateKey,
    /// A table encrypted under that key, with three items.
    CreateTable,
    /// Read it as the admin.
    ViewAdmin,
    /// A user who may use DynamoDB and not the key.
    CreateUser,
    /// The same Scan as both: one is denied.
    ViewDenied,
    /// The key policy names the user.
    Grant,
    /// The same Scan again: both are allowed.
    ViewAgain,
    /// Nothing billable stays.
    CleanUp,
}

/// What a stage tells a person. Budgets (words): title 5, objective 14, look 14.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Text {
    /// A few words for the header and the stage list.
    pub title: &'static str,
    /// What this stage does.
    pub objective: &'static str,
    /// What to look at in the answers.
    pub look: &'static str,
    /// What must come back for the stage to be met.
    pub expected: &'static str,
    /// What Enter does here, two or three words.
    pub action: &'static str,
}

impl Stage {
    /// All stages in lesson order.
    pub const ALL: [Stage; 9] = [
        Stage::Who,
        Stage::CreateKey,
        Stage::CreateTable,
        Stage::ViewAdmin,
        Stage::CreateUser,
        Stage::ViewDenied,
        Stage::Grant,
        Stage::ViewAgain,
        Stage::CleanUp,
    ];

    /// The first stage.
    pub const FIRST: Stage = Stage::Who;

    /// Position in the lesson, from 0.
    pub const fn index(self) -> usize {
        self as usize
    }

    /// Position in the lesson, from 1, as people count.
    pub const fn number(self) -> usize {
        self.index() + 1
    }

    /// The name in JSONL and on the command line.
    pub const fn key(self) -> &'static str {
        match self {
            Stage::Who => "who",
            Stage::CreateKey => "create_key",
            Stage::CreateTable => "create_table",
            Stage::ViewAdmin => "view_admin",
            Stage::CreateUser => "create_user",
            Stage::ViewDenied => "view_denied",
            Stage::Grant => "grant",
            Stage::ViewAgain => "view_again",
            Stage::CleanUp => "clean_up",
        }
    }

    /// The stage after this one.
    pub fn next(self) -> Option<Stage> {
        Stage::ALL.get(self.index() + 1).copied()
    }

    /// The stage before this one.
    pub fn previous(self) -> Option<Stage> {
        self.index().checked_sub(1).map(|index| Stage::ALL[index])
    }

    /// Whether sending its calls again changes nothing, so that a finished stage may simply be run again.
    pub const fn is_read_only(self) -> bool {
        matches!(self, Stage::Who | Stage::ViewAdmin | Stage::ViewDenied | Stage::ViewAgain)
    }

    /// Whether all its calls may be sent again after it failed. The others create things, and go on where they failed.
    pub const fn can_start_over(self) -> bool {
        // Clean-up passes over what is gone, and a key user that is there already is not added twice.
        self.is_read_only() || matches!(self, Stage::Grant | Stage::CleanUp)
    }

    /// The texts of this stage.
    pub const fn text(self) -> Text {
        match self {
            Stage::Who => Text {
                title: "Who is asking?",
                objective: "Ask STS which principal signs the admin's requests.",
                look: "The Arn: every verdict is about this principal, not about a login.",
                expected: "not root; with two profiles, two principals of one account",
                action: "ask STS",
            },
            Stage::CreateKey => Text {
                title: "Create the KMS key",
                objective: "Create a symmetric customer managed key and read its metadata and policy.",
                look: "KeyManager CUSTOMER, KeyState Enabled; the key itself stays in KMS.",
                expected: "a key that is Enabled, SYMMETRIC_DEFAULT, managed by the CUSTOMER",
                action: "create the key",
            },
            Stage::CreateTable => Text {
                title: "Create the encrypted table",
                objective: "Create a DynamoDB table under that key and put three items.",
                look: "SSEDescription: SSEType KMS, and KMSMasterKeyArn is your key.",
                expected: "an ACTIVE table whose SSEDescription names the key, with 3 items put",
                action: "create the table",
            },
            Stage::ViewAdmin => Text {
                title: "Read as admin",
                objective: "Scan the table as admin. DynamoDB asks KMS to decrypt, as admin.",
                look: "Plain text from an ordinary Scan: DynamoDB decrypts, not you.",
                expected: "admin allowed, 3 items in plain text",
                action: "scan as admin",
            },
            Stage::CreateUser => Text {
                title: "A user without the key",
                objective: "Create test-user: it may do all of DynamoDB, but not kms:Decrypt.",
                look: "Another Arn, the same Account; a policy without kms:Decrypt.",
                expected: "a second principal, same account: DynamoDB, but no kms:Decrypt",
                action: "create test-user",
            },
            Stage::ViewDenied => Text {
                title: "The same Scan, twice",
                objective: "Send one Scan as admin and as test-user, at the same time.",
                look: "Denied on kms:Decrypt, not dynamodb:Scan; the resource is the key.",
                expected: "admin allowed, test-user denied on kms:Decrypt",
                action: "scan as both",
            },
            Stage::Grant => Text {
                title: "Let test-user use the key",
                objective: "Add test-user to the key policy as a key user.",
                look: "Two statements more; PutKeyPolicy replaced the whole document.",
                expected: "exactly the key-user statements added to the key policy",
                action: "change the key policy",
            },
            Stage::ViewAgain => Text {
                title: "The same Scan again",
                objective: "Send the very same Scan as both once more.",
                look: "Same request, same stored bytes; only the key policy is different.",
                expected: "both allowed, the same 3 items",
                action: "scan as both",
            },
            Stage::CleanUp => Text {
                title: "Clean up",
                objective: "Delete the table, the user and the alias; schedule the key's deletion.",
                look: "KeyState PendingDeletion; the key is gone only on DeletionDate.",
                expected: "nothing billable left",
                action: "clean up",
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_fit_on_one_line_of_80_columns() {
        for stage in Stage::ALL {
            let text = stage.text();
            assert!(text.title.len() <= 30, "{}", text.title);
            assert!(text.objective.len() <= 78, "{}", text.objective);
            // It stands after a label of 11 columns.
            assert!(text.look.len() <= 68, "{}", text.look);
            assert!(text.expected.len() <= 68, "{}", text.expected);
            assert!(text.action.len() <= 24, "{}", text.action);
        }
    }
}
