//! DynamoDB's expressions: lexer, grammar, and what they do to items.

mod condition;
mod evaluate;
mod key_condition;
mod lexer;
mod parser;
mod path;
mod placeholders;
mod projection;
mod reserved;
mod update;

pub use condition::{Comparator, Condition};
pub use key_condition::{KeyCondition, SortCondition};
pub(super) use parser::ONE_ERROR;
pub use placeholders::Placeholders;
pub use projection::Projection;
pub use update::Update;

#[cfg(test)]
mod tests;
