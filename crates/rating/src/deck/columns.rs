//! The columns of a deck's CSV.

/// A column that a deck may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Column {
    Prefix,
    Destination,
    Product,
    Price,
    ConnectionFee,
    InitialS,
    IncrementS,
    MinimumCharge,
    MaximumCharge,
    Band,
    OriginPrefix,
    Blocked,
    Premium,
    Tier2From,
    Tier2Price,
    Tier3From,
    Tier3Price,
}

impl Column {
    pub const COUNT: usize = 17;

    pub const ALL: [Column; Self::COUNT] = [
        Column::Prefix,
        Column::Destination,
        Column::Product,
        Column::Price,
        Column::ConnectionFee,
        Column::InitialS,
        Column::IncrementS,
        Column::MinimumCharge,
        Column::MaximumCharge,
        Column::Band,
        Column::OriginPrefix,
        Column::Blocked,
        Column::Premium,
        Column::Tier2From,
        Column::Tier2Price,
        Column::Tier3From,
        Column::Tier3Price,
    ];

    /// The columns without a default.
    pub const REQUIRED: [Column; 2] = [Column::Prefix, Column::Price];

    /// The name in the header of a deck of ours; other vendors' names are mapped to it.
    pub const fn name(self) -> &'static str {
        match self {
            Column::Prefix => "prefix",
            Column::Destination => "destination",
            Column::Product => "product",
            Column::Price => "price_per_minute",
            Column::ConnectionFee => "connection_fee",
            Column::InitialS => "initial_s",
            Column::IncrementS => "increment_s",
            Column::MinimumCharge => "minimum_charge",
            Column::MaximumCharge => "maximum_charge",
            Column::Band => "band",
            Column::OriginPrefix => "origin_prefix",
            Column::Blocked => "blocked",
            Column::Premium => "premium",
            Column::Tier2From => "tier2_from_s",
            Column::Tier2Price => "tier2_price_per_minute",
            Column::Tier3From => "tier3_from_s",
            Column::Tier3Price => "tier3_price_per_minute",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|column| column.name() == name)
    }

    pub fn names() -> [&'static str; Self::COUNT] {
        Self::ALL.map(Column::name)
    }
}
