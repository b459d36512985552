//! Styles with which an SVG has other colors on light pages. Its own colors stand in attributes, which styles override.

use std::collections::BTreeMap;

use ratatui::style::Color;

use super::film::Film;
use super::frame::{FrameColors, TINT};
use super::options::{FilmOptions, OtherColors};
use super::palette::{Palette, Rgb, blend};
use super::shapes::block;
use super::style::{CellStyle, film_background};
use super::svg::hex;

/// Returns the styles for `film`; none where its colors are not those that the others stand for.
pub(super) fn adapted(film: &Film, options: &FilmOptions) -> String {
    let Some(other) = options.light.as_ref().filter(|_| film.palette == Palette::DARK) else { return String::new() };
    let mut rules = String::new();
    for (color, other) in colors(film, other, options.frame).into_iter().filter(|(color, other)| color != other) {
        let (color, other) = (hex(color), hex(other));
        rules.push_str(&format!("[fill=\"{color}\"]{{fill:{other}}}[stroke=\"{color}\"]{{stroke:{other}}}"));
    }
    format!("@media (prefers-color-scheme:light){{{rules}}}")
}

/// Returns every color that is drawn, with the one that takes its place.
fn colors(film: &Film, other: &OtherColors, is_framed: bool) -> BTreeMap<Rgb, Rgb> {
    let replaced = |color: Color| match color {
        Color::Rgb(red, green, blue) => {
            let found = other.named.iter().find(|[from, _]| *from == (red, green, blue));
            found.map_or(color, |[_, (red, green, blue)]| Color::Rgb(*red, *green, *blue))
        }
        color => color,
    };
    let mut colors = BTreeMap::new();
    for cell in film.pictures.iter().flat_map(|picture| picture.rows.iter().flat_map(|row| row.iter())) {
        let mut light = cell.clone();
        (light.fg, light.bg) = (replaced(cell.fg), replaced(cell.bg));
        let [from, to] = [CellStyle::new(cell, &film.palette), CellStyle::new(&light, &other.palette)];
        colors.entry(from.foreground).or_insert(to.foreground);
        colors.entry(from.background).or_insert(to.background);
        if let Some((_, strength)) = cell.symbol().chars().next().and_then(block) {
            let shade = |style: &CellStyle| blend(style.foreground, style.background, strength);
            colors.entry(shade(&from)).or_insert_with(|| shade(&to));
        }
    }
    colors.entry(film_background(film)).or_insert(other.palette.background);
    if is_framed {
        let light = blend(other.palette.foreground, other.palette.background, TINT);
        colors.entry(FrameColors::of(film).margin).or_insert(light);
    }
    colors
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use ratatui::buffer::Buffer;
    use ratatui::layout::{Rect, Size};
    use ratatui::style::{Modifier, Style};

    use super::super::film::{Picture, Rows};
    use super::*;

    fn film(palette: Palette) -> Film {
        let mut buffer = Buffer::empty(Rect::new(0, 0, 4, 1));
        buffer.set_string(0, 0, "a", Style::new().fg(Color::Rgb(1, 2, 3)));
        buffer.set_string(1, 0, "b", Style::new().fg(Color::Rgb(1, 2, 3)).add_modifier(Modifier::DIM));
        let rows = Rows::default().of(&buffer);
        let picture = Picture { at: Duration::ZERO, rows, chapter: None, stage: "" };
        Film { title: String::new(), size: Size::new(4, 1), palette, pictures: vec![picture], end: Duration::ZERO }
    }

    #[test]
    fn light_pages_get_the_colors_of_the_light_theme() {
        let other = OtherColors { palette: Palette::LIGHT, named: vec![[(1, 2, 3), (7, 8, 9)]] };
        let mut options = FilmOptions { light: Some(other), ..FilmOptions::default() };
        let style = adapted(&film(Palette::DARK), &options);
        let rule = |from: Rgb, to: Rgb| format!("[fill=\"{}\"]{{fill:{}}}", hex(from), hex(to));
        assert!(style.contains(&rule((1, 2, 3), (7, 8, 9))), "{style}");
        assert!(style.contains(&rule(Palette::DARK.background, Palette::LIGHT.background)), "{style}");
        let dim = blend((1, 2, 3), Palette::DARK.background, 170);
        assert!(style.contains(&rule(dim, blend((7, 8, 9), Palette::LIGHT.background, 170))), "{style}");
        assert_eq!(adapted(&film(Palette::LIGHT), &options), "", "these colors are of another program");
        options.light = None;
        assert_eq!(adapted(&film(Palette::DARK), &options), "");
    }
}
