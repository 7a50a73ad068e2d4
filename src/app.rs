//! The one value that endpoints get.
