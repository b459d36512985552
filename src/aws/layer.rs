//! A layer around an HTTP client: every request passes through one function, retries too.

use std::fmt;

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::connector_metadata::ConnectorMetadata;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::runtime_components::{RuntimeComponents, RuntimeComponentsBuilder};
use aws_smithy_types::config_bag::ConfigBag;

/// Wraps `client`: `send` gets each request and the connector to send it with.
pub(super) fn layered<F>(client: SharedHttpClient, send: F) -> SharedHttpClient
where
    F: Fn(&SharedHttpConnector, HttpRequest) -> HttpConnectorFuture + Clone + Send + Sync + 'static,
{
    SharedHttpClient::new(Layer { inner: client, send })
}

struct Layer<T, F> {
    inner: T,
    send: F,
}

impl<T: fmt::Debug, F> fmt::Debug for Layer<T, F> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_tuple("Layer").field(&self.inner).finish()
    }
}

impl<F> HttpClient for Layer<SharedHttpClient, F>
where
    F: Fn(&SharedHttpConnector, HttpRequest) -> HttpConnectorFuture + Clone + Send + Sync + 'static,
{
    fn http_connector(&self, settings: &HttpConnectorSettings, components: &RuntimeComponents) -> SharedHttpConnector {
        let inner = self.inner.http_connector(settings, components);
        SharedHttpConnector::new(Layer { inner, send: self.send.clone() })
    }

    fn validate_base_client_config(
        &self,
        components: &RuntimeComponentsBuilder,
        config: &ConfigBag,
    ) -> Result<(), BoxError> {
        HttpClient::validate_base_client_config(&self.inner, components, config)
    }

    fn validate_final_config(&self, components: &RuntimeComponents, config: &ConfigBag) -> Result<(), BoxError> {
        HttpClient::validate_final_config(&self.inner, components, config)
    }

    fn connector_metadata(&self) -> Option<ConnectorMetadata> {
        self.inner.connector_metadata()
    }
}

impl<F> HttpConnector for Layer<SharedHttpConnector, F>
where
    F: Fn(&SharedHttpConnector, HttpRequest) -> HttpConnectorFuture + Send + Sync + 'static,
{
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        (self.send)(&self.inner, request)
    }
}
