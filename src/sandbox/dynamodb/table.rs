//! A table's metadata, as it is stored and as `TableDescription` shows it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::index::Index;
use super::key::KeySchema;
use super::recovery::Recovery;
use super::time_to_live::TimeToLive;

/// A table, as kept in the store (sealed).
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Table {
    /// `TableName`
    pub name: String,
    /// `TableId`, a uuid: another table of the same name has another one.
    pub id: String,
    /// `TableArn`
    pub arn: String,
    /// Epoch seconds.
    pub created: f64,
    /// The primary key.
    pub schema: KeySchema,
    /// How capacity is paid for.
    pub billing: Billing,
    /// Since when it has been paid for by request (epoch seconds), if not from the start.
    pub by_request_since: Option<f64>,
    /// Whether DeleteTable is refused.
    pub deletion_protection: bool,
    /// Tags.
    pub tags: BTreeMap<String, String>,
    /// The table key, which only exists encrypted.
    pub encryption: Encryption,
    /// The data encryption key, sealed under the table key.
    pub data_key: Sealed,
    /// Since when the KMS key can't be used (epoch seconds), as far as DynamoDB has noticed.
    pub inaccessible_since: Option<f64>,
    /// When DynamoDB began to archive it (epoch seconds).
    pub archived_at: Option<f64>,
    /// When its encryption was changed (epoch seconds), in the present window of 24 hours.
    #[serde(default)]
    pub rekeyed: Vec<f64>,
    /// Time to live, once it has been changed.
    #[serde(default)]
    pub time_to_live: Option<TimeToLive>,
    /// Point-in-time recovery, while it is enabled.
    #[serde(default)]
    pub recovery: Option<Recovery>,
    /// Its secondary indexes.
    #[serde(default)]
    pub indexes: Vec<Index>,
}

/// `BillingMode`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Billing {
    /// `PAY_PER_REQUEST`
    PayPerRequest,
    /// `PROVISIONED`, in capacity units.
    Provisioned {
        /// `ReadCapacityUnits`
        read: u64,
        /// `WriteCapacityUnits`
        write: u64,
    },
}

/// Under which key the table key is encrypted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Encryption {
    /// A key DynamoDB owns; no KMS permission, no trail.
    AwsOwned {
        /// The table key, sealed under the service key.
        table_key: Sealed,
    },
    /// A KMS key: AWS managed or customer managed.
    Kms {
        /// Its ARN.
        key_arn: String,
        /// The grant by which DynamoDB itself may use the key.
        grant_id: String,
        /// The table key, as GenerateDataKey returned it encrypted.
        table_key: Vec<u8>,
    },
}

impl Encryption {
    /// The KMS key's ARN; `None` for the AWS owned key.
    pub fn key_arn(&self) -> Option<&str> {
        match self {
            Self::AwsOwned { .. } => None,
            Self::Kms { key_arn, .. } => Some(key_arn),
        }
    }
}

/// AES-256-GCM: nonce, and ciphertext with tag.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sealed {
    /// The nonce.
    pub nonce: [u8; 12],
    /// Ciphertext and tag.
    pub sealed: Vec<u8>,
}

/// `TableStatus` and `SSEDescription.Status`, where they differ from what is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// In CreateTable's response.
    Creating,
    /// From then on.
    Active,
    /// In the response of an UpdateTable that changed the encryption.
    Rekeying,
    /// In the response of another UpdateTable.
    Updating,
    /// In DeleteTable's response.
    Deleting,
}

impl Table {
    /// `TableDescription`.
    pub fn describe(&self, phase: Phase, items: u64, bytes: u64, now: f64) -> Value {
        let inaccessible = self.inaccessible_since.filter(|_| matches!(phase, Phase::Active | Phase::Rekeying));
        let archival = self.archival(now);
        let status = match phase {
            Phase::Active if archival.is_some() => archival.unwrap_or_default(),
            _ if inaccessible.is_some() => "INACCESSIBLE_ENCRYPTION_CREDENTIALS",
            Phase::Creating => "CREATING",
            // The table stays ACTIVE while its key changes (observed on AWS).
            Phase::Active | Phase::Rekeying => "ACTIVE",
            Phase::Updating => "UPDATING",
            Phase::Deleting => "DELETING",
        };
        let mut description = json!({
            "AttributeDefinitions": self.definitions(),
            "TableName": self.name,
            "KeySchema": self.schema.to_json(),
            "TableStatus": status,
            "CreationDateTime": self.created,
            "ProvisionedThroughput": self.billing.throughput(),
            "TableSizeBytes": bytes,
            "ItemCount": items,
            "TableArn": self.arn,
            "TableId": self.id,
            "DeletionProtectionEnabled": self.deletion_protection,
        });
        if let (Some(status), Some(at)) = (archival, self.archived_at) {
            description["ArchivalSummary"] = self.archival_summary(status, at);
        }
        if self.billing == Billing::PayPerRequest {
            description["BillingModeSummary"] = json!({
                "BillingMode": "PAY_PER_REQUEST",
                "LastUpdateToPayPerRequestDateTime": self.by_request_since.unwrap_or(self.created),
            });
        }
        if let Some(arn) = self.encryption.key_arn() {
            let status = if matches!(phase, Phase::Creating | Phase::Rekeying) { "UPDATING" } else { "ENABLED" };
            description["SSEDescription"] = json!({ "Status": status, "SSEType": "KMS", "KMSMasterKeyArn": arn });
            if let Some(since) = inaccessible {
                description["SSEDescription"]["InaccessibleEncryptionDateTime"] = json!(since);
            }
        } else if phase == Phase::Rekeying {
            description["SSEDescription"] = json!({ "Status": "UPDATING" });
        }
        let status = match phase {
            Phase::Creating => "CREATING",
            Phase::Deleting => "DELETING",
            _ => "ACTIVE",
        };
        self.describe_indexes(&mut description, status);
        description
    }
}

impl Billing {
    /// `ProvisionedThroughput` of a description.
    pub fn throughput(self) -> Value {
        let (read, write) = match self {
            Self::PayPerRequest => (0, 0),
            Self::Provisioned { read, write } => (read, write),
        };
        json!({ "NumberOfDecreasesToday": 0, "ReadCapacityUnits": read, "WriteCapacityUnits": write })
    }
}
