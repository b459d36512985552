//! Reading and checking the parameters of a call.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::sandbox::error::Fault;
use crate::sandbox::form::Form;

/// 400 `ValidationError`
pub(super) fn invalid(message: impl Into<String>) -> Fault {
    Fault::service(400, "ValidationError", message)
}

fn constraint(value: &str, member: &str, constraint: &str) -> Fault {
    Fault::Violations(vec![format!("Value {value} at '{member}' failed to satisfy constraint: {constraint}")])
}

/// `UserName` as AWS's messages spell it: `userName`.
fn member(parameter: &str) -> String {
    let mut letters = parameter.chars();
    letters.next().map(|first| first.to_ascii_lowercase()).into_iter().chain(letters).collect()
}

/// A parameter that must be there.
pub(super) fn required<'a>(form: &'a Form, parameter: &str) -> Result<&'a str, Fault> {
    form.get(parameter).ok_or_else(|| constraint("null", &member(parameter), "Member must not be null"))
}

fn check_length(value: &str, parameter: &str, least: usize, most: usize) -> Result<(), Fault> {
    let length = value.chars().count();
    let quoted = || format!("'{value}'");
    if length < least {
        let rule = format!("Member must have length greater than or equal to {least}");
        return Err(constraint(&quoted(), &member(parameter), &rule));
    }
    if length > most {
        let rule = format!("Member must have length less than or equal to {most}");
        return Err(constraint(&quoted(), &member(parameter), &rule));
    }
    Ok(())
}

/// The name of a user or policy: letters, digits and `+=,.@_-`.
fn check_name(value: &str, parameter: &str, most: usize) -> Result<(), Fault> {
    check_length(value, parameter, 1, most)?;
    if value.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+=,.@_-".contains(&byte)) {
        return Ok(());
    }
    Err(invalid(format!(
        "The specified value for {} is invalid. It must contain only alphanumeric characters and/or the following: \
         +=,.@_-",
        member(parameter)
    )))
}

/// `UserName`, which must be there.
pub(super) fn user_name(form: &Form) -> Result<&str, Fault> {
    let name = required(form, "UserName")?;
    check_name(name, "UserName", 64)?;
    Ok(name)
}

/// `UserName`, where it may be left out.
pub(super) fn optional_user_name(form: &Form) -> Result<Option<&str>, Fault> {
    form.get("UserName").map(|_| user_name(form)).transpose()
}

/// `PolicyName`
pub(super) fn policy_name(form: &Form) -> Result<&str, Fault> {
    let name = required(form, "PolicyName")?;
    check_name(name, "PolicyName", 128)?;
    Ok(name)
}

/// `AccessKeyId`
pub(super) fn access_key_id(form: &Form) -> Result<&str, Fault> {
    let id = required(form, "AccessKeyId")?;
    check_length(id, "AccessKeyId", 16, 128)?;
    if id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
        return Ok(id);
    }
    Err(invalid("The specified value for accessKeyId is invalid. It must contain only alphanumeric characters."))
}

/// `Status` of an access key: whether it is to be active.
pub(super) fn status(form: &Form) -> Result<bool, Fault> {
    match required(form, "Status")? {
        "Active" => Ok(true),
        "Inactive" => Ok(false),
        other => {
            let rule = "Member must satisfy enum value set: [Active, Inactive]";
            Err(constraint(&format!("'{other}'"), "status", rule))
        }
    }
}

/// `PolicyArn`
pub(super) fn policy_arn(form: &Form) -> Result<&str, Fault> {
    let arn = required(form, "PolicyArn")?;
    check_length(arn, "PolicyArn", 20, 2048)?;
    if arn.starts_with("arn:") && arn.split(':').count() >= 6 {
        return Ok(arn);
    }
    Err(Fault::service(400, "InvalidInput", format!("ARN {arn} is not valid.")))
}

/// `PolicyDocument`
pub(super) fn policy_document(form: &Form) -> Result<&str, Fault> {
    let text = required(form, "PolicyDocument")?;
    check_length(text, "PolicyDocument", 1, 131_072)?;
    Ok(text)
}

/// A path: `/`, or printable ASCII between two `/`. Where it is left out it is `/`.
pub(super) fn path<'a>(form: &'a Form, parameter: &str) -> Result<&'a str, Fault> {
    let Some(path) = form.get(parameter) else { return Ok("/") };
    check_length(path, parameter, 1, 512)?;
    let printable = path.bytes().all(|byte| byte.is_ascii_graphic());
    // A path prefix need not end with a slash.
    let ends = parameter != "Path" || path.ends_with('/');
    if path.starts_with('/') && ends && printable && !path.contains("//") {
        return Ok(path);
    }
    Err(invalid(format!(
        "The specified value for {} is invalid. It must begin and end with / and contain only alphanumeric characters \
         and/or / characters.",
        member(parameter)
    )))
}

/// `Tags.member.N.Key` and `.Value`.
pub(super) fn tags(form: &Form) -> Result<Vec<(String, String)>, Fault> {
    let mut tags: Vec<(String, String)> = Vec::new();
    for n in 1.. {
        let Some(key) = form.get(&format!("Tags.member.{n}.Key")) else { break };
        let value = form.get(&format!("Tags.member.{n}.Value"));
        let value =
            value.ok_or_else(|| constraint("null", &format!("tags.{n}.member.value"), "Member must not be null"))?;
        check_length(key, &format!("tags.{n}.member.key"), 1, 128)?;
        check_length(value, &format!("tags.{n}.member.value"), 0, 256)?;
        if tags.iter().any(|(known, _)| known.eq_ignore_ascii_case(key)) {
            let message = "Duplicate tag keys found. Please note that Tag keys are case insensitive.";
            return Err(Fault::service(400, "InvalidInput", message));
        }
        // In the loop: each tag is held against all before it.
        if tags.len() == MAX_TAGS {
            return Err(too_many_tags());
        }
        tags.push((key.to_owned(), value.to_owned()));
    }
    Ok(tags)
}

/// How many tags a user can have.
pub(super) const MAX_TAGS: usize = 50;

/// 409 `LimitExceeded`
pub(super) fn too_many_tags() -> Fault {
    Fault::service(409, "LimitExceeded", format!("The number of tags has reached the maximum limit of {MAX_TAGS}."))
}

/// A part of a list.
pub(super) struct Page<T> {
    pub items: Vec<T>,
    /// Where the next part begins, when there is one.
    pub next: Option<String>,
}

/// Cuts the part out of `items` that `Marker` and `MaxItems` ask for (100 at most when not said otherwise). A marker is
/// opaque to clients; it names the last item they saw, so that what comes and goes meanwhile doesn't shift the rest.
pub(super) fn page<T>(
    form: &Form,
    items: impl IntoIterator<Item = T>,
    key: impl Fn(&T) -> &str,
) -> Result<Page<T>, Fault> {
    let most = match form.get("MaxItems") {
        None => 100,
        Some(text) => match text.parse::<usize>() {
            Ok(number @ 1..=1000) => number,
            Ok(0) => return Err(constraint("'0'", "maxItems", "Member must have value greater than or equal to 1")),
            Ok(number) => {
                let rule = "Member must have value less than or equal to 1000";
                return Err(constraint(&format!("'{number}'"), "maxItems", rule));
            }
            Err(_) => return Err(Fault::service(400, "MalformedInput", format!("MaxItems {text:?} is no number"))),
        },
    };
    let mut items: Vec<T> = items.into_iter().collect();
    if let Some(marker) = form.get("Marker") {
        let last = URL_SAFE_NO_PAD.decode(marker).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        let last = last.ok_or_else(|| invalid("Invalid Marker."))?;
        let seen = items.iter().position(|item| key(item) == last).map(|at| at + 1);
        // The item is gone meanwhile: on with what comes after it by name.
        let next = seen.or_else(|| items.iter().position(|item| key(item) > last.as_str())).unwrap_or(items.len());
        items.drain(..next);
    }
    let next = (items.len() > most).then(|| URL_SAFE_NO_PAD.encode(key(&items[most - 1])));
    items.truncate(most);
    Ok(Page { items, next })
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::sandbox::service::Service;

    #[rstest]
    #[case(&[], "1 validation error detected: Value null at 'userName' failed to satisfy constraint: Member must not be null")]
    #[case(&[("UserName", "")], "1 validation error detected: Value '' at 'userName' failed to satisfy constraint: Member must have length greater than or equal to 1")]
    #[case(&[("UserName", "a b")], "The specified value for userName is invalid. It must contain only alphanumeric characters and/or the following: +=,.@_-")]
    #[case(&[("UserName", "a/../b")], "The specified value for userName is invalid. It must contain only alphanumeric characters and/or the following: +=,.@_-")]
    fn user_names_refused(#[case] parameters: &[(&str, &str)], #[case] expected: &str) {
        let form: Form = parameters.iter().copied().collect();
        let error = user_name(&form).unwrap_err();
        assert_eq!(
            (error.status(Service::Iam), error.code(Service::Iam), error.message(Service::Iam).as_deref()),
            (400, "ValidationError", Some(expected))
        );
    }

    #[test]
    fn lengths_are_limited() {
        let form: Form = [("UserName", "x".repeat(65))].into_iter().collect();
        assert!(
            user_name(&form).unwrap_err().message(Service::Iam).unwrap().ends_with("length less than or equal to 64")
        );
        let form: Form = [("UserName", "x".repeat(64))].into_iter().collect();
        assert_eq!(user_name(&form).unwrap().len(), 64);
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
        assert_eq!(path(&[("Path", text)].into_iter().collect(), "Path").is_ok(), good);
    }

    #[test]
    fn pages_follow_each_other() {
        let names = ["a", "b", "c", "d", "e"];
        let (mut marker, mut seen) = (None, Vec::new());
        loop {
            let mut parameters = vec![("MaxItems", "2".to_owned())];
            parameters.extend(marker.take().map(|marker| ("Marker", marker)));
            let page = page(&parameters.into_iter().collect(), names, |name| name).unwrap();
            seen.push(page.items.len());
            match page.next {
                Some(next) => marker = Some(next),
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
        let form: Form = [(parameter, value)].into_iter().collect();
        assert_eq!(page(&form, ["a"], |name| name).err().unwrap().code(Service::Iam), code);
    }

    #[test]
    fn tags_are_paired_and_unique() {
        let form: Form = [
            ("Tags.member.1.Key", "a"),
            ("Tags.member.1.Value", ""),
            ("Tags.member.2.Key", "b"),
            ("Tags.member.2.Value", "2"),
        ]
        .into_iter()
        .collect();
        assert_eq!(tags(&form).unwrap(), [("a".to_owned(), String::new()), ("b".to_owned(), "2".to_owned())]);
        let form: Form = [("Tags.member.1.Key", "a")].into_iter().collect();
        assert_eq!(tags(&form).unwrap_err().code(Service::Iam), "ValidationError");
        let form: Form = ["1", "2"]
            .iter()
            .flat_map(|n| [(format!("Tags.member.{n}.Key"), "A"), (format!("Tags.member.{n}.Value"), "x")])
            .collect();
        assert_eq!(tags(&form).unwrap_err().code(Service::Iam), "InvalidInput");
    }
}
