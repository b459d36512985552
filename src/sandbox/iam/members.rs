//! Members that several operations of IAM have, and their rules.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::sandbox::error::Fault;
use crate::sandbox::validate::{Members, violation};
use crate::sandbox::xml::{self, Xml};

/// 400 `ValidationError`
pub fn invalid(message: impl Into<String>) -> Fault {
    Fault::service(400, "ValidationError", message)
}

/// The name of a user or policy: letters, digits and `+=,.@_-`.
fn name(members: &Members<'_>, parameter: &str, spelling: &str, most: usize) -> Result<String, Fault> {
    let name = members.str(parameter, 1..=most)?;
    if name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+=,.@_-".contains(&byte)) {
        return Ok(name.to_owned());
    }
    Err(invalid(format!(
        "The specified value for {spelling} is invalid. It must contain only alphanumeric characters and/or the \
         following: +=,.@_-"
    )))
}

/// `UserName`, which has to be there.
///
/// # Errors
/// `ValidationError`
pub fn user_name(members: &Members<'_>) -> Result<String, Fault> {
    name(members, "UserName", "userName", 64)
}

/// `UserName`, which may be missing.
///
/// # Errors
/// `ValidationError`
pub fn optional_user_name(members: &Members<'_>) -> Result<Option<String>, Fault> {
    members.text("UserName")?.map(|_| user_name(members)).transpose()
}

/// `RoleName`
///
/// # Errors
/// `ValidationError`
pub fn role_name(members: &Members<'_>) -> Result<String, Fault> {
    name(members, "RoleName", "roleName", 64)
}

/// `PolicyName`
///
/// # Errors
/// `ValidationError`
pub fn policy_name(members: &Members<'_>) -> Result<String, Fault> {
    name(members, "PolicyName", "policyName", 128)
}

/// `AccessKeyId`
///
/// # Errors
/// `ValidationError`
pub fn access_key_id(members: &Members<'_>) -> Result<String, Fault> {
    let id = members.str("AccessKeyId", 16..=128)?;
    if id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
        return Ok(id.to_owned());
    }
    Err(invalid("The specified value for accessKeyId is invalid. It must contain only alphanumeric characters."))
}

/// `PolicyArn`
///
/// # Errors
/// `InvalidInput`
pub fn policy_arn(members: &Members<'_>) -> Result<String, Fault> {
    let arn = members.str("PolicyArn", 20..=2048)?;
    if arn.starts_with("arn:") && arn.split(':').count() >= 6 {
        return Ok(arn.to_owned());
    }
    Err(Fault::service(400, "InvalidInput", format!("ARN {arn} is not valid.")))
}

/// `Path` or `PathPrefix`: `/`, or printable ASCII between two `/`. If it is missing, it is `/`.
///
/// # Errors
/// `ValidationError`
pub fn path(members: &Members<'_>, parameter: &str) -> Result<String, Fault> {
    let Some(path) = members.optional_str(parameter, 1..=512)? else { return Ok("/".to_owned()) };
    let printable = path.bytes().all(|byte| byte.is_ascii_graphic());
    // A path prefix need not end with a slash.
    let ends = parameter != "Path" || path.ends_with('/');
    if path.starts_with('/') && ends && printable && !path.contains("//") {
        return Ok(path.to_owned());
    }
    let spelling = if parameter == "Path" { "path" } else { "pathPrefix" };
    Err(invalid(format!(
        "The specified value for {spelling} is invalid. It must begin and end with / and contain only alphanumeric \
         characters and/or / characters."
    )))
}

/// `Tags`; absent is empty.
///
/// # Errors
/// `InvalidInput`, `LimitExceeded`
pub fn tags(members: &Members<'_>) -> Result<Vec<(String, String)>, Fault> {
    let mut tags: Vec<(String, String)> = Vec::new();
    for tag in members.structures("Tags", "Key")? {
        let (key, value) = (tag.str("Key", 1..=128)?, tag.str("Value", 0..=256)?);
        if tags.iter().any(|(known, _)| known.eq_ignore_ascii_case(key)) {
            let message = "Duplicate tag keys found. Please note that Tag keys are case insensitive.";
            return Err(Fault::service(400, "InvalidInput", message));
        }
        // In the loop: each tag is compared with all before it.
        if tags.len() == MAX_TAGS {
            return Err(too_many_tags());
        }
        tags.push((key.to_owned(), value.to_owned()));
    }
    Ok(tags)
}

/// Adds tags, or replaces those of the same keys.
///
/// # Errors
/// `LimitExceeded`
pub fn add_tags(known: &mut Vec<(String, String)>, tags: Vec<(String, String)>) -> Result<(), Fault> {
    for (key, value) in tags {
        match known.iter_mut().find(|(known, _)| known.eq_ignore_ascii_case(&key)) {
            Some(tag) => *tag = (key, value),
            None => known.push((key, value)),
        }
    }
    if known.len() > MAX_TAGS { Err(too_many_tags()) } else { Ok(()) }
}

/// The most tags that a user or role can have.
pub const MAX_TAGS: usize = 50;

/// 409 `LimitExceeded`
pub fn too_many_tags() -> Fault {
    let message = format!("The number of tags has reached the maximum limit of {MAX_TAGS}.");
    Fault::service(409, "LimitExceeded", message)
}

/// The part of a list that a request asks for.
#[derive(Debug)]
pub struct Page {
    most: usize,
    /// The key of the last item of the page before.
    after: Option<String>,
}

impl Page {
    /// Reads `MaxItems` (100 if missing) and `Marker`. A marker is opaque to clients; it names the last item they saw, so
    /// that items created or deleted meanwhile don't shift the rest.
    ///
    /// # Errors
    /// `ValidationError`, `MalformedInput`.
    pub fn parse(members: &Members<'_>) -> Result<Self, Fault> {
        let out_of_range = |value: usize, rule: &str| {
            Fault::Violations(vec![violation(
                &format!("'{value}'"),
                "maxItems",
                format!("Member must have value {rule}"),
            )])
        };
        let most = match members.text("MaxItems")? {
            None => 100,
            Some(text) => match text.parse::<usize>() {
                Ok(number @ 1..=1000) => number,
                Ok(0) => return Err(out_of_range(0, "greater than or equal to 1")),
                Ok(number) => return Err(out_of_range(number, "less than or equal to 1000")),
                Err(_) => {
                    return Err(Fault::service(400, "MalformedInput", format!("MaxItems {text:?} is no number")));
                }
            },
        };
        let decode = |marker| String::from_utf8(URL_SAFE_NO_PAD.decode(marker).ok()?).ok();
        let after = members.text("Marker")?.map(|marker| decode(marker).ok_or_else(|| invalid("Invalid Marker.")));
        Ok(Self { most, after: after.transpose()? })
    }

    /// Cuts the page out of `items`, and returns the key of its last item if there are more.
    pub fn cut<T>(self, items: impl IntoIterator<Item = T>, key: impl Fn(&T) -> &str) -> (Vec<T>, Option<String>) {
        let mut items: Vec<T> = items.into_iter().collect();
        if let Some(last) = self.after {
            let seen = items.iter().position(|item| key(item) == last).map(|at| at + 1);
            // The item is gone meanwhile: continue with what comes after it by name.
            let next = seen.or_else(|| items.iter().position(|item| key(item) > last.as_str()));
            items.drain(..next.unwrap_or(items.len()));
        }
        let last = (items.len() > self.most).then(|| key(&items[self.most - 1]).to_owned());
        items.truncate(self.most);
        (items, last)
    }

    /// Writes the page of `items` as the list `name`, and whether there is more.
    pub fn write<T>(
        self,
        out: &mut Xml,
        name: &str,
        items: impl IntoIterator<Item = T>,
        key: impl Fn(&T) -> &str,
        each: impl Fn(&mut Xml, T),
    ) {
        let (items, last) = self.cut(items, key);
        xml::list(out, name, items, each);
        xml::leaf(out, "IsTruncated", if last.is_some() { "true" } else { "false" });
        if let Some(last) = last {
            xml::leaf(out, "Marker", &URL_SAFE_NO_PAD.encode(last));
        }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::sandbox::service::Service;
    use crate::sandbox::validate::{Params, read};

    fn given<T>(parameters: &[(&str, &str)], parse: impl FnOnce(&Members<'_>) -> Result<T, Fault>) -> Result<T, Fault> {
        read(Service::Iam, &Params::Query(parameters.iter().copied().collect()), parse)
    }

    #[rstest]
    #[case(&[], "1 validation error detected: Value null at 'userName' failed to satisfy constraint: Member must not be null")]
    #[case(&[("UserName", "")], "1 validation error detected: Value '' at 'userName' failed to satisfy constraint: Member must have length greater than or equal to 1")]
    #[case(&[("UserName", "a b")], "The specified value for userName is invalid. It must contain only alphanumeric characters and/or the following: +=,.@_-")]
    #[case(&[("UserName", "a/../b")], "The specified value for userName is invalid. It must contain only alphanumeric characters and/or the following: +=,.@_-")]
    fn user_names_refused(#[case] parameters: &[(&str, &str)], #[case] expected: &str) {
        let fault = given(parameters, user_name).unwrap_err();
        assert_eq!((fault.status(Service::Iam), fault.code(Service::Iam)), (400, "ValidationError"));
        assert_eq!(fault.message(Service::Iam).as_deref(), Some(expected));
    }

    #[test]
    fn lengths_are_limited() {
        let fault = given(&[("UserName", &"x".repeat(65))], user_name).unwrap_err();
        assert!(fault.message(Service::Iam).unwrap().ends_with("length less than or equal to 64"));
        assert_eq!(given(&[("UserName", &"x".repeat(64))], user_name).unwrap().len(), 64);
    }

    #[rstest]
    #[case("/", true)]
    #[case("/a/b/", true)]
    #[case("/a", false)]
    #[case("a/", false)]
    #[case("/a//b/", false)]
    #[case("/a b/", false)]
    #[case("", false)]
    fn paths(#[case] text: &str, #[case] good: bool) {
        assert_eq!(given(&[("Path", text)], |m| path(m, "Path")).is_ok(), good);
    }

    #[test]
    fn pages_follow_each_other() {
        let names = ["a", "b", "c", "d", "e"];
        let (mut marker, mut seen) = (None, Vec::new());
        loop {
            let mut parameters = vec![("MaxItems", "2".to_owned())];
            parameters.extend(marker.take().map(|marker| ("Marker", URL_SAFE_NO_PAD.encode::<String>(marker))));
            let parameters: Vec<(&str, &str)> = parameters.iter().map(|(name, value)| (*name, &**value)).collect();
            let (items, last) = given(&parameters, Page::parse).unwrap().cut(names, |name| name);
            seen.push(items.len());
            match last {
                Some(last) => marker = Some(last),
                None => break,
            }
        }
        assert_eq!(seen, [2, 2, 1]);
    }

    #[rstest]
    #[case("MaxItems", "0", "ValidationError")]
    #[case("MaxItems", "1001", "ValidationError")]
    #[case("MaxItems", "many", "MalformedInput")]
    #[case("Marker", "*", "ValidationError")]
    fn pages_refused(#[case] parameter: &str, #[case] value: &str, #[case] code: &str) {
        assert_eq!(given(&[(parameter, value)], Page::parse).unwrap_err().code(Service::Iam), code);
    }

    #[test]
    fn tags_are_paired_and_unique() {
        let two = [
            ("Tags.member.1.Key", "a"),
            ("Tags.member.1.Value", ""),
            ("Tags.member.2.Key", "b"),
            ("Tags.member.2.Value", "2"),
        ];
        let expected = [("a".to_owned(), String::new()), ("b".to_owned(), "2".to_owned())];
        assert_eq!(given(&two, tags).unwrap(), expected);
        let fault = given(&[("Tags.member.1.Key", "a")], tags).unwrap_err();
        assert_eq!(fault.code(Service::Iam), "ValidationError");
        let same = two.map(|(name, value)| (name, if name.ends_with("Key") { "A" } else { value }));
        assert_eq!(given(&same, tags).unwrap_err().code(Service::Iam), "InvalidInput");
    }
}
