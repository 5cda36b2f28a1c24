//! Passwords, read when they are needed and never kept.

use std::io::Write as _;
use std::os::unix::fs::MetadataExt as _;
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

/// Puts another secret in the place of a file's content, whole or not at all. Owner and permissions stay, and so does a link
/// that leads to the file.
pub(super) async fn replace_secret_file(path: &Path, secret: Redacted<String>) -> std::io::Result<()> {
    let path = tokio::fs::canonicalize(path).await?;
    let replaced = tokio::task::spawn_blocking(move || {
        let directory = path.parent().unwrap_or(Path::new("/"));
        let old = std::fs::metadata(&path)?;
        // Made readable by us alone; it becomes what the old one was before it takes its name.
        let mut new = tempfile::Builder::new().prefix(".secret-").tempfile_in(directory)?;
        writeln!(new, "{}", secret.reveal())?;
        let made = new.as_file().metadata()?;
        if (made.uid(), made.gid()) != (old.uid(), old.gid()) {
            std::os::unix::fs::fchown(new.as_file(), Some(old.uid()), Some(old.gid()))?;
        }
        new.as_file().set_permissions(old.permissions())?;
        new.as_file().sync_all()?;
        new.persist(&path).map_err(|error| error.error)?;
        std::fs::File::open(directory)?.sync_all()
    });
    replaced.await.unwrap_or_else(|_| Err(std::io::ErrorKind::Other.into()))
}

/// Whether [`replace_secret_file`] could do its work.
pub(super) fn can_be_replaced(path: &Path) -> bool {
    let target = std::fs::canonicalize(path);
    target
        .ok()
        .and_then(|target| target.parent().map(|directory| rustix::fs::access(directory, rustix::fs::Access::WRITE_OK).is_ok()))
        .unwrap_or(false)
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
    async fn a_replaced_secret_keeps_its_permissions_and_the_link_to_it() {
        use std::os::unix::fs::PermissionsExt as _;
        let directory = tempfile::tempdir().unwrap();
        let (file, link) = (directory.path().join("token"), directory.path().join("link"));
        std::fs::write(&file, "old\n").unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o640)).unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        replace_secret_file(&link, Redacted::new("new".to_owned())).await.unwrap();
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "new\n");
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o640);
        assert!(link.is_symlink() && std::fs::read_dir(directory.path()).unwrap().count() == 2);
        assert!(can_be_replaced(&link) && !can_be_replaced(&directory.path().join("absent")));
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
