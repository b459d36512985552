//! The ciphertext blob: what `Encrypt` and `GenerateDataKey` hand out and `Decrypt` takes back.
//!
//! ```text
//! version 1 │ key id 16 │ key material id 32 │ nonce 12 │ AES-256-GCM ciphertext and tag
//! ╰─ header, authenticated with the encryption context ─╯
//! ```
//! AWS does not publish its own format; this one keeps its property that a blob names its key, so `Decrypt` needs
//! no key id, and the material, so that blobs from before a rotation still open.

use std::collections::BTreeMap;

use uuid::Uuid;
use zeroize::Zeroizing;

use crate::sandbox::crypto::{self, Key256};

/// Public, named pairs that have to be the same at encryption and decryption.
pub type EncryptionContext = BTreeMap<String, String>;

/// Identifies one key material of a key; shown as 64 hexadecimal digits.
pub type MaterialId = [u8; 32];

const VERSION: u8 = 1;
const HEADER: usize = 1 + 16 + 32;
const NONCE: usize = 12;
const TAG: usize = 16;

/// A blob taken apart, not yet verified.
#[derive(Debug, PartialEq, Eq)]
pub struct Blob<'a> {
    header: &'a [u8; HEADER],
    nonce: [u8; NONCE],
    sealed: &'a [u8],
}

impl<'a> Blob<'a> {
    /// `None` when the bytes are too short or of an unknown version.
    pub fn parse(bytes: &'a [u8]) -> Option<Self> {
        let (header, rest) = bytes.split_first_chunk::<HEADER>()?;
        let (nonce, sealed) = rest.split_first_chunk::<NONCE>()?;
        (header[0] == VERSION && sealed.len() >= TAG).then_some(Blob { header, nonce: *nonce, sealed })
    }

    /// The id of the key that made the blob.
    pub fn key_id(&self) -> String {
        let mut id = [0; 16];
        id.copy_from_slice(&self.header[1..17]);
        Uuid::from_bytes(id).to_string()
    }

    /// The key material that sealed the blob.
    pub fn material(&self) -> MaterialId {
        let mut id = [0; 32];
        id.copy_from_slice(&self.header[17..]);
        id
    }

    /// `None` when a byte of the blob or a pair of the context has changed.
    pub fn open(&self, key: &Key256, context: &EncryptionContext) -> Option<Zeroizing<Vec<u8>>> {
        crypto::open(key, self.nonce, &associated_data(self.header, context), self.sealed)
    }
}

/// Makes a blob. The nonce must be fresh: the same one twice under one material breaks AES-GCM.
pub fn seal(
    key_id: Uuid,
    material: &MaterialId,
    key: &Key256,
    nonce: [u8; NONCE],
    context: &EncryptionContext,
    plaintext: &[u8],
) -> Vec<u8> {
    let mut blob = Vec::with_capacity(HEADER + NONCE + plaintext.len() + TAG);
    blob.push(VERSION);
    blob.extend_from_slice(key_id.as_bytes());
    blob.extend_from_slice(material);
    let sealed = crypto::seal(key, nonce, &associated_data(&blob, context), plaintext);
    blob.extend_from_slice(&nonce);
    blob.extend_from_slice(&sealed);
    blob
}

/// The header and the pairs in key order, each part with its length before it: no two contexts give the same bytes.
fn associated_data(header: &[u8], context: &EncryptionContext) -> Vec<u8> {
    let mut data = header.to_vec();
    for part in context.iter().flat_map(|(key, value)| [key, value]) {
        data.extend_from_slice(&(part.len() as u64).to_be_bytes());
        data.extend_from_slice(part.as_bytes());
    }
    data
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn key() -> Key256 {
        Key256::from_bytes(&[7; 32]).unwrap()
    }

    fn contexts() -> impl Strategy<Value = EncryptionContext> {
        proptest::collection::btree_map(".{1,12}", ".{0,12}", 0..4)
    }

    proptest! {
        #[test]
        fn opens_with_the_same_context(id: u128, material: [u8; 32], nonce: [u8; 12], plain: Vec<u8>, context in contexts()) {
            let blob = seal(Uuid::from_u128(id), &material, &key(), nonce, &context, &plain);
            let parsed = Blob::parse(&blob).unwrap();
            prop_assert_eq!(parsed.key_id(), Uuid::from_u128(id).to_string());
            prop_assert_eq!(parsed.material(), material);
            prop_assert_eq!(parsed.open(&key(), &context).unwrap().to_vec(), plain);
        }

        #[test]
        fn any_flipped_bit_fails(plain: Vec<u8>, context in contexts(), at: prop::sample::Index, bit in 0..8u8) {
            let mut blob = seal(Uuid::from_u128(1), &[2; 32], &key(), [3; 12], &context, &plain);
            let at = at.index(blob.len());
            blob[at] ^= 1 << bit;
            prop_assert!(Blob::parse(&blob).and_then(|b| b.open(&key(), &context)).is_none());
        }

        #[test]
        fn another_context_fails(made in contexts(), asked in contexts()) {
            let blob = seal(Uuid::from_u128(1), &[2; 32], &key(), [3; 12], &made, b"secret");
            prop_assert_eq!(Blob::parse(&blob).unwrap().open(&key(), &asked).is_some(), made == asked);
        }

        #[test]
        fn any_bytes_are_read_without_panic(bytes: Vec<u8>) {
            let _ = Blob::parse(&bytes).and_then(|b| b.open(&key(), &EncryptionContext::new()));
        }
    }

    #[test]
    fn a_letter_moved_from_key_to_value_changes_the_aad() {
        let context = |k: &str, v: &str| EncryptionContext::from([(k.to_owned(), v.to_owned())]);
        assert_ne!(associated_data(b"", &context("ab", "c")), associated_data(b"", &context("a", "bc")));
    }
}
