//! Finding words in a text, as a person types them: capitals don't matter, and `ue` is `ü`.

use std::ops::Range;

/// Where `query` stands in `text`, as ranges of bytes that don't overlap. An empty query stands nowhere.
pub fn matches(text: &str, query: &str) -> Vec<Range<usize>> {
    let query: Vec<char> = query.chars().flat_map(folded).collect();
    let letters: Vec<(char, usize)> =
        text.char_indices().flat_map(|(at, c)| folded(c).map(move |letter| (letter, at))).collect();
    let mut found: Vec<Range<usize>> = Vec::new();
    if query.is_empty() {
        return found;
    }
    let mut at = 0;
    while let Some(window) = letters.get(at..at + query.len()) {
        if window.iter().map(|(letter, _)| letter).eq(&query) {
            let start = window.first().map_or(0, |(_, at)| *at);
            let last = window.last().map_or(start, |(_, at)| *at);
            let end = last + text[last..].chars().next().map_or(0, char::len_utf8);
            // Two matches may share an `ü`.
            if found.last().is_none_or(|before| before.end <= start) {
                found.push(start..end);
            }
            at += query.len();
        } else {
            at += 1;
        }
    }
    found
}

/// The letters that stand for `c`.
fn folded(c: char) -> impl Iterator<Item = char> + Clone {
    let spelled = match c {
        'ä' | 'Ä' => "ae",
        'ö' | 'Ö' => "oe",
        'ü' | 'Ü' => "ue",
        'ß' | '\u{1e9e}' => "ss",
        _ => "",
    };
    let letters: Vec<char> = if spelled.is_empty() { c.to_lowercase().collect() } else { spelled.chars().collect() };
    letters.into_iter()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("The key policy", "KEY", &["key"])]
    #[case("a key, a Key", "key", &["key", "Key"])]
    #[case("aaaa", "aa", &["aa", "aa"])]
    #[case("Der Schlüssel", "schlüssel", &["Schlüssel"])]
    #[case("Der Schlüssel", "schluess", &["Schlüss"])]
    #[case("SCHLUESSEL", "schlü", &["SCHLUE"])]
    #[case("Straße", "strasse", &["Straße"])]
    #[case("ü", "u", &["ü"])]
    #[case("policy", "", &[])]
    #[case("policy", "policies", &[])]
    #[case("", "a", &[])]
    fn words_are_found(#[case] text: &str, #[case] query: &str, #[case] found: &[&str]) {
        let found_here: Vec<&str> = matches(text, query).into_iter().map(|range| &text[range]).collect();
        assert_eq!(found_here, found);
    }

    proptest! {
        #[test]
        fn ranges_are_in_order_and_whole(text in "[a-cäöüßİ ]{0,20}", query in "[a-cäöüßİ]{0,4}") {
            let found = matches(&text, &query);
            prop_assert!(found.windows(2).all(|pair| pair[0].end <= pair[1].start));
            prop_assert!(found.iter().all(|range| !text[range.clone()].is_empty()));
            if !query.is_empty() {
                prop_assert_eq!(matches(&query, &query).len(), 1, "a word finds itself");
            }
        }
    }
}
