//! HTTPS with a certificate authority of one's own, as companies have it in front of AWS.

use std::path::PathBuf;

use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use aws_smithy_http_client::{Builder, Connector};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use super::error::ConfigError;
use super::guard::guarded;
use crate::disk;

/// A client that trusts the certificates of `file` and no others, which is what the AWS CLI does with `AWS_CA_BUNDLE`,
/// and goes through the proxy of the environment.
///
/// # Errors
/// When the file can't be read, or what it holds is no certificate.
pub(super) fn client_with(file: PathBuf) -> Result<SharedHttpClient, ConfigError> {
    let refuse = |reason: String| ConfigError::Certificates { file: file.display().to_string(), reason };
    let pem = disk::read(&file, disk::SETTINGS).map_err(|error| refuse(error.to_string()))?;
    // The connector panics at what it can't read, so it is read here first.
    let certificates: Vec<CertificateDer<'_>> =
        CertificateDer::pem_slice_iter(&pem).collect::<Result<_, _>>().map_err(|error| refuse(error.to_string()))?;
    let mut roots = RootCertStore::empty();
    for certificate in certificates {
        roots.add(certificate).map_err(|error| refuse(error.to_string()))?;
    }
    if roots.is_empty() {
        return Err(refuse("there is no certificate in it".to_owned()));
    }
    let trust = TrustStore::empty().with_pem_certificate(pem);
    let context = TlsContext::builder().with_trust_store(trust).build().map_err(|error| refuse(error.to_string()))?;
    Ok(client(context))
}

/// A client that trusts this machine's certificates, and goes through the proxy of the environment: what the SDK takes
/// where it is given none.
pub(super) fn usual_client() -> SharedHttpClient {
    client(TlsContext::default())
}

fn client(context: TlsContext) -> SharedHttpClient {
    guarded(Builder::new().build_with_connector_fn(move |settings, components| {
        let mut builder = Connector::builder()
            .proxy_config(ProxyConfig::from_env())
            .tls_provider(Provider::Rustls(CryptoMode::AwsLc))
            .tls_context(context.clone());
        builder.set_connector_settings(settings.cloned());
        if let Some(components) = components {
            builder.set_sleep_impl(components.sleep_impl());
        }
        builder.build()
    }))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::empty("", "no certificate")]
    #[case::a_key("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "no certificate")]
    #[case::no_certificate("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "certificate")]
    #[case::cut_off("-----BEGIN CERTIFICATE-----\nAAAA\n", "")]
    fn what_is_no_certificate_is_an_error_and_no_panic(#[case] text: &str, #[case] says: &str) {
        let tmp = tempfile::tempdir().unwrap();
        let file = tmp.path().join("ca.pem");
        std::fs::write(&file, text).unwrap();
        let error = client_with(file).unwrap_err().to_string();
        assert!(error.contains("ca.pem") && error.contains(says), "{error}");
    }

    #[test]
    fn a_file_that_is_not_there_is_named() {
        let error = client_with("/nowhere/ca.pem".into()).unwrap_err().to_string();
        assert!(error.contains("/nowhere/ca.pem"), "{error}");
    }
}
