//! Passwords, read when they are needed and never kept.

use std::path::Path;

use super::{MailboxError, Password};
use crate::words::Redacted;

impl Password {
    /// Reads the password.
    ///
    /// # Errors
    /// [`MailboxError::Secret`], naming the file or variable but never its content.
    pub async fn read(&self) -> Result<Redacted<String>, MailboxError> {
        match self {
            Self::File(path) => read_secret_file(path).await,
            Self::Env(name) => match std::env::var(name) {
                Ok(value) if !value.is_empty() => Ok(Redacted::new(value)),
                _ => Err(MailboxError::Secret(format!("the environment variable {name} holds no password"))),
            },
        }
    }
}

/// The content of a secret's file without one trailing newline.
pub(super) async fn read_secret_file(path: &Path) -> Result<Redacted<String>, MailboxError> {
    let fault = |what: &str| MailboxError::Secret(format!("the secret in {} {what}", path.display()));
    let bytes = tokio::fs::read(path).await.map_err(|e| fault(&format!("cannot be read: {}", e.kind())))?;
    let text = String::from_utf8(bytes).map_err(|_| fault("is not UTF-8 text"))?;
    let line = text.strip_suffix('\n').unwrap_or(&text);
    let line = line.strip_suffix('\r').unwrap_or(line);
    if line.is_empty() {
        return Err(fault("is empty"));
    }
    Ok(Redacted::new(line.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn one_trailing_newline_is_dropped_and_no_more() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("password");
        for (content, password) in [("geheim\n", "geheim"), ("geheim\r\n", "geheim"), ("geheim\n\n", "geheim\n"), (" x ", " x ")] {
            std::fs::write(&path, content).unwrap();
            assert_eq!(Password::File(path.clone()).read().await.unwrap().reveal(), password);
        }
    }

    #[tokio::test]
    async fn an_unreadable_secret_is_named_by_its_file_only() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("password");
        std::fs::write(&path, b"\xffgeheim").unwrap();
        let error = Password::File(path).read().await.unwrap_err();
        assert!(!error.to_string().contains("geheim") && !error.is_passing());
    }
}
