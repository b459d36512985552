#!/usr/bin/env bash
# The lesson by hand, with the AWS CLI. The environment names endpoint, region and the admin's credentials.
set -euo pipefail
fail() { printf 'FAILED: %s\n' "$*" >&2; exit 1; }
query() { aws "$@" --output text; }

account=$(query sts get-caller-identity --query Account)
key=$(query kms create-key --description "by hand" --query KeyMetadata.Arn)
aws kms create-alias --alias-name alias/by-hand --target-key-id "$key"
aws dynamodb create-table --table-name by-hand \
    --attribute-definitions AttributeName=id,AttributeType=S --key-schema AttributeName=id,KeyType=HASH \
    --billing-mode PAY_PER_REQUEST --sse-specification Enabled=true,SSEType=KMS,KMSMasterKeyId=alias/by-hand >/dev/null
[[ $(query dynamodb describe-table --table-name by-hand --query Table.SSEDescription.KMSMasterKeyArn) == "$key" ]] || fail "the table does not name the key"
aws dynamodb put-item --table-name by-hand --item '{"id": {"S": "1"}, "patient": {"S": "Ada Kowalska"}}'
[[ $(query dynamodb scan --table-name by-hand --query 'Items[0].patient.S') == "Ada Kowalska" ]] || fail "admin can't read"

aws iam create-user --user-name by-hand >/dev/null
aws iam attach-user-policy --user-name by-hand --policy-arn arn:aws:iam::aws:policy/AmazonDynamoDBFullAccess
read -r id secret < <(query iam create-access-key --user-name by-hand --query 'AccessKey.[AccessKeyId,SecretAccessKey]')
as_user() { AWS_ACCESS_KEY_ID=$id AWS_SECRET_ACCESS_KEY=$secret "$@"; }
if denied=$(as_user aws dynamodb scan --table-name by-hand 2>&1); then fail "the user can read"; fi
for part in AccessDeniedException "user/by-hand is not authorized to perform: kms:Decrypt on resource: $key" \
    "because no identity-based policy allows the kms:Decrypt action"; do
    [[ $denied == *"$part"* ]] || fail "$denied does not say $part"
done

# Add the user to the key policy, as the console does.
policy=$(query kms get-key-policy --key-id "$key" --policy-name default --query Policy)
changed=$(python3 - "$policy" "arn:aws:iam::$account:user/by-hand" <<'PYTHON'
import json, sys
policy = json.loads(sys.argv[1])
policy["Statement"].append({"Sid": "Allow use of the key", "Effect": "Allow", "Principal": {"AWS": sys.argv[2]},
    "Action": ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"], "Resource": "*"})
print(json.dumps(policy))
PYTHON
)
aws kms put-key-policy --key-id "$key" --policy-name default --policy "$changed"
[[ $(as_user query dynamodb scan --table-name by-hand --query 'Items[0].patient.S') == "Ada Kowalska" ]] || fail "the user can't read"

aws dynamodb delete-table --table-name by-hand >/dev/null
aws iam delete-access-key --user-name by-hand --access-key-id "$id"
aws iam detach-user-policy --user-name by-hand --policy-arn arn:aws:iam::aws:policy/AmazonDynamoDBFullAccess
aws iam delete-user --user-name by-hand
# A user who is gone shows as its unique id in the key policy.
[[ $(query kms get-key-policy --key-id "$key" --policy-name default --query Policy) == *AIDA* ]] || fail "the key policy still names the ARN"
aws kms delete-alias --alias-name alias/by-hand
[[ $(query kms schedule-key-deletion --key-id "$key" --pending-window-in-days 7 --query KeyState) == PendingDeletion ]] || fail "the key is not pending deletion"
echo ok
