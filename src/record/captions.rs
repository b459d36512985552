//! Captions beside a film, as players and video sites read them: WebVTT and SubRip.

use std::fmt::Write;
use std::time::Duration;

use crate::lab::glyphs;

/// What is said while a screen stays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caption {
    /// When it begins.
    pub from: Duration,
    /// When it ends.
    pub to: Duration,
    /// The text; empty if nothing is said.
    pub text: String,
}

/// The longest line, in columns.
const LINE: usize = 42;

/// The captions as WebVTT.
pub fn vtt(captions: &[Caption]) -> String {
    let mut out = "WEBVTT\n".to_owned();
    for Caption { from, to, text } in spoken(captions) {
        let text = lines(text).replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        let _ = write!(out, "\n{} --> {}\n{text}\n", stamp(*from, '.'), stamp(*to, '.'));
    }
    out
}

/// The captions as SubRip.
pub fn srt(captions: &[Caption]) -> String {
    let mut out = String::new();
    for (number, Caption { from, to, text }) in (1..).zip(spoken(captions)) {
        let before = if number == 1 { "" } else { "\n" };
        let (from, to) = (stamp(*from, ','), stamp(*to, ','));
        let _ = write!(out, "{before}{number}\n{from} --> {to}\n{}\n", lines(text));
    }
    out
}

fn spoken(captions: &[Caption]) -> impl Iterator<Item = &Caption> {
    captions.iter().filter(|caption| !caption.text.trim().is_empty())
}

/// `01:02:03.456`
fn stamp(at: Duration, point: char) -> String {
    let seconds = at.as_secs();
    format!("{:02}:{:02}:{:02}{point}{:03}", seconds / 3_600, seconds / 60 % 60, seconds % 60, at.subsec_millis())
}

/// A text in lines that a player shows well, without anything that is a command.
fn lines(text: &str) -> String {
    let text = glyphs::shown(text);
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.is_empty() => line.push_str(word),
            Some(line) if glyphs::width(line) + 1 + glyphs::width(word) <= LINE => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn captions() -> Vec<Caption> {
        let caption = |from, to, text: &str| Caption {
            from: Duration::from_millis(from),
            to: Duration::from_millis(to),
            text: text.to_owned(),
        };
        vec![
            caption(0, 2_000, "Same call, same table. Only the caller differs."),
            caption(2_000, 3_000, ""),
            caption(3_000, 3_723_456, "a <b> & c"),
        ]
    }

    #[test]
    fn players_read_both_forms() {
        assert_eq!(
            vtt(&captions()),
            "WEBVTT\n\n00:00:00.000 --> 00:00:02.000\nSame call, same table. Only the caller\ndiffers.\n\n\
             00:00:03.000 --> 01:02:03.456\na &lt;b&gt; &amp; c\n"
        );
        assert_eq!(
            srt(&captions()),
            "1\n00:00:00,000 --> 00:00:02,000\nSame call, same table. Only the caller\ndiffers.\n\n\
             2\n00:00:03,000 --> 01:02:03,456\na <b> & c\n"
        );
    }
}
