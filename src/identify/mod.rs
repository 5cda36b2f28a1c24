//! Who is it: the directory of organisations and contacts.
