//! What the environment says about terminal, locale and folders.

use std::ffi::OsString;
use std::path::PathBuf;

use crate::lab::Way;
use crate::ui::theme::ColorLevel;

/// What the environment says about terminal and folders; read once, passed on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Environment {
    /// `NO_COLOR` is set and not empty.
    pub no_color: bool,
    /// `COLORTERM` promises 24-bit colors.
    pub true_color: bool,
    /// GNU screen shows the terminal: of colors it passes on 16, or 256, and makes something else of others.
    pub screen: bool,
    /// `COLORFGBG` says whether the terminal's background is light.
    pub light: Option<bool>,
    /// `TERM` names a terminal that can be asked for its background.
    pub tells_background: bool,
    /// `TERM` names a terminal without colors.
    pub monochrome: bool,
    /// `TERM` is `dumb`: it can't be drawn on.
    pub dumb: bool,
    /// The locale's character set is not UTF-8.
    pub ascii: bool,
    /// The terminal shows links (OSC 8), as far as it tells.
    pub links: bool,
    /// How the terminal copies, as far as it tells.
    pub clipboard: Way,
    /// The language of the locale, `de`.
    pub language: Option<String>,
    /// `user:password` for a learning record store, a secret.
    pub xapi_auth: Secret,
    /// Where a person's own keys and defaults are, if there are any: below `XDG_CONFIG_HOME`, else below `~/.config`.
    pub config: Option<PathBuf>,
    /// Where journals are: below `XDG_STATE_HOME`, else below `~/.local/state`; `None` where no home is known.
    pub journals: Option<PathBuf>,
    /// The folder of both, and of the kept session.
    pub state: Option<PathBuf>,
    /// Where the answers of stages that were met are kept, likewise.
    pub verified: Option<PathBuf>,
    /// Where the sockets of labs may be: below `XDG_RUNTIME_DIR`, else in the state folder.
    pub labs: Vec<PathBuf>,
}

/// A variable that nothing shows.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secret(Option<String>);

impl Secret {
    /// The value, if the variable is set and not empty.
    pub fn value(&self) -> Option<&str> {
        self.0.as_deref()
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret")
    }
}

/// The variable with `user:password` for a learning record store.
const XAPI_AUTH: &str = "KMSLAB_XAPI_AUTH";

impl Environment {
    /// Reads it through `variable`, which is `std::env::var_os` outside of tests.
    pub fn read(variable: impl Fn(&str) -> Option<OsString>) -> Environment {
        let text = |name: &str| variable(name).and_then(|value| value.into_string().ok()).unwrap_or_default();
        // POSIX: the first of these that is set and not empty decides.
        let locale = |category| ["LC_ALL", category, "LANG"].into_iter().map(text).find(|value| !value.is_empty());
        let state = own_folder(&variable, "XDG_STATE_HOME", ".local/state");
        Environment {
            no_color: variable("NO_COLOR").is_some_and(|value| !value.is_empty()),
            true_color: matches!(text("COLORTERM").as_str(), "truecolor" | "24bit"),
            screen: !text("STY").is_empty() || (text("TERM").starts_with("screen") && text("TMUX").is_empty()),
            light: light_background(&text("COLORFGBG")),
            // The Linux console may show the question.
            tells_background: !matches!(text("TERM").as_str(), "" | "dumb" | "linux"),
            monochrome: is_monochrome(&text("TERM")),
            dumb: text("TERM") == "dumb",
            clipboard: clipboard(&text("TERM"), !text("TMUX").is_empty(), !text("STY").is_empty()),
            links: knows_links(&text),
            ascii: locale("LC_CTYPE").is_some_and(|locale| is_ascii(&locale)),
            xapi_auth: Secret(Some(text(XAPI_AUTH)).filter(|auth| !auth.is_empty())),
            language: locale("LC_MESSAGES").and_then(|locale| locale_language(&locale)),
            config: own_folder(&variable, "XDG_CONFIG_HOME", ".config").map(|folder| folder.join("config.toml")),
            journals: state.as_ref().map(|state| state.join("runs")),
            state: state.clone(),
            verified: state.as_ref().map(|state| state.join("verified")),
            labs: runtime_folder(&variable).into_iter().chain(state.map(|state| state.join("labs"))).collect(),
        }
    }

    /// Returns whether links may be written: not where colors are unwanted, for bytes that a terminal may not know are, too.
    pub fn shows_links(&self) -> bool {
        self.links && !self.dumb && self.color_level() != ColorLevel::None
    }

    /// Returns the colors that may be used.
    pub fn color_level(&self) -> ColorLevel {
        match (self.no_color || self.monochrome, self.true_color && !self.screen) {
            (true, _) => ColorLevel::None,
            (false, true) => ColorLevel::True,
            (false, false) => ColorLevel::Ansi16,
        }
    }
}

/// The language of a locale like `de_DE.UTF-8`; none of `C` and `POSIX`.
fn locale_language(locale: &str) -> Option<String> {
    let language = locale.split(['_', '.', '@']).next().unwrap_or_default().to_ascii_lowercase();
    (language.len() == 2 && language.bytes().all(|byte| byte.is_ascii_lowercase())).then_some(language)
}

/// Whether `COLORFGBG`, like `15;0` or `0;default;15`, names a light background: white, light gray or another bright color.
fn light_background(variable: &str) -> Option<bool> {
    let (_, background) = variable.rsplit_once(';')?;
    match background.parse().ok()? {
        0..=6 | 8 => Some(false),
        7 | 9..=15 => Some(true),
        _ => None,
    }
}

/// Whether a locale names another character set than UTF-8: only ASCII is certain then. `C`, `POSIX` and names without
/// a character set do, too: they mean an older one. Where no locale is set, as on many servers and in containers, this
/// is not asked: the terminal in front of them knows UTF-8 nevertheless, nearly always.
fn is_ascii(locale: &str) -> bool {
    let locale = locale.to_ascii_lowercase();
    !locale.is_empty() && !locale.contains("utf-8") && !locale.contains("utf8")
}

/// How a terminal copies. The Linux console has no clipboard and shows a sequence that it does not know; GNU screen
/// (`STY`) passes none on.
fn clipboard(term: &str, tmux: bool, screen: bool) -> Way {
    match term {
        "" | "dumb" | "linux" => Way::Nowhere,
        _ if screen => Way::Nowhere,
        _ if tmux => Way::Tmux,
        _ => Way::Terminal,
    }
}

/// Whether a terminal knows links. Terminals can't be asked; those that do name themselves. `FORCE_HYPERLINK` decides for
/// all others, as for other programs. GNU screen passes no links on.
fn knows_links(text: &impl Fn(&str) -> String) -> bool {
    let version = |name: &str| text(name).parse::<u32>().unwrap_or(0);
    let programs = ["iTerm.app", "WezTerm", "vscode", "ghostty", "Hyper", "rio", "Tabby", "mintty"];
    let terms = ["xterm-kitty", "alacritty", "foot", "foot-extra", "contour", "wezterm", "xterm-ghostty"];
    match text("FORCE_HYPERLINK").as_str() {
        "" => {}
        forced => return forced != "0",
    }
    let is_screen = !text("STY").is_empty();
    // VTE 0.50.0 crashed.
    let is_known = version("VTE_VERSION") > 5_000
        || version("KONSOLE_VERSION") >= 201_200
        || ["WT_SESSION", "KITTY_WINDOW_ID", "DOMTERM"].into_iter().any(|name| !text(name).is_empty())
        || programs.contains(&text("TERM_PROGRAM").as_str())
        || terms.contains(&text("TERM").as_str());
    is_known && !is_screen
}

/// As terminfo names them: `xterm-mono`, `screen-m`, `vt220`.
fn is_monochrome(term: &str) -> bool {
    term == "dumb" || term.ends_with("-mono") || term.ends_with("-m") || term.starts_with("vt")
}

/// The lab's own folder below the one that the variable `name` names, else below `usual` at home. A relative path
/// counts as none (XDG base directory specification).
fn own_folder(variable: &impl Fn(&str) -> Option<OsString>, name: &str, usual: &str) -> Option<PathBuf> {
    let folder = |name: &str| variable(name).map(PathBuf::from).filter(|folder| folder.is_absolute());
    Some(folder(name).or_else(|| Some(folder("HOME")?.join(usual)))?.join("kmslab"))
}

/// Likewise, a relative XDG_RUNTIME_DIR.
fn runtime_folder(variable: &impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    let folder = variable("XDG_RUNTIME_DIR").map(PathBuf::from).filter(|folder| folder.is_absolute());
    Some(folder?.join("kmslab"))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(&[("XDG_STATE_HOME", "/state"), ("HOME", "/home/me")], Some("/state/kmslab/runs"))]
    #[case(&[("HOME", "/home/me")], Some("/home/me/.local/state/kmslab/runs"))]
    #[case::relative(&[("XDG_STATE_HOME", "state"), ("HOME", "/home/me")], Some("/home/me/.local/state/kmslab/runs"))]
    #[case::empty(&[("XDG_STATE_HOME", ""), ("HOME", "/home/me")], Some("/home/me/.local/state/kmslab/runs"))]
    #[case::nowhere(&[], None)]
    #[cfg(unix)]
    fn journals_are_in_the_state_folder(#[case] set: &[(&str, &str)], #[case] folder: Option<&str>) {
        let variable = |name: &str| set.iter().find(|(set, _)| *set == name).map(|(_, value)| OsString::from(value));
        assert_eq!(Environment::read(variable).journals, folder.map(PathBuf::from));
    }

    #[rstest]
    #[case(&[("XDG_RUNTIME_DIR", "/run/me"), ("XDG_STATE_HOME", "/state")], &["/run/me/kmslab", "/state/kmslab/labs"])]
    #[case(&[("XDG_RUNTIME_DIR", "run"), ("HOME", "/home/me")], &["/home/me/.local/state/kmslab/labs"])]
    #[case(&[], &[])]
    #[cfg(unix)]
    fn sockets_are_in_the_runtime_folder_or_the_state_folder(#[case] set: &[(&str, &str)], #[case] folders: &[&str]) {
        let variable = |name: &str| set.iter().find(|(set, _)| *set == name).map(|(_, value)| OsString::from(value));
        let folders: Vec<PathBuf> = folders.iter().map(PathBuf::from).collect();
        assert_eq!(Environment::read(variable).labs, folders);
    }

    #[rstest]
    #[case(&[("LANG", "de_DE.UTF-8")], Some("de"))]
    #[case(&[("LANG", "de_DE.UTF-8"), ("LC_ALL", "")], Some("de"))]
    #[case(&[("LANG", "de_DE.UTF-8"), ("LC_MESSAGES", "en_GB")], Some("en"))]
    #[case(&[("LANG", "de_DE.UTF-8"), ("LC_ALL", "C.UTF-8")], None)]
    #[case(&[("LANG", "de")], Some("de"))]
    #[case(&[], None)]
    fn the_locale_has_a_language(#[case] set: &[(&str, &str)], #[case] language: Option<&str>) {
        let variable = |name: &str| set.iter().find(|(set, _)| *set == name).map(|(_, value)| OsString::from(value));
        assert_eq!(Environment::read(variable).language.as_deref(), language);
    }

    #[rstest]
    #[case(&[], false)]
    #[case(&[("LANG", "")], false)]
    #[case(&[("LANG", "C")], true)]
    #[case(&[("LC_ALL", "POSIX"), ("LANG", "en_US.UTF-8")], true)]
    #[case(&[("LANG", "C.UTF-8")], false)]
    #[case(&[("LANG", "de_DE.utf8")], false)]
    #[case(&[("LANG", "de_DE")], true)]
    #[case(&[("LANG", "de_DE.ISO-8859-1")], true)]
    #[case(&[("LC_CTYPE", "en_US.UTF-8"), ("LANG", "C")], false)]
    #[case(&[("LC_MESSAGES", "C"), ("LANG", "en_US.UTF-8")], false)]
    fn the_locale_has_a_character_set(#[case] set: &[(&str, &str)], #[case] ascii: bool) {
        let variable = |name: &str| set.iter().find(|(set, _)| *set == name).map(|(_, value)| OsString::from(value));
        assert_eq!(Environment::read(variable).ascii, ascii);
    }

    #[rstest]
    #[case(&[], ColorLevel::Ansi16)]
    #[case(&[("COLORTERM", "truecolor")], ColorLevel::True)]
    #[case(&[("COLORTERM", "truecolor"), ("NO_COLOR", "1")], ColorLevel::None)]
    #[case(&[("NO_COLOR", "")], ColorLevel::Ansi16)]
    #[case(&[("TERM", "xterm-256color")], ColorLevel::Ansi16)]
    #[case(&[("TERM", "dumb")], ColorLevel::None)]
    #[case(&[("TERM", "xterm-mono")], ColorLevel::None)]
    #[case(&[("TERM", "vt220")], ColorLevel::None)]
    #[case(&[("TERM", "screen.xterm-256color"), ("COLORTERM", "truecolor")], ColorLevel::Ansi16)]
    #[case(&[("TERM", "xterm"), ("STY", "1.pts-0.host"), ("COLORTERM", "truecolor")], ColorLevel::Ansi16)]
    #[case::tmux(&[("TERM", "screen-256color"), ("TMUX", "/tmp/t"), ("COLORTERM", "truecolor")], ColorLevel::True)]
    fn colors_are_as_the_environment_says(#[case] variables: &[(&str, &str)], #[case] level: ColorLevel) {
        let variable = |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| value.into());
        assert_eq!(Environment::read(variable).color_level(), level);
    }

    #[rstest]
    #[case(&[("TERM", "xterm-256color")], false)]
    #[case(&[("TERM", "xterm-256color"), ("VTE_VERSION", "7600")], true)]
    #[case(&[("TERM", "xterm-256color"), ("VTE_VERSION", "5000")], false)]
    #[case(&[("TERM", "xterm-256color"), ("WT_SESSION", "0-0")], true)]
    #[case(&[("TERM", "xterm-256color"), ("TERM_PROGRAM", "WezTerm")], true)]
    #[case(&[("TERM", "xterm-256color"), ("TERM_PROGRAM", "Apple_Terminal")], false)]
    #[case(&[("TERM", "xterm-kitty")], true)]
    #[case(&[("TERM", "xterm-kitty"), ("NO_COLOR", "1")], false)]
    #[case(&[("TERM", "dumb"), ("FORCE_HYPERLINK", "1")], false)]
    #[case(&[("TERM", "xterm"), ("FORCE_HYPERLINK", "1")], true)]
    #[case(&[("TERM", "xterm-kitty"), ("FORCE_HYPERLINK", "0")], false)]
    #[case(&[("TERM", "screen"), ("STY", "1.pts-0.host"), ("VTE_VERSION", "7600")], false)]
    fn links_are_for_terminals_that_know_them(#[case] variables: &[(&str, &str)], #[case] shows: bool) {
        let variable = |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| value.into());
        assert_eq!(Environment::read(variable).shows_links(), shows);
    }

    #[rstest]
    #[case("15;0", Some(false))]
    #[case("0;15", Some(true))]
    #[case("0;default;15", Some(true))]
    #[case("12;8", Some(false))]
    #[case("0;7", Some(true))]
    #[case("15;default", None)]
    #[case("15", None)]
    #[case("0;99", None)]
    #[case("", None)]
    fn colorfgbg_tells_the_background(#[case] value: &str, #[case] light: Option<bool>) {
        let variable = |name: &str| (name == "COLORFGBG").then(|| value.into());
        assert_eq!(Environment::read(variable).light, light);
    }

    #[rstest]
    #[case(&[("TERM", "xterm-256color")], Way::Terminal)]
    #[case(&[("TERM", "tmux-256color"), ("TMUX", "/tmp/tmux-1000/default,1,0")], Way::Tmux)]
    #[case(&[("TERM", "screen"), ("STY", "1.pts-0.host")], Way::Nowhere)]
    #[case(&[("TERM", "linux")], Way::Nowhere)]
    #[case(&[("TERM", "linux"), ("TMUX", "x")], Way::Nowhere)]
    #[case(&[], Way::Nowhere)]
    fn a_clipboard_is_where_the_terminal_may_have_one(#[case] variables: &[(&str, &str)], #[case] way: Way) {
        let variable = |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| value.into());
        assert_eq!(Environment::read(variable).clipboard, way);
    }
}
