//! Each type, value by value.
