//! Values that are valid or do not exist.
