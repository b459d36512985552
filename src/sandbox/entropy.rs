//! Randomness: ChaCha20, keyed by the operating system or by `--seed`.

use std::collections::HashMap;
use std::fmt;

use aws_lc_rs::digest;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use uuid::Uuid;
use zeroize::Zeroizing;

const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// The operating system has no randomness to give.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the operating system gives no random bytes")]
pub struct NoRandomness;

/// Fills `buffer` from the operating system: for what must never repeat, whatever the seed.
///
/// # Errors
/// When the operating system has none, as on some systems early at boot.
pub fn fill_from_system(buffer: &mut [u8]) -> Result<(), NoRandomness> {
    getrandom::fill(buffer).map_err(|_| NoRandomness)
}

/// A stream of random bytes. Each request gets a stream of its own (see [`EntropySource::stream`]).
pub struct Entropy(ChaCha20Rng);

impl fmt::Debug for Entropy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Entropy([redacted])")
    }
}

impl Entropy {
    /// A stream from 32 bytes of key.
    pub fn from_seed(seed: [u8; 32]) -> Self {
        Self(ChaCha20Rng::from_seed(seed))
    }

    /// Fills `buffer` with random bytes.
    pub fn fill(&mut self, buffer: &mut [u8]) {
        self.0.fill_bytes(buffer);
    }

    /// `N` random bytes.
    pub fn bytes<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        self.fill(&mut bytes);
        bytes
    }

    /// A version 4 uuid.
    pub fn uuid(&mut self) -> Uuid {
        uuid::Builder::from_random_bytes(self.bytes()).into_uuid()
    }

    /// `n` characters of `A–Z2–7`, as in the identifiers of IAM (`AKIA…`, `AIDA…`).
    pub fn alphanumeric_upper(&mut self, n: usize) -> String {
        (0..n).map(|_| char::from(BASE32[usize::from(self.bytes::<1>()[0] & 31)])).collect()
    }

    /// `n` characters of the base64 alphabet, as in a secret access key.
    pub fn secret(&mut self, n: usize) -> String {
        (0..n).map(|_| char::from(BASE64[usize::from(self.bytes::<1>()[0] & 63)])).collect()
    }
}

/// Derives the streams: one for each request.
///
/// With a seed, a stream depends only on the seed, the identity and how many requests that identity made before. So two
/// identities that call at the same time get the same identifiers whatever order their calls arrive in.
pub struct EntropySource {
    key: Zeroizing<[u8; 32]>,
    seeded: bool,
    requests: HashMap<String, u64>,
}

impl fmt::Debug for EntropySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EntropySource([redacted])")
    }
}

impl EntropySource {
    /// Keyed by the operating system, or by `seed`. `start` counts the starts over one data folder, so that a folder
    /// opened twice with one seed does not hand out the same identifiers (and nonces) again.
    ///
    /// # Errors
    /// When the operating system has no randomness to give.
    pub fn new(seed: Option<u64>, start: u64) -> Result<Self, NoRandomness> {
        let mut key = Zeroizing::new([0; 32]);
        match seed {
            None => fill_from_system(&mut key[..])?,
            Some(seed) => {
                let mut text = b"kmslab seed".to_vec();
                text.extend(seed.to_be_bytes());
                text.extend(start.to_be_bytes());
                key.copy_from_slice(digest::digest(&digest::SHA256, &text).as_ref());
            }
        }
        Ok(Self { key, seeded: seed.is_some(), requests: HashMap::new() })
    }

    /// The stream for the next request of `identity` (an access key id; empty for a request that is not authenticated).
    pub fn stream(&mut self, identity: &str) -> Entropy {
        // Without a seed nothing is to repeat, so one count does for all and a server that runs for long remembers no
        // access keys that are gone.
        let identity = if self.seeded { identity } else { "" };
        let count = match self.requests.get_mut(identity) {
            Some(count) => count,
            None => self.requests.entry(identity.to_owned()).or_default(),
        };
        let mut context = digest::Context::new(&digest::SHA256);
        context.update(&self.key[..]);
        context.update(&count.to_be_bytes());
        context.update(identity.as_bytes());
        *count += 1;
        let mut seed = [0; 32];
        seed.copy_from_slice(context.finish().as_ref());
        Entropy::from_seed(seed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(seed: u64, start: u64) -> EntropySource {
        EntropySource::new(Some(seed), start).unwrap()
    }

    #[test]
    fn a_stream_depends_on_seed_identity_and_count() {
        let (mut one, mut two) = (source(7, 0), source(7, 0));
        let (a1, b1, a2) = (one.stream("A").uuid(), one.stream("B").uuid(), one.stream("A").uuid());
        let (y1, x1, x2) = (two.stream("B").uuid(), two.stream("A").uuid(), two.stream("A").uuid());
        assert_eq!((a1, b1, a2), (x1, y1, x2));
        assert!(a1 != b1 && a1 != a2);
        assert_ne!(source(8, 0).stream("A").uuid(), a1);
        assert_ne!(source(7, 1).stream("A").uuid(), a1);
    }

    #[test]
    fn without_a_seed_nothing_repeats() {
        let mut one = EntropySource::new(None, 0).unwrap();
        let mut two = EntropySource::new(None, 0).unwrap();
        assert_ne!(one.stream("A").bytes::<16>(), two.stream("A").bytes::<16>());
        assert_ne!(one.stream("A").bytes::<16>(), one.stream("B").bytes::<16>());
        assert_eq!(one.requests.len(), 1, "for any caller");
    }

    #[test]
    fn texts_use_their_alphabets() {
        let mut entropy = source(1, 0).stream("");
        let id = entropy.alphanumeric_upper(64);
        assert!(id.len() == 64 && id.bytes().all(|b| BASE32.contains(&b)), "{id}");
        let secret = entropy.secret(40);
        assert!(secret.len() == 40 && secret.bytes().all(|b| BASE64.contains(&b)), "{secret}");
        assert_eq!(entropy.uuid().get_version_num(), 4);
    }
}
