//! Files become checked settings.
