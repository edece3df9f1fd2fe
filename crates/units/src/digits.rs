//! Decimal digits, eight at once: read and written for every call, so that nothing here waits for one digit after another.

/// The two digits of every number below a hundred: writing two at a time halves the divisions.
const TWO_DIGITS: [[u8; 2]; 100] = {
    let mut table = [[0; 2]; 100];
    let mut number: u8 = 0;
    while number < 100 {
        table[number as usize] = [b'0'.wrapping_add(number / 10), b'0'.wrapping_add(number % 10)];
        number = number.wrapping_add(1);
    }
    table
};

#[inline]
pub(crate) fn put_two(out: &mut [u8], position: usize, value: u32) {
    let digits = TWO_DIGITS[value as usize];
    out[position] = digits[0];
    out[position.wrapping_add(1)] = digits[1];
}

const ZEROS: u64 = u64::from_le_bytes([b'0'; 8]);
const ONES: u64 = u64::from_le_bytes([1; 8]);
const NINES: u64 = u64::from_le_bytes([9; 8]);

/// The highest bit of each of eight bytes that is greater than the byte of `greatest`, which is below 0x80, at its place.
#[inline]
#[allow(clippy::arithmetic_side_effects, reason = "no byte of the difference is negative")]
pub(crate) fn above(bytes: u64, greatest: u64) -> u64 {
    const HIGHS: u64 = 0x8080_8080_8080_8080;
    // What is added brings the least that is too great to the highest bit.
    ((bytes & !HIGHS).wrapping_add((HIGHS - ONES) - greatest) | bytes) & HIGHS
}

/// The eight decimal digits of `value`, which is below 10^8: numbers from 0 to 9, a byte each, the first in the lowest. All
/// eight at once, by halves of halves.
#[inline]
#[allow(clippy::arithmetic_side_effects, reason = "no part outgrows its bits")]
fn eight_digits(value: u32) -> u64 {
    let fours = u64::from(value / 10_000) | u64::from(value % 10_000) << 32;
    // 10486 / 2^20 is a hundredth, exact enough below 10^4; 103 / 2^10 a tenth below 100.
    let hundreds = ((fours * 10_486) >> 20) & 0x7f_0000_007f;
    let pairs = hundreds | (fours - hundreds * 100) << 16;
    let tens = ((pairs * 103) >> 10) & 0x0f_000f_000f_000f;
    tens | (pairs - tens * 10) << 8
}

/// The sixteen decimal digits of `value`, which is below 10^16, as ASCII, the first in the lowest byte.
#[inline]
#[allow(clippy::arithmetic_side_effects, reason = "divided by a constant")]
pub fn sixteen_digits(value: u64) -> u128 {
    let [high, low] = [value / 100_000_000, value % 100_000_000].map(|half| eight_digits(half as u32) | ZEROS);
    u128::from(high) | u128::from(low) << 64
}

/// Writes the digits of `value`, which is below 10^16, to the beginning of `out`, and returns how many they are, one at least.
/// What follows them, up to the sixteenth byte, is overwritten as well.
#[inline]
#[allow(clippy::arithmetic_side_effects, reason = "eight and sixteen digits, less those that are not written")]
pub(crate) fn put_whole(out: &mut [u8; 16], value: u64) -> usize {
    if value < 100_000_000 {
        let digits = eight_digits(value as u32);
        let idle = (digits | 1 << 56).trailing_zeros() / 8;
        out[..8].copy_from_slice(&((digits | ZEROS) >> (8 * idle)).to_le_bytes());
        return 8 - idle as usize;
    }
    let digits = sixteen_digits(value);
    let idle = (digits as u64 ^ ZEROS).trailing_zeros() / 8;
    *out = (digits >> (8 * idle)).to_le_bytes();
    16 - idle as usize
}

/// Writes the nine digits of `nanos` to the beginning of `out`, and returns how many are left without zeros at their end.
#[inline]
#[allow(clippy::arithmetic_side_effects, reason = "nine digits")]
pub(crate) fn put_fraction(out: &mut [u8; 9], nanos: u32) -> usize {
    let (digits, last) = (eight_digits(nanos / 10), nanos % 10);
    out[..8].copy_from_slice(&(digits | ZEROS).to_le_bytes());
    out[8] = b'0'.wrapping_add(last as u8);
    if last > 0 { 9 } else { 8 - digits.leading_zeros() as usize / 8 }
}

/// The digits that eight bytes begin with, as if zeros followed up to the eighth, and how many they are.
#[inline]
pub(crate) fn leading_digits(bytes: &[u8; 8]) -> (u32, usize) {
    let digits = u64::from_le_bytes(*bytes) ^ ZEROS;
    let is_other = above(digits, NINES);
    let length = is_other.trailing_zeros() / 8;
    let is_digit = 1_u64.checked_shl(length.wrapping_mul(8)).map_or(u64::MAX, |bit| bit.wrapping_sub(1));
    // Neighbours become pairs, pairs become fours, fours become the number; the first byte is worth most.
    let digits = digits & is_digit;
    let pairs = digits.wrapping_mul(10).wrapping_add(digits >> 8) & 0x00ff_00ff_00ff_00ff;
    let fours = pairs.wrapping_mul(100).wrapping_add(pairs >> 16) & 0x0000_ffff_0000_ffff;
    let number = fours.wrapping_mul(10_000).wrapping_add(fours >> 32) & 0xffff_ffff;
    (number as u32, length as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_those_of_the_number() {
        for power in (0..=16).map(|exponent| 10_u64.pow(exponent)) {
            for value in (0..2_000).flat_map(|n| [power.saturating_sub(n), power + n * 7_919, power / 3 + n]) {
                let value = value % 10_000_000_000_000_000;
                assert_eq!(sixteen_digits(value).to_le_bytes().as_slice(), format!("{value:016}").as_bytes());
                let mut out = [0; 16];
                let length = put_whole(&mut out, value);
                assert_eq!(&out[..length], value.to_string().as_bytes());
                let nanos = (value % 1_000_000_000) as u32;
                let mut out = [0; 9];
                let length = put_fraction(&mut out, nanos);
                assert_eq!(&out[..length], format!("{nanos:09}").trim_end_matches('0').as_bytes());
                assert_eq!(&out, format!("{nanos:09}").as_bytes());
            }
        }
    }
}
