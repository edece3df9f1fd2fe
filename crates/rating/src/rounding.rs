//! Rounding: once per call, decided on the exact quotient (boundaries.md C12).

use core::cmp::Ordering;
use core::fmt;

use drawdown_units::Money;

/// What becomes of the part of an amount below its last decimal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RoundingMode {
    /// To the nearest; a tie away from zero.
    HalfUp,
    /// To the nearest; a tie to the even neighbour.
    HalfEven,
    /// To the nearest; a tie towards zero.
    HalfDown,
    /// Away from zero.
    Up,
    /// Towards zero.
    Down,
}

impl RoundingMode {
    /// Every mode.
    pub const ALL: [RoundingMode; 5] = [Self::HalfUp, Self::HalfEven, Self::HalfDown, Self::Up, Self::Down];

    /// Reads the text that [`RoundingMode::as_str`] writes.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mode| mode.as_str() == text)
    }

    /// `half-up`, `half-even`, `half-down`, `up` or `down`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::HalfUp => "half-up",
            Self::HalfEven => "half-even",
            Self::HalfDown => "half-down",
            Self::Up => "up",
            Self::Down => "down",
        }
    }

    /// Whether a quotient with a remainder moves away from zero, where `half` compares that remainder with half a step.
    pub(crate) const fn moves_away(self, half: Ordering, is_odd: bool) -> bool {
        match (self, half) {
            (Self::Up, _) | (Self::HalfUp | Self::HalfEven | Self::HalfDown, Ordering::Greater) => true,
            (Self::HalfUp, Ordering::Equal) => true,
            (Self::HalfEven, Ordering::Equal) => is_odd,
            (Self::Down, _) | (Self::HalfUp | Self::HalfEven | Self::HalfDown, Ordering::Less) => false,
            (Self::HalfDown, Ordering::Equal) => false,
        }
    }
}

/// How a deck rounds a charge: the mode, and how many decimals are left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Rounding {
    /// What becomes of the rest.
    pub mode: RoundingMode,
    /// Decimals kept: 0 to [`Rounding::DECIMALS_MAX`].
    pub decimals: u8,
}

impl Rounding {
    /// The most decimals an amount can keep: those of [`Money`].
    pub const DECIMALS_MAX: u8 = Money::DECIMALS as u8;
}

impl Default for Rounding {
    fn default() -> Self {
        Rounding { mode: RoundingMode::HalfUp, decimals: Self::DECIMALS_MAX }
    }
}

impl fmt::Display for Rounding {
    /// For instance `half-up/6`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.mode.as_str(), self.decimals)
    }
}
