//! The drills' texts.

use rstest::rstest;

use crate::lab::drills::{Fix, Remark};
use crate::lab::lesson::Files;
use crate::lab::{Drill, Lesson};

/// A word's places for values are the same in each language, and no text is missing or left over.
#[rstest]
fn each_text_of_the_drills_is_there(#[values("en", "de")] language: &str) {
    let files = Files::embedded();
    let (english, drills) =
        (Lesson::parse(&files, "en").unwrap().drills, Lesson::parse(&files, language).unwrap().drills);
    let [words, remarks, fixes] = drills.ids();
    assert_eq!(words, english.ids()[0]);
    for word in words {
        let places = |text: &str| text.matches("{}").count();
        assert_eq!(places(drills.word(word)), places(english.word(word)), "{word}");
        assert!(!drills.word(word).is_empty(), "{word}");
    }
    let sorted = |ids: Vec<&'static str>| {
        let mut ids = ids;
        ids.sort_unstable();
        ids
    };
    assert_eq!(remarks, sorted(Remark::ALL.map(Remark::id).to_vec()));
    assert_eq!(fixes, sorted(Fix::ALL.map(Fix::id).to_vec()));
    for drill in Drill::ALL {
        let text = drills.text(drill).unwrap();
        assert!(!text.ticket.is_empty() && !text.sources.is_empty(), "{drill:?}");
        assert_eq!(Drill::of(drill.id()), Some(drill));
        assert_eq!(Drill::ALL[drill.index()], drill);
    }
}
