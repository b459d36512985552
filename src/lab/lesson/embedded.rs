//! The set in the program.

macro_rules! files {
    ($($path:literal),* $(,)?) => {
        &[$(($path, include_str!(concat!("../../../assets/lesson/", $path)))),*]
    };
}

/// Paths and texts.
pub const FILES: &[(&str, &str)] = files![
    "sources.toml",
    "en/lesson.toml",
    "en/who.toml",
    "en/create_key.toml",
    "en/create_table.toml",
    "en/view_admin.toml",
    "en/create_user.toml",
    "en/view_denied.toml",
    "en/grant.toml",
    "en/view_again.toml",
    "en/clean_up.toml",
    "en/drills.toml",
    "en/film.toml",
    "de/lesson.toml",
    "de/who.toml",
    "de/create_key.toml",
    "de/create_table.toml",
    "de/view_admin.toml",
    "de/create_user.toml",
    "de/view_denied.toml",
    "de/grant.toml",
    "de/view_again.toml",
    "de/clean_up.toml",
    "de/drills.toml",
    "de/film.toml",
];
