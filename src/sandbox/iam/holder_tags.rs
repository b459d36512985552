//! Tags of users and roles.

use std::marker::PhantomData;

use super::holder::Holder;
use super::members::{self, Page};
use crate::policy::ConditionContext;
use crate::sandbox::operation::{Context, Fault, Later, Members, Output, Request};
use crate::sandbox::xml::{self, Xml};

/// `TagUser`, `TagRole`
pub struct Tag<H> {
    name: String,
    tags: Vec<(String, String)>,
    kind: PhantomData<H>,
}

impl<H: Holder> Request for Tag<H> {
    fn parse(members: &Members<'_>) -> Result<Self, Fault> {
        Ok(Self { name: H::parse_name(members)?, tags: members::tags(members)?, kind: PhantomData })
    }

    fn run(self, cx: &mut Context<'_>) -> Result<Output, Fault> {
        let mut holder: H = cx.holder(&format!("iam:Tag{}", H::KIND), &self.name, &tag_facts(&self.tags))?;
        members::add_tags(holder.held().tags, self.tags)?;
        cx.save(holder)
    }
}

/// `UntagUser`, `UntagRole`
pub struct Untag<H> {
    name: String,
    keys: Vec<String>,
    kind: PhantomData<H>,
}

impl<H: Holder> Request for Untag<H> {
    fn parse(members: &Members<'_>) -> Result<Self, Fault> {
        let keys = members.texts("TagKeys")?.into_iter().map(str::to_owned).collect();
        Ok(Self { name: H::parse_name(members)?, keys, kind: PhantomData })
    }

    fn run(self, cx: &mut Context<'_>) -> Result<Output, Fault> {
        let mut facts = ConditionContext::default();
        for key in &self.keys {
            facts.add("aws:TagKeys", key);
        }
        let mut holder: H = cx.holder(&format!("iam:Untag{}", H::KIND), &self.name, &facts)?;
        holder.held().tags.retain(|(known, _)| !self.keys.iter().any(|key| key.eq_ignore_ascii_case(known)));
        cx.save(holder)
    }
}

/// `ListUserTags`, `ListRoleTags`
pub struct ListTags<H> {
    name: String,
    page: Later<Page>,
    kind: PhantomData<H>,
}

impl<H: Holder> Request for ListTags<H> {
    fn parse(members: &Members<'_>) -> Result<Self, Fault> {
        Ok(Self { name: H::parse_name(members)?, page: Page::parse(members), kind: PhantomData })
    }

    fn run(self, cx: &mut Context<'_>) -> Result<Output, Fault> {
        let action = format!("iam:List{}Tags", H::KIND);
        let holder: H = cx.holder(&action, &self.name, &ConditionContext::default())?;
        let mut out = Xml::new();
        self.page?.write(&mut out, "Tags", holder.tags(), |(key, _)| key, write_tag);
        Ok(out.into())
    }
}

pub(super) fn write_tag(out: &mut Xml, (key, value): &(String, String)) {
    xml::leaf(out, "Key", key);
    xml::leaf(out, "Value", value);
}

pub(super) fn tag_facts(tags: &[(String, String)]) -> ConditionContext {
    let mut facts = ConditionContext::default();
    for (key, value) in tags {
        facts.set(&format!("aws:RequestTag/{key}"), value).add("aws:TagKeys", key);
    }
    facts
}
