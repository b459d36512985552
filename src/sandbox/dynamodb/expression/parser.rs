//! What every kind of expression shares: walking the tokens, document paths, operands, and AWS's error sentences.

use super::lexer::{Spanned, Token, tokens};
use super::path::{Path, Step};
use super::placeholders::Placeholders;
use super::reserved::is_reserved;
use crate::sandbox::dynamodb::value::AttributeValue;
use crate::sandbox::error::Fault;

/// The longest expression, in bytes.
const MAX_BYTES: usize = 4096;
/// How deep parentheses and NOT may nest: far above any sensible expression, far below the stack.
const MAX_DEPTH: usize = 100;
/// The most operators and functions in one expression.
const MAX_OPERATORS: usize = 300;

/// An AWS sentence without the `Invalid …Expression: ` in front.
pub(super) type Sentence = String;

/// Walks the tokens of one expression.
pub(super) struct Parser<'a> {
    text: &'a str,
    tokens: Vec<Spanned<'a>>,
    at: usize,
    depth: usize,
    operators: usize,
    pub placeholders: &'a mut Placeholders,
}

/// Parses the whole of `text` with `rule`; `member` is the request member's name, for the error.
pub(super) fn parse<'a, T>(
    member: &str,
    text: &'a str,
    placeholders: &'a mut Placeholders,
    rule: impl FnOnce(&mut Parser<'a>) -> Result<T, Sentence>,
) -> Result<T, Fault> {
    parse_bare(text, placeholders, rule).map_err(|fault| invalid(member, &fault))
}

/// `Invalid <member>: <fault>`, for an UpdateExpression with the opening that AWS gives it since August 2026 (issue
/// threads).
pub(super) fn invalid(member: &str, fault: &str) -> Fault {
    let message = format!("Invalid {member}: {fault}");
    if member == "UpdateExpression" { Fault::Violations(vec![message]) } else { Fault::invalid(message) }
}

fn parse_bare<'a, T>(
    text: &'a str,
    placeholders: &'a mut Placeholders,
    rule: impl FnOnce(&mut Parser<'a>) -> Result<T, Sentence>,
) -> Result<T, Sentence> {
    if text.trim().is_empty() {
        return Err("The expression can not be empty;".into());
    }
    if text.len() > MAX_BYTES {
        return Err("Expression size has exceeded the maximum allowed size;".into());
    }
    let tokens = tokens(text).map_err(|(start, end)| {
        let before = text[..start].trim_end().rfind([' ', '\t', '\r', '\n']).map_or(0, |at| at + 1);
        let after = text[end..].chars().next().map_or(0, char::len_utf8);
        format!("Syntax error; token: \"{}\", near: \"{}\"", &text[start..end], &text[before..end + after])
    })?;
    let mut parser = Parser { text, tokens, at: 0, depth: 0, operators: 0, placeholders };
    let result = rule(&mut parser)?;
    match parser.peek() {
        Token::End => Ok(result),
        _ => Err(parser.syntax_error()),
    }
}

impl<'a> Parser<'a> {
    pub fn peek(&self) -> Token<'a> {
        self.tokens[self.at].token
    }

    fn peek_second(&self) -> Token<'a> {
        self.tokens.get(self.at + 1).map_or(Token::End, |spanned| spanned.token)
    }

    pub fn position(&self) -> usize {
        self.at
    }

    pub fn advance(&mut self) {
        // The end token stays the current one for ever.
        self.at = (self.at + 1).min(self.tokens.len() - 1);
    }

    /// At the current token.
    pub fn syntax_error(&self) -> Sentence {
        let current = self.tokens[self.at];
        let shown = match current.token {
            Token::End => "<EOF>",
            _ => &self.text[current.start..current.end],
        };
        let from = self.tokens[self.at.saturating_sub(1)].start;
        let to = self.tokens.get(self.at + 1).unwrap_or(&current).end;
        format!("Syntax error; token: \"{shown}\", near: \"{}\"", &self.text[from..to])
    }

    pub fn accept(&mut self, symbol: &str) -> bool {
        let found = matches!(self.peek(), Token::Symbol(s) if s == symbol);
        if found {
            self.advance();
        }
        found
    }

    pub fn expect(&mut self, symbol: &str) -> Result<(), Sentence> {
        if self.accept(symbol) { Ok(()) } else { Err(self.syntax_error()) }
    }

    pub fn at_keyword(&self, keyword: &str) -> bool {
        matches!(self.peek(), Token::Word(word) if word.eq_ignore_ascii_case(keyword))
    }

    pub fn accept_keyword(&mut self, keyword: &str) -> bool {
        let found = self.at_keyword(keyword);
        if found {
            self.advance();
        }
        found
    }

    /// The name of a function call about to start here.
    pub fn at_function(&self) -> Option<&'a str> {
        match (self.peek(), self.peek_second()) {
            (Token::Word(name), Token::Symbol("(")) => Some(name),
            _ => None,
        }
    }

    /// Whether a parenthesis opens here that holds an operand, as in `(size(a)) = :n`, and not a condition: what follows
    /// its end compares.
    pub fn at_parenthesised_operand(&self) -> bool {
        let mut depth = 0_usize;
        let rest = self.tokens.get(self.at..).unwrap_or_default();
        let end = rest.iter().position(|spanned| {
            match spanned.token {
                Token::Symbol("(") => depth += 1,
                Token::Symbol(")") => depth = depth.saturating_sub(1),
                _ => {}
            }
            depth == 0
        });
        let next = end.filter(|end| *end > 0).and_then(|end| rest.get(end + 1)).map(|spanned| spanned.token);
        match next {
            Some(Token::Symbol(symbol)) => matches!(symbol, "=" | "<>" | "<" | "<=" | ">" | ">="),
            Some(Token::Word(word)) => word.eq_ignore_ascii_case("BETWEEN") || word.eq_ignore_ascii_case("IN"),
            _ => false,
        }
    }

    /// Counts one operator or function against the limit.
    pub fn count_operator(&mut self) -> Result<(), Sentence> {
        self.operators += 1;
        if self.operators > MAX_OPERATORS {
            return Err(format!(
                "The expression contains too many operators or functions; number of operators: {}",
                self.operators
            ));
        }
        Ok(())
    }

    /// Runs `rule` one level deeper.
    pub fn nested<T>(&mut self, rule: impl FnOnce(&mut Self) -> Result<T, Sentence>) -> Result<T, Sentence> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err("The expression is nested too deeply;".into());
        }
        let result = rule(self);
        self.depth -= 1;
        result
    }

    fn name(&mut self) -> Result<String, Sentence> {
        let name = match self.peek() {
            Token::Word(word) if is_reserved(word) => {
                // A keyword where a name belongs is a syntax error, any other reserved word is named as such.
                return Err(match word.to_ascii_uppercase().as_str() {
                    "AND" | "OR" | "NOT" | "BETWEEN" | "IN" => self.syntax_error(),
                    _ => format!("Attribute name is a reserved keyword; reserved keyword: {word}"),
                });
            }
            Token::Word(word) => word.to_owned(),
            Token::NamePlaceholder(placeholder) => self.placeholders.name(placeholder)?,
            _ => return Err(self.syntax_error()),
        };
        self.advance();
        Ok(name)
    }

    /// `name(.name | [digits])*`
    pub fn path(&mut self) -> Result<Path, Sentence> {
        let attribute = self.name()?;
        let mut steps = Vec::new();
        loop {
            if self.accept(".") {
                steps.push(Step::Name(self.name()?));
            } else if self.accept("[") {
                let Token::Digits(digits) = self.peek() else { return Err(self.syntax_error()) };
                let index = digits
                    .parse::<u32>()
                    .map_err(|_| format!("List index is not within the allowable range; index: [{digits}]"))?;
                self.advance();
                self.expect("]")?;
                steps.push(Step::Index(index as usize));
            } else {
                break;
            }
        }
        if steps.len() > 31 {
            return Err("The document path has too many nesting elements;".into());
        }
        Ok(Path { attribute, steps })
    }

    /// `:placeholder`, if one is here.
    pub fn accept_value(&mut self) -> Result<Option<AttributeValue>, Sentence> {
        let Token::ValuePlaceholder(placeholder) = self.peek() else { return Ok(None) };
        let value = self.placeholders.value(placeholder)?;
        self.advance();
        Ok(Some(value))
    }

    /// `(rule, rule, …)`
    pub fn list<T>(&mut self, mut rule: impl FnMut(&mut Self) -> Result<T, Sentence>) -> Result<Vec<T>, Sentence> {
        self.expect("(")?;
        let mut members = vec![rule(self)?];
        while self.accept(",") {
            members.push(rule(self)?);
        }
        self.expect(")")?;
        Ok(members)
    }
}

/// AWS's sentence for a function called with the wrong number of arguments.
pub(super) fn wrong_count(function: &str, count: usize) -> Sentence {
    format!(
        "Incorrect number of operands for operator or function; operator or function: {function}, number of operands: \
         {count}"
    )
}

/// AWS's sentence for an operand of a type the operator can't take.
pub(super) fn wrong_type(operator: &str, value_type: &str) -> Sentence {
    format!(
        "Incorrect operand type for operator or function; operator or function: {operator}, operand type: {value_type}"
    )
}
