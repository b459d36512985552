//! AES-256-GCM and HMAC-SHA-256 from aws-lc-rs, with keys that are wiped when dropped and never printed.

use std::fmt;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::hmac;
use zeroize::Zeroizing;

use super::entropy::Entropy;

/// A 256-bit key. Wiped when dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct Key256(Zeroizing<[u8; 32]>);

/// A secret of any length. Wiped when dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<Vec<u8>>);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret([redacted])")
    }
}

impl Secret {
    /// Wraps bytes.
    pub fn new(bytes: Zeroizing<Vec<u8>>) -> Self {
        Self(bytes)
    }

    /// `length` random bytes.
    pub fn generate(entropy: &mut Entropy, length: usize) -> Self {
        let mut bytes = Zeroizing::new(vec![0; length]);
        entropy.fill(&mut bytes);
        Self(bytes)
    }

    /// The bytes. Named so that every place a secret leaves its wrapper can be found.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Key256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key256([redacted])")
    }
}

impl Key256 {
    /// A new random key.
    pub fn generate(entropy: &mut Entropy) -> Self {
        let mut key = Zeroizing::new([0; 32]);
        entropy.fill(&mut key[..]);
        Self(key)
    }

    /// The key in `bytes`; `None` unless there are exactly 32.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let mut key = Zeroizing::new([0; 32]);
        if bytes.len() != key.len() {
            return None;
        }
        key.copy_from_slice(bytes);
        Some(Self(key))
    }

    /// The bytes. Named so that every place a key leaves its wrapper can be found.
    pub fn expose(&self) -> &[u8; 32] {
        &self.0
    }

    fn aead(&self) -> LessSafeKey {
        let key = UnboundKey::new(&AES_256_GCM, &self.0[..]).expect("32 bytes are an AES-256 key");
        // "Less safe" means that the caller must never repeat a nonce; ours are random per message.
        LessSafeKey::new(key)
    }
}

/// Encrypts `plaintext` and authenticates it together with `aad`: ciphertext, then the 16-byte tag. A nonce must never be
/// used twice with one key.
pub fn seal(key: &Key256, nonce: [u8; 12], aad: &[u8], plaintext: &[u8]) -> Vec<u8> {
    let mut buffer = Vec::with_capacity(plaintext.len() + AES_256_GCM.tag_len());
    buffer.extend_from_slice(plaintext);
    key.aead()
        .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(aad), &mut buffer)
        .expect("AES-GCM takes messages of up to 64 GiB");
    buffer
}

/// Decrypts what [`seal`] made; `None` when key, nonce, `aad` or the sealed bytes are not the ones it was made with.
pub fn open(key: &Key256, nonce: [u8; 12], aad: &[u8], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let mut buffer = Zeroizing::new(sealed.to_vec());
    let length = key.aead().open_in_place(Nonce::assume_unique_for_key(nonce), Aad::from(aad), &mut buffer).ok()?.len();
    buffer.truncate(length);
    Some(buffer)
}

/// HMAC-SHA-256 of `data`.
pub fn hmac_sha256(key: &Key256, data: &[u8]) -> [u8; 32] {
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &key.0[..]), data);
    let mut bytes = [0; 32];
    bytes.copy_from_slice(tag.as_ref());
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(byte: u8) -> Key256 {
        Key256::from_bytes(&[byte; 32]).unwrap()
    }

    #[test]
    fn opens_only_with_the_same_key_nonce_and_context() {
        let sealed = seal(&key(1), [2; 12], b"context", b"text");
        assert_eq!(sealed.len(), 4 + 16);
        assert_eq!(open(&key(1), [2; 12], b"context", &sealed).unwrap().as_slice(), b"text");
        assert!(open(&key(9), [2; 12], b"context", &sealed).is_none());
        assert!(open(&key(1), [9; 12], b"context", &sealed).is_none());
        assert!(open(&key(1), [2; 12], b"other", &sealed).is_none());
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert!(open(&key(1), [2; 12], b"context", &changed).is_none(), "byte {at}");
        }
        assert!(open(&key(1), [2; 12], b"context", b"short").is_none());
    }

    #[test]
    fn hmac_matches_rfc_4231_case_with_a_32_byte_key() {
        // RFC 4231 test case 2 has a short key; HMAC pads with zeros, so the padded key gives the same tag.
        let mut bytes = [0; 32];
        bytes[..4].copy_from_slice(b"Jefe");
        let tag = hmac_sha256(&Key256::from_bytes(&bytes).unwrap(), b"what do ya want for nothing?");
        assert_eq!(tag[..4], [0x5b, 0xdc, 0xc1, 0x46]);
    }

    #[test]
    fn keys_do_not_print() {
        assert_eq!(format!("{:?}", key(7)), "Key256([redacted])");
        assert!(Key256::from_bytes(&[0; 31]).is_none());
    }
}
