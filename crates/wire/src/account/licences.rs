//! Licences and pools in an account's state: as JSON, and in the binary form, where each user has a value of their own,
//! since an organisation may have a hundred thousand of them and a call touches one.

use compact_str::CompactString;
use drawdown_ledger::entitlements::{Holding, MonthUse, Pool, User};
use drawdown_ledger::plans::{Country, LicenceName, Use};
use drawdown_units::Timestamp;
use serde::{Deserialize, Serialize};

use super::ReadError;
use super::packed::{self, Instant};
use crate::event::country_text;
use crate::json::{Writer, key};

/// The first byte of a user's state in the binary form.
const USER_FORM: u8 = b'u';

/// No organisation's id has this byte in it, since it is no part of UTF-8.
pub(super) const SEPARATOR: u8 = 0xff;

/// The key of a user's state among those of accounts.
pub fn user_key(org: &str, user: &str) -> Vec<u8> {
    let mut key = Vec::with_capacity(org.len() + 1 + user.len());
    key.extend_from_slice(org.as_bytes());
    key.push(SEPARATOR);
    key.extend_from_slice(user.as_bytes());
    key
}

/// The organisation in a key of accounts, users and running calls.
pub fn org_of_key(key: &[u8]) -> &[u8] {
    key.split(|byte| *byte == SEPARATOR).next().unwrap_or_default()
}

/// Whether a state is that of a user, not of an account.
pub fn is_user(state: &[u8]) -> bool {
    state.first() == Some(&USER_FORM)
}

#[derive(Serialize, Deserialize)]
struct UserState<'a> {
    org: &'a str,
    user: &'a str,
    #[serde(borrow)]
    holdings: Vec<HoldingState<'a>>,
    #[serde(borrow)]
    pools: Vec<PoolState<'a>>,
}

#[derive(Serialize, Deserialize)]
struct HoldingState<'a> {
    licence: &'a str,
    country: Country,
    since: Instant,
    until: Option<Instant>,
}

/// A pool in the binary form.
#[derive(Serialize, Deserialize)]
pub(super) struct PoolState<'a> {
    licence: &'a str,
    country: Country,
    uses: Vec<UseState>,
}

#[derive(Serialize, Deserialize)]
struct UseState {
    of: u8,
    month: Instant,
    used: u64,
    raised: u8,
}

/// Appends the state of one user in the binary form.
pub fn pack_user(out: &mut Vec<u8>, org: &str, user: &User) {
    out.push(USER_FORM);
    let holdings = user.holdings.iter().map(|it| HoldingState {
        licence: &it.licence,
        country: it.country,
        since: packed::instant(it.since),
        until: (it.until < Timestamp::MAX).then(|| packed::instant(it.until)),
    });
    let pools = user.pools.iter().map(PoolState::of).collect();
    let state = UserState { org, user: &user.id, holdings: holdings.collect(), pools };
    packed::append(out, 128, &state);
}

/// Reads what [`pack_user`] wrote: whose user, and the user.
///
/// # Errors
/// What is wrong with it.
pub fn unpack_user(bytes: &[u8]) -> Result<(Box<str>, User), ReadError> {
    let body = bytes.split_first().filter(|(form, _)| **form == USER_FORM).map(|(_, body)| body);
    let body = body.ok_or_else(|| ReadError("not the state of a user".to_owned()))?;
    let state: UserState<'_> = postcard::from_bytes(body).map_err(|error| ReadError(error.to_string()))?;
    let mut holdings = Vec::with_capacity(state.holdings.len());
    for it in state.holdings {
        holdings.push(Holding {
            licence: LicenceName::new(it.licence),
            plan: None,
            country: it.country,
            since: packed::timestamp(it.since)?,
            until: it.until.map_or(Ok(Timestamp::MAX), packed::timestamp)?,
        });
    }
    let pools = state.pools.into_iter().map(PoolState::into_pool).collect::<Result<_, _>>()?;
    Ok((state.org.into(), User { id: state.user.into(), holdings, pools }))
}

impl<'a> PoolState<'a> {
    pub fn of(pool: &'a Pool) -> Self {
        let state = |it: &MonthUse| UseState {
            of: it.of as u8,
            month: packed::instant(it.month),
            used: it.used,
            raised: it.raised,
        };
        PoolState { licence: &pool.licence, country: pool.country, uses: pool.uses.iter().map(state).collect() }
    }

    pub fn into_pool(self) -> Result<Pool, ReadError> {
        let mut pool = Pool::shared(self.licence, self.country);
        for it in self.uses {
            let of = Use::ALL.get(usize::from(it.of)).copied();
            let of = of.ok_or_else(|| ReadError(format!("use {} of a pool", it.of)))?;
            let month = packed::timestamp(it.month)?;
            pool.uses.push(MonthUse { of, month, used: it.used, raised: it.raised });
        }
        Ok(pool)
    }
}

pub(super) fn write_pool(json: &mut Writer<'_>, pool: &Pool) {
    json.text("{\"licence\":", &pool.licence);
    json.text(key!("country"), &country_text(pool.country));
    json.list(key!("uses"), pool.uses.iter(), |json, it| {
        json.plain("{\"use\":", it.of.name());
        json.month(key!("month"), it.month);
        json.integer(key!("used"), it.used);
        json.integer(key!("raised"), it.raised);
        json.raw("}");
    });
    json.raw("}");
}

/// The fields of a user, the first without its comma.
fn write_user_fields(json: &mut Writer<'_>, key: &str, user: &User) {
    json.text(key, &user.id);
    json.list(key!("licences"), user.holdings.iter(), |json, it| {
        json.text("{\"licence\":", &it.licence);
        json.text(key!("country"), &country_text(it.country));
        json.time(key!("since"), it.since);
        if it.until < Timestamp::MAX {
            json.time(key!("until"), it.until);
        }
        json.raw("}");
    });
    json.list(key!("pools"), user.pools.iter(), write_pool);
    json.raw("}");
}

pub(super) fn write_user_entry(json: &mut Writer<'_>, user: &User) {
    write_user_fields(json, "{\"userId\":", user);
}

/// Appends the state of one user as one line of JSON.
pub fn write_user(out: &mut Vec<u8>, org: &str, user: &User) {
    let mut json = Writer::new(out);
    json.text("{\"schemaVersion\":1,\"type\":\"user\",\"orgId\":", org);
    write_user_fields(&mut json, key!("userId"), user);
    json.raw("\n");
}

/// A user in an account's line.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct UserEntry {
    user_id: String,
    licences: Vec<HoldingEntry>,
    pools: Vec<PoolEntry>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct HoldingEntry {
    licence: CompactString,
    country: String,
    since: String,
    until: Option<String>,
}

/// A pool in an account's line.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PoolEntry {
    licence: String,
    country: String,
    uses: Vec<UseEntry>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct UseEntry {
    #[serde(rename = "use")]
    of: String,
    month: String,
    used: u64,
    raised: u8,
}

fn country(text: &str) -> Result<Country, ReadError> {
    text.as_bytes().try_into().map_err(|_| super::unknown("country", text))
}

impl PoolEntry {
    pub fn into_pool(self) -> Result<Pool, ReadError> {
        let mut pool = Pool::shared(&self.licence, country(&self.country)?);
        for it in self.uses {
            let of = Use::ALL.into_iter().find(|of| of.name() == it.of).ok_or_else(|| super::unknown("use", &it.of))?;
            let month = super::time("month", &format!("{}-01T00:00:00Z", it.month))?;
            pool.uses.push(MonthUse { of, month, used: it.used, raised: it.raised });
        }
        Ok(pool)
    }
}

impl UserEntry {
    pub fn into_user(self) -> Result<User, ReadError> {
        let mut holdings = Vec::with_capacity(self.licences.len());
        for it in self.licences {
            holdings.push(Holding {
                licence: it.licence,
                plan: None,
                country: country(&it.country)?,
                since: super::time("since", &it.since)?,
                until: super::optional_time("until", it.until.as_deref())?.unwrap_or(Timestamp::MAX),
            });
        }
        let pools = self.pools.into_iter().map(PoolEntry::into_pool).collect::<Result<_, _>>()?;
        Ok(User { id: self.user_id.into(), holdings, pools })
    }
}
