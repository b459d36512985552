//! The names of AWS's operations and managed policies. The sandbox implements some of them. For the rest its errors say
//! so, which tells a gap of the sandbox from a typing error.

use super::service::Service;

const CLOUDTRAIL: &str = include_str!("../../assets/aws/cloudtrail-operations.txt");
const KMS: &str = include_str!("../../assets/aws/kms-operations.txt");
const DYNAMODB: &str = include_str!("../../assets/aws/dynamodb-operations.txt");
const IAM: &str = include_str!("../../assets/aws/iam-operations.txt");
const STS: &str = include_str!("../../assets/aws/sts-operations.txt");
const MANAGED_POLICIES: &str = include_str!("../../assets/aws/managed-policies.txt");

/// Whether the service has an operation of this name on AWS.
pub fn has_operation(service: Service, name: &str) -> bool {
    let list = match service {
        Service::CloudTrail => CLOUDTRAIL,
        Service::Kms => KMS,
        Service::DynamoDb => DYNAMODB,
        Service::Iam => IAM,
        Service::Sts => STS,
    };
    names(list).any(|known| known == name)
}

/// Whether AWS has a managed policy with this ARN.
pub fn has_managed_policy(arn: &str) -> bool {
    arn.strip_prefix("arn:aws:iam::aws:policy/").is_some_and(|name| names(MANAGED_POLICIES).any(|known| known == name))
}

/// The names in a list: one a line, with comments that begin with `#`.
fn names(list: &str) -> impl Iterator<Item = &str> {
    list.lines().filter(|line| !line.starts_with('#'))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(Service::CloudTrail, "LookupEvents", true)]
    #[case(Service::Kms, "GenerateRandom", true)]
    #[case(Service::Kms, "generaterandom", false)]
    #[case(Service::Kms, "Scan", false)]
    #[case(Service::DynamoDb, "TransactWriteItems", true)]
    #[case(Service::Iam, "CreateGroup", true)]
    #[case(Service::Sts, "AssumeRole", true)]
    #[case(Service::Sts, "", false)]
    #[case(Service::Sts, "# Every operation of AWS STS, API version 2011-06-15.", false)]
    fn operations(#[case] service: Service, #[case] name: &str, #[case] known: bool) {
        assert_eq!(has_operation(service, name), known);
    }

    #[rstest]
    #[case("arn:aws:iam::aws:policy/ReadOnlyAccess", true)]
    #[case("arn:aws:iam::aws:policy/job-function/ViewOnlyAccess", true)]
    #[case("arn:aws:iam::aws:policy/ViewOnlyAccess", false)]
    #[case("arn:aws:iam::111122223333:policy/ReadOnlyAccess", false)]
    #[case("arn:aws:iam::aws:policy/", false)]
    fn policies(#[case] arn: &str, #[case] known: bool) {
        assert_eq!(has_managed_policy(arn), known);
    }
}
