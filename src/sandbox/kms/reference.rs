//! The four ways to name a key: key id, key ARN, alias name, alias ARN.

/// What a `KeyId` member names, before anybody has looked whether it exists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reference {
    /// A key of this account and Region, by its id.
    Key(String),
    /// An alias of this account and Region, with its `alias/` prefix.
    Alias(String),
    /// A key or alias of another account: never visible here, whatever the policies say.
    Foreign(String),
}

/// Where the sandbox lives; decides what an ARN may name.
#[derive(Debug, Clone, Copy)]
pub struct Home<'a> {
    /// The twelve digits.
    pub account: &'a str,
    /// For example `us-east-1`.
    pub region: &'a str,
}

impl Home<'_> {
    /// The ARN of a key of this account and Region.
    pub fn key_arn(&self, key_id: &str) -> String {
        format!("arn:aws:kms:{}:{}:key/{key_id}", self.region, self.account)
    }

    /// The ARN of an alias; `name` carries the `alias/` prefix.
    pub fn alias_arn(&self, name: &str) -> String {
        format!("arn:aws:kms:{}:{}:{name}", self.region, self.account)
    }

    /// Reads a `KeyId` member. The error is the message of KMS's `NotFoundException` (issue threads).
    pub fn parse(&self, text: &str) -> Result<Reference, String> {
        if let Some(rest) = text.strip_prefix("arn:") {
            return self.parse_arn(text, rest);
        }
        if text.starts_with("alias/") {
            return Ok(Reference::Alias(text.to_owned()));
        }
        if is_key_id(text) { Ok(Reference::Key(text.to_owned())) } else { Err(format!("Invalid keyId '{text}'")) }
    }

    fn parse_arn(&self, text: &str, rest: &str) -> Result<Reference, String> {
        let mut parts = rest.splitn(5, ':');
        let (Some("aws"), Some("kms"), Some(region), Some(account), Some(resource)) =
            (parts.next(), parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err("Invalid arn".to_owned());
        };
        if region != self.region {
            return Err(format!("Invalid arn {region}"));
        }
        let named = match resource.strip_prefix("key/") {
            Some(id) if is_key_id(id) => Reference::Key(id.to_owned()),
            Some(id) => return Err(format!("Invalid keyId '{id}'")),
            None if resource.starts_with("alias/") => Reference::Alias(resource.to_owned()),
            None => return Err("Invalid arn".to_owned()),
        };
        Ok(if account == self.account { named } else { Reference::Foreign(text.to_owned()) })
    }
}

/// A uuid, or a multi-Region key's `mrk-` id (the sandbox has none, so it is well-formed and never found).
fn is_key_id(text: &str) -> bool {
    let hex = |s: &str| s.bytes().all(|b| b.is_ascii_hexdigit());
    if let Some(id) = text.strip_prefix("mrk-") {
        return id.len() == 32 && hex(id);
    }
    let groups: Vec<&str> = text.split('-').collect();
    groups.iter().map(|g| g.len()).eq([8, 4, 4, 4, 12]) && groups.iter().all(|g| hex(g))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    const ID: &str = "1234abcd-12ab-34cd-56ef-1234567890ab";
    const HOME: Home = Home { account: "111122223333", region: "us-east-1" };

    #[rstest]
    #[case::id(ID, Ok(Reference::Key(ID.into())))]
    #[case::arn(&HOME.key_arn(ID), Ok(Reference::Key(ID.into())))]
    #[case::alias("alias/a/b", Ok(Reference::Alias("alias/a/b".into())))]
    #[case::alias_arn("arn:aws:kms:us-east-1:111122223333:alias/a", Ok(Reference::Alias("alias/a".into())))]
    #[case::multi_region("mrk-1234abcd12ab34cd56ef1234567890ab", Ok(Reference::Key("mrk-1234abcd12ab34cd56ef1234567890ab".into())))]
    #[case::other_region("arn:aws:kms:us-west-1:111122223333:key/x", Err("Invalid arn us-west-1".into()))]
    #[case::other_service("arn:aws:iam::111122223333:user/a", Err("Invalid arn".into()))]
    #[case::short("arn:aws:kms", Err("Invalid arn".into()))]
    #[case::neither("arn:aws:kms:us-east-1:111122223333:table/a", Err("Invalid arn".into()))]
    #[case::word("my-key", Err("Invalid keyId 'my-key'".into()))]
    #[case::almost("1234abcd-12ab-34cd-56ef-1234567890ag", Err("Invalid keyId '1234abcd-12ab-34cd-56ef-1234567890ag'".into()))]
    fn names(#[case] text: &str, #[case] expected: Result<Reference, String>) {
        assert_eq!(HOME.parse(text), expected);
    }

    #[test]
    fn another_account_is_foreign() {
        let arn = HOME.key_arn(ID).replace("1111", "9999");
        assert_eq!(HOME.parse(&arn), Ok(Reference::Foreign(arn)));
    }
}
