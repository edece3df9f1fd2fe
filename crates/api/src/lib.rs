//! What a running process shows over HTTP: metrics and health.
