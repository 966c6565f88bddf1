//! JSON, read strictly.

use std::fmt::{self, Display};

/// Why a text is not taken as JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum JsonFault {
    /// Not JSON at all.
    Syntax,
    /// A name stands twice in one object.
    Duplicate,
    /// Deeper than is allowed.
    Depth,
    /// Not an object.
    NotAnObject,
}

impl Display for JsonFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Syntax => "not JSON",
            Self::Duplicate => "a name stands twice in one object",
            Self::Depth => "nested too deeply",
            Self::NotAnObject => "not an object",
        })
    }
}
