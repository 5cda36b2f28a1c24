//! The one integration-test binary; each module is a topic.
#![allow(missing_docs, reason = "tests are named by sentences")]
