//! The services of the sandbox and their protocols.

/// A service's protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// awsJson 1.0: DynamoDB.
    Json10,
    /// awsJson 1.1: CloudTrail and KMS.
    Json11,
    /// awsQuery, with XML responses: IAM and STS.
    Query,
}

/// The services of the sandbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Service {
    /// CloudTrail.
    CloudTrail,
    /// DynamoDB.
    DynamoDb,
    /// Identity and Access Management.
    Iam,
    /// Key Management Service.
    Kms,
    /// Security Token Service.
    Sts,
}

impl Service {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Kms, Self::DynamoDb, Self::Iam, Self::Sts, Self::CloudTrail];

    /// The name in a signature's credential scope.
    pub fn signing_name(self) -> &'static str {
        match self {
            Self::CloudTrail => "cloudtrail",
            Self::Kms => "kms",
            Self::DynamoDb => "dynamodb",
            Self::Iam => "iam",
            Self::Sts => "sts",
        }
    }

    /// Its protocol.
    pub fn protocol(self) -> Protocol {
        match self {
            Self::CloudTrail | Self::Kms => Protocol::Json11,
            Self::DynamoDb => Protocol::Json10,
            Self::Iam | Self::Sts => Protocol::Query,
        }
    }

    /// The version of its interface, in the query protocol's `Version` and XML namespace.
    pub fn version(self) -> &'static str {
        match self {
            Self::CloudTrail => "2013-11-01",
            Self::Kms => "2014-11-01",
            Self::DynamoDb => "2012-08-10",
            Self::Iam => "2010-05-08",
            Self::Sts => "2011-06-15",
        }
    }

    /// The XML namespace of its responses.
    pub fn namespace(self) -> String {
        format!("https://{}.amazonaws.com/doc/{}/", self.signing_name(), self.version())
    }

    /// The part of `X-Amz-Target` before the operation.
    pub fn target_prefix(self) -> Option<&'static str> {
        match self {
            Self::CloudTrail => Some("com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101"),
            Self::Kms => Some("TrentService"),
            Self::DynamoDb => Some("DynamoDB_20120810"),
            Self::Iam | Self::Sts => None,
        }
    }
}
