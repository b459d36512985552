//! Logged errors, and reports from evidence that is made up here.

use rstest::rstest;

use super::case::CaseError;
use super::*;

const USER: &str = "arn:aws:iam::111122223333:user/app";
const KEY: &str = "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";
const TABLE: &str = "arn:aws:dynamodb:us-east-1:111122223333:table/orders";

/// `{u}`, `{k}` and `{t}` are the ARNs.
fn filled(text: &str) -> String {
    text.replace("{u}", USER).replace("{k}", KEY).replace("{t}", TABLE)
}

fn parsed(text: &str) -> Logged {
    Logged::parse(&filled(text)).unwrap_or_else(|| panic!("{text}"))
}

const WRAPPED: &str = "KMS key access denied error: com.amazonaws.services.kms.model.AWSKMSException: User: {u} is not \
                       authorized to perform: kms:Decrypt on resource: {k} because no identity-based policy allows the \
                       kms:Decrypt action (Service: AWSKMS; Status Code: 400; Error Code: AccessDeniedException; Request \
                       ID: 1b2c3d4e-0000-4000-8000-1b2c3d4e5f60; Proxy: null)";
const KMS: &str = "User: {u} is not authorized to perform: kms:Decrypt on resource: {k} because no resource-based policy \
                   allows the kms:Decrypt action";

#[rstest]
#[case::dynamodb(WRAPPED, true, Reason::NoAllow(Type::Identity))]
#[case::kms(KMS, false, Reason::NoAllow(Type::Resource))]
#[case::of_2021("User: {u} is not authorized to perform: kms:Decrypt on resource: {k}", false, Reason::NotSaid)]
#[case::of_2021_by_dynamodb(
    "KMS key access denied error: com.amazonaws.services.kms.model.AWSKMSException: User: {u} is not authorized to \
     perform: kms:Decrypt on resource: {k} (Service: AWSKMS; Status Code: 400; Error Code: AccessDeniedException)",
    true,
    Reason::NotSaid
)]
#[case::denied(
    "User: {u} is not authorized to perform: kms:Decrypt on resource: {k} with an explicit deny in a resource-based policy",
    false,
    Reason::Deny(Type::Resource)
)]
#[case::denied_by_iam(
    "User: {u} is not authorized to perform: kms:Decrypt on resource: {k} with an explicit deny in an identity-based \
     policy: arn:aws:iam::111122223333:policy/no",
    false,
    Reason::Deny(Type::Identity)
)]
#[case::boundary(
    "User: {u} is not authorized to perform: kms:Decrypt on resource: {k} because no permissions boundary allows the \
     kms:Decrypt action",
    false,
    Reason::NoAllow(Type::Boundary)
)]
#[case::organization(
    "User: {u} is not authorized to perform: kms:Decrypt on resource: {k} with an explicit deny in a service control policy",
    false,
    Reason::Deny(Type::ServiceControl)
)]
fn a_denial_is_taken_apart(#[case] text: &str, #[case] by_dynamodb: bool, #[case] reason: Reason) {
    let fault = |logged: &Logged| match &logged.fault {
        Fault::Denied { principal, action, resource, reason } => {
            (principal.clone(), action.clone(), resource.clone(), *reason)
        }
        other => panic!("{other:?}"),
    };
    let expected = (Some(USER.to_owned()), Some("kms:Decrypt".to_owned()), Some(KEY.to_owned()), reason);
    let logged = parsed(text);
    assert_eq!((fault(&logged), logged.by_dynamodb), (expected.clone(), by_dynamodb));
    // However a log, a client or a terminal has dressed it.
    let dressed = [
        format!("An error occurred (AccessDeniedException) when calling the Scan operation: {text}"),
        format!("\n  \"{text}\"\n"),
        format!("{{\"__type\":\"com.amazon.coral.service#AccessDeniedException\",\"Message\":\"{text}\"}}"),
        format!("botocore.errorfactory.AccessDeniedException: {}", text.replace(' ', "\n    ")),
        format!("\u{1b}[31merror\u{1b}[0m '{text}'.\\n\\tat com.example.Main"),
    ];
    for text in dressed {
        let logged = parsed(&text);
        assert_eq!((fault(&logged), logged.by_dynamodb), (expected.clone(), by_dynamodb), "{text}");
        let operation = text.contains("the Scan operation").then_some("Scan");
        assert_eq!(logged.operation.as_deref(), operation, "{text}");
    }
    // A terminal breaks lines in the middle of words.
    for columns in [20, 37, 80] {
        let filled: Vec<char> = filled(text).chars().collect();
        let broken: Vec<String> = filled.chunks(columns).map(|line| line.iter().collect()).collect();
        assert_eq!(fault(&Logged::parse(&broken.join("\n")).unwrap()), expected, "{columns}");
    }
}

#[rstest]
#[case::session(
    "User: arn:aws:sts::111122223333:assumed-role/app/i-0abc is not authorized to perform: kms:Decrypt on the resource \
     associated with this ciphertext because the resource does not exist in this Region, no resource-based policies allow \
     access, or a resource-based policy explicitly denies access",
    Some("arn:aws:sts::111122223333:assumed-role/app/i-0abc"),
    Some("kms:Decrypt"),
    Reason::Absent
)]
#[case::absent(
    "User: {u} is not authorized to perform: kms:DescribeKey on this resource because the resource does not exist in this \
     Region, no resource-based policies allow access, or a resource-based policy explicitly denies access",
    Some(USER),
    Some("kms:DescribeKey"),
    Reason::Absent
)]
#[case::of_2020(
    "KMS key access denied error: com.amazonaws.services.kms.model.AWSKMSException: The ciphertext refers to a customer \
     master key that does not exist, does not exist in this region, or you are not allowed to access. (Service: AWSKMS; \
     Status Code: 400; Error Code: AccessDeniedException; Request ID: x; Proxy: null)",
    None,
    None,
    Reason::NotSaid
)]
fn a_denial_may_name_no_resource(
    #[case] text: &str,
    #[case] who: Option<&str>,
    #[case] what: Option<&str>,
    #[case] why: Reason,
) {
    let logged = parsed(text);
    assert_eq!((logged.principal(), logged.action(), logged.key()), (who, what, None));
    assert!(matches!(logged.fault, Fault::Denied { reason, .. } if reason == why), "{logged:?}");
}

#[rstest]
#[case::table(
    "User: {u} is not authorized to perform: dynamodb:Scan on resource: {t} because no identity-based policy allows the dynamodb:Scan action"
)]
#[case::index(
    "User: {u} is not authorized to perform: dynamodb:Query on resource: {t}/index/by-date because no identity-based policy allows the dynamodb:Query action"
)]
fn a_denial_of_dynamodb_names_the_table(#[case] text: &str) {
    let logged = parsed(text);
    assert_eq!((logged.table(), logged.key(), logged.by_dynamodb), (Some(TABLE), None, false));
}

#[rstest]
#[case(
    "KMS key disabled error: com.amazonaws.services.kms.model.DisabledException: {k} is disabled. (Service: AWSKMS; Status Code: 400; Error Code: DisabledException; Request ID: x; Proxy: null)",
    Failure::Disabled
)]
#[case("An error occurred (DisabledException) when calling the Decrypt operation: {k} is disabled.", Failure::Disabled)]
#[case(
    "KMS validation error: com.amazonaws.services.kms.model.KMSInvalidStateException: {k} is pending deletion. (Service: AWSKMS; Status Code: 400)",
    Failure::PendingDeletion
)]
#[case(
    "KMS validation error: com.amazonaws.services.kms.model.NotFoundException: Key '{k}' does not exist (Service: AWSKMS; Status Code: 400)",
    Failure::NoKey
)]
#[case(
    "An error occurred (NotFoundException) when calling the DescribeKey operation: Alias arn:aws:kms:us-east-1:111122223333:alias/orders is not found.",
    Failure::NoKey
)]
#[case("Requested resource not found: Table: orders not found", Failure::NoTable)]
fn other_faults_are_known(#[case] text: &str, #[case] failure: Failure) {
    let case = Case::new(Named { text: Some(filled(text)), ..Named::default() }).unwrap();
    let is_key = text.contains("{k}");
    assert_eq!(case.key.as_deref(), is_key.then_some(KEY), "{case:?}");
    let report = Report::of_text(case, Some("no credentials".to_owned()));
    assert_eq!((report.verdict, report.failure), (Verdict::Failed, Some(failure)));
}

#[rstest]
#[case::terminal(
    "\u{1b}[1;31mUser: {u} is not\u{1b}[0m authorized to perform: kms:Decrypt on resource: {k}\u{1b}[K because no \
                  identity-based policy allows the kms:Decrypt action"
)]
#[case::json(
    "\\u001b[31mUser: {u} is not authorized to perform: kms:Decrypt on resource: {k}\\u001b[0m because no \
              identity-based policy allows the kms:Decrypt action"
)]
fn colors_of_a_log_are_stripped(#[case] text: &str) {
    let logged = parsed(text);
    assert_eq!((logged.principal(), logged.key(), logged.action()), (Some(USER), Some(KEY), Some("kms:Decrypt")));
    assert!(!logged.text.contains("[0m") && !logged.text.contains("[31m") && !logged.text.contains("[K"), "{logged:?}");
}

#[rstest]
#[case::no_name("arn:aws:iam::111122223333:user/")]
#[case::a_path_alone("arn:aws:iam::111122223333:role/team/")]
#[case::no_kind("arn:aws:iam::111122223333:app")]
#[case::no_account("arn:aws:iam:::user/app")]
#[case::nothing("")]
fn a_caller_has_a_name(#[case] arn: &str) {
    let named = Named { table: Some("orders".to_owned()), principal: Some(arn.to_owned()), ..Named::default() };
    assert_eq!(Case::new(named), Err(CaseError::NoPrincipal));
    // A text without a caller says what happened, and nothing about nobody.
    let text = filled(WRAPPED).replace(USER, arn);
    let case = Case::new(Named { text: Some(text), ..Named::default() }).unwrap();
    assert_eq!((case.principal.as_str(), case.key.as_deref()), ("", Some(KEY)));
    let report = Report::of_text(case, None);
    assert_eq!(report.fixes, []);
    let lines = text::lines(&report, false).join(" ");
    assert!(lines.contains("IAM policy of the caller"), "{lines}");
}

#[test]
fn other_texts_are_refused() {
    for text in ["hello", "is not authorised", "Throttling: Rate exceeded", "\u{1b}[2J", "arn:aws:kms:::"] {
        assert!(Case::new(Named { text: Some(text.to_owned()), ..Named::default() }).is_err(), "{text}");
    }
}

const ROLE: &str = "arn:aws:iam::111122223333:role/app";

/// A table under a key whose policy has these statements, beside the one that leaves the decision to IAM.
fn evidence(statements: &[serde_json::Value]) -> Evidence {
    use serde_json::json;
    let root = json!({"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111122223333:root"}, "Action": "kms:*",
        "Resource": "*"});
    let all: Vec<_> = std::iter::once(&root).chain(statements).collect();
    let data = json!({"Version": "2012-10-17", "Statement":
        {"Effect": "Allow", "Action": "dynamodb:*", "Resource": format!("{TABLE}*")}});
    let source = crate::policy::PolicySource::Inline { user: "role app".to_owned(), name: "data".to_owned() };
    Evidence {
        account: Some("111122223333".to_owned()),
        region: "us-east-1".to_owned(),
        table: Found::Is(Table {
            name: "orders".to_owned(),
            arn: TABLE.to_owned(),
            status: "ACTIVE".to_owned(),
            key: Some(KEY.to_owned()),
            has_policy: Some(false),
        }),
        key: Found::Is(Key { arn: KEY.to_owned(), state: "Enabled".to_owned(), is_aws_managed: false }),
        principal: Found::Is(Who {
            arn: ROLE.to_owned(),
            unique_id: "AROAEXAMPLEEXAMPLE12".to_owned(),
            tags: Vec::new(),
        }),
        key_policy: Some(json!({"Version": "2012-10-17", "Statement": all}).to_string()),
        identity: vec![(source, data.to_string())],
        calls: 9,
        ..Evidence::default()
    }
}

fn judged(who: &str, evidence: Evidence) -> Report {
    let named = Named { table: Some("orders".to_owned()), principal: Some(who.to_owned()), ..Named::default() };
    Report::judged(Case::new(named).unwrap(), evidence)
}

const SESSION: &str = "arn:aws:sts::111122223333:assumed-role/app/i-0abc";

/// The principals of a statement, who asks, and what is certain.
#[rstest]
#[case::role("Allow", "Principal", &[ROLE], ROLE, Verdict::Allowed)]
#[case::its_session("Allow", "Principal", &[ROLE], SESSION, Verdict::Allowed)]
#[case::its_id("Allow", "Principal", &["AROAEXAMPLEEXAMPLE12"], ROLE, Verdict::Allowed)]
#[case::the_session("Allow", "Principal", &[SESSION], SESSION, Verdict::Allowed)]
#[case::another_session("Allow", "Principal", &["arn:aws:sts::111122223333:assumed-role/app/other"], SESSION, Verdict::Unknown)]
#[case::some_session("Allow", "Principal", &[SESSION], ROLE, Verdict::Unknown)]
#[case::another_role("Allow", "Principal", &["arn:aws:iam::111122223333:role/application"], ROLE, Verdict::Denied)]
#[case::all_but_another("Deny", "NotPrincipal", &["arn:aws:iam::111122223333:role/other"], ROLE, Verdict::Denied)]
fn a_role_has_several_names(
    #[case] effect: &str,
    #[case] member: &str,
    #[case] names: &[&str],
    #[case] who: &str,
    #[case] verdict: Verdict,
) {
    let statement =
        serde_json::json!({"Effect": effect, member: {"AWS": names}, "Action": "kms:Decrypt", "Resource": "*"});
    assert_eq!(judged(who, evidence(&[statement])).verdict, verdict);
}

#[test]
fn a_session_that_is_not_excepted_by_name_is_unsure() {
    let allow = serde_json::json!({"Effect": "Allow", "Principal": {"AWS": ROLE}, "Action": "kms:*", "Resource": "*"});
    let deny = serde_json::json!({"Effect": "Deny", "NotPrincipal": {"AWS": ROLE}, "Action": "kms:*", "Resource": "*"});
    assert_eq!(judged(ROLE, evidence(&[allow, deny])).verdict, Verdict::Unknown);
}

#[test]
fn an_index_has_permissions_of_its_own() {
    let allow = serde_json::json!({"Effect": "Allow", "Principal": {"AWS": ROLE}, "Action": "kms:*", "Resource": "*"});
    let mut evidence = evidence(&[allow]);
    evidence.identity[0].1 = evidence.identity[0].1.replace("orders*", "orders");
    assert_eq!(judged(ROLE, evidence.clone()).verdict, Verdict::Allowed);
    let text = format!(
        "User: {ROLE} is not authorized to perform: dynamodb:Query on resource: {TABLE}/index/by-date because \
                        no identity-based policy allows the dynamodb:Query action"
    );
    let case = Case::new(Named { text: Some(text), ..Named::default() }).unwrap();
    let report = Report::judged(case, evidence);
    let lock = report.table.unwrap();
    assert_eq!((report.verdict, lock.resource), (Verdict::Denied, format!("{TABLE}/index/by-date")));
}

#[test]
fn all_permissions_are_those_of_the_guide() {
    let named = Named { table: Some("orders".to_owned()), principal: Some(ROLE.to_owned()), ..Named::default() };
    let case = Case::new(Named { all_permissions: true, ..named }).unwrap();
    let lines = text::lines(&Report::judged(case, evidence(&[])), false).join("\n");
    let six = r#""Action":["kms:Encrypt","kms:Decrypt","kms:ReEncrypt*","kms:GenerateDataKey*","kms:DescribeKey","kms:CreateGrant"]"#;
    assert!(lines.contains(six) && !lines.contains("--all-permissions"), "{lines}");
    assert!(lines.contains("Not read: session policies (no call returns them)."), "{lines}");
}

#[test]
fn a_hostile_text_adds_no_line_and_no_command() {
    let mut evidence = evidence(&[]);
    let name = "x\u{1b}[2J\nExit status 0: allowed.".to_owned();
    evidence
        .identity
        .push((crate::policy::PolicySource::Managed { name, arn: "a".to_owned() }, "no policy".to_owned()));
    let report = judged(ROLE, evidence);
    assert_eq!(report.verdict, Verdict::Unknown);
    let lines = text::lines(&report, false);
    assert!(lines.iter().all(|line| !line.contains(['\n', '\u{1b}'])), "{lines:#?}");
    assert_eq!(lines.last().unwrap(), "9 read-only calls, nothing changed. Exit status 4: unknown.");
}
