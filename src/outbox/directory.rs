//! Replies as `.eml` files: the embedded default.

use std::path::{Path, PathBuf};

use tokio::io::AsyncWriteExt as _;

use crate::words::MessageId;

/// Writes messages into a directory.
#[derive(Clone, Debug)]
pub struct Directory {
    path: PathBuf,
}

impl Directory {
    /// Messages will be written into `path`, which is made (0700) when missing.
    #[must_use]
    pub fn new(path: &Path) -> Self {
        Self { path: path.to_owned() }
    }

    /// Writes one message, synced, under a name made from its Message-ID, so that a repetition overwrites the same
    /// file. The recipients are those of its header.
    ///
    /// # Errors
    /// What the system says.
    pub async fn write(&self, id: &MessageId, message: &[u8]) -> std::io::Result<PathBuf> {
        tokio::fs::DirBuilder::new().recursive(true).mode(0o700).create(&self.path).await?;
        let name: String =
            id.left().chars().map(|c| if c.is_ascii_alphanumeric() || c == '-' || c == '.' { c } else { '_' }).take(100).collect();
        let name = name.trim_start_matches('.');
        let (temporary, file_name) = (self.path.join(format!(".{name}.tmp")), self.path.join(format!("{name}.eml")));
        let mut file = tokio::fs::File::create(&temporary).await?;
        file.write_all(message).await?;
        // A write may fail after the fact; only `flush` tells.
        file.flush().await?;
        file.sync_all().await?;
        tokio::fs::rename(&temporary, &file_name).await?;
        tokio::fs::File::open(&self.path).await?.sync_all().await?;
        Ok(file_name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_repetition_overwrites_the_same_file() {
        let directory = tempfile::tempdir().unwrap();
        let out = Directory::new(&directory.path().join("replies"));
        let id: MessageId = "PK-00001.abc/../x@zaakwijs.example".parse().unwrap();
        let first = out.write(&id, b"Subject: one\r\n\r\n").await.unwrap();
        let second = out.write(&id, b"Subject: two\r\n\r\n").await.unwrap();
        assert_eq!(first, second);
        assert_eq!(first.parent(), Some(directory.path().join("replies").as_path()));
        assert_eq!(std::fs::read(&first).unwrap(), b"Subject: two\r\n\r\n");
        assert_eq!(std::fs::read_dir(directory.path().join("replies")).unwrap().count(), 1);
    }
}
