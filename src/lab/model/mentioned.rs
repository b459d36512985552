//! The ids and names of a run that a statement or a grant can mention.

use super::facts::{Facts, Names};
use super::operation::Identity;

/// Ids and names, each at its own place; `None` for what isn't known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mentioned([Option<String>; 9]);

impl Mentioned {
    /// What is known of a run.
    pub fn of(facts: &Facts, names: &Names, region: &str) -> Mentioned {
        Mentioned([
            facts.principal(Identity::TestUser),
            facts.principal(Identity::Admin),
            facts.key_arn().map(str::to_owned),
            facts.key_id().map(str::to_owned),
            facts.admin.as_ref().map(|admin| admin.account.clone()),
            Some(region.to_owned()),
            Some(names.table.clone()),
            Some(names.user.clone()),
            Some(names.alias.clone()),
        ])
    }

    /// The same places with texts of one's own.
    pub fn new(texts: [&str; 9]) -> Mentioned {
        Mentioned(texts.map(|text| Some(text.to_owned())))
    }

    /// `text` with what `to` has in place of what is mentioned here.
    pub fn replaced(&self, text: &str, to: &Mentioned) -> String {
        let pairs = self.0.iter().zip(&to.0).filter_map(|(from, to)| from.as_ref().zip(to.as_ref()));
        let mut pairs: Vec<(&String, &String)> = pairs.filter(|(from, _)| !from.is_empty()).collect();
        // An ARN before the names in it.
        pairs.sort_by_key(|(from, _)| std::cmp::Reverse(from.len()));
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(c) = rest.chars().next() {
            let found = pairs.iter().find(|(from, _)| rest.starts_with(from.as_str()));
            let length = found.map_or(c.len_utf8(), |(from, _)| from.len());
            out.push_str(found.map_or(&rest[..length], |(_, to)| to.as_str()));
            rest = &rest[length..];
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_arn_goes_before_the_names_in_it() {
        let old = ["arn:1:user/max", "arn:1:user/adm", "arn:eu:1:key/k2", "k2", "1", "eu", "tab", "max", "alias/x"];
        let new = ["USER", "ADMIN", "KEY", "ID", "ACCOUNT", "REGION", "TABLE", "NAME", "ALIAS"];
        let text =
            Mentioned::new(old).replaced("arn:1:user/max arn:1:root arn:eu:1:key/k2 eu/max", &Mentioned::new(new));
        assert_eq!(text, "USER arn:ACCOUNT:root KEY REGION/NAME");
    }
}
