//! Money as decimals: reading, writing, rounding once.

use rust_decimal::Decimal;

/// How the last kept digit is decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RoundingMode {
    /// Half away from zero.
    HalfUp,
    HalfEven,
    HalfDown,
    /// Away from zero.
    Up,
    /// Towards zero.
    Down,
}

impl RoundingMode {
    pub fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "half-up" => Self::HalfUp,
            "half-even" => Self::HalfEven,
            "half-down" => Self::HalfDown,
            "up" => Self::Up,
            "down" => Self::Down,
            _ => return None,
        })
    }
}

/// `sixtieths / 60` rounded to `decimals`, decided on the exact quotient (C12). Never negative here.
pub fn round_sixtieths(sixtieths: Decimal, mode: RoundingMode, decimals: u32) -> Decimal {
    let sixty = Decimal::from(60);
    let scaled = sixtieths * Decimal::from(10_u64.pow(decimals));
    let rest = scaled % sixty;
    let floor = (scaled - rest) / sixty;
    let twice = rest + rest;
    let away = match mode {
        RoundingMode::HalfUp => twice >= sixty,
        RoundingMode::HalfDown => twice > sixty,
        RoundingMode::HalfEven => twice > sixty || (twice == sixty && floor % Decimal::TWO == Decimal::ONE),
        RoundingMode::Up => rest > Decimal::ZERO,
        RoundingMode::Down => false,
    };
    let whole = if away { floor + Decimal::ONE } else { floor };
    (whole * Decimal::new(1, decimals)).normalize()
}

/// A plain decimal: an optional minus, digits, an optional point with digits.
pub fn parse(text: &str) -> Option<Decimal> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let plain = digits.starts_with(|c: char| c.is_ascii_digit())
        && digits.ends_with(|c: char| c.is_ascii_digit())
        && digits.chars().all(|c| c.is_ascii_digit() || c == '.');
    if plain { text.parse().ok() } else { None }
}

/// At least two decimals, no idle zeros beyond (C13).
pub fn print(amount: Decimal) -> String {
    let mut amount = amount.normalize();
    if amount.is_zero() {
        amount.set_sign_positive(true);
    }
    if amount.scale() < 2 {
        amount.rescale(2);
    }
    amount.to_string()
}

pub fn is_whole(amount: Decimal) -> bool {
    amount.fract().is_zero()
}
