//! What is sold: the kind of call a row prices.

use core::fmt;

/// A product of a rate plan; every row of a deck belongs to one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Product {
    /// A call to the number the row's prefix names.
    Outbound,
    /// A call to one's own toll-free number, priced by that (called) number.
    TollFreeInbound,
}

impl Product {
    /// Every product.
    pub const ALL: [Product; 2] = [Product::Outbound, Product::TollFreeInbound];

    /// Reads the text that [`Product::as_str`] writes.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|product| product.as_str() == text)
    }

    /// `outbound` or `toll-free-inbound` (boundaries.md X5).
    pub const fn as_str(self) -> &'static str {
        match self {
            Product::Outbound => "outbound",
            Product::TollFreeInbound => "toll-free-inbound",
        }
    }
}

impl fmt::Display for Product {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
