//! TLS: rustls with ring, the system's certificate authorities and the admin's.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustix::net::sockopt;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::MailboxError;

/// Deadline for a name to be resolved, and for a TLS handshake.
const LIMIT: Duration = Duration::from_secs(30);
/// Deadline for a TCP connection: its first packet is sent four times by then.
const CONNECT_LIMIT: Duration = Duration::from_secs(10);
/// A connection on which nothing was heard for so long is asked whether it is there, so often.
const ASKED_AFTER: Duration = Duration::from_secs(5);
const ASKED_EVERY: Duration = Duration::from_secs(3);
/// It counts as lost when the other side acknowledges nothing for so long, in milliseconds.
const DEAF: u32 = 12_000;

/// Why there is no secure connection.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TlsFault {
    /// The file of further authorities cannot be used.
    #[error("the file {0} holds no certificates that can be read")]
    CaFile(String),
    /// The system offers no authorities, and none are set.
    #[error("this machine knows no certificate authorities; install ca-certificates or set `ca_file`")]
    NoRoots,
    /// The host is no name that a certificate could be for.
    #[error("the host name is not one that a certificate can be issued for")]
    HostName,
    /// The certificate has expired.
    #[error("the server's certificate has expired")]
    Expired,
    /// The certificate is not valid yet.
    #[error("the server's certificate is not valid yet; is this machine's clock right?")]
    NotYetValid,
    /// The certificate belongs to another host.
    #[error("the server's certificate was issued for another host name")]
    OtherName,
    /// Nobody we trust has signed the certificate.
    #[error(
        "the server's certificate is self-signed, or signed by an authority that this machine does not know; set `ca_file` to a file with that certificate"
    )]
    UnknownIssuer,
    /// The certificate is a self-signed one that calls itself an authority.
    #[error(
        "the server shows a self-signed certificate that calls itself a certificate authority (CA:TRUE); it needs a server certificate signed by that authority"
    )]
    AuthorityAsServer,
    /// The certificate was revoked.
    #[error("the server's certificate was revoked")]
    Revoked,
    /// Any other fault of the certificate.
    #[error("the server's certificate is not valid")]
    Certificate,
    /// The two sides found no common protocol or cipher, or the server speaks no TLS here.
    #[error("the server and this machine could not agree on TLS; is the port one with TLS from the first byte?")]
    Handshake,
    /// The connection ended in the handshake.
    #[error("the connection ended during the TLS handshake")]
    Ended,
}

impl TlsFault {
    /// True when trying again may help.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        matches!(self, Self::Ended)
    }
}

/// Client settings that trust the system's authorities and those in `ca_file`.
///
/// # Errors
/// The file cannot be used, or there are no authorities at all.
pub async fn client_config(ca_file: Option<&Path>) -> Result<Arc<rustls::ClientConfig>, TlsFault> {
    let mut roots = rustls::RootCertStore::empty();
    // Loading parses some hundred certificates from disk: not on a thread that other mailboxes wait for.
    let native = tokio::task::spawn_blocking(|| rustls_native_certs::load_native_certs().certs).await.unwrap_or_default();
    roots.add_parsable_certificates(native);
    if let Some(path) = ca_file {
        let fault = || TlsFault::CaFile(path.display().to_string());
        let pem = tokio::fs::read(path).await.map_err(|_| fault())?;
        let mut found = 0;
        for certificate in CertificateDer::pem_slice_iter(&pem) {
            roots.add(certificate.map_err(|_| fault())?).map_err(|_| fault())?;
            found += 1;
        }
        if found == 0 {
            return Err(fault());
        }
    }
    if roots.is_empty() {
        return Err(TlsFault::NoRoots);
    }
    let config = rustls::ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|_| TlsFault::Handshake)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

/// The TLS handshake on a connected stream.
///
/// # Errors
/// [`MailboxError::Tls`], or no answer in time.
pub async fn handshake(tcp: TcpStream, host: &str, ca_file: Option<&Path>) -> Result<TlsStream<TcpStream>, MailboxError> {
    let name = ServerName::try_from(host.to_owned()).map_err(|_| TlsFault::HostName)?;
    let connector = TlsConnector::from(client_config(ca_file).await?);
    match timeout(LIMIT, connector.connect(name, tcp)).await {
        Err(_) => Err(MailboxError::Timeout("setting up TLS")),
        Ok(Err(error)) => Err(MailboxError::Tls(fault_of(&error))),
        Ok(Ok(stream)) => Ok(stream),
    }
}

/// A connection to the host; with `only_local`, to loopback addresses alone.
///
/// # Errors
/// Nobody answers there in time, or the host is not local.
pub async fn connect(host: &str, port: u16, only_local: bool) -> Result<TcpStream, MailboxError> {
    let found =
        timeout(LIMIT, tokio::net::lookup_host((host, port))).await.map_err(|_| MailboxError::Timeout("looking up the host name"))?;
    let addresses: Vec<SocketAddr> = found.map_err(|_| MailboxError::Unresolved(host.to_owned()))?.collect();
    let unreachable = |error: std::io::Error| MailboxError::Unreachable(format!("{host}:{port}"), error.kind());
    let mut last = MailboxError::Unresolved(host.to_owned());
    for address in addresses {
        if only_local && !address.ip().is_loopback() {
            last = MailboxError::PlainNotLocal;
            continue;
        }
        match timeout(CONNECT_LIMIT, TcpStream::connect(address)).await {
            Err(_) => last = MailboxError::Timeout("connecting"),
            Ok(Err(error)) => last = unreachable(error),
            Ok(Ok(stream)) => {
                stream.set_nodelay(true).and_then(|()| notice_silence(&stream)).map_err(unreachable)?;
                return Ok(stream);
            }
        }
    }
    Err(last)
}

/// A server that only takes its time acknowledges what it is sent. Where packets get lost on the way nobody does, and no command's deadline, long as it
/// must be, is waited for (RFC 9293 §3.8.4, RFC 5482).
fn notice_silence(stream: &TcpStream) -> std::io::Result<()> {
    sockopt::set_tcp_keepidle(stream, ASKED_AFTER)?;
    sockopt::set_tcp_keepintvl(stream, ASKED_EVERY)?;
    sockopt::set_tcp_user_timeout(stream, DEAF)?;
    sockopt::set_socket_keepalive(stream, true)?;
    Ok(())
}

/// What a failed handshake was about. Also used for the errors of other crates that wrap a rustls error.
pub fn fault_of(error: &(dyn std::error::Error + 'static)) -> TlsFault {
    use rustls::CertificateError as C;
    let mut cause = Some(error);
    while let Some(error) = cause {
        // An io::Error hides the error it wraps from `source()`; look inside.
        let inner =
            error.downcast_ref::<std::io::Error>().and_then(|io| io.get_ref()).map(|inner| inner as &(dyn std::error::Error + 'static));
        let seen = inner.unwrap_or(error);
        if let Some(tls) = seen.downcast_ref::<rustls::Error>() {
            return match tls {
                rustls::Error::InvalidCertificate(certificate) => match certificate {
                    C::Expired | C::ExpiredContext { .. } => TlsFault::Expired,
                    C::NotValidYet | C::NotValidYetContext { .. } => TlsFault::NotYetValid,
                    C::NotValidForName | C::NotValidForNameContext { .. } => TlsFault::OtherName,
                    C::UnknownIssuer => TlsFault::UnknownIssuer,
                    C::Revoked => TlsFault::Revoked,
                    // The verifier's own error type is not exported; its Debug text is the variant's name.
                    C::Other(other) if format!("{other:?}").contains("CaUsedAsEndEntity") => TlsFault::AuthorityAsServer,
                    _ => TlsFault::Certificate,
                },
                _ => TlsFault::Handshake,
            };
        }
        cause = seen.source();
    }
    TlsFault::Ended
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_connection_on_which_packets_get_lost_is_noticed() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let stream = connect("127.0.0.1", listener.local_addr().unwrap().port(), true).await.unwrap();
        assert!(sockopt::socket_keepalive(&stream).unwrap());
        assert_eq!(sockopt::tcp_keepidle(&stream).unwrap() + sockopt::tcp_keepintvl(&stream).unwrap(), Duration::from_secs(8));
        assert_eq!(sockopt::tcp_user_timeout(&stream).unwrap(), 12_000);
    }

    #[tokio::test]
    async fn a_server_that_cannot_be_reached_is_named() {
        // A name that no resolver needs to be asked about: one of its labels is empty.
        let error = connect("imap..example", 993, false).await.unwrap_err();
        assert_eq!(error, MailboxError::Unresolved("imap..example".to_owned()));
        // Nobody listens on port 1 of this machine.
        let error = connect("127.0.0.1", 1, false).await.unwrap_err();
        assert_eq!(error.to_string(), "the server 127.0.0.1:1 could not be reached: connection refused");
    }
}
