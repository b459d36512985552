//! How a shell gets its prompt, and the variables that change while it is open.

use std::ffi::OsStr;
use std::io;
use std::path::Path;
use std::process::Command;

use super::folder::put;

/// Reads the lab's names again before each prompt: the key, say, is there only after a while.
const REFRESH: &str = r#"_kmslab() {
  while IFS='=' read -r name value; do
    case $name in KMSLAB_*) export "$name=$value" ;; esac
  done < "$KMSLAB_HOME/variables"
} 2>/dev/null
"#;

const BASH: &str = r#"[ -r ~/.bashrc ] && . ~/.bashrc
PROMPT_COMMAND="_kmslab${PROMPT_COMMAND:+; $PROMPT_COMMAND}"
PS1='(kmslab) $ '
"#;

const ZSH: &str = r#"ZDOTDIR=$HOME
[ -r ~/.zshrc ] && . ~/.zshrc
precmd_functions+=(_kmslab)
PROMPT='(kmslab) $ '
"#;

const SH: &str = "PS1='(kmslab) $ '\n";

const FISH: &str = r#"function _kmslab --on-event fish_prompt
  for line in (string match 'KMSLAB_*' < $KMSLAB_HOME/variables)
    set -l pair (string split -m 1 = $line)
    set -gx $pair[1] $pair[2]
  end
end
functions -c fish_prompt _kmslab_prompt 2>/dev/null
function fish_prompt
  echo -n '(kmslab) $ '
end
"#;

/// Starts `shell` with the lab's prompt, where it is one of those that are known.
///
/// # Errors
/// When its start file can't be written.
pub fn command(shell: &OsStr, folder: &Path) -> io::Result<Command> {
    let mut command = Command::new(shell);
    let name = Path::new(shell).file_name().and_then(OsStr::to_str).unwrap_or_default();
    match name.trim_start_matches('-') {
        "bash" => {
            command.arg("--rcfile").arg(write(folder, "bashrc", &[REFRESH, BASH])?).arg("-i");
        }
        "zsh" => {
            write(folder, ".zshrc", &[REFRESH, ZSH])?;
            command.env("ZDOTDIR", folder).arg("-i");
        }
        "fish" => {
            let path = write(folder, "start.fish", &[FISH])?;
            command.arg("-C").arg(format!("source '{}'", path.display().to_string().replace('\'', "\\'")));
        }
        "sh" | "dash" | "ksh" | "mksh" | "ash" => {
            command.env("ENV", write(folder, "shrc", &[REFRESH, SH])?).arg("-i");
        }
        _ => {}
    }
    Ok(command)
}

fn write(folder: &Path, name: &str, parts: &[&str]) -> io::Result<std::path::PathBuf> {
    let path = folder.join(name);
    put(&path, &parts.concat())?;
    Ok(path)
}
