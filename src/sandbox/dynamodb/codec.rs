//! The binary form of items under encryption, and the canonical form of key values under the index hash.
//!
//! Every value is a tag byte and its content; variable lengths are four bytes, big-endian. One item has exactly one
//! form (names sorted, sets sorted, numbers normal).

use zeroize::Zeroizing;

use super::number::Number;
use super::value::{AttributeValue, Item};

/// The plain bytes of an item; wiped when dropped, since they exist only around encryption.
pub fn encode_item(item: &Item) -> Zeroizing<Vec<u8>> {
    let mut out = Vec::with_capacity(super::value::item_size(item) + 8 * item.len() + 16);
    put_map(&mut out, item);
    Zeroizing::new(out)
}

/// The inverse of [`encode_item`]; `None` if the bytes are not an item.
pub fn decode_item(bytes: &[u8]) -> Option<Item> {
    let mut reader = Reader(bytes);
    let item = reader.map(0)?;
    reader.0.is_empty().then_some(item)
}

/// The canonical bytes of a key value (S, N or B): type and content, so equal values of one type are equal bytes.
pub fn encode_key(value: &AttributeValue) -> Zeroizing<Vec<u8>> {
    let mut out = Vec::new();
    put_value(&mut out, value);
    Zeroizing::new(out)
}

fn put_length(out: &mut Vec<u8>, length: usize) {
    // Items are limited to 400 KB long before a length could leave 32 bits.
    out.extend_from_slice(&u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes());
}

fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put_length(out, bytes.len());
    out.extend_from_slice(bytes);
}

fn put_map(out: &mut Vec<u8>, item: &Item) {
    put_length(out, item.len());
    for (name, value) in item {
        put_bytes(out, name.as_bytes());
        put_value(out, value);
    }
}

fn put_value(out: &mut Vec<u8>, value: &AttributeValue) {
    match value {
        AttributeValue::String(text) => {
            out.push(b'S');
            put_bytes(out, text.as_bytes());
        }
        AttributeValue::Number(number) => {
            out.push(b'N');
            out.extend_from_slice(&number.to_bytes());
        }
        AttributeValue::Binary(bytes) => {
            out.push(b'B');
            put_bytes(out, bytes);
        }
        AttributeValue::Bool(flag) => out.push(if *flag { b'T' } else { b'F' }),
        AttributeValue::Null => out.push(b'0'),
        AttributeValue::Map(item) => {
            out.push(b'M');
            put_map(out, item);
        }
        AttributeValue::List(values) => {
            out.push(b'L');
            put_length(out, values.len());
            values.iter().for_each(|value| put_value(out, value));
        }
        AttributeValue::StringSet(values) => {
            out.push(b's');
            put_length(out, values.len());
            values.iter().for_each(|value| put_bytes(out, value.as_bytes()));
        }
        AttributeValue::NumberSet(values) => {
            out.push(b'n');
            put_length(out, values.len());
            values.iter().for_each(|value| out.extend_from_slice(&value.to_bytes()));
        }
        AttributeValue::BinarySet(values) => {
            out.push(b'b');
            put_length(out, values.len());
            values.iter().for_each(|value| put_bytes(out, value));
        }
    }
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (head, tail) = self.0.split_at_checked(count)?;
        self.0 = tail;
        Some(head)
    }

    fn length(&mut self) -> Option<usize> {
        usize::try_from(u32::from_be_bytes(self.take(4)?.try_into().ok()?)).ok()
    }

    fn bytes(&mut self) -> Option<&'a [u8]> {
        let length = self.length()?;
        self.take(length)
    }

    fn text(&mut self) -> Option<String> {
        std::str::from_utf8(self.bytes()?).ok().map(str::to_owned)
    }

    fn number(&mut self) -> Option<Number> {
        Number::from_bytes(self.take(21)?.try_into().ok()?)
    }

    fn many<T>(&mut self, mut one: impl FnMut(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        let count = self.length()?;
        (0..count).map(|_| one(self)).collect()
    }

    fn map(&mut self, depth: usize) -> Option<Item> {
        self.many(|r| Some((r.text()?, r.value(depth)?))).map(|pairs| pairs.into_iter().collect())
    }

    fn value(&mut self, depth: usize) -> Option<AttributeValue> {
        // Deeper than any item that could have been written: not ours.
        if depth > 64 {
            return None;
        }
        Some(match self.take(1)?[0] {
            b'S' => AttributeValue::String(self.text()?),
            b'N' => AttributeValue::Number(self.number()?),
            b'B' => AttributeValue::Binary(self.bytes()?.to_vec()),
            b'T' => AttributeValue::Bool(true),
            b'F' => AttributeValue::Bool(false),
            b'0' => AttributeValue::Null,
            b'M' => AttributeValue::Map(self.map(depth + 1)?),
            b'L' => AttributeValue::List(self.many(|r| r.value(depth + 1))?),
            b's' => AttributeValue::StringSet(self.many(Self::text)?),
            b'n' => AttributeValue::NumberSet(self.many(Self::number)?),
            b'b' => AttributeValue::BinarySet(self.many(|r| r.bytes().map(<[u8]>::to_vec))?),
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::value::tests::any_item;
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn round_trip(item in any_item()) {
            prop_assert_eq!(decode_item(&encode_item(&item)), Some(item));
        }

        #[test]
        fn never_panics_on_noise(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
            let _ = decode_item(&bytes);
        }
    }

    #[test]
    fn equal_numbers_have_equal_key_bytes() {
        let key = |text| encode_key(&AttributeValue::Number(Number::parse(text).unwrap()));
        assert_eq!(key("1"), key("1.00"));
        assert_ne!(key("1"), key("10"));
    }
}
