//! DynamoDB's expressions: lexer, grammar, and what they do to items.

pub mod condition;
mod evaluate;
pub mod key_condition;
mod lexer;
mod parser;
mod path;
pub mod placeholders;
pub mod projection;
mod reserved;
#[cfg(test)]
mod tests;
pub mod update;
