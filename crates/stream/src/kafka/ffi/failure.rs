//! Errors of the transactional calls, and what they leave open.

use std::ffi::CStr;
use std::fmt;

use rdkafka::types::RDKafkaErrorCode;
use rdkafka_sys as sys;

/// What is left to do after an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// The same call again.
    Retriable,
    /// The transaction is to be aborted.
    Abortable,
    /// A new client.
    Fatal,
}

/// An error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// What is left to do.
    pub severity: Severity,
    /// Which error.
    pub code: RDKafkaErrorCode,
    /// In librdkafka's words.
    pub text: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} ({:?})", self.text, self.code)
    }
}

impl Failure {
    /// Of a call that tells only a code: nothing can be known to be open.
    pub(super) fn of_code(code: RDKafkaErrorCode) -> Self {
        Failure { severity: Severity::Fatal, code, text: code.to_string() }
    }

    /// Takes over the error that a call returned; null is none. What librdkafka does not classify is fatal.
    ///
    /// # Safety
    /// `error` is null, or a live error that nobody else destroys.
    pub(super) unsafe fn take(error: *mut sys::rd_kafka_error_t) -> Result<(), Failure> {
        if error.is_null() {
            return Ok(());
        }
        // SAFETY: the error is alive by contract, its string lives as long, and it is destroyed once, at the end.
        unsafe {
            let severity = if sys::rd_kafka_error_is_fatal(error) != 0 {
                Severity::Fatal
            } else if sys::rd_kafka_error_txn_requires_abort(error) != 0 {
                Severity::Abortable
            } else if sys::rd_kafka_error_is_retriable(error) != 0 {
                Severity::Retriable
            } else {
                Severity::Fatal
            };
            let code = sys::rd_kafka_error_code(error).into();
            let text = CStr::from_ptr(sys::rd_kafka_error_string(error)).to_string_lossy().into_owned();
            sys::rd_kafka_error_destroy(error);
            Err(Failure { severity, code, text })
        }
    }
}
