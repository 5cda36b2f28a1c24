//! Files become text, in a child process with limits.
