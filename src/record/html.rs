//! A film as one page that plays it without a network: the rows of all pictures, each once, and a small player.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write;

use serde_json::json;

use super::chapters::clock;
use super::film::{Film, Picture, Row};
use super::palette::Rgb;
use super::style::film_background;
use super::svg::{attributes, escape, hex, number, row, still, top};
use super::text::chapters;

/// The page around the film.
const PAGE: &str = include_str!("player.html");

/// `film` as a page in the language `lang`; `poster` is what is seen before it plays, and without scripts.
pub(super) fn html(film: &Film, poster: &Picture, lang: &str) -> String {
    let around = film_background(film);
    let foreground = film.palette.foreground;
    let mut transcript = String::new();
    for chapter in chapters(film) {
        let text = escape(&chapter.lines().join("\n"));
        let (at, name) = (clock(chapter.at), escape(chapter.name));
        let _ = writeln!(transcript, "<h3>{at} {name}</h3>\n<pre lang=\"{}\">{text}</pre>", escape(lang));
    }
    let values = [
        ("title", escape(&film.title)),
        ("lang", escape(lang)),
        ("background", hex(around)),
        ("foreground", hex(foreground)),
        ("poster", still(film, poster, "")),
        ("transcript", transcript),
        ("film", data(film, poster, around)),
    ];
    // In one go: what is put in may look like a place to put something in.
    let mut page = String::new();
    let mut rest = PAGE;
    while let Some((before, (name, after))) =
        rest.split_once("{{").and_then(|(before, after)| Some((before, after.split_once("}}")?)))
    {
        page.push_str(before);
        page.push_str(values.iter().find(|(other, _)| *other == name).map_or("", |(_, value)| value));
        rest = after;
    }
    page + rest
}

/// The film for the player's script.
fn data(film: &Film, poster: &Picture, around: Rgb) -> String {
    let mut parts: Vec<String> = Vec::new();
    let mut known: HashMap<&Row, usize> = HashMap::new();
    let mut shown: &[Row] = &[];
    let mut pictures = Vec::new();
    for picture in &film.pictures {
        let mut changes = Vec::new();
        for (y, cells) in picture.rows.iter().enumerate().filter(|(y, row)| shown.get(*y) != Some(row)) {
            let part = *known.entry(cells).or_insert_with(|| {
                let mut drawn = String::new();
                row(&mut drawn, cells, &film.palette, around, 0.0);
                parts.push(drawn);
                parts.len() - 1
            });
            changes.extend([y, part]);
        }
        shown = &picture.rows;
        pictures.push(json!([millis(picture), changes]));
    }
    let marked = film.pictures.iter().filter_map(|picture| Some(json!([millis(picture), picture.chapter.as_ref()?])));
    let film = json!({
        "title": film.title,
        "poster": millis(poster),
        "end": u64::try_from(film.end.as_millis()).unwrap_or(u64::MAX),
        "svg": attributes(film.size).into_iter().collect::<BTreeMap<_, _>>(),
        "tops": (0..usize::from(film.size.height)).map(|y| number(top(y))).collect::<Vec<_>>(),
        "chapters": marked.collect::<Vec<_>>(),
        "parts": parts,
        "pictures": pictures,
    });
    // Nothing in it can end the script it stands in.
    film.to_string().replace('<', "\\u003c")
}

fn millis(picture: &Picture) -> u64 {
    u64::try_from(picture.at.as_millis()).unwrap_or(u64::MAX)
}
