//! From what was found to what is done about it. Pure: it decides what may be touched, and in which order.

use std::collections::BTreeSet;

use crate::aws::inventory::{Inventory, Mark};
use crate::lab::{Names, Operation};

/// Days until a key is deleted: the shortest that KMS takes.
const DELETION_DAYS: u8 = 7;

/// The kinds of things a run leaves, in the order in which they are removed: a table can't be read, nor restored, without
/// its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A DynamoDB table.
    Table,
    /// An IAM user.
    User,
    /// A key's alias.
    Alias,
    /// A KMS key.
    Key,
}

impl Kind {
    /// For a line of text.
    pub const fn word(self) -> &'static str {
        match self {
            Kind::Table => "table",
            Kind::User => "user",
            Kind::Alias => "alias",
            Kind::Key => "key",
        }
    }
}

/// A call that removes something.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// One of the lab's own calls.
    Call(Operation),
    /// Takes an inline policy off a user, an experiment's or one that somebody has tried: a user with one can't be deleted.
    DeleteUserPolicy {
        /// The user.
        user: String,
        /// The policy's name.
        policy: String,
    },
}

/// Something that a run has left.
#[derive(Debug, Clone, PartialEq)]
pub struct Item {
    /// What it is.
    pub kind: Kind,
    /// Whose it is.
    pub run: String,
    /// Its name; a key's id.
    pub name: String,
    /// Its ARN.
    pub arn: String,
    /// What removes it, in this order.
    pub steps: Vec<Step>,
}

/// What is done, and what isn't.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Plan {
    /// To be removed, in this order.
    pub items: Vec<Item>,
    /// Keys that stay because their table does, or may, with the reason.
    pub kept: Vec<(Item, &'static str)>,
    /// Keys whose deletion is scheduled: nothing is left to do.
    pub pending: Vec<String>,
    /// Runs whose lab is alive.
    pub skipped: BTreeSet<String>,
    /// What looks like the lab's and is left alone, with the reason.
    pub untouched: Vec<Untouched>,
    /// What labs had taken over from other clients: the run, and the thing's name.
    pub adopted: BTreeSet<(String, String)>,
}

/// What looks like the lab's and is left alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Untouched {
    /// What it is.
    pub kind: Kind,
    /// Its name; a key's id.
    pub name: String,
    /// Why.
    pub reason: String,
}

/// What may be done with a resource.
enum Right {
    Remove(String),
    Skip(String),
    Leave(String),
}

/// How a resource is known as a run's.
struct Known<'a> {
    /// Whether a run's lab is at work right now.
    is_living: &'a dyn Fn(&str) -> bool,
    adopted: &'a BTreeSet<(String, String)>,
}

/// Whether a resource is a run's: its tag names a run, and its own name is one that this run gives, or that the journal of
/// the run has, since a person chose it.
fn right(mark: &Mark, name: &str, is_own: impl Fn(&Names) -> bool, known: &Known<'_>) -> Right {
    let run = match mark {
        Mark::Run(run) => run,
        Mark::None => return Right::Leave("it has no tag kmslab:run".to_owned()),
        Mark::Unknown(reason) => return Right::Leave(reason.clone()),
    };
    let is_id = !run.is_empty() && run.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let is_adopted = || known.adopted.contains(&(run.clone(), name.to_owned()));
    if !is_id || !(is_own(&Names::new(run)) || is_adopted()) {
        return Right::Leave(format!("its tag kmslab:run is {run}, which does not belong to its name"));
    }
    if (known.is_living)(run) { Right::Skip(run.clone()) } else { Right::Remove(run.clone()) }
}

/// Decides about everything in `found`. `is_living` tells whether a run's lab is at work right now; `adopted` is what labs
/// had taken over from other clients, by run and name.
pub fn plan(found: &Inventory, is_living: &dyn Fn(&str) -> bool, adopted: BTreeSet<(String, String)>) -> Plan {
    let mut plan = Plan::default();
    let known = &Known { is_living, adopted: &adopted };
    for table in &found.tables {
        let steps = vec![Step::Call(Operation::DeleteTable { table: table.name.clone() })];
        let right = right(&table.mark, &table.name, |names| names.tables().contains(&table.name), known);
        plan.add(Kind::Table, right, &table.name, &table.arn, steps);
    }
    for user in &found.users {
        let name = || user.name.clone();
        let keys = user.access_keys.iter().cloned();
        let attached = user.attached_policies.iter().cloned();
        let inline = user.inline_policies.iter().cloned();
        let steps = keys
            .map(|access_key_id| Step::Call(Operation::DeleteAccessKey { user: name(), access_key_id }))
            .chain(attached.map(|policy_arn| Step::Call(Operation::DetachUserPolicy { user: name(), policy_arn })))
            .chain(inline.map(|policy| Step::DeleteUserPolicy { user: name(), policy }))
            .chain([Step::Call(Operation::DeleteUser { user: name() })])
            .collect();
        let right = right(&user.mark, &user.name, |names| names.user == user.name, known);
        plan.add(Kind::User, right, &user.name, &user.arn, steps);
    }
    for alias in &found.aliases {
        let steps = vec![Step::Call(Operation::DeleteAlias { alias: alias.name.clone() })];
        // An alias has no tags: it is a run's if its key is, or nobody's if its key is gone.
        let run = alias.name.strip_prefix(Names::new("").alias.as_str()).unwrap_or_default().to_owned();
        let mark = match &alias.target {
            None => Mark::Run(run),
            Some(target) => match found.keys.iter().find(|key| key.id == *target) {
                Some(key) => key.mark.clone(),
                None => Mark::None,
            },
        };
        let right = match right(&mark, &alias.name, |names| names.alias == alias.name, known) {
            Right::Leave(reason) if alias.target.is_some() => Right::Leave(format!("of its key: {reason}")),
            other => other,
        };
        plan.add(Kind::Alias, right, &alias.name, &alias.arn, steps);
    }
    for key in &found.keys {
        if key.pending_deletion {
            plan.pending.push(key.arn.clone());
            continue;
        }
        let steps = vec![Step::Call(Operation::ScheduleKeyDeletion { key: key.id.clone(), days: DELETION_DAYS })];
        let right = right(&key.mark, &key.arn, |names| names.key_description() == key.description, known);
        plan.add(Kind::Key, right, &key.id, &key.arn, steps);
    }
    plan.adopted = adopted;
    plan.keep_keys(found.unseen.iter().any(|refusal| refusal.starts_with("dynamodb:")));
    plan
}

/// Why a key stays while its table does.
pub const ITS_TABLE_STAYS: &str = "its table is still there, and can't be read without it";

impl Plan {
    /// Whether a thing is the table of that run.
    pub fn is_table_of(&self, run: &str, kind: Kind, name: &str) -> bool {
        let is_adopted = || self.adopted.contains(&(run.to_owned(), name.to_owned()));
        kind == Kind::Table && (name == Names::new(run).table || is_adopted())
    }

    fn add(&mut self, kind: Kind, right: Right, name: &str, arn: &str, steps: Vec<Step>) {
        match right {
            Right::Remove(run) => {
                self.items.push(Item { kind, run, name: name.to_owned(), arn: arn.to_owned(), steps });
            }
            Right::Skip(run) => {
                self.skipped.insert(run);
            }
            Right::Leave(reason) => self.untouched.push(Untouched { kind, name: name.to_owned(), reason }),
        }
    }

    /// Takes the keys out of the items whose table is not touched or, where `tables_unseen`, may be there.
    fn keep_keys(&mut self, tables_unseen: bool) {
        for item in std::mem::take(&mut self.items) {
            let is_its = |other: &Untouched| self.is_table_of(&item.run, other.kind, &other.name);
            let table_stays = self.untouched.iter().any(is_its);
            match item.kind {
                Kind::Key if tables_unseen => self.kept.push((item, "its table could not be looked for")),
                Kind::Key if table_stays => self.kept.push((item, ITS_TABLE_STAYS)),
                _ => self.items.push(item),
            }
        }
    }
}

/// Where the AWS console shows it. The partitions of China and of the US government have consoles of their own.
pub fn console_link(kind: Kind, name: &str, region: &str) -> String {
    let console = match region {
        region if region.starts_with("cn-") => "console.amazonaws.cn",
        region if region.starts_with("us-gov-") => "console.amazonaws-us-gov.com",
        _ => "console.aws.amazon.com",
    };
    let at = |service: &str| format!("https://{region}.{console}/{service}/home?region={region}#");
    match kind {
        Kind::Table => format!("{}table?name={name}", at("dynamodbv2")),
        // IAM is not of a region.
        Kind::User => format!("https://{console}/iam/home#/users/details/{name}"),
        Kind::Alias => format!("{}/kms/keys", at("kms")),
        Kind::Key => format!("{}/kms/keys/{name}", at("kms")),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::aws::inventory::{Alias, Key, Table, User};

    fn run(id: &str) -> Mark {
        Mark::Run(id.to_owned())
    }

    fn table(name: &str, mark: Mark) -> Inventory {
        let table = Table { name: name.into(), arn: format!("arn:{name}"), mark };
        Inventory { tables: vec![table], ..Inventory::default() }
    }

    fn key(id: &str, mark: Mark, description: &str) -> Key {
        Key { id: id.into(), arn: format!("arn:{id}"), mark, description: description.into(), pending_deletion: false }
    }

    fn alias(name: &str, target: Option<&str>) -> Inventory {
        let alias = Alias { name: name.into(), arn: format!("arn:{name}"), target: target.map(str::to_owned) };
        let keys = vec![
            key("ours", run("4f2a"), "kmslab 4f2a"),
            key("untagged", Mark::None, "kmslab 4f2a"),
            Key { pending_deletion: true, ..key("dying", run("4f2a"), "kmslab 4f2a") },
        ];
        Inventory { aliases: vec![alias], keys, ..Inventory::default() }
    }

    fn user(mark: Mark) -> User {
        User {
            name: "kmslab-user-4f2a".into(),
            arn: "arn:u".into(),
            mark,
            access_keys: vec!["AKIA1".into(), "AKIA2".into()],
            attached_policies: vec!["arn:p".into()],
            inline_policies: vec!["inline".into()],
        }
    }

    fn living(run: &str) -> bool {
        run == "a11ce"
    }

    fn removed(plan: &Plan, kind: Kind) -> Vec<&str> {
        plan.items.iter().filter(|item| item.kind == kind).map(|item| item.name.as_str()).collect()
    }

    #[rstest]
    #[case::tagged("records", run("4f2a"), true)]
    #[case::of_another_run("records", run("4f2b"), false)]
    #[case::no_tag("records", Mark::None, false)]
    #[case::another_name("production", run("4f2a"), false)]
    fn what_a_lab_took_over_needs_its_tag_and_the_journal(
        #[case] name: &str,
        #[case] mark: Mark,
        #[case] touched: bool,
    ) {
        let adopted: BTreeSet<_> =
            ["records", "arn:key"].map(|name| ("4f2a".to_owned(), name.to_owned())).into_iter().collect();
        let mut found = table(name, mark);
        found.keys = vec![key("key", run("4f2a"), "mine")];
        found.aliases = vec![Alias { name: "alias/mine".into(), arn: "a".into(), target: Some("key".into()) }];
        let plan = plan(&found, &living, adopted);
        assert_eq!(removed(&plan, Kind::Table), if touched { vec![name] } else { vec![] });
        // The key of a table that stays, stays.
        let stays = name == "records" && !touched;
        assert_eq!((removed(&plan, Kind::Key).len(), plan.kept.len()), if stays { (0, 1) } else { (1, 0) });
        assert_eq!(removed(&plan, Kind::Alias), [] as [&str; 0], "the journal doesn't have the alias");
    }

    #[rstest]
    #[case::ours("kmslab-table-4f2a", run("4f2a"), true)]
    #[case::of_this_run("kmslab-table-aws-owned-4f2a", run("4f2a"), true)]
    #[case::of_this_run("kmslab-table-aws-managed-4f2a", run("4f2a"), true)]
    #[case::of_another_run("kmslab-table-aws-managed-4f2a", run("4f2b"), false)]
    #[case::no_tag("kmslab-table-mine", Mark::None, false)]
    #[case::unreadable_tags("kmslab-table-4f2a", Mark::Unknown("denied".into()), false)]
    #[case::another_name("production", run("4f2a"), false)]
    #[case::another_run("kmslab-table-4f2a", run("4f2b"), false)]
    #[case::no_run("kmslab-table-", run(""), false)]
    #[case::no_id("kmslab-table-../x", run("../x"), false)]
    #[case::a_living_lab("kmslab-table-a11ce", run("a11ce"), false)]
    fn a_table_needs_the_tag_and_the_name(#[case] name: &str, #[case] mark: Mark, #[case] touched: bool) {
        let plan = plan(&table(name, mark), &living, BTreeSet::new());
        assert_eq!(!plan.items.is_empty(), touched, "{plan:?}");
        // What isn't removed is reported.
        assert_eq!(plan.untouched.len() + plan.skipped.len(), usize::from(!touched), "{plan:?}");
    }

    #[rstest]
    #[case::of_our_key("alias/kmslab-key-4f2a", Some("ours"), true)]
    #[case::of_a_key_that_will_be_gone("alias/kmslab-key-4f2a", Some("dying"), true)]
    #[case::of_a_key_that_is_gone("alias/kmslab-key-4f2a", None, true)]
    #[case::of_an_untagged_key("alias/kmslab-key-4f2a", Some("untagged"), false)]
    #[case::of_a_key_of_somebody_else("alias/kmslab-key-4f2a", Some("foreign"), false)]
    #[case::of_another_run("alias/kmslab-key-beef", Some("ours"), false)]
    #[case::of_a_living_lab("alias/kmslab-key-a11ce", None, false)]
    #[case::somebodys_alias_on_our_key("alias/mine", Some("ours"), false)]
    fn an_alias_needs_the_name_and_a_key_of_ours(
        #[case] name: &str,
        #[case] target: Option<&str>,
        #[case] touched: bool,
    ) {
        let plan = plan(&alias(name, target), &living, BTreeSet::new());
        assert_eq!(removed(&plan, Kind::Alias), if touched { vec![name] } else { vec![] }, "{plan:?}");
    }

    #[test]
    fn a_key_is_removed_by_tag_and_description() {
        let mut found = alias("alias/kmslab-key-4f2a", None);
        found.keys.push(key("described", run("4f2a"), "the key of our invoices"));
        let plan = plan(&found, &living, BTreeSet::new());
        assert_eq!(removed(&plan, Kind::Key), ["ours"]);
        assert_eq!(plan.pending, ["arn:dying"]);
        assert_eq!(plan.untouched.len(), 2, "{:?}", plan.untouched);
        let schedule = Operation::ScheduleKeyDeletion { key: "ours".into(), days: 7 };
        assert_eq!(plan.items.last().unwrap().steps, [Step::Call(schedule)]);
    }

    #[test]
    fn a_user_goes_after_everything_that_is_on_it() {
        let found = Inventory { users: vec![user(run("4f2a"))], ..Inventory::default() };
        let plan = plan(&found, &living, BTreeSet::new());
        let user = || "kmslab-user-4f2a".to_owned();
        assert_eq!(
            plan.items[0].steps,
            [
                Step::Call(Operation::DeleteAccessKey { user: user(), access_key_id: "AKIA1".into() }),
                Step::Call(Operation::DeleteAccessKey { user: user(), access_key_id: "AKIA2".into() }),
                Step::Call(Operation::DetachUserPolicy { user: user(), policy_arn: "arn:p".into() }),
                Step::DeleteUserPolicy { user: user(), policy: "inline".into() },
                Step::Call(Operation::DeleteUser { user: user() }),
            ]
        );
    }

    #[rstest]
    #[case::untouched_table(Mark::None, &[], "its table is still there")]
    #[case::unseen_tables(run("beef"), &["dynamodb:ListTables: AccessDenied"], "its table could not be looked for")]
    fn a_key_stays_where_its_table_does(#[case] of_table: Mark, #[case] unseen: &[&str], #[case] reason: &str) {
        let mut found = table("kmslab-table-4f2a", of_table);
        found.keys = vec![key("ours", run("4f2a"), "kmslab 4f2a")];
        found.unseen = unseen.iter().map(|refusal| (*refusal).to_owned()).collect();
        let plan = plan(&found, &living, BTreeSet::new());
        assert_eq!(removed(&plan, Kind::Key), [""; 0]);
        assert_eq!(plan.kept[0].0.name, "ours");
        assert!(plan.kept[0].1.starts_with(reason), "{:?}", plan.kept);
    }

    #[test]
    fn tables_come_before_users_aliases_and_keys() {
        let mut found = alias("alias/kmslab-key-4f2a", Some("ours"));
        found.users = vec![user(run("4f2a"))];
        found.tables = table("kmslab-table-4f2a", run("4f2a")).tables;
        let kinds: Vec<Kind> = plan(&found, &living, BTreeSet::new()).items.iter().map(|item| item.kind).collect();
        assert_eq!(kinds, [Kind::Table, Kind::User, Kind::Alias, Kind::Key]);
    }

    #[rstest]
    #[case(
        Kind::Table,
        "eu-west-1",
        "https://eu-west-1.console.aws.amazon.com/dynamodbv2/home?region=eu-west-1#table?name=n"
    )]
    #[case(Kind::User, "eu-west-1", "https://console.aws.amazon.com/iam/home#/users/details/n")]
    #[case(Kind::Key, "eu-west-1", "https://eu-west-1.console.aws.amazon.com/kms/home?region=eu-west-1#/kms/keys/n")]
    #[case(Kind::Key, "cn-north-1", "https://cn-north-1.console.amazonaws.cn/kms/home?region=cn-north-1#/kms/keys/n")]
    #[case(Kind::User, "us-gov-west-1", "https://console.amazonaws-us-gov.com/iam/home#/users/details/n")]
    fn the_console_shows_it(#[case] kind: Kind, #[case] region: &str, #[case] link: &str) {
        assert_eq!(console_link(kind, "n", region), link);
    }
}
