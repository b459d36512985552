//! The two pages. Each is one file that loads nothing from elsewhere; its texts are English, and it gets the lesson's
//! language as a table.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::lab::State;
use crate::lab::lesson::interface::{self, Interface};

/// The page of a phone.
pub const PHONE: &str = include_str!("../../../assets/audience/phone.html");

/// The page of the teacher.
pub const TEACHER: &str = include_str!("../../../assets/audience/teacher.html");

/// What a page must know once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Words {
    /// The language's code, for screen readers.
    language: String,
    /// The page's texts in that language, by their English.
    words: BTreeMap<&'static str, String>,
}

/// The words of both pages.
pub(super) struct Pages {
    pub phone: String,
    pub teacher: String,
}

impl Pages {
    /// The words of the lesson's language.
    pub fn new(state: &State) -> Pages {
        let json = |page| serde_json::to_string(&words(page, &state.lesson().code, state.interface()));
        Pages { phone: json(PHONE).unwrap_or_default(), teacher: json(TEACHER).unwrap_or_default() }
    }
}

/// The texts of `page`, each in `t("…")`.
fn words(page: &str, language: &str, interface: Interface<'_>) -> Words {
    let own = interface::texts().filter(|english| page.contains(&format!("t(\"{english}\"")));
    let words = own.map(|english| (english, interface.word(english).to_owned()));
    Words { language: language.to_owned(), words: words.filter(|(english, text)| english != text).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What stands in `t("…")`.
    fn texts(page: &str) -> Vec<&str> {
        page.split("t(\"").skip(1).filter_map(|rest| rest.split('"').next()).collect()
    }

    #[test]
    fn each_text_of_a_page_can_be_translated() {
        for page in [PHONE, TEACHER] {
            let texts = texts(page);
            assert!(texts.len() > 10);
            for text in texts {
                assert!(interface::texts().any(|other| other == text), "{text:?} has no translation");
            }
        }
    }

    #[test]
    fn a_page_loads_nothing_from_elsewhere() {
        for page in [PHONE, TEACHER] {
            assert!(!page.contains("http://") && !page.contains("https://") && !page.contains("@import"));
            assert!(page.len() < 20_000, "{} bytes", page.len());
        }
    }
}
