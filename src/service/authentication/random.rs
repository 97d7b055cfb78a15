//! Random numbers for salts, tokens and keys: straight from the system, for none of them is drawn often.

/// The system gave no random numbers. Nothing is made then: what can be guessed is worse than nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the system's random number generator failed")]
pub(crate) struct NoRandomNumbers;

/// Bytes that nobody can foresee.
///
/// # Errors
///
/// [`NoRandomNumbers`]
pub(super) fn random<const N: usize>() -> Result<[u8; N], NoRandomNumbers> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|_| NoRandomNumbers)?;
    Ok(bytes)
}
