//! `GenerateRandom`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use zeroize::Zeroizing;

use super::keys::refuse_unsupported;
use crate::policy::ConditionContext;
use crate::sandbox::authorize::Resource;
use crate::sandbox::operation::{Context, Fault, Members, Output, Request};

/// `GenerateRandom`; the number of bytes. On a seeded sandbox they repeat.
pub struct GenerateRandom(usize);

impl Request for GenerateRandom {
    fn parse(members: &Members<'_>) -> Result<Self, Fault> {
        refuse_unsupported(members, "CustomKeyStoreId")?;
        refuse_unsupported(members, "Recipient")?;
        let bytes = members.integer("NumberOfBytes", 1..=1024)?;
        // Recorded on AWS by LocalStack's tests.
        let bytes = bytes.ok_or_else(|| Fault::invalid("NumberOfBytes is required."))?;
        Ok(Self(usize::try_from(bytes).unwrap_or_default())) // 1..=1024
    }

    fn run(self, cx: &mut Context<'_>) -> Result<Output, Fault> {
        cx.authorize("kms:GenerateRandom", Resource::Arn("*"), &ConditionContext::default())?;
        let mut bytes = Zeroizing::new(vec![0; self.0]);
        cx.entropy.fill(&mut bytes);
        Ok(json!({ "Plaintext": STANDARD.encode(&bytes) }).into())
    }
}
