//! DynamoDB's number: up to 38 significant decimal digits, exact, with one spelling per value.

use std::cmp::Ordering;
use std::fmt;

/// The most significant digits a number may carry.
const MAX_DIGITS: u32 = 38;
/// The largest decimal exponent of the first digit (9.99…E+125).
const MAX_MAGNITUDE: i64 = 125;
/// The smallest decimal exponent of the first digit (1E-130).
const MIN_MAGNITUDE: i64 = -130;

/// An exact decimal: `sign × digits × 10^exponent`, `digits` without trailing zeros; zero is `+0 × 10^0`.
///
/// One value has one representation, so derived equality and hashing are numeric: `1`, `1.0` and `100E-2` are equal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Number {
    negative: bool,
    digits: u128,
    exponent: i32,
}

/// Why a text is not a DynamoDB number; `Display` is AWS's sentence.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NumberError {
    /// Not a decimal number at all.
    #[error("The parameter cannot be converted to a numeric value: {0}")]
    NotNumeric(String),
    /// The empty string.
    #[error("The parameter cannot be converted to a numeric value")]
    Empty,
    /// More than 38 significant digits.
    #[error("Attempting to store more than 38 significant digits in a Number")]
    TooPrecise,
    /// Beyond ±9.99…E+125.
    #[error("Number overflow. Attempting to store a number with magnitude larger than supported range")]
    Overflow,
    /// Nearer to zero than 1E-130.
    #[error("Number underflow. Attempting to store a number with magnitude smaller than supported range")]
    Underflow,
}

impl Number {
    /// Zero.
    pub const ZERO: Number = Number { negative: false, digits: 0, exponent: 0 };

    /// Reads `[+-]digits[.digits][e[+-]digits]`; leading and trailing zeros don't count as significant.
    ///
    /// # Errors
    /// When the text is no number, or DynamoDB has no such number.
    pub fn parse(text: &str) -> Result<Self, NumberError> {
        if text.is_empty() {
            return Err(NumberError::Empty);
        }
        let not_numeric = || NumberError::NotNumeric(text.to_owned());
        let (negative, unsigned) = match text.as_bytes()[0] {
            b'-' => (true, &text[1..]),
            b'+' => (false, &text[1..]),
            _ => (false, text),
        };
        let (mantissa, power) = match unsigned.split_once(['e', 'E']) {
            Some((mantissa, power)) => {
                let digits = power.strip_prefix(['+', '-']).unwrap_or(power);
                if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
                    return Err(not_numeric());
                }
                // An absurd exponent saturates: it is out of range whatever its exact value.
                let size = digits.parse::<i64>().unwrap_or(i64::MAX).min(1_000_000_000);
                (mantissa, if power.starts_with('-') { -size } else { size })
            }
            None => (unsigned, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        if whole.is_empty() && fraction.is_empty() || !whole.bytes().chain(fraction.bytes()).all(|b| b.is_ascii_digit())
        {
            return Err(not_numeric());
        }
        let all: Vec<u8> = whole.bytes().chain(fraction.bytes()).collect();
        let significant_end = all.iter().rposition(|b| *b != b'0').map_or(0, |at| at + 1);
        let Some(significant_start) = all.iter().position(|b| *b != b'0') else { return Ok(Self::ZERO) };
        let significant = &all[significant_start..significant_end];
        // The exponent of the last kept digit.
        let exponent = power - fraction.len() as i64 + (all.len() - significant_end) as i64;
        let magnitude = exponent + significant.len() as i64 - 1;
        if magnitude > MAX_MAGNITUDE {
            return Err(NumberError::Overflow);
        }
        if magnitude < MIN_MAGNITUDE {
            return Err(NumberError::Underflow);
        }
        if significant.len() > MAX_DIGITS as usize {
            return Err(NumberError::TooPrecise);
        }
        let digits = significant.iter().fold(0u128, |value, b| value * 10 + u128::from(b - b'0'));
        let exponent = i32::try_from(exponent).map_err(|_| NumberError::Overflow)?;
        Ok(Self { negative, digits, exponent })
    }

    /// The non-negative whole number `value`.
    pub fn from_count(value: usize) -> Self {
        // A usize has at most 20 digits: always within range.
        Self::normal(false, value as u128, 0).unwrap_or(Self::ZERO)
    }

    /// Drops trailing zeros and checks range and precision.
    fn normal(negative: bool, mut digits: u128, mut exponent: i32) -> Result<Self, NumberError> {
        if digits == 0 {
            return Ok(Self::ZERO);
        }
        while digits.is_multiple_of(10) {
            digits /= 10;
            exponent += 1;
        }
        let count = digits.ilog10() + 1;
        let magnitude = i64::from(exponent) + i64::from(count) - 1;
        if magnitude > MAX_MAGNITUDE {
            return Err(NumberError::Overflow);
        }
        if magnitude < MIN_MAGNITUDE {
            return Err(NumberError::Underflow);
        }
        if count > MAX_DIGITS {
            return Err(NumberError::TooPrecise);
        }
        Ok(Self { negative, digits, exponent })
    }

    /// `self + other`, exact; an inexact result is refused rather than rounded.
    ///
    /// # Errors
    /// When the sum is out of range or needs more than 38 digits.
    pub fn plus(self, other: Self) -> Result<Self, NumberError> {
        if self.digits == 0 {
            return Ok(other);
        }
        if other.digits == 0 {
            return Ok(self);
        }
        let exponent = self.exponent.min(other.exponent);
        let scale = |n: Self| {
            10u128
                .checked_pow((n.exponent - exponent).unsigned_abs())
                .and_then(|factor| n.digits.checked_mul(factor))
                .ok_or(NumberError::TooPrecise)
        };
        let (a, b) = (scale(self)?, scale(other)?);
        if self.negative == other.negative {
            Self::normal(self.negative, a.checked_add(b).ok_or(NumberError::TooPrecise)?, exponent)
        } else if a >= b {
            Self::normal(self.negative, a - b, exponent)
        } else {
            Self::normal(other.negative, b - a, exponent)
        }
    }

    /// `self - other`, exact.
    ///
    /// # Errors
    /// When the difference is out of range or needs more than 38 digits.
    pub fn minus(self, other: Self) -> Result<Self, NumberError> {
        self.plus(Self { negative: !other.negative && other.digits != 0, ..other })
    }

    fn digit_count(self) -> u32 {
        self.digits.checked_ilog10().map_or(1, |log| log + 1)
    }

    /// Size in bytes as DynamoDB counts it: one per two significant digits, one more, and one for a minus sign.
    pub fn size(self) -> usize {
        if self.digits == 0 {
            return 1;
        }
        self.digit_count().div_ceil(2) as usize + 1 + usize::from(self.negative)
    }

    /// Sixteen digit bytes, four exponent bytes and the sign: a fixed form for storage.
    pub fn to_bytes(self) -> [u8; 21] {
        let mut bytes = [0; 21];
        bytes[0] = u8::from(self.negative);
        bytes[1..17].copy_from_slice(&self.digits.to_be_bytes());
        bytes[17..].copy_from_slice(&self.exponent.to_be_bytes());
        bytes
    }

    /// The inverse of [`Self::to_bytes`]; `None` if the bytes don't hold a normal number.
    pub fn from_bytes(bytes: &[u8; 21]) -> Option<Self> {
        let digits = u128::from_be_bytes(bytes[1..17].try_into().ok()?);
        let exponent = i32::from_be_bytes(bytes[17..].try_into().ok()?);
        let number = Self { negative: bytes[0] == 1, digits, exponent };
        (Self::normal(number.negative, digits, exponent).ok()? == number).then_some(number)
    }
}

impl Ord for Number {
    fn cmp(&self, other: &Self) -> Ordering {
        let sign = |n: &Self| {
            if n.digits == 0 {
                0
            } else if n.negative {
                -1
            } else {
                1
            }
        };
        sign(self).cmp(&sign(other)).then_with(|| {
            if self.digits == 0 {
                return Ordering::Equal;
            }
            let magnitude = |n: &Self| i64::from(n.exponent) + i64::from(n.digit_count());
            let absolute = magnitude(self).cmp(&magnitude(other)).then_with(|| {
                // Same first place: bring both to 38 digits, which always fits.
                let full = |n: &Self| n.digits * 10u128.pow(MAX_DIGITS - n.digit_count());
                full(self).cmp(&full(other))
            });
            if self.negative { absolute.reverse() } else { absolute }
        })
    }
}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Plain decimal digits, never an exponent, as DynamoDB writes numbers.
impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.negative {
            f.write_str("-")?;
        }
        let digits = self.digits.to_string();
        if self.exponent >= 0 {
            write!(f, "{digits}{:0<width$}", "", width = self.exponent.unsigned_abs() as usize)
        } else {
            let places = self.exponent.unsigned_abs() as usize;
            if digits.len() > places {
                write!(f, "{}.{}", &digits[..digits.len() - places], &digits[digits.len() - places..])
            } else {
                write!(f, "0.{digits:0>places$}")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    #[rstest]
    #[case("0", "0")]
    #[case("-0.00", "0")]
    #[case("007", "7")]
    #[case("1.500", "1.5")]
    #[case("1e3", "1000")]
    #[case("-12.5E-3", "-0.0125")]
    #[case(".5", "0.5")]
    #[case("5.", "5")]
    #[case("12345678901234567890123456789012345678", "12345678901234567890123456789012345678")]
    #[case("123456789012345678901234567890123456780000", "123456789012345678901234567890123456780000")]
    fn spells_a_number_one_way(#[case] text: &str, #[case] want: &str) {
        assert_eq!(Number::parse(text).unwrap().to_string(), want);
    }

    #[rstest]
    #[case("", NumberError::Empty)]
    #[case("abc", NumberError::NotNumeric("abc".into()))]
    #[case("1e", NumberError::NotNumeric("1e".into()))]
    #[case("--1", NumberError::NotNumeric("--1".into()))]
    #[case(".", NumberError::NotNumeric(".".into()))]
    #[case("1 ", NumberError::NotNumeric("1 ".into()))]
    #[case("NaN", NumberError::NotNumeric("NaN".into()))]
    #[case("١", NumberError::NotNumeric("١".into()))]
    #[case("123456789012345678901234567890123456789", NumberError::TooPrecise)]
    #[case("1e126", NumberError::Overflow)]
    #[case("1e-131", NumberError::Underflow)]
    #[case("1e99999999999999999999", NumberError::Overflow)]
    fn refuses(#[case] text: &str, #[case] want: NumberError) {
        assert_eq!(Number::parse(text), Err(want));
    }

    #[test]
    fn keeps_the_extremes() {
        for text in ["9.9999999999999999999999999999999999999E+125", "1E-130", "-1E-130"] {
            let number = Number::parse(text).unwrap();
            assert_eq!(Number::parse(&number.to_string()), Ok(number));
        }
    }

    #[test]
    fn adds_and_subtracts_exactly() {
        let n = |text| Number::parse(text).unwrap();
        assert_eq!(n("0.1").plus(n("0.2")), Ok(n("0.3")));
        assert_eq!(n("5").minus(n("7.5")), Ok(n("-2.5")));
        assert_eq!(n("5").minus(n("5")), Ok(Number::ZERO));
        assert_eq!(Number::ZERO.minus(n("3")), Ok(n("-3")));
        assert_eq!(n("1e100").plus(n("1e-20")), Err(NumberError::TooPrecise));
    }

    fn decimals() -> impl Strategy<Value = (i64, i32)> {
        (-999_999_999i64..=999_999_999, -20i32..=20)
    }

    proptest! {
        #[test]
        fn orders_as_numbers_do((a, x) in decimals(), (b, y) in decimals()) {
            let left = Number::parse(&format!("{a}e{x}")).unwrap();
            let right = Number::parse(&format!("{b}e{y}")).unwrap();
            let base = x.min(y);
            // Both as integers at the smaller exponent; 9 digits and 40 places exceed i128, so compare in two steps.
            let wide = |v: i64, e: i32| i128::from(v).checked_mul(10i128.checked_pow((e - base).unsigned_abs())?);
            if let (Some(l), Some(r)) = (wide(a, x), wide(b, y)) {
                prop_assert_eq!(left.cmp(&right), l.cmp(&r));
            }
            prop_assert_eq!(left.cmp(&right), right.cmp(&left).reverse());
            prop_assert_eq!(left == right, left.cmp(&right) == Ordering::Equal);
        }

        #[test]
        fn survives_storage_and_text((a, x) in decimals()) {
            let number = Number::parse(&format!("{a}e{x}")).unwrap();
            prop_assert_eq!(Number::from_bytes(&number.to_bytes()), Some(number));
            prop_assert_eq!(Number::parse(&number.to_string()), Ok(number));
        }

        #[test]
        fn never_panics(text in "[-+0-9.eE]{0,60}") {
            let _ = Number::parse(&text);
        }
    }
}
