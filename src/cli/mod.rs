//! Arguments to one function of the library.
