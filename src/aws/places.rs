//! Where calls go: to one place, which both profiles lead to.

use aws_config::SdkConfig;
use aws_types::service_config::ServiceConfigKey;

use super::error::ConfigError;
use crate::lab::backend::{self, ServicePlace};
use crate::lab::{Service, redact};

/// Returns the endpoint that `config` gives each of the lab's services. `AWS_ENDPOINT_URL_KMS` and its like override the
/// setting for all services (AWS SDKs and Tools reference, "Service-specific endpoints").
pub(super) fn places_of(config: &SdkConfig) -> Vec<ServicePlace> {
    let of_service = |service: &str| {
        let key = ServiceConfigKey::builder().service_id(service).env("AWS_ENDPOINT_URL").profile("endpoint_url");
        config.service_config()?.load_config(key.build().ok()?)
    };
    let all = config.endpoint_url().map(str::to_owned);
    // An address that was given by --endpoint-url is everybody's.
    let is_given = config.get_origin("endpoint_url").is_client_config();
    let place = |service: Service| {
        let own = if is_given { None } else { of_service(service.name()) };
        ServicePlace { service, endpoint: own.or_else(|| all.clone()) }
    };
    [Service::Sts, Service::Kms, Service::DynamoDb, Service::Iam].into_iter().map(place).collect()
}

/// A lab is in one place: test-user would look for the table in another.
pub(super) fn check_places(admin: &SdkConfig, user: &SdkConfig) -> Result<(), ConfigError> {
    let [admin, user] = [places_of(admin), places_of(user)];
    if admin == user {
        return Ok(());
    }
    Err(ConfigError::Apart {
        admin: backend::in_words(&admin),
        user: backend::in_words(&user),
        remedy: "give both profiles the same endpoint_url, or name one place with --endpoint-url",
    })
}

/// Checks the address that `--endpoint-url` names.
pub(super) fn check_url(url: &str) -> Result<(), ConfigError> {
    let refuse = |reason: &str| Err(ConfigError::Endpoint { url: url.to_owned(), reason: reason.to_owned() });
    match url.parse::<http::Uri>() {
        Err(error) => refuse(&format!("not a URL ({error})")),
        Ok(uri) => match (uri.scheme_str(), uri.authority()) {
            (_, Some(authority)) if authority.as_str().contains('@') => {
                let host = authority.as_str().rsplit('@').next().unwrap_or_default();
                let url = format!("{}://{}@{host}", uri.scheme_str().unwrap_or_default(), redact::REDACTED);
                let reason = "credentials come from a profile or the environment, not from the address".to_owned();
                Err(ConfigError::Endpoint { url, reason })
            }
            // An invalid port has been parsed as part of the host.
            (Some("http" | "https"), Some(authority))
                if authority.port().is_none() && authority.as_str() != authority.host() =>
            {
                refuse("the port is no number up to 65535")
            }
            (Some("http" | "https"), Some(_)) => Ok(()),
            _ => refuse("it needs http:// or https:// and a host"),
        },
    }
}
