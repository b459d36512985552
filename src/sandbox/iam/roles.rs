//! `CreateRole`, `GetRole`, `DeleteRole`, `ListRoles`, `UpdateRole`, `UpdateAssumeRolePolicy`,
//! `ListInstanceProfilesForRole`.

use super::holder_tags::{tag_facts, write_tag};
use super::members::{self, Page};
use super::role::{Role, TrustPolicy, role_arn, role_id};
use super::user::size;
use crate::policy::{ConditionContext, PolicyError, PolicyErrorKind, account_of};
use crate::sandbox::authorize::Resource;
use crate::sandbox::operation::{Context, Fault, Later, Members, Output, Request};
use crate::sandbox::xml::{self, Xml};

/// AWS's quota (IAM guide).
const MAX_ROLES: usize = 1000;
/// AWS's quota for a trust policy, in characters without white space (IAM guide).
const MAX_TRUST_SIZE: usize = 2048;
/// The longest session of a role, in seconds, and what `CreateRole` sets without `MaxSessionDuration` (IAM guide).
const MAX_SESSION: std::ops::RangeInclusive<i64> = 3600..=43_200;

impl Context<'_> {
    /// Reads a new trust policy. The principals of this account have to exist; nothing is known of other accounts.
    fn new_trust(&self, text: String) -> Result<TrustPolicy, Fault> {
        let characters = size(&text);
        let trust = TrustPolicy::new(text).map_err(malformed)?;
        let iam = &self.account.state.iam;
        let is_absent = |name: &&&str| {
            account_of(name).is_none_or(|account| account == self.account.id)
                && **name != self.account.id
                && !is_account(name)
                && iam.find_principal(name).is_none()
        };
        if let Some(absent) = trust.document.principals().iter().find(is_absent) {
            let message = format!("Invalid principal in policy: \"AWS\":\"{absent}\"");
            return Err(Fault::service(400, "MalformedPolicyDocument", message));
        }
        if characters > MAX_TRUST_SIZE {
            let message = format!("Cannot exceed quota for ACLSizePerRole: {MAX_TRUST_SIZE}");
            return Err(Fault::service(409, "LimitExceeded", message));
        }
        Ok(trust)
    }
}

/// Whether a principal is the id of an account.
fn is_account(name: &str) -> bool {
    name.len() == 12 && name.bytes().all(|byte| byte.is_ascii_digit())
}

/// A policy that a trust policy's or a session's grammar refuses. An unknown principal is quoted as AWS does.
pub fn malformed(error: PolicyError) -> Fault {
    let message = match &error.kind {
        PolicyErrorKind::InvalidPrincipal(name) => format!("Invalid principal in policy: \"AWS\":\"{name}\""),
        _ => error.to_string(),
    };
    Fault::service(400, "MalformedPolicyDocument", message)
}

/// `Description` and `MaxSessionDuration`.
struct Settings {
    description: Option<String>,
    max_session: Option<i64>,
}

impl Settings {
    fn parse(members: &Members<'_>) -> Result<Self, Fault> {
        let description = members.optional_str("Description", 0..=1000)?.map(str::to_owned);
        Ok(Self { description, max_session: members.integer("MaxSessionDuration", MAX_SESSION)? })
    }
}

/// `CreateRole`
pub struct CreateRole {
    name: String,
    path: String,
    trust: String,
    settings: Settings,
    tags: Vec<(String, String)>,
}

impl Request for CreateRole {
    fn parse(members: &Members<'_>) -> Result<Self, Fault> {
        let name = members::role_name(members)?;
        let path = members::path(members, "Path")?;
        let trust = members.str("AssumeRolePolicyDocument", 1..=131_072)?.to_owned();
        let settings = Settings::parse(members)?;
        let tags = members::tags(members)?;
        if members.text("PermissionsBoundary")?.is_some() {
            // Creating the role without it would give more than was asked for.
            return Err(Fault::service(400, "InvalidInput", "The sandbox has no permissions boundaries."));
        }
        Ok(Self { name, path, trust, settings, tags })
    }

    fn run(self, cx: &mut Context<'_>) -> Result<Output, Fault> {
        let Self { name, path, trust, settings, tags } = self;
        let arn = role_arn(&cx.account.id, &path, &name);
        cx.authorize("iam:CreateRole", Resource::Arn(&arn), &tag_facts(&tags))?;
        let trust = cx.new_trust(trust)?;
        let iam = &cx.account.state.iam;
        if iam.roles().any(|(known, _)| known.eq_ignore_ascii_case(&name)) {
            return Err(Fault::service(409, "EntityAlreadyExists", format!("Role with name {name} already exists.")));
        }
        if iam.roles().count() >= MAX_ROLES {
            let message = format!("Cannot exceed quota for RolesPerAccount: {MAX_ROLES}");
            return Err(Fault::service(409, "LimitExceeded", message));
        }
        let role = Role {
            name,
            path,
            id: role_id(&mut cx.entropy),
            created: cx.account.state.clock.timestamp(),
            description: settings.description,
            max_session: settings.max_session.unwrap_or(*MAX_SESSION.start()),
            trust,
            tags,
            attached: Vec::new(),
            inline: std::collections::BTreeMap::new(),
        };
        let out = describe(cx, &role);
        cx.save(role)?;
        Ok(out.into())
    }
}

/// `GetRole`
pub struct GetRole(String);

impl Request for GetRole {
    fn parse(members: &Members<'_>) -> Result<Self, Fault> {
        members::role_name(members).map(Self)
    }

    fn run(self, cx: &mut Context<'_>) -> Result<Output, Fault> {
        let role: Role = cx.holder("iam:GetRole", &self.0, &ConditionContext::default())?;
        Ok(describe(cx, &role).into())
    }
}

/// `DeleteRole`
pub struct DeleteRole(String);

impl Request for DeleteRole {
    fn parse(members: &Members<'_>) -> Result<Self, Fault> {
        members::role_name(members).map(Self)
    }

    fn run(self, cx: &mut Context<'_>) -> Result<Output, Fault> {
        let role: Role = cx.holder("iam:DeleteRole", &self.0, &ConditionContext::default())?;
        let first = match (role.attached.is_empty(), role.inline.is_empty()) {
            (false, _) => Some("detach all policies"),
            (true, false) => Some("delete policies"),
            (true, true) => None,
        };
        if let Some(first) = first {
            let message = format!("Cannot delete entity, must {first} first.");
            return Err(Fault::service(409, "DeleteConflict", message));
        }
        let arn = role.arn(&cx.account.id);
        let (kms, store) = cx.account.kms_mut();
        kms.principal_deleted(store, &arn, &role.id)?;
        let (iam, store) = cx.account.iam_mut();
        iam.remove_role(store, &role)?;
        iam.principal_deleted(store, &arn, &role.id)?;
        Ok(Xml::new().into())
    }
}

/// `ListRoles`
pub struct ListRoles {
    prefix: String,
    page: Later<Page>,
}

impl Request for ListRoles {
    fn parse(members: &Members<'_>) -> Result<Self, Fault> {
        Ok(Self { prefix: members::path(members, "PathPrefix")?, page: Page::parse(members) })
    }

    fn run(self, cx: &mut Context<'_>) -> Result<Output, Fault> {
        let resource = role_arn(&cx.account.id, &self.prefix, "");
        cx.authorize("iam:ListRoles", Resource::Arn(&resource), &ConditionContext::default())?;
        let roles = cx.account.state.iam.roles().filter(|(_, role)| role.path.starts_with(&self.prefix));
        let mut out = Xml::new();
        // A list shows no tags (IAM guide).
        self.page?.write(&mut out, "Roles", roles, |(key, _)| key, |out, (_, role)| write_role(cx, out, role));
        Ok(out.into())
    }
}

/// `UpdateRole`
pub struct UpdateRole {
    name: String,
    settings: Settings,
}

impl Request for UpdateRole {
    fn parse(members: &Members<'_>) -> Result<Self, Fault> {
        Ok(Self { name: members::role_name(members)?, settings: Settings::parse(members)? })
    }

    fn run(self, cx: &mut Context<'_>) -> Result<Output, Fault> {
        let mut role: Role = cx.holder("iam:UpdateRole", &self.name, &ConditionContext::default())?;
        role.description = self.settings.description.or(role.description);
        role.max_session = self.settings.max_session.unwrap_or(role.max_session);
        cx.save(role)
    }
}

/// `UpdateAssumeRolePolicy`
pub struct UpdateAssumeRolePolicy {
    name: String,
    text: String,
}

impl Request for UpdateAssumeRolePolicy {
    fn parse(members: &Members<'_>) -> Result<Self, Fault> {
        let text = members.str("PolicyDocument", 1..=131_072)?.to_owned();
        Ok(Self { name: members::role_name(members)?, text })
    }

    fn run(self, cx: &mut Context<'_>) -> Result<Output, Fault> {
        let mut role: Role = cx.holder("iam:UpdateAssumeRolePolicy", &self.name, &ConditionContext::default())?;
        role.trust = cx.new_trust(self.text)?;
        cx.save(role)
    }
}

/// `ListInstanceProfilesForRole`. The sandbox has no instance profiles; Terraform asks before it deletes a role.
pub struct ListInstanceProfilesForRole {
    name: String,
    page: Later<Page>,
}

impl Request for ListInstanceProfilesForRole {
    fn parse(members: &Members<'_>) -> Result<Self, Fault> {
        Ok(Self { name: members::role_name(members)?, page: Page::parse(members) })
    }

    fn run(self, cx: &mut Context<'_>) -> Result<Output, Fault> {
        cx.holder::<Role>("iam:ListInstanceProfilesForRole", &self.name, &ConditionContext::default())?;
        let mut out = Xml::new();
        self.page?.write(&mut out, "InstanceProfiles", [], |name: &&str| name, |_, _| {});
        Ok(out.into())
    }
}

/// `<Role>` with its tags.
fn describe(cx: &Context<'_>, role: &Role) -> Xml {
    let mut out = Xml::new();
    xml::nest(&mut out, "Role", |out| {
        write_role(cx, out, role);
        if !role.tags.is_empty() {
            xml::list(out, "Tags", &role.tags, write_tag);
        }
    });
    out
}

fn write_role(cx: &Context<'_>, out: &mut Xml, role: &Role) {
    xml::leaf(out, "Path", &role.path);
    xml::leaf(out, "RoleName", &role.name);
    xml::leaf(out, "RoleId", &role.id);
    xml::leaf(out, "Arn", &role.arn(&cx.account.id));
    xml::leaf(out, "CreateDate", &role.created);
    xml::leaf(out, "AssumeRolePolicyDocument", &xml::url_encode(&role.trust.text));
    if let Some(description) = &role.description {
        xml::leaf(out, "Description", description);
    }
    xml::leaf(out, "MaxSessionDuration", &role.max_session.to_string());
}
