//! Tests over a pipe, with a server that follows a script.
