//! Reading time: how many words a new screen adds, and how long they take.

use std::collections::HashSet;

/// How fast a viewer has to read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Pace {
    /// Somebody speaks along.
    Talk,
    /// For someone who reads.
    #[default]
    Read,
    /// For someone who knows the lab.
    Fast,
}

/// The shortest hold, in milliseconds.
pub const SHORTEST: u64 = 1_500;

/// Words a minute when a caption is read aloud, and the breath after it in milliseconds.
const SPOKEN: u64 = 165;
const BREATH: u64 = 500;

const MINUTE: u64 = 60_000;

impl Pace {
    /// Words a minute.
    pub const fn words_per_minute(self) -> u64 {
        match self {
            Pace::Talk => 320,
            Pace::Read => 400,
            Pace::Fast => 550,
        }
    }

    /// Returns how long a screen with this many new words stays, in milliseconds.
    pub fn hold(self, words: usize) -> u64 {
        millis(words, self.words_per_minute()).max(SHORTEST)
    }
}

/// Returns how long it takes to say `caption`, in milliseconds.
pub fn spoken(caption: &str) -> u64 {
    millis(words(caption).count(), SPOKEN) + BREATH
}

fn millis(words: usize, per_minute: u64) -> u64 {
    (u64::try_from(words).unwrap_or(u64::MAX).saturating_mul(MINUTE)).div_ceil(per_minute)
}

/// The words of a screen: what has a letter or a digit, without the signs around it. Lines of a drawing separate words
/// like spaces.
pub fn words(screen: &str) -> impl Iterator<Item = &str> {
    screen
        .split(|c: char| c.is_whitespace() || ('\u{2500}'..='\u{259f}').contains(&c))
        .map(|word| word.trim_matches(|c: char| !c.is_alphanumeric()))
        .filter(|word| !word.is_empty())
}

/// Counts the words of `after` that `before` doesn't show.
pub fn new_words(before: &str, after: &str) -> usize {
    let known: HashSet<&str> = words(before).collect();
    words(after).filter(|word| !known.contains(word)).count()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::all_are_new("", "Same call, two answers", 4)]
    #[case::known_words("Same Scan, same table.", "Same call. The table", 2)]
    #[case::twice_is_read_twice("", "no no", 2)]
    #[case::signs_are_no_words("", "✔ ─▸ · … 3 items", 2)]
    #[case::lines_separate("", "│admin│━━test-user━", 2)]
    #[case::blocks_are_a_drawing("", "████ ██ ▀▄ ALLOWED", 1)]
    #[case::an_arn_is_a_word("", "arn:aws:kms:us-east-1:1:key/k-…", 1)]
    fn new_words_are_those_the_screen_before_lacks(#[case] before: &str, #[case] after: &str, #[case] count: usize) {
        assert_eq!(new_words(before, after), count);
    }

    #[rstest]
    #[case(Pace::Talk, 32, 6_000)]
    #[case(Pace::Read, 40, 6_000)]
    #[case(Pace::Fast, 55, 6_000)]
    #[case::at_least(Pace::Fast, 1, 1_500)]
    fn a_screen_stays_as_long_as_its_new_words_take(#[case] pace: Pace, #[case] words: usize, #[case] millis: u64) {
        assert_eq!(pace.hold(words), millis);
    }

    #[test]
    fn a_caption_leaves_time_to_breathe() {
        assert_eq!(spoken("So, once more: the same Scan, from both."), 3_410);
    }
}
