//! TLS by rustls: for callers, when given a certificate, and to those who take our messages.

use std::{path::Path, sync::Arc};

use hyper_rustls::ConfigBuilderExt;
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ClientConfig, RootCertStore, ServerConfig, crypto,
        pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    },
};

use crate::error::Failure;

/// Reads certificate chain and key, both PEM.
pub fn acceptor(certificate: &Path, key: &Path) -> Result<TlsAcceptor, Failure> {
    let at = |path: &Path, problem: &dyn std::fmt::Display| Failure::failed(&path.display().to_string(), problem);
    let chain = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|problem| at(certificate, &problem))?;
    if chain.is_empty() {
        return Err(at(certificate, &"holds no certificate"));
    }
    let private = PrivateKeyDer::from_pem_file(key).map_err(|problem| at(key, &problem))?;
    let provider = Arc::new(crypto::aws_lc_rs::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|problem| at(certificate, &problem))?
        .with_no_client_auth()
        .with_single_cert(chain, private)
        .map_err(|problem| at(certificate, &problem))?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// Whom we believe to be whom they say: by certificates that the machine trusts or, where `setting` names a file, by those in it alone.
pub fn client(setting: &str, ca_file: Option<&Path>) -> Result<ClientConfig, Failure> {
    let failed = |problem: &dyn std::fmt::Display| match ca_file {
        Some(file) => Failure::failed(&format!("{setting}, {}", file.display()), problem),
        None => Failure::failed("certificates that this machine trusts", problem),
    };
    let builder = ClientConfig::builder_with_provider(Arc::new(crypto::aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|problem| failed(&problem))?;
    let Some(file) = ca_file else {
        return Ok(builder.with_native_roots().map_err(|problem| failed(&problem))?.with_no_client_auth());
    };
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(file).map_err(|problem| failed(&problem))? {
        let certificate = certificate.map_err(|problem| failed(&problem))?;
        roots.add(certificate).map_err(|problem| failed(&problem))?;
    }
    if roots.is_empty() {
        return Err(failed(&"holds no certificate"));
    }
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}
