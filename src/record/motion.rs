//! A film as one SVG that moves, for places that show pictures only, such as a README.
//!
//! Each row of the screen is there once for everything it ever shows; styles say when which of them is seen. Where
//! styles do not move, or a person wants no motion, the poster is seen.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write;

use super::chapters::clock;
use super::film::{Film, Picture, Row};
use super::palette::Rgb;
use super::style::film_background;
use super::svg::{decimals, open, push, row, top};
use super::text::chapters;

/// When something is seen: from and to, in milliseconds.
type Times = Vec<(u128, u128)>;

/// `film` as SVG that plays `loops` times, or forever; `poster` is what is seen without motion. `more` are more styles.
pub(super) fn motion(film: &Film, poster: &Picture, loops: u16, more: &str) -> String {
    let around = film_background(film);
    let chapters = chapters(film);
    let description: Vec<String> =
        chapters.iter().map(|chapter| format!("{} {}", clock(chapter.at), chapter.name)).collect();
    let mut out = open(film.size, around, &film.title, &description.join("; "));

    let end = film.end.as_millis().max(1);
    let percent = |at: u128| decimals(at as f64 * 100.0 / end as f64, 3);
    let mut moving: BTreeMap<Times, String> = BTreeMap::new();
    for (row, times) in rows(film, around) {
        moving.entry(times).or_default().push_str(&row);
    }
    let shown_at = |at: u128, times: &Times| times.iter().any(|(from, to)| (*from..*to).contains(&at));
    let mut style = format!(
        "g{{visibility:hidden;animation-duration:{}s;animation-timing-function:step-end;\
         animation-iteration-count:{}}}.p{{visibility:visible}}",
        decimals(end as f64 / 1000.0, 3),
        if loops == 0 { "infinite".to_owned() } else { format!("{loops};animation-fill-mode:forwards") },
    );
    let mut content = String::new();
    for (index, (times, rows)) in moving.into_iter().enumerate() {
        if times == [(0, end)] {
            content.push_str(&rows);
            continue;
        }
        push(&mut style, format_args!("#r{index}{{animation-name:k{index}}}@keyframes k{index}{{"));
        if times.first().is_some_and(|(from, _)| *from > 0) {
            style.push_str("0%{visibility:hidden}");
        }
        for (from, to) in &times {
            push(&mut style, format_args!("{}%{{visibility:visible}}", percent(*from)));
            if *to < end {
                push(&mut style, format_args!("{}%{{visibility:hidden}}", percent(*to)));
            }
        }
        if loops > 0 {
            // The last picture stays.
            let is_last = times.last().is_some_and(|(_, to)| *to >= end);
            push(&mut style, format_args!("100%{{visibility:{}}}", if is_last { "visible" } else { "hidden" }));
        }
        style.push('}');
        let class = if shown_at(poster.at.as_millis(), &times) { " class=\"p\"" } else { "" };
        push(&mut content, format_args!("<g id=\"r{index}\"{class}>\n{rows}</g>\n"));
    }
    style.push_str(more);
    style.push_str("@media (prefers-reduced-motion:reduce){g{animation:none!important}}");
    let _ = write!(out, "<style>{style}</style>\n{content}</svg>\n");
    out
}

/// Everything any row ever shows, with its times.
fn rows(film: &Film, around: Rgb) -> BTreeMap<String, Times> {
    let mut rows: BTreeMap<String, Times> = BTreeMap::new();
    let mut known: HashMap<(usize, &Row), String> = HashMap::new();
    let ends = film.pictures.iter().skip(1).map(|next| next.at).chain([film.end]);
    for (picture, end) in film.pictures.iter().zip(ends) {
        for (y, cells) in picture.rows.iter().enumerate() {
            let drawn = known.entry((y, cells)).or_insert_with(|| {
                let mut drawn = String::new();
                row(&mut drawn, cells, &film.palette, around, top(y));
                drawn
            });
            if drawn.is_empty() || picture.at == end {
                continue;
            }
            let times = rows.entry(drawn.clone()).or_default();
            match times.last_mut() {
                Some((_, to)) if *to == picture.at.as_millis() => *to = end.as_millis(),
                _ => times.push((picture.at.as_millis(), end.as_millis())),
            }
        }
    }
    rows
}
