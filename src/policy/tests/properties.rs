//! What holds for any policies whatever.

use proptest::prelude::*;

use super::*;

/// Statements from a small stock, so that they often fit the call and often contradict each other.
fn arb_statement(with_principal: bool) -> impl Strategy<Value = String> {
    let effect = prop::sample::select(vec!["Allow", "Deny"]);
    arb_statement_of(effect, with_principal)
}

fn arb_statement_of(
    effect: impl Strategy<Value = &'static str>,
    with_principal: bool,
) -> impl Strategy<Value = String> {
    let sid = prop::sample::select(vec!["", "A", "B", "C"]);
    let action = prop::sample::select(vec![
        r#""Action":"kms:*""#,
        r#""Action":["kms:Decrypt","kms:Encrypt"]"#,
        r#""Action":"dynamodb:*""#,
        r#""NotAction":"kms:Put*""#,
    ]);
    let resource = prop::sample::select(vec![
        r#""Resource":"*""#,
        r#""Resource":"arn:aws:kms:*:*:key/1234*""#,
        r#""NotResource":"arn:aws:kms:*:*:key/*""#,
    ]);
    let condition = prop::sample::select(vec![
        "",
        r#","Condition":{"StringLike":{"kms:ViaService":"dynamodb.*"}}"#,
        r#","Condition":{"StringEquals":{"aws:username":"bob"}}"#,
    ]);
    let principal = prop::sample::select(vec![
        r#","Principal":"*""#,
        r#","Principal":{"AWS":"arn:aws:iam::111122223333:root"}"#,
        r#","Principal":{"AWS":"arn:aws:iam::111122223333:user/alice"}"#,
        r#","Principal":{"AWS":"444455556666"}"#,
        r#","NotPrincipal":{"AWS":"arn:aws:iam::111122223333:user/bob"}"#,
    ]);
    (sid, effect, action, resource, condition, principal).prop_map(
        move |(sid, effect, action, resource, condition, principal)| {
            let principal = if with_principal { principal } else { "" };
            format!(r#"{{"Sid":"{sid}","Effect":"{effect}",{action},{resource}{condition}{principal}}}"#)
        },
    )
}

/// Policies keep their statements apart: one statement a document, so that Sids may repeat.
#[derive(Debug, Clone)]
struct World {
    key: Vec<String>,
    identity: Vec<String>,
    grants: Vec<bool>,
}

fn arb_world() -> impl Strategy<Value = World> {
    (
        prop::collection::vec(arb_statement(true), 1..5),
        prop::collection::vec(arb_statement(false), 0..5),
        prop::collection::vec(any::<bool>(), 0..3),
    )
        .prop_map(|(key, identity, grants)| World { key, identity, grants })
}

impl World {
    fn decide(&self) -> Decision {
        let (principal, context) = (alice(), context());
        let call = AccessRequest { principal: &principal, action: "kms:Decrypt", resource: KEY, context: &context };
        let key: Vec<&str> = self.key.iter().map(String::as_str).collect();
        let grants: Vec<Grant> = self
            .grants
            .iter()
            .map(|fits| grant(&alice().arn, if *fits { &["Decrypt"] } else { &["Encrypt"] }, None))
            .collect();
        decide_for_key(&call, &key_policy(&key), ACCOUNT, &self.policies(), &grants, &table_context())
    }

    fn decide_by_identity(&self) -> Decision {
        let (principal, context) = (alice(), context());
        decide(
            &AccessRequest { principal: &principal, action: "kms:Decrypt", resource: KEY, context: &context },
            &self.policies(),
        )
    }

    fn policies(&self) -> Vec<NamedPolicy> {
        self.identity.iter().map(|statement| inline(statement, &[statement])).collect()
    }
}

fn is_denial(decision: &Decision) -> bool {
    matches!(decision.outcome, Outcome::ExplicitDeny { .. })
}

proptest! {
    #[test]
    fn an_explicit_deny_always_wins(world in arb_world(), in_key_policy: bool, at: prop::sample::Index) {
        let mut world = world;
        if in_key_policy {
            let deny = r#"{"Effect":"Deny","Principal":"*","Action":"*","Resource":"*"}"#;
            world.key.insert(at.index(world.key.len() + 1), deny.to_owned());
        } else {
            world.identity.insert(at.index(world.identity.len() + 1), statement("Deny", "kms:Decrypt"));
            prop_assert!(is_denial(&world.decide_by_identity()));
        }
        prop_assert!(is_denial(&world.decide()));
    }

    #[test]
    fn a_deny_is_explicit_exactly_where_one_matched(world in arb_world()) {
        let decision = world.decide();
        let matched = decision.trace.iter().any(|e| e.effect == Effect::Deny && e.result == MatchResult::Matched);
        prop_assert_eq!(is_denial(&decision), matched);
    }

    #[test]
    fn order_changes_nothing(world in arb_world(), key_turn: prop::sample::Index, identity_turn: prop::sample::Index) {
        let mut turned = world.clone();
        turned.key.reverse();
        let by = key_turn.index(turned.key.len());
        turned.key.rotate_left(by);
        if !turned.identity.is_empty() {
            let by = identity_turn.index(turned.identity.len());
            turned.identity.rotate_left(by);
        }
        turned.grants.reverse();
        prop_assert_eq!(world.decide().outcome, turned.decide().outcome);
        prop_assert_eq!(world.decide_by_identity().outcome, turned.decide_by_identity().outcome);
    }

    #[test]
    fn an_allow_more_never_denies(world in arb_world(), key in arb_statement_of(Just("Allow"), true), identity in arb_statement_of(Just("Allow"), false)) {
        let mut more = world.clone();
        more.key.push(key);
        more.identity.push(identity);
        more.grants.push(true);
        if world.decide().is_allowed() {
            prop_assert!(more.decide().is_allowed());
        }
        if world.decide_by_identity().is_allowed() {
            prop_assert!(more.decide_by_identity().is_allowed());
        }
        prop_assert_eq!(is_denial(&world.decide()), is_denial(&more.decide()), "nor does it lift a deny");
    }

    #[test]
    fn without_the_key_policy_an_identity_policy_is_never_enough(world in arb_world()) {
        let mut world = world;
        world.key = vec![ADMINISTRATORS.to_owned()];
        world.grants.clear();
        world.identity.push(statement("Allow", "*"));
        prop_assert!(!world.decide().is_allowed());
    }

    #[test]
    fn a_message_exactly_when_denied(world in arb_world()) {
        let (principal, context) = (alice(), context());
        let call = AccessRequest { principal: &principal, action: "kms:Decrypt", resource: KEY, context: &context };
        let decision = world.decide();
        prop_assert_eq!(decision.message(&call).is_none(), decision.is_allowed());
        prop_assert_eq!(decision.trace.len(), world.key.len() + world.identity.len() + world.grants.len());
    }

    #[test]
    fn any_text_is_read_or_refused(text in "\\PC{0,200}") {
        let _ = PolicyDocument::parse(PolicyKind::Key, &text);
        prop_assert_eq!(PolicyDocument::rename_principal(&text, "a", "b").is_empty(), text.is_empty());
    }
}
