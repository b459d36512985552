//! What exists in a sandbox, asked by clients of the tests' own.

use aws_sdk_sts::config::Credentials;
use kmslab::sandbox::Sandbox;

pub fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

/// The admin's credentials in `sandbox`.
pub fn admin(sandbox: &Sandbox) -> Credentials {
    let admin = sandbox.admin();
    Credentials::new(&admin.access_key_id, admin.secret_access_key.as_str(), None, None, "test")
}

/// A service's client with the given credentials, or else the admin's.
macro_rules! client {
    ($service:ident, $sandbox:expr) => {
        $crate::support::things::client!($service, $sandbox, $crate::support::things::admin(&$sandbox))
    };
    ($service:ident, $sandbox:expr, $credentials:expr) => {
        $service::Client::from_conf(
            $service::Config::builder()
                .behavior_version(aws_sdk_sts::config::BehaviorVersion::latest())
                .region(aws_sdk_sts::config::Region::new($sandbox.region().to_owned()))
                .endpoint_url($sandbox.url())
                .credentials_provider($credentials)
                .http_client(aws_smithy_http_client::Builder::new().build_http())
                .build(),
        )
    };
}

pub(crate) use client;

/// Names of tables and users, aliases, and ids of keys that are not pending deletion.
#[derive(Debug, Default, PartialEq)]
pub struct Things {
    pub tables: Vec<String>,
    pub users: Vec<String>,
    pub aliases: Vec<String>,
    pub keys: Vec<String>,
}

impl Things {
    pub fn count(&self) -> usize {
        self.tables.len() + self.users.len() + self.aliases.len() + self.keys.len()
    }
}

pub fn things(sandbox: &Sandbox) -> Things {
    block_on(async {
        let kms = client!(aws_sdk_kms, sandbox);
        let tables = client!(aws_sdk_dynamodb, sandbox).list_tables().send().await.unwrap();
        let users = client!(aws_sdk_iam, sandbox).list_users().send().await.unwrap();
        let aliases = kms.list_aliases().send().await.unwrap();
        let mut keys = Vec::new();
        for key in kms.list_keys().send().await.unwrap().keys.unwrap_or_default() {
            let id = key.key_id.unwrap();
            let metadata = kms.describe_key().key_id(&id).send().await.unwrap().key_metadata.unwrap();
            if metadata.key_state.unwrap().as_str() != "PendingDeletion" {
                keys.push(id);
            }
        }
        Things {
            tables: tables.table_names.unwrap_or_default(),
            users: users.users.into_iter().map(|user| user.user_name).collect(),
            aliases: aliases.aliases.unwrap_or_default().into_iter().map(|alias| alias.alias_name.unwrap()).collect(),
            keys,
        }
    })
}
