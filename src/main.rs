//! Parse, dispatch, exit status.

use std::process::ExitCode;

use color_eyre::config::HookBuilder;
use kmslab::app;
use kmslab::cli::{Environment, READER_GONE, help, unset_blank_settings};
use kmslab::run::debug::{self, BugReport};

fn main() -> ExitCode {
    if let Err(error) = HookBuilder::default().display_env_section(false).panic_section(BugReport).install() {
        app::tell(error);
    }
    if let Err(error) = unset_blank_settings() {
        app::tell(format_args!("blank AWS variables can't be ignored ({error}): unset them"));
    }
    let cli = help::parse();
    match app::run(cli, &Environment::read(|name| std::env::var_os(name))) {
        Ok(exit) => exit.into(),
        Err(error) => {
            let exit = app::exit_of(&error);
            if exit != READER_GONE {
                app::tell(app::describe(&error));
                if let Some(path) = debug::path() {
                    app::tell(format_args!("if this is a bug, send {} with a report", path.display()));
                }
            }
            exit.into()
        }
    }
}
