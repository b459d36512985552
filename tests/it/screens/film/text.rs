//! What is made of text: transcript, page, moving picture; and the film that ffmpeg makes.

use kmslab::record::Row;
use serde_json::Value;

use super::*;

fn text(film: &Film, name: &str) -> String {
    String::from_utf8(written(film, name, &FilmOptions::default())).unwrap()
}

#[test]
fn a_transcript_reads_one_pane_after_the_other() {
    let text = text(&lab(ThemeName::Dark, SIZE), "lab.txt");
    let headings: Vec<&str> = text.lines().filter(|line| line.contains("view_denied")).collect();
    assert_eq!(headings, ["0:50  6 view_denied"]);
    // A stage begins with what it shows first, and calls under way are not read aloud; nor are progress and keys.
    let begins = text.split("6 view_denied\n").nth(1).unwrap().split("0:54").next().unwrap();
    assert!(begins.contains("Both send the same Scan"), "{begins}");
    assert!(!["WAITING", "in progress", "summary\n", "q quit", "6/9"].iter().any(|word| text.contains(word)), "{text}");
    let chapter = text.split("0:54  6 DENIED\n").nth(1).unwrap().split("\n1:00  7 grant").next().unwrap();
    let place = |wanted: &str| chapter.find(wanted).unwrap_or_else(|| panic!("{wanted} is not in {chapter}"));
    assert!(place("As expected") < place("✔ ALLOWED"));
    assert!(place("✔ ALLOWED") < place("Chidi Okafor"), "the whole left pane …");
    assert!(place("Chidi Okafor") < place("✘ DENIED"), "… before the right one");
    assert!(text.lines().all(|line| line == line.trim_end() && !line.contains(['│', '━'])));
    assert!(!text.contains("\n\n\n"));
}

/// What is added to the first picture of a chapter, and where the film's last card begins.
#[test]
fn a_transcript_has_what_comes_later_once_and_the_end_apart() {
    let mut film = painted(|buffer| buffer.set_string(0, 3, "the question", Style::new()));
    film.pictures[0].chapter = Some("9 Clean up: MET".into());
    film.pictures[0].stage = "clean_up";
    let later = |millis: u64, text: &str, stage: &'static str| {
        let next = painted(|buffer| {
            buffer.set_string(0, 3, "the question", Style::new());
            buffer.set_string(0, 5, text, Style::new());
        });
        Picture { at: Duration::from_millis(millis), stage, ..next.pictures[0].clone() }
    };
    let more = [(1_000, "a moment", "clean_up"), (1_100, "the ladder", "clean_up"), (5_000, "the end", "")];
    film.pictures.extend(more.map(|(millis, text, stage)| later(millis, text, stage)));
    film.end = Duration::from_secs(9);
    let text = text(&film, "later.txt");
    let (heading, end) = ("0:00  9 Clean up: MET\n=====================\n", "0:05  t\n=======\n");
    assert_eq!(text, format!("t\n0:09\n\n{heading}the question\n\nthe ladder\n\n{end}the question\n\nthe end\n"));
}

/// Of what a window covers nothing is read: its lines are cut off.
#[test]
fn a_window_is_read_alone() {
    let film = painted(|buffer| {
        buffer.set_string(0, 4, "behind it, cut off", Style::new());
        for (y, row) in ["┌ list ───┐", "│ one     │", "│ two     │", "└─────────┘"].into_iter().enumerate()
        {
            buffer.set_string(9, 3 + y as u16, row, Style::new());
        }
    });
    assert_eq!(text(&film, "window.txt"), "t\n0:01\n\n0:00  t\n=======\n list\n one\n two\n");
}

#[test]
fn control_characters_stay_out_of_every_file() {
    let mut film = painted(|buffer| {
        buffer.cell_mut((0, 0)).unwrap().set_symbol("a\u{1b}]0;b\u{7}</script>\"'{{title}}");
    });
    film.title = "<b>\u{1b}[2J & {{film}}".into();
    film.pictures[0].chapter = Some("</pre><script>".into());
    for name in ["a.txt", "a.html", "a.svg"] {
        let text = text(&film, name);
        assert!(text.chars().all(|c| c == '\n' || !c.is_control()), "{name}");
        assert!(name == "a.txt" || !text.contains("<b>") && !text.contains("</pre><script>"), "{name}");
        assert_eq!(text.matches("</script>").count(), usize::from(name == "a.html") * 2 + usize::from(name == "a.txt"));
    }
}

#[test]
fn a_page_has_every_picture_and_needs_nothing_else() {
    let film = lab(ThemeName::Light, SIZE);
    let page = text(&film, "lab.html");
    assert!(page.len() < 2_000_000, "{}", page.len());
    for word in ["src=", "href=", "url(", "@import", "fetch(", "https:"] {
        assert!(!page.contains(word), "{word}");
    }
    assert!(page.matches("http:").count() == page.matches("http://www.w3.org/2000/svg").count());
    assert!(page.contains("<html lang=\"en\">") && page.contains("<title>kmslab: the whole lab</title>"));
    // The controls are English, what is recorded need not be.
    let german = FilmOptions { lang: "de".into(), ..FilmOptions::default() };
    let german = String::from_utf8(written(&film, "lab.html", &german)).unwrap();
    assert!(german.contains("<h1 lang=\"de\">") && german.contains("<div id=\"screen\" lang=\"de\">"));
    assert!(german.contains("<pre lang=\"de\">") && !page.contains("lang=\"de\""));
    let without_scripts = page.split("<noscript>").nth(1).unwrap().split("</noscript>").next().unwrap();
    assert!(without_scripts.contains("DENIED") && page.contains("<h3>0:54 6 DENIED</h3>"));

    let data = page.split("type=\"application/json\">").nth(1).unwrap().split("</script>").next().unwrap();
    let data: Value = serde_json::from_str(data).unwrap();
    assert_eq!(data["end"], 93_000);
    assert_eq!(data["poster"], 54_041, "the denial is what is seen first");
    assert_eq!(data["chapters"].as_array().unwrap().len(), 18);
    assert_eq!(data["chapters"][1], serde_json::json!([4041, "1 MET"]));
    // What the player does: each picture is the one before with its changes.
    let mut shown = vec![String::new(); 28];
    assert_eq!(data["pictures"].as_array().unwrap().len(), film.pictures.len());
    for (picture, expected) in data["pictures"].as_array().unwrap().iter().zip(&film.pictures) {
        assert_eq!(picture[0].as_u64().unwrap(), expected.at.as_millis() as u64);
        for change in picture[1].as_array().unwrap().chunks_exact(2) {
            let part = &data["parts"][change[1].as_u64().unwrap() as usize];
            shown[change[0].as_u64().unwrap() as usize] = part.as_str().unwrap().to_owned();
        }
        for (y, row) in shown.iter().enumerate() {
            assert_eq!(letters_of_svg(row), letters_of(&expected.rows[y]));
        }
    }
}

/// What can be read in a row, without blanks and lines.
fn letters_of(row: &Row) -> String {
    let row: String = row.iter().map(|cell| cell.symbol()).collect();
    row.chars().filter(|c| !c.is_whitespace() && !('─'..='┿').contains(c)).collect()
}

fn letters_of_svg(row: &str) -> String {
    let row = format!("<g>{row}</g>");
    let document = roxmltree::Document::parse(&row).unwrap();
    let mut texts: Vec<(f64, &str)> = document
        .descendants()
        .filter(|node| node.has_tag_name("text"))
        .map(|node| (node.attribute("x").unwrap().parse().unwrap(), node.text().unwrap()))
        .collect();
    texts.sort_by(|a, b| a.0.total_cmp(&b.0));
    texts.into_iter().flat_map(|(_, text)| text.chars()).filter(|c| !c.is_whitespace()).collect()
}

#[test]
fn a_moving_picture_shows_each_row_at_its_time() {
    let film = lab(ThemeName::Dark, SIZE);
    let svg = text(&film, "lab.svg");
    assert!(svg.len() < 1_000_000, "{}", svg.len());
    let document = roxmltree::Document::parse(&svg).unwrap();
    let style = document.descendants().find(|node| node.has_tag_name("style")).unwrap().text().unwrap();
    assert!(style.contains("animation-duration:93s") && style.contains("prefers-reduced-motion"));
    // At every picture's time what is visible is the picture, and without motion it is the denied one.
    let visible_at = |percent: f64, id: &str| -> bool {
        let frames = style.split(&format!("@keyframes k{}{{", &id[1..])).nth(1).unwrap().split("}}").next().unwrap();
        let frames = frames.split('}').map(|frame| frame.split_once("%{visibility:").unwrap());
        let mut before = frames.filter(|(at, _)| at.parse::<f64>().unwrap() <= percent);
        before.next_back().is_some_and(|(_, what)| what == "visible")
    };
    let seen = |is_visible: &dyn Fn(roxmltree::Node<'_, '_>) -> bool| -> String {
        let texts = document.descendants().filter(|node| node.has_tag_name("text")).filter(|node| {
            let group = node.ancestors().find(|node| node.has_tag_name("g"));
            group.is_none_or(is_visible)
        });
        let mut texts: Vec<(i64, i64, &str)> = texts
            .map(|node| {
                let place = |name: &str| (node.attribute(name).unwrap().parse::<f64>().unwrap() * 10.0) as i64;
                (place("y"), place("x"), node.text().unwrap())
            })
            .collect();
        texts.sort_unstable();
        texts.into_iter().flat_map(|(_, _, text)| text.chars()).filter(|c| !c.is_whitespace()).collect()
    };
    let whole = |picture: &Picture| picture.rows.iter().map(letters_of).collect::<String>();
    for picture in &film.pictures {
        let percent = picture.at.as_secs_f64() / 93.0 * 100.0 + 0.01;
        assert_eq!(seen(&|group| visible_at(percent, group.attribute("id").unwrap())), whole(picture));
    }
    let denied = film.pictures.iter().find(|picture| picture.chapter.as_deref() == Some("6 DENIED")).unwrap();
    assert_eq!(seen(&|group| group.attribute("class") == Some("p")), whole(denied));
}

#[test]
fn a_film_without_ffmpeg_is_a_sentence() {
    let folder = tempfile::tempdir().unwrap();
    let options = FilmOptions { ffmpeg: "kmslab-no-such-program".into(), ..FilmOptions::default() };
    let error = save(&painted(|_| {}), &folder.path().join("a.mp4"), &options).unwrap_err();
    assert!(error.to_string().contains("needs ffmpeg, which is not on PATH"), "{error}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

/// A program that stands for ffmpeg: it has an option of what to do.
fn stand_in(folder: &Path, script: &str) -> FilmOptions {
    let program = folder.join("ffmpeg");
    std::fs::write(&program, format!("#!/bin/sh\n[ \"$1\" = -version ] && exit 0\n{script}")).unwrap();
    std::fs::set_permissions(&program, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    FilmOptions { ffmpeg: program.into(), ..wide(640) }
}

#[test]
fn ffmpeg_gets_a_named_file_and_its_errors_are_shown() {
    let folder = tempfile::tempdir().unwrap();
    // The pictures are what follows `-i`.
    let read = "while [ \"$1\" != -i ]; do shift; done; shift; ls -l \"$1\" >&2";
    let good = stand_in(
        folder.path(),
        &format!("all=$*; {read}; for last; do :; done; cat \"$1\" > \"$last\"; echo $all >> \"$last\""),
    );
    let bytes = written(&painted(|_| {}), "a.mp4", &good);
    let end = String::from_utf8_lossy(&bytes[bytes.len() - 300..]).into_owned();
    assert!(
        bytes.starts_with(b"GIF89a") && end.contains("fps=10,format=yuv420p") && end.contains("+faststart"),
        "{end}"
    );

    let bad = stand_in(folder.path(), &format!("{read}; printf 'one\\n\\033[31mNo space left\\n' >&2; exit 1"));
    let place = folder.path().join("b.mp4");
    let error = save(&painted(|_| {}), &place, &bad).unwrap_err().to_string();
    assert!(error.contains("b.mp4 can't be written: ffmpeg failed"), "{error}");
    assert!(error.contains("one; ␛[31mNo space left"), "all it said, and no command to the terminal: {error}");
    // It was its owner's alone, and is gone.
    assert!(error.contains("-rw-------"), "{error}");
    let gif = error.split_whitespace().find(|word| word.ends_with(".gif;")).unwrap().trim_end_matches(';');
    assert!(!Path::new(gif).exists(), "{gif}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn a_film_that_is_no_longer_wanted_ends_ffmpeg() {
    let folder = tempfile::tempdir().unwrap();
    let options = stand_in(folder.path(), "exec sleep 60");
    let (cancel, begun) = (Cancel::default(), std::time::Instant::now());
    let (target, cancelled) = (Target::new(folder.path().join("c.mp4"), false).unwrap(), cancel.clone());
    let writing = std::thread::spawn(move || write(&painted(|_| {}), &target, &options, &cancelled).unwrap_err());
    std::thread::sleep(Duration::from_millis(100));
    cancel.cancel();
    assert!(matches!(writing.join().unwrap(), RecordError::Cancelled(_)));
    assert!(begun.elapsed() < Duration::from_secs(30));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}

/// ffmpeg and ffprobe. Elsewhere the tests that need them say so and pass, but not in `.ci/run`, which installs both.
fn has_ffmpeg() -> bool {
    let is_there =
        |program: &str| std::process::Command::new(program).arg("-version").output().is_ok_and(|o| o.status.success());
    let there = is_there("ffmpeg") && is_there("ffprobe");
    assert!(there || std::env::var_os("KMSLAB_NEEDS_CLIENTS").is_none(), "ffmpeg is not installed: see .ci/run");
    if !there {
        eprintln!("skipped: ffmpeg is not installed");
    }
    there
}

/// The whole lab: its pictures are far longer than what a pipe holds, and than what ffmpeg keeps of one.
#[test]
fn ffmpeg_makes_a_film_of_the_whole_lab() {
    if !has_ffmpeg() {
        return;
    }
    let options = wide(640);
    let film = lab(ThemeName::Dark, SIZE);
    assert!(written(&film, "lab.gif", &options).len() > 1 << 16);
    let bytes = written(&film, "lab.mp4", &options);
    // The index comes before the pictures.
    let place = |name: &[u8]| bytes.windows(4).position(|four| four == name).unwrap();
    assert!(place(b"ftyp") < place(b"moov") && place(b"moov") < place(b"mdat"));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lab.mp4");
    std::fs::write(&path, bytes).unwrap();
    let mut probe = std::process::Command::new("ffprobe");
    probe.args([
        "-v",
        "error",
        "-count_frames",
        "-select_streams",
        "v",
        "-of",
        "json",
        "-show_streams",
        "-show_format",
    ]);
    let told = probe.arg(&path).output().unwrap();
    let told: Value = serde_json::from_slice(&told.stdout).unwrap();
    let stream = &told["streams"][0];
    assert_eq!(
        (&stream["width"], &stream["height"], &stream["pix_fmt"]),
        (&640.into(), &360.into(), &"yuv420p".into())
    );
    let number = |value: &Value| value.as_str().unwrap().parse::<f64>().unwrap();
    let (seconds, frames) = (number(&told["format"]["duration"]), number(&stream["nb_read_frames"]));
    assert!((seconds - film.end.as_secs_f64()).abs() < 0.5, "{seconds} s");
    assert!((frames - 10.0 * film.end.as_secs_f64()).abs() < 5.0, "{frames} frames");
}
