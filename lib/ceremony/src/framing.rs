//! How everything that is signed, hashed or sealed here is written: a label, a zero byte, and fields, each behind its
//! length in four bytes, big-endian. No two lists of fields are the same bytes.

pub(crate) struct Framed(Vec<u8>);

impl Framed {
    pub(crate) fn labelled(label: &str) -> Self {
        debug_assert!(!label.contains('\0'), "the label ends with the first zero");
        let mut bytes = label.as_bytes().to_vec();
        bytes.push(0);
        Self(bytes)
    }

    /// A list, which is a field of something else: it has no label.
    pub(crate) fn list<'a>(fields: impl IntoIterator<Item = &'a [u8]>) -> Vec<u8> {
        let list = Self(Vec::new());
        fields.into_iter().fold(list, Self::field).into_bytes()
    }

    pub(crate) fn field(mut self, field: &[u8]) -> Self {
        let length = u32::try_from(field.len()).expect("nothing of four gigabytes is signed");
        self.0.extend_from_slice(&length.to_be_bytes());
        self.0.extend_from_slice(field);
        self
    }

    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_do_not_run_into_each_other() {
        let framed = Framed::labelled("label").field(b"ab").field(b"");
        assert_eq!(framed.into_bytes(), b"label\0\0\0\0\x02ab\0\0\0\0");
        let list = Framed::list([b"a".as_slice(), b"b"]);
        assert_eq!(list, b"\0\0\0\x01a\0\0\0\x01b");
    }
}
