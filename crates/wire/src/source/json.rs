//! The fields of a profile out of one JSON object, in one pass: those the profile names, by dotted path.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use sonic_rs::LazyValue;

use super::profile::FieldRef;
use crate::native::fault;
use crate::rejection::{Reason, Rejection};

/// Paths as a tree: `callflow.0.caller_profile.context` is four levels of it.
#[derive(Debug, Default)]
pub(crate) struct Tree {
    field: Option<FieldRef>,
    children: Vec<(String, Tree)>,
}

impl Tree {
    /// Adds a dotted path. Numbers are places in a list.
    pub(crate) fn insert(&mut self, path: &str, field: FieldRef) {
        let mut tree = self;
        for step in path.split('.') {
            let index = tree.children.iter().position(|(name, _)| name == step).unwrap_or_else(|| {
                tree.children.push((step.to_owned(), Tree::default()));
                tree.children.len() - 1
            });
            tree = &mut tree.children[index].1;
        }
        tree.field = Some(field);
    }

    fn child(&self, name: &str) -> Option<&Tree> {
        self.children.iter().find(|(step, _)| step == name).map(|(_, tree)| tree)
    }
}

/// The values found, by field.
pub(crate) struct Values<'a> {
    values: Vec<Option<Cow<'a, str>>>,
    /// The first field at fault, and what is wrong with it.
    wrong: Option<(FieldRef, &'static str)>,
}

impl<'a> super::assemble::Fields<'a> for Values<'a> {
    fn get(&self, field: FieldRef) -> Option<Cow<'a, str>> {
        self.values[field.index()].clone()
    }
}

/// Reads the fields of one record. `names` are for messages.
pub(crate) fn read<'a>(bytes: &'a [u8], tree: &Tree, names: &[String]) -> Result<Values<'a>, Rejection> {
    if !fault::begins_object(bytes) {
        return Err(fault::not_an_object(bytes));
    }
    let text = fault::utf8(bytes)?;
    let mut values = Values { values: vec![None; names.len()], wrong: None };
    let mut reader = sonic_rs::Deserializer::from_str(text);
    Node { tree, values: &mut values }
        .deserialize(&mut reader)
        .and_then(|()| reader.end())
        .map_err(|error| fault::undecodable(&error))?;
    match values.wrong {
        Some((field, detail)) => Err(Rejection::of_field(Reason::BadField, &names[field.index()], detail)),
        None => Ok(values),
    }
}

struct Node<'t, 'v, 'a> {
    tree: &'t Tree,
    values: &'v mut Values<'a>,
}

impl<'de> DeserializeSeed<'de> for Node<'_, '_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        match self.tree.field {
            Some(field) => {
                let raw = LazyValue::deserialize(deserializer)?.as_raw_cow();
                let place = &mut self.values.values[field.index()];
                let wrong = match value(raw) {
                    Ok(_) if place.is_some() => "given twice",
                    Ok(value) => {
                        *place = value;
                        return Ok(());
                    }
                    Err(Wrong) => "an object or a list where a text or a number is expected",
                };
                self.values.wrong = self.values.wrong.or(Some((field, wrong)));
                Ok(())
            }
            None => deserializer.deserialize_any(self),
        }
    }
}

struct Wrong;

/// The text of a value; null and empty are absent.
fn value(raw: Cow<'_, str>) -> Result<Option<Cow<'_, str>>, Wrong> {
    match raw.as_bytes() {
        [b'n', ..] | [b'"', b'"'] => Ok(None),
        [b'{' | b'[', ..] => Err(Wrong),
        [b'"', inner @ .., b'"'] if memchr::memchr(b'\\', inner).is_none() => Ok(Some(match raw {
            Cow::Borrowed(raw) => Cow::Borrowed(&raw[1..raw.len() - 1]),
            Cow::Owned(raw) => Cow::Owned(raw[1..raw.len() - 1].to_owned()),
        })),
        [b'"', ..] => sonic_rs::from_str::<String>(&raw).map(|text| Some(Cow::Owned(text))).map_err(|_| Wrong),
        _ => Ok(Some(raw)),
    }
}

impl<'de> Visitor<'de> for Node<'_, '_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(Key(key)) = map.next_key::<Key<'de>>()? {
            match self.tree.child(&key) {
                Some(tree) => map.next_value_seed(Node { tree, values: self.values })?,
                None => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let mut index = 0_usize;
        loop {
            let goes_on = match self.tree.child(itoa::Buffer::new().format(index)) {
                Some(tree) => list.next_element_seed(Node { tree, values: self.values })?.is_some(),
                None => list.next_element::<IgnoredAny>()?.is_some(),
            };
            if !goes_on {
                return Ok(());
            }
            index += 1;
        }
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }
}

/// A key, borrowed where it has no escapes.
struct Key<'a>(Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Key<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct KeyVisitor;
        impl<'de> Visitor<'de> for KeyVisitor {
            type Value = Key<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a key")
            }

            fn visit_borrowed_str<E>(self, key: &'de str) -> Result<Key<'de>, E> {
                Ok(Key(Cow::Borrowed(key)))
            }

            fn visit_str<E>(self, key: &str) -> Result<Key<'de>, E> {
                Ok(Key(Cow::Owned(key.to_owned())))
            }
        }
        deserializer.deserialize_str(KeyVisitor)
    }
}
