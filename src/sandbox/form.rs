//! The flat parameters of the query protocol.

use std::collections::HashMap;

/// `Action=CreateUser&UserName=alice`. Of a parameter sent twice the first counts.
///
/// Found by name, because lists are read member by member: a search through all of them would let one megabyte of list
/// keep the sandbox busy for a minute.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Form(HashMap<String, String>);

impl Form {
    /// Reads `application/x-www-form-urlencoded` text; `None` when its bytes are not UTF-8, before or after decoding.
    pub fn parse(body: &[u8]) -> Option<Self> {
        std::str::from_utf8(body).ok()?;
        let mut pairs = Vec::new();
        for (name, value) in form_urlencoded::parse(body) {
            // The decoder puts U+FFFD where the decoded bytes are not UTF-8. A client that really means that character
            // is turned away too, which no client of IAM or STS will notice.
            if name.contains('\u{FFFD}') || value.contains('\u{FFFD}') {
                return None;
            }
            pairs.push((name.into_owned(), value.into_owned()));
        }
        Some(pairs.into_iter().collect())
    }

    /// The value of a parameter.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// Whether a parameter is there: a single value, a list or a structure.
    pub fn has(&self, name: &str) -> bool {
        let below =
            |known: &String| known.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
        self.0.keys().any(below)
    }
}

impl<N: Into<String>, V: Into<String>> FromIterator<(N, V)> for Form {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(pairs: I) -> Self {
        let mut form = Self::default();
        for (name, value) in pairs {
            form.0.entry(name.into()).or_insert_with(|| value.into());
        }
        form
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_pairs_and_lists() {
        let form = Form::parse(b"Action=TagUser&UserName=a%20b+c&TagKeys.member.1=x&TagKeys.member.2=y").unwrap();
        assert_eq!(form.get("UserName"), Some("a b c"));
        assert_eq!(form.get("TagKeys.member.2"), Some("y"));
        assert_eq!(form.get("Nothing"), None);
        assert_eq!(["TagKeys", "UserName", "Tag", ""].map(|name| form.has(name)), [true, true, false, false]);
        assert_eq!(Form::parse(b"a=1&a=2").unwrap().get("a"), Some("1"));
    }

    #[test]
    fn refuses_what_is_not_utf8() {
        assert_eq!(Form::parse(b"a=\xff"), None);
        assert_eq!(Form::parse(b"a=%ff"), None);
        assert_eq!(Form::parse(b""), Some(Form::default()));
    }
}
