//! The flat parameters of the query protocol.

/// `Action=CreateUser&UserName=alice`, in the order sent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Form(Vec<(String, String)>);

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
        Some(Self(pairs))
    }

    /// The first value of a parameter.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The values of a list parameter, `name.member.1`, `name.member.2`, …
    pub fn members<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        (1..).map_while(move |n: usize| self.get(&format!("{name}.member.{n}")))
    }

    /// All parameters, in the order sent.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

impl<N: Into<String>, V: Into<String>> FromIterator<(N, V)> for Form {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(pairs: I) -> Self {
        Self(pairs.into_iter().map(|(name, value)| (name.into(), value.into())).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_pairs_and_lists() {
        let form = Form::parse(b"Action=TagUser&UserName=a%20b+c&TagKeys.member.1=x&TagKeys.member.2=y").unwrap();
        assert_eq!(form.get("UserName"), Some("a b c"));
        assert_eq!(form.members("TagKeys").collect::<Vec<_>>(), ["x", "y"]);
        assert_eq!(form.get("Nothing"), None);
    }

    #[test]
    fn refuses_what_is_not_utf8() {
        assert_eq!(Form::parse(b"a=\xff"), None);
        assert_eq!(Form::parse(b"a=%ff"), None);
        assert_eq!(Form::parse(b""), Some(Form::default()));
    }
}
