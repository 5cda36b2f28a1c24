//! A certificate authority of the tests' own, and a server certificate for localhost and 127.0.0.1 that it signed.

use super::server::Scratch;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, KeyUsagePurpose};
use std::sync::Arc;
use tokio_rustls::rustls;

/// PEM files: the authority's certificate, the server's certificate and its key.
#[derive(Clone)]
pub struct Certificates {
    pub ca: String,
    pub certificate: String,
    pub key: String,
}

impl Certificates {
    /// Makes an authority and a server certificate for these names, and writes them into `scratch`.
    pub fn make(scratch: &Scratch, names: &[&str]) -> Self {
        let mut authority = CertificateParams::default();
        authority.distinguished_name.push(DnType::CommonName, "postkamer test authority");
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate().unwrap()).unwrap();

        let key = KeyPair::generate().unwrap();
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut server = CertificateParams::new(names).unwrap();
        server.distinguished_name.push(DnType::CommonName, "postkamer test server");
        let server = server.signed_by(&key, &authority).unwrap();
        Self {
            ca: scratch.write("ca.pem", authority.pem()),
            certificate: scratch.write("server.pem", server.pem()),
            // Exim reads it under its own user; it protects nothing but a test.
            key: scratch.write("server.key", key.serialize_pem()),
        }
    }
}

/// A TLS client configuration that trusts the authority in this PEM file and nobody else.
pub fn trusting(ca_file: &str) -> Arc<rustls::ClientConfig> {
    use rustls::pki_types::{CertificateDer, pem::PemObject};
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(ca_file).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    Arc::new(
        rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth(),
    )
}
