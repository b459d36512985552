//! The calls.

use http::Method;
use serde_json::{Value, json};

use super::{Recorder, policy, text_at};
use crate::sandbox::service::Service;

pub(super) const NO_KEY: &str = "00000000-0000-4000-8000-000000000000";
const ALICE: &str = "arn:aws:iam::111122223333:user/alice";
const DYNAMODB_FULL: &str = "arn:aws:iam::aws:policy/AmazonDynamoDBFullAccess";

impl Recorder {
    /// Runs the whole script.
    pub fn run(&mut self) {
        self.front_layer();
        self.users();
        let key = self.keys();
        self.cryptography(&key);
        self.grants(&key);
        let table = self.tables(&key);
        self.items(&table);
        self.reads(&table);
        self.batches(&table);
        self.denials(&table, &key);
        self.simulations();
        self.conditions();
        self.endings(&table, &key);
        self.transactions();
        self.roles();
        self.sessions();
        self.managed_policies();
        self.event_history();
        self.codes();
        self.key_pairs();
    }

    fn front_layer(&mut self) {
        self.page(Method::GET, "/");
        self.page(Method::GET, "/nothing");
        self.page(Method::GET, "/_kmslab/health");
        self.page(Method::GET, "/_kmslab/nothing");
        let json = ("content-type", "application/x-amz-json-1.1");
        let list_keys = [("x-amz-target", "TrentService.ListKeys"), json];
        self.send("unsigned", Method::POST, "/", &list_keys, "{}");
        self.send("no target", Method::POST, "/", &[json, ("x-amz-target", "Nothing.Here")], "{}");
        self.send("GET with a target", Method::GET, "/", &list_keys, "");
        let form = [("content-type", "application/x-www-form-urlencoded")];
        self.send("unsigned", Method::POST, "/", &form, "Action=ListUsers&Version=2010-05-08");
        let (id, secret) = self.people["admin"].clone();
        self.people.insert("nobody".to_owned(), ("AKIANOBODY".to_owned(), secret));
        self.people.insert("forger".to_owned(), (id, "another".to_owned()));
        for who in ["nobody", "forger"] {
            self.kms(who, "ListKeys", json!({}));
            self.dynamodb(who, "ListTables", json!({}));
            self.query(who, Service::Sts, "GetCallerIdentity", &[]);
        }
        for service in [Service::Kms, Service::DynamoDb] {
            for body in ["{", "[]", "\"text\"", ""] {
                self.json("admin", service, if service == Service::Kms { "ListKeys" } else { "ListTables" }, body);
            }
            self.json("admin", service, "Nonsense", "{}");
        }
        self.kms("admin", "GenerateRandom", json!({}));
        self.dynamodb("admin", "TransactWriteItems", json!({}));
        for (service, operation) in [
            (Service::Iam, "CreateGroup"),
            (Service::Iam, "Nonsense"),
            (Service::Sts, "AssumeRoleWithSAML"),
            (Service::Sts, "X"),
        ] {
            self.query("admin", service, operation, &[]);
        }
        let signed = |recorder: &mut Self, body: &str| recorder.signed("admin", Service::Iam, body, &form, body);
        signed(self, "Version=2010-05-08");
        signed(self, "Action=ListUsers&Version=1999-01-01");
        signed(self, "Action=%ff");
        self.query("admin", Service::Sts, "GetCallerIdentity", &[]);
    }

    fn users(&mut self) {
        for parameters in [
            &[][..],
            &[("UserName", "")],
            &[("UserName", "a b")],
            &[("UserName", "x"), ("Path", "nowhere")],
            &[("UserName", "x"), ("Tags.member.1.Key", "a")],
            &[("UserName", "x"), ("PermissionsBoundary", DYNAMODB_FULL)],
            &[("UserName", &"x".repeat(65))],
        ] {
            self.iam("admin", "CreateUser", parameters);
        }
        self.person("alice");
        self.person("bob");
        self.person("carol");
        self.iam("admin", "CreateUser", &[("UserName", "Alice")]);
        let tags = [("Tags.member.1.Key", "team"), ("Tags.member.1.Value", "blue")];
        self.iam("admin", "CreateUser", &[&[("UserName", "dora"), ("Path", "/a/b/")][..], &tags].concat());
        self.iam("admin", "TagUser", &[&[("UserName", "alice")][..], &tags].concat());
        self.iam("admin", "TagUser", &[("UserName", "nobody")]);
        self.iam("admin", "ListUserTags", &[("UserName", "alice")]);
        self.iam("admin", "UntagUser", &[("UserName", "dora"), ("TagKeys.member.1", "team")]);
        self.iam("admin", "GetUser", &[]);
        self.iam("admin", "GetUser", &[("UserName", "dora")]);
        self.iam("carol", "GetUser", &[]);
        self.iam("admin", "ListUsers", &[("MaxItems", "2")]);
        for wrong in ["0", "1001", "many"] {
            self.iam("admin", "ListUsers", &[("MaxItems", wrong)]);
        }
        self.iam("admin", "ListUsers", &[("PathPrefix", "/a/")]);
        self.iam("admin", "ListUsers", &[("Marker", "*")]);
        self.iam("admin", "AttachUserPolicy", &[("UserName", "bob"), ("PolicyArn", DYNAMODB_FULL)]);
        self.iam("admin", "AttachUserPolicy", &[("UserName", "alice"), ("PolicyArn", DYNAMODB_FULL)]);
        for wrong in [
            "short",
            "this-is-not-an-arn-at-all",
            "arn:aws:iam::aws:policy/ReadOnlyAccess",
            "arn:aws:iam::aws:policy/Nothing",
        ] {
            self.iam("admin", "AttachUserPolicy", &[("UserName", "bob"), ("PolicyArn", wrong)]);
        }
        self.iam("admin", "ListAttachedUserPolicies", &[("UserName", "bob")]);
        let text = policy(json!({ "Effect": "Allow", "Action": "kms:List*", "Resource": "*" }));
        let put = |text: &str, recorder: &mut Self| {
            let parameters = [("UserName", "alice"), ("PolicyName", "list"), ("PolicyDocument", text)];
            recorder.iam("admin", "PutUserPolicy", &parameters);
        };
        put(&text, self);
        put("{}", self);
        put(&policy(json!({ "Effect": "Allow", "Action": "x".repeat(2100), "Resource": "*" })), self);
        put(&policy(json!({ "Effect": "Perhaps", "Action": "*", "Resource": "*" })), self);
        self.iam("admin", "GetUserPolicy", &[("UserName", "alice"), ("PolicyName", "list")]);
        self.iam("admin", "GetUserPolicy", &[("UserName", "alice"), ("PolicyName", "none")]);
        self.iam("admin", "ListUserPolicies", &[("UserName", "alice")]);
        self.iam("admin", "GetPolicy", &[("PolicyArn", DYNAMODB_FULL)]);
        self.iam("carol", "GetPolicy", &[("PolicyArn", DYNAMODB_FULL)]);
        self.iam("admin", "GetPolicyVersion", &[("PolicyArn", DYNAMODB_FULL), ("VersionId", "v9")]);
        self.iam("admin", "GetPolicyVersion", &[("PolicyArn", DYNAMODB_FULL), ("VersionId", "v15")]);
        self.iam("admin", "GetPolicyVersion", &[("PolicyArn", DYNAMODB_FULL)]);
        self.iam("admin", "ListAccessKeys", &[("UserName", "alice")]);
        self.iam("admin", "CreateAccessKey", &[("UserName", "alice")]);
        self.iam("admin", "CreateAccessKey", &[("UserName", "alice")]);
        self.iam("admin", "CreateAccessKey", &[("UserName", "nobody")]);
        let id = self.people["bob"].0.clone();
        self.iam("admin", "UpdateAccessKey", &[("UserName", "bob"), ("AccessKeyId", &id), ("Status", "Perhaps")]);
        self.iam("admin", "UpdateAccessKey", &[("UserName", "bob"), ("AccessKeyId", &id), ("Status", "Inactive")]);
        self.kms("bob", "ListKeys", json!({}));
        self.iam("admin", "UpdateAccessKey", &[("UserName", "bob"), ("AccessKeyId", &id), ("Status", "Active")]);
        self.iam(
            "admin",
            "UpdateAccessKey",
            &[("UserName", "bob"), ("AccessKeyId", "AKIAAAAAAAAAAAAAAAAA"), ("Status", "Active")],
        );
        self.iam("admin", "DeleteAccessKey", &[("UserName", "bob"), ("AccessKeyId", "short")]);
        self.iam("admin", "DeleteAccessKey", &[("UserName", "bob"), ("AccessKeyId", "AKIAAAAAAAAAAAAAAAAA")]);
        self.iam("admin", "DeleteUser", &[("UserName", "alice")]);
        self.iam("admin", "DeleteUser", &[("UserName", "nobody")]);
        self.iam("carol", "DeleteUser", &[("UserName", "nobody")]);
    }

    fn keys(&mut self) -> String {
        for wrong in [
            json!({ "KeySpec": "DES", "KeyUsage": "NONE", "Description": "x".repeat(8193) }),
            json!({ "KeySpec": "RSA_2048" }),
            json!({ "KeyUsage": "SIGN_VERIFY" }),
            json!({ "Origin": "EXTERNAL" }),
            json!({ "MultiRegion": true }),
            json!({ "MultiRegion": "yes" }),
            json!({ "KeySpec": "SYMMETRIC_DEFAULT", "CustomerMasterKeySpec": "SYMMETRIC_DEFAULT" }),
            json!({ "CustomKeyStoreId": "x" }),
            json!({ "Tags": [{ "TagKey": "" }, { "TagValue": "x".repeat(257) }] }),
            json!({ "Tags": [{ "TagKey": "a", "TagValue": "" }, { "TagKey": "a", "TagValue": "" }] }),
            json!({ "Tags": [7] }),
            json!({ "Policy": "{}" }),
            json!({ "Policy": policy(json!({ "Effect": "Allow", "Principal": { "AWS": ALICE }, "Action": "kms:*", "Resource": "*" })) }),
        ] {
            self.kms("admin", "CreateKey", wrong);
        }
        self.kms("carol", "CreateKey", json!({}));
        let made =
            self.kms("admin", "CreateKey", json!({ "Description": "d", "Tags": [{ "TagKey": "a", "TagValue": "b" }] }));
        let key = text_at(&made, "/KeyMetadata/KeyId");
        let arn = text_at(&made, "/KeyMetadata/Arn");
        for named in [&key, &arn, NO_KEY, "no-id", "", "alias/none", "arn:aws:kms:eu-west-1:111122223333:key/x"] {
            self.kms("admin", "DescribeKey", json!({ "KeyId": named }));
        }
        self.kms("admin", "DescribeKey", json!({ "KeyId": arn.replace("1111", "9999") }));
        self.kms("admin", "DescribeKey", json!({ "KeyId": 7 }));
        self.kms("admin", "DescribeKey", json!({ "KeyId": null, "GrantTokens": vec!["t"; 11] }));
        self.kms("admin", "DescribeKey", json!({ "KeyId": key, "GrantTokens": ["t"] }));
        self.kms("carol", "DescribeKey", json!({ "KeyId": key }));
        self.kms("carol", "DescribeKey", json!({ "KeyId": NO_KEY }));
        self.kms("admin", "ListKeys", json!({ "Limit": 1 }));
        self.kms("admin", "ListKeys", json!({ "Limit": 0, "Marker": "" }));
        self.kms("admin", "ListKeys", json!({ "Marker": "*" }));
        self.kms("carol", "ListKeys", json!({}));
        for wrong in [
            json!({}),
            json!({ "AliasName": "alias/ä", "TargetKeyId": key }),
            json!({ "AliasName": "main", "TargetKeyId": key }),
            json!({ "AliasName": "alias/", "TargetKeyId": key }),
            json!({ "AliasName": "alias/aws/main", "TargetKeyId": key }),
            json!({ "AliasName": "alias/a:b", "TargetKeyId": key }),
            json!({ "AliasName": "alias/main", "TargetKeyId": "alias/main" }),
            json!({ "AliasName": "alias/main", "TargetKeyId": NO_KEY }),
            json!({ "AliasName": "alias/main", "TargetKeyId": key }),
            json!({ "AliasName": "alias/main", "TargetKeyId": key }),
        ] {
            self.kms("admin", "CreateAlias", wrong);
        }
        self.kms("carol", "CreateAlias", json!({ "AliasName": "alias/x", "TargetKeyId": key }));
        self.kms("admin", "ListAliases", json!({ "KeyId": key }));
        self.kms("admin", "UpdateAlias", json!({ "AliasName": "alias/none", "TargetKeyId": key }));
        self.kms("admin", "UpdateAlias", json!({ "AliasName": "alias/main", "TargetKeyId": key }));
        self.kms("admin", "DescribeKey", json!({ "KeyId": "alias/main" }));
        self.kms("admin", "GetKeyPolicy", json!({ "KeyId": "alias/main" }));
        self.kms("admin", "GetKeyPolicy", json!({ "KeyId": key, "PolicyName": "other" }));
        self.kms("admin", "GetKeyPolicy", json!({ "KeyId": key }));
        self.kms("admin", "ListKeyPolicies", json!({ "KeyId": key }));
        self.kms("admin", "UpdateKeyDescription", json!({ "KeyId": key }));
        self.kms("admin", "UpdateKeyDescription", json!({ "KeyId": key, "Description": "new" }));
        self.kms("admin", "TagResource", json!({ "KeyId": key }));
        self.kms("admin", "TagResource", json!({ "KeyId": key, "Tags": [{ "TagKey": "aws:x", "TagValue": "" }] }));
        self.kms("admin", "TagResource", json!({ "KeyId": key, "Tags": [{ "TagKey": "c", "TagValue": "d" }] }));
        self.kms("admin", "UntagResource", json!({ "KeyId": key, "TagKeys": ["a"] }));
        self.kms("admin", "ListResourceTags", json!({ "KeyId": key }));
        self.kms("admin", "EnableKeyRotation", json!({ "KeyId": key, "RotationPeriodInDays": 1 }));
        self.kms("admin", "EnableKeyRotation", json!({ "KeyId": key }));
        self.kms("admin", "GetKeyRotationStatus", json!({ "KeyId": key }));
        self.kms("admin", "RotateKeyOnDemand", json!({ "KeyId": key }));
        self.kms("admin", "ListKeyRotations", json!({ "KeyId": key, "IncludeKeyMaterial": "ALL_KEY_MATERIAL" }));
        self.kms("admin", "DisableKeyRotation", json!({ "KeyId": key }));
        key
    }

    fn cryptography(&mut self, key: &str) {
        let context = json!({ "purpose": "golden" });
        for wrong in [
            json!({}),
            json!({ "KeyId": key, "Plaintext": "" }),
            json!({ "KeyId": key, "Plaintext": "*" }),
            json!({ "KeyId": key, "Plaintext": "AAAA", "EncryptionContext": { "a": 1 } }),
            json!({ "KeyId": key, "Plaintext": "AAAA", "EncryptionAlgorithm": "RSAES_OAEP_SHA_1" }),
            json!({ "KeyId": key, "Plaintext": "AAAA", "DryRun": true }),
        ] {
            self.kms("admin", "Encrypt", wrong);
        }
        let made =
            self.kms("admin", "Encrypt", json!({ "KeyId": key, "Plaintext": "AAAA", "EncryptionContext": context }));
        let blob = text_at(&made, "/CiphertextBlob");
        self.kms("admin", "Decrypt", json!({ "CiphertextBlob": blob, "EncryptionContext": context }));
        self.kms("admin", "Decrypt", json!({ "CiphertextBlob": blob }));
        self.kms("admin", "Decrypt", json!({ "CiphertextBlob": "AAAA" }));
        self.kms("admin", "Decrypt", json!({ "CiphertextBlob": blob, "Recipient": {} }));
        let other = text_at(&self.kms("admin", "CreateKey", json!({})), "/KeyMetadata/KeyId");
        self.kms("admin", "Decrypt", json!({ "CiphertextBlob": blob, "KeyId": other, "EncryptionContext": context }));
        self.kms("carol", "Decrypt", json!({ "CiphertextBlob": blob, "EncryptionContext": context }));
        self.kms("carol", "Encrypt", json!({ "KeyId": "alias/main", "Plaintext": "AAAA" }));
        for input in [
            json!({ "KeyId": key }),
            json!({ "KeyId": key, "KeySpec": "AES_256", "NumberOfBytes": 3 }),
            json!({ "KeyId": key, "KeySpec": "AES_128", "EncryptionContext": context }),
            json!({ "KeyId": key, "NumberOfBytes": 0 }),
            json!({ "KeyId": key, "NumberOfBytes": 3 }),
        ] {
            self.kms("admin", "GenerateDataKey", input);
        }
        self.kms("admin", "GenerateDataKeyWithoutPlaintext", json!({ "KeyId": key, "KeySpec": "AES_256" }));
        let again = json!({ "CiphertextBlob": blob, "DestinationKeyId": other });
        self.kms("admin", "ReEncrypt", again.clone());
        let mut right = again;
        right["SourceEncryptionContext"] = context;
        self.kms("admin", "ReEncrypt", right.clone());
        self.kms("carol", "ReEncrypt", right.clone());
        right["DestinationKeyId"] = json!(key);
        self.kms("admin", "ReEncrypt", right);
        self.kms("admin", "DisableKey", json!({ "KeyId": other }));
        self.kms("admin", "Encrypt", json!({ "KeyId": other, "Plaintext": "AAAA" }));
        self.kms("admin", "EnableKey", json!({ "KeyId": other }));
        self.kms("admin", "ScheduleKeyDeletion", json!({ "KeyId": other, "PendingWindowInDays": 1 }));
        self.kms("admin", "ScheduleKeyDeletion", json!({ "KeyId": other, "PendingWindowInDays": 7 }));
        self.kms("admin", "Encrypt", json!({ "KeyId": other, "Plaintext": "AAAA" }));
        self.kms("admin", "EnableKey", json!({ "KeyId": other }));
        self.kms("admin", "CancelKeyDeletion", json!({ "KeyId": other }));
        self.kms("admin", "CancelKeyDeletion", json!({ "KeyId": other }));
        self.kms("admin", "ScheduleKeyDeletion", json!({ "KeyId": other, "PendingWindowInDays": 7 }));
    }

    fn grants(&mut self, key: &str) {
        for wrong in [
            json!({ "KeyId": key }),
            json!({ "KeyId": key, "GranteePrincipal": ALICE, "Operations": ["Fly"] }),
            json!({ "KeyId": key, "GranteePrincipal": ALICE, "Operations": ["Sign"] }),
            json!({ "KeyId": key, "GranteePrincipal": "arn:aws:iam::111122223333:user/none", "Operations": ["Decrypt"] }),
            json!({ "KeyId": key, "GranteePrincipal": ALICE, "Operations": ["Decrypt"], "Constraints": {
                "EncryptionContextEquals": {}, "EncryptionContextSubset": {} } }),
            json!({ "KeyId": key, "GranteePrincipal": ALICE, "Operations": ["Decrypt"], "DryRun": true }),
        ] {
            self.kms("admin", "CreateGrant", wrong);
        }
        let input = json!({ "KeyId": key, "GranteePrincipal": ALICE, "RetiringPrincipal": ALICE, "Name": "n",
            "Operations": ["Encrypt", "Decrypt", "CreateGrant", "DescribeKey"],
            "Constraints": { "EncryptionContextSubset": { "a": "b" } } });
        let made = self.kms("admin", "CreateGrant", input.clone());
        self.kms("admin", "CreateGrant", input);
        let (id, token) = (text_at(&made, "/GrantId"), text_at(&made, "/GrantToken"));
        self.kms("alice", "Encrypt", json!({ "KeyId": key, "Plaintext": "AAAA", "GrantTokens": [token] }));
        self.kms("alice", "Encrypt", json!({ "KeyId": key, "Plaintext": "AAAA", "EncryptionContext": { "a": "b" } }));
        self.kms(
            "alice",
            "CreateGrant",
            json!({ "KeyId": key, "GranteePrincipal": ALICE, "Operations": ["ReEncryptTo"],
            "Constraints": { "EncryptionContextSubset": { "a": "b" } } }),
        );
        self.kms("carol", "CreateGrant", json!({ "KeyId": key, "GranteePrincipal": ALICE, "Operations": ["Decrypt"] }));
        self.kms("admin", "ListGrants", json!({ "KeyId": key, "GrantId": id }));
        self.kms("admin", "ListRetirableGrants", json!({ "RetiringPrincipal": ALICE }));
        self.kms("admin", "ListRetirableGrants", json!({}));
        self.kms("admin", "RevokeGrant", json!({ "KeyId": key, "GrantId": "none" }));
        self.kms("alice", "RevokeGrant", json!({ "KeyId": key, "GrantId": id }));
        self.kms("admin", "RevokeGrant", json!({ "KeyId": key, "GrantId": id, "DryRun": true }));
        self.kms("admin", "RetireGrant", json!({}));
        self.kms("admin", "RetireGrant", json!({ "GrantToken": "none" }));
        self.kms("carol", "RetireGrant", json!({ "KeyId": key, "GrantId": id }));
        self.kms("alice", "RetireGrant", json!({ "GrantToken": token }));
        let input = json!({ "KeyId": key, "GranteePrincipal": ALICE, "Operations": ["Decrypt"] });
        let id = text_at(&self.kms("admin", "CreateGrant", input), "/GrantId");
        self.kms("admin", "RevokeGrant", json!({ "KeyId": key, "GrantId": id }));
    }

    fn denials(&mut self, table: &str, key: &str) {
        for who in ["alice", "bob", "carol"] {
            self.connection += 1;
            let item = json!({ "id": { "S": "a" }, "at": { "N": "2" } });
            self.dynamodb(who, "Scan", json!({ "TableName": table }));
            self.dynamodb(who, "GetItem", json!({ "TableName": table, "Key": item }));
            self.dynamodb(
                who,
                "BatchWriteItem",
                json!({ "RequestItems": { table: [{ "PutRequest": { "Item": item } }] } }),
            );
            self.dynamodb(who, "Scan", json!({ "TableName": "managed" }));
            self.dynamodb(who, "UpdateTable", json!({ "TableName": table, "SSESpecification": { "Enabled": false } }));
        }
        let statements = json!([
            { "Sid": "root", "Effect": "Allow", "Principal": { "AWS": "arn:aws:iam::111122223333:root" }, "Action": "kms:*", "Resource": "*" },
            { "Sid": "alice", "Effect": "Allow", "Principal": { "AWS": ALICE }, "Action": "kms:Decrypt", "Resource": "*",
              "Condition": { "StringEquals": { "kms:ViaService": "dynamodb.us-east-1.amazonaws.com" } } },
            { "Sid": "bob", "Effect": "Deny", "Principal": { "AWS": "arn:aws:iam::111122223333:user/bob" }, "Action": "kms:*", "Resource": "*" },
        ]);
        let document = json!({ "Version": "2012-10-17", "Statement": statements }).to_string();
        self.kms("carol", "PutKeyPolicy", json!({ "KeyId": key, "Policy": document }));
        self.kms("admin", "PutKeyPolicy", json!({ "KeyId": key }));
        self.kms("admin", "PutKeyPolicy", json!({ "KeyId": key, "Policy": "no" }));
        self.kms("admin", "PutKeyPolicy", json!({ "KeyId": key, "Policy": policy(json!({ "Effect": "Allow", "Principal": { "AWS": "arn:aws:iam::111122223333:user/none" }, "Action": "kms:*", "Resource": "*" })) }));
        self.kms("admin", "PutKeyPolicy", json!({ "KeyId": key, "PolicyName": "default", "Policy": document }));
        for who in ["alice", "bob"] {
            self.dynamodb(who, "Scan", json!({ "TableName": table }));
            self.kms(who, "DescribeKey", json!({ "KeyId": key }));
        }
        self.dynamodb("bob", "Scan", json!({ "TableName": "arn:aws:dynamodb:us-east-1:999999999999:table/golden" }));
        self.kms("admin", "DisableKey", json!({ "KeyId": key }));
        self.connection += 1;
        self.dynamodb("alice", "Scan", json!({ "TableName": table }));
        self.dynamodb("admin", "DescribeTable", json!({ "TableName": table }));
        self.kms("admin", "EnableKey", json!({ "KeyId": key }));
    }

    fn simulations(&mut self) {
        for parameters in [
            &[][..],
            &[("PolicySourceArn", ALICE)],
            &[("PolicySourceArn", ALICE), ("ActionNames.member.1", "Scan")],
            &[
                ("PolicySourceArn", ALICE),
                ("ActionNames.member.1", "dynamodb:Scan"),
                ("ActionNames.member.2", "kms:Decrypt"),
                ("ResourceArns.member.1", "a"),
                ("ResourceArns.member.2", "b"),
            ],
            &[
                ("PolicySourceArn", ALICE),
                ("ActionNames.member.1", "kms:ListKeys"),
                ("ContextEntries.member.1.ContextKeyName", "a"),
                ("ContextEntries.member.1.ContextKeyType", "text"),
            ],
            &[
                ("PolicySourceArn", ALICE),
                ("ActionNames.member.1", "kms:ListKeys"),
                ("ContextEntries.member.1.ContextKeyName", "a"),
                ("ContextEntries.member.1.ContextKeyType", "string"),
                ("ContextEntries.member.1.ContextKeyValues.member.1", "b"),
            ],
            &[("PolicySourceArn", ALICE), ("ActionNames.member.1", "kms:ListKeys"), ("ResourcePolicy", "{}")],
            &[("PolicySourceArn", "arn:aws:iam::111122223333:user/none"), ("ActionNames.member.1", "kms:ListKeys")],
        ] {
            self.iam("admin", "SimulatePrincipalPolicy", parameters);
        }
        self.iam(
            "carol",
            "SimulatePrincipalPolicy",
            &[("PolicySourceArn", ALICE), ("ActionNames.member.1", "kms:ListKeys")],
        );
    }

    /// Policies that deny if any condition key has a value it never has: the traces show what each key has.
    fn conditions(&mut self) {
        let never = |keys: &[&str]| {
            let entries = keys.iter().map(|key| ((*key).to_owned(), json!("never"))).collect();
            json!({ "StringEquals": Value::Object(entries) })
        };
        let global = never(&[
            "aws:CalledVia",
            "aws:CalledViaFirst",
            "aws:CalledViaLast",
            "aws:EpochTime",
            "aws:CurrentTime",
            "aws:PrincipalAccount",
            "aws:PrincipalArn",
            "aws:PrincipalIsAWSService",
            "aws:PrincipalServiceName",
            "aws:PrincipalTag/team",
            "aws:PrincipalType",
            "aws:RequestedRegion",
            "aws:ResourceAccount",
            "aws:SecureTransport",
            "aws:SourceIp",
            "aws:UserAgent",
            "aws:ViaAWSService",
            "aws:userid",
            "aws:username",
            "dynamodb:LeadingKeys",
            "dynamodb:Select",
            "dynamodb:ReturnValues",
            "dynamodb:ReturnConsumedCapacity",
            "iam:PolicyARN",
            "iam:ResourceTag/team",
            "aws:ResourceTag/team",
            "aws:RequestTag/a",
            "aws:TagKeys",
        ]);
        let text = json!({ "Version": "2012-10-17", "Statement": [
            { "Effect": "Allow", "Action": "*", "Resource": "*" },
            { "Effect": "Deny", "Action": "*", "Resource": "*", "Condition": global },
        ] })
        .to_string();
        self.person("eve");
        self.iam(
            "admin",
            "TagUser",
            &[("UserName", "eve"), ("Tags.member.1.Key", "team"), ("Tags.member.1.Value", "red")],
        );
        self.iam("admin", "PutUserPolicy", &[("UserName", "eve"), ("PolicyName", "probe"), ("PolicyDocument", &text)]);
        let keys = never(&[
            "aws:CalledVia",
            "aws:EpochTime",
            "aws:PrincipalArn",
            "aws:PrincipalIsAWSService",
            "aws:PrincipalServiceName",
            "aws:PrincipalServiceNamesList",
            "aws:MultiFactorAuthPresent",
            "aws:RequestTag/x",
            "aws:ResourceAccount",
            "aws:ResourceTag/c",
            "aws:SourceIp",
            "aws:TagKeys",
            "aws:UserAgent",
            "aws:ViaAWSService",
            "kms:BypassPolicyLockoutSafetyCheck",
            "kms:CallerAccount",
            "kms:CustomerMasterKeySpec",
            "kms:CustomerMasterKeyUsage",
            "kms:EncryptionAlgorithm",
            "kms:EncryptionContext:aws:dynamodb:tableName",
            "kms:EncryptionContext:a",
            "kms:EncryptionContextKeys",
            "kms:GrantConstraintType",
            "kms:GranteePrincipal",
            "kms:GrantIsForAWSResource",
            "kms:GrantOperations",
            "kms:KeyOrigin",
            "kms:KeySpec",
            "kms:KeyUsage",
            "kms:MultiRegion",
            "kms:ReEncryptOnSameKey",
            "kms:RequestAlias",
            "kms:ResourceAliases",
            "kms:RetiringPrincipal",
            "kms:RotationPeriodInDays",
            "kms:ScheduleKeyDeletionPendingWindowInDays",
            "kms:ViaService",
        ]);
        let text = json!({ "Version": "2012-10-17", "Statement": [
            { "Effect": "Allow", "Principal": { "AWS": "arn:aws:iam::111122223333:root" }, "Action": "kms:*", "Resource": "*" },
            { "Effect": "Deny", "Principal": "*", "Action": "kms:*", "Resource": "*", "Condition": keys },
        ] }).to_string();
        let input = json!({ "Policy": text, "Tags": [{ "TagKey": "c", "TagValue": "d" }], "BypassPolicyLockoutSafetyCheck": true });
        let key = text_at(&self.kms("eve", "CreateKey", input), "/KeyMetadata/KeyId");
        self.kms("eve", "CreateAlias", json!({ "AliasName": "alias/probe", "TargetKeyId": key }));
        let made = self.kms(
            "eve",
            "Encrypt",
            json!({ "KeyId": "alias/probe", "Plaintext": "AAAA", "EncryptionContext": { "a": "b", "c": "d" } }),
        );
        let blob = text_at(&made, "/CiphertextBlob");
        self.kms("eve", "Decrypt", json!({ "CiphertextBlob": blob, "EncryptionContext": { "a": "b", "c": "d" } }));
        self.kms("eve", "ReEncrypt", json!({ "CiphertextBlob": blob, "SourceEncryptionContext": { "a": "b", "c": "d" }, "DestinationKeyId": key }));
        self.kms("eve", "CreateGrant", json!({ "KeyId": key, "GranteePrincipal": ALICE, "RetiringPrincipal": ALICE, "Operations": ["Decrypt"], "Constraints": { "EncryptionContextEquals": { "a": "b" } } }));
        self.kms("eve", "EnableKeyRotation", json!({ "KeyId": key, "RotationPeriodInDays": 90 }));
        self.kms("eve", "TagResource", json!({ "KeyId": key, "Tags": [{ "TagKey": "x", "TagValue": "y" }] }));
        self.kms("eve", "UntagResource", json!({ "KeyId": key, "TagKeys": ["x"] }));
        self.kms(
            "eve",
            "PutKeyPolicy",
            json!({ "KeyId": key, "Policy": text, "BypassPolicyLockoutSafetyCheck": false }),
        );
        self.kms("eve", "UpdateAlias", json!({ "AliasName": "alias/probe", "TargetKeyId": key }));
        self.dynamodb("eve", "CreateTable", json!({ "TableName": "probe", "BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": [{ "AttributeName": "id", "AttributeType": "S" }], "KeySchema": [{ "AttributeName": "id", "KeyType": "HASH" }],
            "SSESpecification": { "Enabled": true, "SSEType": "KMS", "KMSMasterKeyId": "alias/probe" }, "Tags": [{ "Key": "a", "Value": "b" }] }));
        self.dynamodb("eve", "PutItem", json!({ "TableName": "probe", "Item": { "id": { "S": "x" } }, "ReturnValues": "ALL_OLD", "ReturnConsumedCapacity": "TOTAL" }));
        self.connection += 1;
        self.dynamodb("eve", "Query", json!({ "TableName": "probe", "KeyConditionExpression": "id = :i", "ExpressionAttributeValues": { ":i": { "S": "x" } }, "Select": "COUNT" }));
        self.dynamodb(
            "eve",
            "BatchGetItem",
            json!({ "RequestItems": { "probe": { "Keys": [{ "id": { "S": "x" } }, { "id": { "S": "y" } }] } } }),
        );
        self.dynamodb(
            "eve",
            "BatchWriteItem",
            json!({ "RequestItems": { "probe": [{ "DeleteRequest": { "Key": { "id": { "S": "x" } } } }] } }),
        );
        self.dynamodb("eve", "DeleteTable", json!({ "TableName": "probe" }));
        self.iam("eve", "GetUser", &[]);
        self.iam("eve", "AttachUserPolicy", &[("UserName", "eve"), ("PolicyArn", DYNAMODB_FULL)]);
        self.iam("eve", "TagUser", &[("UserName", "dora"), ("Tags.member.1.Key", "a"), ("Tags.member.1.Value", "b")]);
        self.kms("eve", "ScheduleKeyDeletion", json!({ "KeyId": key }));
    }

    fn endings(&mut self, table: &str, key: &str) {
        self.page(Method::POST, "/_kmslab/advance?seconds=x");
        self.page(Method::POST, "/_kmslab/advance?seconds=700000");
        self.kms("admin", "ListKeys", json!({}));
        self.kms("alice", "DeleteAlias", json!({ "AliasName": "alias/main" }));
        self.kms("admin", "DeleteAlias", json!({ "AliasName": "alias/none" }));
        self.kms("admin", "DeleteAlias", json!({ "AliasName": "alias/main" }));
        self.kms("admin", "ScheduleKeyDeletion", json!({ "KeyId": key, "PendingWindowInDays": 7 }));
        self.dynamodb("admin", "Scan", json!({ "TableName": table }));
        self.page(Method::POST, "/_kmslab/advance?seconds=300");
        self.dynamodb("admin", "Scan", json!({ "TableName": table }));
        self.page(Method::POST, "/_kmslab/advance?seconds=700000");
        self.dynamodb("admin", "Scan", json!({ "TableName": table }));
        self.dynamodb("admin", "DescribeTable", json!({ "TableName": table }));
        self.dynamodb("carol", "DeleteTable", json!({ "TableName": table }));
        self.dynamodb("admin", "DeleteTable", json!({ "TableName": table }));
        self.dynamodb("admin", "DeleteTable", json!({ "TableName": "none" }));
        self.dynamodb("admin", "DeleteTable", json!({ "TableName": "managed" }));
        self.iam("admin", "DetachUserPolicy", &[("UserName", "alice"), ("PolicyArn", DYNAMODB_FULL)]);
        self.iam("admin", "DetachUserPolicy", &[("UserName", "alice"), ("PolicyArn", DYNAMODB_FULL)]);
        self.iam("admin", "DeleteUserPolicy", &[("UserName", "alice"), ("PolicyName", "list")]);
        self.iam("admin", "DeleteUserPolicy", &[("UserName", "alice"), ("PolicyName", "list")]);
        let keys = self.iam("admin", "ListAccessKeys", &[("UserName", "alice")]);
        let ids: Vec<String> =
            keys.split("<AccessKeyId>").skip(1).map(|rest| rest.split('<').next().unwrap().to_owned()).collect();
        let made = self.kms("admin", "CreateKey", json!({ "Policy": policy(json!({ "Effect": "Allow", "Principal": { "AWS": ["arn:aws:iam::111122223333:root", ALICE] }, "Action": "kms:*", "Resource": "*" })) }));
        for id in ids {
            self.iam("admin", "DeleteAccessKey", &[("UserName", "alice"), ("AccessKeyId", &id)]);
        }
        self.iam("admin", "DeleteUser", &[("UserName", "alice")]);
        self.kms("admin", "GetKeyPolicy", json!({ "KeyId": text_at(&made, "/KeyMetadata/KeyId") }));
    }
}
