//! ffmpeg's formats, as ffprobe sees them. Where ffmpeg is not installed, the tests say so and pass, as those in `readers`.

use std::path::Path;

use serde_json::Value;

use super::Folder;
use super::readers::{installed, program, reads};

/// What ffprobe says of a file's video and its length.
fn probed(ffprobe: &Path, folder: &Folder, name: &str) -> (Value, f64) {
    let about = reads(ffprobe, &["-v", "error", "-show_streams", "-show_format", "-of", "json", name], folder);
    let about: Value = serde_json::from_str(&about).unwrap();
    let length = about["format"]["duration"].as_str().unwrap().parse().unwrap();
    (about["streams"][0].clone(), length)
}

/// The seconds in `recorded lab.mp4: 100×28, 1:50, 2490 kB`.
fn told_length(told: &str) -> f64 {
    let time = told.lines().next().unwrap().split(", ").nth(1).unwrap();
    let (minutes, seconds) = time.split_once(':').unwrap();
    (minutes.parse::<u32>().unwrap() * 60 + seconds.parse::<u32>().unwrap()).into()
}

#[test]
fn the_whole_lab_is_a_video_that_every_player_shows() {
    let Some(ffprobe) = installed("ffprobe", program("ffprobe")) else { return };
    let folder = Folder::new();
    let told = folder.ok(&["record", "lab.mp4", "--width", "1280"]);
    let (video, length) = probed(&ffprobe, &folder, "lab.mp4");
    assert_eq!((video["codec_name"].as_str(), video["pix_fmt"].as_str()), (Some("h264"), Some("yuv420p")));
    assert_eq!((video["width"].as_u64(), video["height"].as_u64()), (Some(1280), Some(720)));
    assert!((length - told_length(&told)).abs() < 4.0, "{length}: {told}");
    // All of it can be decoded.
    reads(&program("ffmpeg").unwrap(), &["-v", "error", "-xerror", "-i", "lab.mp4", "-f", "null", "-"], &folder);
    // The chapters that are printed keep YouTube's rules.
    let chapters: Vec<u64> = told
        .lines()
        .filter_map(|line| line.split_once(' ')?.0.split_once(':'))
        .filter_map(|(minutes, seconds)| Some(minutes.parse::<u64>().ok()? * 60 + seconds.parse::<u64>().ok()?))
        .collect();
    assert!(chapters.len() >= 3 && chapters[0] == 0, "{told}");
    assert!(chapters.windows(2).all(|two| two[1] >= two[0] + 10), "{told}");
    assert_eq!(folder.names(), ["lab.mp4", "lab.srt", "lab.vtt"]);
}

#[test]
fn webm_and_webp_are_made_too() {
    let Some(ffprobe) = installed("ffprobe", program("ffprobe")) else { return };
    let folder = Folder::new();
    folder.ok(&["record", "lab.cast", "--teaser"]);
    let told = folder.ok(&["convert", "lab.cast", "lab.webm", "--width", "640"]);
    let (video, length) = probed(&ffprobe, &folder, "lab.webm");
    assert_eq!((video["codec_name"].as_str(), video["width"].as_u64()), (Some("vp9"), Some(640)));
    assert!((length - told_length(&told)).abs() < 4.0, "{length}: {told}");
    folder.ok(&["convert", "lab.cast", "lab.webp", "--width", "640"]);
    let webp = folder.read("lab.webp");
    let chunks = |name: &[u8]| webp.windows(4).filter(|bytes| *bytes == name).count();
    assert!(webp.starts_with(b"RIFF") && &webp[8..16] == b"WEBPVP8X" && chunks(b"ANIM") == 1);
    assert!(chunks(b"ANMF") > 5, "{}", chunks(b"ANMF"));
}
