//! Data of other people's HTTP services.
