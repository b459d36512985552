//! What kinds of keys there are: their specs and usages, and the algorithms of each (KMS guide, "Key spec reference").

use serde::{Deserialize, Serialize};

use super::error::KmsError;

/// The spec of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum KeySpec {
    /// AES-256-GCM, the kind DynamoDB uses.
    #[default]
    #[serde(rename = "SYMMETRIC_DEFAULT")]
    Symmetric,
    /// HMAC with SHA-224.
    #[serde(rename = "HMAC_224")]
    Hmac224,
    /// HMAC with SHA-256.
    #[serde(rename = "HMAC_256")]
    Hmac256,
    /// HMAC with SHA-384.
    #[serde(rename = "HMAC_384")]
    Hmac384,
    /// HMAC with SHA-512.
    #[serde(rename = "HMAC_512")]
    Hmac512,
    /// RSA, 2048 bits.
    #[serde(rename = "RSA_2048")]
    Rsa2048,
    /// RSA, 3072 bits.
    #[serde(rename = "RSA_3072")]
    Rsa3072,
    /// RSA, 4096 bits.
    #[serde(rename = "RSA_4096")]
    Rsa4096,
    /// NIST's P-256.
    #[serde(rename = "ECC_NIST_P256")]
    P256,
    /// NIST's P-384.
    #[serde(rename = "ECC_NIST_P384")]
    P384,
    /// NIST's P-521.
    #[serde(rename = "ECC_NIST_P521")]
    P521,
}

/// What a key is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum KeyUsage {
    /// Encryption and decryption.
    #[default]
    #[serde(rename = "ENCRYPT_DECRYPT")]
    Encrypt,
    /// Signatures.
    #[serde(rename = "SIGN_VERIFY")]
    Sign,
    /// Message authentication codes.
    #[serde(rename = "GENERATE_VERIFY_MAC")]
    Mac,
}

impl KeySpec {
    /// All that the sandbox has.
    pub const ALL: [Self; 11] = [
        Self::Symmetric,
        Self::Hmac224,
        Self::Hmac256,
        Self::Hmac384,
        Self::Hmac512,
        Self::Rsa2048,
        Self::Rsa3072,
        Self::Rsa4096,
        Self::P256,
        Self::P384,
        Self::P521,
    ];

    /// The spec of this name; `None` when the sandbox has none.
    pub fn find(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|spec| spec.name() == name)
    }

    /// `SYMMETRIC_DEFAULT`
    pub fn name(self) -> &'static str {
        match self {
            Self::Symmetric => "SYMMETRIC_DEFAULT",
            Self::Hmac224 => "HMAC_224",
            Self::Hmac256 => "HMAC_256",
            Self::Hmac384 => "HMAC_384",
            Self::Hmac512 => "HMAC_512",
            Self::Rsa2048 => "RSA_2048",
            Self::Rsa3072 => "RSA_3072",
            Self::Rsa4096 => "RSA_4096",
            Self::P256 => "ECC_NIST_P256",
            Self::P384 => "ECC_NIST_P384",
            Self::P521 => "ECC_NIST_P521",
        }
    }

    /// Whether it is RSA.
    pub fn is_rsa(self) -> bool {
        matches!(self, Self::Rsa2048 | Self::Rsa3072 | Self::Rsa4096)
    }

    /// Whether it has a public key.
    pub fn is_asymmetric(self) -> bool {
        self.is_rsa() || matches!(self, Self::P256 | Self::P384 | Self::P521)
    }

    /// The number of bytes of a secret that is any random bytes; `None` for a private key.
    pub fn secret_length(self) -> Option<usize> {
        match self {
            Self::Hmac224 => Some(28),
            Self::Symmetric | Self::Hmac256 => Some(32),
            Self::Hmac384 => Some(48),
            Self::Hmac512 => Some(64),
            _ => None,
        }
    }

    /// Whether a key of this spec can be for this.
    pub fn allows(self, usage: KeyUsage) -> bool {
        !self.algorithms(usage).is_empty()
    }

    /// The algorithms of a key of this spec, in AWS's order.
    pub fn algorithms(self, usage: KeyUsage) -> &'static [&'static str] {
        match (self, usage) {
            (Self::Symmetric, KeyUsage::Encrypt) => &["SYMMETRIC_DEFAULT"],
            (Self::Rsa2048 | Self::Rsa3072 | Self::Rsa4096, KeyUsage::Encrypt) => {
                &["RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256"]
            }
            (Self::Rsa2048 | Self::Rsa3072 | Self::Rsa4096, KeyUsage::Sign) => &[
                "RSASSA_PKCS1_V1_5_SHA_256",
                "RSASSA_PKCS1_V1_5_SHA_384",
                "RSASSA_PKCS1_V1_5_SHA_512",
                "RSASSA_PSS_SHA_256",
                "RSASSA_PSS_SHA_384",
                "RSASSA_PSS_SHA_512",
            ],
            (Self::P256, KeyUsage::Sign) => &["ECDSA_SHA_256"],
            (Self::P384, KeyUsage::Sign) => &["ECDSA_SHA_384"],
            (Self::P521, KeyUsage::Sign) => &["ECDSA_SHA_512"],
            (Self::Hmac224, KeyUsage::Mac) => &["HMAC_SHA_224"],
            (Self::Hmac256, KeyUsage::Mac) => &["HMAC_SHA_256"],
            (Self::Hmac384, KeyUsage::Mac) => &["HMAC_SHA_384"],
            (Self::Hmac512, KeyUsage::Mac) => &["HMAC_SHA_512"],
            _ => &[],
        }
    }

    /// Whether a key of this spec and usage has this algorithm.
    ///
    /// # Errors
    /// `InvalidKeyUsageException`, in the words that LocalStack's tests recorded on AWS.
    pub fn check_algorithm(self, usage: KeyUsage, algorithm: &str) -> Result<(), KmsError> {
        if self.algorithms(usage).contains(&algorithm) {
            return Ok(());
        }
        let message = format!("Algorithm {algorithm} is incompatible with key spec {}.", self.name());
        Err(KmsError::InvalidKeyUsage(message))
    }
}

impl KeyUsage {
    /// All that the sandbox has.
    const ALL: [Self; 3] = [Self::Encrypt, Self::Sign, Self::Mac];

    /// The usage of this name; `None` when the sandbox has none.
    pub fn find(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|usage| usage.name() == name)
    }

    /// `ENCRYPT_DECRYPT`
    pub fn name(self) -> &'static str {
        match self {
            Self::Encrypt => "ENCRYPT_DECRYPT",
            Self::Sign => "SIGN_VERIFY",
            Self::Mac => "GENERATE_VERIFY_MAC",
        }
    }

    /// The member of responses that lists a key's algorithms.
    pub fn algorithms_member(self) -> &'static str {
        match self {
            Self::Encrypt => "EncryptionAlgorithms",
            Self::Sign => "SigningAlgorithms",
            Self::Mac => "MacAlgorithms",
        }
    }
}
