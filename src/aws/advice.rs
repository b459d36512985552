//! Why a profile gives no credentials, and what to do: a step that works when it is followed.

use super::files::{Files, Settings, name_for_sdk, shell};
use crate::lab::Identity;

/// More profiles than this are not listed.
const LISTED: usize = 20;

/// A profile that gave no credentials.
pub(super) struct Case<'a> {
    pub(super) files: &'a Files,
    /// The profile.
    pub(super) name: &'a str,
    pub(super) identity: Identity,
    /// `AWS_PROFILE` named it, not an option.
    pub(super) by_variable: bool,
    /// The SDK's message, on one line.
    pub(super) reason: &'a str,
    /// No server answered.
    pub(super) is_unreachable: bool,
    /// The region of the profile.
    pub(super) region: Option<&'a str>,
}

/// A problem and its remedy.
#[derive(Debug, PartialEq)]
pub(super) struct Advice {
    pub(super) says: String,
    pub(super) fix: String,
}

fn advice(says: impl Into<String>, fix: impl Into<String>) -> Advice {
    Advice { says: says.into(), fix: fix.into() }
}

/// The profiles that refer to each other in a circle, if `name` leads into one: the first one again at the end.
fn cycle<'a>(files: &'a Files, name: &'a str) -> Option<Vec<&'a str>> {
    let mut seen = vec![name];
    let mut current = name;
    while let Some(source) = source_of(files, current) {
        if let Some(first) = seen.iter().position(|other| *other == source) {
            let mut circle = seen.split_off(first);
            circle.push(source);
            return Some(circle);
        }
        if files.profile(source).is_some_and(has_keys) {
            return None;
        }
        seen.push(source);
        current = source;
    }
    None
}

/// The other profile whose credentials the role of `name` is assumed with.
fn source_of<'a>(files: &'a Files, name: &str) -> Option<&'a str> {
    let profile = files.profile(name)?;
    let is_role = profile.contains_key("role_arn") && !profile.contains_key("web_identity_token_file");
    profile.get("source_profile").map(String::as_str).filter(|source| is_role && *source != name)
}

fn has_keys(profile: &Settings) -> bool {
    profile.contains_key("aws_access_key_id")
}

impl Case<'_> {
    /// Says why there are no credentials.
    pub(super) fn advise(&self) -> Advice {
        if let Some(circle) = cycle(self.files, self.name) {
            let says = format!("these profiles form a cycle: {}", circle.join(" -> "));
            return advice(says, "give one of them keys or a login of its own in place of its source_profile");
        }
        let mut says = String::new();
        let mut current = self.name;
        // A role can't be assumed before its source works. Without cycles this ends.
        while let Some(source) = source_of(self.files, current)
            && !self.files.profile(source).is_some_and(has_keys)
            && !self.reason.contains("AccessDenied")
        {
            says.push_str(&format!("its source_profile {source}: "));
            current = source;
        }
        let Advice { says: more, fix } = match self.files.profile(current) {
            None => self.missing(current),
            Some(profile) => self.of_profile(current, profile),
        };
        advice(says + &more, fix)
    }

    fn of_profile(&self, name: &str, profile: &Settings) -> Advice {
        let has = |key: &str| profile.contains_key(key);
        if has("role_arn") {
            self.role(name, profile)
        } else if ["sso_session", "sso_start_url", "sso_account_id", "sso_role_name"].into_iter().any(has) {
            self.single_sign_on(name, profile)
        } else if has("login_session") {
            self.login(name)
        } else if has("credential_process") {
            self.process()
        } else if !has_keys(profile) {
            let fix = format!("give it keys with: aws configure --profile {}", shell(name));
            advice("it has neither keys nor a login, a role or a credential_process", fix)
        } else if !has("aws_secret_access_key") {
            let fix = format!("enter both keys with: aws configure --profile {}", shell(name));
            advice("it has no aws_secret_access_key", fix)
        } else {
            let command = format!("aws sts get-caller-identity --profile {}", shell(name));
            advice(self.reason(), format!("look at ~/.aws/config and ~/.aws/credentials, or try: {command}"))
        }
    }

    fn missing(&self, name: &str) -> Advice {
        let create = format!("create it with: aws configure --profile {}", shell(name));
        if let Some(reason) = self.files.unreadable() {
            return advice(reason, "make that file readable for yourself");
        }
        let asked = if self.by_variable && name == self.name { ", which AWS_PROFILE asks for" } else { "" };
        if let Some(fix) = self.files.lost(name) {
            return advice(format!("there is no such profile{asked}, because of the way it is written"), fix);
        }
        let names: Vec<&str> = self.files.names().collect();
        if names.is_empty() {
            return advice(format!("there is no such profile{asked}, and no other"), create);
        }
        let mut known = names[..names.len().min(LISTED)].join(", ");
        if names.len() > LISTED {
            known.push_str(&format!(" and {} more", names.len() - LISTED));
        }
        let says = format!("there is no such profile{asked}; there are: {known}");
        let fix = match (self.by_variable, name == self.name) {
            (true, true) => format!("set AWS_PROFILE to one of these or unset it, or {create}"),
            (false, true) => format!("use one of these, or {create}"),
            (_, false) => format!("use one of these as source_profile, or {create}"),
        };
        advice(says, fix)
    }

    fn single_sign_on(&self, name: &str, profile: &Settings) -> Advice {
        let session = profile.get("sso_session").map(|session| (session, self.files.sso_session(session)));
        if let Some((session, None)) = session {
            let fix = format!("set it up with: aws configure sso --profile {}", shell(name));
            return advice(format!("there is no section [sso-session {session}]"), fix);
        }
        if let Some((session, _)) = session
            && name_for_sdk(session) != *session
        {
            let fix = "rename it in ~/.aws/config, with letters, digits and - alone, then log in again";
            return advice(format!("kmslab can't read an sso-session named {session}"), fix);
        }
        let place = session.and_then(|(_, session)| session).unwrap_or(profile);
        let absent = |place: &Settings, keys: [&'static str; 2]| {
            keys.into_iter().filter(|key| !place.contains_key(*key)).collect::<Vec<_>>()
        };
        let of_profile = absent(profile, ["sso_account_id", "sso_role_name"]);
        if !of_profile.is_empty() {
            let fix = format!(
                "set {} in the profile; this asks for all of it: aws configure sso --profile {}",
                of_profile.join(" and "),
                shell(name)
            );
            return advice(format!("its login names no {}", of_profile.join(" and no ")), fix);
        }
        let of_place = absent(place, ["sso_region", "sso_start_url"]);
        if !of_place.is_empty() {
            let section = session.map_or("the profile".to_owned(), |(session, _)| format!("[sso-session {session}]"));
            return advice(
                format!("its login has no {}", of_place.join(" and no ")),
                format!("set {} in {section}", of_place.join(" and ")),
            );
        }
        let login = format!("log in with: aws sso login --profile {}", shell(name));
        if self.is_unreachable {
            self.unreachable("AWS's single sign-on")
        } else if self.has_expired() {
            advice("its login has expired", login)
        } else if self.reason.contains("cached SSO token") || self.reason.contains("sso/cache") {
            advice("nobody has logged in", login)
        } else if self.reason.contains("ForbiddenException") || self.reason.contains("ResourceNotFoundException") {
            let fix =
                format!("choose an account and a role that you have: aws configure sso --profile {}", shell(name));
            advice(format!("its login doesn't include this account and role: {}", self.reason()), fix)
        } else {
            advice(self.reason(), login)
        }
    }

    fn login(&self, name: &str) -> Advice {
        let login = format!("log in with: aws login --profile {}", shell(name));
        if self.is_unreachable {
            self.unreachable("AWS's sign-in")
        } else if self.has_expired() || self.reason.contains("refresh cached Login token") {
            advice("its login has expired", login)
        } else if self.reason.contains("failed to read") {
            advice("nobody has logged in", login)
        } else {
            advice(format!("its login can't be used: {}", self.reason()), login)
        }
    }

    fn process(&self) -> Advice {
        if self.has_expired() {
            let fix = "renew what that program hands out (it may need a login of its own)";
            return advice("the credentials that its credential_process gave have expired", fix);
        }
        let fix = "run the program in credential_process yourself: it must succeed and print JSON with \"Version\": 1";
        advice(format!("its credential_process failed: {}", self.reason()), fix)
    }

    fn role(&self, name: &str, profile: &Settings) -> Advice {
        let role = &profile["role_arn"];
        let has = |key: &str| profile.contains_key(key);
        let is_federated = has("web_identity_token_file");
        match (has("source_profile"), has("credential_source")) {
            (true, true) => {
                let fix = "remove one of them from the profile";
                return advice("it has both source_profile and credential_source", fix);
            }
            (false, false) if !is_federated => {
                let fix = "add source_profile = NAME to it: a profile whose credentials may assume the role";
                return advice(format!("its role {role} has no source_profile"), fix);
            }
            _ => {}
        }
        if profile.get("source_profile").is_some_and(|source| source == name) && !has_keys(profile) {
            let fix = format!("give it keys with: aws configure --profile {}", shell(name));
            return advice("its source_profile is itself, but it has no keys", fix);
        }
        if self.is_unreachable {
            return self.unreachable("STS");
        }
        if has("mfa_serial") {
            return self.hand_over(name);
        }
        let says = format!("the role {role} could not be assumed: {}", self.reason());
        let source =
            profile.get("source_profile").map_or("its source".to_owned(), |source| format!("profile {source}"));
        if is_federated {
            return advice(
                says,
                "renew the token in web_identity_token_file, and check that the role trusts its issuer",
            );
        }
        let fix = if self.has_expired() {
            format!("get new keys for {source}: their session has ended")
        } else if self.reason.contains("AccessDenied") {
            format!("allow sts:AssumeRole on it for {source}, and name that identity in the role's trust policy")
        } else if self.reason.contains("InvalidClientTokenId") || self.reason.contains("SignatureDoesNotMatch") {
            format!("correct the keys of {source}: STS doesn't accept them")
        } else {
            format!("try: aws sts get-caller-identity --profile {}", shell(name))
        };
        advice(says, fix)
    }

    /// The AWS CLI can ask for an MFA code. Keys in the environment count only without a named profile, so the advice
    /// has to end with that; test-user has to have a profile.
    fn hand_over(&self, name: &str) -> Advice {
        let export = format!("aws configure export-credentials --profile {}", shell(name));
        let region = self.region.map(|region| format!(" and add --region {region}")).unwrap_or_default();
        let fix = match (self.identity, self.by_variable) {
            (Identity::Admin, false) => format!(
                "let the AWS CLI ask for it: eval \"$({export} --format env)\", then leave out --admin-profile{region}"
            ),
            (Identity::Admin, true) => {
                format!("let the AWS CLI ask for it: eval \"$({export} --format env)\", then try again")
            }
            (Identity::TestUser, _) => {
                let new = shell(&format!("{name}-mfa"));
                format!(
                    "let the AWS CLI ask for it: aws configure set credential_process {} --profile {new}, then use \
                     --user-profile {new}{region}",
                    shell(&export)
                )
            }
        };
        advice("its role asks for an MFA code, which only the AWS CLI can ask you for", fix)
    }

    fn unreachable(&self, what: &str) -> Advice {
        let fix = "check the network, the proxy and the region, then try again";
        advice(format!("{what} can't be reached: {}", self.reason()), fix)
    }

    fn has_expired(&self) -> bool {
        let reason = self.reason.to_ascii_lowercase();
        reason.contains("expired") || reason.contains("unauthorizedexception")
    }

    /// The SDK's message, with profiles named as in the files.
    fn reason(&self) -> String {
        let renamed = self.files.names().map(|name| (name_for_sdk(name), name)).filter(|(sdk, name)| sdk != name);
        renamed.fold(self.reason.to_owned(), |reason, (sdk, name)| reason.replace(&sdk, name))
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const CONFIG: &str = "
[profile keys]
aws_access_key_id = AKIA
aws_secret_access_key = s
[profile half]
aws_access_key_id = AKIA
[profile sso]
sso_session = corp
sso_account_id = 111122223333
sso_role_name = Lab
[sso-session corp]
sso_start_url = https://corp.example/start
sso_region = us-east-1
[profile old-sso]
sso_start_url = https://corp.example/start
sso_region = us-east-1
sso_account_id = 111122223333
sso_role_name = Lab
[profile no-region]
sso_session = bare
sso_account_id = 111122223333
sso_role_name = Lab
[sso-session bare]
sso_start_url = https://corp.example/start
[profile other-sso]
sso_session = other
[profile role]
role_arn = arn:aws:iam::111122223333:role/lab
source_profile = keys
[profile role-of-sso]
role_arn = arn:aws:iam::111122223333:role/lab
source_profile = sso
[profile role-of-nobody]
role_arn = arn:aws:iam::111122223333:role/lab
source_profile = gone
[profile role-of-itself]
role_arn = arn:aws:iam::111122223333:role/lab
source_profile = role-of-itself
[profile role-of-both]
role_arn = arn:aws:iam::111122223333:role/lab
source_profile = keys
credential_source = Environment
[profile \"with mfa\"]
role_arn = arn:aws:iam::111122223333:role/lab
source_profile = keys
mfa_serial = arn
[profile process]
credential_process = hand-out
[profile login]
login_session = arn
[profile empty]
region = us-east-1
";

    fn files(config: &str) -> Files {
        let tmp = tempfile::tempdir().unwrap();
        let path = tmp.path().join("config");
        std::fs::write(&path, config).unwrap();
        Files::read(|name| (name == "AWS_CONFIG_FILE").then(|| path.as_os_str().to_owned())).unwrap()
    }

    fn case<'a>(files: &'a Files, name: &'a str, reason: &'a str) -> Case<'a> {
        let identity = Identity::Admin;
        Case { files, name, identity, by_variable: false, reason, is_unreachable: false, region: None }
    }

    #[rstest]
    #[case(
        "sso",
        "failed to load the cached SSO token: failed to open",
        "nobody has logged in",
        "sso login --profile sso"
    )]
    #[case("sso", "the SSO token has expired and cannot be refreshed", "login has expired", "sso login --profile sso")]
    #[case("old-sso", "UnauthorizedException: not found", "login has expired", "sso login --profile old-sso")]
    #[case("sso", "ForbiddenException: No access", "doesn't include this account", "configure sso --profile sso")]
    #[case("sso", "odd", "odd", "aws sso login --profile sso")]
    #[case("no-region", "odd", "its login has no sso_region", "set sso_region in [sso-session bare]")]
    #[case("other-sso", "odd", "[sso-session other]", "aws configure sso --profile other-sso")]
    #[case("role", "AccessDenied: not authorized to perform", "role/lab could not be assumed", "trust policy")]
    #[case("role", "ExpiredToken", "role/lab could not be assumed", "get new keys for profile keys")]
    #[case("role", "InvalidClientTokenId", "role/lab could not be assumed", "correct the keys of profile keys")]
    #[case(
        "role-of-sso",
        "failed to load the cached SSO token",
        "source_profile sso: nobody has",
        "login --profile sso"
    )]
    #[case("role-of-nobody", "x", "source_profile gone: there is no such profile", "configure --profile gone")]
    #[case("role-of-itself", "no keys", "is itself", "aws configure --profile role-of-itself")]
    #[case("role-of-both", "x", "both source_profile and credential_source", "remove one")]
    #[case("process", "status 3", "credential_process failed: status 3", "\"Version\": 1")]
    #[case("process", "the credentials have expired", "have expired", "renew")]
    #[case("login", "failed to read `x.json`", "nobody has logged in", "aws login --profile login")]
    #[case("login", "failed to refresh cached Login token", "has expired", "aws login --profile login")]
    #[case("empty", "none", "neither keys nor", "aws configure --profile empty")]
    #[case("half", "none", "no aws_secret_access_key", "aws configure --profile half")]
    #[case("keys", "odd", "odd", "get-caller-identity --profile keys")]
    #[case("no body", "none", "there are: empty, half, keys", "aws configure --profile 'no body'")]
    fn each_kind_of_profile_has_its_sentence(
        #[case] name: &str,
        #[case] reason: &str,
        #[case] says: &str,
        #[case] fix: &str,
    ) {
        let advice = case(&files(CONFIG), name, reason).advise();
        assert!(advice.says.contains(says) && advice.fix.contains(fix), "{advice:?}");
    }

    #[rstest]
    #[case("role", "STS can't be reached: dns error")]
    #[case("sso", "AWS's single sign-on can't be reached: dns error")]
    #[case("login", "AWS's sign-in can't be reached: dns error")]
    fn without_a_network_nothing_else_is_blamed(#[case] name: &str, #[case] says: &str) {
        let files = files(CONFIG);
        let advice = Case { is_unreachable: true, ..case(&files, name, "dns error") }.advise();
        assert!(advice.says.contains(says) && advice.fix.starts_with("check the network"), "{advice:?}");
    }

    /// With `--admin-profile` the exported keys would not count, and without the profile its region is lost.
    #[rstest]
    #[case(
        Identity::Admin,
        false,
        "--profile 'with mfa' --format env)\", then leave out --admin-profile and add --region r"
    )]
    #[case(Identity::Admin, true, "--profile 'with mfa' --format env)\", then try again")]
    #[case(
        Identity::TestUser,
        false,
        "--profile 'with mfa-mfa', then use --user-profile 'with mfa-mfa' and add --region r"
    )]
    fn advice_on_mfa_does_not_lead_back_to_the_same_error(
        #[case] identity: Identity,
        #[case] by_variable: bool,
        #[case] fix: &str,
    ) {
        let files = files(CONFIG);
        let advice =
            Case { identity, by_variable, region: Some("r"), ..case(&files, "with mfa", "AccessDenied") }.advise();
        assert!(advice.says.contains("MFA code") && advice.fix.ends_with(fix), "{advice:?}");
    }

    #[test]
    fn a_long_chain_of_profiles_is_followed_to_its_end() {
        let mut config = String::new();
        for at in 0..20_000 {
            config.push_str(&format!("[profile p{at}]\nrole_arn = r\nsource_profile = p{}\n", at + 1));
        }
        config.push_str("[profile p20000]\nrole_arn = r\nsource_profile = p19999\n");
        assert_eq!(cycle(&files(&config), "p19990").unwrap(), ["p19999", "p20000", "p19999"]);
    }

    #[test]
    fn without_any_profile_none_is_listed() {
        let files = Files::default();
        let advice = Case { by_variable: true, ..case(&files, "lab", "") }.advise();
        assert_eq!(advice.says, "there is no such profile, which AWS_PROFILE asks for, and no other");
    }
}
