//! SDK errors without a response, as a sentence and a remedy.

use std::error::Error;

use aws_smithy_runtime_api::client::result::SdkError;

use crate::lab::NoResponse;
use crate::lab::redact;

/// The messages of an error and of all its causes, outermost first, without repetitions.
pub(super) fn chain(error: &dyn Error) -> String {
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

/// What to say about a call that got no usable response. An error that the service answered is told by its response;
/// this is kept for the case that there was none.
pub(super) fn describe<E, R>(error: &SdkError<E, R>) -> NoResponse
where
    E: Error + 'static,
    R: std::fmt::Debug,
{
    let message = chain(error);
    let remedy = match error {
        SdkError::ConstructionFailure(_) => "check the credentials and the region of this profile",
        SdkError::TimeoutError(_) => "the server did not answer in time: check that it is well, then retry",
        SdkError::DispatchFailure(_) => {
            "check that the server runs and that the endpoint's address is right, then retry"
        }
        SdkError::ResponseError(_) => "the answer was cut off or is not AWS's: check what answers at this endpoint",
        _ => "retry",
    };
    NoResponse { message, remedy: remedy.to_owned() }
}
