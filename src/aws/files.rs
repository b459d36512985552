//! The AWS config and credentials files, read the way the AWS CLI reads them.
//!
//! The SDK's own parser is stricter: one indented line or one odd byte makes it drop a whole file, often silently. So
//! this module reads both files, and hands the SDK one clean file with the same profiles ([`Files::for_sdk`]).

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use aws_runtime::env_config::file::{EnvConfigFileKind, EnvConfigFiles};

use super::error::ConfigError;
use crate::disk;
use crate::lab::redact;

/// AWS files hold a few kilobytes.
const LARGEST: u64 = 4 << 20;

/// The settings of one section. Blank ones are left out: they count as unset, as with the AWS CLI.
pub(super) type Settings = BTreeMap<String, String>;

/// The contents of both files.
#[derive(Debug, Default)]
pub(super) struct Files {
    /// By name, without quotes.
    profiles: BTreeMap<String, Settings>,
    sso_sessions: BTreeMap<String, Settings>,
    services: BTreeMap<String, Settings>,
    /// Sections that look like profiles and count as none.
    lost: Vec<Lost>,
    /// Why a file that exists could not be opened.
    unreadable: Option<String>,
}

/// A section that neither the AWS CLI nor the SDK reads as a profile.
#[derive(Debug)]
struct Lost {
    /// The profile that was probably meant.
    name: String,
    /// Its place, and the right way to write it.
    fix: String,
}

/// The kind of a section, by its header.
enum Section {
    Profile(String),
    SsoSession(String),
    Services(String),
    Other,
}

#[derive(Clone, Copy)]
enum Kind {
    Config,
    Credentials,
}

impl Files {
    /// Reads both files from where `variable` says they are.
    ///
    /// # Errors
    /// If a file isn't UTF-8, or has a line that is no setting.
    pub(super) fn read(variable: impl Fn(&str) -> Option<OsString>) -> Result<Files, ConfigError> {
        let home = ["HOME", "USERPROFILE"].into_iter().find_map(|name| set(&variable, name)).map(PathBuf::from);
        let place = |name: &str, usual: &str| match (set(&variable, name).map(PathBuf::from), &home) {
            (Some(path), Some(home)) => Some(path.strip_prefix("~").map(|below| home.join(below)).unwrap_or(path)),
            (Some(path), None) => Some(path),
            (None, Some(home)) => Some(home.join(usual)),
            (None, None) => None,
        };
        let mut files = Files::default();
        let both = [
            (Kind::Config, place("AWS_CONFIG_FILE", ".aws/config")),
            // The later file's settings win.
            (Kind::Credentials, place("AWS_SHARED_CREDENTIALS_FILE", ".aws/credentials")),
        ];
        for (kind, path) in both {
            let Some(path) = path else { continue };
            match bytes(&path) {
                Ok(Some(bytes)) => files.add(kind, &path, &bytes)?,
                Ok(None) => {}
                Err(error) => files.unreadable = Some(format!("{} can't be read: {error}", path.display())),
            }
        }
        Ok(files)
    }

    /// The settings of a profile.
    pub(super) fn profile(&self, name: &str) -> Option<&Settings> {
        self.profiles.get(name)
    }

    /// The settings of an `sso-session` section.
    pub(super) fn sso_session(&self, name: &str) -> Option<&Settings> {
        self.sso_sessions.get(name)
    }

    /// The names of all profiles, in order.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.profiles.keys().map(String::as_str)
    }

    /// Says how to fix a section that was probably meant to be the profile `name`.
    pub(super) fn lost(&self, name: &str) -> Option<&str> {
        self.lost.iter().find(|lost| lost.name == name).map(|lost| lost.fix.as_str())
    }

    /// Why a file could not be opened, if so.
    pub(super) fn unreadable(&self) -> Option<&str> {
        self.unreadable.as_deref()
    }

    /// The same profiles in the form that the SDK reads. The `credential_process` of a profile in `processes` becomes
    /// the credential source named there.
    pub(super) fn for_sdk(&self, processes: &BTreeMap<String, String>) -> EnvConfigFiles {
        let mut text = String::new();
        for (name, settings) in &self.profiles {
            let name_for_sdk = name_for_sdk(name);
            let header = if name == "default" { "default".to_owned() } else { format!("profile {name_for_sdk}") };
            write_section(&mut text, &header, settings, |key, value| match key {
                "source_profile" => Some((key.to_owned(), self::name_for_sdk(value))),
                "credential_process" if processes.contains_key(name) => {
                    Some(("credential_source".to_owned(), processes[name].clone()))
                }
                _ => None,
            });
        }
        for (kind, sections) in [("sso-session", &self.sso_sessions), ("services", &self.services)] {
            for (name, settings) in sections {
                write_section(&mut text, &format!("{kind} {name}"), settings, |_, _| None);
            }
        }
        EnvConfigFiles::builder().with_contents(EnvConfigFileKind::Config, text).build()
    }

    fn add(&mut self, kind: Kind, path: &Path, bytes: &[u8]) -> Result<(), ConfigError> {
        let variable = match kind {
            Kind::Config => "AWS_CONFIG_FILE",
            Kind::Credentials => "AWS_SHARED_CREDENTIALS_FILE",
        };
        let refuse = |reason: String, fix: &str| {
            let reason = redact::clean(&format!("{} {reason}", path.display()));
            Err(ConfigError::Files { reason, fix: format!("{fix}, or name another file with {variable}") })
        };
        let text = match text(bytes) {
            Ok(text) => text,
            Err((reason, fix)) => return refuse(reason, fix),
        };
        let sections = match parse(&text) {
            Ok(sections) => sections,
            Err((line, reason)) => return refuse(format!("line {line}: {reason}"), "correct that line"),
        };
        for (header, settings) in sections {
            let sections = match self.section(kind, path, &header) {
                Section::Profile(name) => self.profiles.entry(name),
                Section::SsoSession(name) => self.sso_sessions.entry(name),
                Section::Services(name) => self.services.entry(name),
                Section::Other => continue,
            };
            sections.or_default().extend(settings);
        }
        Ok(())
    }

    /// Returns the meaning of a header. Profiles have a prefix in the config file, and none in the credentials file.
    fn section(&mut self, kind: Kind, path: &Path, header: &str) -> Section {
        let mut lost = |name: &str, instead: String| {
            let fix = format!("in {}, write {instead} instead of [{header}]", path.display());
            self.lost.push(Lost { name: name.to_owned(), fix: redact::clean(&fix) });
            Section::Other
        };
        let (prefix, rest) = header.split_once([' ', '\t']).unwrap_or((header, ""));
        match (kind, prefix) {
            (Kind::Credentials, "profile") => lost(rest.trim(), format!("[{}]", rest.trim())),
            (Kind::Credentials, _) => Section::Profile(header.to_owned()),
            (Kind::Config, "default") if rest.is_empty() => Section::Profile("default".to_owned()),
            (Kind::Config, "profile" | "sso-session" | "services") => match (prefix, one_word(rest)) {
                ("profile", Some(name)) => Section::Profile(name),
                ("sso-session", Some(name)) => Section::SsoSession(name),
                (_, Some(name)) => Section::Services(name),
                ("profile", None) => lost(rest.trim(), format!("[profile \"{}\"]", rest.trim())),
                _ => Section::Other,
            },
            (Kind::Config, _) => lost(header, format!("[profile {}]", shell(header))),
        }
    }
}

/// A variable that is set and not blank.
fn set(variable: &impl Fn(&str) -> Option<OsString>, name: &str) -> Option<OsString> {
    variable(name).filter(|value| !value.to_string_lossy().trim().is_empty())
}

/// The only word in `text`, read as a shell would: the AWS CLI does so.
fn one_word(text: &str) -> Option<String> {
    let mut words = shlex::split(text)?;
    words.pop().filter(|_| words.is_empty())
}

/// `text` as one word for a shell.
pub(super) fn shell(text: &str) -> String {
    shlex::try_quote(text).map_or_else(|_| text.to_owned(), Into::into)
}

/// A profile's name in characters that the SDK accepts. Most names are such already.
pub(super) fn name_for_sdk(name: &str) -> String {
    if is_identifier(name) {
        return name.to_owned();
    }
    name.bytes().fold(String::new(), |mut encoded, byte| {
        if byte.is_ascii_alphanumeric() {
            encoded.push(byte.into());
        } else {
            // Writing to a string can't fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
        encoded
    })
}

/// Returns whether the SDK accepts the name of a section or a setting.
fn is_identifier(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-/.%@:+".contains(&byte))
}

/// The bytes of a file. A missing one, or a folder in its place, counts as absent, as with the AWS CLI.
fn bytes(path: &Path) -> std::io::Result<Option<Vec<u8>>> {
    use std::io::ErrorKind as Kind;
    match disk::read(path, LARGEST) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if matches!(error.kind(), Kind::NotFound | Kind::IsADirectory) => Ok(None),
        Err(error) => Err(error),
    }
}

/// The text of a file, or what is wrong with its encoding and how to fix that.
fn text(bytes: &[u8]) -> Result<String, (String, &'static str)> {
    const SAVE: &str = "save it as UTF-8";
    const WITHOUT_MARK: &str = "save it as UTF-8 without a byte-order mark";
    match bytes {
        [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..] => return Err(("is UTF-16".to_owned(), SAVE)),
        [0xEF, 0xBB, 0xBF, ..] => return Err(("begins with a byte-order mark".to_owned(), WITHOUT_MARK)),
        _ => {}
    }
    let line = |at: usize| bytes[..at].iter().filter(|byte| **byte == b'\n').count() + 1;
    if let Some(at) = bytes.iter().position(|byte| *byte == 0) {
        return Err((format!("line {} has a NUL character; it may be UTF-16", line(at)), SAVE));
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(text.replace("\r\n", "\n").replace('\r', "\n")),
        Err(error) => {
            let line = line(error.valid_up_to());
            Err((format!("line {line} is not UTF-8; it may be Latin-1 or Windows-1252"), SAVE))
        }
    }
}

/// The sections of a file with their settings, or the invalid line and why. As with Python's `configparser`, which
/// the AWS CLI uses, a line continues a setting if it is indented further than the setting.
fn parse(text: &str) -> Result<Vec<(String, Settings)>, (usize, String)> {
    let mut sections: Vec<(String, Settings)> = Vec::new();
    let mut setting: Option<(String, usize)> = None;
    for (at, line) in text.lines().enumerate() {
        let refuse = |reason: &str| Err((at + 1, reason.to_owned()));
        let content = line.trim();
        if content.is_empty() || content.starts_with(['#', ';']) {
            continue;
        }
        let indent = line.len() - line.trim_start().len();
        if let Some((key, first)) = &setting
            && indent > *first
            && let Some((_, settings)) = sections.last_mut()
        {
            let value = settings.entry(key.clone()).or_default();
            if (value.is_empty() || value.starts_with('\n')) && !content.contains('=') {
                return refuse("a line below a setting without a value needs a name, = and a value");
            }
            value.push('\n');
            value.push_str(content);
            continue;
        }
        if let Some(header) = content.strip_prefix('[') {
            let Some((header, _)) = header.split_once(']') else {
                return refuse("the section's closing ] is missing");
            };
            sections.push((header.trim().to_owned(), Settings::new()));
            setting = None;
            continue;
        }
        let Some((_, settings)) = sections.last_mut() else {
            return refuse("it stands before the first section, such as [default]");
        };
        let Some((key, value)) = content.split_once(['=', ':']) else {
            return refuse("it is neither a section in [ ] nor a setting with =");
        };
        let key = key.trim().to_ascii_lowercase();
        if key.is_empty() {
            return refuse("there is no name before the =");
        }
        settings.insert(key.clone(), without_comment(&key, value).to_owned());
        setting = Some((key, indent));
    }
    for (_, settings) in &mut sections {
        settings.retain(|_, value| !value.trim().is_empty());
    }
    Ok(sections)
}

/// A value without a comment after it. A command keeps everything: its shell knows better what is a comment.
fn without_comment<'a>(key: &str, value: &'a str) -> &'a str {
    let starts_comment = |at: &usize| value[..*at].ends_with([' ', '\t']);
    let comment = value.match_indices(['#', ';']).map(|(at, _)| at).find(starts_comment);
    match comment {
        Some(at) if key != "credential_process" => value[..at].trim(),
        _ => value.trim(),
    }
}

/// Appends a section. `change` may replace a setting.
fn write_section(
    text: &mut String,
    header: &str,
    settings: &Settings,
    change: impl Fn(&str, &str) -> Option<(String, String)>,
) {
    if !header.split(' ').all(is_identifier) {
        return;
    }
    // Writing to a string can't fail.
    let _ = writeln!(text, "[{header}]");
    for (key, value) in settings.iter().filter(|(key, _)| is_identifier(key)) {
        let (key, value) = change(key, value).unwrap_or_else(|| (key.clone(), value.clone()));
        let _ = writeln!(text, "{key} = {}", value.replace('\n', "\n  "));
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn read(config: &[u8], credentials: &str) -> Result<Files, ConfigError> {
        let mut files = Files::default();
        files.add(Kind::Config, Path::new("config"), config)?;
        files.add(Kind::Credentials, Path::new("credentials"), credentials.as_bytes())?;
        Ok(files)
    }

    fn region(files: &Files, profile: &str) -> Option<String> {
        files.profile(profile)?.get("region").cloned()
    }

    #[rstest]
    #[case::plain("[profile lab]\nregion = r", "lab")]
    #[case::indented("[profile lab]\n region = r\noutput = json", "lab")]
    #[case::all_indented("  [profile lab]\n  region = r\n  output = json", "lab")]
    #[case::colon("[profile lab]\nregion: r", "lab")]
    #[case::upper_case("[profile lab]\nREGION = r", "lab")]
    #[case::windows("[profile lab]\r\nregion = r\r\n", "lab")]
    #[case::commented("# a file\n[profile lab] ; mine\n  # none\nregion = r # here", "lab")]
    #[case::quoted("[profile \"My MacBook Pro\"]\nregion = r", "My MacBook Pro")]
    #[case::quoted_once("[profile 'lab']\nregion = r", "lab")]
    #[case::umlaut("[profile Büro]\nregion = r", "Büro")]
    #[case::default("[default]\nregion = r", "default")]
    #[case::prefixed_default("[profile default]\nregion = r", "default")]
    fn a_profile_is_read_as_the_aws_cli_reads_it(#[case] config: &str, #[case] profile: &str) {
        assert_eq!(region(&read(config.as_bytes(), "").unwrap(), profile).as_deref(), Some("r"));
    }

    #[test]
    fn blank_settings_are_unset_and_the_credentials_file_wins() {
        let files = read(
            b"[profile lab]\naws_session_token =\nregion = a\naws_access_key_id = A\n",
            "[lab]\naws_access_key_id = B\nregion =   \n",
        );
        let files = files.unwrap();
        let lab = files.profile("lab").unwrap();
        assert_eq!(lab.get("aws_session_token"), None);
        assert_eq!((lab["region"].as_str(), lab["aws_access_key_id"].as_str()), ("a", "B"));
    }

    #[rstest]
    #[case::utf16_le(b"\xFF\xFE[\0d\0", "config is UTF-16", "save it as UTF-8")]
    #[case::utf16_be(b"\xFE\xFF\0[\0d", "config is UTF-16", "save it as UTF-8")]
    #[case::unmarked(b"[default]\n[\0d\0", "config line 2 has a NUL character", "save it as UTF-8")]
    #[case::mark(b"\xEF\xBB\xBF[default]\n", "config begins with a byte-order mark", "without a byte-order mark")]
    #[case::latin1(b"[default]\n# B\xFCro\n", "config line 2 is not UTF-8", "save it as UTF-8")]
    #[case::no_bracket(b"[default\n", "config line 1: the section's closing ]", "correct that line")]
    #[case::no_section(b"region = r\n", "config line 1: it stands before the first section", "correct")]
    #[case::no_setting(b"[default]\n\nregion\n", "config line 3: it is neither", "correct")]
    #[case::no_name(b"[default]\n= r\n", "config line 2: there is no name", "correct")]
    #[case::no_sub_setting(b"[default]\ns3 =\n  fast\n", "config line 3: a line below a setting", "correct")]
    fn a_file_error_is_one_line_and_its_fix_another(#[case] config: &[u8], #[case] says: &str, #[case] fix: &str) {
        let error = read(config, "").unwrap_err().to_string();
        let (cause, remedy) = error.split_once("\n  fix: ").unwrap();
        assert!(cause.contains(says) && remedy.contains(fix), "{error}");
        assert!(!cause.contains('\n') && !remedy.contains('\n'), "{error}");
    }

    #[rstest]
    #[case("[lab]\nregion = r", "", "lab", "in config, write [profile lab] instead of [lab]")]
    #[case("[profile My Mac]\n", "", "My Mac", "in config, write [profile \"My Mac\"] instead")]
    #[case("[profile O'Brien]\n", "", "O'Brien", "in config, write [profile \"O'Brien\"] instead")]
    #[case("", "[profile lab]\n", "lab", "in credentials, write [lab] instead of [profile lab]")]
    fn a_section_that_counts_as_no_profile_has_its_correction(
        #[case] config: &str,
        #[case] credentials: &str,
        #[case] name: &str,
        #[case] fix: &str,
    ) {
        let files = read(config.as_bytes(), credentials).unwrap();
        assert_eq!(files.profile(name), None);
        assert!(files.lost(name).unwrap().contains(fix), "{:?}", files.lost);
    }

    #[test]
    fn the_sdk_reads_what_is_written_for_it() {
        let files = read(
            "[profile \"a b\"]\nregion = r\ncredential_process = \"x\" --y  # z\nservices = here\n\
             [profile c]\nrole_arn = r\nsource_profile = a b\n\
             [services \"here\"]\nkms =\n  endpoint_url = http://k\n[sso-session 'corp']\nsso_region = s\n"
                .as_bytes(),
            "",
        )
        .unwrap();
        let processes = BTreeMap::from([("a b".to_owned(), "p0".to_owned())]);
        let (fs, env) = (aws_types::os_shim_internal::Fs::from_slice(&[]), Default::default());
        let for_sdk = files.for_sdk(&processes);
        let read = aws_config::profile::load(&fs, &env, &for_sdk, Some("c".into()));
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let read = runtime.block_on(read).unwrap();
        let source = read.get("source_profile").unwrap();
        let source = read.get_profile(source).unwrap();
        assert_eq!((source.get("region"), source.get("credential_source")), (Some("r"), Some("p0")));
        assert_eq!(source.get("credential_process"), None);
        assert_eq!(read.sso_session("corp").unwrap().get("sso_region"), Some("s"));
        assert!(format!("{:?}", read.other_sections()).contains("http://k"), "{read:?}");
    }

    #[test]
    fn what_is_no_regular_file_counts_as_absent() {
        let tmp = tempfile::tempdir().unwrap();
        let home = |name: &str| (name == "HOME").then(|| tmp.path().as_os_str().to_owned());
        std::fs::create_dir_all(tmp.path().join(".aws/config")).unwrap();
        assert_eq!(Files::read(home).unwrap().names().count(), 0);
    }
}
