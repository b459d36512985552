//! Key pairs, signatures and RSA encryption, by aws-lc-rs. Private keys are PKCS #8, public keys X.509, both in DER.
//!
//! A private key on an elliptic curve follows from the seed. An RSA key doesn't, and neither do signatures: aws-lc-rs
//! takes no random numbers from outside.

use aws_lc_rs::agreement::{self, ECDH_P256, ECDH_P384, ECDH_P521};
use aws_lc_rs::digest::{self, Digest};
use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::rsa::{
    KeySize, OAEP_SHA1_MGF1SHA1, OAEP_SHA256_MGF1SHA256, OaepAlgorithm, OaepPrivateDecryptingKey,
    OaepPublicEncryptingKey, PrivateDecryptingKey,
};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P384_SHA384_ASN1, ECDSA_P384_SHA384_ASN1_SIGNING,
    ECDSA_P521_SHA512_ASN1, ECDSA_P521_SHA512_ASN1_SIGNING, EcdsaKeyPair, EcdsaSigningAlgorithm, KeyPair as _,
    RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384, RSA_PKCS1_2048_8192_SHA512, RSA_PKCS1_SHA256,
    RSA_PKCS1_SHA384, RSA_PKCS1_SHA512, RSA_PSS_2048_8192_SHA256, RSA_PSS_2048_8192_SHA384, RSA_PSS_2048_8192_SHA512,
    RSA_PSS_SHA256, RSA_PSS_SHA384, RSA_PSS_SHA512, RsaEncoding, RsaKeyPair, UnparsedPublicKey, VerificationAlgorithm,
};
use zeroize::Zeroizing;

use super::error::KmsError;
use super::spec::KeySpec;
use crate::sandbox::crypto::Secret;
use crate::sandbox::entropy::Entropy;

/// How many random numbers may be no private key before this gives up. On the curves here hardly any is refused.
const TRIES: usize = 100;

fn broken(_: impl std::fmt::Debug) -> KmsError {
    KmsError::Internal("The sandbox could not use an asymmetric key.".to_owned())
}

/// A new private key.
///
/// # Errors
/// When aws-lc-rs can't make one.
pub fn generate(spec: KeySpec, entropy: &mut Entropy) -> Result<Secret, KmsError> {
    let size = match spec {
        KeySpec::Rsa2048 => KeySize::Rsa2048,
        KeySpec::Rsa3072 => KeySize::Rsa3072,
        KeySpec::Rsa4096 => KeySize::Rsa4096,
        _ => return generate_on_curve(spec, entropy),
    };
    let pair = RsaKeyPair::generate(size).map_err(broken)?;
    AsDer::<Pkcs8V1Der<'_>>::as_der(&pair).map_err(broken).map(secret)
}

fn secret(der: Pkcs8V1Der<'_>) -> Secret {
    Secret::new(Zeroizing::new(der.as_ref().to_vec()))
}

fn generate_on_curve(spec: KeySpec, entropy: &mut Entropy) -> Result<Secret, KmsError> {
    let (curve, length) = match spec {
        KeySpec::P256 => (&ECDH_P256, 32),
        KeySpec::P384 => (&ECDH_P384, 48),
        _ => (&ECDH_P521, 66),
    };
    for _ in 0..TRIES {
        let mut number = Zeroizing::new(vec![0; length]);
        entropy.fill(&mut number);
        if spec == KeySpec::P521 {
            number[0] &= 1; // 521 bits are 65 bytes and one bit
        }
        if let Ok(key) = agreement::PrivateKey::from_private_key(curve, &number) {
            return AsDer::<Pkcs8V1Der<'_>>::as_der(&key).map_err(broken).map(secret);
        }
    }
    Err(broken(spec))
}

/// The public key that belongs to a private key.
///
/// # Errors
/// When the private key can't be read.
pub fn public_key(spec: KeySpec, private: &Secret) -> Result<Vec<u8>, KmsError> {
    let der: PublicKeyX509Der<'_> = if spec.is_rsa() {
        RsaKeyPair::from_pkcs8(private.expose()).map_err(broken)?.public_key().as_der().map_err(broken)?
    } else {
        EcdsaKeyPair::from_pkcs8(curve(spec), private.expose())
            .map_err(broken)?
            .public_key()
            .as_der()
            .map_err(broken)?
    };
    Ok(der.as_ref().to_vec())
}

fn curve(spec: KeySpec) -> &'static EcdsaSigningAlgorithm {
    match spec {
        KeySpec::P256 => &ECDSA_P256_SHA256_ASN1_SIGNING,
        KeySpec::P384 => &ECDSA_P384_SHA384_ASN1_SIGNING,
        _ => &ECDSA_P521_SHA512_ASN1_SIGNING,
    }
}

/// The digest of a message, or the message itself if it is one already.
///
/// # Errors
/// `ValidationException` for a digest of the wrong length (recorded on AWS by LocalStack's tests).
pub fn digest(algorithm: &str, message: &[u8], is_digest: bool) -> Result<Digest, KmsError> {
    let hash = match &algorithm[algorithm.len() - 3..] {
        "384" => &digest::SHA384,
        "512" => &digest::SHA512,
        _ => &digest::SHA256,
    };
    if !is_digest {
        return Ok(digest::digest(hash, message));
    }
    let invalid = |_| KmsError::Invalid(format!("Digest is invalid length for algorithm {algorithm}."));
    Digest::import_less_safe(message, hash).map_err(invalid)
}

/// Signs a digest with an algorithm that the spec has.
///
/// # Errors
/// When the private key can't be read.
pub fn sign(spec: KeySpec, algorithm: &str, private: &Secret, digest: &Digest) -> Result<Vec<u8>, KmsError> {
    let encoding: &'static dyn RsaEncoding = match algorithm {
        "RSASSA_PKCS1_V1_5_SHA_256" => &RSA_PKCS1_SHA256,
        "RSASSA_PKCS1_V1_5_SHA_384" => &RSA_PKCS1_SHA384,
        "RSASSA_PKCS1_V1_5_SHA_512" => &RSA_PKCS1_SHA512,
        "RSASSA_PSS_SHA_256" => &RSA_PSS_SHA256,
        "RSASSA_PSS_SHA_384" => &RSA_PSS_SHA384,
        "RSASSA_PSS_SHA_512" => &RSA_PSS_SHA512,
        _ => {
            let pair = EcdsaKeyPair::from_pkcs8(curve(spec), private.expose()).map_err(broken)?;
            return Ok(pair.sign_digest(digest).map_err(broken)?.as_ref().to_vec());
        }
    };
    let pair = RsaKeyPair::from_pkcs8(private.expose()).map_err(broken)?;
    let mut signature = vec![0; pair.public_modulus_len()];
    pair.sign_digest(encoding, digest, &mut signature).map_err(broken)?;
    Ok(signature)
}

/// Whether a signature belongs to a digest.
///
/// # Errors
/// `KMSInvalidSignatureException`
pub fn verify(algorithm: &str, public: &[u8], digest: &Digest, signature: &[u8]) -> Result<(), KmsError> {
    let verification: &'static dyn VerificationAlgorithm = match algorithm {
        "RSASSA_PKCS1_V1_5_SHA_256" => &RSA_PKCS1_2048_8192_SHA256,
        "RSASSA_PKCS1_V1_5_SHA_384" => &RSA_PKCS1_2048_8192_SHA384,
        "RSASSA_PKCS1_V1_5_SHA_512" => &RSA_PKCS1_2048_8192_SHA512,
        "RSASSA_PSS_SHA_256" => &RSA_PSS_2048_8192_SHA256,
        "RSASSA_PSS_SHA_384" => &RSA_PSS_2048_8192_SHA384,
        "RSASSA_PSS_SHA_512" => &RSA_PSS_2048_8192_SHA512,
        "ECDSA_SHA_384" => &ECDSA_P384_SHA384_ASN1,
        "ECDSA_SHA_512" => &ECDSA_P521_SHA512_ASN1,
        _ => &ECDSA_P256_SHA256_ASN1,
    };
    let public = UnparsedPublicKey::new(verification, public);
    public.verify_digest(digest, signature).map_err(|_| KmsError::InvalidSignature)
}

fn oaep(algorithm: &str) -> &'static OaepAlgorithm {
    if algorithm == "RSAES_OAEP_SHA_1" { &OAEP_SHA1_MGF1SHA1 } else { &OAEP_SHA256_MGF1SHA256 }
}

/// Encrypts with RSA.
///
/// # Errors
/// `ValidationException` when the plaintext is too long (recorded on AWS by LocalStack's tests).
pub fn encrypt(spec: KeySpec, algorithm: &str, private: &Secret, plaintext: &[u8]) -> Result<Vec<u8>, KmsError> {
    let private = PrivateDecryptingKey::from_pkcs8(private.expose()).map_err(broken)?;
    let public = OaepPublicEncryptingKey::new(private.public_key()).map_err(broken)?;
    let most = public.max_plaintext_size(oaep(algorithm));
    if plaintext.len() > most {
        return Err(KmsError::Invalid(format!(
            "Algorithm {algorithm} and key spec {} cannot encrypt data larger than {most} bytes.",
            spec.name()
        )));
    }
    let mut ciphertext = vec![0; public.ciphertext_size()];
    let length = public.encrypt(oaep(algorithm), plaintext, &mut ciphertext, None).map_err(broken)?.len();
    ciphertext.truncate(length);
    Ok(ciphertext)
}

/// Decrypts with RSA.
///
/// # Errors
/// `InvalidCiphertextException`
pub fn decrypt(algorithm: &str, private: &Secret, ciphertext: &[u8]) -> Result<Zeroizing<Vec<u8>>, KmsError> {
    let private = PrivateDecryptingKey::from_pkcs8(private.expose()).map_err(broken)?;
    let private = OaepPrivateDecryptingKey::new(private).map_err(broken)?;
    let mut plaintext = Zeroizing::new(vec![0; private.min_output_size()]);
    let opened: Result<usize, Unspecified> =
        private.decrypt(oaep(algorithm), ciphertext, &mut plaintext, None).map(|opened| opened.len());
    plaintext.truncate(opened.map_err(|_| KmsError::InvalidCiphertext)?);
    Ok(plaintext)
}
