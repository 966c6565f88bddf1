//! One claim out of an object, by its path and its type.

use crate::error::TokenFault;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// An object of claims, or none, in which every claim is absent. Each method takes the claim's whole path, for what is
/// said of it, and looks up the last name of it.
#[derive(Clone, Copy)]
pub struct Object<'a>(Option<&'a Map<String, Value>>);

type Path = &'static str;

impl<'a> Object<'a> {
    pub fn new(members: &'a Map<String, Value>) -> Object<'a> {
        Object(Some(members))
    }

    /// A claim that is there; null says the same as absence.
    fn get(self, path: Path) -> Option<&'a Value> {
        let name = path.rsplit('.').next().unwrap_or(path);
        self.0?.get(name).filter(|value| !value.is_null())
    }

    fn read<T>(
        self,
        path: Path,
        as_type: impl FnOnce(&'a Value) -> Option<T>,
    ) -> Result<Option<T>, TokenFault> {
        let read = |value| as_type(value).ok_or(TokenFault::Form(path));
        self.get(path).map(read).transpose()
    }

    pub fn text(self, path: Path) -> Result<Option<String>, TokenFault> {
        self.read(path, |value| value.as_str().map(String::from))
    }

    pub fn boolean(self, path: Path) -> Result<Option<bool>, TokenFault> {
        self.read(path, Value::as_bool)
    }

    /// A whole number, and not one written as a fraction.
    pub fn number(self, path: Path) -> Result<Option<u64>, TokenFault> {
        self.read(path, Value::as_u64)
    }

    pub fn time(self, path: Path) -> Result<u64, TokenFault> {
        self.number(path)?.ok_or(TokenFault::Missing(path))
    }

    pub fn list(self, path: Path) -> Result<Option<Vec<String>>, TokenFault> {
        self.read(path, texts)
    }

    /// A list, or one text in place of a list of one.
    pub fn texts(self, path: Path) -> Result<Option<Vec<String>>, TokenFault> {
        self.read(path, |value| match value.as_str() {
            Some(one) => Some(vec![one.into()]),
            None => texts(value),
        })
    }

    pub fn map(self, path: Path) -> Result<Option<BTreeMap<String, String>>, TokenFault> {
        self.read(path, |value| {
            let text =
                |(name, value): (&String, &Value)| Some((name.clone(), value.as_str()?.to_owned()));
            value.as_object()?.iter().map(text).collect()
        })
    }

    /// An object, empty if it is absent.
    pub fn object(self, path: Path) -> Result<Object<'a>, TokenFault> {
        self.read(path, Value::as_object).map(Object)
    }

    /// What an object that may be absent is read as.
    pub fn some<T>(
        self,
        path: Path,
        read: impl FnOnce(Object<'a>) -> Result<T, TokenFault>,
    ) -> Result<Option<T>, TokenFault> {
        let object = self.object(path)?;
        object.0.map(|_| read(object)).transpose()
    }

    /// What each object of a list is read as; none if it is absent.
    pub fn objects<T>(
        self,
        path: Path,
        read: impl Fn(Object<'a>) -> Result<T, TokenFault>,
    ) -> Result<Vec<T>, TokenFault> {
        let items = self.read(path, Value::as_array)?;
        let item = |value: &'a Value| match value.as_object() {
            Some(members) => read(Object::new(members)),
            None => Err(TokenFault::Form(path)),
        };
        items.into_iter().flatten().map(item).collect()
    }
}

fn texts(value: &Value) -> Option<Vec<String>> {
    let text = |item: &Value| item.as_str().map(String::from);
    value.as_array()?.iter().map(text).collect()
}
