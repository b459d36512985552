//! PNG and GIF, decoded again.

use super::*;

type Rgb = [u8; 3];

/// Width, height, and the pixels' colors.
fn decoded(bytes: &[u8]) -> (usize, usize, Vec<Rgb>) {
    let mut decoder = png::Decoder::new(std::io::Cursor::new(bytes));
    decoder.set_transformations(png::Transformations::EXPAND);
    let mut reader = decoder.read_info().unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut pixels).unwrap();
    assert_eq!(info.color_type, png::ColorType::Rgb);
    let pixels = pixels.chunks_exact(3).map(|rgb| [rgb[0], rgb[1], rgb[2]]).collect();
    (info.width as usize, info.height as usize, pixels)
}

fn bytes_of(color: (u8, u8, u8)) -> Rgb {
    [color.0, color.1, color.2]
}

/// The cells of 80×24 on 1920×1080: where the first one is, and how large each.
const ORIGIN: (usize, usize) = (0, 0);
const CELL: (usize, usize) = (24, 45);

#[test]
fn a_still_is_1080p_in_the_colors_of_the_theme() {
    for (name, ground) in [(ThemeName::Dark, (0x10, 0x14, 0x18)), (ThemeName::Light, (0xff, 0xff, 0xff))] {
        let film = lab(name, SIZE);
        let (width, height, pixels) = decoded(&written(&film, &format!("{name}.png"), &FilmOptions::default()));
        assert_eq!((width, height), (1920, 1080));
        let corners = [0, width - 1, width * (height - 1), width * height - 1];
        assert!(corners.iter().all(|corner| pixels[*corner] == bytes_of(ground)), "{name}");
        // What the theme paints a badge with is there in full, on a good part of the picture.
        let theme = Theme::choose(name, ColorLevel::True);
        for style in [theme.allowed.badge, theme.denied.badge] {
            let ((Some(Color::Rgb(r, g, b)), _) | (_, Some(Color::Rgb(r, g, b)))) = (style.bg, style.fg) else {
                panic!("{style:?}")
            };
            assert!(pixels.iter().filter(|pixel| **pixel == [r, g, b]).count() > 2_000, "{name}: {style:?}");
        }
    }
}

#[test]
fn lines_and_blocks_have_no_gaps() {
    let line = "─━┬┭┮┯┴┼─█▀▁░";
    let film = painted(|buffer| {
        buffer.set_string(0, 0, line.chars().cycle().take(80).collect::<String>(), Style::new());
        for y in 1..24 {
            buffer.set_string(3, y, ["│", "┃", "├", "┤", "┼"][usize::from(y) % 5], Style::new());
            buffer.set_string(5, y, "█", Style::new());
        }
    });
    let (width, _, pixels) = decoded(&written(&film, "lines.png", &FilmOptions::default()));
    let background = bytes_of(Palette::DARK.background);
    let is_inked = |x: usize, y: usize| pixels[y * width + x] != background;
    for x in 0..80 * CELL.0 {
        assert!((0..CELL.1).any(|y| is_inked(ORIGIN.0 + x, ORIGIN.1 + y)), "a gap at {x}");
    }
    let column = |column: usize, y: usize| (0..CELL.0).filter(|x| is_inked(column * CELL.0 + x, y)).count();
    for y in CELL.1..24 * CELL.1 {
        assert!(column(3, y) > 0, "a gap at {y}");
        assert_eq!(column(5, y), CELL.0, "a gap at {y}");
    }
    // A light rule is one line of the same thickness from end to end.
    let rule = painted(|buffer| buffer.set_string(0, 0, "─".repeat(80), Style::new()));
    let (_, _, pixels) = decoded(&written(&rule, "rule.png", &FilmOptions::default()));
    let inked = |x: usize| (0..CELL.1).filter(|y| pixels[y * width + x] != background).collect::<Vec<_>>();
    assert!((0..width).all(|x| inked(x) == inked(0) && !inked(x).is_empty()));
}

/// Signs that stand side by side do not touch, and none is cut off at its cell's edge; in any weight, in both kinds of
/// picture.
#[test]
fn signs_keep_within_their_cells() {
    let signs = "✔✘●○◐▸▼⟳→";
    for style in [Style::new(), Style::new().bold(), Style::new().reversed()] {
        let film = painted(|buffer| buffer.set_string(0, 0, signs, style));
        let (width, _, pixels) = decoded(&written(&film, "progress.png", &FilmOptions::default()));
        for (index, sign) in signs.chars().enumerate() {
            let left = index * CELL.0;
            let column = |x: usize| (0..CELL.1).map(|y| pixels[y * width + left + x]).collect::<Vec<_>>();
            let is_blank = |x: usize| column(x).iter().all(|pixel| *pixel == column(0)[0]);
            assert!(is_blank(0) && is_blank(CELL.0 - 1), "{sign} touches its edge");
            assert!((1..CELL.0 - 1).any(|x| !is_blank(x)), "{sign} is not there");
        }
        let svg = String::from_utf8(written(&film, "progress.svg", &FilmOptions::default())).unwrap();
        let document = roxmltree::Document::parse(&svg).unwrap();
        let texts = document.descendants().filter(|node| node.has_tag_name("text"));
        let widths: Vec<&str> = texts.filter_map(|node| node.attribute("textLength")).collect();
        assert_eq!(widths, ["8.1"; 9]);
    }
}

#[test]
fn a_film_may_be_high() {
    let options = FilmOptions { pixels: Pixels::new(1080, Some(1920)), ..FilmOptions::default() };
    let film = painted(|buffer| buffer.set_string(0, 0, "█".repeat(80), Style::new()));
    let (width, height, pixels) = decoded(&written(&film, "high.png", &options));
    assert_eq!((width, height), (1080, 1920));
    // As wide as it can be.
    let ink = bytes_of(Palette::DARK.foreground);
    assert!((0..height).any(|y| pixels[y * width..][..width].iter().filter(|pixel| **pixel == ink).count() == 80 * 13));
}

#[test]
fn every_sign_the_screen_uses_has_a_shape_of_its_own() {
    let signs = "✔✘●○◐◓◑◒▸▲▼◀⟳…·•×−–—→←↑↓⁻⁶⁰␛␍␊äöüßÄÖÜéÅñçœŁžґЯΩ€§„“»«✓✗⏎↵⇥⚠Aa0Oil1";
    let unknown = "表";
    let film = painted(|buffer| {
        for (index, sign) in signs.chars().enumerate() {
            buffer.set_string((index % 40 * 2) as u16, (index / 40) as u16, sign.to_string(), Style::new());
        }
        buffer.set_string(0, 10, format!("{unknown}|\u{e000}e\u{301} e"), Style::new());
    });
    let (width, _, pixels) = decoded(&written(&film, "signs.png", &FilmOptions::default()));
    let shape = |x: usize, y: usize, columns: usize| -> Vec<Rgb> {
        let rows = (0..CELL.1).map(|line| (y * CELL.1 + line) * width + x * CELL.0);
        rows.flat_map(|start| pixels[start..start + CELL.0 * columns].to_vec()).collect()
    };
    let empty = shape(79, 23, 1);
    let box_of_one = shape(3, 10, 1);
    let mut known = vec![empty.clone(), box_of_one];
    for (index, sign) in signs.chars().enumerate() {
        let shape = shape(index % 40 * 2, index / 40, 1);
        assert!(!known.contains(&shape), "{sign} looks like nothing, like a box or like another sign");
        known.push(shape);
    }
    // A wide character without a glyph is a box over both of its cells; what follows is where it belongs.
    let wide = shape(0, 10, 2);
    assert!(wide.chunks_exact(2 * CELL.0).any(|line| line[CELL.0] != empty[0] && line[CELL.0 - 1] != empty[0]));
    assert!(shape(2, 10, 1).chunks_exact(CELL.0).any(|line| line[CELL.0 / 2] != empty[0]));
    // A combining accent is written over its letter.
    assert_ne!(shape(4, 10, 1), shape(6, 10, 1));
    assert_eq!(shape(4, 10, 1)[CELL.0 * 20..], shape(6, 10, 1)[CELL.0 * 20..]);
}

/// Of wide.ttf, which has squares for a few wide characters; some of them are larger than two cells.
#[test]
fn an_added_font_has_what_the_programs_own_lacks() {
    let place = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/screens/film/wide.ttf");
    let fonts = AddedFonts::read(&[place.into()]).unwrap();
    let symbols = ["表", "あ", "👍", "👍🏽", "👍\u{200d}👍", "🇩🇪", "e\u{fe0f}", "e", "\u{3000}"];
    let film = painted(|buffer| {
        for (row, symbol) in symbols.iter().enumerate() {
            buffer.set_string(1, row as u16, format!("{symbol}|"), Style::new());
        }
    });
    let options = FilmOptions { fonts, ..FilmOptions::default() };
    let folder = tempfile::tempdir().unwrap();
    let boxes =
        |name: &str, options: &FilmOptions| save(&film, &folder.path().join(name), options).unwrap().missing_glyphs;
    assert_eq!(boxes("without.png", &FilmOptions::default()), ['表', 'あ', '👍', '🇩', '🇪']);
    assert!(boxes("with.gif", &options).is_empty());
    assert!(boxes("with.svg", &FilmOptions::default()).is_empty(), "a browser has fonts of its own");

    let (width, _, pixels) = decoded(&written(&film, "wide.png", &options));
    let is_ink = |x: usize, y: usize| pixels[y * width + x] != bytes_of(Palette::DARK.background);
    // The inked pixels of a row's second and third cell: from the left, the top, to the right, the bottom.
    let inked = |row: usize, columns: std::ops::Range<usize>| {
        let columns = columns.start * CELL.0..columns.end * CELL.0;
        let rows = row * CELL.1..(row + 1) * CELL.1;
        let places: Vec<_> =
            rows.flat_map(|y| columns.clone().map(move |x| (x, y))).filter(|p| is_ink(p.0, p.1)).collect();
        let (x, y) = (|| places.iter().map(|place| place.0), || places.iter().map(|place| place.1));
        let edges = [x().min(), y().min(), x().max(), y().max()].map(Option::unwrap);
        [edges[0] - columns.start, edges[1] - row * CELL.1, edges[2] + 1 - columns.start, edges[3] + 1 - row * CELL.1]
    };
    for (row, symbol) in symbols[..5].iter().enumerate() {
        let [left, top, right, bottom] = inked(row, 1..3);
        // Nothing is clipped: a square is one, and in the middle.
        assert!((right - left).abs_diff(bottom - top) <= 2, "{symbol}: {left} {top} {right} {bottom}");
        assert!(left.abs_diff(2 * CELL.0 - right) <= 2, "{symbol}: {left} {top} {right} {bottom}");
        assert!(right - left > CELL.0, "{symbol} is as large as two cells allow: {left} {right}");
    }
    // Neither a tone nor a second picture is drawn over the first.
    assert_eq!([inked(3, 1..3), inked(4, 1..3)], [inked(2, 1..3); 2]);
    // Two letters of a flag stand side by side.
    assert_ne!(inked(5, 1..2)[1], inked(5, 2..3)[1]);
    assert_eq!(inked(6, 1..2), inked(7, 1..2), "a variation selector shows nothing");
    // What follows stands where it belongs.
    assert_eq!(inked(0, 3..4), inked(1, 3..4));
}

#[test]
fn bold_dim_underlined_and_reversed_text_differ() {
    let styles = [
        Style::new(),
        Style::new().bold(),
        Style::new().dim(),
        Style::new().underlined(),
        Style::new().reversed(),
        Style::new().bold().underlined(),
    ];
    let film = painted(|buffer| {
        for (index, style) in styles.iter().enumerate() {
            buffer.set_string(0, index as u16, "Words", *style);
        }
    });
    let (width, _, pixels) = decoded(&written(&film, "styles.png", &FilmOptions::default()));
    let band = |row: usize| pixels[row * CELL.1 * width..(row + 1) * CELL.1 * width].to_vec();
    for (row, style) in styles.iter().enumerate() {
        assert!((0..row).all(|other| band(other) != band(row)), "{style:?}");
    }
    let lightest = |row: usize| band(row).into_iter().map(|[_, green, _]| green).max().unwrap();
    assert_eq!(lightest(0), Palette::DARK.foreground.1);
    assert!(lightest(2) < lightest(0));
}

/// The frames of a GIF, each as the whole picture that is seen then, and how long it stays.
fn frames(bytes: &[u8]) -> (usize, Vec<(Vec<Rgb>, u64)>) {
    let mut options = gif::DecodeOptions::new();
    options.set_color_output(gif::ColorOutput::Indexed);
    let mut decoder = options.read_info(bytes).unwrap();
    assert_eq!(decoder.repeat(), gif::Repeat::Infinite);
    let width = usize::from(decoder.width());
    let colors = decoder.global_palette().unwrap().to_vec();
    let mut canvas = vec![[0; 3]; width * usize::from(decoder.height())];
    let mut frames = Vec::new();
    while let Some(frame) = decoder.read_next_frame().unwrap() {
        assert_eq!(frame.dispose, gif::DisposalMethod::Keep);
        assert!(frame.palette.is_none(), "one palette for all");
        for (index, pixel) in frame.buffer.iter().enumerate() {
            if Some(*pixel) != frame.transparent {
                let (line, column) = (index / usize::from(frame.width), index % usize::from(frame.width));
                let place = (usize::from(frame.top) + line) * width + usize::from(frame.left) + column;
                canvas[place].copy_from_slice(&colors[usize::from(*pixel) * 3..][..3]);
            }
        }
        frames.push((canvas.clone(), u64::from(frame.delay)));
    }
    (width, frames)
}

#[test]
fn a_gif_plays_the_film() {
    let film = lab(ThemeName::Dark, SIZE);
    let options = wide(960);
    let bytes = written(&film, "lab.gif", &options);
    assert!(bytes.len() < 2_000_000, "{} bytes", bytes.len());
    let (width, frames) = frames(&bytes);
    assert_eq!((width, frames[0].0.len()), (960, 960 * 540));
    assert_eq!(frames.iter().map(|(_, delay)| delay).sum::<u64>(), 9_300);
    assert_eq!(frames.len(), film.pictures.len());
    // Each frame, put on those before it, is the picture; but for the palette, which is of one picture there.
    for index in [0, 10, frames.len() - 1] {
        let still = Film { pictures: vec![film.pictures[index].clone()], ..film.clone() };
        let (_, _, pixels) = decoded(&written(&still, "still.png", &options));
        let far = |a: &Rgb, b: &Rgb| a.iter().zip(b).any(|(a, b)| a.abs_diff(*b) > 16);
        let differ = frames[index].0.iter().zip(&pixels).filter(|(a, b)| far(a, b)).count();
        assert_eq!(differ, 0, "frame {index}");
    }
}

#[test]
fn short_and_unchanged_frames_are_left_out() {
    let at = |millis: u64, text: &str| {
        let mut film = painted(|buffer| buffer.set_string(0, 0, text, Style::new()));
        film.pictures[0].at = Duration::from_millis(millis);
        film.pictures.remove(0)
    };
    let mut film = painted(|_| {});
    film.pictures = vec![at(0, "a"), at(1_004, "b"), at(1_012, "c"), at(1_500, "c"), at(2_003, "d")];
    film.end = Duration::from_millis(800_000);
    let (_, frames) = frames(&written(&film, "short.gif", &wide(640)));
    let delays: Vec<u64> = frames.iter().map(|(_, delay)| *delay).collect();
    // The last one stays longer than one frame can.
    assert_eq!(delays, [100, 100, 65_535, 79_800 - 65_535]);
}

#[test]
fn more_colors_than_a_palette_has_become_the_nearest() {
    let film = painted(|buffer| {
        for index in 0..80 * 20 {
            let color = Color::Rgb((index % 80 * 3) as u8, (index / 80 * 12) as u8, 128);
            let style = Style::new().bg(color);
            buffer.set_string((index % 80) as u16, (index / 80) as u16, " ", style);
        }
    });
    let (_, _, pixels) = decoded(&written(&film, "many.png", &FilmOptions::default()));
    let colors: std::collections::BTreeSet<Rgb> = pixels.into_iter().collect();
    assert!((200..=255).contains(&colors.len()), "{}", colors.len());
}
