//! `--backend aws` without consent, against a server that stands for AWS: nothing is created.

use std::path::Path;
use std::process::Output;

use futures_util::stream;
use kmslab::aws::Clients;
use kmslab::lab::{Backend, BackendKind, Names, State};
use kmslab::run::Ended;
use kmslab::run::effects::EffectHandler;
use kmslab::run::front::headless::{self, Format};
use kmslab::sandbox::{Config, Sandbox};
use rstest::rstest;

use crate::support::program::{self, text};

/// The account of the sandbox's admin, as STS says it there.
fn account(output: &str) -> String {
    let at = output.find("arn:aws:iam::").unwrap() + "arn:aws:iam::".len();
    output[at..at + 12].to_owned()
}

/// Runs the lab as on AWS and gives the lines, how it ended, and the state.
fn run(sandbox: &Sandbox, accepted: Option<&str>) -> (String, Ended, State) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let admin = sandbox.admin();
    let clients = Clients::for_sandbox(sandbox.url(), sandbox.region(), &admin.access_key_id, &admin.secret_access_key);
    let backend = Backend {
        kind: BackendKind::Aws,
        region: sandbox.region().to_owned(),
        endpoint: Some(sandbox.url().to_owned()),
        given_user: false,
    };
    let mut state = State::new(backend, Names::new("consent1"));
    state.set_accepted_account(accepted.map(str::to_owned));
    let (world, events) = EffectHandler::new(clients);
    let mut out = Vec::new();
    let (state, ended) =
        runtime.block_on(headless::run(state, world, events, Format::Jsonl, &mut out, stream::pending()));
    (String::from_utf8(out).unwrap(), ended.unwrap(), state)
}

#[test]
fn without_consent_only_the_identity_is_asked_for() {
    let sandbox = Sandbox::start(Config::default()).unwrap();
    for accepted in [None, Some("000000000000")] {
        let (lines, ended, state) = run(&sandbox, accepted);
        assert_eq!(ended, Ended::Refused);
        let calls: Vec<_> = lines.lines().filter(|line| line.contains(r#""event":"call""#)).collect();
        assert_eq!(calls.len(), 2, "{lines}");
        assert!(calls[0].contains("GetCallerIdentity") && calls[1].contains("SimulatePrincipalPolicy"), "{lines}");
        assert!(state.refusal().unwrap().contains(&account(&lines)));
    }
    let (lines, _, _) = run(&sandbox, None);
    let (lines, ended, state) = run(&sandbox, Some(&account(&lines)));
    assert_eq!((ended, state.met()), (Ended::Finished, 9), "{lines}");
    // The sandbox's clock is not this machine's; that there is a line at all is what counts.
    assert!(state.cost_line().unwrap().starts_with("key "));
}

/// The program with `--backend aws`; `AWS_ENDPOINT_URL` brings its calls to `sandbox`.
fn program(home: &Path, sandbox: &Sandbox, arguments: &[&str]) -> Output {
    let admin = sandbox.admin();
    let mut command = program::program(home, &admin.access_key_id, &admin.secret_access_key);
    command.env("AWS_ENDPOINT_URL", sandbox.url()).env("AWS_REGION", sandbox.region());
    command.args(["run", "--backend", "aws"]).args(arguments).output().unwrap()
}

#[rstest]
#[case(&[])]
#[case(&["--yes-account", "000000000000"])]
fn the_program_refuses_with_2(#[case] arguments: &[&str]) {
    let home = tempfile::tempdir().unwrap();
    let sandbox = Sandbox::start(Config::default()).unwrap();
    let output = program(home.path(), &sandbox, arguments);
    let (lines, error) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(2), "{lines}{error}");
    assert!(error.contains("Nothing was created"), "{error}");
    assert!(!lines.contains("CreateKey"), "{lines}");
}

#[test]
fn the_program_runs_with_a_named_account() {
    let home = tempfile::tempdir().unwrap();
    let sandbox = Sandbox::start(Config::default()).unwrap();
    let lines = text(&program(home.path(), &sandbox, &[]).stdout);
    let output = program(home.path(), &sandbox, &["--yes-account", &account(&lines)]);
    let (lines, error) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(0), "{lines}{error}");
    assert!(error.contains("so far: key "), "{error}");
}
