//! `kmslab doctor` with profiles as people have them, in files of their own.

mod files;
mod roles;

use std::fmt::Write as _;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use kmslab::sandbox::{Config, Sandbox};
use rstest::rstest;
use tempfile::TempDir;

use crate::support::bare::bare;
use crate::support::fake::{Fake, response};

/// A home with AWS files, and nothing else in the environment.
struct Home(TempDir);

impl Home {
    fn new(config: &str) -> Home {
        let home = Home(tempfile::tempdir().unwrap());
        std::fs::create_dir(home.path().join(".aws")).unwrap();
        std::fs::write(home.path().join(".aws/config"), config).unwrap();
        home
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn kmslab(&self, arguments: &[&str], variables: &[(&str, &str)]) -> (Option<i32>, String) {
        let mut command = bare(self.path());
        command.env("PATH", "/usr/bin:/bin").env("AWS_MAX_ATTEMPTS", "1");
        command.envs(variables.iter().copied()).args(arguments);
        let output = command.output().unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stderr), "");
        (output.status.code(), String::from_utf8(output.stdout).unwrap())
    }

    /// `kmslab doctor` on `url` as `profile`.
    fn doctor(&self, url: &str, profile: &str) -> (Option<i32>, String) {
        self.kmslab(&["doctor", "--endpoint-url", url, "--admin-profile", profile], &[])
    }
}

/// Where nobody listens: no profile of these tests gets that far.
const NOWHERE: &str = "http://127.0.0.1:1";

fn static_keys(sandbox: &Sandbox) -> String {
    let admin = sandbox.admin();
    let (id, secret) = (&admin.access_key_id, admin.secret_access_key.as_str());
    format!("aws_access_key_id = {id}\naws_secret_access_key = {secret}\n")
}

#[test]
fn static_keys_and_the_region_of_the_profile() {
    let sandbox = Sandbox::start(Config { region: "eu-west-1".to_owned(), ..Config::default() }).unwrap();
    let home = Home::new(&format!("[profile lab]\nregion = eu-west-1\n{}", static_keys(&sandbox)));
    let (status, printed) = home.doctor(sandbox.url(), "lab");
    assert_eq!(status, Some(0), "{printed}");
    for line in [
        "ok       clock",
        "ok       admin              arn:aws:iam::111122223333:user/kmslab-admin",
        "ok       region             eu-west-1",
        "ok       admin: new key     all 2 permissions",
        "ok       admin: table's key all 5 permissions",
        "ok       admin: user        all 7 permissions",
        "0 to fix; nothing was created",
    ] {
        assert!(printed.contains(line), "{line} is not in {printed}");
    }
    let changed = sandbox.trail().iter().any(|event| event.event_name.starts_with("Create"));
    assert!(!changed, "doctor has created something");
}

#[test]
fn option_and_variable_override_the_profiles_region() {
    let sandbox = Sandbox::start(Config::default()).unwrap();
    let home = Home::new(&format!("[profile lab]\nregion = eu-west-1\n{}", static_keys(&sandbox)));
    let doctor = ["doctor", "--endpoint-url", sandbox.url(), "--admin-profile", "lab"];
    let variable = [("AWS_REGION", "ap-south-1")];
    assert!(home.kmslab(&doctor, &variable).1.contains("region             ap-south-1"));
    let with_option = [&doctor[..], &["--region", "sa-east-1"]].concat();
    assert!(home.kmslab(&with_option, &variable).1.contains("region             sa-east-1"));
    let home = Home::new(&format!("[profile lab]\n{}", static_keys(&sandbox)));
    let (status, printed) = home.doctor(sandbox.url(), "lab");
    assert_eq!(status, Some(2), "{printed}");
    assert!(printed.contains("fix: give --region"), "{printed}");
}

#[test]
fn the_profile_of_the_environment_is_in_the_chain() {
    let sandbox = Sandbox::start(Config::default()).unwrap();
    let home = Home::new(&format!("[profile mine]\nregion = us-east-1\n{}", static_keys(&sandbox)));
    let (status, printed) = home.kmslab(&["doctor", "--endpoint-url", sandbox.url()], &[("AWS_PROFILE", "mine")]);
    assert_eq!(status, Some(0), "{printed}");
}

#[rstest]
#[case::hands_out("", Some(0), "ok       admin")]
#[case::fails(
    "echo >&2 no card in the reader; exit 3",
    Some(2),
    "its credential_process failed: exit status: 3: no card in the reader"
)]
#[case::prints_no_json("echo hello; exit", Some(2), "must succeed and print JSON with \"Version\": 1")]
fn a_credential_process(#[case] before: &str, #[case] exit: Option<i32>, #[case] says: &str) {
    let sandbox = Sandbox::start(Config::default()).unwrap();
    let admin = sandbox.admin();
    let home = Home::new("");
    let script = home.path().join("hand-out");
    let (id, secret) = (&admin.access_key_id, admin.secret_access_key.as_str());
    let json = format!(r#"{{"Version": 1, "AccessKeyId": "{id}", "SecretAccessKey": "{secret}"}}"#);
    std::fs::write(&script, format!("#!/bin/sh\necho ran >> \"$HOME/runs\"\n{before}\necho '{json}'\n")).unwrap();
    std::fs::set_permissions(&script, PermissionsExt::from_mode(0o700)).unwrap();
    let config = format!("[profile lab]\nregion = us-east-1\ncredential_process = \"{}\"\n", script.display());
    std::fs::write(home.path().join(".aws/config"), config).unwrap();
    let (status, printed) = home.doctor(sandbox.url(), "lab");
    assert_eq!(status, exit, "{printed}");
    assert!(printed.contains(says), "{printed}");
    assert!(!printed.contains(secret), "{printed}");
    let runs = std::fs::read_to_string(home.path().join("runs")).unwrap();
    assert_eq!(runs, "ran\n", "it may want a touch or a code each time");
}

const SSO: &str = "[sso-session corp]\nsso_region = us-east-1\nsso_start_url = https://corp.example/start\n
[profile lab]\nregion = us-east-1\nsso_session = corp\nsso_account_id = 111122223333\nsso_role_name = Lab\n
[profile old]\nregion = us-east-1\nsso_region = us-east-1\nsso_start_url = https://corp.example/start
sso_account_id = 111122223333\nsso_role_name = Lab\n
[profile wrong]\nregion = us-east-1\nsso_session = other\nsso_account_id = 111122223333\nsso_role_name = Lab\n
[profile behind]\nregion = us-east-1\nrole_arn = arn:aws:iam::111122223333:role/lab\nsource_profile = lab\n";

#[rstest]
#[case("lab", "nobody has logged in", "fix: log in with: aws sso login --profile lab")]
#[case("old", "nobody has logged in", "fix: log in with: aws sso login --profile old")]
#[case("behind", "its source_profile lab: nobody has logged in", "fix: log in with: aws sso login --profile lab")]
#[case("wrong", "[sso-session other]", "fix: set it up with: aws configure sso --profile wrong")]
#[case("nobody", "there is no such profile; there are: behind, lab, old, wrong", "aws configure --profile nobody")]
fn a_missing_login_is_reported_with_its_command(#[case] profile: &str, #[case] says: &str, #[case] fix: &str) {
    let (status, printed) = Home::new(SSO).doctor(NOWHERE, profile);
    assert_eq!(status, Some(2), "{printed}");
    assert!(printed.contains(says) && printed.contains(fix), "{printed}");
}

/// The token that `aws sso login` leaves for the session `corp`, in a file named by the SHA-1 of that name.
fn log_in(home: &Home, expires: &str) {
    let cache = home.path().join(".aws/sso/cache");
    std::fs::create_dir_all(&cache).unwrap();
    let token = format!(r#"{{"accessToken": "the-token", "expiresAt": "{expires}"}}"#);
    std::fs::write(cache.join(format!("{}.json", sha1_hex(b"corp"))), token).unwrap();
}

#[rstest]
#[case::by_its_date("2020-01-01T00:00:00Z", |_: &str| (500, "not to be asked"))]
#[case::by_the_portal("2099-01-01T00:00:00Z", |_: &str| (401, r#"{"__type": "UnauthorizedException", "message": "Session token not found or invalid"}"#))]
fn an_expired_login_is_reported_with_its_command(
    #[case] expires: &str,
    #[case] portal: fn(&str) -> (u16, &'static str),
) {
    let home = Home::new(SSO);
    log_in(&home, expires);
    let portal = stub(portal);
    let doctor = ["doctor", "--endpoint-url", NOWHERE, "--admin-profile", "lab"];
    let (status, printed) = home.kmslab(&doctor, &[("AWS_ENDPOINT_URL_SSO", &portal.url())]);
    assert_eq!(status, Some(2), "{printed}");
    assert!(printed.contains("its login has expired"), "{printed}");
    assert!(printed.contains("aws sso login --profile lab"), "{printed}");
    assert!(!printed.contains("the-token"), "{printed}");
}

#[test]
fn a_login_gives_the_keys_of_its_role() {
    let home = Home::new(SSO);
    log_in(&home, "2099-01-01T00:00:00Z");
    let sts = stub(|request| match request.starts_with("GET /federation/credentials?") {
        true => (
            200,
            r#"{"roleCredentials": {"accessKeyId": "ASIASSO", "secretAccessKey": "s", "sessionToken": "t", "expiration": 4070908800000}}"#,
        ),
        false => generous(request),
    });
    let doctor = ["doctor", "--endpoint-url", &sts.url(), "--admin-profile", "lab"];
    let (status, printed) = home.kmslab(&doctor, &[("AWS_ENDPOINT_URL_SSO", &sts.url())]);
    assert_eq!(status, Some(0), "{printed}");
    let seen = sts.seen.lock().unwrap();
    assert!(seen[0].contains("role_name=Lab") && seen[0].contains("account_id=111122223333"), "{seen:#?}");
    assert!(seen[1].contains("Credential=ASIASSO/"), "{seen:#?}");
}

fn sha1_hex(bytes: &[u8]) -> String {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA1_FOR_LEGACY_USE_ONLY, bytes);
    hex(digest.as_ref())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

/// A server that gives each request a status and a body.
fn stub(answer: fn(&str) -> (u16, &'static str)) -> Fake {
    Fake::new(move |request| {
        let (status, body) = answer(request);
        response(status, "Connection: close\r\n", body)
    })
}

const ROLE: &str = "[profile keys]\naws_access_key_id = AKIASOURCE\naws_secret_access_key = secret\n
[profile lab]\nregion = us-east-1\nrole_arn = arn:aws:iam::111122223333:role/lab\nsource_profile = keys\n";

const DENIED: &str = "<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>User: keys is not \
    authorized to perform: sts:AssumeRole on resource: role/lab</Message></Error><RequestId>r</RequestId></ErrorResponse>";

/// An STS that lets anyone assume the role, and an account where the role may do nothing else.
fn generous(request: &str) -> (u16, &'static str) {
    let (_, body) = request.split_once("\r\n\r\n").unwrap();
    if body.contains("Action=AssumeRole") {
        let answer = "<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>ASIAROLE</AccessKeyId>\
            <SecretAccessKey>s</SecretAccessKey><SessionToken>the-session</SessionToken>\
            <Expiration>2099-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>";
        return (200, answer);
    }
    if body.contains("Action=GetCallerIdentity") {
        let answer = "<GetCallerIdentityResponse><GetCallerIdentityResult>\
            <Arn>arn:aws:sts::111122223333:assumed-role/lab/session</Arn><UserId>AROA:session</UserId>\
            <Account>111122223333</Account></GetCallerIdentityResult></GetCallerIdentityResponse>";
        return (200, answer);
    }
    match request.contains("X-Amz-Target") || request.contains("x-amz-target") {
        true => (400, r#"{"__type": "AccessDeniedException", "message": "User: x is not authorized to perform: y"}"#),
        false => (403, DENIED),
    }
}

#[test]
fn a_role_is_taken_on_and_signs_with_its_session() {
    let sts = stub(generous);
    let home = Home::new(ROLE);
    let doctor = ["doctor", "--endpoint-url", &sts.url(), "--admin-profile", "lab"];
    let (status, printed) = home.kmslab(&doctor, &[("AWS_ENDPOINT_URL_STS", &sts.url())]);
    assert_eq!(status, Some(0), "{printed}");
    assert!(
        printed.contains("ok       admin              arn:aws:sts::111122223333:assumed-role/lab/session"),
        "{printed}"
    );
    // No simulation was to be had, so harmless calls are tried.
    for action in ["kms:ListKeys", "dynamodb:ListTables", "iam:ListUsers"] {
        assert!(printed.contains(&format!("{action} is denied, and so may be what the lab needs")), "{printed}");
    }
    let seen = sts.seen.lock().unwrap();
    assert!(seen[0].contains("Action=AssumeRole") && seen[0].contains("Credential=AKIASOURCE/"), "{seen:#?}");
    let simulation = seen.iter().find(|request| request.contains("Action=SimulatePrincipalPolicy")).unwrap();
    assert!(simulation.contains("Credential=ASIAROLE/") && simulation.contains("the-session"), "{simulation}");
    assert!(simulation.contains("PolicySourceArn=arn%3Aaws%3Aiam%3A%3A111122223333%3Arole%2Flab&"), "{simulation}");
    assert!(!printed.contains("the-session"), "{printed}");
}

#[test]
fn a_role_is_simulated_with_its_path() {
    let sts = stub(|request| match request.split_once("\r\n\r\n").unwrap().1 {
        body if body.contains("Action=GetRole&") && body.contains("RoleName=lab") => (
            200,
            "<GetRoleResponse><GetRoleResult><Role><Path>/aws-reserved/sso/</Path><RoleName>lab</RoleName>\
             <RoleId>AROA</RoleId><Arn>arn:aws:iam::111122223333:role/aws-reserved/sso/lab</Arn>\
             <CreateDate>2026-01-01T00:00:00Z</CreateDate></Role></GetRoleResult></GetRoleResponse>",
        ),
        body if body.contains("111122223333%3Arole%2Faws-reserved%2Fsso%2Flab&") => (
            200,
            "<SimulatePrincipalPolicyResponse><SimulatePrincipalPolicyResult><EvaluationResults><member>\
             <EvalActionName>a:B</EvalActionName><EvalDecision>allowed</EvalDecision></member></EvaluationResults>\
             </SimulatePrincipalPolicyResult></SimulatePrincipalPolicyResponse>",
        ),
        _ => generous(request),
    });
    let home = Home::new(ROLE);
    let doctor = ["doctor", "--endpoint-url", &sts.url(), "--admin-profile", "lab"];
    let (status, printed) = home.kmslab(&doctor, &[("AWS_ENDPOINT_URL_STS", &sts.url())]);
    assert_eq!(status, Some(0), "{printed}");
    assert!(printed.contains("ok       admin: user        a:B is allowed"), "{printed}");
}

#[test]
fn a_role_that_is_refused_names_both_sides_of_the_trust() {
    let sts = stub(|_| (403, DENIED));
    let home = Home::new(ROLE);
    let doctor = ["doctor", "--endpoint-url", NOWHERE, "--admin-profile", "lab"];
    let (status, printed) = home.kmslab(&doctor, &[("AWS_ENDPOINT_URL_STS", &sts.url())]);
    assert_eq!(status, Some(2), "{printed}");
    assert!(printed.contains("the role arn:aws:iam::111122223333:role/lab could not be assumed"), "{printed}");
    assert!(printed.contains("name that identity in the role's trust policy"), "{printed}");
}

#[test]
fn a_proxy_is_for_other_machines_and_not_for_this_one() {
    let proxy = stub(generous);
    let home = Home::new("[profile lab]\nregion = us-east-1\naws_access_key_id = AKIA\naws_secret_access_key = s\n");
    let doctor = |url| {
        let arguments = ["doctor", "--endpoint-url", url, "--admin-profile", "lab"];
        home.kmslab(&arguments, &[("HTTP_PROXY", &proxy.url())])
    };
    let (status, printed) = doctor("http://moto.kmslab.test");
    assert_eq!(status, Some(0), "{printed}");
    assert!(proxy.seen.lock().unwrap()[0].starts_with("POST http://moto.kmslab.test/ HTTP/1.1\r\n"));
    let before = proxy.seen.lock().unwrap().len();
    assert_eq!(doctor(NOWHERE).0, Some(4));
    assert_eq!(proxy.seen.lock().unwrap().len(), before);
}

#[test]
fn without_any_credentials_the_variables_are_named() {
    let doctor = ["doctor", "--endpoint-url", NOWHERE, "--region", "us-east-1"];
    let (status, printed) = Home::new("").kmslab(&doctor, &[]);
    assert_eq!(status, Some(2), "{printed}");
    assert!(
        printed.contains("no credentials from the environment and the default profile: there are none"),
        "{printed}"
    );
    assert!(
        printed.contains("fix: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or give --admin-profile"),
        "{printed}"
    );
}

#[test]
fn a_file_that_cannot_be_read_is_named_with_its_line() {
    let (status, printed) = Home::new("[profile lab\nregion = us-east-1\n").doctor(NOWHERE, "lab");
    assert_eq!(status, Some(2), "{printed}");
    assert!(printed.contains("stop     credentials        the AWS configuration:"), "{printed}");
    assert!(printed.contains(".aws/config") && printed.contains("AWS_CONFIG_FILE"), "{printed}");
}

#[test]
fn an_unreachable_server_is_4_and_a_clean_list() {
    let home = Home::new("[profile lab]\nregion = us-east-1\naws_access_key_id = AKIA\naws_secret_access_key = s\n");
    let (status, printed) = home.doctor(NOWHERE, "lab");
    assert_eq!(status, Some(4), "{printed}");
    assert!(printed.contains("stop     admin"), "{printed}");
}

#[rstest]
#[case("us-east-1", "stop     test-user          arn:aws:iam::111122223333:user/kmslab-admin is the admin itself")]
#[case("eu-west-1", "stop     region             us-east-1 for the admin, but eu-west-1")]
fn a_second_profile_that_does_not_fit_is_stopped(#[case] region: &str, #[case] says: &str) {
    let sandbox = Sandbox::start(Config::default()).unwrap();
    let keys = static_keys(&sandbox);
    let home = Home::new(&format!("[profile a]\nregion = us-east-1\n{keys}\n[profile b]\nregion = {region}\n{keys}"));
    let both = ["doctor", "--endpoint-url", sandbox.url(), "--admin-profile", "a", "--user-profile", "b"];
    let (status, printed) = home.kmslab(&both, &[]);
    assert_ne!(status, Some(0), "{printed}");
    assert!(printed.contains(says), "{printed}");
}

const VIA_DYNAMODB: &str = r#"{"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Action": "dynamodb:*", "Resource": "*"},
    {"Effect": "Allow", "Action": "kms:Decrypt", "Resource": "*",
     "Condition": {"StringLike": {"kms:ViaService": "dynamodb.*"}}}]}"#;

/// The settings of a new user `u` with this managed policy, or with one of its own.
fn make_user(sandbox: &Sandbox, policy: Option<&str>) -> String {
    let admin = sandbox.admin();
    let (id, secret) = (&admin.access_key_id, admin.secret_access_key.as_str());
    let config = aws_sdk_iam::Config::builder()
        .behavior_version(aws_sdk_iam::config::BehaviorVersion::latest())
        .region(aws_sdk_iam::config::Region::new("us-east-1"))
        .endpoint_url(sandbox.url())
        .credentials_provider(aws_sdk_iam::config::Credentials::new(id, secret, None, None, "test"))
        .http_client(aws_smithy_http_client::Builder::new().build_http());
    let iam = aws_sdk_iam::Client::from_conf(config.build());
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
        iam.create_user().user_name("u").send().await.unwrap();
        if let Some(document) = policy.filter(|policy| policy.starts_with('{')) {
            let put = iam.put_user_policy().user_name("u").policy_name("own").policy_document(document);
            put.send().await.unwrap();
        } else if let Some(policy) = policy {
            let arn = format!("arn:aws:iam::aws:policy/{policy}");
            iam.attach_user_policy().user_name("u").policy_arn(arn).send().await.unwrap();
        }
        let key = iam.create_access_key().user_name("u").send().await.unwrap().access_key.unwrap();
        format!("aws_access_key_id = {}\naws_secret_access_key = {}\n", key.access_key_id, key.secret_access_key)
    })
}

#[rstest]
#[case::as_it_should_be(Some("AmazonDynamoDBFullAccess"), Some(0), &["ok       test-user: table   may scan it", "ok       test-user: key     has no kms:Decrypt of its own"])]
#[case::without_dynamodb(None, Some(2), &["stop     test-user: table   it may not scan it", "ok       test-user: key"])]
#[case::with_the_key_through_dynamodb(Some(VIA_DYNAMODB), Some(2), &["ok       test-user: table", "stop     test-user: key     its own policies allow kms:Decrypt"])]
#[case::with_everything(Some("AdministratorAccess"), Some(2), &["ok       test-user: table", "stop     test-user: key     its own policies allow kms:Decrypt"])]
fn a_second_profile(#[case] policy: Option<&str>, #[case] exit: Option<i32>, #[case] says: &[&str]) {
    let sandbox = Sandbox::start(Config::default()).unwrap();
    let (admin, user) = (static_keys(&sandbox), make_user(&sandbox, policy));
    let home = Home::new(&format!("[profile a]\nregion = us-east-1\n{admin}\n[profile u]\nregion = us-east-1\n{user}"));
    let profiles = |admin, user| {
        home.kmslab(&["doctor", "--endpoint-url", sandbox.url(), "--admin-profile", admin, "--user-profile", user], &[])
    };
    let (status, printed) = profiles("a", "u");
    assert_eq!(status, exit, "{printed}");
    for line in says {
        assert!(printed.contains(line), "{line} is not in {printed}");
    }
    assert!(!printed.contains("admin: user"), "the lab makes no user here: {printed}");
    if policy.is_none() {
        // The other way round: an admin that may not even ask.
        let (status, printed) = profiles("u", "a");
        assert_eq!(status, Some(0), "{printed}");
        assert!(printed.contains("kms:ListKeys is denied, and so may be"), "{printed}");
        assert!(printed.contains("warning  test-user: key     whether it has kms:Decrypt can't be told"), "{printed}");
    }
}

#[test]
fn a_lab_of_two_regions_is_not_begun() {
    let sandbox = Sandbox::start(Config::default()).unwrap();
    let (keys, user) = (static_keys(&sandbox), make_user(&sandbox, Some("AmazonDynamoDBFullAccess")));
    let home = Home::new(&format!("[profile a]\nregion = us-east-1\n{keys}\n[profile u]\nregion = eu-west-1\n{user}"));
    let mut command = bare(home.path());
    command.args(["run", "--endpoint-url", sandbox.url(), "--admin-profile", "a", "--user-profile", "u"]);
    let output = command.output().unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0), "{error}");
    assert!(error.contains("us-east-1 for the admin, but eu-west-1 for test-user"), "{error}");
    assert!(error.contains("--region us-east-1"), "{error}");
}

#[test]
fn without_options_the_terminal_and_the_sandbox_are_checked() {
    let (status, printed) = Home::new("").kmslab(&["doctor"], &[]);
    assert_eq!(status, Some(0), "{printed}");
    assert!(printed.starts_with("warning  terminal           there is none here\n"), "{printed}");
    assert!(printed.contains("user/kmslab-admin"), "{printed}");
}
