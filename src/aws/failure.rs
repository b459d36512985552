//! SDK errors without a response, as a sentence and a remedy.

use std::error::Error;
use std::time::Duration;

use aws_smithy_runtime_api::client::result::SdkError;

use super::guard::Unfit;
use crate::lab::CallError;
use crate::lab::redact;

const NOT_IN_TIME: &str = "the server did not answer in time: check that it is well, then retry";

const NO_DOCUMENT: &str = "the answer was cut off or is not AWS's: check what answers at this endpoint";

pub(super) const NOT_AWS: &str = "this is not a response from AWS: check what answers at this endpoint";

/// Describes a success whose body is neither JSON nor XML.
pub(super) fn no_document() -> CallError {
    CallError { message: "the answer's document can't be read".to_owned(), remedy: NO_DOCUMENT.to_owned() }
}

/// Describes a success of `operation` whose body doesn't name its result.
pub(super) fn no_result(operation: &str) -> CallError {
    let message = format!("the response to {operation} doesn't name its result");
    CallError { message, remedy: NO_DOCUMENT.to_owned() }
}

/// The messages of an error and of all its causes, outermost first, without repetitions.
pub(crate) fn chain(error: &dyn Error) -> String {
    let mut messages = vec![error.to_string()];
    let mut cause = error.source();
    while let Some(error) = cause {
        let message = error.to_string();
        if messages.last().is_none_or(|last| !last.contains(&message)) {
            messages.push(message);
        }
        cause = error.source();
    }
    redact::clean(&messages.join(": "))
}

/// Describes a call that ran out of time.
pub(super) fn no_answer(waited: Duration) -> CallError {
    CallError { message: format!("no answer within {} s", waited.as_secs_f32()), remedy: NOT_IN_TIME.to_owned() }
}

/// Describes a call without a usable response. An error that the service returned is described by its response;
/// this is kept for the case that there was none.
pub(super) fn describe<E, R>(error: &SdkError<E, R>) -> CallError
where
    E: Error + 'static,
    R: std::fmt::Debug + 'static,
{
    if let Some(unfit) = unfit(error) {
        return CallError { message: unfit.to_string(), remedy: NOT_AWS.to_owned() };
    }
    let message = plain(&chain(error));
    let remedy = match error {
        SdkError::ConstructionFailure(_) => "check the credentials and the region of this profile",
        SdkError::TimeoutError(_) => NOT_IN_TIME,
        SdkError::DispatchFailure(_) if is_about_certificates(&message) => {
            "the server's certificate is not trusted: check the address, and where a company's proxy stands in between, let \
             AWS_CA_BUNDLE (or ca_bundle in the profile) name the file with its certificate"
        }
        SdkError::DispatchFailure(_) if message.starts_with("dns error") => {
            "the server's name can't be looked up: check the network and the endpoint's address, then retry"
        }
        SdkError::DispatchFailure(_) => {
            "check that the server runs and that the endpoint's address is right, then retry"
        }
        // A service's own error is in its response. This one is a response that can't be read.
        SdkError::ResponseError(_) | SdkError::ServiceError(_) => NO_DOCUMENT,
        _ => "retry",
    };
    CallError { message, remedy: remedy.to_owned() }
}

/// Why the guard refused the response, if it did.
fn unfit(error: &(dyn Error + 'static)) -> Option<Unfit> {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if let Some(unfit) = error.downcast_ref() {
            return Some(*unfit);
        }
        cause = error.source();
    }
    None
}

/// `message` from where it begins to say something: the layers of the SDK and its HTTP client name themselves before it.
pub(super) fn plain(message: &str) -> String {
    const LAYERS: [&str; 7] = [
        "an error occurred while loading credentials: ",
        "the credential provider was not properly configured: ",
        "dispatch failure: ",
        "io error: ",
        "client error (Connect): ",
        "client error (SendRequest): ",
        "tunnel error: failed to create underlying connection: ",
    ];
    LAYERS.iter().fold(message, |rest, layer| rest.strip_prefix(layer).unwrap_or(rest)).to_owned()
}

/// Returns whether a connection failed because of the server's certificate, by rustls's words.
fn is_about_certificates(message: &str) -> bool {
    message.contains("invalid peer certificate")
}
