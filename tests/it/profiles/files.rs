//! AWS files as people write them, and blank or wrong settings: as in the AWS CLI, or refused with a fix that works.

use std::fs;
use std::time::{Duration, Instant};

use kmslab::sandbox::{Config, Sandbox};
use rstest::rstest;

use super::{Home, NOWHERE, generous, make_user, static_keys, stub};

/// The profile's settings below this header, without a region.
fn home_with(header: &str, sandbox: &Sandbox) -> Home {
    Home::new(&format!("{header}\nregion = us-east-1\n{}", static_keys(sandbox)))
}

#[rstest]
#[case::space_before_the_first_setting("[profile lab]\n output = json", "lab")]
#[case::quoted("[profile \"lab\"]", "lab")]
#[case::quoted_with_spaces("[profile \"My MacBook Pro\"]", "My MacBook Pro")]
#[case::with_an_umlaut("[profile Büro]", "Büro")]
#[case::with_a_blank_token("[profile lab]\naws_session_token =", "lab")]
fn a_profile_works_that_works_in_the_aws_cli(#[case] header: &str, #[case] profile: &str) {
    let sandbox = Sandbox::start(Config::default()).unwrap();
    let (status, printed) = home_with(header, &sandbox).doctor(sandbox.url(), profile);
    assert_eq!(status, Some(0), "{printed}");
}

#[test]
fn a_role_finds_a_source_whose_name_has_spaces() {
    let sts = stub(generous);
    let home = Home::new(
        "[profile \"my keys\"]\naws_access_key_id = AKIASOURCE\naws_secret_access_key = secret\n\
         [profile lab]\nregion = us-east-1\nrole_arn = arn:aws:iam::111122223333:role/lab\nsource_profile = my keys\n",
    );
    let doctor = ["doctor", "--endpoint-url", &sts.url(), "--admin-profile", "lab"];
    let (status, printed) = home.kmslab(&doctor, &[("AWS_ENDPOINT_URL_STS", &sts.url())]);
    assert_eq!(status, Some(0), "{printed}");
}

#[test]
fn blank_variables_count_as_unset() {
    let sandbox = Sandbox::start(Config::default()).unwrap();
    let home = home_with("[default]", &sandbox);
    let blank = [
        "AWS_REGION",
        "AWS_DEFAULT_REGION",
        "AWS_PROFILE",
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "AWS_ENDPOINT_URL",
        "AWS_ENDPOINT_URL_KMS",
        "AWS_CONFIG_FILE",
        "AWS_SHARED_CREDENTIALS_FILE",
        "AWS_CA_BUNDLE",
        "AWS_ROLE_ARN",
        "AWS_WEB_IDENTITY_TOKEN_FILE",
        "AWS_CONTAINER_CREDENTIALS_FULL_URI",
        "AWS_MAX_ATTEMPTS",
        "AWS_RETRY_MODE",
    ]
    .map(|name| (name, ""));
    let (status, printed) = home.kmslab(&["doctor", "--endpoint-url", sandbox.url()], &blank);
    assert_eq!(status, Some(0), "{printed}");
    assert!(printed.contains("region             us-east-1"), "{printed}");
}

#[rstest]
#[case::padded("[profile lab]\n", Some(" us-east-1"), "AWS_REGION is \" us-east-1\"")]
#[case::quoted("[profile lab]\nregion = \"us-east-1\"\n", None, "the region of profile lab is \"\\\"us-east-1\\\"\"")]
#[case::of_the_source(
    "[profile lab]\nsource_profile = keys\n[profile keys]\nregion = us east\n",
    None,
    "the region of a source_profile of lab is \"us east\""
)]
fn a_region_that_can_be_none_is_shown_before_any_call(
    #[case] config: &str,
    #[case] variable: Option<&str>,
    #[case] says: &str,
) {
    let sts = stub(generous);
    let home = Home::new(config);
    fs::write(home.path().join(".aws/credentials"), "[lab]\naws_access_key_id = A\naws_secret_access_key = s\n")
        .unwrap();
    let variables: Vec<_> = variable.map(|region| ("AWS_REGION", region)).into_iter().collect();
    let doctor = ["doctor", "--endpoint-url", &sts.url(), "--admin-profile", "lab"];
    let (status, printed) = home.kmslab(&doctor, &variables);
    assert_eq!(status, Some(2), "{printed}");
    assert!(printed.contains(says), "{printed}");
    assert!(printed.contains("fix: write it like us-east-1, without quotes and spaces"), "{printed}");
    assert!(sts.seen.lock().unwrap().is_empty());
}

const CYCLE: &str = "[profile a]\nregion = us-east-1\nrole_arn = arn:aws:iam::111122223333:role/x\nsource_profile = b\n\
    [profile b]\nrole_arn = arn:aws:iam::111122223333:role/y\nsource_profile = a\n\
    [profile c]\nrole_arn = arn:aws:iam::111122223333:role/z\nsource_profile = a\n";
const SSO: &str = "[profile lab]\nsso_session = corp\nregion = us-east-1\n\
    [sso-session corp]\nsso_start_url = https://example.awsapps.com/start\nsso_region = eu-west-1\n";

#[rstest]
#[case::cycle(CYCLE, "a", "these profiles form a cycle: a -> b -> a", "fix: give one of them keys")]
#[case::cycle_further_down(CYCLE, "c", "these profiles form a cycle: a -> b -> a", "fix: give one of them keys")]
#[case::login_without_account(
    SSO,
    "lab",
    "its login names no sso_account_id and no sso_role_name",
    "fix: set sso_account_id and sso_role_name in the profile"
)]
#[case::no_prefix(
    "[lab]\nregion = us-east-1\n",
    "lab",
    "there is no such profile",
    "write [profile lab] instead of [lab]"
)]
#[case::quoted_for_the_shell("[profile \"my lab\"]\nregion = r\n", "my lab", "neither keys nor", "--profile 'my lab'")]
#[case::not_quoted("[profile my lab]\n", "my lab", "there is no such profile", "write [profile \"my lab\"] instead")]
#[case::role_without_source(
    "[profile lab]\nrole_arn = arn:aws:iam::111122223333:role/x\n",
    "lab",
    "has no source_profile",
    "fix: add source_profile = NAME"
)]
fn a_profile_that_cannot_work_has_its_fix(
    #[case] config: &str,
    #[case] profile: &str,
    #[case] says: &str,
    #[case] fix: &str,
) {
    let (status, printed) = Home::new(config).doctor(NOWHERE, profile);
    assert_eq!(status, Some(2), "{printed}");
    assert!(printed.contains(says) && printed.contains(fix), "{printed}");
}

#[test]
fn a_profile_from_aws_profile_alone_is_reported() {
    let home = Home::new("[profile b]\nregion = us-east-1\n[profile a]\nregion = us-east-1\n");
    let (status, printed) = home.kmslab(&["doctor", "--endpoint-url", NOWHERE], &[("AWS_PROFILE", "gone")]);
    assert_eq!(status, Some(2), "{printed}");
    assert!(printed.contains("profile gone: there is no such profile, which AWS_PROFILE asks for"), "{printed}");
    assert!(printed.contains("there are: a, b"), "{printed}");
    assert!(printed.contains("fix: set AWS_PROFILE to one of these or unset it"), "{printed}");
}

const UTF16: &[u8] = b"\xFF\xFE[\0d\0e\0f\0a\0u\0l\0t\0]\0\n\0";

#[rstest]
#[case::doctor(&["doctor"], UTF16, ".aws/config is UTF-16", "save it as UTF-8")]
#[case::run(&["run"], UTF16, ".aws/config is UTF-16", "save it as UTF-8")]
#[case::cleanup(&["cleanup"], UTF16, ".aws/config is UTF-16", "save it as UTF-8")]
#[case::plain(&["--plain"], UTF16, ".aws/config is UTF-16", "save it as UTF-8")]
#[case::mark(&["run"], b"\xEF\xBB\xBF[default]\n", "begins with a byte-order mark", "without a byte-order mark")]
#[case::latin1(&["run"], b"[profile B\xFCro]\n", "line 1 is not UTF-8", "save it as UTF-8")]
#[case::syntax_doctor(&["doctor"], b"[default\nregion = x\n", "line 1: the section's closing ]", "correct that line")]
#[case::syntax_run(&["run"], b"[default]\nregion\n", "line 2: it is neither", "correct that line")]
#[case::syntax_cleanup(&["cleanup"], b"region = x\n", "line 1: it stands before", "correct that line")]
#[case::syntax_plain(&["--plain"], b"region = x\n", "line 1: it stands before", "correct that line")]
fn a_broken_file_is_reported_with_its_fix(
    #[case] command: &[&str],
    #[case] config: &[u8],
    #[case] says: &str,
    #[case] fix: &str,
) {
    let home = Home::new("");
    fs::write(home.path().join(".aws/config"), config).unwrap();
    let place = ["--endpoint-url", NOWHERE, "--admin-profile", "lab"];
    let output = crate::support::bare::bare(home.path()).args(command).args(place).output().unwrap();
    let printed = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    assert_eq!(output.status.code(), Some(2), "{printed}");
    let lines: Vec<&str> = printed.lines().collect();
    let at = lines.iter().position(|line| line.contains(says)).unwrap_or_else(|| panic!("{printed}"));
    assert!(lines[at].contains(".aws/config"), "{printed}");
    assert!(lines[at + 1].trim_start().starts_with("fix: ") && lines[at + 1].contains(fix), "{printed}");
}

#[test]
fn a_role_without_a_network_is_no_question_of_trust() {
    let home = Home::new(super::ROLE);
    for command in ["doctor", "run"] {
        let mut kmslab = crate::support::bare::bare(home.path());
        kmslab.args([command, "--endpoint-url", NOWHERE, "--admin-profile", "lab"]);
        let output = kmslab.env("AWS_ENDPOINT_URL_STS", NOWHERE).env("AWS_MAX_ATTEMPTS", "1").output().unwrap();
        let printed = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        assert_eq!(output.status.code(), Some(4), "{printed}");
        assert!(printed.contains("STS can't be reached") && printed.contains("fix: check the network"), "{printed}");
        assert!(!printed.contains("trust"), "{printed}");
    }
}

#[test]
fn a_wait_for_a_credential_process_says_what_for() {
    let sandbox = Sandbox::start(Config::default()).unwrap();
    let (id, secret) = (&sandbox.admin().access_key_id, sandbox.admin().secret_access_key.as_str());
    let home = Home::new("");
    let json = format!(r#"{{"Version": 1, "AccessKeyId": "{id}", "SecretAccessKey": "{secret}"}}"#);
    // It waits until a person has done something, here until its question has been shown.
    let script = format!(
        "printf 'Touch your key: ' >&2; while [ ! -e \"$HOME/touched\" ]; do sleep 0.05; done; echo '{json}'\n"
    );
    fs::write(home.path().join("hand-out"), script).unwrap();
    let config = "[profile lab]\nregion = us-east-1\ncredential_process = sh \"$HOME/hand-out\"\n";
    fs::write(home.path().join(".aws/config"), config).unwrap();
    let stderr = home.path().join("stderr");
    let mut kmslab = crate::support::bare::bare(home.path());
    kmslab.args(["doctor", "--endpoint-url", sandbox.url(), "--admin-profile", "lab"]).env("PATH", "/usr/bin:/bin");
    let mut kmslab =
        kmslab.stderr(fs::File::create(&stderr).unwrap()).stdout(std::process::Stdio::null()).spawn().unwrap();
    let began = Instant::now();
    let told = loop {
        let told = fs::read_to_string(&stderr).unwrap();
        if told.contains("Touch your key:") || began.elapsed() > Duration::from_secs(30) {
            break told;
        }
        std::thread::sleep(Duration::from_millis(20));
    };
    fs::write(home.path().join("touched"), "").unwrap();
    assert_eq!(kmslab.wait().unwrap().code(), Some(0), "{told}");
    assert!(told.starts_with("kmslab: waiting for the credential_process of profile lab\n"), "{told}");
    assert!(told.contains("kmslab: lab: Touch your key:"), "{told}");
}

const REGION_ONLY: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*",
    "Condition":{"StringEquals":{"aws:RequestedRegion":["us-east-1"]}}}]}"#;
const FORCE_MFA: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"},
    {"Effect":"Deny","NotAction":["iam:GetUser","sts:GetSessionToken"],"Resource":"*",
     "Condition":{"BoolIfExists":{"aws:MultiFactorAuthPresent":"false"}}}]}"#;

#[test]
fn a_policy_for_one_region_lets_doctor_and_run_pass() {
    let sandbox = Sandbox::start(Config::default()).unwrap();
    let home = Home::new(&format!("[profile lab]\nregion = us-east-1\n{}", make_user(&sandbox, Some(REGION_ONLY))));
    let (status, printed) = home.doctor(sandbox.url(), "lab");
    assert_eq!(status, Some(0), "{printed}");
    assert!(printed.contains("admin: user        all 7 permissions"), "{printed}");
    let run = ["run", "--endpoint-url", sandbox.url(), "--admin-profile", "lab"];
    let (status, printed) = home.kmslab(&run, &[]);
    assert_eq!(status, Some(0), "{printed}");
}

#[test]
fn a_policy_that_forces_mfa_stops_the_doctor_with_awss_words() {
    let sandbox = Sandbox::start(Config::default()).unwrap();
    let home = Home::new(&format!("[profile lab]\nregion = us-east-1\n{}", make_user(&sandbox, Some(FORCE_MFA))));
    let (status, printed) = home.doctor(sandbox.url(), "lab");
    assert_eq!(status, Some(2), "{printed}");
    assert!(printed.contains("with an explicit deny in an identity-based policy"), "{printed}");
    assert!(printed.contains("fix: probably your account requires MFA: run aws sts get-session-token"), "{printed}");
}

const LOGIN: &str = "[profile lab]\nregion = us-east-1\nlogin_session = arn:aws:iam::111122223333:user/me\n";
/// A key that signs nothing but the stub's requests.
const KEY: &str = "-----BEGIN EC PRIVATE KEY-----\\nMHcCAQEEIBMB/RwQERsVoqWRQG4zK8CnaAa5dfrpbm+9tFdBh3z4oAoGCCqGSM49\\nAwEHoUQDQgAEWb1VLi1EA2hJaTz4yYuxSELvY+1GAfL+8rUTCAdiFid87Bf6GY+s\\n2+1RpqDv0RpZiDIMCrZrsAh+RK9S3QCaGA==\\n-----END EC PRIVATE KEY-----\\n";

/// What `aws login` leaves, in a file named by the SHA-256 of the session.
fn log_in(home: &Home, expires: &str) {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, b"arn:aws:iam::111122223333:user/me");
    let cache = home.path().join(".aws/login/cache");
    fs::create_dir_all(&cache).unwrap();
    let token = format!(
        r#"{{"accessToken": {{"accessKeyId": "ASIALOGIN", "secretAccessKey": "s", "sessionToken": "the-token",
        "accountId": "111122223333", "expiresAt": "{expires}"}}, "tokenType": "aws_sigv4", "refreshToken": "r",
        "clientId": "arn:aws:signin:::devtools/same-device", "dpopKey": "{KEY}"}}"#
    );
    fs::write(cache.join(format!("{}.json", super::hex(digest.as_ref()))), token).unwrap();
}

#[test]
fn a_session_of_aws_login_signs() {
    let sts = stub(generous);
    let home = Home::new(LOGIN);
    log_in(&home, "2099-01-01T00:00:00Z");
    let (status, printed) = home.doctor(&sts.url(), "lab");
    assert_eq!(status, Some(0), "{printed}");
    assert!(sts.seen.lock().unwrap()[0].contains("Credential=ASIALOGIN/"));
    assert!(!printed.contains("the-token"), "{printed}");
}

#[test]
fn a_missing_or_expired_login_has_its_command() {
    let home = Home::new(LOGIN);
    let (status, printed) = home.doctor(NOWHERE, "lab");
    assert_eq!(status, Some(2), "{printed}");
    assert!(printed.contains("nobody has logged in") && printed.contains("aws login --profile lab"), "{printed}");
    log_in(&home, "2020-01-01T00:00:00Z");
    let sts = stub(|_| (400, r#"{"error": "TOKEN_EXPIRED", "message": "Your session has expired"}"#));
    let doctor = ["doctor", "--endpoint-url", NOWHERE, "--admin-profile", "lab"];
    let (status, printed) = home.kmslab(&doctor, &[("AWS_ENDPOINT_URL_SIGNIN", &sts.url())]);
    assert_eq!(status, Some(2), "{printed}");
    assert!(printed.contains("its login has expired") && printed.contains("aws login --profile lab"), "{printed}");
}
