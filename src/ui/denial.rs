//! AWS's sentence for a refused or failed call, without the fronts of ARNs. The whole message is in the other views.

use ratatui::text::Span;

use crate::lab::Denied;

use super::theme::Theme;

/// The length of a key's id, of which the first part is enough to know it again.
const KEY_ID: usize = 36;
const FIRST_PART: usize = 8;

/// The sentence of a message, from `User:` on if it says that; the action, the resource and the reason stand out.
pub fn sentence(message: &str, denied: Option<&Denied>, theme: &Theme) -> Vec<Span<'static>> {
    let text = shortened(message);
    let action = denied.and_then(|denied| denied.action.clone());
    let resource = denied.and_then(|denied| denied.resource.as_deref()).map(short_arn);
    let mut rest = text.as_str();
    let mut spans = Vec::new();
    for part in [action.as_deref(), resource.as_deref(), reason(&text)].into_iter().flatten() {
        let Some((before, after)) = rest.split_once(part) else { continue };
        spans.push(Span::styled(before.to_owned(), theme.base));
        spans.push(Span::styled(part.to_owned(), theme.strong));
        rest = after;
    }
    spans.push(Span::styled(rest.to_owned(), theme.base));
    spans
}

/// The words that say why: `no identity-based policy`, or `an explicit deny`.
fn reason(text: &str) -> Option<&str> {
    if text.contains("an explicit deny") {
        return Some("an explicit deny");
    }
    let (_, reason) = text.split_once("because ")?;
    Some(reason.split(" allows").next().unwrap_or(reason)).filter(|reason| !reason.is_empty())
}

/// A message from `User:` on, without what the services add to each other's messages.
fn shortened(message: &str) -> String {
    let from = message.find("User: ").unwrap_or(0);
    let message = message.get(from..).unwrap_or(message);
    let message = message.split(" (Service: ").next().unwrap_or(message);
    message.split(' ').map(short_arn).collect::<Vec<_>>().join(" ")
}

/// `…:user/alice` and `…:key/1234abcd-…`; anything else as it is.
pub fn short_arn(word: &str) -> String {
    if !word.starts_with("arn:") {
        return word.to_owned();
    }
    let end = word.splitn(6, ':').nth(5).unwrap_or(word);
    match end.split_once("key/") {
        Some(("", id)) if id.len() >= KEY_ID && id.is_char_boundary(FIRST_PART) && id.is_char_boundary(KEY_ID) => {
            format!("…:key/{}-…{}", &id[..FIRST_PART], &id[KEY_ID..])
        }
        _ => format!("…:{end}"),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::by_kms(
        "KMS key access denied error: com.amazonaws.services.kms.model.AWSKMSException: User: \
         arn:aws:iam::111122223333:user/u is not authorized to perform: kms:Decrypt on resource: \
         arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab because no identity-based policy \
         allows the kms:Decrypt action (Service: AWSKMS; Status Code: 400)",
        "User: …:user/u is not authorized to perform: kms:Decrypt on resource: …:key/1234abcd-… because no \
         identity-based policy allows the kms:Decrypt action",
        &["kms:Decrypt", "…:key/1234abcd-…", "no identity-based policy"]
    )]
    #[case::explicit(
        "User: arn:aws:iam::1:user/u is not authorized to perform: kms:Decrypt on resource: arn:aws:kms:r:1:key/k with \
         an explicit deny in a resource-based policy",
        "User: …:user/u is not authorized to perform: kms:Decrypt on resource: …:key/k with an explicit deny in a \
         resource-based policy",
        &["kms:Decrypt", "…:key/k", "an explicit deny"]
    )]
    #[case::names_nothing("no", "no", &[])]
    #[case::strange("User: arn: because ", "User: …:arn: because ", &[])]
    fn a_message_is_shortened_and_its_parts_stand_out(
        #[case] message: &str,
        #[case] text: &str,
        #[case] strong: &[&str],
    ) {
        let theme = Theme::plain();
        let spans = sentence(message, Some(&Denied::parse(message)), &theme);
        let joined: String = spans.iter().map(|span| span.content.as_ref()).collect();
        assert_eq!(joined, text);
        let parts: Vec<&str> = spans.iter().skip(1).step_by(2).map(|span| span.content.as_ref()).collect();
        assert_eq!(parts, strong);
    }
}
