//! How the fake misbehaves.

use std::time::Duration;

/// What happens to one `PutLogEvents`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// 400 `ExpiredTokenException`.
    ExpiredToken,
    /// Stored, then 500.
    FailAfterStoring,
    /// 500, nothing stored.
    FailBeforeStoring,
    /// Never answered, nothing stored.
    Hang,
    /// Stored, never answered.
    HangAfterStoring,
    /// 400 `InvalidParameterException` when some message contains `poison`.
    InvalidIfPoisoned,
    /// Nothing out of the ordinary.
    None,
    /// The connection is reset after storing.
    ResetAfterStoring,
    /// The connection is reset, nothing stored.
    ResetBeforeStoring,
    /// Answered after so long.
    Slow(Duration),
    /// 400 `ThrottlingException`.
    Throttle,
    /// 503 `ServiceUnavailableException`.
    Unavailable,
    /// 400 `UnrecognizedClientException`.
    UnrecognizedClient,
}

/// Random faults.
#[derive(Clone, Copy, Debug)]
pub struct Chaos {
    /// Puts of a thousand that go wrong.
    pub per_mille: u64,
}

/// Faults that chaos chooses from: everything that a client must survive without a loss.
const CHOICE: [Fault; 8] = [
    Fault::FailAfterStoring,
    Fault::FailBeforeStoring,
    Fault::ResetAfterStoring,
    Fault::ResetBeforeStoring,
    Fault::Slow(Duration::from_millis(30)),
    Fault::Throttle,
    Fault::Unavailable,
    Fault::UnrecognizedClient,
];

impl Chaos {
    /// What a random number means.
    pub(super) fn choose(self, random: u64) -> Fault {
        if random % 1000 >= self.per_mille {
            return Fault::None;
        }
        let choices = CHOICE.len() as u64;
        usize::try_from(random / 1000 % choices)
            .ok()
            .and_then(|n| CHOICE.get(n))
            .copied()
            .unwrap_or(Fault::None)
    }
}

/// The next number of a sequence that looks random (xorshift64).
pub(super) const fn next_random(state: &mut u64) -> u64 {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    *state
}
