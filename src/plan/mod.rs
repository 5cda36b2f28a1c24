//! A verdict becomes what must happen.
