//! Membership of a consumer group, as it is at one moment: what a commit is fenced by.

use std::ffi::{CStr, CString};
use std::ptr::NonNull;

use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka_sys as sys;

/// A member, its generation, and its group. A copy: it does not change with the consumer.
#[derive(Debug)]
pub struct GroupMetadata(NonNull<sys::rd_kafka_consumer_group_metadata_t>);

// SAFETY: it is plain data, and nothing changes it after it is made.
unsafe impl Send for GroupMetadata {}

impl GroupMetadata {
    /// What it is now. `None` without a group.
    pub fn now<C: ConsumerContext>(consumer: &BaseConsumer<C>) -> Option<Self> {
        // SAFETY: the client is alive while it is borrowed; what is returned is ours.
        let metadata = unsafe { sys::rd_kafka_consumer_group_metadata(consumer.client().native_ptr()) };
        NonNull::new(metadata).map(GroupMetadata)
    }

    /// Any membership, for tests of fencing.
    pub fn forged(group: &str, generation: i32, member: &str) -> Option<Self> {
        let (group, member) = (CString::new(group).ok()?, CString::new(member).ok()?);
        // SAFETY: the strings live through the call, which copies them; no instance id is allowed.
        let metadata = unsafe {
            sys::rd_kafka_consumer_group_metadata_new_with_genid(
                group.as_ptr(),
                generation,
                member.as_ptr(),
                std::ptr::null(),
            )
        };
        NonNull::new(metadata).map(GroupMetadata)
    }

    /// The generation; −1 outside the group.
    pub fn generation(&self) -> i32 {
        // SAFETY: it is alive.
        unsafe { sys::rd_kafka_consumer_group_metadata_generation_id(self.0.as_ptr()) }
    }

    /// The member; empty outside the group.
    pub fn member(&self) -> String {
        // SAFETY: it is alive, and so is its string, which is copied at once.
        let member = unsafe { CStr::from_ptr(sys::rd_kafka_consumer_group_metadata_member_id(self.0.as_ptr())) };
        member.to_string_lossy().into_owned()
    }

    /// Whether a broker compares it with the group. Otherwise it would take a commit from anyone: it must not be sent.
    pub fn is_fencing(&self) -> bool {
        self.generation() >= 0 && !self.member().is_empty()
    }

    pub(super) fn as_ptr(&self) -> *const sys::rd_kafka_consumer_group_metadata_t {
        self.0.as_ptr()
    }
}

impl Drop for GroupMetadata {
    fn drop(&mut self) {
        // SAFETY: it is ours, and destroyed once.
        unsafe { sys::rd_kafka_consumer_group_metadata_destroy(self.0.as_ptr()) }
    }
}
