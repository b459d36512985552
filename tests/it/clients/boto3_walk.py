"""The lab's core with boto3: an independent client that signs, retries and checks CRC-32 in its own way."""

import json
import os
import time
import urllib.request

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError


def client(service, key=None):
    more = {} if key is None else {
        "aws_access_key_id": key["AccessKeyId"],
        "aws_secret_access_key": key["SecretAccessKey"],
    }
    return boto3.client(service, config=Config(retries={"total_max_attempts": 1}), **more)


def own_page(path, method="GET"):
    request = urllib.request.Request(f"{os.environ['AWS_ENDPOINT_URL']}/_kmslab/{path}", method=method)
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


def refused(call, **parameters):
    try:
        call(**parameters)
    except ClientError as error:
        return error.response["Error"]["Code"], error.response["Error"]["Message"], error.response
    raise AssertionError(f"not refused: {parameters}")


sts, kms, iam, ddb = (client(name) for name in ("sts", "kms", "iam", "dynamodb"))

admin = sts.get_caller_identity()
assert admin["Arn"].endswith(":user/kmslab-admin"), admin
account = admin["Account"]

# KMS by itself
key = kms.create_key(Description="boto3")["KeyMetadata"]
assert key["KeyState"] == "Enabled" and key["KeySpec"] == "SYMMETRIC_DEFAULT" and key["KeyManager"] == "CUSTOMER", key
kms.create_alias(AliasName="alias/boto3", TargetKeyId=key["KeyId"])
context = {"purpose": "test"}
blob = kms.encrypt(KeyId="alias/boto3", Plaintext=b"secret", EncryptionContext=context)["CiphertextBlob"]
assert kms.decrypt(CiphertextBlob=blob, EncryptionContext=context)["Plaintext"] == b"secret"
assert refused(kms.decrypt, CiphertextBlob=blob)[0] == "InvalidCiphertextException"
data_key = kms.generate_data_key(KeyId=key["Arn"], KeySpec="AES_256", EncryptionContext=context)
assert kms.decrypt(CiphertextBlob=data_key["CiphertextBlob"], EncryptionContext=context)["Plaintext"] == data_key["Plaintext"]
assert "Plaintext" not in kms.generate_data_key_without_plaintext(KeyId=key["Arn"], KeySpec="AES_256")
other = kms.create_key()["KeyMetadata"]
moved = kms.re_encrypt(CiphertextBlob=blob, SourceEncryptionContext=context, DestinationKeyId=other["KeyId"])
assert moved["KeyId"] == other["Arn"] and moved["SourceKeyId"] == key["Arn"], moved
assert kms.decrypt(CiphertextBlob=moved["CiphertextBlob"])["Plaintext"] == b"secret"
kms.tag_resource(KeyId=key["KeyId"], Tags=[{"TagKey": "a", "TagValue": "b"}])
assert kms.list_resource_tags(KeyId=key["KeyId"])["Tags"] == [{"TagKey": "a", "TagValue": "b"}]
assert key["KeyId"] in [found["KeyId"] for page in kms.get_paginator("list_keys").paginate(PaginationConfig={"PageSize": 1}) for found in page["Keys"]]
assert kms.list_key_policies(KeyId=key["KeyId"])["PolicyNames"] == ["default"]

# Tables with every kind of encryption
choices = {
    "owned": None,
    "managed": {"Enabled": True, "SSEType": "KMS"},
    "by-id": {"Enabled": True, "SSEType": "KMS", "KMSMasterKeyId": key["KeyId"]},
    "by-arn": {"Enabled": True, "SSEType": "KMS", "KMSMasterKeyId": key["Arn"]},
    "by-alias": {"Enabled": True, "SSEType": "KMS", "KMSMasterKeyId": "alias/boto3"},
}
for name, encryption in choices.items():
    ddb.create_table(
        TableName=name,
        AttributeDefinitions=[{"AttributeName": "artist", "AttributeType": "S"}, {"AttributeName": "year", "AttributeType": "N"}],
        KeySchema=[{"AttributeName": "artist", "KeyType": "HASH"}, {"AttributeName": "year", "KeyType": "RANGE"}],
        BillingMode="PAY_PER_REQUEST",
        **({} if encryption is None else {"SSESpecification": encryption}),
    )
    ddb.get_waiter("table_exists").wait(TableName=name, WaiterConfig={"Delay": 1})
    described = ddb.describe_table(TableName=name)["Table"]
    assert described["TableStatus"] == "ACTIVE"
    if encryption is None:
        assert "SSEDescription" not in described, described
    else:
        assert described["SSEDescription"]["Status"] == "ENABLED", described
        if name.startswith("by-"):
            assert described["SSEDescription"]["KMSMasterKeyArn"] == key["Arn"], described
item = {
    "artist": {"S": "Nina"}, "year": {"N": "1964"}, "live": {"BOOL": True}, "none": {"NULL": True}, "raw": {"B": b"\x00\xff"},
    "tags": {"SS": ["b", "a"]}, "numbers": {"NS": ["1", "2.5"]}, "blobs": {"BS": [b"x"]},
    "nested": {"M": {"list": {"L": [{"S": "deep"}, {"N": "-0.01"}]}}},
}
for name in choices:
    ddb.put_item(TableName=name, Item=item)
    got = ddb.get_item(TableName=name, Key={"artist": item["artist"], "year": item["year"]})["Item"]
    assert {k: (sorted(v["SS"]) if "SS" in v else sorted(v["NS"]) if "NS" in v else v) for k, v in got.items()} == \
        {k: (sorted(v["SS"]) if "SS" in v else sorted(v["NS"]) if "NS" in v else v) for k, v in item.items()}, got
ddb.batch_write_item(RequestItems={"by-id": [
    {"PutRequest": {"Item": {"artist": {"S": "Miles"}, "year": {"N": str(year)}}}} for year in range(1950, 1970)]})
years = [
    found["year"]["N"]
    for page in ddb.get_paginator("query").paginate(
        TableName="by-id", KeyConditionExpression="artist = :a AND #y BETWEEN :from AND :to",
        ExpressionAttributeNames={"#y": "year"},
        ExpressionAttributeValues={":a": {"S": "Miles"}, ":from": {"N": "1955"}, ":to": {"N": "1961"}},
        PaginationConfig={"PageSize": 3})
    for found in page["Items"]]
assert years == [str(year) for year in range(1955, 1962)], years
scanned = [found for page in ddb.get_paginator("scan").paginate(TableName="by-id", PaginationConfig={"PageSize": 4}) for found in page["Items"]]
assert len(scanned) == 21, len(scanned)
ddb.delete_item(TableName="by-id", Key={"artist": {"S": "Miles"}, "year": {"N": "1950"}})
assert ddb.scan(TableName="by-id", Select="COUNT")["Count"] == 20

# The point of it all
iam.create_user(UserName="bob")
iam.attach_user_policy(UserName="bob", PolicyArn="arn:aws:iam::aws:policy/AmazonDynamoDBFullAccess")
bobs_key = iam.create_access_key(UserName="bob")["AccessKey"]
bob = client("dynamodb", bobs_key)
arn = f"arn:aws:iam::{account}:user/bob"
assert client("sts", bobs_key).get_caller_identity()["Arn"] == arn
code, message, response = refused(bob.scan, TableName="by-id")
assert code == "AccessDeniedException", code
assert response["ResponseMetadata"]["HTTPStatusCode"] == 400
assert message.startswith(
    "KMS key access denied error: com.amazonaws.services.kms.model.AWSKMSException: "
    f"User: {arn} is not authorized to perform: kms:Decrypt on resource: {key['Arn']} "
    "because no identity-based policy allows the kms:Decrypt action "
    "(Service: AWSKMS; Status Code: 400; Error Code: AccessDeniedException; Request ID: "), message
assert message.endswith("; Proxy: null)"), message
for call, parameters in (
    (bob.put_item, {"Item": item}),
    (bob.get_item, {"Key": {"artist": item["artist"], "year": item["year"]}}),
    (bob.delete_item, {"Key": {"artist": item["artist"], "year": item["year"]}}),
    (bob.query, {"KeyConditionExpression": "artist = :a", "ExpressionAttributeValues": {":a": {"S": "Nina"}}}),
):
    assert "kms:Decrypt" in refused(call, TableName="by-id", **parameters)[1]
assert bob.describe_table(TableName="by-id")["Table"]["TableStatus"] == "ACTIVE"
assert bob.scan(TableName="owned")["Count"] == 1, "an AWS owned key asks nobody"
assert bob.scan(TableName="managed")["Count"] == 1, "the AWS managed key lets everybody of the account in, through DynamoDB"
assert refused(client("iam", bobs_key).create_user, UserName="eve")[0] == "AccessDenied"
assert refused(client("kms", bobs_key).decrypt, CiphertextBlob=moved["CiphertextBlob"])[0] == "AccessDeniedException"

grant = kms.create_grant(KeyId=key["KeyId"], GranteePrincipal=arn, Operations=["Decrypt"])["GrantId"]
assert bob.scan(TableName="by-id")["Count"] == 20, "a grant lets bob in"
kms.revoke_grant(KeyId=key["KeyId"], GrantId=grant)
asked = len(own_page("trail")["events"])
assert bob.scan(TableName="by-id")["Count"] == 20, "DynamoDB still has the table key in memory"
assert len(own_page("trail")["events"]) == asked, "KMS was asked"
own_page("advance?seconds=300", method="POST")
assert "kms:Decrypt" in refused(bob.scan, TableName="by-id")[1], "five idle minutes later the revocation bites"
event = own_page("trail")["events"][-1]
assert event["eventName"] == "Decrypt" and event["verdict"] == "denied" and event["userIdentity"]["arn"] == arn, event
assert event["requestParameters"]["encryptionContext"] == {
    "aws:dynamodb:tableName": "by-id", "aws:dynamodb:subscriberId": account}, event
decision = own_page("decisions")["decisions"][-1]
assert (decision["principal"], decision["action"], decision["resource"]) == (arn, "kms:Decrypt", key["Arn"]), decision
kms.create_grant(KeyId=key["KeyId"], GranteePrincipal=arn, Operations=["Decrypt"])
assert bob.scan(TableName="by-id")["Count"] == 20, "a refusal is not remembered"

# Errors of the authentication layer
assert refused(client("kms", {**bobs_key, "SecretAccessKey": "wrong"}).list_keys)[0] == "InvalidSignatureException"
assert refused(client("kms", {**bobs_key, "AccessKeyId": "AKIANOBODYNOBODYNOBO"}).list_keys)[0] == "UnrecognizedClientException"
assert refused(client("iam", {**bobs_key, "SecretAccessKey": "wrong"}).list_users)[0] == "SignatureDoesNotMatch"
assert refused(client("iam", {**bobs_key, "AccessKeyId": "AKIANOBODYNOBODYNOBO"}).list_users)[0] == "InvalidClientTokenId"

# A disabled key
kms.disable_key(KeyId=key["KeyId"])
code, message, _ = refused(kms.encrypt, KeyId=key["KeyId"], Plaintext=b"x")
assert code == "DisabledException", code
assert ddb.describe_table(TableName="by-id")["Table"]["TableStatus"] == "INACCESSIBLE_ENCRYPTION_CREDENTIALS"
kms.enable_key(KeyId=key["KeyId"])
assert ddb.describe_table(TableName="by-id")["Table"]["TableStatus"] == "ACTIVE"

# And away with it
assert refused(iam.delete_user, UserName="bob")[0] == "DeleteConflict"
iam.delete_access_key(UserName="bob", AccessKeyId=bobs_key["AccessKeyId"])
iam.detach_user_policy(UserName="bob", PolicyArn="arn:aws:iam::aws:policy/AmazonDynamoDBFullAccess")
iam.delete_user(UserName="bob")
for name in choices:
    ddb.delete_table(TableName=name)
    ddb.get_waiter("table_not_exists").wait(TableName=name, WaiterConfig={"Delay": 1})
deletion = kms.schedule_key_deletion(KeyId=key["KeyId"], PendingWindowInDays=7)["DeletionDate"].timestamp()
assert 6.9 * 86400 < deletion - time.time() < 7.1 * 86400, deletion
assert refused(kms.encrypt, KeyId=key["KeyId"], Plaintext=b"x")[0] == "KMSInvalidStateException"
kms.cancel_key_deletion(KeyId=key["KeyId"])
assert kms.describe_key(KeyId=key["KeyId"])["KeyMetadata"]["KeyState"] == "Disabled"
print("ok")
