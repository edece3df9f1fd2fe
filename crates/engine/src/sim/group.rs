//! The group coordinator: members, generations, and who reads which partitions.
//!
//! Invariant: within one generation a partition is assigned to one member at most; who is not in the current
//! generation cannot commit.

use std::collections::BTreeMap;
use std::time::Duration;

/// A member of the group, under an id that is never used again.
pub(super) type MemberId = u64;

#[derive(Debug)]
pub(super) struct Group {
    partitions: u32,
    generation: u32,
    members: BTreeMap<MemberId, Member>,
    /// Since when members are being gathered for the next generation.
    gathering_since: Option<Duration>,
    last_id: MemberId,
}

#[derive(Debug, Default)]
struct Member {
    seen: Duration,
    has_joined: bool,
    assigned: Vec<u32>,
}

/// What a member learns of its standing.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// It is no member any more.
    Unknown,
    /// It has to give up what it has, and join the next generation.
    MustJoin,
    /// It waits for the others.
    Waits,
    /// It is a member of this generation.
    Member { generation: u32, assigned: Vec<u32> },
}

impl Group {
    pub fn new(partitions: u32) -> Self {
        Group { partitions, generation: 0, members: BTreeMap::new(), gathering_since: None, last_id: 0 }
    }

    /// Someone new: the others have to join again.
    pub fn enter(&mut self, now: Duration) -> MemberId {
        self.last_id += 1;
        self.gather(now);
        self.members.insert(self.last_id, Member { seen: now, has_joined: true, assigned: Vec::new() });
        self.last_id
    }

    pub fn leave(&mut self, member: MemberId, now: Duration) {
        if self.members.remove(&member).is_some() {
            self.gather(now);
        }
    }

    pub fn heartbeat(&mut self, member: MemberId, now: Duration) {
        if let Some(member) = self.members.get_mut(&member) {
            member.seen = now;
        }
    }

    /// The member gave up what it had, and is ready for the next generation.
    pub fn join(&mut self, member: MemberId) {
        if let Some(member) = self.members.get_mut(&member) {
            member.has_joined = true;
        }
    }

    pub fn standing(&self, member: MemberId) -> Standing {
        match (self.members.get(&member), self.gathering_since) {
            (None, _) => Standing::Unknown,
            (Some(member), Some(_)) if member.has_joined => Standing::Waits,
            (Some(_), Some(_)) => Standing::MustJoin,
            (Some(member), None) => Standing::Member { generation: self.generation, assigned: member.assigned.clone() },
        }
    }

    /// Whether a commit under this generation is of the member that holds its partitions now.
    pub fn admits(&self, member: MemberId, generation: u32) -> bool {
        self.members.contains_key(&member) && generation == self.generation
    }

    /// Drops who was not heard of, and begins the next generation if everybody joined or waited long enough.
    pub fn run(&mut self, now: Duration, session: Duration, rebalance: Duration) {
        let count = self.members.len();
        self.members.retain(|_, member| now.saturating_sub(member.seen) <= session);
        if self.members.len() < count {
            self.gather(now);
        }
        let Some(since) = self.gathering_since else { return };
        if now.saturating_sub(since) > rebalance {
            self.members.retain(|_, member| member.has_joined);
        }
        if self.members.values().all(|member| member.has_joined) {
            self.begin_generation();
        }
    }

    fn gather(&mut self, now: Duration) {
        if self.gathering_since.is_none() {
            self.gathering_since = Some(now);
            self.members.values_mut().for_each(|member| member.has_joined = false);
        }
    }

    /// `range`: partitions in order, as evenly as can be, the same for every topic.
    fn begin_generation(&mut self) {
        self.gathering_since = None;
        self.generation += 1;
        let count = u32::try_from(self.members.len()).unwrap_or(u32::MAX).max(1);
        let (each, over) = (self.partitions / count, self.partitions % count);
        let mut next = 0;
        for (index, member) in (0u32..).zip(self.members.values_mut()) {
            let share = each + u32::from(index < over);
            member.assigned = (next..next + share).collect();
            next += share;
        }
    }
}
