//! The screens of a film, in their order.

use super::stage::Stage;

/// A screen of a film.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "each is told in the lesson's film.toml, under its id")]
pub enum Shot {
    Title,
    Setting,
    Who,
    WhoDone,
    Key,
    KeyDone,
    KeyPolicy,
    Table,
    TableDone,
    Read,
    ReadDone,
    User,
    UserDone,
    SameScan,
    Denied,
    Error,
    Why,
    OnBehalf,
    ThreeWays,
    Policy,
    PolicyDone,
    Again,
    Allowed,
    Revoke,
    CleanUp,
    CleanUpDone,
    End,
}

/// What a shot shows: its id, its stage, and whether that stage's calls have been answered.
type Def = (Shot, &'static str, Option<(Stage, bool)>);

const DEFS: [Def; 27] = [
    (Shot::Title, "title", None),
    (Shot::Setting, "setting", None),
    (Shot::Who, "who", Some((Stage::Who, false))),
    (Shot::WhoDone, "who_done", Some((Stage::Who, true))),
    (Shot::Key, "key", Some((Stage::CreateKey, false))),
    (Shot::KeyDone, "key_done", Some((Stage::CreateKey, true))),
    (Shot::KeyPolicy, "key_policy", Some((Stage::CreateKey, true))),
    (Shot::Table, "table", Some((Stage::CreateTable, false))),
    (Shot::TableDone, "table_done", Some((Stage::CreateTable, true))),
    (Shot::Read, "read", Some((Stage::ViewAdmin, false))),
    (Shot::ReadDone, "read_done", Some((Stage::ViewAdmin, true))),
    (Shot::User, "user", Some((Stage::CreateUser, false))),
    (Shot::UserDone, "user_done", Some((Stage::CreateUser, true))),
    (Shot::SameScan, "same_scan", Some((Stage::ViewDenied, false))),
    (Shot::Denied, "denied", Some((Stage::ViewDenied, true))),
    (Shot::Error, "error", Some((Stage::ViewDenied, true))),
    (Shot::Why, "why", Some((Stage::ViewDenied, true))),
    (Shot::OnBehalf, "on_behalf", Some((Stage::ViewDenied, true))),
    (Shot::ThreeWays, "three_ways", Some((Stage::Grant, false))),
    (Shot::Policy, "policy", Some((Stage::Grant, false))),
    (Shot::PolicyDone, "policy_done", Some((Stage::Grant, true))),
    (Shot::Again, "again", Some((Stage::ViewAgain, false))),
    (Shot::Allowed, "allowed", Some((Stage::ViewAgain, true))),
    (Shot::Revoke, "revoke", Some((Stage::ViewAgain, true))),
    (Shot::CleanUp, "clean_up", Some((Stage::CleanUp, false))),
    (Shot::CleanUpDone, "clean_up_done", Some((Stage::CleanUp, true))),
    (Shot::End, "end", None),
];

impl Shot {
    /// All of them, in the order of a film.
    pub fn all() -> impl Iterator<Item = Shot> {
        DEFS.iter().map(|(shot, ..)| *shot)
    }

    fn def(self) -> &'static Def {
        &DEFS[self as usize]
    }

    /// The id in the lesson's `film.toml`.
    pub fn id(self) -> &'static str {
        self.def().1
    }

    /// The stage it belongs to; none for the cards.
    pub fn stage(self) -> Option<Stage> {
        self.def().2.map(|(stage, _)| stage)
    }

    /// The shots of `stage`: those before its calls, or those after.
    pub fn of(stage: Stage, after: bool) -> impl Iterator<Item = Shot> {
        DEFS.iter().filter(move |(.., place)| *place == Some((stage, after))).map(|(shot, ..)| *shot)
    }

    /// Whether the stage's calls have been answered.
    pub fn is_after(self) -> bool {
        self.def().2.is_some_and(|(_, after)| after)
    }

    /// How much longer it stays when somebody speaks, in milliseconds: a question hangs.
    pub fn beat(self) -> u64 {
        match self {
            Shot::Key => 1_500,
            Shot::SameScan => 2_500,
            _ => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_shot_stands_in_its_place() {
        for (index, shot) in Shot::all().enumerate() {
            assert_eq!(shot as usize, index, "{shot:?}");
        }
        for stage in Stage::ALL {
            assert!(Shot::of(stage, false).count() > 0 && Shot::of(stage, true).count() > 0, "{stage:?}");
        }
    }
}
